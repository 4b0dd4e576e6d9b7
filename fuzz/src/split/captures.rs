//! Files of captures: packets (pcap, pcapng, RFC 4571, interleaved) and sessions of ours.

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
    let drain = |capture: &mut Capture, out: &mut Vec<String>| loop {
        match capture.pull() {
            Ok(Some(item)) => out.push(format!("{item:?}")),
            Ok(None) => return true,
            Err(error) => {
                out.push(format!("{error:?}"));
                return false;
            }
        }
    };
    let whole = pieces.iter().all(|piece| {
        capture.push(piece);
        drain(&mut capture, &mut out)
    });
    if whole {
        capture.finish();
        drain(&mut capture, &mut out);
    }
    assert!(matches!(capture.pull(), Ok(None)), "something after the end");
    out.push(format!("{:?}", capture.stats()));
    out
}

fn pictures(pieces: &[&[u8]]) -> Vec<String> {
    let (mut reader, mut out) = (CaptureReader::new(&Limits::default()), vec![]);
    let drain = |reader: &mut CaptureReader, out: &mut Vec<String>| loop {
        match reader.pull() {
            Ok(Some(found)) => out.push(format!("{found:?}")),
            Ok(None) => return true,
            Err(error) => {
                out.push(format!("{error:?}"));
                return false;
            }
        }
    };
    let whole = pieces.iter().all(|piece| {
        reader.push(piece);
        drain(&mut reader, &mut out)
    });
    if whole {
        reader.finish();
        drain(&mut reader, &mut out);
    }
    out
}

/// The same calls of the machine, the same events, the same verdict.
pub(crate) fn capture_split(bytes: &[u8]) {
    super::split(bytes, |pieces| {
        let (mut replay, mut out) = (Replay::new(&Limits::default()), vec![]);
        let drain = |replay: &mut Replay, out: &mut Vec<String>| loop {
            match replay.pull() {
                Ok(Some(news)) => out.push(format!("{news:?}")),
                Ok(None) => return true,
                Err(error) => {
                    out.push(format!("{error:?}"));
                    return false;
                }
            }
        };
        let whole = pieces.iter().all(|piece| {
            replay.push(piece);
            drain(&mut replay, &mut out)
        });
        if whole {
            replay.finish();
            drain(&mut replay, &mut out);
            out.push(format!("{:?}", replay.summary()));
        }
        out
    });
}
