//! What waits for one viewer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use vigie::time::Micros;

use super::Item;

/// Bytes that wait for a viewer, besides the GOP that it began with.
const BYTES: usize = 8 << 20;

/// Microseconds that a picture waits for a viewer: who is further behind does not look live.
const AGE: u64 = 5_000_000;

/// The pictures on their way to one viewer: in at the camera's pace, out at the viewer's. A viewer that is too slow
/// loses what waits for it and goes on at the next picture that decoding can start at.
#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    more: Notify,
}

#[derive(Debug)]
struct Inner {
    items: VecDeque<(Micros, Bytes)>,
    bytes: usize,
    most: usize,
    /// Skipping to the next start.
    skipping: bool,
    ended: bool,
}

impl Queue {
    /// Starts with these.
    pub(super) fn new(report: Option<Bytes>, gop: &[Item], now: Micros) -> Self {
        let items: VecDeque<_> = report
            .into_iter()
            .chain(gop.iter().map(|item| item.bytes.clone()))
            .map(|bytes| (now, bytes))
            .collect();
        let bytes = items.iter().map(|(_, bytes)| bytes.len()).sum();
        let inner = Inner { items, bytes, most: bytes + BYTES, skipping: gop.is_empty(), ended: false };
        Self { inner: Mutex::new(inner), more: Notify::new() }
    }

    /// Adds a picture. True: the viewer was too slow, and what waited for it is gone.
    pub(super) fn push(&self, item: &Item, now: Micros) -> bool {
        let mut inner = self.lock();
        let late = inner.items.front().is_some_and(|(then, _)| now.since(*then) > AGE);
        let slow = !inner.skipping && (late || inner.bytes + item.bytes.len() > inner.most);
        if slow {
            inner.items.clear();
            inner.bytes = 0;
            inner.most = BYTES;
            inner.skipping = true;
        }
        // A picture larger than the cap still passes an empty queue.
        if inner.skipping && item.start {
            inner.skipping = false;
        }
        if !inner.skipping {
            inner.bytes += item.bytes.len();
            inner.items.push_back((now, item.bytes.clone()));
            drop(inner);
            self.more.notify_one();
        }
        slow
    }

    /// Adds what is not a picture: small, and due whatever else waits.
    pub(super) fn push_aside(&self, bytes: Bytes) {
        let mut inner = self.lock();
        if !inner.skipping {
            let then = inner.items.back().map_or_else(crate::clock::now, |(then, _)| *then);
            inner.bytes += bytes.len();
            inner.items.push_back((then, bytes));
        }
    }

    /// No more will come; what waits is still given.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.more.notify_one();
    }

    /// The next, as soon as there is one; `None` at the end. May be dropped and called again without loss.
    pub(crate) async fn next(&self) -> Option<Bytes> {
        loop {
            {
                let mut inner = self.lock();
                if let Some((_, bytes)) = inner.items.pop_front() {
                    inner.bytes -= bytes.len();
                    return Some(bytes);
                }
                if inner.ended {
                    return None;
                }
            }
            self.more.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn item(byte: u8, size: usize, start: bool) -> Item {
        Item { bytes: vec![byte; size].into(), start }
    }

    fn taken(queue: &Queue) -> Vec<u8> {
        queue.end();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut out = Vec::new();
            while let Some(bytes) = queue.next().await {
                out.push(bytes[0]);
            }
            out
        })
    }

    #[test]
    fn the_gop_first_then_live() {
        let queue = Queue::new(Some(vec![0].into()), &[item(1, 9, true), item(2, 9, false)], Micros(0));
        assert!(!queue.push(&item(3, 9, false), Micros(1)));
        assert_eq!(taken(&queue), [0, 1, 2, 3]);
    }

    #[test]
    fn too_many_bytes_skip_to_the_next_start() {
        let queue = Queue::new(None, &[], Micros(0));
        assert!(!queue.push(&item(0, 1, false), Micros(0)), "nothing to start at");
        assert!(!queue.push(&item(1, BYTES, true), Micros(0)));
        assert!(queue.push(&item(2, 1, false), Micros(1)));
        assert!(!queue.push(&item(3, 1, false), Micros(2)));
        assert!(!queue.push(&item(4, 1, true), Micros(3)));
        assert!(!queue.push(&item(5, 1, false), Micros(4)));
        assert_eq!(taken(&queue), [4, 5]);
    }

    #[test]
    fn too_long_a_wait_skips_too_and_may_land_on_a_start_at_once() {
        let queue = Queue::new(None, &[item(1, 1, true)], Micros(0));
        assert!(!queue.push(&item(2, 1, false), Micros(AGE)));
        assert!(queue.push(&item(3, 1, true), Micros(AGE + 1)));
        assert_eq!(taken(&queue), [3]);
    }
}
