//! `sidx` and `mfra` of a closed file: what they say is what is there, and either alone leads ffmpeg to the last fragment.

use std::io::Cursor;
use std::path::Path;

use mp4_atom::{Any, Mfra, Moof, ReadFrom as _, Sidx};

use crate::support::{Barcode, barcodes_of};

/// A stored file as `mp4-atom` sees it.
#[derive(Debug, Default)]
struct Parts {
    fragments: Vec<Fragment>,
    sidx: Option<(Sidx, u64)>,
    mfra: Option<(Mfra, u64)>,
}

#[derive(Debug)]
struct Fragment {
    /// Where its mark starts, where its `moof` does, where it ends.
    start: u64,
    moof: u64,
    end: u64,
    /// Presentation times, 1/90 000 s: of its first sample, and the earliest.
    first: i64,
    earliest: i64,
    /// Sum of the samples' durations.
    duration: u64,
}

fn read(file: &[u8]) -> Parts {
    let mut parts = Parts::default();
    let mut reader = Cursor::new(file);
    let (mut start, mut moof) = (None, None);
    while reader.position() < file.len() as u64 {
        let at = reader.position();
        match Any::read_from(&mut reader).unwrap() {
            Any::Uuid(_) if file[at as usize + 8..].starts_with(b"vigie-fragment-1") => start = Some(at),
            Any::Moof(read) => moof = Some((read, at)),
            Any::Mdat(_) => {
                let (moof, at) = moof.take().expect("a moof before each mdat");
                let start = start.take().expect("a mark before each moof");
                parts.fragments.push(Fragment::new(&moof, start, at, reader.position()));
            }
            Any::Sidx(sidx) => parts.sidx = Some((sidx, reader.position())),
            Any::Mfra(mfra) => parts.mfra = Some((mfra, at)),
            _ => {}
        }
    }
    parts
}

impl Fragment {
    fn new(read: &Moof, start: u64, moof: u64, end: u64) -> Self {
        let traf = &read.traf[0];
        let base = traf.tfdt.as_ref().unwrap().base_media_decode_time as i64;
        let mut decoded = base;
        let mut shown = Vec::new();
        for sample in traf.trun.iter().flat_map(|t| t.samples.iter()) {
            shown.push(decoded + sample.cts.unwrap_or(0));
            decoded += i64::from(sample.duration.or(traf.tfhd.default_sample_duration).unwrap());
        }
        let earliest = *shown.iter().min().unwrap();
        Self { start, moof, end, first: shown[0], earliest, duration: (decoded - base) as u64 }
    }
}

/// Both tables against the fragments.
pub(crate) fn tables(file: &[u8], h265: bool) -> Result<usize, String> {
    let parts = read(file);
    let (sidx, behind) = parts.sidx.ok_or("no sidx")?;
    let (mfra, trailer) = parts.mfra.ok_or("no mfra")?;
    let fragments = &parts.fragments;
    let same = |what: &str, left: u64, right: u64| match left == right {
        true => Ok(()),
        false => Err(format!("{what}: {left}, not {right}")),
    };
    same("references of sidx", sidx.references.len() as u64, fragments.len() as u64)?;
    same("timescale of sidx", sidx.timescale.into(), 90_000)?;
    same("time of sidx", sidx.earliest_presentation_time, fragments[0].earliest as u64)?;
    let mut at = behind + sidx.first_offset;
    for (reference, fragment) in sidx.references.iter().zip(fragments) {
        same("start of a subsegment", at, fragment.start)?;
        at += u64::from(reference.referenced_size);
        same("end of a subsegment", at, fragment.end)?;
        same("duration of a subsegment", reference.subsegment_duration.into(), fragment.duration)?;
        // 0: of a type that is not told, for H.265.
        let saps = if h265 { 0..=2 } else { 1..=1 };
        if !reference.starts_with_sap || reference.reference_type || !saps.contains(&reference.sap_type) {
            return Err(format!("{reference:?}"));
        }
    }
    same("mfra behind the last fragment", trailer, at)?;
    same("size in mfro", mfra.mfro.parent_size.into(), file.len() as u64 - trailer)?;
    same("entries of tfra", mfra.tfra[0].entries.len() as u64, fragments.len() as u64)?;
    for (entry, fragment) in mfra.tfra[0].entries.iter().zip(fragments) {
        same("moof in tfra", entry.moof_offset, fragment.moof)?;
        same("time in tfra", entry.time, fragment.first as u64)?;
    }
    Ok(fragments.len())
}

/// Seeks to half a second before the end: in the file; and with all but the first and last fragment made zeros, so that
/// nobody gets there box by box, led by `sidx` alone and by `mfra` alone.
pub(crate) fn seek(path: &Path, shown: &[Option<Barcode>], scratch: &Path) -> Result<String, String> {
    let file = std::fs::read(path).unwrap();
    let parts = read(&file);
    let [_, second, .., last] = &parts.fragments[..] else {
        return Ok("nothing to seek in: fewer than three fragments".into());
    };
    // Half a picture before the one wanted: rounding does not decide.
    let wanted = shown.len() - 12;
    let seconds = format!("{:.3}", wanted as f64 / 25.0 - 0.02);
    let mut holes = file.clone();
    holes[second.start as usize..last.start as usize].fill(0);
    let by_sidx = scratch.with_extension("sidx.mp4");
    std::fs::write(&by_sidx, &holes).unwrap();
    let sidx = holes.windows(4).position(|w| w == b"sidx").unwrap();
    holes[sidx..sidx + 4].copy_from_slice(b"free");
    let by_mfra = scratch.with_extension("mfra.mp4");
    std::fs::write(&by_mfra, &holes).unwrap();
    for (what, path, options) in
        [("the file", path, &[][..]), ("sidx", &by_sidx, &[]), ("mfra", &by_mfra, &["-use_mfra_for", "pts"])]
    {
        let input = [options, &["-ss", &seconds, "-i", path.to_str().unwrap()]].concat();
        let found = barcodes_of(&input);
        if found != shown[wanted..] {
            return Err(format!("{what}: {} pictures from {:?} on", found.len(), found.first()));
        }
    }
    Ok("right, by sidx and by mfra alone".into())
}
