//! Header fields with a structure, and session descriptions.

use bytes::Bytes;
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::rtsp::auth::Challenge;
use vigie::rtsp::headers::{Frames, Range, RtpInfo, SessionId, Transport};
use vigie::sdp::{Description, Presentation};

use crate::tape::Tape;

/// `Transport`, `Range`, `RTP-Info`, `Session`, `Frames`, `WWW-Authenticate`: what was read and is free of what separates
/// (which no field can quote) is written so that it reads the same.
pub(crate) fn headers_round_trip(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for transport in Transport::parse_all(&text) {
        let words = [
            Some(&transport.protocol),
            transport.destination.as_ref(),
            transport.source.as_ref(),
            transport.mode.as_ref(),
        ];
        // Without a protocol there is nothing to agree on.
        if words.into_iter().flatten().all(|word| is_plain(word)) && transport.protocol.contains('/') {
            assert_eq!(Transport::parse(&transport.to_string()), transport);
        }
    }
    if let Some(range) = Range::parse(&text) {
        assert_eq!(Range::parse(&range.to_string()), Some(range));
    }
    for info in RtpInfo::parse_all(&text).into_iter().filter(|info| is_plain(&info.url)) {
        // `ssrc` is read, since Reolink says it there, and not written.
        assert_eq!(RtpInfo::parse_all(&info.to_string()), [RtpInfo { ssrc: None, ..info }]);
    }
    if let Some(session) = SessionId::parse(&text) {
        assert_eq!(SessionId::parse(&session.to_string()), Some(session));
    }
    if let Some(frames) = Frames::parse(&text) {
        assert_eq!(Frames::parse(&frames.to_string()), Some(frames));
    }
    let plain = |text: &str| !text.contains(['"', '\\']);
    for challenge in Challenge::parse_all([&*text].into_iter()) {
        let is_plain = match &challenge {
            Challenge::Digest(digest) => {
                plain(&digest.realm) && plain(&digest.nonce) && digest.opaque.as_deref().is_none_or(plain)
            }
            Challenge::Basic { realm } => plain(realm),
            _ => false,
        };
        if is_plain {
            assert_eq!(Challenge::parse_all([&*challenge.to_string()].into_iter()), [challenge]);
        }
    }
}

fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_graphic() && !matches!(c, ';' | ',' | '"' | '\\' | '='))
}

/// What our server describes is what a client reads of it.
pub(crate) fn sdp_round_trip(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let mut description = Description::live(&tape.text());
    let mut wanted = vec![];
    for _ in 0..tape.u8() % 4 {
        let codec = tape.one(&[Codec::H264, Codec::H265]);
        let payload_type = 96 + tape.u8() % 32;
        let sets: Vec<Bytes> = (0..tape.u8() % 4).map(|n| set(codec, n, tape.take(20))).collect();
        description = description.with_video(codec, payload_type, &sets);
        wanted.push((Some(codec), payload_type, sets));
    }
    if wanted.is_empty() {
        return;
    }
    let text = description.to_string();
    let read = Presentation::parse(text.clone(), &Limits::default()).expect("our own description");
    let of = |media: &vigie::sdp::Media| (media.codec, media.payload_type, media.parameter_sets.clone());
    assert_eq!(read.media.iter().map(of).collect::<Vec<_>>(), wanted, "{text}");
    assert_eq!(read.range.as_deref(), Some("npt=now-"));
}

/// Bytes as the `n`th parameter set, in the order in which they are written.
fn set(codec: Codec, n: u8, bytes: &[u8]) -> Bytes {
    let header: &[u8] = match (codec, n) {
        (Codec::H264, 0) => &[0x67],
        (Codec::H264, _) => &[0x68],
        (_, 0) => &[64, 1],
        (_, 1) => &[66, 1],
        _ => &[68, 1],
    };
    // Not what a reader takes for a start code or for zeros behind it, and not too short to be one.
    let body = bytes.iter().map(|b| b | 1).chain([0x80; 4]);
    header.iter().copied().chain(body).collect()
}
