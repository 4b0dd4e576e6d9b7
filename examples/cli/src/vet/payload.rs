//! RTP payloads to NAL units, by the letter: RFC 6184 §5 and RFC 7798 §4.4.

mod units;

use vigie::codec::Codec;
use vigie::depacket::Packetization;
use vigie::h26x::{Nal, NalKind, h265};

use super::finding::{Findings, Place};
use super::rule::Rule;
use units::{Layout, walks};

pub(super) use units::codec_of;

/// Bytes of one NAL unit that are kept, at most.
const LONGEST: usize = 8 << 20;

/// A NAL unit with its way here.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    /// Its first packet.
    pub(super) place: Place,
    /// Another NAL unit came before it in the same packet.
    pub(super) behind: bool,
}

/// What becomes of a payload.
pub(super) enum Unpacked {
    /// A NAL unit of several packets begins.
    Begins,
    /// A NAL unit, whole.
    Nal(Received),
    /// The NAL unit begun before goes on in a packet of its own.
    Continues,
    /// Something of the stream could not be read.
    Lost,
}

/// Where NAL units go.
type Sink<'a> = dyn FnMut(Unpacked, &mut Findings) + 'a;

/// A NAL unit whose fragments are coming.
#[derive(Debug)]
struct Open {
    bytes: Vec<u8>,
    place: Place,
    unit_type: u8,
    last: usize,
}

/// How the last fragmented NAL unit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Closed {
    timestamp: Option<u32>,
    unit_type: u8,
    /// Bytes of its last fragment.
    last: usize,
}

/// One fragment.
struct Fragment<'a> {
    header: [u8; 2],
    unit_type: u8,
    start: bool,
    end: bool,
    body: &'a [u8],
}

/// One stream's payloads.
pub(super) struct Payloads {
    codec: Codec,
    mode: Option<u8>,
    /// The description speaks of decoding order numbers; `None` where there is no description.
    declared: Option<bool>,
    /// They are there.
    numbered: bool,
    open: Option<Open>,
    closed: Option<Closed>,
    /// The largest fragment: those in the middle are as large.
    largest: usize,
    /// Fragments without a start are no surprise.
    after_gap: bool,
    /// The rest of this NAL unit is dropped: of which the end came too early.
    dropping: bool,
}

impl Payloads {
    pub(super) fn new(codec: Codec, declared: Option<Packetization>) -> Self {
        let order = declared.map(|declared| declared.order.is_some());
        Self {
            codec,
            mode: declared.and_then(|declared| declared.mode),
            declared: order,
            numbered: order.unwrap_or(false),
            open: None,
            closed: None,
            largest: 0,
            after_gap: true,
            dropping: false,
        }
    }

    /// Packets are missing here.
    pub(super) fn gap(&mut self) {
        (self.open, self.closed, self.after_gap, self.dropping) = (None, None, true, false);
    }

    pub(super) fn push(
        &mut self,
        payload: &[u8],
        marker: bool,
        place: Place,
        f: &mut Findings,
        sink: &mut Sink<'_>,
    ) {
        let header = self.codec.nal_header();
        if payload.len() < header {
            f.add(Rule::FragmentEmpty, place, || "an empty payload".to_owned());
            return;
        }
        let mut first = payload[0];
        if first & 0x80 != 0 {
            f.add(Rule::NalForbiddenBit, place, || format!("first byte {first:02x}"));
            first &= 0x7f;
        }
        match self.codec {
            Codec::H264 => self.h264(first, payload, place, f, sink),
            Codec::H265 => self.h265([first, payload[1]], payload, place, f, sink),
        }
        // A picture that has ended goes on with no fragment.
        if marker && self.open.is_none() {
            self.closed = None;
        }
    }

