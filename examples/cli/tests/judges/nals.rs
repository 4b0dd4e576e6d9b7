//! The SHA-256 of every NAL unit of a file, in decoding order, found by `mp4-atom` and without any code of ours.

use std::io::Cursor;
use std::path::Path;

use mp4_atom::{Any, ReadFrom as _, StszSamples, Trak};
use sha2::{Digest as _, Sha256};

/// The NAL units of each sample of the file's first track: fragmented or not.
pub(crate) fn nals(path: &Path) -> Vec<Vec<[u8; 32]>> {
    let file = std::fs::read(path).unwrap();
    let mut reader = Cursor::new(&file[..]);
    let (mut places, mut moof) = (Vec::new(), None);
    while reader.position() < file.len() as u64 {
        let at = reader.position() as usize;
        match Any::read_from(&mut reader).unwrap() {
            Any::Moov(moov) => places.extend(ordinary(&moov.trak[0])),
            Any::Moof(read) => moof = Some((at, read)),
            Any::Mdat(_) => {
                let Some((at, read)) = moof.take() else { continue };
                for run in &read.traf[0].trun {
                    let mut start = at + run.data_offset.unwrap() as usize;
                    for sample in run.samples.iter() {
                        let size = sample.size.unwrap() as usize;
                        places.push(start..start + size);
                        start += size;
                    }
                }
            }
            _ => {}
        }
    }
    places.into_iter().map(|place| units(&file[place])).collect()
}

fn ordinary(track: &Trak) -> Vec<std::ops::Range<usize>> {
    let tables = &track.mdia.minf.stbl;
    let StszSamples::Different { sizes } = &tables.stsz.samples else { return Vec::new() };
    let offsets: Vec<u64> = match (&tables.stco, &tables.co64) {
        (Some(table), _) => table.entries.iter().map(|o| u64::from(*o)).collect(),
        (None, Some(table)) => table.entries.clone(),
        (None, None) => Vec::new(),
    };
    let mut sizes = sizes.iter();
    let mut places = Vec::new();
    for (chunk, offset) in (1..).zip(offsets) {
        let run = tables.stsc.entries.iter().rev().find(|run| run.first_chunk <= chunk).unwrap();
        let mut at = offset as usize;
        for size in sizes.by_ref().take(run.samples_per_chunk as usize) {
            places.push(at..at + *size as usize);
            at += *size as usize;
        }
    }
    assert!(sizes.next().is_none(), "every sample is in a chunk");
    places
}

/// NAL units behind lengths of four bytes.
fn units(mut sample: &[u8]) -> Vec<[u8; 32]> {
    let mut out = Vec::new();
    while !sample.is_empty() {
        let (length, rest) = sample.split_at(4);
        let (nal, rest) = rest.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
        out.push(Sha256::digest(nal).into());
        sample = rest;
    }
    out
}

/// Where in the recording the samples of an export stand: all of them, one behind the other.
pub(crate) fn found(export: &[Vec<[u8; 32]>], recording: &[Vec<[u8; 32]>]) -> Result<usize, String> {
    let at = recording.windows(export.len().max(1)).position(|window| window == export);
    at.ok_or_else(|| {
        let first = export.first().and_then(|sample| recording.iter().position(|other| other == sample));
        format!("the NAL units of {} samples are not those of the recording (first: {first:?})", export.len())
    })
}
