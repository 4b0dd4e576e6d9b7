//! Options of `vigie retain`, `vigie hold` and `vigie journal`.

use clap::{Args, Subcommand};

use super::Place;
use crate::moment::{Moment, parse_span};

fn age(text: &str) -> Result<i64, String> {
    let span = parse_span(text)?;
    i64::try_from(span.as_micros()).map_err(|_| "that is longer than time lasts".to_owned())
}

/// `vigie retain`.
#[derive(Args, Debug)]
pub struct Retain {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Only this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Only this camera.
    #[arg(long, value_name = "NAME")]
    pub camera: Option<String>,
    /// Say what would be deleted, and delete nothing.
    #[arg(long, conflicts_with = "set")]
    pub dry_run: bool,
    /// Set how long the tenant keeps its footage, or with --camera that one camera; deletes nothing.
    #[arg(long, requires_all = ["tenant", "operator"])]
    pub set: bool,
    /// A file goes when its first picture is so old: 14d, 72h. With --dry-run: as if that were set.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub max_age: Option<i64>,
    /// No file goes before its last picture is so old.
    #[arg(long, value_name = "AGE", value_parser = age, requires = "max_age")]
    pub min_age: Option<i64>,
    /// How many people it takes to release a hold.
    #[arg(long, value_name = "N", requires = "set", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub release_agents: Option<u8>,
    /// Who sets it.
    #[arg(long, value_name = "NAME")]
    pub operator: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "not said")]
    pub reason: String,
    /// Let go on what a brake has stopped, under this name, and delete.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["set", "dry_run"])]
    pub confirm: Option<String>,
    /// The clock of this machine is right: not asked for where systemd-timesyncd says so.
    #[arg(long)]
    pub trust_clock: bool,
}

/// `vigie hold`.
#[derive(Debug, Subcommand)]
pub enum Hold {
    /// Hold a range of one or more cameras, with their sound; it may reach into the future.
    Add(HoldAdd),
    /// List the holds in force.
    List(HoldList),
    /// Let a hold reach further.
    Extend(HoldExtend),
    /// Release a hold, or ask for it where it takes two people.
    Release(HoldRelease),
}

/// Who decides, and why.
#[derive(Args, Debug)]
pub struct Who {
    /// Who orders it.
    #[arg(long, value_name = "NAME")]
    pub operator: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `vigie hold add`.
#[derive(Args, Debug)]
pub struct HoldAdd {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Whose cameras they are.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// Name of a camera; may be given several times.
    #[arg(long = "camera", value_name = "NAME", required = true)]
    pub cameras: Vec<String>,
    /// The first moment: 2026-11-22T05:14:00Z, 2026-11-22 or now-1h.
    #[arg(long, value_name = "UTC")]
    pub from: Moment,
    /// The moment after the last.
    #[arg(long, value_name = "UTC")]
    pub to: Moment,
    /// The case that it is for.
    #[arg(long, value_name = "TEXT")]
    pub case: String,
    /// Who, why.
    #[command(flatten)]
    pub who: Who,
}

/// `vigie hold list`.
#[derive(Args, Debug)]
pub struct HoldList {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Only this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
}

/// `vigie hold extend`.
#[derive(Args, Debug)]
pub struct HoldExtend {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Whose hold it is.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// Its number, as `vigie hold list` shows it.
    #[arg(long, value_name = "N")]
    pub hold: u64,
    /// An earlier first moment.
    #[arg(long, value_name = "UTC")]
    pub from: Option<Moment>,
    /// A later end.
    #[arg(long, value_name = "UTC")]
    pub to: Option<Moment>,
    /// Who, why.
    #[command(flatten)]
    pub who: Who,
}

/// `vigie hold release`.
#[derive(Args, Debug)]
pub struct HoldRelease {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Whose hold it is.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// Its number, as `vigie hold list` shows it.
    #[arg(long, value_name = "N")]
    pub hold: u64,
    /// Who, why.
    #[command(flatten)]
    pub who: Who,
}

/// `vigie journal`.
#[derive(Debug, Subcommand)]
pub enum Journal {
    /// Print the lines.
    List(JournalOf),
    /// Check every line, its checksum and its place in the chain; exit code 1 where one is damaged.
    Verify(JournalOf),
}

/// Which journal.
#[derive(Args, Debug)]
pub struct JournalOf {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Whose journal it is.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
}
