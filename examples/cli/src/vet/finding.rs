//! Findings: each rule that was broken, where first, and how often.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use vigie::time::UtcMicros;

use super::rule::{Rule, Severity};

/// Where in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Bytes from the start of an elementary stream, or of the connection.
    pub offset: Option<u64>,
    /// Which packet of the stream, counted from 1.
    pub packet: Option<u64>,
    /// RTP sequence number.
    pub sequence: Option<u16>,
    /// RTP timestamp.
    pub timestamp: Option<u32>,
    /// When it arrived.
    pub utc: Option<UtcMicros>,
}

impl Place {
    /// For reports.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "offset": self.offset, "packet": self.packet, "sequence": self.sequence, "timestamp": self.timestamp,
            "utc": self.utc.map(|utc| utc.to_string()),
        })
    }
}

/// `packet 7, seq 123, time 90000, 2026-11-22T05:14:00.120Z`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.offset.map(|n| format!("byte {n}")),
            self.packet.map(|n| format!("packet {n}")),
            self.sequence.map(|n| format!("seq {n}")),
            self.timestamp.map(|n| format!("time {n}")),
            self.utc.map(|utc| format!("{utc:.3}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&if parts.is_empty() { "the whole stream".to_owned() } else { parts.join(", ") })
    }
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which.
    pub rule: Rule,
    /// How often.
    pub count: u64,
    /// Where first.
    pub first: Place,
    /// What was seen there.
    pub detail: String,
}

impl Finding {
    /// For reports.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "rule": self.rule.id(), "severity": self.rule.severity().name(), "clause": self.rule.clause(),
            "what": self.rule.what(), "receiver": self.rule.means(), "count": self.count,
            "first": self.first.json(), "detail": self.detail,
        })
    }
}

/// One [`Finding`] per rule at most, whatever the length of the stream.
#[derive(Clone, Debug, Default)]
pub struct Findings(BTreeMap<Rule, Finding>);

impl Findings {
    /// Counts a breach; `detail` is asked for the first time.
    pub(super) fn add(&mut self, rule: Rule, place: Place, detail: impl FnOnce() -> String) {
        let found =
            self.0.entry(rule).or_insert_with(|| Finding { rule, count: 0, first: place, detail: detail() });
        found.count += 1;
    }

    /// The gravest first, then in the order of [`Rule::ALL`].
    #[must_use]
    pub fn sorted(&self) -> Vec<&Finding> {
        let mut all: Vec<&Finding> = self.0.values().collect();
        all.sort_by_key(|found| std::cmp::Reverse(found.rule.severity()));
        all
    }

    /// How many rules of that severity were broken.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.0.values().filter(|found| found.rule.severity() == severity).count()
    }
}
