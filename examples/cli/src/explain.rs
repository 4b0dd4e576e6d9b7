//! Faults of core in the words of the command line: what is wrong, and what to do.

use std::fmt::Display;
use std::path::Path;

use vigie::fault::{Fault, Quirk, Quirks};
use vigie::h26x::{Layers, VideoFormat};
use vigie::rtsp::Url;
use vigie::sdp::{MediaKind, Presentation};
use vigie::session::{self, Lower};
use vigie::store::{self, journal};
use vigie_net::{Camera, Kind as Net};

use crate::failure::Failure;

const LOGIN: &str = "give them in the address (rtsp://user:password@host/…), or the user with --user or VIGIE_USER and \
                     the password with --password-file or VIGIE_PASSWORD";

/// What is coded beside the pictures that every player shows; empty where there is nothing.
#[must_use]
pub fn layers(format: &VideoFormat) -> String {
    let what = match format.layers {
        Layers::Base => return String::new(),
        Layers::Scalable => "scalable (SVC)".to_owned(),
        Layers::Views => "several views (MVC)".to_owned(),
        Layers::Multiple(n) => format!("{n} of H.265"),
        other => other.name().to_owned(),
    };
    format!("layers        {what}: all are kept, players show the base\n")
}

/// Why a camera cannot be reached or was lost. `presentation` is what it said of itself before.
#[must_use]
pub fn camera(camera: &Camera, error: &vigie_net::Error, presentation: Option<&Presentation>) -> Failure {
    let (url, port) = (camera.url(), camera.port());
    let host = url.host();
    let (what, remedy) = match error.kind {
        Net::NoSuchHost => (
            format!("there is no such host: {host}"),
            "check the spelling of the address, and that this machine can resolve names".to_owned(),
        ),
        Net::Refused => (
            format!("{host} refused the connection: nothing listens at port {port}"),
            "check that the camera's RTSP service is on, and its port: most use 554, rtsps 322, tunnels 80".to_owned(),
        ),
        Net::Unreachable => (
            format!("there is no route to {host}"),
            "check the network between this machine and the camera, and the address".to_owned(),
        ),
        Net::ConnectTimeout => (
            format!("{host} does not answer at port {port}"),
            "check that the camera is switched on, and that no firewall stands between".to_owned(),
        ),
        Net::Broken => (
            format!("the connection to {host} broke"),
            "check the network between this machine and the camera".to_owned(),
        ),
        Net::Socket(kind) => (
            format!("the connection to {host} failed: {kind}"),
            "check the network of this machine".to_owned(),
        ),
        Net::Redirects => (
            format!("{host} sends us round in circles: too many redirects"),
            "use the address that the camera's own documentation gives".to_owned(),
        ),
        Net::CertificateChanged { expected, found } => (
            format!("{host} shows another certificate than the pinned one: expected {expected}, found {found}"),
            "ask whoever looks after the camera whether its certificate was renewed; if it was, give the new \
             fingerprint to --tls-fingerprint"
                .to_owned(),
        ),
        Net::Certificate { why, found } => (
            format!("{host} cannot be trusted: {why}; its fingerprint is {found}"),
            "compare the fingerprint with the one that the camera's own pages show, and pin it with \
             --tls-fingerprint; or give the certificate of the authority that signed it with --tls-ca"
                .to_owned(),
        ),
        Net::NotTls => (
            format!("{host} does not speak TLS at port {port}"),
            "check the port (most cameras use 322), and that encryption is switched on in the camera".to_owned(),
        ),
        Net::Handshake => (
            format!("{host} and this program have no version of TLS in common"),
            "bring the camera's firmware up to date: TLS 1.2 is needed".to_owned(),
        ),
        Net::ClientCertificate => (
            format!("{host} wants a client certificate, or refuses the one it was shown"),
            "give a certificate that an authority known to the camera has signed, with --tls-cert and --tls-key"
                .to_owned(),
        ),
        Net::Identity => (
            "the certificates or the key cannot be used".to_owned(),
            "give PEM files, and the key that belongs to the certificate".to_owned(),
        ),
        Net::NoAuthorities => (
            "this machine has no list of certificate authorities".to_owned(),
            "install one (ca-certificates on Debian), or pin the camera's certificate with --tls-fingerprint"
                .to_owned(),
        ),
        Net::NotAFingerprint => (
            "that is not a fingerprint".to_owned(),
            "give the SHA-256 of the certificate: 64 hexadecimal digits, with or without colons".to_owned(),
        ),
        Net::NotHttp => (
            format!("what answers at {host} does not speak HTTP"),
            "check the port: tunnels and WebSockets use that of the camera's web pages".to_owned(),
        ),
        Net::Tunnel(status) => (
            format!("{host} refuses the tunnel with HTTP status {status}"),
            "use an address that begins with rtsp://, or check the path and the camera's settings".to_owned(),
        ),
        Net::Ended => (
            format!("{host} ended the session"),
            "nothing, if the camera was restarted; else look into the camera's log".to_owned(),
        ),
        Net::Session(error) => session(url, port, &error, presentation),
        _ => (format!("{host}: {error}"), "check the camera".to_owned()),
    };
    Failure::new(what, remedy).numbered(error)
}

