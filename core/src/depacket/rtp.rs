//! RTP payloads to access units: RFC 6184 (H.264) and RFC 7798 (H.265), and what cameras make of them.

use super::{AccessUnit, Assembler, h264, h265};
use crate::fault::{Quirk, Quirks};
use crate::h26x::{Codec, ParameterSets, annexb};
use crate::limits::Limits;
use crate::rtp::RtpPacket;
use crate::time::Micros;

/// One stream's RTP packets, in order, to access units.
///
/// Give each packet to [`push`](Self::push), then call [`pull`](Self::pull) until it gives nothing. NAL units are
/// copied once, as their pieces come. What is damaged is dropped NAL unit by NAL unit and its access unit marked; the
/// stream goes on. The packetization mode of the SDP is not asked: cameras that say 0 send fragments all the same
/// (Meraki MV63, Dahua clones). The interleaved modes, which nobody sends, are counted and not read.
///
/// ```
/// use vigie::{depacket::Depacketizer, h26x::Codec, limits::Limits, rtp::RtpPacket, time::Micros};
/// let mut depacketizer = Depacketizer::new(Codec::H264, &Limits::default());
/// let idr = [0x80, 0xe0, 0, 1, 0, 0, 0x0b, 0xb8, 0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21];
/// depacketizer.push(&RtpPacket::parse(&idr)?, Micros(0), 0);
/// depacketizer.finish();
/// let unit = depacketizer.pull().expect("one picture");
/// assert_eq!((unit.timestamp, &unit.data[..]), (3_000, &[0, 0, 0, 4, 0x65, 0x88, 0x84, 0x21][..]));
/// # Ok::<(), vigie::rtp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Depacketizer {
    assembler: Assembler,
    fragment: Option<Fragment>,
    /// Packets were lost since the last NAL unit started: fragments without a start are no surprise.
    after_loss: bool,
}

/// The NAL unit whose fragments are coming.
#[derive(Clone, Copy, Debug)]
struct Fragment {
    timestamp: u32,
    /// What its middle fragments begin with: payload header, then the type without start and end bit.
    prefix: [u8; 3],
    unit_type: u8,
    /// The last one had the marker bit, but no end bit.
    marked: bool,
}

impl Fragment {
    /// The bytes of a fragment that is neither the first nor the last and has nothing special: most packets.
    #[inline]
    fn middle<'a>(&self, codec: Codec, packet: &RtpPacket<'a>) -> Option<&'a [u8]> {
        let [a, b, c] = self.prefix;
        let body = match (codec, packet.payload) {
            (Codec::H264, [x, y, body @ ..]) if (*x, *y) == (a, b) => body,
            (Codec::H265, [x, y, z, body @ ..]) if (*x, *y, *z) == (a, b, c) => body,
            _ => return None,
        };
        (packet.timestamp == self.timestamp && !self.marked && !body.is_empty()).then_some(body)
    }
}

