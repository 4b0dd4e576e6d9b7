//! Who may hold and release what.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::store::journal::{Policy, read};
use crate::store::testing::{DAY_START, Recording, source};
use crate::store::{Cut, Memory};

fn utc(second: i64) -> UtcMicros {
    UtcMicros(DAY_START + second * 1_000_000)
}

fn request(camera: &str, from: i64, to: i64) -> Request {
    Request {
        case: "2026-114".into(),
        cameras: alloc::vec![camera.parse().unwrap()],
        span: Span::new(utc(from), utc(to)),
        who: "Durand".into(),
        why: "requisition".into(),
    }
}

fn recorded() -> (Memory, Journal) {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, DAY_START, 0).unwrap();
    recording.record(8).unwrap();
    recording.finish().unwrap();
    disk.kill();
    let journal = Journal::open(&mut disk.clone(), source().tenant, utc(100)).unwrap();
    (disk, journal)
}

#[test]
fn a_hold_is_of_footage_that_is_there_or_to_come() {
    let (disk, mut journal) = recorded();
    let mut storage = disk.clone();
    let mut add = |request: &Request| add(&mut journal, &mut storage, utc(100), request).map_err(|e| e.kind);
    assert_eq!(add(&request("port-1", 7, 50)), Ok(1));
    assert_eq!(add(&request("port-1", 8, 50)), Err(Kind::NoFootage), "just after the last picture");
    assert_eq!(add(&request("port-1", -50, 0)), Err(Kind::NoFootage), "just before the first");
    assert_eq!(add(&request("port-1", 50, 101)), Ok(2), "what is still to be recorded");
    assert_eq!(add(&request("port-2", 50, 101)), Err(Kind::NoFootage), "no such camera");
    assert_eq!(add(&request("port-1", 5, 5)), Err(Kind::Range));
    assert_eq!(add(&Request { cameras: Vec::new(), ..request("port-1", 0, 5) }), Err(Kind::Cameras));
    assert_eq!(add(&Request { who: " ".into(), ..request("port-1", 0, 5) }), Err(Kind::Text));
    assert_eq!(add(&Request { why: "a\nb".into(), ..request("port-1", 0, 5) }), Err(Kind::Text));
    assert_eq!(add(&Request { case: "x".repeat(501), ..request("port-1", 0, 5) }), Err(Kind::Text));
    assert_eq!(journal.state().holds.len(), 2);
    let sound = source().audio().unwrap().camera;
    assert_eq!(journal.state().held(&sound).len(), 2, "sound is held with its pictures");
    disk.set_capacity(Some(10));
    let full = super::add(&mut journal, &mut disk.clone(), utc(100), &request("port-1", 0, 5)).unwrap_err();
    assert_eq!(full.kind, Kind::Store(crate::store::Kind::Full));
    assert_eq!(journal.state().holds.len(), 2, "what cannot be written is not held, and that is said");
}

#[test]
fn a_hold_gets_longer_and_only_a_second_person_ends_one_that_takes_two() {
    let (disk, mut journal) = recorded();
    let mut storage = disk.clone();
    let now = utc(100);
    let single = add(&mut journal, &mut storage, now, &request("port-1", 2, 4)).unwrap();
    let policy = Policy { release_agents: 2, ..Policy::default() };
    journal.set_policy(&mut storage, now, (policy, true), 0, ("maire", "charter")).unwrap();
    let double = add(&mut journal, &mut storage, now, &request("port-1", 2, 4)).unwrap();
    let by = |who| (who, "because");
    let range = |from, to| Span::new(utc(from), utc(to));
    let further = |journal: &mut Journal, hold, span| {
        extend(journal, &mut disk.clone(), now, (hold, span), by("Durand")).map_err(|e| e.kind)
    };
    assert_eq!(further(&mut journal, single, range(3, 9)), Err(Kind::Shorter));
    assert_eq!(further(&mut journal, single, range(0, 3)), Err(Kind::Shorter));
    assert_eq!(further(&mut journal, 99, range(0, 9)), Err(Kind::NoHold));
    assert_eq!(further(&mut journal, single, range(0, 9)), Ok(()));
    assert_eq!(journal.state().holds[&single].span(), range(0, 9));
    let end = |journal: &mut Journal, hold, who| {
        release(journal, &mut disk.clone(), now, hold, by(who)).map_err(|e| e.kind)
    };
    // A policy that became stricter counts for older holds, too; a looser one not for those made before.
    assert_eq!(end(&mut journal, single, "Durand"), Ok(Release::Asked));
    assert_eq!(end(&mut journal, double, "Durand"), Ok(Release::Asked));
    journal.set_policy(&mut storage, now, (Policy::default(), true), 0, ("maire", "charter")).unwrap();
    assert_eq!(end(&mut journal, single, "Durand"), Ok(Release::Released));
    assert_eq!(end(&mut journal, double, "DURAND"), Err(Kind::SamePerson));
    // Who asked did so for what it was then.
    assert_eq!(further(&mut journal, double, range(0, 9)), Ok(()));
    assert_eq!(end(&mut journal, double, "Le Goff"), Ok(Release::Asked));
    disk.power_cut(Cut::Forget);
    let mut journal = Journal::open(&mut storage, source().tenant, now).unwrap();
    assert_eq!(end(&mut journal, double, "Durand"), Ok(Release::Released));
    assert_eq!(end(&mut journal, double, "Durand"), Err(Kind::NoHold));
    let mut refused = 0;
    read(&mut storage, source().tenant, |line| {
        refused +=
            u32::from(matches!(&line.record, Record::Refused { what, .. } if what == "release of hold 3"));
    })
    .unwrap();
    assert_eq!(refused, 1);
}
