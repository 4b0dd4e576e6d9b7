//! What a recorder tells.

use std::ffi::c_char;

use crate::given::Sized;
use crate::session::VigieHealth;

/// What an event of a recorder is. A later version may tell of more: let those you do not know pass.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieRecorderEventKind {
    /// A connection is being made; `number` counts the attempts since the last picture.
    Connecting = 1,
    /// Pictures will come.
    Playing = 2,
    /// There is no connection: `cause`, `code` and `text` say why; the next attempt is in `number` microseconds.
    Disconnected = 3,
    /// `number` fragments are safely on the disk so far.
    Synced = 4,
    /// The store cannot be written: `code` and `text` say why. The recorder tries again by itself.
    StoreFailed = 5,
    /// The store can be written again.
    StoreBack = 6,
    /// The disk was too slow: `number` pictures more were dropped.
    Dropped = 7,
    /// The camera breaks a rule that has one sensible reading: `text` names it. Once for each rule and connection.
    Quirk = 8,
    /// How the source does: `health`. Every five seconds while pictures come.
    Health = 9,
    /// What was expired was not deleted, or not all of it: `text` says why.
    Retention = 10,
    /// The recording has ended. The last event. Before `vigie_recorder_stop` was called: by a fault of the library.
    Stopped = 11,
}

/// Something that happened. All of it is good until the callback returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieRecorderEvent {
    /// `sizeof(vigie_recorder_event)` of the library.
    pub struct_size: usize,
    /// One of `vigie_recorder_event_kind`, which says what the other fields hold; those it does not name are 0.
    pub kind: i32,
    /// One of `vigie_cause`.
    pub cause: i32,
    /// The stable number of the error behind it.
    pub code: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A number.
    pub number: u64,
    /// Text, NUL-terminated, or NULL.
    pub text: *const c_char,
    /// How the source does, or NULL.
    pub health: *const VigieHealth,
}

/// Counters of a recorder, from its start. Set `struct_size` to `sizeof(vigie_recorder_counters)` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieRecorderCounters {
    /// `sizeof(vigie_recorder_counters)`.
    pub struct_size: usize,
    /// Pictures that came.
    pub pictures: u64,
    /// Fragments written.
    pub fragments: u64,
    /// Fragments known to be on the disk.
    pub synced: u64,
    /// Media files begun.
    pub files: u64,
    /// Bytes of fragments written.
    pub bytes: u64,
    /// Pictures dropped since the disk was too slow.
    pub dropped: u64,
    /// Times that the connection, the store or the pictures failed after they had come.
    pub gaps: u64,
    /// 1 while there is a connection with pictures.
    pub connected: i32,
    /// 1 while the store cannot be written.
    pub failing: i32,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers only.
unsafe impl Sized for VigieRecorderCounters {}
