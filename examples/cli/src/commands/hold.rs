//! `vigie hold`.

use std::process::ExitCode;

use serde_json::{Value, json};
use vigie::gix::Span;
use vigie::store::hold::{self, Release, Request};
use vigie::store::journal::{Error, Hold, Kind, read};
use vigie::store::{self, Listing, Name, Source, Storage};

use super::journal::with;
use super::ls::at;
use crate::args::{Hold as Options, HoldAdd, HoldExtend, HoldList, HoldRelease};
use crate::explain;
use crate::failure::Failure;
use crate::output::Format;
use crate::table::Table;

pub(super) fn run(options: &Options, format: Format) -> Result<ExitCode, Failure> {
    match options {
        Options::Add(options) => add(options, format),
        Options::List(options) => list(options, format),
        Options::Extend(options) => extend(options, format),
        Options::Release(options) => release(options, format),
    }
}

fn add(options: &HoldAdd, format: Format) -> Result<ExitCode, Failure> {
    let stores = options.place.stores();
    let mut storage = stores.decide()?;
    let tenant = explain::name("tenant", &options.tenant)?;
    let cameras: Result<Vec<Name>, Failure> =
        options.cameras.iter().map(|camera| explain::name("camera", camera)).collect();
    let request = Request {
        case: options.case.clone(),
        cameras: cameras?,
        span: Span::new(options.from.0, options.to.0),
        who: options.who.operator.clone(),
        why: options.who.reason.clone(),
    };
    // Before the journal is opened: a tenant that is not there gets none.
    if let Some(none) = nothing(storage.as_mut(), tenant, &request) {
        return Err(none);
    }
    let added =
        with(storage.as_mut(), tenant, |journal, storage, now| hold::add(journal, storage, now, &request));
    let n = added.map_err(|error| refused(storage.as_mut(), options, tenant, &request, &error))?;
    let text = format!(
        "hold {n}: {} of {tenant}, {} to {}, for {}\n",
        options.cameras.join(", "),
        at(request.span.from),
        at(request.span.to),
        request.case
    );
    format.print(text, &json!({"tenant": tenant.as_str(), "hold": n}))?;
    Ok(ExitCode::SUCCESS)
}

/// A camera that is not there.
fn nothing(storage: &mut dyn Storage, tenant: Name, request: &Request) -> Option<Failure> {
    let missing = request.cameras.iter().find(|camera| {
        let source = Source { tenant, camera: **camera };
        store::days(storage, &source).is_ok_and(|days| days.is_empty())
    })?;
    let cameras = store::cameras(storage, &tenant).unwrap_or_default();
    let names: Vec<&str> = cameras.iter().take(20).map(Name::as_str).collect();
    Some(Failure::new(
        format!("nothing is held: {tenant} has no footage of a camera {missing}"),
        if names.is_empty() {
            "check --tenant".to_owned()
        } else {
            format!("its cameras: {}", names.join(", "))
        },
    ))
}

/// With what there is, where there is nothing of the range.
fn refused(
    storage: &mut dyn Storage,
    options: &HoldAdd,
    tenant: Name,
    request: &Request,
    error: &Error,
) -> Failure {
    let failure = explain::decision("hold footage in", &options.place.stores().name(), error);
    if error.kind != Kind::NoFootage {
        return failure;
    }
    let day = 86_400_000_000;
    let around = Span::new(request.span.from.plus(-day), request.span.to.plus(day));
    for camera in &request.cameras {
        let source = Source { tenant, camera: *camera };
        let of = |storage: &mut dyn Storage, span| {
            Listing::load(storage, &source, span).map(|listing| listing.ranges).unwrap_or_default()
        };
        if !of(storage, request.span).is_empty() {
            continue;
        }
        let near: Vec<String> = of(storage, around)
            .iter()
            .take(5)
            .map(|range| format!("{} to {}", at(range.from), at(range.to)))
            .collect();
        let near = if near.is_empty() { "nothing within a day of it".to_owned() } else { near.join(", ") };
        return Failure::new(format!("{} ({source} has: {near})", failure.what()), failure.remedy())
            .numbered(error);
    }
    failure
}

