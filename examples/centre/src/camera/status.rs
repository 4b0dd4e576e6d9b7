//! Where a camera stands: what the page shows beside its pictures.

use std::collections::VecDeque;

use vigie::depacket::AccessUnit;
use vigie::fault::{Code, Fault as _, Quirks};
use vigie::h26x::VideoFormat;
use vigie::record::{Health, RecorderStats};
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{UtcSource, UtcStamp};

/// Pictures that stay away this long make a camera stale, in microseconds.
const STALE: u64 = 2_000_000;

/// And this long: without signal.
const NO_SIGNAL: u64 = 60_000_000;

/// Rates are taken over this span.
const SPAN: u64 = 5_000_000;

/// Pictures counted within the span at most.
const SPAN_PICTURES: usize = 1_024;

/// What a camera is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// First contact.
    Connecting,
    /// Pictures come.
    Recording,
    /// Pictures come, and the store does not take them.
    NotRecorded,
    /// Pictures came, and then no more; the connection may still stand.
    Stale,
    /// It does not answer.
    NoSignal,
    /// It wants another user or password.
    Unauthorized,
}

impl State {
    /// All, in order.
    pub(crate) const ALL: [Self; 6] = [
        Self::Connecting,
        Self::Recording,
        Self::NotRecorded,
        Self::Stale,
        Self::NoSignal,
        Self::Unauthorized,
    ];

    /// Its name in JSON and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Recording => "recording",
            Self::NotRecorded => "not-recorded",
            Self::Stale => "stale",
            Self::NoSignal => "no-signal",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// Everything the page shows of a camera.
#[derive(Debug)]
pub(crate) struct Status {
    state: State,
    /// Since when.
    pub(crate) since: UtcMicros,
    reason: Option<String>,
    /// The stable number of the error behind that, where there is one.
    code: Option<Code>,
    /// What its pictures are.
    pub(crate) format: Option<VideoFormat>,
    /// What was tolerated on the wire: each once for each connection.
    pub(crate) quirks: Quirks,
    /// What was tolerated in the timestamps.
    pub(crate) timing_quirks: Quirks,
    /// RTP packets lost since the start.
    pub(crate) lost_packets: u64,
    /// Pictures received since the start.
    pub(crate) pictures: u64,
    /// Bytes of pictures received since the start.
    pub(crate) bytes: u64,
    /// Connections made since the start.
    pub(crate) connections: u64,
    /// How its stream does, as last looked at.
    pub(crate) health: Health,
    /// What the recorder did.
    pub(crate) recorded: RecorderStats,
    /// Pictures that did not reach the recorder: the store could not be opened.
    pub(crate) unrecorded: u64,
    /// Pictures that waited for a disk that was too slow, and were dropped.
    pub(crate) dropped: u64,
    /// Why nothing is recorded although pictures come.
    pub(crate) storage: Option<String>,
    /// UTC of the latest picture.
    pub(crate) clock: Option<UtcStamp>,
    /// Length of the last whole GOP in 90 kHz ticks, and the RTP timestamp that the one under way began with.
    gop: (Option<u32>, Option<u32>),
    /// When the latest picture came.
    last: Option<(Micros, UtcMicros)>,
    recent: VecDeque<(Micros, usize)>,
}

impl Status {
    /// Nothing heard yet.
    pub(crate) fn new(now: UtcMicros) -> Self {
        Self {
            state: State::Connecting,
            since: now,
            reason: None,
            code: None,
            format: None,
            quirks: Quirks::default(),
            timing_quirks: Quirks::default(),
            lost_packets: 0,
            pictures: 0,
            bytes: 0,
            connections: 0,
            health: Health::default(),
            recorded: RecorderStats::default(),
            unrecorded: 0,
            dropped: 0,
            storage: None,
            clock: None,
            gop: (None, None),
            last: None,
            recent: VecDeque::new(),
        }
    }

