//! What an RTP payload holds, of either codec.

use super::{h264, h265};
use crate::h26x::Codec;
use crate::octets::Reader;

/// What an RTP payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    /// One NAL unit.
    Single(&'a [u8]),
    /// One NAL unit whose header stands apart from the rest: a decoding order number is between them, or a PACI around.
    Parted(Parted<'a>),
    /// NAL units, each behind its length.
    Aggregation(Aggregation<'a>),
    /// A piece of a NAL unit.
    Piece(Piece<'a>),
    /// A structure that is not read.
    Unsupported,
    /// What the RFC does not allow.
    Bad,
    /// Nothing.
    Empty,
}

/// A NAL unit of H.265 in two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parted<'a> {
    pub(super) header: [u8; 2],
    /// Its decoding order number.
    pub(super) order: Option<u16>,
    pub(super) body: &'a [u8],
}

/// A fragment of a NAL unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// The header of the NAL unit, put together from the payload's and the fragment's.
    pub(super) header: [u8; 2],
    /// How many bytes of it count: 1 or 2.
    pub(super) header_length: usize,
    pub(super) unit_type: u8,
    pub(super) start: bool,
    pub(super) end: bool,
    pub(super) reserved: bool,
    /// The decoding order number of the NAL unit, on its first fragment: FU-B, or DONL.
    pub(super) order: Option<u16>,
    pub(super) body: &'a [u8],
}

/// How the NAL units of an aggregation packet are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Lengths alone: STAP-A, RFC 6184 §5.7.1; AP, RFC 7798 §4.4.2.
    Plain,
    /// Numbers that follow each other from the first on: STAP-B, RFC 6184 §5.7.1.
    Counted,
    /// A difference to the base and an offset in time, in so many bytes, for each: MTAP16 and MTAP24, RFC 6184 §5.7.2.
    Timed { offset: usize },
    /// A difference to the one before, less 1, for each but the first: AP with DONL and DOND, RFC 7798 §4.4.2.
    Differing,
}

/// What an aggregation packet holds, and the NAL units that are still to be read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aggregation<'a> {
    pub(super) layout: Layout,
    /// The number of the next unit, or the base of all.
    order: u16,
    first: bool,
    pub(super) rest: &'a [u8],
}

/// One NAL unit of an aggregation packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) order: Option<u16>,
    /// Ticks behind the packet's timestamp.
    pub(super) later: u32,
    pub(super) nal: &'a [u8],
}

impl<'a> Aggregation<'a> {
    /// `None` where there is no room for the number.
    pub(super) fn new(layout: Layout, bytes: &'a [u8]) -> Option<Self> {
        if layout == Layout::Plain {
            return Some(Self { layout, order: 0, first: true, rest: bytes });
        }
        let (order, rest) = bytes.split_first_chunk()?;
        Some(Self { layout, order: u16::from_be_bytes(*order), first: true, rest })
    }

    /// The next NAL unit, which may be of no bytes; `None` where there is none that is whole, `rest` is then what was
    /// not read.
    pub(super) fn next(&mut self) -> Option<Member<'a>> {
        let mut r = Reader::new(self.rest);
        let mut order = self.order;
        if self.layout == Layout::Differing && !self.first {
            order = order.wrapping_add(u16::from(r.u8()?)).wrapping_add(1);
        }
        let length = r.u16()?;
        let mut later = 0;
        if let Layout::Timed { offset } = self.layout {
            order = order.wrapping_add(u16::from(r.u8()?));
            later = if offset == 2 { u32::from(r.u16()?) } else { r.u24()? };
        }
        let nal = r.take(usize::from(length))?;
        self.rest = r.rest();
        self.first = false;
        self.order = match self.layout {
            Layout::Counted => order.wrapping_add(1),
            Layout::Differing => order,
            Layout::Plain | Layout::Timed { .. } => self.order,
        };
        Some(Member { order: (self.layout != Layout::Plain).then_some(order), later, nal })
    }
}

impl Piece<'_> {
    /// Is something about it what a fragment should not be?
    #[inline]
    pub(super) const fn is_odd(&self) -> bool {
        self.reserved || self.body.is_empty() || self.start && self.end
    }
}

impl Payload<'_> {
    /// Does it say a decoding order number?
    pub(super) const fn is_numbered(&self) -> bool {
        match self {
            Self::Parted(parted) => parted.order.is_some(),
            Self::Aggregation(units) => !matches!(units.layout, Layout::Plain),
            Self::Piece(piece) => piece.order.is_some(),
            _ => false,
        }
    }
}

/// How a codec's payloads are read. `numbered`: the SDP says that H.265 payloads have decoding order numbers; those of
/// H.264 say it themselves.
pub(super) fn read(codec: Codec, payload: &[u8], numbered: bool) -> Payload<'_> {
    match codec {
        Codec::H264 => h264::read(payload),
        Codec::H265 => h265::read(payload, numbered),
    }
}
