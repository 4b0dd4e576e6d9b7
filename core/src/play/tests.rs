#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::fragment::MOOF_AT;
use crate::gix::Span;
use crate::store::Memory;
use crate::store::testing::{DAY_START, Recording, source};
use crate::time::UtcMicros;

const START: i64 = DAY_START + 5 * 3_600_000_000;
/// Long after all that is recorded here.
const LATER: UtcMicros = UtcMicros(DAY_START + 3 * 86_400_000_000);

fn utc(seconds: f64) -> UtcMicros {
    UtcMicros(START + (seconds * 1e6) as i64)
}

/// Records `len` seconds from each of the moments, seconds after [`START`].
fn record(runs: &[(f64, u32)]) -> Memory {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, utc(runs[0].0).0, 0).unwrap();
    for (from, len) in runs {
        recording.camera.utc = utc(*from);
        recording.camera.discontinuity = true;
        recording.record(*len).unwrap();
    }
    recording.finish().unwrap();
    disk.kill();
    disk
}

/// Told by the number in its body: which fragment it is.
fn number(output: &Output) -> Option<u8> {
    if let Output::Fragment { bytes, .. } = output { Some(bytes[MOOF_AT + 40]) } else { None }
}

/// All from a moment on, to the end.
fn play(local: &mut Local<Memory>, from: UtcMicros, now: UtcMicros) -> Vec<Output> {
    local.seek(from);
    let mut out = Vec::new();
    while out.last() != Some(&Output::End) {
        out.push(local.next(now).unwrap());
    }
    out
}

fn numbers(outputs: &[Output]) -> Vec<u8> {
    outputs.iter().filter_map(number).collect()
}

#[test]
fn half_open_to_the_microsecond() {
    let disk = record(&[(0.0, 3), (10.0, 2)]);
    let mut local = Local::new(disk, source());
    let mut first = |at: UtcMicros| {
        let all = play(&mut local, at, LATER);
        (
            numbers(&all).first().copied(),
            all.iter().find_map(|o| if let Output::Gap(span) = o { Some(*span) } else { None }),
        )
    };
    let gap = |from: UtcMicros, to: f64| Some(Span::new(from, utc(to)));
    let middle = gap(utc(3.0), 10.0);
    assert_eq!(first(utc(0.0)), (Some(0), middle));
    assert_eq!(first(utc(0.999_999)), (Some(0), middle));
    assert_eq!(first(utc(1.0)), (Some(1), middle));
    assert_eq!(first(utc(2.999_999)), (Some(2), middle));
    assert_eq!(first(utc(3.0)), (Some(3), middle));
    assert_eq!(first(utc(9.999_999)), (Some(3), None), "a microsecond is no gap");
    assert_eq!(first(utc(9.5)), (Some(3), gap(utc(9.5), 10.0)));
    assert_eq!(first(utc(10.0)), (Some(3), None));
    assert_eq!(first(utc(11.999_999)), (Some(4), None));
    assert_eq!(first(utc(12.0)), (None, None));
    for days in [1.0, 30.0] {
        let long_ago = utc(-86_400.0 * days);
        assert_eq!(first(long_ago), (Some(0), gap(long_ago, 0.0)));
    }
    assert_eq!(first(UtcMicros(i64::MIN)).0, None, "further than it looks");
}

#[test]
fn init_segments_come_where_they_change_and_continuity_is_told() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START, 0).unwrap();
    recording.record(6).unwrap();
    recording.camera.init = crate::store::testing::init(1_280);
    recording.record(2).unwrap();
    recording.finish().unwrap();
    disk.kill();
    let all = play(&mut Local::new(disk, source()), utc(4.5), LATER);
    let told: Vec<_> = all
        .iter()
        .map(|output| match output {
            Output::Init { codec, size, bytes } => {
                assert_eq!(codec.as_str(), "avc1.640028");
                assert_eq!(bytes.len(), 24 + usize::from(size.0));
                alloc::format!("init {}", size.0)
            }
            Output::Fragment { continues, .. } => alloc::format!("{} {continues}", number(output).unwrap()),
            other => alloc::format!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["init 640", "4 false", "5 true", "init 1280", "6 false", "7 true", "End"]);
}

#[test]
fn midnight_is_no_seam() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, DAY_START - 6_500_000, 0).unwrap();
    recording.record(14).unwrap();
    recording.finish().unwrap();
    disk.kill();
    let mut local = Local::new(disk, source());
    for tenths in 0..130 {
        let at = UtcMicros(DAY_START - 6_500_000 + tenths * 100_000);
        let all = play(&mut local, at, LATER);
        assert_eq!(numbers(&all), ((tenths / 10) as u8..14).collect::<Vec<_>>(), "{tenths}");
        assert!(!all.iter().any(|o| matches!(o, Output::Gap(_))), "{tenths}");
        let seams = all.iter().filter(|o| matches!(o, Output::Fragment { continues: false, .. })).count();
        assert_eq!(seams, 1, "only the first: {tenths}");
    }
}

