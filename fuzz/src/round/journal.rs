//! The journal: holds, policies, exports, tombstones.

use vigie::store::journal::{self, Brake, ExportedFile, Journal, Policy, Record, Rule};
use vigie::store::{Cut, Memory, Name};
use vigie::time::UtcMicros;

use crate::media::DAY;
use crate::tape::Tape;

/// What was appended is read back, line by line, by who opens it anew too, and after a power cut.
pub(crate) fn journal_round_trip(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let (disk, tenant): (_, Name) = (Memory::new(), "vannes".parse().expect("a name"));
    let mut wanted = vec![];
    let mut journal = Journal::open(&mut disk.clone(), tenant, UtcMicros(DAY)).expect("an empty disk");
    while !tape.is_empty() && wanted.len() < 300 {
        let at = moment(&mut tape);
        let record = record(&mut tape);
        let number = journal.append(&mut disk.clone(), at, &record).expect("a disk that works");
        wanted.push((number, at, record));
        if tape.u8().is_multiple_of(16) {
            journal.close(&mut disk.clone());
            disk.power_cut(Cut::Forget);
            journal = Journal::open(&mut disk.clone(), tenant, UtcMicros(DAY)).expect("a disk that works");
        }
    }
    let state = journal.state().clone();
    let mut lines = vec![];
    let read =
        journal::read(&mut disk.clone(), tenant, |line| lines.push((line.n, line.at, line.record.clone())));
    let read = read.expect("a disk that works");
    assert_eq!(lines, wanted);
    assert_eq!((read.state, read.torn, read.damage), (state, 0, vec![]), "what the lines come to");
}

/// Within the years that a line can say.
fn moment(tape: &mut Tape<'_>) -> UtcMicros {
    UtcMicros((tape.u64() % (253_402_300_800 * 1_000_000)) as i64)
}

fn record(tape: &mut Tape<'_>) -> Record {
    let kind = tape.u8();
    let (who, why) = (tape.text(), tape.text());
    let (from, to) = (moment(tape), moment(tape));
    let cameras: Vec<Name> = (0..kind >> 4).map(|_| camera(tape)).collect();
    let (hold, number) = (u64::from(tape.u8()), tape.u64());
    match kind & 15 {
        0 => Record::HoldAdded { case: tape.text(), cameras, from, to, who, why, agents: tape.u8() % 3 },
        1 => Record::HoldExtended { hold, from, to, who, why },
        2 => Record::ReleaseAsked { hold, who, why },
        3 => Record::Released { hold, who, why },
        4 => {
            let file = |name| ExportedFile { name, bytes: number, sha256: "0f".repeat(32) };
            let files = vec![file(tape.text()), file(tape.text())];
            Record::Exported { camera: camera(tape), from, to, case: tape.text(), who, why, files }
        }
        5 => {
            let mut policy = Policy::default();
            (policy.default, policy.release_agents) = (rule(tape), tape.u8() % 3);
            policy.cameras.extend(cameras.into_iter().map(|name| (name, rule(tape))));
            Record::Policy { policy, accepted: tape.bit(), who, why }
        }
        6 => Record::Confirmed { who, why, damaged: number },
        7 => {
            let brake = tape.one(&[Brake::Change, Brake::Clock, Brake::Journal]);
            Record::Braked { camera: camera(tape), brake, files: hold, bytes: number }
        }
        8 => Record::Refused { what: tape.text(), who, why },
        9 => Record::Mended { bytes: number },
        // Tombstones: only a pass makes them, and whoever reads a journal.
        kind => {
            let (name, text) = (camera(tape), serde_json::Value::from(who));
            let json = if kind < 13 {
                format!(
                    "{{\"kind\":\"deletion-begun\",\"camera\":\"{name}\",\"rule\":{text},\"before\":\"{to}\",\"from\":\"{from}\",\
                     \"to\":\"{to}\",\"files\":{hold},\"bytes\":{number},\"there\":{{\"files\":1,\"bytes\":2,\"index_bytes\":-3}}}}"
                )
            } else {
                format!(
                    "{{\"kind\":\"deleted\",\"camera\":\"{name}\",\"begun\":{hold},\"rule\":{text},\"from\":\"{from}\",\"to\":\"{to}\",\
                     \"files\":1,\"trimmed\":2,\"bytes\":{number},\"index_bytes\":-5}}"
                )
            };
            serde_json::from_str(&json).expect("a tombstone")
        }
    }
}

fn camera(tape: &mut Tape<'_>) -> Name {
    let name: String = tape
        .take(3)
        .iter()
        .map(|b| char::from(b"abcdefghijklmnopqrstuvwxyz01234-"[usize::from(b & 31)]))
        .collect();
    format!("c{name}").parse().expect("a name")
}

fn rule(tape: &mut Tape<'_>) -> Rule {
    let age = |tape: &mut Tape<'_>| tape.bit().then(|| (tape.u64() >> 2) as i64);
    Rule::new(age(tape), age(tape))
}
