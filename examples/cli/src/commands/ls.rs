//! `vigie ls`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use vigie::fault::Code;
use vigie::gix::Span;
use vigie::store::{self, Gap, LastRecorded, Listing, Name, SegmentFile, Source, Storage};
use vigie::time::UtcMicros;

use crate::args::Ls;
use crate::explain;
use crate::failure::Failure;
use crate::moment::{count, show_bytes, show_span};
use crate::output::Format;
use crate::stores::Stores;
use crate::table::Table;

pub(super) fn run(options: &Ls, format: Format) -> Result<ExitCode, Failure> {
    let stores = options.place.stores();
    let mut storage = stores.read()?;
    let failed = |error: store::Error| explain::store("read", &stores.name(), &error);
    let (tenant, camera) = (options.tenant.as_deref(), options.camera.as_deref());
    let sources = sources(&mut storage, &stores, tenant, camera)?;
    if options.last {
        return last(&mut storage, &sources, &stores, format);
    }
    let window = window(options)?;
    for source in sources {
        let listing = Listing::load(&mut storage, &source, window).map_err(failed)?;
        format.print(text(&source, &listing), &json(&source, &listing))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What was recorded last of each.
fn last(
    storage: &mut dyn Storage,
    sources: &[Source],
    stores: &Stores,
    format: Format,
) -> Result<ExitCode, Failure> {
    let mut table = Table::new(&["camera", "since", "recorded until", "codec", ""]);
    let mut all = Vec::new();
    for source in sources {
        let last = LastRecorded::load(storage, source)
            .map_err(|error| explain::store("read", &stores.name(), &error))?;
        let size = |last: &LastRecorded| format!("{}x{}", last.size.0, last.size.1);
        table.row(match &last {
            Some(last) => {
                [source.to_string(), last.since.to_string(), at(last.end), last.codec.to_string(), size(last)]
            }
            None => {
                [source.to_string(), String::new(), "nothing is there".into(), String::new(), String::new()]
            }
        });
        all.push(json!({
            "tenant": source.tenant.as_str(), "camera": source.camera.as_str(),
            "since": last.map(|last| last.since.to_string()), "until": last.map(|last| last.end.to_string()),
            "path": last.map(|last| Listing::path(source, last.key)),
            "codec": last.map(|last| last.codec.to_string()),
            "width": last.map(|last| last.size.0), "height": last.map(|last| last.size.1),
        }));
    }
    format.print(table.to_string(), &json!({"cameras": all}))?;
    Ok(ExitCode::SUCCESS)
}

/// The span asked for.
pub(super) fn window(options: &Ls) -> Result<Span, Failure> {
    let window =
        Span::new(options.from.map_or(Span::ALL.from, |m| m.0), options.to.map_or(Span::ALL.to, |m| m.0));
    if window.is_empty() {
        return Err(Failure::new(
            "the range ends before it starts",
            "give --from a moment that lies before that of --to",
        ));
    }
    Ok(window)
}

/// The cameras asked for; an error where there is none such.
pub(super) fn sources(
    storage: &mut dyn Storage,
    stores: &Stores,
    tenant: Option<&str>,
    camera: Option<&str>,
) -> Result<Vec<Source>, Failure> {
    let failed = |error: store::Error| explain::store("read", &stores.name(), &error);
    let wanted = |what: &str, name: Option<&str>| -> Result<Option<Name>, Failure> {
        name.map(|name| explain::name(what, name)).transpose()
    };
    let (tenant, camera) = (wanted("tenant", tenant)?, wanted("camera", camera)?);
    let all = all(storage).map_err(failed)?;
    let fits = |s: &&Source| tenant.is_none_or(|t| s.tenant == t) && camera.is_none_or(|c| s.camera == c);
    let found: Vec<Source> = all.iter().filter(fits).copied().collect();
    if found.is_empty() {
        return Err(nothing(stores, &all));
    }
    Ok(found)
}

/// Every camera that something was recorded of.
pub(super) fn all(storage: &mut dyn Storage) -> Result<Vec<Source>, store::Error> {
    let mut all = Vec::new();
    for tenant in store::tenants(storage)? {
        for camera in store::cameras(storage, &tenant)? {
            let source = Source { tenant, camera };
            // Other people's folders are no cameras.
            if !store::days(storage, &source)?.is_empty() {
                all.push(source);
            }
        }
    }
    Ok(all)
}

/// No such camera; what there is instead.
pub(super) fn nothing(stores: &Stores, all: &[Source]) -> Failure {
    if all.is_empty() {
        return Failure::new(
            format!("nothing was recorded into {stores}"),
            "check the path; `vigie record --store` names the folder to write to",
        );
    }
    let names: Vec<String> = all.iter().take(20).map(ToString::to_string).collect();
    Failure::new(
        format!("there is no such camera in {stores}"),
        format!("choose one that is there (tenant/camera): {}", names.join(", ")),
    )
}

/// `2026-11-22T05:14:00.120Z`.
pub(super) fn at(utc: UtcMicros) -> String {
    match utc {
        UtcMicros(i64::MAX) => "now".to_owned(),
        utc => format!("{utc:.3}"),
    }
}

/// `1 min 00 s`; empty where it has no end.
pub(super) fn length(span: Span) -> String {
    if span.to == Span::ALL.to || span.from == Span::ALL.from {
        return String::new();
    }
    show_span(u64::try_from(span.to.0.saturating_sub(span.from.0)).unwrap_or(0))
}

/// Why, with the number of the error behind it.
pub(super) fn cause(gap: &Gap) -> String {
    if gap.code == 0 { gap.cause.to_string() } else { format!("{} ({})", gap.cause, Code(gap.code)) }
}

fn text(source: &Source, listing: &Listing) -> String {
    let mut out = format!("{source}\n");
    if listing.ranges.is_empty() {
        out.push_str("nothing was recorded in this range\n");
    }
    let mut recorded = Table::new(&["recorded from", "to", ">length"]);
    for range in &listing.ranges {
        recorded.row([at(range.from), at(range.to), length(*range)]);
    }
    let mut missing = Table::new(&["missing from", "to", ">length", "cause"]);
    for gap in &listing.gaps {
        missing.row([at(gap.span.from), at(gap.span.to), length(gap.span), cause(gap)]);
    }
    let mut files = Table::new(&["file", ">length", ">size", ">pictures", "codec", "", ">lost packets"]);
    for file in &listing.segments {
        files.row(file_row(file));
    }
    for table in [recorded, missing, files].iter().filter(|t| !t.is_empty()) {
        let _ = write!(out, "\n{table}");
    }
    let bytes: u64 = listing.segments.iter().map(|f| f.bytes).sum();
    let (files, gaps) = (listing.segments.len() as u64, listing.gaps.len() as u64);
    let _ = writeln!(out, "\n{}, {}, {}\n", count(files, "file"), show_bytes(bytes), count(gaps, "gap"));
    out
}

fn file_row(file: &SegmentFile) -> [String; 7] {
    [
        file.key.to_string(),
        length(file.span),
        show_bytes(file.bytes),
        file.samples.to_string(),
        file.codec.to_string(),
        format!("{}x{}", file.size.0, file.size.1),
        file.lost.to_string(),
    ]
}

fn json(source: &Source, listing: &Listing) -> Value {
    // JSON has no end of time: what goes on has no `to`.
    let time = |utc: UtcMicros| match utc {
        UtcMicros(i64::MAX | i64::MIN) => Value::Null,
        utc => Value::from(utc.to_string()),
    };
    let span = |span: Span| json!({"from": time(span.from), "to": time(span.to)});
    let gap = |gap: &Gap| {
        let code = (gap.code != 0).then(|| Code(gap.code).to_string());
        json!({"from": time(gap.span.from), "to": time(gap.span.to), "cause": gap.cause.name(), "code": code})
    };
    let file = |file: &SegmentFile| {
        json!({
            "path": Listing::path(source, file.key), "from": time(file.span.from), "to": time(file.span.to),
            "pictures": file.samples, "fragments": file.fragments, "bytes": file.bytes, "lost_packets": file.lost,
            "codec": file.codec.as_str(), "width": file.size.0, "height": file.size.1,
        })
    };
    json!({
        "tenant": source.tenant.as_str(), "camera": source.camera.as_str(),
        "ranges": listing.ranges.iter().map(|r| span(*r)).collect::<Vec<_>>(),
        "gaps": listing.gaps.iter().map(gap).collect::<Vec<_>>(),
        "files": listing.segments.iter().map(file).collect::<Vec<_>>(),
    })
}
