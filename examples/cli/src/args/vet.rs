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
    #[arg(value_name = "URL|FILE", required_unless_present = "against", conflicts_with = "against")]
    pub source: Option<String>,
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
    /// Change the stream at random (bits, NAL units, RTP headers, order, loss, answers of RTSP) and have Vigie, and --decoder, go
    /// through each: a crash, a hang or a broken promise is a finding.
    #[arg(long, conflicts_with_all = ["html", "junit", "baseline", "write_baseline"])]
    pub mutate: bool,
    /// How many changed sessions, or malformed requests.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub iterations: u64,
    /// The same seed changes the same stream in the same way.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Command of a decoder, run once for each changed stream, with {} in place of an .h264 or .h265 file: 'ffmpeg -i {} -f null -'.
    #[arg(long, value_name = "CMD", requires = "mutate")]
    pub decoder: Option<String>,
    /// How long the decoder may take for one file.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_span)]
    pub decoder_timeout: Duration,
    /// Folder for what was found, made as small as it gets: sessions for `vigie replay`, streams for the decoder; made if absent.
    #[arg(long, value_name = "DIR", requires = "mutate")]
    pub keep: Option<PathBuf>,
    /// Send malformed requests to the device at this address, ten a second at most, and see whether it lives. This machine's
    /// loopback only, unless --i-own-this-device; never a public address.
    #[arg(long, value_name = "RTSP-URL", conflicts_with_all = ["mutate", "sdp", "html", "junit", "baseline", "write_baseline"])]
    pub against: Option<String>,
    /// The device of --against is mine, and nobody depends on it.
    #[arg(long, requires = "against")]
    pub i_own_this_device: bool,
}
