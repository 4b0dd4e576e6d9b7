//! What a camera has to say.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use vigie::depacket::{AccessUnit, AudioUnit, Document, PictureUnit};
use vigie::fault::Quirk;
use vigie::rtp::rtcp::SenderReport;
use vigie::rtsp::Url;
use vigie::sdp::Presentation;
use vigie::session::{Agreed, Playing};
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::UtcSource;

use crate::error::Error;
use crate::tls::Fingerprint;

/// What a [`Camera`](crate::Camera) yields. Times are on the clock of its [`Options`](crate::Options).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A connection is being made.
    Connecting {
        /// 1 for the first since the last picture.
        attempt: u32,
    },
    /// The connection stands; nothing is known of the camera yet.
    Connected {
        /// The address that answered.
        peer: SocketAddr,
        /// The fingerprint of its certificate, with TLS: to be pinned.
        certificate: Option<Fingerprint>,
    },
    /// The camera said what it has.
    Described(Arc<Presentation>),
    /// How a media will travel.
    SetUp {
        /// Its index in the presentation.
        media: usize,
        /// What was agreed on.
        transport: Agreed,
    },
    /// Pictures will come.
    Playing(Playing),
    /// A picture.
    AccessUnit(AccessUnit),
    /// A picture of a camera that has neither H.264 nor H.265: JPEG or AV1.
    Picture(PictureUnit),
    /// Sound, where [`Options::wanted`](crate::Options::wanted) asks for it.
    Audio(AudioUnit),
    /// ONVIF metadata, where [`Options::wanted`](crate::Options::wanted) asks for it.
    Document(Document),
    /// The camera said what the clock of its sound shows.
    AudioSenderReport {
        /// What it said.
        report: SenderReport,
        /// When it arrived.
        received: Micros,
    },
    /// The camera said what its clock shows.
    SenderReport {
        /// What it said.
        report: SenderReport,
        /// When it arrived.
        received: Micros,
    },
    /// Another source said which moment an RTP timestamp of the video is: the camera's stamp on the picture that comes
    /// next, or what it said of the beginning.
    Anchor {
        /// Who said so.
        source: UtcSource,
        /// The RTP timestamp.
        timestamp: u32,
        /// The moment.
        utc: UtcMicros,
    },
    /// Timestamps of what follows do not continue those before.
    Discontinuity,
    /// The camera broke a rule in a way that is tolerated; told once for each rule and connection.
    Quirk(Quirk),
    /// The camera said that the stream is elsewhere; the next connection goes there. A user and a password go along
    /// only to the same host.
    Redirected(Url),
    /// There is no connection.
    Disconnected {
        /// Why.
        error: Error,
        /// When the next attempt will be made; `None`: never, and the stream ends.
        retry_in: Option<Duration>,
    },
}
