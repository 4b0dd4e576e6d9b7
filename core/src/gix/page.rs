//! Records in their pages, and the trailers: `docs/format.md` §3.2 and §3.3.

use alloc::vec::Vec;

use super::record::{FILE, FragmentRecord, INIT, KEY, MORE, Record};
use super::{Crc32c, Day, Error, Header, Id, Kind, PAGE, crc32c};
use crate::octets::{Reader, Write as _};
use crate::time::UtcMicros;

/// Bytes of a page's trailer.
const TRAILER: usize = 94;
/// In a trailer: there was no such record.
const NONE: u32 = u32::MAX;

/// Where one stands in an index: which record is next, and what the trailer of its page will say.
#[derive(Clone, Debug)]
pub(super) struct Place {
    id: Id,
    day: Day,
    /// Bytes of a record.
    record: usize,
    /// Number of the next record.
    next: u32,
    page: Crc32c,
    earliest: i64,
    latest: i64,
    /// Fragments whose UTC is before that of the one before them.
    steps: u32,
    last: Option<UtcMicros>,
    /// Numbers of the last records of a file, an init segment, a key.
    of: [u32; 3],
    /// Does it stand in an index of which it has not seen all pages before? Trailers are then believed that pass.
    partial: bool,
    /// Of the records of the page that ended last.
    ended: Crc32c,
    /// Records before this one are of pages whose checksum passed as a whole: theirs, one by one, need not be looked at.
    proved: u32,
}

/// What a page's trailer says of the index up to there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trailer {
    /// Fragments whose UTC is before that of the one before them.
    pub(super) steps: u32,
    /// Numbers of the last records of a file and of an init segment.
    pub(super) file: Option<u32>,
    pub(super) init: Option<u32>,
}

impl Trailer {
    /// That of a page of that number, where the page passes.
    pub(super) fn parse(page: &[u8], id: Id, number: u32) -> Option<Self> {
        let (body, crc) = page.split_last_chunk::<4>()?;
        if page.len() != PAGE || crc32c(&[&id.0, body]).to_be_bytes() != *crc {
            return None;
        }
        let mut r = Reader::new(body.get(PAGE - TRAILER..)?);
        if r.array() != Some(*b"GIXP") || r.u32() != Some(number) {
            return None;
        }
        r.take(16)?;
        let steps = r.u32()?;
        let mut number = || r.u32().map(|n| Some(n).filter(|n| *n != NONE));
        Some(Self { steps, file: number()?, init: number()? })
    }
}

impl Place {
    pub(super) fn new(header: &Header) -> Self {
        let mut place = Self {
            id: header.id,
            day: header.day,
            record: header.record_len().into(),
            next: 0,
            page: Crc32c::default(),
            earliest: 0,
            latest: 0,
            steps: 0,
            last: None,
            of: [NONE; 3],
            partial: false,
            ended: Crc32c::default(),
            proved: 0,
        };
        place.open_page();
        place
    }

    /// At the start of a page, what is before it unseen.
    pub(super) fn at_page(id: Id, day: Day, record_len: u16, page: u32) -> Self {
        let mut place = Self {
            id,
            day,
            record: record_len.into(),
            next: page.saturating_mul(Self::per_page_of(record_len)),
            page: Crc32c::default(),
            earliest: 0,
            latest: 0,
            steps: 0,
            last: None,
            of: [NONE; 3],
            partial: true,
            ended: Crc32c::default(),
            proved: 0,
        };
        place.open_page();
        place
    }

    /// Number of the next record.
    pub(super) const fn number(&self) -> u32 {
        self.next
    }

    /// Records of that length that a page holds.
    pub(super) const fn per_page_of(record_len: u16) -> u32 {
        ((PAGE - TRAILER) / record_len as usize) as u32
    }

    /// The day that the index is of.
    pub(super) const fn day(&self) -> Day {
        self.day
    }

    const fn per_page(&self) -> u32 {
        Self::per_page_of(self.record as u16)
    }

    /// Number of the page that the next record goes into.
    pub(super) const fn page_number(&self) -> u32 {
        self.next / self.per_page()
    }

    /// Bytes between the last record of a page and its trailer.
    const fn slack(&self) -> usize {
        (PAGE - TRAILER) % self.record
    }

    fn open_page(&mut self) {
        (self.earliest, self.latest) = (i64::MAX, i64::MIN);
        self.page = Crc32c::default();
        self.page.update(&self.id.0);
    }

    /// Where the next record stands in the file.
    pub(super) const fn offset(&self) -> u64 {
        let within = self.next % self.per_page();
        (1 + self.page_number() as u64) * PAGE as u64 + within as u64 * self.record as u64
    }

