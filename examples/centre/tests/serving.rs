//! What is recorded, served to players of other people: a span as one MP4 by ranges, HLS, a key picture. ffmpeg and VLC read
//! the same packets that the store holds; hls.js and <video src> in Chromium and Firefox play them to the end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Answer, Centre, Folder, files};
use serde_json::Value;
use vigie::time::UtcMicros;

/// Without B pictures, with them, and H.265.
const CAMERAS: [(&str, &str); 3] = [("annoeullin", "mairie"), ("annoeullin", "place"), ("provin", "gare")];

/// Skips a part for want of somebody else's tool, loudly; a failure where it is required.
fn skip(why: &str) {
    assert!(
        std::env::var("VIGIE_REQUIRE_INTEROP").as_deref() != Ok("1"),
        "VIGIE_REQUIRE_INTEROP=1, and {why}"
    );
    eprintln!("SKIPPED: {why}");
}

fn there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok()
}

/// The first span recorded of a camera, once it is that long.
fn recorded(centre: &Centre, (tenant, camera): (&str, &str), seconds: i64) -> (UtcMicros, UtcMicros) {
    centre.until(60, "enough is recorded", |centre| {
        let timeline = centre.get(&format!("/api/timeline/{tenant}/{camera}")).json();
        let moment = |name: &str| timeline["ranges"][0][name].as_str()?.parse::<UtcMicros>().ok();
        let (from, to) = (moment("from")?, moment("to")?);
        (to.0 - from.0 >= seconds * 1_000_000).then_some((from, to))
    })
}

fn head(centre: &Centre, path: &str, more: &[(&str, &str)]) -> Answer {
    let (host, token) = (centre.host(), format!("Bearer {}", centre.token));
    let mut all = vec![("Host", host.as_str()), ("Authorization", token.as_str())];
    all.extend(more);
    centre.send("HEAD", path, &all)
}

/// The MD5 of each packet, in the order of decoding, as ffmpeg demuxes it.
fn packets(input: &[&str]) -> Vec<String> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(input)
        .args(["-map", "0:v:0", "-c", "copy", "-copyts", "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg");
    assert!(output.status.success(), "{input:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit(',').next()).map(|sum| sum.trim().to_owned()).collect()
}

/// Those of all that is stored of a camera.
fn stored(centre: &Centre, (tenant, camera): (&str, &str), scratch: &Path) -> Vec<String> {
    let folder = centre.store.join(tenant).join(camera);
    let media = files(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "m4v"));
    let all = media.flat_map(|path| {
        // One may be written to: a copy stands still.
        let copy = scratch.join("stored.m4v");
        std::fs::copy(folder.join(path), &copy).unwrap();
        packets(&["-i", copy.to_str().unwrap()])
    });
    all.collect()
}

/// Do these stand one behind the other in all of them?
fn within(part: &[String], all: &[String]) -> bool {
    !part.is_empty() && all.windows(part.len()).any(|window| window == part)
}

/// The answers that RFC 9110 asks for.
fn ranges(centre: &Centre, path: &str, whole: &Answer) {
    let bytes = &whole.body;
    let (tag, len) = (whole.header("etag").unwrap(), bytes.len());
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, Some("bytes")));
    assert_eq!((whole.header("content-type"), tag.len()), (Some("video/mp4"), 34));
    assert!(centre.get(path).body == *bytes, "two requests, the same bytes");
    let asked = head(centre, path, &[("Range", "bytes=5-9")]);
    assert_eq!((asked.status, asked.body.len(), asked.header("etag")), (200, 0, Some(tag)));
    assert_eq!(asked.header("content-length"), Some(len.to_string().as_str()));
    let mut joined = Vec::new();
    for from in (0..len).step_by(len / 7 + 1) {
        let to = (from + len / 7).min(len - 1);
        let part = centre.get_with(path, &[("Range", &format!("bytes={from}-{to}")), ("If-Range", tag)]);
        let range = format!("bytes {from}-{to}/{len}");
        assert_eq!((part.status, part.header("content-range")), (206, Some(range.as_str())));
        joined.extend(part.body);
    }
    assert!(joined == *bytes, "the parts are the whole");
    let tail = centre.get_with(path, &[("Range", "bytes=-11")]);
    assert!(tail.status == 206 && tail.body == bytes[len - 11..]);
    let beyond = centre.get_with(path, &[("Range", &format!("bytes={len}-"))]);
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some(format!("bytes */{len}").as_str()))
    );
    let other = centre.get_with(path, &[("Range", "bytes=0-1"), ("If-Range", "\"other\"")]);
    assert_eq!((other.status, other.body.len()), (200, len));
    assert_eq!(centre.get_with(path, &[("If-None-Match", tag)]).status, 304);
}