    fn h264(&mut self, first: u8, payload: &[u8], place: Place, f: &mut Findings, sink: &mut Sink<'_>) {
        let kind = first & 0x1f;
        let rest = &payload[1..];
        if matches!(kind, 0 | 30 | 31) {
            f.add(Rule::NalReserved, place, || format!("payload type {kind}"));
            self.gap();
            return sink(Unpacked::Lost, f);
        }
        match (self.mode, kind) {
            (Some(0), 24..=29) => {
                f.add(Rule::PacketizationMode, place, || {
                    format!("payload type {kind} in packetization-mode 0")
                });
            }
            (Some(2), 1..=24) => {
                f.add(Rule::DonMissing, place, || format!("payload type {kind} in packetization-mode 2"));
            }
            (Some(1), 25..=27 | 29) => {
                f.add(Rule::DonUnexpected, place, || format!("payload type {kind} in packetization-mode 1"));
            }
            _ => {}
        }
        if !matches!(kind, 28 | 29) {
            self.interrupt(place, f, sink);
        }
        match kind {
            1..=23 => {
                let bytes = [&[first], rest].concat();
                sink(Unpacked::Nal(Received { bytes, place, behind: false }), f);
            }
            24 => self.units(rest, Layout::plain(), Some(first), place, f, sink),
            25 => self.units(rest, Layout { base: 2, ..Layout::plain() }, Some(first), place, f, sink),
            26 => self.units(
                rest,
                Layout { base: 2, after_size: 3, ..Layout::plain() },
                Some(first),
                place,
                f,
                sink,
            ),
            27 => self.units(
                rest,
                Layout { base: 2, after_size: 4, ..Layout::plain() },
                Some(first),
                place,
                f,
                sink,
            ),
            _ => {
                let Some((&fu, body)) = rest.split_first() else {
                    return f.add(Rule::FragmentEmpty, place, || "no fragmentation header".to_owned());
                };
                if fu & 0x20 != 0 {
                    f.add(Rule::FragmentReserved, place, || format!("fragmentation header {fu:02x}"));
                }
                let number = if kind == 29 { 2 } else { 0 };
                let fragment = Fragment {
                    header: [first & 0x60 | fu & 0x1f, 0],
                    unit_type: fu & 0x1f,
                    start: fu & 0x80 != 0,
                    end: fu & 0x40 != 0,
                    body: body.get(number..).unwrap_or_default(),
                };
                self.fragment(&fragment, place, f, sink);
            }
        }
    }

    fn h265(&mut self, header: [u8; 2], payload: &[u8], place: Place, f: &mut Findings, sink: &mut Sink<'_>) {
        let kind = header[0] >> 1 & 0x3f;
        let rest = &payload[2..];
        if header[1] & 7 == 0 {
            f.add(Rule::NalTemporalId, place, || "nuh_temporal_id_plus1 is 0".to_owned());
        }
        if kind > 50 {
            f.add(Rule::NalReserved, place, || format!("payload type {kind}"));
            self.gap();
            return sink(Unpacked::Lost, f);
        }
        // What PACI wraps may be a fragment.
        if !matches!(kind, 49 | 50) {
            self.interrupt(place, f, sink);
        }
        match kind {
            0..48 => {
                self.settle(header, rest, place, f);
                let body = if self.numbered { rest.get(2..).unwrap_or_default() } else { rest };
                let bytes = [&header[..], body].concat();
                sink(Unpacked::Nal(Received { bytes, place, behind: false }), f);
            }
            48 => {
                self.settle_aggregation(rest, place, f);
                let layout = Layout {
                    base: if self.numbered { 2 } else { 0 },
                    before_size: usize::from(self.numbered),
                    after_size: 0,
                };
                self.units(rest, layout, None, place, f, sink);
            }
            49 => {
                let Some((&fu, body)) = rest.split_first() else {
                    return f.add(Rule::FragmentEmpty, place, || "no fragmentation header".to_owned());
                };
                let number = if self.numbered && fu & 0x80 != 0 { 2 } else { 0 };
                let fragment = Fragment {
                    header: [header[0] & 0x01 | (fu & 0x3f) << 1, header[1]],
                    unit_type: fu & 0x3f,
                    start: fu & 0x80 != 0,
                    end: fu & 0x40 != 0,
                    body: body.get(number..).unwrap_or_default(),
                };
                self.fragment(&fragment, place, f, sink);
            }
            _ => {
                // PACI, §4.4.4: what it wraps is read as if it stood alone.
                let Some((&[a, b], rest)) = rest.split_first_chunk() else { return sink(Unpacked::Lost, f) };
                let fields = u16::from_be_bytes([a, b]);
                let inner = [header[0] & 0x01 | ((fields >> 9 & 0x3f) as u8) << 1, header[1]];
                let body = rest.get(usize::from(fields >> 4 & 0x1f)..).unwrap_or_default();
                if inner[0] >> 1 & 0x3f == 50 {
                    return sink(Unpacked::Lost, f);
                }
                let inner = [&inner[..], body].concat();
                self.h265([inner[0], inner[1]], &inner, place, f, sink);
            }
        }
    }

