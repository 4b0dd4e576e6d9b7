//! A power cut at every write of a pass, of a hold and of a release, in seven ways: `docs/format.md` §7 and §9.4.

use super::*;
use crate::store::Cut;
use crate::store::testing::CUTS;

const NOW: i64 = 90_000;

/// Two days of footage with a policy and two holds: one within a file, one of whole files and parts.
fn prepared() -> Memory {
    let disk = Memory::new();
    recorded(&disk, "a", &[(0, 10), (40, 14), (19 * 3_600 - 5, 10), (NOW - 100, 6)]);
    set_policy(&disk, utc(0), 3_600, true);
    add_hold(&disk, utc(60), &request(&["a"], Span::new(utc(1).plus(500_000), utc(2).plus(500_000))));
    add_hold(&disk, utc(60), &request(&["a"], span(46, 50)));
    disk
}

/// Held, by the second.
const HELD: [i64; 8] = [1, 2, 45, 46, 47, 48, 49, 50];

/// Tombstones by the text of the journal: bytes of media gone.
fn tombstones(disk: &Memory) -> (u64, u64) {
    let text = String::from_utf8(disk.content("vannes/journal-000001.jsonl").unwrap()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let (mut begun, mut bytes) = (0, 0);
    for line in lines {
        match line["kind"].as_str().unwrap() {
            "deletion-begun" => begun += 1,
            "deleted" => {
                begun -= 1;
                bytes += line["bytes"].as_u64().unwrap();
            }
            _ => {}
        }
    }
    (bytes, begun)
}

fn young() -> impl Iterator<Item = i64> {
    NOW - 100..NOW - 94
}

#[test]
fn a_pass_cut_at_any_write_is_taken_up_and_its_tombstones_have_every_byte() {
    let writes = {
        let disk = prepared();
        let before = disk.writes();
        run_at(&disk, "a", utc(NOW));
        assert_eq!(seconds(&disk, "a"), HELD.into_iter().chain(young()).collect::<Vec<_>>());
        disk.writes() - before
    };
    assert!(writes > 40, "{writes}");
    let mut resumed = 0;
    for at in 0..=writes {
        for cut in CUTS {
            let what = alloc::format!("cut at write {at}, {cut:?}");
            let disk = prepared();
            let before = media_bytes(&disk, "a");
            disk.cut_at(at);
            let _ = run(&mut disk.clone(), &source("a"), Clock::new(utc(NOW)).trusted(true));
            disk.power_cut(cut);
            // The recorder comes back, and its first pass takes up what was begun.
            let (mut writer, _) = Writer::open(disk.clone(), source("a"), Options::default()).expect(&what);
            let outcome = writer.retain(Clock::new(utc(NOW + 60)).trusted(true)).expect(&what);
            assert_eq!(outcome.damaged, 0, "{what}");
            resumed += u32::from(outcome.deleted.len() == 1);
            disk.kill();
            let want: Vec<i64> = HELD.into_iter().chain(young()).collect();
            assert_eq!(seconds(&disk, "a"), want, "{what}");
            assert_eq!(tombstones(&disk), (before - media_bytes(&disk, "a"), 0), "{what}");
            let found = read(&mut disk.clone(), source("a").tenant, |_| {}).unwrap();
            assert_eq!((found.damage.len(), found.torn), (0, 0), "{what}");
            assert!(!disk.paths().iter().any(|p| p.ends_with(".trim") || p.ends_with(".new")), "{what}");
            assert_eq!(
                run_at(&disk, "a", utc(NOW + 120)),
                Outcome::default(),
                "{what}: nothing is left to do"
            );
        }
    }
    assert!(resumed > 100, "{resumed}");
}

/// Found by the fuzz target `store_ops`: what was recorded since bears dates that were to go.
#[test]
fn a_pass_taken_up_after_the_clock_was_set_back_spares_what_was_recorded_since() {
    let prepared = || {
        let disk = Memory::new();
        recorded(&disk, "a", &[(0, 10), (40, 14)]);
        set_policy(&disk, utc(0), 3_600, true);
        disk
    };
    let pass = |disk: &Memory, at| run(&mut disk.clone(), &source("a"), Clock::new(utc(at)).trusted(true));
    let writes = {
        let disk = prepared();
        let before = disk.writes();
        pass(&disk, NOW).unwrap();
        disk.writes() - before
    };
    let mut resumed = 0;
    for at in 0..=writes {
        let disk = prepared();
        disk.cut_at(at);
        let _ = pass(&disk, NOW);
        disk.power_cut(Cut::Keep);
        recorded(&disk, "a", &[(9_990, 4)]);
        let outcome = pass(&disk, 10_000).unwrap();
        resumed += u32::from(!outcome.deleted.is_empty());
        disk.kill();
        assert_eq!(seconds(&disk, "a"), [9_990, 9_991, 9_992, 9_993], "cut at write {at}");
        let found = read(&mut disk.clone(), source("a").tenant, |_| {}).unwrap();
        assert_eq!((found.damage.len(), found.torn), (0, 0), "cut at write {at}");
        // Nothing is left of the deletion that was begun.
        assert_eq!(tombstones(&disk).1, 0, "cut at write {at}");
        pass(&disk, NOW).unwrap();
        assert!(seconds(&disk, "a").is_empty(), "it goes when its time has come");
    }
    assert!(resumed > 5, "{resumed}");
}

#[test]
fn a_pass_cut_twice_is_taken_up_too() {
    for first in (0..45).step_by(4) {
        let crash = || {
            let disk = prepared();
            disk.cut_at(first);
            let _ = run(&mut disk.clone(), &source("a"), Clock::new(utc(NOW)).trusted(true));
            disk.power_cut(Cut::Dice(first * 7 + 1));
            disk
        };
        let whole = media_bytes(&prepared(), "a");
        let disk = crash();
        let before = disk.writes();
        run_at(&disk, "a", utc(NOW + 60));
        for second in 0..disk.writes() - before {
            let disk = crash();
            disk.cut_at(second);
            let _ = run(&mut disk.clone(), &source("a"), Clock::new(utc(NOW + 60)).trusted(true));
            disk.power_cut(Cut::Dice(second * 31 + first));
            run_at(&disk, "a", utc(NOW + 120));
            let what = alloc::format!("cuts at {first} and {second}");
            assert_eq!(seconds(&disk, "a"), HELD.into_iter().chain(young()).collect::<Vec<_>>(), "{what}");
            assert_eq!(tombstones(&disk), (whole - media_bytes(&disk, "a"), 0), "{what}");
        }
    }
}

#[test]
fn a_hold_or_a_release_that_was_promised_survives_a_cut_and_one_that_was_not_may_be_either() {
    // Adding, extending, asking and releasing, one after the other, as far as it gets; gives what was promised.
    let act = |disk: &Memory| -> (Option<u64>, bool) {
        let mut storage = disk.clone();
        let Ok(mut journal) = Journal::open(&mut storage, source("a").tenant, utc(100)) else {
            return (None, false);
        };
        let now = utc(100);
        let added = hold::add(&mut journal, &mut storage, now, &request(&["a"], span(3, 4))).ok();
        let further =
            added.map(|n| hold::extend(&mut journal, &mut storage, now, (n, span(2, 7)), ("x", "y")));
        let released = hold::release(&mut journal, &mut storage, now, 2, ("Durand", "closed"));
        (further.and_then(Result::ok).and(added), released == Ok(Release::Released))
    };
    let whole = prepared();
    let before = whole.writes();
    assert_eq!(act(&whole), (Some(4), true));
    for at in 0..=whole.writes() - before {
        for cut in CUTS {
            let what = alloc::format!("cut at write {at}, {cut:?}");
            let disk = prepared();
            disk.cut_at(at);
            let (extended, released) = act(&disk);
            disk.power_cut(cut);
            run_at(&disk, "a", utc(NOW));
            let left = seconds(&disk, "a");
            if extended.is_some() {
                assert!((2..7).all(|second| left.contains(&second)), "{what}: {left:?}");
            }
            if released {
                // 1 and 2 s were held by that one; 2 also by the one that was made longer.
                assert!(!left.contains(&0), "{what}: {left:?}");
            } else {
                assert!(left.contains(&1) || !left.contains(&0), "{what}: {left:?}");
            }
            assert!((45..51).all(|second| left.contains(&second)), "{what}: the other hold: {left:?}");
            let found = read(&mut disk.clone(), source("a").tenant, |_| {}).unwrap();
            assert_eq!((found.damage.len(), found.torn), (0, 0), "{what}");
            assert_eq!(tombstones(&disk).1, 0, "{what}");
        }
    }
}
