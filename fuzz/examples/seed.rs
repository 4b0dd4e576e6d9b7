//! Writes seeds: `cargo run --example seed -- FOLDER [VECTORS]`, where FOLDER gets a folder for each target, and VECTORS is the
//! unpacked corpus of other projects' fuzzers (`shared/vectors/fuzz`).

use std::fs;
use std::path::{Path, PathBuf};

use vigie_fuzz::{TARGETS, seed};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: seed FOLDER [VECTORS]");
        std::process::exit(2);
    };
    for target in TARGETS {
        fs::create_dir_all(folder.join(target.name))?;
        for (name, bytes) in seed(target.name) {
            fs::write(folder.join(target.name).join(name), bytes)?;
        }
    }
    let mut count = 0;
    if let Some(vectors) = arguments.next() {
        others(&vectors, &folder, &mut count)?;
        println!("{count} inputs of other projects' fuzzers");
    }
    Ok(())
}

/// Each file of other projects goes to the targets that read the like.
fn others(from: &Path, to: &Path, count: &mut usize) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_dir() {
            others(&path, to, count)?;
            continue;
        }
        for bytes in inputs(&fs::read(&path)?) {
            for (target, bytes) in shaped(&path.to_string_lossy(), bytes) {
                fs::write(to.join(target).join(format!("other-{count}")), bytes)?;
                *count += 1;
            }
        }
    }
    Ok(())
}

/// As a target wants it, by the words in its path.
fn shaped(path: &str, bytes: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let has = |word: &str| path.contains(word);
    let behind = |prefix: &[u8]| [prefix, &bytes[..]].concat();
    let chunk = || [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
    if has("sdp") {
        vec![("sdp", bytes)]
    } else if has("/base/") || has("/conn/") {
        vec![("framing_split", behind(&[0])), ("rtsp_round_trip", chunk())]
    } else if has("mikey") {
        vec![("srtp_round_trip", bytes)]
    } else if has("/headers/") || has("/auth/") || has("liberrors") {
        vec![("headers_round_trip", bytes)]
    } else if has("rtph26") {
        vec![("depacket", [vec![u8::from(has("rtph265"))], packets(&bytes)].concat())]
    } else if has("/rtp") {
        vec![("plain", [vec![0, 0], packets(&bytes)].concat()), ("rtp_round_trip", bytes)]
    } else if has("h264") || has("h265") {
        let codec = [u8::from(has("h265"))];
        vec![
            ("parameter_sets", [&codec[..], &chunk()].concat()),
            ("slices", [&codec[..], &chunk()].concat()),
            ("elementary_split", behind(&[0])),
        ]
    } else if has("mp4") {
        vec![("boxes", bytes)]
    } else {
        vec![("rtp_round_trip", bytes)]
    }
}

/// Payloads behind lengths of 4 bytes, the lowest first, to packets behind lengths of 2.
fn packets(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut rest, mut n) = (vec![], bytes, 0_u8);
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let (payload, after) = after.split_at((u32::from_le_bytes(*len) as usize).min(after.len()));
        let packet = [&[0x80, 0xe0, 0, n, 0, 0, 0, n / 3, 0, 0, 0, 1], payload].concat();
        out.extend_from_slice(&(packet.len() as u16).to_be_bytes());
        out.extend_from_slice(&packet);
        (rest, n) = (after, n.wrapping_add(1));
    }
    out
}

/// The byte strings of a file in the format of Go's fuzzer; a file of another kind is one byte string.
fn inputs(file: &[u8]) -> Vec<Vec<u8>> {
    let Some(text) = file.strip_prefix(b"go test fuzz v1\n") else { return vec![file.to_vec()] };
    let text = String::from_utf8_lossy(text);
    let quoted = |line: &str| {
        let line = line.strip_prefix("[]byte(").or(line.strip_prefix("string("))?;
        Some(unquote(line.strip_suffix(')')?.strip_prefix('"')?.strip_suffix('"')?))
    };
    text.lines().filter_map(quoted).collect()
}

/// A string literal of Go without its quotes. Escapes of whole characters become those characters.
fn unquote(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (vec![], text);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let Some((escape, after)) = (c == '\\').then(|| rest.split_at_checked(1)).flatten() else {
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        };
        rest = after;
        let digits = match escape {
            "x" => 2,
            "u" => 4,
            "U" => 8,
            _ => 0,
        };
        let (number, after) = rest.split_at(digits.min(rest.len()));
        let number = u32::from_str_radix(number, 16).unwrap_or(0);
        match escape {
            "x" => out.push(number as u8),
            "u" | "U" => out.extend(char::from_u32(number).unwrap_or('?').to_string().bytes()),
            "n" => out.push(b'\n'),
            "r" => out.push(b'\r'),
            "t" => out.push(b'\t'),
            "a" => out.push(7),
            "b" => out.push(8),
            "f" => out.push(12),
            "v" => out.push(11),
            other => out.extend(other.bytes()),
        }
        rest = after;
    }
    out
}
