//! GStreamer's server is recorded and exported; then the files stand before judges of other people: ffmpeg, Chromium,
//! Firefox, VLC, `mp4-atom`, `mp4` and `mp4parse` must each return the right codec, size and number of pictures; and the NAL units
//! of each export are those of the recording, by their hashes.
//!
//! What is right comes from two sides that know nothing of our code: the barcodes in the pictures, and a wire tap that counts
//! what the server sent. 15 s of each; 60 s with `VIGIE_LONG=1`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "judges/browsers.rs"]
mod browsers;
#[path = "judges/nals.rs"]
mod nals;
#[path = "../../../core/tests/mp4/readers.rs"]
mod readers;
#[path = "judges/seek.rs"]
mod seek;
#[path = "judges/sent.rs"]
mod sent;
mod support;
#[path = "judges/vlc.rs"]
mod vlc;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use readers::Found;
use sent::{Sent, Tap};
use serde_json::Value;
use support::{Barcode, barcodes, long, packets, skip, succeed, vigie};
use vigie::gix::Span;
use vigie::limits::Limits;
use vigie::play::{Footage, VirtualMp4};
use vigie::store::{FileStorage, Source};
use vigie::time::UtcMicros;

/// Pictures of a clip: 10 s, so that 15 s already go over the seam.
const LENGTH: u32 = 250;

/// A file that is judged, and what is right.
pub(crate) struct Judged {
    pub(crate) path: PathBuf,
    pub(crate) h265: bool,
    /// Kind of the sample entry.
    pub(crate) entry: String,
    pub(crate) size: (u64, u64),
    pub(crate) shown: Vec<Option<Barcode>>,
    /// Pictures behind the edit list.
    pub(crate) hidden: usize,
}

impl Judged {
    /// In the barcode of a picture.
    pub(crate) fn number(&self, picture: usize) -> u32 {
        self.shown[picture].expect("a barcode").number
    }
}

/// From the first picture to the end of the last. A recording may end with a picture whose predecessor, in the order of
/// presentation, was yet to be sent.
pub(crate) fn seconds_of(shown: &[Option<Barcode>]) -> f64 {
    let number = |picture: Option<Barcode>| picture.expect("a barcode").number;
    let steps = shown.windows(2).map(|pair| (number(pair[1]) + LENGTH - number(pair[0])) % LENGTH);
    f64::from(steps.sum::<u32>() + 1) / 25.0
}

/// A line of the table.
pub(crate) struct Row {
    judge: String,
    file: String,
    pub(crate) codec: String,
    pub(crate) size: String,
    pub(crate) pictures: String,
    pub(crate) verdict: Result<String, String>,
}

impl Row {
    pub(crate) fn new(judge: &str, file: &Judged) -> Self {
        let name = file.path.file_name().unwrap().to_string_lossy().into_owned();
        let empty = || "-".to_owned();
        let verdict = Err("not judged".into());
        Self { judge: judge.into(), file: name, codec: empty(), size: empty(), pictures: empty(), verdict }
    }
}

/// What the server serves: name, and the clip that it is cut from; `None`: one is encoded.
const STREAMS: [(&str, Option<&str>); 4] = [
    ("h264", Some("1-mairie.h264")),
    ("h264-b", Some("2-place.h264")),
    ("h265", Some("4-gare.h265")),
    ("h265-b", None),
];

#[test]
fn recordings_before_other_peoples_judges() {
    if !support::ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<&str> =
        STREAMS.iter().filter(|(name, clip)| make_clip(dir.path(), name, *clip)).map(|s| s.0).collect();
    let specs: Vec<String> =
        names.iter().map(|n| format!("{n}={}", dir.path().join(format!("{n}.mp4")).display())).collect();
    let Some(server) = support::gstreamer(&[], &specs) else { return };
    let files: Vec<Judged> = std::thread::scope(|scope| {
        let recordings = server.urls.iter().zip(&names).map(|(url, name)| {
            let dir = dir.path();
            scope.spawn(move || recorded(dir, url, name))
        });
        let recordings: Vec<_> = recordings.collect();
        recordings.into_iter().flat_map(|r| r.join().expect("the recording is as it was sent")).collect()
    });
    let mut rows: Vec<Row> = files.iter().flat_map(|file| own_process(file, dir.path())).collect();
    rows.extend(vlc::judge(&files, dir.path()));
    rows.extend(browsers::judge(&files));
    print(&rows);
    let failed = rows.iter().filter(|r| r.verdict.is_err()).count();
    assert_eq!(failed, 0, "{failed} of {} verdicts are against us", rows.len());
}

