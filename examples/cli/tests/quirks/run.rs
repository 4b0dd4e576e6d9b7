//! One profile, recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use vigie::codec::Codec;
use vigie::fault::{Policy, Quirks};
use vigie::h26x::{NalKind, nal_units};
use vigie::record::{Recorder, RecorderConfig};
use vigie::rtsp::{Credentials, Url};
use vigie::session::Lower;
use vigie::store::{FileStorage, Source};
use vigie::timeline::{Mode, Timeline, UtcSource};
use vigie_cli::simulator::quirks::Profile;
use vigie_cli::simulator::{Config, Picture, Simulator, read_stamp};
use vigie_net::{Camera, Event, Options};

use super::boxes::{boxes, files};

/// (loop, number) of a picture.
type Place = (u32, u32);

/// What became of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Pictures that the camera sent whole.
    pub(crate) sent: usize,
    /// Of those, pictures in the store, byte for byte as they were taken.
    pub(crate) kept: usize,
    /// Of those, pictures that are told to lack something.
    pub(crate) doubted: usize,
    /// Pictures in the store that differ from what was taken, not told to be incomplete.
    pub(crate) wrong: usize,
    /// Pictures that stand twice.
    pub(crate) twice: usize,
    /// Files in the store.
    pub(crate) files: usize,
    /// The farthest that a picture's UTC in the index is from its own, microseconds.
    pub(crate) off: i64,
    pub(crate) quirks: Quirks,
    /// Pictures that a viewer would be shown, each in its time.
    pub(crate) live: usize,
    /// Who says the UTC of the last picture.
    pub(crate) dated_by: Option<UtcSource>,
    /// Why the connection ended, and which quirk stood behind it.
    pub(crate) ended: String,
}

impl Outcome {
    /// Every one is in the store once, and said to be whole.
    pub(crate) fn is_whole(&self) -> bool {
        self.sent > 0 && self.kept - self.doubted == self.sent && self.twice == 0 && self.wrong == 0
    }

    /// 99 % or more are in the store and said to be whole, none of them twice.
    pub(crate) fn is_kept(&self) -> bool {
        let whole = self.kept - self.doubted;
        self.sent > 0 && whole * 100 >= self.sent * 99 && self.twice == 0
    }
}

/// How a profile is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) policy: Policy,
    /// Pictures in a second, and of the run.
    pub(crate) rate: u32,
    pub(crate) pictures: u64,
}

const USER: &str = "viewer";
const PASSWORD: &str = "right";

/// The simulator of a profile.
pub(crate) async fn simulator(profile: &'static Profile, setting: &Setting) -> Simulator {
    let credentials = profile.locked.then(|| Credentials::new(USER, PASSWORD));
    let config = Config::new(1)
        .credentials(credentials, false)
        .rate(setting.rate)
        .profiles(&[profile])
        .pictures(Some(setting.pictures));
    Simulator::start(config).await.unwrap()
}

/// Records a profile as `vigie record` does, until its camera closes the connection for good.
pub(crate) async fn record(profile: &'static Profile, setting: Setting) -> Outcome {
    let simulator = simulator(profile, &setting).await;
    let dir = tempfile::tempdir().unwrap();
    let (url, _) = Url::parse(&simulator.url(0)).unwrap();
    let mut options = Options::new(profile.locked.then(|| Credentials::new(USER, PASSWORD)));
    options.backoff = None;
    options.limits.policy = setting.policy;
    if profile.udp {
        options.transports = vec![Lower::Udp, Lower::Tcp];
    }
    options.response_timeout = Duration::from_secs(8);
    options.media_timeout = Duration::from_secs(5);
    let (clock, limits) = (options.clock, options.limits);
    let config = RecorderConfig::default().limits(limits);
    let source = Source::new("town", "camera").unwrap();
    let storage = FileStorage::new(dir.path());
    let (mut recorder, _) = Recorder::open(storage, source, config, clock.now(), clock.utc()).unwrap();
    let mut camera = Camera::connect(url, options);
    let mut outcome = Outcome::default();
    let mut live = Timeline::new(Mode::Live, &limits);
    live.arrival(clock.now(), clock.utc());
    let mut incomplete = BTreeSet::new();
    let mut codec = Codec::H264;
    while let Some(event) = camera.next().await {
        let now = clock.now();
        recorder.clocks(now, clock.utc());
        match event {
            Event::AccessUnit(unit) => {
                codec = unit.codec;
                if unit.loss.incomplete {
                    incomplete.extend(read_stamp(codec, &unit.data).map(place));
                }
                live.push(unit.clone());
                outcome.live +=
                    std::iter::from_fn(|| live.pull()).map(|group| group.samples.len()).sum::<usize>();
                recorder.push(now, unit).unwrap();
            }
            Event::SenderReport { report, .. } => {
                live.sender_report(report);
                recorder.sender_report(report);
            }
            Event::Discontinuity => {
                live.discontinuity();
                recorder.discontinuity();
            }
            Event::Disconnected { error, .. } => {
                recorder.interrupted(now, error.cause, 0).unwrap();
                outcome.ended = error.to_string();
            }
            other => took(&mut recorder, other),
        }
    }
    recorder.finish(clock.now()).unwrap();
    live.finish();
    outcome.live += std::iter::from_fn(|| live.pull()).map(|group| group.samples.len()).sum::<usize>();
    outcome.dated_by = live.clock().source;
    outcome.quirks = camera.quirks();
    outcome.quirks.merge(&recorder.quirks());
    let delivered: BTreeSet<Place> = simulator.delivered(0).into_iter().map(place).collect();
    outcome.sent = delivered.len();
    judge(&simulator, dir.path(), codec, &delivered, &incomplete, &mut outcome);
    outcome
}

