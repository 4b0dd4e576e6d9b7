//! VLC plays a file through its own demuxer and decoder, as fast as it can, and encodes what it would show.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Barcode, barcodes_of, skip, wait};
use crate::{Judged, Row};

/// The exports; none, loudly, where VLC is not installed.
pub(crate) fn judge(files: &[Judged], dir: &Path) -> Vec<Row> {
    let there = Command::new("vlc").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_err() {
        skip("VIGIE_REQUIRE_INTEROP", "VLC (vlc-bin, vlc-plugin-base) as a judge is not installed");
        return Vec::new();
    }
    // It refuses to run as root, and somebody else must reach the files.
    let shown = dir.join("vlc");
    std::fs::create_dir(&shown).unwrap();
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&shown, std::fs::Permissions::from_mode(0o777)).unwrap();
    let exports = files.iter().filter(|file| file.path.extension().is_some_and(|e| e == "mp4"));
    exports.map(|file| row(file, &shown)).collect()
}

fn row(file: &Judged, dir: &Path) -> Row {
    let mut row = Row::new("VLC", file);
    let out = dir.join(file.path.file_name().unwrap()).with_extension("vlc.mp4");
    let encode = "vcodec=h264,venc=x264{preset=ultrafast,crf=20,keyint=10,bframes=0}";
    let sout = format!("#transcode{{{encode}}}:std{{access=file,mux=mp4,dst={}}}", out.display());
    run(&["--sout", &sout], &file.path);
    // At a steady rate: hidden pictures last a tick each, and to its times ffmpeg would object.
    let Ok(seen) =
        std::panic::catch_unwind(|| barcodes_of(&["-threads", "1", "-r", "25", "-i", out.to_str().unwrap()]))
    else {
        row.verdict = Err("shows nothing".into());
        return row;
    };
    row.pictures = seen.len().to_string();
    row.verdict = verdict(file, &numbers(&seen));
    row
}

fn run(options: &[&str], file: &Path) {
    let mut command = unprivileged();
    command.args(["vlc", "-I", "dummy", "--no-audio", "--no-spu"]).args(options).arg(file).arg("vlc://quit");
    command.env("HOME", "/nonexistent").stdin(Stdio::null());
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("VLC starts");
    wait(child, Duration::from_secs(120));
}

fn numbers(pictures: &[Option<Barcode>]) -> Vec<u32> {
    pictures.iter().map(|p| p.expect("a barcode").number).collect()
}

/// Its transcoder does not heed the edit list, so it has the hidden pictures too; and it never encodes the last.
fn verdict(file: &Judged, seen: &[u32]) -> Result<String, String> {
    let shown = numbers(&file.shown);
    let all_but_last = &shown[..shown.len() - 1];
    let lead = seen.len().saturating_sub(all_but_last.len());
    let found = (0..=lead).find(|at| seen[*at..].starts_with(all_but_last));
    match found {
        // Before what is shown and behind it stands no more than what is hidden.
        Some(_) if lead <= file.hidden + 1 => Ok(match file.hidden {
            0 => "right".into(),
            hidden => format!("right, the {hidden} hidden ones as well"),
        }),
        _ => Err(format!("{} and {} hidden expected", shown.len(), file.hidden)),
    }
}

/// `env`, as nobody where this is root.
fn unprivileged() -> Command {
    let id = Command::new("id").arg("-u").output().expect("id");
    if id.stdout.trim_ascii() != b"0" {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "env"]);
    command
}
