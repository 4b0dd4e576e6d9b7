//! Annex B streams made by others: `vigie remux`, then ffmpeg must decode the very same pictures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use support::{pixels, run, vigie};

struct Vector {
    file: String,
    pictures: usize,
    pixels: String,
}

/// How many of the 97 must come out the same.
const REQUIRED: usize = 97;

fn folder() -> PathBuf {
    match std::env::var_os("VIGIE_VECTORS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
    }
}

/// The streams that ffmpeg decodes, with what it decodes.
fn vectors(manifest: &str) -> Vec<Vector> {
    let mut lines = manifest.lines();
    let heads: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let column = |name: &str| heads.iter().position(|h| *h == name).unwrap();
    let (file, frames, pixels) = (column("file"), column("frames"), column("pixelmd5_sha256"));
    let rows = lines.map(|line| line.split('\t').collect::<Vec<&str>>());
    rows.filter(|row| row[file].starts_with("es264/") || row[file].starts_with("es265/"))
        .filter_map(|row| {
            let pictures = row[frames].parse().ok().filter(|n| *n > 0)?;
            let pixels = (!row[pixels].is_empty()).then(|| row[pixels].to_owned())?;
            Some(Vector { file: row[file].to_owned(), pictures, pixels })
        })
        .collect()
}

