#![allow(clippy::unwrap_used, clippy::field_reassign_with_default)]
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::fault::Policy;
use crate::h26x::annexb;
use crate::h26x::testing::Stream;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn format(codec: Codec, sets: &[&str]) -> VideoFormat {
    let mut table = ParameterSets::new(codec);
    for set in sets {
        assert_eq!(table.insert(&hex(set)), Ok(Inserted::New));
        assert_eq!(table.insert(&hex(set)), Ok(Inserted::Same));
    }
    table.format().unwrap()
}

/// x264 High at 640x360, 20 pictures a second; x265 Main at 1280x720, 25 a second by VPS and SPS.
#[test]
fn the_format_is_what_the_sets_say() {
    let got = format(Codec::H264, &["67640016ac3b505017fcb0800001f400004e2042"]);
    assert_eq!((got.codec_string.as_str(), got.width, got.height), ("avc1.640016", 640, 360));
    assert_eq!((got.frame_rate, got.sample_aspect), (Some((20, 1)), (1, 1)));
    let sps = "420101016000000300900000030000030078a003c08010e596666924cae010000003001000000301e080";
    let got = format(Codec::H265, &[sps]);
    assert_eq!((got.codec_string.as_str(), got.width, got.height), ("hvc1.1.6.L120.90", 1920, 1080));
    assert_eq!(got.frame_rate, Some((30, 1)));
}

fn table(streams: &[Stream]) -> ParameterSets {
    let mut table = ParameterSets::new(Codec::H264);
    for stream in streams {
        table.insert(&stream.sps()).unwrap();
        table.insert(&stream.pps()).unwrap();
    }
    table
}

#[test]
fn what_decoding_needs_is_told_from_what_it_does_not() {
    let plain = Stream { order_type: 0, fields: false, reorder: None };
    let one = table(&[plain]);
    assert_eq!(one.change(&table(&[plain])), Change::None);
    // Other tools of coding, and pictures held back for longer.
    let twos = [Stream { order_type: 2, ..plain }, Stream { reorder: Some(2), ..plain }];
    for other in twos {
        assert_eq!(one.change(&table(&[other])), Change::NewInit, "{other:?}");
        assert!(!one.serves(&table(&[other])));
        // What came before is not what counts.
        assert_eq!(one.change(&table(&[other, plain])), Change::None);
    }
    // Sets that are there and not needed are no matter; a picture parameter set that is missing is.
    let mut without = ParameterSets::new(Codec::H264);
    without.insert(&plain.sps()).unwrap();
    assert_eq!(without.change(&one), Change::NewInit);
    assert_eq!(one.change(&without), Change::Cosmetic);
    assert!(one.serves(&without) && !without.serves(&one));
}

#[test]
fn timing_ids_and_order_are_cosmetic() {
    // num_units_in_tick alone.
    let timing = |units: &str| {
        let mut table = ParameterSets::new(Codec::H264);
        table.insert(&hex(&["67640016ac3b505017fcb0800001", units, "00004e2042"].concat())).unwrap();
        table
    };
    assert_eq!(timing("f4").change(&timing("f5")), Change::Cosmetic);
    assert!(timing("f4").serves(&timing("f5")));
    // The same sets under other ids: no other pictures, but a decoder must be told.
    let stream = Stream { order_type: 0, fields: false, reorder: None };
    let numbered = |sps: u32, pps: &[u32]| {
        let mut table = ParameterSets::new(Codec::H264);
        table.insert(&stream.sps_with(sps)).unwrap();
        for id in pps {
            table.insert(&stream.pps_with(*id, sps)).unwrap();
        }
        table.activate(sps as u8);
        table
    };
    let first = numbered(0, &[0]);
    for other in [numbered(0, &[1]), numbered(1, &[0]), numbered(3, &[7]), numbered(0, &[0, 5])] {
        assert_eq!(first.change(&other), Change::Cosmetic);
        assert!(!first.serves(&other), "{other:?}");
    }
    // Two at once serve either.
    let mut both = numbered(0, &[0, 1]);
    both.insert(&stream.sps_with(1)).unwrap();
    both.insert(&stream.pps_with(4, 1)).unwrap();
    assert_eq!(both.change(&numbered(0, &[1])), Change::Cosmetic);
    assert!(both.serves(&numbered(0, &[1])) && both.serves(&first));
    // A set that comes and is not activated.
    assert_eq!(first.change(&both.clone()), Change::Cosmetic);
    both.activate(1);
    assert_eq!(first.change(&both), Change::Cosmetic);
    assert_eq!(both.needed().count(), 2);
}

