//! Lines 96 to 105: timestamps and clocks.

use vigie::fault::Quirk;

use super::packet::{Item, rtp};
use super::{Act, Memory, Profile};

/// Four hours of the RTP clock.
const HOURS: u32 = 4 * 3_600 * 90_000;

pub(super) const PROFILES: &[Profile] = &[
    Profile::new(
        "rtcp-foreign-ssrc",
        "50",
        "Tapo C320WS",
        "sends its reports under another SSRC than its media",
    )
    .quirk(Quirk::ForeignReport)
    .acts(&[Act::Report(|items, memory| {
        each_report(items, |report| put(report, 4, &(memory.ssrc ^ 1).to_be_bytes()));
    })]),
    Profile::new(
        "unterminated-sdes",
        "51",
        "Hanwha",
        "ends its source description without the null that ends it",
    )
    .acts(&[Act::Report(|items, memory| {
        let [a, b, c, d] = memory.ssrc.to_be_bytes();
        each_report(items, |report| {
            report.truncate(28);
            report.extend([0x81, 202, 0, 3, a, b, c, d, 1, 6, b'c', b'a', b'm', b'e', b'r', b'a']);
        });
    })]),
    Profile::new(
        "stray-timestamp",
        "96",
        "Intelbras recorders",
        "stamps single pictures with a time that is hours off",
    )
    .quirk(Quirk::StrayTimestamp)
    .acts(&[Act::Packets(|items, memory| {
        if memory.picture % 40 == 17 {
            rtp(items).for_each(|p| p.set_timestamp(p.timestamp().wrapping_add(HOURS)));
        }
    })]),
    Profile::new("timestamp-leap", "97", "many", "begins its timestamps anew in mid-stream")
        .quirk(Quirk::TimestampLeap)
        .acts(&[
            Act::Packets(|items, memory| {
                if memory.picture >= 60 {
                    rtp(items).for_each(|p| p.set_timestamp(p.timestamp().wrapping_sub(HOURS)));
                }
            }),
            Act::Report(|items, memory| {
                if memory.picture >= 60 {
                    each_report(items, |report| shift_timestamp(report, 0_u32.wrapping_sub(HOURS)));
                }
            }),
        ]),
    Profile::new(
        "clock-step",
        "98",
        "Dahua Starlight, most",
        "sets its clock by an hour between two reports, the media going on",
    )
    .quirk(Quirk::ClockStep)
    .acts(&[Act::Report(|items, memory| {
        if memory.reports >= 2 {
            each_report(items, |report| {
                let seconds = u32::from_be_bytes(get(report, 8)).wrapping_add(3_600);
                put(report, 8, &seconds.to_be_bytes());
            });
        }
    })]),
    Profile::new("no-sender-report", "99", "Hikvision, some firmware", "never sends a report")
        .acts(&[Act::Report(|items, _| items.clear())]),
    Profile::new(
        "sender-report-ahead",
        "100",
        "some servers",
        "sends a report whose timestamp is ten seconds ahead of the media",
    )
    .quirk(Quirk::BadSenderReport)
    .acts(&[Act::Report(|items, memory| {
        if memory.reports == 1 {
            each_report(items, |report| shift_timestamp(report, 900_000));
        }
    })]),
    Profile::new("bad-sender-report", "99", "cameras without a clock", "sends reports whose time is zero")
        .quirk(Quirk::BadSenderReport)
        .acts(&[Act::Report(|items, _| each_report(items, |report| put(report, 8, &[0; 8])))]),
    Profile::new(
        "equal-timestamps",
        "102",
        "Uniview, Foscam",
        "gives each second picture the timestamp of the one before",
    )
    .quirk(Quirk::EqualTimestamps)
    .acts(&[Act::Packets(|items, memory| {
        if memory.picture % 2 == 1 {
            rtp(items).for_each(|p| p.set_timestamp(p.timestamp().wrapping_sub(memory.step)));
        }
    })]),
    Profile::new("frozen-timestamp", "102", "Huawei", "gives every picture the timestamp 0")
        .quirk(Quirk::EqualTimestamps)
        .acts(&[
            Act::Packets(|items, _| rtp(items).for_each(|packet| packet.set_timestamp(0))),
            Act::Report(|items, _| each_report(items, |report| put(report, 16, &[0; 4]))),
        ]),
    Profile::new(
        "nominal-timestamps",
        "103",
        "the camera of open-nvr's issue 229",
        "stamps 25 pictures a second, ships 21, and sends no report that tells",
    )
    .quirk(Quirk::NominalTimestamps)
    .acts(&[
        Act::Packets(|items, memory| {
            let (Some(Item::Rtp(packet)), 0) = (items.first(), memory.note) else {
                return rtp(items).for_each(|p| slow(p, memory));
            };
            memory.note = u64::from(packet.timestamp()) | 1 << 32;
        }),
        Act::Report(|items, _| items.clear()),
    ]),
    Profile::new(
        "long-gop",
        "105",
        "Hikvision and Dahua with smart codecs",
        "sends a picture a second, and a key picture in fifty",
    )
    .rate(1)
    .acts(&[Act::Mtu(1_400)]),
];

/// 21 of 25 ticks.
fn slowed(timestamp: u32, first: u32) -> u32 {
    first.wrapping_add((u64::from(timestamp.wrapping_sub(first)) * 21 / 25) as u32)
}

fn slow(packet: &mut super::packet::Packet, memory: &Memory) {
    packet.set_timestamp(slowed(packet.timestamp(), memory.note as u32));
}

fn each_report(items: &mut [Item], change: impl Fn(&mut Vec<u8>)) {
    for item in items {
        if let Item::Rtcp(report) = item {
            change(report);
        }
    }
}

/// The RTP timestamp of a report, RFC 3550 §6.4.1.
fn shift_timestamp(report: &mut [u8], by: u32) {
    let timestamp = u32::from_be_bytes(get(report, 16)).wrapping_add(by);
    put(report, 16, &timestamp.to_be_bytes());
}

fn get(report: &[u8], at: usize) -> [u8; 4] {
    report.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

fn put(report: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(field) = report.get_mut(at..at + bytes.len()) {
        field.copy_from_slice(bytes);
    }
}
