//! The journal against a disk that fails, tears and rots: `docs/format.md` §7.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::*;
use crate::store::Memory;
use crate::store::testing::CUTS;
use crate::time::DAY;

const T0: i64 = 1_795_305_600_000_000;

fn tenant() -> Name {
    "vannes".parse().unwrap()
}

fn at(second: i64) -> UtcMicros {
    UtcMicros(T0 + second * 1_000_000)
}

fn open(disk: &Memory) -> Result<Journal, Error> {
    Journal::open(&mut disk.clone(), tenant(), at(0))
}

fn hold(n: u64) -> Record {
    Record::HoldAdded {
        case: alloc::format!("2026-{n}"),
        cameras: alloc::vec!["port-1".parse().unwrap()],
        from: at(0),
        to: at(60),
        who: "Durand".into(),
        why: "réquisition \"114\"\\2026 🎥".into(),
        agents: 1,
    }
}

/// Lines read back, as their numbers and records.
fn lines(disk: &Memory) -> (Vec<(u64, Record)>, Read) {
    let mut out = Vec::new();
    let found = read(&mut disk.clone(), tenant(), |line| out.push((line.n, line.record.clone()))).unwrap();
    (out, found)
}

fn first_file(disk: &Memory) -> String {
    String::from_utf8(disk.content("vannes/journal-000001.jsonl").unwrap()).unwrap()
}

#[test]
fn each_kind_of_record_is_one_line_that_says_what_it_is_and_comes_back() {
    let camera: Name = "port-1".parse().unwrap();
    let policy = Policy {
        default: Rule::new(Some(14 * DAY), Some(DAY)),
        cameras: [(camera, Rule::new(Some(30 * DAY), None))].into(),
        release_agents: 2,
    };
    let begun = Begun {
        camera,
        rule: "max_age 14d".into(),
        before: at(1),
        from: at(2),
        to: at(3),
        files: 4,
        bytes: 5,
        there: Amount { files: 6, bytes: 7, index_bytes: 8 },
    };
    let deleted = Deleted {
        camera,
        begun: 5,
        rule: "max_age 14d".into(),
        from: at(2),
        to: at(3),
        files: 4,
        trimmed: 1,
        bytes: 5,
        index_bytes: -6,
    };
    let (who, why) = (String::from("Le Goff"), String::from("parce que"));
    let file = ExportedFile { name: "clip.mp4".into(), bytes: 9, sha256: "00".repeat(32) };
    let records = [
        hold(1),
        Record::HoldExtended { hold: 1, from: at(-5), to: at(70), who: who.clone(), why: why.clone() },
        Record::ReleaseAsked { hold: 1, who: who.clone(), why: why.clone() },
        Record::Policy { policy: policy.clone(), accepted: true, who: who.clone(), why: why.clone() },
        Record::DeletionBegun(begun.clone()),
        Record::Deleted(deleted),
        Record::Braked { camera, brake: Brake::Clock, files: 1, bytes: 2 },
        Record::Confirmed { who: who.clone(), why: why.clone(), damaged: 1 },
        Record::Exported {
            camera,
            from: at(0),
            to: at(1),
            case: "c".into(),
            who: who.clone(),
            why: why.clone(),
            files: alloc::vec![file],
        },
        Record::Refused { what: "release".into(), who: who.clone(), why: why.clone() },
        Record::Mended { bytes: 12 },
        Record::Lost { lines: 3 },
        Record::DeletionBegun(begun.clone()),
        Record::Released { hold: 1, who, why },
    ];
    let disk = Memory::new();
    let mut journal = open(&disk).unwrap();
    for (i, record) in records.iter().enumerate() {
        assert_eq!(journal.append(&mut disk.clone(), at(i as i64), record), Ok(i as u64 + 1));
    }
    let state = journal.state().clone();
    journal.close(&mut disk.clone());
    let (back, found) = lines(&disk);
    assert_eq!(back.iter().map(|(_, r)| r.clone()).collect::<Vec<_>>(), records);
    assert_eq!(found.state, state);
    assert!(state.holds.is_empty());
    assert_eq!(state.policy, Some(policy));
    assert_eq!(state.cameras[&camera].begun, Some((13, begun)));
    let text = first_file(&disk);
    assert_eq!(text.lines().count(), records.len());
    assert!(text.starts_with(
        "{\"n\":1,\"after\":\"00000000\",\"at\":\"2026-11-22T00:00:00.000000Z\",\"kind\":\"hold-added\",\"case\":\"2026-1\""
    ));
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value["kind"].is_string() && value["crc"].is_string(), "{line}");
    }
}

