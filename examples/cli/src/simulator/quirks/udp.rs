//! A viewer's media over UDP, RFC 2326 §12.39. The honest server behind is told of channels.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use super::answer::{Answer, Asked};
use super::packet::Item;

/// Pairs of ports that are tried for one whose first is even.
const TRIES: u32 = 32;

/// Where a viewer's datagrams go.
#[derive(Debug)]
pub(super) struct Datagrams {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    to: IpAddr,
    ports: (u16, u16),
}

impl Datagrams {
    /// What a SETUP asks for first, if that is UDP to its sender; the request is changed to ask for channels.
    pub(super) fn asked(asked: &mut Asked, to: IpAddr) -> Option<Self> {
        let transport = asked.field_mut("Transport")?;
        let first = transport.split(',').next()?.to_ascii_lowercase();
        let udp = first.starts_with("rtp/avp") && !first.contains("/tcp") && !first.contains("multicast");
        let port = first.split(';').find_map(|part| part.trim().strip_prefix("client_port="))?;
        let port: u16 = port.split('-').next()?.parse().ok().filter(|_| udp)?;
        let (rtp, rtcp) = (0..TRIES).find_map(|_| pair().ok())?;
        "RTP/AVP/TCP;unicast;interleaved=0-1".clone_into(transport);
        Some(Self { rtp, rtcp, to, ports: (port, port.checked_add(1)?) })
    }

    /// Says in SETUP's answer what was agreed on.
    pub(super) fn answer(&self, answer: &mut Answer) {
        let port = |socket: &UdpSocket| socket.local_addr().map_or(0, |address| address.port());
        let (client, server) = (self.ports, (port(&self.rtp), port(&self.rtcp)));
        answer.set(
            "Transport",
            &format!(
                "RTP/AVP;unicast;client_port={}-{};server_port={}-{}",
                client.0, client.1, server.0, server.1
            ),
        );
    }

    /// Sends what has a place in datagrams. Where the system takes none, it is lost.
    pub(super) fn send(&self, item: &Item) {
        let (socket, port, bytes) = match item {
            Item::Rtp(packet) => (&self.rtp, self.ports.0, &packet.0),
            Item::Rtcp(bytes) => (&self.rtcp, self.ports.1, bytes),
            Item::On(..) | Item::Raw(_) => return,
        };
        let _ = socket.send_to(bytes, SocketAddr::new(self.to, port));
    }
}

/// An even port and the next.
fn pair() -> io::Result<(UdpSocket, UdpSocket)> {
    let rtp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = rtp.local_addr()?.port();
    if port % 2 == 1 {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    }
    let rtcp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port + 1))?;
    rtp.set_nonblocking(true)?;
    rtcp.set_nonblocking(true)?;
    Ok((rtp, rtcp))
}
