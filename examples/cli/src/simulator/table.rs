//! What was sent and when: (loop, number) of every picture with the UTC of its capture.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;

use vigie::time::UtcMicros;

/// A picture that a simulated camera sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// How often its clip had been played out before: 0, 1, …
    pub round: u32,
    /// Its number in the clip, as its barcode shows it.
    pub number: u32,
    /// When the camera took it.
    pub utc: UtcMicros,
}

/// Pictures kept: three hours at 25 a second, 4.3 MB for each camera.
const KEPT: usize = 270_000;

/// The pictures of one camera, latest last, and the file that they are also written to.
#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<VecDeque<Picture>>);

impl Table {
    pub(crate) fn push(&self, picture: Picture) {
        let mut kept = self.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(picture);
    }

    /// Those taken in `from..to`, in the order they were sent.
    pub(crate) fn between(&self, from: UtcMicros, to: UtcMicros) -> Vec<Picture> {
        self.lock().iter().filter(|p| (from..to).contains(&p.utc)).copied().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Picture>> {
        // A panic elsewhere while the lock was held leaves whole pictures: the table stays usable.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A file of JSON lines, one for each picture of any camera: `{"camera":"cam1","loop":0,"number":17,"utc":"…"}`.
#[derive(Debug)]
pub(crate) struct TableFile(Mutex<File>);

impl TableFile {
    pub(crate) fn new(file: File) -> Self {
        Self(Mutex::new(file))
    }

    /// One write for each line, so that a reader of the growing file sees whole lines.
    pub(crate) fn write(&self, camera: &str, picture: Picture) -> std::io::Result<()> {
        let Picture { round, number, utc } = picture;
        let line = format!(
            "{{\"camera\":\"{camera}\",\"loop\":{round},\"number\":{number},\"utc\":\"{utc}\",\"micros\":{}}}\n",
            utc.0
        );
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write_all(line.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_the_table() {
        let table = Table::default();
        for number in 0..10 {
            table.push(Picture { round: 1, number, utc: UtcMicros(i64::from(number) * 40_000) });
        }
        let found = table.between(UtcMicros(40_000), UtcMicros(120_000));
        assert_eq!(found.iter().map(|p| p.number).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn the_table_is_bounded() {
        let table = Table::default();
        for n in 0..KEPT as u32 + 5 {
            table.push(Picture { round: 0, number: n, utc: UtcMicros(i64::from(n)) });
        }
        assert_eq!(table.lock().len(), KEPT);
        assert_eq!(table.lock().front().map(|p| p.number), Some(5));
    }
}
