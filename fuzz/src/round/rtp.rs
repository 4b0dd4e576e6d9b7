//! RTP and RTCP packets.

use vigie::rtp::rtcp::{self, Packet, ReportBlock};
use vigie::rtp::{HEADER, ReplayStamp, RtpPacket};
use vigie::time::NtpTime;

use crate::tape::Tape;

/// A packet built by RFC 3550's figure reads as its fields; any bytes that read as one lie within themselves; reports and
/// stamps survive being written.
pub(crate) fn rtp_round_trip(bytes: &[u8]) {
    if let Ok(packet) = RtpPacket::parse(bytes) {
        let extension = packet.extension.map_or(0, |e| 4 + e.bytes.len());
        assert!(HEADER + packet.csrc.len() + extension + packet.payload.len() <= bytes.len());
        stamp(bytes, &packet);
        #[cfg(feature = "planted")]
        crate::planted::packet(&packet);
    }
    for packet in rtcp::parse(bytes).flatten() {
        reports(&packet);
    }
    built(&mut Tape::new(bytes));
}

fn built(tape: &mut Tape<'_>) {
    let (flags, second) = (tape.u8(), tape.u8());
    let (sequence, timestamp, ssrc) = (tape.u16(), tape.u32(), tape.u32());
    let (csrc, extended, padding) = (usize::from(flags & 15) * 4, flags & 16 != 0, flags & 32 != 0);
    let mut packet = vec![0x80 | flags & 0x3f, second];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&timestamp.to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    let mut sources = tape.take(csrc).to_vec();
    sources.resize(csrc, 7);
    packet.extend_from_slice(&sources);
    let (profile, words) = (tape.u16(), usize::from(tape.u8() % 8));
    let mut extension = tape.take(words * 4).to_vec();
    extension.resize(words * 4, 9);
    if extended {
        packet.extend_from_slice(&profile.to_be_bytes());
        packet.extend_from_slice(&(words as u16).to_be_bytes());
        packet.extend_from_slice(&extension);
    }
    let more = tape.u8().max(1);
    let payload = tape.rest();
    packet.extend_from_slice(payload);
    if padding {
        packet.resize(packet.len() + usize::from(more) - 1, 0);
        packet.push(more);
    }
    let read = RtpPacket::parse(&packet).expect("a packet");
    assert_eq!((read.marker, read.payload_type), (second & 0x80 != 0, second & 0x7f));
    assert_eq!((read.sequence, read.timestamp, read.ssrc), (sequence, timestamp, ssrc));
    assert_eq!((read.csrc, read.payload), (&sources[..], payload));
    let wanted = extended.then_some((profile, &extension[..]));
    assert_eq!(read.extension.map(|e| (e.profile, e.bytes)), wanted);
}

/// ONVIF's header extension, put into a packet that has none.
fn stamp(bytes: &[u8], packet: &RtpPacket<'_>) {
    if packet.extension.is_some() || !packet.csrc.is_empty() {
        return;
    }
    let mut stamp = ReplayStamp::new(NtpTime(u64::from(packet.timestamp) << 32 | u64::from(packet.ssrc)));
    (stamp.clean, stamp.end, stamp.cseq) = (packet.marker, packet.sequence & 1 == 1, packet.sequence as u8);
    let mut out = vec![];
    stamp.insert(bytes, &mut out);
    let again = RtpPacket::parse(&out).expect("a packet");
    assert_eq!((ReplayStamp::of(&again), again.payload), (Some(stamp), packet.payload));
}

fn reports(packet: &Packet<'_>) {
    let mut out = vec![];
    match packet {
        Packet::SenderReport(report, blocks) => {
            let blocks: Vec<ReportBlock> = blocks.iter().collect();
            rtcp::write_sender_report(report, &blocks, &mut out);
            let Some(Ok(Packet::SenderReport(again, more))) = rtcp::parse(&out).next() else {
                panic!("no report")
            };
            assert_eq!((again, more.iter().collect()), (*report, blocks));
        }
        Packet::ReceiverReport(ssrc, blocks) => {
            let blocks: Vec<ReportBlock> = blocks.iter().collect();
            rtcp::write_receiver_report(*ssrc, &blocks, &mut out);
            let Some(Ok(Packet::ReceiverReport(again, more))) = rtcp::parse(&out).next() else {
                panic!("no report")
            };
            assert_eq!((again, more.iter().collect()), (*ssrc, blocks));
        }
        Packet::SourceDescription(names) => {
            let Some((ssrc, name)) = names.cname() else { return };
            let Ok(name) = std::str::from_utf8(name) else { return };
            rtcp::write_source_description(ssrc, name, &mut out);
            let Some(Ok(Packet::SourceDescription(again))) = rtcp::parse(&out).next() else {
                panic!("no names")
            };
            assert_eq!(again.cname(), Some((ssrc, name.as_bytes())));
        }
        Packet::Goodbye(goodbye) => {
            for ssrc in goodbye.sources() {
                out.clear();
                rtcp::write_goodbye(ssrc, &mut out);
                let Some(Ok(Packet::Goodbye(again))) = rtcp::parse(&out).next() else { panic!("no goodbye") };
                assert!(again.sources().eq([ssrc]));
            }
        }
        _ => {}
    }
}
