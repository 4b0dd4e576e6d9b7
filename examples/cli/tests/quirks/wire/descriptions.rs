//! Profiles of session descriptions.

use super::Check;
use super::Check::{Described, Played};

/// A line that is exactly this.
macro_rules! line {
    ($line:literal) => {
        Described(|sdp| sdp.contains(concat!("\r\n", $line, "\r\n")))
    };
}

/// The lines that start so.
fn lines<'a>(sdp: &'a str, start: &str) -> Vec<&'a str> {
    sdp.lines().filter(|line| line.starts_with(start)).collect()
}

/// The value of a parameter of `a=fmtp:`.
fn parameter(sdp: &str, key: &str) -> String {
    let after = sdp.split(&format!("{key}=")).nth(1).unwrap_or_default();
    after.split([';', '\r']).next().unwrap_or_default().to_owned()
}

pub(super) const CHECKS: &[(&str, Check)] = &[
    (
        "foreign-control",
        Described(|sdp| sdp.contains("a=control:rtsp://admin:4321@10.255.255.1:554/cam1/video\r\n")),
    ),
    ("all-send-only", Described(|sdp| sdp.contains("a=sendonly") && !sdp.contains("a=recvonly"))),
    (
        "crypto-without-srtp",
        Described(|sdp| sdp.contains("a=crypto:1 ") && sdp.contains("m=video 0 RTP/AVP 96\r\n")),
    ),
    ("no-origin", Described(|sdp| lines(sdp, "o=").is_empty() && sdp.starts_with("v=0\r\ns="))),
    ("spaces-in-origin", Described(|sdp| lines(sdp, "o=")[0].split(' ').count() > 6)),
    ("bad-origin-address", line!("o=- 1001 1 IP IPV4")),
    ("cut-origin", line!("o=- 1001 1 IN")),
    ("odd-origin-numbers", line!("o=- -1733858148 0x16.7 IN IP4 127.0.0.1")),
    ("time-now", line!("t=now-")),
    ("bad-connection", Described(|sdp| lines(sdp, "c=")[..2] == ["c=IN c=IN IP4 0.0.0.0", "c=IN"])),
    ("spoken-connection", line!("c=SM SM spk0.0.0.0")),
    (
        "no-version",
        Described(|sdp| {
            lines(sdp, "v=").is_empty()
                && lines(sdp, "s=").len() == 2
                && sdp.find("a=control").unwrap() < sdp.find("s=").unwrap()
        }),
    ),
    ("bad-port", Described(|sdp| sdp.contains("m=video -1353744643 RTP/AVP 96") && sdp.contains('\u{fffd}'))),
    (
        "unknown-media",
        Described(|sdp| {
            let media = lines(sdp, "m=");
            media.len() == 4
                && media[0].starts_with("m=application/TP-LINK")
                && media[3].starts_with("m=video")
        }),
    ),
    (
        "bad-rtpmap",
        Described(|sdp| {
            sdp.contains("a=rtpmap:96 H264/90000 \r\n") && sdp.contains("a=rtpmap:98 G726-32\r\n")
        }),
    ),
    ("no-clock-rate", line!("a=rtpmap:96 H264/0")),
    ("bad-fmtp", Described(|sdp| sdp.contains(";config;;\r\n") && sdp.contains("\r\na=fmtp:96\r\n"))),
    (
        "fmtp-of-another",
        Described(|sdp| sdp.contains("a=fmtp:104 packetization-mode") && sdp.contains("a=rtpmap:96 H264")),
    ),
    (
        "broken-audio",
        Described(|sdp| lines(sdp, "a=rtpmap:1").len() == 20 && sdp.contains("mode=AAC-hbr;config=\r\n")),
    ),
    ("bad-sprop", Described(|sdp| parameter(sdp, "sprop-parameter-sets").contains("*!?"))),
    (
        "padded-sprop",
        // 00 00 00 01 67, in Base64.
        Described(|sdp| parameter(sdp, "sprop-parameter-sets").starts_with("AAAAAW")),
    ),
    ("wrong-profile-level-id", Described(|sdp| parameter(sdp, "profile-level-id") == "Z00AKg==")),
    (
        "other-codec",
        Played(|wire| {
            let described = wire.chunks.iter().any(|chunk| {
                matches!(chunk, super::client::Chunk::Answer(_, sdp)
                    if String::from_utf8_lossy(sdp).contains("a=rtpmap:96 H265/90000"))
            });
            // An H.264 SPS with Main or High profile.
            let h264 = |p: &super::client::Rtp<'_>| p.kind() == 7 && matches!(p.payload()[1], 66 | 77 | 100);
            described && wire.rtp().iter().any(h264)
        }),
    ),
    (
        "payload-type-35",
        Played(|wire| {
            let described = wire.chunks.iter().any(|chunk| {
                matches!(chunk, super::client::Chunk::Answer(_, sdp)
                    if String::from_utf8_lossy(sdp).contains("m=video 0 RTP/AVP 35\r\na=rtpmap:35 H264"))
            });
            described && !wire.rtp().is_empty() && wire.rtp().iter().all(|p| p.payload_type() == 35)
        }),
    ),
    (
        "odd-bandwidth",
        Described(|sdp| lines(sdp, "b=") == ["b=RR:0", "b=RS:", "b=X-YZ:128", "b=TIAS:-1", "b=AS:"]),
    ),
    (
        "packetization-mode-0",
        Played(|wire| {
            let described = wire.chunks.iter().any(|chunk| {
                matches!(chunk, super::client::Chunk::Answer(_, sdp)
                    if String::from_utf8_lossy(sdp).contains("packetization-mode=0;"))
            });
            described && wire.rtp().iter().any(|p| p.kind() == 28)
        }),
    ),
];
