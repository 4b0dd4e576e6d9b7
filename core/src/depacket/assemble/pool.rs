//! Buffers that are used again: once nobody refers to a picture in one, it is as good as new, and its memory is mapped.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::BytesMut;

/// Bytes of one buffer, at least, and of the largest that is used again. A camera's memory is that of the group of pictures
/// that waits to be whole, and of what of its buffers nobody uses.
const SIZE: (usize, usize) = (64 << 10, 1 << 20);
/// The sizes between: powers of two.
const SIZES: usize = (SIZE.1 / SIZE.0).trailing_zeros() as usize + 1;
/// Buffers that are looked after, at most: with the smallest a GOP of 12 MB, and the one before it that is being written. Of
/// one that is not, the memory goes back with its last picture.
const KEPT: usize = 384;
/// After so many that were taken, those that nobody wanted go back to the system.
const REVIEW: u32 = 256;

/// A stream's buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    /// Those that are full, the oldest first. Only the pictures in one and this handle refer to its memory.
    full: VecDeque<Full>,
    /// The size of the buffer in use.
    size: usize,
    /// The largest picture since the last random access point, and between that and the one before.
    largest: (usize, usize),
    /// The last picture that was a random access point.
    key: usize,
    #[cfg(not(feature = "std"))]
    free: Free,
}

#[derive(Clone, Debug)]
struct Full {
    buffer: BytesMut,
    size: usize,
}

impl Pool {
    /// A picture of so many bytes is whole.
    pub(super) fn picture(&mut self, bytes: usize, random_access: bool) {
        if random_access {
            self.key = bytes;
            self.largest = (0, self.largest.0);
        } else {
            self.largest.0 = self.largest.0.max(bytes);
        }
    }

    /// Bytes of one of the larger pictures to come; random access points apart, if there are others.
    fn usual(&self) -> usize {
        let largest = self.largest.0.max(self.largest.1);
        if largest > 0 { largest } else { self.key }
    }

    /// What a buffer should still have room for at the beginning of a picture. What is left of it is wasted, so that is never
    /// more than a quarter; a larger picture is moved where it does not fit.
    pub(super) fn least(&self) -> usize {
        self.usual().min(self.wanted() / 4)
    }

    /// The size of a buffer, as a rule.
    fn wanted(&self) -> usize {
        (2 * self.usual().min(SIZE.1)).next_power_of_two().clamp(SIZE.0, SIZE.1)
    }

    /// Puts a buffer with room for `bytes` more in the place of `buffer`, which is full; what is in `buffer` moves along.
    pub(super) fn renew(&mut self, buffer: &mut BytesMut, bytes: usize) {
        // Twice what moves, so that a picture larger than any buffer is not moved at every packet; one that is larger than
        // usual is likely to be as large as the last large one.
        let least = buffer.len() + bytes;
        let key = if least > self.usual() { self.key + self.key / 8 } else { 0 };
        let size = (buffer.len() + least).max(key).max(self.wanted()).next_power_of_two();
        let mut next = self.exchange(size);
        next.extend_from_slice(buffer);
        core::mem::swap(buffer, &mut next);
        let size = core::mem::replace(&mut self.size, size);
        if next.capacity() > 0 {
            next.clear();
            self.full.push_back(Full { buffer: next, size });
        }
        if self.full.len() > KEPT {
            self.full.pop_front();
        }
    }

    /// Gives back what is free, and takes a buffer of `size`.
    fn exchange(&mut self, size: usize) -> BytesMut {
        #[cfg(feature = "std")]
        let free = &mut *shared::FREE.lock().unwrap_or_else(shared::PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        let free = &mut self.free;
        self.full.retain_mut(|full| {
            let whole = full.buffer.try_reclaim(full.size);
            if whole {
                free.put(core::mem::take(&mut full.buffer), full.size);
            }
            // The copy of one is none.
            !whole && full.buffer.capacity() > 0
        });
        free.take(size).unwrap_or_else(|| BytesMut::with_capacity(size))
    }
}

/// Those of all streams of the process: their groups of pictures do not end all at once.
#[cfg(feature = "std")]
mod shared {
    use std::sync::Mutex;
    pub(super) use std::sync::PoisonError;

    pub(super) static FREE: Mutex<super::Free> = Mutex::new(super::Free::NONE);
}

/// Buffers that nobody uses, by their sizes.
#[derive(Clone, Debug, Default)]
struct Free {
    sizes: [Shelf; SIZES],
    taken: u32,
}

/// Those of one size.
#[derive(Clone, Debug, Default)]
struct Shelf {
    free: Vec<BytesMut>,
    /// The fewest that lay here since the last review.
    fewest: usize,
}

impl Free {
    #[cfg(feature = "std")]
    const NONE: Self = Self { sizes: [const { Shelf { free: Vec::new(), fewest: 0 } }; SIZES], taken: 0 };

