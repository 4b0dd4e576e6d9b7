//! The sender's side: re-streaming, simulated cameras, and our own reports.

use alloc::vec::Vec;

use super::keys::{SessionKeys, Side};
use super::{Error, Kind, MOST_SOURCES, Master, Suite, rtp_header, rtp_identity};
use crate::octets::Write as _;

/// Encrypts and signs what is sent under one master key.
#[derive(Clone)]
pub struct Protect {
    suite: Suite,
    mki: Vec<u8>,
    rtp: SessionKeys,
    rtcp: SessionKeys,
    sources: Vec<Source>,
}

#[derive(Clone, Copy)]
struct Source {
    ssrc: u32,
    /// Of the RTP packet sent last, if there was one.
    index: Option<u64>,
    rtcp_index: u32,
}

impl Protect {
    /// With this key.
    ///
    /// # Errors
    /// `KeyLength`.
    pub fn new(master: &Master) -> Result<Self, Error> {
        Ok(Self {
            suite: master.suite,
            mki: master.mki.clone(),
            rtp: SessionKeys::derive(master, Side::Rtp)?,
            rtcp: SessionKeys::derive(master, Side::Rtcp)?,
            sources: Vec::new(),
        })
    }

    /// Bytes that RTP grows by.
    #[must_use]
    pub fn overhead(&self) -> usize {
        self.suite.rtp_tag() + self.mki.len()
    }

    /// The roll-over counter of a source, which who joins late must be told; 0 for one that has not sent.
    #[must_use]
    pub fn round(&self, ssrc: u32) -> u32 {
        let source = self.sources.iter().find(|source| source.ssrc == ssrc);
        source.and_then(|source| source.index).map_or(0, |index| (index >> 16) as u32)
    }

    /// An RTP packet, the whole of `packet`, to an SRTP packet. Packets of a source are to be given in their order.
    ///
    /// # Errors
    /// `TooShort`, `TooManySources`; `UsedUp` after 2^48 packets.
    pub fn rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), Error> {
        let short = Error::at(Kind::TooShort, packet.len());
        let (sequence, ssrc) = rtp_identity(packet).ok_or(short)?;
        let header = rtp_header(packet).ok_or(short)?;
        let source = source(&mut self.sources, ssrc)?;
        let index = match source.index {
            None => u64::from(sequence),
            Some(last) => {
                let step = i64::from(super::super::sequence_distance(last as u16, sequence));
                last.checked_add_signed(step).unwrap_or(u64::from(sequence))
            }
        };
        if index >> 48 != 0 {
            return Err(Error::at(Kind::UsedUp, 2));
        }
        source.index = Some(source.index.map_or(index, |last| last.max(index)));
        let (head, body) = packet.split_at_mut(header);
        if let Some(tag) = self.rtp.seal(ssrc, index, head, body) {
            packet.put(&tag);
            packet.put(&self.mki);
        } else {
            self.rtp.counter_mode(ssrc, index, body);
            let tag = self.rtp.hmac(packet, &((index >> 16) as u32).to_be_bytes());
            packet.put(&self.mki);
            packet.put(tag.get(..self.suite.rtp_tag()).unwrap_or_default());
        }
        Ok(())
    }

    /// A compound RTCP packet, the whole of `packet`, to an SRTCP packet.
    ///
    /// # Errors
    /// `TooShort`, `TooManySources`; `UsedUp` after 2^31 packets.
    pub fn rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Error> {
        const HEADER: usize = 8;
        let short = Error::at(Kind::TooShort, packet.len());
        let ssrc =
            packet.get(4..HEADER).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes).ok_or(short)?;
        let source = source(&mut self.sources, ssrc)?;
        let index = source.rtcp_index;
        if index >> 31 != 0 {
            return Err(Error::at(Kind::UsedUp, 0));
        }
        source.rtcp_index += 1;
        let word = (index | 1 << 31).to_be_bytes();
        let (head, body) = packet.split_at_mut(HEADER);
        let associated = [&*head, &word].concat();
        if let Some(tag) = self.rtcp.seal(ssrc, u64::from(index), &associated, body) {
            packet.put(&tag);
            packet.put(&word);
            packet.put(&self.mki);
        } else {
            self.rtcp.counter_mode(ssrc, u64::from(index), body);
            packet.put(&word);
            let tag = self.rtcp.hmac(packet, &[]);
            packet.put(&self.mki);
            packet.put(tag.get(..self.suite.rtcp_tag()).unwrap_or_default());
        }
        Ok(())
    }
}

fn source(sources: &mut Vec<Source>, ssrc: u32) -> Result<&mut Source, Error> {
    let at = match sources.iter().position(|source| source.ssrc == ssrc) {
        Some(at) => at,
        None if sources.len() < MOST_SOURCES => {
            sources.push(Source { ssrc, index: None, rtcp_index: 0 });
            sources.len() - 1
        }
        None => return Err(Error::at(Kind::TooManySources, 8)),
    };
    sources.get_mut(at).ok_or(Error::at(Kind::TooManySources, 8))
}

impl core::fmt::Debug for Protect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Protect").field("suite", &self.suite).finish_non_exhaustive()
    }
}
