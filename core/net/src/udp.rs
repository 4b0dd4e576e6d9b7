//! The datagrams of a session: a pair of sockets for each media, or those of a multicast group.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use crate::entropy;

/// Bytes of the longest datagram.
const DATAGRAM: usize = 64 << 10;
/// What the system is asked to hold for each RTP socket: a large intra picture comes in one burst.
const RECEIVE: usize = 2 << 20;
/// The same for each RTCP socket.
const RECEIVE_RTCP: usize = 64 << 10;
/// Pairs of ports that are tried.
const TRIES: u32 = 128;
/// Failures of a socket in a row that are passed over before others have their turn.
const FAILURES: u32 = 16;

/// All of one session.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    pairs: Vec<Pair>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Pair {
    media: usize,
    rtp: Port,
    rtcp: Port,
}

#[derive(Debug)]
struct Port {
    socket: UdpSocket,
    /// Where datagrams are sent.
    to: Option<SocketAddr>,
    from: From,
}

/// Whose datagrams are taken.
#[derive(Clone, Copy, Debug)]
enum From {
    /// Nobody's: nothing is agreed yet.
    Nobody,
    /// From these addresses, and this port where it is known.
    Host([IpAddr; 2], Option<u16>),
    /// Whoever sends to the group.
    Group,
}

/// What SETUP agreed on for a media.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unicast {
    /// The other end of the RTSP connection.
    pub(crate) peer: IpAddr,
    /// Where the server said that media comes from.
    pub(crate) source: Option<IpAddr>,
    /// The server's ports, where it said which.
    pub(crate) ports: Option<(u16, u16)>,
}

/// A multicast group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) group: IpAddr,
    pub(crate) ports: (u16, u16),
    pub(crate) ttl: Option<u8>,
    /// The only sender that is wanted.
    pub(crate) source: Option<IpAddr>,
    /// This end of the RTSP connection: its interface is the one to join on.
    pub(crate) local: SocketAddr,
    /// The interface to join on instead.
    pub(crate) interface: Option<Ipv4Addr>,
}

/// A datagram that came; its bytes are in [`Sockets::bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) media: usize,
    pub(crate) rtcp: bool,
    pub(crate) len: usize,
}

impl Sockets {
    /// Binds an even port and the odd one above it (RFC 3550 §11) at the address of `local`, for a media.
    pub(crate) fn bind(
        &mut self,
        media: usize,
        local: SocketAddr,
        range: Option<&RangeInclusive<u16>>,
    ) -> io::Result<(u16, u16)> {
        let (rtp, rtcp) = match range {
            Some(range) => pair_within(local, range)?,
            None => pair(local)?,
        };
        let ports = (rtp.local_addr()?.port(), rtcp.local_addr()?.port());
        let open = |socket| Port { socket, to: None, from: From::Nobody };
        self.pairs.retain(|pair| pair.media != media);
        self.pairs.push(Pair { media, rtp: open(rtp), rtcp: open(rtcp) });
        Ok(ports)
    }

    /// From now on datagrams are taken from the server, and sent to it.
    pub(crate) fn agree(&mut self, media: usize, agreed: &Unicast) {
        let Unicast { peer, source, ports } = *agreed;
        let Some(pair) = self.pairs.iter_mut().find(|pair| pair.media == media) else { return };
        let of = |port: Option<u16>| port.filter(|port| *port != 0);
        let both = [(&mut pair.rtp, of(ports.map(|p| p.0))), (&mut pair.rtcp, of(ports.map(|p| p.1)))];
        for (port, number) in both {
            port.from = From::Host([peer, source.unwrap_or(peer)], number);
            port.to = number.map(|number| SocketAddr::new(source.unwrap_or(peer), number));
        }
    }

    /// Joins a group for a media.
    pub(crate) fn join(&mut self, media: usize, group: &Group) -> io::Result<()> {
        let open = |port| -> io::Result<Port> {
            let from = match group.source {
                Some(source) => From::Host([source; 2], None),
                None => From::Group,
            };
            Ok(Port { socket: member(group, port)?, to: Some(SocketAddr::new(group.group, port)), from })
        };
        let (rtp, rtcp) = (open(group.ports.0)?, open(group.ports.1)?);
        self.pairs.retain(|pair| pair.media != media);
        self.pairs.push(Pair { media, rtp, rtcp });
        Ok(())
    }