    /// Whether numbers are there, told by a parameter set: with them or without, it can be read one way only.
    fn settle(&mut self, header: [u8; 2], rest: &[u8], place: Place, f: &mut Findings) {
        let reads = |body: &[u8]| {
            let nal = [&header[..], body].concat();
            match Nal::new(&nal).kind(Codec::H265) {
                NalKind::Vps => h265::Vps::parse(&nal).is_ok_and(|set| set.profile.level > 0),
                NalKind::Sps => h265::Sps::parse(&nal).is_ok_and(|set| set.profile.level > 0),
                _ => true,
            }
        };
        let (plain, numbered) = (reads(rest), reads(rest.get(2..).unwrap_or_default()));
        if plain != numbered {
            self.decide(numbered, place, f);
        }
    }

    fn settle_aggregation(&mut self, rest: &[u8], place: Place, f: &mut Findings) {
        let plain = walks(rest, Layout::plain());
        let numbered = walks(rest, Layout { base: 2, before_size: 1, after_size: 0 });
        if plain != numbered {
            self.decide(numbered, place, f);
        }
    }

    fn decide(&mut self, numbered: bool, place: Place, f: &mut Findings) {
        self.numbered = numbered;
        match (self.declared, numbered) {
            (Some(false), true) => {
                f.add(Rule::DonUnexpected, place, || {
                    "sprop-max-don-diff is 0 or absent, DONL is there".to_owned()
                });
            }
            (Some(true), false) => {
                f.add(Rule::DonMissing, place, || "sprop-max-don-diff is above 0, no DONL".to_owned());
            }
            _ => {}
        }
    }

    /// An aggregation packet. `nri`: the header, where it has an NRI to be compared.
    fn units(
        &mut self,
        mut rest: &[u8],
        layout: Layout,
        nri: Option<u8>,
        place: Place,
        f: &mut Findings,
        sink: &mut Sink<'_>,
    ) {
        rest = rest.get(layout.base..).unwrap_or_default();
        let (mut count, mut highest) = (0, 0);
        while let Some((unit, after)) = layout.next(rest, count) {
            rest = after;
            let nested = match self.codec {
                Codec::H264 => matches!(unit[0] & 0x1f, 0 | 24..=31),
                Codec::H265 => unit[0] >> 1 & 0x3f >= 48 || unit.len() < 2,
            };
            if nested {
                f.add(Rule::AggregationSize, place, || format!("unit {count} begins with {:02x}", unit[0]));
                continue;
            }
            highest = highest.max(unit[0] & 0x60);
            let mut bytes = unit.to_vec();
            if bytes[0] & 0x80 != 0 {
                f.add(Rule::NalForbiddenBit, place, || format!("unit {count} begins with {:02x}", unit[0]));
                bytes[0] &= 0x7f;
            }
            sink(Unpacked::Nal(Received { bytes, place, behind: count > 0 }), f);
            count += 1;
        }
        if !rest.is_empty() || count == 0 {
            f.add(Rule::AggregationSize, place, || format!("{} bytes behind unit {count}", rest.len()));
            sink(Unpacked::Lost, f);
        } else if count == 1 && self.codec == Codec::H265 {
            f.add(Rule::AggregationSingle, place, || "one unit".to_owned());
        } else if nri.is_some_and(|header| header & 0x60 != highest) {
            f.add(Rule::AggregationNri, place, || format!("highest of the units: {}", highest >> 5));
        }
    }

    /// Something else than a fragment came.
    fn interrupt(&mut self, place: Place, f: &mut Findings, sink: &mut Sink<'_>) {
        (self.closed, self.dropping) = (None, false);
        self.after_gap = false;
        if let Some(open) = self.open.take() {
            f.add(Rule::FragmentEnd, place, || "no end bit before the next NAL unit".to_owned());
            sink(Unpacked::Nal(Received { bytes: open.bytes, place: open.place, behind: false }), f);
        }
    }

