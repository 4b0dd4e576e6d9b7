//! Where decoding can begin, and what is left out after a join: streams that begin with a CRA or hold a BLA, and the
//! number of pictures that ffmpeg shows of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::PathBuf;

use vigie::depacket::{AccessUnit, AnnexBReader, RandomAccess};
use vigie::h26x::{Nal, NalKind, annexb, nal_units};
use vigie::limits::Limits;
use vigie::timeline::ByPictureOrder;

fn vectors() -> Option<PathBuf> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let path = std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from);
    let there = path.join("MANIFEST.tsv").exists();
    assert!(there || std::env::var_os("VIGIE_REQUIRE_VECTORS").is_none(), "vectors are required");
    if !there {
        println!("SKIPPED: no vectors at {}", path.display());
    }
    there.then_some(path)
}

fn units(bytes: &[u8]) -> Vec<AccessUnit> {
    let mut reader = AnnexBReader::new(annexb::detect(bytes).unwrap(), &Limits::default());
    reader.push(bytes);
    reader.finish();
    std::iter::from_fn(|| reader.pull()).collect()
}

/// nal_unit_type of the first slice.
fn slice_type(unit: &AccessUnit) -> u8 {
    let mut nals = nal_units(&unit.data);
    nals.find(|nal| nal.kind(unit.codec) == NalKind::Slice)
        .map_or(255, |nal: Nal<'_>| nal.unit_type(unit.codec))
}

/// Slice types of what comes out, and how many did not.
fn passed(units: &[AccessUnit]) -> (Vec<u8>, u64) {
    let mut times = ByPictureOrder::new(&Limits::default());
    units.iter().cloned().for_each(|unit| times.push(unit));
    times.finish();
    let groups = std::iter::from_fn(|| times.pull()).flat_map(|group| group.samples);
    let out = groups.map(|sample| slice_type(&sample.unit)).collect();
    (out, times.dropped())
}

const RADL: [u8; 2] = [6, 7];
const RASL: [u8; 2] = [8, 9];

#[test]
fn leading_pictures_that_cannot_be_decoded_are_left_out_and_no_others() {
    let Some(vectors) = vectors() else { return };
    // Pictures in the stream, and how many ffmpeg shows.
    for (file, first, coded, shown) in [
        ("libvpl__cars_cra_first.h265", RandomAccess::Cra, 13, 6),
        ("libvpl__cars_bla_w_lp.h265", RandomAccess::Idr, 30, 23),
        ("membrane_h26x_plugin__membrane_main_cra_first.h265", RandomAccess::Cra, 7, 6),
    ] {
        let units = units(&std::fs::read(vectors.join("es265").join(file)).unwrap());
        let (out, dropped) = passed(&units);
        assert_eq!((units.len(), out.len(), dropped), (coded, shown, (coded - shown) as u64), "{file}");
        assert_eq!(units[0].random_access, Some(first), "{file}");
        // RASL pictures behind the join are out, and those of a CRA in mid-stream are not; RADL pictures stay.
        let count = |types: &[u8], of: &[u8]| of.iter().filter(|t| types.contains(t)).count();
        let all: Vec<u8> = units.iter().map(slice_type).collect();
        assert_eq!(count(&RADL, &out), count(&RADL, &all), "{file}");
        assert_eq!(count(&RASL, &all) - count(&RASL, &out), coded - shown, "{file}");
        assert_eq!(count(&RASL, &all), units.iter().filter(|unit| unit.skipped_leading).count(), "{file}");
    }
}

/// The whole stream of which the others are made: its CRA pictures' leading pictures are decodable, all stay.
#[test]
fn nothing_is_left_out_of_a_stream_that_is_whole() {
    let Some(vectors) = vectors() else { return };
    let units = units(&std::fs::read(vectors.join("es265/libvpl__cars_320x240.h265")).unwrap());
    assert_eq!(passed(&units).1, 0);
    // Joined at each random access point instead, it gives what refers to nothing before.
    let joins: Vec<usize> = (1..units.len()).filter(|n| units[*n].random_access.is_some()).collect();
    for join in joins {
        let (out, dropped) = passed(&units[join..]);
        assert_eq!(out.len() + dropped as usize, units.len() - join);
        assert!(out.iter().take(8).all(|t| !RASL.contains(t)), "{join}: {out:?}");
    }
}
