//! `vigie vet`: faults of every class, planted one at a time at places that a seed draws, are each named and nothing else is;
//! streams of sane encoders draw nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bits;
mod cameras;
mod faults;
mod mutate;
mod outputs;
mod stream;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use faults::{FAULTS, Into};
use stream::{Dice, Picture, Stream, pictures, write_pcap};
use support::clips;
use vigie::codec::Codec;
use vigie_cli::vet::{Report, Rule, Severity, source};

/// The clips as pictures, read once.
fn clip(at: usize) -> &'static (Codec, Vec<Picture>) {
    const NAMES: [&str; 4] = ["1-mairie.h264", "2-place.h264", "3-ecole.h264", "4-gare.h265"];
    static CLIPS: [OnceLock<(Codec, Vec<Picture>)>; 4] = [const { OnceLock::new() }; 4];
    CLIPS[at].get_or_init(|| {
        let codec = if NAMES[at].ends_with('5') { Codec::H265 } else { Codec::H264 };
        (codec, pictures(codec, &std::fs::read(clips().join(NAMES[at])).unwrap(), 750))
    })
}

/// A stream of x264 with four slices a picture.
fn sliced() -> Option<&'static (Codec, Vec<Picture>)> {
    static SLICED: OnceLock<Option<(Codec, Vec<Picture>)>> = OnceLock::new();
    SLICED
        .get_or_init(|| encoded("libx264", &["-x264-params", "slices=4:bframes=0:keyint=50"], Codec::H264))
        .as_ref()
}

/// What an encoder makes of ffmpeg's test picture; `None`, loudly, where there is no ffmpeg.
fn encoded(encoder: &str, options: &[&str], codec: Codec) -> Option<(Codec, Vec<Picture>)> {
    if !support::ffmpeg() {
        return None;
    }
    let format = if codec == Codec::H264 { "h264" } else { "hevc" };
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x352:rate=25:duration=7"])
        .args(["-c:v", encoder, "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p"])
        .args(options)
        .args(["-f", format, "-"])
        .output()
        .expect("ffmpeg");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((codec, pictures(codec, &output.stdout, 750)))
}

/// The rules that were broken, without notes.
fn broken(report: &Report) -> Vec<&'static str> {
    let graver = report.findings().into_iter().filter(|found| found.rule.severity() > Severity::Note);
    graver.map(|found| found.rule.id()).collect()
}

fn judge(dir: &Path, stream: &Stream, packets: &[stream::Packet]) -> Report {
    let (pcap, sdp) = (dir.join("stream.pcap"), dir.join("stream.sdp"));
    write_pcap(&pcap, packets);
    std::fs::write(&sdp, &stream.sdp).unwrap();
    source::file(&pcap, Some(&sdp)).expect("a report")
}

fn seeds() -> Vec<u64> {
    match std::env::var("VIGIE_VET_SEED") {
        Ok(seed) => vec![seed.parse().expect("VIGIE_VET_SEED is a number")],
        Err(_) if support::long() => (1..=20).collect(),
        Err(_) => vec![1, 2],
    }
}

#[test]
fn each_planted_fault_is_named_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut planted = 0;
    for seed in seeds() {
        for (number, fault) in FAULTS.iter().enumerate() {
            let mut dice = Dice::new(seed * 1_000 + number as u64);
            let (codec, all) = match fault.into {
                Into::Sliced => match sliced() {
                    Some(sliced) => sliced,
                    None => continue,
                },
                Into::H264 => clip(dice.below(3)),
                Into::H265 => clip(3),
                Into::Any => clip(dice.below(4)),
            };
            let mut stream = Stream::new(*codec, all[..fault.pictures.min(all.len())].to_vec(), &mut dice);
            let clean = judge(dir.path(), &stream, &stream.packets());
            if !broken(&clean).is_empty() {
                wrong.push(format!("seed {seed}, {}, before the fault:\n{}", fault.rule, clean.text()));
                continue;
            }
            let packets = (fault.plant)(&mut stream, &mut dice);
            let report = judge(dir.path(), &stream, &packets);
            planted += 1;
            if broken(&report) != [fault.rule] {
                wrong.push(format!("seed {seed}, {} in {codec:?}:\n{}", fault.rule, report.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {planted} faults:\n{}", wrong.len(), wrong.join("\n----\n"));
    println!("{planted} faults planted, each named, nothing else named");
}

/// Every rule that a fault is planted for is one, with a clause; and there are twenty classes at least.
#[test]
fn faults_are_of_many_classes() {
    let classes: std::collections::BTreeSet<&str> = FAULTS.iter().map(|fault| fault.rule).collect();
    assert!(classes.len() >= 40, "{}", classes.len());
    for class in classes {
        let rule =
            Rule::ALL.iter().find(|rule| rule.id() == class).unwrap_or_else(|| panic!("no rule {class}"));
        assert!(rule.clause().contains('§') || rule.clause().contains("ONVIF"), "{class}: {}", rule.clause());
    }
}

#[test]
fn clean_streams_of_encoders_draw_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(99);
    let mut streams: Vec<(String, Codec, Vec<Picture>)> =
        (0..4).map(|at| (format!("clip {at}"), clip(at).0, clip(at).1.clone())).collect();
    let more: [(&str, &[&str], Codec); 5] = [
        ("libx264", &["-tune", "zerolatency"], Codec::H264),
        (
            "libx264",
            &["-preset", "medium", "-x264-params", "bframes=3:b-pyramid=normal:aud=1:open-gop=1:keyint=40"],
            Codec::H264,
        ),
        (
            "libx264",
            &[
                "-x264-params",
                "intra-refresh=1:nal-hrd=vbr",
                "-b:v",
                "800k",
                "-maxrate",
                "1M",
                "-bufsize",
                "1M",
            ],
            Codec::H264,
        ),
        ("libx265", &["-x265-params", "log-level=error:pools=1:keyint=40:aud=1"], Codec::H265),
        (
            "libx265",
            &[
                "-preset",
                "medium",
                "-x265-params",
                "log-level=error:pools=1:bframes=4:keyint=50:slices=2:hrd=1:vbv-maxrate=1000:vbv-bufsize=1000",
            ],
            Codec::H265,
        ),
    ];
    for (encoder, options, codec) in more {
        if let Some((_, all)) = encoded(encoder, options, codec) {
            streams.push((format!("{encoder} {options:?}"), codec, all));
        }
    }
    for (name, codec, all) in streams {
        let stream = Stream::new(codec, all, &mut dice);
        let report = judge(dir.path(), &stream, &stream.packets());
        assert_eq!(broken(&report), [""; 0], "{name}:\n{}", report.text());
    }
}