    /// Sends a datagram; one that cannot be sent now is lost, as datagrams are.
    pub(crate) fn send(&self, media: usize, rtcp: bool, bytes: &[u8]) {
        let pair = self.pairs.iter().find(|pair| pair.media == media);
        let Some(port) = pair.map(|pair| if rtcp { &pair.rtcp } else { &pair.rtp }) else { return };
        if let Some(to) = port.to
            && let Err(error) = port.socket.try_send_to(bytes, to)
        {
            tracing::trace!(%to, %error, "a datagram was not sent");
        }
    }

    /// Ready when a datagram came from where it may come from.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if self.pairs.is_empty() {
            return Poll::Pending;
        }
        self.buffer.resize(DATAGRAM, 0);
        for pair in &self.pairs {
            for (port, rtcp) in [(&pair.rtp, false), (&pair.rtcp, true)] {
                if let Poll::Ready(len) = port.poll_receive(cx, &mut self.buffer) {
                    return Poll::Ready(Received { media: pair.media, rtcp, len });
                }
            }
        }
        Poll::Pending
    }

    /// The bytes of a datagram that came last.
    pub(crate) fn bytes(&self, received: Received) -> &[u8] {
        self.buffer.get(..received.len).unwrap_or_default()
    }
}

impl Port {
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        for _ in 0..FAILURES {
            let mut buffer = ReadBuf::new(buffer);
            match self.socket.poll_recv_from(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(from)) if self.from.takes(from) => return Poll::Ready(buffer.filled().len()),
                // Of somebody else; or an error that the network reports of a datagram that was sent.
                Poll::Ready(_) => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl From {
    fn takes(&self, from: SocketAddr) -> bool {
        match *self {
            Self::Nobody => false,
            Self::Group => true,
            Self::Host(hosts, port) => {
                hosts.contains(&from.ip().to_canonical()) && port.is_none_or(|port| port == from.port())
            }
        }
    }
}

/// A pair out of a range, from anywhere in it on.
fn pair_within(local: SocketAddr, range: &RangeInclusive<u16>) -> io::Result<(UdpSocket, UdpSocket)> {
    let first = range.start().next_multiple_of(2);
    let pairs = u32::from(range.end().saturating_sub(first).saturating_add(1) / 2);
    let from = (entropy::fraction() * f64::from(pairs)) as u32;
    for i in 0..pairs.min(TRIES) {
        let even = first.saturating_add(2 * ((from + i) % pairs) as u16);
        if let (Ok(rtp), Ok(rtcp)) = (bound(local, even, RECEIVE), bound(local, even + 1, RECEIVE_RTCP)) {
            return Ok((rtp, rtcp));
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// A pair that the system chooses one half of.
fn pair(local: SocketAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    for _ in 0..TRIES {
        let any = bound(local, 0, RECEIVE)?;
        let port = any.local_addr()?.port();
        if port % 2 == 1 {
            drop(any);
            let pair = (bound(local, port - 1, RECEIVE), bound(local, port, RECEIVE_RTCP));
            if let (Ok(rtp), Ok(rtcp)) = pair {
                return Ok((rtp, rtcp));
            }
        } else if let Ok(rtcp) = bound(local, port + 1, RECEIVE_RTCP) {
            return Ok((any, rtcp));
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

fn socket(address: SocketAddr, receive: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // The system caps it (net.core.rmem_max); what it gives has to do.
    let _ = socket.set_recv_buffer_size(receive);
    Ok(socket)
}

fn bound(local: SocketAddr, port: u16, receive: usize) -> io::Result<UdpSocket> {
    let mut address = local;
    address.set_port(port);
    let socket = socket(address, receive)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// A socket that receives what is sent to a group at a port.
fn member(group: &Group, port: u16) -> io::Result<UdpSocket> {
    if !group.group.is_multicast() {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    }
    // Bound to the group, it sees no other group's datagrams at the same port (Linux and BSD).
    let address = SocketAddr::new(group.group, port);
    let socket = socket(address, RECEIVE)?;
    // Several cameras, and several programs, may want the same group.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    match (group.group, group.local.ip().to_canonical()) {
        (IpAddr::V4(to), local) => {
            let local = if let IpAddr::V4(local) = local { local } else { Ipv4Addr::UNSPECIFIED };
            let interface = group.interface.unwrap_or(local);
            match group.source {
                // IGMPv3 (RFC 3376), where the network knows it, keeps other senders away.
                Some(IpAddr::V4(source)) => socket.join_ssm_v4(&source, &to, &interface)?,
                _ => socket.join_multicast_v4(&to, &interface)?,
            }
            let _ = socket.set_multicast_if_v4(&interface);
            let _ = socket.set_multicast_ttl_v4(u32::from(group.ttl.unwrap_or(1)));
        }
        (IpAddr::V6(to), _) => {
            let scope = if let SocketAddr::V6(local) = group.local { local.scope_id() } else { 0 };
            socket.join_multicast_v6(&to, scope)?;
            let _ = socket.set_multicast_hops_v6(u32::from(group.ttl.unwrap_or(1)));
        }
    }
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn pairs_are_even_and_odd_and_within_the_range() {
        let local: SocketAddr = "127.0.0.1:554".parse().unwrap();
        let mut sockets = Sockets::default();
        for media in 0..8 {
            let (rtp, rtcp) = sockets.bind(media, local, None).unwrap();
            assert_eq!((rtp % 2, rtcp), (0, rtp + 1));
        }
        // Three pairs there are room for: 30 001 is odd and 30 008 lacks its neighbour.
        let (local, range) = ("127.0.0.77:554".parse().unwrap(), 30_001..=30_008);
        let mut sockets = Sockets::default();
        let mut found: Vec<u16> =
            (0..3).map(|media| sockets.bind(media, local, Some(&range)).unwrap().0).collect();
        found.sort_unstable();
        assert_eq!(found, [30_002, 30_004, 30_006]);
        assert_eq!(sockets.bind(3, local, Some(&range)).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert!(Sockets::default().bind(0, local, Some(&(30_010..=30_010))).is_err());
    }

    #[tokio::test]
    async fn only_the_server_is_heard() {
        for host in ["127.0.0.1", "::1"] {
            let local = SocketAddr::new(host.parse().unwrap(), 0);
            let server = UdpSocket::bind(local).await.unwrap();
            let stranger = UdpSocket::bind(local).await.unwrap();
            let mut sockets = Sockets::default();
            let (rtp, rtcp) = sockets.bind(4, local, None).unwrap();
            let to = |port| SocketAddr::new(local.ip(), port);
            let ports = Some((server.local_addr().unwrap().port(), 0));
            sockets.agree(4, &Unicast { peer: local.ip(), source: None, ports });

            stranger.send_to(b"stranger", to(rtp)).await.unwrap();
            server.send_to(b"picture", to(rtp)).await.unwrap();
            let came = timeout(PATIENCE, poll_fn(|cx| sockets.poll_receive(cx))).await.unwrap();
            assert_eq!(came, Received { media: 4, rtcp: false, len: 7 });
            assert_eq!(sockets.bytes(came), b"picture");
            // The server did not say where RTCP comes from: any port of its address will do.
            stranger.send_to(b"report", to(rtcp)).await.unwrap();
            let came = timeout(PATIENCE, poll_fn(|cx| sockets.poll_receive(cx))).await.unwrap();
            assert_eq!((came.rtcp, sockets.bytes(came)), (true, &b"report"[..]));

            sockets.send(4, false, b"punch");
            sockets.send(4, true, b"nowhere");
            sockets.send(5, false, b"nobody's");
            let mut bytes = [0; 16];
            let (n, from) = timeout(PATIENCE, server.recv_from(&mut bytes)).await.unwrap().unwrap();
            assert_eq!((&bytes[..n], from), (&b"punch"[..], to(rtp)));
        }
    }

    #[tokio::test]
    async fn a_group_is_no_ordinary_address() {
        let group = |address: &str| Group {
            group: address.parse().unwrap(),
            ports: (30_100, 30_101),
            ttl: None,
            source: None,
            local: "127.0.0.1:0".parse().unwrap(),
            interface: None,
        };
        assert!(Sockets::default().join(0, &group("127.0.0.1")).is_err());
        let mut sockets = Sockets::default();
        sockets.join(0, &group("239.255.77.77")).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket2::SockRef::from(&sender).set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
        sender.send_to(b"to all", "239.255.77.77:30100").await.unwrap();
        let came = timeout(PATIENCE, poll_fn(|cx| sockets.poll_receive(cx))).await.unwrap();
        assert_eq!(sockets.bytes(came), b"to all");
    }
}
