//! Is an interleaved packet what it says, or was it cut short, so that it ends in items that came after it?
//!
//! A packet that was cut short (RFC 2326 §10.12 has no check of it) fills up with what follows, to the length that its
//! header says. Where that does not end between two items the place is lost, and [`Item::Skipped`](super::Item::Skipped)
//! tells so before anything behind it comes out: soon enough for whatever is still open. It is too late for a packet with
//! the marker, which ends its picture at once. Such a packet is looked through for what it would have swallowed: an
//! interleaved header with a header of RTP or RTCP of a known source behind it, or a message. 49 bits of it are fixed or
//! nearly so: bytes of pictures do not look so by chance (2⁻⁴⁹ at each of 1,400 places).
//!
//! What is swallowed may end within that header; then the bytes behind the packet tell. They were sent together with
//! those at its end, and are there already; where they are not, they are waited for, for 2 ms at most. A packet's last byte
//! is a `$` in one of 256, and its last two could begin a header in one of 16,000.
//!
//! Packets without the marker are not looked through: that would cost more than all the rest of the reading. What they
//! swallow unseen is what ends exactly where they end. Packets of their own stream are then missing by their numbers.
//! Where several media are set up, those of another may be what was swallowed: then all packets are looked through. What
//! is left is the RTCP of a single media, which comes once in seconds and always with the same length: a header at that
//! distance from a packet's end is looked for.
//!
//! What can still pass: the first packet of another media, whose source is not known yet; a message of which fewer than
//! four bytes were swallowed; a second packet cut within the sixteen bytes that would have told of the first; a picture
//! whose next one begins, behind a start code, in the header of what was swallowed. Each takes a coincidence of one in
//! millions in an event that is rare itself.

use memchr::{memchr_iter, memmem};

use super::{Channels, Expected};

/// Bytes behind a packet that are looked at.
pub(super) const BEHIND: usize = 16;

/// What is known of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds nothing but itself.
    Whole,
    /// It holds an item that came after it.
    Cut,
    /// The bytes behind it will tell.
    Open,
}

/// What was learnt of the peer's items.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Channels and the SSRC last seen on each: never more than were agreed on.
    ssrcs: alloc::vec::Vec<(u8, u32)>,
    /// Channel and length of the last packet of RTCP.
    report: Option<(u8, u16)>,
}

impl Known {
    fn ssrc(&self, channel: u8) -> Option<u32> {
        self.ssrcs.iter().find(|(known, _)| *known == channel).map(|(_, ssrc)| *ssrc)
    }

    fn learn(&mut self, channel: u8, ssrc: u32) {
        match self.ssrcs.iter_mut().find(|(known, _)| *known == channel) {
            Some((_, known)) => *known = ssrc,
            None => self.ssrcs.push((channel, ssrc)),
        }
    }
}

