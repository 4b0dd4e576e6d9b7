//! The command line.

mod disk;
mod keep;
mod simulate;
mod vet;
mod way;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use vigie::fault::{Policy, Quirk, QuirkSet};

use crate::moment::{Moment, parse_bytes, parse_span};

pub use disk::{Fsck, Place, Rebuild, Volume, Which};
pub use keep::{Hold, HoldAdd, HoldExtend, HoldList, HoldRelease, Journal, JournalOf, Retain, Who};
pub use simulate::{Auth, Simulate};
pub use vet::Vet;
pub use way::{Transport, Tunnel, Way};

const MAIN_EXAMPLES: &str = "\
Examples:
  vigie simulate --listen 127.0.0.1:8554 --cameras 2
  vigie probe rtsp://127.0.0.1:8554/cam1
  vigie record rtsp://127.0.0.1:8554/cam1 --store store --tenant town --camera place --for 1m
  vigie ls --store store
  vigie export --store store --tenant town --camera place --from now-50s --to now-20s -o clip.mp4

Exit codes: 0 done; 1 failed (the message says what to do); 2 the command line cannot be read;
3 done, but short of what was asked: `export` of the range, `forecast` of the retention.";

/// Video of IP cameras: look at it, record it, find it again.
#[derive(Debug, Parser)]
#[command(name = "vigie", version, after_help = MAIN_EXAMPLES, propagate_version = true)]
pub struct Cli {
    /// Print results (and errors, on stderr) as JSON, one document a line.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what a camera or a file holds: codec, size, frame rate, GOP length, quirks, clock offset.
    #[command(after_help = "\
Examples:
  vigie probe rtsp://127.0.0.1:8554/cam1
  VIGIE_USER=viewer VIGIE_PASSWORD=… vigie probe rtsp://192.0.2.7/stream1 --json
  vigie probe rtsps://192.0.2.7/stream1 --tls-insecure    (prints the fingerprint to be pinned)
  vigie probe capture.pcap")]
    Probe(Probe),
    /// Hold a camera or a capture to the rules: what is wrong, by which clause, where, and what receivers make of it.
    #[command(after_help = "\
Exit code 0: no error; with --baseline, nothing worse than in that file. docs/vet.md lists the rules.

Examples:
  vigie vet rtsp://127.0.0.1:8554/cam1 --for 30s --html report.html
  vigie vet capture.pcap --sdp camera.sdp --json
  vigie vet firmware-1.pcap --write-baseline good.json
  vigie vet firmware-2.pcap --baseline good.json --junit vet.xml
  vigie vet --mutate capture.pcap --iterations 10000 --seed 7 --decoder './decode {}' --keep found
  vigie vet --against rtsp://127.0.0.1:8554/stream --iterations 200")]
    Vet(Vet),
    /// Record a camera; reconnects by itself until --for is over or Ctrl-C.
    #[command(after_help = "\
Examples:
  vigie record rtsp://127.0.0.1:8554/cam1 --store store --tenant town --camera place --for 20s
  vigie record rtsps://192.0.2.7/stream1 --tls-fingerprint 0B:41:… --store store --tenant town --camera gate
  vigie record rtsp://192.0.2.7/stream1 --transport multicast --transport udp --transport tcp \\
    --store store --tenant town --camera gate
  vigie record rtsp://192.0.2.7/stream1 --store store --tenant town --camera place --for 1m \\
    --capture report.vcap --no-media

--capture writes down what the camera sent and when, for a bug report that needs no camera: passwords and tokens are
taken out, with --no-media the pictures too; `vigie replay` has it again.")]
    Record(Record),
    /// Have a captured session again: the same events, from a file of `vigie record --capture`.
    #[command(after_help = "\
Prints each event of the session as a line, and says whether they are those of the run that was recorded.

Examples:
  vigie replay report.vcap
  vigie replay report.vcap --digest
  vigie replay report.vcap -o camera.mp4
  vigie replay report.vcap --store store --tenant town --camera place")]
    Replay(Replay),
    /// Turn an elementary stream or a capture into MP4, without decoding.
    #[command(after_help = "\
INPUT is told apart by its content: H.264 or H.265 with start codes (Annex B), RTP packets behind two bytes of
length (RFC 4571), or a pcap or pcapng capture that holds RTP.

Examples:
  vigie remux camera.h265 -o camera.mp4
  vigie remux packets.rtp --sdp session.sdp -o camera.mp4
  vigie remux capture.pcapng -o camera.mp4 --view playback")]
    Remux(Remux),
    /// List what a store holds: files, covered ranges, gaps with their causes.
    #[command(after_help = "\
Examples:
  vigie ls --store store
  vigie ls --store store --tenant town --camera place --from now-1h --to now")]
    Ls(Ls),
    /// List what is missing and why, and what share of each month was recorded.
    #[command(after_help = "\
Causes: camera, network, authentication, storage, clock, operator, retention, recorder. Months are those of UTC; a camera
counts from its first picture on. `vigie --json gaps` gives the seconds by cause.

Examples:
  vigie gaps --store store
  vigie gaps --store store --tenant town --camera place --from 2026-11-01 --to 2026-12-01")]
    Gaps(Ls),
    /// Copy a range out of a store: an MP4 that opens anywhere, cut to the picture; or a folder, with originals and manifest.
    #[command(after_help = "\
The file shows every picture of [FROM, TO) and no other; pictures before it that decoding needs are in the file but
not shown. After a gap, and where the camera changed its picture, a further file begins: clip.mp4, clip-2.mp4, …
Exit code 3: the files are good, but the recording covers less than was asked.

An output without an extension is a folder. Beside the movies it holds originals/ (the recorded files that lie in the
range, else their fragments, byte for byte; laid out as a store), manifest.json (what was asked and delivered, gaps with
their causes, clock quality, SHA-256 of each file, who and why) and SHA256SUMS (for `sha256sum -c`). Each export is a
line of the tenant's journal, written before the export takes its place.

Examples:
  vigie export --store store --tenant town --camera place \\
    --from 2026-11-22T05:14:00Z --to 2026-11-22T05:15:30Z -o clip.mp4
  vigie export --store store --tenant town --camera place --subtitles --operator 'J. Martin' --case 2026/1234 \\
    --reason 'requisition of the public prosecutor' --from 2026-11-22T05:14:00Z --to 2026-11-22T05:15:30Z -o case-1234/
  vigie export --verify case-1234")]
    Export(Export),
    /// Say which volume a store's disk is, or make it one: with an id and room kept back.
    #[command(after_help = "\
A disk that is a volume is known by its id: where it is not mounted, `vigie record` writes nothing below its mount point, nor
after a restart: which volume belongs where is remembered in ~/.local/state/vigie (or $XDG_STATE_HOME, $STATE_DIRECTORY). Its
reserve is room that is used only to close what is open when the disk is full.

Examples:
  vigie volume --store /mnt/video --create
  vigie volume --store /mnt/video")]
    Volume(Volume),
    /// Check a store: every file, mark, checksum and index.
    #[command(after_help = "\
Reads all media, and changes nothing without --repair. A camera that is being recorded is checked, but not repaired.
--repair does what recovery does after a power cut, for all days: it makes holes free, cuts off torn tails, closes files,
ends spans and makes indexes anew. What passes its check is never changed. Ctrl-C ends it at any time without harm.

Exit codes: 0 all is whole (or was repaired); 1 something is not, or the check failed; 130 ended by Ctrl-C.

Examples:
  vigie fsck --store store
  vigie fsck --store store --tenant town --camera place --repair")]
    Fsck(Fsck),
    /// Make the indexes of a store anew, from its media.
    #[command(after_help = "\
Reads all media. An index that is right already is not written; media are not changed. A camera that is being recorded is
left alone.

Example:
  vigie rebuild --store store --tenant town")]
    Rebuild(Rebuild),
    /// Say how long the disk lasts: what the cameras write in each hour of the week, and when the room is used up.
    #[command(after_help = "\
Rates come from the indexes: the median (p50) and the 95th percentile (p95) of each hour of the week. From now on
footage is written at that rate and goes as it reaches its retention; without --retention it is kept for ever.
Exit code 3: the disk will be full before footage is old enough to go.

Examples:
  vigie forecast --store store --retention 30d
  vigie forecast --store store --retention 30d --retention town=14d --reserve 50GB --hours
  vigie forecast --store store --tenant town --retention 30d --free 2TB")]
    Forecast(Forecast),
    /// Delete what is older than the tenant's policy lets it be, but for what is held; say what would be; set the policy.
    #[command(after_help = "\
A recorder does the same for its camera when it starts and each hour. A change that would delete more than a day or a
fifth of a camera, or a clock that has leapt, stops it until somebody confirms with --confirm.

Examples:
  vigie retain --store store --tenant town --dry-run --max-age 14d
  vigie retain --store store --tenant town --set --max-age 14d --operator 'Le Goff' --reason 'order 2026-7'
  vigie retain --store store
  vigie retain --store store --tenant town --confirm 'Le Goff' --reason 'seen'")]
    Retain(Retain),
    /// Hold footage for a case: nothing of it is deleted until it is released.
    #[command(
        subcommand,
        after_help = "\
Example:
  vigie hold add --store store --tenant town --camera place --from 2026-11-22T05:14:00Z --to 2026-11-22T05:20:00Z \\
    --case 2026-114 --operator Durand --reason 'requisition of 2026-11-23'"
    )]
    Hold(Hold),
    /// Read a tenant's journal: holds, releases, exports, deletions, policies, and who decided them.
    #[command(
        subcommand,
        after_help = "\
Examples:
  vigie journal list --store store --tenant town
  vigie journal verify --store store --tenant town"
    )]
    Journal(Journal),
    /// Serve simulated RTSP cameras: clips that loop for ever, each picture numbered by a barcode.
    #[command(after_help = "\
