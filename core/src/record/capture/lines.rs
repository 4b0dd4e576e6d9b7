//! An event as a line of text, the same for the same event.

use alloc::string::String;
use core::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::redact::Redactor;
use crate::depacket::{AccessUnit, PictureUnit, RandomAccess};
use crate::fault::Fault as _;
use crate::gix::crc32c;
use crate::record::IngestOutput;
use crate::sdp::Presentation;
use crate::session::{Event, Playing};

/// Writes lines and adds them up.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    digest: Sha256,
    pub(super) events: u64,
    /// Say nothing of payload bytes.
    blanked: bool,
}

impl Lines {
    pub(super) fn new(blanked: bool) -> Self {
        Self { digest: Sha256::new(), events: 0, blanked }
    }

    /// The line of an event; `None` for what is sent.
    pub(super) fn add(&mut self, output: &IngestOutput, redactor: &Redactor) -> Option<String> {
        let mut line = String::new();
        // A `String` takes everything.
        let _ = match output {
            IngestOutput::Send(_) | IngestOutput::Datagram { .. } => return None,
            IngestOutput::AccessUnit(unit) => self.picture(&mut line, unit),
            IngestOutput::Picture(unit) => self.plain_picture(&mut line, unit),
            IngestOutput::SenderReport { report, received } => write!(
                line,
                "sender-report ssrc={:08x} ntp={:016x} rtp={} packets={} octets={} received={}",
                report.ssrc,
                report.ntp.0,
                report.rtp_timestamp,
                report.packet_count,
                report.octet_count,
                received.0
            ),
            IngestOutput::Anchor { source, timestamp, utc } => {
                write!(line, "anchor source={source:?} rtp={timestamp} utc={utc}")
            }
            IngestOutput::Event(Event::Described(presentation)) => {
                described(&mut line, presentation, redactor)
            }
            IngestOutput::Event(Event::Playing(playing)) => playing_line(&mut line, playing),
            IngestOutput::Event(Event::Quirk(quirk)) => write!(line, "quirk {quirk}"),
            IngestOutput::Event(Event::Failed(error)) => write!(line, "failed {} {error}", error.code()),
            IngestOutput::Event(event) => {
                let mut text = String::new();
                let _ = write!(text, "{event:?}");
                write!(line, "event {}", redactor.text(&text))
            }
            other => write!(line, "{other:?}"),
        };
        self.events += 1;
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        Some(line)
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    fn picture(&self, line: &mut String, unit: &AccessUnit) -> core::fmt::Result {
        write!(
            line,
            "picture {} rtp={} received={} bytes={}",
            unit.codec,
            unit.timestamp,
            unit.received.0,
            unit.data.len()
        )?;
        match unit.random_access {
            None => {}
            Some(RandomAccess::RecoveryPoint { frames }) => write!(line, " access=recovery-point:{frames}")?,
            Some(access) => write!(line, " access={access:?}")?,
        }
        if !unit.reference {
            line.push_str(" disposable");
        }
        if unit.skipped_leading {
            line.push_str(" rasl");
        }
        if let Some(order) = unit.order {
            write!(line, " order={}{}", order.count, if order.restart { "!" } else { "" })?;
        }
        if unit.loss.packets > 0 {
            write!(line, " lost={}", unit.loss.packets)?;
        }
        if unit.loss.incomplete {
            line.push_str(" incomplete");
        }
        if !self.blanked {
            write!(line, " crc={:08x}", crc32c(&[&unit.data]))?;
        }
        Ok(())
    }

    fn plain_picture(&self, line: &mut String, unit: &PictureUnit) -> core::fmt::Result {
        let (format, bytes) = (&unit.format, unit.data.len());
        write!(line, "picture {} rtp={} received={}", format.codec, unit.timestamp, unit.received.0)?;
        write!(line, " bytes={bytes} size={}x{}", format.width, format.height)?;
        if unit.random_access {
            line.push_str(" access");
        }
        if unit.loss.packets > 0 {
            write!(line, " lost={}", unit.loss.packets)?;
        }
        if !self.blanked {
            write!(line, " crc={:08x}", crc32c(&[&unit.data]))?;
        }
        Ok(())
    }
}

fn described(line: &mut String, presentation: &Presentation, redactor: &Redactor) -> core::fmt::Result {
    let mut raw = presentation.raw.to_vec();
    redactor.message(&mut raw);
    write!(line, "described sdp={:08x}", crc32c(&[&raw]))?;
    for media in &presentation.media {
        let encoding = if media.encoding().is_empty() { "?" } else { media.encoding() };
        write!(line, " {}/{encoding}/{}", media.payload_type, media.clock_rate)?;
    }
    Ok(())
}

fn playing_line(line: &mut String, playing: &Playing) -> core::fmt::Result {
    write!(line, "playing media={}", playing.media)?;
    if let Some(range) = &playing.range {
        write!(line, " range={range}")?;
    }
    if let Some(info) = &playing.rtp_info {
        write!(line, " seq={:?} rtptime={:?}", info.seq, info.rtptime)?;
    }
    if let Some(ssrc) = playing.ssrc {
        write!(line, " ssrc={ssrc:08x}")?;
    }
    Ok(())
}
