#![allow(clippy::unwrap_used)]

use super::*;
use crate::fault::Policy;
use crate::sdp::Presentation;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const HBR: &str = "mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1210";

fn media(rtpmap: &str, fmtp: &str) -> Media {
    let sdp = alloc::format!("v=0\nm=audio 0 RTP/AVP 97\na=rtpmap:97 {rtpmap}\na=fmtp:97 {fmtp}\n");
    Presentation::parse(sdp, &Limits::default()).unwrap().media.first().unwrap().clone()
}

fn depacketizer(rtpmap: &str, fmtp: &str) -> AudioDepacketizer {
    AudioDepacketizer::new(&media(rtpmap, fmtp), &Limits::default()).unwrap()
}

fn strict(rtpmap: &str, fmtp: &str) -> Result<AudioDepacketizer, Error> {
    let mut limits = Limits::default();
    limits.policy = Policy::Strict;
    AudioDepacketizer::new(&media(rtpmap, fmtp), &limits)
}

fn refused(quirk: Quirk) -> Option<Error> {
    Some(Error { kind: Kind::NotTolerated(quirk) })
}

fn packet(payload: &[u8], timestamp: u32, marker: bool) -> RtpPacket<'_> {
    RtpPacket {
        marker,
        payload_type: 97,
        sequence: 0,
        timestamp,
        ssrc: 1,
        csrc: &[],
        extension: None,
        payload,
    }
}

fn push(to: &mut AudioDepacketizer, payload: &[u8], timestamp: u32, marker: bool) -> Vec<AudioUnit> {
    to.push(&packet(payload, timestamp, marker), Micros(u64::from(timestamp)), 0);
    core::iter::from_fn(|| to.pull()).collect()
}

/// RFC 3640 in mode AAC-hbr: access units with their AU-Index or AU-Index-delta.
fn hbr(units: &[(&[u8], u16)]) -> Vec<u8> {
    let mut out = ((units.len() * 16) as u16).to_be_bytes().to_vec();
    for (unit, index) in units {
        out.extend(((unit.len() as u16) << 3 | index).to_be_bytes());
    }
    units.iter().for_each(|(unit, _)| out.extend_from_slice(unit));
    out
}

fn adts(unit: &[u8]) -> Vec<u8> {
    let length = unit.len() + 7;
    let mut out = vec![0xff, 0xf1, 0x40 | 8 << 2, 0x40 | (length >> 11) as u8];
    out.extend([(length >> 3) as u8, (length << 5) as u8 | 0x1f, 0xfc]);
    out.extend_from_slice(unit);
    out
}

/// Bits, most significant first.
#[derive(Default)]
struct BitWriter(Vec<u8>, usize);

impl BitWriter {
    fn put(&mut self, value: u32, width: u32) {
        for i in (0..width).rev() {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            let last = self.0.last_mut().unwrap();
            *last |= ((value >> i & 1) as u8) << (7 - self.1 % 8);
            self.1 += 1;
        }
    }

    /// AudioMuxElement with one access unit; with a StreamMuxConfig of AAC-LC, 44 100 Hz, stereo, where asked.
    fn element(unit: &[u8], in_band: bool, configure: bool) -> Vec<u8> {
        let mut bits = Self::default();
        if in_band {
            bits.put(u32::from(!configure), 1);
            if configure {
                bits.mux();
            }
        }
        let mut left = unit.len();
        while left >= 255 {
            bits.put(255, 8);
            left -= 255;
        }
        bits.put(left as u32, 8);
        unit.iter().for_each(|b| bits.put(u32::from(*b), 8));
        bits.0
    }

    fn mux(&mut self) {
        self.put(0, 1); // version
        self.put(1, 1); // same framing
        self.put(0, 6 + 4 + 3);
        self.put(0x1210, 16); // AudioSpecificConfig
        self.put(0, 3);
        self.put(0xff, 8);
        self.put(0, 2); // no other data, no CRC
    }
}

#[test]
fn several_units_in_a_packet_follow_each_other() {
    let mut aac = depacketizer("mpeg4-generic/44100/2", HBR);
    let got = push(&mut aac, &hbr(&[(&[1; 30], 0), (&[2; 3], 0), (&[3; 200], 0)]), 5_000, true);
    let told: Vec<_> = got.iter().map(|u| (u.data.len(), u.timestamp, u.duration, u.loss)).collect();
    let whole = Loss::default();
    assert_eq!(told, [(30, 5_000, 1_024, whole), (3, 6_024, 1_024, whole), (200, 7_048, 1_024, whole)]);
    let format = aac.format();
    assert_eq!(
        (format.codec_string().as_str(), format.sample_rate, format.channels),
        ("mp4a.40.2", 44_100, 2)
    );
    assert_eq!((format.clock_rate, &format.configuration[..]), (44_100, &[0x12, 0x10][..]));
    assert_eq!(aac.quirks(), &Quirks::default());
}

