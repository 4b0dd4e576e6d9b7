//! Lines 53, 54 and 56 to 73: descriptions.

use vigie::fault::Quirk;

use super::answer::Verdict;
use super::packet::rtp;
use super::{Act, Profile};

/// A description, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text(Vec<Vec<u8>>);

impl Text {
    /// `body` after `change`.
    pub(super) fn changed(body: &[u8], change: fn(&mut Self)) -> Vec<u8> {
        let lines = body.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut text = Self(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect());
        change(&mut text);
        text.0.iter().flat_map(|line| [line.as_slice(), b"\r\n"].concat()).collect()
    }

    /// Puts these lines in the place of those that start so.
    fn replace(&mut self, start: &str, lines: &[&str]) {
        let Some(at) = self.0.iter().position(|line| line.starts_with(start.as_bytes())) else { return };
        self.0.retain(|line| !line.starts_with(start.as_bytes()));
        self.insert(at, lines);
    }

    fn insert(&mut self, at: usize, lines: &[&str]) {
        let lines = lines.iter().map(|line| line.as_bytes().to_vec());
        self.0.splice(at.min(self.0.len())..at.min(self.0.len()), lines);
    }

    /// Changes the text of the lines that start so.
    fn edit(&mut self, start: &str, change: impl Fn(&str) -> String) {
        for line in self.0.iter_mut().filter(|line| line.starts_with(start.as_bytes())) {
            *line = change(&String::from_utf8_lossy(line)).into_bytes();
        }
    }

    /// Before the video's section.
    fn before_media(&mut self, lines: &[&str]) {
        let at = self.0.iter().position(|line| line.starts_with(b"m=")).unwrap_or(self.0.len());
        self.insert(at, lines);
    }

    fn append(&mut self, lines: &[&str]) {
        self.insert(self.0.len(), lines);
    }
}