#[test]
fn recordings_for_other_peoples_players() {
    let (centre, scratch) = (Centre::demo(), Folder::new());
    let spans = CAMERAS.map(|camera| (camera, recorded(&centre, camera, 9).0));
    let ffmpeg = there("ffmpeg");
    if !ffmpeg {
        skip("ffmpeg is not installed");
    }
    let mut played = Vec::new();
    for ((tenant, camera), start) in spans {
        let name = format!("{tenant}/{camera}");
        let (from, to) = (start.plus(1_300_000), start.plus(6_100_000));
        let path = format!("/api/mp4/{name}?from={from}&to={to}");
        let whole = centre.get(&path);
        ranges(&centre, &path, &whole);
        let pictures: usize = whole.header("vigie-pictures").unwrap().parse().unwrap();
        assert_eq!((pictures, whole.header("vigie-files")), (120, Some("1")), "4.8 s at 25 a second");
        let list = format!("/api/hls/{name}/index.m3u8?from={from}&to={to}");
        let playlist = centre.get(&list);
        assert_eq!(playlist.header("content-type"), Some("application/vnd.apple.mpegurl"));
        assert!(playlist.text().ends_with("#EXT-X-ENDLIST\n"), "{}", playlist.text());
        let still = centre.get(&format!("/api/picture/{name}?at={from}"));
        let taken: UtcMicros = still.header("vigie-utc").unwrap().parse().unwrap();
        assert!(still.status == 200 && start <= taken && taken <= from, "{taken}");
        if ffmpeg {
            let all = stored(&centre, (tenant, camera), &scratch.0);
            let file = scratch.write("span.mp4", &whole.body);
            let shown = packets(&["-i", file.to_str().unwrap()]);
            assert!(shown.len() >= pictures && within(&shown, &all), "{name}: {} packets", shown.len());
            vlc(&file, pictures, &scratch.0, camera == "gare");
            let headers = format!("Authorization: Bearer {}\r\n", centre.token);
            let url = format!("http://{}{list}", centre.host());
            let streamed = packets(&["-headers", &headers, "-i", &url]);
            assert!(streamed.len() >= shown.len() && within(&streamed, &all), "{name}: {}", streamed.len());
            let picture = packets(&["-i", scratch.write("key.mp4", &still.body).to_str().unwrap()]);
            assert!(picture.len() == 1 && within(&picture, &all), "{name}");
        }
        played.push((list, path, pictures, camera == "gare"));
    }
    browsers(&centre, &played);
}

/// VLC's demuxer gives every sample of the file, and knows its codec and size.
fn vlc(file: &Path, pictures: usize, scratch: &Path, h265: bool) {
    if !there("vlc") {
        return skip("VLC (vlc-bin, vlc-plugin-base) is not installed");
    }
    use std::os::unix::fs::PermissionsExt as _;
    // As root it refuses to run; whoever runs it must be able to write.
    let open =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let out: PathBuf = scratch.join("vlc");
    std::fs::create_dir_all(&out).unwrap();
    open(scratch, 0o755);
    open(&out, 0o777);
    open(file, 0o644);
    let raw = out.join(if h265 { "raw.h265" } else { "raw.h264" });
    let _ = std::fs::remove_file(&raw);
    let root = Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0";
    let mut command = if root { Command::new("setpriv") } else { Command::new("env") };
    if root {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    let sink = format!("#std{{access=file,mux=dummy,dst={}}}", raw.display());
    command.args(["vlc", "-I", "dummy", "--no-audio", "--play-and-exit", "--sout", &sink]).arg(file);
    let run = command.env("HOME", "/nonexistent").stdin(Stdio::null()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let entries = "stream=codec_name,width,height,nb_read_packets";
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "error", "-count_packets", "-of", "csv=p=0", "-show_entries", entries]).arg(&raw);
    let told = String::from_utf8(ffprobe.output().unwrap().stdout).unwrap();
    let cells: Vec<&str> = told.trim().split(',').collect();
    assert_eq!(cells[..3], [if h265 { "hevc" } else { "h264" }, "640", "360"], "{told}");
    assert!(cells[3].parse::<usize>().unwrap() >= pictures, "{told}");
}

