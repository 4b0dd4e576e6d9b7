//! The recorded way in a browser: ranges of the store's files in, init segments and fragments for a `MediaSource` out.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use vigie::codec::Codec;
use vigie::fault::Fault as _;
use vigie::gix::{Entry, Flags, FragmentMark, Span};
use vigie::play::{self, Error, Output as Found};
use vigie::store::Source;
use vigie::time::UtcMicros;
use vigie::view::Playback;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use crate::json::Object;
use crate::output::{Output, Outputs};
use crate::picture::{Place, Stamp, format_text, fragment_text, pictures};

/// One camera's recording. Times are microseconds since 1970, UTC.
///
/// [`seek`](Self::seek); for each fragment wanted [`next`](Self::next), then [`pull`](Self::pull) until it gives nothing.
/// `read` is answered by [`filled`](Self::filled) or [`absent`](Self::absent), and pulling goes on.
#[wasm_bindgen]
pub struct Archive {
    archive: play::Archive,
    codec: Codec,
    /// Counts the breaks of the stored times.
    epoch: u32,
    ready: Outputs,
}

#[wasm_bindgen]
impl Archive {
    /// Of one camera.
    ///
    /// # Errors
    /// The names are none that a store has.
    #[wasm_bindgen(constructor)]
    pub fn new(tenant: &str, camera: &str) -> Result<Self, JsError> {
        let source = Source::new(tenant, camera).map_err(|e| JsError::new(&e.to_string()))?;
        Ok(Self {
            archive: play::Archive::new(source),
            codec: Codec::H264,
            epoch: 0,
            ready: Outputs::default(),
        })
    }

    /// Goes to a moment. What was asked for before is void.
    pub fn seek(&mut self, utc: f64) {
        self.ready.clear();
        self.archive.seek(UtcMicros(utc as i64));
    }

    /// One more fragment is wanted. `now` is the time of day.
    pub fn next(&mut self, now: f64) {
        self.archive.next(UtcMicros(now as i64));
    }

    /// The GOP before the one given last (before the moment sought, where nothing was given since) is wanted.
    pub fn back(&mut self, now: f64) {
        self.archive.back(UtcMicros(now as i64));
    }

    /// The bytes asked for, or as many of them as there are.
    pub fn filled(&mut self, bytes: Vec<u8>) {
        self.archive.filled(bytes);
    }

    /// There is no such file.
    pub fn absent(&mut self) {
        self.archive.absent();
    }

    /// What was asked for and not answered is asked for again.
    pub fn retry(&mut self) {
        self.archive.retry();
    }

    /// What there is to do: `read` (the text says of which file what), `init` and `fragment` (for the media buffer), `gap`
    /// and `damaged` (nothing can be shown of that span), `end` (nothing more yet), `failed`.
    pub fn pull(&mut self) -> Option<String> {
        if let Some(found) = self.archive.pull() {
            self.take(found);
        }
        self.ready.pull()
    }

    /// The text, JSON, of what was pulled last.
    #[must_use]
    pub fn text(&self) -> String {
        self.ready.text()
    }

    /// The bytes of what was pulled last; once.
    pub fn bytes(&mut self) -> Vec<u8> {
        self.ready.bytes()
    }
}

impl Archive {
    fn take(&mut self, found: Found) {
        let output = match found {
            Found::Read { path, offset, len } => {
                let text = Object::new().text("path", &path).plain("offset", offset).plain("length", len);
                Output::text("read", text.end())
            }
            Found::Init { bytes, codec, size } => {
                let Ok(shown) = Playback::new().init(&bytes) else { return self.broken() };
                let string = codec.as_str();
                self.codec = codec_of(string);
                let size = (size.0.into(), size.1.into());
                Output { kind: "init", text: format_text(self.codec, string, size), bytes: shown }
            }
            Found::Fragment { bytes, entry, continues } => match self.fragment(bytes, &entry, continues) {
                Some(output) => output,
                None => return self.broken(),
            },
            Found::Gap(span) => Output::text("gap", span_text(span).end()),
            Found::Damaged { span, error } => {
                Output::text("damaged", span_text(span).text("code", &error.code().to_string()).end())
            }
            Found::Failed(error) => Output::text("failed", cause(error)),
            _ => Output::text("end", String::new()),
        };
        self.ready.push(output);
    }

    fn fragment(&mut self, mut bytes: Vec<u8>, entry: &Entry, continues: bool) -> Option<Output> {
        let shown = Playback::new().fragment(&mut bytes).ok()?;
        let bytes = Bytes::from(bytes).slice(shown.bytes);
        let mark = &entry.mark;
        if !continues {
            self.epoch = self.epoch.wrapping_add(1);
        }
        let stamp = Stamp { utc: mark.utc, source: source_of(mark), error: mark.error };
        let pictures = pictures(&bytes, self.codec, stamp).ok()?;
        let place = Place {
            start: shown.pts,
            end: shown.pts.plus(i64::try_from(shown.duration).unwrap_or(0)),
            epoch: self.epoch,
            random_access: mark.flags.has(Flags::RANDOM_ACCESS),
            damaged: mark.flags.has(Flags::LOSS) || mark.flags.has(Flags::INCOMPLETE),
        };
        Some(Output { kind: "fragment", text: fragment_text(&place, &pictures), bytes })
    }

    /// What passed its checksum and still cannot be read: not from a Vigie that this one knows.
    fn broken(&mut self) {
        let text = Object::new().text("kind", "storage").text("text", "footage of an unknown make").end();
        self.ready.push(Output::text("failed", text));
    }
}

/// The number of a stored source in `SOURCES` of feed.js: 1 to 4 on disk, in that order; what that does not know comes last.
pub(crate) const fn source_of(mark: &FragmentMark) -> u8 {
    if matches!(mark.source, 1..=4) { mark.source - 1 } else { 4 }
}

/// By the RFC 6381 string.
pub(crate) fn codec_of(string: &str) -> Codec {
    if string.starts_with("hvc") { Codec::H265 } else { Codec::H264 }
}

pub(crate) fn span_text(span: Span) -> Object {
    Object::new().plain("from", span.from.0).plain("to", span.to.0)
}

/// `Cause` of protocol.js.
pub(crate) fn cause(error: Error) -> String {
    let object = Object::new().text("kind", "storage").text("text", &error.kind.to_string());
    object.text("code", &error.code().to_string()).end()
}
