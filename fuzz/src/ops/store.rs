//! A camera's store on a disk that fails, fills up and loses power.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vigie::gix::{FragmentMark, Index, Span};
use vigie::play::{Local, Output as Played};
use vigie::segment::{Config, Output, Segmenter};
use vigie::store::hold::{self, Release, Request};
use vigie::store::journal::{Journal, Policy, Rule};
use vigie::store::retain::{self, Clock};
use vigie::store::{
    Cause, Cut, DayCheck, Error, Kind, Memory, Options, Source, Volume, VolumeId, Writer, Wrong, days,
    index_path, verify,
};
use vigie::time::{Micros, UtcMicros};

use crate::media::{Camera, DAY, number, number_of};
use crate::tape::Tape;

/// Seconds of a file.
const FILE: i64 = 4_000_000;
/// What the policy keeps.
const AGE: i64 = 3_600_000_000;

type Disk = Volume<Memory>;

struct Run {
    disk: Memory,
    source: Source,
    options: Options,
    camera: Camera,
    segmenter: Segmenter,
    writer: Option<Writer<Disk>>,
    now: Micros,
    /// Appended and not known to be synced.
    pending: VecDeque<(u32, Span)>,
    synced: u64,
    /// What must be there, by the number of the picture.
    promised: BTreeMap<u32, Span>,
    /// Holds that are certain.
    holds: BTreeMap<u64, Span>,
    /// A pass failed by a write of its own: an end of a span may not have been written, which `vigie fsck --repair` mends.
    pass_failed: bool,
    /// Until it is taken up, files may be gone that the index tells of.
    broken_off: bool,
    steps: u32,
}

/// Open, append, sync, hold, release, delete, read, with writes that fail, a disk that is full, processes that end and power
/// cuts at any write, during recovery too: nothing synced is lost, nothing held is deleted, every index is the one that the
/// media give, a check finds nothing, and what is read passes its checksum.
pub(crate) fn store_ops(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let how = tape.u8();
    let options = Options::default()
        .rpo(u64::from(how & 3) * 1_500_000)
        .hold(u64::from(how >> 2 & 1) * 2_000)
        .at_once(u64::from(how >> 3 & 1) << 20);
    let disk = Memory::new();
    let start = UtcMicros(DAY + i64::from(tape.u16()) * 1_318_360);
    let reserve = if how & 16 != 0 { 4_096 } else { 0 };
    Volume::create(disk.clone(), VolumeId([how; 16]), reserve).expect("an empty disk");
    let mut run = Run {
        disk,
        source: Source::new("t", "c").expect("names"),
        options,
        camera: Camera::new(start),
        segmenter: Segmenter::new(files()),
        writer: None,
        now: Micros(0),
        pending: VecDeque::new(),
        synced: 0,
        promised: BTreeMap::new(),
        holds: BTreeMap::new(),
        pass_failed: false,
        broken_off: false,
        steps: 0,
    };
    let _ = run.open();
    while !tape.is_empty() && run.steps < 80 {
        run.step(&mut tape);
    }
    run.crash(Cut::Dice(u64::from(how) << 8 | 1));
}

fn files() -> Config {
    let mut config = Config::staggered("c");
    (config.period, config.stagger) = (FILE as u64, 0);
    config
}

impl Run {
    fn storage(&self) -> Result<Disk, Error> {
        Volume::open(self.disk.clone(), None)
    }

    fn open(&mut self) -> Result<(), Error> {
        self.let_go();
        self.disk.unlock_all();
        let (writer, _) = Writer::open(self.storage()?, self.source, self.options)?;
        self.writer = Some(writer);
        Ok(())
    }

    /// The process ends.
    fn let_go(&mut self) {
        self.note();
        (self.writer, self.synced) = (None, 0);
        self.give_up();
    }

    fn give_up(&mut self) {
        self.pending.clear();
        self.segmenter.finish();
        while self.segmenter.pull().is_some() {}
        let utc = self.camera.utc;
        self.camera.discontinuity(utc);
    }

    /// What has been synced since is promised.
    fn note(&mut self) {
        let Some(writer) = &self.writer else { return };
        let more = writer.stats().synced - self.synced;
        self.synced += more;
        self.promised.extend(self.pending.drain(..more as usize));
    }

    fn apply(&mut self) {
        while let Some(output) = self.segmenter.pull() {
            let Some(writer) = &mut self.writer else { continue };
            if let Output::Append { fragment, .. } = &output {
                let mark = FragmentMark::parse(&fragment.head).expect("its mark");
                self.pending.push_back((number_of(fragment), Span::new(mark.utc, mark.end())));
            }
            let done = writer.apply(self.now, output);
            self.note();
            if done.is_err() {
                return self.give_up();
            }
        }
    }

