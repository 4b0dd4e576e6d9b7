//! One self-contained page: no script, no font, no file beside it.

use std::fmt::Write as _;

use super::Report;
use super::junit::escape;
use super::plot::Plot;
use crate::vet::Severity;
use crate::vet::players::Verdict;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1a2330;--soft:#5b6878;--paper:#fff;--card:#f5f7fa;--rule:#d9dfe7;--error:#b3261e;\
--warning:#8a5a00;--note:#2b5f9e;--good:#1d6b3a;--line:#2b5f9e;--bar:#9db7d6}\
@media(prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#9aa7b8;--paper:#12171f;--card:#1b222d;--rule:#313c4a;\
--error:#ff8a80;--warning:#f2c063;--note:#8fbcf2;--good:#7fd6a0;--line:#8fbcf2;--bar:#3c5a80}}\
body{margin:0 auto;max-width:62rem;padding:1.5rem;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}\
h1{font-size:1.4rem;margin:0 0 .2rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .6rem}p{margin:.2rem 0}\
small,.soft{color:var(--soft)}code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}\
.verdict{display:flex;gap:.6rem;flex-wrap:wrap;margin:.8rem 0}.verdict b{font-size:1.3rem;margin-right:.35rem}\
.verdict span{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.3rem .8rem}\
.error{color:var(--error)}.warning{color:var(--warning)}.note{color:var(--note)}.good{color:var(--good)}\
article{background:var(--card);border:1px solid var(--rule);border-left:4px solid currentColor;border-radius:.4rem;\
padding:.6rem .9rem;margin:.6rem 0}article>*{color:var(--ink)}article .soft{color:var(--soft)}article h3{font-size:1rem;margin:0}\
article h3 span{font-size:.8rem;text-transform:uppercase;letter-spacing:.04em;margin-right:.5rem}\
article.error span{color:var(--error)}article.warning span{color:var(--warning)}article.note span{color:var(--note)}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;\
border-bottom:1px solid var(--rule);overflow-wrap:anywhere}th{font-weight:600;white-space:nowrap}\
figure{margin:1rem 0}figcaption{font-weight:600}svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:var(--soft)}\
.grid{stroke:var(--rule);fill:none}.line{stroke:var(--line);fill:none;stroke-width:1.5}.bar{fill:var(--bar)}.mark{fill:var(--line)}";

impl Report {
    /// The report as a page.
    #[must_use]
    pub fn html(&self) -> String {
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>vigie vet: {0}</title><style>{STYLE}</style></head><body>\n<h1>{0}</h1>\n<p class=\"soft\">Conformance report \
             by vigie vet {1}</p>\n",
            escape(&self.source),
            env!("CARGO_PKG_VERSION")
        );
        self.verdict_html(&mut out);
        self.findings_html(&mut out);
        out.push_str("<h2>Stream</h2>\n<table>");
        for (name, value) in self.lines() {
            let _ =
                write!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escape(name), escape(&value));
        }
        out.push_str("</table>\n");
        self.plots(&mut out);
        self.players_html(&mut out);
        out.push_str("</body></html>\n");
        out
    }

    fn verdict_html(&self, out: &mut String) {
        out.push_str("<div class=\"verdict\">");
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            let number = self.count(severity);
            let class = if number == 0 { "good" } else { severity.name() };
            let plural = if number == 1 { "" } else { "s" };
            let _ = write!(out, "<span class=\"{class}\"><b>{number}</b>{severity}{plural}</span>");
        }
        out.push_str("</div>\n");
    }

    fn findings_html(&self, out: &mut String) {
        out.push_str("<h2>Findings</h2>\n");
        if self.findings().is_empty() {
            out.push_str("<p class=\"good\">None: every rule that could be checked holds.</p>\n");
        }
        for found in self.findings() {
            let rule = found.rule;
            let times = crate::moment::count(found.count, "time");
            let _ = writeln!(
                out,
                "<article class=\"{0}\"><h3><span>{0}</span><code>{1}</code></h3><p>{2}: {3}</p><p>Receivers: {4}.</p>\
                 <p class=\"soft\">{5} · {times} · first: {6}</p></article>",
                rule.severity(),
                rule.id(),
                escape(rule.what()),
                escape(&found.detail),
                escape(rule.means()),
                escape(rule.clause()),
                escape(&found.first.to_string())
            );
        }
    }

    fn plots(&self, out: &mut String) {
        out.push_str("<h2>Bit rate, groups of pictures, timing</h2>\n");
        let span = self.gops.span as f64 / 90_000.0;
        // The last span is not whole.
        let whole = self.gops.curve.len().saturating_sub(1).max(1);
        let rate: Vec<(f64, f64)> = self
            .gops
            .curve
            .iter()
            .take(whole)
            .enumerate()
            .map(|(at, bits)| (at as f64 * span, *bits as f64 / span / 1_000.0))
            .collect();
        let plot = Plot { title: "Bit rate", x: "seconds", y: "kbit/s", points: &rate, from_zero: true };
        if rate.len() > 1 {
            out.push_str(&plot.line());
        }
        let first =
            self.gops.kept.iter().map(|gop| (gop.start as f64 / 90_000.0, gop.bytes as f64 / 1_000.0));
        let gops: Vec<(f64, f64)> = first.collect();
        let keys: Vec<f64> = self.gops.kept.iter().map(|gop| gop.key_bytes as f64 / 1_000.0).collect();
        let title = "Groups of pictures, the key picture's part in the darker colour";
        out.push_str(&Plot { title, x: "seconds", y: "kB", points: &gops, from_zero: true }.bars(&keys));
        let Some(clock) = &self.clock else { return };
        let curve = &clock.curve;
        let (start, base) = curve.first().copied().unwrap_or_default();
        let delays: Vec<(f64, f64)> = curve
            .iter()
            .map(|(at, delay)| ((at - start) as f64 / 1e6, (delay - base) as f64 / 1e3))
            .collect();
        let title = "Arrival against the RTP clock (a slope is drift, a spread is jitter)";
        if delays.len() > 1 {
            out.push_str(&Plot { title, x: "seconds", y: "ms", points: &delays, from_zero: false }.line());
        }
    }

    fn players_html(&self, out: &mut String) {
        if self.players.is_empty() {
            return;
        }
        out.push_str("<h2>Players, by rule</h2>\n<table>");
        for player in &self.players {
            let class = match player.verdict {
                Verdict::Plays => "good",
                Verdict::Depends => "warning",
                Verdict::No => "error",
            };
            let _ = write!(
                out,
                "<tr><th scope=\"row\">{}</th><td class=\"{class}\">{}</td><td>{}</td></tr>",
                player.name,
                player.verdict.name(),
                escape(player.why)
            );
        }
        out.push_str("</table>\n");
    }
}
