//! How a camera is reached, on the command line.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vigie_net::Fingerprint;

/// How a camera is reached, and how it is known.
#[derive(Args, Clone, Debug, Default)]
pub struct Way {
    /// How pictures may travel, tcp unless said otherwise; given again, what is tried next.
    #[arg(long = "transport", value_enum, value_name = "HOW", help_heading = WAY)]
    pub transports: Vec<Transport>,
    /// What the session travels in; an address that begins with http, https, ws or wss says it by itself.
    #[arg(long, value_enum, value_name = "WHAT", help_heading = WAY)]
    pub tunnel: Option<Tunnel>,
    /// Address of this machine on the network where multicast groups are joined.
    #[arg(long, value_name = "IP", help_heading = WAY)]
    pub interface: Option<Ipv4Addr>,
    /// Trust the camera whose certificate has this fingerprint, and no other; may be given again.
    #[arg(long = "tls-fingerprint", value_name = "SHA256", help_heading = WAY,
        conflicts_with_all = ["authorities", "insecure"])]
    pub fingerprints: Vec<Fingerprint>,
    /// Trust the authorities in this PEM file instead of the system's.
    #[arg(long = "tls-ca", value_name = "FILE", help_heading = WAY, conflicts_with = "insecure")]
    pub authorities: Option<PathBuf>,
    /// Trust whoever answers: passwords and pictures can be read, and replaced, by anybody on the way who pretends to be
    /// the camera. For finding out a fingerprint, not for recording.
    #[arg(long = "tls-insecure", help_heading = WAY)]
    pub insecure: bool,
    /// Certificate (PEM, with its chain) that is shown to a camera that asks for one.
    #[arg(long = "tls-cert", value_name = "FILE", help_heading = WAY, requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[arg(long = "tls-key", value_name = "FILE", help_heading = WAY, requires = "certificate")]
    pub key: Option<PathBuf>,
}

const WAY: &str = "How the camera is reached";

/// How pictures may travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// With the session: nothing is lost, firewalls know it.
    Tcp,
    /// Datagrams to this machine; what is lost is lost, and even with rtsps anybody on the way can see it.
    Udp,
    /// Datagrams to a group that many can watch; the same.
    Multicast,
}

/// What the session travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tunnel {
    /// A pair of HTTP requests, to port 80 (443 with rtsps) unless the address names another.
    Http,
    /// A WebSocket, to the same ports.
    Websocket,
}
