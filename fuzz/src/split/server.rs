//! What a client sends to our server.

use bytes::Bytes;
use vigie::rtsp::auth::Scheme;
use vigie::rtsp::headers::RtpInfo;
use vigie::rtsp::{Credentials, Message, Status};
use vigie::server::{Config, Connection, Event, Guard, Output};
use vigie::session::{Output as Asked, Session};
use vigie::time::Micros;

use crate::wire;

/// Does not stand in an address or in a description.
const PASSWORD: &str = "Wm9v-secret";

/// What is served, by the bits of a byte; the rest of it is the description.
fn config(options: u8) -> Config {
    let is = |bit: u8| options & bit != 0;
    let guard = is(1).then(|| {
        let schemes = if is(2) { &[Scheme::Basic][..] } else { &Guard::new(credentials()).schemes };
        Guard::new(credentials()).schemes(schemes)
    });
    Config::new([7; 32]).guard(guard).udp(is(4)).multicast(is(4)).replay(is(8))
}

fn credentials() -> Credentials {
    Credentials::new("viewer", PASSWORD)
}

/// One answer to each request, each a response that is read, no password in what is told, and split = whole. The first byte
/// is what is served.
pub(crate) fn server_split(bytes: &[u8]) {
    let Some((&options, bytes)) = bytes.split_first() else { return };
    super::split(bytes, |pieces| {
        let mut server = Connection::new(config(options), Micros(0));
        let mut heard = Heard::default();
        for mut piece in pieces.iter().copied() {
            while !piece.is_empty() && !heard.closed {
                let taken = server.handle_input(Micros(1), piece);
                piece = &piece[taken..];
                heard.drain(&mut server, options);
                assert!(taken > 0 || heard.closed, "the buffer is full and gives nothing");
            }
        }
        server.handle_closed(Micros(2));
        heard.drain(&mut server, options);
        assert!(heard.closed, "closed by the peer");
        // The last may be the end of what is no RTSP.
        let surplus = heard.responses.len() as u64 - server.stats().requests;
        assert!(surplus <= 1, "{heard:?}");
        assert!(!format!("{heard:?}").contains(PASSWORD));
        // Media that waited is dropped with a session: how much, depends on the cuts.
        (heard.events, heard.responses)
    });
}

#[derive(Debug, Default)]
struct Heard {
    events: Vec<String>,
    responses: Vec<Bytes>,
    closed: bool,
}

impl Heard {
    /// Answers what is asked; addresses with a `~` are refused.
    fn drain(&mut self, server: &mut Connection, options: u8) {
        while let Some(output) = server.poll_output() {
            let event = match output {
                Output::Send(bytes) if bytes.starts_with(b"$") => continue,
                Output::Send(bytes) => {
                    let end =
                        bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("the end of the headers");
                    let read = Message::parse(&bytes[..end + 4], bytes.slice(end + 4..));
                    assert!(matches!(read, Ok(Message::Response(_))), "{bytes:?}");
                    self.responses.push(bytes);
                    continue;
                }
                Output::Close => {
                    self.closed = true;
                    return;
                }
                Output::Event(event) => event,
                _ => continue,
            };
            self.events.push(format!("{event:?}"));
            answer(server, event, options);
        }
    }
}

fn answer(server: &mut Connection, event: Event, options: u8) {
    let done = match event {
        Event::Describe { request, url, .. } if url.path_and_query().contains('~') => {
            server.refuse(request, Status::NOT_FOUND)
        }
        Event::Describe { request, .. } => {
            let sdp = wire::DESCRIPTIONS[usize::from(options >> 4) % wire::DESCRIPTIONS.len()];
            server.describe(request, sdp)
        }
        Event::Bind { request, client_ports: Some(_), .. } => server.accept_udp(request, (6_000, 6_001)),
        Event::Bind { request, .. } => {
            server.accept_multicast(request, [239, 1, 1, 1].into(), (6_002, 6_003), 4)
        }
        Event::Play { request, range, .. } => {
            let played = server.accept_play(request, range, &[RtpInfo::default()]);
            played.and_then(|()| server.send(Bytes::from_static(b"$\0\0\x01x")))
        }
        Event::Failed(_) => return,
        _ => Ok(()),
    };
    assert_eq!(done, Ok(()), "a request that waits");
}

/// What our client sends to it, until media flow and are torn down.
pub(crate) fn requests(options: u8) -> Vec<u8> {
    let mut server = Connection::new(config(options), Micros(0));
    let client = super::config(0).credentials(Some(credentials()));
    let mut client = Session::new(client, Micros(0));
    let (mut sent, mut heard) = (vec![], Heard::default());
    for round in 0..20 {
        let mut now = vec![];
        while let Some(output) = client.poll_output() {
            if let Asked::Send(bytes) = output {
                now.extend_from_slice(&bytes);
            }
        }
        assert_eq!(server.handle_input(Micros(round), &now), now.len());
        sent.extend(now);
        let known = heard.responses.len();
        heard.drain(&mut server, options);
        for response in &heard.responses[known..] {
            assert_eq!(client.handle_input(Micros(round), response), response.len());
        }
        if server.is_playing() {
            client.teardown(Micros(round));
        }
    }
    sent
}
