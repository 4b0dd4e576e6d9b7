//! Captures to access units: what our own packetizer sent, wrapped in every format, and the captures of others in
//! `../shared/vectors` (`VIGIE_VECTORS`), whose counts are printed.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};

use bytes::BytesMut;
use vigie::depacket::capture::{CaptureReader, Error, Found, Kind};
use vigie::depacket::{AccessUnit, AnnexBReader, Depacketizer};
use vigie::fault::Quirk;
use vigie::h26x::{Codec, nal_units};
use vigie::limits::Limits;
use vigie::octets::Write as _;
use vigie::packetize::{Framing, Packetizer};
use vigie::rtp::RtpPacket;
use vigie::rtp::rtcp::{SenderReport, sender_compound};
use vigie::sdp::Presentation;
use vigie::time::{Micros, NtpTime, UtcMicros};

struct Outcome {
    units: Vec<AccessUnit>,
    /// Pictures before each discontinuity.
    breaks: Vec<usize>,
    reports: Vec<SenderReport>,
    clock: Option<(Micros, UtcMicros)>,
    reader: CaptureReader,
    error: Option<Error>,
}

fn read_with(mut reader: CaptureReader, bytes: &[u8]) -> Outcome {
    let (mut units, mut reports, mut clock, mut error) = (vec![], vec![], None, None);
    let mut breaks = vec![];
    let mut pull = |reader: &mut CaptureReader| loop {
        match reader.pull() {
            Ok(Some(Found::AccessUnit(unit))) => units.push(unit),
            Ok(Some(Found::SenderReport(report))) => reports.push(report),
            Ok(Some(Found::Discontinuity)) => breaks.push(units.len()),
            Ok(Some(Found::Clock { now, utc })) => clock = Some((now, utc)),
            Ok(_) => break,
            Err(e) => error = error.or(Some(e)),
        }
    };
    for piece in bytes.chunks(65_536) {
        reader.push(piece);
        pull(&mut reader);
    }
    reader.finish();
    pull(&mut reader);
    Outcome { units, breaks, reports, clock, reader, error }
}

fn read(bytes: &[u8]) -> Outcome {
    read_with(CaptureReader::new(&Limits::default()), bytes)
}

fn nals(units: &[AccessUnit]) -> Vec<Vec<u8>> {
    units.iter().flat_map(|unit| nal_units(&unit.data)).map(|nal| nal.bytes.to_vec()).collect()
}

/// 320x240, Constrained Baseline (x264's, VUI with the frame rate).
const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x0d, 0xda, 0x05, 0x07, 0xec, 0x04, 0x40, 0, 0, 3, 0, 0x40, 0, 0, 0x0c, 0x03, 0xc5,
    0x0a, 0xa8,
];
const PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];

/// Twenty pictures, each of two slices, as packets; the parameter sets at the first where wanted.
fn packets(sets: bool) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut packetizer = Packetizer::new(Codec::H264, 7, 97, 65_500, 500);
    let (mut all, mut sent) = (vec![], vec![]);
    for n in 0..20_u32 {
        let mut unit: Vec<Vec<u8>> = vec![];
        if sets && n == 0 {
            unit.extend([SPS.to_vec(), PPS.to_vec()]);
        }
        unit.push([&[if n == 0 { 0x65 } else { 0x41 }, 0x88 | n as u8][..], &[0x5a; 1_200]].concat());
        let mut joined = vec![];
        for nal in &unit {
            joined.put_u32(nal.len() as u32);
            joined.put(nal);
        }
        let mut out = BytesMut::new();
        packetizer.packetize(&joined, n * 3_600, Framing::Bare, &mut out);
        let mut rest = &out[..];
        while let [a, b, tail @ ..] = rest {
            let (packet, after) = tail.split_at(usize::from(*a) << 8 | usize::from(*b));
            sent.push(packet.to_vec());
            rest = after;
        }
        all.extend(unit);
    }
    (all, sent)
}

fn interleaved(channel: u8, packet: &[u8], out: &mut Vec<u8>) {
    out.put(&[b'$', channel]);
    out.put_u16(packet.len() as u16);
    out.put(packet);
}