One port serves RTSP with media over TCP or UDP, RTSP in HTTP tunnels and in WebSockets, and with --tls all of them
within TLS.

Examples:
  vigie simulate --listen 127.0.0.1:8554 --cameras 4 --table pictures.jsonl
  vigie simulate --list-quirks
  vigie simulate --cameras 1 --quirk early-marker --quirk no-cseq")]
    Simulate(Simulate),
}

/// User and password, where they are not in the URL.
#[derive(Args, Clone, Debug, Default)]
pub struct Login {
    /// User name; the environment variable VIGIE_USER does the same.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// File whose first line is the password; the environment variable VIGIE_PASSWORD does the same.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Which violations of the rules are tolerated.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Tolerance {
    /// auto: all that have one sensible reading. strict: none. force:NAME,NAME: those, as `vigie simulate
    /// --list-quirks` and core/docs/cameras.md name them, and no others.
    #[arg(long, value_name = "POLICY", default_value = "auto", value_parser = parse_policy)]
    pub policy: Policy,
}

fn parse_dial(text: &str) -> Result<Duration, String> {
    let span = parse_span(text)?;
    let dial = Duration::from_secs(2)..=Duration::from_secs(30);
    if dial.contains(&span) { Ok(span) } else { Err("choose from 2s to 30s".to_owned()) }
}