    fn record(&mut self, fragments: u8) {
        for _ in 0..fragments {
            let fragment = self.camera.fragment();
            self.segmenter.push(fragment);
            self.apply();
            self.now = self.now.plus(1_000_000);
            self.steps += 1;
            if let Some(writer) = &mut self.writer {
                let done = writer.handle_timeout(self.now);
                self.note();
                if done.is_err() {
                    self.give_up();
                }
            }
        }
    }

    fn step(&mut self, tape: &mut Tape<'_>) {
        self.steps += 1;
        let (op, n) = (tape.u8(), tape.u8());
        match op % 20 {
            0..=4 => self.record(n % 8),
            5 => self.disk.fail_at(
                u64::from(n % 16),
                [Kind::Io(5), Kind::Full, Kind::ReadOnly][usize::from(n) / 16 % 3],
            ),
            6 => self.disk.cut_at(u64::from(n)),
            7 => {
                let used: usize =
                    self.disk.paths().iter().filter_map(|p| self.disk.content(p)).map(|c| c.len()).sum();
                self.disk.set_capacity((n & 1 == 0).then(|| used + usize::from(n) * 64));
            }
            8 => {
                let cuts = [Cut::Forget, Cut::Tear, Cut::Zero, Cut::Keep, Cut::Dice(tape.u64())];
                self.crash(cuts[usize::from(n) % cuts.len()]);
                let _ = self.open();
            }
            9 => {
                let _ = self.open();
            }
            10 => {
                // The clock is set, by up to 9 hours either way; or to just before midnight.
                let utc = if n & 1 == 0 {
                    self.camera.utc.plus(i64::from(tape.u16() as i16) * 1_000_000)
                } else {
                    self.camera.utc.day_start().plus(86_400_000_000 - i64::from(n) * 40_000)
                };
                self.segmenter.finish();
                self.apply();
                self.camera.discontinuity(utc);
            }
            11 => {
                let utc = self.camera.utc;
                if let Some(writer) = &mut self.writer {
                    writer.gap(utc, n & 1 == 0, Cause::ALL[usize::from(n) % Cause::ALL.len()], 7);
                }
            }
            12 => {
                self.segmenter.finish();
                self.apply();
            }
            13 => {
                if let Some(writer) = &mut self.writer {
                    let _ = writer.catch_up();
                    let synced = writer.sync();
                    self.note();
                    if synced.is_err() {
                        self.give_up();
                    }
                }
            }
            14 => self.hold(n),
            15 => self.release(n),
            16 | 17 => self.retain(n),
            _ => self.read(n),
        }
    }

    fn journal<T>(&mut self, act: impl FnOnce(&mut Journal, &mut Disk, UtcMicros) -> T) -> Option<T> {
        let (mut storage, now) = (self.storage().ok()?, self.camera.utc);
        let mut journal = Journal::open(&mut storage, self.source.tenant, now).ok()?;
        let done = act(&mut journal, &mut storage, now);
        journal.close(&mut storage);
        Some(done)
    }

    fn hold(&mut self, n: u8) {
        let from = self.camera.utc.plus(-i64::from(n) * 500_000);
        let span = Span::new(from, from.plus(i64::from(n % 16 + 1) * 700_000));
        let request = Request {
            case: "1".into(),
            cameras: vec![self.source.camera],
            span,
            who: "Durand".into(),
            why: "requisition".into(),
        };
        let added = self.journal(|journal, storage, now| {
            if !storage.storage().paths().iter().any(|path| path.contains("journal-")) || n & 1 == 0 {
                let mut policy = Policy::default();
                (policy.default, policy.release_agents) = (Rule::new(Some(AGE), None), 1);
                let _ = journal.set_policy(storage, now, (policy, true), 0, ("maire", "charter"));
            }
            hold::add(journal, storage, now, &request).ok()
        });
        self.holds.extend(added.flatten().map(|number| (number, span)));
    }

    fn release(&mut self, n: u8) {
        let Some(number) = self.holds.keys().nth(usize::from(n) % self.holds.len().max(1)).copied() else {
            return;
        };
        let released = self.journal(|journal, storage, now| {
            hold::release(journal, storage, now, number, ("Le Goff", "closed"))
        });
        // One that failed may have been written: it is not certain any more. Where the journal did not open, nothing was.
        if released.is_some_and(|done| done != Ok(Release::Asked)) {
            self.holds.remove(&number);
        }
    }

