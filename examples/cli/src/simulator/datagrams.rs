//! A viewer's media over UDP, RFC 2326 §12.39.

use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::UdpSocket;

/// Pairs of ports that are tried for one whose first is even.
const TRIES: u32 = 64;

/// The sockets of one viewer, and where its datagrams go.
#[derive(Debug)]
pub(super) struct Datagrams {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    to: (SocketAddr, SocketAddr),
}

impl Datagrams {
    /// Opens a pair at the address that the viewer came to, for its ports; and says which they are.
    pub(super) fn open(local: IpAddr, peer: IpAddr, client: (u16, u16)) -> io::Result<(Self, (u16, u16))> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            match pair(local) {
                Ok((rtp, rtcp)) => {
                    let ports = (rtp.local_addr()?.port(), rtcp.local_addr()?.port());
                    let to = (SocketAddr::new(peer, client.0), SocketAddr::new(peer, client.1));
                    return Ok((Self { rtp, rtcp, to }, ports));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends the RTP packets behind interleaved headers, each as a datagram. What the system does not take is lost.
    pub(super) async fn send(&self, framed: &[u8]) {
        let mut rest = framed;
        while let Some(([_, _, high, low], after)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some((packet, after)) = after.split_at_checked(length) else { return };
            let _ = self.rtp.send_to(packet, self.to.0).await;
            rest = after;
        }
    }

    /// Sends a sender report.
    pub(super) async fn report(&self, report: &[u8]) {
        let _ = self.rtcp.send_to(report, self.to.1).await;
    }
}

/// Waits for a datagram of the viewer's, RTCP or what opens the way through a translation of addresses: a sign of life.
pub(super) async fn heard(datagrams: Option<&Datagrams>) -> io::Result<()> {
    let Some(Datagrams { rtp, rtcp, to }) = datagrams else { return pending().await };
    let (mut one, mut other) = ([0; 2_048], [0; 2_048]);
    loop {
        let (_, from) = tokio::select! {
            received = rtp.recv_from(&mut one) => received?,
            received = rtcp.recv_from(&mut other) => received?,
        };
        if from.ip() == to.0.ip() {
            return Ok(());
        }
    }
}

/// An even port and the next (RFC 3550 §11).
fn pair(local: IpAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    let open = |port| {
        let socket = std::net::UdpSocket::bind((local, port))?;
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket)
    };
    let rtp = open(0)?;
    match rtp.local_addr()?.port() {
        port if port % 2 == 0 => Ok((rtp, open(port + 1)?)),
        _ => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}
