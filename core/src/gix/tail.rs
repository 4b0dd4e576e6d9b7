//! The end of an index: what was recorded last, without reading what came before it. `docs/format.md` §3.3.

use alloc::vec::Vec;

use super::page::{Place, Trailer};
use super::record::Record;
use super::{Day, Entry, FileRecord, FragmentMark, Header, Id, Index, InitRecord, Key, Kid, PAGE, Text};
use crate::time::UtcMicros;

/// The fragment that an index ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) mark: FragmentMark,
    pub(crate) file: FileRecord,
    pub(crate) init: InitRecord,
    /// Was a clock set back in the day, so that other fragments may end later?
    pub(crate) stepped: bool,
}

/// The fragment that a day's index of `len` bytes ends with, in two to four reads. `read` gives so many bytes from an offset on.
/// `None` where the end does not pass, or does not tell: then the whole index is to be read, as far as it passes.
pub(crate) fn last<E>(
    day: Day,
    len: u64,
    mut read: impl FnMut(u64, usize) -> Result<Vec<u8>, E>,
) -> Result<Option<Last>, E> {
    // With the page that tells of the first file and init segment: the day has no other init segment, mostly.
    let first = read(0, 2 * PAGE)?;
    let Ok(header) = Header::parse(&first) else { return Ok(None) };
    let full = len.saturating_sub(PAGE as u64) / PAGE as u64;
    let page = full.checked_sub(1).and_then(|page| u32::try_from(page).ok());
    let Some(page) = page.filter(|_| header.day == day) else {
        let index = Index::read(&first, day).ok().filter(|(_, stop)| stop.is_none() && full == 0);
        return Ok(index.and_then(|(index, _)| of_index(&index)));
    };
    let end = read(offset(page), 2 * PAGE)?;
    let Some(trailer) = end.get(..PAGE).and_then(|end| Trailer::parse(end, header.id, page)) else {
        return Ok(None);
    };
    let place = Place::at_page(header.id, day, header.record_len(), page);
    let mut index = Index::part(day, place, Some((NO_FILE, NO_INIT, Kid::default())), true);
    if index.push(&end).is_err() {
        return Ok(None);
    }
    let Some(entry) = index.entries().last().copied() else { return Ok(None) };

    // Of records before the last two pages the trailer has the numbers.
    let mut record = |number: Option<u32>| -> Result<Option<Record>, E> {
        let Some(number) = number.filter(|number| *number < entry.number) else { return Ok(None) };
        let per_page = Place::per_page_of(header.record_len());
        let page = number / per_page;
        let own;
        // An init segment may go on in the page behind.
        let bytes = match number {
            _ if number < per_page - 1 => first.get(PAGE..).unwrap_or(&[]),
            _ => {
                own = read(offset(page), 2 * PAGE)?;
                &own
            }
        };
        Ok(find(bytes, Place::at_page(header.id, day, header.record_len(), page), number))
    };
    let file = match index.file_of(&entry) {
        Some(file) if entry.file > 0 => Some(*file),
        _ => match record(trailer.file)? {
            Some(Record::File(file)) => Some(file),
            _ => None,
        },
    };
    let init = match index.init_of(&entry) {
        Some(init) if entry.init > 0 => Some(init.record),
        _ => match record(trailer.init)? {
            Some(Record::Init(init)) => Some(init),
            _ => None,
        },
    };
    let stepped = trailer.steps > 0 || steps(index.entries());
    Ok(file.zip(init).map(|(file, init)| Last {
        mark: FragmentMark { file: file.id, ..entry.mark },
        file,
        init,
        stepped,
    }))
}

/// The same of an index that was read as a whole.
fn of_index(index: &Index) -> Option<Last> {
    let entry = index.entries().last()?;
    let (file, init) = (*index.file_of(entry)?, index.init_of(entry)?.record);
    Some(Last { mark: entry.mark, file, init, stepped: steps(index.entries()) })
}

fn steps(entries: &[Entry]) -> bool {
    entries.windows(2).any(|pair| matches!(pair, [a, b] if b.mark.utc < a.mark.utc))
}

/// Stands for what is before the pages that were read.
const NO_FILE: FileRecord = FileRecord {
    ordinal: 0,
    key: Key { utc: UtcMicros(0), counter: 0 },
    init_len: 0,
    head_len: 0,
    id: Id([0; 16]),
    trimmed: false,
};
const NO_INIT: InitRecord =
    InitRecord { len: 0, crc: 0, size: (0, 0), digest: Id([0; 16]), codec: Text::EMPTY };

/// Where a page starts in the index.
const fn offset(page: u32) -> u64 {
    (1 + page as u64) * PAGE as u64
}