pub(super) const PROFILES: &[Profile] = &[
    Profile::new(
        "foreign-control",
        "40",
        "Hanwha, Samsung, cameras behind NAT",
        "names another host in its control, with user and password",
    )
    .quirk(Quirk::ForeignControl)
    .acts(&[Act::Sdp(|text| {
        text.replace("a=control:video", &["a=control:rtsp://admin:4321@10.255.255.1:554/cam1/video"]);
    })]),
    Profile::new(
        "all-send-only",
        "54",
        "D-Link, the camera of mediamtx's issue 5074",
        "calls its video sendonly",
    )
    .quirk(Quirk::AllSendOnly)
    .acts(&[Act::Sdp(|text| text.replace("a=recvonly", &["a=sendonly"]))]),
    Profile::new("crypto-without-srtp", "56", "UniFi", "offers keys for SRTP in a section of plain RTP")
        .acts(&[Act::Sdp(|text| {
            text.append(&[
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
            ]);
        })]),
    Profile::new("no-origin", "58a", "Wisenet recorders, UDP Technology, macro-video", "has no o=")
        .acts(&[Act::Sdp(|text| text.replace("o=", &[]))]),
    Profile::new("spaces-in-origin", "58b", "Amcrest", "has a user of several words in o=")
        .quirk(Quirk::BadOrigin)
        .acts(&[Act::Sdp(|text| {
            text.replace("o=", &["o=RTSP Session of the camera 0 0 IN IP4 192.168.1.108"])
        })]),
    Profile::new(
        "bad-origin-address",
        "58c",
        "Vurix, Verint, Altasec, H3C",
        "has an address in o= that is none, or ends before it",
    )
    .quirk(Quirk::BadOrigin)
    .acts(&[Act::Sdp(|text| text.replace("o=", &["o=- 1001 1 IP IPV4"]))]),
    Profile::new("cut-origin", "58c", "H3C, VCP", "has an o= that ends in the middle")
        .quirk(Quirk::BadOrigin)
        .acts(&[Act::Sdp(|text| text.replace("o=", &["o=- 1001 1 IN"]))]),
    Profile::new(
        "odd-origin-numbers",
        "58d",
        "Y-CAM, LiveReporter",
        "has numbers in o= that are negative, hexadecimal or broken",
    )
    .quirk(Quirk::BadOrigin)
    .acts(&[Act::Sdp(|text| text.replace("o=", &["o=- -1733858148 0x16.7 IN IP4 127.0.0.1"]))]),
    Profile::new("time-now", "59", "FLIR", "has t=now-")
        .quirk(Quirk::BadTime)
        .acts(&[Act::Sdp(|text| text.replace("t=", &["t=now-"]))]),
    Profile::new(
        "bad-connection",
        "60",
        "Uniview, Hikvision media servers, Fritzbox",
        "has c= lines that end early, say c= twice, or name no network",
    )
    .quirk(Quirk::BadConnection)
    .acts(&[Act::Sdp(|text| text.replace("c=", &["c=IN c=IN IP4 0.0.0.0", "c=IN", "c=In 192.168.1.20"]))]),
    Profile::new("spoken-connection", "60", "Avigilon", "names its loudspeakers in c=")
        .quirk(Quirk::BadConnection)
        .acts(&[Act::Sdp(|text| text.replace("c=", &["c=SM SM spk0.0.0.0"]))]),
    Profile::new(
        "no-version",
        "61",
        "unnamed (gortsplib issue 448)",
        "begins without v=, and has several s= after its attributes",
    )
    .acts(&[Act::Sdp(|text| {
        text.replace("v=", &[]);
        text.replace("s=", &[]);
        text.before_media(&["s=Session", "s=streamed by the RTSP server"]);
    })]),
    Profile::new(
        "bad-port",
        "62",
        "Tuya, Symynelec C5",
        "has a port in m= that is random, and bytes that are no text in c=",
    )
    .quirk(Quirk::BadPort)
    .acts(&[Act::Sdp(|text| {
        text.edit("m=video", |line| line.replace("video 0", "video -1353744643"));
        text.replace("c=", &[]);
        text.0.insert(2, b"c=IN IP4 \xd0\x9f\x01\xff\xfe".to_vec());
    })]),
    Profile::new(
        "unknown-media",
        "63",
        "TP-Link, Mercury, BZBGEAR, UDP Technology",
        "describes streams of types that nobody knows, before its video",
    )
    .quirk(Quirk::BadMedia)
    .acts(&[Act::Sdp(|text| {
        text.before_media(&[
            "m=application/TP-LINK 0 RTP/AVP smart/1/90000",
            "a=rtpmap:95 TP-LINK/90000",
            "a=control:track3",
            "m=vana 0 RTP/AVP 108",
            "a=control:track4",
            "m=metadata 0 RTP/AVP 109",
            "a=rtpmap:109 vnd.unknown/90000",
        ]);
    })]),
    Profile::new(
        "bad-rtpmap",
        "64",
        "the cameras of moonfire's issue 213 and mediamtx's issue 4476",
        "has a blank after its rtpmap, and sections whose clock is 0 or missing",
    )
    .acts(&[Act::Sdp(|text| {
        text.edit("a=rtpmap:96", |line| format!("{line} "));
        text.append(&[
            "m=audio 0 RTP/AVP 8 98",
            "a=rtpmap:8 PCMA/0",
            "a=rtpmap:98 G726-32",
            "a=control:audio",
        ]);
    })]),
    Profile::new(
        "no-clock-rate",
        "64",
        "the camera of mediamtx's issue 4476",
        "gives its video a clock of 0",
    )
    .quirk(Quirk::NoClockRate)
    .acts(&[Act::Sdp(|text| text.replace("a=rtpmap:96", &["a=rtpmap:96 H264/0"]))]),
    Profile::new(
        "bad-fmtp",
        "65",
        "UniFi, Reolink, Hikvision recorders",
        "has an fmtp without parameters, and one whose last is empty",
    )
    .quirk(Quirk::BadSdpLine)
    .acts(&[Act::Sdp(|text| {
        text.edit("a=fmtp:96", |line| format!("{line};config;;"));
        text.append(&["a=fmtp:96", "m=audio 0 RTP/AVP 104", "a=rtpmap:104 mpeg4-generic/16000", "a=fmtp:"]);
    })]),
    Profile::new(
        "fmtp-of-another",
        "65",
        "Hikvision recorders (V5.03)",
        "gives the parameters of its video under another payload type",
    )
    .quirk(Quirk::ForeignFmtp)
    .acts(&[Act::Sdp(|text| text.edit("a=fmtp:96", |line| line.replace("fmtp:96", "fmtp:104")))]),
    Profile::new(
        "broken-audio",
        "66",
        "Dahua",
        "describes a return channel with nineteen codings of which none can be read",
    )
    .acts(&[Act::Sdp(|text| {
        let types: Vec<String> = (100..119).map(|n| n.to_string()).collect();
        let media = format!("m=audio 0 RTP/AVP {}", types.join(" "));
        text.append(&[&media, "a=rtpmap:100 MPEG4-GENERIC/", "a=fmtp:100 streamtype=5;mode=AAC-hbr;config="]);
        for number in types {
            text.append(&[&format!("a=rtpmap:{number} MPEG4-GENERIC/8000/1")]);
        }
        text.append(&["a=control:trackID=5", "a=sendonly"]);
    })]),
    Profile::new(
        "back-channel",
        "53",
        "Dahua, Amcrest, Vikylin",
        "describes a return channel, and closes the connection to whoever asks for it",
    )
    .acts(&[
        Act::Sdp(|text| {
            text.append(&[
                "m=audio 0 RTP/AVP 0",
                "a=rtpmap:0 PCMU/8000",
                "a=control:trackID=5",
                "a=sendonly",
            ]);
        }),
        Act::Request(|asked, _| match asked.field("Require").is_some() || asked.uri.contains("trackID=5") {
            true => Verdict::Close,
            false => Verdict::Pass,
        }),
    ]),
    Profile::new(
        "bad-sprop",
        "67",
        "Hikvision, VStarcam, Revotech",
        "gives parameter sets in its description that are no Base64",
    )
    .quirk(Quirk::BadSprop)
    .acts(&[Act::Sdp(|text| {
        text.edit("a=fmtp:96", |line| {
            let kept = line.split("sprop-parameter-sets=").next().unwrap_or_default();
            format!("{kept}sprop-parameter-sets=Z0IA*!?,=====")
        });
    })]),
    Profile::new(
        "padded-sprop",
        "67",
        "VStarcam, Revotech",
        "puts a start code before the parameter sets of its description, and zeros after them",
    )
    .quirk(Quirk::BadSprop)
    .acts(&[Act::Sdp(|text| text.edit("a=fmtp:96", padded))]),
    Profile::new(
        "wrong-profile-level-id",
        "68",
        "macro-video",
        "writes Base64 for its profile, and means another than it sends",
    )
    .acts(&[Act::Sdp(|text| {
        text.edit("a=fmtp:96", |line| {
            let (before, after) = line.split_once("profile-level-id=").unwrap_or((line, ""));
            let after = after.get(6..).unwrap_or_default();
            format!("{before}profile-level-id=Z00AKg=={after}")
        });
    })]),
    Profile::new("other-codec", "69", "Ezviz C6N", "describes H.265, and sends H.264")
        .quirk(Quirk::OtherCodec)
        .acts(&[Act::Sdp(|text| {
            text.edit("a=rtpmap:96", |line| line.replace("H264", "H265"));
            text.replace("a=fmtp:96", &[]);
        })]),
    Profile::new("payload-type-35", "70", "Bosch Flexidome", "sends H.264 as payload type 35").acts(&[
        Act::Sdp(|text| {
            text.edit("m=video", |line| line.replace("AVP 96", "AVP 35"));
            text.edit("a=", |line| line.replace("rtpmap:96", "rtpmap:35").replace("fmtp:96", "fmtp:35"));
        }),
        Act::Packets(|items, _| rtp(items).for_each(|packet| packet.set_payload_type(35))),
    ]),
    Profile::new(
        "odd-bandwidth",
        "73",
        "several (mediamtx issues 115, 136, 948)",
        "has b= lines of RR, RS and TIAS, one of them without a number",
    )
    .acts(&[Act::Sdp(|text| {
        text.before_media(&["b=RR:0", "b=RS:", "b=X-YZ:128"]);
        text.append(&["b=TIAS:-1", "b=AS:"]);
    })]),
    Profile::new(
        "packetization-mode-0",
        "84",
        "Meraki MV63, clones of Dahua and Hikvision",
        "says packetization-mode=0, and sends fragments",
    )
    .quirk(Quirk::PacketizationMode)
    .acts(&[Act::Sdp(|text| {
        text.edit("a=fmtp:96", |line| line.replace("packetization-mode=1", "packetization-mode=0"));
    })]),
];

/// No parameter sets.
pub(super) fn without_sprop(text: &mut Text) {
    text.edit("a=fmtp:96", |line| line.split(";sprop-").next().unwrap_or_default().to_owned());
}

/// `AAAAAQ` is the beginning of 00 00 00 01 in Base64; its last bits are the first of the set's.
fn padded(line: &str) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let (before, sets) = line.split_once("sprop-parameter-sets=").unwrap_or((line, ""));
    let sets = sets.split(',').map(|set| {
        let set = base64.decode(set).unwrap_or_default();
        base64.encode([&[0, 0, 0, 1], set.as_slice(), &[0, 0, 0]].concat())
    });
    format!("{before}sprop-parameter-sets={}", sets.collect::<Vec<_>>().join(","))
}