    /// The connection ended, or could not be made.
    pub(crate) fn lost(&mut self, error: &vigie_net::Error, now: Micros, utc: UtcMicros) {
        let unauthorized = error.cause == vigie_net::Cause::Authentication;
        self.lose(unauthorized, error.to_string(), Some(error.code()), now, utc);
    }

    /// For that reason, and because of user or password or not.
    fn lose(&mut self, unauthorized: bool, reason: String, code: Option<Code>, now: Micros, utc: UtcMicros) {
        self.gop.1 = None;
        self.recent.clear();
        self.clock = None;
        if unauthorized {
            self.turn(State::Unauthorized, utc);
        } else {
            let recent = self.silence(now).is_some_and(|silence| silence < NO_SIGNAL);
            self.turn(if recent { State::Stale } else { State::NoSignal }, utc);
        }
        (self.reason, self.code) = (Some(reason), code);
    }

    /// Time passes: a connection may stand and nothing come.
    pub(crate) fn look(&mut self, now: Micros, utc: UtcMicros) {
        match (self.state, self.silence(now)) {
            (State::Recording, Some(STALE..)) => {
                self.recent.clear();
                self.turn(State::Stale, utc);
                let silent = "the camera is connected and sends no pictures";
                (self.reason, self.code) = (Some(silent.into()), None);
            }
            (State::Stale, Some(NO_SIGNAL..)) => self.turn(State::NoSignal, utc),
            _ => {}
        }
    }

    /// Changes the state. Stale and without signal are so since the last picture.
    fn turn(&mut self, state: State, utc: UtcMicros) {
        if self.state != state {
            let kept = matches!((self.state, state), (State::Stale, State::NoSignal));
            let last = self.last.map(|(_, utc)| utc).filter(|_| state == State::Stale);
            self.since = if kept { self.since } else { last.unwrap_or(utc) };
            self.state = state;
        }
    }

    fn silence(&self, now: Micros) -> Option<u64> {
        self.last.map(|(then, _)| now.since(then))
    }

    /// A picture came.
    pub(crate) fn picture(&mut self, unit: &AccessUnit, now: Micros, utc: UtcMicros) {
        self.turn(State::Recording, utc);
        (self.reason, self.code) = (None, None);
        self.last = Some((now, utc));
        self.pictures += 1;
        self.bytes += unit.data.len() as u64;
        self.lost_packets += u64::from(unit.loss.packets);
        if unit.random_access.is_some_and(vigie::depacket::RandomAccess::starts_gop) {
            self.gop.0 = self.gop.1.map(|start| unit.timestamp.wrapping_sub(start)).or(self.gop.0);
            self.gop.1 = Some(unit.timestamp);
            self.format = unit.parameters.as_ref().and_then(|sets| sets.format()).or(self.format.take());
        }
        self.recent.push_back((now, unit.data.len()));
        while self.recent.len() > SPAN_PICTURES
            || self.recent.front().is_some_and(|(then, _)| now.since(*then) > SPAN)
        {
            self.recent.pop_front();
        }
    }

    /// What it is doing.
    pub(crate) const fn state(&self) -> State {
        match self.state {
            State::Recording if self.storage.is_some() => State::NotRecorded,
            state => state,
        }
    }

    /// Why, where something is wrong, in words without addresses or passwords.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.storage.as_deref().filter(|_| self.state == State::Recording).or(self.reason.as_deref())
    }

    /// The number of the error that the reason is the words of.
    pub(crate) fn code(&self) -> Option<Code> {
        let storage = self.state == State::Recording && self.storage.is_some();
        self.code.filter(|_| !storage)
    }

    /// All that was tolerated.
    pub(crate) fn all_quirks(&self) -> Quirks {
        let mut all = self.quirks.clone();
        all.merge(&self.timing_quirks);
        all
    }

    /// Pictures per second, measured.
    pub(crate) fn frame_rate(&self) -> Option<f64> {
        self.per_second(self.recent.len().checked_sub(1)? as f64)
    }

