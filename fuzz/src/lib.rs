//! The properties that the fuzz targets try to break, each a function of bytes that panics where it does not hold.
//!
//! `cargo test` in this folder replays `corpus/` and `regressions/` through them without a fuzzer.

mod h26x;
mod sdp;

use vigie::depacket::{AccessUnit, Depacketizer};
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::reorder::Reorder;
use vigie::rtsp::framing::{Channels, Expected, Input, Item};
use vigie::time::Micros;

pub use h26x::{parameter_sets, slices};
pub use sdp::sdp;

/// RTSP framing: however a connection's bytes are cut into reads, the same items come out.
///
/// The first byte is the number of cuts, that many pairs of bytes are their distances, the rest is the connection.
pub fn framing_split(bytes: &[u8]) {
    let Some((&cuts, rest)) = bytes.split_first() else { return };
    let cuts = usize::from(cuts % 16);
    if rest.len() < cuts * 2 {
        return;
    }
    let (distances, stream) = rest.split_at(cuts * 2);
    let distances = distances.chunks(2).map(|d| usize::from(d[0]) << 8 | usize::from(d[1]));
    assert_eq!(items(stream, distances), items(stream, [].into_iter()));
}

/// What an input gives, packets by their bytes, neighbouring skips taken together.
fn items(mut stream: &[u8], mut distances: impl Iterator<Item = usize>) -> Vec<String> {
    let limits = Limits::default();
    let mut input = Input::new(&limits);
    let expected =
        Expected { channels: vec![Channels { rtp: 0, rtcp: 1, payload_type: None }], ..Expected::default() };
    let (mut out, mut skipped) = (vec![], 0);
    loop {
        let take = distances.next().unwrap_or(stream.len()).min(stream.len());
        let mut now;
        (now, stream) = stream.split_at(take);
        loop {
            let taken = input.copy(now);
            now = &now[taken..];
            loop {
                match input.next(&expected) {
                    Ok(Some(Item::Skipped { bytes, .. })) => skipped += bytes,
                    Ok(Some(item)) => {
                        if skipped > 0 {
                            out.push(format!("skipped {skipped}"));
                            skipped = 0;
                        }
                        out.push(match item {
                            Item::Interleaved { channel, range } => {
                                format!("{channel} {:?}", input.bytes(range))
                            }
                            other => format!("{other:?}"),
                        });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        out.push(format!("{error}"));
                        return out;
                    }
                }
            }
            if now.is_empty() {
                break;
            }
            assert!(taken > 0, "the buffer is full and gives nothing");
        }
        if stream.is_empty() {
            return out;
        }
    }
}

/// RTP payloads: whatever comes in, what comes out is an access unit: NAL units behind their lengths, none beyond its cap.
///
/// The first bit says which codec; then packets, each behind its length in 2 bytes.
pub fn depacket(bytes: &[u8]) {
    let Some((&first, mut rest)) = bytes.split_first() else { return };
    let codec = if first & 1 == 0 { Codec::H264 } else { Codec::H265 };
    let limits = Limits::default();
    let mut reorder = Reorder::in_order();
    let mut depacketizer = Depacketizer::new(codec, &limits);
    let mut now = 0;
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let take = usize::from(u16::from_be_bytes(*len)).min(after.len());
        let (packet, after) = after.split_at(take);
        rest = after;
        now += 1_000;
        if let Some(ordered) = reorder.push(packet, Micros(now)) {
            depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        }
        while let Some(unit) = depacketizer.pull() {
            check(&unit, &limits);
        }
    }
    depacketizer.finish();
    while let Some(unit) = depacketizer.pull() {
        check(&unit, &limits);
    }
}

/// Is it an access unit?
fn check(unit: &AccessUnit, limits: &Limits) {
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// A target's name and its property.
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: &[Target] = &[
        ("framing_split", super::framing_split),
        ("depacket", super::depacket),
        ("parameter_sets", super::parameter_sets),
        ("slices", super::slices),
        ("sdp", super::sdp),
    ];

    #[test]
    fn corpus_and_regressions_hold() {
        for (name, property) in TARGETS {
            let mut count = 0;
            for folder in ["corpus", "regressions"] {
                let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
                for entry in fs::read_dir(dir).into_iter().flatten() {
                    property(&fs::read(entry.expect("readable").path()).expect("readable"));
                    count += 1;
                }
            }
            assert!(count > 0, "{name} has no corpus");
        }
    }
}