    fn fragment(&mut self, fragment: &Fragment<'_>, place: Place, f: &mut Findings, sink: &mut Sink<'_>) {
        if fragment.body.is_empty() {
            f.add(Rule::FragmentEmpty, place, || "nothing behind the fragmentation header".to_owned());
        }
        let reserved = match self.codec {
            Codec::H264 => matches!(fragment.unit_type, 0 | 24..=31),
            Codec::H265 => fragment.unit_type >= 48,
        };
        if reserved && self.open.is_none() {
            f.add(Rule::NalReserved, place, || format!("a fragment of type {}", fragment.unit_type));
            self.dropping = !fragment.end;
            return sink(Unpacked::Lost, f);
        }
        if fragment.start && fragment.end {
            f.add(Rule::FragmentWhole, place, || format!("type {}", fragment.unit_type));
            self.interrupt(place, f, sink);
            return sink(Unpacked::Nal(received(self.codec, fragment, place)), f);
        }
        if self.open.is_some() {
            self.later(fragment, place, f, sink);
        } else {
            self.first(fragment, place, f, sink);
        }
        self.largest = self.largest.max(fragment.body.len());
        if fragment.end
            && let Some(open) = self.open.take()
        {
            let (unit_type, last) = (open.unit_type, fragment.body.len());
            self.closed = Some(Closed { timestamp: place.timestamp, unit_type, last });
            sink(Unpacked::Nal(Received { bytes: open.bytes, place: open.place, behind: false }), f);
        }
    }

    /// No NAL unit is open.
    fn first(&mut self, fragment: &Fragment<'_>, place: Place, f: &mut Findings, sink: &mut Sink<'_>) {
        if !fragment.start {
            if self.after_gap || self.dropping {
                self.dropping &= !fragment.end;
                return;
            }
            let closed = self.closed.filter(|closed| {
                closed.timestamp == place.timestamp && closed.unit_type == fragment.unit_type
            });
            if closed.is_some_and(|closed| closed.last >= self.largest) {
                f.add(Rule::FragmentEnd, place, || "the end bit was set before the last fragment".to_owned());
                self.dropping = !fragment.end;
                return;
            }
            f.add(Rule::FragmentStart, place, || "no start bit on the first fragment".to_owned());
        }
        (self.after_gap, self.dropping) = (false, false);
        sink(Unpacked::Begins, f);
        let Received { bytes, place, .. } = received(self.codec, fragment, place);
        self.open = Some(Open { bytes, place, unit_type: fragment.unit_type, last: fragment.body.len() });
    }

    /// A NAL unit is open.
    fn later(&mut self, fragment: &Fragment<'_>, place: Place, f: &mut Findings, sink: &mut Sink<'_>) {
        let largest = self.largest;
        let Some(open) = &mut self.open else { return };
        let other = open.place.timestamp != place.timestamp;
        if other && !fragment.start {
            // Of another picture: both its start and the other's end are missing, or the timestamp is wrong; the latter is
            // told where the picture ends.
            sink(Unpacked::Continues, f);
        } else if fragment.start && (other || open.last < largest) {
            f.add(Rule::FragmentEnd, place, || "no end bit before the next start".to_owned());
            if let Some(open) = self.open.take() {
                sink(Unpacked::Nal(Received { bytes: open.bytes, place: open.place, behind: false }), f);
            }
            sink(Unpacked::Begins, f);
            let Received { bytes, place, .. } = received(self.codec, fragment, place);
            self.open = Some(Open { bytes, place, unit_type: fragment.unit_type, last: fragment.body.len() });
            return;
        } else {
            sink(Unpacked::Continues, f);
            if fragment.start {
                f.add(Rule::FragmentStart, place, || "a start bit inside a NAL unit".to_owned());
            }
        }
        let Some(open) = &mut self.open else { return };
        if other && !fragment.start {
            f.add(Rule::TimestampInside, place, || "inside a fragmented NAL unit".to_owned());
            open.place.timestamp = place.timestamp;
        }
        if fragment.unit_type != open.unit_type {
            f.add(Rule::FragmentType, place, || format!("{}, then {}", open.unit_type, fragment.unit_type));
        }
        if open.bytes.len() + fragment.body.len() <= LONGEST {
            open.bytes.extend_from_slice(fragment.body);
        }
        open.last = fragment.body.len();
    }
}

fn received(codec: Codec, fragment: &Fragment<'_>, place: Place) -> Received {
    let header = fragment.header.get(..codec.nal_header()).unwrap_or_default();
    Received { bytes: [header, fragment.body].concat(), place, behind: false }
}
