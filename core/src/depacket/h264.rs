//! RTP payloads of H.264, RFC 6184 §5.

use super::payload::{Aggregation, Layout, Payload, Piece};

const STAP_A: u8 = 24;
const STAP_B: u8 = 25;
const MTAP16: u8 = 26;
const MTAP24: u8 = 27;
const FU_A: u8 = 28;
const FU_B: u8 = 29;

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
        STAP_A => aggregation(Layout::Plain, rest),
        STAP_B => aggregation(Layout::Counted, rest),
        MTAP16 => aggregation(Layout::Timed { offset: 2 }, rest),
        MTAP24 => aggregation(Layout::Timed { offset: 3 }, rest),
        kind @ (FU_A | FU_B) => fragment(first, rest, kind == FU_B),
        // PACSI and NI-MTAP of RFC 6190 §4.
        30 | 31 => Payload::Unsupported,
        _ => Payload::Bad,
    }
}

fn aggregation(layout: Layout, rest: &[u8]) -> Payload<'_> {
    Aggregation::new(layout, rest).map_or(Payload::Bad, Payload::Aggregation)
}

/// §5.8.
fn fragment(indicator: u8, rest: &[u8], numbered: bool) -> Payload<'_> {
    let Some((&fu, mut body)) = rest.split_first() else { return Payload::Empty };
    let (unit_type, start) = (fu & 0x1f, fu & 0x80 != 0);
    // A FU-B is the first fragment, those behind it are FU-A.
    if !matches!(unit_type, 1..=23) || numbered && !start {
        return Payload::Bad;
    }
    let mut order = None;
    if numbered {
        let Some((number, after)) = body.split_first_chunk() else { return Payload::Bad };
        (order, body) = (Some(u16::from_be_bytes(*number)), after);
    }
    Payload::Piece(Piece {
        header: [indicator & 0xe0 | unit_type, 0],
        header_length: 1,
        unit_type,
        start,
        end: fu & 0x40 != 0,
        // "MUST be ignored by the receiver"; HeroSpeed sets it.
        reserved: fu & 0x20 != 0,
        order,
        body,
    })
}
