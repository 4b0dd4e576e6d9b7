//! The bytes of a line: `docs/format.md` §7.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::record::Record;
use super::words::utc;
use crate::gix::crc32c;
use crate::time::UtcMicros;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// Its number, from 1.
    pub n: u64,
    /// When.
    pub at: UtcMicros,
    /// What.
    pub record: Record,
}

#[derive(Serialize)]
struct Body<'a> {
    n: u64,
    after: String,
    #[serde(with = "utc")]
    at: UtcMicros,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Deserialize)]
struct Head {
    n: u64,
    after: String,
    #[serde(with = "utc")]
    at: UtcMicros,
}

/// What stands before the CRC.
const CRC: &[u8] = b",\"crc\":\"";
/// Bytes of the CRC and all that stands around it, without the line break.
const TAIL: usize = CRC.len() + 8 + 2;

/// Eight hexadecimal digits.
pub(super) fn hex(crc: u32) -> String {
    alloc::format!("{crc:08x}")
}

/// Puts the CRC behind the last field of a JSON object, and a line break behind that. Gives the CRC.
pub(super) fn seal(mut json: Vec<u8>) -> (Vec<u8>, u32) {
    json.pop();
    let crc = crc32c(&[&json]);
    json.extend_from_slice(CRC);
    json.extend_from_slice(hex(crc).as_bytes());
    json.extend_from_slice(b"\"}\n");
    (json, crc)
}

/// The CRC that a line says it has, where it has the form; without its line break.
pub(super) fn stated(line: &[u8]) -> Option<u32> {
    let tail = line.get(line.len().checked_sub(TAIL)?..)?;
    let digits = tail.strip_prefix(CRC)?.strip_suffix(b"\"}")?;
    let digits = core::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// Does the CRC of a line pass? Without its line break.
pub(super) fn passes(line: &[u8]) -> bool {
    let body = line.get(..line.len().saturating_sub(TAIL)).unwrap_or(&[]);
    stated(line) == Some(crc32c(&[body]))
}

/// The bytes of a line, and its CRC. `None` where it cannot be written as JSON, which no record gives.
pub(super) fn write(n: u64, after: u32, at: UtcMicros, record: &Record) -> Option<(Vec<u8>, u32)> {
    let json = serde_json::to_vec(&Body { n, after: hex(after), at, record }).ok()?;
    Some(seal(json))
}

/// Reads a line, without its line break. `None` where its CRC or its form fails. Gives also what it says that it comes after.
pub(super) fn parse(line: &[u8]) -> Option<(Line, u32)> {
    if !passes(line) {
        return None;
    }
    let Head { n, after, at } = serde_json::from_slice(line).ok()?;
    // Of a kind that is known, a field may be missing or be another: then it is no line of ours.
    let record = serde_json::from_slice(line).ok()?;
    Some((Line { n, at, record }, u32::from_str_radix(&after, 16).ok()?))
}
