//! Our MP4 files before judges of other people, and other people's MP4 files before ours.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "mp4/ffmpeg.rs"]
mod ffmpeg;
#[path = "mp4/judges.rs"]
mod judges;
#[path = "mp4/media.rs"]
mod media;
#[path = "mp4/others.rs"]
mod others;
#[path = "mp4/readers.rs"]
mod readers;
