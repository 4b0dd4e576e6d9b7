//! The questions put to the index files, through the calls that `vigie` itself uses.

use vigie::gix::Span;
use vigie::play::{Archive, Output};
use vigie::store::{self, Access, Listing, Source, Storage};
use vigie::time::UtcMicros;

use crate::Failure;
use crate::make;

/// Every camera, and where the last that was recorded of it is.
pub(crate) fn open(storage: &mut dyn Storage, cameras: u32) -> Result<usize, Failure> {
    let mut found = 0;
    for tenant in store::tenants(storage)? {
        for camera in store::cameras(storage, &tenant)?.into_iter().take(cameras as usize) {
            let source = Source { tenant, camera };
            let Some(last) = store::days(storage, &source)?.last().copied() else { continue };
            let now = last.end().plus(make::DAY);
            found += usize::from(place(storage, source, last.end().plus(-30 * make::SECOND), now)?.is_some());
        }
    }
    Ok(found)
}

/// Where decoding starts to show a moment, or the first after it: file and byte.
pub(crate) fn place(
    storage: &mut dyn Storage,
    source: Source,
    utc: UtcMicros,
    now: UtcMicros,
) -> Result<Option<String>, Failure> {
    let mut archive = Archive::new(source);
    archive.seek(utc);
    archive.next(now);
    while let Some(output) = archive.pull() {
        match output {
            // It knows the place, and asks for the media.
            Output::Read { path, .. } if path.ends_with(".m4v") => return Ok(Some(path)),
            Output::Read { path, offset, len } => match storage.open(&path, Access::Read) {
                Ok(file) => {
                    let mut bytes = vec![0; len];
                    let read = storage.read_at(file, offset, &mut bytes);
                    storage.close(file);
                    bytes.truncate(read?);
                    archive.filled(bytes);
                }
                Err(error) if error.kind == store::Kind::NotFound => archive.absent(),
                Err(error) => return Err(error.into()),
            },
            Output::End => return Ok(None),
            Output::Failed(error) => return Err(error.into()),
            _ => {}
        }
    }
    Ok(None)
}

/// Files and gaps of a day.
pub(crate) fn list(storage: &mut dyn Storage, source: &Source, day: u32) -> Result<(usize, usize), Failure> {
    let day = make::day(day);
    let listing = Listing::load(storage, source, Span::new(day.start(), day.end()))?;
    Ok((listing.segments.len(), listing.gaps.len()))
}

/// What a retention pass would take of every camera: files whose first picture is older than `limit`, and their bytes.
pub(crate) fn retain(
    storage: &mut dyn Storage,
    cameras: u32,
    limit: UtcMicros,
) -> Result<(usize, u64), Failure> {
    let (mut files, mut bytes) = (0, 0);
    for camera in 0..cameras {
        let source = make::source(camera);
        let days = store::days(storage, &source)?;
        let Some(oldest) = days.first().filter(|day| day.start() < limit) else { continue };
        let listing = Listing::load(storage, &source, Span::new(oldest.start(), limit))?;
        for segment in listing.segments.iter().filter(|segment| segment.span.from < limit) {
            files += 1;
            bytes += segment.bytes;
        }
    }
    Ok((files, bytes))
}
