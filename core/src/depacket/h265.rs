//! RTP payloads of H.265, RFC 7798 §4.4, without decoding order numbers (`sprop-max-don-diff` 0).

use super::rtp::{Payload, Piece};

const AP: u8 = 48;
const FU: u8 = 49;
const PACI: u8 = 50;

/// Told apart by the type in the payload header, RFC 7798 §4.2.
#[inline]
pub(super) fn read(payload: &[u8]) -> Payload<'_> {
    let Some((&[first, second], rest)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Payload::Empty } else { Payload::Bad };
    };
    // forbidden_zero_bit, §1.1.4.
    if first & 0x80 != 0 {
        return Payload::Bad;
    }
    match first >> 1 & 0x3f {
        0..=47 => Payload::Single(payload),
        AP => Payload::Aggregation(rest),
        FU => {
            let Some((&fu, body)) = rest.split_first() else { return Payload::Empty };
            let unit_type = fu & 0x3f;
            if unit_type >= AP {
                return Payload::Bad;
            }
            Payload::Piece(Piece {
                header: [first & 0x81 | unit_type << 1, second],
                header_length: 2,
                unit_type,
                start: fu & 0x80 != 0,
                end: fu & 0x40 != 0,
                reserved: false,
                body,
            })
        }
        PACI => Payload::Unsupported,
        _ => Payload::Bad,
    }
}
