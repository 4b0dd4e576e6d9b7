//! Annex B files of many encoders and cameras: each sample is one picture that ffmpeg shows, in its order.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::PathBuf;

use vigie::depacket::AnnexBReader;
use vigie::h26x::annexb;
use vigie::limits::Limits;
use vigie::timeline::{ByPictureOrder, Group};

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

fn groups(bytes: &[u8]) -> Vec<Group> {
    let limits = Limits::default();
    let mut reader = AnnexBReader::new(annexb::detect(bytes).unwrap(), &limits);
    let mut times = ByPictureOrder::new(&limits);
    let mut groups = vec![];
    for piece in bytes.chunks(10_007) {
        reader.push(piece);
        while let Some(unit) = reader.pull() {
            times.push(unit);
        }
        groups.extend(std::iter::from_fn(|| times.pull()));
    }
    reader.finish();
    while let Some(unit) = reader.pull() {
        times.push(unit);
    }
    times.finish();
    groups.extend(std::iter::from_fn(|| times.pull()));
    groups
}

fn check(groups: &[Group], frames: usize) -> Result<(), String> {
    let samples: Vec<_> = groups.iter().flat_map(|g| &g.samples).collect();
    if samples.len() != frames {
        return Err(format!("{} samples, {frames} pictures", samples.len()));
    }
    if !samples.is_sorted_by(|a, b| a.dts < b.dts) {
        return Err("decoding times do not rise".into());
    }
    if let Some(late) = samples.iter().position(|s| s.dts > s.pts) {
        return Err(format!("sample {late} is decoded after it is shown"));
    }
    for pair in samples.windows(2) {
        if pair[0].dts.0 + i64::from(pair[0].duration) != pair[1].dts.0 {
            return Err(format!("a gap at {:?}", pair[1].dts));
        }
    }
    let mut shown: Vec<_> = samples.iter().map(|s| s.pts).collect();
    shown.sort_unstable();
    if shown.first().is_some_and(|first| first.0 != 0) || !shown.is_sorted_by(|a, b| a < b) {
        return Err("presentation times are not distinct from 0 on".into());
    }
    Ok(())
}

#[test]
fn every_picture_that_ffmpeg_shows_is_one_sample() {
    let Some(vectors) = vectors() else { return };
    let table = std::fs::read_to_string(vectors.join("MANIFEST.tsv")).unwrap();
    let (mut good, mut bad) = (0, vec![]);
    for line in table.lines().skip(1) {
        let fields: Vec<_> = line.split('\t').collect();
        let Ok(frames) = fields[6].parse() else { continue };
        if !fields[0].starts_with("es26") {
            continue;
        }
        let groups = groups(&std::fs::read(vectors.join(fields[0])).unwrap());
        match check(&groups, frames) {
            Ok(()) => good += 1,
            Err(why) => bad.push(format!("{}: {why}", fields[0])),
        }
    }
    println!("{good} streams, {} of them not: {bad:#?}", bad.len());
    assert!(bad.is_empty() && good >= 97, "{good} good, {bad:#?}");
}

/// The clips of the simulated cameras: they are in the repository, so that this holds without the vectors.
#[test]
fn the_clips_have_a_sample_for_each_picture() {
    let clips = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/cli/clips");
    let mut seen = 0;
    for entry in std::fs::read_dir(clips).unwrap() {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|e| e == "h264" || e == "h265") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let codec = annexb::detect(&bytes).unwrap();
        let first = |nal: &&[u8]| {
            let nal = vigie::h26x::Nal::new(nal);
            nal.kind(codec) == vigie::h26x::NalKind::Slice && nal.payload(codec)[0] & 0x80 != 0
        };
        let pictures = annexb::units(&bytes).filter(first).count();
        let groups = groups(&bytes);
        check(&groups, pictures).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert!(pictures >= 1_500 && groups.len() > 1, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 4);
}
