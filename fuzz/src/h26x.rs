//! Parameter sets and slice headers.

use std::sync::Arc;

use vigie::fragment::InitSegment;
use vigie::h26x::picture::{OrderCounter, Relation, Slice};
use vigie::h26x::{Change, Codec, Inserted, Nal, ParameterSets, nal_units, sei};

/// The codec that the first bit says, and NAL units, each behind its length in 2 bytes.
fn nals(bytes: &[u8]) -> Option<(Codec, Vec<&[u8]>)> {
    let (first, mut rest) = bytes.split_first()?;
    let mut nals = vec![];
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let (nal, after) = after.split_at(usize::from(u16::from_be_bytes(*len)).min(after.len()));
        nals.push(nal);
        rest = after;
    }
    Some((if first & 1 == 0 { Codec::H264 } else { Codec::H265 }, nals))
}

/// A set that was taken is in the table, under one id, and what the table says of itself is consistent; an init segment
/// made of it gives the same pictures back.
pub fn parameter_sets(bytes: &[u8]) {
    let Some((codec, nals)) = nals(bytes) else { return };
    let mut sets = ParameterSets::new(codec);
    for nal in nals {
        let before = sets.clone();
        match sets.insert(nal) {
            Ok(_) => assert_eq!(sets.insert(nal), Ok(Inserted::Same)),
            Err(error) => {
                assert_eq!(sets, before, "a set was refused and left something");
                assert!(error.at.0 <= nal.len() as u64, "{error}");
            }
        }
        if before != sets {
            assert_ne!(before.change(&sets), Change::None);
        }
        assert_eq!(sets.change(&sets.clone()), Change::None);
        assert!(sets.serves(&sets));
    }
    let (id, count) = (sets.active(), sets.sps().count());
    if let Some(id) = id {
        sets.activate(id);
    }
    let Some(init) = InitSegment::new(Arc::new(sets)) else { return };
    let Ok(back) = InitSegment::parse(&init.bytes) else { panic!("our own init segment is refused") };
    assert_eq!(back.size(), init.size());
    // `avcC` has room for 31 of the 32.
    let Some(back) = back.parameters() else { panic!("its parameter sets are gone") };
    assert_eq!((back.active(), back.sps().count()), (id, count.min(31)));
}

/// Slices of any bytes, with parameter sets of any bytes.
pub fn slices(bytes: &[u8]) {
    let Some((codec, nals)) = nals(bytes) else { return };
    let mut sets = ParameterSets::new(codec);
    let mut counter = OrderCounter::new(codec);
    let mut before: Option<Slice> = None;
    for nal in nals {
        let slice = Slice::read(Nal::new(nal), codec, &sets);
        let _ = counter.count(&slice, &sets);
        if codec == Codec::H264 && slice.header.is_some() {
            let own = slice.relation(&slice);
            assert!(matches!(own, Relation::Same | Relation::Again), "a slice beside itself: {own:?}");
        }
        if let Some(before) = &before {
            let _ = before.relation(&slice);
        }
        before = Some(slice);
        for message in sei::messages(Nal::new(nal), codec) {
            assert!(message.payload().len() <= nal.len());
            let _ = message.recovery_point(codec);
        }
        let _ = sets.insert(nal);
    }
    assert!(nal_units(bytes).map(|nal| nal.bytes.len() + 4).sum::<usize>() <= bytes.len());
}
