//! `vigie retain`.

use std::process::ExitCode;

use serde_json::{Value, json};
use vigie::store::journal::{Brake, Error, Policy, Rule, read, show_age};
use vigie::store::retain::{self, Clock, Outcome, Plan};
use vigie::store::{self, Name, Source, Storage};

use super::journal::{patiently, with};
use super::ls::{self, at};
use crate::args::Retain;
use crate::explain;
use crate::failure::Failure;
use crate::moment::{count, show_bytes, utc_now};
use crate::output::{Format, Progress, note};
use crate::stores::{Stores, Written, is_synchronised};
use crate::table::Table;

pub(super) fn run(options: &Retain, format: Format) -> Result<ExitCode, Failure> {
    if options.max_age.is_some() && !options.set && !options.dry_run {
        return Err(Failure::new(
            "an age alone deletes nothing",
            "look at what it would delete with --dry-run, or set it with --set and --operator",
        ));
    }
    let stores = options.place.stores();
    let sources = sources(&stores, options)?;
    let mut parts = parts(&stores, &sources)?;
    if options.set {
        return set(&stores, options, &mut parts, format);
    }
    if options.dry_run {
        return plan(&stores, options, &mut parts, format);
    }
    pass(&stores, options, &mut parts, format)
}

/// A volume, and the cameras that have footage there.
type Part = (Written, Vec<Source>);

/// All volumes that are there. Of one that is not, nothing is deleted, and it is said; where none is, it is a failure.
fn parts(stores: &Stores, sources: &[Source]) -> Result<Vec<Part>, Failure> {
    let (mut parts, mut missing) = (Vec::new(), None);
    stores.journals()?;
    for (number, root) in stores.roots().iter().enumerate() {
        let mut storage = match stores.on(number) {
            Ok(storage) => storage,
            Err(error) => {
                let failure = explain::store("delete from", root, &error);
                if !stores.are_several() {
                    return Err(failure);
                }
                note(&format!("left as it is: {}", failure.what()));
                missing = missing.or(Some(failure));
                continue;
            }
        };
        let has = |source: &&Source| {
            // One that cannot be listed is told of by its pass.
            !stores.are_several() || store::days(&mut storage, source).map_or(true, |days| !days.is_empty())
        };
        let there = sources.iter().filter(has).copied().collect();
        parts.push((storage, there));
    }
    missing.filter(|_| parts.is_empty()).map_or(Ok(parts), Err)
}

/// The cameras asked for, sound among them.
fn sources(stores: &Stores, options: &Retain) -> Result<Vec<Source>, Failure> {
    let failed = |error: store::Error| explain::store("read", &stores.name(), &error);
    let (tenant, camera) = (&options.tenant, &options.camera);
    let tenant = tenant.as_ref().map(|name| explain::name("tenant", name)).transpose()?;
    let camera = camera.as_ref().map(|name| explain::name("camera", name)).transpose()?;
    let all = ls::all(&mut stores.read()?).map_err(failed)?;
    let fits = |s: &&Source| tenant.is_none_or(|t| s.tenant == t) && camera.is_none_or(|c| s.camera == c);
    let found: Vec<Source> = all.iter().filter(fits).copied().collect();
    if found.is_empty() && !options.set {
        return Err(ls::nothing(stores, &all));
    }
    Ok(found)
}

fn clock(options: &Retain) -> Clock {
    Clock::new(utc_now()).trusted(options.trust_clock || is_synchronised())
}

