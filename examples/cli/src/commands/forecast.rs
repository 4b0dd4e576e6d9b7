//! `vigie forecast`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use vigie::gix::Span;
use vigie::store::forecast::{Outlook, Rates, Share, Week, outlook};
use vigie::store::{self, Name, Source, Storage};
use vigie::time::UtcMicros;

use super::ls;
use crate::args::{Forecast, Keep};
use crate::explain;
use crate::failure::{Failure, SHORT};
use crate::moment::{show_bytes, show_span, utc_now};
use crate::output::{Format, Progress, note};
use crate::stores::{Stores, free};
use crate::table::Table;

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// A tenant's cameras, and what they write.
struct Tenant {
    name: Name,
    cameras: Vec<Rates>,
    week: Week,
    retention: Option<i64>,
}

pub(super) fn run(options: &Forecast, format: Format) -> Result<ExitCode, Failure> {
    let stores = options.place.stores();
    let mut storage = stores.read()?;
    let now = utc_now();
    let tenants = read(&mut storage, &stores, options, now)?;
    let free = match options.free {
        Some(free) => free,
        None => free_room(&stores)?,
    };
    let room = free.saturating_sub(options.reserve);
    let of = |week: fn(&Week) -> &[u64]| {
        let shares: Vec<_> =
            tenants.iter().map(|t| Share::new(&t.cameras, week(&t.week), t.retention)).collect();
        outlook(&shares, room, now)
    };
    let told = [of(|week| &week.p50), of(|week| &week.p95)];
    // What is kept for ever fills every disk: that is no shortage of retention, but an answer in days.
    let limited = tenants.iter().any(|tenant| tenant.retention.is_some());
    let short = limited && told.iter().any(|outlook| outlook.full.is_some());
    let text = text(&tenants, free, room, &told, now, options.hours);
    format.print(text, &json(&tenants, free, room, &told, now, short))?;
    if short && format == Format::Text {
        note(&warning(&told, now));
    }
    Ok(if short { ExitCode::from(SHORT) } else { ExitCode::SUCCESS })
}

fn read(
    storage: &mut dyn Storage,
    stores: &Stores,
    options: &Forecast,
    now: UtcMicros,
) -> Result<Vec<Tenant>, Failure> {
    let failed = |error: store::Error| explain::store("read", &stores.name(), &error);
    let wanted = options.tenant.as_ref().map(|name| explain::name("tenant", name)).transpose()?;
    let all = ls::all(storage).map_err(failed)?;
    let found: Vec<Source> = all.iter().filter(|s| wanted.is_none_or(|t| s.tenant == t)).copied().collect();
    if found.is_empty() {
        return Err(ls::nothing(stores, &all));
    }
    // A retention for a tenant that is not there is a slip of the pen.
    for Keep { tenant, .. } in &options.retention {
        let Some(tenant) = tenant else { continue };
        if !found.iter().any(|source| source.tenant.as_str() == tenant) {
            return Err(Failure::new(
                format!("--retention names a tenant that is not there: {tenant}"),
                "`vigie ls` lists the tenants of the store",
            ));
        }
    }
    let progress = Progress::line("reading the indexes");
    let mut tenants: BTreeMap<Name, Vec<Rates>> = BTreeMap::new();
    for (n, source) in found.iter().enumerate() {
        progress.say(format!("reading the indexes of {source} ({} of {})", n + 1, found.len()));
        let rates = Rates::load(storage, source, Span::ALL).map_err(failed)?;
        tenants.entry(source.tenant).or_default().push(rates);
    }
    progress.done();
    Ok(tenants
        .into_iter()
        .map(|(name, cameras)| {
            let keeps = |keep: &&Keep| keep.tenant.as_deref().is_none_or(|t| t == name.as_str());
            // What is said of the tenant goes before what is said of all.
            let mut said: Vec<&Keep> = options.retention.iter().filter(keeps).collect();
            said.sort_by_key(|keep| keep.tenant.is_none());
            let retention =
                said.first().map(|keep| i64::try_from(keep.span.as_micros()).unwrap_or(i64::MAX / 2));
            Tenant { name, week: Week::of(&cameras, now), cameras, retention }
        })
        .collect())
}

/// What this user may still write to the disks that the store is on; volumes on one disk share its room.
fn free_room(stores: &Stores) -> Result<u64, Failure> {
    let mut disks = BTreeMap::new();
    for root in stores.roots() {
        let (disk, free) =
            free(root).map_err(|error| Failure::file("ask for the free room of", root, &error))?;
        disks.insert(disk, free);
    }
    Ok(disks.values().sum())
}

/// Bits a second of bytes an hour, in Mb/s.
fn rate(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 * 8.0 / 3_600.0 / 1e6)
}

fn middle(hours: &[u64]) -> u64 {
    let sum: u128 = hours.iter().map(|hour| u128::from(*hour)).sum();
    sum.checked_div(hours.len() as u128).and_then(|mean| u64::try_from(mean).ok()).unwrap_or(0)
}

