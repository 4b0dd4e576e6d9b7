//! What is in a store's files, read by the boxes and `core/docs/format.md`, without the library.

use std::path::Path;

use bytes::Bytes;

use super::support::boxes::{self, boxes, files, inner};

/// A sample of a file.
pub(crate) struct Sample {
    pub(crate) bytes: Bytes,
    /// The mark of its fragment says that a sample in it is incomplete.
    pub(crate) incomplete: bool,
}

/// All samples below a folder, in decoding order.
pub(crate) fn samples(dir: &Path) -> Vec<Sample> {
    files(dir).iter().flat_map(|file| in_file(&std::fs::read(file).unwrap())).collect()
}

fn in_file(file: &[u8]) -> Vec<Sample> {
    let (mut incomplete, mut sizes, mut samples) = (false, Vec::new(), Vec::new());
    for (kind, body) in boxes(file) {
        match kind {
            b"uuid" => incomplete = boxes::incomplete(kind, body).unwrap_or(incomplete),
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

/// The sizes of the samples of a `trun`, §8.8.8.
fn run_sizes(trun: &[u8]) -> Vec<usize> {
    let word = |at: usize| u32::from_be_bytes(trun[at..at + 4].try_into().unwrap());
    let (flags, count) = (word(0), word(4) as usize);
    assert!(flags & 0x200 != 0, "no sizes");
    let fields = |mask: u32| (flags & mask).count_ones() as usize * 4;
    let (head, each, before) = (8 + fields(0x5), fields(0xf00), fields(0x100));
    (0..count).map(|i| word(head + i * each + before) as usize).collect()
}
