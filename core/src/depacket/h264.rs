//! RTP payloads of H.264, RFC 6184 §5.

use super::rtp::{Payload, Piece};

const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// Told apart by the first byte, RFC 6184 table 1.
#[inline]
pub(super) fn read(payload: &[u8]) -> Payload<'_> {
    let Some((&first, rest)) = payload.split_first() else { return Payload::Empty };
    // forbidden_zero_bit: "bit errors or other syntax violations", §1.3.
    if first & 0x80 != 0 {
        return Payload::Bad;
    }
    match first & 0x1f {
        1..=23 => Payload::Single(payload),
        // A start code before the NAL unit: the assembler splits there.
        0 if matches!(rest, [0, 1, ..] | [0, 0, 1, ..]) => Payload::Single(payload),
        STAP_A => Payload::Aggregation(rest),
        FU_A => {
            let Some((&fu, body)) = rest.split_first() else { return Payload::Empty };
            let unit_type = fu & 0x1f;
            if !matches!(unit_type, 1..=23) {
                return Payload::Bad;
            }
            Payload::Piece(Piece {
                header: [first & 0xe0 | unit_type, 0],
                header_length: 1,
                unit_type,
                start: fu & 0x80 != 0,
                end: fu & 0x40 != 0,
                // §5.8: "MUST be ignored by the receiver"; HeroSpeed sets it.
                reserved: fu & 0x20 != 0,
                body,
            })
        }
        // STAP-B, MTAP16, MTAP24, FU-B: the interleaved mode, §6.4.
        25..=27 | 29 => Payload::Unsupported,
        _ => Payload::Bad,
    }
}
