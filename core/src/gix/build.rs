//! From media to index: the one function that both the recorder and the rebuild go through.

use alloc::vec::Vec;

use super::page::Place;
use super::record::{Break, FragmentRecord, Record};
use super::{Error, FileMark, FileRecord, Flags, FragmentMark, Header, Id, InitRecord, Kid, Kind, PAGE};
use crate::time::UtcMicros;

/// Makes a day's index from its files and fragments, in order: `docs/format.md` §3.6.
///
/// [`Builder::file`] announces a file, [`Builder::fragment`] appends what is due to a buffer, the header first.
/// [`Builder::replay`] takes up where an index ends.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    place: Option<Place>,
    /// Announced; written with its first fragment.
    waiting: Option<(FileMark, InitRecord)>,
    file: Option<FileRecord>,
    init: Option<Id>,
    kid: Kid,
    last: Option<Last>,
}

/// What matters of the fragment before.
#[derive(Clone, Copy, Debug)]
struct Last {
    utc_end: UtcMicros,
    /// Just after it in its file.
    end: u64,
}

impl Builder {
    /// Of an index in which there is nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of the index so far, header included; 0 before the first fragment.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.place.as_ref().map_or(0, Place::offset)
    }

    /// Is nothing in it yet?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.place.is_none()
    }

    /// The last fragment's file, and the offset just after that fragment.
    #[must_use]
    pub fn end(&self) -> Option<(&FileRecord, u64)> {
        Some((self.file.as_ref()?, self.last?.end))
    }

    /// The fragments that follow are in this file, which starts with `init`. Files come by rising ordinal.
    pub fn file(&mut self, mark: &FileMark, init: &[u8]) {
        self.waiting = Some((mark.clone(), InitRecord::of(mark, init)));
    }

    /// The same of a file that an index tells of already.
    pub(crate) fn file_again(&mut self, mark: &FileMark, init: InitRecord) {
        self.waiting = Some((mark.clone(), init));
    }

    /// Appends to `out` the records of the next fragment of the file announced last. Without a file, nothing.
    pub fn fragment(&mut self, offset: u64, mark: &FragmentMark, out: &mut Vec<u8>) {
        let before = self.file;
        let announced = self.waiting.take();
        if let Some((file, init)) = &announced {
            self.begin(file, init, out);
        }
        let (Some(file), Some(place)) = (self.file, &self.place) else { return };
        let fragment = FragmentRecord::of(mark, offset, place.day());
        if let Some(last) = self.last {
            let follows = match before.filter(|_| announced.is_some()) {
                Some(before) => {
                    file.key.counter != 0
                        && Some(file.key.counter) == before.key.counter.checked_add(1)
                        && offset == u64::from(file.head_len)
                        && !(file.trimmed || before.trimmed)
                }
                None => offset == last.end,
            };
            if !follows || mark.flags.has(Flags::DISCONTINUITY) {
                self.put(&Record::Break(Break { from: last.utc_end, to: fragment.mark.utc }), out);
            }
        }
        self.put(&Record::Fragment(fragment), out);
    }

    /// The header where there is none yet, and the records of a file of which a fragment follows.
    fn begin(&mut self, file: &FileMark, init: &InitRecord, out: &mut Vec<u8>) {
        if self.place.is_none() {
            let header = Header::of(file);
            out.extend_from_slice(&header.write());
            self.place = Some(Place::new(&header));
        }
        self.put(&Record::File(file.into()), out);
        if self.init != Some(init.digest) {
            self.put(&Record::Init(*init), out);
        }
        if self.kid != file.kid {
            self.put(&Record::Key(file.kid), out);
        }
    }

    fn put(&mut self, record: &Record, out: &mut Vec<u8>) {
        if let Some(place) = &mut self.place {
            place.write(record, out);
        }
        self.note(record);
    }

    fn note(&mut self, record: &Record) {
        match record {
            Record::File(file) => self.file = Some(*file),
            Record::Init(init) => self.init = Some(init.digest),
            Record::Key(kid) => self.kid = *kid,
            Record::Fragment(FragmentRecord { mark, offset, .. }) => {
                self.last = Some(Last { utc_end: mark.end(), end: u64::from(*offset) + u64::from(mark.len) });
            }
            Record::Break(_) | Record::Other => {}
        }
    }

    /// Reads an index as far as it is what a builder writes: up to its last fragment whose records all pass. Gives the
    /// builder that writes on from there, at [`Builder::len`], and why it did not get further, where bytes are left.
    ///
    /// # Errors
    /// Where not even the header passes; [`Kind::Version`] also where the index has digests.
    pub fn replay(index: &[u8]) -> Result<(Self, Option<Error>), Error> {
        let header = Header::parse(index)?;
        if header.sha256 {
            // Read, but not written: what it would write on is another index.
            return Err(Error::at(Kind::Version, 170));
        }
        let mut builder = Self { place: Some(Place::new(&header)), ..Self::default() };
        let mut at = PAGE;
        // As it was after the last fragment: a file record without its fragment is not what a builder leaves.
        let mut whole = Self::default();
        while let Some(rest) = index.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(place) = &mut builder.place else { break };
            match place.read(rest) {
                Ok((record, len)) => {
                    at += len;
                    builder.note(&record);
                    if matches!(record, Record::Fragment(_)) {
                        whole.clone_from(&builder);
                    }
                }
                Err(error) => return Ok((whole, Some(error))),
            }
        }
        let left = (whole.len() != index.len() as u64).then_some(Error::at(Kind::Short, whole.len()));
        Ok((whole, left))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::{Day, Index, Key, Kind, Text};
    use super::*;
    use crate::time::Ticks;
    use alloc::vec;

    /// One step of a made-up day: another file (its init segment, whether it goes on with the span), or a fragment.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        File { init: u8, continues: bool, kid: u8 },
        Fragment { after: i64, hole: u64, flags: u16 },
    }

    fn mark(ordinal: u32, counter: u32, utc: i64, init: &[u8], kid: u8) -> FileMark {
        let key = Key { utc: UtcMicros(1_795_305_600_000_000 + utc), counter };
        FileMark {
            ordinal,
            key,
            init_len: init.len() as u32,
            head_len: init.len() as u32 + 2_368,
            id: FileMark::id_of("t", "c", key),
            kid: Kid([kid; 16]),
            size: (640, 360),
            codec: Text::new("avc1.640028").unwrap(),
            tenant: Text::new("t").unwrap(),
            camera: Text::new("c").unwrap(),
            trimmed: kid == 1,
        }
    }

    fn day() -> Day {
        Day::of(UtcMicros(1_795_305_600_000_000))
    }

    fn fragment_mark() -> FragmentMark {
        FragmentMark {
            source: 2,
            flags: Flags::RANDOM_ACCESS,
            utc: UtcMicros(0),
            error: 9,
            lost: 0,
            dts: Ticks(0),
            offset: 0,
            duration: 180_000,
            samples: 50,
            first_sample_end: 1_000,
            len: 5_000,
            number: 0,
            file: Id::default(),
            crc: 77,
        }
    }

    /// Plays the steps into a builder; gives each fragment's bytes of the index.
    fn play(steps: &[Step], mut builder: Builder, skip: usize) -> Vec<Vec<u8>> {
        let (mut utc, mut offset, mut ordinal, mut counter) = (0, 0, 0, 0);
        let mut out = vec![];
        let mut seen = 0;
        for step in [Step::File { init: 0, continues: false, kid: 0 }].iter().chain(steps) {
            match *step {
                Step::File { init, continues, kid } => {
                    counter = if continues { counter + 1 } else { 0 };
                    let bytes = vec![init; 700];
                    let mark = mark(ordinal, counter, utc, &bytes, kid);
                    offset = u64::from(mark.head_len);
                    ordinal += 1;
                    // A file of which a fragment was replayed is not announced again.
                    if builder.end().is_none_or(|(file, _)| file.ordinal < mark.ordinal) {
                        builder.file(&mark, &bytes);
                    }
                }
                Step::Fragment { after, hole, flags } => {
                    utc += after;
                    offset += hole;
                    let mark = FragmentMark {
                        flags: Flags(flags),
                        utc: UtcMicros(1_795_305_600_000_000 + utc),
                        dts: Ticks(utc),
                        ..fragment_mark()
                    };
                    seen += 1;
                    if seen > skip {
                        out.push(vec![]);
                        builder.fragment(offset, &mark, out.last_mut().unwrap());
                    }
                    offset += 5_000;
                    utc += 2_000_000;
                }
            }
        }
        out
    }

    fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
        use proptest::prelude::*;
        let file = (0_u8..2, any::<bool>(), 0_u8..2).prop_map(|(init, continues, kid)| Step::File {
            init,
            continues,
            kid,
        });
        let hole = prop_oneof![4 => Just(0_u64), 1 => Just(100)];
        let fragment = (-100_000_i64..100_000, hole, prop_oneof![Just(1_u16), Just(9)])
            .prop_map(|(after, hole, flags)| Step::Fragment { after, hole, flags });
        proptest::collection::vec(prop_oneof![1 => file, 6 => fragment], 1..200)
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(40))]
        /// Cut anywhere, replayed and written on: the same bytes. Read in pieces: the same entries.
        #[test]
        fn replayed_at_any_cut_it_writes_the_same_bytes(steps in steps(), cut in 0.0..1.0_f64, piece in 1_usize..5_000) {
            let parts = play(&steps, Builder::new(), 0);
            let whole = parts.concat();
            let cut = (whole.len() as f64 * cut) as usize;
            let (builder, _) = Builder::replay(&whole[..cut]).unwrap_or_default();
            let kept = usize::try_from(builder.len()).unwrap();
            let mut done = 0;
            let skip = parts.iter().take_while(|p| { done += p.len(); done <= kept }).count();
            let again = [&whole[..kept], &play(&steps, builder, skip).concat()].concat();
            proptest::prop_assert!(again == whole);

            if !whole.is_empty() {
                let (index, stop) = Index::read(&whole, day()).unwrap();
                proptest::prop_assert_eq!(stop, None);
                proptest::prop_assert_eq!(index.wanted(), whole.len() as u64);
                proptest::prop_assert_eq!(index.entries().len(), parts.len());
                let mut slow = Index::new(day());
                let mut given = 0;
                while given < whole.len() {
                    given = (given + piece).min(whole.len());
                    slow.push(&whole[slow.wanted() as usize..given]).unwrap();
                }
                proptest::prop_assert_eq!(slow.entries(), index.entries());
            }
        }

        #[test]
        fn a_changed_byte_is_seen_and_what_is_before_it_stays(steps in steps(), at in 0.0..1.0_f64, flip in 1_u8..=255) {
            let whole = play(&steps, Builder::new(), 0).concat();
            if whole.len() <= PAGE { return Ok(()); }
            let at = PAGE + ((whole.len() - PAGE) as f64 * at) as usize;
            let mut bad = whole.clone();
            bad[at] ^= flip;
            let (builder, error) = Builder::replay(&bad).unwrap();
            proptest::prop_assert!(error.is_some() && builder.len() <= at as u64);
            let (index, stop) = Index::read(&bad, day()).unwrap();
            proptest::prop_assert!(stop.is_some_and(|e| e.kind == Kind::Checksum) && index.wanted() <= at as u64);
        }

        #[test]
        fn any_bytes_are_an_index_or_an_error(mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..9_000), ours: bool) {
            if ours {
                let head = play(&[Step::Fragment { after: 0, hole: 0, flags: 0 }], Builder::new(), 0).concat();
                bytes.splice(..0, head);
            }
            let _ = Index::read(&bytes, day());
            let _ = Builder::replay(&bytes);
        }
    }

    #[test]
    fn records_swapped_zeroed_or_of_another_index_are_refused() {
        let fragments = |n| vec![Step::Fragment { after: 0, hole: 0, flags: 1 }; n];
        let whole = play(&fragments(30), Builder::new(), 0).concat();
        let record = |n: usize| PAGE + 46 * n..PAGE + 46 * (n + 1);
        let mut swapped = whole.clone();
        swapped.copy_within(record(9), record(8).start);
        let mut zeroed = whole.clone();
        zeroed[record(8)].fill(0);
        let mut other = vec![Step::File { init: 0, continues: true, kid: 0 }];
        other.extend(fragments(30));
        let other = play(&other, Builder::new(), 0).concat();
        let mut foreign = whole.clone();
        foreign[record(8)].copy_from_slice(&other[record(8)]);
        let tomorrow = Day::of(day().end());
        assert_eq!(Index::read(&whole, tomorrow).unwrap_err().kind, Kind::Field, "another day's");
        for bad in [swapped, zeroed, foreign] {
            assert_eq!(Index::read(&bad, day()).unwrap().0.wanted(), record(8).start as u64);
        }
    }

    /// `docs/format.md` §3.5: a day of a camera at 4 Mb/s, a picture to start from each 2 s.
    #[test]
    fn a_days_index_is_at_most_five_hundred_thousandths_of_its_media() {
        let (mut builder, mut index, mut media) = (Builder::new(), vec![], 0_u64);
        let init = vec![1; 700];
        for minute in 0..1_440 {
            let file = mark(minute, minute, i64::from(minute) * 60_000_000, &init, 0);
            builder.file(&file, &init);
            let mut offset = u64::from(file.head_len);
            for n in 0..30 {
                let utc = file.key.utc.plus(n * 2_000_000);
                let fragment = FragmentMark {
                    utc,
                    dts: Ticks((i64::from(minute) * 30 + n) * 180_000),
                    len: 1_000_000,
                    ..fragment_mark()
                };
                builder.fragment(offset, &fragment, &mut index);
                offset += u64::from(fragment.len);
            }
            media += offset;
        }
        assert_eq!(builder.len(), index.len() as u64);
        assert_eq!(Index::read(&index, day()).unwrap().0.entries().len(), 43_200);
        assert_eq!(index.len(), 2_105_850);
        let share = index.len() as f64 / media as f64 * 100.0;
        assert!(share <= 0.005, "{share} %");
    }
}
