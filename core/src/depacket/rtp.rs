//! RTP payloads to access units: RFC 6184 (H.264) and RFC 7798 (H.265), and what cameras make of them.

mod numbered;

use alloc::boxed::Box;

use super::interleave::{Deinterleaver, Packetization};
use super::payload::{Aggregation, Parted, Payload, Piece, read};
use super::{AccessUnit, Assembler};
use crate::fault::{Quirk, Quirks};
use crate::h26x::{Codec, ParameterSets, annexb};
use crate::limits::Limits;
use crate::rtp::RtpPacket;
use crate::time::Micros;

/// One stream's RTP packets, in order, to access units.
///
/// Give each packet to [`push`](Self::push), then call [`pull`](Self::pull) until it gives nothing. NAL units are
/// copied once, as their pieces come. What is damaged is dropped NAL unit by NAL unit and its access unit marked; the
/// stream goes on. What the SDP says of the payloads, [`with_packetization`](Self::with_packetization) takes. It must
/// tell where H.265 payloads have decoding order numbers; those of H.264 are known by themselves.
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
    /// `packetization-mode` of the SDP.
    mode: Option<u8>,
    /// NAL units are numbered in decoding order.
    order: Option<Box<Deinterleaver>>,
    /// Packets of which it is not known yet where they are missing: only where NAL units are numbered.
    unplaced: u32,
    /// The last packet of such a stream had the marker.
    ended: bool,
    limits: Limits,
}

/// The NAL unit whose fragments are coming.
#[derive(Clone, Copy, Debug)]
struct Fragment {
    timestamp: u32,
    /// What its middle fragments begin with: payload header, then the type without start and end bit.
    prefix: u32,
    /// The bytes of that, and the bits below it where the first four bytes are one number.
    length: usize,
    below: u32,
    unit_type: u8,
    /// The last one had the marker bit, but no end bit.
    marked: bool,
}

impl Fragment {
    /// The bytes of a fragment that is not the first and has nothing special, most packets, and whether it is the last.
    #[inline]
    fn body<'a>(&self, packet: &RtpPacket<'a>) -> Option<(&'a [u8], bool)> {
        // Shorter ones are not special, but rare: both codecs have a byte of body in four.
        let word = u32::from_be_bytes(*packet.payload.first_chunk()?);
        let differs = word >> self.below ^ self.prefix;
        if differs & !END != 0 || packet.timestamp != self.timestamp || self.marked {
            return None;
        }
        Some((packet.payload.get(self.length..)?, differs == END))
    }
}

/// The end bit in the byte of the type, RFC 6184 §5.8, RFC 7798 §4.4.3.
const END: u32 = 0x40;

impl Depacketizer {
    /// For a stream of `codec`.
    #[must_use]
    pub fn new(codec: Codec, limits: &Limits) -> Self {
        Self {
            assembler: Assembler::new(codec, limits),
            fragment: None,
            after_loss: true,
            mode: None,
            order: None,
            unplaced: 0,
            ended: false,
            limits: *limits,
        }
    }

    /// What the SDP says of the payloads.
    #[must_use]
    pub fn with_packetization(mut self, packetization: Packetization) -> Self {
        self.mode = packetization.mode;
        if let Some(order) = packetization.order {
            self.number(order);
        }
        self
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
        if let (Some(fragment), 0) = (&self.fragment, lost_before)
            && let Some((body, end)) = fragment.body(packet)
        {
            match (end, packet.marker) {
                (false, false) => return self.assembler.extend(body),
                (true, marker) => return self.last_piece(body, marker),
                (false, true) => {}
            }
        }
        self.push_any(packet, received, lost_before);
    }

    /// The last fragment of a NAL unit, with its end bit.
    #[inline(never)]
    fn last_piece(&mut self, body: &[u8], marker: bool) {
        self.fragment = None;
        self.assembler.extend(body);
        self.assembler.end_nal();
        if marker {
            self.assembler.end_access_unit();
        }
    }

