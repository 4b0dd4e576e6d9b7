//! `vigie remux` and `vigie probe` of elementary streams, RFC 4571 packets and captures, judged by ffmpeg and the barcodes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};

use bytes::BytesMut;
use serde_json::Value;
use support::{assert_consecutive, barcodes, clips, fail, ffmpeg, packets, run, succeed, vigie};
use vigie::codec::Codec;
use vigie::depacket::{AccessUnit, AnnexBReader};
use vigie::h26x::nal_units;
use vigie::limits::Limits;
use vigie::packetize::{Framing, Packetizer};
use vigie::sdp::Description;

/// The first pictures of a clip.
fn units(clip: &str, codec: Codec, count: usize) -> Vec<AccessUnit> {
    let mut reader = AnnexBReader::new(codec, &Limits::default());
    reader.push(&std::fs::read(clips().join(clip)).unwrap());
    reader.finish();
    std::iter::from_fn(|| reader.pull()).take(count).collect()
}

/// RTP packets, timestamps in the order of display; with or without the parameter sets.
fn rtp(units: &[AccessUnit], in_band: bool) -> Vec<Vec<u8>> {
    let mut packetizer = Packetizer::new(units[0].codec, 7, 96, 65_500, 1_200);
    let mut packets = Vec::new();
    let mut group = 0;
    for (i, unit) in units.iter().enumerate() {
        let order = unit.order.unwrap();
        if order.restart {
            group = i as i64;
        }
        // H.264 counts fields.
        let fields = if unit.codec == Codec::H264 { 2 } else { 1 };
        let place = group + i64::from(order.count) / fields;
        let mut data = Vec::new();
        for nal in nal_units(&unit.data).filter(|n| in_band || !n.kind(unit.codec).is_parameter_set()) {
            data.extend((nal.bytes.len() as u32).to_be_bytes());
            data.extend(nal.bytes);
        }
        let mut out = BytesMut::new();
        packetizer.packetize(&data, (place * 3_600) as u32, Framing::Bare, &mut out);
        let mut rest = &out[..];
        while let Some((length, after)) = rest.split_first_chunk() {
            let (packet, after) = after.split_at(u16::from_be_bytes(*length).into());
            packets.push(packet.to_vec());
            rest = after;
        }
    }
    packets
}

fn rfc_4571(packets: &[Vec<u8>]) -> Vec<u8> {
    packets.iter().flat_map(|p| [&(p.len() as u16).to_be_bytes()[..], p].concat()).collect()
}

/// A pcap of IPv4 and UDP without a link layer, 1 ms from packet to packet.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        out.extend(word.to_le_bytes());
    }
    for (i, packet) in (0_u32..).zip(packets) {
        let length = packet.len() as u32 + 28;
        for word in [1_795_000_000 + i / 1_000, i % 1_000 * 1_000, length, length] {
            out.extend(word.to_le_bytes());
        }
        let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 7, 192, 0, 2, 1];
        ip[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        out.extend(ip);
        for half in [5_004_u16, 5_006, length as u16 - 20, 0] {
            out.extend(half.to_be_bytes());
        }
        out.extend(packet);
    }
    out
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out.mp4")
    }
}

