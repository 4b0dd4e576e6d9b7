//! Split = whole: however bytes are cut into reads, the same comes out of them.

mod captures;
mod elementary;
mod framing;
mod server;
mod session;

pub(crate) use captures::{capture_split, pcap_split};
pub(crate) use elementary::elementary_split;
pub(crate) use framing::framing_split;
pub(crate) use server::{requests, server_split};
pub(crate) use session::{config, ingest_split, session_split};

/// Gives the bytes to `run` whole and cut, and compares what it says.
///
/// The first byte is the number of cuts (below 16), that many pairs of bytes are their distances; with its highest bit set
/// the distances, of the low byte alone, come round again and again.
fn split<T: PartialEq + std::fmt::Debug>(bytes: &[u8], run: impl Fn(&[&[u8]]) -> T) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let (cuts, again) = (usize::from(first % 16), first & 0x80 != 0);
    let Some((distances, stream)) = rest.split_at_checked(cuts * 2) else { return };
    let distances: Vec<usize> = distances
        .chunks(2)
        .map(|d| if again { usize::from(d[1]).max(1) } else { usize::from(d[0]) << 8 | usize::from(d[1]) })
        .collect();
    let (mut pieces, mut left, mut at) = (vec![], stream, 0);
    while !left.is_empty() {
        let distance = match distances.get(at) {
            Some(distance) => *distance,
            None => left.len(),
        };
        at = if again && at + 1 == cuts { 0 } else { at + 1 };
        let (piece, after) = left.split_at(distance.min(left.len()));
        pieces.push(piece);
        left = after;
    }
    assert_eq!(run(&pieces), run(&[stream]));
}
