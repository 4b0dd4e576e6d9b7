//! The library's functions called in any order, as a program with faults in it would: what the fuzzer drives. Bytes say which
//! call comes, on which handle, and what is wrong with its arguments; each must answer with a result, and what it lends must be
//! there.
//!
//! What no library can notice is not done: a handle that was freed, a length that is longer than its bytes and below the
//! largest, memory that is not mapped. Exports, and the storage of a host, are not driven here: `tests/host.c` has those.

mod remuxer;
mod session;
mod store;

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr;

use crate::given::{MOST, Sized};
use crate::{
    VigieError, VigiePiece, VigieReader, VigieRemuxer, VigieResult, VigieSession, VigieStore,
    vigie_abi_version, vigie_result_text,
};

/// Handles of each kind.
const SLOTS: usize = 2;
/// Calls of one run.
const CALLS: usize = 400;

/// Makes the calls that `script` says. `store` is the folder of a store with a camera `t/c`.
///
/// # Panics
/// Where a call does not answer as the contract says.
pub fn run(script: &[u8], store: &Path) {
    let mut host = Host {
        script,
        store: CString::new(store.as_os_str().as_encoded_bytes()).unwrap_or_default(),
        remuxers: [Slot::EMPTY; SLOTS],
        sessions: [Slot::EMPTY; SLOTS],
        stores: [Slot::EMPTY; SLOTS],
        readers: [Slot::EMPTY; SLOTS],
        recorded: false,
    };
    for _ in 0..CALLS {
        if host.script.is_empty() {
            break;
        }
        match host.byte() % 8 {
            0..=2 => host.remuxer(),
            3 | 4 => host.session(),
            5 => host.store(),
            6 => host.reader(),
            _ => host.others(),
        }
    }
    host.free_all();
}

/// A handle that the host has.
struct Slot<T> {
    handle: *mut T,
    poisoned: bool,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slot<T> {}

impl<T> Slot<T> {
    const EMPTY: Self = Self { handle: ptr::null_mut(), poisoned: false };

    /// What a call on it answered: nothing but an error where there is no handle, or a poisoned one.
    fn answered(&self, result: VigieResult) -> VigieResult {
        assert_ne!(result, VigieResult::Panic, "a fault of the library");
        assert!((result as i32) < 0 || !(self.handle.is_null() || self.poisoned), "{result:?}");
        result
    }

    /// It was freed.
    fn freed(&mut self, result: VigieResult) {
        assert_eq!(result, VigieResult::Ok, "free");
        *self = Self::EMPTY;
    }

    /// A planted panic.
    fn poison(&mut self, call: unsafe extern "C" fn(*mut c_void) -> VigieResult) {
        // SAFETY: the handle is NULL or live, and `call` is of its kind: each caller passes the one of its slot.
        let result = unsafe { call(self.handle.cast()) };
        match (self.handle.is_null(), self.poisoned) {
            (true, _) => assert_eq!(result, VigieResult::NullPointer),
            (_, true) => assert_eq!(result, VigieResult::Poisoned),
            _ => assert_eq!(result, VigieResult::Panic),
        }
        self.poisoned = !self.handle.is_null();
    }
}

struct Host<'a> {
    script: &'a [u8],
    store: CString,
    remuxers: [Slot<VigieRemuxer>; SLOTS],
    sessions: [Slot<VigieSession>; SLOTS],
    stores: [Slot<VigieStore>; SLOTS],
    readers: [Slot<VigieReader>; SLOTS],
    /// A recorder was started: they have threads, and one is enough.
    recorded: bool,
}

