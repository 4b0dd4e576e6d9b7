//! `vigie vet`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Login, Way};
use crate::moment::parse_span;

/// `vigie vet`.
#[derive(Args, Debug)]
pub struct Vet {
    /// Address of a camera, a pcap or pcapng capture, a file of `vigie record --capture`, or an .h264 or .h265 file.
    #[arg(value_name = "URL|FILE")]
    pub source: String,
    /// User and password.
    #[command(flatten)]
    pub login: Login,
    /// How the camera is reached.
    #[command(flatten)]
    pub way: Way,
    /// SDP that describes the packets of FILE.
    #[arg(long, value_name = "FILE")]
    pub sdp: Option<PathBuf>,
    /// How long to watch a camera. Drift and sender reports need 20 s or more.
    #[arg(long = "for", value_name = "DURATION", default_value = "20s", value_parser = parse_span)]
    pub span: Duration,
    /// Write a page with plots of bit rate, groups of pictures and timing; replaced if it exists.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write JUnit XML, a test case for each rule; replaced if it exists.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Fail only on what is worse than in this file.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write what was found, for --baseline; replaced if it exists.
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
}
