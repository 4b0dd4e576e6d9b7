//! NAL units behind start codes.

use vigie::codec::Codec;
use vigie::limits::Limits;

use super::{Pieces, nothing};
use crate::failure::Failure;
use crate::vet::{Report, Vet};

/// A NAL unit that is longer is cut.
const LONGEST: usize = 16 << 20;

pub(super) fn vet(
    pieces: &mut Pieces<'_>,
    codec: Codec,
    name: &str,
    limits: &Limits,
) -> Result<Report, Failure> {
    let mut vet = Vet::new(limits).keep(pieces.keep);
    let mut units = Units::default();
    loop {
        let piece = pieces.next()?;
        let ended = piece.is_empty();
        units.bytes.extend_from_slice(&piece);
        units.take(ended, &mut |nal, offset| vet.unit(codec, nal, offset));
        if ended {
            break;
        }
    }
    let report = vet.finish(name);
    if report.pictures() == 0 { Err(nothing(name)) } else { Ok(report) }
}

/// Cuts a byte stream, Annex B.
#[derive(Default)]
struct Units {
    bytes: Vec<u8>,
    /// Bytes before the buffer.
    before: u64,
    /// The buffer begins with a NAL unit, its start code taken off.
    inside: bool,
}

impl Units {
    fn take(&mut self, ended: bool, give: &mut dyn FnMut(&[u8], u64)) {
        let mut start = 0;
        loop {
            let rest = self.bytes.get(start..).unwrap_or_default();
            let Some(at) = vigie::h26x::annexb::find(rest) else { break };
            self.unit(start, start + at, give);
            self.inside = true;
            start += at + 3;
        }
        let rest = self.bytes.len() - start;
        if ended || rest > LONGEST {
            self.unit(start, self.bytes.len(), give);
            self.inside = self.inside && !ended;
            start = self.bytes.len();
        }
        self.bytes.drain(..start);
        self.before += start as u64;
    }

    fn unit(&self, from: usize, to: usize, give: &mut dyn FnMut(&[u8], u64)) {
        let bytes = self.bytes.get(from..to).unwrap_or_default();
        // trailing_zero_8bits and zero_byte belong to the byte stream, Annex B.
        let end = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let nal = bytes.get(..end).unwrap_or_default();
        if self.inside && !nal.is_empty() {
            give(nal, self.before + from as u64);
        }
    }
}
