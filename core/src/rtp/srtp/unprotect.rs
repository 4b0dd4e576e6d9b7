//! The receiver's side.

use alloc::vec::Vec;

use super::keys::{SessionKeys, Side};
use super::window::Window;
use super::{Error, INDEX, Kind, MOST_MASTERS, MOST_SOURCES, Master, Suite, rtp_header, rtp_identity};

/// Authenticates and decrypts what one peer sends.
#[derive(Clone)]
pub struct Unprotect {
    masters: Vec<Keys>,
    /// Bytes of the identifiers; all have the same (RFC 4568 §6.1).
    mki: usize,
    rtp: Vec<(u32, Window)>,
    rtcp: Vec<(u32, Window)>,
    /// The first roll-over counter of each source, as MIKEY tells it (RFC 3830 §6.1.1).
    rounds: Vec<(u32, u32)>,
    packet: Vec<u8>,
    /// Of the RTP packet in `packet`, RFC 3711 §3.3.1.
    index: u64,
}

#[derive(Clone)]
struct Keys {
    suite: Suite,
    mki: Vec<u8>,
    rtp: SessionKeys,
    rtcp: SessionKeys,
}

impl Unprotect {
    /// With one master key; [`with`](Self::with) adds further ones.
    ///
    /// # Errors
    /// `KeyLength`.
    pub fn new(master: &Master) -> Result<Self, Error> {
        let unprotect = Self {
            masters: Vec::new(),
            mki: master.mki.len(),
            rtp: Vec::new(),
            rtcp: Vec::new(),
            rounds: Vec::new(),
            packet: Vec::new(),
            index: 0,
        };
        unprotect.with(master)
    }

    /// With one more master key, told apart by its identifier: a new key comes into use while packets under the old one are
    /// still on their way.
    ///
    /// # Errors
    /// `KeyLength`: the key, or an identifier of another length than the others'. `TooManySources`: eight keys are known.
    pub fn with(mut self, master: &Master) -> Result<Self, Error> {
        if master.mki.len() != self.mki {
            return Err(Error::at(Kind::KeyLength, master.mki.len()));
        }
        if self.masters.len() >= MOST_MASTERS {
            return Err(Error::at(Kind::TooManySources, self.masters.len()));
        }
        self.masters.push(Keys {
            suite: master.suite,
            mki: master.mki.clone(),
            rtp: SessionKeys::derive(master, Side::Rtp)?,
            rtcp: SessionKeys::derive(master, Side::Rtcp)?,
        });
        Ok(self)
    }

    /// Where a source's roll-over counter starts: who joins a stream late must be told.
    pub fn set_round(&mut self, ssrc: u32, round: u32) {
        if self.rounds.len() < MOST_SOURCES {
            self.rounds.push((ssrc, round));
        }
    }

    /// The index of the RTP packet taken last.
    pub(super) const fn last_index(&self) -> u64 {
        self.index
    }

    #[cfg(test)]
    pub(super) fn packet(&self) -> &[u8] {
        &self.packet
    }

    /// An SRTP packet, the whole of `bytes`, to the RTP packet in it.
    ///
    /// # Errors
    /// The packet is not to be used.
    pub fn rtp(&mut self, bytes: &[u8]) -> Result<&[u8], Error> {
        let short = Error::at(Kind::TooShort, bytes.len());
        let (sequence, ssrc) = rtp_identity(bytes).ok_or(short)?;
        let header = rtp_header(bytes).ok_or(short)?;
        let at = self.rtp.iter().position(|(known, _)| *known == ssrc);
        let index = match at.and_then(|at| self.rtp.get(at)) {
            Some((_, window)) => {
                let index = window.estimate(sequence);
                if window.is_stale(index) {
                    return Err(Error::at(Kind::Replayed, 2));
                }
                index
            }
            None => {
                let told = self.rounds.iter().find(|(known, _)| *known == ssrc || *known == 0);
                u64::from(told.map_or(0, |(_, round)| *round)) << 16 | u64::from(sequence)
            }
        };
        let keys = find(&self.masters, bytes, self.mki, |suite| {
            // The identifier stands before the tag in RFC 3711 §3.1, behind it in RFC 7714 §8.1, where the tag is part of
            // the ciphertext.
            if suite.is_gcm() { 0 } else { suite.rtp_tag() }
        })?;
        let tag = keys.suite.rtp_tag();
        let end = bytes.len().checked_sub(tag + self.mki).filter(|end| *end >= header).ok_or(short)?;
        self.packet.clear();
        if keys.suite.is_gcm() {
            self.packet.extend_from_slice(bytes.get(..end).ok_or(short)?);
            let tag = bytes.get(end..end + tag).and_then(|tag| tag.try_into().ok()).ok_or(short)?;
            let (head, body) = self.packet.split_at_mut(header);
            if !keys.rtp.open(ssrc, index, head, body, tag) {
                return Err(Error::at(Kind::Tag, end));
            }
        } else {
            let signed = bytes.get(..end).ok_or(short)?;
            let given = bytes.get(bytes.len() - tag..).ok_or(short)?;
            if !keys.rtp.is_tag(signed, &((index >> 16) as u32).to_be_bytes(), given) {
                return Err(Error::at(Kind::Tag, bytes.len() - tag));
            }
            self.packet.extend_from_slice(signed);
            keys.rtp.counter_mode(ssrc, index, self.packet.get_mut(header..).unwrap_or_default());
        }
        accept(&mut self.rtp, at, ssrc, index)?;
        self.index = index;
        Ok(&self.packet)
    }

