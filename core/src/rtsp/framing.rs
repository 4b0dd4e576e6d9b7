//! Finds messages and interleaved packets (RFC 2326 §10.12) in a stream of bytes.
//!
//! [`Input`] owns the receive buffer of one connection. What it hands out refers to that buffer: nothing is allocated
//! per packet. Where a server loses the boundary between two items (live555 and its kin write part of a packet when the
//! TCP window is full, then begin the next one), the next plausible item is searched, the last packet's bytes included,
//! because the items that it swallowed are in there. A packet that can be told to have swallowed some is not handed out.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;

use super::message::speaks_version;
use super::{Error, Kind, Message};
use crate::fault::Offset;
use crate::limits::Limits;

mod buffer;
mod proof;

use proof::{Known, Verdict};

/// What comes next in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// An interleaved packet: see [`Input::bytes`].
    Interleaved {
        /// The channel.
        channel: u8,
        /// Where its bytes are; good until the input is changed.
        range: Range<usize>,
    },
    /// A message.
    Message {
        /// The message.
        message: Message,
        /// Its version is 1.x.
        speaks_version: bool,
    },
    /// The place was lost.
    Skipped {
        /// Bytes that were skipped to find the next item.
        bytes: usize,
        /// The channel of the packet handed out last, where that may be cut short and end in bytes that are not its own.
        after: Option<u8>,
    },
}

/// Which interleaved headers are plausible when the place is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// What SETUP agreed on, media by media; before that, any channel below 20.
    pub channels: Vec<Channels>,
    /// All packets are looked through for items that they swallowed, not only those with the marker: where a packet can end
    /// a NAL unit of another picture than the next one continues (RFC 6184 interleaved mode, RFC 7798 with DONL). Where
    /// several media are set up they are in any case.
    pub thorough: bool,
}

/// The channels of one media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Of RTP.
    pub rtp: u8,
    /// Of RTCP.
    pub rtcp: u8,
    /// The payload type of RTP, where it is known.
    pub payload_type: Option<u8>,
}

impl Expected {
    /// Could `packet` be what an interleaved header on `channel` announces? RTP and RTCP have version 2 (RFC 3550 §5.1,
    /// §6.4.1), RTCP has packet types 200 to 211, and neither is shorter than its header.
    fn fits(&self, channel: u8, len: usize, packet: &[u8]) -> bool {
        let (Some(first), Some(second)) = (packet.first(), packet.get(1)) else { return false };
        let rtcp = len >= 8 && (200..=211).contains(second);
        let of_media = |media: &Channels| {
            let rtp = len >= 12 && media.payload_type.is_none_or(|pt| pt == second & 0x7f);
            channel == media.rtp && rtp || channel == media.rtcp && rtcp
        };
        first >> 6 == 2
            && match self.channels.as_slice() {
                [] => channel < 20 && (len >= 12 || rtcp),
                agreed => agreed.iter().any(of_media),
            }
    }

    /// A channel that no SETUP agreed on.
    fn is_stray(&self, channel: u8) -> bool {
        let own = |media: &Channels| channel == media.rtp || channel == media.rtcp;
        !self.channels.is_empty() && !self.channels.iter().any(own)
    }
}

/// The receive buffer of one connection and the place in it.
#[derive(Debug)]
pub struct Input {
    buffer: Vec<u8>,
    /// What is kept of the buffer while that is given away: bytes `..end` of it.
    kept: Vec<u8>,
    /// Bytes `start..end` of the buffer are yet to be read.
    start: usize,
    end: usize,
    /// Bytes of the connection before the buffer's first.
    before: u64,
    /// Where the packet before `start` begins, while the item after it is unknown.
    last_packet: Option<usize>,
    /// Bytes skipped so far in search of the next item.
    searching: Option<usize>,
    /// The channel of the packet that may have been cut short before that.
    after: Option<u8>,
    known: Known,
    /// A packet waits for what stands behind it.
    holding: bool,
    /// It waits no longer.
    let_go: bool,
    spoke: bool,
    capacity: usize,
    limits: Limits,
}

/// The largest interleaved item.
const LARGEST: usize = 4 + 0xffff;

/// What stands at a place.
enum Found {
    More,
    Blank,
    Packet(u8, usize),
    Head(usize, usize),
    Nothing,
}

