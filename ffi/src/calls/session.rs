//! Calls on sessions and recorders.

use super::{Host, blank, error, pointer, read_error, read_piece, read_text};
use crate::*;

impl Host<'_> {
    pub(super) fn session(&mut self) {
        let (at, op) = (self.slot(), self.byte());
        let slot = self.sessions[at];
        let session = slot.handle;
        let now = self.number();
        match op % 16 {
            0 => self.new_session(at, now),
            1..=4 => {
                let (bytes, told) = self.bytes();
                let (pointer, len) = told.pointer(&bytes);
                // SAFETY: the handle is NULL or live; where the length is not that of the bytes, it is above the largest.
                slot.answered(unsafe { vigie_session_push(session, now, pointer, len) });
                self.pull_session(at);
            }
            5 => self.fill_session(at, now),
            6 => {
                let ((bytes, told), media) = (self.bytes(), self.number() as u32);
                let (pointer, len) = told.pointer(&bytes);
                // SAFETY: as above.
                slot.answered(unsafe {
                    vigie_session_datagram(session, now, media, i32::from(op >> 4 & 3), pointer, len)
                });
                self.pull_session(at);
            }
            7 => {
                let (media, port) = (u32::from(op >> 4 & 3), self.number() as u16);
                // SAFETY: the handle is NULL or live.
                slot.answered(unsafe {
                    vigie_session_bound(session, now, media, port, port.wrapping_add(1))
                });
            }
            8 => {
                let mut due = 0_u64;
                let place = if op & 0x80 == 0 { &raw mut due } else { std::ptr::null_mut() };
                // SAFETY: the handle is NULL or live; the place is NULL or ours.
                unsafe {
                    slot.answered(vigie_session_next_timeout(session, place));
                    slot.answered(vigie_session_timeout(session, due.max(now)));
                }
                self.pull_session(at);
            }
            // SAFETY: the handle is NULL or live.
            9 => _ = slot.answered(unsafe { vigie_session_stop(session, now) }),
            // SAFETY: the handle is NULL or live.
            10 => _ = slot.answered(unsafe { vigie_session_closed(session, now) }),
            11 => {
                // SAFETY: numbers; the handle is NULL or live.
                let (result, _) = self.with_struct(unsafe { blank() }, |health| unsafe {
                    vigie_session_health(session, now, health)
                });
                slot.answered(result);
                let utc = self.number() as i64;
                // SAFETY: the handle is NULL or live.
                slot.answered(unsafe { vigie_session_clock(session, now, utc) });
            }
            12 => {
                // SAFETY: the handle is NULL or live.
                let (result, detail) =
                    self.with_struct(error(), |error| unsafe { vigie_session_error(session, error) });
                read_error(slot.answered(result), &detail);
            }
            13 => self.pull_session(at),
            14 => self.sessions[at].poison(testing::vigie_testing_panic_session),
            _ => self.free_session(at),
        }
    }

    fn new_session(&mut self, at: usize, now: u64) {
        self.free_session(at);
        let (url, user, password) =
            (self.text(c"rtsp://admin:secret@cam/live"), self.text(c"viewer"), self.text(c"secret"));
        let (camera, how, seed) = (self.text(c"t/c"), self.byte(), [7_u8; 32]);
        // SAFETY: numbers and pointers.
        let mut config: VigieSessionConfig = unsafe { blank() };
        (config.url, config.user, config.password) = (pointer(&url), pointer(&user), pointer(&password));
        config.camera = pointer(&camera);
        config.seed = if how & 0x0f == 0x0f { std::ptr::null() } else { seed.as_ptr() };
        (config.mode, config.transport) = (i32::from(how & 3), i32::from(how >> 2 & 1));
        (config.response_timeout, config.media_timeout) = (u64::from(how >> 4), u64::from(how >> 5) << 20);
        let mut handle = std::ptr::null_mut();
        let place = if how == 0xf0 { std::ptr::null_mut() } else { &raw mut handle };
        // SAFETY: the config's pointers are NULL or to what its fields say; the place is NULL or ours.
        let (result, _) = self.with_struct(config, |config| unsafe { vigie_session_new(config, now, place) });
        assert_ne!(result, VigieResult::Panic);
        assert_eq!(result == VigieResult::Ok, !handle.is_null(), "an output is written on success only");
        self.sessions[at].handle = handle;
    }

    /// Reads into the buffer that is lent, or says that it read more than that has.
    fn fill_session(&mut self, at: usize, now: u64) {
        let slot = self.sessions[at];
        let (bytes, more) = (self.chunk(), self.byte() == 0);
        let (mut buffer, mut len) = (std::ptr::null_mut(), 0);
        // SAFETY: the handle is NULL or live; the places are ours. So many bytes can be written: the library's promise.
        unsafe {
            if slot.answered(vigie_session_buffer(slot.handle, &raw mut buffer, &raw mut len))
                != VigieResult::Ok
            {
                return;
            }
            let taken = bytes.len().min(len);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, taken);
            let told = if more { len.saturating_add(1) } else { taken };
            let result = slot.answered(vigie_session_received(slot.handle, now, told));
            assert!(!more || result == VigieResult::Argument, "{result:?}");
        }
        self.pull_session(at);
    }

    fn pull_session(&mut self, at: usize) {
        let slot = self.sessions[at];
        loop {
            // SAFETY: numbers and pointers; the handle is NULL or live.
            let (result, event) = self.with_struct::<VigieEvent>(unsafe { blank() }, |event| unsafe {
                vigie_session_pull(slot.handle, event)
            });
            if slot.answered(result) != VigieResult::Ok {
                return;
            }
            // SAFETY: lent by the call just before: so many bytes, a text, a health, a piece.
            unsafe {
                if event.len > 0 {
                    let bytes = std::slice::from_raw_parts(event.bytes, event.len);
                    std::hint::black_box(bytes.iter().map(|b| u64::from(*b)).sum::<u64>());
                }
                read_text(event.text);
                if let Some(health) = event.health.as_ref() {
                    assert_eq!(health.struct_size, size_of::<VigieHealth>());
                }
                if event.kind == VigieEventKind::Piece as i32 {
                    read_piece(&event.piece);
                }
            }
        }
    }

    pub(super) fn free_session(&mut self, at: usize) {
        // SAFETY: the handle is NULL or live, and forgotten when it was freed.
        let result = unsafe { vigie_session_free(self.sessions[at].handle) };
        self.sessions[at].freed(result);
    }

    /// One that cannot start; and once, where the script insists, one whose camera does not answer.
    pub(super) fn recorder(&mut self) {
        let real = self.byte() == 0xa5 && !std::mem::replace(&mut self.recorded, true);
        let (url, store) = match real {
            true => (Some(c"rtsp://127.0.0.1:1/".to_owned()), Some(self.store.clone())),
            // No store: a thread is not started.
            false => (self.text(c"rtsp://127.0.0.1:1/"), None),
        };
        let (tenant, camera) = (self.text(c"t"), self.text(c"fuzzed"));
        // SAFETY: numbers and pointers; NULL for the callbacks.
        let mut config: VigieRecorderConfig = unsafe { blank() };
        (config.url, config.store) = (pointer(&url), pointer(&store));
        (config.tenant, config.camera) = (pointer(&tenant), pointer(&camera));
        (config.rpo, config.transport) = (self.number(), i32::from(self.byte() & 3));
        let (mut recorder, mut detail) = (std::ptr::null_mut(), error());
        // SAFETY: the config's pointers are NULL or strings; the places are ours.
        let (result, _) = self.with_struct(config, |config| unsafe {
            vigie_recorder_start(config, &raw mut recorder, &raw mut detail)
        });
        assert_ne!(result, VigieResult::Panic);
        assert_eq!(result == VigieResult::Ok, !recorder.is_null(), "an output is written on success only");
        for _ in 0..self.byte() % 4 {
            // SAFETY: numbers; the handle is NULL or live.
            let (result, _) = self
                .with_struct(unsafe { blank() }, |stats| unsafe { vigie_recorder_stats(recorder, stats) });
            assert!(result != VigieResult::Ok || !recorder.is_null());
            // SAFETY: the handle is NULL or live.
            let (result, told) =
                self.with_struct(error(), |error| unsafe { vigie_recorder_error(recorder, error) });
            read_error(result, &told);
        }
        // SAFETY: the handle is NULL or live, and not used afterwards.
        unsafe {
            if self.byte() & 1 == 0 {
                let result = vigie_recorder_stop(recorder);
                assert!(result != VigieResult::Ok || !recorder.is_null());
            }
            assert_eq!(vigie_recorder_free(recorder), VigieResult::Ok);
        }
    }
}
