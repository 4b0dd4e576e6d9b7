//! Vigie takes H.264 and H.265 from IP cameras over RTSP/RTP and turns it into fragmented MP4 segments with an
//! index, to be kept, found again, and played in a browser with nothing to install.
//!
//! ```text
//! camera ──bytes──▶ session ──RtpPacket──▶ reorder ──▶ depacket ──AccessUnit──▶ timeline ──Group──▶ fragment
//!                                                                                                      │ Fragment
//!    browser ◀── view ◀── play ◀── store ◀── index entry + Segment ◀── segment ◀───────────────────────┘
//! ```
//! One direction, one type per step, each type living in the module that produces it. Live viewing is the same way,
//! leaving after [`fragment`] (or after [`reorder`], when RTP is relayed) and skipping the store.
//!
//! # Floors
//!
//! A module imports from lower floors, and on floors 2 to 4 also from the step before it on the way, never from one
//! after it; `tests/floors.rs` holds the exact list.
//!
//! | floor | modules |
//! |---|---|
//! | 0 words | [`octets`] [`time`] [`limits`] [`fault`] [`codec`] |
//! | 1 wire | [`rtsp`] [`sdp`] [`rtp`] [`h26x`] [`bmff`] [`gix`] |
//! | 2 steps | [`reorder`] [`depacket`] [`timeline`] [`fragment`] [`segment`] [`view`] [`packetize`] |
//! | 3 machines | [`govern`] [`session`] [`server`] [`store`] |
//! | 4 reading | [`play`] |
//! | 5 whole | [`record`] |
//!
//! [`govern`] stands beside the way and imports none of it: it decides when a connection is made, which is a matter of all
//! cameras together (dials a second, sessions of a device, wrong passwords of an account) and so of no [`session`].
//!
//! # Sans-IO
//!
//! Floors 0 to 4 hold no clock, random number, socket, thread or log line: time and entropy are arguments. The same
//! machine runs under tokio, in WebAssembly, in a C host and in a fuzzer. Sockets live in the crate `vigie-net`.
//!
//! # Features
//!
//! They only add. `std`, the default, brings the file store, and `full`: passwords, SRTP, sound, metadata, JPEG and AV1, which a
//! browser that plays H.264 and H.265 of a centre does without. Without `full` they are refused as what is not known.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod bmff;
pub mod codec;
pub mod depacket;
pub mod fault;
pub mod fragment;
pub mod gix;
pub mod govern;
pub mod h26x;
pub mod limits;
pub mod octets;
pub mod packetize;
pub mod play;
pub mod record;
pub mod reorder;
pub mod rtp;
pub mod rtsp;
pub mod sdp;
pub mod segment;
pub mod server;
pub mod session;
pub mod store;
pub mod time;
pub mod timeline;
pub mod view;