    /// An SRTCP packet, the whole of `bytes`, to the compound in it.
    ///
    /// # Errors
    /// The packet is not to be used.
    pub fn rtcp(&mut self, bytes: &[u8]) -> Result<&[u8], Error> {
        const HEADER: usize = 8;
        let short = Error::at(Kind::TooShort, bytes.len());
        let ssrc =
            bytes.get(4..HEADER).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes).ok_or(short)?;
        let keys =
            find(&self.masters, bytes, self.mki, |suite| if suite.is_gcm() { 0 } else { suite.rtcp_tag() })?;
        let (tag, gcm) = (keys.suite.rtcp_tag(), keys.suite.is_gcm());
        let without =
            bytes.len().checked_sub(tag + self.mki + INDEX).filter(|n| *n >= HEADER).ok_or(short)?;
        // RFC 3711 §3.4: payload, index, MKI, tag. RFC 7714 §9.2: payload, tag, index, MKI.
        let index_at = if gcm { without + tag } else { without };
        let word = bytes.get(index_at..index_at + INDEX).ok_or(short)?;
        let word: [u8; 4] = word.try_into().map_err(|_| short)?;
        let (encrypted, index) = (word[0] & 0x80 != 0, u64::from(u32::from_be_bytes(word) & 0x7fff_ffff));
        let at = self.rtcp.iter().position(|(known, _)| *known == ssrc);
        if at.and_then(|at| self.rtcp.get(at)).is_some_and(|(_, window)| window.is_stale(index)) {
            return Err(Error::at(Kind::Replayed, index_at));
        }
        self.packet.clear();
        self.packet.extend_from_slice(bytes.get(..without).ok_or(short)?);
        if gcm {
            let given = bytes.get(without..index_at).and_then(|tag| tag.try_into().ok()).ok_or(short)?;
            let split = if encrypted { HEADER } else { without };
            let (head, body) = self.packet.split_at_mut(split);
            let associated = [&*head, &word].concat();
            if !keys.rtcp.open(ssrc, index, &associated, body, given) {
                return Err(Error::at(Kind::Tag, without));
            }
        } else {
            let signed = bytes.get(..without + INDEX).ok_or(short)?;
            let given = bytes.get(bytes.len() - tag..).ok_or(short)?;
            if !keys.rtcp.is_tag(signed, &[], given) {
                return Err(Error::at(Kind::Tag, bytes.len() - tag));
            }
            if encrypted {
                keys.rtcp.counter_mode(ssrc, index, self.packet.get_mut(HEADER..).unwrap_or_default());
            }
        }
        accept(&mut self.rtcp, at, ssrc, index)?;
        Ok(&self.packet)
    }
}

/// The keys that a packet names, whose identifier stands before the last `behind` bytes.
fn find<'a>(
    masters: &'a [Keys],
    bytes: &[u8],
    mki: usize,
    behind: impl Fn(Suite) -> usize,
) -> Result<&'a Keys, Error> {
    let named = |keys: &&Keys| {
        let end = bytes.len().checked_sub(behind(keys.suite));
        let name = end.and_then(|end| bytes.get(end.checked_sub(mki)?..end));
        mki == 0 || name == Some(&keys.mki[..])
    };
    masters.iter().find(named).ok_or(Error::at(Kind::UnknownKey, bytes.len()))
}

fn accept(sources: &mut Vec<(u32, Window)>, at: Option<usize>, ssrc: u32, index: u64) -> Result<(), Error> {
    if let Some((_, window)) = at.and_then(|at| sources.get_mut(at)) {
        window.accept(index);
    } else if sources.len() < MOST_SOURCES {
        sources.push((ssrc, Window::new(index)));
    } else {
        return Err(Error::at(Kind::TooManySources, 8));
    }
    Ok(())
}

impl core::fmt::Debug for Unprotect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Unprotect")
            .field("keys", &self.masters.len())
            .field("sources", &self.rtp.len())
            .finish()
    }
}
