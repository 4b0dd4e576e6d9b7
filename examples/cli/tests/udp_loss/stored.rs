//! What is in a store's files, read by the boxes and `core/docs/format.md`, without the library.

use std::path::{Path, PathBuf};

use bytes::Bytes;

/// A sample of a file.
pub(crate) struct Sample {
    pub(crate) bytes: Bytes,
    /// The mark of its fragment says that a sample in it is incomplete.
    pub(crate) incomplete: bool,
}

/// The media files below a folder, in the order of their keys.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "m4v") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All samples below a folder, in decoding order.
pub(crate) fn samples(dir: &Path) -> Vec<Sample> {
    files(dir).iter().flat_map(|file| in_file(&std::fs::read(file).unwrap())).collect()
}

fn in_file(file: &[u8]) -> Vec<Sample> {
    let (mut incomplete, mut sizes, mut samples) = (false, Vec::new(), Vec::new());
    for (kind, body) in boxes(file) {
        match kind {
            // §2.2: flags at 26 from the start of the box, 24 bytes of which are its header and name.
            b"uuid" if body.starts_with(b"vigie-fragment-1") => {
                incomplete = u16::from_be_bytes([body[18], body[19]]) & 1 << 4 != 0;
            }
            b"moof" => sizes = inner(inner(body, b"traf"), b"trun").map_or(Vec::new(), run_sizes),
            b"mdat" => {
                let mut rest = Bytes::copy_from_slice(body);
                for size in sizes.drain(..) {
                    samples.push(Sample { bytes: rest.split_to(size), incomplete });
                }
                assert!(rest.is_empty(), "bytes behind the last sample");
            }
            _ => {}
        }
    }
    samples
}

/// The boxes of a file or of a box, ISO/IEC 14496-12 §4.2.
fn boxes(mut rest: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (one, after) = rest.split_at_checked(length.max(8)).expect("a whole box");
        found.push((&one[4..8], &one[8..]));
        rest = after;
    }
    found
}

fn inner<'a>(body: impl Into<Option<&'a [u8]>>, kind: &[u8]) -> Option<&'a [u8]> {
    boxes(body.into()?).into_iter().find(|(k, _)| *k == kind).map(|(_, body)| body)
}

/// The sizes of the samples of a `trun`, §8.8.8.
fn run_sizes(trun: &[u8]) -> Vec<usize> {
    let word = |at: usize| u32::from_be_bytes(trun[at..at + 4].try_into().unwrap());
    let (flags, count) = (word(0), word(4) as usize);
    assert!(flags & 0x200 != 0, "no sizes");
    let fields = |mask: u32| (flags & mask).count_ones() as usize * 4;
    let (head, each, before) = (8 + fields(0x5), fields(0xf00), fields(0x100));
    (0..count).map(|i| word(head + i * each + before) as usize).collect()
}
