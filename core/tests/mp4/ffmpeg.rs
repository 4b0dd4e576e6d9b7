//! ffmpeg as the judge, where it is installed: the same pictures must come out of our files as out of the stream itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vigie::limits::Limits;
use vigie::view::View;
use vigie::view::export::Export;

use crate::media;

fn present() -> bool {
    let found = Command::new("ffmpeg").arg("-version").output().is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("SKIPPED: no ffmpeg on this machine");
    }
    found
}

/// The MD5 of every picture that ffmpeg shows, in order, and its time.
fn pictures(path: &Path, before: &[&str]) -> Vec<(String, String)> {
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-threads", "1", "-noautorotate"])
        .args(before)
        .arg("-i")
        .arg(path)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-autoscale", "0", "-f", "framemd5", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    lines
        .map(|l| l.split(',').map(|f| f.trim().to_owned()).collect::<Vec<_>>())
        .map(|f| (f[5].clone(), f[2].clone()))
        .collect()
}

fn hashes(path: &Path, before: &[&str]) -> Vec<String> {
    pictures(path, before).into_iter().map(|(hash, _)| hash).collect()
}

fn temporary(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mp4");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn clips_show_the_same_pictures() {
    if !present() {
        return;
    }
    for clip in media::clips() {
        let name = clip.file_name().unwrap().to_str().unwrap().to_owned();
        let stream = media::read(&clip).unwrap();
        let wanted = hashes(&clip, &["-f", if name.ends_with("h264") { "h264" } else { "hevc" }]);
        assert_eq!(wanted.len(), stream.pictures);
        for (kind, bytes) in [
            ("exact", stream.fragmented(View::Exact)),
            ("playback", stream.fragmented(View::Playback)),
            ("progressive", stream.export(Export::whole(&Limits::default())).remove(0).1),
        ] {
            let path = temporary(&format!("{name}.{kind}.mp4"), &bytes);
            assert!(hashes(&path, &[]) == wanted, "{name} {kind}");
        }
    }
}

#[test]
fn a_range_shows_its_pictures_and_no_other() {
    if !present() {
        return;
    }
    for clip in media::clips() {
        let name = clip.file_name().unwrap().to_str().unwrap().to_owned();
        let stream = media::read(&clip).unwrap();
        let all = hashes(&clip, &["-f", if name.ends_with("h264") { "h264" } else { "hevc" }]);
        let start = stream.fragments[0].utc.utc;
        // In the middle of a GOP, to the middle of another; 25 pictures a second.
        let (from, to) = (start.plus(3_520_000), start.plus(9_360_000));
        let files = stream.export(Export::new(from, to, &Limits::default()));
        assert_eq!((files.len(), files[0].0.pictures), (1, 146));
        let path = temporary(&format!("{name}.range.mp4"), &files[0].1);
        let shown = pictures(&path, &[]);
        let times: BTreeSet<_> = shown.iter().map(|(_, t)| t.clone()).collect();
        assert_eq!(times.len(), shown.len(), "no time twice");
        assert_eq!(shown[0].1, "0", "the first is shown at once");
        assert!(shown.into_iter().map(|(h, _)| h).eq(all[88..88 + 146].iter().cloned()), "{name}");
    }
}

/// Streams of other encoders: our files must show what ffmpeg makes of the raw stream, picture by picture.
#[test]
fn vectors_show_the_same_pictures() {
    if !present() {
        return;
    }
    let (mut alike, mut judged) = (0, 0);
    for row in media::manifest().iter().filter(|r| r.file.starts_with("es26") && !r.pixelmd5.is_empty()) {
        let Some(root) = media::vectors("") else { return };
        judged += 1;
        let Some(stream) = media::read(&root.join(&row.file)) else {
            println!("{}: codec not told", row.file);
            continue;
        };
        let name = row.file.replace('/', "-");
        let mut same = vec![];
        for (kind, bytes) in [
            ("exact", Some(stream.fragmented(View::Exact))),
            (
                "progressive",
                stream.export(Export::whole(&Limits::default()).in_one_file()).pop().map(|f| f.1),
            ),
        ] {
            let path = temporary(&format!("{name}.{kind}.mp4"), &bytes.unwrap_or_default());
            let lines: String = hashes(&path, &[]).into_iter().map(|h| h + "\n").collect();
            fs::remove_file(path).unwrap();
            same.push((kind, media::sha256(lines.as_bytes()) == row.pixelmd5));
        }
        if same.iter().all(|s| s.1) {
            alike += 1;
        } else {
            println!("{}: {same:?}, {} pictures", row.file, stream.pictures);
        }
    }
    println!("{alike} of {judged} streams show the same pictures");
    assert!(alike >= 90 || judged == 0);
}

#[test]
fn ranges_of_the_streams_of_other_encoders() {
    if !present() {
        return;
    }
    let (mut alike, mut judged) = (0, 0);
    for row in media::manifest().iter().filter(|r| r.file.starts_with("es26") && !r.pixelmd5.is_empty()) {
        let Some(root) = media::vectors("") else { return };
        let Some(stream) = media::read(&root.join(&row.file)) else { continue };
        let name = row.file.replace('/', "-");
        let path = temporary(&format!("{name}.all.mp4"), &stream.fragmented(View::Exact));
        let all = hashes(&path, &[]);
        fs::remove_file(path).unwrap();
        // One init segment, and every picture decodes.
        if stream.pictures < 20
            || all.len() != stream.pictures
            || stream.fragments.windows(2).any(|w| w[0].init != w[1].init)
        {
            continue;
        }
        judged += 1;
        let start = stream.fragments[0].utc.utc;
        let third =
            stream.fragments.iter().map(|f| vigie::time::Ticks::micros(f.duration as i64)).sum::<i64>() / 3;
        let files = stream.export(Export::new(start.plus(third), start.plus(2 * third), &Limits::default()));
        let path = temporary(&format!("{name}.range.mp4"), &files[0].1);
        let shown = hashes(&path, &[]);
        let first = all.iter().position(|h| *h == shown[0]);
        let found = all.windows(shown.len()).any(|w| w == shown);
        if found && shown.len() == files[0].0.pictures as usize {
            alike += 1;
            fs::remove_file(path).unwrap();
        } else {
            println!(
                "{}: {} of {} shown from {first:?}, {} wanted, {} hidden",
                row.file,
                shown.len(),
                all.len(),
                files[0].0.pictures,
                files[0].0.hidden
            );
        }
    }
    println!("{alike} of {judged} ranges show their pictures and no other");
    assert_eq!(alike, judged);
}