/// Adds holds until one fails; gives how many were promised.
fn scenario(disk: &Memory) -> u64 {
    let Ok(mut journal) = open(disk) else { return 0 };
    let policy = Policy { default: Rule::new(Some(DAY), None), ..Policy::default() };
    let set = journal.set_policy(&mut disk.clone(), at(0), (policy, true), 0, ("x", "y"));
    let mut done = u64::from(set.is_ok());
    for n in 1..6 {
        if journal.append(&mut disk.clone(), at(n as i64), &hold(n)).is_err() {
            break;
        }
        done += 1;
        if n == 3 && journal.make_checkpoint(&mut disk.clone()).is_err() {
            break;
        }
    }
    done
}

#[test]
fn a_power_cut_at_any_write_costs_no_line_that_was_promised() {
    let whole = Memory::new();
    assert_eq!(scenario(&whole), 6);
    for cut in 0..=whole.writes() {
        for how in CUTS {
            let disk = Memory::new();
            disk.cut_at(cut);
            let promised = scenario(&disk);
            disk.power_cut(how);
            let what = alloc::format!("cut at {cut}, {how:?}");
            let mut journal = open(&disk).expect(&what);
            let n = journal.append(&mut disk.clone(), at(99), &hold(99)).expect(&what);
            let state = journal.state().clone();
            let holds = state.holds.len() as u64;
            assert!(holds >= promised.max(1), "{what}: {holds} of {promised}");
            assert_eq!(state.damaged, 0, "{what}");
            journal.close(&mut disk.clone());
            let (back, found) = lines(&disk);
            assert_eq!((found.n, found.torn, found.damage.len()), (n, 0, 0), "{what}");
            assert_eq!(back.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (1..=n).collect::<Vec<_>>());
            assert_eq!(found.state, state, "{what}: the checkpoint is a function of the journal");
            // And a cut while it is mended.
            let mended = open(&disk).unwrap();
            assert_eq!(mended.state(), &state);
            let copied = disk.content("vannes/policy.json");
            assert_eq!(copied.is_some(), state.policy.is_some(), "{what}");
        }
    }
}

#[test]
fn a_full_disk_refuses_the_decision_and_takes_the_next_when_there_is_room() {
    let disk = Memory::new();
    let mut journal = open(&disk).unwrap();
    journal.append(&mut disk.clone(), at(0), &hold(1)).unwrap();
    let before = first_file(&disk);
    for room in [0, 1, 50, 200] {
        disk.set_capacity(Some(before.len() + room));
        let refused = journal.append(&mut disk.clone(), at(1), &hold(2)).unwrap_err();
        assert_eq!(refused.kind, Kind::Store(crate::store::Kind::Full));
        assert_eq!(first_file(&disk), before);
        assert_eq!(journal.state().holds.len(), 1);
    }
    disk.set_capacity(None);
    assert_eq!(journal.append(&mut disk.clone(), at(2), &hold(3)), Ok(2));
    assert_eq!(lines(&disk).1.state.holds.len(), 2);
    // A disk that fails in the sync, too: what was told is what is there.
    for n in 0..6 {
        disk.fail_at(n, crate::store::Kind::Io(5));
        let _ = journal.append(&mut disk.clone(), at(3), &hold(4));
        let _ = journal.append(&mut disk.clone(), at(3), &hold(5));
    }
    let (back, found) = lines(&disk);
    assert_eq!((found.damage.len(), found.torn), (0, 0));
    assert_eq!(found.state, *journal.state());
    assert_eq!(back.len() as u64, found.n);
}

