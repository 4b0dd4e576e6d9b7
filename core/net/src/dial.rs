//! An address to a stream of bytes.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Role;
use vigie::rtsp::{Credentials, Scheme, Url};

use crate::entropy;
use crate::error::{Error, Kind};
use crate::http::Asker;
use crate::stream::{ByteStream, Carrier, Link};
use crate::tls::Tls;
use crate::tunnel::{self, Near};
use crate::web_socket::{self, WebSocket};

/// What RTSP travels in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tunnel {
    /// Nothing: TCP, or TLS, by itself.
    #[default]
    None,
    /// An HTTP tunnel, to port 80 unless the address names another; with TLS to port 443.
    Http,
    /// A WebSocket, to the same ports.
    WebSocket {
        /// The path of the WebSocket, as ONVIF's `RTSPWebSocketUri` names it; `None`: that of the stream.
        path: Option<String>,
    },
}

impl Tunnel {
    /// The port that an address means with it.
    #[must_use]
    pub fn port(&self, url: &Url) -> u16 {
        match self {
            Self::None => url.port(),
            _ => url.port_or(if url.scheme() == Scheme::Rtsps { 443 } else { 80 }),
        }
    }
}

/// How to reach an address.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Way {
    /// What RTSP travels in.
    pub tunnel: Tunnel,
    /// For `rtsps`; `None`: whom the system trusts.
    pub tls: Option<Tls>,
    /// For cameras that ask for a password before they open a tunnel.
    pub credentials: Option<Credentials>,
}

/// Resolves the host of `url`, connects to its first address that answers, and opens TLS and a tunnel as the scheme and
/// `way` want; all within `patience`.
///
/// # Errors
/// [`Kind::NoSuchHost`], [`Kind::Refused`], [`Kind::Unreachable`], [`Kind::ConnectTimeout`], those of TLS and of
/// tunnels, or [`Kind::Socket`] for what the system calls otherwise.
pub async fn dial(url: &Url, way: &Way, patience: Duration) -> Result<ByteStream, Error> {
    match timeout(patience, open(url, way, patience)).await {
        Ok(connected) => connected,
        Err(_) => Err(Kind::ConnectTimeout.into()),
    }
}

async fn open(url: &Url, way: &Way, patience: Duration) -> Result<ByteStream, Error> {
    let encrypted = url.scheme() == Scheme::Rtsps;
    let tls = match &way.tls {
        _ if !encrypted => None,
        Some(tls) => Some(tls.clone()),
        None => Some(Tls::system()?),
    };
    let port = way.tunnel.port(url);
    let link = connect(url.host(), port, patience, tls.as_ref()).await?;
    let ends = link.ends().map_err(|error| Kind::Socket(error.kind()))?;
    let again = Again { host: url.host(), peer: ends.peer, tls: tls.as_ref() };
    let target = match &way.tunnel {
        Tunnel::None => return Ok(ByteStream::new(&ends, Carrier::Link(link))),
        Tunnel::WebSocket { path: Some(path) } => path,
        _ => url.path_and_query(),
    };
    let host = if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().to_owned() };
    let host = if matches!(port, 80 | 443) { host } else { format!("{host}:{port}") };
    let mut asker = Asker::new(host, target, way.credentials.as_ref());
    let carrier = match way.tunnel {
        Tunnel::Http => Carrier::Tunnel(Box::new(tunnel(link, &mut asker, &again).await?)),
        _ => Carrier::WebSocket(Box::new(web_socket(link, &mut asker, &again).await?)),
    };
    Ok(ByteStream::new(&ends, carrier))
}

/// To the same address once more.
struct Again<'a> {
    host: &'a str,
    peer: SocketAddr,
    tls: Option<&'a Tls>,
}

impl Again<'_> {
    async fn link(&self) -> Result<Link, Error> {
        let tcp = TcpStream::connect(self.peer).await.map_err(|error| classify(&error))?;
        secure(self.host, tcp, self.tls).await
    }
}

async fn tunnel(mut link: Link, asker: &mut Asker, again: &Again<'_>) -> Result<Near, Error> {
    // Not to be guessed: whoever knows it can speak in our place.
    let cookie = entropy::token();
    while tunnel::get(&mut link, asker, &cookie).await?.is_none() {
        link = again.link().await?;
    }
    let mut post = again.link().await?.welcome();
    tunnel::post(&mut post, asker, &cookie).await?;
    Ok(Near::new(link, post))
}

async fn web_socket(mut link: Link, asker: &mut Asker, again: &Again<'_>) -> Result<WebSocket, Error> {
    while web_socket::upgrade(&mut link, asker).await?.is_none() {
        link = again.link().await?;
    }
    Ok(WebSocket::new(link, Role::Client).await)
}

async fn connect(host: &str, port: u16, patience: Duration, tls: Option<&Tls>) -> Result<Link, Error> {
    // The brackets of an IPv6 literal belong to the URL, not to the address.
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let addresses: Vec<SocketAddr> = match lookup_host((host, port)).await {
        Ok(found) => found.collect(),
        Err(_) => return Err(Kind::NoSuchHost.into()),
    };
    // One dead address must not use up the time of the ones behind it.
    let each = patience / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = Error::from(Kind::NoSuchHost);
    for address in addresses {
        match timeout(each, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return secure(host, stream, tls).await,
            Ok(Err(error)) => last = classify(&error),
            Err(_) => last = Kind::ConnectTimeout.into(),
        }
    }
    Err(last)
}

async fn secure(host: &str, stream: TcpStream, tls: Option<&Tls>) -> Result<Link, Error> {
    // Requests are small and answers are awaited: no waiting for a fuller segment.
    let _ = stream.set_nodelay(true);
    match tls {
        None => Ok(Link::tcp(stream)),
        Some(tls) => {
            let (stream, asked) = tls.connect(host, stream).await?;
            Ok(Link::tls(stream).after(asked))
        }
    }
}

fn classify(error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::ConnectionRefused => Kind::Refused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            Kind::Unreachable
        }
        ErrorKind::TimedOut => Kind::ConnectTimeout,
        kind => Kind::Socket(kind),
    }
    .into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use tokio::net::TcpListener;

    async fn reach(host: &str, port: u16) -> Result<SocketAddr, Error> {
        let (url, _) = Url::parse(&format!("rtsp://{host}:{port}/")).unwrap();
        dial(&url, &Way::default(), Duration::from_secs(5)).await.map(|stream| stream.peer())
    }

    #[tokio::test]
    async fn a_refused_port_is_told_from_a_name_that_does_not_exist() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(reach("127.0.0.1", free).await.unwrap_err().kind, Kind::Refused);
        // RFC 6761 §6.4: `invalid` never resolves.
        assert_eq!(reach("camera.invalid", 554).await.unwrap_err().kind, Kind::NoSuchHost);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(reach("127.0.0.1", address.port()).await.unwrap(), address);
        assert_eq!(reach("localhost", address.port()).await.unwrap(), address);
    }
}
