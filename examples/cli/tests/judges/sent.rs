//! A wire tap between `vigie` and a camera: what the server sent, counted without any code of ours.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Passes one connection on, and keeps what the server said.
pub(crate) struct Tap {
    /// The address to use instead of the server's.
    pub(crate) url: String,
    said: Arc<Mutex<Said>>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Said {
    bytes: Vec<u8>,
    /// How many bytes the server had sent when the client said TEARDOWN.
    at_teardown: Option<usize>,
    connections: usize,
}

/// A picture as it went over the wire: the RTP packets of one timestamp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// With a random access picture in it.
    pub(crate) key: bool,
    /// The marker was seen: its last packet was sent.
    pub(crate) whole: bool,
    /// Its last byte was sent before the client said TEARDOWN.
    pub(crate) asked_for: bool,
    timestamp: u32,
}

impl Tap {
    /// In front of `rtsp://HOST:PORT/…`.
    pub(crate) fn before(url: &str) -> Self {
        let rest = url.strip_prefix("rtsp://").expect("an RTSP address");
        let (host, path) = rest.split_once('/').expect("a path");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let said = Arc::new(Mutex::new(Said::default()));
        let (host, shared) = (host.to_owned(), Arc::clone(&said));
        let thread = std::thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            shared.lock().unwrap().connections += 1;
            relay(client, TcpStream::connect(host).unwrap(), &shared);
        });
        Self { url: format!("rtsp://{address}/{path}"), said, thread }
    }

    /// The pictures sent, once the connection is over.
    pub(crate) fn pictures(self, h265: bool) -> Vec<Sent> {
        self.thread.join().unwrap();
        let said = self.said.lock().unwrap();
        let end = said.at_teardown.expect("the client said TEARDOWN");
        let mut pictures: Vec<Sent> = Vec::new();
        let mut expected = None;
        for (at, packet) in
            interleaved(&said.bytes).into_iter().filter(|(_, p)| p[1] == 0).map(|(n, p)| (n, &p[4..]))
        {
            let number = |range: std::ops::Range<usize>| {
                packet[range].iter().fold(0_u32, |n, b| n << 8 | u32::from(*b))
            };
            let sequence = number(2..4) as u16;
            assert!(expected.is_none_or(|e| e == sequence), "the server left out a packet");
            expected = Some(sequence.wrapping_add(1));
            assert_eq!(packet[0], 0x80, "RTP without extension, padding or sources");
            let timestamp = number(4..8);
            if pictures.last().is_none_or(|p| p.timestamp != timestamp) {
                pictures.push(Sent { key: false, whole: false, asked_for: true, timestamp });
            }
            let picture = pictures.last_mut().unwrap();
            picture.key |= has_key(&packet[12..], h265);
            picture.whole |= packet[1] & 0x80 != 0;
            picture.asked_for &= at <= end;
        }
        pictures
    }
}

fn relay(client: TcpStream, server: TcpStream, said: &Mutex<Said>) {
    let (mut up_in, mut up_out) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(n @ 1..) = up_in.read(&mut buffer) {
                if buffer[..n].starts_with(b"TEARDOWN") {
                    let mut said = said.lock().unwrap();
                    said.at_teardown = Some(said.bytes.len());
                }
                if up_out.write_all(&buffer[..n]).is_err() {
                    break;
                }
            }
            let _ = up_out.shutdown(Shutdown::Both);
        });
        let (mut down_in, mut down_out) = (server, client);
        let mut buffer = [0; 65_536];
        while let Ok(n @ 1..) = down_in.read(&mut buffer) {
            said.lock().unwrap().bytes.extend_from_slice(&buffer[..n]);
            if down_out.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = down_out.shutdown(Shutdown::Both);
    });
}

/// The interleaved frames (RFC 2326, 10.12), each with the byte behind it; the responses between them are stepped over.
fn interleaved(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut frames, mut at) = (Vec::new(), 0);
    while at + 4 <= bytes.len() {
        if bytes[at] == b'$' {
            let end = at + 4 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            let Some(frame) = bytes.get(at..end) else { break };
            frames.push((end, frame));
            at = end;
        } else {
            assert!(bytes[at..].starts_with(b"RTSP/1.0"), "neither a response nor a frame");
            let head =
                bytes[at..].windows(4).position(|w| w == b"\r\n\r\n").expect("the end of a response") + 4;
            let text = String::from_utf8_lossy(&bytes[at..at + head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|l| l.strip_prefix("content-length:"))
                .map_or(0, |l| l.trim().parse().unwrap());
            at += head + length;
        }
    }
    frames
}

/// Is there a slice of a random access picture in this RTP payload (RFC 6184, RFC 7798)?
fn has_key(payload: &[u8], h265: bool) -> bool {
    let kind = |nal: &[u8]| if h265 { nal[0] >> 1 & 63 } else { nal[0] & 31 };
    let key = |kind: u8| if h265 { (16..=21).contains(&kind) } else { kind == 5 };
    let (aggregate, fragment, header) = if h265 { (48, 49, 2) } else { (24, 28, 1) };
    match kind(payload) {
        k if k == aggregate => {
            let (mut rest, mut found) = (&payload[header..], false);
            while let [high, low, nal @ ..] = rest {
                found |= key(kind(nal));
                rest = &nal[usize::from(u16::from_be_bytes([*high, *low]))..];
            }
            found
        }
        k if k == fragment => key(payload[header] & if h265 { 63 } else { 31 }),
        k => key(k),
    }
}