fn list(options: &HoldList, format: Format) -> Result<ExitCode, Failure> {
    let stores = options.place.stores();
    let mut storage = stores.decide()?;
    let tenants = match &options.tenant {
        Some(tenant) => vec![explain::name("tenant", tenant)?],
        None => store::tenants(&mut storage).map_err(|e| explain::store("read", &stores.name(), &e))?,
    };
    let mut table = Table::new(&["tenant", ">hold", "case", "cameras", "from", "to", "by", "why", "release"]);
    let mut all = Vec::new();
    for tenant in tenants {
        let found =
            read(&mut storage, tenant, |_| ()).map_err(|e| explain::decision("read", &stores.name(), &e))?;
        for (n, hold) in &found.state.holds {
            table.row([
                tenant.to_string(),
                n.to_string(),
                hold.case.clone(),
                hold.cameras.iter().map(Name::as_str).collect::<Vec<_>>().join(", "),
                at(hold.from),
                at(hold.to),
                hold.who.clone(),
                hold.why.clone(),
                released_by(hold),
            ]);
            all.push(json(tenant, *n, hold));
        }
    }
    let text = if table.is_empty() { "nothing is held\n".to_owned() } else { table.to_string() };
    format.print(text, &json!({"holds": all}))?;
    Ok(ExitCode::SUCCESS)
}

fn released_by(hold: &Hold) -> String {
    match &hold.asked {
        Some(who) => format!("asked for by {who}"),
        None if hold.agents > 1 => "takes two people".to_owned(),
        None => String::new(),
    }
}

fn json(tenant: Name, n: u64, hold: &Hold) -> Value {
    let mut value = serde_json::to_value(hold).unwrap_or_default();
    value["tenant"] = tenant.as_str().into();
    value["hold"] = n.into();
    value
}

fn extend(options: &HoldExtend, format: Format) -> Result<ExitCode, Failure> {
    let stores = options.place.stores();
    let mut storage = stores.decide()?;
    let tenant = explain::name("tenant", &options.tenant)?;
    let extended = with(storage.as_mut(), tenant, |journal, storage, now| {
        let held = journal.state().holds.get(&options.hold).ok_or(Kind::NoHold)?.span();
        let span =
            Span::new(options.from.map_or(held.from, |from| from.0), options.to.map_or(held.to, |to| to.0));
        let who = (&*options.who.operator, &*options.who.reason);
        hold::extend(journal, storage, now, (options.hold, span), who).map(|()| span)
    });
    let span = extended.map_err(|error| explain::decision("extend the hold in", &stores.name(), &error))?;
    let text = format!("hold {}: now {} to {}\n", options.hold, at(span.from), at(span.to));
    let (from, to) = (span.from.to_string(), span.to.to_string());
    format.print(text, &json!({"tenant": tenant.as_str(), "hold": options.hold, "from": from, "to": to}))?;
    Ok(ExitCode::SUCCESS)
}

fn release(options: &HoldRelease, format: Format) -> Result<ExitCode, Failure> {
    let stores = options.place.stores();
    let mut storage = stores.decide()?;
    let tenant = explain::name("tenant", &options.tenant)?;
    let released = with(storage.as_mut(), tenant, |journal, storage, now| {
        let who = (&*options.who.operator, &*options.who.reason);
        hold::release(journal, storage, now, options.hold, who)
    });
    let released =
        released.map_err(|error| explain::decision("release the hold in", &stores.name(), &error))?;
    let done = released == Release::Released;
    let text = if done {
        format!("hold {}: released; what of it is expired goes with the next pass\n", options.hold)
    } else {
        format!("hold {}: release asked for; another person has to release it, too\n", options.hold)
    };
    format.print(text, &json!({"tenant": tenant.as_str(), "hold": options.hold, "released": done}))?;
    Ok(ExitCode::SUCCESS)
}
