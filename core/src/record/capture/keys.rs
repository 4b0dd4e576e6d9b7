//! Keys of SRTP in what is written down: none stays, and the packets are sealed again under what stands in their place, so
//! that a replay opens them as the session did.

use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::redact::{find, starts_with};
use crate::rtp::srtp::mikey::erase_keys;
use crate::rtp::srtp::{Master, Reseal};
use crate::rtsp::Message;
use crate::sdp::Presentation;
use crate::session::keys::{described, given, own_master};

/// Keys of one connection. Cameras have one for each media.
const MOST: usize = 16;

/// Takes the keys out of a line of a message, without changing its length: of `a=crypto`, `a=key-mgmt` or `KeyMgmt`.
pub(super) fn erase(line: &mut [u8]) {
    if starts_with(line, b"a=crypto:") {
        let mut at = 0;
        while let Some(found) = line.get(at..).and_then(|rest| find(rest, b"inline:")) {
            at += found + 7;
            let length = base64_len(line.get(at..).unwrap_or_default());
            blank(line.get_mut(at..at + length).unwrap_or_default());
        }
        return;
    }
    let name: &[u8] = match () {
        () if starts_with(line, b"a=key-mgmt:") => b"mikey",
        () if starts_with(line, b"keymgmt:") => b"data=",
        () => return,
    };
    let mut at = 0;
    while let Some(found) = line.get(at..).and_then(|rest| find(rest, name)) {
        at += found + name.len();
        let rest = line.get(at..).unwrap_or_default();
        at += rest.iter().take_while(|b| matches!(b, b' ' | b'"')).count();
        let length = base64_len(line.get(at..).unwrap_or_default());
        let Some(text) = line.get_mut(at..at + length) else { return };
        let erased = STANDARD
            .decode(&*text)
            .ok()
            .filter(|_| !text.is_empty())
            .and_then(|mut message| erase_keys(&mut message).then(|| STANDARD.encode(message)));
        match erased {
            Some(erased) if erased.len() == text.len() => text.copy_from_slice(erased.as_bytes()),
            _ => blank(text),
        }
        at += length;
    }
}

fn base64_len(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)).count()
}

/// Zeros, in Base64.
fn blank(text: &mut [u8]) {
    text.iter_mut().filter(|b| **b != b'=').for_each(|b| *b = b'A');
}

/// Seals the packets of one connection again.
#[derive(Debug, Default)]
pub(super) struct Reseals {
    keys: Vec<Reseal>,
}

impl Reseals {
    /// Is anything encrypted?
    pub(super) const fn any(&self) -> bool {
        !self.keys.is_empty()
    }

    /// What a description says of keys, and what it says without them. Where it has none the client's own count, which are
    /// made of these seeds.
    pub(super) fn described(
        &mut self,
        real: &Presentation,
        erased: &Presentation,
        seeds: (&[u8; 32], &[u8; 32]),
    ) {
        for (at, (real, erased)) in
            real.media.iter().zip(&erased.media).enumerate().filter(|(_, m)| m.0.is_secure())
        {
            match (described(real), described(erased)) {
                (Ok(Some(real)), Ok(Some(erased))) => self.add(&real.master, &erased.master, &real.streams),
                (Ok(None), Ok(None)) => {
                    if let (Ok(from), Ok(to)) =
                        (own_master(seeds.0, real, at), own_master(seeds.1, erased, at))
                    {
                        self.add(&from, &to, &[]);
                    }
                }
                _ => {}
            }
        }
    }

    /// What an answer to SETUP says of them.
    pub(super) fn answered(&mut self, real: &Message, erased: &Message) {
        let (Message::Response(real), Message::Response(erased)) = (real, erased) else { return };
        if let (Ok(Some(real)), Ok(Some(erased))) = (given(real), given(erased)) {
            self.add(&real.master, &erased.master, &real.streams);
        }
    }

    fn add(&mut self, from: &Master, to: &Master, rounds: &[(u32, u32)]) {
        if self.keys.len() < MOST {
            self.keys.extend(Reseal::new(from, to, rounds));
        }
    }

    /// A packet; `work` gets the RTP packet that is in it. False where no key opens it.
    pub(super) fn packet(&mut self, packet: &mut [u8], mut work: impl FnMut(&mut [u8])) -> bool {
        // RFC 5761 §4.
        if packet.get(1).is_some_and(|kind| (200..=211).contains(kind)) {
            self.keys.iter_mut().any(|key| key.rtcp(packet))
        } else {
            self.keys.iter_mut().any(|key| key.rtp(packet, &mut work))
        }
    }
}
