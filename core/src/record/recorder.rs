//! From access units to the store.

use alloc::vec::Vec;

use super::way::{Unit, Way};
use crate::depacket::AccessUnit;
use crate::fault::Quirks;
use crate::fragment::Fragment;
use crate::limits::Limits;
use crate::rtp::rtcp::SenderReport;
use crate::segment::{Config as Files, Segmenter};
use crate::store::{self, Cause, Error, Recovered, Source, Storage, Writer};
use crate::time::{Micros, Ticks, UtcMicros};
use crate::timeline::{PlainUnit, UtcSource};

/// How a camera is recorded.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RecorderConfig {
    /// The caps.
    pub limits: Limits,
    /// When a file ends; `None`: about a minute, at a moment of it that depends on the camera's name.
    pub files: Option<Files>,
    /// How it is written.
    pub store: store::Options,
}

impl RecorderConfig {
    /// Sets the caps.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets when a file ends.
    #[must_use]
    pub const fn files(mut self, files: Files) -> Self {
        self.files = Some(files);
        self
    }

    /// Sets how it is written.
    #[must_use]
    pub const fn store(mut self, store: store::Options) -> Self {
        self.store = store;
        self
    }
}

/// Counters of a recorder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Of the store.
    pub store: store::Stats,
    /// Pictures, or access units of sound, taken.
    pub pictures: u64,
    /// Pictures that cannot be decoded since nothing before them can, and were not kept.
    pub undecodable: u64,
    /// Fragments that the store did not take: it was full, or failed.
    pub refused: u64,
    /// Groups of pictures that broke the promise of their type. None should.
    pub broken: u64,
    /// Where the last fragment kept ends.
    pub end: Option<UtcMicros>,
}

/// A fragment that is dated by so much more than has passed since the one before it: a clock was set.
const SET: i64 = 2_000_000;

/// How long the store is left alone after it failed, at first and at most.
const BACK_OFF: (u64, u64) = (1_000_000, 30_000_000);

/// Records one camera: access units in, files and index out.
///
/// Give it each access unit and sender report as they come, tell it now and then what the clocks read
/// ([`clocks`](Self::clocks)), call [`handle_timeout`](Self::handle_timeout) at the time of
/// [`poll_timeout`](Self::poll_timeout), say [`interrupted`](Self::interrupted) when the camera goes away, and
/// [`finish`](Self::finish) at the end.
///
/// A failure of the store is told once, by the call in which it happens, and again each time that a new attempt fails; in
/// between, what comes is not kept, and the gap log says why as soon as it can be written. The recorder goes on by itself.
#[derive(Debug)]
pub struct Recorder<S: Storage> {
    config: RecorderConfig,
    way: Way,
    segmenter: Segmenter,
    writer: Writer<S>,
    /// What the two clocks read at one moment.
    clocks: (Micros, UtcMicros),
    /// When this began, and when the last fragment was stored.
    times: (Micros, Option<Micros>),
    /// A gap that was begun, and ends with the next fragment.
    gap: Option<Cause>,
    /// After a failure of the store: when to try again, and how long to wait after that.
    again: Option<(Micros, u64)>,
    stats: RecorderStats,
    quirks: Quirks,
}

impl<S: Storage> Recorder<S> {
    /// Opens the camera's part of a store, and makes whole what a crash may have left there. `utc` is the time of day at `now`.
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn open(
        storage: S,
        source: Source,
        config: RecorderConfig,
        now: Micros,
        utc: UtcMicros,
    ) -> Result<(Self, Recovered), Error> {
        let (writer, found) = Writer::open(storage, source, config.store)?;
        let files = config.files.unwrap_or_else(|| Files::staggered(source.camera.as_str()));
        let mut config = config;
        if config.store.rpo > 0 {
            // A GOP of minutes is written in parts that the dial allows to be lost.
            config.limits.fragment_micros = config.limits.fragment_micros.min(config.store.rpo);
        }
        let mut recorder = Self {
            config,
            way: Way::video(&config.limits),
            segmenter: Segmenter::new(files),
            writer,
            clocks: (now, utc),
            times: (now, None),
            gap: None,
            again: None,
            stats: RecorderStats { end: found.end, ..RecorderStats::default() },
            quirks: Quirks::default(),
        };
        recorder.way.arrival(now, utc);
        Ok((recorder, found))
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> RecorderStats {
        let undecodable = self.stats.undecodable + self.way.dropped();
        RecorderStats { store: self.stats.store.plus(self.writer.stats()), undecodable, ..self.stats }
    }

    /// What was tolerated from access units to fragments.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        let mut all = self.quirks.clone();
        self.way.add_quirks(&mut all);
        all
    }