/// Raw IPv4 (LINKTYPE 101), 10 ms apart.
fn pcap(datagrams: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![];
    for n in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101] {
        out.put_u32(n);
    }
    for (n, (port, payload)) in (0..).zip(datagrams) {
        let length = 28 + payload.len() as u32;
        for n in [1_800_000_000, n * 10_000, length, length] {
            out.put_u32(n);
        }
        out.put(&[0x45, 0]);
        out.put_u16(length as u16);
        out.put(&[0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        out.put_u16(*port);
        out.put_u16(*port);
        out.put_u16(length as u16 - 20);
        out.put_u16(0);
        out.put(payload);
    }
    out
}

#[test]
fn video_is_found_beside_sound_and_noise() {
    let (all, sent) = packets(true);
    let report =
        SenderReport { ssrc: 7, ntp: NtpTime(0xe9 << 56), rtp_timestamp: 3_600, ..Default::default() };
    let mut datagrams = vec![(5_353, b"\x80 is not always RTP".to_vec())];
    for (n, packet) in (0_u16..).zip(&sent) {
        // G.711 silence, numbered on its own.
        datagrams.push((
            5_006,
            [&[0x80, 8][..], &n.to_be_bytes(), &[0, 0, 0, 9, 0, 0, 0, 5], &[0xd5; 160]].concat(),
        ));
        datagrams.push((5_004, packet.clone()));
    }
    datagrams.insert(60, (5_005, sender_compound(&report, "camera")));
    // UDP changes the order now and then.
    datagrams.swap(10, 12);
    let outcome = read(&pcap(&datagrams));
    assert_eq!(outcome.error, None);
    assert_eq!((outcome.reader.codec(), outcome.units.len()), (Some(Codec::H264), 20));
    assert_eq!(nals(&outcome.units), all);
    assert_eq!(outcome.reports, [report]);
    assert_eq!(outcome.clock, Some((Micros(20_000), UtcMicros(1_800_000_000_020_000))));
    assert!(outcome.units[5].received > outcome.units[4].received);
    assert_eq!(outcome.reader.packets().lost, 0);
}

#[test]
fn a_description_in_the_capture_seeds_the_stream() {
    let (all, sent) = packets(false);
    let sdp = "v=0\r\ns=x\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n\
               a=fmtp:97 sprop-parameter-sets=Z0LADdoFB+wEQAAAAwBAAAAMA8UKqA==,aM4PyA==\r\n";
    let mut bytes = format!(
        "RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes();
    for packet in &sent {
        interleaved(0, packet, &mut bytes);
        interleaved(1, &sender_compound(&SenderReport { ssrc: 8, ..Default::default() }, ""), &mut bytes);
    }
    let outcome = read(&bytes);
    assert_eq!(nals(&outcome.units), all);
    assert!(outcome.reader.parameters().unwrap().sps().any(|(_, sps)| sps == SPS));
    assert_eq!(outcome.reports, [], "another stream's");
    assert_eq!(outcome.clock, None);
}

#[test]
fn what_the_caller_says_of_the_stream_is_believed() {
    let (all, sent) = packets(false);
    let mut bytes = vec![];
    for packet in &sent {
        bytes.put_u16(packet.len() as u16);
        bytes.put(packet);
    }
    assert_eq!(read(&bytes).error.map(|e| e.kind), Some(Kind::NoVideo), "no parameter sets anywhere");
    let sets = [SPS.into(), PPS.into()].map(|set: Box<[u8]>| set.into());
    let reader = CaptureReader::new(&Limits::default()).with_stream(Codec::H264, Some(97), &sets);
    let outcome = read_with(reader, &bytes);
    assert_eq!(nals(&outcome.units), all);
    // A file that ends inside a packet gives what it has, and says so.
    let reader = CaptureReader::new(&Limits::default()).with_stream(Codec::H264, Some(97), &sets);
    let outcome = read_with(reader, &bytes[..bytes.len() - 10]);
    assert_eq!(outcome.units.len(), 19);
    assert!(matches!(outcome.error.map(|e| e.kind), Some(Kind::Capture(_))));
}

#[test]
fn a_description_from_outside_is_believed_before_one_inside() {
    let (all, sent) = packets(false);
    let sdp = |sets: &str| {
        format!(
            "v=0\r\ns=x\r\nm=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n\
             m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 sprop-parameter-sets={sets}\r\n"
        )
    };
    let ours = "Z0LADdoFB+wEQAAAAwBAAAAMA8UKqA==,aM4PyA==";
    // Another camera's, of the same payload type: 16x16.
    let inside = sdp("Z0LACtokiEA=,aM4PyA==");
    let mut bytes = format!(
        "RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{inside}",
        inside.len()
    )
    .into_bytes();
    sent.iter().for_each(|packet| interleaved(0, packet, &mut bytes));
    let description = Presentation::parse(sdp(ours), &Limits::default()).unwrap();
    let reader = CaptureReader::new(&Limits::default()).with_description(&description);
    let outcome = read_with(reader, &bytes);
    assert_eq!(nals(&outcome.units), all);
    assert!(outcome.reader.parameters().unwrap().sps().any(|(_, sps)| sps == SPS));
}

/// A name server answers from a port of its own each time, and its answers look like RTP of one packet.
#[test]
fn more_strangers_than_are_told_apart_do_not_hide_the_video() {
    let (all, sent) = packets(true);
    let strangers =
        (0..200).map(|n| (10_000 + n, [&[0x80, 1, 0x81, 0x80, 0, 1, 0, 1][..], &[0; 40]].concat()));
    let mut datagrams: Vec<_> = strangers.collect();
    for (n, packet) in (0..).zip(&sent) {
        datagrams.push((5_004, packet.clone()));
        datagrams.push((20_000 + n, datagrams[0].1.clone()));
    }
    let outcome = read(&pcap(&datagrams));
    assert_eq!(nals(&outcome.units), all);
    let searched = outcome.reader.searched();
    assert!(searched.packets > 200 && searched.streams == 64, "{searched:?}");
}

/// Sets and picture as one NAL unit with start codes in between, in fragments, as some cameras send them.
#[test]
fn parameter_sets_glued_to_the_picture_are_found() {
    let (_, sent) = packets(false);
    let glued = [SPS, &[0, 0, 0, 1], PPS, &[0, 0, 0, 1, 0x65, 0x88], &[0x5a; 1_200]].concat();
    let mut bytes = vec![];
    // Our own first picture is of 3 packets: as many pieces of the glued one take their place.
    let (header, body) = glued.split_first().unwrap();
    let pieces: Vec<_> = body.chunks(500).collect();
    for (n, packet) in sent.iter().enumerate() {
        let fragment = pieces.get(n).map(|piece| {
            let fu = header & 0x1f | u8::from(n == 0) << 7 | u8::from(n + 1 == pieces.len()) << 6;
            [&packet[..12], &[header & 0xe0 | 28, fu], piece].concat()
        });
        interleaved(0, fragment.as_ref().unwrap_or(packet), &mut bytes);
    }
    let outcome = read(&bytes);
    assert_eq!((outcome.error, outcome.units.len()), (None, 20));
    assert_eq!(nals(&outcome.units)[..2], [SPS, PPS]);
}

/// The camera restarts in the middle of the capture: another SSRC, another numbering, other timestamps.
#[test]
fn a_stream_that_starts_anew_is_followed() {
    let (all, sent) = packets(true);
    let again = sent.iter().map(|packet| {
        let mut packet = packet.clone();
        packet[2] = packet[2].wrapping_add(0x55);
        packet[4] ^= 0x55;
        packet[8] ^= 0x55;
        packet
    });
    // Silence in between: the clock of the capture goes on with every record.
    let silence = std::iter::repeat_n((53, vec![0]), 300);
    let first = sent.iter().cloned().map(|p| (5_004, p));
    let datagrams: Vec<_> = first.chain(silence).chain(again.map(|p| (5_004, p))).collect();
    let outcome = read(&pcap(&datagrams));
    assert_eq!(outcome.breaks, [20]);
    assert_eq!(nals(&outcome.units), [&all[..], &all[..]].concat());
}

#[test]
fn what_holds_no_video_is_named() {
    let kind = |bytes: &[u8]| read(bytes).error.map(|e| e.kind);
    assert_eq!(kind(&pcap(&[])), Some(Kind::NoRtp));
    assert_eq!(kind(&pcap(&[(53, vec![1, 2, 3])])), Some(Kind::NoRtp));
    let sound = [&[0x80, 8, 0, 1, 0, 0, 0, 9, 0, 0, 0, 5][..], &[0xd5; 160]].concat();
    assert_eq!(kind(&pcap(&vec![(5_006, sound); 20])), Some(Kind::NoVideo));
    assert_eq!(kind(b"nonsense"), Some(Kind::Capture(vigie::rtp::Kind::UnknownCapture)));
}

/// The folder of vectors, or `None` after saying that it is absent.
fn vectors(of: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var("VIGIE_REQUIRE_VECTORS").is_ok_and(|v| v == "1");
    assert!(!required, "VIGIE_REQUIRE_VECTORS=1, but there is no folder {}", folder.display());
    eprintln!("SKIPPED {of}: no folder {}; VIGIE_VECTORS names it", folder.display());
    None
}

/// Every file of `pcap/` and `rtpbin/`: access units, packets of the stream; or why there are none.
#[allow(clippy::type_complexity)]
const OUTCOMES: &[(&str, Result<(usize, u64), Kind>)] = &[
    ("pcap/membrane_rtp_plugin__demo_audio_video_rtp3.pcap", Ok((142, 842))),
    ("pcap/membrane_rtp_plugin__h264_before_sr.pcap", Ok((70, 427))),
    ("pcap/membrane_rtp_plugin__h264_before_sr2.pcap", Ok((68, 412))),
    // Encrypted.
    ("pcap/membrane_rtp_plugin__srtp.pcap", Err(Kind::NoVideo)),
    // H.263, sound, WebRTC.
    ("pcap/nDPI__rtp.pcapng", Err(Kind::NoVideo)),
    // RTSP alone.
    ("pcap/nDPI__rtsp.pcap", Err(Kind::NoRtp)),
    ("pcap/nDPI__rtsp_setup_http.pcapng", Err(Kind::NoRtp)),
    ("pcap/tau__wilson.pcap", Ok((276, 407))),
    // Single packets of JPEG without framing; `packets_of_others_are_read` parses them.
    ("rtpbin/SharpRTSP__jpeg_0.rtp", NOT_A_CAPTURE),
    ("rtpbin/SharpRTSP__jpeg_1.rtp", NOT_A_CAPTURE),
    ("rtpbin/SharpRTSP__jpeg_2.rtp", NOT_A_CAPTURE),
    ("rtpbin/gstreamer__tests__files__h265.rtp", Ok((1, 4))),
    // Fragments without RTP headers; `packets_of_others_are_read` puts them together.
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_1_5.bin", NOT_A_CAPTURE),
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_2_5.bin", NOT_A_CAPTURE),
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_4_5.bin", NOT_A_CAPTURE),
    ("rtpbin/membrane_rtp_h264_plugin__fu_nal_5_5.bin", NOT_A_CAPTURE),
    // The payload of one packet of MPEG audio.
    ("rtpbin/membrane_rtp_plugin__rtp_packet_payload.bin", NOT_A_CAPTURE),
    // Boxes of MP4.
    ("rtpbin/mp4ff__mp4__testdata__minf_with_trailing_avc1_bytes.bin", NOT_A_CAPTURE),
    ("rtpbin/mp4ff__mp4__testdata__stsd_ac4.bin", NOT_A_CAPTURE),
    ("rtpbin/mp4ff__mp4__testdata__stsd_avs3.bin", NOT_A_CAPTURE),
    ("rtpbin/mp4ff__mp4__testdata__stsd_mha1.bin", NOT_A_CAPTURE),
];

const NOT_A_CAPTURE: Result<(usize, u64), Kind> = Err(Kind::Capture(vigie::rtp::Kind::UnknownCapture));

/// All RTP of others comes out, or the reason why not has a name.
#[test]
fn captures_of_others_are_read_or_named() {
    let Some(folder) = vectors("captures_of_others_are_read_or_named") else { return };
    let mut seen = vec![];
    for of in ["pcap", "rtpbin"] {
        let mut files: Vec<_> =
            std::fs::read_dir(folder.join(of)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for path in &files {
            let outcome = read(&std::fs::read(path).unwrap());
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let stats = outcome.reader.packets();
            let incomplete = outcome.units.iter().filter(|u| u.loss.incomplete).count();
            let lost: u32 = outcome.units.iter().map(|u| u.loss.packets).sum();
            let quirks: Vec<_> = outcome.reader.quirks().iter().map(|(q, n)| format!("{q} {n}")).collect();
            println!(
                "{of}/{name}: {} access units ({incomplete} incomplete), {} packets, {} lost, {} reordered; {}{}",
                outcome.units.len(),
                stats.packets,
                stats.lost,
                stats.reordered,
                quirks.join(", "),
                outcome.error.map(|e| format!("error: {e}")).unwrap_or_default(),
            );
            assert!(u64::from(lost) <= stats.lost, "{name}");
            let expected = match outcome.error {
                None => Ok((outcome.units.len(), stats.packets)),
                Some(error) => Err(error.kind),
            };
            seen.push((format!("{of}/{name}"), expected));
        }
    }
    let seen: Vec<_> = seen.iter().map(|(name, outcome)| (name.as_str(), *outcome)).collect();
    assert_eq!(seen, OUTCOMES);
}

/// The capture beside the elementary stream that GStreamer made of it.
#[test]
fn a_capture_gives_the_bytes_that_gstreamer_gave() {
    let Some(folder) = vectors("a_capture_gives_the_bytes_that_gstreamer_gave") else { return };
    let mut reader = AnnexBReader::new(Codec::H265, &Limits::default());
    reader.push(&std::fs::read(folder.join("es265/tau__tau_wilson.h265")).unwrap());
    reader.finish();
    let theirs: Vec<_> = core::iter::from_fn(|| reader.pull()).collect();
    let ours = read(&std::fs::read(folder.join("pcap/tau__wilson.pcap")).unwrap()).units;
    let slices = |units: &[AccessUnit]| -> Vec<Vec<u8>> {
        nals(units).into_iter().filter(|nal| nal[0] >> 1 & 0x3f < 32).collect()
    };
    assert!(slices(&ours) == slices(&theirs));
}

/// Single packets as others store them.
#[test]
fn packets_of_others_are_read() {
    let Some(folder) = vectors("packets_of_others_are_read") else { return };
    let load = |name: &str| std::fs::read(folder.join("rtpbin").join(name)).unwrap();
    // Four of the five fragments of a NAL unit, from their FU header on: the third is missing.
    let mut depacketizer = Depacketizer::new(Codec::H264, &Limits::default());
    for (n, lost) in [(1, 0), (2, 0), (4, 1), (5, 0)] {
        let fragment = load(&format!("membrane_rtp_h264_plugin__fu_nal_{n}_5.bin"));
        let payload = [&[0x7c], &fragment[..]].concat();
        let packet = RtpPacket { payload: &payload, ..RtpPacket::parse(&[0x80; 12]).unwrap() };
        depacketizer.push(&packet, Micros(0), lost);
    }
    depacketizer.finish();
    assert!(depacketizer.pull().is_none());
    assert_eq!(depacketizer.quirks().get(Quirk::BadPayload), 0);
    for name in ["SharpRTSP__jpeg_0.rtp", "SharpRTSP__jpeg_1.rtp", "SharpRTSP__jpeg_2.rtp"] {
        let bytes = load(name);
        assert_eq!(RtpPacket::parse(&bytes).unwrap().payload_type, 26, "{name}");
    }
    // gst-plugins-good's sample for its H.265 depayloader: RTP without framing.
    let bytes = load("gstreamer__tests__files__h265.rtp");
    println!("gstreamer h265.rtp: {:?}", RtpPacket::parse(&bytes).map(|p| (p.payload_type, p.payload.len())));
}