fn session(
    url: &Url,
    port: u16,
    error: &session::Error,
    presentation: Option<&Presentation>,
) -> (String, String) {
    use session::Kind as K;
    let host = url.host();
    match error.kind {
        K::Rtsp(kind) => (
            format!("what answers at {host}:{port} is not RTSP ({kind})"),
            "check the port: RTSP is mostly at 554, while 80 and 443 are the camera's web pages".to_owned(),
        ),
        K::Sdp(kind) => (
            format!("{host} describes its stream in a way that cannot be read ({kind})"),
            "check the path of the address, and the camera's firmware".to_owned(),
        ),
        K::CredentialsNeeded => {
            (format!("{host} asks for a user name and password, and none were given"), LOGIN.to_owned())
        }
        K::CredentialsRefused => (
            format!("{host} refuses the user name or the password"),
            format!("check both (many cameras lock the account for minutes after a few wrong ones); {LOGIN}"),
        ),
        K::ChallengeUnsupported => (
            format!("{host} asks for the password in a way other than Basic and Digest"),
            "switch the camera's RTSP authentication to digest".to_owned(),
        ),
        K::NoVideo => (
            format!("{host} offers no video at {}, but {}", path(url), offered(presentation)),
            "check the path of the address: it is in the camera's documentation or its ONVIF settings"
                .to_owned(),
        ),
        K::UnsupportedCodec => (
            format!("the video of {host} is {}, which is none of H.264, H.265, JPEG and AV1", codecs(presentation)),
            "choose H.264 or H.265 in the camera's settings, or another stream of it".to_owned(),
        ),
        K::UnsupportedTransport => (
            format!("{host} does not send video over any transport that is allowed"),
            "allow others too, as in --transport udp --transport tcp, or switch on RTP over RTSP (TCP) in the \
             camera's settings"
                .to_owned(),
        ),
        K::NotFound => (
            format!("{host} has no stream at {}", path(url)),
            "check the path of the address: it is in the camera's documentation or its ONVIF settings"
                .to_owned(),
        ),
        K::Busy(status) => (
            format!("{host} serves no further viewer: {status}"),
            "end another session of the camera, then try again; some serve only two".to_owned(),
        ),
        K::Status(status) => {
            (format!("{host} answers: {status}"), "check the camera's settings, then try again".to_owned())
        }
        K::NoResponse => (
            format!("{host} took the connection, but does not answer"),
            "check that it is a camera's RTSP port; restart the camera if it has answered before".to_owned(),
        ),
        K::Stalled => (
            format!("{host} stopped sending video"),
            "check the camera and the network (firewalls often keep out what comes by UDP: --transport tcp \
             passes); restart the camera if it goes on"
                .to_owned(),
        ),
        K::Closed => (
            format!("{host} closed the connection {}", error.at.phase),
            "check that the camera has started up, and that it does not serve too many viewers".to_owned(),
        ),
        _ => (format!("{host}: {}", error.kind), "check the camera's settings".to_owned()),
    }
}

fn path(url: &Url) -> &str {
    if url.path().is_empty() { "/" } else { url.path() }
}

/// `audio (PCMA)`.
fn offered(presentation: Option<&Presentation>) -> String {
    let media = presentation.map(|p| &p.media[..]).unwrap_or_default();
    let names: Vec<String> = media.iter().map(|m| format!("{} ({})", kind(&m.kind), m.encoding())).collect();
    if names.is_empty() { "nothing".to_owned() } else { format!("only {}", names.join(", ")) }
}

fn codecs(presentation: Option<&Presentation>) -> String {
    let media = presentation.map(|p| &p.media[..]).unwrap_or_default();
    let video = media.iter().filter(|m| m.kind == MediaKind::Video);
    let names: Vec<&str> = video.map(|m| m.encoding()).filter(|e| !e.is_empty()).collect();
    if names.is_empty() { "of an unknown codec".to_owned() } else { names.join(", ") }
}

/// The kind of a media section, as in its `m=` line.
#[must_use]
pub fn kind(kind: &MediaKind) -> &str {
    match kind {
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
        MediaKind::Application => "application",
        MediaKind::Other(other) => other,
        _ => "other",
    }
}

/// How pictures travel, as `--transport` has it.
#[must_use]
pub const fn transport(lower: Lower) -> &'static str {
    match lower {
        Lower::Tcp => "tcp",
        Lower::Udp => "udp",
        Lower::Multicast => "multicast",
        _ => "another transport",
    }
}