fn remux(input: &Path, output: &Path, options: &[&str]) -> Value {
    let text = succeed(vigie(&["remux", "--json"]).args(options).arg(input).arg("-o").arg(output));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn packets_and_captures_hold_the_same_pictures() {
    if !ffmpeg() {
        return;
    }
    let dir = Folder(tempfile::tempdir().unwrap());
    for (clip, codec) in [("2-place.h264", Codec::H264), ("4-gare.h265", Codec::H265)] {
        let packets_of = rtp(&units(clip, codec, 200), true);
        for (name, bytes) in [("packets.rtp", rfc_4571(&packets_of)), ("capture.pcap", pcap(&packets_of))] {
            let input = dir.file(name, &bytes);
            let report = remux(&input, &dir.out(), &[]);
            assert_eq!(
                (&report["pictures"], &report["lost_packets"]),
                (&200.into(), &0.into()),
                "{clip} {name}"
            );
            let shown = barcodes(&dir.out());
            // The last pictures in decoding order need not be the last in that of display.
            assert_eq!(assert_consecutive(&shown[..198], 1_500).number, 0, "{clip} {name}");
            let dts: Vec<i64> = packets(&dir.out()).iter().map(|p| p.dts).collect();
            assert!(dts.windows(2).all(|w| w[0] < w[1]), "{clip} {name}");
            let probed = succeed(vigie(&["probe", "--json"]).arg(&input));
            let probed: Value = serde_json::from_str(&probed).unwrap();
            assert_eq!(probed["video"]["codec"], codec.name());
            assert_eq!(probed["video"]["gop_pictures"], 50);
            assert_eq!(probed["video"]["frame_rate"], 25.0);
        }
    }
}

#[test]
fn parameter_sets_come_from_the_sdp_where_the_stream_has_none() {
    let dir = Folder(tempfile::tempdir().unwrap());
    for (clip, codec) in [("1-mairie.h264", Codec::H264), ("4-gare.h265", Codec::H265)] {
        let units = units(clip, codec, 60);
        let input = dir.file("packets.rtp", &rfc_4571(&rtp(&units, false)));
        let out = dir.out().to_str().unwrap().to_owned();
        assert!(fail(&["remux", input.to_str().unwrap(), "-o", &out]).contains("--sdp"));
        let sets = units[0].parameters.as_ref().unwrap();
        let nals: Vec<_> =
            sets.vps().chain(sets.sps()).chain(sets.pps()).map(|(_, nal)| nal.clone()).collect();
        let sdp = Description::live("camera").with_video(codec, 96, &nals).to_string();
        let sdp = dir.file("session.sdp", sdp.as_bytes());
        let report = remux(&input, &dir.out(), &["--sdp", sdp.to_str().unwrap()]);
        assert_eq!(report["pictures"], 60, "{clip}");
        if ffmpeg() {
            assert_eq!(assert_consecutive(&barcodes(&dir.out()), 1_500).number, 0);
        }
    }
}

#[test]
fn what_is_before_a_cut_is_kept_and_the_cut_is_told() {
    let dir = Folder(tempfile::tempdir().unwrap());
    let whole = rfc_4571(&rtp(&units("1-mairie.h264", Codec::H264, 120), true));
    for (name, bytes) in [
        ("packets.rtp", &whole[..whole.len() - 3]),
        ("capture.pcap", &pcap(&rtp(&units("1-mairie.h264", Codec::H264, 120), true))[..20_000]),
    ] {
        let input = dir.file(name, bytes);
        let out = dir.out();
        let said = fail(&["remux", input.to_str().unwrap(), "-o", out.to_str().unwrap()]);
        assert!(said.contains("cut off") && said.contains("byte"), "{said}");
        if ffmpeg() {
            assert!(barcodes(&out).len() > 50, "{name}");
        }
        assert!(fail(&["probe", input.to_str().unwrap()]).contains("cut off"));
    }
}

#[test]
fn views_differ_in_their_label() {
    if !ffmpeg() {
        return;
    }
    let dir = Folder(tempfile::tempdir().unwrap());
    for (clip, labels) in [("2-place.h264", ["avc3", "avc1"]), ("4-gare.h265", ["hev1", "hvc1"])] {
        for (view, label) in ["exact", "playback"].into_iter().zip(labels) {
            remux(&clips().join(clip), &dir.out(), &["--view", view]);
            let mut ffprobe = std::process::Command::new("ffprobe");
            ffprobe.args(["-v", "error", "-show_entries", "stream=codec_tag_string", "-of", "csv=p=0"]);
            let output = run(ffprobe.arg(dir.out()));
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), label);
            assert_eq!(assert_consecutive(&barcodes(&dir.out()), 1_500).number, 0);
            let probed = succeed(vigie(&["probe"]).arg(dir.out()));
            assert!(probed.contains("fragmented MP4") && probed.contains("1500 pictures"), "{probed}");
        }
    }
    // The elementary streams tell which they are by their content, whatever they are called.
    let odd = dir.file("name.bin", &std::fs::read(clips().join("4-gare.h265")).unwrap());
    assert_eq!(remux(&odd, &dir.out(), &[])["codec"], "H.265");
}
