//! Where a stream comes from: an address, a capture of packets, a captured session, an elementary stream.

mod connection;
mod elementary;
mod live;
mod packets;
mod session;

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use vigie::limits::Limits;
use vigie::time::UtcMicros;

use super::Report;
use crate::args;
use crate::failure::Failure;
use crate::input::{Kind, start_of};
use crate::output::Progress;

/// Bytes read at once.
const PIECE: usize = 256 << 10;
/// 2200-01-01.
const LATEST: UtcMicros = UtcMicros(7_258_118_400_000_000);

/// Holds a source to the rules, to its end or for as long as `--for` says.
///
/// # Errors
/// The camera cannot be reached, the file cannot be read, or nothing in it is H.264 or H.265.
pub fn vet(options: &args::Vet) -> Result<Report, Failure> {
    let source = options.source.as_deref().unwrap_or_default();
    if source.contains("://") {
        return live::vet(options, source);
    }
    read(Path::new(source), options.sdp.as_deref(), options.mutate)
}

/// The same of a file.
///
/// # Errors
/// As [`vet`].
pub fn file(path: &Path, sdp: Option<&Path>) -> Result<Report, Failure> {
    read(path, sdp, false)
}

/// `keep`: what is read is to be changed later.
fn read(path: &Path, sdp: Option<&Path>, keep: bool) -> Result<Report, Failure> {
    let (mut file, start) = start_of(path)?;
    let sdp = sdp.map(|sdp| std::fs::read(sdp).map_err(|e| Failure::file("read", sdp, &e))).transpose()?;
    file.rewind().map_err(|error| Failure::file("read again", path, &error))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut pieces = Pieces { file, path, read: 0, keep, progress: Progress::bytes(length, "reading") };
    let limits = Limits::default();
    let name = path.display().to_string();
    let report = if start.starts_with(session::MAGIC) {
        session::vet(&mut pieces, &name, &limits)
    } else {
        match Kind::detect(&start) {
            Some(Kind::AnnexB(codec)) => elementary::vet(&mut pieces, codec, &name, &limits),
            Some(Kind::Rtp(_)) => packets::vet(&mut pieces, sdp.as_deref(), &name, &limits),
            Some(Kind::Mp4) => Err(Failure::new(
                format!("{name} is an MP4 file: what a camera sent cannot be told from it"),
                "give its address, a pcap or pcapng capture, an .h264 or .h265 file, or a file of `vigie record --capture`",
            )),
            None => Err(Failure::new(
                format!("{name} holds neither H.264 or H.265 with start codes, nor RTP, nor a capture"),
                "give an .h264 or .h265 file, RTP packets behind their length (RFC 4571), a pcap or pcapng capture, or a file \
                 of `vigie record --capture`",
            )),
        }
    };
    pieces.progress.done();
    report
}

/// A file in pieces.
struct Pieces<'a> {
    file: File,
    path: &'a Path,
    read: u64,
    keep: bool,
    progress: Progress,
}

impl Pieces<'_> {
    /// The next bytes; none at the end.
    fn next(&mut self) -> Result<Vec<u8>, Failure> {
        let mut piece = vec![0; PIECE];
        loop {
            match self.file.read(&mut piece) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::file("read", self.path, &error)),
                Ok(n) => {
                    piece.truncate(n);
                    self.read += n as u64;
                    self.progress.at(self.read);
                    return Ok(piece);
                }
            }
        }
    }
}

/// A moment of a file, where it is one that a clock can have shown: what is reckoned with it cannot overflow then.
fn dated(utc: UtcMicros) -> Option<UtcMicros> {
    (UtcMicros(0)..LATEST).contains(&utc).then_some(utc)
}

/// Nothing was found that could be judged.
fn nothing(name: &str) -> Failure {
    Failure::new(
        format!("{name} holds no picture of H.264 or H.265 that can be read"),
        "give the camera's session description with --sdp: the parameter sets may be there alone. Encrypted RTP (SRTP) cannot be read",
    )
}
