//! The index, its page directory, the marks in the media that it is made from, and the log of gaps.

use vigie::gix::{
    Builder, Day, FileMark, Flags, FragmentMark, Header, Id, Index, Key, Kid, PageDirectory,
    PageDirectoryBuilder, Text,
};
use vigie::store::{Cause, GapEntry};
use vigie::time::{Ticks, UtcMicros};

use crate::media::DAY;
use crate::tape::Tape;

/// A day of any files and fragments is written and read back; what reads of any bytes is written as those bytes.
pub(crate) fn index_round_trip(bytes: &[u8]) {
    any(bytes);
    gaps(&mut Tape::new(bytes));
    let mut tape = Tape::new(bytes);
    let (mut builder, mut out, mut wanted) = (Builder::new(), vec![], vec![]);
    let (mut init, mut file, mut offset) = (vec![], None, 0_u64);
    while !tape.is_empty() && wanted.len() < 512 {
        let kind = tape.u8();
        if file.is_none() || kind & 7 == 0 {
            let ordinal = file.as_ref().map_or(0, |mark: &FileMark| mark.ordinal + 1);
            init = vec![kind >> 3; 16 + usize::from(tape.u8())];
            let mark = file_mark(&mut tape, ordinal, &init);
            proved(&mark, &init);
            builder.file(&mark, &init);
            offset = u64::from(mark.head_len);
            file = Some(mark);
            continue;
        }
        offset += u64::from(if kind & 8 != 0 { tape.u16() } else { 0 });
        let mark = fragment_mark(&mut tape);
        if offset + u64::from(mark.len) > u64::from(u32::MAX) {
            break;
        }
        let before = out.len();
        builder.fragment(offset, &mark, &mut out);
        assert!(out.len() > before);
        wanted.push((mark, offset, init.clone(), file.clone().expect("a file")));
        offset += u64::from(mark.len);
    }
    if wanted.is_empty() {
        return assert!(out.is_empty());
    }
    assert_eq!(builder.len(), out.len() as u64);
    let day = wanted[0].3.key.day();
    let (index, stop) = Index::read(&out, day).expect("our own index");
    assert_eq!((stop, index.entries().len()), (None, wanted.len()));
    for (entry, (mark, offset, init, file)) in index.entries().iter().zip(&wanted) {
        assert_eq!((entry.offset, entry.mark.len, entry.mark.crc), (*offset, mark.len, mark.crc));
        assert_eq!((entry.mark.utc, entry.mark.duration), (mark.utc, mark.duration));
        assert_eq!((entry.mark.dts, entry.mark.flags), (mark.dts, mark.flags));
        assert!(
            entry.mark.first_sample_end >= mark.first_sample_end.min(mark.len),
            "the first picture is cut off"
        );
        assert_eq!(index.file_of(entry).expect("a file").key, file.key);
        assert_eq!(index.init_of(entry).expect("an init segment").record.len as usize, init.len());
    }
    cut(&out, day, &index);
    let (again, left) = Builder::replay(&out).expect("our own index");
    assert_eq!((left, again.len()), (None, out.len() as u64));
    directory(
        &out,
        day,
        &wanted.iter().map(|(_, _, init, file)| (file.key, init.clone())).collect::<Vec<_>>(),
    );
}

/// Read in two parts it is the same; a part of it is a part of its entries.
fn cut(out: &[u8], day: Day, whole: &Index) {
    let at = usize::from(u16::from_be_bytes([out[out.len() - 1], out[out.len() - 2]])) % out.len();
    let mut parts = Index::new(day);
    parts.push(&out[..at]).expect("a beginning");
    assert!(whole.entries().starts_with(parts.entries()));
    parts.push(&out[parts.wanted() as usize..]).expect("the rest");
    assert_eq!(parts.entries(), whole.entries());
}

