//! Where multicast goes and who may send it: `c=` (RFC 8866 §5.7) and `a=source-filter` (RFC 4570).

use alloc::vec::Vec;
use core::net::IpAddr;

/// `c=IN IP4 <group>[/<ttl>[/<count>]]`. Ten makes write something else there, so only a group that can be joined
/// counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The group.
    pub address: IpAddr,
    /// How far its packets go; IPv6 has no such number here.
    pub ttl: Option<u8>,
}

impl Group {
    /// Reads the value of `c=`; `None` for what is no multicast address.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let last = value.split_whitespace().last()?;
        let mut parts = last.split('/');
        let address: IpAddr = parts.next()?.parse().ok()?;
        let ttl = parts.next().filter(|_| address.is_ipv4()).and_then(|ttl| ttl.parse().ok());
        address.is_multicast().then_some(Self { address, ttl })
    }
}

/// The senders that `incl IN IP4 <destination> <source>…` lets through. `excl` names senders that cannot be left out by
/// a receiver that knows none but this one: it is skipped.
pub(super) fn included_sources(value: &str) -> Vec<IpAddr> {
    let mut words = value.split_whitespace();
    if !words.next().is_some_and(|mode| mode.eq_ignore_ascii_case("incl")) {
        return Vec::new();
    }
    words.skip(3).filter_map(|word| word.parse().ok()).take(8).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn only_groups_count() {
        let group = |value| Group::parse(value).map(|g| (alloc::format!("{}", g.address), g.ttl));
        assert_eq!(group("IN IP4 239.1.2.3/127"), Some(("239.1.2.3".into(), Some(127))));
        assert_eq!(group("IN IP4 239.1.2.3/15/2"), Some(("239.1.2.3".into(), Some(15))));
        assert_eq!(group("IN IP6 ff15::1/2"), Some(("ff15::1".into(), None)));
        // Hikvision media server; Uniview; a unicast address; Avigilon.
        assert_eq!(group("IN c=IN IP4 239.1.2.3"), Some(("239.1.2.3".into(), None)));
        for odd in ["IN", "IN IP4 0.0.0.0", "SM SM spk0", ""] {
            assert_eq!(group(odd), None, "{odd}");
        }
    }

    /// RFC 4570 §3.2.
    #[test]
    fn source_filters() {
        let expected: Vec<IpAddr> = ["192.0.2.10", "192.0.2.11"].iter().map(|a| a.parse().unwrap()).collect();
        assert_eq!(included_sources(" incl IN IP4 233.252.0.2 192.0.2.10 192.0.2.11"), expected);
        assert_eq!(included_sources("incl IN IP4 * 192.0.2.10"), expected[..1]);
        assert_eq!(included_sources("excl IN IP4 * 192.0.2.10"), [] as [IpAddr; 0]);
        assert_eq!(included_sources("incl"), [] as [IpAddr; 0]);
    }
}
