//! Options of `vigie simulate`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Login;
use crate::moment::parse_span;

/// `vigie simulate`.
#[derive(Args, Debug)]
pub struct Simulate {
    /// Address and port to listen at; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8554")]
    pub listen: SocketAddr,
    /// How many cameras; beyond four, the clips are used again.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub cameras: u16,
    /// Write what was sent and when to this file, a line of JSON for each picture: camera, loop, number, utc.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
    /// Fill the pictures up so that each camera sends so many kb/s, as real ones do; the clips themselves have some 40.
    #[arg(long, value_name = "KBPS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub kbps: u32,
    /// Do wrong what some cameras do wrong; may be given several times, `list` lists what there is.
    #[arg(long = "quirk", value_name = "NAME")]
    pub quirks: Vec<String>,
    /// List the names for --quirk: who does it, what it is, line of the catalogue, tolerance.
    #[arg(long)]
    pub list_quirks: bool,
    /// Serve RTSP over TLS too, at the same port, with this certificate (and those it was signed with) and its key, PEM.
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"], conflicts_with = "quirks")]
    pub tls: Vec<PathBuf>,
    /// Put each NAL unit into packets of its own; some viewers read no packets that hold several.
    #[arg(long, conflicts_with = "quirks")]
    pub no_aggregation: bool,
    /// Ask viewers for this user and password.
    #[command(flatten)]
    pub login: Login,
    /// How viewers are asked.
    #[arg(long, value_enum, default_value_t = Auth::Digest)]
    pub auth: Auth,
    /// Stop after this long; without it, Ctrl-C stops.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_span)]
    pub span: Option<Duration>,
}

/// How a password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// RFC 7616: the password does not cross the network.
    Digest,
    /// RFC 7617: it does.
    Basic,
}
