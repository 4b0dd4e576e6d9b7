//! A firmware's report, kept, against the next one's.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::Report;
use crate::failure::Failure;
use crate::moment::count;
use crate::new_file::NewFile;
use crate::vet::Severity;

/// How often each rule was broken; notes do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<String, u64>);

impl Baseline {
    /// Of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let graver = report.findings().into_iter().filter(|found| found.rule.severity() > Severity::Note);
        Self(graver.map(|found| (found.rule.id().to_owned(), found.count)).collect())
    }

    /// Reads what [`write`](Self::write) has written.
    ///
    /// # Errors
    /// The file cannot be read, or is none of ours.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
        let read = serde_json::from_slice::<Value>(&text).ok().and_then(|json| {
            let rules = json.get("vigie-vet-baseline")?.as_object()?;
            rules.iter().map(|(rule, count)| Some((rule.clone(), count.as_u64()?))).collect()
        });
        read.map(Self).ok_or_else(|| {
            Failure::new(
                format!("{} is no baseline", path.display()),
                "write one with --write-baseline, of a firmware that is good",
            )
        })
    }

    /// Writes it; what was there is replaced.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = format!("{:#}\n", json!({ "vigie-vet-baseline": self.0 }));
        let mut file = NewFile::create(path)?;
        file.write(text.as_bytes())?;
        file.finish()
    }

    /// What is worse in `now`: rules that were not broken before, or are broken more often.
    #[must_use]
    pub fn regressions(&self, now: &Self) -> Vec<String> {
        let worse = now.0.iter().filter_map(|(rule, times)| match self.0.get(rule) {
            None => Some(format!("{rule}: new, {}", count(*times, "time"))),
            Some(before) if times > before => Some(format!("{rule}: {times} times, before {before}")),
            Some(_) => None,
        });
        worse.collect()
    }
}