#[test]
fn a_unit_in_pieces_is_put_together_and_a_lost_piece_loses_it_alone() {
    let unit: Vec<u8> = (0..1_000_u32).map(|n| n as u8).collect();
    let pieces = |aac: &mut AudioDepacketizer, at: u32, skip: usize| {
        for (n, piece) in unit.chunks(300).enumerate().filter(|(n, _)| *n != skip) {
            let mut payload = hbr(&[(&unit, 0)]);
            payload.truncate(4);
            payload.extend_from_slice(piece);
            let lost = u32::from(skip + 1 == n);
            aac.push(&packet(&payload, at, n == 3), Micros(9), lost);
        }
        core::iter::from_fn(|| aac.pull()).collect::<Vec<_>>()
    };
    let mut aac = depacketizer("mpeg4-generic/44100/2", HBR);
    let got = pieces(&mut aac, 77, usize::MAX - 1);
    assert_eq!(got.len(), 1);
    assert_eq!((&got[0].data[..], got[0].timestamp), (&unit[..], 77));
    assert!(pieces(&mut aac, 1_101, 1).is_empty());
    let after = push(&mut aac, &hbr(&[(&[7; 9], 0)]), 2_125, true);
    assert_eq!((after.len(), after[0].loss.packets, after[0].loss.incomplete), (1, 1, true));
}

#[test]
fn interleaved_units_come_in_order() {
    let fmtp = alloc::format!("{HBR};maxDisplacement=6144");
    let mut aac = depacketizer("mpeg4-generic/44100/2", &fmtp);
    let mut got = Vec::new();
    for group in 0_u8..3 {
        let base = u32::from(group) * 9 * 1_024;
        for n in 0_u8..3 {
            // Units n, n + 3 and n + 6 of nine.
            let units = [n, n + 3, n + 6].map(|i| [group * 9 + i; 5]);
            let payload = hbr(&[(&units[0], 0), (&units[1], 2), (&units[2], 2)]);
            got.extend(push(&mut aac, &payload, base + u32::from(n) * 1_024, true));
        }
    }
    aac.finish();
    got.extend(core::iter::from_fn(|| aac.pull()));
    let order: Vec<_> = got.iter().map(|u| u32::from(u.data[0])).collect();
    assert_eq!(order, (0..27).collect::<Vec<_>>());
    assert!(got.iter().zip(0..).all(|(u, n)| u.timestamp == n * 1_024));
}

#[test]
fn parameters_left_out_or_misspelt_are_the_usual_ones() {
    let payload = hbr(&[(&[1; 30], 0), (&[2; 3], 0)]);
    for fmtp in [
        "mode=AAC-hbr;sizelength=13;config=1210",
        "Mode=AAC_hbr; SizeLength=13; IndexLength=3; IndexDeltaLength=3; Config=1210",
        "config=1210",
    ] {
        let mut aac = depacketizer("mpeg4-generic/44100/2", fmtp);
        assert_eq!(push(&mut aac, &payload, 0, true).len(), 2, "{fmtp}");
        assert_eq!(aac.quirks().get(Quirk::AudioParameters), 1, "{fmtp}");
        assert_eq!(strict("mpeg4-generic/44100/2", fmtp).err(), refused(Quirk::AudioParameters));
    }
    assert!(strict("mpeg4-generic/44100/2", HBR).is_ok());
    // Mode AAC-lbr: 6 and 2 bits.
    let lbr = "mode=AAC-lbr;sizelength=6;indexlength=2;indexdeltalength=2;config=1210";
    let mut aac = depacketizer("mpeg4-generic/44100/2", lbr);
    let got = push(&mut aac, &[0, 16, 2 << 2, 3 << 2, 1, 1, 2, 2, 2], 0, true);
    assert_eq!(got.iter().map(|u| u.data.to_vec()).collect::<Vec<_>>(), [vec![1, 1], vec![2, 2, 2]]);
}

