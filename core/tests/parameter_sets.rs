//! Parameter sets of real cameras and encoders: sizes as ffmpeg reads them (`vectors/param_sets.tsv`), every bit read,
//! and all that `h264-reader` says of them too.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use h264_reader::nal::sps::{FrameMbsFlags, HrdParameters, PicOrderCntType, SeqParameterSet};
use vigie::h26x::{Codec, Extent, Hrd, Nal, NalKind, ParameterSets, annexb, h264};

fn vectors() -> Option<PathBuf> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let path = std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from);
    let there = path.join("param_sets.tsv").exists();
    assert!(there || std::env::var_os("VIGIE_REQUIRE_VECTORS").is_none(), "vectors are required");
    if !there {
        println!("SKIPPED: no vectors at {}", path.display());
    }
    there.then_some(path)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// A row of the table: codec, its columns, the NAL unit.
fn rows(table: &str) -> impl Iterator<Item = (Codec, Vec<&str>, Vec<u8>)> {
    // One row is an H.265 set that its source declares as H.264.
    let known = |f: &Vec<&str>| ["vps", "sps", "pps"].contains(&f[1]);
    table.lines().skip(1).map(|line| line.split('\t').collect()).filter(known).map(|f: Vec<&str>| {
        let codec = if f[0] == "h264" { Codec::H264 } else { Codec::H265 };
        // Some come from SDPs that put a start code before them, or behind.
        let bytes = hex(f[13]);
        let nal = annexb::units(&[&[0, 0, 1], &bytes[..]].concat()).next().unwrap().to_vec();
        (codec, f, nal)
    })
}

#[test]
fn sizes_and_rates_of_real_sets_equal_ffmpegs() {
    let Some(vectors) = vectors() else { return };
    let table = std::fs::read_to_string(vectors.join("param_sets.tsv")).unwrap();
    let (mut sizes, mut rates) = (0, 0);
    for (codec, f, nal) in rows(&table) {
        let mut sets = ParameterSets::new(codec);
        let inserted = sets.insert(&nal);
        assert!(inserted.is_ok(), "{f:?}: {inserted:?}");
        if f[1] != "sps" {
            continue;
        }
        let format = sets.format().unwrap();
        if let (Ok(width), Ok(height)) = (f[2].parse::<u32>(), f[3].parse::<u32>()) {
            assert_eq!((format.width, format.height), (width, height), "{f:?}");
            sizes += 1;
        }
        if let Ok(fps) = f[4].parse::<f64>() {
            let (over, under) = format.frame_rate.unwrap_or_else(|| panic!("{f:?}"));
            assert!((f64::from(over) / f64::from(under) - fps).abs() < 0.01, "{over}/{under}: {f:?}");
            rates += 1;
        }
    }
    println!("{sizes} sizes, {rates} frame rates");
    assert!(sizes > 50 && rates > 20, "{sizes} sizes, {rates} rates");
}

/// A set that does not end where its syntax does: 6 bytes, and then what looks like base64 gone on too long, in an SDP.
const TRAILED: &str = "4401c173d089b617ab79aaded757218a5767a1d7aca1fb61";

/// Every distinct parameter set of the table and of the elementary streams; H.265 where `true`.
fn all_sets(vectors: &std::path::Path) -> BTreeSet<(bool, Vec<u8>)> {
    let table = std::fs::read_to_string(vectors.join("param_sets.tsv")).unwrap();
    let mut sets: BTreeSet<_> = rows(&table).map(|(codec, _, nal)| (codec == Codec::H265, nal)).collect();
    for (folder, codec) in [("es264", Codec::H264), ("es265", Codec::H265)] {
        for entry in std::fs::read_dir(vectors.join(folder)).unwrap() {
            let stream = std::fs::read(entry.unwrap().path()).unwrap();
            let own = annexb::units(&stream).filter(|nal| Nal::new(nal).kind(codec).is_parameter_set());
            sets.extend(own.map(|nal| (codec == Codec::H265, nal.to_vec())));
        }
    }
    sets
}

