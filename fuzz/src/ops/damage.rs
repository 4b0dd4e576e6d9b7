//! A store whose files were damaged.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use vigie::gix::{FragmentMark, Span};
use vigie::play::{Local, Output as Played};
use vigie::store::hold::{self, Request};
use vigie::store::journal::{self, Journal};
use vigie::store::retain::{self, Clock};
use vigie::store::{
    Availability, DayCheck, LastRecorded, Listing, Memory, Options, Repair, Source, Storage as _, Writer,
    days, page_directory, rebuild, verify,
};
use vigie::time::UtcMicros;

use crate::media::{self, DAY};
use crate::tape::Tape;

/// Seconds recorded, over midnight.
const SECONDS: u32 = 24;
/// So long after their start, in microseconds, recording goes on.
const LATER: i64 = 120_000_000;
/// Microseconds of a file.
const FILE: u64 = 8_000_000;

struct Prepared {
    disk: Memory,
    paths: Vec<String>,
    /// Every fragment, and every init segment.
    whole: BTreeSet<Vec<u8>>,
    inits: BTreeSet<Vec<u8>>,
}

impl Prepared {
    fn has(&self, served: &Played) -> bool {
        match served {
            Played::Fragment { bytes, .. } => self.whole.contains(bytes),
            Played::Init { bytes, .. } => self.inits.contains(bytes),
            _ => true,
        }
    }
}

thread_local! {
    static PREPARED: OnceCell<Prepared> = const { OnceCell::new() };
}

fn source() -> Source {
    Source::new("t", "c").expect("names")
}

fn start() -> UtcMicros {
    UtcMicros(DAY + 86_400_000_000 - 10_000_000)
}

/// Bits changed, bytes overwritten, cut off, swapped, files removed: whoever reads gets a typed error or what was recorded, byte
/// for byte; a recorder makes the store whole again, or says why not, and records on.
pub(crate) fn store_damage(bytes: &[u8]) {
    PREPARED.with(|prepared| {
        let prepared = prepared.get_or_init(prepare);
        let disk = prepared.disk.copy();
        let mut tape = Tape::new(bytes);
        let how = tape.u8();
        // Bytes of the input's own may be a whole fragment with its checksum.
        let own = damage(&disk, &prepared.paths, &mut tape);
        let now = start().plus(LATER);
        read(&disk, now, how, |served| own || prepared.has(served));
        look(&disk, now);
        mend(&disk, how, now);
        // Recording went on.
        let later = |served: &Played| {
            let Played::Fragment { entry, .. } = served else { return false };
            entry.mark.utc >= start().plus(LATER / 2)
        };
        read(&disk, now, how, |served| own || later(served) || prepared.has(served));
        look(&disk, now);
    });
}