fn parse_policy(text: &str) -> Result<Policy, String> {
    match text.split_once(':') {
        None if text == "auto" => Ok(Policy::Auto),
        None if text == "strict" => Ok(Policy::Strict),
        Some(("force", names)) => {
            let mut set = QuirkSet::NONE;
            for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let quirk = Quirk::ALL.iter().find(|quirk| quirk.name() == name);
                set = set.with(*quirk.ok_or_else(|| format!("no quirk is named {name:?}"))?);
            }
            Ok(Policy::Force(set))
        }
        _ => Err("use auto, strict, or force: with names of quirks".to_owned()),
    }
}

/// `vigie probe`.
#[derive(Args, Debug)]
pub struct Probe {
    /// Address of a camera (rtsp, rtsps; http, https, ws or wss for a tunnel), or a file.
    #[arg(value_name = "URL|FILE")]
    pub input: String,
    /// User and password.
    #[command(flatten)]
    pub login: Login,
    /// How the camera is reached.
    #[command(flatten)]
    pub way: Way,
    /// SDP that describes the packets of FILE.
    #[arg(long, value_name = "FILE")]
    pub sdp: Option<PathBuf>,
    /// What is tolerated of a camera.
    #[command(flatten)]
    pub tolerance: Tolerance,
    /// How long to watch a camera.
    #[arg(long = "for", value_name = "DURATION", default_value = "5s", value_parser = parse_span)]
    pub span: Duration,
}

