//! From a captured frame to what UDP or TCP carries in it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::octets::Reader;

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

/// An IP packet.
pub(super) struct Packet<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) body: &'a [u8],
    /// It says that it is longer than what was captured.
    pub(super) cut: bool,
    pub(super) fragment: Option<Fragment>,
}

/// A part of a datagram that was too large for the network.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    pub(super) id: u32,
    /// Bytes.
    pub(super) offset: usize,
    pub(super) more: bool,
}

/// UDP or TCP.
pub(super) struct Segment<'a> {
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) tcp: Option<Tcp>,
    pub(super) payload: &'a [u8],
}

#[derive(Clone, Copy)]
pub(super) struct Tcp {
    pub(super) sequence: u32,
    /// SYN.
    pub(super) start: bool,
}

/// The IP packet in a frame of this LINKTYPE; `None` where there is none.
pub(super) fn decode(link: u16, frame: &[u8]) -> Option<Packet<'_>> {
    let mut r = Reader::new(frame);
    match link {
        // BSD loopback: the address family, in the byte order of whoever wrote it.
        0 | 108 => {
            r.u32()?;
        }
        // Ethernet, with any number of VLAN tags.
        1 => {
            r.take(12)?;
            let mut ether_type = r.u16()?;
            while matches!(ether_type, 0x8100 | 0x88a8 | 0x9100) {
                r.u16()?;
                ether_type = r.u16()?;
            }
            if !matches!(ether_type, 0x0800 | 0x86dd) {
                return None;
            }
        }
        // Raw IP.
        12 | 14 | 101 | 228 | 229 => {}
        // Linux "cooked", both versions.
        113 => {
            r.take(16)?;
        }
        276 => {
            r.take(20)?;
        }
        _ => return None,
    }
    match r.rest().first()? >> 4 {
        4 => ipv4(r.rest()),
        6 => ipv6(r.rest()),
        _ => None,
    }
}

fn ipv4(bytes: &[u8]) -> Option<Packet<'_>> {
    let mut r = Reader::new(bytes);
    let header = usize::from(r.u8()? & 0x0f) * 4;
    r.u8()?;
    // 0 where the sender's network card cuts the packet up (TSO).
    let total = match usize::from(r.u16()?) {
        0 => bytes.len(),
        total => total,
    };
    let id = u32::from(r.u16()?);
    let flags = r.u16()?;
    r.u8()?;
    let protocol = r.u8()?;
    r.u16()?;
    let source = IpAddr::V4(Ipv4Addr::from(r.array::<4>()?));
    let destination = IpAddr::V4(Ipv4Addr::from(r.array::<4>()?));
    let (offset, more) = (usize::from(flags & 0x1fff) * 8, flags & 0x2000 != 0);
    Some(Packet {
        source,
        destination,
        protocol,
        body: bytes.get(header.max(20)..total.min(bytes.len()))?,
        cut: total > bytes.len(),
        fragment: (offset > 0 || more).then_some(Fragment { id, offset, more }),
    })
}

fn ipv6(bytes: &[u8]) -> Option<Packet<'_>> {
    let mut r = Reader::new(bytes);
    r.u32()?;
    let length = usize::from(r.u16()?);
    let mut protocol = r.u8()?;
    r.u8()?;
    let source = IpAddr::V6(Ipv6Addr::from(r.array::<16>()?));
    let destination = IpAddr::V6(Ipv6Addr::from(r.array::<16>()?));
    let there = r.left();
    let length = if length == 0 { there } else { length };
    let mut body = Reader::new(r.take(length.min(there))?);
    let mut fragment = None;
    // Extension headers: hop by hop, routing, destination options; fragment.
    while matches!(protocol, 0 | 43 | 44 | 60) {
        let next = body.u8()?;
        if protocol == 44 {
            body.u8()?;
            let flags = body.u16()?;
            let id = body.u32()?;
            let (offset, more) = (usize::from(flags & 0xfff8), flags & 1 != 0);
            fragment = (offset > 0 || more).then_some(Fragment { id, offset, more });
        } else {
            let words = usize::from(body.u8()?);
            body.take(6 + words * 8)?;
        }
        protocol = next;
        if fragment.is_some() {
            break;
        }
    }
    Some(Packet { source, destination, protocol, body: body.rest(), cut: length > there, fragment })
}

/// The UDP datagram or TCP segment in an IP packet's body.
pub(super) fn transport(protocol: u8, body: &[u8]) -> Option<Segment<'_>> {
    let mut r = Reader::new(body);
    let (source_port, destination_port) = (r.u16()?, r.u16()?);
    match protocol {
        UDP => {
            let length = usize::from(r.u16()?);
            r.u16()?;
            let payload = r.take(length.checked_sub(8)?.min(r.left()))?;
            Some(Segment { source_port, destination_port, tcp: None, payload })
        }
        TCP => {
            let sequence = r.u32()?;
            r.u32()?;
            let header = usize::from(r.u8()? >> 4) * 4;
            let start = r.u8()? & 0x02 != 0;
            let payload = body.get(header.max(20)..)?;
            let tcp = Some(Tcp { sequence, start });
            Some(Segment { source_port, destination_port, tcp, payload })
        }
        _ => None,
    }
}
