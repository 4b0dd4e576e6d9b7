//! Whatever pictures come, the MP4 made of them is one to a reader of other people, and holds what came.

use std::io::Cursor;

use bytes::BytesMut;
use mp4_atom::{Any, ReadFrom as _};
use vigie::depacket::AnnexBReader;
use vigie::fragment::{Fragment, Fragmenter, Piece};
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::timeline::ByPictureOrder;
use vigie::view::View;
use vigie::view::export::{Export, Fragmented};

use crate::media;

/// An elementary stream, behind parameter sets of x264 or x265 where the first byte says so.
pub(crate) fn remux(bytes: &[u8]) {
    let Some((&how, stream)) = bytes.split_first() else { return };
    let codec = if how & 1 == 0 { Codec::H264 } else { Codec::H265 };
    let mut limits = Limits::default();
    if how & 4 != 0 {
        (limits.fragment_samples, limits.reorder_depth, limits.fragment_bytes) = (3, 2, 400);
    }
    let mut reader = AnnexBReader::new(codec, &limits);
    if how & 2 != 0 {
        media::sets(codec).iter().for_each(|set| reader.push(&[&[0, 0, 1], &set[..]].concat()));
    }
    reader.push(stream);
    reader.finish();
    let mut order = ByPictureOrder::new(&limits);
    let mut units = vec![];
    while let Some(unit) = reader.pull() {
        units.push(unit.data.clone());
        order.push(unit);
    }
    order.finish();
    let (mut fragmenter, mut fragments, mut samples) = (Fragmenter::new(&limits), vec![], vec![]);
    while let Some(group) = order.pull() {
        assert!(!group.samples.is_empty());
        samples.extend(group.samples.iter().map(|sample| sample.unit.data.clone()));
        fragmenter.push(group).expect("a group as its type promises");
        while let Some(piece) = fragmenter.pull() {
            if let Piece::Fragment(fragment) = piece {
                fragments.push(fragment);
            }
        }
    }
    // What cannot be shown is counted: before the first random access point, and before the first parameter sets.
    assert_eq!(samples.len() + order.dropped() as usize, units.len());
    let shown = samples.split_off((fragmenter.stats().dropped as usize).min(samples.len())).concat();
    let bodies: Vec<u8> =
        fragments.iter().flat_map(|f| f.body.iter()).flat_map(|part| part.to_vec()).collect();
    assert!(bodies == shown, "the fragments hold other bytes than the pictures");
    let Some(first) = fragments.first() else { return };
    if first.init.size().0 > 0xffff || first.init.size().1 > 0xffff {
        return;
    }
    for view in [View::Exact, View::Playback] {
        let file = fragmented(&fragments, view);
        assert!(judge(&file) == shown, "another reader finds other bytes");
    }
    exported(&fragments, &limits, &shown);
}

fn fragmented(fragments: &[Fragment], view: View) -> Vec<u8> {
    let (mut writer, mut out) = (Fragmented::new(view), BytesMut::new());
    for fragment in fragments {
        writer.init(&fragment.init, &mut out).expect("our own init segment");
        writer.fragment(fragment, &mut out).expect("our own fragment");
    }
    let patch = writer.finish(&mut out).expect("something was written");
    out[patch.offset as usize..][..patch.bytes.len()].copy_from_slice(&patch.bytes);
    out.to_vec()
}

/// Ordinary files: together no byte that was not in the fragments, and each one a file to the reader.
fn exported(fragments: &[Fragment], limits: &Limits, shown: &[u8]) {
    let mut plan = Export::whole(limits);
    for (number, fragment) in fragments.iter().enumerate() {
        plan.init(&fragment.init.bytes).expect("our own init segment");
        plan.fragment(number as u64, &fragment.head).expect("our own fragment");
    }
    let mut held = 0;
    for file in plan.finish() {
        let mut out = file.head.to_vec();
        for part in &file.parts {
            let fragment = &fragments[part.fragment as usize];
            let whole: Vec<u8> = fragment
                .head
                .iter()
                .copied()
                .chain(fragment.body.iter().flat_map(|b| b.iter().copied()))
                .collect();
            out.extend_from_slice(&whole[part.offset as usize..][..part.len as usize]);
        }
        assert_eq!(out.len() as u64, file.len);
        held += judge(&out).len();
    }
    assert!(held <= shown.len(), "{held} bytes in files of {}", shown.len());
}

/// `mp4-atom`, with every atom decoded: gives the bytes of the samples that the tables tell of.
fn judge(file: &[u8]) -> Vec<u8> {
    let mut reader = Cursor::new(file);
    let (mut told, mut data) = (0, vec![]);
    while reader.position() < file.len() as u64 {
        match Any::read_from(&mut reader).expect("an atom") {
            Any::Moov(moov) => {
                for track in &moov.trak {
                    told += match &track.mdia.minf.stbl.stsz.samples {
                        mp4_atom::StszSamples::Identical { count, size } => {
                            u64::from(*count) * u64::from(*size)
                        }
                        mp4_atom::StszSamples::Different { sizes } => {
                            sizes.iter().map(|s| u64::from(*s)).sum()
                        }
                    };
                }
            }
            Any::Moof(moof) => {
                let [track] = &moof.traf[..] else { panic!("{} tracks", moof.traf.len()) };
                assert!(track.tfdt.is_some());
                let samples = track.trun.iter().flat_map(|run| run.samples.iter());
                told += samples.map(|sample| u64::from(sample.size.expect("a size"))).sum::<u64>();
            }
            Any::Mdat(mdat) => data.extend_from_slice(&mdat.data),
            Any::Unknown(kind, _) => panic!("{kind}"),
            _ => {}
        }
    }
    assert_eq!(data.len() as u64, told, "the samples fill mdat");
    data
}
