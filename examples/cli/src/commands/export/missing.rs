//! What the range asks for and the export does not have.

use vigie::gix::{JOIN, Span};
use vigie::store::{self, Cause, Gap, Listing};
use vigie::view::export::File;

use super::super::ls::{self, at, cause};
use super::read::Reader;
use crate::failure::Failure;

/// With causes as far as they are known.
pub(super) fn of(reader: &Reader<'_>, files: &[File], strict: bool) -> Vec<(Span, String)> {
    let Reader { listing, window, damaged, .. } = reader;
    let mut out = Vec::new();
    let mut from = window.from;
    let long = |span: Span| span.to.0.saturating_sub(span.from.0) >= JOIN;
    let mut add = |span: Span| {
        if long(span) {
            let known: Option<&Gap> = listing.gaps.iter().find(|gap| !gap.span.and(span).is_empty());
            out.push((span, known.map_or_else(|| "not recorded".to_owned(), cause)));
        }
    };
    let until = reader.until();
    for range in &listing.ranges {
        add(Span::new(from, range.from.min(window.to)));
        from = from.max(range.to.min(until));
    }
    add(Span::new(from, window.to));
    let bad = damaged.iter().filter(|(span, _)| !span.is_empty());
    out.extend(bad.map(|(span, error)| (*span, error.kind.to_string())));
    if strict {
        for range in &listing.ranges {
            let starts = files.iter().map(|file| file.first).filter(|first| *first >= range.from);
            let first = starts.min().unwrap_or(range.to).min(range.to);
            let lead = Span::new(range.from, first);
            if long(lead) {
                out.push((
                    lead,
                    "recorded, but before the first random access point (--strict-range)".to_owned(),
                ));
            }
        }
    }
    out.sort_by_key(|(span, _)| span.from);
    out
}

/// Nothing to show in the range: is there such a camera at all, and when was it recorded?
pub(super) fn nothing(reader: &mut Reader<'_>) -> Failure {
    let Reader { storage, source, window, stores, listing, .. } = reader;
    let all = Listing::load(storage, source, Span::ALL).map(|l| l.ranges).unwrap_or_default();
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        if !store::days(storage, source).unwrap_or_default().is_empty() {
            return Failure::new(
                format!("{source} has no picture yet"),
                "wait a few seconds: a recording is kept GOP by GOP",
            );
        }
        let sources = ls::all(storage).unwrap_or_default();
        return ls::nothing(stores, &sources);
    };
    if listing.ranges.iter().any(|range| !range.is_empty()) {
        return Failure::new(
            format!(
                "{source} has no picture from {} to {} that can be shown",
                at(window.from),
                at(window.to)
            ),
            "choose a longer range, or leave --strict-range out: there is no random access point in it",
        );
    }
    let why: Vec<String> = listing.gaps.iter().map(|gap| format!("{}", gap.cause)).collect();
    let why = if why.is_empty() || why == [Cause::Operator.name()] {
        String::new()
    } else {
        format!(" (cause: {})", why.join(", "))
    };
    Failure::new(
        format!("{source} has no picture from {} to {}{why}", at(window.from), at(window.to)),
        format!(
            "choose a range between {} and {}; `vigie ls` lists what is there",
            at(first.from),
            at(last.to)
        ),
    )
}
