//! Made-up fragments for tests of what keeps and reads them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;

use super::{Cut, Error, Memory, Options, Source, Storage, Writer};
use crate::codec::Codec;
use crate::fragment::{Fragment, FragmentFlags, InitSegment, MOOF_AT, TrackFormat};
use crate::gix::{Flags, FragmentMark, Id};
use crate::h26x::{Layers, ParameterSets, VideoFormat};
use crate::octets::Write as _;
use crate::segment::{Config, Segmenter};
use crate::time::{Micros, Ticks, UtcMicros};
use crate::timeline::{UtcSource, UtcStamp};

/// 2026-11-22T00:00:00Z.
pub(crate) const DAY_START: i64 = 1_795_305_600_000_000;
const _: () = assert!(DAY_START % 86_400_000_000 == 0);

/// Ways in which a power cut may go.
pub(crate) const CUTS: [Cut; 7] = [
    Cut::Forget,
    Cut::Tear,
    Cut::Zero,
    Cut::Keep,
    Cut::Dice(0x1234_5679),
    Cut::Dice(0xdead_beef),
    Cut::Dice(0x0123_4567_89ab),
];

pub(crate) fn source() -> Source {
    Source::new("vannes", "port-1").unwrap()
}

pub(crate) fn init(width: u32) -> Arc<InitSegment> {
    let mut bytes = vec![];
    for (size, kind) in [(24, b"ftyp"), (width, b"moov")] {
        bytes.put_u32(size);
        bytes.put(kind);
        bytes.resize(bytes.len() + size as usize - 8, 7);
    }
    let format = VideoFormat {
        codec: Codec::H264,
        codec_string: "avc1.640028".into(),
        width,
        height: 360,
        sample_aspect: (1, 1),
        frame_rate: None,
        reorder: Some(0),
        chroma_format: 1,
        bit_depth: (8, 8),
        full_range: false,
        colour: None,
        layers: Layers::Base,
    };
    let parameters = Arc::new(ParameterSets::new(Codec::H264));
    Arc::new(InitSegment { bytes: bytes.into(), format: TrackFormat::Video(format, parameters) })
}

/// A camera's fragments: one a second, of 25 samples.
#[derive(Debug)]
pub(crate) struct Camera {
    pub(crate) init: Arc<InitSegment>,
    pub(crate) utc: UtcMicros,
    pub(crate) dts: i64,
    pub(crate) discontinuity: bool,
    pub(crate) made: u32,
    /// Bytes of each body.
    pub(crate) body: usize,
}

impl Camera {
    pub(crate) fn new(utc: i64) -> Self {
        Self { init: init(640), utc: UtcMicros(utc), dts: 0, discontinuity: true, made: 0, body: 300 }
    }

    pub(crate) fn fragment(&mut self) -> Fragment {
        let n = self.made as u8;
        let body: Vec<Bytes> = vec![vec![n; self.body - 100].into(), vec![!n; 100].into()];
        let len = (MOOF_AT + 40 + self.body) as u32;
        let mark = FragmentMark {
            source: 2,
            flags: Flags::RANDOM_ACCESS.with(Flags::DISCONTINUITY, self.discontinuity),
            utc: self.utc,
            error: 1_000,
            lost: 0,
            dts: Ticks(self.dts),
            offset: 0,
            duration: 90_000,
            samples: 25,
            first_sample_end: MOOF_AT as u32 + 90,
            len,
            number: 0,
            file: Id::default(),
            crc: 0,
        };
        let mut head = mark.write();
        head.resize(MOOF_AT + 40, n);
        let flags =
            FragmentFlags { random_access: true, discontinuity: self.discontinuity, ..Default::default() };
        let made = Fragment {
            head: head.into(),
            body,
            init: self.init.clone(),
            dts: Ticks(self.dts),
            pts: Ticks(self.dts),
            duration: 90_000,
            samples: 25,
            first_sample_end: mark.first_sample_end,
            utc: UtcStamp { utc: self.utc, source: UtcSource::SenderReport, error: 1_000 },
            epoch: 0,
            flags,
        };
        self.utc = self.utc.plus(1_000_000);
        self.dts += 90_000;
        self.made += 1;
        self.discontinuity = false;
        made
    }
}

/// A recorder of made-up fragments into files of four seconds.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) writer: Writer<Memory>,
    pub(crate) segmenter: Segmenter,
    pub(crate) camera: Camera,
    pub(crate) now: Micros,
}

impl Recording {
    /// Syncs so often.
    pub(crate) fn start(disk: &Memory, utc: i64, rpo: u64) -> Result<Self, Error> {
        let (writer, _) = Writer::open(disk.clone(), source(), Options::default().rpo(rpo))?;
        let segmenter = Segmenter::new(Config { period: 4_000_000, stagger: 0 });
        Ok(Self { writer, segmenter, camera: Camera::new(utc), now: Micros(0) })
    }

    pub(crate) fn apply(&mut self) -> Result<(), Error> {
        while let Some(output) = self.segmenter.pull() {
            self.writer.apply(self.now, output)?;
        }
        Ok(())
    }

    pub(crate) fn record(&mut self, fragments: u32) -> Result<(), Error> {
        for _ in 0..fragments {
            let fragment = self.camera.fragment();
            self.segmenter.push(fragment);
            self.apply()?;
            self.now = self.now.plus(1_000_000);
            self.writer.handle_timeout(self.now)?;
        }
        Ok(())
    }

    /// As the recorder does when the storage has failed: the span is over, the rest of what the segmenter says is void.
    pub(crate) fn give_up(&mut self) {
        self.segmenter.finish();
        while self.segmenter.pull().is_some() {}
    }

    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.segmenter.finish();
        self.apply()
    }
}

/// The stored fragments of a day, told by the first byte of their bodies.
pub(crate) fn stored(disk: &mut dyn Storage) -> Vec<u8> {
    let mut out = vec![];
    for day in super::days(disk, &source()).unwrap() {
        let index = super::rebuild(disk, &source(), day).unwrap();
        let Ok((index, _)) = crate::gix::Index::read(&index, day) else { continue };
        for entry in index.entries() {
            let path = alloc::format!("{}/{}", source(), index.file_of(entry).unwrap().key);
            let whole = super::storage::read_whole(disk, &path).unwrap().unwrap();
            let bytes = &whole[entry.offset as usize..entry.end() as usize];
            assert!(FragmentMark::passes(bytes, entry.mark.crc));
            out.push(bytes[MOOF_AT + 40]);
        }
    }
    out
}
