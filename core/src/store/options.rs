//! How a writer writes, and what it counts.

/// How a writer writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The dial: microseconds of footage that a power cut may cost, against syncs. 2 s; sensible up to 30 s. What came longer
    /// ago than this is on the disk. 0: each fragment is synced when it is written.
    pub rpo: u64,
    /// Bytes of fragments held in memory, so that what comes between two syncs is written at once. 0: each is written
    /// when it comes, and the end of the process (not of the power) costs nothing of it.
    pub hold: u64,
    /// Bytes of media that recovery may read before recording starts; where there is more to do, it is done behind. 32 MiB.
    pub at_once: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { rpo: 2_000_000, hold: 0, at_once: 32 << 20 }
    }
}

impl Options {
    /// Microseconds that a power cut may cost; 0: sync after each fragment.
    #[must_use]
    pub const fn rpo(mut self, micros: u64) -> Self {
        self.rpo = micros;
        self
    }

    /// Bytes held in memory between two syncs.
    #[must_use]
    pub const fn hold(mut self, bytes: u64) -> Self {
        self.hold = bytes;
        self
    }

    /// Bytes of media that recovery may read before recording starts.
    #[must_use]
    pub const fn at_once(mut self, bytes: u64) -> Self {
        self.at_once = bytes;
        self
    }
}

/// Counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Files begun.
    pub files: u64,
    /// Fragments written.
    pub fragments: u64,
    /// Fragments known to be on the disk.
    pub synced: u64,
    /// Bytes of fragments written.
    pub bytes: u64,
    /// Syncs of media and index.
    pub syncs: u64,
    /// Failures of the storage.
    pub failures: u64,
}

impl Stats {
    /// Of two writers, one after the other.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            fragments: self.fragments + other.fragments,
            synced: self.synced + other.synced,
            bytes: self.bytes + other.bytes,
            syncs: self.syncs + other.syncs,
            failures: self.failures + other.failures,
        }
    }
}
