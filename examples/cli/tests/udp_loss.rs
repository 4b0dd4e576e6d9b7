//! UDP as bad networks make it: 5 % loss, 30 ms of jitter and with it another order, 1 % of the packets twice. A relay
//! between camera and recorder makes it so, and knows to the packet what it did.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "udp_loss/relay.rs"]
mod relay;
#[path = "udp_loss/stored.rs"]
mod stored;
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use relay::{Did, Relay};
use tokio::time::timeout;
use vigie::depacket::AccessUnit;
use vigie::fault::LossPolicy;
use vigie::record::{IngestStats, Recorder, RecorderConfig};
use vigie::rtsp::Url;
use vigie::session::Lower;
use vigie::store::{FileStorage, Source};
use vigie::time::UtcMicros;
use vigie_cli::simulator::{Config, Picture, Simulator, read_stamp};
use vigie_net::{Camera, Event, Options};

/// Pictures that go through the bad network: ten seconds of the clips.
const ROUGH: usize = 250;
/// After them all is well, for longer than a GOP.
const CALM: usize = 60;
/// Twice as fast as they were taken.
const RATE: u32 = 50;
/// Small packets, so that most pictures are in several: the clips are of few bits.
const MTU: usize = 120;

/// What became of a run.
struct Run {
    /// What the relay did, picture by picture.
    did: Did,
    /// What the camera sent in each of them.
    sent: Vec<(Picture, Bytes)>,
    /// What came out.
    units: Vec<AccessUnit>,
    stats: IngestStats,
}

/// Records camera `ordinal` through the relay into `dir`.
async fn record(ordinal: usize, seed: u64, change: impl FnOnce(&mut Options), dir: &Path) -> Run {
    let simulator = Simulator::start(Config::new(4).rate(RATE).packets(MTU, true)).await.unwrap();
    let relay = Relay::start(simulator.address(), seed, ROUGH).await;
    let (url, _) = Url::parse(&format!("rtsp://{}/cam{}", relay.address, ordinal + 1)).unwrap();
    let mut options = Options::new(None);
    options.transports = vec![Lower::Udp];
    options.backoff = None;
    change(&mut options);
    let clock = options.clock;
    let config = RecorderConfig::default().limits(options.limits);
    let source = Source::new("town", "camera").unwrap();
    let storage = FileStorage::new(dir);
    let (mut recorder, _) = Recorder::open(storage, source, config, clock.now(), clock.utc()).unwrap();
    let mut camera = Camera::connect(url, options);
    let mut units = Vec::new();
    let mut stopped = false;
    let watching = async {
        while let Some(event) = camera.next().await {
            recorder.clocks(clock.now(), clock.utc());
            match event {
                Event::AccessUnit(unit) => {
                    units.push(unit.clone());
                    recorder.push(clock.now(), unit).unwrap();
                }
                Event::SenderReport { report, .. } => recorder.sender_report(report),
                Event::Disconnected { error, .. } => panic!("{error}"),
                _ => {}
            }
            // Whatever may have been lost has been missed by then.
            let did = relay.did();
            let calm = did.pictures.get(ROUGH..).unwrap_or_default();
            let seen = |unit: &AccessUnit| calm.iter().any(|picture| picture.timestamp == unit.timestamp);
            if !stopped && calm.len() > CALM && units.last().is_some_and(seen) {
                stopped = true;
                camera.stop();
            }
        }
    };
    timeout(Duration::from_secs(60), watching).await.expect("the run ends");
    recorder.finish(clock.now()).unwrap();
    let did = relay.did();
    let sent = sent(&simulator, ordinal, &units, did.pictures.len());
    Run { did, sent, units, stats: camera.stats() }
}

/// The pictures that the camera sent, from the first that came on: the relay leaves that one alone.
fn sent(simulator: &Simulator, ordinal: usize, units: &[AccessUnit], count: usize) -> Vec<(Picture, Bytes)> {
    let all = simulator.pictures(ordinal, UtcMicros(i64::MIN), UtcMicros(i64::MAX));
    let first = read_stamp(units[0].codec, &units[0].data).expect("a whole first picture");
    let start = all.iter().position(|picture| *picture == first).unwrap();
    let sent = all.into_iter().skip(start).take(count);
    sent.map(|picture| (picture, simulator.original(ordinal, picture).unwrap())).collect()
}

impl Run {
    /// The place of each unit among the pictures sent.
    fn places(&self) -> Vec<usize> {
        let pictures = self.did.pictures.iter().enumerate();
        let by_timestamp: BTreeMap<u32, usize> = pictures.map(|(i, p)| (p.timestamp, i)).collect();
        self.units.iter().map(|unit| by_timestamp[&unit.timestamp]).collect()
    }

    /// Loss and duplicates are counted to the packet, whatever the machine was doing: what came too late was lost, and
    /// is known to have come.
    fn assert_counted(&self, who: &str) {
        let (did, reorder) = (&self.did, self.stats.reorder);
        let dropped: u64 = did.pictures.iter().map(|p| p.dropped).sum();
        eprintln!(
            "{who}: {} packets in {} pictures, {dropped} dropped, {} twice; {reorder:?}",
            did.packets,
            did.pictures.len(),
            did.twice,
        );
        assert!(dropped > 20 && did.twice > 2 && reorder.reordered > 100, "{who}: too little happened");
        assert_eq!(reorder.lost - reorder.late, dropped, "{who}: lost");
        assert_eq!(reorder.duplicates, did.twice, "{who}: twice");
        let told: u64 = self.units.iter().map(|unit| u64::from(unit.loss.packets)).sum();
        assert_eq!(told, reorder.lost, "{who}: told with the pictures");
    }