/// What the store at `root` cannot do; `doing` is a verb with its object: `record into`, `read`.
#[must_use]
pub fn store(doing: &str, root: &Path, error: &store::Error) -> Failure {
    use store::Kind as K;
    let root = root.display();
    let (why, remedy) = match error.kind {
        K::NotFound => ("it does not exist".to_owned(), "check the path of --store"),
        K::Full => ("the disk is full".to_owned(), "free some space, or choose another disk with --store"),
        K::Denied => (
            "permission denied".to_owned(),
            "give this user the right to write there, or choose another folder with --store",
        ),
        K::ReadOnly => (
            "the file system is mounted read-only".to_owned(),
            "choose another folder with --store; disks become read-only after an error, see the system's log",
        ),
        K::NotAFolder => {
            ("a file stands where a folder is needed".to_owned(), "choose another folder with --store")
        }
        K::Locked => (
            "another process records this camera there".to_owned(),
            "end the other one, or give this camera another name with --camera",
        ),
        K::Version => {
            ("it was written by a later version of Vigie".to_owned(), "use that version, or a later one")
        }
        K::NoVolume => (
            "the disk is not mounted there".to_owned(),
            "mount it; nothing is written below its mount point meanwhile, and recording goes on by itself",
        ),
        K::ForeignVolume => (
            "another disk is mounted there than the one that belongs there".to_owned(),
            "mount the right one; its id stands in .vigie-volume",
        ),
        K::Io(5) => (
            "the disk fails (input/output error)".to_owned(),
            "see the system's log; save what is on the disk and replace it",
        ),
        kind => (kind.to_string(), "check the disk and the system's log"),
    };
    Failure::new(format!("cannot {doing} {root}: {why}"), remedy).numbered(error)
}

/// What is not decided, or not deleted, in the store at `root`; `doing` is a verb with its object.
#[must_use]
pub fn decision(doing: &str, root: &Path, error: &journal::Error) -> Failure {
    use journal::Kind as K;
    let remedy = match error.kind {
        K::Store(store::Kind::Locked) => {
            return Failure::new(
                format!("cannot {doing} {}: another process is at it", root.display()),
                "try again; a recorder deletes what is expired of its own camera by itself",
            )
            .numbered(error);
        }
        K::Store(kind) => return self::store(doing, root, &kind.into()),
        K::Text => "shorten it, and write it on one line",
        K::Range => "give --from a moment that lies before that of --to",
        K::NoFootage => "`vigie ls` lists what there is",
        K::NoHold => "`vigie hold list` shows the holds in force with their numbers",
        K::SamePerson => "let another person release it, under a name of their own",
        K::Shorter => "give the range that is to be held in all",
        K::MinAboveMax | K::MinAndFile | K::Age => "raise --max-age, or lower --min-age",
        _ => "see `vigie hold --help` and `vigie retain --help`",
    };
    Failure::fault(&format!("cannot {doing} {}", root.display()), error, remedy)
}

/// A tenant's or camera's name that cannot be one.
///
/// # Errors
/// Which of the two, and what names may be.
pub fn names(tenant: &str, camera: &str) -> Result<store::Source, Failure> {
    for (what, name) in [("tenant", tenant), ("camera", camera)] {
        self::name(what, name)?;
    }
    store::Source::new(tenant, camera).map_err(|e| Failure::fault("not a name", &e, "use a-z, 0-9, - and _"))
}

/// One of the two.
///
/// # Errors
/// The same.
pub fn name(what: &str, name: &str) -> Result<store::Name, Failure> {
    name.parse().map_err(|error: store::Error| {
        Failure::new(
            format!("{name:?} cannot be the name of a {what}: it becomes the name of a folder"),
            "use 1 to 64 of a-z, 0-9, - and _",
        )
        .numbered(&error)
    })
}

/// A fault that nothing outside Vigie should be able to cause.
#[must_use]
pub fn bug<E: Fault + Display>(doing: &str, error: &E) -> Failure {
    Failure::fault(doing, error, "report it, with the camera or file that it happens with, if you may")
}

/// Quirks as a JSON object.
#[must_use]
pub fn quirks(quirks: &Quirks) -> serde_json::Value {
    quirks.iter().map(|(quirk, count)| (quirk.name().to_owned(), serde_json::Value::from(count))).collect()
}

/// Quirks as lines of text.
#[must_use]
pub fn quirk_lines(quirks: &Quirks) -> String {
    let line = |(quirk, count): (Quirk, u64)| {
        let times = if count == 1 { String::new() } else { format!(" ({count} times)") };
        format!("tolerated     {quirk}{times}\n")
    };
    quirks.iter().map(line).collect()
}
