//! A client that writes requests by hand and reads bytes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use md5::Digest as _;

/// What came on a connection, item by item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// Behind `$`, a channel and a length.
    Packet(u8, Vec<u8>),
    /// A head and a body.
    Answer(String, Vec<u8>),
    /// A byte that begins neither.
    Loose,
}

/// All that came until the connection was closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    pub(crate) chunks: Vec<Chunk>,
}

impl Wire {
    /// What came on a channel.
    pub(crate) fn on(&self, channel: u8) -> Vec<&[u8]> {
        let on = self.chunks.iter().filter_map(|chunk| match chunk {
            Chunk::Packet(c, bytes) if *c == channel => Some(&bytes[..]),
            _ => None,
        });
        on.collect()
    }

    /// RTP on channel 0.
    pub(crate) fn rtp(&self) -> Vec<Rtp<'_>> {
        self.on(0).into_iter().map(Rtp).collect()
    }

    /// Sender reports on channel 1: packet type 200.
    pub(crate) fn reports(&self) -> Vec<&[u8]> {
        self.on(1).into_iter().filter(|bytes| bytes[1] == 200).collect()
    }

    /// The head of the answer to the request with this number of the client's, counted from 1 by what came.
    pub(crate) fn answers(&self) -> Vec<&str> {
        let heads = self.chunks.iter().filter_map(|chunk| match chunk {
            Chunk::Answer(head, _) => Some(head.as_str()),
            _ => None,
        });
        heads.collect()
    }

    /// Chunks before the answer with this place.
    pub(crate) fn before_answer(&self, place: usize) -> &[Chunk] {
        let at = self.chunks.iter().enumerate().filter(|(_, c)| matches!(c, Chunk::Answer(..)));
        let (at, _) = at.into_iter().nth(place).expect("an answer");
        let start = self.chunks[..at].iter().rposition(|c| matches!(c, Chunk::Answer(..)));
        &self.chunks[start.map_or(0, |s| s + 1)..at]
    }
}

/// An RTP packet by RFC 3550 §5.1, without CSRC and extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rtp<'a>(pub(crate) &'a [u8]);

impl Rtp<'_> {
    pub(crate) fn marker(&self) -> bool {
        self.0[1] & 0x80 != 0
    }
    pub(crate) fn payload_type(&self) -> u8 {
        self.0[1] & 0x7f
    }
    pub(crate) fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.0[2], self.0[3]])
    }
    pub(crate) fn timestamp(&self) -> u32 {
        u32::from_be_bytes([self.0[4], self.0[5], self.0[6], self.0[7]])
    }
    pub(crate) fn ssrc(&self) -> u32 {
        u32::from_be_bytes([self.0[8], self.0[9], self.0[10], self.0[11]])
    }
    pub(crate) fn payload(&self) -> &[u8] {
        &self.0[12..]
    }
    /// The type in the first byte of an H.264 payload: a NAL unit's, 24 for STAP-A, 28 for FU-A.
    pub(crate) fn kind(&self) -> u8 {
        self.payload()[0] & 0x1f
    }
    /// The FU header, RFC 6184 §5.8: start, end, reserved, type.
    pub(crate) fn fragment(&self) -> Option<u8> {
        (self.kind() == 28).then(|| self.payload()[1])
    }
}

/// The address without scheme, host and port; and those two.
pub(crate) struct Client {
    pub(crate) url: String,
    stream: TcpStream,
    bytes: Vec<u8>,
    wire: Wire,
    cseq: u32,
    session: String,
    locked: bool,
    challenge: Option<String>,
}

pub(crate) const TCP: &str = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";

impl Client {
    pub(crate) fn new(url: &str, locked: bool) -> Self {
        let host = url.strip_prefix("rtsp://").unwrap().split('/').next().unwrap();
        let stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self {
            url: url.to_owned(),
            stream,
            bytes: Vec::new(),
            wire: Wire::default(),
            cseq: 0,
            session: String::new(),
            locked,
            challenge: None,
        }
    }

    /// Another connection to the same camera.
    pub(crate) fn again(&self) -> Self {
        Self::new(&self.url, self.locked)
    }

    /// What came so far, for whoever looks for a mistake.
    pub(crate) fn log(&self) -> Vec<String> {
        self.wire.answers().into_iter().map(str::to_owned).collect()
    }

    pub(crate) const fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Sends these bytes as they are.
    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// A request with the fields that every client sends; `fields` end in CRLF. Its answer: head and body. `None` where
    /// none comes within a second, or the connection is closed.
    pub(crate) fn ask(&mut self, method: &str, uri: &str, fields: &str) -> Option<(String, Vec<u8>)> {
        self.cseq += 1;
        let login = self.login(method, uri);
        let session =
            if self.session.is_empty() { String::new() } else { format!("Session: {}\r\n", self.session) };
        let cseq = self.cseq;
        self.send(&format!(
            "{method} {uri} RTSP/1.0\r\nCSeq: {cseq}\r\nUser-Agent: test\r\n{session}{login}{fields}\r\n"
        ));
        self.answer(Duration::from_millis(1_500))
    }