fn directory(out: &[u8], day: Day, inits: &[(Key, Vec<u8>)]) {
    let mut builder = PageDirectoryBuilder::new(day);
    builder.push(out).expect("our own index");
    let bytes = builder
        .write(|key, _| inits.iter().find(|(file, _)| *file == key).map(|(_, init)| init.clone()))
        .expect("a directory");
    assert!(bytes.len() <= PageDirectory::MOST);
    let read = PageDirectory::parse(&bytes).expect("our own directory");
    assert_eq!((read.day(), read.is_damaged()), (day, false));
    for at in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut bent = bytes.clone();
        bent[at] ^= 0x10;
        assert!(PageDirectory::parse(&bent).is_err(), "a bit of byte {at}");
    }
}

fn file_mark(tape: &mut Tape<'_>, ordinal: u32, init: &[u8]) -> FileMark {
    let key = Key { utc: UtcMicros(DAY + i64::from(tape.u32()) * 20), counter: ordinal };
    let init_len = init.len() as u32 + 16;
    FileMark {
        ordinal,
        key,
        init_len,
        head_len: init_len + FileMark::LEN as u32 + u32::from(tape.u16()),
        id: FileMark::id_of("t", "c", key),
        kid: Kid([tape.u8() & 1; 16]),
        size: (tape.u16(), tape.u16()),
        codec: Text::new("avc1.640028").expect("short"),
        tenant: Text::new("t").expect("short"),
        camera: Text::new("c").expect("short"),
        trimmed: tape.bit(),
    }
}

/// Within what a record has room for: `docs/format.md` §3.2.
fn fragment_mark(tape: &mut Tape<'_>) -> FragmentMark {
    FragmentMark {
        source: tape.u8() & 0xf,
        flags: Flags(tape.u16() & 0xfff),
        utc: UtcMicros(DAY + i64::from(tape.u32() as i32) * 20),
        error: u32::from(tape.u16()) * 1_000,
        lost: u32::from(tape.u16()),
        dts: Ticks(i64::from(tape.u32())),
        offset: i32::from(tape.u16() as i16),
        duration: tape.u32() >> 8,
        samples: u32::from(tape.u16()),
        first_sample_end: tape.u32() >> 8,
        len: (tape.u32() >> 8).max(FragmentMark::LEN as u32),
        number: tape.u32(),
        file: Id(tape.array()),
        crc: tape.u32(),
    }
}

/// A file that starts with it is known by it.
fn proved(mark: &FileMark, init: &[u8]) {
    let mut whole = vec![];
    whole.extend_from_slice(&(init.len() as u32 + 8).to_be_bytes());
    whole.extend_from_slice(b"ftyp");
    whole.extend_from_slice(init);
    whole.extend_from_slice(&[0, 0, 0, 8]);
    whole.extend_from_slice(b"moov");
    let written = mark.write(&whole);
    assert_eq!(written.len(), FileMark::LEN);
    whole.extend_from_slice(&written);
    assert_eq!(FileMark::find(&whole), Ok(mark.clone()));
    let header = Header::of(mark);
    assert_eq!(Header::parse(&header.write()), Ok(header));
}

fn gaps(tape: &mut Tape<'_>) {
    let (mut log, mut wanted) = (vec![], vec![]);
    while !tape.is_empty() && wanted.len() < 64 {
        let (begins, cause) = (tape.bit(), tape.one(&Cause::ALL));
        let entry = GapEntry { at: UtcMicros(tape.u64() as i64), begins, cause, code: tape.u16() };
        log.extend_from_slice(&entry.write(wanted.len() as u32));
        wanted.push(entry);
    }
    assert_eq!(GapEntry::read_all(&log), wanted);
    // What was torn ends the log.
    log.truncate(log.len().saturating_sub(1));
    assert_eq!(GapEntry::read_all(&log), wanted[..wanted.len().saturating_sub(1)]);
}

fn any(bytes: &[u8]) {
    if let Ok(mark) = FragmentMark::parse(bytes) {
        assert_eq!(mark.write(), bytes[..FragmentMark::LEN]);
    }
    let _ = (FileMark::find(bytes), Header::parse(bytes), Index::read(bytes, Day::of(UtcMicros(DAY))));
    let _ = (GapEntry::read_all(bytes), PageDirectory::parse(bytes), Builder::replay(bytes).is_ok());
}
