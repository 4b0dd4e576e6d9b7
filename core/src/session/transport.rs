//! How media travels, and which media is asked for.

use alloc::string::String;
use core::net::IpAddr;

/// A lower transport, RFC 2326 §12.39.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lower {
    /// Over the RTSP connection itself, RFC 2326 §10.12.
    Tcp,
    /// UDP from the camera to us.
    Udp,
    /// UDP from the camera to a group.
    Multicast,
}

/// What SETUP's answer agreed on for one media.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Agreed {
    /// Channels of RTP and RTCP on the RTSP connection.
    Interleaved(u8, u8),
    /// UDP to the ports that were bound.
    Udp {
        /// The host that sends, where the answer names one: not always the one that was dialled.
        server: Option<String>,
        /// Its ports for RTP and RTCP; `None` where it does not say (OpenIPC): take packets from any.
        ports: Option<(u16, u16)>,
    },
    /// UDP to a group that is to be joined.
    Multicast {
        /// The group.
        group: IpAddr,
        /// Ports of RTP and RTCP.
        ports: (u16, u16),
        /// How far the packets go.
        ttl: Option<u8>,
        /// The only sender that is to be heard (RFC 4570), where one is named.
        source: Option<IpAddr>,
    },
}

impl Agreed {
    /// The lower transport of it.
    #[must_use]
    pub const fn lower(&self) -> Lower {
        match self {
            Self::Interleaved(..) => Lower::Tcp,
            Self::Udp { .. } => Lower::Udp,
            Self::Multicast { .. } => Lower::Multicast,
        }
    }
}

/// Which media is set up. Sound is not, unless asked for: recording it in public space is unlawful in France.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Wanted {
    /// The first video that this library can read, or that of `Config::media`. Without it the session fails.
    pub video: bool,
    /// The first sound that comes from the camera.
    pub audio: bool,
    /// The first stream of ONVIF metadata.
    pub metadata: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { video: true, audio: false, metadata: false }
    }
}

impl Wanted {
    /// Sets whether video is.
    #[must_use]
    pub const fn video(mut self, wanted: bool) -> Self {
        self.video = wanted;
        self
    }

    /// Sets whether sound is.
    #[must_use]
    pub const fn audio(mut self, wanted: bool) -> Self {
        self.audio = wanted;
        self
    }

    /// Sets whether metadata is.
    #[must_use]
    pub const fn metadata(mut self, wanted: bool) -> Self {
        self.metadata = wanted;
        self
    }
}

/// How recorded footage is to be sent: ONVIF Streaming Specification, "Playback". Asked for by
/// `Require: onvif-replay` in SETUP and PLAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Replay {
    /// The server keeps to the pace of the recording; false: as fast as the connection takes it (`Rate-Control: no`).
    pub rate_control: bool,
    /// Which pictures.
    pub frames: Frames,
    /// A PLAY while playing takes effect at once, dropping what is queued.
    pub immediate: bool,
    /// Backwards (`Scale: -1.0`): groups of pictures from last to first, each forwards within itself.
    pub reverse: bool,
}

impl Default for Replay {
    fn default() -> Self {
        Self { rate_control: false, frames: Frames::All, immediate: true, reverse: false }
    }
}

impl Replay {
    /// Sets who keeps the pace.
    #[must_use]
    pub const fn rate_control(mut self, server: bool) -> Self {
        self.rate_control = server;
        self
    }

    /// Sets which pictures.
    #[must_use]
    pub const fn frames(mut self, frames: Frames) -> Self {
        self.frames = frames;
        self
    }

    /// Sets whether a PLAY while playing takes effect at once.
    #[must_use]
    pub const fn immediate(mut self, immediate: bool) -> Self {
        self.immediate = immediate;
        self
    }

    /// Sets the direction.
    #[must_use]
    pub const fn reverse(mut self, reverse: bool) -> Self {
        self.reverse = reverse;
        self
    }
}

pub use crate::rtsp::headers::Frames;
