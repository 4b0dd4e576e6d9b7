//! The files of a store and their boxes, read without the library.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

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

/// The boxes of a file or of a box, ISO/IEC 14496-12 §4.2: kinds and bodies.
pub(crate) fn boxes(mut rest: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (one, after) = rest.split_at_checked(length.max(8)).expect("a whole box");
        found.push((&one[4..8], &one[8..]));
        rest = after;
    }
    found
}

/// The body of the first box of a kind.
pub(crate) fn inner<'a>(body: impl Into<Option<&'a [u8]>>, kind: &[u8]) -> Option<&'a [u8]> {
    boxes(body.into()?).into_iter().find(|(k, _)| *k == kind).map(|(_, body)| body)
}

/// Does the mark of a fragment say that a sample in it is incomplete (`core/docs/format.md` §2.2)? `None`: it is no mark.
pub(crate) fn incomplete(kind: &[u8], body: &[u8]) -> Option<bool> {
    // The flags are at 26 from the start of the box, 24 bytes of which are its header and name.
    let mark = kind == b"uuid" && body.starts_with(b"vigie-fragment-1");
    mark.then(|| u16::from_be_bytes([body[18], body[19]]) & 1 << 4 != 0)
}
