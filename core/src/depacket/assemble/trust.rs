//! Whether a camera's marker bit may be believed.

/// Markers that must have proved truthful before an access unit is ended at one.
const ENOUGH: u32 = 2;
/// The same, after one that was believed proved wrong.
const ENOUGH_AFTER_LIE: u32 = 250;

/// Counts markers that were where an access unit ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    truthful: u32,
    enough: u32,
}

impl Default for Trust {
    fn default() -> Self {
        Self { truthful: 0, enough: ENOUGH }
    }
}

impl Trust {
    pub(super) const fn trusted(self) -> bool {
        self.truthful >= self.enough
    }

    /// An access unit ended where a marker was.
    pub(super) const fn confirm(&mut self) {
        self.truthful = self.truthful.saturating_add(1);
    }

    /// An access unit went on after a marker.
    pub(super) const fn lied(&mut self) {
        if self.trusted() {
            self.enough = ENOUGH_AFTER_LIE;
        }
        self.truthful = 0;
    }
}