    /// The next answer.
    pub(crate) fn answer(&mut self, patience: Duration) -> Option<(String, Vec<u8>)> {
        let had = self.wire.answers().len();
        let end = Instant::now() + patience;
        while self.wire.answers().len() == had {
            if Instant::now() > end || !self.read() {
                return None;
            }
        }
        let answer = self.wire.chunks.iter().rev().find_map(|chunk| match chunk {
            Chunk::Answer(head, body) => Some((head.clone(), body.clone())),
            _ => None,
        });
        let (head, body) = answer.unwrap();
        if let Some(session) = field(&head, "Session").filter(|_| self.session.is_empty()) {
            self.session = session.split(';').next().unwrap().trim().to_owned();
        }
        if let Some(challenge) = field(&head, "WWW-Authenticate") {
            self.challenge = Some(challenge);
        }
        Some((head, body))
    }

    /// Reads for a moment; false at the end of the connection.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(n) => self.bytes.extend(&buffer[..n]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return true,
            Err(_) => return false,
        }
        while let Some((chunk, length)) = chunk(&self.bytes) {
            self.wire.chunks.push(chunk);
            self.bytes.drain(..length);
        }
        true
    }

    /// Reads until the connection is closed; false where it is not, in all this time.
    pub(crate) fn drain(&mut self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if !self.read() {
                return true;
            }
        }
        false
    }

    /// `Authorization`, once there was a challenge: RFC 7616 without qop, or RFC 2069.
    fn login(&self, method: &str, uri: &str) -> String {
        let Some(challenge) = self.challenge.as_ref().filter(|_| self.locked) else { return String::new() };
        let value = |key: &str| quoted(challenge, key).unwrap_or_default();
        let (realm, nonce) = (value("realm"), value("nonce"));
        let sha = challenge.contains("SHA-256");
        let hash =
            |text: String| if sha { hex(&sha2::Sha256::digest(text)) } else { hex(&md5::Md5::digest(text)) };
        let who = hash(format!("viewer:{realm}:right"));
        let what = hash(format!("{method}:{uri}"));
        let response = hash(format!("{who}:{nonce}:{what}"));
        let algorithm = if sha { ", algorithm=SHA-256" } else { "" };
        format!(
            "Authorization: Digest username=\"viewer\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\"{algorithm}\r\n"
        )
    }

    /// The description, as text.
    pub(crate) fn describe(&mut self) -> String {
        let uri = self.url.clone();
        let mut answer = self.ask("DESCRIBE", &uri, "Accept: application/sdp\r\n").unwrap();
        if self.locked && answer.0.contains(" 401 ") {
            answer = self.ask("DESCRIBE", &uri, "Accept: application/sdp\r\n").unwrap();
        }
        assert!(answer.0.starts_with("RTSP/1.0 200"), "{}", answer.0);
        String::from_utf8_lossy(&answer.1).into_owned()
    }

    /// OPTIONS, DESCRIBE, SETUP, PLAY.
    pub(crate) fn start(&mut self) {
        let uri = self.url.clone();
        self.ask("OPTIONS", &uri, "").unwrap();
        self.describe();
        let setup = self.ask("SETUP", &format!("{uri}/video"), TCP).unwrap();
        assert!(setup.0.starts_with("RTSP/1.0 200"), "{}", setup.0);
        let play = self.ask("PLAY", &uri, "Range: npt=now-\r\n").unwrap();
        assert!(play.0.starts_with("RTSP/1.0 200"), "{}", play.0);
    }

    /// A session, until the camera closes it.
    pub(crate) fn play(&mut self) -> Wire {
        self.start();
        assert!(self.drain(Duration::from_secs(20)), "the camera does not end");
        self.wire.clone()
    }

    /// Asks while playing; the answer's head.
    pub(crate) fn keep_alive(&mut self, method: &str) -> Option<String> {
        let uri = self.url.clone();
        self.ask(method, &uri, "").map(|(head, _)| head)
    }
}

/// The value of a field, blanks at its end and all.
pub(crate) fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
}

fn quoted(text: &str, key: &str) -> Option<String> {
    Some(text.split(&format!("{key}=\"")).nth(1)?.split('"').next()?.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first item, and its length; `None` while it is not whole.
fn chunk(bytes: &[u8]) -> Option<(Chunk, usize)> {
    match bytes {
        [b'$', channel, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            Some((Chunk::Packet(*channel, rest.get(..length)?.to_vec()), 4 + length))
        }
        [b'$', ..] | [] => None,
        [b'R', ..] => {
            let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
            let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
            let length = field(&text, "Content-Length").map_or(0, |n| n.trim().parse().unwrap());
            Some((Chunk::Answer(text, bytes.get(head..head + length)?.to_vec()), head + length))
        }
        _ => Some((Chunk::Loose, 1)),
    }
}