/// A record of a page, by its number.
fn find(mut bytes: &[u8], mut place: Place, number: u32) -> Option<Record> {
    while place.number() <= number {
        let at = place.number();
        place.prove(bytes);
        let (record, len) = place.read(bytes).ok()?;
        if at == number {
            return Some(record);
        }
        bytes = bytes.get(len..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use alloc::vec;
    use core::convert::Infallible;

    use proptest::prelude::*;

    use super::super::{Builder, FileMark, Flags};
    use super::*;
    use crate::time::Ticks;

    const START: i64 = 1_795_305_600_000_000;

    /// An index of files of so many fragments each; some have another init segment, begin another span, or follow a clock that
    /// was set back.
    fn made(files: &[(u16, u8, i64)]) -> Vec<u8> {
        let (mut builder, mut out, mut utc) = (Builder::new(), vec![], START + 5 * 3_600_000_000);
        for (ordinal, (fragments, init, leap)) in files.iter().enumerate() {
            utc += leap * 1_000_000;
            let key = Key { utc: UtcMicros(utc), counter: ordinal as u32 };
            let mark = FileMark {
                ordinal: ordinal as u32,
                key,
                init_len: 700,
                head_len: 3_068,
                id: FileMark::id_of("t", "c", key),
                kid: Kid::default(),
                size: (640, 360 + u16::from(*init)),
                codec: Text::new("avc1.640028").unwrap(),
                tenant: Text::new("t").unwrap(),
                camera: Text::new("c").unwrap(),
                trimmed: false,
            };
            builder.file(&mark, &[*init; 700]);
            for n in 0..u64::from(*fragments) {
                let fragment = FragmentMark {
                    source: 2,
                    flags: Flags::RANDOM_ACCESS,
                    utc: UtcMicros(utc),
                    error: 9_000,
                    lost: 0,
                    dts: Ticks(utc),
                    offset: 0,
                    duration: 180_000,
                    samples: 50,
                    first_sample_end: 1_000,
                    len: 5_000,
                    number: n as u32,
                    file: mark.id,
                    crc: n as u32,
                };
                builder.fragment(3_068 + n * 5_000, &fragment, &mut out);
                utc += 2_000_000;
            }
        }
        out
    }

    /// What the end tells, in how many reads.
    fn told(index: &[u8]) -> (Option<Last>, u32) {
        let mut reads = 0;
        let last = last(Day::of(UtcMicros(START)), index.len() as u64, |from, len| {
            reads += 1;
            let from = (from as usize).min(index.len());
            Ok::<_, Infallible>(index[from..(from + len).min(index.len())].to_vec())
        });
        (last.unwrap(), reads)
    }

    fn files() -> impl Strategy<Value = Vec<(u16, u8, i64)>> {
        let leap = prop_oneof![4 => Just(0_i64), 1 => -300_i64..3_000];
        let init = prop_oneof![6 => Just(0_u8), 1 => 1_u8..3];
        prop::collection::vec((prop_oneof![3 => 1_u16..40, 1 => 1_u16..400], init, leap), 1..30)
    }

    proptest! {
        /// The end tells what the whole index does; damaged anywhere, that or nothing.
        #[test]
        fn the_end_tells_what_the_whole_does(files in files(), damage in prop::collection::vec(any::<prop::sample::Index>(), 8)) {
            let index = made(&files);
            let (whole, stop) = Index::read(&index, Day::of(UtcMicros(START))).unwrap();
            prop_assert_eq!(stop, None);
            let want = of_index(&whole);
            prop_assert!(want.is_some());
            let (got, reads) = told(&index);
            prop_assert_eq!(got, want);
            prop_assert!(reads <= 4, "{} reads", reads);
            for at in damage {
                let at = at.index(index.len() * 8);
                let mut bad = index.clone();
                bad[at / 8] ^= 1 << (at % 8);
                let (got, _) = told(&bad);
                prop_assert!(got.is_none() || got == want, "bit {}", at);
                // Where it cannot be seen as a whole any more, at the end, it is not told.
                let cut = told(&index[..index.len() - 1 - at % 40]).0;
                prop_assert!(cut.is_none() || cut != want);
            }
        }
    }

    #[test]
    fn a_usual_day_takes_two_reads_and_half_a_file_takes_three() {
        let minutes = vec![(30, 0, 0); 600];
        let (last, reads) = told(&made(&minutes));
        assert_eq!((last.unwrap().file.ordinal, reads), (599, 2));
        let (last, reads) = told(&made(&[(200, 0, 0), (700, 0, 0)]));
        assert_eq!(
            (last.unwrap().file.ordinal, reads),
            (1, 3),
            "the file's record is far before its last fragment"
        );
    }
}
