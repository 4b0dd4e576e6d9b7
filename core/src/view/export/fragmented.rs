//! A fragmented MP4 file of a whole stream.

use bytes::{Bytes, BytesMut};

use crate::bmff::prft::Prft;
use crate::bmff::{Boxed as _, Error, free};
use crate::fragment::{Fragment, InitSegment, MOOF_AT, TRACK};
use crate::gix::FragmentMark;
use crate::segment::{Layout, ROOM, Span, sap_type};
use crate::time::{NtpTime, Ticks};
use crate::view::{Playback, View};

/// Bytes to be written over the file's room, once all else is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Byte of the file that they start at.
    pub offset: u64,
    /// The bytes.
    pub bytes: Bytes,
}

/// Makes one fragmented MP4 file of a stream: what is appended to `out` goes to the end of the file.
///
/// [`View::Exact`] writes fragments as the store would keep them, times included. [`View::Playback`] starts them at 0
/// and leaves out mark and `prft`. Where the stream's times leap, the file's go on. A file has one `moov`: of later init segments nothing is written, their parameter sets
/// stand among the samples.
#[derive(Debug)]
pub struct Fragmented {
    view: View,
    playback: Playback,
    layout: Option<Layout>,
    /// Where the last fragment ends.
    end: Option<Ticks>,
}

impl Fragmented {
    /// Nothing written.
    #[must_use]
    pub const fn new(view: View) -> Self {
        Self { view, playback: Playback::new(), layout: None, end: None }
    }

    /// The stream's init segment.
    ///
    /// # Errors
    /// [`Error`] where it is no init segment.
    pub fn init(&mut self, init: &InitSegment, out: &mut BytesMut) -> Result<(), Error> {
        if self.layout.is_some() {
            return Ok(());
        }
        let layout = Layout::new(sap_type(&init.codec_string()), init.bytes.len() as u64);
        match self.view {
            View::Exact => out.extend_from_slice(&init.bytes),
            View::Playback => out.extend_from_slice(&self.playback.init(&init.bytes)?),
        }
        free::write(out, ROOM);
        self.layout = Some(if self.view == View::Exact { layout } else { layout.unmarked() });
        Ok(())
    }

    /// The next fragment.
    ///
    /// # Errors
    /// [`Error`] where it is none; nothing is appended then.
    pub fn fragment(&mut self, fragment: &Fragment, out: &mut BytesMut) -> Result<(), Error> {
        if self.layout.is_none() {
            return Ok(());
        }
        match (self.end, self.view) {
            (None, View::Exact) => {}
            (None, View::Playback) => self.playback.rebase(fragment.dts.min(fragment.pts), Ticks(0)),
            // Times that leap go on without a gap: a file cannot go back.
            (Some(end), _) if fragment.flags.discontinuity => self.playback.rebase(fragment.dts, end),
            (Some(_), _) => {}
        }
        let start = out.len();
        if self.view == View::Exact {
            self.put_mark(fragment, out);
        }
        let shown = self.playback.live(fragment, out).inspect_err(|_| out.truncate(start))?;
        self.end = Some(shown.dts.plus(i64::try_from(shown.duration).unwrap_or(i64::MAX)));
        let len = (out.len() - start) as u64;
        if let Some(layout) = &mut self.layout {
            layout.push(Span { len, pts: shown.pts, ..Span::of(fragment) });
        }
        Ok(())
    }

    /// Mark and `prft`, with the times that the fragment has in this file.
    fn put_mark(&self, fragment: &Fragment, out: &mut BytesMut) {
        let start = out.len();
        out.extend_from_slice(fragment.head.get(..MOOF_AT).unwrap_or(&[]));
        if self.playback.shift() == 0 {
            return;
        }
        if let Ok(mut mark) = FragmentMark::parse(&fragment.head) {
            out.truncate(start);
            mark.dts = mark.dts.plus(self.playback.shift());
            mark.put(out);
            let pts = fragment.pts.plus(self.playback.shift()).0.max(0) as u64;
            Prft::captured(TRACK, NtpTime::from_utc(mark.utc), pts).write(out);
        }
    }

    /// The end of the file, and what is to be written over its room; `None` where nothing was written.
    pub fn finish(&mut self, out: &mut BytesMut) -> Option<Patch> {
        let layout = self.layout.take()?;
        out.extend_from_slice(&layout.mfra());
        Some(Patch { offset: layout.room_at(), bytes: layout.room() })
    }
}