/// Each playlist by hls.js, each file by <video src> over ranges; H.265 where the browser has it.
fn browsers(centre: &Centre, played: &[(String, String, usize, bool)]) {
    let player = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../player-wasm");
    if !there("node")
        || !["puppeteer-core", "hls.js"].iter().all(|m| player.join("node_modules").join(m).is_dir())
    {
        return skip(
            "hls.js, Chromium and Firefox as players: no Node, or its packages are not there (npm ci)",
        );
    }
    let mut command = Command::new("node");
    command.arg(player.join("tests/serving.mjs")).env("VIGIE_TOKEN", &centre.token);
    command.arg(format!("http://{}", centre.host()));
    for (list, file, ..) in played {
        command.args([list, file]);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(why) = line["skipped"].as_str() {
            skip(&format!("{} as a player: {why}", line["judge"]));
            continue;
        }
        println!("{line}");
        let path = line["path"].as_str().unwrap();
        let (_, _, pictures, h265) =
            played.iter().find(|(list, file, ..)| list == path || file == path).unwrap();
        if line["unsupported"] == true {
            assert!(*h265 && line["judge"] == "Chromium", "{line}");
            continue;
        }
        assert_eq!(line["error"], Value::Null, "{line}");
        assert_eq!((&line["width"], &line["height"]), (&640.into(), &360.into()), "{line}");
        let seen = line["pictures"].as_u64().unwrap() as usize;
        let (first, last) = (line["first"].as_u64().unwrap(), line["last"].as_u64().unwrap());
        // The clips have 250 pictures, sent round and round.
        let shown = ((last + 250 - first) % 250 + 1) as usize;
        let expected = if line["way"] == "hls" { listed(&centre.get(path)) } else { *pictures };
        if line["judge"] == "Firefox" && line["way"] == "src" {
            // It shifts by the edit list and cuts nothing: the pictures that decoding needs are seen too.
            assert!((expected..expected + 110).contains(&seen), "{line}: {expected}");
        } else {
            assert_eq!((seen, shown), (expected, (expected - 1) % 250 + 1), "{line}");
        }
    }
}

/// The pictures of a playlist, 25 a second.
fn listed(playlist: &Answer) -> usize {
    let lengths = playlist.text().lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
    let seconds: f64 = lengths.map(|line| line.trim_end_matches(',').parse::<f64>().unwrap()).sum();
    (seconds * 25.0).round() as usize
}

