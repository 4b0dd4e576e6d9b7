//! What lies beside an export: `manifest.json`, for programs and for courts.

use serde::{Deserialize, Serialize};

/// The name of the file.
pub(super) const NAME: &str = "manifest.json";
/// What `kind` says.
pub(super) const KIND: &str = "vigie export";
/// What `version` says.
pub(super) const VERSION: u32 = 1;

/// An export: who asked for what, what was delivered, and what each file's hash is. Times are UTC, RFC 3339.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Manifest {
    pub(super) kind: String,
    pub(super) version: u32,
    pub(super) tool: String,
    pub(super) made: String,
    pub(super) tenant: String,
    pub(super) camera: String,
    pub(super) operator: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) case: Option<String>,
    pub(super) requested: Range,
    /// Does each movie start at a random access point, with nothing hidden before it?
    pub(super) strict_range: bool,
    pub(super) complete: bool,
    pub(super) delivered: Vec<Range>,
    pub(super) missing: Vec<Missing>,
    pub(super) movies: Vec<Movie>,
    pub(super) originals: Vec<Original>,
}

/// From a moment (included) to a later one (not included).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Range {
    pub(super) from: String,
    pub(super) to: String,
}

/// What was asked for and is not there.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Missing {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) cause: String,
}

/// A file, and what it must hash to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Content {
    /// Below the folder, parts joined by `/`.
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// An MP4 that opens anywhere.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Movie {
    #[serde(flatten)]
    pub(super) content: Content,
    pub(super) codec: String,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) pictures: u32,
    /// UTC of the first and of the last picture, and until when the last is shown.
    pub(super) first: String,
    pub(super) last: String,
    pub(super) to: String,
    /// Can its first picture be decoded?
    pub(super) random_access: bool,
    pub(super) audio: bool,
    pub(super) subtitles: bool,
    /// Pictures that are in the file for decoding only and are not shown.
    pub(super) hidden: Vec<HiddenPicture>,
    pub(super) clock: Vec<Clock>,
    /// RTP packets lost in the recording of these pictures.
    pub(super) lost_packets: u64,
}

/// A picture that is not shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct HiddenPicture {
    /// Number of the sample in the track, from 1.
    pub(super) sample: u32,
    pub(super) utc: String,
    /// `lead-in`, or `behind`.
    pub(super) why: String,
}

/// Where the UTC of pictures came from, and how far it may be off.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Clock {
    pub(super) source: String,
    pub(super) fragments: u64,
    /// Either way, the worst of them.
    pub(super) error_seconds: f64,
}

/// A media file of the recording, or the parts of it that the range needs, byte for byte.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Original {
    #[serde(flatten)]
    pub(super) content: Content,
    /// The whole file as it was recorded; else its head and the fragments named, unchanged.
    pub(super) whole: bool,
    /// UTC of the first picture, and until when the last is shown.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) fragments: u64,
    /// The bytes of the recorded file that it has: from, to.
    pub(super) ranges: Vec<(u64, u64)>,
}

impl Manifest {
    /// Every file that it names, but itself.
    pub(super) fn contents(&self) -> impl Iterator<Item = &Content> {
        self.movies.iter().map(|m| &m.content).chain(self.originals.iter().map(|o| &o.content))
    }
}
