//! Where a camera stands: what the page shows beside its pictures.

use std::collections::VecDeque;

use vigie::depacket::AccessUnit;
use vigie::fault::Quirks;
use vigie::h26x::VideoFormat;
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{UtcSource, UtcStamp};

/// Pictures that stay away this long make a camera stale.
pub(crate) const STALE: u64 = 2_000_000;

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
    /// Pictures came, and then no more; the connection may still stand.
    Stale,
    /// It does not answer.
    NoSignal,
    /// It wants another user or password.
    Unauthorized,
}

impl State {
    /// All, in order.
    pub(crate) const ALL: [Self; 5] =
        [Self::Connecting, Self::Recording, Self::Stale, Self::NoSignal, Self::Unauthorized];

    /// Its name in JSON and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Recording => "recording",
            Self::Stale => "stale",
            Self::NoSignal => "no-signal",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// Everything the page shows of a camera.
#[derive(Debug)]
pub(crate) struct Status {
    /// What it is doing.
    pub(crate) state: State,
    /// Since when.
    pub(crate) since: UtcMicros,
    /// Why, where something is wrong, in words without addresses or passwords.
    pub(crate) reason: Option<String>,
    /// What its pictures are.
    pub(crate) format: Option<VideoFormat>,
    /// What was tolerated.
    pub(crate) quirks: Quirks,
    /// RTP packets lost since the start.
    pub(crate) lost_packets: u64,
    /// Pictures received since the start.
    pub(crate) pictures: u64,
    /// Bytes of pictures received since the start.
    pub(crate) bytes: u64,
    /// Connections made since the start.
    pub(crate) connections: u64,
    /// UTC of the latest picture.
    pub(crate) clock: Option<UtcStamp>,
    /// Length of the last whole GOP in 90 kHz ticks, and the RTP timestamp that the one under way began with.
    gop: (Option<u32>, Option<u32>),
    recent: VecDeque<(Micros, usize)>,
}

impl Status {
    /// Nothing heard yet.
    pub(crate) fn new(now: UtcMicros) -> Self {
        Self {
            state: State::Connecting,
            since: now,
            reason: None,
            format: None,
            quirks: Quirks::default(),
            lost_packets: 0,
            pictures: 0,
            bytes: 0,
            connections: 0,
            clock: None,
            gop: (None, None),
            recent: VecDeque::new(),
        }
    }

    /// Changes the state; `since` is kept where it is the same.
    pub(crate) fn turn(&mut self, state: State, now: UtcMicros, reason: Option<String>) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
        self.reason = reason;
    }

    /// A picture came.
    pub(crate) fn picture(&mut self, unit: &AccessUnit, now: Micros, utc: UtcMicros) {
        self.turn(State::Recording, utc, None);
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

    /// The connection ended: the GOP under way will not be finished, and the rates start anew.
    pub(crate) fn disconnected(&mut self) {
        self.gop.1 = None;
        self.recent.clear();
    }

    /// When the latest picture came.
    pub(crate) fn last_picture(&self) -> Option<Micros> {
        self.recent.back().map(|(then, _)| *then)
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
