//! SRTP keys of the media: theirs from the description or SETUP's answer, ours in SETUP's `KeyMgmt` (RFC 4567, RFC 4568).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::Session;
use crate::rtp::srtp::mikey::Message;
use crate::rtp::srtp::sdes::Crypto;
use crate::rtp::srtp::{Error, Kind, Master, Protect, Suite, Unprotect};
use crate::rtsp::Response;
use crate::sdp::Media;

/// What decrypts a media, and encrypts what is sent for it.
#[derive(Debug)]
pub(super) struct Secure {
    /// Until the receiver takes it.
    pub(super) unprotect: Option<Unprotect>,
    pub(super) protect: Protect,
}

impl Session {
    /// The value of `KeyMgmt` in the SETUP that comes next. None where the description gives keys by `a=crypto`, or where
    /// nothing is encrypted.
    pub(super) fn key_mgmt(&self) -> Option<String> {
        if !cfg!(feature = "full") {
            return None;
        }
        let at = self.tracks.get(self.at)?.media;
        let media = self.presentation.as_ref()?.media.get(at)?;
        if !media.is_secure() || media.keys.key_mgmt.is_none() && !media.keys.crypto.is_empty() {
            return None;
        }
        let message = Message::new(self.own_master(media, at).ok()?, &[(self.own_ssrc, 0)]);
        let random = self.derived("SRTP message", at);
        let random = random.first_chunk().copied().unwrap_or_default();
        // The time is against replays of a message whose key is encrypted; ours is not, and this machine has no clock.
        let bytes = message.to_bytes(0, random);
        let url = &self.tracks.get(self.at)?.url;
        Some(format!("prot=mikey;uri=\"{url}\";data=\"{}\"", STANDARD.encode(bytes)))
    }

    /// What the media that is being set up needs once `response` has come; `None` where nothing is encrypted.
    pub(super) fn secure(&self, response: &Response) -> Result<Option<Secure>, Error> {
        let track = self.tracks.get(self.at);
        let media =
            track.and_then(|track| Some((track, self.presentation.as_ref()?.media.get(track.media)?)));
        let Some((track, media)) = media.filter(|(_, media)| media.is_secure()) else { return Ok(None) };
        if !cfg!(feature = "full") {
            return Err(NOT_COMPILED_IN);
        }
        let ours = self.own_master(media, track.media)?;
        let unprotect = match given(response)?.map_or_else(|| described(media), |given| Ok(Some(given)))? {
            Some(message) => {
                let mut unprotect = Unprotect::new(&message.master)?;
                for (ssrc, round) in message.streams {
                    unprotect.set_round(ssrc, round);
                }
                unprotect
            }
            // Axis: the camera has no key of its own and uses the client's (answers 463 to one that gives none).
            None => Unprotect::new(&ours)?,
        };
        Ok(Some(Secure { unprotect: Some(unprotect), protect: Protect::new(&ours)? }))
    }

    /// What decrypts a media, once it is set up and encrypted; it is handed out once.
    pub fn take_unprotect(&mut self, media: usize) -> Option<Unprotect> {
        let mut tracks = self.tracks.iter_mut();
        let track = tracks.find(|track| track.media == media && cfg!(feature = "full"))?;
        track.secure.as_mut()?.unprotect.take()
    }

    fn own_master(&self, media: &Media, at: usize) -> Result<Master, Error> {
        own_master(&self.config.seed, media, at)
    }

    fn derived(&self, purpose: &str, at: usize) -> [u8; 32] {
        derived(&self.config.seed, purpose, at)
    }
}

/// Our own key for the media at `at`: of the suite that the camera uses, else of the one that every device has.
pub(crate) fn own_master(seed: &[u8; 32], media: &Media, at: usize) -> Result<Master, Error> {
    let theirs = described(media)?;
    let suite = theirs.as_ref().map_or(Suite::AesCm128Sha1Tag80, |message| message.master.suite());
    let mut key = Vec::from(derived(seed, "SRTP key", at));
    key.extend(derived(seed, "SRTP salt", at));
    let master = Master::new(suite, key.get(..suite.key_length() + suite.salt_length()).unwrap_or(&key))?;
    // Axis wants an identifier of four bytes on keys that the client gives.
    if theirs.is_none() { master.with_mki(&[0, 0, 0, 1]) } else { Ok(master) }
}

fn derived(seed: &[u8; 32], purpose: &str, at: usize) -> [u8; 32] {
    let hash = Sha256::new().chain_update(seed).chain_update(purpose);
    hash.chain_update((at as u64).to_be_bytes()).finalize().into()
}

/// The key that SETUP's answer gives.
pub(crate) fn given(response: &Response) -> Result<Option<Message>, Error> {
    response.headers.get("KeyMgmt").and_then(data).map(|data| Message::parse(&data)).transpose()
}

/// The camera's key, by the description: MIKEY before SDES, of which the first that is known here.
pub(crate) fn described(media: &Media) -> Result<Option<Message>, Error> {
    if let Some(value) = &media.keys.key_mgmt {
        let base64 = value.trim().strip_prefix("mikey").map(str::trim);
        let bytes = base64.and_then(|text| STANDARD.decode(text).ok()).ok_or(BAD)?;
        return Message::parse(&bytes).map(Some);
    }
    let mut last = None;
    for value in &media.keys.crypto {
        match Crypto::parse(value) {
            Ok(crypto) => return Ok(Some(Message::new(crypto.master, &[]))),
            Err(error) => last = Some(error),
        }
    }
    last.map_or(Ok(None), Err)
}

const NOT_COMPILED_IN: Error = Error { kind: Kind::UnsupportedSuite, at: crate::fault::Offset(0) };
const BAD: Error = Error { kind: Kind::Mikey, at: crate::fault::Offset(0) };

/// `data="…"` of a `KeyMgmt` field.
fn data(value: &str) -> Option<Vec<u8>> {
    let at = value.find("data=")?;
    let text = value.get(at + 5..)?.trim_start_matches('"');
    let end = text.find(['"', ';', ',']).unwrap_or(text.len());
    STANDARD.decode(text.get(..end)?).ok()
}