    /// The camera.
    #[must_use]
    pub const fn source(&self) -> &Source {
        self.writer.source()
    }

    /// Bytes of fragments held in memory until the next sync.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.writer.held()
    }

    /// Goes on on another storage: the one so far is full, absent or failing. What is open there is ended as far as it
    /// can be; what no gap log holds yet goes into that of the new one. The storage's last days are made whole as in
    /// [`open`](Self::open).
    ///
    /// # Errors
    /// As [`Writer::open`]; the recorder stays where it is.
    pub fn move_to(&mut self, storage: S, now: Micros) -> Result<Recovered, Error> {
        let (mut writer, found) = Writer::open(storage, *self.source(), self.config.store)?;
        if self.again.is_none() {
            // It has not failed: what is open ends in order, or is found whole when somebody looks.
            self.segmenter.finish();
            let _ = self.write(now);
            let _ = self.writer.sync();
        }
        for entry in self.writer.take_gaps() {
            writer.gap(entry.at, entry.begins, entry.cause, entry.code);
        }
        self.stats.store = self.stats.store.plus(self.writer.stats());
        self.writer = writer;
        self.again = None;
        Ok(found)
    }

    /// The store has failed in a sync that [`Recorders`](super::Recorders) did.
    pub(super) fn store_failed(&mut self, now: Micros, error: Error) {
        self.failed(now, error);
    }

    /// The writer, to read from its storage.
    pub const fn writer(&mut self) -> &mut Writer<S> {
        &mut self.writer
    }

    /// What the monotonic clock and the time of day read at one moment. Where the camera says no time of its own, pictures
    /// are dated by it.
    pub fn clocks(&mut self, now: Micros, utc: UtcMicros) {
        self.clocks = (now, utc);
        self.way.arrival(now, utc);
    }

    /// The camera said what its clock shows.
    pub fn sender_report(&mut self, report: SenderReport) {
        self.way.sender_report(report);
    }

    /// Another source said which moment an RTP timestamp is.
    pub fn anchor(&mut self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        self.way.anchor(source, timestamp, utc);
    }

    /// Timestamps of what follows do not continue those before.
    pub fn discontinuity(&mut self) {
        self.way.discontinuity();
    }

    /// Takes a picture.
    ///
    /// # Errors
    /// The store's; the recorder goes on.
    pub fn push(&mut self, now: Micros, unit: AccessUnit) -> Result<(), Error> {
        self.take(now, Unit::Video(unit))
    }

    /// Takes an access unit of sound, an [`AudioUnit`](crate::depacket::AudioUnit). A recorder keeps one track: sound has one
    /// of its own, at [`Source::audio`]. Should both be given to one, the files begin anew at each change.
    ///
    /// # Errors
    /// The store's; the recorder goes on.
    pub fn push_plain(&mut self, now: Micros, unit: impl Into<PlainUnit>) -> Result<(), Error> {
        self.take(now, Unit::Plain(unit.into()))
    }

    fn take(&mut self, now: Micros, unit: Unit) -> Result<(), Error> {
        self.stats.pictures += 1;
        let mut done = Ok(());
        if !self.way.takes(&unit) {
            self.way.finish();
            done = self.keep(now);
            self.renew(match unit {
                Unit::Video(_) => Way::video(&self.config.limits),
                Unit::Plain(_) => Way::plain(&self.config.limits),
            });
        }
        self.way.push(unit);
        done.and(self.keep(now))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        self.writer.poll_timeout()
    }

    /// Syncs, when it is time.
    ///
    /// # Errors
    /// The store's; the recorder goes on.
    pub fn handle_timeout(&mut self, now: Micros) -> Result<(), Error> {
        let done = self.writer.handle_timeout(now);
        done.map_err(|error| self.failed(now, error))
    }

    /// Is something that a crash has left still being made whole? Call [`catch_up`](Self::catch_up) when there is nothing
    /// else to do; a step is done with each sync anyway.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.writer.is_behind()
    }

    /// Makes a little more whole; gives whether there is more to do. See [`Writer::catch_up`].
    ///
    /// # Errors
    /// The store's; recording is not concerned.
    pub fn catch_up(&mut self) -> Result<bool, Error> {
        self.writer.catch_up()
    }

    /// The stream has stopped, and why: what is at hand is kept, the file and the span end. What comes next is another
    /// stream, which starts at a random access point. `code` is the stable number of the error behind it, 0 for none.
    ///
    /// # Errors
    /// The store's; the recorder goes on.
    pub fn interrupted(&mut self, now: Micros, cause: Cause, code: u16) -> Result<(), Error> {
        self.way.finish();
        let kept = self.keep(now);
        self.renew(self.way.again(&self.config.limits));
        let ended = if self.again.is_none() {
            self.segmenter.finish();
            self.write(now)
        } else {
            Ok(())
        };
        self.begin_gap(now, cause, code);
        kept.and(ended)
    }

    /// Ends the recording in order: as [`interrupted`](Self::interrupted) by a person, and all is synced.
    ///
    /// # Errors
    /// The store's.
    pub fn finish(&mut self, now: Micros) -> Result<(), Error> {
        let done = self.interrupted(now, Cause::Operator, 0);
        done.and(self.writer.sync())
    }

    /// Another timeline: nothing of the former stream's times holds for the next one.
    fn renew(&mut self, way: Way) {
        self.way.add_quirks(&mut self.quirks);
        self.stats.undecodable += self.way.dropped();
        self.way = way;
        self.way.arrival(self.clocks.0, self.clocks.1);
    }

    /// Takes what the timeline has ready to the store.
    fn keep(&mut self, now: Micros) -> Result<(), Error> {
        // Room only where there is something: an empty vector allocates nothing.
        let mut ready = Vec::new();
        self.stats.broken += self.way.pull(|fragment| ready.push(fragment));
        // A fragment that the store refuses does not keep it from the next one.
        let mut done = Ok(());
        for fragment in ready {
            done = done.and(self.store(now, fragment));
        }
        done
    }

    fn store(&mut self, now: Micros, fragment: Fragment) -> Result<(), Error> {
        let wait = self.again.is_some_and(|(when, _)| now < when || !fragment.flags.random_access);
        if wait {
            self.stats.refused += 1;
            return Ok(());
        }
        let (utc, duration) = (fragment.utc.utc, i64::try_from(fragment.duration).unwrap_or(0));
        let end = utc.plus(Ticks::micros(duration));
        let set = fragment.flags.discontinuity && self.gap.is_none() && self.was_set(now, end);
        self.segmenter.push(fragment);
        if let Err(error) = self.write(now) {
            self.stats.refused += 1;
            return Err(error);
        }
        self.again = None;
        if let Some(cause) = self.gap.take() {
            self.writer.gap(utc, false, cause, 0);
        }
        if let Some(before) = self.stats.end.filter(|before| set && *before < utc) {
            // Since when it was recorded by the wrong time, by the right one.
            let ran = i64::try_from(now.since(self.times.0)).unwrap_or(i64::MAX);
            self.writer.gap(before.max(end.plus(ran.saturating_neg())), true, Cause::Clock, 0);
            self.writer.gap(utc, false, Cause::Clock, 0);
        }
        self.stats.end = Some(end);
        self.times.1 = Some(now);
        Ok(())
    }

    /// Does a fragment that ends at `end` say that a clock was set forward since the one before?
    fn was_set(&self, now: Micros, end: UtcMicros) -> bool {
        let (Some(before), Some(stored)) = (self.stats.end, self.times.1) else { return false };
        let passed = i64::try_from(now.since(stored)).unwrap_or(i64::MAX);
        end.0.saturating_sub(before.0).saturating_sub(passed) > SET
    }

    /// Does what the segmenter says.
    fn write(&mut self, now: Micros) -> Result<(), Error> {
        while let Some(output) = self.segmenter.pull() {
            if let Err(error) = self.writer.apply(now, output) {
                return Err(self.failed(now, error));
            }
        }
        Ok(())
    }

    /// The store has failed: the span is over, and what the segmenter still has to say is void.
    fn failed(&mut self, now: Micros, error: Error) -> Error {
        use crate::fault::Fault as _;
        self.segmenter.finish();
        while self.segmenter.pull().is_some() {}
        // What was held in memory and not written is not kept.
        self.stats.end = self.writer.end().or(self.stats.end);
        let wait = self.again.map_or(BACK_OFF.0, |(_, wait)| (wait * 2).min(BACK_OFF.1));
        self.again = Some((now.plus(wait), wait));
        self.begin_gap(now, Cause::Storage, error.code().0);
        error
    }

    fn begin_gap(&mut self, now: Micros, cause: Cause, code: u16) {
        if self.gap.replace(cause) == Some(cause) {
            return;
        }
        let said = self.clocks.1.plus(i64::try_from(now.since(self.clocks.0)).unwrap_or(0));
        // The gap of the footage starts where the footage ends, if that was just now.
        let at = self.stats.end.filter(|end| said.0.abs_diff(end.0) < 60_000_000).unwrap_or(said);
        self.writer.gap(at, true, cause, code);
    }
}
