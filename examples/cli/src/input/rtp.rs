//! The video among the packets of a capture.

use std::path::Path;

use vigie::depacket::capture::{CaptureReader, Error, Found, Kind};
use vigie::fault::Quirks;
use vigie::limits::Limits;
use vigie::rtp;
use vigie::sdp::Presentation;
use vigie::timeline::{Group, Mode, Timeline};

use crate::failure::Failure;
use crate::moment::count;

/// One stream of a capture, to groups of samples.
#[derive(Debug)]
pub(super) struct Rtp {
    reader: CaptureReader,
    timeline: Timeline,
    with_sdp: bool,
    failed: Option<Error>,
}

impl Rtp {
    /// For any capture; `sdp` is a file that describes its streams.
    pub(super) fn open(sdp: Option<&Path>, limits: &Limits) -> Result<Self, Failure> {
        let mut reader = CaptureReader::new(limits);
        if let Some(sdp) = sdp {
            let text = std::fs::read(sdp).map_err(|e| Failure::file("read", sdp, &e))?;
            let described = Presentation::parse(text, limits).ok();
            let Some(described) = described.filter(|d| d.media.iter().any(|m| m.codec.is_some())) else {
                return Err(Failure::new(
                    format!("{} describes no H.264 or H.265", sdp.display()),
                    "give the SDP that the camera answered to DESCRIBE, or leave --sdp out",
                ));
            };
            reader = reader.with_description(&described);
        }
        let timeline = Timeline::new(Mode::Recording, limits);
        Ok(Self { reader, timeline, with_sdp: sdp.is_some(), failed: None })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
        self.drain();
    }

    pub(super) fn finish(&mut self) {
        self.reader.finish();
        self.drain();
        self.timeline.finish();
    }

    pub(super) fn pull(&mut self) -> Option<Group> {
        self.timeline.pull()
    }

    /// Why the capture could not be read to its end, told once.
    pub(super) fn take_failure(&mut self, path: &Path) -> Option<Failure> {
        let error = self.failed.take()?;
        Some(self.explain(path, error).numbered(&error))
    }

    pub(super) fn lost(&self) -> u64 {
        self.reader.packets().lost
    }

    pub(super) fn quirks(&self) -> Quirks {
        let mut quirks = self.reader.quirks();
        quirks.merge(self.timeline.quirks());
        quirks
    }

    fn drain(&mut self) {
        loop {
            match self.reader.pull() {
                Ok(Some(Found::AccessUnit(unit))) => self.timeline.push(unit),
                Ok(Some(Found::SenderReport(report))) => self.timeline.sender_report(report),
                Ok(Some(Found::Discontinuity)) => self.timeline.discontinuity(),
                Ok(Some(Found::Clock { now, utc })) => self.timeline.arrival(now, utc),
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => {
                    self.failed.get_or_insert(error);
                    return;
                }
            }
        }
    }

    fn explain(&self, path: &Path, error: Error) -> Failure {
        let path = path.display();
        let (what, remedy) = match error.kind {
            Kind::Capture(rtp::Kind::TruncatedCapture) => (
                format!("{path} is cut off inside a packet, {}", error.at),
                "copy the file again, or capture again; what was before the cut has been used",
            ),
            Kind::NoRtp => (
                format!("{path} holds no RTP packet"),
                "capture while the camera is being watched, and whole packets (tcpdump -s 0)",
            ),
            Kind::NoVideo => {
                let searched = self.reader.searched();
                let what = format!(
                    "{path} holds no picture of H.264 or H.265 that can be read, in {} of {}",
                    count(searched.packets, "RTP packet"),
                    count(searched.streams as u64, "stream"),
                );
                let remedy = if self.with_sdp {
                    "check that the SDP belongs to this capture"
                } else {
                    "give the camera's session description with --sdp: the parameter sets may be there alone. Encrypted \
                     RTP (SRTP) cannot be read"
                };
                (what, remedy)
            }
            _ => (format!("{path} cannot be read on: {error}"), "copy the file again, or capture again"),
        };
        Failure::new(what, remedy)
    }
}
