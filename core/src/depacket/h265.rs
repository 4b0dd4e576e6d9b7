//! RTP payloads of H.265, RFC 7798 §4.4.

use super::payload::{Aggregation, Layout, Parted, Payload, Piece};

const AP: u8 = 48;
const FU: u8 = 49;
const PACI: u8 = 50;

/// Told apart by the type in the payload header, RFC 7798 §4.2. `numbered`: with DONL and DOND, which are there where
/// `sprop-max-don-diff` is above 0.
#[inline]
pub(super) fn read(payload: &[u8], numbered: bool) -> Payload<'_> {
    let Some((&header, rest)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Payload::Empty } else { Payload::Bad };
    };
    // forbidden_zero_bit, §1.1.4.
    if header[0] & 0x80 != 0 {
        return Payload::Bad;
    }
    match unit_type(header) {
        0..AP if !numbered => Payload::Single(payload),
        PACI => paci(header, rest, numbered),
        _ => plain(header, rest, numbered),
    }
}

const fn unit_type(header: [u8; 2]) -> u8 {
    header[0] >> 1 & 0x3f
}

/// What is behind a payload header that is no PACI's.
fn plain(header: [u8; 2], rest: &[u8], numbered: bool) -> Payload<'_> {
    match unit_type(header) {
        0..AP if !numbered => Payload::Parted(Parted { header, order: None, body: rest }),
        // §4.4.1: the number is between header and payload.
        0..AP => number(rest).map_or(Payload::Bad, |(order, body)| {
            Payload::Parted(Parted { header, order: Some(order), body })
        }),
        AP => {
            let layout = if numbered { Layout::Differing } else { Layout::Plain };
            Aggregation::new(layout, rest).map_or(Payload::Bad, Payload::Aggregation)
        }
        FU => fragment(header, rest, numbered),
        _ => Payload::Bad,
    }
}

/// §4.4.3.
fn fragment([first, second]: [u8; 2], rest: &[u8], numbered: bool) -> Payload<'_> {
    let Some((&fu, mut body)) = rest.split_first() else { return Payload::Empty };
    let (unit_type, start) = (fu & 0x3f, fu & 0x80 != 0);
    if unit_type >= AP {
        return Payload::Bad;
    }
    let mut order = None;
    // DONL is in the first fragment alone.
    if numbered && start {
        let Some((number, after)) = number(body) else { return Payload::Bad };
        (order, body) = (Some(number), after);
    }
    Payload::Piece(Piece {
        header: [first & 0x81 | unit_type << 1, second],
        header_length: 2,
        unit_type,
        start,
        end: fu & 0x40 != 0,
        reserved: false,
        order,
        body,
    })
}

/// §4.4.4: what it wraps is read as if it stood alone, with F from the A bit, the type from cType, and layer and temporal
/// id from the PACI's own header; the extension (PHES, §4.5: TSCI) is no part of any NAL unit.
fn paci([first, second]: [u8; 2], rest: &[u8], numbered: bool) -> Payload<'_> {
    let Some((&[a, b], rest)) = rest.split_first_chunk() else { return Payload::Bad };
    let fields = u16::from_be_bytes([a, b]);
    let (forbidden, inner, extension) = (fields >> 15, (fields >> 9 & 0x3f) as u8, fields >> 4 & 0x1f);
    let Some((_, body)) = rest.split_at_checked(usize::from(extension)) else { return Payload::Bad };
    // A PACI holds no other.
    if forbidden != 0 || inner == PACI {
        return Payload::Bad;
    }
    plain([first & 0x81 | inner << 1, second], body, numbered)
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    bytes.split_first_chunk().map(|(number, rest)| (u16::from_be_bytes(*number), rest))
}
