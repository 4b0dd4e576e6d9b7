//! Chromium and Firefox by `player-wasm/tests/judge.mjs`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{long, skip, wait};
use crate::{Judged, Row, seconds_of};

/// Both browsers on all files.
pub(crate) fn judge(files: &[Judged]) -> Vec<Row> {
    let player = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../player-wasm");
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    let puppeteer = ["node_modules", "tests/node_modules"].map(|f| player.join(f).join("puppeteer-core"));
    if !node.is_ok_and(|s| s.success()) || !puppeteer.iter().any(|p| p.is_dir()) {
        skip(
            "VIGIE_REQUIRE_INTEROP",
            "Chromium and Firefox as judges: no Node, or no puppeteer-core (npm ci)",
        );
        return Vec::new();
    }
    let mut command = Command::new("node");
    command.arg(player.join("tests/judge.mjs")).args(files.iter().map(|f| &f.path)).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = wait(child, Duration::from_secs(if long() { 1_800 } else { 900 }));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut rows = Vec::new();
    for line in &lines {
        let browser = line["judge"].as_str().unwrap();
        if let Some(why) = line["skipped"].as_str() {
            skip("VIGIE_REQUIRE_INTEROP", &format!("{browser} as a judge: {why}"));
            continue;
        }
        let path = PathBuf::from(line["file"].as_str().unwrap());
        rows.push(row(browser, line, files.iter().find(|f| f.path == path).unwrap()));
    }
    let whole = lines.iter().filter(|l| l["skipped"].is_null()).count();
    let there = lines.iter().filter(|l| !l["skipped"].is_null()).count();
    assert_eq!(whole, files.len() * (2 - there), "{text}");
    rows
}

fn row(browser: &str, line: &Value, file: &Judged) -> Row {
    let number = |name: &str| line[name].as_i64().unwrap_or(-1);
    let mut row = Row::new(browser, file);
    row.codec = line["codec"].as_str().unwrap_or_default().to_owned();
    if line["unsupported"] == true {
        // Chromium decodes H.265 only where the graphics processor does.
        let excused = file.h265 && browser == "Chromium";
        row.verdict =
            if excused { Ok("H.265 not supported here".into()) } else { Err("not supported".into()) };
        return row;
    }
    row.size = format!("{}x{}", number("width"), number("height"));
    row.pictures = number("pictures").to_string();
    row.verdict = verdict(browser, line, file);
    row
}

fn verdict(browser: &str, line: &Value, file: &Judged) -> Result<String, String> {
    if let Some(error) = line["error"].as_str() {
        return Err(error.to_owned());
    }
    let number = |name: &str| line[name].as_u64().unwrap_or(u64::MAX);
    let told = line["codec"].as_str().unwrap_or_default();
    if !told.starts_with(&file.entry) {
        return Err(format!("codec {told}"));
    }
    if (number("width"), number("height")) != file.size {
        return Err("another size".into());
    }
    let hidden = file.hidden as u64;
    let pictures = file.shown.len() as u64;
    // What an edit list hides is decoded too: the one browser counts it, the other does not.
    if number("pictures") != pictures && number("pictures") != pictures + hidden {
        return Err(format!("{pictures} and {hidden} hidden expected"));
    }
    let length = line["duration"].as_f64().unwrap_or(f64::NAN);
    let expected = seconds_of(&file.shown);
    // The last sample's duration also spans what was yet to be sent when the recording ended.
    let torn = expected > pictures as f64 / 25.0 + 0.01;
    // Behind the end may stand hidden pictures that the last ones shown are made from: both browsers count them into the
    // length. Firefox shifts by the edit list but cuts nothing, so the hidden pictures are seen as well, those before
    // the start for a tick each.
    let lenient = browser == "Firefox" && hidden > 0;
    if (length - expected).abs() > if hidden > 0 || torn { 0.2 } else { 0.01 } {
        return Err(format!("{length} s, not {expected} s"));
    }
    let ends = (number("first") as u32, number("last") as u32);
    let dropped = number("dropped");
    if ends != (file.number(0), file.number(file.shown.len() - 1)) && !lenient {
        return Err(format!("first and last picture: {ends:?}"));
    }
    let lenient = if lenient { ", counting the hidden ones" } else { "" };
    Ok(format!("right, {dropped} dropped at 4x{lenient}"))
}
