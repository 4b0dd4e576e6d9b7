//! Lines 1 to 5 of the catalogue and their like: bytes on a connection that do not belong there.

use vigie::fault::Quirk;

use super::answer::{Answer, Asked};
use super::packet::{Item, Packet, first};
use super::{Act, Memory, Profile};

/// The SSRC of a session that is over.
const OLD_SSRC: u32 = 0x0bad_cafe;

/// A packet of a session that is over: a slice that no parser could tell from one of ours.
fn old_packet(sequence: u16) -> Packet {
    let header = [0x80, 0xe0, 0, 0, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0];
    let slice = [0x41, 0x9a, 0x24, 0x6c, 0x41, 0x0f, 0xfe, 0xd6, 0x8c, 0xb0];
    let mut packet = Packet([&header[..], &slice].concat());
    packet.set_sequence(sequence);
    packet.set_ssrc(OLD_SSRC);
    packet
}

fn old_packets(count: u16) -> Vec<Item> {
    (0..count).map(|n| Item::Rtp(old_packet(0x7000 + n))).collect()
}

/// Three packets of another session before the first of ours.
pub(super) fn old_session_first(items: &mut Vec<Item>, memory: &mut Memory) {
    if memory.picture == 0 {
        items.splice(0..0, old_packets(3));
    }
}

pub(super) const PROFILES: &[Profile] = &[
    Profile::new(
        "stale-connection",
        "1",
        "live555 before 2017.06.04 (Reolink and many others)",
        "goes on sending a closed session's packets to whoever got its descriptor, before any answer",
    )
    .quirk(Quirk::RtpBeforePlay)
    .acts(&[Act::Answer(|asked, answer, _| {
        if asked.method == "OPTIONS" || asked.method == "DESCRIBE" {
            answer.before = old_packets(4);
        }
    })]),
    Profile::new(
        "foreign-ssrc",
        "2",
        "Reolink RLC-410",
        "sends packets of a former session, with its SSRC, among those of this one",
    )
    .quirk(Quirk::ForeignSsrc)
    .acts(&[Act::Packets(|items, memory| {
        let old = Item::Rtp(old_packet(0x7000_u16.wrapping_add(memory.picture as u16)));
        items.insert(items.len().min(1), old);
    })]),
    Profile::new(
        "rtp-before-play",
        "3",
        "v4l2rtspserver",
        "sends media before it has answered SETUP, and its first picture before it has answered PLAY",
    )
    .quirk(Quirk::RtpBeforePlay)
    .acts(&[Act::Answer(before_play)]),
    Profile::new(
        "unknown-channel",
        "4",
        "unnamed (moonfire issue 213)",
        "sends packets on channels that were never set up",
    )
    .quirk(Quirk::UnknownChannel)
    .acts(&[Act::Packets(|items, memory| {
        let stray = old_packet(memory.picture as u16).0;
        items.insert(items.len() / 2, Item::On(6, stray));
    })]),
    Profile::new(
        "lost-framing",
        "5",
        "servers derived from live555",
        "writes a part of a packet when the window of TCP is full, and then the next packet",
    )
    .quirk(Quirk::LostFraming)
    .acts(&[Act::Packets(lost_framing)]),
    Profile::new(
        "wrong-first-ssrc",
        "49",
        "the camera of retina's issue 79",
        "gives its first packet another SSRC than it names in SETUP, and the right one to all that follow",
    )
    .quirk(Quirk::OtherSsrc)
    .acts(&[
        Act::On("SETUP", |_, answer, memory| {
            let named = format!("{};ssrc={:08X}", answer.get("Transport"), memory.ssrc);
            answer.set("Transport", &named);
        }),
        Act::Packets(|items, memory| {
            if memory.picture == 0
                && let Some(packet) = first(items)
            {
                packet.set_ssrc(OLD_SSRC);
            }
        }),
    ]),
    Profile::new(
        "rtcp-flood",
        "52",
        "some Hikvision",
        "sends RTCP packets of thousands of bytes whose lengths are wrong, many in a row",
    )
    .quirk(Quirk::BadRtcp)
    .acts(&[Act::Packets(|items, memory| {
        if memory.picture % 10 == 5 {
            let mut flood = vec![0x5a; 6_000];
            flood.splice(0..4, [0x81, 204, 0xff, 0xf0]);
            items.splice(0..0, vec![Item::Rtcp(flood); 8]);
        }
    })]),
    Profile::new(
        "foreign-payload-type",
        "74",
        "GeoVision, Uniview, Uniarch",
        "sends packets of payload type 50 with the number of the packet before",
    )
    .quirk(Quirk::ForeignPayloadType)
    .acts(&[Act::Packets(|items, _| {
        if let Some(Item::Rtp(last)) = items.last() {
            let mut private = last.with_payload(&[0, 0, 1, 0xb6, 7, 7, 7, 7]);
            private.set_payload_type(50);
            private.set_marker(false);
            items.push(Item::Rtp(private));
        }
    })]),
];

fn before_play(asked: &Asked, answer: &mut Answer, memory: &mut Memory) {
    match asked.method.as_str() {
        "SETUP" => {
            let mut packet = old_packet(memory.ssrc as u16);
            packet.set_ssrc(memory.ssrc);
            answer.before = vec![Item::Rtp(packet)];
        }
        "PLAY" => answer.held = answer.is_success(),
        _ => {}
    }
}

/// Once in fifty pictures the packet before the last is cut short, and what follows comes at once.
fn lost_framing(items: &mut Vec<Item>, memory: &mut Memory) {
    if memory.picture % 50 != 49 {
        return;
    }
    memory.damaged = true;
    if let Some(Item::Rtp(packet)) = items.pop() {
        let mut framed = Vec::new();
        Item::Rtp(packet).frame(memory.channels, &mut framed);
        // Far less than the header says, and no byte of it that could begin an item.
        framed.truncate(40);
        items.push(Item::Raw(framed));
    }
}