    /// Appends the record, and the trailer of each page that it fills.
    pub(super) fn write(&mut self, record: &Record, out: &mut Vec<u8>) {
        let (kind, contents) = record.write(self.day);
        for (i, part) in contents.chunks(self.record - 5).enumerate() {
            let kind = if i == 0 { kind } else { kind | MORE };
            let mut bytes = Vec::with_capacity(self.record);
            bytes.put_u8(kind);
            bytes.put(part);
            bytes.resize(self.record - 4, 0);
            let crc = self.crc(&bytes);
            bytes.put_u32(crc);
            out.put(&bytes);
            if let Some(end) = self.add(kind, record, &bytes) {
                out.put(&end);
            }
        }
    }

    fn crc(&self, body: &[u8]) -> u32 {
        crc32c(&[&self.id.0, &self.next.to_be_bytes(), body])
    }

    /// Reads the next record, and with it the trailer of each page that it fills. Gives how many bytes that was.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(Record, usize), Error> {
        let field = Error::at(Kind::Field, self.offset());
        let (kind, room) = self.passing(bytes)?;
        if kind != INIT && !self.is_last() {
            // Nothing can fail behind it: it need not be done on a copy.
            let record = Record::parse(kind, room, self.day).ok_or(field)?;
            self.add(kind, &record, bytes.get(..self.record).unwrap_or(bytes));
            return Ok((record, self.record));
        }
        let mut after = self.clone();
        let (record, len) = if kind == INIT {
            let first = after.step(kind, &Record::Other, bytes)?;
            let rest = bytes.get(first..).unwrap_or(&[]);
            let (more, second) = after.passing(rest)?;
            let whole = (more == INIT | MORE).then(|| [room, second].concat()).ok_or(field)?;
            let second = after.step(more, &Record::Other, rest)?;
            (Record::parse(kind, &whole, self.day).ok_or(field)?, first + second)
        } else {
            let record = Record::parse(kind, room, self.day).ok_or(field)?;
            let len = after.step(kind, &record, bytes)?;
            (record, len)
        };
        *self = after;
        Ok((record, len))
    }

    /// Is the next record the last of its page?
    const fn is_last(&self) -> bool {
        self.next % self.per_page() == self.per_page() - 1
    }

    /// Checks a page at once where one starts here and is all there, for who only reads: less work than record by record. Who
    /// writes on in the middle of a page needs what [`read`](Self::read) then does not make: the page's checksum so far.
    pub(super) fn prove(&mut self, bytes: &[u8]) {
        if !self.next.is_multiple_of(self.per_page()) || self.is_proved() {
            return;
        }
        // Its number, too: the checksum passes as well where the page stands in another one's place.
        let page = bytes.get(..PAGE).and_then(|page| Trailer::parse(page, self.id, self.page_number()));
        if page.is_some() {
            self.proved = self.next.saturating_add(self.per_page());
        }
    }

    const fn is_proved(&self) -> bool {
        self.next < self.proved
    }

    /// Type and room of the next record, where it passes.
    fn passing<'a>(&self, bytes: &'a [u8]) -> Result<(u8, &'a [u8]), Error> {
        let short = Error::at(Kind::Short, self.offset());
        let (body, crc) = bytes.get(..self.record).ok_or(short)?.split_at(self.record - 4);
        // The last record of a page may be given again, with the page that follows.
        if (self.is_last() || !self.is_proved()) && crc != self.crc(body).to_be_bytes() {
            return Err(Error::at(Kind::Checksum, self.offset()));
        }
        body.split_first().map(|(kind, room)| (*kind, room)).ok_or(short)
    }

    /// Steps over a record that passes, and over the trailer where it is the page's last: that has to be right, too.
    fn step(&mut self, kind: u8, record: &Record, bytes: &[u8]) -> Result<usize, Error> {
        let at = self.offset() + self.record as u64;
        let (bytes, rest) = bytes.split_at_checked(self.record).ok_or(Error::at(Kind::Short, at))?;
        let proved = self.is_proved();
        let Some(due) = self.add(kind, record, bytes) else { return Ok(self.record) };
        let there = rest.get(..due.len()).ok_or(Error::at(Kind::Short, at))?;
        // The checksum of a page that is proved is that of what stands there, and was not made again.
        let same = if proved {
            there.split_last_chunk::<4>().map(|(t, _)| t) == due.split_last_chunk::<4>().map(|(t, _)| t)
        } else {
            there == due
        };
        if same || self.partial && self.believes(there, proved) {
            Ok(self.record + due.len())
        } else {
            Err(Error::at(Kind::Checksum, at))
        }
    }

    /// Is that a trailer, and does it pass for the page that just ended?
    fn believes(&self, there: &[u8], proved: bool) -> bool {
        let Some((body, crc)) = there.split_last_chunk::<4>() else { return false };
        let number = (self.page_number() - 1).to_be_bytes();
        let named = body
            .get(self.slack()..)
            .is_some_and(|t| t.strip_prefix(b"GIXP").is_some_and(|rest| rest.starts_with(&number)));
        let mut of = self.ended.clone();
        of.update(body);
        named && (proved || of.value().to_be_bytes() == *crc)
    }

    /// Takes note of a record. Gives what ends its page where it is the page's last.
    fn add(&mut self, kind: u8, record: &Record, bytes: &[u8]) -> Option<Vec<u8>> {
        if !self.is_proved() {
            self.page.update(bytes);
        }
        if let Record::Fragment(FragmentRecord { mark, .. }) = record {
            self.earliest = self.earliest.min(mark.utc.0);
            self.latest = self.latest.max(mark.end().0);
            self.steps += u32::from(self.last.is_some_and(|last| mark.utc < last));
            self.last = Some(mark.utc);
        }
        for (number, of) in self.of.iter_mut().zip([FILE, INIT, KEY]) {
            if kind == of {
                *number = self.next;
            }
        }
        let page = self.page_number();
        self.next = self.next.saturating_add(1);
        (self.page_number() != page).then(|| self.end_page(page))
    }

    /// What stands behind the last record of a page.
    fn end_page(&mut self, number: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.slack() + TRAILER);
        out.resize(self.slack(), 0);
        out.put(b"GIXP");
        out.put_u32(number);
        out.put_u64(self.earliest as u64);
        out.put_u64(self.latest as u64);
        out.put_u32(self.steps);
        self.of.iter().for_each(|number| out.put_u32(*number));
        out.resize(self.slack() + TRAILER - 4, 0);
        self.ended = self.page.clone();
        self.page.update(&out);
        let crc = core::mem::take(&mut self.page).value();
        out.put_u32(crc);
        self.open_page();
        out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::record::Break;
    use super::super::{FileMark, Index, Key, Kid, Text};
    use super::*;
    use alloc::vec;

    fn file() -> FileMark {
        FileMark {
            ordinal: 0,
            key: Key { utc: UtcMicros(1_795_305_600_000_000), counter: 0 },
            init_len: 700,
            head_len: 3_068,
            id: Id([3; 16]),
            kid: Kid::default(),
            size: (640, 360),
            codec: Text::new("hvc1.A1.12345678.L255.B0.B0.B0.B0.B0.B0").unwrap(),
            tenant: Text::new("t").unwrap(),
            camera: Text::new("c").unwrap(),
            trimmed: false,
        }
    }

    #[test]
    fn a_page_in_the_place_of_another_is_refused_from_its_first_record_on() {
        let header = Header::of(&file());
        let (mut out, mut place) = (header.write(), Place::new(&header));
        for _ in 0..3 * 87 {
            place.write(&Record::File((&file()).into()), &mut out);
        }
        assert_eq!(out.len(), 4 * PAGE);
        out[2 * PAGE..].rotate_left(PAGE);
        let (index, stop) = Index::read(&out, header.day).unwrap();
        assert_eq!((index.files().len(), stop.map(|error| error.kind)), (87, Some(Kind::Checksum)));
    }

    /// What a later version writes: 78 bytes a record, 51 to a page.
    #[test]
    fn an_index_with_digests_is_read() {
        let file = file();
        let header = Header { sha256: true, ..Header::of(&file) };
        let (mut out, mut place) = (header.write(), Place::new(&header));
        let init = super::super::InitRecord::of(&file, &[1; 700]);
        place.write(&Record::File((&file).into()), &mut out);
        for _ in 0..60 {
            place.write(&Record::Init(init), &mut out);
        }
        assert_eq!(out.len() as u64, place.offset());
        assert_eq!(out.len(), 3 * PAGE + 19 * 78, "121 records");
        assert_eq!(out[2 * PAGE - 118..2 * PAGE - 90], [&[0; 24][..], b"GIXP"].concat());
        let (index, stop) = Index::read(&out, header.day).unwrap();
        assert_eq!((index.inits().len(), stop), (60, None));
        assert!(index.inits().iter().all(|there| there.record == init));
        let error = super::super::Builder::replay(&out).unwrap_err();
        assert_eq!(error.kind, Kind::Version, "this version does not write it on");
    }

    #[test]
    fn a_page_alone_is_found_its_file_by_the_trailer_before_it() {
        let header = Header {
            day: Day::of(UtcMicros(1_795_305_600_000_000)),
            id: Id([1; 16]),
            tenant: Text::EMPTY,
            camera: Text::EMPTY,
            sha256: false,
        };
        let (mut out, mut place) = (vec![], Place::new(&header));
        for n in 0..87 {
            let record = if n == 40 { Record::Key(Kid([9; 16])) } else { Record::Break(Break::default()) };
            place.write(&record, &mut out);
        }
        assert_eq!(out.len(), PAGE);
        let of: Vec<_> = out[4_002 + 28..4_002 + 40].chunks(4).map(<[u8]>::to_vec).collect();
        assert_eq!(of, [[255; 4], [255; 4], [0, 0, 0, 40]]);
    }
}
