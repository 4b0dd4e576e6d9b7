//! Parameter sets of real cameras and encoders: sizes as ffmpeg reads them (`vectors/param_sets.tsv`).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::PathBuf;

use vigie::h26x::{Codec, ParameterSets, annexb, h264};

fn vectors() -> PathBuf {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn sizes_and_rates_of_real_sets_equal_ffmpegs() {
    let Ok(table) = std::fs::read_to_string(vectors().join("param_sets.tsv")) else {
        assert!(std::env::var_os("VIGIE_REQUIRE_VECTORS").is_none(), "vectors are required");
        println!("SKIPPED: no vectors at {}", vectors().display());
        return;
    };
    let (mut sizes, mut rates) = (0, 0);
    for line in table.lines().skip(1) {
        let f: Vec<&str> = line.split('\t').collect();
        if !["vps", "sps", "pps"].contains(&f[1]) {
            continue; // one row is an H.265 set that its source declares as H.264
        }
        let codec = if f[0] == "h264" { Codec::H264 } else { Codec::H265 };
        // Two come from SDPs that put a start code before them.
        let bytes = hex(f[13]);
        let nal = annexb::units(&bytes).next().unwrap_or(&bytes).to_vec();
        let mut sets = ParameterSets::new(codec);
        let inserted = sets.insert(&nal);
        if f[1] != "sps" {
            assert!(inserted.is_ok(), "{line}: {inserted:?}");
            continue;
        }
        assert!(inserted.is_ok(), "{line}: {inserted:?}");
        let format = sets.format().unwrap();
        if let (Ok(width), Ok(height)) = (f[2].parse::<u32>(), f[3].parse::<u32>()) {
            assert_eq!((format.width, format.height), (width, height), "{line}");
            sizes += 1;
        }
        if let Ok(fps) = f[4].parse::<f64>() {
            let (over, under) = format.frame_rate.unwrap_or_else(|| panic!("{line}"));
            assert!((f64::from(over) / f64::from(under) - fps).abs() < 0.01, "{over}/{under}: {line}");
            rates += 1;
        }
        if codec == Codec::H264 {
            second_opinion(&nal, line);
        }
    }
    println!("{sizes} sizes, {rates} frame rates");
    assert!(sizes > 50 && rates > 20, "{sizes} sizes, {rates} rates");
}

/// h264-reader on the same bytes, where it reads them at all.
fn second_opinion(nal: &[u8], line: &str) {
    let Ok(rbsp) = h264_reader::rbsp::decode_nal(nal) else {
        return println!("h264-reader refuses the escaping: {line}");
    };
    let bits = h264_reader::rbsp::BitReader::new(&rbsp[..]);
    let Ok(theirs) = h264_reader::nal::sps::SeqParameterSet::from_bits(bits) else {
        return println!("h264-reader refuses: {line}");
    };
    let ours = h264::Sps::parse(nal).unwrap();
    if let Ok(size) = theirs.pixel_dimensions() {
        assert_eq!((ours.width, ours.height), size, "{line}");
    }
    assert_eq!(ours.max_ref_frames, theirs.max_num_ref_frames, "{line}");
    let restriction = theirs.vui_parameters.as_ref().and_then(|v| v.bitstream_restrictions.as_ref());
    if let Some(theirs) = restriction {
        let ours = ours.vui.as_ref().and_then(|v| v.reorder);
        assert_eq!(ours, Some((theirs.max_num_reorder_frames, theirs.max_dec_frame_buffering)), "{line}");
    }
}
