//! RTSP in an HTTP tunnel: the answers in the body of a GET, the requests, in base64, in the body of a POST.
//!
//! Apple's "Tunneling RTSP and RTP through HTTP", which no RFC took up and every camera maker did: two connections,
//! joined by a cookie. The POST is not answered; some cameras do, and some close its other half.

mod base64;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::{Error, Kind};
use crate::http::{Asker, Head, send};
use crate::stream::{Link, take};

/// The media type of both bodies.
pub(crate) const MEDIA_TYPE: &str = "application/x-rtsp-tunnelled";
/// What joins the two connections.
pub(crate) const COOKIE: &str = "x-sessioncookie";
/// Bytes that are encoded at once.
const PIECE: usize = 3 << 10;
/// Bytes of an answer to the POST that are looked at; the rest is thrown away.
const ANSWER: usize = 64;

/// The fields of either request.
fn fields(cookie: &str) -> [(&str, &str); 3] {
    [(COOKIE, cookie), ("Pragma", "no-cache"), ("Cache-Control", "no-cache")]
}

/// Opens the first half, `None`: again with a password.
pub(crate) async fn get(link: &mut Link, asker: &mut Asker, cookie: &str) -> Result<Option<Head>, Error> {
    let [a, b, c] = fields(cookie);
    let request = asker.request("GET", "1.0", &[a, ("Accept", MEDIA_TYPE), b, c]);
    asker.ask(link, request, 200).await
}

/// Opens the second half. Nobody has to answer.
pub(crate) async fn post(link: &mut Link, asker: &mut Asker, cookie: &str) -> Result<(), Error> {
    let [a, b, c] = fields(cookie);
    // The length means nothing: the body goes on as long as the session.
    let body = [("Content-Type", MEDIA_TYPE), b, c, ("Content-Length", "32767")];
    let dead = ("Expires", "Sun, 9 Jan 1972 00:00:00 GMT");
    let (request, _) = asker.request("POST", "1.0", &[a, body[0], body[1], body[2], body[3], dead]);
    send(link, &request).await
}

/// The client's end of a tunnel.
#[derive(Debug)]
pub(crate) struct Near {
    get: Link,
    post: Link,
    /// Encoded, and on its way out.
    sending: BytesMut,
    /// The beginning of what the server said to the POST; `None`: it will say nothing more.
    answer: Option<Vec<u8>>,
}

impl Near {
    pub(crate) fn new(get: Link, post: Link) -> Self {
        Self { get, post, sending: BytesMut::new(), answer: Some(Vec::new()) }
    }

    /// As [`ByteStream::pace`](crate::stream::ByteStream): on the POST nothing comes.
    pub(crate) fn pace(&mut self, delay: Option<Duration>) -> io::Result<()> {
        self.get.pace(delay)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.sending.is_empty() {
            let n = ready!(Pin::new(&mut self.post).poll_write(cx, &self.sending))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sending.advance(n);
        }
        Poll::Ready(Ok(()))
    }

    /// A server that answers the POST with an error has refused the tunnel; every other answer means nothing.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(answer) = &mut self.answer {
            let mut bytes = [0; ANSWER];
            let mut buffer = ReadBuf::new(&mut bytes);
            // Closed or broken on this side: what is written shows whether the other is too.
            match ready!(Pin::new(&mut self.post).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => {
                    self.answer = None;
                    break;
                }
            }
            let room = ANSWER.saturating_sub(answer.len());
            answer.extend(buffer.filled().iter().take(room));
            if let Some(status) = refused(answer) {
                return Poll::Ready(Err(io::Error::other(Error::from(Kind::Tunnel(status)))));
            }
        }
        Poll::Pending
    }
}

/// The status of an HTTP response that refuses.
fn refused(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|b| *b == b'\n').next()?;
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let digits = rest.get(1..)?.trim_ascii_start().get(..3)?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (400..600).contains(&status).then_some(status)
}

impl AsyncRead for Near {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(Err(error)) = self.poll_answer(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.get).poll_read(cx, buf)
    }
}

impl AsyncWrite for Near {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(cx))?;
        let piece = buf.get(..PIECE).unwrap_or(buf);
        base64::encode(piece, &mut self.sending);
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.post).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        ready!(Pin::new(&mut self.post).poll_shutdown(cx))?;
        Pin::new(&mut self.get).poll_shutdown(cx)
    }
}

/// The server's end of a tunnel.
#[derive(Debug)]
pub(crate) struct Far {
    get: Link,
    post: Link,
    decoder: base64::Decoder,
    /// Decoded, and not yet read.
    decoded: Bytes,
}

impl Far {
    pub(crate) fn new(get: Link, post: Link) -> Self {
        Self { get, post, decoder: base64::Decoder::default(), decoded: Bytes::new() }
    }
}

impl AsyncRead for Far {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.decoded.is_empty() {
            let mut bytes = [0; PIECE];
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.post).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let mut decoded = BytesMut::with_capacity(PIECE);
            this.decoder.decode(buffer.filled(), &mut decoded)?;
            this.decoded = decoded.freeze();
        }
        take(&mut this.decoded, buf);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Far {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_to_the_post_is_a_refusal() {
        assert_eq!(refused(b"HTTP/1.0 404 Not Found\r\n"), Some(404));
        assert_eq!(refused(b"HTTP/1.1 503"), Some(503));
        for fine in
            [&b""[..], b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 40", b"RTSP/1.0 404 x", b"HTTP/1.0 \xff\xff\xff"]
        {
            assert_eq!(refused(fine), None);
        }
    }
}
