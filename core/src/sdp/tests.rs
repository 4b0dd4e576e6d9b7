#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::string::ToString as _;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::codec::Codec;

fn parse(text: &str) -> Result<Presentation, Error> {
    Presentation::parse(text.as_bytes().to_vec(), &Limits::default())
}

fn kind(text: &str) -> Kind {
    parse(text).unwrap_err().kind
}

/// As Anjvision's firmware writes it.
const H265: &str = "v=0\r\no=- 1109162014219182 1109162014219192 IN IP4 x.y.z.w\r\ns=RTSP/RTP stream\r\n\
    a=tool:LIVE555 Streaming Media v2011.05.25\r\nt=0 0\r\na=range:npt=0-\r\na=control:*\r\n\
    m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=control:trackID=1\r\n\
    a=fmtp:96 profile-id=1;sprop-vps=QAEMAf//AUAAAAMAAAMAAAMAAAMAmawJAAAAAQ==;sprop-sps=QgEBAUAAAAMAAAMAAAMAAAMAmaACgIAsH+Wu5Gwa5VE1BQYFAIA=;sprop-pps=RAHAc8BBgwk=\r\n\
    a=x-framerate: 5\r\n";

#[test]
fn reads_a_camera() {
    let presentation = parse(H265).unwrap();
    assert_eq!(presentation.name.as_deref(), Some("RTSP/RTP stream"));
    assert_eq!(presentation.control.as_deref(), Some("*"));
    assert_eq!(presentation.range.as_deref(), Some("npt=0-"));
    let (index, video) = presentation.video().unwrap();
    assert_eq!(
        (index, video.codec, video.payload_type, video.clock_rate),
        (0, Some(Codec::H265), 96, 90_000)
    );
    assert_eq!(video.control.as_deref(), Some("trackID=1"));
    let heads: Vec<_> = video.parameter_sets.iter().map(|nal| nal[0] >> 1).collect();
    assert_eq!(heads, [32, 33, 34]);
    // The start code after the VPS is gone.
    assert_eq!(video.parameter_sets[0].last(), Some(&0x09));
    // A start code behind the VPS, and nothing else.
    assert!(presentation.quirks.iter().eq([(Quirk::BadSprop, 1)]));
    assert_eq!(presentation.lines().count(), H265.lines().count());
    assert_eq!(&presentation.raw[..], H265.as_bytes());
}

#[test]
fn tolerates_what_cameras_write() {
    let text = "garbage\no=no grammar here\ns=caf\u{e9}\nt=now-\n m=video -1353744643 RTP/AVP 96 97\n\
        a=rtpmap:96 PS/90000\na=rtpmap:97 H264 \na=rtpmap:98 X/1\na=fmtp:97\na=fmtp:99 a=b\na=framerate:0S\n\
        a=fmtp:97 Packetization-Mode=1; ;sprop-parameter-sets=AAAAAUdNAB+ZsBQBboQAAA+gAAF3AhA=,AAAAAUjqQ8g=,!!;x\n\
        m=application/TP-LINK 0 RTP/AVP smart/1/90000\nm=audio 0 RTP/AVP 8\na=sendonly\n";
    let presentation = parse(text).unwrap();
    assert_eq!(presentation.media.len(), 2);
    let (index, video) = presentation.video().unwrap();
    assert_eq!((index, video.payload_type, video.clock_rate), (0, 97, 90_000));
    assert_eq!((video.packetization_mode, video.fmtp("X"), video.frame_rate.as_deref()), (1, Some(""), None));
    assert_eq!(
        video.parameter_sets,
        [
            &[0x47, 0x4d, 0, 0x1f, 0x99, 0xb0, 0x14, 1, 0x6e, 0x84, 0, 0, 0x0f, 0xa0, 0, 1, 0x77, 2, 0x10][..],
            &[0x48, 0xea, 0x43, 0xc8]
        ]
    );
    let audio = &presentation.media[1];
    assert_eq!((&audio.kind, audio.encoding(), audio.clock_rate), (&MediaKind::Audio, "PCMA", 8_000));
    assert!(audio.send_only);
    // garbage, rtpmap:98.
    assert_eq!(presentation.quirks.get(Quirk::BadSdpLine), 2);
    for quirk in [
        Quirk::BadOrigin,
        Quirk::BadTime,
        Quirk::BadPort,
        Quirk::BadMedia,
        Quirk::NoClockRate,
        Quirk::ForeignFmtp,
    ] {
        assert_eq!(presentation.quirks.get(quirk), 1, "{quirk}");
    }
    // Two behind a start code, and one that is no Base64.
    assert_eq!(presentation.quirks.get(Quirk::BadSprop), 3);
}

