//! Session descriptions and RTSP messages of real cameras, collected by others: each is read, or refused with a reason.
//!
//! They lie outside of the repository: in `VIGIE_VECTORS`, else in `../shared/vectors` beside it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use vigie::codec::Codec;
use vigie::limits::Limits;
use vigie::rtsp::Message;
use vigie::rtsp::framing::{Expected, Input, Item};
use vigie::sdp::{Kind, MediaKind, Presentation};

/// The files of a folder of vectors by name; `None`, said aloud, where it is absent.
fn vectors(folder: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");
    let root = std::env::var_os("VIGIE_VECTORS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = root.join(folder);
    if !path.is_dir() {
        let required = std::env::var_os("VIGIE_REQUIRE_VECTORS").is_some_and(|v| v == "1");
        assert!(!required, "vectors are required and {} is absent", path.display());
        println!("SKIPPED: {} is absent", path.display());
        return None;
    }
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    Some(fs::read_dir(path).unwrap().map(read).collect())
}

/// Its `rtpmap` is for a payload type that `m=` does not name: the codec of what will come is anyone's guess.
const FOREIGN_RTPMAP: &str = "unknown_99d8be.sdp";

/// What stands behind the empty line of a response, or everything.
fn description(bytes: &[u8]) -> &[u8] {
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n");
    match at {
        Some(at) if !bytes.starts_with(b"v=") => &bytes[at + 4..],
        _ => bytes,
    }
}

#[test]
fn every_description_is_read_or_refused_with_a_reason() {
    let Some(files) = vectors("sdp") else { return };
    let mut readable = 0;
    for (name, bytes) in &files {
        let body = Bytes::copy_from_slice(description(bytes));
        match Presentation::parse(body.clone(), &Limits::default()) {
            Ok(presentation) => {
                assert_eq!(presentation.raw, body, "{name}");
                let text = String::from_utf8_lossy(&body).to_ascii_uppercase();
                let says = |codec: &str| text.lines().any(|l| l.starts_with("A=RTPMAP") && l.contains(codec));
                let has = |codec| presentation.media.iter().any(|m| m.codec == Some(codec));
                assert_eq!(has(Codec::H264), says(" H264/") && name != FOREIGN_RTPMAP, "{name}");
                assert_eq!(has(Codec::H265), says(" H265/"), "{name}");
                match presentation.video() {
                    Some(_) => readable += 1,
                    // Every media says by name what it is that is not read.
                    None => {
                        let named: Vec<String> = presentation
                            .media
                            .iter()
                            .map(|m| format!("{:?} {}", m.kind, m.encoding()))
                            .collect();
                        println!("{name}: no H.264 or H.265, but {named:?}");
                        let has_name = named.iter().any(|name| !name.ends_with(' '));
                        assert!(has_name || name == FOREIGN_RTPMAP, "{name}: {named:?}");
                    }
                }
            }
            Err(error) => {
                println!("{name}: {error}");
                assert!(matches!(error.kind, Kind::NotSdp | Kind::NoMedia), "{name}: {error}");
            }
        }
    }
    println!("{} descriptions, {readable} with a video that can be read", files.len());
    assert!(readable * 10 >= files.len() * 8, "{readable} of {}", files.len());
}

#[test]
fn every_transcript_is_read() {
    let Some(files) = vectors("rtsp_txt") else { return };
    for (name, bytes) in &files {
        if bytes.starts_with(b"v=") {
            let presentation = Presentation::parse(bytes.clone(), &Limits::default()).unwrap();
            assert!(presentation.video().is_some(), "{name}");
            continue;
        }
        for cut in [bytes.len(), 1, 7] {
            let message = read(bytes, cut).unwrap_or_else(|| panic!("{name} is not a message"));
            let (headers, body) = match &message {
                Message::Request(request) => (&request.headers, &request.body),
                Message::Response(response) => (&response.headers, &response.body),
            };
            assert!(headers.cseq().is_some(), "{name}");
            if name.contains("describe") {
                let presentation = Presentation::parse(body.clone(), &Limits::default()).unwrap();
                let (_, video) = presentation.video().unwrap();
                assert!(video.kind == MediaKind::Video && !video.parameter_sets.is_empty(), "{name}");
            }
        }
    }
}

fn read(bytes: &[u8], cut: usize) -> Option<Message> {
    let mut input = Input::new(&Limits::default());
    // The descriptions of some files end short of their Content-Length.
    let padded = [bytes, &[b'\n'; 256]].concat();
    for chunk in padded.chunks(cut) {
        assert_eq!(input.copy(chunk), chunk.len());
        match input.next(&Expected::default()).unwrap() {
            Some(Item::Message { message, .. }) => return Some(message),
            Some(item) => panic!("{item:?}"),
            None => {}
        }
    }
    None
}

#[test]
fn no_description_cut_anywhere_is_a_panic() {
    let Some(files) = vectors("sdp") else { return };
    for bytes in files.values() {
        let body = description(bytes);
        for end in (0..body.len()).step_by(7) {
            if let Err(error) = Presentation::parse(body[..end].to_vec(), &Limits::default()) {
                assert!(matches!(error.kind, Kind::Empty | Kind::NotSdp | Kind::NoMedia));
            }
        }
    }
}