#[test]
fn what_is_being_recorded_is_followed() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, START, 0).unwrap();
    let mut local = Local::new(disk, source());
    local.seek(utc(0.0));
    assert_eq!(local.next(utc(0.0)).unwrap(), Output::End);
    let mut got = Vec::new();
    for second in 1..20 {
        recording.record(1).unwrap();
        loop {
            match local.next(utc(f64::from(second))).unwrap() {
                Output::End => break,
                Output::Gap(gap) => panic!("{gap:?}"),
                output => got.extend(number(&output)),
            }
        }
        assert_eq!(got.len(), second as usize);
    }
    assert!(got.is_sorted());
}

#[test]
fn following_goes_past_midnight() {
    let disk = Memory::new();
    let mut recording = Recording::start(&disk, DAY_START - 5_500_000, 0).unwrap();
    let mut local = Local::new(disk, source());
    recording.record(1).unwrap();
    local.seek(UtcMicros(DAY_START - 5_500_000));
    let mut got = Vec::new();
    for _ in 0..12 {
        recording.record(1).unwrap();
        let now = recording.camera.utc;
        loop {
            match local.next(now).unwrap() {
                Output::End => break,
                output => got.extend(number(&output)),
            }
        }
        assert_eq!(got.len() as u32, recording.camera.made);
    }
}

#[test]
fn damage_is_never_served_and_the_rest_is() {
    let disk = record(&[(0.0, 12)]);
    let whole = play(&mut Local::new(disk.clone(), source()), utc(0.0), LATER);
    for path in disk.paths() {
        let good = disk.content(&path).unwrap();
        if good.is_empty() || path.ends_with(".gap") {
            continue;
        }
        for at in (0..good.len()).step_by(61) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            disk.set_content(&path, &bad);
            let got = play(&mut Local::new(disk.clone(), source()), utc(0.0), LATER);
            let given = got.iter().filter(|o| matches!(o, Output::Fragment { .. } | Output::Init { .. }));
            for output in given {
                let same = |o: &&Output| match (o, output) {
                    (Output::Fragment { bytes: a, .. }, Output::Fragment { bytes: b, .. }) => a == b,
                    (a, b) => **a == *b,
                };
                assert!(whole.iter().any(|o| same(&o)), "{path} {at}");
            }
            if path.ends_with(".m4v") {
                assert!(numbers(&got).len() >= 8, "{path} {at}");
            }
        }
        disk.set_content(&path, &good);
    }
}

#[test]
fn a_file_that_is_gone_is_told_once() {
    let disk = record(&[(0.0, 12)]);
    let path = disk.paths().into_iter().filter(|p| p.ends_with(".m4v")).nth(1).unwrap();
    crate::store::Storage::remove(&mut disk.clone(), &path).unwrap();
    let all = play(&mut Local::new(disk, source()), utc(0.0), LATER);
    let damaged: Vec<_> = all
        .iter()
        .filter_map(
            |o| if let Output::Damaged { span, error } = o { Some((*span, error.kind)) } else { None },
        )
        .collect();
    assert_eq!(damaged, [(Span::new(utc(4.0), utc(8.0)), Kind::Missing)]);
    assert_eq!(numbers(&all), [0, 1, 2, 3, 8, 9, 10, 11]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever was recorded when, a seek shows the fragment that a plain search finds.
    #[test]
    fn a_seek_finds_what_a_plain_search_finds(
        runs in proptest::collection::vec((0_u32..40, 1_u32..6), 1..6),
        probes in proptest::collection::vec(-2.0..60.0_f64, 20),
    ) {
        let runs: Vec<_> = runs.into_iter().map(|(from, len)| (f64::from(from), len)).collect();
        let disk = record(&runs);
        // Second by second: the fragment that was recorded last for it.
        let mut wall = [None; 60];
        let mut n = 0_u8;
        for (from, len) in &runs {
            for second in 0..*len {
                wall[*from as usize + second as usize] = Some(n);
                n += 1;
            }
        }
        let mut local = Local::new(disk, source());
        for probe in probes.into_iter().chain((0..60).map(f64::from)) {
            local.seek(utc(probe));
            let first = core::iter::from_fn(|| match local.next(LATER).unwrap() {
                Output::End => None,
                output => Some(number(&output)),
            }).flatten().next();
            let second = probe.max(0.0).floor() as usize;
            let want = wall.iter().skip(second).find_map(|cell| *cell);
            prop_assert_eq!(first, want, "{}", probe);
        }
    }
}
