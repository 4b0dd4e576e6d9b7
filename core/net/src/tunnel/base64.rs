//! Base64 in a tunnel: piece by piece, each padded by itself, wherever the network cuts.

use std::io;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, BytesMut};

/// Appends a piece, padded: a server decodes it without waiting for more.
pub(super) fn encode(piece: &[u8], out: &mut BytesMut) {
    // The alphabet is ASCII, and the capacity is the encoder's own.
    out.extend_from_slice(STANDARD.encode(piece).as_bytes());
}

/// Decodes a stream of pieces. Padding may stand between them: FFmpeg and GStreamer encode each request by itself.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bits: u32,
    /// Digits in `bits`, 0 to 3.
    digits: u8,
}

impl Decoder {
    /// Appends what `bytes` stand for. White space is skipped: some clients break lines.
    pub(super) fn decode(&mut self, bytes: &[u8], out: &mut BytesMut) -> io::Result<()> {
        for &b in bytes {
            let digit = match b {
                b'A'..=b'Z' => b - b'A',
                b'a'..=b'z' => b - b'a' + 26,
                b'0'..=b'9' => b - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => {
                    self.finish(out);
                    continue;
                }
                b'\r' | b'\n' | b' ' | b'\t' => continue,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            };
            self.bits = self.bits << 6 | u32::from(digit);
            self.digits += 1;
            if self.digits == 4 {
                let [_, a, b, c] = self.bits.to_be_bytes();
                out.put_slice(&[a, b, c]);
                (self.bits, self.digits) = (0, 0);
            }
        }
        Ok(())
    }

    /// The end of a piece; a second `=` finds nothing left.
    fn finish(&mut self, out: &mut BytesMut) {
        let [a, b, ..] = (self.bits << (32 - 6 * u32::from(self.digits.max(1)))).to_be_bytes();
        match self.digits {
            2 => out.put_slice(&[a]),
            3 => out.put_slice(&[a, b]),
            _ => {}
        }
        (self.bits, self.digits) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pieces_come_back_however_they_are_cut() {
        let all: Vec<u8> = (0..=255).collect();
        let mut wire = BytesMut::new();
        for piece in [&all[..1], &all[1..3], &all[3..6], &all[6..]] {
            encode(piece, &mut wire);
        }
        for size in 1..=wire.len() {
            let (mut decoder, mut out) = (Decoder::default(), BytesMut::new());
            for part in wire.chunks(size) {
                decoder.decode(part, &mut out).unwrap();
                decoder.decode(b"\r\n", &mut out).unwrap();
            }
            assert_eq!(out, all, "{size}");
        }
        assert!(Decoder::default().decode(b"OPTIONS *", &mut BytesMut::new()).is_err());
    }
}
