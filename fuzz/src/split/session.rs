//! RTSP and RTP from a camera's connection: the session alone, and with all behind it up to access units.

use vigie::fault::Policy;
use vigie::limits::Limits;
use vigie::record::{Ingest, IngestOutput};
use vigie::rtsp::{Credentials, Url};
use vigie::session::{Config, Lower, Output, Phase, Session, Wanted};
use vigie::time::Micros;

use crate::wire;

/// What is asked for, by the bits of a byte.
pub(crate) fn config(options: u8) -> Config {
    let is = |bit: u8| options & bit != 0;
    let (url, _) = Url::parse("rtsp://cam/live").expect("an address");
    let mut limits = Limits::default();
    if is(1) {
        limits.policy = Policy::Strict;
    }
    let credentials = is(2).then(|| Credentials::new("admin", "secret"));
    let transports = if is(4) { vec![Lower::Udp, Lower::Tcp] } else { vec![Lower::Tcp] };
    let wanted = Wanted::default().audio(is(8)).metadata(is(8));
    Config::new(url, [3; 32]).limits(limits).credentials(credentials).transports(transports).wanted(wanted)
}

/// What a camera sends, from its first answer on; the first byte is what is asked for.
pub(crate) fn session_split(bytes: &[u8]) {
    let Some((&options, bytes)) = bytes.split_first() else { return };
    super::split(bytes, |pieces| {
        let mut session = Session::new(config(options), Micros(0));
        let mut out = vec![];
        drain(&mut session, &mut out);
        for mut piece in pieces.iter().copied() {
            while !piece.is_empty() {
                let taken = session.handle_input(Micros(1), piece);
                piece = &piece[taken..];
                drain(&mut session, &mut out);
                if session.phase() == Phase::Closed {
                    return out;
                }
                assert!(taken > 0, "the buffer is full and gives nothing");
            }
        }
        session.handle_closed(Micros(2));
        drain(&mut session, &mut out);
        assert_eq!(session.phase(), Phase::Closed, "closed by the peer");
        out
    });
}

fn drain(session: &mut Session, out: &mut Vec<String>) {
    while let Some(output) = session.poll_output() {
        let line = format!("{output:?}");
        // One hole may be told in several parts.
        if !(matches!(output, Output::Cut { .. }) && out.last() == Some(&line)) {
            out.push(line);
        }
    }
}

/// What a camera sends once it plays; the first byte is which camera it is.
pub(crate) fn ingest_split(bytes: &[u8]) {
    let Some((&camera, bytes)) = bytes.split_first() else { return };
    super::split(bytes, |pieces| {
        let mut ingest = Ingest::new(config(8 | camera >> 7), Micros(0));
        let mut out = vec![];
        let answers = wire::answers(camera.into());
        for (piece, played) in [(&answers[..], false)].into_iter().chain(pieces.iter().map(|p| (*p, true))) {
            let mut piece = piece;
            while !piece.is_empty() {
                let taken = ingest.handle_input(Micros(1), piece);
                piece = &piece[taken..];
                if !pull(&mut ingest, &mut out) {
                    return out;
                }
                assert!(taken > 0, "the buffer is full and gives nothing");
            }
            assert!(played || ingest.session().phase() == Phase::Playing, "{out:?}");
        }
        ingest.handle_closed(Micros(2));
        assert!(!pull(&mut ingest, &mut out), "closed by the peer");
        out.push(format!("{:?}", ingest.stats().reorder));
        out
    });
}

/// False at the end.
fn pull(ingest: &mut Ingest, out: &mut Vec<String>) -> bool {
    while let Some(output) = ingest.poll_output() {
        out.push(format!("{output:?}"));
        if matches!(output, IngestOutput::Close) {
            return false;
        }
    }
    true
}