impl Input {
    /// Empty. The buffer is allocated when first asked for.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            buffer: Vec::new(),
            kept: Vec::new(),
            start: 0,
            end: 0,
            before: 0,
            last_packet: None,
            searching: None,
            after: None,
            known: Known::default(),
            holding: false,
            let_go: false,
            spoke: false,
            capacity: limits.receive_buffer.max(2 * LARGEST + proof::BEHIND).max(limits.rtsp_head + LARGEST),
            limits: *limits,
        }
    }

    /// Bytes of the connection up to the place.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        Offset(self.before + self.start as u64)
    }

    /// Has the peer sent a message?
    #[must_use]
    pub const fn spoke(&self) -> bool {
        self.spoke
    }

    /// The bytes of an item.
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// The next item; `None` where more bytes are needed.
    ///
    /// # Errors
    ///
    /// `NotRtsp`, `HeadTooLong`, `BodyTooLong`, `LostFraming`. The input is of no use after an error.
    pub fn next(&mut self, expected: &Expected) -> Result<Option<Item>, Error> {
        loop {
            if self.searching.is_some() {
                return self.search(expected);
            }
            match self.look(expected)? {
                Found::More => return Ok(None),
                Found::Blank => self.start += 1,
                Found::Packet(channel, len) => {
                    let from = self.start + 4;
                    match self.judge(expected, channel, from, len) {
                        Verdict::Open => return Ok(None),
                        Verdict::Cut => {
                            self.last_packet = None;
                            self.searching = Some(0);
                            self.start = from;
                        }
                        Verdict::Whole => {
                            self.last_packet = Some(self.start);
                            self.start = from + len;
                            return Ok(Some(Item::Interleaved { channel, range: from..from + len }));
                        }
                    }
                }
                Found::Head(head, body) => return self.take_message(head, body),
                Found::Nothing if !self.spoke => return Err(self.error(Kind::NotRtsp)),
                Found::Nothing => {
                    // The last packet may have been cut short; what it swallowed is searched as well.
                    // This byte begins nothing, so the search never ends where it began.
                    self.after = self.last_packet.and_then(|at| self.buffer.get(at + 1).copied());
                    let swallowed =
                        self.last_packet.take().map(|at| at + 4).filter(|from| *from < self.start);
                    self.searching = Some(usize::from(swallowed.is_none()));
                    self.start = swallowed.unwrap_or(self.start + 1);
                }
            }
        }
    }

    /// Does a whole packet wait for the bytes behind it, which tell whether it was cut short?
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.holding
    }

    /// Such a packet has waited for long enough, or nothing more comes. Says whether there was one.
    pub const fn let_go(&mut self) -> bool {
        self.let_go = self.holding;
        self.holding
    }

    /// Is the packet of `len` bytes at `from` to be handed out?
    #[inline]
    fn judge(&mut self, expected: &Expected, channel: u8, from: usize, len: usize) -> Verdict {
        let packet = self.buffer.get(from..from + len).unwrap_or_default();
        let looked_through = match (expected.channels.as_slice(), packet) {
            // Those of RTCP have this bit too.
            ([_], [_, second, ..]) if !expected.thorough => {
                second & 0x80 != 0 || Expected::ends_in_report(&self.known, packet)
            }
            (any, _) => !any.is_empty(),
        };
        if looked_through { self.look_through(expected, channel, from, len) } else { Verdict::Whole }
    }

    #[cold]
    fn look_through(&mut self, expected: &Expected, channel: u8, from: usize, len: usize) -> Verdict {
        let bytes = self.buffer.get(from..self.end).unwrap_or_default();
        let (verdict, proved) = expected.judge(&mut self.known, channel, len, bytes);
        if verdict == Verdict::Cut {
            // Where its own beginning is not sure, the packet before it may have been cut short as well.
            self.after = self.last_packet.filter(|_| !proved).and_then(|at| self.buffer.get(at + 1).copied());
        }
        self.holding = verdict == Verdict::Open && !self.let_go;
        if self.holding {
            return Verdict::Open;
        }
        self.let_go = false;
        if verdict == Verdict::Open { Verdict::Whole } else { verdict }
    }

    fn error(&self, kind: Kind) -> Error {
        Error { kind, at: self.offset() }
    }

    /// What stands at the place, the item before it having ended there.
    fn look(&self, expected: &Expected) -> Result<Found, Error> {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        match bytes {
            [] => Ok(Found::More),
            [b'\r' | b'\n', ..] => Ok(Found::Blank),
            [b'$', channel, high, low, packet @ ..] => {
                let len = usize::from(u16::from_be_bytes([*high, *low]));
                match packet {
                    [] if len > 0 => Ok(Found::More),
                    // A channel that nobody set up is dropped elsewhere; if its packet is not RTP either, the place is lost.
                    [first, ..] if len > 0 && first >> 6 != 2 && expected.is_stray(*channel) => {
                        Ok(Found::Nothing)
                    }
                    _ if packet.len() < len => Ok(Found::More),
                    _ => Ok(Found::Packet(*channel, len)),
                }
            }
            [b'$', ..] => Ok(Found::More),
            _ => self.look_for_head(bytes),
        }
    }

    fn look_for_head(&self, bytes: &[u8]) -> Result<Found, Error> {
        if !starts_message(bytes) {
            return Ok(Found::Nothing);
        }
        let window = bytes.get(..self.limits.rtsp_head).unwrap_or(bytes);
        let Some(head) = head_len(window) else {
            return if window.len() < self.limits.rtsp_head {
                Ok(Found::More)
            } else {
                Err(self.error(Kind::HeadTooLong))
            };
        };
        let body = content_length(bytes.get(..head).unwrap_or_default());
        if body > self.limits.rtsp_body {
            return Err(self.error(Kind::BodyTooLong));
        }
        Ok(Found::Head(head, body))
    }

    fn take_message(&mut self, head: usize, body: usize) -> Result<Option<Item>, Error> {
        let (from, to) = (self.start + head, self.start + head + body);
        if self.end < to {
            // A message may be longer than the buffer; both its parts are bounded.
            self.capacity = self.capacity.max(head + body + LARGEST);
            return Ok(None);
        }
        let head = self.buffer.get(self.start..from).unwrap_or_default();
        let body = Bytes::copy_from_slice(self.buffer.get(from..to).unwrap_or_default());
        let speaks_version = speaks_version(head);
        let message = Message::parse(head, body).map_err(|e| self.error(e.kind))?;
        self.start = to;
        self.last_packet = None;
        self.spoke = true;
        Ok(Some(Item::Message { message, speaks_version }))
    }

    /// Goes on to the next place where an item stands whole and is followed by another.
    fn search(&mut self, expected: &Expected) -> Result<Option<Item>, Error> {
        let mut skipped = self.searching.unwrap_or(0);
        while self.start < self.end {
            match self.plausible(expected) {
                None => {
                    self.searching = Some(skipped);
                    return Ok(None);
                }
                Some(true) => {
                    self.searching = None;
                    return Ok(Some(Item::Skipped { bytes: skipped, after: self.after.take() }));
                }
                Some(false) => {
                    self.start += 1;
                    skipped += 1;
                    if skipped > self.limits.resync {
                        return Err(self.error(Kind::LostFraming));
                    }
                }
            }
        }
        self.searching = Some(skipped);
        Ok(None)
    }

    /// Is there an item at the place? `None` where that takes more bytes to say.
    fn plausible(&self, expected: &Expected) -> Option<bool> {
        let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
        match bytes {
            [b'$', channel, high, low, packet @ ..] => {
                let len = usize::from(u16::from_be_bytes([*high, *low]));
                if packet.len() < 2 {
                    return None;
                }
                if !expected.fits(*channel, len, packet) {
                    return Some(false);
                }
                let next = packet.get(len..).filter(|next| !next.is_empty())?;
                // One byte only, so that the answer does not depend on how the bytes were cut into reads.
                Some(matches!(next, [b'$' | b'\r' | b'\n' | b'A'..=b'Z', ..]))
            }
            [b'$', ..] => None,
            _ if KNOWN_STARTS.iter().any(|start| bytes.starts_with(start)) => {
                // The whole line is judged, as it will be when it is read: else the search would end here again and again.
                let window = bytes.get(..self.limits.rtsp_head).unwrap_or(bytes);
                let whole = window.contains(&b'\n') || window.len() == self.limits.rtsp_head;
                if whole || !starts_message(window) { Some(whole && starts_message(window)) } else { None }
            }
            _ if KNOWN_STARTS.iter().any(|start| start.starts_with(bytes)) => None,
            _ => Some(false),
        }
    }
}

