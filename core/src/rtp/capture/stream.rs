//! A stream of bytes that holds RTP: RTSP with interleaved packets, or RFC 4571 framing.

use bytes::{Buf as _, Bytes, BytesMut};

use super::Format;
use crate::limits::Limits;
use crate::octets::Reader;

/// Frames in a row that prove a framing.
const PROOF: usize = 4;
/// Bytes that are waited for before a framing is searched for inside them.
const SEARCH: usize = 128 << 10;
/// Of those, kept for the next search: a run of frames may have begun there.
const KEPT: usize = 64 << 10;
/// Bytes without any framing after which the stream is something else.
const HOPELESS: usize = 4 << 20;

/// Something found in the stream.
pub(super) enum Piece {
    Packet { channel: Option<u8>, bytes: Bytes },
    Sdp(Bytes),
}

/// Takes the framing off.
#[derive(Debug)]
pub(super) struct Stream {
    input: BytesMut,
    state: State,
    head: usize,
    body: usize,
    broken: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Which framing, and where it starts, is not known (any more); so many bytes were searched.
    Lost {
        searched: usize,
    },
    Framed(Format),
    /// Neither.
    Ignored,
}

/// Tells the framing of a stream by its beginning.
pub(super) fn detect(start: &[u8]) -> Option<Format> {
    if is_message(start) {
        return Some(Format::Interleaved);
    }
    [Format::Interleaved, Format::Bare].into_iter().find(|format| frames(*format, start).proves(true))
}

impl Stream {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            input: BytesMut::new(),
            state: State::Lost { searched: 0 },
            head: limits.rtsp_head,
            body: limits.rtsp_body,
            broken: 0,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !matches!(self.state, State::Ignored) {
            self.input.extend_from_slice(bytes);
        }
    }

    /// Bytes are missing here.
    pub(super) fn gap(&mut self) {
        if let State::Framed(_) = self.state {
            self.lose();
        }
        // What is left of a frame has no end any more.
        self.input.clear();
    }

    /// Bytes of a frame or message whose rest has not come.
    pub(super) fn left(&self) -> usize {
        self.input.len()
    }

    /// How often the framing was lost.
    pub(super) const fn broken(&self) -> u64 {
        self.broken
    }

    /// The next piece; `None` where bytes are missing. `ended`: no more come.
    pub(super) fn next(&mut self, ended: bool) -> Option<Piece> {
        loop {
            match self.state {
                State::Ignored => return None,
                State::Lost { searched } => self.find(searched, ended)?,
                State::Framed(format) => match one(format, &self.input, self.head, self.body) {
                    One::Missing => return None,
                    One::Broken => self.lose(),
                    One::Message { length, sdp } => {
                        let message = self.input.split_to(length).freeze();
                        if let Some(from) = sdp {
                            return Some(Piece::Sdp(message.slice(from..)));
                        }
                    }
                    One::Frame { header, length } => {
                        let channel = self.input.get(1).copied().filter(|_| format == Format::Interleaved);
                        self.input.advance(header);
                        let bytes = self.input.split_to(length).freeze();
                        return Some(Piece::Packet { channel, bytes });
                    }
                },
            }
        }
    }

    /// What stands first is no frame: the search goes on behind it.
    fn lose(&mut self) {
        self.broken += 1;
        self.input.advance(self.input.len().min(1));
        self.state = State::Lost { searched: 0 };
    }

    /// Looks for a place where a framing starts; `None` where bytes are missing.
    fn find(&mut self, searched: usize, ended: bool) -> Option<()> {
        // At the very start no proof is waited for where a message stands.
        if is_message(&self.input) {
            self.state = State::Framed(Format::Interleaved);
            return Some(());
        }
        let formats = [Format::Interleaved, Format::Bare];
        let here = formats.map(|format| frames(format, &self.input));
        if let Some(at) = here.iter().position(|run| run.proves(ended)) {
            self.state = State::Framed(*formats.get(at)?);
            return Some(());
        }
        if self.input.is_empty() || !ended && self.input.len() < SEARCH {
            return None;
        }
        let found = (1..self.input.len()).find_map(|at| {
            let rest = self.input.get(at..)?;
            let format = match rest.first()? {
                b'$' => Format::Interleaved,
                b'R' if rest.starts_with(b"RTSP/1.") => return Some((at, Format::Interleaved)),
                _ => Format::Bare,
            };
            frames(format, rest).proves(false).then_some((at, format))
        });
        if let Some((at, format)) = found {
            self.input.advance(at);
            self.state = State::Framed(format);
            return Some(());
        }
        if ended || searched > HOPELESS {
            self.input = BytesMut::new();
            self.state = State::Ignored;
            return None;
        }
        let beyond = self.input.len().saturating_sub(KEPT);
        self.input.advance(beyond);
        self.state = State::Lost { searched: searched + beyond };
        None
    }
}

