//! A file of `vigie record --capture`: every byte of a session, both ways, and when (core's `docs/capture.md`).

use vigie::limits::Limits;
use vigie::record::capture::Replay;
use vigie::time::UtcMicros;

use super::connection::Connection;
use super::{Pieces, dated, nothing};
use crate::failure::Failure;
use crate::vet::Report;

/// The first bytes of such a file.
pub(super) const MAGIC: &[u8] = b"VIGIECAP";
/// Bytes of the header, of a record before its body, and behind it.
const HEADER: usize = 12;
const BEFORE: usize = 13;
const AFTER: usize = 4;

pub(super) fn vet(pieces: &mut Pieces<'_>, name: &str, limits: &Limits) -> Result<Report, Failure> {
    let mut connection = Connection::new(limits, pieces.keep);
    // It knows whether a record is whole: checksums, lengths, version.
    let mut judge = Replay::new(limits);
    let mut records = Records { bytes: Vec::new(), skip: HEADER, clocks: None };
    let mut damage = None;
    loop {
        let piece = pieces.next()?;
        let ended = piece.is_empty();
        if ended {
            judge.finish();
        } else {
            judge.push(&piece);
        }
        loop {
            match judge.pull() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    damage = Some(error);
                    break;
                }
            }
        }
        // What stands before the damage is good.
        let before = pieces.read - piece.len() as u64;
        let good = damage.as_ref().map_or(piece.len(), |error| {
            usize::try_from(error.at.0.saturating_sub(before)).unwrap_or(usize::MAX).min(piece.len())
        });
        records.bytes.extend_from_slice(piece.get(..good).unwrap_or_default());
        records.take(&mut connection);
        if damage.is_some() || ended {
            break;
        }
    }
    let report = connection.finish(name);
    match damage {
        Some(error) if report.pictures() == 0 => Err(Failure::fault(
            &format!("cannot read {name}"),
            &error,
            "copy the file anew, or capture again",
        )),
        _ if report.pictures() == 0 => Err(nothing(name)),
        Some(error) => {
            crate::output::note(&format!(
                "{name} cannot be read on: {error}; what was before it has been judged"
            ));
            Ok(report)
        }
        None => Ok(report),
    }
}

struct Records {
    bytes: Vec<u8>,
    skip: usize,
    /// Microseconds on the recorder's clock, and UTC, at one moment.
    clocks: Option<(i64, i64)>,
}

impl Records {
    fn take(&mut self, connection: &mut Connection) {
        let mut at = 0;
        loop {
            let rest = self.bytes.get(at + self.skip..).unwrap_or_default();
            let Some((kind, length, now)) = head(rest) else { break };
            let Some(body) =
                rest.get(BEFORE..BEFORE + length).filter(|_| rest.len() >= BEFORE + length + AFTER)
            else {
                break;
            };
            record(&mut self.clocks, kind, now, body, connection);
            at += std::mem::take(&mut self.skip) + BEFORE + length + AFTER;
        }
        self.bytes.drain(..at);
    }
}

/// One record. `clocks`: as in [`Records::clocks`].
fn record(clocks: &mut Option<(i64, i64)>, kind: u8, now: i64, body: &[u8], connection: &mut Connection) {
    let utc = clocks.and_then(|(then, utc)| utc.checked_add(now.checked_sub(then)?));
    let utc = utc.map(UtcMicros).and_then(dated);
    match (kind, body) {
        (1, [_, _, _, _, _, _, _, _, rest @ ..]) => {
            *clocks = rest.first_chunk().map(|utc| (now, i64::from_be_bytes(*utc)));
            connection.reopen();
        }
        (2, bytes) => connection.received(bytes, utc),
        (3, [high, low, rtcp, bytes @ ..]) => {
            connection.datagram(usize::from(u16::from_be_bytes([*high, *low])), *rtcp != 0, bytes, utc);
        }
        (9, bytes) => connection.sent(bytes),
        _ => {}
    }
}

/// Kind, length and moment.
fn head(bytes: &[u8]) -> Option<(u8, usize, i64)> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let now = rest.first_chunk::<8>()?;
    Some((*kind, u32::from_be_bytes(*length) as usize, i64::from_be_bytes(*now)))
}
