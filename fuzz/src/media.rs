//! A camera of the fuzzer's own: real parameter sets, small pictures that can be told apart, fragments of one each.

use vigie::depacket::{AccessUnit, Depacketizer};
use vigie::fragment::{Fragment, Fragmenter, Piece};
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::rtp::RtpPacket;
use vigie::segment::{Config, Segmenter};
use vigie::store::{Error, Options, Source, Storage, Writer};
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{Mode, Timeline};

/// 2026-11-22T00:00:00Z.
pub(crate) const DAY: i64 = 1_795_305_600_000_000;

/// Of x264 and x265, 640x360 and 1920x1080.
pub(crate) fn sets(codec: Codec) -> Vec<Vec<u8>> {
    let hex = |text: &str| {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
    };
    match codec {
        Codec::H264 => vec![hex("67640016ac3b505017fcb0800001f400004e2042"), hex("68ebe3cb22c0")],
        _ => vec![
            hex("40010c01ffff016000000300900000030000030078959809"),
            hex("420101016000000300900000030000030078a003c08010e596666924cae010000003001000000301e080"),
            hex("4401c172b46240"),
        ],
    }
}

/// One picture a second, each a random access point with a number in its last bytes.
pub(crate) struct Camera {
    depacketizer: Depacketizer,
    timeline: Timeline,
    fragmenter: Fragmenter,
    sequence: u16,
    timestamp: u32,
    now: Micros,
    pub(crate) utc: UtcMicros,
    made: u32,
}

impl Camera {
    pub(crate) fn new(utc: UtcMicros) -> Self {
        let limits = Limits::default();
        Self {
            depacketizer: Depacketizer::new(Codec::H264, &limits),
            timeline: Timeline::new(Mode::Recording, &limits),
            fragmenter: Fragmenter::new(&limits),
            sequence: 0,
            timestamp: 0,
            now: Micros(0),
            utc,
            made: 0,
        }
    }

    /// The clock is set, or the connection was a new one.
    pub(crate) fn discontinuity(&mut self, utc: UtcMicros) {
        self.timeline.discontinuity();
        self.utc = utc;
    }

    /// The next picture's packets, as a camera sends them.
    pub(crate) fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut nals = sets(Codec::H264);
        let mut slice = vec![0x65, 0x88, 0x84, 0x21];
        slice.extend_from_slice(&number_bytes(self.made));
        nals.push(slice);
        let last = nals.len() - 1;
        let packet = |(n, nal): (usize, Vec<u8>)| {
            let mut out = vec![0x80, if n == last { 0xe0 } else { 0x60 }];
            out.extend_from_slice(&self.sequence.wrapping_add(n as u16).to_be_bytes());
            out.extend_from_slice(&self.timestamp.to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(&nal);
            out
        };
        let packets: Vec<_> = nals.into_iter().enumerate().map(packet).collect();
        self.sequence = self.sequence.wrapping_add(packets.len() as u16);
        self.timestamp = self.timestamp.wrapping_add(90_000);
        self.now = self.now.plus(1_000_000);
        self.utc = self.utc.plus(1_000_000);
        self.made += 1;
        packets
    }

    fn unit(&mut self) -> AccessUnit {
        loop {
            for packet in self.packets() {
                let packet = RtpPacket::parse(&packet).expect("a packet");
                self.depacketizer.push(&packet, self.now, 0);
            }
            if let Some(unit) = self.depacketizer.pull() {
                return unit;
            }
        }
    }

    /// The next fragment. What the steps keep back comes with later ones.
    pub(crate) fn fragment(&mut self) -> Fragment {
        loop {
            match self.fragmenter.pull() {
                Some(Piece::Fragment(fragment)) => return fragment,
                Some(_) => continue,
                None => {}
            }
            let unit = self.unit();
            self.timeline.arrival(self.now, self.utc);
            self.timeline.push(unit);
            while let Some(group) = self.timeline.pull() {
                self.fragmenter.push(group).expect("a group as its type promises");
            }
        }
    }
}

/// Records so many seconds of it for the camera `source`, in files of `period` microseconds.
pub(crate) fn record<S: Storage>(
    storage: S,
    source: Source,
    from: UtcMicros,
    seconds: u32,
    period: u64,
) -> Result<(), Error> {
    let (mut writer, _) = Writer::open(storage, source, Options::default())?;
    let mut config = Config::staggered("c");
    (config.period, config.stagger) = (period, 0);
    let (mut segmenter, mut camera) = (Segmenter::new(config), Camera::new(from));
    for second in 0..seconds {
        segmenter.push(camera.fragment());
        if second + 1 == seconds {
            segmenter.finish();
        }
        while let Some(output) = segmenter.pull() {
            writer.apply(Micros(u64::from(second) * 1_000_000), output)?;
        }
    }
    writer.sync()
}

/// A number without zeros.
fn number_bytes(n: u32) -> [u8; 5] {
    [n >> 21, n >> 14, n >> 7, n, 0x7f].map(|part| part as u8 | 0x80)
}

/// The number of the picture that ends with these bytes.
pub(crate) fn number(bytes: &[u8]) -> u32 {
    let Some([a, b, c, d, 0xff]) = bytes.last_chunk::<5>() else { panic!("no picture of ours: {bytes:?}") };
    [a, b, c, d].into_iter().fold(0, |n, byte| n << 7 | u32::from(byte & 0x7f))
}

/// The number of a fragment's picture.
pub(crate) fn number_of(fragment: &Fragment) -> u32 {
    number(fragment.body.last().expect("a body"))
}