/// How messages begin when one is searched among bytes of anything.
const KNOWN_STARTS: [&[u8]; 8] = [
    b"RTSP/1.0 ",
    b"OPTIONS ",
    b"ANNOUNCE rtsp",
    b"REDIRECT rtsp",
    b"TEARDOWN rtsp",
    b"GET_PARAMETER ",
    b"SET_PARAMETER ",
    b"DESCRIBE rtsp",
];

/// Can these bytes be the beginning of a start line? Judged on as many bytes as there are.
fn starts_message(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let token = line.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'_').count();
    match line.get(token) {
        None => token <= 20,
        Some(b'/') => line.starts_with(b"RTSP/") && printable(line),
        Some(b' ') => {
            let complete = line.len() < bytes.len();
            let version = line.windows(6).any(|w| w == b" RTSP/");
            (3..=20).contains(&token) && printable(line) && (version || !complete)
        }
        Some(_) => false,
    }
}

/// No control characters; bytes above ASCII are let through (status phrases in the camera's language).
fn printable(line: &[u8]) -> bool {
    line.iter().all(|b| *b >= 0x20 && *b != 0x7f || matches!(b, b'\t' | b'\r'))
}

/// Bytes up to and with the empty line. Some cameras end lines with `\n` alone.
fn head_len(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        if matches!(bytes.get(line_start..at), Some([] | [b'\r'])) {
            return Some(at + 1);
        }
        line_start = at + 1;
    }
    None
}

/// The first readable `Content-Length`, 0 where there is none.
fn content_length(head: &[u8]) -> usize {
    let lines = head.split(|b| *b == b'\n').filter_map(|line| core::str::from_utf8(line).ok());
    let values = lines.filter_map(|line| line.split_once(':'));
    let mut lengths = values
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("Content-Length"))
        .filter_map(|(_, value)| value.trim().parse::<u64>().ok());
    lengths.next().map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;
