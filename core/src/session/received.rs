//! The bytes of the connection on their way in.

use alloc::vec::Vec;

use super::Session;
use crate::time::Micros;

impl Session {
    /// Where to put received bytes. It is empty only while [`Session::poll_output`] has not been drained.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.input.spare()
    }

    /// Gives the receive buffer away, for another session, where next to nothing in it is still wanted: one that many sessions
    /// share stays in the processor's cache. To be called when [`Session::poll_output`] is drained; the next
    /// [`Session::receive_buffer`] is another one, borrowed or new.
    pub fn lend_buffer(&mut self) -> Option<Vec<u8>> {
        self.input.lend_buffer()
    }

    /// Takes a buffer that [`Session::lend_buffer`] of another session gave. Where it has one, or needs a larger one, gives
    /// it back.
    pub fn borrow_buffer(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        self.input.borrow_buffer(buffer)
    }

    /// Says that `bytes` bytes were put into [`Session::receive_buffer`].
    pub fn handle_received(&mut self, now: Micros, bytes: usize) {
        self.now = now;
        self.received = now;
        self.stats.bytes_received += bytes as u64;
        self.input.filled(bytes);
    }

    /// Copies received bytes in, for callers who cannot read into [`Session::receive_buffer`]. Says how many were
    /// taken: where not all were, drain [`Session::poll_output`] and come back with the rest.
    #[must_use]
    pub fn handle_input(&mut self, now: Micros, bytes: &[u8]) -> usize {
        self.now = now;
        self.received = now;
        let taken = self.input.copy(bytes);
        self.stats.bytes_received += taken as u64;
        taken
    }
}
