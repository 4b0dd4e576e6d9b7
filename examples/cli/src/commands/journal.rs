//! `vigie journal`, and what the commands that write it share.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vigie::store::journal::{Error, Kind, Line, read};
use vigie::store::{self, Name, Storage};
use vigie::time::UtcMicros;

use crate::args::{Journal as Options, JournalOf};
use crate::explain;
use crate::failure::Failure;
use crate::moment::utc_now;
use crate::output::Format;
use crate::stores::Written;

/// How long another process is waited for that writes the journal.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn run(options: &Options, format: Format) -> Result<ExitCode, Failure> {
    match options {
        Options::List(of) => list(of, format),
        Options::Verify(of) => verify(of, format),
    }
}

/// Does something with a tenant's journal that is open; waits for who has it.
pub(super) fn with<T>(
    storage: &mut dyn Storage,
    tenant: Name,
    what: impl FnOnce(&mut store::journal::Journal, &mut dyn Storage, UtcMicros) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut journal = patiently(|| store::journal::Journal::open(storage, tenant, utc_now()))?;
    let done = what(&mut journal, storage, utc_now());
    journal.close(storage);
    done
}

/// Tries again while another process is at it.
pub(super) fn patiently<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error) if error.kind == Kind::Store(store::Kind::Locked) && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(100));
            }
            done => return done,
        }
    }
}

fn tenant(of: &JournalOf) -> Result<(Written, Name), Failure> {
    Ok((of.place.stores().decide()?, explain::name("tenant", &of.tenant)?))
}

fn list(of: &JournalOf, format: Format) -> Result<ExitCode, Failure> {
    let (mut storage, tenant) = tenant(of)?;
    let mut failure = None;
    let print = |line: &Line| {
        if failure.is_none() {
            failure = format.print(text(line), &json(line)).err();
        }
    };
    let found = read(&mut storage, tenant, print)
        .map_err(|e| explain::decision("read", &of.place.stores().name(), &e))?;
    failure.map_or(Ok(()), Err)?;
    if found.state.damaged > 0 || found.torn > 0 {
        crate::output::note("some lines are damaged: `vigie journal verify` says which");
    }
    Ok(ExitCode::SUCCESS)
}

fn json(line: &Line) -> Value {
    let mut value = serde_json::to_value(&line.record).unwrap_or_default();
    value["n"] = line.n.into();
    value["at"] = line.at.to_string().into();
    value
}

/// `    17  2026-11-25T18:58:20Z  hold-added  case=2026-114 …`
fn text(line: &Line) -> String {
    let value = serde_json::to_value(&line.record).unwrap_or_default();
    let mut out = format!("{:>6}  {:.0}  {:<14}", line.n, line.at, value["kind"].as_str().unwrap_or("?"));
    for (name, field) in value.as_object().into_iter().flatten().filter(|(name, _)| *name != "kind") {
        match field {
            Value::String(text) if text.contains(' ') => out += &format!(" {name}={text:?}"),
            Value::String(text) => out += &format!(" {name}={text}"),
            other => out += &format!(" {name}={other}"),
        }
    }
    out + "\n"
}

fn verify(of: &JournalOf, format: Format) -> Result<ExitCode, Failure> {
    let (mut storage, tenant) = tenant(of)?;
    let mut lines = 0_u64;
    let found = read(&mut storage, tenant, |_| lines += 1)
        .map_err(|e| explain::decision("read", &of.place.stores().name(), &e))?;
    let places: Vec<Value> = found
        .damage
        .iter()
        .map(|d| json!({"file": format!("journal-{:06}.jsonl", d.file), "offset": d.offset, "bytes": d.len}))
        .collect();
    let mut text = format!(
        "{tenant}: {} lines, {} damaged, {} of unknown kinds",
        found.n,
        places.len(),
        found.state.unknown
    );
    text += if found.torn > 0 { ", and a torn one at the end that the next writer cuts off\n" } else { "\n" };
    for damage in &found.damage {
        let what = if damage.len == 0 { "lines missing or exchanged before" } else { "damaged line" };
        text += &format!("journal-{:06}.jsonl: {what} at byte {}\n", damage.file, damage.offset);
    }
    let whole = places.is_empty();
    format.print(
        text,
        &json!({"tenant": tenant.as_str(), "lines": found.n, "read": lines, "damage": places,
            "torn_bytes": found.torn, "unknown": found.state.unknown, "unconfirmed": found.state.damaged, "whole": whole}),
    )?;
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(crate::failure::FAILED) })
}