/// `vigie remux`.
#[derive(Args, Debug)]
pub struct Remux {
    /// The file to read.
    pub input: PathBuf,
    /// The MP4 to write; replaced if it exists.
    #[arg(short, long, value_name = "OUT.mp4")]
    pub output: PathBuf,
    /// SDP that describes the packets of INPUT.
    #[arg(long, value_name = "FILE")]
    pub sdp: Option<PathBuf>,
    /// exact: every NAL unit as it came (avc3, hev1). playback: relabelled for players (avc1, hvc1).
    #[arg(long, value_enum, default_value_t = View::Exact)]
    pub view: View,
}

/// Bytes as they came, or as players like them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Every NAL unit as it came, sample entry avc3 or hev1.
    Exact,
    /// Sample entry avc1 or hvc1.
    Playback,
}

/// `vigie record`.
#[derive(Args, Debug)]
pub struct Record {
    /// Address of the camera: rtsp, rtsps; http, https, ws or wss for a tunnel.
    pub url: String,
    /// User and password.
    #[command(flatten)]
    pub login: Login,
    /// How the camera is reached.
    #[command(flatten)]
    pub way: Way,
    /// Folder of the store; made if absent. Given several times: volumes, of which the camera goes to the one that will be
    /// full last, and to another when that one fails.
    #[arg(long = "store", value_name = "DIR", required = true)]
    pub stores: Vec<PathBuf>,
    /// Whose camera it is: 1 to 64 of a-z, 0-9, - and _.
    #[arg(long, value_name = "NAME")]
    pub tenant: String,
    /// Name of the camera: 1 to 64 of a-z, 0-9, - and _.
    #[arg(long, value_name = "NAME")]
    pub camera: String,
    /// What is tolerated of it.
    #[command(flatten)]
    pub tolerance: Tolerance,
    /// Stop after this long; without it, Ctrl-C stops.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_span)]
    pub span: Option<Duration>,
    /// Give up at the first failure instead of trying again for ever.
    #[arg(long)]
    pub once: bool,
    /// What a power cut may cost, 2s to 30s: so long what came may wait for the disk. More is easier on disks with many
    /// cameras.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = parse_dial)]
    pub rpo: Duration,
    /// Record the camera's sound as well, beside the pictures, as camera <NAME>-audio. Without this the camera is not even asked
    /// for it: recording sound in public space is unlawful in France, and in much of Europe, without a legal basis of its own.
    #[arg(long)]
    pub audio: bool,
    /// Write down what the camera sent and when, without passwords, for `vigie replay`; replaced if it exists.
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// Leave the pictures out of the capture; their sizes and headers stay.
    #[arg(long, requires = "capture")]
    pub no_media: bool,
}

/// `vigie replay`.
#[derive(Args, Debug)]
pub struct Replay {
    /// The file that `vigie record --capture` has written.
    #[arg(value_name = "FILE")]
    pub input: PathBuf,
    /// Write the pictures into this MP4; replaced if it exists.
    #[arg(short, long, value_name = "OUT.mp4")]
    pub output: Option<PathBuf>,
    /// Record the session into this store; made if absent.
    #[arg(long, value_name = "DIR", requires_all = ["tenant", "camera"])]
    pub store: Option<PathBuf>,
    /// Whose camera it is.
    #[arg(long, value_name = "NAME", requires = "store")]
    pub tenant: Option<String>,
    /// Name of the camera.
    #[arg(long, value_name = "NAME", requires = "store")]
    pub camera: Option<String>,
    /// Print the SHA-256 of the events, instead of the events.
    #[arg(long)]
    pub digest: bool,
}