#[test]
fn the_configuration_prevails_over_rtpmap_and_the_timestamps_tell_what_they_count() {
    for (step, clock, duration) in [(1_024, 44_100, 1_024), (2_090, 90_000, 2_089)] {
        let mut aac = depacketizer("mpeg4-generic/90000/2", HBR);
        assert_eq!(aac.format().clock_rate, 44_100);
        for n in 0..4 {
            push(&mut aac, &hbr(&[(&[1; 30], 0)]), n * step, true);
        }
        let got = push(&mut aac, &hbr(&[(&[1; 30], 0)]), 4 * step, true);
        assert_eq!((got[0].format.clock_rate, got[0].duration), (clock, duration));
        assert_eq!((got[0].format.sample_rate, aac.quirks().get(Quirk::AudioRate)), (44_100, 1));
    }
    assert_eq!(strict("mpeg4-generic/90000/2", HBR).err(), refused(Quirk::AudioRate));
    // SBR that nobody told of: `rtpmap` has the rate that comes out.
    let fmtp = HBR.replace("1210", "1390");
    assert_eq!(depacketizer("mpeg4-generic/44100/2", &fmtp).quirks(), &Quirks::default());
}

#[test]
fn adts_is_taken_off_and_can_tell_the_configuration() {
    let payload = hbr(&[(&adts(&[5; 40]), 0)]);
    let mut aac = depacketizer("mpeg4-generic/44100/2", HBR);
    let got = push(&mut aac, &payload, 0, true);
    assert_eq!((got.len(), &got[0].data[..], aac.quirks().get(Quirk::AdtsInside)), (1, &[5; 40][..], 1));
    // Nothing said of the configuration: 16 000 Hz, one channel, say the seven bytes.
    let bare = HBR.replace(";config=1210", "");
    let mut aac = depacketizer("mpeg4-generic/8000/1", &bare);
    assert_eq!(aac.quirks().get(Quirk::NoAudioConfig), 1);
    let got = push(&mut aac, &payload, 0, true);
    assert_eq!((got[0].format.sample_rate, &got[0].format.configuration[..]), (16_000, &[0x14, 0x08][..]));
    assert_eq!(strict("mpeg4-generic/8000/1", &bare).err(), refused(Quirk::NoAudioConfig));
    let mut strict = strict("mpeg4-generic/44100/2", HBR).unwrap();
    assert!(push(&mut strict, &payload, 0, true).is_empty());
    let after = push(&mut strict, &hbr(&[(&[1; 3], 0)]), 1_024, true);
    assert!(after[0].loss.incomplete);
}

#[test]
fn an_index_that_counts_without_interleaving_is_not_looked_at() {
    let payload = hbr(&[(&[1; 4], 3), (&[2; 4], 1)]);
    let mut aac = depacketizer("mpeg4-generic/44100/2", HBR);
    let got = push(&mut aac, &payload, 100, true);
    assert_eq!(got.iter().map(|u| u.timestamp).collect::<Vec<_>>(), [100, 1_124]);
    assert_eq!(aac.quirks().get(Quirk::AudioIndex), 2);
    let mut strict = strict("mpeg4-generic/44100/2", HBR).unwrap();
    assert!(push(&mut strict, &payload, 100, true).is_empty());
    assert_eq!(strict.quirks().get(Quirk::AudioIndex), 1);
}

#[test]
fn latm_tells_its_configuration_in_the_description_or_in_the_stream() {
    let mut bits = BitWriter::default();
    bits.mux();
    let config: String = bits.0.iter().map(|b| alloc::format!("{b:02x}")).collect();
    let unit: Vec<u8> = (0..600_u32).map(|n| n as u8 | 1).collect();
    for in_band in [false, true] {
        let fmtp = if in_band { "cpresent=1".into() } else { alloc::format!("cpresent=0;config={config}") };
        let mut latm = depacketizer("MP4A-LATM/44100/2", &fmtp);
        if in_band {
            let early = BitWriter::element(&unit, true, false);
            assert!(push(&mut latm, &early, 0, true).is_empty(), "before the first configuration");
        }
        let element = BitWriter::element(&unit, in_band, in_band);
        let (first, second) = element.split_at(250);
        assert!(push(&mut latm, first, 4_096, false).is_empty());
        let got = push(&mut latm, second, 4_096, true);
        assert_eq!((got.len(), got[0].timestamp, got[0].duration), (1, 4_096, 1_024));
        assert_eq!(&got[0].data[..], &unit[..], "in band: {in_band}");
        let format = &got[0].format;
        assert_eq!(
            (&format.configuration[..], format.sample_rate, format.channels),
            (&[0x12, 0x10][..], 44_100, 2)
        );
        assert_eq!(got[0].loss.incomplete, in_band);
    }
    let err =
        AudioDepacketizer::new(&media("MP4A-LATM/44100/2", "cpresent=0"), &Limits::default()).unwrap_err();
    assert_eq!(err.kind, Kind::Configuration);
}

