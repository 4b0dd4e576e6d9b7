//! What a camera says that is asked by our client, for targets that begin behind it.

/// Some cameras' descriptions.
pub(crate) const DESCRIPTIONS: [&str; 5] = [
    "v=0\r\ns=x\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n",
    "v=0\r\ns=x\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=control:track1\r\n\
     m=audio 0 RTP/AVP 0\r\na=control:track2\r\n",
    "v=0\r\ns=x\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\nm=audio 0 RTP/AVP 97\r\n\
     a=rtpmap:97 mpeg4-generic/16000\r\na=fmtp:97 mode=AAC-hbr;config=1408;sizelength=13;indexlength=3;indexdeltalength=3\r\n\
     a=control:track2\r\n",
    "v=0\r\ns=x\r\nm=video 0 RTP/AVP 45\r\na=rtpmap:45 AV1/90000\r\na=control:track1\r\n\
     m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track2\r\n",
    "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=2;sprop-interleaving-depth=4\r\n\
     a=control:track1\r\n",
];

/// An answer.
pub(crate) fn reply(cseq: usize, fields: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{fields}{length}\r\n{body}").into_bytes()
}

/// All answers until media flow over the connection: the medium on channels 0 and 1, a second on 2 and 3.
pub(crate) fn answers(description: usize) -> Vec<u8> {
    let sdp = DESCRIPTIONS[description % DESCRIPTIONS.len()];
    let media = sdp.matches("m=").count();
    let mut out = reply(1, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER\r\n", "");
    out.extend(reply(2, "Content-Type: application/sdp\r\nContent-Base: rtsp://cam/live/\r\n", sdp));
    for n in 0..media {
        let transport = format!(
            "Session: 12;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved={}-{}\r\n",
            2 * n,
            2 * n + 1
        );
        out.extend(reply(3 + n, &transport, ""));
    }
    out.extend(reply(3 + media, "Session: 12\r\nRange: clock=20261122T051400Z-\r\n", ""));
    out
}
