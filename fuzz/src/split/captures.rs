//! Files of captures: packets (pcap, pcapng, RFC 4571, interleaved) and sessions of ours.

use std::fmt::Debug;

use vigie::depacket::capture::CaptureReader;
use vigie::limits::Limits;
use vigie::record::capture::Replay;
use vigie::rtp::capture::Capture;

/// The same packets, the same pictures, the same counts.
pub(crate) fn pcap_split(bytes: &[u8]) {
    super::split(bytes, |pieces| (packets(pieces), pictures(pieces)));
}

fn packets(pieces: &[&[u8]]) -> Vec<String> {
    let (mut capture, mut out) = (Capture::new(&Limits::default()), vec![]);
    let whole = pieces.iter().all(|piece| {
        capture.push(piece);
        drain(|| capture.pull(), &mut out)
    });
    if whole {
        capture.finish();
        drain(|| capture.pull(), &mut out);
    }
    assert!(matches!(capture.pull(), Ok(None)), "something after the end");
    out.push(format!("{:?}", capture.stats()));
    out
}

fn pictures(pieces: &[&[u8]]) -> Vec<String> {
    let (mut reader, mut out) = (CaptureReader::new(&Limits::default()), vec![]);
    let whole = pieces.iter().all(|piece| {
        reader.push(piece);
        drain(|| reader.pull(), &mut out)
    });
    if whole {
        reader.finish();
        drain(|| reader.pull(), &mut out);
    }
    out
}

/// The same calls of the machine, the same events, the same verdict.
pub(crate) fn capture_split(bytes: &[u8]) {
    super::split(bytes, |pieces| {
        let (mut replay, mut out) = (Replay::new(&Limits::default()), vec![]);
        let whole = pieces.iter().all(|piece| {
            replay.push(piece);
            drain(|| replay.pull(), &mut out)
        });
        if whole {
            replay.finish();
            drain(|| replay.pull(), &mut out);
            out.push(format!("{:?}", replay.summary()));
        }
        out
    });
}

/// All that is there. False at an error, which ends a capture.
fn drain<T: Debug, E: Debug>(mut pull: impl FnMut() -> Result<Option<T>, E>, out: &mut Vec<String>) -> bool {
    loop {
        match pull() {
            Ok(Some(item)) => out.push(format!("{item:?}")),
            Ok(None) => return true,
            Err(error) => {
                out.push(format!("{error:?}"));
                return false;
            }
        }
    }
}