fn days(micros: i64) -> f64 {
    micros as f64 / DAY as f64
}

/// `12.5 days`, `never`.
fn left(outlook: &Outlook, now: UtcMicros) -> String {
    match outlook.full {
        None if outlook.rate == 0 => "nothing is written".to_owned(),
        None => "never: footage goes in time".to_owned(),
        Some(full) => format!("in {:.1} days, {full:.0}", days(full.0.saturating_sub(now.0))),
    }
}

fn text(
    tenants: &[Tenant],
    free: u64,
    room: u64,
    told: &[Outlook; 2],
    now: UtcMicros,
    hours: bool,
) -> String {
    let mut table = Table::new(&[
        "tenant",
        ">cameras",
        ">Mb/s p50",
        ">Mb/s p95",
        ">a day p50",
        ">a day p95",
        ">held",
        "footage since",
        "keeps",
    ]);
    for tenant in tenants {
        let held = tenant.cameras.iter().map(Rates::bytes).sum();
        let since = tenant.cameras.iter().filter_map(Rates::span).map(|span| span.from).min();
        let (p50, p95) = (middle(&tenant.week.p50), middle(&tenant.week.p95));
        table.row([
            tenant.name.to_string(),
            format!("{} of {}", tenant.week.cameras, tenant.cameras.len()),
            rate(p50),
            rate(p95),
            show_bytes(p50.saturating_mul(24)),
            show_bytes(p95.saturating_mul(24)),
            show_bytes(held),
            since.map_or_else(String::new, |since| format!("{since:.0}")),
            tenant.retention.map_or_else(|| "for ever".to_owned(), |r| show_span(r.unsigned_abs())),
        ]);
    }
    let mut out = format!("{table}\nfree: {}, of which {} to be used\n", show_bytes(free), show_bytes(room));
    for (what, outlook) in ["at the median rate", "at the rate of busy weeks (p95)"].iter().zip(told) {
        let fits =
            outlook.fits.map_or_else(String::new, |fits| format!("; {:.1} days of footage fit", days(fits)));
        let _ = writeln!(out, "full {what}: {}{fits}", left(outlook, now));
    }
    if hours {
        let _ = write!(out, "\n{}", by_hour(tenants));
    }
    out
}

/// The week, hour by hour, of all tenants.
fn by_hour(tenants: &[Tenant]) -> Table {
    let mut table = Table::new(&["hour of the week (UTC)", ">Mb/s p50", ">Mb/s p95"]);
    let sum =
        |hour: usize, of: fn(&Week) -> &[u64]| tenants.iter().filter_map(|t| of(&t.week).get(hour)).sum();
    for (day, name) in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().enumerate() {
        for hour in 0..24 {
            let at = day * 24 + hour;
            table.row([
                format!("{name} {hour:02}:00"),
                rate(sum(at, |week| &week.p50)),
                rate(sum(at, |week| &week.p95)),
            ]);
        }
    }
    table
}

fn warning(told: &[Outlook; 2], now: UtcMicros) -> String {
    let (when, full) = match told {
        [Outlook { full: Some(full), .. }, _] => ("at the median rate", *full),
        [_, Outlook { full: Some(full), .. }] => ("in busy weeks", *full),
        _ => return String::new(),
    };
    format!(
        "the retention falls short: {when} the disk is full in {:.1} days, before footage is old enough to go: exit code 3\n  \
         try: a larger disk, fewer or smaller streams, or a shorter retention, if the law allows",
        days(full.0.saturating_sub(now.0))
    )
}

fn json(tenants: &[Tenant], free: u64, room: u64, told: &[Outlook; 2], now: UtcMicros, short: bool) -> Value {
    let outlook = |outlook: &Outlook| {
        json!({
            "bytes_a_day": outlook.rate.saturating_mul(24),
            "full": outlook.full.map(|full| full.to_string()),
            "days_left": outlook.full.map(|full| days(full.0.saturating_sub(now.0))),
            "days_that_fit": outlook.fits.map(days),
        })
    };
    let bits = |hours: &[u64]| hours.iter().map(|hour| hour.saturating_mul(8) / 3_600).collect::<Vec<_>>();
    let tenant = |tenant: &Tenant| {
        json!({
            "tenant": tenant.name.as_str(), "cameras": tenant.cameras.len(), "recording": tenant.week.cameras,
            "held_bytes": tenant.cameras.iter().map(Rates::bytes).sum::<u64>(),
            "since": tenant.cameras.iter().filter_map(Rates::span).map(|s| s.from).min().map(|s| s.to_string()),
            "retention_days": tenant.retention.map(days),
            "bits_per_second": {"p50": bits(&tenant.week.p50), "p95": bits(&tenant.week.p95)},
        })
    };
    json!({
        "tenants": tenants.iter().map(tenant).collect::<Vec<_>>(), "free_bytes": free, "usable_bytes": room,
        "p50": outlook(&told[0]), "p95": outlook(&told[1]), "retention_falls_short": short,
    })
}
