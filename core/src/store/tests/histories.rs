//! Random histories: cameras that share a disk, days and clocks, parameter changes, full and failing disks, processes that
//! end, and power cuts at any moment, during recovery too. After each cut: nothing that was synced is lost, every index is
//! the one that the media give, a check of all finds nothing, and what is served passes its check.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec;

use super::super::testing::{Camera, DAY_START, init};
use super::super::{DayCheck, Finding, Volume, VolumeId};
use super::*;
use crate::gix::{FragmentMark, Index};
use crate::segment::{Config, Output, Segmenter};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// A camera and the process that records it.
struct Line {
    source: Source,
    camera: Camera,
    segmenter: Segmenter,
    writer: Option<Writer<Box<dyn Storage>>>,
    now: Micros,
    /// Fragments appended and not known to be synced, by their decoding times.
    pending: VecDeque<i64>,
    synced: u64,
    promised: BTreeSet<i64>,
    options: Options,
}

impl Line {
    fn open(&mut self, disk: &Memory, reserve: bool) -> Result<(), Error> {
        self.let_go();
        let storage: Box<dyn Storage> =
            if reserve { Box::new(Volume::open(disk.clone(), None)?) } else { Box::new(disk.clone()) };
        let (writer, _) = Writer::open(storage, self.source, self.options)?;
        self.writer = Some(writer);
        Ok(())
    }

    /// The process ends, or has given up a file.
    fn let_go(&mut self) {
        self.note();
        (self.writer, self.synced) = (None, 0);
        self.give_up();
    }

    fn give_up(&mut self) {
        self.pending.clear();
        self.segmenter.finish();
        while self.segmenter.pull().is_some() {}
        self.camera.discontinuity = true;
    }

    /// What has been synced since is promised.
    fn note(&mut self) {
        let Some(writer) = &self.writer else { return };
        let more = writer.stats().synced - self.synced;
        self.synced += more;
        self.promised.extend(self.pending.drain(..more as usize));
    }

    fn apply(&mut self) -> bool {
        while let Some(output) = self.segmenter.pull() {
            let Some(writer) = &mut self.writer else { return false };
            if let Output::Append { fragment, .. } = &output {
                self.pending.push_back(fragment.dts.0);
            }
            let done = writer.apply(self.now, output);
            self.note();
            if done.is_err() {
                self.give_up();
                return false;
            }
        }
        true
    }

    fn record(&mut self, fragments: u64) {
        for _ in 0..fragments {
            let fragment = self.camera.fragment();
            self.segmenter.push(fragment);
            self.apply();
            self.now = self.now.plus(1_000_000);
            let Some(writer) = &mut self.writer else { return };
            let done = writer.handle_timeout(self.now);
            self.note();
            if done.is_err() {
                self.give_up();
            }
        }
    }

    /// One thing that happens.
    fn live(&mut self, disk: &Memory, dice: &mut Dice) {
        match dice.roll(16) {
            0 => {
                // The clock is set: by up to two days, either way.
                let by = dice.roll(345_600) as i64 - 172_800;
                self.camera.utc = UtcMicros((self.camera.utc.0 + by * 1_000_000).max(0));
                self.camera.discontinuity = true;
            }
            1 => {
                // Just before midnight.
                let left = dice.roll(6_000_000) as i64;
                self.camera.utc = self.camera.utc.day_start().plus(86_400_000_000 - left);
                self.camera.discontinuity = true;
            }
            2 => self.camera.init = init(640 + 2 * dice.roll(4) as u32),
            3 => {
                let utc = self.camera.utc;
                if let Some(writer) = &mut self.writer {
                    writer.gap(utc, dice.roll(2) == 0, Cause::ALL[dice.roll(8) as usize], 7);
                }
            }
            4 => {
                self.segmenter.finish();
                self.apply();
            }
            5 => {
                disk.fail_at(dice.roll(12), [Kind::Io(5), Kind::Full, Kind::ReadOnly][dice.roll(3) as usize])
            }
            6 => {
                let used: usize = disk.paths().iter().map(|p| disk.content(p).unwrap().len()).sum();
                disk.set_capacity((dice.roll(2) == 0).then(|| used + dice.roll(6_000) as usize));
            }
            7 => {
                if let Some(writer) = &mut self.writer {
                    let _ = writer.catch_up();
                }
            }
            _ => {}
        }
        self.record(dice.roll(7));
    }
}