/// What would go, and nothing else.
fn plan(stores: &Stores, options: &Retain, parts: &mut [Part], format: Format) -> Result<ExitCode, Failure> {
    let failed = |error: Error| explain::decision("read", &stores.name(), &error);
    let rule = options.max_age.map(|max| Rule::new(Some(max), options.min_age));
    let progress = Progress::line("looking");
    let mut plans = Vec::new();
    for (storage, sources) in parts {
        for source in sources.iter() {
            progress.say(format!("looking at {source}"));
            if let Some(rule) = rule {
                let longest = retain::longest(storage, source).map_err(failed)?;
                rule.check(longest)
                    .map_err(|error| explain::decision("keep to that rule in", &stores.name(), &error))?;
            }
            plans.push(retain::plan(storage, source, rule, clock(options)).map_err(failed)?);
        }
    }
    progress.done();
    let mut table =
        Table::new(&["camera", "rule", ">files", ">in part", ">size", ">held", "from", "to", "stopped by"]);
    for plan in &plans {
        table.row([
            plan.source.to_string(),
            show_rule(plan.rule),
            plan.files.to_string(),
            plan.trimmed.to_string(),
            show_bytes(plan.bytes),
            show_bytes(plan.held()),
            if plan.bytes > 0 { at(plan.from) } else { String::new() },
            if plan.bytes > 0 { at(plan.to) } else { String::new() },
            plan.brake.map_or("", Brake::name).to_owned(),
        ]);
    }
    let bytes: u64 = plans.iter().map(|plan| plan.bytes).sum();
    let files: u64 = plans.iter().map(|plan| plan.files + plan.trimmed).sum();
    let text = format!(
        "{table}\nwould delete {} of {}; nothing was deleted\n",
        show_bytes(bytes),
        count(files, "file")
    );
    format.print(text, &json!({"plans": plans.iter().map(planned).collect::<Vec<_>>()}))?;
    for plan in plans.iter().filter(|plan| plan.undated > 0 && format == Format::Text) {
        note(&format!(
            "{}: {} of footage recorded before the clock was set; no rule deletes it",
            plan.source,
            count(plan.undated, "day")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn planned(plan: &Plan) -> Value {
    json!({
        "tenant": plan.source.tenant.as_str(), "camera": plan.source.camera.as_str(),
        "max_age": plan.rule.max_age.map(show_age), "min_age": plan.rule.min_age.map(show_age),
        "files": plan.files, "trimmed": plan.trimmed, "bytes": plan.bytes, "held_bytes": plan.held(),
        "from": (plan.bytes > 0).then(|| plan.from.to_string()), "to": (plan.bytes > 0).then(|| plan.to.to_string()),
        "undated_days": plan.undated, "brake": plan.brake.map(Brake::name),
    })
}

fn show_rule(rule: Rule) -> String {
    let max = rule.max_age.map_or("kept for ever".to_owned(), |age| format!("max {}", show_age(age)));
    rule.min_age.map_or(max.clone(), |age| format!("{max}, min {}", show_age(age)))
}

/// Sets the policy, which is in force at once where no brake would stop what it deletes.
fn set(stores: &Stores, options: &Retain, parts: &mut [Part], format: Format) -> Result<ExitCode, Failure> {
    let failed = |error: Error| explain::decision("set the policy of", &stores.name(), &error);
    let mut decided = stores.decide()?;
    let tenant = explain::name("tenant", options.tenant.as_deref().unwrap_or_default())?;
    let camera = options.camera.as_ref().map(|name| explain::name("camera", name)).transpose()?;
    let before = read(&mut decided, tenant, |_| ()).map_err(failed)?.state.policy;
    let mut policy = before.unwrap_or_default();
    if options.max_age.is_some() || options.release_agents.is_none() {
        let rule = Rule::new(options.max_age, options.min_age);
        match camera {
            Some(camera) => _ = policy.cameras.insert(camera, rule),
            None => policy.default = rule,
        }
    }
    if let Some(agents) = options.release_agents {
        policy.release_agents = agents;
    }
    let (mut longest, mut braked) = (120_000_000, Vec::new());
    for (storage, sources) in parts {
        for source in sources.iter() {
            longest = longest.max(retain::longest(storage, source).map_err(failed)?);
            let rule = policy.rule(&source.camera);
            let trusted = Clock::new(utc_now()).trusted(true);
            let plan = retain::plan(storage, source, Some(rule), trusted).map_err(failed)?;
            if plan.brake == Some(Brake::Change) {
                braked.push(plan);
            }
        }
    }
    let who = (options.operator.as_deref().unwrap_or_default(), options.reason.as_str());
    let set = (policy.clone(), braked.is_empty());
    let n = with(&mut decided, tenant, |journal, storage, now| {
        journal.set_policy(storage, now, set, longest, who)
    })
    .map_err(failed)?;
    report_set(tenant, n, &policy, &braked, format)?;
    Ok(ExitCode::SUCCESS)
}

fn report_set(tenant: Name, n: u64, policy: &Policy, braked: &[Plan], format: Format) -> Result<(), Failure> {
    let mut text = format!("{tenant}: {}", show_rule(policy.default));
    for (camera, rule) in &policy.cameras {
        text += &format!("; {camera}: {}", show_rule(*rule));
    }
    text += &format!(" (line {n} of the journal)\n");
    let bytes: u64 = braked.iter().map(|plan| plan.bytes).sum();
    if !braked.is_empty() {
        text += &format!(
            "it would delete {} of {}: nothing of that goes before somebody says so\n",
            show_bytes(bytes),
            count(braked.len() as u64, "camera")
        );
    }
    let json = json!({"tenant": tenant.as_str(), "policy": policy, "line": n, "accepted": braked.is_empty(),
        "braked": braked.iter().map(planned).collect::<Vec<_>>()});
    format.print(text, &json)?;
    if format == Format::Text && !braked.is_empty() {
        note("look with `vigie retain --dry-run`, and confirm with `vigie retain --confirm NAME`");
    }
    Ok(())
}

/// What became of a camera.
type Done = (Source, Result<Outcome, Error>);

fn pass(stores: &Stores, options: &Retain, parts: &mut [Part], format: Format) -> Result<ExitCode, Failure> {
    let failed = |error: Error| explain::decision("delete from", &stores.name(), &error);
    let mut tenants: Vec<Name> =
        parts.iter().flat_map(|(_, sources)| sources).map(|source| source.tenant).collect();
    tenants.sort_unstable();
    tenants.dedup();
    if let Some(who) = &options.confirm {
        let mut decided = stores.decide()?;
        for tenant in &tenants {
            let who = (&**who, &*options.reason);
            with(&mut decided, *tenant, |journal, storage, now| journal.confirm(storage, now, who))
                .map_err(failed)?;
        }
    }
    let progress = Progress::line("looking");
    let mut done: Vec<Done> = Vec::new();
    for (storage, sources) in parts {
        for source in sources.iter() {
            progress.say(format!("{source}"));
            let state = read(storage, source.tenant, |_| ()).map_err(failed)?.state;
            if state.policy.is_none() {
                continue;
            }
            // A recorder that has the camera keeps it for long; who writes the journal is soon done.
            let outcome = match storage.lock(&source.to_string()) {
                Ok(()) => {
                    storage.unlock(&source.to_string());
                    patiently(|| retain::run(storage, source, clock(options)))
                }
                Err(error) => Err(error.into()),
            };
            done.push((*source, outcome));
        }
    }
    progress.done();
    if done.is_empty() {
        return Err(Failure::new(
            format!("no policy says how long footage is kept in {stores}"),
            "set one: vigie retain --set --tenant NAME --max-age 14d --operator NAME",
        ));
    }
    report(&done, options, format)
}

fn report(done: &[Done], options: &Retain, format: Format) -> Result<ExitCode, Failure> {
    let mut table = Table::new(&["camera", ">files", ">in part", ">size", "from", "to", "rule", ""]);
    let (mut all, mut notes, mut first) = (Vec::new(), Vec::new(), None);
    for (source, outcome) in done {
        let (tenant, camera) = (source.tenant.as_str(), source.camera.as_str());
        match outcome {
            Ok(outcome) => {
                for gone in &outcome.deleted {
                    table.row([
                        source.to_string(),
                        gone.files.to_string(),
                        gone.trimmed.to_string(),
                        show_bytes(gone.bytes),
                        at(gone.from),
                        at(gone.to),
                        gone.rule.clone(),
                        String::new(),
                    ]);
                }
                if let Some(brake) = outcome.brake {
                    notes.push(braked(source, brake));
                }
                if outcome.damaged > 0 {
                    let files = count(outcome.damaged, "file");
                    notes.push(format!("{source}: {files} left whole: a held fragment in it is damaged"));
                }
                all.push(json!({"tenant": tenant, "camera": camera, "deleted": outcome.deleted,
                    "brake": outcome.brake.map(Brake::name), "damaged": outcome.damaged}));
            }
            Err(error) if error.kind == vigie::store::journal::Kind::Store(store::Kind::Locked) => {
                notes
                    .push(format!("{source}: left to its recorder, which deletes what is expired each hour"));
                all.push(json!({"tenant": tenant, "camera": camera, "recorder": true}));
            }
            Err(error) => {
                let failure = explain::decision(
                    &format!("delete what is expired of {source} in"),
                    &options.place.stores().name(),
                    error,
                );
                notes.push(failure.what());
                all.push(json!({"tenant": tenant, "camera": camera, "error": failure.what()}));
                first = first.or(Some(failure));
            }
        }
    }
    let text = if table.is_empty() { "nothing was deleted\n".to_owned() } else { table.to_string() };
    format.print(text, &json!({"cameras": all}))?;
    if format == Format::Text {
        notes.iter().for_each(|text| note(text));
    }
    first.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// What stopped a pass, and what to do.
pub(crate) fn braked(source: &Source, brake: Brake) -> String {
    let why = match brake {
        Brake::Change => {
            "the policy became stricter and would delete much: look with --dry-run, then --confirm NAME"
        }
        Brake::Clock => {
            "the clock has leapt, or is not known to be right: check it, then --trust-clock or --confirm NAME"
        }
        _ => "the journal is damaged: see `vigie journal verify`, then --confirm NAME",
    };
    format!("{source}: nothing was deleted: {why}")
}