fn ssrc(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

impl Expected {
    fn media(&self, channel: u8) -> Option<&Channels> {
        self.channels.iter().find(|media| channel == media.rtp || channel == media.rtcp)
    }

    /// Judges the packet of `len` bytes that `bytes` begins with, on `channel`; behind it stands what came after it. Says
    /// also whether its own header is what was to be expected.
    #[cold]
    pub(super) fn judge(&self, known: &mut Known, channel: u8, len: usize, bytes: &[u8]) -> (Verdict, bool) {
        let Some(media) = self.media(channel) else { return (Verdict::Whole, false) };
        let packet = bytes.get(..len).unwrap_or(bytes);
        let source = ssrc(packet, if channel == media.rtp { 8 } else { 4 });
        let own = source.filter(|_| self.fits(channel, len, packet)).map(|source| (channel, source));
        let verdict = self.look_through(known, own, len, bytes);
        let Some((_, source)) = own else { return (verdict, false) };
        let proved = known.ssrc(channel).is_none_or(|known| known == source);
        if verdict == Verdict::Whole {
            known.learn(channel, source);
            if channel != media.rtp {
                known.report = u16::try_from(len).ok().map(|len| (channel, len));
            }
        }
        (verdict, proved)
    }

    /// As [`judge`](Self::judge), of a packet of the only media that has no marker.
    #[inline]
    pub(super) fn ends_in_report(known: &Known, packet: &[u8]) -> bool {
        let Some((channel, len)) = known.report else { return false };
        let tail = packet.len().checked_sub(usize::from(len) + 4).and_then(|at| packet.get(at..));
        let header = u32::from(b'$') << 24 | u32::from(channel) << 16 | u32::from(len);
        tail.and_then(<[u8]>::first_chunk).is_some_and(|first| u32::from_be_bytes(*first) == header)
            && tail.and_then(|tail| ssrc(tail, 8)) == known.ssrc(channel)
    }

    fn look_through(&self, known: &Known, own: Option<(u8, u32)>, len: usize, bytes: &[u8]) -> Verdict {
        let packet = bytes.get(..len).unwrap_or(bytes);
        for at in memchr_iter(b'$', packet) {
            match self.begins(known, own, bytes.get(at..).unwrap_or_default()) {
                Some(true) => return Verdict::Cut,
                Some(false) => {}
                None => return Verdict::Open,
            }
        }
        for at in memmem::find_iter(packet, b"RTSP") {
            match begins_message(bytes, at) {
                Some(true) => return Verdict::Cut,
                Some(false) => {}
                None => return Verdict::Open,
            }
        }
        Verdict::Whole
    }

    /// Does an item of a known source begin here? `own`: channel and source of the packet itself. `None` where that takes
    /// more bytes to say.
    fn begins(&self, known: &Known, own: Option<(u8, u32)>, bytes: &[u8]) -> Option<bool> {
        let channel = bytes.get(1)?;
        let Some(media) = self.media(*channel) else { return Some(false) };
        let rtp = *channel == media.rtp;
        if let Some([high, low]) = bytes.get(2..4)
            && u16::from_be_bytes([*high, *low]) < if rtp { 12 } else { 8 }
        {
            return Some(false);
        }
        let fits = |at: usize, is: &dyn Fn(u8) -> bool| bytes.get(at).is_none_or(|byte| is(*byte));
        let kind = |byte: u8| match media.payload_type {
            _ if !rtp => (200..=211).contains(&byte),
            Some(payload_type) => byte & 0x7f == payload_type,
            None => true,
        };
        let from = if rtp { 4 + 8 } else { 8 };
        // Most cameras have the same in RTP and RTCP.
        let sources = [
            known.ssrc(*channel).or_else(|| known.ssrc(media.rtp)),
            own.filter(|(on, _)| on == channel || *on == media.rtp).map(|(_, source)| source),
        ];
        let there = bytes.get(from..).unwrap_or_default();
        let is = |source: u32| there.iter().zip(source.to_be_bytes()).all(|(a, b)| *a == b);
        let same = sources.into_iter().flatten().any(is);
        if !fits(4, &|byte| byte >> 6 == 2) || !fits(5, &kind) || !same {
            return Some(false);
        }
        (there.len() >= 4).then_some(true)
    }
}

/// Is the `RTSP` at `at` of a start line, RFC 2326 §6.1 and §7.1? `None` where that takes more bytes to say.
fn begins_message(bytes: &[u8], at: usize) -> Option<bool> {
    let line = bytes.get(at..).unwrap_or_default();
    let like = |pattern: &[u8; 13]| {
        line.iter().zip(pattern).all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            like => byte == like,
        })
    };
    let request = bytes.get(..at).and_then(<[u8]>::last) == Some(&b' ');
    // A status line, and the end of a request line.
    let long = if like(b"RTSP/0.0 000 ") {
        13
    } else if request
        && line.iter().zip(b"RTSP/0.0\r\n").all(|(a, b)| a == b || *b == b'0' && a.is_ascii_digit())
    {
        10
    } else {
        return Some(false);
    };
    (line.len() >= long).then_some(true)
}