/// Frames that follow each other.
struct Run {
    count: usize,
    /// Nothing speaks against it up to the end of the bytes.
    fits: bool,
}

impl Run {
    const fn proves(&self, ended: bool) -> bool {
        self.count >= PROOF || ended && self.fits && self.count > 0
    }
}

/// How many frames of RTP or RTCP `bytes` start with, up to what is proof.
fn frames(format: Format, bytes: &[u8]) -> Run {
    let mut r = Reader::new(bytes);
    let mut count = 0;
    while count < PROOF && r.left() > 0 {
        if count > 0 && format == Format::Interleaved && is_message(r.rest()) {
            break;
        }
        let dollar =
            format != Format::Interleaved || r.u8() == Some(b'$') && (r.left() == 0 || r.u8().is_some());
        if !dollar {
            return Run { count, fits: false };
        }
        let Some(length) = r.u16() else { break };
        // RTP's header is 12 bytes, an RTCP goodbye is 8. RFC 4571 allows empty frames.
        let (version, room) = (r.rest().first().map(|b| b >> 6), usize::from(length));
        let plausible = room >= 8 && version.is_none_or(|version| version == 2);
        if !plausible {
            return Run { count, fits: false };
        }
        if r.take(room).is_none() {
            break;
        }
        count += 1;
    }
    Run { count, fits: true }
}

/// Does an RTSP message start here?
fn is_message(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"RTSP/1.") {
        return true;
    }
    let line = bytes.get(..bytes.len().min(2_048)).unwrap_or(bytes);
    let line = line.split(|b| *b == b'\r' || *b == b'\n').next().unwrap_or(line);
    let method = line.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'_').count();
    (3..=20).contains(&method) && line.get(method) == Some(&b' ') && line.ends_with(b" RTSP/1.0")
}

enum One {
    Missing,
    Broken,
    Message { length: usize, sdp: Option<usize> },
    Frame { header: usize, length: usize },
}

/// What stands at the beginning of `bytes`.
fn one(format: Format, bytes: &[u8], head: usize, body: usize) -> One {
    let (header, length) = match (format, bytes) {
        (_, []) => return One::Missing,
        (Format::Interleaved, [b'$', _, a, b, ..]) => (4, u16::from_be_bytes([*a, *b])),
        (Format::Interleaved, [b'$', ..]) => return One::Missing,
        (Format::Interleaved, _) => return message(bytes, head, body),
        (_, [a, b, ..]) => (2, u16::from_be_bytes([*a, *b])),
        (_, [_]) => return One::Missing,
    };
    let length = usize::from(length);
    if bytes.get(header).is_some_and(|first| length > 0 && first >> 6 != 2) {
        return One::Broken;
    }
    if bytes.len() < header + length {
        return One::Missing;
    }
    One::Frame { header, length }
}

/// An RTSP message, of which only the length and the SDP matter.
fn message(bytes: &[u8], head: usize, body: usize) -> One {
    // Empty lines may come before a message, RFC 2326 §4.1.
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    if blank > 0 {
        return One::Message { length: blank, sdp: None };
    }
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        let texty = bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | b'\t' | 0x20..=0x7e));
        return if bytes.len() > head || !texty { One::Broken } else { One::Missing };
    };
    let start = bytes.get(..end).unwrap_or(bytes);
    if end > head || !start.iter().all(|b| matches!(b, b'\r' | b'\n' | b'\t' | 0x20..)) {
        return One::Broken;
    }
    let value = |name: &str| {
        start.split(|b| *b == b'\n').find_map(|line| {
            let (key, value) = line.split_at_checked(line.iter().position(|b| *b == b':')?)?;
            key.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(|| value.get(1..))?
        })
    };
    let length = value("content-length")
        .and_then(|v| core::str::from_utf8(v.trim_ascii()).ok()?.parse::<usize>().ok())
        .unwrap_or(0);
    if length > body {
        return One::Broken;
    }
    let from = end + 4;
    if bytes.len() < from + length {
        return One::Missing;
    }
    let is_sdp = value("content-type")
        .is_some_and(|v| v.trim_ascii().to_ascii_lowercase().starts_with(b"application/sdp"));
    One::Message { length: from + length, sdp: (is_sdp && length > 0).then_some(from) }
}
