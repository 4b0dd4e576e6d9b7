//! Streams as a sane camera sends them, packet by packet, in memory: what faults are planted in.

use std::io::Write as _;
use std::path::Path;

use bytes::BytesMut;
use vigie::codec::Codec;
use vigie::depacket::AnnexBReader;
use vigie::h26x::{Nal, NalKind, nal_units};
use vigie::limits::Limits;
use vigie::packetize::{Framing, Packetizer};
use vigie::rtp::rtcp::{SenderReport, write_sender_report};
use vigie::time::{NtpTime, UtcMicros};

/// Of every stream here: 2026-11-22T05:14:00Z.
pub(crate) const START: i64 = 1_795_324_440_000_000;
/// Ticks from one picture to the next: 25 a second.
pub(crate) const STEP: u32 = 3_600;

/// A generator of numbers that depend on a seed alone (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            dice.next();
        }
        dice
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }

    pub(crate) fn within(&mut self, range: std::ops::Range<usize>) -> usize {
        range.start + self.below(range.end.saturating_sub(range.start))
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A picture: its NAL units, and when it is shown, in pictures.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) nals: Vec<Vec<u8>>,
    pub(crate) shown: u32,
}

impl Picture {
    pub(crate) fn is_key(&self, codec: Codec) -> bool {
        self.nals.iter().any(|nal| match codec {
            Codec::H264 => nal[0] & 0x1f == 5,
            Codec::H265 => (16..=21).contains(&(nal[0] >> 1 & 0x3f)),
        })
    }
}

/// The pictures of an elementary stream.
pub(crate) fn pictures(codec: Codec, stream: &[u8], most: usize) -> Vec<Picture> {
    let mut reader = AnnexBReader::new(codec, &Limits::default());
    let mut all: Vec<Picture> = Vec::new();
    let (mut base, per) = (0, if codec == Codec::H264 { 2 } else { 1 });
    for piece in stream.chunks(1 << 16).map(Some).chain([None]) {
        match piece {
            Some(piece) => reader.push(piece),
            None => reader.finish(),
        }
        while let Some(unit) = reader.pull() {
            let order = unit.order.expect("a picture order count");
            if order.restart {
                base = all.len() as u32;
            }
            let nals = nal_units(&unit.data).map(|nal| nal.bytes.to_vec()).collect();
            all.push(Picture { nals, shown: base + (order.count / per) as u32 });
        }
    }
    all.truncate(most);
    all
}

/// An RTP or RTCP packet on its way.
#[derive(Clone)]
pub(crate) struct Packet {
    pub(crate) at: i64,
    pub(crate) rtcp: bool,
    pub(crate) bytes: Vec<u8>,
    /// Which picture it is of, in decoding order.
    pub(crate) picture: usize,
}

impl Packet {
    pub(crate) fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    pub(crate) fn set_sequence(&mut self, number: u16) {
        self.bytes[2..4].copy_from_slice(&number.to_be_bytes());
    }

    pub(crate) fn timestamp(&self) -> u32 {
        u32::from_be_bytes(self.bytes[4..8].try_into().unwrap())
    }

    pub(crate) fn set_timestamp(&mut self, ticks: u32) {
        self.bytes[4..8].copy_from_slice(&ticks.to_be_bytes());
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[12..]
    }
}

/// Pictures, and how they are sent.
#[derive(Clone)]
pub(crate) struct Stream {
    pub(crate) codec: Codec,
    pub(crate) pictures: Vec<Picture>,
    pub(crate) mtu: usize,
    pub(crate) first: u16,
    pub(crate) ticks: u32,
    pub(crate) ssrc: u32,
    pub(crate) sdp: String,
}

impl Stream {
    pub(crate) fn new(codec: Codec, pictures: Vec<Picture>, dice: &mut Dice) -> Self {
        let mut stream = Self {
            codec,
            pictures,
            mtu: dice.within(300..1_400),
            first: dice.next() as u16,
            ticks: dice.next() as u32,
            ssrc: dice.next() as u32,
            sdp: String::new(),
        };
        stream.describe();
        stream
    }

    /// The description of the pictures as they are now.
    pub(crate) fn describe(&mut self) {
        let sets: Vec<bytes::Bytes> = self.sets().into_iter().map(bytes::Bytes::from).collect();
        self.sdp = vigie::sdp::Description::live("vet").with_video(self.codec, 96, &sets).to_string();
    }

    /// The parameter sets of the first picture.
    pub(crate) fn sets(&self) -> Vec<Vec<u8>> {
        let is_set = |nal: &&Vec<u8>| Nal::new(nal).kind(self.codec).is_parameter_set();
        self.pictures[0].nals.iter().filter(is_set).cloned().collect()
    }

    /// Where a NAL unit of that kind is.
    pub(crate) fn position(&self, picture: usize, kind: NalKind) -> Option<usize> {
        self.pictures[picture].nals.iter().position(|nal| Nal::new(nal).kind(self.codec) == kind)
    }

    /// The packets, with a sender report every three seconds.
    pub(crate) fn packets(&self) -> Vec<Packet> {
        let mut packetizer = Packetizer::new(self.codec, self.ssrc, 96, self.first, self.mtu);
        let mut all = Vec::new();
        for (at, picture) in self.pictures.iter().enumerate() {
            let mut unit = Vec::new();
            for nal in &picture.nals {
                unit.extend((nal.len() as u32).to_be_bytes());
                unit.extend(nal);
            }
            let now = START + at as i64 * 40_000;
            let ticks = self.ticks.wrapping_add(picture.shown * STEP);
            let mut out = BytesMut::new();
            packetizer.packetize(&unit, ticks, Framing::Bare, &mut out);
            let mut rest = &out[..];
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let (bytes, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
                all.push(Packet { at: now, rtcp: false, bytes: bytes.to_vec(), picture: at });
                rest = after;
            }
            if at % 75 == 10 {
                let clock = self.ticks.wrapping_add(at as u32 * STEP);
                all.push(self.report(now, now, clock, at));
            }
        }
        all
    }

    pub(crate) fn report(&self, at: i64, utc: i64, clock: u32, picture: usize) -> Packet {
        let report = SenderReport {
            ssrc: self.ssrc,
            ntp: NtpTime::from_utc(UtcMicros(utc)),
            rtp_timestamp: clock,
            packet_count: 1,
            octet_count: 1,
        };
        let mut bytes = Vec::new();
        write_sender_report(&report, &[], &mut bytes);
        // SDES with a CNAME of three letters.
        bytes.extend([0x81, 202, 0, 3]);
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend([1, 3, b'v', b'e', b't', 0, 0, 0]);
        Packet { at, rtcp: true, bytes, picture }
    }
}

/// Writes packets as a pcap of UDP over IPv4 (LINKTYPE_RAW).
pub(crate) fn write_pcap(path: &Path, packets: &[Packet]) {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101] {
        file.write_all(&word.to_be_bytes()).unwrap();
    }
    for packet in packets {
        let port: u16 = 5_004 + u16::from(packet.rtcp);
        let udp = 8 + packet.bytes.len();
        let ip = 20 + udp;
        for word in [(packet.at / 1_000_000) as u32, (packet.at % 1_000_000) as u32, ip as u32, ip as u32] {
            file.extend(word.to_be_bytes());
        }
        file.extend([0x45, 0]);
        file.extend((ip as u16).to_be_bytes());
        file.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        for half in [port, port, udp as u16, 0] {
            file.extend(half.to_be_bytes());
        }
        file.extend(&packet.bytes);
    }
    std::fs::write(path, file).unwrap();
}
