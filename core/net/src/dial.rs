//! A host and a port to a TCP connection.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::error::{Error, Kind};

/// Resolves `host` and connects to its first address that answers, all within `patience`.
///
/// # Errors
/// [`Kind::NoSuchHost`], [`Kind::Refused`], [`Kind::Unreachable`], [`Kind::ConnectTimeout`], or [`Kind::Socket`] for
/// what the system calls otherwise.
pub async fn dial(host: &str, port: u16, patience: Duration) -> Result<TcpStream, Error> {
    match timeout(patience, connect(host, port, patience)).await {
        Ok(connected) => connected,
        Err(_) => Err(Kind::ConnectTimeout.into()),
    }
}

async fn connect(host: &str, port: u16, patience: Duration) -> Result<TcpStream, Error> {
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
            Ok(Ok(stream)) => {
                // Requests are small and answers are awaited: no waiting for a fuller segment.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = classify(&error),
            Err(_) => last = Kind::ConnectTimeout.into(),
        }
    }
    Err(last)
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

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_refused_port_is_told_from_a_name_that_does_not_exist() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(dial("127.0.0.1", free, SOON).await.unwrap_err().kind, Kind::Refused);
        // RFC 6761 §6.4: `invalid` never resolves.
        assert_eq!(dial("camera.invalid", 554, SOON).await.unwrap_err().kind, Kind::NoSuchHost);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(dial("127.0.0.1", port, SOON).await.is_ok());
        assert!(dial("localhost", port, SOON).await.is_ok());
    }
}
