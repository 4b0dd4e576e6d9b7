//! An RTSP client without IO: the camera's bytes in; bytes for the camera, events and MP4 out. No thread, no clock, no file, no
//! socket: the host owns all of them, and entropy too.

mod calls;
mod config;
mod event;

pub use calls::*;
pub use config::{VigieSessionConfig, VigieTransport};
pub use event::{VigieEvent, VigieEventKind, VigieHealth};

use std::collections::VecDeque;

use bytes::Bytes;
use vigie::record::{Ingest, IngestOutput};
use vigie::session::{Error, Event};
use vigie::time::{Micros, UtcMicros};

use crate::VigieResult;
use crate::error::{Place, Told};
use crate::guard::{Guarded, Tells};
use crate::maker::Maker;
use crate::piece::Lent;

/// An RTSP session with one camera, over one connection of the host's. One call at a time.
pub struct VigieSession(
    #[expect(dead_code, reason = "reached through the handle's pointer")] Guarded<Session>,
);

/// How often health is told.
const HEALTH: u64 = 5_000_000;

/// What the handle points to.
pub(crate) struct Session {
    ingest: Ingest,
    /// `None`: access units are handed out.
    maker: Option<Maker>,
    ready: VecDeque<Output>,
    /// What the last event lends.
    lent: Lent,
    health: VigieHealth,
    text: std::ffi::CString,
    /// What the clocks read at one moment, once the host has said it.
    clocks: Option<(Micros, UtcMicros)>,
    /// When health is told next: once pictures come.
    health_at: Option<Micros>,
    ended: bool,
    told: Told,
}

/// What waits to be told.
enum Output {
    Machine(IngestOutput),
    Health(VigieHealth),
    Gap(u32),
}

impl Tells for Session {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }
}

impl Session {
    fn new(ingest: Ingest, maker: Option<Maker>, camera: &str) -> Self {
        Self {
            ingest,
            maker,
            ready: VecDeque::new(),
            lent: Lent::default(),
            health: VigieHealth::default(),
            text: std::ffi::CString::default(),
            clocks: None,
            health_at: None,
            ended: false,
            told: Told::of(camera),
        }
    }

    fn clock(&mut self, now: Micros, utc: UtcMicros) {
        self.clocks = Some((now, utc));
        if let Some(maker) = &mut self.maker {
            maker.clocks(now, utc);
        }
    }

    /// All that was received goes through the machine; what it says waits to be pulled.
    fn drain(&mut self) -> VigieResult {
        let mut done = VigieResult::Ok;
        while let Some(output) = self.ingest.poll_output() {
            let taken = self.take(output);
            if taken != VigieResult::Ok {
                done = taken;
            }
        }
        done
    }

    fn take(&mut self, output: IngestOutput) -> VigieResult {
        if let IngestOutput::AccessUnit(unit) = &output {
            if unit.loss.packets > 0 {
                self.ready.push_back(Output::Gap(unit.loss.packets));
            }
            self.health_at.get_or_insert(unit.received.plus(HEALTH));
        }
        match (output, &mut self.maker) {
            (IngestOutput::AccessUnit(unit), Some(maker)) => {
                if let Err(error) = maker.push(unit) {
                    return self.broken(&error);
                }
            }
            (IngestOutput::SenderReport { report, .. }, Some(maker)) => maker.sender_report(report),
            (IngestOutput::Anchor { source, timestamp, utc }, Some(maker)) => {
                maker.anchor(source, timestamp, utc);
            }
            (IngestOutput::Discontinuity, maker) => {
                if let Some(maker) = maker {
                    maker.discontinuity();
                }
                self.ready.push_back(Output::Gap(0));
            }
            (output @ IngestOutput::Event(Event::Ended | Event::Failed(_)), _) => {
                return self.over(output);
            }
            (IngestOutput::Close, _) if !self.ended => {
                let _ = self.over(IngestOutput::Close);
            }
            (output, _) if Self::concerns(&output) => self.ready.push_back(Output::Machine(output)),
            _ => {}
        }
        VigieResult::Ok
    }

    /// No picture comes any more: what is left of the last GOP comes out before the end is told.
    fn over(&mut self, output: IngestOutput) -> VigieResult {
        let finished = match &mut self.maker {
            Some(maker) if !self.ended => maker.finish(),
            _ => Ok(()),
        };
        self.ended = true;
        if let IngestOutput::Event(Event::Failed(error)) = &output {
            self.failed(error);
        }
        self.ready.push_back(Output::Machine(output));
        finished.map_or_else(|error| self.broken(&error), |()| VigieResult::Ok)
    }

    fn failed(&mut self, error: &Error) {
        let place = Place { offset: Some(error.at.rtsp_offset.0), packet: None, cseq: Some(error.at.cseq) };
        self.told.fault(VigieResult::Session, place, error);
    }

    fn broken(&mut self, error: &vigie::fragment::Error) -> VigieResult {
        let place = Place::at(self.ingest.stats().session.bytes_received);
        self.told.fault(VigieResult::Stream, place, error)
    }

    fn push(&mut self, now: Micros, mut bytes: &[u8]) -> VigieResult {
        let mut done = VigieResult::Ok;
        while !bytes.is_empty() && !self.ended {
            let taken = self.ingest.handle_input(now, bytes);
            let drained = self.drain();
            if drained != VigieResult::Ok {
                done = drained;
            }
            if taken == 0 {
                break;
            }
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        done
    }

    fn next_timeout(&self) -> Option<Micros> {
        if self.ended {
            return None;
        }
        self.ingest.poll_timeout().into_iter().chain(self.health_at).min()
    }

    fn timeout(&mut self, now: Micros) -> VigieResult {
        if self.health_at.is_some_and(|due| now >= due) {
            self.health_at = Some(now.plus(HEALTH));
            let health = self.measured(now);
            self.ready.push_back(Output::Health(health));
        }
        self.ingest.handle_timeout(now);
        self.drain()
    }

    fn measured(&self, now: Micros) -> VigieHealth {
        let utc = self.clocks.map(|(at, utc)| utc.plus(i64::try_from(now.since(at)).unwrap_or(0)));
        let mut health = self.ingest.health(now, utc.unwrap_or(UtcMicros(0)));
        // Against a clock that nobody has told, there is no offset.
        health.clock_offset = health.clock_offset.filter(|_| utc.is_some());
        VigieHealth::of(&health)
    }

    /// The next event. Pieces come first: they are of pictures that came before what waits.
    fn pull(&mut self) -> Option<VigieEvent> {
        let piece = self.maker.as_mut().and_then(Maker::pull);
        if let Some(made) = piece {
            let mut event = VigieEvent::blank(VigieEventKind::Piece);
            event.piece = self.lent.lend(made);
            return Some(event);
        }
        let output = self.ready.pop_front()?;
        self.text = std::ffi::CString::default();
        Some(match output {
            Output::Health(health) => {
                self.health = health;
                let mut event = VigieEvent::blank(VigieEventKind::Health);
                event.health = &raw const self.health;
                event
            }
            Output::Gap(lost) => {
                let mut event = VigieEvent::blank(VigieEventKind::Gap);
                event.number = lost.into();
                event
            }
            Output::Machine(output) => self.told_by(output),
        })
    }

    fn lend(&mut self, event: &mut VigieEvent, bytes: Bytes) {
        let slice = self.lent.lend_bytes(bytes);
        (event.bytes, event.len) = (slice.bytes, slice.len);
    }
}