fn took(recorder: &mut Recorder<FileStorage>, event: Event) {
    if let Event::Playing(playing) = event {
        let start = playing.range.and_then(|range| range.clock_start());
        let timestamp = playing.rtp_info.and_then(|info| info.rtptime);
        if let (Some(utc), Some(timestamp)) = (start, timestamp) {
            recorder.anchor(UtcSource::RangeClock, timestamp, utc);
        }
    }
}

fn place(picture: Picture) -> Place {
    (picture.round, picture.number)
}

/// Compares what is in the files with what the camera took: stamp and slices, byte for byte.
fn judge(
    simulator: &Simulator,
    dir: &Path,
    codec: Codec,
    delivered: &BTreeSet<Place>,
    incomplete: &BTreeSet<Place>,
    outcome: &mut Outcome,
) {
    let mut seen: BTreeMap<Place, bool> = BTreeMap::new();
    for file in files(dir) {
        outcome.files += 1;
        let bytes = std::fs::read(file).unwrap();
        for (picture, utc) in dated(&bytes, codec) {
            outcome.off = outcome.off.max((picture.utc.0 - utc).abs());
        }
        for (picture, slices) in pictures(&bytes, codec) {
            let original = simulator.original(0, picture).expect("a picture of the clip");
            let right = slices == slices_of(&original, codec);
            outcome.twice += usize::from(seen.insert(place(picture), right).is_some());
            outcome.wrong += usize::from(!right && !incomplete.contains(&place(picture)));
        }
    }
    outcome.kept = delivered.iter().filter(|place| seen.get(place) == Some(&true)).count();
    let doubted = delivered.intersection(incomplete).filter(|place| seen.get(place) == Some(&true));
    outcome.doubted = doubted.count();
}

/// The slices of an access unit.
fn slices_of(unit: &[u8], codec: Codec) -> Vec<Vec<u8>> {
    let slices = nal_units(unit).filter(|nal| nal.kind(codec) == NalKind::Slice);
    slices.map(|nal| nal.bytes.to_vec()).collect()
}

/// The first picture of each fragment, and the UTC that `prft` (§8.16.5) says it was taken at, microseconds.
fn dated(file: &[u8], codec: Codec) -> Vec<(Picture, i64)> {
    let mut found = Vec::new();
    let mut utc = None;
    for (kind, body) in boxes(file) {
        match kind {
            b"prft" => {
                // Version and flags, track, then NTP: seconds since 1900, and a fraction.
                let ntp = u64::from_be_bytes(body[8..16].try_into().unwrap());
                let fraction = ((ntp & 0xffff_ffff) * 1_000_000) >> 32;
                utc = Some(((ntp >> 32) as i64 - 2_208_988_800) * 1_000_000 + fraction as i64);
            }
            b"mdat" => {
                let first = in_mdat(body, codec).into_iter().next();
                found.extend(first.map(|(picture, _)| picture).zip(utc.take()));
            }
            _ => {}
        }
    }
    found
}

/// The pictures of a file: each stamp, and the slices up to the next.
fn pictures(file: &[u8], codec: Codec) -> Vec<(Picture, Vec<Vec<u8>>)> {
    let media = boxes(file).into_iter().filter(|(kind, _)| *kind == b"mdat");
    media.flat_map(|(_, body)| in_mdat(body, codec)).collect()
}

fn in_mdat(body: &[u8], codec: Codec) -> Vec<(Picture, Vec<Vec<u8>>)> {
    let mut found: Vec<(Picture, Vec<Vec<u8>>)> = Vec::new();
    for nal in nal_units(body) {
        let framed = [&(nal.bytes.len() as u32).to_be_bytes(), nal.bytes].concat();
        if let Some(stamp) = read_stamp(codec, &framed) {
            found.push((stamp, Vec::new()));
        } else if nal.kind(codec) == NalKind::Slice
            && let Some((_, slices)) = found.last_mut()
        {
            slices.push(nal.bytes.to_vec());
        }
    }
    // What is left of a picture whose slices did not come.
    found.retain(|(_, slices)| !slices.is_empty());
    found
}
