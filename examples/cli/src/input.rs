//! Files that hold video: told apart by their content, read in pieces, given out as groups of samples with times.

mod rtp;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use vigie::codec::Codec;
use vigie::depacket::AnnexBReader;
use vigie::fault::Quirks;
use vigie::h26x::annexb;
use vigie::limits::Limits;
use vigie::rtp::capture::Format;
use vigie::timeline::{ByPictureOrder, Group};

use crate::failure::Failure;
use rtp::Rtp;

/// Bytes of the start that tell what a file is.
const START: usize = 1 << 20;

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// NAL units behind start codes.
    AnnexB(Codec),
    /// RTP packets in one of the capture formats.
    Rtp(Format),
    /// ISO BMFF.
    Mp4,
}

impl Kind {
    /// Tells by the first bytes of a file.
    #[must_use]
    pub fn detect(start: &[u8]) -> Option<Self> {
        if matches!(
            start.get(4..8),
            Some(b"ftyp" | b"styp" | b"moov" | b"moof" | b"sidx" | b"free" | b"mdat")
        ) {
            return Some(Self::Mp4);
        }
        let zeros = start.iter().take_while(|b| **b == 0).count();
        let starts_with_code = zeros >= 2 && start.get(zeros) == Some(&1);
        let elementary = || annexb::detect(start).map(Self::AnnexB);
        if starts_with_code && let Some(kind) = elementary() {
            return Some(kind);
        }
        Format::detect(start).map(Self::Rtp).or_else(elementary)
    }

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnnexB(Codec::H264) => "H.264 elementary stream",
            Self::AnnexB(Codec::H265) => "H.265 elementary stream",
            Self::Rtp(Format::Pcap) => "pcap capture",
            Self::Rtp(Format::PcapNg) => "pcapng capture",
            Self::Rtp(Format::Bare) => "RTP packets (RFC 4571)",
            Self::Rtp(Format::Interleaved) => "RTSP with interleaved RTP",
            Self::Rtp(_) => "RTP packets",
            Self::Mp4 => "MP4",
        }
    }
}

/// A file opened for its video.
#[derive(Debug)]
pub struct Input {
    path: PathBuf,
    file: File,
    kind: Kind,
    length: u64,
    read: u64,
    way: Way,
    piece: Vec<u8>,
    ended: bool,
}

#[derive(Debug)]
enum Way {
    AnnexB(Box<AnnexBReader>, Box<ByPictureOrder>),
    Rtp(Box<Rtp>),
}

impl Input {
    /// Opens a file. `sdp` describes its packets, where they do not tell enough themselves.
    ///
    /// # Errors
    /// It cannot be read, is empty, or is nothing that can hold video.
    pub fn open(path: &Path, sdp: Option<&Path>, limits: &Limits) -> Result<Self, Failure> {
        let (mut file, start) = start_of(path)?;
        let length = file.metadata().map_err(|e| Failure::file("read", path, &e))?.len();
        let Some(kind) = Kind::detect(&start) else {
            return Err(Failure::new(
                format!(
                    "{} holds neither H.264 or H.265 with start codes, nor RTP, nor a capture",
                    path.display()
                ),
                "give an .h264 or .h265 file, RTP packets behind their length (RFC 4571), or a pcap or pcapng capture",
            ));
        };
        let way = match kind {
            Kind::AnnexB(codec) => {
                Way::AnnexB(Box::new(AnnexBReader::new(codec, limits)), Box::new(ByPictureOrder::new(limits)))
            }
            Kind::Rtp(_) => Way::Rtp(Box::new(Rtp::open(sdp, limits)?)),
            Kind::Mp4 => {
                return Err(Failure::new(
                    format!("{} is an MP4 file already", path.display()),
                    "play it as it is; `vigie remux` reads elementary streams, RTP and captures",
                ));
            }
        };
        rewind(&mut file, path)?;
        let piece = vec![0; PIECE];
        Ok(Self { path: path.to_owned(), file, kind, length, read: 0, way, piece, ended: false })
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.read
    }

    /// RTP packets missing so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        match &self.way {
            Way::AnnexB(..) => 0,
            Way::Rtp(rtp) => rtp.lost(),
        }
    }

    /// What was tolerated so far.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        match &self.way {
            Way::AnnexB(reader, order) => {
                let mut quirks = reader.quirks().clone();
                quirks.merge(order.quirks());
                quirks
            }
            Way::Rtp(rtp) => rtp.quirks(),
        }
    }

    /// The next group of pictures; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read on, is damaged or cut off there, or holds no video. What was before it has been given.
    pub fn next_group(&mut self) -> Result<Option<Group>, Failure> {
        loop {
            let group = match &mut self.way {
                Way::AnnexB(_, order) => order.pull(),
                Way::Rtp(rtp) => rtp.pull(),
            };
            if group.is_some() || self.ended {
                return match (group, &mut self.way) {
                    (None, Way::Rtp(rtp)) => rtp.take_failure(&self.path).map_or(Ok(None), Err),
                    (group, _) => Ok(group),
                };
            }
            let n = read(&mut self.file, &mut self.piece, &self.path)?;
            self.read += n as u64;
            self.ended = n == 0;
            let bytes = self.piece.get(..n).unwrap_or_default();
            match &mut self.way {
                Way::AnnexB(reader, order) => {
                    if self.ended {
                        reader.finish()
                    } else {
                        reader.push(bytes)
                    }
                    while let Some(unit) = reader.pull() {
                        order.push(unit);
                    }
                    if self.ended {
                        order.finish();
                    }
                }
                Way::Rtp(rtp) if self.ended => rtp.finish(),
                Way::Rtp(rtp) => rtp.push(bytes),
            }
        }
    }
}

/// Opens a file and reads its start.
pub(crate) fn start_of(path: &Path) -> Result<(File, Vec<u8>), Failure> {
    let failed = |error: std::io::Error| Failure::file("read", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let mut start = vec![0; START];
    let mut filled = 0;
    while let Some(rest) = start.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read(&mut file, rest, path)? {
            0 => break,
            n => filled += n,
        }
    }
    start.truncate(filled);
    if start.is_empty() {
        let what = format!("{} is empty", path.display());
        return Err(Failure::new(what, "check how the file was made: nothing was written to it"));
    }
    Ok((file, start))
}

fn read(file: &mut File, buffer: &mut [u8], path: &Path) -> Result<usize, Failure> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::file("read", path, &error)),
            Ok(n) => return Ok(n),
        }
    }
}

fn rewind(file: &mut File, path: &Path) -> Result<(), Failure> {
    std::io::Seek::rewind(file).map_err(|e| Failure::file("read again", path, &e))
}