#[test]
fn every_bit_of_real_sets_is_read() {
    let Some(vectors) = vectors() else { return };
    let (mut whole, mut other) = (0, vec![]);
    let sets = all_sets(&vectors);
    for (h265, nal) in &sets {
        let codec = if *h265 { Codec::H265 } else { Codec::H264 };
        let mut table = ParameterSets::new(codec);
        // The number of scaling lists in an H.264 PPS hangs on the chroma format: none of these has 4:4:4 and lists.
        let text: String = nal.iter().take(24).map(|b| format!("{b:02x}")).collect();
        match table.insert(nal) {
            Ok(_) => match table.extent(nal).unwrap() {
                Extent::Whole => whole += 1,
                extent => other.push((text, Some(extent))),
            },
            Err(_) => other.push((text, None)),
        }
    }
    println!("{whole} of {} parameter sets read to their end", sets.len());
    other.retain(|(text, extent)| (text.as_str(), *extent) != (TRAILED, Some(Extent::Trailing)));
    assert!(other.is_empty() && whole > 150, "{other:#?}");
}

#[test]
fn h264_reader_says_the_same() {
    let Some(vectors) = vectors() else { return };
    let (mut agreed, mut refused) = (0, vec![]);
    for (_, nal) in all_sets(&vectors).iter().filter(|(h265, _)| !h265) {
        if Nal::new(nal).kind(Codec::H264) != NalKind::Sps {
            continue;
        }
        let text: String = nal.iter().map(|b| format!("{b:02x}")).collect();
        let rbsp = h264_reader::rbsp::decode_nal(nal);
        let theirs = rbsp.map_err(|e| format!("{e:?}")).and_then(|rbsp| {
            let bits = h264_reader::rbsp::BitReader::new(&rbsp[..]);
            SeqParameterSet::from_bits(bits).map_err(|e| format!("{e:?}"))
        });
        match theirs {
            Ok(theirs) => {
                compare(&h264::Sps::parse(nal).unwrap(), &theirs, &text);
                agreed += 1;
            }
            Err(why) => refused.push((text, why)),
        }
    }
    println!("{agreed} sequence parameter sets alike");
    assert!(refused.is_empty() && agreed > 80, "{agreed}, {refused:#?}");
}