/// Ten seconds of numbered pictures in an MP4, which has the decoding times that the server needs.
fn make_clip(dir: &Path, name: &str, clip: Option<&str>) -> bool {
    let source = support::clips().join(clip.unwrap_or("2-place.h264"));
    let whole = dir.join(format!("{name}-whole.mp4"));
    succeed(vigie(&["remux", "--view", "playback"]).arg(source).arg("-o").arg(&whole));
    let mut encode = Command::new("ffmpeg");
    encode.args(["-nostdin", "-v", "error", "-i"]).arg(&whole).args(["-frames:v", "250"]);
    let cut = dir.join(format!("{name}.mp4"));
    if clip.is_some() {
        succeed(encode.args(["-c", "copy"]).arg(&cut));
        return true;
    }
    // No clip of ours has H.265 with B-frames.
    let raw = dir.join("encoded.h265");
    let options = "bframes=3:b-adapt=0:keyint=50:min-keyint=50:scenecut=0:open-gop=0:repeat-headers=1:log-level=error:info=0";
    let encoded = encode
        .args(["-c:v", "libx265", "-preset", "veryfast", "-crf", "30", "-x265-params", options])
        .arg(&raw);
    if !support::run(encoded).status.success() {
        skip("VIGIE_REQUIRE_INTEROP", "H.265 with B-frames: this ffmpeg has no libx265");
        return false;
    }
    succeed(vigie(&["remux", "--view", "playback"]).arg(raw).arg("-o").arg(&cut));
    true
}

/// Records, holds the store to what was sent, exports all and a part, and gives the files with what is right.
fn recorded(dir: &Path, url: &str, name: &str) -> Vec<Judged> {
    let h265 = name.starts_with("h265");
    let store = dir.join("store");
    let store = store.to_str().unwrap();
    let camera = ["--store", store, "--tenant", "town", "--camera", name];
    let tap = Tap::before(url);
    let seconds = if long() { 60 } else { 15 };
    let mut record = vigie(&["record", &tap.url, "--json", "--for", &format!("{seconds}s")]);
    let child = record.args(camera).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = support::wait(child, Duration::from_secs(seconds + 60));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));

    let sent = tap.pictures(h265);
    // Nothing can be shown before the first random access point.
    let sent: Vec<_> = sent.iter().skip_while(|p| !p.key).filter(|p| p.whole).collect();
    let listed: Value = serde_json::from_str(&succeed(vigie(&["ls", "--json"]).args(camera))).unwrap();
    let (size, entry) = ((640, 360), if h265 { "hev1" } else { "avc3" });
    let mut stored = Vec::new();
    for (i, file) in listed["files"].as_array().unwrap().iter().enumerate() {
        let path = dir.join(format!("{name}.{i}.m4v"));
        std::fs::copy(Path::new(store).join(file["path"].as_str().unwrap()), &path).unwrap();
        let shown = barcodes(&path);
        stored.push(Judged { path, h265, entry: entry.into(), size, shown, hidden: 0 });
    }
    let all: Vec<_> = stored.iter().flat_map(|f| f.shown.iter().copied()).collect();
    assert_eq!(all, in_order(&dir.join(format!("{name}.mp4")), all[0], all.len()), "{name}");
    hold(name, seconds, &sent, &stored, &all);
    assert!(listed["gaps"].as_array().unwrap().is_empty(), "{listed}");

    let [range] = &listed["ranges"].as_array().unwrap()[..] else { panic!("{listed}") };
    let moment = |name: &str| range[name].as_str().unwrap().parse::<UtcMicros>().unwrap();
    // A part: pictures counted from the end, where the UTC is that of sender reports; half a picture beside them.
    let back = |pictures: i64| UtcMicros(moment("to").0 - pictures * 40_000 + 20_000);
    let end = (seconds_of(&all) * 25.0).round() as usize;
    let recorded: Vec<_> = stored.iter().flat_map(|file| nals::nals(&file.path)).collect();
    for (what, from, to, shown, options) in [
        ("all", moment("from"), moment("to"), &all[..], &["--subtitles"][..]),
        ("part", back(213), back(63), &all[end - 212..end - 62], &[]),
    ] {
        let path = dir.join(format!("{name}.{what}.mp4"));
        let mut export = vigie(&["export", "--json", "--from", &from.to_string(), "--to", &to.to_string()]);
        let export = export.args(camera).args(options).arg("-o").arg(&path);
        let told: Value = serde_json::from_str(&succeed(export)).unwrap();
        let units = nals::nals(&path);
        nals::found(&units, &recorded).unwrap_or_else(|why| panic!("{name} {what}: {why}"));
        println!("{name} {what}: the NAL units of {} samples are those of the recording", units.len());
        let hidden = told["files"][0]["hidden_pictures"].as_u64().unwrap() as usize;
        let entry = if h265 { "hvc1" } else { "avc1" }.to_owned();
        stored.push(Judged { path, h265, entry, size, shown: shown.to_vec(), hidden });
    }
    // The same part, never written as a file before: read at odd places.
    let path = dir.join(format!("{name}.virtual.mp4"));
    let hidden = served(Path::new(store), name, Span::new(back(213), back(63)), &path);
    let entry = if h265 { "hvc1" } else { "avc1" }.to_owned();
    stored.push(Judged { path, h265, entry, size, shown: all[end - 212..end - 62].to_vec(), hidden });
    stored
}