/// `vigie ls`.
#[derive(Args, Debug)]
pub struct Ls {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Only this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Only this camera.
    #[arg(long, value_name = "NAME")]
    pub camera: Option<String>,
    /// Only from this time on: 2026-11-22T05:14:00Z, 2026-11-22 or now-1h.
    #[arg(long, value_name = "UTC")]
    pub from: Option<Moment>,
    /// Only up to this time.
    #[arg(long, value_name = "UTC")]
    pub to: Option<Moment>,
    /// One line a camera: since when, and until when it was recorded. Quick, however much there is.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub last: bool,
}

/// `vigie export`.
#[derive(Args, Debug)]
pub struct Export {
    /// Folder of the store; given several times where it is on several volumes.
    #[arg(long = "store", value_name = "DIR", required_unless_present = "verify")]
    pub stores: Vec<PathBuf>,
    /// Whose camera it is.
    #[arg(long, value_name = "NAME", required_unless_present = "verify")]
    pub tenant: Option<String>,
    /// Name of the camera.
    #[arg(long, value_name = "NAME", required_unless_present = "verify")]
    pub camera: Option<String>,
    /// The first moment: 2026-11-22T05:14:00Z, 2026-11-22 or now-1h.
    #[arg(long, value_name = "UTC", required_unless_present = "verify")]
    pub from: Option<Moment>,
    /// The moment after the last.
    #[arg(long, value_name = "UTC", required_unless_present = "verify")]
    pub to: Option<Moment>,
    /// The MP4 to write, replaced if it exists; or, where the name has no extension, a new folder for movies, originals
    /// and manifest.
    #[arg(short, long, value_name = "OUT.mp4|FOLDER", required_unless_present = "verify")]
    pub output: Option<PathBuf>,
    /// Start at the first random access point of the range, so that no movie has pictures that are not shown before the first
    /// that is. What of the range lies before it is reported as missing.
    #[arg(long)]
    pub strict_range: bool,
    /// Add a track of subtitles with the UTC of what is shown, a line for each second.
    #[arg(long)]
    pub subtitles: bool,
    /// Leave the untouched originals out of the folder.
    #[arg(long)]
    pub no_originals: bool,
    /// Do not write the export into the tenant's journal; for copies of a store that cannot be written.
    #[arg(long)]
    pub no_journal: bool,
    /// Who exports; for the manifest and the tenant's journal.
    #[arg(long, value_name = "NAME")]
    pub operator: Option<String>,
    /// Why; for the manifest and the journal.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The case that it is for, as a number of the police or the court; for the manifest and the journal.
    #[arg(long, value_name = "TEXT")]
    pub case: Option<String>,
    /// Check a folder that was exported: every file is there and has its hash, every original passes its checksums, and the
    /// movies show nothing that is not in the originals.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["stores", "tenant", "camera", "from", "to", "output"])]
    pub verify: Option<PathBuf>,
}

/// `vigie forecast`.
#[derive(Args, Debug)]
pub struct Forecast {
    /// Its folders.
    #[command(flatten)]
    pub place: Place,
    /// Only this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// How long footage is kept: of all tenants, or of the one named; may be given several times.
    #[arg(long, value_name = "[TENANT=]DURATION", value_parser = parse_keep)]
    pub retention: Vec<Keep>,
    /// How much is free, instead of what the disk says: 800GB, 2TB (powers of ten).
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub free: Option<u64>,
    /// How much of it is not to be used.
    #[arg(long, value_name = "BYTES", default_value = "0", value_parser = parse_bytes)]
    pub reserve: u64,
    /// Show each hour of the week.
    #[arg(long)]
    pub hours: bool,
}

/// How long a tenant keeps.
#[derive(Clone, Debug)]
pub struct Keep {
    /// `None`: all that nothing else is said of.
    pub tenant: Option<String>,
    /// From the first picture of a file on.
    pub span: Duration,
}

fn parse_keep(text: &str) -> Result<Keep, String> {
    let (tenant, span) = text.split_once('=').map_or((None, text), |(tenant, span)| (Some(tenant), span));
    Ok(Keep { tenant: tenant.map(str::to_owned), span: parse_span(span)? })
}
