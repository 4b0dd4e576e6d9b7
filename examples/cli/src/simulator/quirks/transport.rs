//! Lines 6 to 15 and their like: what is agreed on in SETUP.

use vigie::fault::Quirk;

use super::answer::{Answer, Asked, Verdict};
use super::{Act, Profile};

/// Replaces the `Transport` of SETUP's answer.
macro_rules! transport {
    ($change:expr) => {
        Act::On("SETUP", |_, answer, memory| {
            let change: fn(&str, &mut super::Memory) -> String = $change;
            let value = change(answer.get("Transport"), memory);
            answer.set("Transport", &value);
        })
    };
}

fn wants_udp(asked: &Asked) -> bool {
    let first = asked.field("Transport").unwrap_or_default().split(',').next().unwrap_or_default();
    asked.method == "SETUP" && !first.contains("TCP")
}

fn refused(asked: &Asked) -> Verdict {
    Verdict::Say(Answer::to(asked, "461 Unsupported Transport"))
}

pub(super) const PROFILES: &[Profile] = &[
    Profile::new("other-channels", "6", "Panasonic", "is asked for channels 0-1, and takes 20-21")
        .quirk(Quirk::OtherChannels)
        .acts(&[transport!(|value, memory| {
            memory.channels = (20, 21);
            value.replace("interleaved=0-1", "interleaved=20-21")
        })]),
    Profile::new("no-channels", "7", "unnamed (gortsplib issue 142)", "answers without channels")
        .quirk(Quirk::NoChannels)
        .acts(&[transport!(|value, _| value.replace(";interleaved=0-1", ""))]),
    Profile::new("single-channel", "8", "unnamed (go2rtc)", "names one channel instead of two")
        .acts(&[transport!(|value, _| value.replace("interleaved=0-1", "interleaved=0"))]),
    Profile::new("no-tcp-in-transport", "9", "Escam Q6", "answers with RTP/AVP, as if for UDP")
        .acts(&[transport!(|value, _| value.replace("RTP/AVP/TCP", "RTP/AVP"))]),
    Profile::new("no-transport", "10", "unnamed (gortsplib issue 456)", "answers SETUP without a Transport")
        .quirk(Quirk::NoTransport)
        .acts(&[Act::On("SETUP", |_, answer, _| answer.remove("Transport"))]),
    Profile::new(
        "blank-in-ssrc",
        "11",
        "Hikvision iDS-2CD9396",
        "writes blanks before the digits of its SSRC",
    )
    .acts(&[transport!(|value, memory| format!("{value};ssrc=  {:X}", memory.ssrc))]),
    Profile::new("wrong-ssrc", "11", "Dahua", "names an SSRC of nine digits, and sends another")
        .acts(&[transport!(|value, _| format!("{value};ssrc=9D0B35A12"))]),
    Profile::new("ssrc-first", "12", "Luckfox rkipc", "writes the SSRC before everything else")
        .acts(&[transport!(|value, memory| format!("ssrc={:08X};{value}", memory.ssrc))]),
    Profile::new("empty-source", "13", "unnamed (mediamtx issue 986)", "writes an empty source")
        .acts(&[transport!(|value, _| value.replace("unicast", "unicast;source="))]),
    Profile::new(
        "no-server-port",
        "14",
        "OpenIPC, others",
        "sends over UDP, and does not say from which port",
    )
    .quirk(Quirk::NoServerPort)
    .udp()
    .acts(&[transport!(|value, _| value.split(";server_port").next().unwrap_or_default().to_owned())]),
    Profile::new(
        "session-changed",
        "15",
        "unnamed (retina 0.4.6)",
        "names another session from one answer to the next, and means the first",
    )
    .quirk(Quirk::SessionChanged)
    .acts(&[Act::On("PLAY", |_, answer, _| answer.set("Session", "9F1C2D3E;timeout=60"))]),
    Profile::new(
        "forgets-description",
        "33",
        "Hikvision",
        "refuses UDP, and then wants a DESCRIBE before the next SETUP",
    )
    .quirk(Quirk::DescribeAgain)
    .udp()
    .acts(&[Act::Request(|asked, memory| {
        if asked.method == "DESCRIBE" {
            memory.note = 0;
        }
        if wants_udp(asked) {
            memory.note = 1;
            return refused(asked);
        }
        match asked.method == "SETUP" && memory.note == 1 {
            true => Verdict::Say(Answer::to(asked, "455 Method Not Valid in This State")),
            false => Verdict::Pass,
        }
    })]),
    Profile::new(
        "one-description",
        "34",
        "cheap cameras",
        "refuses UDP, and closes the connection at its second DESCRIBE",
    )
    .udp()
    .acts(&[Act::Request(|asked, memory| {
        if memory.describes > 1 && asked.method == "DESCRIBE" {
            return Verdict::Close;
        }
        if wants_udp(asked) { refused(asked) } else { Verdict::Pass }
    })]),
    Profile::new("srtp-keys-wanted", "57", "Axis", "answers 463 to a SETUP that brings no keys for SRTP")
        .acts(&[Act::Request(|asked, _| {
            match asked.method == "SETUP" && asked.field("KeyMgmt").is_none() {
                true => Verdict::Say(Answer::to(asked, "463 Key Management Failure")),
                false => Verdict::Pass,
            }
        })]),
    Profile::new("no-mode", "35", "unnamed (gortsplib)", "refuses a Transport that names a mode").acts(&[
        Act::Request(|asked, _| match asked.field("Transport").is_some_and(|t| t.contains("mode=")) {
            true => Verdict::Say(Answer::to(asked, "400 Bad Request")),
            false => Verdict::Pass,
        }),
    ]),
];
