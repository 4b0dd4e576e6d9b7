//! Round trips: what is written reads back as what it was, and what was read is written so that it reads the same.

mod headers;
mod index;
mod journal;
mod messages;
mod nal;
mod packets;
mod rtp;
mod srtp;

pub(crate) use headers::{headers_round_trip, sdp_round_trip};
pub(crate) use index::index_round_trip;
pub(crate) use journal::journal_round_trip;
pub(crate) use messages::rtsp_round_trip;
pub(crate) use nal::nal_round_trip;
pub(crate) use packets::packets_round_trip;
pub(crate) use rtp::rtp_round_trip;
pub(crate) use srtp::srtp_round_trip;
