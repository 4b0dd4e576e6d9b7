//! ISO BMFF of other people.

use bytes::{Bytes, BytesMut};
use vigie::bmff::moof::{self, Moof};
use vigie::bmff::moov::Moov;
use vigie::bmff::{self, Boxed as _, Boxes};
use vigie::fragment::InitSegment;
use vigie::limits::Limits;
use vigie::view::export::Export;
use vigie::view::{self, Playback};

use crate::tape::Tape;

/// A file, a fragment, an init segment and a fragment of any bytes: typed errors at places within them; what a view makes of
/// a fragment is as long as it was, and what an export plans is of it, and as long as it says.
pub(crate) fn boxes(bytes: &[u8]) {
    let limits = Limits::default();
    let mut depth = 0;
    let _ = bmff::walk(Boxes::new(bytes, 0), &limits, &mut |deep, found| {
        depth = depth.max(deep);
        assert!(found.at as usize + found.bytes.len() <= bytes.len());
        Ok(())
    });
    assert!(depth <= limits.box_depth, "{depth} boxes deep");
    for kind in [Moov::KIND, moof::KIND] {
        let Ok(found) = Boxes::new(bytes, 0).need(kind) else { continue };
        if kind == Moov::KIND {
            if let Ok(moov) = found.parse::<Moov>() {
                moov_again(&moov);
            }
        } else if let Ok(moof) = Moof::parse(&found) {
            let runs = moof.tracks.iter().flat_map(|track| &track.runs);
            assert!(
                runs.into_iter().all(|run| run.count as usize <= bytes.len().max(1 << 20)),
                "samples without end"
            );
        }
    }
    let mut tape = Tape::new(bytes);
    let init = Bytes::copy_from_slice(tape.chunk());
    let fragment = tape.rest();
    if let Ok(read) = InitSegment::parse(&init) {
        let _ = (read.size(), read.codec_string());
    }
    let _ = (view::playback(&init), view::key_picture(&init, fragment));
    let mut shown = BytesMut::from(fragment);
    if let Ok(shown_as) = Playback::new().fragment(&mut shown) {
        assert!(shown_as.bytes.end <= fragment.len());
    }
    assert_eq!(shown.len(), fragment.len());
    let mut plan = Export::whole(&limits);
    if plan.init(&init).is_ok() && plan.fragment(0, fragment).is_ok() {
        for file in plan.finish() {
            assert!(file.parts.iter().all(|part| part.fragment == 0));
            let parts: u64 = file.parts.iter().map(|part| part.len).sum();
            assert_eq!(file.head.len() as u64 + parts, file.len);
        }
    }
}

/// A movie header that was read is written so that it reads the same.
fn moov_again(moov: &Moov) {
    let mut out = BytesMut::new();
    moov.write(&mut out);
    let again = Boxes::new(&out, 0).need(Moov::KIND).and_then(|found| found.parse::<Moov>());
    let mut twice = BytesMut::new();
    again.expect("our own box").write(&mut twice);
    assert!(out == twice, "another box each time");
}
