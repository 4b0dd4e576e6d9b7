//! Buffers that are used again: once nobody refers to a picture in one, it is as good as new, and its memory is mapped.

use alloc::collections::VecDeque;
use bytes::BytesMut;

/// Buffers kept for later, at most; there are as many as a stream has in use at a time. A GOP of 2 s at 16 Mb/s fills four
/// or five, and the one before it is being written.
const KEPT: usize = 12;

/// The buffers that were full, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    full: VecDeque<BytesMut>,
}

impl Pool {
    /// Puts a buffer with room for `bytes` more in the place of `buffer`, which is full; what is in `buffer` moves along.
    /// `size` is what a new one is made with, at least.
    pub(super) fn renew(&mut self, buffer: &mut BytesMut, bytes: usize, size: usize) {
        // Twice what moves, so that a picture larger than any buffer is not moved at every packet.
        let needed = 2 * buffer.len() + bytes;
        // Only the pictures in it and this handle refer to its memory: it is free when they are gone.
        let free = self.full.iter_mut().position(|full| full.try_reclaim(needed));
        let next = free.and_then(|at| self.full.remove(at));
        let mut next = next.unwrap_or_else(|| BytesMut::with_capacity(needed.max(size)));
        next.extend_from_slice(buffer);
        core::mem::swap(buffer, &mut next);
        if next.capacity() > 0 {
            next.clear();
            if self.full.len() == KEPT {
                self.full.pop_front();
            }
            self.full.push_back(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_buffer_comes_back_when_nobody_refers_to_it() {
        let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
        let mut addresses = Vec::new();
        for n in 0_u8..6 {
            pool.renew(&mut buffer, 100, 1_000);
            addresses.push(buffer.as_ptr());
            buffer.extend_from_slice(&[n; 900]);
            let picture = buffer.split();
            buffer.extend_from_slice(&[n, 7]);
            pool.renew(&mut buffer, 100, 1_000);
            assert_eq!(buffer[..], [n, 7]);
            addresses.push(buffer.as_ptr());
            assert_eq!(picture[..], [n; 900]);
            buffer.clear();
        }
        addresses.sort_unstable();
        addresses.dedup();
        assert!(addresses.len() <= 3, "{addresses:?}");
    }

    #[test]
    fn a_large_picture_is_moved_few_times() {
        let (mut pool, mut buffer, mut moves) = (Pool::default(), BytesMut::new(), 0);
        for _ in 0..100_000 {
            if buffer.capacity() - buffer.len() < 100 {
                pool.renew(&mut buffer, 100, 1_000);
                moves += 1;
            }
            buffer.extend_from_slice(&[1; 100]);
        }
        assert!(moves < 20, "{moves}");
    }
}
