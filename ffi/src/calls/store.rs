//! Calls on stores and readers.

use super::{Host, blank, error, pointer, read_error, read_piece, read_text};
use crate::*;

impl Host<'_> {
    pub(super) fn store(&mut self) {
        let (at, op) = (self.slot(), self.byte());
        let slot = self.stores[at];
        let store = slot.handle;
        let (tenant, camera) = (self.text(c"t"), self.text(c"c"));
        match op % 10 {
            0 | 1 => self.open_store(at),
            2 => {
                let (mut cameras, mut count) = (std::ptr::null(), 0_usize);
                let place = if op >= 0xf0 { std::ptr::null_mut() } else { &raw mut count };
                // SAFETY: the handle is NULL or live; the places are NULL or ours; what is lent is so many.
                unsafe {
                    if slot.answered(vigie_store_cameras(store, &raw mut cameras, place)) == VigieResult::Ok {
                        for at in 0..count {
                            let camera: &VigieCamera = &*cameras.add(at);
                            read_text(camera.tenant);
                            read_text(camera.camera);
                        }
                    }
                }
            }
            3 => self.list(at, pointer(&tenant), pointer(&camera)),
            4 => {
                // SAFETY: numbers and pointers; the handle is NULL or live, the strings NULL or ours.
                let (result, check) = self.with_struct::<VigieCheck>(unsafe { blank() }, |check| unsafe {
                    vigie_store_check(store, pointer(&tenant), pointer(&camera), check)
                });
                if slot.answered(result) == VigieResult::Ok {
                    for at in 0..check.finding_count {
                        // SAFETY: lent by the call just before, so many of them.
                        unsafe {
                            let finding = &*check.findings.add(at);
                            read_text(finding.path);
                            read_text(finding.what);
                            read_text(finding.text);
                        }
                    }
                }
            }
            5 => self.hold(at, pointer(&tenant), pointer(&camera)),
            6 => self.holds(at, pointer(&tenant)),
            7 => {
                // SAFETY: the handle is NULL or live.
                let (result, detail) =
                    self.with_struct(error(), |error| unsafe { vigie_store_error(store, error) });
                read_error(slot.answered(result), &detail);
            }
            8 => self.stores[at].poison(testing::vigie_testing_panic_store),
            _ => self.free_store(at),
        }
    }

    fn open_store(&mut self, at: usize) {
        self.free_store(at);
        let right = self.store.clone();
        let path = self.text(&right);
        let mut handle = std::ptr::null_mut();
        // SAFETY: the string is NULL or ours; so is the place.
        let result = unsafe { vigie_store_open(pointer(&path), &raw mut handle) };
        assert_ne!(result, VigieResult::Panic);
        assert_eq!(result == VigieResult::Ok, !handle.is_null(), "an output is written on success only");
        self.stores[at].handle = handle;
    }

    fn list(&mut self, at: usize, tenant: *const std::ffi::c_char, camera: *const std::ffi::c_char) {
        let (slot, from, to) = (self.stores[at], self.number() as i64, self.number() as i64);
        // SAFETY: numbers and pointers; the handle is NULL or live, the strings NULL or ours.
        let (result, listing) = self.with_struct::<VigieListing>(unsafe { blank() }, |listing| unsafe {
            vigie_store_list(slot.handle, tenant, camera, from, to, listing)
        });
        if slot.answered(result) != VigieResult::Ok {
            return;
        }
        // SAFETY: lent by the call just before, so many of each.
        let (ranges, gaps) = unsafe {
            let ranges = (0..listing.range_count).map(|at| *listing.ranges.add(at)).collect::<Vec<_>>();
            (ranges, (0..listing.gap_count).map(|at| *listing.gaps.add(at)).collect::<Vec<_>>())
        };
        assert!(ranges.iter().all(|range| range.from <= range.to));
        assert!(gaps.iter().all(|gap| gap.span.from <= gap.span.to));
    }

    fn hold(&mut self, at: usize, tenant: *const std::ffi::c_char, camera: *const std::ffi::c_char) {
        let slot = self.stores[at];
        let (case, who, why) = (self.text(c"1"), self.text(c"Durand"), self.text(c"requisition"));
        let cameras = [camera, camera];
        // SAFETY: numbers and pointers.
        let mut request: VigieHoldRequest = unsafe { blank() };
        (request.tenant, request.cameras) = (tenant, cameras.as_ptr());
        request.camera_count = match self.byte() % 8 {
            0 => 0,
            1 => usize::MAX,
            2 => crate::given::MOST,
            n => usize::from(n % 2) + 1,
        };
        request.span = VigieSpan { from: self.number() as i64, to: self.number() as i64 };
        (request.case_name, request.who, request.why) = (pointer(&case), pointer(&who), pointer(&why));
        let mut number = 0;
        // SAFETY: the handle is NULL or live; the count is that of the array, or above the largest; the place is ours.
        let (result, _) = self.with_struct(request, |request| unsafe {
            vigie_store_hold_add(slot.handle, request, &raw mut number)
        });
        slot.answered(result);
        let mut released = 0;
        if result == VigieResult::Ok || self.byte() & 1 == 0 {
            // SAFETY: as above.
            let result = unsafe {
                vigie_store_hold_release(
                    slot.handle,
                    tenant,
                    number,
                    pointer(&who),
                    pointer(&why),
                    &raw mut released,
                )
            };
            slot.answered(result);
        }
    }

    fn holds(&mut self, at: usize, tenant: *const std::ffi::c_char) {
        let slot = self.stores[at];
        let (mut held, mut count) = (std::ptr::null(), 0_usize);
        // SAFETY: the handle is NULL or live; the places are ours; what is lent is so many.
        unsafe {
            if slot.answered(vigie_store_holds(slot.handle, tenant, &raw mut held, &raw mut count))
                == VigieResult::Ok
            {
                for at in 0..count {
                    let hold: &VigieHold = &*held.add(at);
                    for at in 0..hold.camera_count {
                        read_text(*hold.cameras.add(at));
                    }
                    read_text(hold.case_name);
                    read_text(hold.who);
                    read_text(hold.why);
                    read_text(hold.release_asked_by);
                }
            }
        }
    }

    pub(super) fn free_store(&mut self, at: usize) {
        // SAFETY: the handle is NULL or live, and forgotten when it was freed.
        let result = unsafe { vigie_store_free(self.stores[at].handle) };
        self.stores[at].freed(result);
    }

    pub(super) fn reader(&mut self) {
        let (at, op) = (self.slot(), self.byte());
        let slot = self.readers[at];
        let reader = slot.handle;
        match op % 10 {
            0 | 1 => {
                self.free_reader(at);
                let right = self.store.clone();
                let (path, tenant, camera) = (self.text(&right), self.text(c"t"), self.text(c"c"));
                let mut handle = std::ptr::null_mut();
                // SAFETY: the strings are NULL or ours; so is the place.
                let result = unsafe {
                    vigie_reader_open(pointer(&path), pointer(&tenant), pointer(&camera), &raw mut handle)
                };
                assert_ne!(result, VigieResult::Panic);
                assert_eq!(
                    result == VigieResult::Ok,
                    !handle.is_null(),
                    "an output is written on success only"
                );
                self.readers[at].handle = handle;
            }
            2 => {
                let utc = self.number() as i64;
                // SAFETY: the handle is NULL or live.
                slot.answered(unsafe { vigie_reader_seek(reader, utc) });
            }
            3..=6 => {
                for _ in 0..4 {
                    // SAFETY: numbers and pointers; the handle is NULL or live.
                    let (result, piece) =
                        self.with_struct::<VigiePiece>(unsafe { blank() }, |piece| unsafe {
                            if op % 2 == 0 {
                                vigie_reader_next(reader, piece)
                            } else {
                                vigie_reader_next_key(reader, piece)
                            }
                        });
                    if slot.answered(result) != VigieResult::Ok {
                        return;
                    }
                    // SAFETY: just given.
                    unsafe { read_piece(&piece) };
                }
            }
            7 => {
                // SAFETY: the handle is NULL or live.
                let (result, detail) =
                    self.with_struct(error(), |error| unsafe { vigie_reader_error(reader, error) });
                read_error(slot.answered(result), &detail);
            }
            8 => self.readers[at].poison(testing::vigie_testing_panic_reader),
            _ => self.free_reader(at),
        }
    }

    pub(super) fn free_reader(&mut self, at: usize) {
        // SAFETY: the handle is NULL or live, and forgotten when it was freed.
        let result = unsafe { vigie_reader_free(self.readers[at].handle) };
        self.readers[at].freed(result);
    }
}
