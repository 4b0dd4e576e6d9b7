//! Where streams come from: the clips of the simulator, and the test vectors if they are there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use vigie::depacket::AnnexBReader;
use vigie::fragment::{Fragment, Fragmenter, Piece};
use vigie::h26x::{Codec, annexb};
use vigie::limits::Limits;
use vigie::timeline::{ByPictureOrder, Group};
use vigie::view::View;
use vigie::view::export::{Export, File, Fragmented};

/// A folder of the test vectors; says loudly where it is absent.
pub(crate) fn vectors(folder: &str) -> Option<PathBuf> {
    let root = env::var_os("VIGIE_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"), PathBuf::from);
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(env::var_os("VIGIE_REQUIRE_VECTORS").is_none_or(|v| v != "1"), "no {}", path.display());
    eprintln!("SKIPPED: no test vectors at {}", path.display());
    None
}

/// A row of MANIFEST.tsv.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) file: String,
    pub(crate) size: (u32, u32),
    pub(crate) packets: Option<u64>,
    pub pixelmd5: String,
}

pub(crate) fn manifest() -> Vec<Row> {
    let Some(root) = vectors("") else { return vec![] };
    let text = fs::read_to_string(root.join("MANIFEST.tsv")).unwrap();
    let mut lines = text.lines();
    let head: Vec<_> = lines.next().unwrap().split('\t').collect();
    let column = |name| head.iter().position(|h| *h == name).unwrap();
    let columns = ["file", "width", "height", "packets", "pixelmd5_sha256"].map(column);
    lines
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let [file, width, height, packets, pixelmd5] =
                columns.map(|c| fields.get(c).copied().unwrap_or(""));
            let size = (width.parse().unwrap_or(0), height.parse().unwrap_or(0));
            Row { file: file.into(), size, packets: packets.parse().ok(), pixelmd5: pixelmd5.into() }
        })
        .collect()
}

/// The simulator's clips.
pub(crate) fn clips() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cli/clips");
    let mut clips: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    clips.retain(|p| p.extension().is_some_and(|e| e == "h264" || e == "h265"));
    clips.sort();
    assert!(clips.len() >= 4);
    clips
}

/// A stream in fragments.
pub(crate) struct Stream {
    pub(crate) codec: Codec,
    pub(crate) fragments: Vec<Fragment>,
    pub(crate) pictures: usize,
}

/// Reads an Annex B file whose codec can be told by its content.
pub(crate) fn read(path: &Path) -> Option<Stream> {
    let bytes = fs::read(path).unwrap();
    let codec = annexb::detect(&bytes)?;
    let limits = Limits::default();
    let (mut reader, mut order) = (AnnexBReader::new(codec, &limits), ByPictureOrder::new(&limits));
    let (mut step, mut fragments, mut pictures) = (Fragmenter::new(&limits), vec![], 0);
    let mut take = |group: Group| {
        pictures += group.samples.len();
        step.push(group).unwrap();
        while let Some(piece) = step.pull() {
            if let Piece::Fragment(fragment) = piece {
                fragments.push(fragment);
            }
        }
    };
    for chunk in bytes.chunks(64 << 10) {
        reader.push(chunk);
        while let Some(unit) = reader.pull() {
            order.push(unit);
        }
        while let Some(group) = order.pull() {
            take(group);
        }
    }
    reader.finish();
    while let Some(unit) = reader.pull() {
        order.push(unit);
    }
    order.finish();
    while let Some(group) = order.pull() {
        take(group);
    }
    Some(Stream { codec, fragments, pictures })
}

/// The fragment in one piece.
pub(crate) fn whole(fragment: &Fragment) -> Vec<u8> {
    let mut out = fragment.head.to_vec();
    fragment.body.iter().for_each(|b| out.extend_from_slice(b));
    out
}

impl Stream {
    /// One fragmented file.
    pub(crate) fn fragmented(&self, view: View) -> Vec<u8> {
        let (mut writer, mut out) = (Fragmented::new(view), BytesMut::new());
        for fragment in &self.fragments {
            writer.init(&fragment.init, &mut out).unwrap();
            writer.fragment(fragment, &mut out).unwrap();
        }
        let patch = writer.finish(&mut out).unwrap();
        out[patch.offset as usize..][..patch.bytes.len()].copy_from_slice(&patch.bytes);
        out.to_vec()
    }

    /// Ordinary files.
    pub(crate) fn export(&self, mut plan: Export) -> Vec<(File, Vec<u8>)> {
        for (i, fragment) in self.fragments.iter().enumerate() {
            plan.init(&fragment.init.bytes).unwrap();
            plan.fragment(i as u64, &fragment.head).unwrap();
        }
        let write = |file: File| {
            let mut out = file.head.to_vec();
            for part in &file.parts {
                let fragment = whole(&self.fragments[part.fragment as usize]);
                out.extend_from_slice(&fragment[part.offset as usize..][..part.len as usize]);
            }
            assert_eq!(out.len() as u64, file.len);
            (file, out)
        };
        plan.finish().into_iter().map(write).collect()
    }
}

/// SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
