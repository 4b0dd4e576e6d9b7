//! JPEG over RTP of other people, rebuilt, and decoded by ffmpeg.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use vigie::depacket::PictureDepacketizer;
use vigie::limits::Limits;
use vigie::rtp::RtpPacket;
use vigie::sdp::Presentation;
use vigie::time::Micros;

fn skip(variable: &str, why: &str) {
    assert!(std::env::var(variable).as_deref() != Ok("1"), "{variable}=1, and {why}");
    eprintln!("SKIPPED: {why}");
}

/// The camera of SharpRTSP's tests: 4:2:2 with restart markers, tables in the packet (Q 255), three packets
/// whose offsets count 12 bytes of headers each.
#[test]
fn a_camera_s_picture_is_decoded_by_ffmpeg() {
    let Some(root) = std::env::var_os("VIGIE_VECTORS") else {
        return skip("VIGIE_REQUIRE_VECTORS", "VIGIE_VECTORS does not say where the vectors are");
    };
    let presentation = Presentation::parse("v=0\r\nm=video 0 RTP/AVP 26\r\n", &Limits::default()).unwrap();
    let mut jpeg = PictureDepacketizer::new(presentation.picture().unwrap().1, &Limits::default()).unwrap();
    for n in 0..3 {
        let path = Path::new(&root).join(format!("rtpbin/SharpRTSP__jpeg_{n}.rtp"));
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
