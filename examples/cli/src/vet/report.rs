//! What was found, for people, programs, CI and browsers.

mod baseline;
mod html;
mod junit;
mod plot;

use std::fmt::Write as _;

use serde_json::{Value, json};
use vigie::h26x::{ParameterSets, VideoFormat};

pub use baseline::Baseline;

use super::clock::Clock;
use super::gop::Gops;
use super::mutate::{self, Kept};
use super::players::{self, Player};
use super::{Finding, Findings, Severity, Vet};
use crate::failure::Failure;
use crate::moment::{count, show_bytes};

/// The result of a [`Vet`].
#[derive(Debug)]
pub struct Report {
    source: String,
    findings: Findings,
    format: Option<VideoFormat>,
    sets: Vec<String>,
    players: Vec<Player>,
    gops: Gops,
    clock: Option<Clock>,
    packets: u64,
    depth: usize,
    /// What is to be changed.
    pub(super) kept: Option<Box<Kept>>,
}

impl Report {
    pub(super) fn new(source: &str, mut vet: Vet) -> Self {
        let mut kept = vet.kept.take();
        let (pictures, clock, packets) = match (vet.stream, vet.elementary) {
            (Some(stream), _) => {
                let packets = stream.packets();
                (Some(stream.pictures), Some(stream.clock), packets)
            }
            (None, Some(pictures)) => (Some(*pictures), None, 0),
            (None, None) => (None, None, 0),
        };
        if let (Some(kept), Some(pictures)) = (&mut kept, &pictures) {
            kept.codec = Some(pictures.codec());
        }
        let table = pictures.as_ref().map(|pictures| pictures.table());
        let format = table.and_then(ParameterSets::format);
        let sets = table.map(describe).unwrap_or_default();
        let players = table.map(players::matrix).unwrap_or_default();
        let depth = pictures.as_ref().map_or(0, |pictures| pictures.depth());
        let gops = pictures.map(|pictures| pictures.gops).unwrap_or_default();
        Self {
            source: source.to_owned(),
            findings: vet.findings,
            format,
            sets,
            players,
            gops,
            clock,
            packets,
            depth,
            kept,
        }
    }

    /// What was judged.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The gravest first.
    #[must_use]
    pub fn findings(&self) -> Vec<&Finding> {
        self.findings.sorted()
    }

    /// Rules of that severity that were broken.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.count(severity)
    }

    /// Pictures that were judged.
    #[must_use]
    pub const fn pictures(&self) -> u64 {
        self.gops.pictures()
    }

    /// Changes what was kept of the source (`vigie vet --mutate`).
    ///
    /// # Errors
    /// The source held no video, the decoder cannot be started, or a file cannot be written.
    pub fn mutate(self, plan: &mutate::Plan<'_>) -> Result<mutate::Mutations, Failure> {
        mutate::run(&self.source, self.kept.map(|kept| *kept).unwrap_or_default(), plan)
    }

    /// `2 errors, 1 warning, 3 notes`.
    #[must_use]
    pub fn verdict(&self) -> String {
        let number = |severity: Severity| count(self.count(severity) as u64, severity.name());
        format!("{}, {}, {}", number(Severity::Error), number(Severity::Warning), number(Severity::Note))
    }

    /// The report as one document.
    #[must_use]
    pub fn json(&self) -> Value {
        let format = self.format.as_ref().map(|format| {
            json!({
                "codec": format.codec_string, "width": format.width, "height": format.height,
                "frame_rate": format.frame_rate.map(|(over, under)| f64::from(over) / f64::from(under)),
                "bit_depth": format.bit_depth.0, "reorder": format.reorder,
            })
        });
        let players: Vec<Value> = self
            .players
            .iter()
            .map(|player| json!({"player": player.name, "verdict": player.verdict.name(), "why": player.why}))
            .collect();
        json!({
            "source": self.source, "errors": self.count(Severity::Error), "warnings": self.count(Severity::Warning),
            "notes": self.count(Severity::Note), "findings": self.findings().iter().map(|f| f.json()).collect::<Vec<_>>(),
            "packets": self.packets, "video": format, "parameter_sets": self.sets, "stream": self.gops.json(),
            "reordered_by": self.depth, "clock": self.clock.as_ref().map(Clock::json), "players": players,
        })
    }

    /// The report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{}\n{}\n", self.source, self.verdict());
        for found in self.findings() {
            let rule = found.rule;
            let _ = write!(
                out,
                "\n{:<8} {rule} ({}), {}\n         {}: {}\n         first: {}\n         receivers: {}\n",
                rule.severity(),
                rule.clause(),
                count(found.count, "time"),
                rule.what(),
                found.detail,
                found.first,
                rule.means()
            );
        }
        out.push('\n');
        for (name, value) in self.lines() {
            let _ = writeln!(out, "{name:<13} {value}");
        }
        for player in &self.players {
            let _ = writeln!(out, "{:<13} {}: {}", player.name, player.verdict.name(), player.why);
        }
        out
    }

    /// What the stream is, line by line.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(format) = &self.format {
            let declared = format.frame_rate.map(|(over, under)| f64::from(over) / f64::from(under));
            let declared = declared
                .map_or_else(|| "no rate declared".to_owned(), |rate| format!("declared {rate:.2}/s"));
            let delivered =
                self.gops.rate().map(|rate| format!(", delivered {rate:.2}/s")).unwrap_or_default();
            lines.push((
                "video",
                format!("{} {}x{}, {declared}{delivered}", format.codec_string, format.width, format.height),
            ));
        }
        let mut pictures = format!(
            "{}, {}",
            count(self.gops.pictures(), "picture"),
            count(self.gops.keys(), "random access point")
        );
        if self.gops.b_pictures() > 0 {
            let _ = write!(pictures, ", {} with B slices", self.gops.b_pictures());
        }
        lines.push(("pictures", pictures));
        if let Some(lengths) = self.gops.lengths() {
            lines.push(("GOP", lengths));
        }
        if let Some(rate) = self.gops.bit_rate() {
            lines.push(("bit rate", format!("{}/s", show_bytes((rate / 8.0) as u64))));
        }
        lines.extend(self.sets.iter().map(|set| ("set", set.clone())));
        if let Some(clock) = &self.clock {
            lines.extend(clock.lines());
        }
        lines
    }
}

/// The parameter sets, a line each.
fn describe(sets: &ParameterSets) -> Vec<String> {
    let mut lines: Vec<String> =
        sets.vps().map(|(id, nal)| format!("VPS {id}: {} bytes", nal.len())).collect();
    for (id, nal) in sets.sps() {
        let mut line = format!("SPS {id}: {} bytes", nal.len());
        if let Some(sps) = sets.sps_h264(id) {
            let _ = write!(
                line,
                ", profile {}, level {}.{}, {}x{} coded, {} reference frames, reordering {}",
                sps.profile,
                sps.level / 10,
                sps.level % 10,
                sps.coded_width,
                sps.coded_height,
                sps.max_ref_frames,
                sps.reorder().map_or_else(|| "not declared".to_owned(), |depth| depth.to_string())
            );
        }
        if let Some(sps) = sets.sps_h265(id) {
            let _ = write!(
                line,
                ", profile {}, level {}.{}, {}x{} coded, {} pictures buffered, reordering {}",
                sps.profile.idc,
                sps.profile.level / 30,
                sps.profile.level % 30 / 3,
                sps.coded_width,
                sps.coded_height,
                sps.buffering,
                sps.reorder
            );
        }
        lines.push(line);
    }
    lines.extend(sets.pps().map(|(id, nal)| format!("PPS {id}: {} bytes", nal.len())));
    lines
}
