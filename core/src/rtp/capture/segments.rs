//! The segments of one direction of a TCP connection, in order and each byte once.

use alloc::vec::Vec;
use bytes::{Buf as _, Bytes};

use super::stream::Stream;
use crate::limits::Limits;

/// A sequence number further away than this is another connection's.
const FAR: i32 = 16 << 20;
/// A SYN this little behind is the same one, sent again.
const NEAR: i32 = 64 << 10;

/// Puts segments in order.
#[derive(Debug)]
pub(super) struct Segments {
    next: Option<u32>,
    /// Segments that came too early, in order.
    waiting: Vec<(u32, Bytes)>,
    waiting_bytes: usize,
    cap: usize,
}

impl Segments {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { next: None, waiting: Vec::new(), waiting_bytes: 0, cap: limits.receive_buffer }
    }

    /// Takes a segment and gives `stream` what is in order now. What is missing is waited for until `receive_buffer`
    /// bytes have come after it: the capture has not seen it, or it was never there.
    pub(super) fn push(&mut self, sequence: u32, start: bool, mut payload: Bytes, stream: &mut Stream) {
        let sequence = if start { sequence.wrapping_add(1) } else { sequence };
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next) as i32;
        if start && !(-NEAR..=0).contains(&ahead) || ahead.saturating_abs() > FAR {
            self.flush(stream);
            stream.gap();
            self.next = Some(sequence);
        } else if ahead < 0 {
            // Sent again.
            payload.advance((ahead.unsigned_abs() as usize).min(payload.len()));
        } else if ahead > 0 {
            self.wait(sequence, payload);
            while self.waiting_bytes > self.cap {
                self.jump(stream);
            }
            return;
        }
        self.deliver(&payload, stream);
        self.drain(stream);
    }

    /// Gives what waits, whatever is missing.
    pub(super) fn flush(&mut self, stream: &mut Stream) {
        while !self.waiting.is_empty() {
            self.jump(stream);
        }
    }

    fn wait(&mut self, sequence: u32, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        let at = self.waiting.partition_point(|(other, _)| (sequence.wrapping_sub(*other) as i32) > 0);
        self.waiting_bytes += payload.len();
        self.waiting.insert(at, (sequence, payload));
    }

    /// Gives up what is missing.
    fn jump(&mut self, stream: &mut Stream) {
        if let Some((sequence, _)) = self.waiting.first() {
            self.next = Some(*sequence);
            stream.gap();
        }
        self.drain(stream);
    }

    fn deliver(&mut self, payload: &[u8], stream: &mut Stream) {
        stream.push(payload);
        self.next = self.next.map(|next| next.wrapping_add(payload.len() as u32));
    }

    fn drain(&mut self, stream: &mut Stream) {
        while let (Some(next), Some((sequence, _))) = (self.next, self.waiting.first()) {
            let ahead = sequence.wrapping_sub(next) as i32;
            if ahead > 0 {
                return;
            }
            let (_, mut payload) = self.waiting.remove(0);
            self.waiting_bytes -= payload.len();
            payload.advance((ahead.unsigned_abs() as usize).min(payload.len()));
            self.deliver(&payload, stream);
        }
    }
}