    /// Of what is old enough by `now` nothing is promised any more, unless it is held.
    fn expire(&mut self, now: UtcMicros) {
        let before = now.plus(-AGE);
        let holds = &self.holds;
        // A file goes when its first picture is old enough: of its others, some are younger.
        self.promised.retain(|_, span| {
            span.from >= before.plus(20 * FILE) || holds.values().any(|held| !held.and(*span).is_empty())
        });
    }

    /// A pass, some time later.
    fn retain(&mut self, n: u8) {
        let now = self.camera.utc.plus(i64::from(n) * 1_000_000);
        let clock = Clock::new(now).trusted(n & 1 == 0);
        self.expire(now);
        match &mut self.writer {
            Some(writer) => {
                let done = writer.retain(clock);
                self.note();
                self.pass_failed |= done.is_err();
                self.broken_off |= done.is_err();
                if done.is_err() {
                    self.give_up();
                }
            }
            None => {
                if let Ok(mut storage) = self.storage() {
                    let failed = retain::run(&mut storage, &self.source, clock).is_err();
                    self.pass_failed |= failed;
                    self.broken_off |= failed;
                }
            }
        }
    }

    /// From a moment on: what is given passes its checksum and rises in time where it says that it continues.
    fn read(&mut self, n: u8) {
        let now = self.camera.utc;
        let mut local = Local::new(self.disk.clone(), self.source);
        local.seek(now.plus(-i64::from(n) * 1_000_000));
        for _ in 0..4 {
            match local.next(now) {
                Ok(Played::Fragment { bytes, entry, .. }) => {
                    assert!(FragmentMark::passes(&bytes, entry.mark.crc));
                    number(&bytes);
                }
                Ok(Played::End | Played::Failed(_)) | Err(_) => break,
                Ok(_) => {}
            }
        }
    }

    /// The power goes and comes back; the recorder makes whole what it finds.
    fn crash(&mut self, how: Cut) {
        self.let_go();
        self.disk.set_capacity(None);
        self.disk.power_cut(how);
        let storage = self.storage().expect("the volume");
        let (mut writer, _) = Writer::open(storage, self.source, self.options).expect("a disk that works");
        while writer.catch_up().expect("a disk that works") {}
        drop(writer);
        self.disk.unlock_all();
        if self.broken_off {
            let clock = Clock::new(self.camera.utc).trusted(true);
            self.expire(self.camera.utc);
            let mut storage = self.storage().expect("the volume");
            let taken_up = retain::run(&mut storage, &self.source, clock).expect("a disk that works");
            // Of a clock that was set back it waits on.
            self.broken_off = taken_up.postponed;
            self.disk.unlock_all();
        }
        let kept = self.kept();
        let lost: Vec<_> = self.promised.keys().filter(|number| !kept.contains(number)).collect();
        assert!(lost.is_empty(), "lost {lost:?} of {:?}", self.promised);
        let found = verify(&mut self.disk.clone(), &self.source).expect("a disk that works");
        assert!(self.broken_off || found.is_whole(), "{found:?}");
        for day in days(&mut self.disk.clone(), &self.source).expect("a disk that works") {
            let (mut findings, mut disk) = (vec![], self.disk.clone());
            let mut check = DayCheck::new(&mut disk, self.source, day, false).expect("a disk that works");
            while check.step(&mut disk, &mut findings).expect("a disk that works") {}
            findings.retain(|finding| {
                !(finding.what.is_note() || self.pass_failed && finding.what == Wrong::End)
            });
            assert!(self.broken_off || findings.is_empty(), "{findings:?}");
        }
        self.disk.kill();
    }

    /// The numbers of what the indexes tell of; each fragment is read as it is served.
    fn kept(&self) -> BTreeSet<u32> {
        let mut out = BTreeSet::new();
        for day in days(&mut self.disk.clone(), &self.source).expect("a disk that works") {
            let Some(bytes) = self.disk.content(&index_path(&self.source, day)) else { continue };
            let (index, stop) = Index::read(&bytes, day).expect("an index");
            assert_eq!(stop, None);
            for entry in index.entries() {
                let key = index.file_of(entry).expect("a file").key;
                let Some(whole) = self.disk.content(&format!("{}/{key}", self.source)) else {
                    // A pass that was broken off has removed it; the next one takes its record out of the index.
                    assert!(self.broken_off, "{key} is not there");
                    continue;
                };
                let bytes = &whole[entry.offset as usize..entry.end() as usize];
                assert!(FragmentMark::passes(bytes, entry.mark.crc), "{key} at {}", entry.offset);
                assert!(out.insert(number(bytes)), "twice");
            }
        }
        out
    }
}