fn compare(ours: &h264::Sps, theirs: &SeqParameterSet, text: &str) {
    assert_eq!(ours.profile, u8::from(theirs.profile_idc), "{text}");
    assert_eq!(ours.constraints, u8::from(theirs.constraint_flags), "{text}");
    assert_eq!((ours.level, ours.id), (theirs.level_idc, theirs.seq_parameter_set_id.id()), "{text}");
    let chroma = &theirs.chroma_info;
    let depths = (chroma.bit_depth_luma_minus8 + 8, chroma.bit_depth_chroma_minus8 + 8);
    assert_eq!((ours.bit_depth_luma, ours.bit_depth_chroma), depths, "{text}");
    assert_eq!(ours.scaling_lists, chroma.scaling_matrix.is_some(), "{text}");
    assert_eq!(ours.separate_planes, chroma.separate_colour_plane_flag, "{text}");
    assert_eq!(ours.frame_num_bits, theirs.log2_max_frame_num_minus4 + 4, "{text}");
    match (&ours.order, &theirs.pic_order_cnt) {
        (h264::OrderType::Lsb { bits }, PicOrderCntType::TypeZero { log2_max_pic_order_cnt_lsb_minus4 }) => {
            assert_eq!(*bits, log2_max_pic_order_cnt_lsb_minus4 + 4, "{text}");
        }
        (
            h264::OrderType::Cycle { always_zero, non_ref, top_to_bottom, offsets, .. },
            PicOrderCntType::TypeOne {
                delta_pic_order_always_zero_flag,
                offset_for_non_ref_pic,
                offset_for_top_to_bottom_field,
                offsets_for_ref_frame,
            },
        ) => {
            assert_eq!(always_zero, delta_pic_order_always_zero_flag, "{text}");
            let expected = (offset_for_non_ref_pic, offset_for_top_to_bottom_field, offsets_for_ref_frame);
            assert_eq!((non_ref, top_to_bottom, offsets), expected, "{text}");
        }
        (h264::OrderType::Decoding, PicOrderCntType::TypeTwo) => {}
        other => panic!("{other:?}: {text}"),
    }
    assert_eq!(ours.max_ref_frames, theirs.max_num_ref_frames, "{text}");
    assert_eq!(ours.gaps_allowed, theirs.gaps_in_frame_num_value_allowed_flag, "{text}");
    assert_eq!(ours.direct_8x8, theirs.direct_8x8_inference_flag, "{text}");
    let (frames_only, pairs) = match theirs.frame_mbs_flags {
        FrameMbsFlags::Frames => (true, false),
        FrameMbsFlags::Fields { mb_adaptive_frame_field_flag } => (false, mb_adaptive_frame_field_flag),
    };
    assert_eq!((ours.frames_only, ours.macroblock_pairs), (frames_only, pairs), "{text}");
    if let Ok(size) = theirs.pixel_dimensions() {
        assert_eq!((ours.width, ours.height), size, "{text}");
    }
    assert_eq!(ours.vui.is_some(), theirs.vui_parameters.is_some(), "{text}");
    let (Some(ours), Some(theirs)) = (&ours.vui, &theirs.vui_parameters) else { return };
    let timing = theirs.timing_info.as_ref();
    // Zeros say nothing (§E.2.1: both shall be greater than 0).
    let times = timing.map(|t| (t.num_units_in_tick, t.time_scale)).filter(|(a, b)| *a > 0 && *b > 0);
    assert_eq!(ours.timing, times, "{text}");
    assert_eq!(ours.fixed_frame_rate, timing.is_some_and(|t| t.fixed_frame_rate_flag), "{text}");
    assert_eq!(ours.pic_struct, theirs.pic_struct_present_flag, "{text}");
    assert_eq!(ours.low_delay, theirs.low_delay_hrd_flag.unwrap_or(false), "{text}");
    compare_rates(ours.nal_hrd, theirs.nal_hrd_parameters.as_ref(), text);
    compare_rates(ours.vcl_hrd, theirs.vcl_hrd_parameters.as_ref(), text);
    let restriction = theirs.bitstream_restrictions.as_ref();
    let theirs = restriction.map(|r| (r.max_num_reorder_frames, r.max_dec_frame_buffering));
    let ours = ours.restriction.map(|r| (u32::from(r.reorder), u32::from(r.buffering)));
    assert_eq!(ours, theirs, "{text}");
}

fn compare_rates(ours: Option<Hrd>, theirs: Option<&HrdParameters>, text: &str) {
    assert_eq!(ours.is_some(), theirs.is_some(), "{text}");
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
    let last = theirs.cpb_specs.last().unwrap();
    assert_eq!(
        ours.bit_rate,
        (u64::from(last.bit_rate_value_minus1) + 1) << (6 + theirs.bit_rate_scale),
        "{text}"
    );
    assert_eq!(
        ours.buffer,
        (u64::from(last.cpb_size_value_minus1) + 1) << (4 + theirs.cpb_size_scale),
        "{text}"
    );
    let lengths = (ours.initial_delay_bits, ours.removal_delay_bits, ours.output_delay_bits);
    let expected = (
        theirs.initial_cpb_removal_delay_length_minus1 + 1,
        theirs.cpb_removal_delay_length_minus1 + 1,
        theirs.dpb_output_delay_length_minus1 + 1,
    );
    assert_eq!((lengths, ours.time_offset_bits), (expected, theirs.time_offset_length), "{text}");
}
