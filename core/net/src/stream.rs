//! A stream of bytes to or from a peer, whatever carries it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use crate::tcp::Tcp;
use crate::tls::{Asked, Fingerprint};
use crate::tunnel;
use crate::web_socket::WebSocket;

/// The bytes of RTSP to and from one peer: over TCP or TLS, by themselves, in an HTTP tunnel or in a WebSocket.
///
/// What is written may wait until [`flush`](tokio::io::AsyncWriteExt::flush).
#[derive(Debug)]
pub struct ByteStream {
    carrier: Carrier,
    peer: SocketAddr,
    local: SocketAddr,
    certificate: Option<Fingerprint>,
    encrypted: bool,
}

#[derive(Debug)]
pub(crate) enum Carrier {
    Link(Link),
    /// Our requests are in the POST's body.
    Tunnel(Box<tunnel::Near>),
    /// Their requests are.
    Tunnelled(Box<tunnel::Far>),
    WebSocket(Box<WebSocket>),
}

impl ByteStream {
    pub(crate) fn new(ends: &Ends, carrier: Carrier) -> Self {
        let Ends { peer, local, certificate, encrypted } = *ends;
        Self { carrier, peer, local, certificate, encrypted }
    }

    /// The other end.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// This end.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Reads what came once in `delay` from now on; `None`: whenever bytes come.
    pub(crate) fn pace(&mut self, delay: Option<Duration>) -> io::Result<()> {
        match &mut self.carrier {
            Carrier::Link(link) => link.pace(delay),
            Carrier::Tunnel(near) => near.pace(delay),
            // A server's end: requests are few and wait for answers.
            Carrier::Tunnelled(_) => Ok(()),
            Carrier::WebSocket(socket) => socket.pace(delay),
        }
    }

    /// Is it TLS?
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The fingerprint of the certificate that the peer showed.
    #[must_use]
    pub const fn certificate(&self) -> Option<Fingerprint> {
        self.certificate
    }
}

/// What is known of a connection's ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) certificate: Option<Fingerprint>,
    pub(crate) encrypted: bool,
}

/// One TCP connection, with TLS or without.
#[derive(Debug)]
pub(crate) struct Link {
    /// Bytes that were read too far, and are to be read again.
    before: Bytes,
    socket: Socket,
    /// With TLS, while the camera has said nothing yet.
    asked: Option<Asked>,
}

#[derive(Debug)]
enum Socket {
    Tcp(Tcp),
    Tls(Box<TlsStream<Tcp>>),
}

impl Link {
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        Self { before: Bytes::new(), socket: Socket::Tcp(stream.into()), asked: None }
    }

    pub(crate) fn tls(stream: impl Into<TlsStream<Tcp>>) -> Self {
        Self { before: Bytes::new(), socket: Socket::Tls(Box::new(stream.into())), asked: None }
    }

    /// As [`ByteStream::pace`].
    pub(crate) fn pace(&mut self, delay: Option<Duration>) -> io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(tcp) => tcp.pace(delay),
            Socket::Tls(tls) => tls.get_mut().0.pace(delay),
        }
    }

    /// The handshake in which the camera may have asked who we are.
    pub(crate) fn after(self, asked: Asked) -> Self {
        Self { asked: Some(asked), ..self }
    }

    /// The camera has spoken elsewhere, and does not mind who we are.
    pub(crate) fn welcome(self) -> Self {
        Self { asked: None, ..self }
    }

    /// Says of an error before the camera said anything what it means.
    fn explain(&self, error: io::Error) -> io::Error {
        match &self.asked {
            Some(asked) => asked.explain(error),
            None => error,
        }
    }

    /// Gives back bytes that were read too far.
    pub(crate) fn unread(&mut self, bytes: Bytes) {
        self.before = bytes;
    }

    /// Takes what was read too far.
    pub(crate) fn take_unread(&mut self) -> Bytes {
        std::mem::take(&mut self.before)
    }

    pub(crate) fn ends(&self) -> io::Result<Ends> {
        let (tcp, certificates) = match &self.socket {
            Socket::Tcp(tcp) => (tcp, None),
            Socket::Tls(tls) => {
                let (tcp, session) = tls.get_ref();
                (tcp, session.peer_certificates())
            }
        };
        Ok(Ends {
            peer: tcp.peer_addr()?,
            local: tcp.local_addr()?,
            certificate: certificates.and_then(<[_]>::first).map(|leaf| Fingerprint::of(leaf)),
            encrypted: matches!(self.socket, Socket::Tls(_)),
        })
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            take(&mut self.before, buf);
            return Poll::Ready(Ok(()));
        }
        let filled = buf.filled().len();
        let read = match &mut self.socket {
            Socket::Tcp(tcp) => return Pin::new(tcp).poll_read(cx, buf),
            Socket::Tls(tls) => ready!(Pin::new(tls).poll_read(cx, buf)),
        };
        if buf.filled().len() > filled {
            self.asked = None;
        }
        Poll::Ready(match (read, &self.asked) {
            // Without the goodbye that TLS wants (RFC 8446 §6.1): what was lost by that, RTSP misses by itself.
            (Err(error), asked) if error.kind() == io::ErrorKind::UnexpectedEof => {
                asked.as_ref().map_or(Ok(()), Asked::end)
            }
            (Ok(()), Some(asked)) => asked.end(),
            (Ok(()), None) => Ok(()),
            (Err(error), _) => Err(self.explain(error)),
        })
    }
}

impl AsyncWrite for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.socket {
            Socket::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Socket::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        };
        written.map_err(|error| self.explain(error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.socket {
            Socket::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Socket::Tls(tls) => Pin::new(tls).poll_flush(cx),
        };
        flushed.map_err(|error| self.explain(error))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.socket {
            Socket::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Socket::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Link(link) => Pin::new(link).poll_read(cx, buf),
            Carrier::Tunnel(near) => Pin::new(&mut **near).poll_read(cx, buf),
            Carrier::Tunnelled(far) => Pin::new(&mut **far).poll_read(cx, buf),
            Carrier::WebSocket(socket) => Pin::new(&mut **socket).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.carrier {
            Carrier::Link(link) => Pin::new(link).poll_write(cx, buf),
            Carrier::Tunnel(near) => Pin::new(&mut **near).poll_write(cx, buf),
            Carrier::Tunnelled(far) => Pin::new(&mut **far).poll_write(cx, buf),
            Carrier::WebSocket(socket) => Pin::new(&mut **socket).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Link(link) => Pin::new(link).poll_flush(cx),
            Carrier::Tunnel(near) => Pin::new(&mut **near).poll_flush(cx),
            Carrier::Tunnelled(far) => Pin::new(&mut **far).poll_flush(cx),
            Carrier::WebSocket(socket) => Pin::new(&mut **socket).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Link(link) => Pin::new(link).poll_shutdown(cx),
            Carrier::Tunnel(near) => Pin::new(&mut **near).poll_shutdown(cx),
            Carrier::Tunnelled(far) => Pin::new(&mut **far).poll_shutdown(cx),
            Carrier::WebSocket(socket) => Pin::new(&mut **socket).poll_shutdown(cx),
        }
    }
}

/// Moves as much of `from` as fits into `to`.
pub(crate) fn take(from: &mut impl bytes::Buf, to: &mut ReadBuf<'_>) {
    let n = from.chunk().len().min(to.remaining());
    to.put_slice(&from.chunk()[..n]);
    from.advance(n);
}