/// Each with the camera's own words; a strict receiver refuses the description under the quirk's name.
#[test]
fn every_oddity_has_its_name_and_a_strict_receiver_says_it() {
    use crate::fault::{Policy, QuirkSet};
    let with = |line: &str| {
        alloc::format!("v=0\n{line}\ns=x\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n{line}\n")
    };
    let cases = [
        ("o=user with spaces 1 1 IN IP4 10.0.0.1", Quirk::BadOrigin), // Amcrest
        ("o=- 1 1 IN IPV4 10.0.0.1", Quirk::BadOrigin),               // Vurix
        ("o=- 1001 1 IN", Quirk::BadOrigin),                          // H3C
        ("o=- -5 1 IN IP4 10.0.0.1", Quirk::BadOrigin),               // Y-CAM
        ("o=- 16c0 1 IN IP4 10.0.0.1", Quirk::BadOrigin),
        ("t=now-", Quirk::BadTime),     // FLIR
        ("c=IN", Quirk::BadConnection), // Uniview
        ("c=IN c=IN IP4 10.0.0.1", Quirk::BadConnection),
        ("c=SM SM spk0", Quirk::BadConnection),             // Avigilon
        ("m=video -1353744643 RTP/AVP 96", Quirk::BadPort), // Tuya
        ("m=application/TP-LINK 0 RTP/AVP smart/1/90000", Quirk::BadMedia),
        ("a=fmtp:97 a=b", Quirk::ForeignFmtp),
        ("a=rtpmap:98 X/1", Quirk::BadSdpLine),
        ("a=sendonly", Quirk::AllSendOnly),
    ];
    for (line, quirk) in cases {
        let text = with(line);
        let presentation = parse(&text).unwrap();
        assert!(presentation.video().is_some() && presentation.quirks.get(quirk) > 0, "{line}");
        let judged = |policy| {
            let limits = Limits { policy, ..Limits::default() };
            Presentation::parse(text.as_bytes().to_vec(), &limits).map_err(|e| e.kind)
        };
        assert!(matches!(judged(Policy::Strict), Err(Kind::Violation(_))), "{line}");
        let without = Policy::Force(QuirkSet::ALL.without(quirk));
        assert_eq!(judged(without), Err(Kind::Violation(quirk)), "{line}");
    }
    assert!(parse(&with("b=TIAS:1")).unwrap().quirks.iter().next().is_none());
}

/// RFC 4567, 4568, 4570 and the profiles; no key is shown.
#[test]
fn what_srtp_and_multicast_need_is_kept() {
    let text = "v=0\nc=IN IP4 239.1.1.1/4\na=key-mgmt:mikey AQAVgM0XflABAAAAAAAAAAAAAAYAyAAAAAsAAA\n\
        m=video 5000 RTP/SAVP 96\na=rtpmap:96 H264/90000\na=source-filter: incl IN IP4 239.1.1.1 10.0.0.9\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n\
        m=audio 5002 RTP/AVPF 97\na=rtpmap:97 opus/48000/2\nc=IN IP4 239.1.1.2\n";
    let presentation = parse(text).unwrap();
    let [video, audio] = &presentation.media[..] else { panic!() };
    assert!(video.is_secure() && !audio.is_secure() && audio.profile == "RTP/AVPF");
    assert_eq!((video.port, video.keys.crypto.len(), audio.keys.crypto.len()), (5000, 1, 0));
    assert!(audio.keys.key_mgmt.as_ref().is_some_and(|key| key.starts_with("mikey ")));
    let group = |media: &Media| media.group.map(|g| (g.address.to_string(), g.ttl));
    assert_eq!(group(video), Some(("239.1.1.1".into(), Some(4))));
    assert_eq!(group(audio), Some(("239.1.1.2".into(), None)));
    assert_eq!(video.sources, ["10.0.0.9".parse::<core::net::IpAddr>().unwrap()]);
    assert_eq!(audio.chosen().map(|pt| (pt.clock_rate, pt.channels)), Some((48_000, 2)));
    let shown = alloc::format!("{presentation:?}");
    assert!(!shown.contains("d0Rm") && !shown.contains("AQAV"), "{shown}");
}