#[test]
fn opus_says_what_it_lasts_and_is_always_48000_and_2() {
    for (packet, samples) in [
        (&[0x08_u8, 1][..], Some(960)),  // SILK, 20 ms
        (&[0x18, 1], Some(2_880)),       // SILK, 60 ms
        (&[0x78, 1], Some(960)),         // hybrid, 20 ms
        (&[0xe0, 1], Some(120)),         // CELT, 2.5 ms
        (&[0xf9, 1, 1], Some(1_920)),    // CELT, 20 ms, two
        (&[0xfb, 0x06, 1], Some(5_760)), // six
        (&[0xfb, 0x07, 1], None),        // 140 ms
        (&[0xfb], None),
    ] {
        assert_eq!(plain::opus(packet), samples, "{packet:x?}");
    }
    let mut opus = depacketizer("opus/48000/1", "x");
    assert_eq!((opus.format().channels, opus.quirks().get(Quirk::OpusMono)), (2, 1));
    assert_eq!(push(&mut opus, &[0xf8, 1], 7, false)[0].duration, 960);
    assert_eq!(strict("opus/48000/1", "x").err(), refused(Quirk::OpusMono));
    assert!(strict("OPUS/48000/2", "x").is_ok());
}

#[test]
fn pcm_of_any_size_and_with_a_clock_that_stands_still() {
    let mut pcm = depacketizer("PCMU/8000", "x");
    let got: Vec<_> = [37, 1_025, 160].iter().flat_map(|n| push(&mut pcm, &vec![1; *n], 0, true)).collect();
    let times: Vec<_> = got.iter().map(|u| (u.timestamp, u.duration)).collect();
    assert_eq!(times, [(0, 37), (37, 1_025), (1_062, 160)]);
    assert_eq!(pcm.quirks().get(Quirk::StuckAudioTime), 2);
    let mut pcm = strict("PCMU/8000", "x").unwrap();
    let got: Vec<_> = (0..2).flat_map(|_| push(&mut pcm, &[1; 10], 0, true)).collect();
    assert_eq!(got.iter().map(|u| u.timestamp).collect::<Vec<_>>(), [0, 0]);
    // Half a sample at the end.
    let mut pcm = depacketizer("L16/8000/2", "x");
    let got = push(&mut pcm, &[0; 11], 0, true);
    assert_eq!((got[0].data.len(), got[0].duration, pcm.quirks().get(Quirk::OddAudioSize)), (8, 2, 1));
    assert!(push(&mut strict("L16/8000/2", "x").unwrap(), &[0; 11], 0, true).is_empty());
}

#[test]
fn l16_in_the_other_order_is_turned_round() {
    // A slow triangle of some height: smooth in the right order only.
    let sound = |n: i32| ((n % 400 - 200).abs() * 90 - 9_000) as i16;
    let bytes = |swap: bool, from: i32| -> Vec<u8> {
        (from..from + 160)
            .flat_map(|n| if swap { sound(n).to_le_bytes() } else { sound(n).to_be_bytes() })
            .collect()
    };
    for swap in [false, true] {
        let mut pcm = depacketizer("L16/8000/1", "x");
        let mut strict = strict("L16/8000/1", "x").unwrap();
        for n in 0..10 {
            let came = bytes(swap, n * 160);
            let got = push(&mut pcm, &came, n as u32 * 160, true);
            assert_eq!(&got[0].data[..], &bytes(false, n * 160)[..]);
            assert_eq!(&push(&mut strict, &came, n as u32 * 160, true)[0].data[..], &came[..]);
        }
        assert_eq!(pcm.quirks().get(Quirk::LittleEndianPcm), u64::from(swap));
    }
}

