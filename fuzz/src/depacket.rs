//! Whatever comes in, what comes out of a depacketizer is what its type says.

use vigie::codec::PictureCodec;
use vigie::depacket::{
    AccessUnit, AudioDepacketizer, DecodingOrder, Depacketizer, DocumentReader, Packetization,
    PictureDepacketizer,
};
use vigie::fault::{LossPolicy, Policy};
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::reorder::Reorder;
use vigie::rtp::RtpPacket;
use vigie::sdp::Presentation;
use vigie::time::Micros;

use crate::tape::Tape;

/// RTP payloads of H.264 and H.265, as datagrams in any order or one after the other, with decoding order numbers or without:
/// NAL units behind their lengths, none beyond its cap.
///
/// The first byte says how; then packets, each behind its length in 2 bytes.
pub(crate) fn depacket(bytes: &[u8]) {
    let Some((&how, packets)) = bytes.split_first() else { return };
    let is = |bit: u8| how & bit != 0;
    let limits = limits(how);
    let codec = if is(1) { Codec::H265 } else { Codec::H264 };
    let mut depacketizer = Depacketizer::new(codec, &limits);
    if is(4) {
        let mut packetization = Packetization::default();
        let mut order = DecodingOrder::default();
        order.depth = 4;
        (packetization.mode, packetization.order) = (Some(2), Some(order));
        depacketizer = depacketizer.with_packetization(packetization);
    }
    let mut each = |packet: Option<(&RtpPacket<'_>, Micros, u32)>| {
        match packet {
            Some((packet, received, lost)) => depacketizer.push(packet, received, lost),
            None => depacketizer.finish(),
        }
        while let Some(unit) = depacketizer.pull() {
            check(&unit, &limits);
        }
    };
    ordered(is(2), packets, &limits, &mut each);
}

/// The caps by the first byte: bits 8 to 64.
fn limits(how: u8) -> Limits {
    let mut limits = Limits::default();
    if how & 8 != 0 {
        limits.policy = Policy::Strict;
    }
    if how & 16 != 0 {
        limits.loss = LossPolicy::Withhold;
    }
    if how & 32 != 0 {
        (limits.access_unit, limits.nal_units, limits.parameter_set) = (600, 6, 64);
        (limits.interleaved_units, limits.interleaved_bytes, limits.reorder_packets) = (6, 800, 8);
        (limits.audio_unit, limits.document) = (100, 300);
    }
    limits
}

