//! JUnit XML: a test case for each rule, failed where it was broken by an error or a warning.

use std::fmt::Write as _;

use super::Report;
use crate::vet::{Rule, Severity};

impl Report {
    /// JUnit XML, as CI servers read it. Notes do not fail.
    #[must_use]
    pub fn junit(&self) -> String {
        let findings = self.findings();
        let failed = findings.iter().filter(|found| found.rule.severity() > Severity::Note).count();
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            out,
            "<testsuites name=\"vigie vet\" tests=\"{}\" failures=\"{failed}\">",
            Rule::ALL.len()
        );
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\">",
            escape(&self.source),
            Rule::ALL.len()
        );
        for rule in Rule::ALL {
            let _ = write!(out, "    <testcase classname=\"vigie.vet\" name=\"{}\"", rule.id());
            let Some(found) = findings.iter().find(|found| found.rule == *rule) else {
                out.push_str("/>\n");
                continue;
            };
            let text = format!(
                "{}\n{}: {}\nfirst: {}, {} times\nreceivers: {}\n",
                rule.clause(),
                rule.what(),
                found.detail,
                found.first,
                found.count,
                rule.means()
            );
            let _ = match rule.severity() {
                Severity::Note => {
                    write!(out, ">\n      <system-out>{}</system-out>\n    </testcase>\n", escape(&text))
                }
                severity => write!(
                    out,
                    ">\n      <failure type=\"{severity}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                    escape(rule.what()),
                    escape(&text)
                ),
            };
        }
        out.push_str("  </testsuite>\n</testsuites>\n");
        out
    }
}

/// For text and attributes of XML and HTML; what XML does not allow becomes a question mark.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
