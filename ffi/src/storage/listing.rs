//! What is in a folder, as a host tells it.

use std::ffi::c_char;

use vigie::store::Listed;

use crate::VigieResult;
use crate::error::Told;
use crate::given;
use crate::guard::{Guarded, Tells};

/// Entries of one folder, at most: that of a day has some thousands.
const MOST: usize = 1 << 18;
/// Bytes of a name, at most.
const NAME: usize = 255;

/// What a folder holds, in the making. The library's own: a `list` callback is given it, for `vigie_storage_listed`.
pub struct VigieStorageListing(
    #[expect(dead_code, reason = "reached through the handle's pointer")] Guarded<Listing>,
);

/// What it points to: one of each [`Host`](super::Host), and as long-lived.
#[derive(Default)]
pub(super) struct Listing {
    /// The callback is under way.
    open: bool,
    /// There was one more than a folder has.
    over: bool,
    entries: Vec<Listed>,
    told: Told,
}

impl Tells for Listing {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }
}

impl Listing {
    pub(super) fn begin(&mut self) -> VigieResult {
        *self = Self { open: true, ..Self::default() };
        VigieResult::Ok
    }

    /// By name, each once; `None` where there were too many.
    pub(super) fn end(&mut self) -> Option<Vec<Listed>> {
        let Self { over, mut entries, .. } = std::mem::take(self);
        entries.sort_unstable();
        entries.dedup_by(|a, b| a.name == b.name);
        (!over).then_some(entries)
    }

    fn add(&mut self, name: &str, folder: bool, len: u64) -> VigieResult {
        if !self.open {
            return VigieResult::Order;
        }
        self.over |= self.entries.len() == MOST;
        let plain = !matches!(name, "" | "." | "..") && name.len() <= NAME && !name.contains('/');
        let len = if folder { 0 } else { len };
        if self.over || !plain || len > super::LONGEST {
            return VigieResult::Argument;
        }
        self.entries.push(Listed { name: name.to_owned(), folder, len });
        VigieResult::Ok
    }
}

/// Adds a file or a folder to what a `list` callback tells. `name` is that in the folder, without the folder's; it is copied.
/// `is_folder`: 1 for a folder, 0 for a file, which has `len` bytes. `VIGIE_ARGUMENT`: a name that is empty, longer than 255 bytes,
/// not UTF-8, or a path, or a length above 16 TiB; it is left out, which does no harm. The 262 145th entry, however, fails the
/// listing. `VIGIE_ORDER`: no `list` callback is under way with this listing.
///
/// # Safety
/// `listing` is NULL or what the callback was given, and the handle that it was called for was not freed. `name` is NULL or a
/// NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_storage_listed(
    listing: *mut VigieStorageListing,
    name: *const c_char,
    is_folder: i32,
    len: u64,
) -> VigieResult {
    // SAFETY: the caller's promises. `VigieStorageListing` is what `Guarded` is.
    given::answer(|| unsafe {
        let (name, folder) = (given::needed(name)?, is_folder == 1);
        if !matches!(is_folder, 0 | 1) {
            return Err(VigieResult::Argument);
        }
        Ok(Guarded::call(listing.cast_const().cast(), |l: &mut Listing| l.add(name, folder, len)))
    })
}
