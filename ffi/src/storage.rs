//! A host's own storage in place of a folder: callbacks, which do what the store needs of a disk.

mod host;
mod listing;

pub(crate) use host::Host;
pub use listing::{VigieStorageListing, vigie_storage_listed};

use std::ffi::{c_char, c_void};

use crate::VigieResult;
use crate::given::{self, Sized};
use crate::piece::VigieSlice;

/// What a callback of a `vigie_storage` answers. Any other number is a failure, too: it comes back in texts, as a number of the
/// operating system (`errno`).
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieStorageAnswer {
    /// All of it was done; outputs are written.
    Done = 0,
    /// No such file or folder.
    NotFound = -1,
    /// The name is taken.
    Exists = -2,
    /// No room: disk or quota.
    Full = -3,
    /// Not allowed to.
    Denied = -4,
    /// Nothing can be written there at present.
    ReadOnly = -5,
    /// A file stands where a folder is needed.
    NotAFolder = -6,
    /// Another holds the folder.
    Locked = -7,
    /// It failed.
    Failed = -8,
}

/// What a file is opened for.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieStorageAccess {
    /// Reading.
    Read = 0,
    /// Reading, appending, writing in place and cutting off.
    Write = 1,
}

/// A host's own storage: a tree of files, as callbacks. Set `struct_size` to `sizeof(vigie_storage)`. All of them must be there but
/// for `room`. The struct is copied. `README.md`, "A host's own storage", says from which threads they are called, and what they
/// promise.
///
/// Paths and folders are relative to the storage's root, parts joined by `/`, at most 255 bytes of ASCII in all; the root itself
/// is `""`. They are NUL-terminated and, as all that a callback is given, good until it returns. A callback answers one of
/// `vigie_storage_answer`; what it writes to is set by the caller to what no answer can be, and is looked at only after
/// `VIGIE_STORAGE_ANSWER_DONE`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieStorage {
    /// `sizeof(vigie_storage)`.
    pub struct_size: usize,
    /// Handed to each callback as it is.
    pub context: *mut c_void,
    /// Creates a file and opens it for writing, with the folders above it where they are missing.
    /// `VIGIE_STORAGE_ANSWER_EXISTS`: the name is taken. `*file` is the host's own word for it, not NULL, until `close`.
    pub create: Option<
        unsafe extern "C" fn(context: *mut c_void, path: *const c_char, file: *mut *mut c_void) -> i32,
    >,
    /// Opens a file; `access` is one of `vigie_storage_access`. One file may be open more than once, at the same time.
    pub open: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            path: *const c_char,
            access: i32,
            file: *mut *mut c_void,
        ) -> i32,
    >,
    /// Closes a file. What was not synced may be lost.
    pub close: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void)>,
    /// Appends all slices at the end of the file, one behind the other. When it fails, a part of them may be there.
    pub append: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            file: *mut c_void,
            slices: *const VigieSlice,
            count: usize,
        ) -> i32,
    >,
    /// Overwrites `len` bytes that are there.
    pub write_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            file: *mut c_void,
            offset: u64,
            bytes: *const u8,
            len: usize,
        ) -> i32,
    >,
    /// Reads at most `len` bytes, and writes how many to `*read`. It may be fewer; 0 only at the end of the file and behind it.
    pub read_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            file: *mut c_void,
            offset: u64,
            into: *mut u8,
            len: usize,
            read: *mut usize,
        ) -> i32,
    >,
    /// Writes the number of the file's bytes to `*len`.
    pub length: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void, len: *mut u64) -> i32>,
    /// Cuts the file off after `len` bytes.
    pub truncate: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void, len: u64) -> i32>,
    /// Returns when all that was written to the file is where a power cut does not reach it. When it fails, what was written since
    /// the last success may be lost.
    pub sync: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void) -> i32>,
    /// The same of the names in a folder: of what was created, renamed or removed there.
    pub sync_folder: Option<unsafe extern "C" fn(context: *mut c_void, folder: *const c_char) -> i32>,
    /// Gives a file another name, in one step, in place of a file that has it: after a power cut it is the old one or the new one.
    pub rename:
        Option<unsafe extern "C" fn(context: *mut c_void, from: *const c_char, to: *const c_char) -> i32>,
    /// Removes a file. One that is open stays readable until it is closed.
    pub remove: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char) -> i32>,
    /// Says what is in a folder, in any order: by a call of `vigie_storage_listed` for each file and folder, before it returns, on
    /// the same thread. `VIGIE_STORAGE_ANSWER_NOT_FOUND`: there is no such folder.
    pub list: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            folder: *const c_char,
            listing: *mut VigieStorageListing,
        ) -> i32,
    >,
    /// Holds a folder, which need not be there, against every other handle on the storage, in this process and in others:
    /// `VIGIE_STORAGE_ANSWER_LOCKED` while another holds it. It must not outlive the process.
    pub lock: Option<unsafe extern "C" fn(context: *mut c_void, folder: *const c_char) -> i32>,
    /// Lets go of it.
    pub unlock: Option<unsafe extern "C" fn(context: *mut c_void, folder: *const c_char)>,
    /// Removes a folder in which nothing is left. One in which there is something stays, and the answer is
    /// `VIGIE_STORAGE_ANSWER_DONE`.
    pub remove_folder: Option<unsafe extern "C" fn(context: *mut c_void, folder: *const c_char) -> i32>,
    /// Is there room for footage? Asked before footage is written, not before what closes files, indexes and journals is:
    /// `VIGIE_STORAGE_ANSWER_FULL` while there is little left, so that what is open can be closed in it. NULL: there is.
    pub room: Option<unsafe extern "C" fn(context: *mut c_void) -> i32>,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only; NULL is `None` for the callbacks.
unsafe impl Sized for VigieStorage {}

/// Bytes that a file may have: what is longer is no file of a store, and such lengths can be added up.
const LONGEST: u64 = 1 << 44;

/// Callbacks that were looked at: all that must be there are.
#[derive(Clone, Copy)]
pub(crate) struct Callbacks(VigieStorage);

// SAFETY: the host promises (README, "A host's own storage") that its callbacks may be called with `context`, which the library
// never looks into, from the thread that opens, and from those of a recorder.
unsafe impl Send for Callbacks {}

impl Callbacks {
    /// # Safety
    /// `given` is NULL or points to a `vigie_storage`.
    pub(crate) unsafe fn read(given: *const VigieStorage) -> Result<Self, VigieResult> {
        // SAFETY: the caller's promise.
        let c = *unsafe { given::input(given)? };
        let there = [
            c.create.is_some(),
            c.open.is_some(),
            c.close.is_some(),
            c.append.is_some(),
            c.write_at.is_some(),
            c.read_at.is_some(),
            c.length.is_some(),
            c.truncate.is_some(),
            c.sync.is_some(),
            c.sync_folder.is_some(),
            c.rename.is_some(),
            c.remove.is_some(),
            c.list.is_some(),
            c.lock.is_some(),
            c.unlock.is_some(),
            c.remove_folder.is_some(),
        ];
        if there.contains(&false) { Err(VigieResult::NullPointer) } else { Ok(Self(c)) }
    }
}
