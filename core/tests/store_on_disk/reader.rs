//! A reader of the store that knows only `docs/format.md`: from the media files of a day to the index that they give, byte
//! for byte (§2.3, §3). No code of Vigie's parsers.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// CRC-32C, bit by bit.
pub(crate) fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = !0_u32;
    for byte in parts.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !crc
}

pub(crate) fn be(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// A media file that counts.
struct Media {
    ordinal: u32,
    name: String,
    mark: Vec<u8>,
    init: Vec<u8>,
    /// Offset and mark of each whole fragment.
    fragments: Vec<(u64, Vec<u8>)>,
}

/// §2.3: does it count, and what is whole in it?
fn media(name: &str, bytes: &[u8], tenant: &str, camera: &str) -> Option<Media> {
    let size = |at: usize| bytes.get(at..at + 4).map(|b| be(b) as usize);
    let init = (0..2).try_fold(0, |at, _| Some(at + size(at)?))?;
    let mark = bytes.get(init..init + 320)?.to_vec();
    let whole = mark[..24] == *b"\0\0\x01\x40uuidvigie-media-file"
        && mark[24] == 1
        && be(&mark[44..48]) as usize == init
        && be(&mark[316..]) as u32 == crc(&[&bytes[..init], &mark[..316]]);
    let key = format!("{}.{}.m4v", stamp(be(&mark[32..40]) as i64), be(&mark[40..44]));
    if !whole || key != name {
        return None;
    }
    // As it was when the file was created: nobody renamed anything here.
    let hash = Sha256::digest(
        [b"vigie media file 1", tenant.as_bytes(), b"\0", camera.as_bytes(), b"\0", name.as_bytes()].concat(),
    );
    assert_eq!(mark[52..68], hash[..16], "file id");
    let (mut at, mut number, mut fragments) = (be(&mark[48..52]) as usize, 0, vec![]);
    let passes = |at: usize, number: u64| {
        let m = bytes.get(at..at + 96).filter(|m| m[..25] == *b"\0\0\0\x60uuidvigie-fragment-1\x01")?;
        let whole = bytes.get(at..at + be(&m[68..72]) as usize)?;
        let fits = m[76..92] == mark[52..68] && be(&m[72..76]) >= number;
        (fits && be(&m[92..96]) as u32 == crc(&[&whole[..92], &whole[96..]])).then(|| m.to_vec())
    };
    while at < bytes.len() {
        if let Some(m) = passes(at, number) {
            number = be(&m[72..76]) + 1;
            let len = be(&m[68..72]) as usize;
            fragments.push((at as u64, m));
            at += len;
            continue;
        }
        let kind = bytes.get(at + 4..at + 8).unwrap_or_default();
        if kind == b"mfra" && Some(at + size(at)?) == Some(bytes.len()) {
            break;
        }
        // A `free` box is stepped over; else the next place is sought.
        let free = size(at)
            .filter(|n| kind == b"free" && *n >= 8)
            .map(|n| at + n)
            .filter(|next| passes(*next, number).is_some());
        match free.or((at + 1..bytes.len()).find(|next| passes(*next, number).is_some())) {
            Some(next) => at = next,
            None => break,
        }
    }
    Some(Media {
        ordinal: be(&mark[28..32]) as u32,
        name: name.into(),
        mark,
        init: bytes[..init].to_vec(),
        fragments,
    })
}

/// `2026-11-22/05/14-00.120000Z` of a UTC, by counting days.
fn stamp(utc: i64) -> String {
    let (mut days, rest) = (utc.div_euclid(86_400_000_000), utc.rem_euclid(86_400_000_000));
    let (mut year, mut month) = (1970, 1);
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    for (i, len) in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate() {
        let len = len + i64::from(i == 1 && leap(year));
        if days < len {
            break;
        }
        days -= len;
        month += 1;
    }
    let (s, micro) = (rest / 1_000_000, rest % 1_000_000);
    format!(
        "{year:04}-{month:02}-{:02}/{:02}/{:02}-{:02}.{micro:06}Z",
        days + 1,
        s / 3_600,
        s / 60 % 60,
        s % 60
    )
}

/// An index as it is written: §3.
struct Index {
    out: Vec<u8>,
    id: Vec<u8>,
    next: u32,
    /// Of the page at hand, and what the trailer counts.
    earliest: i64,
    latest: i64,
    backwards: u32,
    last: [u32; 3],
}

impl Index {
    fn put(&mut self, kind: u8, contents: &[u8], covers: Option<(i64, i64)>) {
        for (i, room) in contents.chunks(41).enumerate() {
            if i == 0 && (1..=3).contains(&kind) {
                self.last[usize::from(kind) - 1] = self.next;
            }
            let mut record = vec![if i == 0 { kind } else { kind + 128 }];
            record.extend(room);
            record.resize(42, 0);
            let check = crc(&[&self.id, &self.next.to_be_bytes(), &record]);
            self.out.extend(record);
            self.out.extend(check.to_be_bytes());
            self.next += 1;
            if let Some((from, to)) = covers {
                self.earliest = self.earliest.min(from);
                self.latest = self.latest.max(to);
            }
            if self.next.is_multiple_of(87) {
                let page = self.out.len() - 87 * 46;
                let mut trailer = b"GIXP".to_vec();
                trailer.extend((self.next / 87 - 1).to_be_bytes());
                trailer.extend(self.earliest.to_be_bytes());
                trailer.extend(self.latest.to_be_bytes());
                trailer.extend(self.backwards.to_be_bytes());
                self.last.iter().for_each(|n| trailer.extend(n.to_be_bytes()));
                trailer.resize(90, 0);
                self.out.extend(trailer);
                let check = crc(&[&self.id, &self.out[page..]]);
                self.out.extend(check.to_be_bytes());
                (self.earliest, self.latest) = (i64::MAX, i64::MIN);
            }
        }
    }
}

/// The last `n` bytes of a number, big-endian.
fn low(number: i64, n: usize) -> Vec<u8> {
    number.to_be_bytes()[8 - n..].to_vec()
}

/// The index that the media below `camera` give for a day (`2026-11-22`).
pub(crate) fn index(root: &Path, tenant: &str, camera: &str, day: &str) -> Vec<u8> {
    let folder = root.join(tenant).join(camera).join(day);
    let mut files = vec![];
    for hour in fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        for file in fs::read_dir(&hour).unwrap().map(|e| e.unwrap().path()) {
            let name = file.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".m4v") {
                let name = format!("{day}/{}/{name}", hour.file_name().unwrap().to_str().unwrap());
                files.extend(media(&name, &fs::read(&file).unwrap(), tenant, camera));
            }
        }
    }
    files.retain(|file| !file.fragments.is_empty());
    files.sort_by(|a, b| (a.ordinal, &a.name).cmp(&(b.ordinal, &b.name)));
    let Some(first) = files.first() else { return vec![] };
    let start = (be(&first.mark[32..40]) as i64).div_euclid(86_400_000_000) * 86_400_000_000;
    let id = Sha256::digest([&b"vigie index 1"[..], &first.mark[52..68]].concat())[..16].to_vec();
    let mut page = b"GIX1\0\x01\0\x2e\0\0\x10\0\0\x01\x5f\x90".to_vec();
    page.extend(start.to_be_bytes());
    page.extend(&id);
    page.extend(&first.mark[136..266]);
    page.resize(4_092, 0);
    page.extend(crc(&[&page]).to_be_bytes());
    let mut index = Index {
        out: page,
        id,
        next: 0,
        earliest: i64::MAX,
        latest: i64::MIN,
        backwards: 0,
        last: [u32::MAX; 3],
    };
    let (mut init, mut kid) = (vec![], vec![0; 16]);
    // Of the fragment before: its UTC, its end in UTC, its file's counter, where it ends in it.
    let mut before: Option<(i64, i64, u64, u64)> = None;
    for file in &files {
        let (m, head) = (&file.mark, be(&file.mark[48..52]));
        let counter = be(&m[40..44]);
        index.put(
            1,
            &[&m[28..32], &m[32..40], &m[40..44], &m[44..48], &m[48..52], &m[52..68]].concat(),
            None,
        );
        let digest = Sha256::digest(&file.init)[..16].to_vec();
        if digest != init {
            let check = crc(&[&file.init]).to_be_bytes();
            index.put(2, &[&m[44..48], &check, &m[84..88], &digest, &m[88..136]].concat(), None);
            init = digest;
        }
        if m[68..84] != kid {
            index.put(3, &[&m[68..84], &[0; 25][..]].concat(), None);
            kid = m[68..84].to_vec();
        }
        for (n, (at, f)) in file.fragments.iter().enumerate() {
            let utc = be(&f[28..36]) as i64;
            // Ticks to microseconds, to the nearest.
            let end = utc + (be(&f[56..60]) as i64 * 200 + 9) / 18;
            if let Some((_, ended, count, place)) = before {
                let follows =
                    if n == 0 { counter != 0 && counter == count + 1 && *at == head } else { *at == place };
                if !follows || f[27] & 8 != 0 {
                    index.put(5, &[ended.to_be_bytes(), utc.to_be_bytes()].concat(), None);
                }
            }
            index.backwards += u32::from(before.is_some_and(|(earlier, ..)| utc < earlier));
            let most = |n: u64, cap: u64| n.min(cap) as i64;
            let offset = (be(&f[52..56]) as u32 as i32).clamp(-(1 << 23), (1 << 23) - 1);
            let record = [
                low(i64::from(f[25]) << 12 | be(&f[26..28]) as i64 & 0xfff, 2),
                low(utc - start, 6),
                low(most(be(&f[36..40]).div_ceil(1_000), 65_535), 2),
                low(most(be(&f[40..44]), 65_535), 2),
                low(be(&f[44..52]) as i64, 6),
                low(i64::from(offset), 3),
                f[56..60].to_vec(),
                low(most(be(&f[60..64]), 65_535), 2),
                low(most(be(&f[64..68]).div_ceil(256), 65_535), 2),
                f[68..72].to_vec(),
                low(*at as i64, 4),
                f[92..96].to_vec(),
            ];
            index.put(4, &record.concat(), Some((utc, end)));
            before = Some((utc, end, counter, at + be(&f[68..72])));
        }
    }
    index.out
}