#[test]
fn a_line_damaged_anywhere_is_told_with_its_place_and_the_others_are_read() {
    let disk = Memory::new();
    let mut journal = open(&disk).unwrap();
    for n in 1..=4 {
        journal.append(&mut disk.clone(), at(n), &hold(n as u64)).unwrap();
    }
    journal.close(&mut disk.clone());
    let whole = first_file(&disk).into_bytes();
    let starts: Vec<usize> = core::iter::once(0)
        .chain(whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1))
        .collect();
    for place in 0..whole.len() {
        for flip in [1_u8, 0x80] {
            let mut bad = whole.clone();
            bad[place] ^= flip;
            disk.set_content("vannes/journal-000001.jsonl", &bad);
            let (back, found) = lines(&disk);
            let line = starts.partition_point(|start| *start <= place) - 1;
            let last_byte = place + 1 == whole.len();
            if last_byte {
                // Its line break: torn, as if it had never been synced.
                assert_eq!((found.torn > 0, back.len()), (true, 3));
                continue;
            }
            assert!(found.state.damaged >= 1, "{place}");
            assert_eq!(found.damage[0].offset, starts[line] as u64, "{place}");
            assert!(back.len() >= 2, "{place}");
            assert!(back.iter().all(|(n, record)| *record == hold(*n)), "{place}");
            // What is there stays there, and what is decided next stands behind it.
            let mut journal = open(&disk).unwrap();
            journal.append(&mut disk.clone(), at(9), &hold(9)).unwrap();
            journal.close(&mut disk.clone());
            assert!(disk.content("vannes/journal-000001.jsonl").unwrap().starts_with(&bad));
            let again = lines(&disk).1;
            assert_eq!(again.state.damaged, found.state.damaged, "{place}");
        }
    }
    // A line taken out, two exchanged.
    let line = |n: usize| &whole[starts[n]..starts[n + 1]];
    for bad in [[line(0), line(2), line(3)].concat(), [line(1), line(0), line(2), line(3)].concat()] {
        disk.set_content("vannes/journal-000001.jsonl", &bad);
        assert!(lines(&disk).1.state.damaged > 0);
    }
}

#[test]
fn what_is_damaged_after_somebody_confirmed_is_not_confirmed() {
    let disk = Memory::new();
    let mut journal = open(&disk).unwrap();
    for n in 1..=2 {
        journal.append(&mut disk.clone(), at(n), &hold(n as u64)).unwrap();
    }
    journal.confirm(&mut disk.clone(), at(3), ("Durand", "a policy")).unwrap();
    journal.close(&mut disk.clone());
    let mut bytes = first_file(&disk).into_bytes();
    let second = bytes.iter().position(|b| *b == b'\n').unwrap() + 20;
    bytes[second] ^= 1;
    disk.set_content("vannes/journal-000001.jsonl", &bytes);
    let mut journal = open(&disk).unwrap();
    assert!(journal.state().damaged > 0 && !journal.state().holds.contains_key(&2));
    journal.confirm(&mut disk.clone(), at(4), ("Durand", "seen")).unwrap();
    assert_eq!(journal.state().damaged, 0);
    journal.close(&mut disk.clone());
    assert_eq!(lines(&disk).1.state.damaged, 0);
}

#[test]
fn a_long_journal_is_opened_from_its_checkpoint_and_turns_its_files() {
    let disk = Memory::new();
    let mut journal = open(&disk).unwrap();
    let long = Record::Refused { what: "x".repeat(500), who: "y".repeat(500), why: "z".repeat(400) };
    let mut n = 0;
    while journal.found().file < 3 {
        n = journal.append(&mut disk.clone(), at(0), &long).unwrap();
        if n % 1_000 == 0 {
            journal.append(&mut disk.clone(), at(0), &hold(n)).unwrap();
            n += 1;
        }
    }
    let state = journal.state().clone();
    journal.close(&mut disk.clone());
    let opened = open(&disk).unwrap();
    assert_eq!(opened.state(), &state);
    assert!(n - opened.found().checkpoint < CHECKPOINT, "{n}");
    opened.close(&mut disk.clone());
    let (back, found) = lines(&disk);
    assert_eq!((back.len() as u64, found.state), (n, state.clone()));
    let sizes: Vec<usize> = disk
        .paths()
        .iter()
        .filter(|p| p.ends_with(".jsonl"))
        .map(|p| disk.content(p).unwrap().len())
        .collect();
    assert!(sizes[..2].iter().all(|len| (FILE as usize..FILE as usize + 4_000).contains(len)), "{sizes:?}");
    // A checkpoint that is damaged, of another journal or ahead of this one is not believed.
    let path = "vannes/journal.checkpoint";
    let checkpoint = disk.content(path).unwrap();
    for at in (0..checkpoint.len()).step_by(7) {
        let mut bad = checkpoint.clone();
        bad[at] ^= 4;
        disk.set_content(path, &bad);
        let opened = open(&disk).unwrap();
        assert_eq!((opened.state(), opened.found().checkpoint), (&state, 0), "{at}");
        opened.close(&mut disk.clone());
        if at > 60 {
            break;
        }
    }
    disk.set_content(path, &checkpoint);
    disk.set_content("vannes/journal-000003.jsonl", b"");
    let mut opened = open(&disk).unwrap();
    assert_eq!((opened.found().checkpoint, opened.state().damaged), (0, 1), "lines are lost");
    opened.append(&mut disk.clone(), at(0), &hold(1)).unwrap();
    opened.close(&mut disk.clone());
    let mut opened = open(&disk).unwrap();
    assert_eq!((opened.state().damaged, lines(&disk).1.state.damaged), (1, 1), "until somebody confirms");
    opened.confirm(&mut disk.clone(), at(0), ("Durand", "seen")).unwrap();
    opened.close(&mut disk.clone());
    assert_eq!(open(&disk).unwrap().state().damaged, 0);
}