impl Host<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.script.split_first() else { return 0 };
        self.script = rest;
        *first
    }

    fn slot(&mut self) -> usize {
        usize::from(self.byte()) % SLOTS
    }

    fn number(&mut self) -> u64 {
        let kind = self.byte();
        match kind & 3 {
            0 => u64::from(kind >> 2),
            1 => u64::from(kind) << 20,
            2 => u64::from_be_bytes([0; 8].map(|_: u8| self.byte())),
            _ => u64::MAX >> (kind >> 2),
        }
    }

    /// Of the script, behind a length in 2 bytes.
    fn chunk(&mut self) -> Vec<u8> {
        let len = usize::from(u16::from_be_bytes([self.byte(), self.byte()]));
        let (taken, rest) = self.script.split_at(len.min(self.script.len()));
        self.script = rest;
        taken.to_vec()
    }

    /// Bytes and the length that is told: theirs, or far too much; or NULL.
    fn bytes(&mut self) -> (Vec<u8>, Told) {
        let how = self.byte();
        let bytes = self.chunk();
        let told = match how % 16 {
            0 => Told::Null(bytes.len()),
            1 => Told::Len(MOST + 1 + usize::from(how)),
            2 => Told::Len(usize::MAX - usize::from(how)),
            _ => Told::Len(bytes.len()),
        };
        (bytes, told)
    }

    /// A string, or NULL.
    fn text(&mut self, right: &CStr) -> Option<CString> {
        let how = self.byte();
        match how % 16 {
            0 => None,
            1 => Some(CString::default()),
            2 => CString::new([0xff, 0xfe]).ok(),
            3 => CString::new(vec![b'a'; 5_000]).ok(),
            4 => CString::new(self.chunk().into_iter().filter(|b| *b != 0).collect::<Vec<_>>()).ok(),
            5 => CString::new("../../etc").ok(),
            _ => Some(right.to_owned()),
        }
    }

    /// Hands a struct to a call: as it should be, or with a wrong size, not aligned, or NULL.
    fn with_struct<T: Sized + Copy>(
        &mut self,
        value: T,
        call: impl FnOnce(*mut T) -> VigieResult,
    ) -> (VigieResult, T) {
        let how = self.byte();
        let mut room = [MaybeUninit::new(value), MaybeUninit::new(value)];
        let place: *mut T = room.as_mut_ptr().cast();
        let wrong = match how % 16 {
            0 => call(ptr::null_mut()),
            1 => {
                // SAFETY: room for two, and every such struct starts with its size, which the trait promises.
                unsafe { place.cast::<usize>().write(size_of::<T>() ^ usize::from(how / 16 + 1)) };
                call(place)
            }
            2 => {
                let place = place.cast::<u8>().wrapping_add(1).cast::<T>();
                // SAFETY: room for two of them, so that one fits a byte further on.
                unsafe { place.write_unaligned(value) };
                call(place)
            }
            _ => {
                let result = call(place);
                // SAFETY: it was initialised, and whatever a call wrote is a value: numbers and pointers.
                return (result, unsafe { place.read() });
            }
        };
        assert!((wrong as i32) < 0, "{wrong:?} for a struct that is none");
        (wrong, value)
    }

    /// What belongs to no handle, and recorders.
    fn others(&mut self) {
        let result = self.number() as i32;
        // SAFETY: never NULL and static, as its page says.
        let text = unsafe { CStr::from_ptr(vigie_result_text(result)) };
        assert!(!text.is_empty() && vigie_abi_version() == crate::VIGIE_ABI_VERSION);
        self.recorder();
    }

    fn free_all(&mut self) {
        for at in 0..SLOTS {
            self.free_remuxer(at);
            self.free_session(at);
            self.free_store(at);
            self.free_reader(at);
        }
    }
}

/// The length that a call is told.
#[derive(Clone, Copy)]
enum Told {
    Null(usize),
    Len(usize),
}

impl Told {
    fn pointer(self, bytes: &[u8]) -> (*const u8, usize) {
        match self {
            Self::Null(len) => (ptr::null(), len),
            Self::Len(len) => (bytes.as_ptr(), len),
        }
    }
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

/// A struct of zeros with its size.
///
/// # Safety
/// Zeros are a value of it.
unsafe fn blank<T: Sized>() -> T {
    let mut blank = MaybeUninit::<T>::zeroed();
    // SAFETY: there is room, and every such struct starts with its size; zeros are the caller's promise.
    unsafe {
        blank.as_mut_ptr().cast::<usize>().write(size_of::<T>());
        blank.assume_init()
    }
}

fn error() -> VigieError {
    // SAFETY: numbers and bytes.
    unsafe { blank() }
}

/// Reads all that was lent: the sanitizer says where it is not there.
///
/// # Safety
/// The piece was given by the call just before.
unsafe fn read_piece(piece: &VigiePiece) {
    let mut sum = 0_u64;
    for at in 0..piece.slice_count {
        // SAFETY: so many slices, each of so many bytes: the library's promise, which is what is tried here.
        let bytes = unsafe {
            let slice = &*piece.slices.add(at);
            std::slice::from_raw_parts(slice.bytes, slice.len)
        };
        sum += bytes.iter().map(|b| u64::from(*b)).sum::<u64>();
    }
    std::hint::black_box(sum);
    // SAFETY: likewise.
    unsafe { read_text(piece.codec_string) };
}

/// # Safety
/// NULL, or lent by the call just before.
unsafe fn read_text(text: *const c_char) {
    if !text.is_null() {
        // SAFETY: NUL-terminated, as the library promises.
        std::hint::black_box(unsafe { CStr::from_ptr(text) }.to_bytes().len());
    }
}

fn read_error(result: VigieResult, error: &VigieError) {
    if result == VigieResult::Ok {
        assert!(error.text.contains(&0) && error.camera.contains(&0), "no end of the text");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    /// The fuzzer goes further; this shows that the driver itself keeps to the contract.
    #[test]
    fn any_calls_answer() {
        std::panic::set_hook(Box::new(|info| {
            if info.payload().downcast_ref() != Some(&"planted") {
                eprintln!("{info}");
            }
        }));
        let folder = std::env::temp_dir().join(format!("vigie-calls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..300 {
            let next = |_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 24) as u8
            };
            let script: Vec<u8> = (0..600).map(next).collect();
            super::run(&script, &folder);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
