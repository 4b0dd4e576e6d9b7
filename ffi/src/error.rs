//! The detail of a failure, copied out of the handle it happened in.

use std::ffi::c_char;
use std::fmt::Display;

use vigie::fault::{Blame, Fault};

use crate::VigieResult;
use crate::given::Sized;

/// Whose fault a failure is.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieBlame {
    /// Nobody's, or not known.
    None = 0,
    /// The camera's, or whatever is at the other end.
    Peer = 1,
    /// The caller's: a wrong argument, address or password.
    Caller = 2,
    /// The storage's: full, absent, refusing.
    Storage = 3,
    /// Vigie's own.
    Bug = 4,
}

/// Room for a camera's name in a `vigie_error`: tenant, `/`, camera and NUL, cut where the name is longer.
pub const VIGIE_ERROR_CAMERA: usize = 132;
/// Room for the text in a `vigie_error`, NUL included.
pub const VIGIE_ERROR_TEXT: usize = 320;

/// The detail of the last failure of a handle: what it takes to find the place in a capture. Set `struct_size` to
/// `sizeof(vigie_error)` before the call. All of it is copied: it stays good when the handle is freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VigieError {
    /// `sizeof(vigie_error)`.
    pub struct_size: usize,
    /// The `vigie_result` that the call answered; `VIGIE_OK` where none has failed so far.
    pub result: i32,
    /// The stable number of `core/docs/errors.md`; 0 where there is none.
    pub code: u32,
    /// One of `vigie_blame`.
    pub blame: i32,
    /// RTP sequence number of the packet it happened at, 0 to 65 535; -1 where no packet is concerned.
    pub sequence: i32,
    /// Bytes from the start of what was read (the connection, the stream, a packet, a file); -1 where no place is known.
    pub offset: i64,
    /// RTP timestamp of that packet, -1 where none is concerned.
    pub timestamp: i64,
    /// SSRC of that packet, -1 where none is concerned.
    pub ssrc: i64,
    /// The last CSeq sent to the camera, -1 where there is none.
    pub cseq: i64,
    /// The camera's name, as it was given; NUL-terminated, may be empty.
    pub camera: [c_char; VIGIE_ERROR_CAMERA],
    /// One line of English, for a log: what happened, and where. NUL-terminated; holds no password.
    pub text: [c_char; VIGIE_ERROR_TEXT],
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and bytes only.
unsafe impl Sized for VigieError {}

/// Where a failure happened, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) offset: Option<u64>,
    /// Sequence number, timestamp and SSRC.
    pub(crate) packet: Option<(u16, u32, u32)>,
    pub(crate) cseq: Option<u32>,
}

impl Place {
    /// So many bytes from the start.
    pub(crate) fn at(offset: u64) -> Self {
        Self { offset: Some(offset), ..Self::default() }
    }
}

/// What a handle keeps of its last failure.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    camera: String,
    result: VigieResult,
    code: u32,
    blame: i32,
    place: Place,
    text: String,
}

impl Default for Told {
    fn default() -> Self {
        Self::of("")
    }
}

impl Told {
    pub(crate) fn of(camera: impl Into<String>) -> Self {
        let (camera, result, text) = (camera.into(), VigieResult::Ok, String::new());
        Self { camera, result, code: 0, blame: 0, place: Place::default(), text }
    }

    /// The same, of another camera from now on.
    pub(crate) fn name(&mut self, camera: impl Into<String>) {
        self.camera = camera.into();
    }

    /// What the call answered.
    pub(crate) fn result(&self) -> VigieResult {
        self.result
    }

    /// Keeps a failure that has no number.
    pub(crate) fn fail(&mut self, result: VigieResult, place: Place, text: impl Display) -> VigieResult {
        (self.result, self.code, self.blame) = (result, 0, VigieBlame::None as i32);
        self.place = place;
        self.text = text.to_string();
        result
    }

    /// Keeps a failure of core or net.
    pub(crate) fn fault<E: Fault + Display>(
        &mut self,
        result: VigieResult,
        place: Place,
        error: &E,
    ) -> VigieResult {
        let result = self.fail(result, place, error);
        self.code = error.code().0.into();
        self.blame = match error.blame() {
            Blame::Peer => VigieBlame::Peer,
            Blame::Caller => VigieBlame::Caller,
            Blame::Storage => VigieBlame::Storage,
            Blame::Bug => VigieBlame::Bug,
            _ => VigieBlame::None,
        } as i32;
        result
    }

    /// As C gets it.
    pub(crate) fn written(&self) -> VigieError {
        let Place { offset, packet, cseq } = self.place;
        let mut error = VigieError {
            struct_size: size_of::<VigieError>(),
            result: self.result as i32,
            code: self.code,
            blame: self.blame,
            sequence: packet.map_or(-1, |(sequence, ..)| sequence.into()),
            offset: offset.and_then(|offset| i64::try_from(offset).ok()).unwrap_or(-1),
            timestamp: packet.map_or(-1, |(_, timestamp, _)| timestamp.into()),
            ssrc: packet.map_or(-1, |(.., ssrc)| ssrc.into()),
            cseq: cseq.map_or(-1, i64::from),
            camera: [0; VIGIE_ERROR_CAMERA],
            text: [0; VIGIE_ERROR_TEXT],
        };
        copy(&mut error.camera, &self.camera);
        copy(&mut error.text, &self.line());
        error
    }

    /// What happened, and where.
    fn line(&self) -> String {
        let mut line = self.text.clone();
        if let Some((sequence, timestamp, ssrc)) = self.place.packet {
            line += &format!(" (rtp.seq == {sequence}, timestamp {timestamp}, ssrc {ssrc:#010x})");
        }
        if self.code != 0 {
            line += &format!(" [V{:04}]", self.code);
        }
        line
    }
}

/// Copies text, cut to what fits with its NUL.
pub(crate) fn copy(into: &mut [c_char], text: &str) {
    let Some(most) = into.len().checked_sub(1) else { return };
    let cut = text.floor_char_boundary(most);
    for (to, from) in into.iter_mut().zip(text.as_bytes().iter().take(cut).chain(&[0])) {
        *to = c_char::from_ne_bytes([*from]);
    }
}
