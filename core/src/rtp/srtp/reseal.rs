//! From one key to another, byte for byte in place: what is written down must not hold a key, nor need one.

use super::keys::{SessionKeys, Side};
use super::{Error, INDEX, Master, Suite, Unprotect, rtp_header};

/// Opens what a peer sends, and seals it again as if it had been sent under another key of the same suite and identifier.
/// What does not open stays as it is.
#[derive(Clone, Debug)]
pub(crate) struct Reseal {
    open: Unprotect,
    seal: Seal,
}

#[derive(Clone)]
struct Seal {
    suite: Suite,
    mki: usize,
    rtp: SessionKeys,
    rtcp: SessionKeys,
}

impl core::fmt::Debug for Seal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Seal").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Reseal {
    /// From a key to another of the same suite. `rounds`: where roll-over counters start, source by source.
    pub(crate) fn new(from: &Master, to: &Master, rounds: &[(u32, u32)]) -> Result<Self, Error> {
        let mut open = Unprotect::new(from)?;
        rounds.iter().for_each(|(ssrc, round)| open.set_round(*ssrc, *round));
        let seal = Seal {
            suite: to.suite,
            mki: to.mki.len(),
            rtp: SessionKeys::derive(to, Side::Rtp)?,
            rtcp: SessionKeys::derive(to, Side::Rtcp)?,
        };
        Ok(Self { open, seal })
    }

    /// An SRTP packet. `work` gets the RTP packet in it, and leaves its header and length as they are. False where it is none
    /// of this key's.
    pub(crate) fn rtp(&mut self, packet: &mut [u8], work: impl FnOnce(&mut [u8])) -> bool {
        let Some(mut clear) = self.open.rtp(packet).ok().map(<[u8]>::to_vec) else { return false };
        work(&mut clear);
        self.seal.rtp(self.open.last_index(), &clear, packet).is_some()
    }

    /// An SRTCP packet.
    pub(crate) fn rtcp(&mut self, packet: &mut [u8]) -> bool {
        let Some(clear) = self.open.rtcp(packet).ok().map(<[u8]>::to_vec) else { return false };
        self.seal.rtcp(&clear, packet).is_some()
    }
}

impl Seal {
    fn rtp(&self, index: u64, clear: &[u8], packet: &mut [u8]) -> Option<()> {
        let header = rtp_header(clear)?;
        let ssrc = u32::from_be_bytes(*clear.get(8..)?.first_chunk()?);
        let (inside, tag) = packet.split_at_mut_checked(clear.len())?;
        inside.copy_from_slice(clear);
        let (head, body) = inside.split_at_mut_checked(header)?;
        if let Some(sealed) = self.rtp.seal(ssrc, index, head, body) {
            tag.get_mut(..sealed.len())?.copy_from_slice(&sealed);
        } else {
            self.rtp.counter_mode(ssrc, index, body);
            let hmac = self.rtp.hmac(inside, &((index >> 16) as u32).to_be_bytes());
            let length = self.suite.rtp_tag();
            tag.get_mut(self.mki..)?.get_mut(..length)?.copy_from_slice(hmac.get(..length)?);
        }
        Some(())
    }

    fn rtcp(&self, clear: &[u8], packet: &mut [u8]) -> Option<()> {
        const HEADER: usize = 8;
        let ssrc = u32::from_be_bytes(*clear.get(4..)?.first_chunk()?);
        let (inside, rest) = packet.split_at_mut_checked(clear.len())?;
        // Payload, index, identifier, tag; in GCM payload, tag, index, identifier.
        let at = if self.suite.is_gcm() { self.suite.rtcp_tag() } else { 0 };
        let word: [u8; INDEX] = *rest.get(at..)?.first_chunk()?;
        let index = u64::from(u32::from_be_bytes(word) & 0x7fff_ffff);
        let encrypted = word.first()? & 0x80 != 0;
        inside.copy_from_slice(clear);
        let (head, body) = inside.split_at_mut_checked(if encrypted { HEADER } else { clear.len() })?;
        let associated = [&*head, &word].concat();
        if let Some(sealed) = self.rtcp.seal(ssrc, index, &associated, body) {
            rest.get_mut(..sealed.len())?.copy_from_slice(&sealed);
        } else {
            if encrypted {
                self.rtcp.counter_mode(ssrc, index, body);
            }
            let hmac = self.rtcp.hmac(inside, &word);
            let length = self.suite.rtcp_tag();
            rest.get_mut(INDEX + self.mki..)?.get_mut(..length)?.copy_from_slice(hmac.get(..length)?);
        }
        Some(())
    }
}
