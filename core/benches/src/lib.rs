//! What is measured: the way from RTP to fragments, beside a plain copy and retina's depacketizer, over the same bytes.
#![allow(clippy::expect_used)]

pub mod cost;
pub mod floor;
pub mod peer;
pub mod retina;

use std::path::{Path, PathBuf};

use vigie::depacket::Depacketizer;
use vigie::fragment::{Fragmenter, Piece};
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::reorder::Reorder;
use vigie::time::Micros;
use vigie::timeline::{Mode, Timeline};

/// The clips that `inputs.sh` makes, and the pictures that each has.
pub const CLIPS: [(&str, Codec, usize); 4] = [
    ("h264_1080p", Codec::H264, 1_500),
    ("h264_1080p_b", Codec::H264, 1_500),
    ("h264_4k", Codec::H264, 500),
    ("h265_1080p", Codec::H265, 1_500),
];

/// A recorded stream: RTP behind its length in 2 bytes, RFC 4571.
#[derive(Debug)]
pub struct Clip {
    /// As in [`CLIPS`].
    pub name: &'static str,
    /// Its coding standard.
    pub codec: Codec,
    /// The file.
    pub bytes: Vec<u8>,
    /// Packets in it.
    pub packets: usize,
    /// Pictures in it.
    pub pictures: usize,
}

/// The folder of the inputs.
#[must_use]
pub fn folder() -> PathBuf {
    std::env::var_os("VIGIE_BENCH_INPUTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-inputs"),
        PathBuf::from,
    )
}

impl Clip {
    /// Reads one of [`CLIPS`].
    ///
    /// # Errors
    ///
    /// A sentence on what to do, where the inputs are not there.
    pub fn load(name: &str) -> Result<Self, String> {
        let (name, codec, pictures) =
            *CLIPS.iter().find(|(n, ..)| *n == name).ok_or_else(|| format!("there is no clip {name}"))?;
        let path = folder().join(name).with_extension("rtp");
        let bytes = std::fs::read(&path)
            .map_err(|error| format!("{}: {error}; core/benches/inputs.sh makes it", path.display()))?;
        let mut clip = Self { name, codec, bytes, packets: 0, pictures };
        clip.packets = clip.packets().count();
        Ok(clip)
    }

    /// All of [`CLIPS`].
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_all() -> Result<Vec<Self>, String> {
        CLIPS.iter().map(|(name, ..)| Self::load(name)).collect()
    }

    /// The RTP packets.
    pub fn packets(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk()?;
            let (packet, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = after;
            Some(packet)
        })
    }
}

/// What a job put out, so that two jobs can be seen to do the same work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Pictures.
    pub pictures: usize,
    /// Their bytes.
    pub bytes: usize,
}

/// The whole way: reorder, depacket, timeline for the record, fragment. `each` is called after every picture.
///
/// # Panics
///
/// If a group breaks its promise, which would be a bug.
pub fn way(clip: &Clip, mut each: impl FnMut()) -> Output {
    let limits = Limits::default();
    let mut reorder = Reorder::in_order();
    let mut depacketizer = Depacketizer::new(clip.codec, &limits);
    let mut timeline = Timeline::new(Mode::Recording, &limits);
    let mut fragmenter = Fragmenter::new(&limits);
    let mut output = Output::default();
    let drain = |timeline: &mut Timeline, fragmenter: &mut Fragmenter, output: &mut Output| {
        while let Some(group) = timeline.pull() {
            fragmenter.push(group).expect("the timeline's groups are whole");
            while let Some(piece) = fragmenter.pull() {
                if let Piece::Fragment(fragment) = std::hint::black_box(piece) {
                    output.pictures += fragment.samples as usize;
                    output.bytes += fragment.len() - fragment.head.len();
                }
            }
        }
    };
    for packet in clip.packets() {
        let Some(ordered) = &reorder.push(packet, Micros(0)) else { continue };
        depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        while let Some(unit) = depacketizer.pull() {
            timeline.push(unit);
            drain(&mut timeline, &mut fragmenter, &mut output);
            each();
        }
    }
    depacketizer.finish();
    while let Some(unit) = depacketizer.pull() {
        timeline.push(unit);
    }
    timeline.finish();
    drain(&mut timeline, &mut fragmenter, &mut output);
    output
}

/// The way up to access units: reorder and depacket.
#[must_use]
pub fn depacketize(clip: &Clip) -> Output {
    let mut reorder = Reorder::in_order();
    let mut depacketizer = Depacketizer::new(clip.codec, &Limits::default());
    let mut output = Output::default();
    let mut take = |depacketizer: &mut Depacketizer| {
        while let Some(unit) = std::hint::black_box(depacketizer.pull()) {
            output.pictures += 1;
            output.bytes += unit.data.len();
        }
    };
    for packet in clip.packets() {
        let Some(ordered) = &reorder.push(packet, Micros(0)) else { continue };
        depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        take(&mut depacketizer);
    }
    depacketizer.finish();
    take(&mut depacketizer);
    output
}

/// The same bytes copied in blocks of 1 MiB: what memory alone costs.
#[must_use]
pub fn copy(clip: &Clip, block: &mut [u8]) -> Output {
    let mut bytes = 0;
    for chunk in clip.bytes.chunks(block.len()) {
        block[..chunk.len()].copy_from_slice(chunk);
        std::hint::black_box(&mut *block);
        bytes += chunk.len();
    }
    Output { pictures: 0, bytes }
}

/// A block for [`copy()`].
#[must_use]
pub fn block() -> Vec<u8> {
    vec![0; 1 << 20]
}