#[test]
fn what_is_no_sound_is_refused() {
    for rtpmap in ["G726-32/8000", "telephone-event/8000", "H264/90000"] {
        let err = AudioDepacketizer::new(&media(rtpmap, "x"), &Limits::default()).unwrap_err();
        assert_eq!(err.kind, Kind::Codec, "{rtpmap}");
    }
    let err = AudioDepacketizer::new(&media("mpeg4-generic/12345/1", "x"), &Limits::default()).unwrap_err();
    assert_eq!(err.kind, Kind::Configuration);
}

proptest! {
    /// However access units are put into packets, they come out as they went in.
    #[test]
    fn units_come_out_as_they_went_in(
        units in prop::collection::vec(prop::collection::vec(0_u8..255, 1..900), 1..30),
        room in 60_usize..1_400,
        start: u32,
    ) {
        let mut aac = depacketizer("mpeg4-generic/44100/2", HBR);
        let mut got = Vec::new();
        let mut waiting: Vec<(u32, &[u8])> = Vec::new();
        let send = |aac: &mut AudioDepacketizer, waiting: &mut Vec<(u32, &[u8])>| {
            let Some((at, _)) = waiting.first().copied() else { return Vec::new() };
            let units: Vec<_> = waiting.drain(..).map(|(_, unit)| (unit, 0)).collect();
            push(aac, &hbr(&units), at, true)
        };
        for (n, unit) in (0_u32..).zip(&units) {
            let at = start.wrapping_add(n * 1_024);
            if unit.len() > room {
                got.extend(send(&mut aac, &mut waiting));
                let pieces: Vec<_> = unit.chunks(room).collect();
                for (i, piece) in pieces.iter().enumerate() {
                    let mut payload = hbr(&[(unit, 0)]);
                    payload.truncate(4);
                    payload.extend_from_slice(piece);
                    got.extend(push(&mut aac, &payload, at, i + 1 == pieces.len()));
                }
            } else {
                if waiting.iter().map(|(_, u)| u.len()).sum::<usize>() + unit.len() > room {
                    got.extend(send(&mut aac, &mut waiting));
                }
                waiting.push((at, unit));
            }
        }
        got.extend(send(&mut aac, &mut waiting));
        prop_assert_eq!(got.iter().map(|u| u.data.to_vec()).collect::<Vec<_>>(), units);
        prop_assert!(got.iter().zip(0..).all(|(u, n)| u.timestamp == start.wrapping_add(n * 1_024)));
        prop_assert_eq!(aac.quirks(), &Quirks::default());
    }

    #[test]
    fn any_packets_give_bounded_units_and_no_panic(
        which in 0_usize..8,
        packets in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..300), any::<u32>(), any::<bool>(), 0_u32..3),
            0..20,
        ),
    ) {
        let (rtpmap, fmtp) = [
            ("mpeg4-generic/44100/2", HBR),
            ("mpeg4-generic/44100/2", "mode=AAC-hbr;maxdisplacement=4096;config=1210"),
            ("mpeg4-generic/8000", "mode=generic;sizelength=31;ctsdeltalength=7;auxiliarydatasizelength=9;streamstateindication=4"),
            ("mpeg4-generic/8000", "mode=generic;sizelength=0;indexlength=0;indexdeltalength=0;constantsize=3"),
            ("MP4A-LATM/44100/2", "cpresent=1"),
            ("opus/48000/2", ""),
            ("PCMA/8000/2", ""),
            ("L16/44100/2", ""),
        ][which];
        let mut limits = Limits::default();
        limits.audio_unit = 256;
        let mut audio = AudioDepacketizer::new(&media(rtpmap, fmtp), &limits).unwrap();
        for (payload, timestamp, marker, lost) in &packets {
            audio.push(&packet(payload, *timestamp, *marker), Micros(0), *lost);
        }
        audio.finish();
        while let Some(unit) = audio.pull() {
            prop_assert!(unit.data.len() <= 256 && unit.duration > 0, "{:?}", unit);
        }
    }

    /// LATM out of any bytes.
    #[test]
    fn any_description_is_read_or_refused(rtpmap in "(mpeg4-generic|MP4A-LATM|opus|L16|PCMA)/[0-9]{1,6}(/[0-9])?", fmtp in "(config=[0-9a-f]{0,24};?|sizelength=[0-9]{0,3};?|mode=[a-zA-Z_-]{0,8};?|cpresent=[01];?){0,4}") {
        let made = AudioDepacketizer::new(&media(&rtpmap, &fmtp), &Limits::default());
        if let Ok(mut audio) = made {
            push(&mut audio, &[0, 16, 0, 32, 1, 2, 3, 4], 0, true);
        }
    }
}
