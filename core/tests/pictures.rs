//! JPEG and AV1 out of RTP, decoded by ffmpeg. The JPEG packets are a camera's; the AV1 is libaom's, in packets of our own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vigie::depacket::PictureDepacketizer;
use vigie::fragment::{Piece, PlainFragmenter};
use vigie::limits::Limits;
use vigie::rtp::RtpPacket;
use vigie::sdp::Presentation;
use vigie::time::Micros;
use vigie::timeline::PlainTimeline;

fn skip(variable: &str, why: &str) {
    assert!(std::env::var(variable).as_deref() != Ok("1"), "{variable}=1, and {why}");
    eprintln!("SKIPPED: {why}");
}

/// The camera of SharpRTSP's tests: 4:2:2 with restart markers, tables in the packet (Q 255), three packets
/// whose offsets count 12 bytes of headers each.
#[test]
fn a_camera_s_picture_is_decoded_by_ffmpeg() {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let root = std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from);
    if !root.is_dir() {
        return skip(
            "VIGIE_REQUIRE_VECTORS",
            &format!("no folder {}; VIGIE_VECTORS names it", root.display()),
        );
    }
    let presentation = Presentation::parse("v=0\r\nm=video 0 RTP/AVP 26\r\n", &Limits::default()).unwrap();
    let mut jpeg = PictureDepacketizer::new(presentation.picture().unwrap().1, &Limits::default()).unwrap();
    for n in 0..3 {
        let path = root.join(format!("rtpbin/SharpRTSP__jpeg_{n}.rtp"));
        let bytes = fs::read(&path).unwrap();
        jpeg.push(&RtpPacket::parse(&bytes).unwrap(), Micros(0), 0);
    }
    let unit = jpeg.pull().expect("a picture");
    assert_eq!((unit.format.width, unit.format.height, jpeg.dropped()), (320, 240, 0));
    let ffmpeg = Command::new("ffmpeg")
        .args([
            "-nostdin", "-v", "warning", "-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut ffmpeg) = ffmpeg else {
        return skip("VIGIE_REQUIRE_INTEROP", "ffmpeg is not installed");
    };
    let mut stdin = ffmpeg.stdin.take().unwrap();
    let data = unit.data.clone();
    let writer = std::thread::spawn(move || {
        stdin.write_all(&data).unwrap();
    });
    let output = ffmpeg.wait_with_output().unwrap();
    writer.join().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("rror") && !said.contains("overread"), "{said}");
    assert_eq!(output.stdout.len(), 320 * 240);
    // A picture, not one grey.
    let (least, most) = (output.stdout.iter().min().unwrap(), output.stdout.iter().max().unwrap());
    assert!(most - least > 50, "{least} to {most}");
}

/// The OBUs of a low-overhead stream, without their sizes, by temporal unit; the delimiters left out.
fn temporal_units(mut stream: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut units: Vec<Vec<Vec<u8>>> = vec![];
    while let Some((&header, mut rest)) = stream.split_first() {
        assert_eq!(header & 0x06, 2, "a size, no extension");
        let (mut size, mut shift) = (0_usize, 0);
        loop {
            let (&byte, behind) = rest.split_first().unwrap();
            rest = behind;
            size |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        let (payload, behind) = rest.split_at(size);
        match header >> 3 & 15 {
            2 => units.push(vec![]),
            _ => units.last_mut().unwrap().push([&[header & !2], payload].concat()),
        }
        stream = behind;
    }
    units
}

/// The RTP payloads of a temporal unit: an OBU element a packet (W 1), cut at `most` bytes; the small ones, all but the last
/// of the unit, before it in one packet (W 0).
fn payloads(obus: &[Vec<u8>], first: bool, most: usize) -> Vec<Vec<u8>> {
    let (last, small) = obus.split_last().unwrap();
    let mut out = vec![];
    if !small.is_empty() {
        let mut packet = vec![u8::from(first) << 3];
        for obu in small {
            packet.push(u8::try_from(obu.len()).ok().filter(|n| *n < 0x80).unwrap());
            packet.extend(obu);
        }
        out.push(packet);
    }
    let count = last.len().div_ceil(most);
    for (n, chunk) in last.chunks(most).enumerate() {
        let (continues, goes_on) = (u8::from(n > 0) << 7, u8::from(n + 1 < count) << 6);
        out.push([&[continues | goes_on | 0x10], chunk].concat());
    }
    out
}

/// The MD5 of each picture, as ffmpeg decodes it.
fn md5s(file: &Path) -> Vec<String> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", file.display());
    let text = String::from_utf8(output.stdout).unwrap();
    let pictures = text.lines().filter(|line| !line.starts_with('#'));
    pictures.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn av1_of_libaom_is_the_same_in_the_file() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("av1");
    fs::create_dir_all(&dir).unwrap();
    let (source, file) = (dir.join("source.obu"), dir.join("out.mp4"));
    let made = Command::new("ffmpeg")
        .args([
            "-nostdin",
            "-y",
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=320x240:rate=10:duration=5",
        ])
        .args(["-pix_fmt", "yuv420p", "-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"])
        .args(["-lag-in-frames", "0", "-g", "10", "-threads", "1", "-f", "obu"])
        .arg(&source)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        return skip("VIGIE_REQUIRE_INTEROP", "there is no ffmpeg with libaom");
    }
    let sdp = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 AV1/90000\r\n";
    let presentation = Presentation::parse(sdp, &Limits::default()).unwrap();
    let mut av1 = PictureDepacketizer::new(presentation.picture().unwrap().1, &Limits::default()).unwrap();
    let mut timeline = PlainTimeline::new(&Limits::default());
    let units = temporal_units(&fs::read(&source).unwrap());
    assert_eq!(units.len(), 50);
    let (mut sequence, mut keys) = (0_u16, 0);
    for (n, obus) in units.iter().enumerate() {
        let payloads = payloads(obus, n % 10 == 0, 300);
        for (i, payload) in payloads.iter().enumerate() {
            let mut bytes = vec![0x80, 96 | u8::from(i + 1 == payloads.len()) << 7];
            bytes.extend(sequence.to_be_bytes());
            bytes.extend((n as u32 * 9_000).to_be_bytes());
            bytes.extend([0, 0, 0, 1]);
            bytes.extend(payload);
            sequence += 1;
            av1.push(&RtpPacket::parse(&bytes).unwrap(), Micros(n as u64 * 100_000), 0);
        }
        let unit = av1.pull().expect("a temporal unit at its marker");
        keys += usize::from(unit.random_access);
        assert_eq!((unit.format.width, unit.format.height), (320, 240));
        timeline.push(unit);
    }
    assert!(sequence > 80 && keys == 5, "{sequence} packets, {keys} key frames");
    timeline.finish();
    let mut fragmenter = PlainFragmenter::new();
    let mut out = vec![];
    while let Some(group) = timeline.pull() {
        fragmenter.push(group).unwrap();
        while let Some(piece) = fragmenter.pull() {
            match piece {
                Piece::Init(init) => {
                    assert!(init.codec_string().starts_with("av01.0.00M.08"), "{}", init.codec_string());
                    out.extend_from_slice(&init.bytes);
                }
                Piece::Fragment(fragment) => {
                    out.extend_from_slice(&fragment.head);
                    fragment.body.iter().for_each(|bytes| out.extend_from_slice(bytes));
                }
            }
        }
    }
    fs::write(&file, out).unwrap();
    let (there, here) = (md5s(&source), md5s(&file));
    assert_eq!((there.len(), there == here), (50, true), "{} pictures in the file", here.len());
}