/// Writes what `VirtualMp4` gives of a span, in ranges of 50 021 bytes; how many pictures are hidden in it.
fn served(store: &Path, camera: &str, span: Span, path: &Path) -> usize {
    let (source, mut storage) = (Source::new("town", camera).unwrap(), FileStorage::new(store));
    let footage = Footage::load(storage.clone(), source, span, span.to.plus(3_600_000_000)).unwrap();
    let mut damaged = Vec::new();
    let files = VirtualMp4::plan(&mut storage, &footage, &Limits::default(), 100_000, &mut damaged).unwrap();
    assert!(files.len() == 1 && damaged.is_empty(), "{damaged:?}");
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < files[0].len() {
        bytes.extend(files[0].read(&mut storage, bytes.len() as u64, 50_021).unwrap());
    }
    std::fs::write(path, bytes).unwrap();
    files[0].about().hidden as usize
}

/// As many as the server sent, and DTS rising over all files.
fn hold(name: &str, seconds: u64, sent: &[&Sent], stored: &[Judged], all: &[Option<Barcode>]) {
    // One may be on its way when the recording ends.
    let asked_for = sent.iter().filter(|p| p.asked_for).count();
    assert!(
        (asked_for.saturating_sub(1)..=sent.len()).contains(&all.len()),
        "{name}: {} kept, {asked_for} sent",
        all.len()
    );
    assert!(all.len() as u64 > (seconds - 3) * 25, "{name}: {} pictures in {seconds} s", all.len());
    let dts: Vec<i64> = stored.iter().flat_map(|f| packets(&f.path)).map(|p| p.dts).collect();
    assert_eq!(dts.len(), all.len(), "{name}");
    assert!(dts.windows(2).all(|w| w[0] < w[1]), "{name}: DTS does not rise");
    println!(
        "{name}: {asked_for} pictures sent from the first key picture to TEARDOWN, {} kept, each once",
        all.len()
    );
}

/// What must be seen of a clip that is sent round and round, when so many pictures were kept from a key picture on: those
/// that stand first in the order of sending, each once, in the order of presentation.
fn in_order(clip: &Path, first: Option<Barcode>, pictures: usize) -> Vec<Option<Barcode>> {
    let first = first.expect("a barcode");
    let sent: Vec<i64> = packets(clip).iter().map(|p| p.pts).collect();
    assert_eq!(sent.len(), LENGTH as usize);
    let rank = |pts: i64| sent.iter().filter(|other| **other < pts).count();
    let rounds = (0..).flat_map(|round| sent.iter().map(move |pts| (round, *pts)));
    let numbers = rounds.map(|(round, pts)| round * sent.len() + rank(pts));
    let mut numbers: Vec<usize> = numbers.skip(first.number as usize).take(pictures).collect();
    numbers.sort_unstable();
    numbers.iter().map(|n| Some(Barcode { number: (n % sent.len()) as u32, ..first })).collect()
}