    /// Larger ones are not kept.
    fn shelf(&mut self, size: usize) -> Option<&mut Shelf> {
        self.sizes.get_mut((size / SIZE.0).checked_ilog2()? as usize)
    }

    fn put(&mut self, buffer: BytesMut, size: usize) {
        if let Some(shelf) = self.shelf(size) {
            shelf.free.push(buffer);
        }
    }

    fn take(&mut self, size: usize) -> Option<BytesMut> {
        self.taken += 1;
        if self.taken >= REVIEW {
            self.taken = 0;
            for shelf in &mut self.sizes {
                // The oldest lie below.
                shelf.free.drain(..shelf.fewest);
                shelf.fewest = shelf.free.len();
            }
        }
        let shelf = self.shelf(size)?;
        let buffer = shelf.free.pop();
        shelf.fewest = shelf.fewest.min(shelf.free.len());
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buffer of that size is full of a picture.
    fn fill(pool: &mut Pool, buffer: &mut BytesMut, bytes: usize) -> BytesMut {
        pool.renew(buffer, 1);
        buffer.resize(bytes, 0);
        buffer.split()
    }

    #[test]
    fn a_buffer_comes_back_when_nobody_refers_to_it() {
        let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
        let waiting: Vec<_> = (0..40).map(|_| fill(&mut pool, &mut buffer, 60_000)).collect();
        assert_eq!(pool.full.len(), 39);
        drop(waiting);
        for n in 0_u8..6 {
            pool.renew(&mut buffer, 100);
            buffer.extend_from_slice(&[n; 900]);
            let picture = buffer.split();
            buffer.extend_from_slice(&[n, 7]);
            pool.renew(&mut buffer, 100);
            assert_eq!(buffer[..], [n, 7]);
            assert_eq!(picture[..], [n; 900]);
            buffer.clear();
            assert!(pool.full.len() <= 2, "{}", pool.full.len());
        }
    }

    #[test]
    fn what_nobody_wants_any_more_is_given_back() {
        let mut free = Free::default();
        for _ in 0..40 {
            free.put(BytesMut::with_capacity(SIZE.0), SIZE.0);
        }
        free.put(BytesMut::with_capacity(2 * SIZE.1), 2 * SIZE.1);
        free.put(BytesMut::with_capacity(SIZE.1), SIZE.1);
        for _ in 0..3 * REVIEW {
            // Three at a time are in use.
            let used: Vec<_> = (0..3).filter_map(|_| free.take(SIZE.0)).collect();
            assert_eq!(used.len(), 3);
            used.into_iter().for_each(|buffer| free.put(buffer, SIZE.0));
        }
        let left: Vec<_> = free.sizes.iter().map(|shelf| shelf.free.len()).collect();
        assert_eq!(left, [3, 0, 0, 0, 0]);
    }

    #[test]
    fn buffers_are_as_large_as_pictures_want_them() {
        let of = |key, others| {
            let mut pool = Pool::default();
            for _ in 0..3 {
                pool.picture(key, true);
                (0..5).for_each(|_| pool.picture(others, false));
            }
            let mut buffer = BytesMut::new();
            pool.renew(&mut buffer, 1);
            buffer.capacity() >> 10
        };
        assert_eq!((of(150_000, 20_000), of(700_000, 70_000)), (64, 256));
        assert_eq!((of(5_000, 500), of(7_000_000, 6_000_000), of(100_000, 0)), (64, 1_024, 256));
    }

    #[test]
    fn a_random_access_point_is_moved_once() {
        let (mut pool, mut moves) = (Pool::default(), 0);
        (0..5).for_each(|_| pool.picture(20_000, false));
        pool.picture(600_000, true);
        let mut buffer = BytesMut::with_capacity(64 << 10);
        for _ in 0..6_000 {
            if buffer.capacity() - buffer.len() < 100 {
                pool.renew(&mut buffer, 100);
                moves += 1;
            }
            buffer.extend_from_slice(&[1; 100]);
        }
        assert_eq!((moves, buffer.len()), (1, 600_000));
    }

    #[test]
    fn a_large_picture_is_moved_few_times() {
        let (mut pool, mut buffer, mut moves) = (Pool::default(), BytesMut::new(), 0);
        for _ in 0..100_000 {
            if buffer.capacity() - buffer.len() < 100 {
                pool.renew(&mut buffer, 100);
                moves += 1;
            }
            buffer.extend_from_slice(&[1; 100]);
        }
        assert!(moves < 20, "{moves}");
    }
}
