//! RTSP in a WebSocket (RFC 6455; ONVIF Streaming Specification, "RTSP over WebSocket").
//!
//! A message may hold part of an RTSP message or several: its boundaries mean nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use crate::error::{Error, Kind};
use crate::http::{Asker, Head};
use crate::stream::{Link, take};

/// ONVIF Streaming Specification: the name of RTSP within a WebSocket.
pub(crate) const PROTOCOL: &str = "rtsp.onvif.org";
/// What players ask for who take it for a tunnel of bytes (Axis' media-stream-library, websockify).
const BINARY: &str = "binary";
/// Bytes of a message: sixteen of the longest interleaved packets.
const MESSAGE: usize = 1 << 20;

/// A WebSocket as a stream of bytes.
#[derive(Debug)]
pub(crate) struct WebSocket {
    socket: WebSocketStream<Link>,
    /// Of a message, and not yet read.
    received: Bytes,
}

/// Asks for the upgrade. `None`: again with a password.
pub(crate) async fn upgrade(link: &mut Link, asker: &mut Asker) -> Result<Option<()>, Error> {
    let key = generate_key();
    let request = asker.request(
        "GET",
        "1.1",
        &[
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", &key),
            ("Sec-WebSocket-Protocol", PROTOCOL),
        ],
    );
    let Some(head) = asker.ask(link, request, 101).await? else { return Ok(None) };
    // RFC 6455 §4.1: proof that a WebSocket server answered, and not something that echoes.
    let proof = head.field("Sec-WebSocket-Accept") == Some(&derive_accept_key(key.as_bytes()));
    // A server that names no protocol has chosen none; one that names another speaks that.
    let speaks = head.field("Sec-WebSocket-Protocol").is_none_or(|p| p.eq_ignore_ascii_case(PROTOCOL));
    if proof && speaks { Ok(Some(())) } else { Err(Kind::NotHttp.into()) }
}

/// What a server answers to a request for an upgrade: its head, and whether it is a yes. `None`: the request asks for no
/// WebSocket.
pub(crate) fn answer(head: &Head) -> Option<(String, bool)> {
    if !head.lists("Upgrade", "websocket") {
        return None;
    }
    let key = head.field("Sec-WebSocket-Key").filter(|key| key.len() == 24);
    let known = [PROTOCOL, BINARY].into_iter().find(|known| head.lists("Sec-WebSocket-Protocol", known));
    Some(match key.zip(known) {
        _ if head.field("Sec-WebSocket-Version") != Some("13") => {
            let no =
                "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n";
            (no.to_owned(), false)
        }
        Some((key, protocol)) => {
            let proof = derive_accept_key(key.as_bytes());
            let yes = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: {proof}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
            );
            (yes, true)
        }
        None => ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_owned(), false),
    })
}

impl WebSocket {
    /// Over a connection that was upgraded.
    pub(crate) async fn new(mut link: Link, role: Role) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(64 << 10)
            // Each piece goes out as it is flushed.
            .write_buffer_size(0)
            .max_write_buffer_size(4 * MESSAGE)
            .max_message_size(Some(MESSAGE))
            .max_frame_size(Some(MESSAGE));
        let read = link.take_unread().to_vec();
        let socket = WebSocketStream::from_partially_read(link, read, role, Some(config)).await;
        Self { socket, received: Bytes::new() }
    }

    /// As [`ByteStream::pace`](crate::stream::ByteStream).
    pub(crate) fn pace(&mut self, delay: Option<Duration>) -> io::Result<()> {
        self.socket.get_mut().pace(delay)
    }
}

impl AsyncRead for WebSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.received.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.received = bytes,
                // Whoever sends RTSP as text means the same.
                Some(Ok(Message::Text(text))) => self.received = text.into(),
                // Pings are answered below.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return closed(error),
            }
        }
        take(&mut self.received, buf);
        Poll::Ready(Ok(()))
    }
}

/// A peer that goes without saying so has gone.
fn closed(error: tungstenite::Error) -> Poll<io::Result<()>> {
    use tungstenite::Error as E;
    match error {
        E::ConnectionClosed | E::AlreadyClosed | E::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Poll::Ready(Ok(()))
        }
        error => Poll::Ready(Err(io_error(error))),
    }
}

fn io_error(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
            io::ErrorKind::BrokenPipe.into()
        }
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

impl AsyncWrite for WebSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(io_error)?;
        let piece = buf.get(..MESSAGE).unwrap_or(buf);
        let message = Message::Binary(Bytes::copy_from_slice(piece));
        Pin::new(&mut self.socket).start_send(message).map_err(io_error)?;
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(io_error)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.socket).poll_close(cx)) {
            Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) | Ok(()) => {
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(io_error(error))),
        }
    }
}