#[test]
fn parameters_of_a_foreign_number_are_taken_where_there_is_but_one_payload_type() {
    let presentation =
        parse("m=video 0 RTP/AVP 104\na=rtpmap:104 H264/90000\na=fmtp:97 packetization-mode=1\n").unwrap();
    assert_eq!(presentation.media[0].packetization_mode, 1);
}

#[test]
fn without_rtpmap_the_parameters_tell_the_codec() {
    let presentation =
        parse("m=video 0 RTP/AVP 96\na=fmtp:96 sprop-parameter-sets=Z0IAKeKQ,aM48gA==\n").unwrap();
    assert_eq!(presentation.media[0].codec, Some(Codec::H264));
}

/// Hanwha, Samsung: the password in the address.
#[test]
fn no_password_is_shown() {
    let presentation =
        parse("a=control:rtsp://u:p@h/a\nm=video 0 RTP/AVP 26\na=control:rtsp://u:p@h/a@b\n").unwrap();
    assert_eq!(presentation.control.as_deref(), Some("rtsp://h/a"));
    assert_eq!(presentation.media[0].control.as_deref(), Some("rtsp://h/a@b"));
    assert!(!alloc::format!("{presentation:?}").contains("u:p"));
}

#[test]
fn says_why_not() {
    assert_eq!(kind(""), Kind::Empty);
    assert_eq!(kind("\r\n\r\n"), Kind::Empty);
    assert_eq!(kind("<html></html>"), Kind::NotSdp);
    assert_eq!(kind("v=0\r\ns=x\r\n"), Kind::NoMedia);
    assert_eq!(kind("v=0\r\nm=video\r\n"), Kind::NoMedia);
    let jpeg = parse("m=video 0 RTP/AVP 26\n").unwrap();
    assert_eq!((jpeg.video(), jpeg.media[0].encoding()), (None, "JPEG"));
}

#[test]
fn sections_beyond_the_cap_are_skipped() {
    let limits = Limits { sdp_media: 1, ..Limits::default() };
    let text = b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 0 RTP/AVP 0\na=control:two\n".to_vec();
    let presentation = Presentation::parse(text, &limits).unwrap();
    assert_eq!((presentation.media.len(), presentation.quirks.get(Quirk::OverLimit)), (1, 1));
    assert_eq!(presentation.media[0].control, None);
}

fn nal(first: u8) -> impl Strategy<Value = Bytes> {
    // Ends with a byte that is not zero and holds no start code, as a NAL unit does.
    prop::collection::vec(1_u8.., 3..40).prop_map(move |mut nal| {
        nal.insert(0, first);
        nal.into()
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(sps in nal(0x67), pps in nal(0x68), vps in nal(0x40), sps5 in nal(0x42), pps5 in nal(0x44)) {
        let h264 = [sps, pps];
        let h265 = [vps, sps5, pps5];
        let written = Description::live("Mairie\r\nx=1").with_video(Codec::H264, 96, &h264).with_video(Codec::H265, 97, &h265);
        let read = parse(&written.to_string()).unwrap();
        prop_assert_eq!(read.name.as_deref(), Some("Mairie  x=1"));
        prop_assert_eq!(read.quirks.iter().count(), 0);
        let media: Vec<_> = read.media.iter().map(|m| (m.codec, m.payload_type, m.control.as_deref())).collect();
        prop_assert_eq!(media, vec![(Some(Codec::H264), 96, Some("video")), (Some(Codec::H265), 97, Some("video2"))]);
        prop_assert_eq!(&read.media[0].parameter_sets, &h264);
        prop_assert_eq!(&read.media[1].parameter_sets, &h265);
    }

    #[test]
    fn any_bytes_are_a_description_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Presentation::parse(bytes, &Limits::default());
    }

    #[test]
    fn any_attribute_is_read_or_skipped(name in "(rtpmap|fmtp|control|framerate)", value in ":?(96 )?\\PC*") {
        let _ = parse(&alloc::format!("m=video 0 RTP/AVP 96\na={name}{value}\n"));
    }
}