    /// Bits per second, measured.
    pub(crate) fn bit_rate(&self) -> Option<f64> {
        self.per_second(self.recent.iter().skip(1).map(|(_, bytes)| *bytes as f64 * 8.0).sum())
    }

    /// Seconds of the last whole GOP.
    pub(crate) fn gop_seconds(&self) -> Option<f64> {
        self.gop.0.map(|ticks| f64::from(ticks) / f64::from(vigie::time::TIMESCALE))
    }

    fn per_second(&self, count: f64) -> Option<f64> {
        let span = self.recent.back()?.0.since(self.recent.front()?.0);
        (span >= SPAN / 10).then(|| count * 1e6 / span as f64)
    }
}

/// The name of a UTC's source in JSON.
pub(crate) const fn source_name(source: UtcSource) -> &'static str {
    match source {
        UtcSource::OnvifExtension => "onvif-extension",
        UtcSource::SenderReport => "rtcp-sr",
        UtcSource::RangeClock => "range-clock",
        UtcSource::Arrival => "arrival",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use vigie::codec::Codec;
    use vigie::depacket::AnnexBReader;
    use vigie::limits::Limits;

    const SECOND: u64 = 1_000_000;

    fn at(second: u64) -> (Micros, UtcMicros) {
        (Micros(second * SECOND), UtcMicros((second * SECOND) as i64))
    }

    fn picture(status: &mut Status, second: u64) {
        let mut reader = AnnexBReader::new(Codec::H264, &Limits::default());
        reader.push(&[0, 0, 1, 0x65, 0x88, 0x84]);
        reader.finish();
        let mut unit = reader.pull().unwrap();
        unit.timestamp = (second * 90_000) as u32;
        status.picture(&unit, at(second).0, at(second).1);
    }

    #[test]
    fn a_camera_that_falls_silent_is_stale_and_then_without_signal_since_its_last_picture() {
        let mut status = Status::new(UtcMicros(0));
        status.lose(false, "refused".into(), None, at(1).0, at(1).1);
        assert_eq!((status.state, status.since), (State::NoSignal, at(1).1));
        picture(&mut status, 2);
        assert_eq!((status.state, status.since), (State::Recording, at(2).1));
        status.look(at(3).0, at(3).1);
        assert_eq!(status.state, State::Recording);
        status.look(at(4).0, at(4).1);
        assert_eq!((status.state, status.since), (State::Stale, at(2).1));
        status.lose(false, "gone".into(), None, at(5).0, at(5).1);
        assert_eq!((status.state, status.since), (State::Stale, at(2).1));
        status.lose(false, "gone".into(), None, at(70).0, at(70).1);
        assert_eq!((status.state, status.since), (State::NoSignal, at(2).1));
        status.lose(true, "password".into(), None, at(71).0, at(71).1);
        assert_eq!((status.state, status.since), (State::Unauthorized, at(71).1));
        picture(&mut status, 72);
        assert_eq!((status.state, status.since, status.reason), (State::Recording, at(72).1, None));
    }

    #[test]
    fn what_is_not_recorded_does_not_look_recorded() {
        let mut status = Status::new(UtcMicros(0));
        status.storage = Some("the disk is full".into());
        assert_eq!(status.state(), State::Connecting);
        picture(&mut status, 1);
        assert_eq!((status.state(), status.reason()), (State::NotRecorded, Some("the disk is full")));
        status.lose(false, "gone".into(), None, at(2).0, at(2).1);
        assert_eq!((status.state(), status.reason()), (State::Stale, Some("gone")));
    }

    #[test]
    fn rates_are_measured() {
        let mut status = Status::new(UtcMicros(0));
        assert_eq!((status.frame_rate(), status.bit_rate(), status.gop_seconds()), (None, None, None));
        (0..10).for_each(|second| picture(&mut status, second));
        assert_eq!(
            (status.frame_rate(), status.bit_rate(), status.gop_seconds()),
            (Some(1.0), Some(56.0), Some(1.0))
        );
    }
}
