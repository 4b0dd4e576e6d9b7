//! Files of other muxers: nothing panics, and what can be read is what ffprobe read.

use std::fs;

use vigie::bmff::mfra::Mfra;
use vigie::bmff::moof::{self, Moof};
use vigie::bmff::moov::Moov;
use vigie::bmff::moov::trak::Trak;
use vigie::bmff::moov::trak::mdia::minf::stbl::stsd::Entry;
use vigie::bmff::moov::trak::mdia::minf::stbl::stsz::Stsz;
use vigie::bmff::prft::Prft;
use vigie::bmff::sidx::Sidx;
use vigie::bmff::{Boxed as _, Boxes, Error, Kind, walk};
use vigie::fault::Fault as _;
use vigie::limits::Limits;
use vigie::view;

use crate::media;

/// Goes through a file, reads every box that there is a reader for, and counts the samples of its video track.
fn read(bytes: &[u8]) -> Result<(Option<Moov>, u64), Error> {
    let (mut moov, mut samples) = (None::<Moov>, 0);
    walk(Boxes::new(bytes, 0), &Limits::default(), &mut |depth, found| {
        match found.kind {
            Moov::KIND if depth == 0 && moov.is_none() => moov = Some(found.parse()?),
            moof::KIND => {
                let moof = Moof::parse(found)?;
                let id = moov.as_ref().and_then(|m| m.video()).map(|t| t.header.track);
                for track in &moof.tracks {
                    let defaults = moov
                        .as_ref()
                        .map_or(vigie::bmff::moov::mvex::Trex::new(1), |m| m.defaults(track.header.track));
                    let read = track.samples(&defaults).count() as u64;
                    if id.is_none_or(|id| id == track.header.track) {
                        samples += read;
                    }
                }
            }
            Sidx::KIND => drop(found.parse::<Sidx>()?),
            Mfra::KIND => drop(found.parse::<Mfra>()?),
            Prft::KIND => drop(found.parse::<Prft>()?),
            _ => {}
        }
        Ok(())
    })?;
    if let Some(track) = moov.as_ref().and_then(Moov::video) {
        samples += match &track.media.information.tables.sizes {
            Stsz::Same(n, _) => u64::from(*n),
            Stsz::Each(sizes) => sizes.len() as u64,
        };
    }
    Ok((moov, samples))
}

#[test]
fn the_files_of_other_muxers() {
    let Some(vectors) = media::vectors("mp4") else { return };
    let (mut files, mut whole, mut counted) = (0, 0, 0);
    for row in media::manifest().iter().filter(|row| row.file.starts_with("mp4/")) {
        let bytes = fs::read(vectors.join(&row.file["mp4/".len()..])).unwrap();
        files += 1;
        match read(&bytes) {
            Ok((moov, samples)) => {
                whole += 1;
                let Some(track) = moov.as_ref().and_then(Moov::video) else { continue };
                if let Some(Entry::Video(entry)) = track.media.information.tables.descriptions.entries.first()
                {
                    let size = (u32::from(entry.width), u32::from(entry.height));
                    if row.size != (0, 0) && size != row.size {
                        println!("{}: {size:?}, ffprobe says {:?}", row.file, row.size);
                    }
                    // An init segment alone has none, and ffprobe then gives no number.
                    match row.packets {
                        Some(packets) if packets == samples => counted += 1,
                        Some(packets) => println!("{}: {samples} samples, ffprobe gives {packets}", row.file),
                        None => {}
                    }
                }
            }
            Err(error) => println!("{}: {error} {}", row.file, error.code()),
        }
        let _ = view::playback(&bytes);
        // Torn anywhere, it is read as far as it goes.
        for end in (0..bytes.len()).step_by((bytes.len() / 64).max(1)) {
            let _ = read(&bytes[..end]);
        }
    }
    println!(
        "{files} files, {whole} read to the end, {counted} with the number of samples that ffprobe gives"
    );
    assert!(files >= 180 && whole >= 173 && counted >= 70, "{files} {whole} {counted}");
}

#[test]
fn flipped_bytes_in_the_files_of_other_muxers() {
    let Some(vectors) = media::vectors("mp4") else { return };
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for entry in fs::read_dir(vectors).unwrap() {
        let mut bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.truncate(64 << 10);
        for _ in 0..40 {
            let mut flipped = bytes.clone();
            for _ in 0..1 + random() % 8 {
                let at = (random() % flipped.len().clamp(1, 4_096) as u64) as usize;
                if let Some(byte) = flipped.get_mut(at) {
                    *byte = random() as u8;
                }
            }
            let _ = read(&flipped);
            let _ = view::playback(&flipped);
            let _ = vigie::fragment::InitSegment::parse(&flipped.into());
        }
    }
}

#[test]
fn a_track_that_is_no_video_is_named() {
    let error = Boxes::new(b"\0\0\0\x08moov", 0).need(Moov::KIND).unwrap().parse::<Moov>().unwrap_err();
    assert!(matches!(error.kind, Kind::Missing(_)));
    assert_eq!(Trak::KIND.to_string(), "trak");
}