fn prepare() -> Prepared {
    let disk = Memory::new();
    media::record(disk.clone(), source(), start(), SECONDS, FILE).expect("an empty disk");
    let mut journal = Journal::open(&mut disk.clone(), source().tenant, start()).expect("a journal");
    let request = Request {
        case: "1".into(),
        cameras: vec![source().camera],
        span: Span::new(start().plus(2_000_000), start().plus(5_000_000)),
        who: "Durand".into(),
        why: "requisition".into(),
    };
    hold::add(&mut journal, &mut disk.clone(), start(), &request).expect("held");
    journal.close(&mut disk.clone());
    disk.kill();
    let (mut whole, mut inits) = (BTreeSet::new(), BTreeSet::new());
    let mut local = Local::new(disk.clone(), source());
    local.seek(start());
    loop {
        match local.next(start().plus(3_600_000_000)).expect("a disk that works") {
            Played::Fragment { bytes, .. } => _ = whole.insert(bytes),
            Played::Init { bytes, .. } => _ = inits.insert(bytes),
            Played::End => break,
            Played::Gap(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(whole.len() + 4 > SECONDS as usize, "{} fragments", whole.len());
    Prepared { paths: disk.paths(), disk, whole, inits }
}

/// True where bytes of the input's own choice were written.
fn damage(disk: &Memory, paths: &[String], tape: &mut Tape<'_>) -> bool {
    let mut own = false;
    for _ in 0..32 {
        if tape.is_empty() {
            break;
        }
        let (op, path) = (tape.u8(), &paths[usize::from(tape.u8()) % paths.len()]);
        let Some(mut bytes) = disk.content(path) else { continue };
        let at = (tape.u32() as usize) % (bytes.len() + 1);
        match op % 8 {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (op >> 5);
                }
            }
            2 => {
                disk.clone().remove(path).expect("a file that is there");
                continue;
            }
            3 => bytes.truncate(at),
            4 => {
                let end = (at + usize::from(tape.u16())).min(bytes.len());
                bytes[at..end].fill(0);
            }
            5 => {
                let put = tape.chunk();
                own |= put.len() > 8;
                let len = put.len().min(bytes.len() - at);
                bytes[at..at + len].copy_from_slice(&put[..len]);
            }
            6 => {
                // Bytes from elsewhere in the store: stale or swapped blocks.
                let other = disk.content(&paths[usize::from(tape.u8()) % paths.len()]).unwrap_or_default();
                let from = (tape.u16() as usize).min(other.len());
                let len = 512.min(other.len() - from).min(bytes.len() - at);
                bytes[at..at + len].copy_from_slice(&other[from..from + len]);
            }
            _ => bytes.extend_from_slice(tape.chunk()),
        }
        disk.set_content(path, &bytes);
    }
    own
}

/// Plays it; all that is served is something that `may` be.
fn read(disk: &Memory, now: UtcMicros, how: u8, may: impl Fn(&Played) -> bool) {
    let mut local = Local::new(disk.clone(), source());
    local.seek(start().plus(i64::from(how & 31) * 1_000_000));
    for n in 0..2 * SECONDS {
        let given = match how >> 5 & 3 {
            0 if n % 4 == 3 => local.back(now),
            1 => local.next_key(now).map(|output| vec![output]),
            _ => local.next(now).map(|output| vec![output]),
        };
        let Ok(given) = given else { return };
        for output in given {
            match &output {
                Played::Fragment { bytes, entry, .. } => {
                    assert!(FragmentMark::passes(bytes, entry.mark.crc));
                    assert!(may(&output), "what was never recorded is served");
                }
                Played::Init { .. } => assert!(may(&output), "an init segment that never was"),
                Played::End | Played::Failed(_) => return,
                _ => {}
            }
        }
    }
}

/// All that looks at a store, and changes nothing.
fn look(disk: &Memory, now: UtcMicros) {
    let (mut storage, source) = (disk.clone(), source());
    let before: Vec<_> = disk.paths().into_iter().map(|path| (disk.content(&path), path)).collect();
    let _ = (
        Listing::load(&mut storage, &source, Span::ALL).map(|l| l.segments.len()),
        verify(&mut storage, &source),
    );
    let _ = Availability::load(&mut storage, &source, Span::new(start(), now), now);
    let _ = LastRecorded::load(&mut storage, &source);
    let _ = journal::read(&mut storage, source.tenant, |_| {});
    let _ = retain::plan(&mut storage, &source, None, Clock::new(now));
    for day in days(&mut storage, &source).unwrap_or_default() {
        let _ = (rebuild(&mut storage, &source, day), page_directory(&mut storage, &source, day));
        let mut findings = vec![];
        if let Ok(mut check) = DayCheck::new(&mut storage, source, day, false) {
            while matches!(check.step(&mut storage, &mut findings), Ok(true)) {}
        }
    }
    let after: Vec<_> = disk.paths().into_iter().map(|path| (disk.content(&path), path)).collect();
    assert!(before == after, "who looks has changed something");
}

/// A recorder comes, or a repair, or a pass of retention.
fn mend(disk: &Memory, how: u8, now: UtcMicros) {
    let (mut storage, source) = (disk.clone(), source());
    let mut repaired = how & 0x80 != 0;
    for day in days(&mut storage, &source).unwrap_or_default().into_iter().filter(|_| how & 0x80 != 0) {
        let Ok(mut repair) = Repair::new(&mut storage, source, day) else {
            repaired = false;
            continue;
        };
        let done =
            std::iter::repeat_with(|| repair.step(&mut storage)).find(|done| !matches!(done, Ok(None)));
        repaired &= matches!(done, Some(Ok(Some(_))));
    }
    if let Ok((mut writer, _)) = Writer::open(disk.clone(), source, Options::default()) {
        while matches!(writer.catch_up(), Ok(true)) {}
        drop(writer);
    }
    disk.unlock_all();
    if repaired {
        let found = verify(&mut storage, &source).expect("a disk that works");
        assert!(found.missing == 0 && found.unindexed == 0, "the index says what is not so: {found:?}");
    }
    let _ = retain::run(&mut storage, &source, Clock::new(now).trusted(true));
    disk.unlock_all();
    let _ = media::record(disk.clone(), source, now, 3, FILE);
    disk.kill();
}