/// The judges that need no browser.
fn own_process(file: &Judged, dir: &Path) -> Vec<Row> {
    let bytes = std::fs::read(&file.path).unwrap();
    let stored = file.path.extension().is_some_and(|e| e == "m4v");
    let mut rows = vec![ffmpeg(file), reader("mp4-atom", file, &bytes, readers::mp4_atom)];
    if stored {
        let mut row = Row::new("mp4-atom, sidx+mfra", file);
        let told = catch_unwind(|| seek::tables(&bytes, file.h265))
            .unwrap_or_else(|_| Err("does not read it".into()));
        row.verdict = told.map(|fragments| format!("right, fragments: {fragments}"));
        rows.push(row);
        let mut row = Row::new("ffmpeg, seeking", file);
        let scratch = dir.join(file.path.file_stem().unwrap());
        let sought = catch_unwind(|| seek::seek(&file.path, &file.shown, &scratch));
        let sought = sought.unwrap_or_else(|_| Err("complains".into()));
        row.verdict = sought;
        rows.push(row);
    }
    if !file.h265 {
        rows.push(reader("mp4parse", file, &bytes, readers::mp4parse));
        if !stored {
            rows.push(reader("mp4", file, &bytes, readers::mp4));
        }
    }
    rows
}

fn ffmpeg(file: &Judged) -> Row {
    let mut row = Row::new("ffmpeg", file);
    let entries = "stream=codec_name,codec_tag_string,width,height";
    let mut ffprobe = Command::new("ffprobe");
    let probe = ffprobe.args(["-v", "error", "-of", "json", "-show_entries", entries]).arg(&file.path);
    let told: Value = serde_json::from_str(&succeed(probe)).unwrap();
    let stream = &told["streams"][0];
    let text = |name: &str| stream[name].as_str().unwrap_or_default().to_owned();
    row.codec = format!("{} {}", text("codec_name"), text("codec_tag_string"));
    let size = (stream["width"].as_u64().unwrap_or(0), stream["height"].as_u64().unwrap_or(0));
    row.size = format!("{}x{}", size.0, size.1);
    let shown = barcodes(&file.path);
    row.pictures = shown.len().to_string();
    let dts: Vec<i64> = packets(&file.path).iter().map(|p| p.dts).collect();
    let codec = format!("{} {}", if file.h265 { "hevc" } else { "h264" }, file.entry);
    row.verdict = if (&row.codec, size) != (&codec, file.size) {
        Err("another codec or size".into())
    } else if shown != file.shown {
        Err("other pictures".into())
    } else if dts.len() != shown.len() + file.hidden || !dts.windows(2).all(|w| w[0] < w[1]) {
        Err("DTS does not rise".into())
    } else {
        Ok("right, DTS rising".into())
    };
    row
}

/// A parser: it counts samples, the hidden ones too.
fn reader(judge: &str, file: &Judged, bytes: &[u8], read: fn(&[u8]) -> Found) -> Row {
    let mut row = Row::new(judge, file);
    let Ok(found) = catch_unwind(|| read(bytes)) else {
        row.verdict = Err("does not read it".into());
        return row;
    };
    // `mp4parse` has checked that the codec is H.264, and of a fragmented file it reads the head only.
    row.codec = if found.entry.is_empty() { "H264".into() } else { found.entry.clone() };
    row.size = format!("{}x{}", found.size.0, found.size.1);
    let head_only = judge == "mp4parse" && file.path.extension().is_some_and(|e| e == "m4v");
    if !head_only {
        row.pictures = found.samples.to_string();
    }
    row.verdict = if !found.entry.is_empty() && found.entry != file.entry {
        Err("another codec".into())
    } else if (u64::from(found.size.0), u64::from(found.size.1)) != file.size {
        Err("another size".into())
    } else if head_only {
        Ok("right, init segment only".into())
    } else if found.samples != file.shown.len() + file.hidden {
        Err(format!("{} and {} hidden expected", file.shown.len(), file.hidden))
    } else if file.hidden > 0 {
        Ok(format!("right, {} of them hidden", file.hidden))
    } else {
        Ok("right".into())
    };
    row
}

fn print(rows: &[Row]) {
    let line = |cells: [&str; 6]| {
        let [judge, file, codec, size, pictures, verdict] = cells;
        println!("{judge:<19} | {file:<15} | {codec:<17} | {size:<7} | {pictures:>8} | {verdict}");
    };
    line(["judge", "file", "codec", "size", "pictures", "verdict"]);
    for row in rows {
        let verdict = row.verdict.clone().unwrap_or_else(|why| format!("WRONG: {why}"));
        line([&row.judge, &row.file, &row.codec, &row.size, &row.pictures, &verdict]);
    }
}