#[test]
fn lines_of_a_later_vigie_are_kept_counted_and_not_taken_for_damage() {
    let disk = Memory::new();
    let mut journal = open(&disk).unwrap();
    journal.append(&mut disk.clone(), at(0), &hold(1)).unwrap();
    let json = alloc::format!(
        "{{\"n\":2,\"after\":\"{}\",\"at\":\"2026-11-22T00:00:00Z\",\"kind\":\"sealed\",\"by\":1}}",
        line::hex(journal.found.link)
    );
    let (later, _) = line::seal(json.into_bytes());
    let whole = [first_file(&disk).into_bytes(), later].concat();
    disk.set_content("vannes/journal-000001.jsonl", &whole);
    journal.close(&mut disk.clone());
    let (back, found) = lines(&disk);
    assert_eq!((back[1].0, &back[1].1), (2, &Record::Unknown));
    assert_eq!((found.state.unknown, found.state.damaged), (1, 0));
}

#[test]
fn policies_that_cannot_be_kept_are_refused_and_what_is_accepted_never_gets_stricter_unasked() {
    let day = |n: i64| Some(n * DAY);
    assert_eq!(Rule::new(day(3), day(4)).check(0).unwrap_err().kind, Kind::MinAboveMax);
    assert_eq!(Rule::new(day(3), day(3)).check(60_000_000).unwrap_err().kind, Kind::MinAndFile);
    assert_eq!(Rule::new(Some(0), None).check(0).unwrap_err().kind, Kind::Age);
    assert!(Rule::new(day(3), day(2)).check(60_000_000).is_ok());
    assert!(Rule::new(None, day(2)).check(60_000_000).is_ok());
    let disk = Memory::new();
    let mut journal = open(&disk).unwrap();
    let mut set = |max: Option<i64>, accepted| {
        let policy = Policy { default: Rule::new(max, None), ..Policy::default() };
        journal.set_policy(&mut disk.clone(), at(0), (policy, accepted), 0, ("x", "y")).unwrap();
        journal.state().accepted.default.max_age
    };
    assert_eq!(set(day(14), false), None, "until then all was kept");
    assert_eq!(set(day(14), true), day(14));
    assert_eq!(set(day(30), false), day(30), "longer is harmless");
    assert_eq!(set(day(7), false), day(30));
    let confirmed = journal.confirm(&mut disk.clone(), at(1), ("Le Goff", "yes"));
    assert!(confirmed.is_ok());
    assert_eq!(journal.state().accepted.default.max_age, day(7));
    assert_eq!(journal.confirm(&mut disk.clone(), at(1), ("", "yes")).unwrap_err().kind, Kind::Text);
    let sound: Name = "gate-audio".parse().unwrap();
    let gate = "gate".parse().unwrap();
    let policy = Policy { cameras: [(gate, Rule::new(day(2), None))].into(), ..Policy::default() };
    assert_eq!(policy.rule(&sound).max_age, day(2), "sound goes with its pictures");
    assert_eq!(disk.content("vannes/policy.json").unwrap().last(), Some(&b'\n'));
    assert!(first_file(&disk).contains("\"max_age\":\"14d\""), "{}", day(1).unwrap().to_string());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(60))]
    #[test]
    fn any_bytes_are_a_journal_with_damage(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
        checkpoint in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ours: bool,
    ) {
        let disk = Memory::new();
        let mut journal = open(&disk).unwrap();
        journal.append(&mut disk.clone(), at(0), &hold(1)).unwrap();
        journal.close(&mut disk.clone());
        let start = if ours { first_file(&disk).into_bytes() } else { Vec::new() };
        disk.set_content("vannes/journal-000001.jsonl", &[start, bytes].concat());
        disk.set_content("vannes/journal.checkpoint", &checkpoint);
        let before = lines(&disk).1;
        let mut journal = open(&disk).unwrap();
        let n = journal.append(&mut disk.clone(), at(1), &hold(2)).unwrap();
        journal.close(&mut disk.clone());
        let (back, found) = lines(&disk);
        proptest::prop_assert_eq!(back.last(), Some(&(n, hold(2))));
        proptest::prop_assert_eq!((found.torn, found.state.damaged), (0, before.state.damaged));
    }
}
