//! Writing one MP4, and what the manifest says of it.

use std::collections::BTreeMap;

use vigie::view::export::File;

use super::folder::Hashed;
use super::manifest::{Clock, Content, HiddenPicture, Movie};
use super::read::Reader;
use crate::failure::Failure;
use crate::new_file::NewFile;
use crate::output::Progress;

/// Copies the pictures and then the sound, part by part, in the order of the file.
pub(super) fn write(
    reader: &mut Reader<'_>,
    sound: Option<&mut Reader<'_>>,
    mut out: Hashed,
    file: &File,
    progress: &Progress,
    done: &mut u64,
) -> Result<(NewFile, Content), Failure> {
    let mut write = |bytes: &[u8]| {
        *done += bytes.len() as u64;
        progress.at(*done);
        out.write(bytes)
    };
    write(&file.head)?;
    reader.copy(&file.parts, &mut write)?;
    if let Some(sound) = sound.filter(|_| !file.sound.is_empty()) {
        sound.copy(&file.sound, &mut write)?;
    }
    Ok(out.whole())
}

/// The file in the manifest.
pub(super) fn told(reader: &Reader<'_>, file: &File, content: Content) -> Movie {
    let mut used: Vec<u64> = file.parts.iter().map(|part| part.fragment).collect();
    used.dedup();
    let used: Vec<_> =
        used.iter().filter_map(|n| usize::try_from(*n).ok().and_then(|n| reader.stored.get(n))).collect();
    let mut clocks: BTreeMap<u8, Clock> = BTreeMap::new();
    for mark in used.iter().map(|stored| &stored.entry.mark) {
        let clock = clocks.entry(mark.source).or_insert_with(|| Clock {
            source: source(mark.source).to_owned(),
            fragments: 0,
            error_seconds: 0.0,
        });
        clock.fragments += 1;
        clock.error_seconds = clock.error_seconds.max(f64::from(mark.error) / 1e6);
    }
    let stored = used.first().and_then(|s| reader.listing.segments.iter().find(|file| file.key == s.key));
    let hidden = file.unseen.iter().map(|picture| HiddenPicture {
        sample: picture.sample,
        utc: picture.utc.to_string(),
        why: if picture.lead_in { "lead-in" } else { "behind" }.to_owned(),
    });
    Movie {
        content,
        codec: stored.map(|file| file.codec.to_string()).unwrap_or_default(),
        width: stored.map_or(0, |file| file.size.0),
        height: stored.map_or(0, |file| file.size.1),
        pictures: file.pictures,
        first: file.first.to_string(),
        last: file.last.to_string(),
        to: file.end.to_string(),
        random_access: file.random_access,
        audio: !file.sound.is_empty(),
        subtitles: file.subtitles,
        hidden: hidden.collect(),
        clock: clocks.into_values().collect(),
        lost_packets: used.iter().map(|stored| u64::from(stored.entry.mark.lost)).sum(),
    }
}

/// Where a UTC came from, by its number in the fragment's mark.
fn source(number: u8) -> &'static str {
    match number {
        1 => "ONVIF header extension",
        2 => "RTCP sender report",
        3 => "Range header",
        4 => "arrival at the recorder",
        _ => "unknown",
    }
}
