//! Deleting what is expired of a camera while it is recorded.

use super::Writer;
use crate::store::journal::{self, Journal};
use crate::store::{Storage, retain};

impl<S: Storage> Writer<S> {
    /// Deletes what is expired of this camera, as [`retain`] says. Nothing happens in a tenant that has no journal; while
    /// what a crash has left is still being made whole, the pass is postponed.
    ///
    /// # Errors
    /// [`Locked`](crate::store::Kind::Locked) while another process writes the tenant's journal: try again soon. All that a
    /// disk can fail by; recording goes on.
    pub fn retain(&mut self, clock: retain::Clock) -> Result<retain::Outcome, journal::Error> {
        if !retain::concerns(&mut self.storage, &self.source)? {
            return Ok(retain::Outcome::default());
        }
        self.sync()?;
        if self.is_behind() {
            return Ok(retain::Outcome::postponed());
        }
        let mut journal = Journal::open(&mut self.storage, self.source.tenant, clock.now)?;
        let media = self.media.as_ref().map(|media| media.mark.key);
        let open = self.day.as_mut().and_then(|writing| {
            let day = writing.day;
            let (builder, index) = writing.index()?;
            Some(retain::Opened { day, builder, index, media })
        });
        let done = retain::pass(&mut journal, &mut self.storage, &self.source, clock, open);
        journal.close(&mut self.storage);
        // Folders that were synced once may be gone.
        self.folders.clear();
        if done.is_err() {
            // What the index holds now is read anew with the next file.
            self.let_go();
        }
        done
    }
}
