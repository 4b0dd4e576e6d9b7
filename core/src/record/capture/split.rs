//! Where messages and packets begin and end in what a camera sent, for whoever has to change what is in them.

use alloc::vec::Vec;

use crate::limits::Limits;

/// What a run of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An interleaved packet with its four bytes of header.
    Packet,
    /// A whole message, head and body.
    Message,
    /// Neither, or not known to be.
    Unknown,
}

/// Of an interleaved packet (RFC 2326 §10.12) and of RTP (RFC 3550 §5.1).
const CUT_HEADERS: usize = 4 + 12;

/// Holds what is not whole yet.
#[derive(Debug)]
pub(super) struct Splitter {
    held: Vec<u8>,
    /// Framing was lost: a packet must look like one.
    lost: bool,
    head: usize,
    body: usize,
}

impl Splitter {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { held: Vec::new(), lost: false, head: limits.rtsp_head, body: limits.rtsp_body }
    }

    /// Takes bytes, and gives each run that is whole to `work`, then to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>, mut work: impl FnMut(Piece, &mut [u8])) {
        self.held.extend_from_slice(bytes);
        let mut at = 0;
        while let Some((piece, length)) = self.held.get(at..).and_then(|rest| self.first(rest)) {
            let end = (at + length).min(self.held.len());
            if let Some(run) = self.held.get_mut(at..end) {
                work(piece, run);
                out.extend_from_slice(run);
            }
            self.lost = piece == Piece::Unknown && (self.lost || length > 2);
            at = end;
        }
        self.held.drain(..at);
    }

    /// Nothing more comes, or not in time: what is held is taken as it is. Of a packet that was cut off, what can be its
    /// headers stays.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>, mut work: impl FnMut(Piece, &mut [u8])) {
        if self.held.first() == Some(&b'$') {
            work(Piece::Unknown, self.held.get_mut(CUT_HEADERS..).unwrap_or_default());
        } else if starts_message(&self.held) {
            work(Piece::Message, &mut self.held);
        } else {
            work(Piece::Unknown, &mut self.held);
        }
        out.append(&mut self.held);
    }

    /// The first run, where it is whole.
    fn first(&self, bytes: &[u8]) -> Option<(Piece, usize)> {
        match bytes {
            [] => None,
            // Empty lines between messages.
            [b'\r' | b'\n', ..] => Some((Piece::Unknown, 1)),
            [b'$', _, high, low, packet @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                if self.lost && *packet.first()? >> 6 != 2 {
                    return Some((Piece::Unknown, 1));
                }
                (packet.len() >= length).then_some((Piece::Packet, 4 + length))
            }
            [b'$', ..] => None,
            _ if starts_message(bytes) => self.message(bytes),
            _ => {
                let next = bytes.iter().skip(1).position(|b| *b == b'$' || b.is_ascii_uppercase());
                Some((Piece::Unknown, next.map_or(bytes.len(), |next| next + 1)))
            }
        }
    }

    fn message(&self, bytes: &[u8]) -> Option<(Piece, usize)> {
        let window = bytes.get(..self.head).unwrap_or(bytes);
        let Some(head) = head_len(window) else {
            return (window.len() == self.head).then_some((Piece::Unknown, window.len()));
        };
        let body = content_length(bytes.get(..head).unwrap_or_default());
        if body > self.body {
            return Some((Piece::Unknown, head));
        }
        (bytes.len() >= head + body).then_some((Piece::Message, head + body))
    }
}

/// Can this be the start line of a message? Judged on as many bytes as there are.
fn starts_message(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let token = line.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'_').count();
    let printable = line.iter().all(|b| *b >= 0x20 && *b != 0x7f || matches!(b, b'\t' | b'\r'));
    match line.get(token) {
        None => (1..=20).contains(&token),
        Some(b' ' | b'/') => (3..=20).contains(&token) && printable,
        Some(_) => false,
    }
}

fn head_len(bytes: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        if matches!(bytes.get(line..at), Some([] | [b'\r'])) {
            return Some(at + 1);
        }
        line = at + 1;
    }
    None
}

fn content_length(head: &[u8]) -> usize {
    let lines = head.split(|b| *b == b'\n').filter_map(|line| core::str::from_utf8(line).ok());
    let fields = lines.filter_map(|line| line.split_once(':'));
    let mut lengths = fields
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("Content-Length"))
        .filter_map(|(_, value)| value.trim().parse::<usize>().ok());
    lengths.next().unwrap_or(0)
}
