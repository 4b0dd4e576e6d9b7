//! Delta debugging (Zeller and Hildebrandt): what is not needed for a finding goes, packets first, then bytes.

use std::cell::Cell;

use vigie::codec::Codec;

use super::script::{Script, Sent};

/// Runs that one finding may take.
const RUNS: u32 = 1_500;
/// The smallest piece of a packet that is tried to be left out.
const LEAST: usize = 1;

/// The smallest session that was found of which `still` is true, as it is of `script`.
pub(super) fn minimise(script: Script, still: &mut dyn FnMut(&Script) -> bool) -> Script {
    let mut best = script;
    let left = Cell::new(RUNS);
    let mut check = |candidate: &Script| {
        left.set(left.get().saturating_sub(1));
        still(candidate)
    };
    // Without gaps in the numbers, if it can be: else what is left out counts as lost, and more has to stay. And each NAL unit
    // of an aggregation packet in a packet of its own, if it can be: else its size has to stay.
    let mut number = false;
    for packets in [numbered(&best.packets), numbered(&apart(best.codec, &best.packets))] {
        let simpler = Script { packets, ..best.clone() };
        if check(&simpler) {
            (best, number) = (simpler, true);
        }
    }
    let made = |packets: &[Sent]| if number { numbered(packets) } else { packets.to_vec() };
    loop {
        let before = best.packets.len();
        let packets = best.packets.clone();
        let fewer = fewer(packets, &mut |packets| {
            // Once the runs are used up nothing is copied any more.
            left.get() > 0 && check(&Script { packets: made(packets), ..best.clone() })
        });
        best.packets = made(&fewer);
        if best.packets.len() == before {
            break;
        }
    }
    for at in 0..best.packets.len() {
        if left.get() == 0 {
            break;
        }
        let bytes = best.packets[at].bytes.clone();
        let rtcp = best.packets[at].rtcp;
        let shorter = fewer_bytes(bytes, &mut |bytes| {
            if left.get() == 0 {
                return false;
            }
            let mut candidate = best.clone();
            candidate.packets[at] = Sent { rtcp, bytes: bytes.to_vec() };
            check(&candidate)
        });
        best.packets[at].bytes = shorter;
    }
    best
}

/// The same packets, their sequence numbers one after the other.
fn numbered(packets: &[Sent]) -> Vec<Sent> {
    let mut packets = packets.to_vec();
    let fields = packets.iter_mut().filter(|sent| !sent.rtcp).filter_map(|sent| sent.bytes.get_mut(2..4));
    for (number, field) in (1_u16..=u16::MAX).cycle().zip(fields) {
        field.copy_from_slice(&number.to_be_bytes());
    }
    packets
}

/// The units of aggregation packets (STAP-A, RFC 6184 §5.7.1; AP, RFC 7798 §4.4.2), each in a packet of its own.
fn apart(codec: Codec, packets: &[Sent]) -> Vec<Sent> {
    let (header, aggregation) = if codec == Codec::H264 { (1, 24) } else { (2, 48) };
    let mut all = Vec::new();
    for sent in packets {
        let first = sent.bytes.get(12).copied().unwrap_or(0);
        let kind = if codec == Codec::H264 { first & 0x1f } else { first >> 1 & 0x3f };
        if sent.rtcp || kind != aggregation {
            all.push(sent.clone());
            continue;
        }
        let head = sent.bytes.get(..12).unwrap_or_default();
        let mut rest = sent.bytes.get(12 + header..).unwrap_or_default();
        while let Some((size, after)) = rest.split_first_chunk::<2>() {
            let Some((unit, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*size))) else {
                break;
            };
            let mut bytes = [head, unit].concat();
            // The marker belongs to the last of them.
            if let Some(second) = bytes.get_mut(1).filter(|_| !after.is_empty()) {
                *second &= 0x7f;
            }
            all.push(Sent { rtcp: false, bytes });
            rest = after;
        }
    }
    all
}

/// Elements that are needed: pieces are left out, halves first, then smaller ones.
fn fewer<T: Clone>(mut all: Vec<T>, still: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    let mut piece = all.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < all.len() {
            let end = (at + piece).min(all.len());
            let without: Vec<T> = all[..at].iter().chain(&all[end..]).cloned().collect();
            if still(&without) {
                all = without;
            } else {
                at = end;
            }
        }
        piece /= 2;
    }
    all
}

/// The same of bytes behind the RTP header.
fn fewer_bytes(bytes: Vec<u8>, still: &mut dyn FnMut(&[u8]) -> bool) -> Vec<u8> {
    let header = bytes.get(..12.min(bytes.len())).unwrap_or_default().to_vec();
    let mut body = bytes.get(12..).unwrap_or_default().to_vec();
    let mut piece = body.len().div_ceil(2);
    while piece >= LEAST {
        let mut at = 0;
        while at < body.len() {
            let end = (at + piece).min(body.len());
            let without = [&body[..at], &body[end..]].concat();
            if still(&[&header[..], &without].concat()) {
                body = without;
            } else {
                at = end;
            }
        }
        piece /= 2;
    }
    [header, body].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_needed_stays_and_nothing_else() {
        let packets = (0..40_u8).map(|n| Sent { rtcp: false, bytes: vec![n; 60] }).collect();
        let script = Script { codec: Codec::H264, answers: vec![b"x".to_vec()], packets };
        let mut still = |script: &Script| {
            let has = |n: u8| {
                script.packets.iter().any(|sent| sent.bytes.get(12..).is_some_and(|body| body.contains(&n)))
            };
            has(7) && has(31)
        };
        let least = minimise(script, &mut still);
        assert_eq!(least.packets.len(), 2);
        assert!(least.packets.iter().all(|sent| sent.bytes.len() == 13), "{least:?}");
    }
}