/// What an RTP payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    /// One NAL unit.
    Single(&'a [u8]),
    /// NAL units, each behind its length in 2 bytes.
    Aggregation(&'a [u8]),
    /// A piece of a NAL unit.
    Piece(Piece<'a>),
    /// A structure that is not read.
    Unsupported,
    /// What the RFC does not allow.
    Bad,
    /// Nothing.
    Empty,
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
    pub(super) body: &'a [u8],
}

/// How a codec's payloads are read.
pub(super) fn read(codec: Codec, payload: &[u8]) -> Payload<'_> {
    match codec {
        Codec::H264 => h264::read(payload),
        Codec::H265 => h265::read(payload),
    }
}

impl Depacketizer {
    /// For a stream of `codec`.
    #[must_use]
    pub fn new(codec: Codec, limits: &Limits) -> Self {
        Self { assembler: Assembler::new(codec, limits), fragment: None, after_loss: true }
    }

    /// Takes the parameter sets of the SDP (`sprop-parameter-sets`, `sprop-vps` and its kin), decoded from Base64. They
    /// do not become part of an access unit, and those in the stream win over them. Some come behind a start code, or
    /// several in one (VStarcam, Revotech).
    pub fn seed<'a>(&mut self, nals: impl IntoIterator<Item = &'a [u8]>) {
        for nal in nals {
            if annexb::find(nal).is_some() {
                let before = nal.get(..annexb::find(nal).unwrap_or(0)).unwrap_or(&[]);
                if before.iter().any(|b| *b != 0) {
                    self.assembler.seed(annexb::without_zeros(before));
                }
                annexb::units(nal).for_each(|unit| self.assembler.seed(unit));
            } else {
                self.assembler.seed(annexb::without_zeros(nal));
            }
        }
    }

    /// Takes the next packet. `lost_before` is the number of packets missing between the one before and this one.
    #[inline]
    pub fn push(&mut self, packet: &RtpPacket<'_>, received: Micros, lost_before: u32) {
        if let (Some(fragment), 0, false) = (&self.fragment, lost_before, packet.marker)
            && let Some(body) = fragment.middle(self.assembler.codec(), packet)
        {
            self.assembler.extend(body);
            return;
        }
        self.push_any(packet, received, lost_before);
    }

    fn push_any(&mut self, packet: &RtpPacket<'_>, received: Micros, lost_before: u32) {
        if lost_before > 0 {
            self.lost(lost_before);
        }
        match read(self.assembler.codec(), packet.payload) {
            Payload::Piece(piece) => self.piece(&piece, packet, received),
            Payload::Single(nal) => {
                self.end_fragment();
                self.whole(nal, packet.timestamp, received);
            }
            Payload::Aggregation(units) => {
                self.end_fragment();
                self.aggregation(units, packet.timestamp, received);
            }
            Payload::Empty => self.assembler.quirks_mut().count(Quirk::EmptyPayload),
            Payload::Bad => self.drop_payload(Quirk::BadPayload, packet, received),
            Payload::Unsupported => self.drop_payload(Quirk::UnsupportedPayload, packet, received),
        }
        if packet.marker {
            match &mut self.fragment {
                // Either the marker lies or the end bit is missing; the next packet tells.
                Some(fragment) => fragment.marked = true,
                None => self.assembler.end_access_unit(),
            }
        }
    }

    /// Nothing more comes: what is left comes out.
    pub fn finish(&mut self) {
        if self.fragment.is_some_and(|fragment| fragment.marked) {
            self.end_fragment();
        }
        // Without marker and end bit, a NAL unit's last fragments may be missing.
        self.fragment = None;
        self.assembler.finish();
    }

    /// The next access unit.
    #[inline]
    pub fn pull(&mut self) -> Option<AccessUnit> {
        self.assembler.pull()
    }

    /// The coding standard.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.assembler.codec()
    }

    /// The parameter sets received so far, those of the SDP included.
    #[must_use]
    pub fn parameters(&self) -> &ParameterSets {
        self.assembler.parameters()
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        self.assembler.quirks()
    }

    /// A NAL unit that packets are missing from is dropped whole.
    #[cold]
    fn lost(&mut self, packets: u32) {
        self.fragment = None;
        self.after_loss = true;
        self.assembler.lost(packets);
    }

    #[inline]
    fn whole(&mut self, nal: &[u8], timestamp: u32, received: Micros) {
        self.after_loss = false;
        self.assembler.begin_nal(timestamp, received);
        self.assembler.extend(nal);
        self.assembler.end_nal();
    }

    /// STAP-A, RFC 6184 §5.7.1; AP, RFC 7798 §4.4.2.
    fn aggregation(&mut self, mut units: &[u8], timestamp: u32, received: Micros) {
        while let Some((length, rest)) = units.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length == 0 {
                // Some cameras fill the packet with zeros.
                if rest.iter().all(|b| *b == 0) {
                    self.assembler.quirks_mut().count(Quirk::PaddedAggregation);
                    return;
                }
                self.assembler.quirks_mut().count(Quirk::EmptyPayload);
                units = rest;
                continue;
            }
            let Some((nal, rest)) = rest.split_at_checked(length) else { break };
            if let Payload::Single(nal) = read(self.assembler.codec(), nal) {
                self.whole(nal, timestamp, received);
            } else {
                self.damage(Quirk::BadPayload, timestamp, received);
            }
            units = rest;
        }
        match units {
            [] => {}
            [0] => self.assembler.quirks_mut().count(Quirk::PaddedAggregation),
            _ => self.damage(Quirk::BadPayload, timestamp, received),
        }
    }

    /// FU-A, RFC 6184 §5.8; FU, RFC 7798 §4.4.3.
    #[inline]
    fn piece(&mut self, piece: &Piece<'_>, packet: &RtpPacket<'_>, received: Micros) {
        if piece.reserved {
            self.assembler.quirks_mut().count(Quirk::ReservedBit);
        }
        if piece.body.is_empty() {
            self.assembler.quirks_mut().count(Quirk::EmptyPayload);
        }
        if piece.start {
            self.start_fragment(piece, packet.timestamp, received);
        } else {
            match &mut self.fragment {
                Some(fragment) if fragment.timestamp == packet.timestamp => {
                    if fragment.marked {
                        fragment.marked = false;
                        self.assembler.quirks_mut().count(Quirk::EarlyMarker);
                    }
                    if fragment.unit_type != piece.unit_type {
                        // Tiandy: the first is right.
                        self.assembler.quirks_mut().count(Quirk::FragmentTypeChanged);
                    }
                }
                _ => return self.orphan(packet.timestamp, received),
            }
        }
        self.assembler.extend(piece.body);
        if piece.end {
            self.fragment = None;
            self.assembler.end_nal();
        }
    }

    fn start_fragment(&mut self, piece: &Piece<'_>, timestamp: u32, received: Micros) {
        if piece.end {
            // CostarHD, OpenIPC.
            self.assembler.quirks_mut().count(Quirk::WholeFragmentationUnit);
        }
        self.end_fragment();
        self.after_loss = false;
        self.assembler.begin_nal(timestamp, received);
        self.assembler.extend_plain(piece.header.get(..piece.header_length).unwrap_or(&piece.header));
        let [first, second] = piece.header;
        let prefix = match self.codec() {
            Codec::H264 => [first & 0xe0 | 28, piece.unit_type, 0],
            Codec::H265 => [first & 0x81 | 49 << 1, second, piece.unit_type],
        };
        self.fragment = Some(Fragment { timestamp, prefix, unit_type: piece.unit_type, marked: false });
    }

    /// A piece of a NAL unit whose start is not there.
    #[cold]
    fn orphan(&mut self, timestamp: u32, received: Micros) {
        if self.fragment.take().is_some() {
            self.assembler.abort_nal();
        }
        // Once per NAL unit, and no fault of the camera's where its start was lost.
        if !self.after_loss {
            self.assembler.quirks_mut().count(Quirk::BadPayload);
            self.after_loss = true;
        }
        self.assembler.begin_nal(timestamp, received);
        self.assembler.abort_nal();
    }

    /// A NAL unit in fragments ends where something else follows and no packet is missing, its end bit set or not.
    #[inline]
    fn end_fragment(&mut self) {
        if let Some(fragment) = self.fragment.take() {
            self.assembler.quirks_mut().count(Quirk::NoEndBit);
            self.assembler.end_nal();
            if fragment.marked {
                self.assembler.end_access_unit();
            }
        }
    }

    #[cold]
    fn drop_payload(&mut self, quirk: Quirk, packet: &RtpPacket<'_>, received: Micros) {
        self.end_fragment();
        self.damage(quirk, packet.timestamp, received);
    }

    /// Something of the access unit cannot be read.
    #[cold]
    fn damage(&mut self, quirk: Quirk, timestamp: u32, received: Micros) {
        self.assembler.quirks_mut().count(quirk);
        self.assembler.begin_nal(timestamp, received);
        self.assembler.abort_nal();
    }
}

#[cfg(test)]
mod tests;