    /// No picture that is said to be whole is another than the one that was sent.
    fn assert_none_wrong(&self, who: &str) {
        for (unit, place) in self.units.iter().zip(self.places()) {
            let (picture, bytes) = &self.sent[place];
            if !unit.loss.incomplete {
                assert!(unit.data == *bytes, "{who}: {picture:?} is wrong and said to be whole");
            }
        }
    }
}

/// All that comes is kept and marked.
async fn marked(ordinal: usize, seed: u64) {
    let who = format!("camera {}, marked", ordinal + 1);
    let dir = tempfile::tempdir().unwrap();
    let run = record(ordinal, seed, |_| {}, dir.path()).await;
    run.assert_counted(&who);
    run.assert_none_wrong(&who);
    // Whole pictures behind whole pictures are known to be whole.
    let whole: Vec<usize> = run
        .units
        .iter()
        .zip(run.places())
        .filter(|(unit, _)| !unit.loss.incomplete)
        .map(|(_, i)| i)
        .collect();
    let good = |i: usize| run.did.pictures[i].dropped == 0;
    let last = *whole.last().unwrap();
    let missed: Vec<usize> = (1..last).filter(|i| good(*i) && good(i - 1) && !whole.contains(i)).collect();
    assert!(run.stats.reorder.late > 0 || missed.is_empty(), "{who}: whole, and said not to be: {missed:?}");
    assert!(whole.len() > ROUGH / 2, "{who}: {} whole", whole.len());

    let samples = stored::samples(dir.path());
    assert!(samples.iter().any(|sample| sample.incomplete) && samples.len() > ROUGH / 2, "{who}");
    for sample in samples.iter().filter(|sample| !sample.incomplete) {
        let stamp =
            read_stamp(run.units[0].codec, &sample.bytes).unwrap_or_else(|| panic!("{who}: no stamp"));
        let (_, bytes) =
            run.sent.iter().find(|(picture, _)| *picture == stamp).expect("a picture that was sent");
        assert!(
            sample.bytes == *bytes,
            "{who}: {stamp:?} is wrong in the store, in a fragment that is not marked"
        );
    }
}

/// What cannot be decoded without fault is withheld.
async fn withheld(ordinal: usize, seed: u64) {
    let who = format!("camera {}, withheld", ordinal + 1);
    let dir = tempfile::tempdir().unwrap();
    let patient = |options: &mut Options| {
        options.limits.loss = LossPolicy::Withhold;
        // A machine at work on other things must not make late what is not lost.
        options.limits.reorder_micros = 1_000_000;
    };
    let run = record(ordinal, seed, patient, dir.path()).await;
    run.assert_counted(&who);
    run.assert_none_wrong(&who);
    let places = run.places();
    for (i, place) in places.iter().enumerate().skip(1) {
        let starts = run.units[i].random_access.is_some();
        assert!(
            starts || places[i - 1] + 1 == *place,
            "{who}: {place} is shown after a gap, and starts nothing"
        );
    }
    assert!(run.units.iter().all(|unit| !unit.loss.incomplete), "{who}: shown, and not whole");
    // What a decoder that never sees a fault could be shown of what came.
    let mut decodable = false;
    let could: Vec<usize> = (0..=*places.last().unwrap())
        .filter(|i| {
            let picture = &run.did.pictures[*i];
            decodable = picture.dropped == 0 && (decodable || i % 50 == 0);
            decodable
        })
        .collect();
    assert!(places.iter().all(|place| could.contains(place)), "{who}: {places:?} beyond {could:?}");
    assert!(run.stats.reorder.late > 0 || places == could, "{who}: {places:?} instead of {could:?}");
    eprintln!("{who}: {} of {} pictures shown", places.len(), run.did.pictures.len());

    let samples = stored::samples(dir.path());
    assert_eq!(samples.len(), run.units.len(), "{who}");
    let mut stamps = Vec::new();
    for (sample, place) in samples.iter().zip(&places) {
        assert!(
            !sample.incomplete && sample.bytes == run.sent[*place].1,
            "{who}: picture {place} in the store"
        );
        stamps.push(run.sent[*place].0);
    }
    if support::ffmpeg() {
        stamps.sort_by_key(|stamp| (stamp.round, stamp.number));
        let files = support::boxes::files(dir.path());
        let shown: Vec<_> = files.iter().flat_map(|file| support::barcodes(file)).collect();
        assert_eq!(shown.len(), stamps.len(), "{who}");
        for (shown, stamp) in shown.iter().zip(stamps) {
            assert_eq!(shown.map(|barcode| barcode.number), Some(stamp.number), "{who}: as ffmpeg sees it");
        }
    }
}

#[tokio::test]
async fn h264_with_b_pictures_and_h265_are_marked() {
    tokio::join!(marked(1, 11), marked(3, 12));
}

#[tokio::test]
async fn h264_with_b_pictures_and_h265_are_withheld() {
    tokio::join!(withheld(1, 21), withheld(3, 22));
}
