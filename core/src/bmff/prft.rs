//! `prft`: pairs a moment of wall-clock time with media time, ISO/IEC 14496-12 §8.16.5.

use bytes::BytesMut;

use super::{Body, Boxed, Error, FourCc, put_full, put_sized};
use crate::octets::Write as _;
use crate::time::NtpTime;

/// `flags` of a pair made from the time of capture: "associated with the media by an arbitrary but consistent rule,
/// as captured".
pub const CAPTURED: u32 = 24;

/// A producer reference time. Stands in front of the `moof` that it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prft {
    /// What kind of moment it is; [`CAPTURED`] in our files.
    pub flags: u32,
    /// The track whose media time is meant.
    pub track: u32,
    /// The moment.
    pub ntp: NtpTime,
    /// The same moment in the track's media time: in our files the earliest presentation time of the fragment.
    pub media_time: u64,
}

impl Prft {
    /// Bytes of the box as we write it, version 1.
    pub const LEN: usize = 32;

    /// At `media_time` of `track` the picture was captured that was there at `ntp`.
    #[must_use]
    pub const fn captured(track: u32, ntp: NtpTime, media_time: u64) -> Self {
        Self { flags: CAPTURED, track, ntp, media_time }
    }
}

impl Boxed for Prft {
    const KIND: FourCc = FourCc(*b"prft");

    fn write_body(&self, out: &mut BytesMut) {
        // Version 1 also where 32 bits would do: fragments of one stream have one shape.
        let version = 1;
        put_full(out, version, self.flags);
        out.put_u32(self.track);
        out.put_u64(self.ntp.0);
        put_sized(out, version, self.media_time);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (version, flags) = body.full(1)?;
        Ok(Self { flags, track: body.u32()?, ntp: NtpTime(body.u64()?), media_time: body.sized(version)? })
    }
}
