//! What a session has to say.

use std::ffi::{CString, c_char};
use std::ptr;

use vigie::fault::Fault as _;
use vigie::record::{Health, IngestOutput};
use vigie::session::{Agreed, Event};

use super::Session;
use crate::given::Sized;
use crate::piece::{VigiePiece, VigiePieceKind};

/// What an event is. A later version may tell of more: let those you do not know pass.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieEventKind {
    /// Send `bytes` on the connection, in this order.
    Send = 1,
    /// Send `bytes` from the socket of `media` (`number` 1: from that of its RTCP) to the agreed server port.
    Datagram = 2,
    /// Open two UDP sockets for `media`, an even port and the odd one above it, and answer with `vigie_session_bound`.
    Bind = 3,
    /// The camera said what it has: `bytes` is the session description as it was received, `number` its media.
    Described = 4,
    /// How `media` will travel: `number` is one of `vigie_transport`, `port` and `rtcp_port` are the camera's over UDP (0: any).
    SetUp = 5,
    /// PLAY was answered: pictures will come.
    Playing = 6,
    /// `piece` is an init segment or a fragment.
    Piece = 7,
    /// A picture: `bytes` are its NAL units, each behind its length in 4 bytes, big-endian; `timestamp` is its RTP timestamp,
    /// `received` when its first byte came, `number` 1 where decoding can start at it.
    AccessUnit = 8,
    /// Pictures are missing before those that follow: `number` RTP packets were lost; 0: the stream began anew.
    Gap = 9,
    /// The camera breaks a rule that has one sensible reading: `text` names it. Once for each rule.
    Quirk = 10,
    /// The stream is elsewhere: `text` is the address. Close, and open a session there. Give user and password only if the
    /// host is the same.
    Redirected = 11,
    /// How the source does: `health`. Every five seconds while pictures come.
    Health = 12,
    /// The session ended in order.
    Ended = 13,
    /// The session failed: `number` is the stable number of the error, `text` says why; `vigie_session_error` has all of it.
    Failed = 14,
    /// Close the connection. Nothing comes after it.
    Close = 15,
}

/// Something that happened. What it points to stays the session's, and good until the next call on the session other than
/// `vigie_session_next_timeout`. Set `struct_size` to `sizeof(vigie_event)` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieEvent {
    /// `sizeof(vigie_event)`.
    pub struct_size: usize,
    /// One of `vigie_event_kind`, which says what the other fields hold; those it does not name are 0.
    pub kind: i32,
    /// Index of the media in the session description, from 0.
    pub media: u32,
    /// Bytes.
    pub bytes: *const u8,
    /// Number of bytes.
    pub len: usize,
    /// A number.
    pub number: u64,
    /// An RTP timestamp.
    pub timestamp: u32,
    /// A UDP port of the camera's, for RTP.
    pub port: u16,
    /// The same for RTCP.
    pub rtcp_port: u16,
    /// Microseconds of the host's monotonic clock.
    pub received: u64,
    /// Text, NUL-terminated, or NULL.
    pub text: *const c_char,
    /// How the source does, or NULL.
    pub health: *const VigieHealth,
    /// A piece.
    pub piece: VigiePiece,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieEvent {}

/// How a source does, on its present connection. What is not known yet is negative.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct VigieHealth {
    /// `sizeof(vigie_health)`.
    pub struct_size: usize,
    /// RTP packets received.
    pub packets: u64,
    /// RTP packets that are missing.
    pub lost: u64,
    /// Interarrival jitter in microseconds, RFC 3550 section 6.4.1.
    pub jitter: i64,
    /// From a keep-alive to its answer, in microseconds.
    pub keep_alive: i64,
    /// Pictures a second as the camera declares them.
    pub declared_rate: f64,
    /// As its RTP timestamps say.
    pub stamped_rate: f64,
    /// As they come.
    pub delivered_rate: f64,
    /// Pictures of the last whole GOP.
    pub gop_pictures: i64,
    /// 1 where `clock_offset` is known: a sender report came, and the host has told its clock.
    pub has_clock_offset: i32,
    /// Must be 0.
    pub reserved: i32,
    /// The camera's clock less ours, in microseconds, from its sender reports.
    pub clock_offset: i64,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers only.
unsafe impl Sized for VigieHealth {}

