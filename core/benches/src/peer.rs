//! retina's depacketizer, driven as its own benches do: header, order, timestamps, access units; no fragments.
//!
//! Its client reads from the socket into the ring buffer that [`DepacketizeBuf`] stands for, so filling it counts as
//! one copy that ours does not do here. That copy is a plain `memcpy` per packet, and is told apart in the README.

use retina::client::rtp::InorderParser;
use retina::client::{SessionOptions, Timeline, UnknownRtcpSsrcPolicy};
use retina::codec::{CodecItem, Depacketizer, FrameFormat};
use retina::testutil::DepacketizeBuf;
use retina::{ConnectionContext, PacketContext, StreamContext};

use crate::{Clip, Output};
use vigie::h26x::Codec;

/// The whole clip to frames in the form that MP4 wants.
///
/// # Panics
///
/// If retina refuses the clip.
#[must_use]
pub fn depacketize(clip: &Clip) -> Output {
    let encoding = match clip.codec {
        Codec::H264 => "h264",
        Codec::H265 => "h265",
    };
    let mut timeline = Timeline::new(None, 90_000, None).expect("a clock rate");
    let mut order = InorderParser::new(None, None, UnknownRtcpSsrcPolicy::Default);
    let mut depacketizer =
        Depacketizer::new("video", encoding, 90_000, None, None).expect("a codec that it knows");
    depacketizer.set_frame_format(FrameFormat::MP4);
    let mut ring = DepacketizeBuf::new(65_536);
    let options = SessionOptions::default();
    let (connection, stream, context) =
        (ConnectionContext::dummy(), StreamContext::dummy(), PacketContext::dummy());
    let mut output = Output::default();
    for packet in clip.packets() {
        let (header, range) = retina::rtp::PacketHeader::validate(packet).expect("an RTP packet");
        let meta = order
            .rtp(&options, &stream, None, &connection, &context, &mut timeline, 0, &header)
            .expect("a packet in order")
            .expect("a packet of the stream");
        let payload = &packet[usize::from(range.start)..usize::from(range.end)];
        ring.push(&mut depacketizer, meta, payload).expect("a payload that it reads");
        while let Some(item) = depacketizer.pull() {
            if let CodecItem::VideoFrame(frame) = std::hint::black_box(item).expect("a frame") {
                output.pictures += 1;
                output.bytes += frame.data().len();
            }
        }
    }
    output
}