#[test]
fn bytes_behind_a_set_are_a_matter_of_policy() {
    let stream = Stream { order_type: 0, fields: false, reorder: None };
    let (sps, pps) = (stream.sps(), stream.pps());
    let padded = [&sps[..], &[0x12, 0x34]].concat();
    let mut strict = Limits::default();
    strict.policy = Policy::Strict;
    let mut table = ParameterSets::new(Codec::H264);
    assert_eq!(table.insert_within(&padded, &strict).unwrap_err().kind, Kind::TrailingBytes);
    assert!(!table.holds(&padded) && table.format().is_none());
    table.insert_within(&padded, &Limits::default()).unwrap();
    assert_eq!(table.extent(&padded), Some(Extent::Trailing));
    table.insert_within(&pps, &strict).unwrap();
    assert_eq!(table.extent(&pps), Some(Extent::Whole));
    assert_eq!(table.format().unwrap(), self::table(&[stream]).format().unwrap());
}

/// What openh264 writes of two spatial layers: a subset sequence parameter set of Scalable Baseline.
#[test]
fn scalable_layers_are_named_and_change_nothing_for_a_decoder_of_the_base() {
    let stream = Stream { order_type: 0, fields: false, reorder: None };
    let mut layered = table(&[stream]);
    // Scalable profiles are High ones: chroma format, bit depths, no scaling matrix before frame_num.
    let mut w = crate::h26x::testing::BitWriter::default();
    w.bits(83, 8).bits(0, 8).bits(30, 8).ue(0).ue(1).ue(0).ue(0).bits(0, 2).ue(0).ue(2).ue(4).bits(0, 1);
    w.ue(7).ue(7).bits(1, 1).bits(1, 1).bits(0, 1).bits(0, 1);
    let subset = w.nal(0x6f);
    assert_eq!(layered.insert(&subset), Ok(Inserted::New));
    assert_eq!(layered.insert(&subset), Ok(Inserted::Same));
    assert!(layered.holds(&subset));
    assert_eq!(layered.format().unwrap().layers, Layers::Scalable);
    assert_eq!((layered.format().unwrap().width, layered.sps().count()), (64, 1));
    assert_eq!(table(&[stream]).change(&layered), Change::Cosmetic);
    assert!(table(&[stream]).serves(&layered));
}

#[test]
fn a_slice_without_its_sets_has_no_header() {
    let stream = Stream { order_type: 0, fields: false, reorder: None };
    let slice =
        stream.slice(crate::h26x::testing::Picture { idr: true, reference: true, ..Default::default() });
    assert!(table(&[]).slice_header(Nal::new(&slice)).is_none());
    assert!(table(&[stream]).slice_header(Nal::new(&slice)).is_some());
}

#[test]
fn the_codec_is_told_by_content() {
    let stream = Stream { order_type: 0, fields: false, reorder: None };
    let h264 = [&[0, 0, 1], &stream.sps()[..], &[0, 0, 1], &stream.pps()].concat();
    assert_eq!(annexb::detect(&h264), Some(Codec::H264));
    let sps = hex("420101016000000300900000030000030078a003c08010e596666924cae010000003001000000301e080");
    assert_eq!(annexb::detect(&[&[0, 0, 0, 1], &sps[..]].concat()), Some(Codec::H265));
    assert_eq!(annexb::detect(b"not a stream"), None);
}

/// Found by the fuzz target `parameter_sets`.
#[test]
fn the_place_of_an_error_is_within_the_nal_unit() {
    let cut = ParameterSets::new(Codec::H265).insert(&[0x42]).unwrap_err();
    assert_eq!((cut.kind, cut.at.0), (Kind::Truncated, 1));
}

proptest! {
    #[test]
    fn any_bytes_are_a_set_or_an_error(
        h265: bool,
        unit_type in prop::sample::select([7_u8, 8, 32, 33, 34].to_vec()),
        body in prop::collection::vec(any::<u8>(), 0..120),
        slice in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let codec = if h265 { Codec::H265 } else { Codec::H264 };
        let header = if h265 { [unit_type << 1, 1].to_vec() } else { [0x60 | unit_type & 0x1f].to_vec() };
        let mut table = ParameterSets::new(codec);
        let _ = table.insert(&[header, body].concat());
        let _ = (table.format(), table.slice_header(Nal::new(&slice)), table.change(&table.clone()));
    }

    /// A real set with bits turned over: reads on into every branch.
    #[test]
    fn damaged_sets_are_survived(at in 0_usize..40, bit in 0_u8..8, cut in 2_usize..42) {
        for (codec, set) in [
            (Codec::H264, "67640029ac133140780447de03ea020203e000000300200000065280"),
            (Codec::H265, "420101016000000300800000030000030096a001802006c1fe36bbb5377725d602dc0404041000003e80"),
        ] {
            let mut nal = hex(set);
            nal.truncate(cut);
            if let Some(byte) = nal.get_mut(at.max(2)) {
                *byte ^= 1 << bit;
            }
            let mut table = ParameterSets::new(codec);
            let _ = table.insert(&nal);
            let _ = table.format();
        }
    }
}
