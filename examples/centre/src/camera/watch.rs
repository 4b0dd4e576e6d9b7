//! Reading one camera, for as long as the centre runs: its pictures go to the viewers and to the recorder.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use vigie::depacket::AccessUnit;
use vigie::fault::Fault as _;
use vigie::govern;
use vigie::limits::Limits;
use vigie::rtp::timestamp_distance;
use vigie::rtsp::headers::Range;
use vigie::session::Playing;
use vigie::store;
use vigie::time::{Micros, Ticks, UtcMicros};
use vigie::timeline::{Mode, Timeline, UtcSource, UtcStamp};
use vigie_net::{Cause, Event, Governor, Options};

use super::Camera;
use crate::clock;
use crate::config::Source;
use crate::recorder::Recorder;

/// The longest wait between two attempts: a camera that returns is on the screen again within 5 s, and 2 s and more of
/// those may pass until its next key picture.
const LONGEST_WAIT: u64 = 1_000_000;

/// The first wait.
const FIRST_WAIT: u64 = 500_000;

/// For a connection: when the network returns, an attempt under way should not be one that began long before.
const CONNECT: Duration = Duration::from_secs(3);

/// For an answer of the camera; likewise.
const ANSWER: Duration = Duration::from_secs(5);

/// Nobody watches: the connection is read so often. Pictures are on the disk a GOP at a time.
const UNWATCHED: Duration = Duration::from_millis(200);

/// All cameras' dials, by one plan.
pub(crate) fn governor() -> Governor {
    Governor::new(govern::Config::default().backoff(govern::Backoff::new(FIRST_WAIT, LONGEST_WAIT)))
}

/// The task of one camera.
pub(crate) struct Watch {
    camera: Arc<Camera>,
    source: vigie_net::Camera,
    moments: Moments,
    recorder: Recorder,
    ssrc: u32,
    /// Pictures came since the last connection was made.
    live: bool,
}

impl Watch {
    /// For a configured camera. `ssrc` names its stream to the viewers, `sessions` is how many cameras are configured at its
    /// host.
    pub(crate) fn new(
        camera: Arc<Camera>,
        source: &Source,
        recorder: Recorder,
        ssrc: u32,
        (governor, sessions): (&Governor, u32),
    ) -> Self {
        let mut options = Options::new(source.credentials.clone());
        options.governor = Some(governor.clone());
        // A device of many channels serves them all; one of few may still be asked for one after the other.
        options.sessions = Some(sessions).filter(|sessions| *sessions > govern::Config::default().sessions);
        options.connect_timeout = CONNECT;
        options.response_timeout = ANSWER;
        options.clock = clock::shared();
        options.read_delay = UNWATCHED;
        let source = vigie_net::Camera::connect(source.url.clone(), options);
        Self { camera, source, moments: Moments::new(), recorder, ssrc, live: false }
    }

    /// Until `stop` says so.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut look = interval(Duration::from_millis(250));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.source.next() => match event {
                    Some(event) => self.hear(event),
                    None => break,
                },
                _ = look.tick() => {
                    let watched = self.camera.fan.viewers().0 > 0;
                    self.source.set_read_delay(if watched { Duration::ZERO } else { UNWATCHED });
                    let health = self.source.health();
                    let mut status = self.camera.status();
                    status.health = health;
                    status.look(clock::now(), clock::utc());
                }
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.source.stop();
        while self.source.next().await.is_some() {}
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Connected { .. } => {
                // After a redirection out of the midst of the stream: nobody said that it ended.
                if self.live {
                    self.interrupt(store::Cause::Camera, 0);
                }
                self.moments.restart();
                self.camera.status().connections += 1;
            }
            Event::AccessUnit(unit) => self.picture(&unit),
            Event::Playing(playing) => self.playing(&playing),
            Event::SenderReport { report, .. } => {
                self.moments.timeline.sender_report(report);
                self.recorder.report(report);
            }
            Event::Anchor { source, timestamp, utc } => {
                self.moments.timeline.anchor(source, timestamp, utc);
                self.recorder.anchor(source, timestamp, utc);
            }
            Event::Discontinuity => {
                self.moments.timeline.discontinuity();
                self.recorder.discontinuity();
            }
            Event::Quirk(quirk) => self.camera.status().quirks.count(quirk),
            Event::Disconnected { error, .. } => self.lost(&error),
            _ => {}
        }
    }

    /// Some cameras say with PLAY which moment they begin with.
    fn playing(&mut self, playing: &Playing) {
        let utc = playing.range.as_ref().and_then(Range::clock_start);
        let timestamp = playing.rtp_info.as_ref().and_then(|info| info.rtptime);
        if let (Some(utc), Some(timestamp)) = (utc, timestamp) {
            self.moments.timeline.anchor(UtcSource::RangeClock, timestamp, utc);
            self.recorder.anchor(UtcSource::RangeClock, timestamp, utc);
        }
    }

    fn picture(&mut self, unit: &AccessUnit) {
        let (now, utc) = (clock::now(), clock::utc());
        if !self.live {
            self.live = true;
            let name = format!("{}/{}", self.camera.tenant, self.camera.id);
            self.camera.fan.connected(unit.codec, &name, self.ssrc);
        }
        let taken = self.moments.of(unit, now, utc);
        let mut status = self.camera.status();
        status.picture(unit, now, utc);
        status.clock = self.moments.latest.map(|(_, stamp)| stamp);
        if unit.random_access.is_some() {
            status.timing_quirks.clone_from(self.moments.timeline.quirks());
        }
        drop(status);
        self.camera.fan.picture(unit, taken, now);
        self.recorder.picture(unit);
    }

    /// The connection ended, or could not be made.
    fn lost(&mut self, error: &vigie_net::Error) {
        let cause = match error.cause {
            Cause::Authentication => store::Cause::Authentication,
            Cause::Network => store::Cause::Network,
            _ => store::Cause::Camera,
        };
        self.interrupt(cause, error.code().0);
        self.camera.status().lost(error, clock::now(), clock::utc());
    }

    fn interrupt(&mut self, cause: store::Cause, code: u16) {
        self.live = false;
        self.camera.fan.disconnected();
        self.recorder.interrupted(cause, code);
    }
}

/// When pictures were taken: core's own timeline, asked for nothing else.
struct Moments {
    timeline: Timeline,
    /// The latest picture whose moment is known, by its RTP timestamp.
    latest: Option<(u32, UtcStamp)>,
}

impl Moments {
    fn new() -> Self {
        Self { timeline: Timeline::new(Mode::Live, &Limits::default()), latest: None }
    }

    /// Another connection: timestamps begin anew.
    fn restart(&mut self) {
        self.timeline.discontinuity();
        self.latest = None;
    }

    /// When was this picture taken?
    fn of(&mut self, unit: &AccessUnit, now: Micros, utc: UtcMicros) -> UtcMicros {
        self.timeline.arrival(now, utc);
        self.timeline.push(unit.clone());
        while let Some(group) = self.timeline.pull() {
            self.latest =
                group.samples.last().map(|sample| (sample.unit.timestamp, sample.utc)).or(self.latest);
        }
        self.latest.map_or(utc, |(timestamp, stamp)| {
            stamp.utc.plus(Ticks::micros(i64::from(timestamp_distance(timestamp, unit.timestamp))))
        })
    }
}