#[test]
fn remuxed_streams_decode_to_the_same_pictures() {
    let folder = folder();
    let Ok(manifest) = std::fs::read_to_string(folder.join("MANIFEST.tsv")) else {
        support::skip("VIGIE_REQUIRE_VECTORS", &format!("{} is not there (VIGIE_VECTORS)", folder.display()));
        return;
    };
    if !support::ffmpeg() {
        return;
    }
    let vectors = vectors(&manifest);
    let out = tempfile::tempdir().unwrap();
    let queue = Mutex::new(vectors.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(vector) = queue.lock().unwrap().next() else { return };
                    if let Err(why) = judge(vector, &folder, out.path()) {
                        failed.lock().unwrap().push(format!("{}: {why}", vector.file));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let equal = vectors.len() - failed.len();
    println!(
        "{equal} of {} streams decode to the same pictures after remux (required: {REQUIRED})",
        vectors.len()
    );
    for line in &failed {
        println!("  not equal: {line}");
    }
    assert!(equal >= REQUIRED, "{equal} of {}: {failed:#?}", vectors.len());
}

fn judge(vector: &Vector, folder: &Path, out: &Path) -> Result<(), String> {
    let input = folder.join(&vector.file);
    let output = out.join(vector.file.replace('/', "-")).with_extension("mp4");
    let remuxed = run(vigie(&["remux"]).arg(&input).arg("-o").arg(&output));
    if !remuxed.status.success() {
        return Err(String::from_utf8_lossy(&remuxed.stderr).trim().to_owned());
    }
    let decoded = pixels(&output, &[]);
    let _ = std::fs::remove_file(&output);
    let (sum, pictures) = decoded?;
    if pictures != vector.pictures {
        return Err(format!("{pictures} pictures, not {}", vector.pictures));
    }
    if sum == vector.pixels { Ok(()) } else { Err("as many pictures, but other ones".into()) }
}

/// Scalable video is kept whole, shown as its base, and said to be what it is.
#[test]
fn scalable_layers_are_named() {
    let input = folder().join("es264/h264nal__foreman.svc.264");
    if !input.exists() {
        support::skip("VIGIE_REQUIRE_VECTORS", &format!("{} is not there (VIGIE_VECTORS)", input.display()));
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let output = out.path().join("svc.mp4");
    let remuxed = run(vigie(&["remux"]).arg(&input).arg("-o").arg(&output));
    let probed = run(vigie(&["probe"]).arg(&input));
    for done in [&remuxed, &probed] {
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(
            text.lines().any(|line| line.starts_with("layers") && line.contains("scalable (SVC)")),
            "{text}"
        );
    }
    let plain = run(vigie(&["probe"]).arg(folder().join("es264/srs__avatar.h264")));
    assert!(!String::from_utf8_lossy(&plain.stdout).contains("layers"));
}

/// What becomes of each file of `pcap/` and `rtpbin/`: its pictures and the packets missing, or what is said of it.
#[allow(clippy::type_complexity)]
const CAPTURES: &[(&str, Result<(u64, u64), &str>)] = &[
    ("pcap/membrane_rtp_plugin__demo_audio_video_rtp3.pcap", Ok((142, 0))),
    ("pcap/membrane_rtp_plugin__h264_before_sr.pcap", Ok((70, 6))),
    ("pcap/membrane_rtp_plugin__h264_before_sr2.pcap", Ok((68, 8))),
    // Encrypted.
    ("pcap/membrane_rtp_plugin__srtp.pcap", Err(NO_VIDEO)),
    // H.263, sound, WebRTC.
    ("pcap/nDPI__rtp.pcapng", Err(NO_VIDEO)),
    // RTSP alone.
    ("pcap/nDPI__rtsp.pcap", Err(NO_RTP)),
    ("pcap/nDPI__rtsp_setup_http.pcapng", Err(NO_RTP)),
    ("pcap/tau__wilson.pcap", Ok((276, 0))),
    // Single packets of JPEG without framing.
    ("rtpbin/SharpRTSP__jpeg_0.rtp", Err(NEITHER)),
    ("rtpbin/SharpRTSP__jpeg_1.rtp", Err(NEITHER)),
    ("rtpbin/SharpRTSP__jpeg_2.rtp", Err(NEITHER)),
    ("rtpbin/gstreamer__tests__files__h265.rtp", Ok((1, 0))),
    // Fragments without RTP headers.
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_1_5.bin", Err(NEITHER)),
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_2_5.bin", Err(NEITHER)),
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_4_5.bin", Err(NEITHER)),
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_5_5.bin", Err(NEITHER)),
    // The payload of one packet of MPEG audio.
    ("rtpbin/membrane_rtp_plugin__rtp_packet_payload.bin", Err(NEITHER)),
    // Boxes of MP4; in the first stands what begins like a start code.
    (
        "rtpbin/mp4ff__mp4__testdata__minf_with_trailing_avc1_bytes.bin",
        Err("has no picture in it that can be decoded"),
    ),
    ("rtpbin/mp4ff__mp4__testdata__stsd_ac4.bin", Err(NEITHER)),
    ("rtpbin/mp4ff__mp4__testdata__stsd_avs3.bin", Err(NEITHER)),
    ("rtpbin/mp4ff__mp4__testdata__stsd_mha1.bin", Err(NEITHER)),
];

const NO_VIDEO: &str = "holds no picture of H.264 or H.265 that can be read";
const NO_RTP: &str = "holds no RTP packet";
const NEITHER: &str = "holds neither H.264 or H.265 with start codes, nor RTP, nor a capture";

/// All RTP of others comes out of the tool, and ffmpeg decodes as many pictures; or the tool says why not.
#[test]
fn captures_come_out_or_are_named() {
    let folder = folder();
    let Ok(manifest) = std::fs::read_to_string(folder.join("MANIFEST.tsv")) else {
        support::skip("VIGIE_REQUIRE_VECTORS", &format!("{} is not there (VIGIE_VECTORS)", folder.display()));
        return;
    };
    let ffmpeg = support::ffmpeg();
    let out = tempfile::tempdir().unwrap();
    let output = out.path().join("out.mp4");
    let mut files = Vec::new();
    for of in ["pcap", "rtpbin"] {
        let names = std::fs::read_dir(folder.join(of)).unwrap().map(|entry| entry.unwrap().file_name());
        files.extend(names.map(|name| format!("{of}/{}", name.to_str().unwrap())));
    }
    files.sort();
    assert_eq!(files, CAPTURES.iter().map(|(file, _)| *file).collect::<Vec<_>>());
    for (file, expected) in CAPTURES {
        let done = run(vigie(&["remux", "--json"]).arg(folder.join(file)).arg("-o").arg(&output));
        let said = if done.status.success() { &done.stdout } else { &done.stderr };
        let said: serde_json::Value = serde_json::from_slice(said).unwrap();
        println!("{file}: {said}");
        match expected {
            Err(reason) => {
                assert_eq!(done.status.code(), Some(1), "{file}");
                assert!(said["error"]["what"].as_str().unwrap().contains(reason), "{file}: {said}");
            }
            Ok((pictures, lost)) => {
                assert!(done.status.success(), "{file}: {said}");
                assert_eq!(said["pictures"].as_u64(), Some(*pictures), "{file}: {said}");
                assert_eq!(said["lost_packets"].as_u64(), Some(*lost), "{file}: {said}");
                assert_eq!(said["left_out"].as_u64(), Some(0), "{file}: {said}");
                if ffmpeg && *lost == 0 {
                    assert_eq!(pixels(&output, &[]).map(|(_, count)| count as u64), Ok(*pictures), "{file}");
                }
            }
        }
    }
    // The same stream as GStreamer took out of the capture.
    let stream = vectors(&manifest).into_iter().find(|v| v.file == "es265/tau__tau_wilson.h265").unwrap();
    if ffmpeg {
        run(vigie(&["remux"]).arg(folder.join("pcap/tau__wilson.pcap")).arg("-o").arg(&output));
        assert_eq!(pixels(&output, &[]), Ok((stream.pixels, stream.pictures)));
    }
}