    #[inline(never)]
    fn push_any(&mut self, packet: &RtpPacket<'_>, received: Micros, lost_before: u32) {
        if lost_before > 0 {
            self.lost(lost_before);
        }
        let payload = read(self.codec(), packet.payload, self.order.is_some());
        if !self.allowed(&payload) {
            return self.drop_payload(Quirk::PacketizationMode, packet, received);
        }
        if self.order.is_some() || payload.is_numbered() {
            return self.push_numbered(&payload, packet, received);
        }
        match payload {
            Payload::Piece(piece) => self.piece(&piece, packet, received),
            Payload::Single(nal) => {
                self.end_fragment();
                self.whole(nal, packet.timestamp, received);
            }
            Payload::Parted(nal) => {
                self.end_fragment();
                self.parted(&nal, packet.timestamp, received);
            }
            Payload::Aggregation(units) => {
                self.end_fragment();
                self.aggregation(units, packet.timestamp, received);
            }
            Payload::Empty => self.tolerate(Quirk::EmptyPayload, packet.timestamp, received),
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

    /// Does the packetization mode of the SDP allow it, RFC 6184 table 3, or is it read all the same? Counted once for
    /// each NAL unit or aggregation packet.
    #[inline]
    fn allowed(&mut self, payload: &Payload<'_>) -> bool {
        let Some(mode) = self.mode else { return true };
        let numbered = payload.is_numbered();
        let fits = match payload {
            Payload::Single(_) => mode < 2,
            Payload::Piece(piece) if !piece.start => true,
            Payload::Aggregation(_) | Payload::Piece(_) => mode > 0 && (mode == 2) == numbered,
            _ => true,
        };
        fits || self.tolerates(Quirk::PacketizationMode)
    }

    /// Counts a violation: is it tolerated?
    fn tolerates(&mut self, quirk: Quirk) -> bool {
        let tolerated = self.limits.policy.tolerates(quirk);
        if tolerated {
            self.assembler.quirks_mut().count(quirk);
        }
        tolerated
    }

    /// Counts a violation that does no harm; where it is not tolerated, the access unit is marked.
    #[cold]
    fn tolerate(&mut self, quirk: Quirk, timestamp: u32, received: Micros) {
        if !self.tolerates(quirk) {
            self.end_fragment();
            self.damage(quirk, timestamp, received);
        }
    }

    /// Nothing more comes: what is left comes out.
    pub fn finish(&mut self) {
        self.finish_numbered();
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

    /// Access units that did not come out: [`LossPolicy::Withhold`](crate::fault::LossPolicy::Withhold).
    #[must_use]
    pub const fn withheld(&self) -> u64 {
        self.assembler.withheld()
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
        if self.order.is_some() {
            self.lost_numbered(packets);
        } else {
            self.assembler.lost(packets);
        }
    }

    #[inline]
    fn whole(&mut self, nal: &[u8], timestamp: u32, received: Micros) {
        self.after_loss = false;
        self.assembler.begin_nal(timestamp, received);
        self.assembler.extend(nal);
        self.assembler.end_nal();
    }

    fn parted(&mut self, nal: &Parted<'_>, timestamp: u32, received: Micros) {
        self.after_loss = false;
        self.assembler.begin_nal(timestamp, received);
        self.assembler.extend_plain(&nal.header);
        self.assembler.extend(nal.body);
        self.assembler.end_nal();
    }

    /// STAP-A, RFC 6184 §5.7.1; AP, RFC 7798 §4.4.2.
    fn aggregation(&mut self, mut units: Aggregation<'_>, timestamp: u32, received: Micros) {
        while let Some(member) = units.next() {
            if member.nal.is_empty() {
                // Some cameras fill the packet with zeros.
                if units.rest.iter().all(|b| *b == 0) {
                    return self.tolerate(Quirk::PaddedAggregation, timestamp, received);
                }
                self.tolerate(Quirk::EmptyPayload, timestamp, received);
            } else if let Payload::Single(nal) = read(self.codec(), member.nal, false) {
                self.whole(nal, timestamp, received);
            } else {
                self.damage(Quirk::BadPayload, timestamp, received);
            }
        }
        match units.rest {
            [] => {}
            [0] => self.tolerate(Quirk::PaddedAggregation, timestamp, received),
            _ => self.damage(Quirk::BadPayload, timestamp, received),
        }
    }

    /// FU-A, RFC 6184 §5.8; FU, RFC 7798 §4.4.3.
    #[inline]
    fn piece(&mut self, piece: &Piece<'_>, packet: &RtpPacket<'_>, received: Micros) {
        if piece.is_odd() && !self.odd_piece(piece) {
            return self.break_off(packet.timestamp, received);
        }
        if piece.start {
            self.start_fragment(piece, packet.timestamp, received);
        } else {
            match self.fragment {
                Some(fragment) if fragment.timestamp == packet.timestamp => {
                    let marker = fragment.marked.then_some(Quirk::EarlyMarker);
                    // Tiandy: the type in the first is right.
                    let changed =
                        (fragment.unit_type != piece.unit_type).then_some(Quirk::FragmentTypeChanged);
                    for quirk in [marker, changed].into_iter().flatten() {
                        if !self.tolerates(quirk) {
                            self.assembler.quirks_mut().count(quirk);
                            return self.break_off(packet.timestamp, received);
                        }
                    }
                    self.fragment = Some(Fragment { marked: false, ..fragment });
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

    /// What is odd about a fragment is counted: may it be read all the same?
    #[cold]
    fn odd_piece(&mut self, piece: &Piece<'_>) -> bool {
        let quirks = [
            (piece.reserved, Quirk::ReservedBit),
            (piece.body.is_empty(), Quirk::EmptyPayload),
            // CostarHD, OpenIPC.
            (piece.start && piece.end, Quirk::WholeFragmentationUnit),
        ];
        let mut tolerated = true;
        for (_, quirk) in quirks.into_iter().filter(|(is, _)| *is) {
            self.assembler.quirks_mut().count(quirk);
            tolerated &= self.limits.policy.tolerates(quirk);
        }
        tolerated
    }

    /// A fragment cannot be read: its NAL unit is dropped whole.
    #[cold]
    fn break_off(&mut self, timestamp: u32, received: Micros) {
        self.fragment = None;
        self.after_loss = true;
        self.assembler.begin_nal(timestamp, received);
        self.assembler.abort_nal();
    }

    fn start_fragment(&mut self, piece: &Piece<'_>, timestamp: u32, received: Micros) {
        self.end_fragment();
        self.after_loss = false;
        self.assembler.begin_nal(timestamp, received);
        let [first, second] = piece.header;
        let (prefix, length) = match self.codec() {
            Codec::H264 => {
                self.assembler.extend_plain(&[first]);
                ([0, 0, first & 0xe0 | 28, piece.unit_type], 2)
            }
            Codec::H265 => {
                self.assembler.extend_plain(&[first, second]);
                ([0, first & 0x81 | 49 << 1, second, piece.unit_type], 3)
            }
        };
        self.fragment = Some(Fragment {
            timestamp,
            prefix: u32::from_be_bytes(prefix),
            length,
            below: u32::BITS - 8 * length as u32,
            unit_type: piece.unit_type,
            marked: false,
        });
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
            if self.limits.policy.tolerates(Quirk::NoEndBit) {
                self.assembler.end_nal();
            } else {
                self.assembler.abort_nal();
            }
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
