//! What a connection saw and did, call by call, for whoever wants to replay it.

use std::fmt;
use std::net::SocketAddr;

use vigie::record::IngestOutput;
use vigie::session;
use vigie::time::{Micros, UtcMicros};

use crate::error::Error;

/// Is shown everything that goes into a connection's machine and comes out of it towards the network.
///
/// It is called on the way of every read, so it must be quick: copy what is to be kept and return. One tap may serve
/// many cameras.
///
/// **Secrets.** What is shown is what was on the wire: `Authorization` fields, and a configuration whose credentials
/// are readable. [`vigie::record::capture::Writer`] takes them out of what it keeps.
pub trait Tap: Send + Sync {
    /// One call of the machine, or one thing that it had sent. In order within a connection.
    fn tap(&self, event: TapEvent<'_>);
}

impl fmt::Debug for dyn Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

/// Something that happened to a connection.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TapEvent<'a> {
    /// Which connection: a number that no other connection of this process has.
    pub connection: u64,
    /// What the machine was told as `now`; of what it had sent, when that was taken out of it.
    pub now: Micros,
    /// What happened.
    pub what: Tapped<'a>,
}

/// What happened. Whoever makes an [`Ingest`](vigie::record::Ingest) out of [`Tapped::Open`] and makes the same calls at
/// the same times, draining [`poll_output`](vigie::record::Ingest::poll_output) after each, gets the same output.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Tapped<'a> {
    /// The connection stands: `Ingest::new(config, now)`.
    Open {
        /// What the machine was told; its seed too.
        config: &'a session::Config,
        /// Where the connection leads.
        peer: SocketAddr,
        /// What the system's clock showed at `now`.
        utc: UtcMicros,
    },
    /// Bytes came on the connection: `handle_received`. Within TLS, a tunnel or a WebSocket: those carried by it.
    Received {
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A datagram came, from an address that it may come from: `handle_datagram`.
    Datagram {
        /// Of the presentation.
        media: usize,
        /// RTCP's socket, or RTP's.
        rtcp: bool,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The machine's time had come: `handle_timeout`.
    Timeout,
    /// The camera closed the connection, or it broke: `handle_closed`.
    Closed,
    /// Ports were bound for a media: `bound`.
    Bound {
        /// Of the presentation.
        media: usize,
        /// Of RTP and of RTCP.
        ports: (u16, u16),
    },
    /// No ports were to be had for a media: `not_bound`.
    NotBound {
        /// Of the presentation.
        media: usize,
    },
    /// The session is to end: `teardown`.
    Teardown,
    /// The machine sent bytes on the connection.
    Sent {
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The machine sent a datagram.
    SentDatagram {
        /// Of the presentation.
        media: usize,
        /// RTCP's socket, or RTP's.
        rtcp: bool,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The machine gave something, other than what it has sent: taken out of it at this moment.
    Output {
        /// What it gave.
        output: &'a IngestOutput,
    },
    /// The machine has given all that it had.
    Drained,
    /// Nothing more comes of this connection.
    End {
        /// The socket's part in it; `None` where the machine asked for the end.
        error: Option<Error>,
    },
}
