//! `vigie gaps`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use vigie::fault::Code;
use vigie::gix::Span;
use vigie::store::{self, Availability, Cause, Gap, Listing, Source, Storage, months};
use vigie::time::UtcMicros;

use super::ls::{self, at, cause, length};
use crate::args::Ls;
use crate::explain;
use crate::failure::Failure;
use crate::moment::{show_span, utc_now};
use crate::output::Format;
use crate::table::Table;

/// Months that are counted.
const MONTHS: usize = 24;

pub(super) fn run(options: &Ls, format: Format) -> Result<ExitCode, Failure> {
    let stores = options.place.stores();
    let mut storage = stores.read()?;
    let (tenant, camera) = (options.tenant.as_deref(), options.camera.as_deref());
    let sources = ls::sources(&mut storage, &stores, tenant, camera)?;
    let window = ls::window(options)?;
    let failed = |error: store::Error| explain::store("read", &stores.name(), &error);
    for source in sources {
        let now = utc_now();
        let listing = Listing::load(&mut storage, &source, window).map_err(failed)?;
        let months = by_month(&mut storage, &source, &listing, window, now).map_err(failed)?;
        format.print(text(&source, &listing, &months), &json(&source, &listing, &months))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The months of the window that the camera has something of.
fn by_month(
    storage: &mut dyn Storage,
    source: &Source,
    listing: &Listing,
    window: Span,
    now: UtcMicros,
) -> Result<Vec<Availability>, store::Error> {
    let from = listing.ranges.first().map(|range| range.from);
    let Some(from) = from.into_iter().chain(listing.gaps.first().map(|gap| gap.span.from)).min() else {
        return Ok(Vec::new());
    };
    let all = Span::new(from, window.to.min(now));
    let month = |month: &Span| Availability::load(storage, source, month.and(window), now).transpose();
    months(all, MONTHS).iter().filter_map(month).collect()
}

fn text(source: &Source, listing: &Listing, months: &[Availability]) -> String {
    let mut out = format!("{source}\n");
    if months.is_empty() {
        out.push_str("nothing was recorded in this range\n");
    }
    let mut missing = Table::new(&["missing from", "to", ">length", "cause"]);
    for gap in &listing.gaps {
        missing.row([at(gap.span.from), at(gap.span.to), length(gap.span), cause(gap)]);
    }
    let mut counted = Table::new(&["month", ">recorded", ">share", "missing, by cause"]);
    for month in months {
        counted.row([
            name(month),
            show_span(month.recorded),
            format!("{:.3} %", month.share() * 100.0),
            causes(month)
                .map(|(cause, micros)| format!("{cause} {}", show_span(micros)))
                .collect::<Vec<_>>()
                .join(", "),
        ]);
    }
    for table in [missing, counted].iter().filter(|t| !t.is_empty()) {
        let _ = write!(out, "\n{table}");
    }
    out.push('\n');
    out
}

/// `2026-11`.
fn name(month: &Availability) -> String {
    let civil = month.span.from.civil();
    format!("{:04}-{:02}", civil.year, civil.month)
}

fn causes(month: &Availability) -> impl Iterator<Item = (Cause, u64)> {
    Cause::ALL.into_iter().map(|cause| (cause, month.missing_by(cause))).filter(|(_, micros)| *micros > 0)
}

fn json(source: &Source, listing: &Listing, months: &[Availability]) -> Value {
    let gap = |gap: &Gap| {
        let code = (gap.code != 0).then(|| Code(gap.code).to_string());
        let to = (gap.span.to.0 != i64::MAX).then(|| gap.span.to.to_string());
        json!({"from": gap.span.from.to_string(), "to": to, "cause": gap.cause.name(), "code": code})
    };
    let seconds = |micros: u64| micros as f64 / 1e6;
    let month = |month: &Availability| {
        let missing: Map<_, _> =
            causes(month).map(|(cause, micros)| (cause.name().to_owned(), seconds(micros).into())).collect();
        json!({
            "month": name(month), "from": month.span.from.to_string(), "to": month.span.to.to_string(),
            "recorded_seconds": seconds(month.recorded), "share": month.share(), "missing_seconds": missing,
        })
    };
    json!({
        "tenant": source.tenant.as_str(), "camera": source.camera.as_str(),
        "gaps": listing.gaps.iter().map(gap).collect::<Vec<_>>(),
        "months": months.iter().map(month).collect::<Vec<_>>(),
    })
}