impl VigieHealth {
    pub(crate) fn of(health: &Health) -> Self {
        let micros = |value: Option<u64>| value.and_then(|v| i64::try_from(v).ok()).unwrap_or(-1);
        Self {
            struct_size: size_of::<Self>(),
            packets: health.packets,
            lost: health.lost,
            jitter: micros(health.jitter.map(u64::from)),
            keep_alive: micros(health.keep_alive),
            declared_rate: health.declared_rate.unwrap_or(-1.0),
            stamped_rate: health.stamped_rate.unwrap_or(-1.0),
            delivered_rate: health.delivered_rate.unwrap_or(-1.0),
            gop_pictures: health.gop.map_or(-1, |gop| gop.pictures.into()),
            has_clock_offset: health.clock_offset.is_some().into(),
            reserved: 0,
            clock_offset: health.clock_offset.unwrap_or(0),
        }
    }
}

impl VigieEvent {
    pub(super) const fn blank(kind: VigieEventKind) -> Self {
        Self {
            struct_size: size_of::<Self>(),
            kind: kind as i32,
            media: 0,
            bytes: ptr::null(),
            len: 0,
            number: 0,
            timestamp: 0,
            port: 0,
            rtcp_port: 0,
            received: 0,
            text: ptr::null(),
            health: ptr::null(),
            piece: VigiePiece { kind: 0, ..VigiePiece::blank(VigiePieceKind::Init) },
        }
    }
}

impl Session {
    /// An event of the machine's.
    pub(super) fn told_by(&mut self, output: IngestOutput) -> VigieEvent {
        use VigieEventKind as K;
        match output {
            IngestOutput::Send(bytes) => {
                let mut event = VigieEvent::blank(K::Send);
                self.lend(&mut event, bytes);
                event
            }
            IngestOutput::Datagram { media, rtcp, bytes } => {
                let mut event = VigieEvent::blank(K::Datagram);
                (event.media, event.number) = (media as u32, rtcp.into());
                self.lend(&mut event, bytes);
                event
            }
            IngestOutput::AccessUnit(unit) => {
                let mut event = VigieEvent::blank(K::AccessUnit);
                (event.timestamp, event.received) = (unit.timestamp, unit.received.0);
                event.number = unit.random_access.is_some().into();
                self.lend(&mut event, unit.data);
                event
            }
            IngestOutput::Event(event) => self.happened(event),
            // Close; and what is told to nobody: sound, metadata, pictures without NAL units were not asked for.
            _ => VigieEvent::blank(K::Close),
        }
    }

    fn happened(&mut self, happened: Event) -> VigieEvent {
        use VigieEventKind as K;
        let (event, text) = match happened {
            Event::Described(presentation) => {
                let mut event = VigieEvent::blank(K::Described);
                event.number = presentation.media.len() as u64;
                self.lend(&mut event, presentation.raw.clone());
                return event;
            }
            Event::Bind { media } => (VigieEvent { media: media as u32, ..VigieEvent::blank(K::Bind) }, None),
            Event::SetUp { media, transport } => {
                let mut event = VigieEvent { media: media as u32, ..VigieEvent::blank(K::SetUp) };
                event.number = u64::from(!matches!(transport, Agreed::Interleaved(..)));
                if let Agreed::Udp { ports: Some((rtp, rtcp)), .. } = transport {
                    (event.port, event.rtcp_port) = (rtp, rtcp);
                }
                (event, None)
            }
            Event::Playing(playing) => {
                (VigieEvent { media: playing.media as u32, ..VigieEvent::blank(K::Playing) }, None)
            }
            Event::Quirk(quirk) => (VigieEvent::blank(K::Quirk), Some(quirk.name().to_owned())),
            Event::Redirected(to) => (VigieEvent::blank(K::Redirected), Some(to.to_string())),
            Event::Failed(error) => {
                let number = error.code().0.into();
                (VigieEvent { number, ..VigieEvent::blank(K::Failed) }, Some(error.to_string()))
            }
            _ => (VigieEvent::blank(K::Ended), None),
        };
        let Some(text) = text else { return event };
        self.text = CString::new(text).unwrap_or_default();
        VigieEvent { text: self.text.as_ptr(), ..event }
    }

    /// Is it for the host at all?
    pub(super) const fn concerns(output: &IngestOutput) -> bool {
        matches!(
            output,
            IngestOutput::Send(_)
                | IngestOutput::Datagram { .. }
                | IngestOutput::AccessUnit(_)
                | IngestOutput::Close
                | IngestOutput::Event(
                    Event::Described(_)
                        | Event::Bind { .. }
                        | Event::SetUp { .. }
                        | Event::Playing(_)
                        | Event::Quirk(_)
                        | Event::Redirected(_)
                        | Event::Ended
                        | Event::Failed(_)
                )
        )
    }
}
