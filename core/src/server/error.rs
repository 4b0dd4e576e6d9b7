//! Why a connection ended, or a call was refused.

use thiserror::Error;

use crate::fault::{Blame, Code, Fault, Offset};
use crate::rtsp;

/// What ended a connection, or what was wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind}, at {at} of the connection")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Bytes received on the connection before it.
    pub at: Offset,
}

/// The kinds of [`Error`](struct@Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Kind {
    /// The bytes are not RTSP.
    #[error("{0}")]
    Rtsp(rtsp::Kind),
    /// More media waits to be sent than `Limits::send_queue` allows: the client reads too slowly.
    #[error("the client reads too slowly; media was not queued")]
    QueueFull,
    /// Media for a client that does not play.
    #[error("the client does not play; media was not queued")]
    NotPlaying,
    /// An answer to a request that does not wait for one, or not for this one.
    #[error("no such request waits for an answer")]
    NoSuchRequest,
    /// Nothing was heard from the client for the session's timeout.
    #[error("the client is silent")]
    Silent,
    /// Too many wrong passwords on one connection.
    #[error("too many wrong passwords")]
    WrongPasswords,
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::NotPlaying | Kind::NoSuchRequest => Blame::Caller,
            _ => Blame::Peer,
        }
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::Rtsp(kind) => return kind.code(),
            Kind::QueueFull => 750,
            Kind::NotPlaying => 751,
            Kind::NoSuchRequest => 752,
            Kind::Silent => 753,
            Kind::WrongPasswords => 754,
        })
    }
}
