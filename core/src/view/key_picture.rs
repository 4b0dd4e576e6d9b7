//! One picture as a film of its own.

use core::iter;

use bytes::{Bytes, BytesMut};

use super::playback;
use crate::bmff::moof::{self, Moof, RunSample};
use crate::bmff::moov::mvex::Trex;
use crate::bmff::{Boxes, Error, Header, Kind};
use crate::fault::Offset;
use crate::fragment::TRACK;

/// The first picture of a stored fragment as a fragmented MP4 of one sample, for players: what a thumbnail is decoded from. Of
/// the fragment no more is needed than up to the end of its first sample, which one range read gives:
/// [`Entry::first_sample`](crate::gix::Entry::first_sample).
///
/// # Errors
/// [`Error`] where `init` is no init segment, or the fragment ends before its first sample does.
pub fn key_picture(init: &[u8], fragment: &[u8]) -> Result<Bytes, Error> {
    let found = Boxes::new(fragment, 0).need(moof::KIND)?;
    let end = found.at + found.bytes.len() as u64;
    let missing = Error { kind: Kind::Missing(moof::MDAT), at: Offset(end) };
    let cut = Error { kind: Kind::Truncated(moof::MDAT), at: Offset(end) };
    let moof = Moof::parse(&found)?;
    let track = moof.tracks.first().ok_or(missing)?;
    let sample = track.samples(&Trex::new(track.header.track)).next().ok_or(missing)?;
    let rest = usize::try_from(end).ok().and_then(|at| fragment.get(at..)).ok_or(missing)?;
    let header = Header::parse(rest, end)?.filter(|h| h.kind == moof::MDAT).ok_or(missing)?;
    let body = usize::try_from(header.header_len).ok().and_then(|at| rest.get(at..)).ok_or(missing)?;
    let picture = body.get(..sample.size as usize).ok_or(cut)?;

    let mut out = BytesMut::from(&*playback(init)?);
    // Shown at once: nothing is before it, whatever the order of pictures was.
    let run = RunSample {
        size: sample.size,
        duration: sample.duration.max(1),
        composition: 0,
        sync: sample.is_sync(),
    };
    moof::write(&mut out, 1, TRACK, 0, iter::once(run));
    Header::write(&mut out, moof::MDAT, picture.len() as u64);
    out.extend_from_slice(picture);
    Ok(out.freeze())
}