#[test]
fn what_is_being_recorded_is_cut_where_it_is_final() {
    let centre = Centre::demo();
    let (from, _) = recorded(&centre, CAMERAS[0], 4);
    let open = format!("/api/mp4/annoeullin/mairie?from={from}&to={}", from.plus(3_600_000_000));
    let answer = centre.get(&open);
    assert_eq!(answer.status, 307, "{answer:?}");
    let place = answer.header("location").unwrap().to_owned();
    let first = centre.get(&place);
    assert!(first.status == 200 && first.body.len() > 10_000, "{first:?}");
    let list = centre.get(&format!("/api/hls/annoeullin/mairie/index.m3u8?from={from}"));
    assert!(list.text().contains("#EXT-X-PLAYLIST-TYPE:EVENT") && !list.text().contains("ENDLIST"));
    std::thread::sleep(std::time::Duration::from_secs(3));
    let again = centre.get(&place);
    assert_eq!(again.header("etag"), first.header("etag"));
    assert!(again.body == first.body, "an address has the same bytes for ever");
    assert_ne!(centre.get(&open).header("location"), Some(place.as_str()), "more is final now");
    let grown = centre.get(&format!("/api/hls/annoeullin/mairie/index.m3u8?from={from}"));
    assert!(grown.text().starts_with(list.text()) && grown.body.len() > list.body.len());
    let live = centre.get("/api/hls/annoeullin/mairie/index.m3u8");
    assert!(live.status == 307 && live.header("location").unwrap().starts_with("index.m3u8?from="));
    let availability = centre.get("/api/availability/annoeullin/mairie").json();
    assert_eq!(availability[0]["share"], 1.0, "{availability}");
    for bad in [
        "/api/mp4/annoeullin/mairie",
        "/api/mp4/annoeullin/mairie?from=x&to=y",
        "/api/mp4/annoeullin/mairie?from=2026-11-22T00:00:00Z&to=2026-11-22T00:00:00Z",
        "/api/mp4/annoeullin/mairie?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z",
        "/api/hls/annoeullin/mairie/index.m3u8?from=x",
        "/api/picture/annoeullin/mairie?at=x",
    ] {
        assert_eq!(centre.get(bad).status, 400, "{bad}");
    }
    for none in [
        "/api/mp4/annoeullin/none?from=2026-11-22T00:00:00Z&to=2026-11-22T01:00:00Z",
        "/api/mp4/annoeullin/mairie?from=2026-01-22T00:00:00Z&to=2026-01-22T01:00:00Z",
        "/api/hls/annoeullin/mairie/2026-11-22/05/14-00.120000Z.0.m4v/1-2-00000003.m4s",
        "/api/hls/annoeullin/mairie/2026-11-22/05/14-00.120000Z.0.m4v/init.mp4",
        "/api/hls/annoeullin/mairie/../../../etc/passwd",
        "/api/picture/annoeullin/mairie?at=2026-01-22T00:00:00Z",
    ] {
        assert_eq!(centre.get(none).status, 404, "{none}");
    }
}

#[test]
fn damage_is_left_out_once_it_is_seen() {
    let mut centre = Centre::demo();
    let camera = CAMERAS[0];
    let (from, _) = recorded(&centre, camera, 8);
    let path = format!("/api/mp4/annoeullin/mairie?from={from}&to={}", from.plus(6_000_000));
    let whole = centre.get(&path);
    let list =
        centre.get(&format!("/api/hls/annoeullin/mairie/index.m3u8?from={from}&to={}", from.plus(6_000_000)));
    let names: Vec<&str> = list.text().lines().filter(|line| !line.starts_with('#')).collect();
    // The last bytes of the second fragment.
    let (key, place) = names[1].rsplit_once('/').unwrap();
    let numbers: Vec<u64> = place.split('-').take(2).map(|n| n.parse().unwrap()).collect();
    let file = centre.store.join("annoeullin/mairie").join(key);
    use std::os::unix::fs::FileExt as _;
    let media = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    media.write_all_at(b"damaged!", numbers[0] + numbers[1] - 20).unwrap();
    let segment = centre.get(&format!("/api/hls/annoeullin/mairie/{}", names[1]));
    assert_eq!(segment.status, 404, "its checksum fails");
    assert_eq!(centre.get(&format!("/api/hls/annoeullin/mairie/{}", names[2])).status, 200);
    let list =
        centre.get(&format!("/api/hls/annoeullin/mairie/index.m3u8?from={from}&to={}", from.plus(6_000_000)));
    assert!(list.text().contains("#EXT-X-VERSION:8") && list.text().matches("#EXT-X-GAP").count() == 1);
    let again = centre.get(&path);
    assert!(again.status == 200 && again.body.len() < whole.body.len());
    assert_ne!(again.header("etag"), whole.header("etag"));
    let _ = centre.interrupt();
}
