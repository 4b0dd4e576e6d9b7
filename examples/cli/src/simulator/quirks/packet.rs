//! Pictures and RTP packets in the hands of a profile.

use bytes::{Bytes, BytesMut};
use vigie::packetize::{Framing, Packetizer};

/// Bytes of an RTP header without CSRC and extension.
const HEADER: usize = 12;

/// One NAL unit and the timestamp that it goes out with.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) nal: Vec<u8>,
    pub(super) timestamp: u32,
    /// Sent in one packet or in a run of fragments of its own: never with its neighbours.
    pub(super) alone: bool,
}

impl Unit {
    /// `nal_unit_type`.
    pub(super) fn kind(&self, h265: bool) -> u8 {
        let first = self.nal.first().copied().unwrap_or(0);
        if h265 { first >> 1 & 0x3f } else { first & 0x1f }
    }

    /// A slice?
    pub(super) fn is_slice(&self, h265: bool) -> bool {
        let kind = self.kind(h265);
        if h265 { kind < 32 } else { (1..=5).contains(&kind) }
    }
}

/// One picture on its way to a viewer.
#[derive(Clone, Debug)]
pub(super) struct Shot {
    pub(super) units: Vec<Unit>,
    pub(super) key: bool,
    /// As the honest camera stamps it.
    pub(super) timestamp: u32,
}

impl Shot {
    /// Of NAL units behind their lengths.
    pub(super) fn new(unit: &[u8], timestamp: u32, key: bool) -> Self {
        let mut units = Vec::new();
        let mut rest = unit;
        while let Some((length, after)) = rest.split_first_chunk() {
            let Some((nal, after)) = after.split_at_checked(u32::from_be_bytes(*length) as usize) else {
                break;
            };
            units.push(Unit { nal: nal.to_vec(), timestamp, alone: false });
            rest = after;
        }
        Self { units, key, timestamp }
    }

    /// Its packets, the marker on the last.
    pub(super) fn packets(&self, packetizer: &mut Packetizer) -> Vec<Item> {
        let mut packets = Vec::new();
        let together = |a: &Unit, b: &Unit| a.timestamp == b.timestamp && !a.alone && !b.alone;
        for run in self.units.chunk_by(together) {
            let mut joined = Vec::new();
            for unit in run {
                joined.extend((unit.nal.len() as u32).to_be_bytes());
                joined.extend(&unit.nal);
            }
            let mut out = BytesMut::new();
            let timestamp = run.first().map_or(self.timestamp, |unit| unit.timestamp);
            packetizer.packetize(&joined, timestamp, Framing::Bare, &mut out);
            packets.extend(Packet::all(out.freeze()));
        }
        let last = packets.len().saturating_sub(1);
        for (at, packet) in packets.iter_mut().enumerate() {
            packet.set_marker(at == last);
        }
        packets.into_iter().map(Item::Rtp).collect()
    }
}

/// One RTP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet(pub(super) Vec<u8>);

impl Packet {
    /// Out of packets behind two bytes of length.
    fn all(mut framed: Bytes) -> Vec<Self> {
        let mut packets = Vec::new();
        while let Some(length) = framed.first_chunk().map(|l| usize::from(u16::from_be_bytes(*l))) {
            let _ = framed.split_to(2);
            packets.push(Self(framed.split_to(length.min(framed.len())).to_vec()));
        }
        packets
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
    }

    fn set_field(&mut self, at: usize, bytes: &[u8]) {
        if let Some(field) = self.0.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    }

    pub(super) fn set_marker(&mut self, marker: bool) {
        let [second] = self.field(1);
        self.set_field(1, &[second & 0x7f | u8::from(marker) << 7]);
    }

    pub(super) fn set_payload_type(&mut self, payload_type: u8) {
        let [second] = self.field(1);
        self.set_field(1, &[second & 0x80 | payload_type]);
    }

    pub(super) fn sequence(&self) -> u16 {
        u16::from_be_bytes(self.field(2))
    }

    pub(super) fn set_sequence(&mut self, sequence: u16) {
        self.set_field(2, &sequence.to_be_bytes());
    }

    pub(super) fn timestamp(&self) -> u32 {
        u32::from_be_bytes(self.field(4))
    }

    pub(super) fn set_timestamp(&mut self, timestamp: u32) {
        self.set_field(4, &timestamp.to_be_bytes());
    }

    pub(super) fn set_ssrc(&mut self, ssrc: u32) {
        self.set_field(8, &ssrc.to_be_bytes());
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.0.get(HEADER..).unwrap_or_default()
    }

    pub(super) fn payload_mut(&mut self) -> &mut [u8] {
        self.0.get_mut(HEADER..).unwrap_or_default()
    }

    /// The same header before another payload.
    pub(super) fn with_payload(&self, payload: &[u8]) -> Self {
        Self([self.0.get(..HEADER).unwrap_or_default(), payload].concat())
    }

    /// Where in the payload a fragmentation unit has its start, end and reserved bits; `None` for other payloads.
    pub(super) fn fragment(&self, h265: bool) -> Option<usize> {
        let first = *self.payload().first()?;
        match h265 {
            false if first & 0x1f == 28 => Some(1),
            true if first >> 1 & 0x3f == 49 => Some(2),
            _ => None,
        }
    }

    /// The FU header.
    pub(super) fn fragment_header(&mut self, h265: bool) -> Option<&mut u8> {
        let at = self.fragment(h265)?;
        self.payload_mut().get_mut(at)
    }
}

/// What goes out on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// On the channel or port of RTP.
    Rtp(Packet),
    /// On that of RTCP.
    Rtcp(Vec<u8>),
    /// Interleaved, on a channel of its own.
    On(u8, Vec<u8>),
    /// Bytes as they are, between two items.
    Raw(Vec<u8>),
}

impl Item {
    /// As it goes over TCP.
    pub(super) fn frame(&self, channels: (u8, u8), out: &mut Vec<u8>) {
        let (channel, bytes) = match self {
            Self::Rtp(packet) => (channels.0, &packet.0),
            Self::Rtcp(bytes) => (channels.1, bytes),
            Self::On(channel, bytes) => (*channel, bytes),
            Self::Raw(bytes) => return out.extend(bytes),
        };
        out.extend([b'$', channel]);
        out.extend((bytes.len() as u16).to_be_bytes());
        out.extend(bytes);
    }
}

/// The RTP packets among items.
pub(super) fn rtp(items: &mut [Item]) -> impl DoubleEndedIterator<Item = &mut Packet> {
    items.iter_mut().filter_map(|item| match item {
        Item::Rtp(packet) => Some(packet),
        _ => None,
    })
}

/// The first of them.
pub(super) fn first(items: &mut [Item]) -> Option<&mut Packet> {
    rtp(items).next()
}
