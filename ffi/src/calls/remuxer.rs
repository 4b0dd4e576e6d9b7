//! Calls on remuxers.

use super::{Host, blank, error, pointer, read_error, read_piece};
use crate::*;

impl Host<'_> {
    pub(super) fn remuxer(&mut self) {
        let (at, op) = (self.slot(), self.byte());
        let slot = self.remuxers[at];
        let remuxer = slot.handle;
        match op % 16 {
            0 => self.new_remuxer(at),
            1..=3 => {
                let ((bytes, told), now) = (self.bytes(), self.number());
                let (pointer, len) = told.pointer(&bytes);
                // SAFETY: the handle is NULL or live; where the length is not that of the bytes, it is above the largest.
                let result = unsafe {
                    match op % 16 {
                        1 => vigie_remuxer_push(remuxer, pointer, len),
                        2 => vigie_remuxer_push_rtp(remuxer, pointer, len, now),
                        _ => vigie_remuxer_push_rtcp(remuxer, pointer, len, now),
                    }
                };
                slot.answered(result);
            }
            4 | 5 => {
                let (bytes, told) = self.bytes();
                // SAFETY: numbers and pointers.
                let mut unit: VigieAccessUnit = unsafe { blank() };
                (unit.bytes, unit.len) = told.pointer(&bytes);
                (unit.length_prefixed, unit.timestamp) = (i32::from(op >> 4 & 3), self.number() as u32);
                (unit.received, unit.lost) = (self.number(), u32::from(op >> 6));
                // SAFETY: as above; the struct is made right or wrong in a way that its first word or its address tells.
                let (result, _) =
                    self.with_struct(unit, |unit| unsafe { vigie_remuxer_push_access_unit(remuxer, unit) });
                slot.answered(result);
            }
            6..=8 => self.pull_remuxer(at),
            9 => {
                let (now, utc) = (self.number(), self.number() as i64);
                // SAFETY: the handle is NULL or live.
                slot.answered(unsafe { vigie_remuxer_clock(remuxer, now, utc) });
            }
            10 => {
                let mut due = 0_u64;
                let place = if op & 0x80 == 0 { &raw mut due } else { std::ptr::null_mut() };
                let now = self.number();
                // SAFETY: the handle is NULL or live; the place is NULL or ours.
                unsafe {
                    let result = slot.answered(vigie_remuxer_next_timeout(remuxer, place));
                    assert!(!place.is_null() || (result as i32) < 0);
                    slot.answered(vigie_remuxer_timeout(remuxer, due.max(now)));
                }
            }
            // SAFETY: the handle is NULL or live.
            11 => _ = slot.answered(unsafe { vigie_remuxer_finish(remuxer) }),
            12 => {
                // SAFETY: numbers; the handle is NULL or live.
                let (result, _) = self
                    .with_struct(unsafe { blank() }, |stats| unsafe { vigie_remuxer_stats(remuxer, stats) });
                slot.answered(result);
            }
            13 => {
                // SAFETY: the handle is NULL or live.
                let (result, detail) =
                    self.with_struct(error(), |error| unsafe { vigie_remuxer_error(remuxer, error) });
                read_error(slot.answered(result), &detail);
            }
            14 => self.remuxers[at].poison(testing::vigie_testing_panic_remuxer),
            _ => self.free_remuxer(at),
        }
    }

    fn new_remuxer(&mut self, at: usize) {
        self.free_remuxer(at);
        let ((sdp, told), camera, how) = (self.bytes(), self.text(c"t/c"), self.byte());
        // SAFETY: numbers and pointers.
        let mut config: VigieRemuxerConfig = unsafe { blank() };
        (config.codec, config.input) = (i32::from(how & 3), i32::from(how >> 2 & 3));
        (config.mode, config.datagrams) = (i32::from(how >> 4 & 1), i32::from(how >> 5 & 1));
        config.media = u32::from(how >> 6);
        if how & 0x0c == 4 {
            (config.sdp, config.sdp_len) = told.pointer(&sdp);
        }
        config.camera = pointer(&camera);
        let mut handle = std::ptr::null_mut();
        let place = if how == 0xff { std::ptr::null_mut() } else { &raw mut handle };
        if how & 0xc0 == 0xc0 {
            // SAFETY: NULL is allowed for the config; the place is NULL or ours.
            let result = unsafe { vigie_remuxer_new(std::ptr::null(), place) };
            assert_eq!(result == VigieResult::Ok, !place.is_null());
        } else {
            let given = |config: *mut VigieRemuxerConfig| match config.is_null() {
                true => VigieResult::NullPointer,
                // SAFETY: as above; the config's pointers are NULL or to what its lengths say, or above the largest.
                false => unsafe { vigie_remuxer_new(config, place) },
            };
            let (result, _) = self.with_struct(config, given);
            assert_ne!(result, VigieResult::Panic);
            assert_eq!(result == VigieResult::Ok, !handle.is_null(), "an output is written on success only");
        }
        self.remuxers[at].handle = handle;
    }

    fn pull_remuxer(&mut self, at: usize) {
        let slot = self.remuxers[at];
        loop {
            // SAFETY: numbers and pointers; the handle is NULL or live.
            let (result, piece) = self
                .with_struct(unsafe { blank() }, |piece| unsafe { vigie_remuxer_pull(slot.handle, piece) });
            if slot.answered(result) != VigieResult::Ok {
                return;
            }
            // SAFETY: just given.
            unsafe { read_piece(&piece) };
        }
    }

    pub(super) fn free_remuxer(&mut self, at: usize) {
        // SAFETY: the handle is NULL or live, and forgotten when it was freed.
        let result = unsafe { vigie_remuxer_free(self.remuxers[at].handle) };
        self.remuxers[at].freed(result);
    }
}