/// Packets in the order in which the receiver puts them.
fn ordered(
    datagrams: bool,
    packets: &[u8],
    limits: &Limits,
    each: &mut dyn FnMut(Option<(&RtpPacket<'_>, Micros, u32)>),
) {
    let mut reorder = if datagrams { Reorder::windowed(limits) } else { Reorder::in_order() };
    let mut now = 0;
    for packet in Tape::new(packets).chunks() {
        now += 1_000;
        if datagrams && packet.len() < 12 {
            // Time passes: what is missing is not waited for any longer.
            now += 50_000 * packet.len() as u64;
            reorder.handle_timeout(Micros(now));
        } else if let Some(ordered) = reorder.push(packet, Micros(now)) {
            each(Some((&ordered.packet, ordered.received, ordered.lost_before)));
        }
        while let Some(ordered) = reorder.pull() {
            each(Some((&ordered.packet, ordered.received, ordered.lost_before)));
        }
    }
    reorder.finish();
    while let Some(ordered) = reorder.pull() {
        each(Some((&ordered.packet, ordered.received, ordered.lost_before)));
    }
    each(None);
}

/// Is it an access unit?
pub(crate) fn check(unit: &AccessUnit, limits: &Limits) {
    assert!(unit.data.len() <= limits.access_unit, "{} bytes", unit.data.len());
    let (mut rest, mut count) = (&unit.data[..], 0);
    while !rest.is_empty() {
        let (len, after) = rest.split_first_chunk::<4>().expect("a length");
        let len = u32::from_be_bytes(*len) as usize;
        assert!(len > 0 && len <= after.len(), "a NAL unit of {len} bytes where {} are left", after.len());
        rest = &after[len..];
        count += 1;
    }
    assert!(count > 0 && count <= limits.nal_units, "{count} NAL units");
}

/// Media that are no H.264 or H.265.
const OTHERS: [&str; 10] = [
    "m=video 0 RTP/AVP 26\r\n",
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 AV1/90000\r\n",
    "m=audio 0 RTP/AVP 0\r\n",
    "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 L16/16000/2\r\n",
    "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n",
    "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 mpeg4-generic/16000\r\n\
     a=fmtp:96 mode=AAC-hbr;config=1408;sizelength=13;indexlength=3;indexdeltalength=3\r\n",
    "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 MP4A-LATM/24000\r\na=fmtp:96 cpresent=0;config=40002410\r\n",
    "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 MP4A-LATM/24000\r\na=fmtp:96 cpresent=1\r\n",
    "m=application 0 RTP/AVP 96\r\na=rtpmap:96 vnd.onvif.metadata/90000\r\n",
    "m=application 0 RTP/AVP 96\r\na=rtpmap:96 vnd.onvif.metadata.gzip/90000\r\n",
];

/// The same of JPEG, AV1, sound and ONVIF metadata. The first byte as above, the second says of what; the `fmtp` may be the
/// input's, behind its length.
pub(crate) fn plain(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let (how, kind) = (tape.u8(), tape.u8());
    let limits = limits(how);
    let mut sdp = format!("v=0\r\ns=x\r\n{}", OTHERS[usize::from(kind) % OTHERS.len()]);
    if kind & 0x80 != 0 {
        let parameters: String = tape.text().chars().filter(|c| !c.is_control()).collect();
        sdp.push_str(&format!("a=fmtp:96 {parameters}\r\n"));
    }
    let Ok(presentation) = Presentation::parse(sdp, &limits) else { return };
    let media = &presentation.media[0];
    let packets = tape.rest();
    if let Some(mut reader) = PictureDepacketizer::new(media, &limits) {
        ordered(how & 2 != 0, packets, &limits, &mut |packet| {
            match packet {
                Some((packet, received, lost)) => reader.push(packet, received, lost),
                None => reader.finish(),
            }
            while let Some(unit) = reader.pull() {
                assert!(!unit.data.is_empty() && unit.data.len() <= limits.access_unit);
                match unit.format.codec {
                    PictureCodec::Jpeg => {
                        assert!(
                            unit.data.starts_with(&[0xff, 0xd8, 0xff]) && unit.data.ends_with(&[0xff, 0xd9])
                        );
                        assert!(unit.format.width > 0 && unit.format.height > 0);
                    }
                    _ => obus(&unit.data),
                }
            }
        });
    } else if let Ok(mut reader) = AudioDepacketizer::new(media, &limits) {
        ordered(how & 2 != 0, packets, &limits, &mut |packet| {
            match packet {
                Some((packet, received, lost)) => reader.push(packet, received, lost),
                None => reader.finish(),
            }
            while let Some(unit) = reader.pull() {
                assert!(!unit.data.is_empty() && unit.data.len() <= limits.audio_unit, "{}", unit.data.len());
                assert!(
                    unit.format.channels > 0 && unit.format.sample_rate > 0 && unit.format.clock_rate > 0
                );
            }
        });
    } else if let Some(mut reader) = DocumentReader::new(media, &limits) {
        ordered(how & 2 != 0, packets, &limits, &mut |packet| {
            if let Some((packet, received, lost)) = packet {
                reader.push(packet, received, lost);
            }
            while let Some(document) = reader.pull() {
                assert!(!document.data.is_empty() && document.data.len() <= limits.document);
            }
        });
    }
}

/// OBUs with their sizes, up to the last byte: AV1 §5.3.
fn obus(mut rest: &[u8]) {
    while let Some((&header, after)) = rest.split_first() {
        assert_eq!(header & 0x82, 2, "an OBU without its size: {header:#x}");
        rest = if header & 4 != 0 { &after[1..] } else { after };
        let (mut size, mut shift) = (0_usize, 0);
        loop {
            let (&byte, after) = rest.split_first().expect("the size of an OBU");
            rest = after;
            size |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            assert!(shift < 56, "a size without an end");
        }
        rest = rest.get(size..).expect("as many bytes as its size says");
    }
}
