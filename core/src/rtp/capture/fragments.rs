//! UDP datagrams larger than the network takes (Tapo sends 10 000 bytes at a time) out of their IP fragments.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::link::{self, Fragment, Packet, UDP};

/// Datagrams that are put together at a time.
const OPEN: usize = 16;
/// Bytes of the largest datagram.
const LARGEST: usize = 65_535;

/// Datagrams of which parts are there.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    open: Vec<Parts>,
}

#[derive(Debug)]
struct Parts {
    key: (IpAddr, IpAddr, u32),
    bytes: Vec<u8>,
    /// The parts that are there, as (from, to).
    ranges: Vec<(usize, usize)>,
    /// Where the last part ends.
    end: Option<usize>,
}

impl Fragments {
    /// Adds a part; gives the datagram's addresses and payload when it was the last one missing.
    pub(super) fn push(
        &mut self,
        packet: &Packet<'_>,
        fragment: Fragment,
    ) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let (from, to) = (fragment.offset, fragment.offset + packet.body.len());
        if packet.protocol != UDP || packet.cut || to > LARGEST {
            return None;
        }
        let key = (packet.source, packet.destination, fragment.id);
        let at = self.open.iter().position(|parts| parts.key == key).unwrap_or_else(|| {
            if self.open.len() == OPEN {
                self.open.remove(0);
            }
            self.open.push(Parts { key, bytes: Vec::new(), ranges: Vec::new(), end: None });
            self.open.len() - 1
        });
        let parts = self.open.get_mut(at)?;
        if parts.bytes.len() < to {
            parts.bytes.resize(to, 0);
        }
        parts.bytes.get_mut(from..to)?.copy_from_slice(packet.body);
        if parts.ranges.len() < LARGEST / 8 {
            parts.ranges.push((from, to));
        }
        if !fragment.more {
            parts.end = Some(to);
        }
        if !parts.complete() {
            return None;
        }
        let whole = self.open.remove(at);
        let datagram = link::transport(UDP, &whole.bytes)?;
        let source = SocketAddr::new(packet.source, datagram.source_port);
        let destination = SocketAddr::new(packet.destination, datagram.destination_port);
        Some((source, destination, datagram.payload.to_vec()))
    }
}

impl Parts {
    fn complete(&mut self) -> bool {
        let Some(end) = self.end else { return false };
        self.ranges.sort_unstable();
        let mut reached = 0;
        for &(from, to) in &self.ranges {
            if from > reached {
                return false;
            }
            reached = reached.max(to);
        }
        reached == end
    }
}