/// What there is of a camera, by decoding time; every fragment is read as it is served.
fn kept(disk: &Memory, source: &Source, what: &str) -> BTreeSet<i64> {
    let mut out = BTreeSet::new();
    let mut storage = disk.clone();
    for day in days(&mut storage, source).unwrap() {
        let Some(bytes) = disk.content(&index_path(source, day)) else { continue };
        let (index, stop) = Index::read(&bytes, day).unwrap();
        assert_eq!(stop, None, "{what}");
        for entry in index.entries() {
            let path = alloc::format!("{source}/{}", index.file_of(entry).unwrap().key);
            let whole = disk.content(&path).unwrap();
            let bytes = &whole[entry.offset as usize..entry.end() as usize];
            assert!(FragmentMark::passes(bytes, entry.mark.crc), "{what}: {path} at {}", entry.offset);
            assert!(out.insert(entry.mark.dts.0), "{what}: twice");
        }
    }
    out
}

fn check(disk: &Memory, lines: &mut [Line], what: &str) {
    for line in lines {
        let storage = disk.clone();
        let (mut writer, _) = Writer::open(storage, line.source, Options::default()).expect(what);
        while writer.catch_up().expect(what) {}
        drop(writer);
        let kept = kept(disk, &line.source, what);
        let lost: Vec<_> = line.promised.difference(&kept).collect();
        assert!(lost.is_empty(), "{what}: {} lost {lost:?}", line.source);
        for day in days(&mut disk.clone(), &line.source).unwrap() {
            let mut findings: Vec<Finding> = vec![];
            let mut check = DayCheck::new(&mut disk.clone(), line.source, day, false).unwrap();
            while check.step(&mut disk.clone(), &mut findings).unwrap() {}
            findings.retain(|finding| !finding.what.is_note());
            assert_eq!(findings, [], "{what}");
        }
        // All that is there now is there from now on.
        line.promised = kept;
        disk.kill();
    }
}

/// Gives how many power cuts there were, and fragments promised in the end.
fn history(seed: u64) -> (u64, usize) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let disk = Memory::new();
    let reserve = seed.is_multiple_of(3);
    if reserve {
        Volume::create(disk.clone(), VolumeId([seed as u8; 16]), 8_192).unwrap();
    }
    let mut lines: Vec<Line> = (0..1 + dice.roll(3))
        .map(|n| Line {
            source: Source::new("t", &alloc::format!("c{n}")).unwrap(),
            camera: Camera::new(DAY_START + dice.roll(86_400) as i64 * 1_000_000),
            segmenter: Segmenter::new(Config { period: 4_000_000, stagger: 0 }),
            writer: None,
            now: Micros(0),
            pending: VecDeque::new(),
            synced: 0,
            promised: BTreeSet::new(),
            options: Options::default()
                .rpo(dice.roll(4) * 1_500_000)
                .hold(dice.roll(3) * 2_000)
                .at_once(dice.roll(2) * (1 << 20)),
        })
        .collect();
    let mut cuts = 0;
    for _ in 0..3 {
        for line in &mut lines {
            let _ = line.open(&disk, reserve);
        }
        if dice.roll(4) > 0 {
            disk.cut_at(dice.roll(160));
        }
        for _ in 0..12 {
            let which = dice.roll(lines.len() as u64) as usize;
            lines[which].live(&disk, &mut dice);
            if dice.roll(12) == 0 {
                // The process ends, and is started again.
                lines[which].let_go();
                disk.unlock_all();
                let _ = lines[which].open(&disk, reserve);
            }
        }
        lines.iter_mut().for_each(Line::let_go);
        disk.set_capacity(None);
        disk.power_cut(Cut::Dice(dice.roll(u64::MAX)));
        cuts += 1;
        // The power goes again during recovery.
        for _ in 0..dice.roll(3) {
            disk.cut_at(dice.roll(40));
            for line in &mut lines {
                if line.open(&disk, reserve).is_ok()
                    && let Some(writer) = &mut line.writer
                {
                    while matches!(writer.catch_up(), Ok(true)) {}
                }
                line.let_go();
            }
            disk.power_cut(Cut::Dice(dice.roll(u64::MAX)));
            cuts += 1;
        }
        check(&disk, &mut lines, &alloc::format!("history {seed}, cut {cuts}"));
    }
    (cuts, lines.iter().map(|line| line.promised.len()).sum())
}

#[test]
fn no_history_loses_what_was_synced() {
    let most = if std::env::var_os("VIGIE_LONG").is_some() { 1_000 } else { 100 };
    let (mut cuts, mut promised, mut histories) = (0, 0, 0);
    while cuts < most {
        let (more, kept) = history(histories);
        (cuts, promised, histories) = (cuts + more, promised + kept, histories + 1);
    }
    std::println!(
        "{cuts} power cuts in {histories} histories: {promised} fragments kept, nothing synced was lost"
    );
    assert!(promised as u64 > most * 3, "{promised}");
}
