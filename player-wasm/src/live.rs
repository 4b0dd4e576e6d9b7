//! The live way in a browser: bytes of a WebSocket in, init segments and fragments for a `MediaSource` out.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use vigie::codec::Codec;
use vigie::fault::Fault as _;
use vigie::limits::Limits;
use vigie::record::{self, Ingest, IngestOutput, LiveOutput};
use vigie::rtsp::{Status, Url};
use vigie::session::{Config, Error, Event, Kind};
use vigie::time::{Micros, UtcMicros};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use crate::json::Object;
use crate::output::{Output, Outputs};
use crate::picture::{Place, Stamp, format_text, fragment_text, pictures};

/// One live stream. Times are microseconds: `now` of `performance.now()`, `utc` since 1970.
///
/// After each call, [`pull`](Self::pull) until it gives nothing.
#[wasm_bindgen]
pub struct Live {
    ingest: Ingest,
    media: record::Live,
    /// Of the init segment given last.
    codec: Codec,
    /// Fragments that could not be read back. None should.
    broken: u64,
    ready: Outputs,
    failure: Option<Error>,
}

#[wasm_bindgen]
impl Live {
    /// `url` is the camera's `rtsp:` address; `token` what is shown with `Authorization: Bearer`, or empty; `seed` 32
    /// unpredictable bytes.
    ///
    /// # Errors
    /// The address is none, or the seed is short.
    #[wasm_bindgen(constructor)]
    pub fn new(url: &str, token: &str, seed: &[u8], now: f64) -> Result<Self, JsError> {
        let (url, credentials) = Url::parse(url).map_err(|e| JsError::new(&e.to_string()))?;
        let seed = seed.try_into().map_err(|_| JsError::new("the seed is 32 bytes"))?;
        let authorization = (!token.is_empty()).then(|| bearer(token));
        let config = Config::new(url, seed).credentials(credentials).authorization(authorization);
        let ingest = Ingest::new(config, micros(now));
        let mut live = Self {
            ingest,
            media: record::Live::new(&Limits::default()),
            codec: Codec::H264,
            broken: 0,
            ready: Outputs::default(),
            failure: None,
        };
        live.drive();
        Ok(live)
    }

    /// Bytes came.
    pub fn receive(&mut self, now: f64, utc: f64, bytes: &[u8]) {
        self.clocks(now, utc);
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.ingest.handle_input(micros(now), rest);
            rest = rest.get(taken..).unwrap_or_default();
            self.drive();
            if taken == 0 {
                // The session ended: nothing is read any more.
                break;
            }
        }
    }

    /// Another token: shown to the centre at once, and with all that follows.
    pub fn authorize(&mut self, token: &str, now: f64) {
        self.ingest.authorize(micros(now), Some(bearer(token)));
        self.drive();
    }

    /// The connection was closed by the other side, or broke.
    pub fn close(&mut self, now: f64) {
        self.ingest.handle_closed(micros(now));
        self.drive();
    }

    /// The moment of [`wake`](Self::wake) came.
    pub fn timeout(&mut self, now: f64, utc: f64) {
        self.clocks(now, utc);
        self.ingest.handle_timeout(micros(now));
        self.drive();
    }

    /// When [`timeout`](Self::timeout) is to be called, if nothing happens before.
    #[must_use]
    pub fn wake(&self) -> Option<f64> {
        self.ingest.poll_timeout().map(|at| at.0 as f64)
    }

    /// What there is to do: `send` (bytes for the connection), `init` and `fragment` (for the media buffer), `event`,
    /// `close` (the connection is over; the text says why).
    pub fn pull(&mut self) -> Option<String> {
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

    /// Counts, as JSON.
    #[must_use]
    pub fn stats(&self) -> String {
        let stats = self.ingest.stats();
        let mut quirks = self.ingest.quirks();
        quirks.merge(self.media.quirks());
        Object::new()
            .plain("bytesReceived", stats.session.bytes_received)
            .plain("rtpPackets", stats.session.rtp_packets)
            .plain("rtcpPackets", stats.session.rtcp_packets)
            .plain("lost", stats.reorder.lost)
            .plain("broken", self.media.broken() + self.broken)
            .text("phase", &self.ingest.session().phase().to_string())
            .counts("quirks", quirks.iter().map(|(quirk, count)| (quirk.name(), count)))
            .end()
    }
}

impl Live {
    fn clocks(&mut self, now: f64, utc: f64) {
        self.media.clocks(micros(now), UtcMicros(utc as i64));
    }

    fn drive(&mut self) {
        while let Some(output) = self.ingest.poll_output() {
            let ready = &mut self.ready;
            match output {
                IngestOutput::Send(bytes) => ready.push(Output { kind: "send", text: String::new(), bytes }),
                IngestOutput::AccessUnit(unit) => {
                    self.media.push(unit);
                    self.media();
                }
                IngestOutput::SenderReport { report, .. } => self.media.sender_report(report),
                IngestOutput::Anchor { source, timestamp, utc } => self.media.anchor(source, timestamp, utc),
                IngestOutput::Discontinuity => self.media.discontinuity(),
                IngestOutput::Event(Event::Playing(_)) => {
                    ready.push(Output::text("event", Object::new().text("kind", "playing").end()));
                }
                IngestOutput::Event(Event::Failed(error)) => self.failure = Some(error),
                IngestOutput::Close => ready.push(Output::text("close", cause(self.failure.as_ref()))),
                _ => {}
            }
        }
    }

    fn media(&mut self) {
        while let Some(output) = self.media.pull() {
            match output {
                LiveOutput::Init { bytes, segment } => {
                    let Some(format) = segment.video() else { continue };
                    self.codec = format.codec;
                    let text = format_text(format.codec, &format.codec_string, (format.width, format.height));
                    self.ready.push(Output { kind: "init", text, bytes });
                }
                LiveOutput::Fragment { bytes, shown, utc, epoch, flags } => {
                    let place = Place {
                        start: shown.pts,
                        end: shown.pts.plus(i64::try_from(shown.duration).unwrap_or(0)),
                        epoch,
                        random_access: flags.random_access,
                        damaged: flags.loss || flags.incomplete,
                    };
                    match pictures(&bytes, self.codec, Stamp::from(utc)) {
                        Ok(pictures) => {
                            let text = fragment_text(&place, &pictures);
                            self.ready.push(Output { kind: "fragment", text, bytes });
                        }
                        Err(_) => self.broken += 1,
                    }
                }
                _ => {}
            }
        }
    }
}

fn bearer(token: &str) -> String {
    ["Bearer ", token].concat()
}

fn micros(now: f64) -> Micros {
    Micros(now as u64)
}

/// `Cause` of protocol.js.
fn cause(failure: Option<&Error>) -> String {
    let Some(error) = failure else {
        return Object::new().text("kind", "connection-lost").end();
    };
    let kind = match error.kind {
        Kind::CredentialsNeeded | Kind::CredentialsRefused | Kind::ChallengeUnsupported => "refused",
        Kind::Status(Status(401 | 403)) => "refused",
        Kind::NotFound => "not-found",
        Kind::NoVideo => "no-video",
        Kind::UnsupportedCodec => "codec",
        // The centre has no stream to give while its camera is away.
        Kind::Busy(Status(503)) => "camera-gone",
        Kind::Stalled => "camera-silent",
        Kind::Closed => "connection-lost",
        Kind::NoResponse => "centre-unreachable",
        _ => "protocol",
    };
    let object = Object::new().text("kind", kind).text("code", &error.code().to_string());
    if kind == "protocol" { object.text("text", &error.kind.to_string()).end() } else { object.end() }
}
