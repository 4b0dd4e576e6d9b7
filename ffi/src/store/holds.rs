//! Footage that must not go.

use std::ffi::c_char;
use std::time::{Duration, Instant};

use vigie::gix::Span;
use vigie::store::journal::{self, Journal, Kind};
use vigie::store::{self, Name, hold};
use vigie::time::UtcMicros;

use super::list::{Lent, VigieSpan, window};
use super::{Store, VigieStore, utc_now, with};
use crate::VigieResult;
use crate::given::{self, Sized, answer};

/// So long another process may keep the journal.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be held, for whom and why. Set `struct_size` to `sizeof(vigie_hold_request)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieHoldRequest {
    /// `sizeof(vigie_hold_request)`.
    pub struct_size: usize,
    /// Whose footage.
    pub tenant: *const c_char,
    /// The cameras' names.
    pub cameras: *const *const c_char,
    /// Number of cameras, 1 to 1 000.
    pub camera_count: usize,
    /// From when to when; may reach into the future.
    pub span: VigieSpan,
    /// The case, as whoever asks for it names it: one line.
    pub case_name: *const c_char,
    /// Who orders it: one line.
    pub who: *const c_char,
    /// Why: one line.
    pub why: *const c_char,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieHoldRequest {}

/// A hold in force. The strings are NUL-terminated.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieHold {
    /// Its number within the tenant.
    pub number: u64,
    /// From when to when.
    pub span: VigieSpan,
    /// The case.
    pub case_name: *const c_char,
    /// The cameras' names.
    pub cameras: *const *const c_char,
    /// Number of cameras.
    pub camera_count: usize,
    /// Who ordered it.
    pub who: *const c_char,
    /// Why.
    pub why: *const c_char,
    /// Who asked for its release, where it takes two people; else NULL.
    pub release_asked_by: *const c_char,
}

/// A request, read.
struct Request<'a> {
    tenant: &'a str,
    cameras: Vec<&'a str>,
    span: Span,
    case: &'a str,
    who: &'a str,
    why: &'a str,
}

/// Adds a hold, by a line of the tenant's journal: `*number` is written. From then on nothing of it is deleted.
/// `VIGIE_NOT_FOUND`: a camera has nothing of the span, and it does not reach into the future, or nothing at all.
/// `VIGIE_STORAGE`: nothing is held.
///
/// # Safety
/// `store` is NULL or a live handle; `request` is NULL or points to a `vigie_hold_request` whose strings are NUL-terminated and
/// whose `cameras` are `camera_count`; `number` is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_hold_add(
    store: *mut VigieStore,
    request: *const VigieHoldRequest,
    number: *mut u64,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (request, number) = (given::input(request)?, given::place(number)?);
        if request.camera_count == 0 || request.camera_count > 1_000 {
            return Err(VigieResult::Argument);
        }
        let cameras = given::array(request.cameras, request.camera_count)?;
        let wanted = Request {
            tenant: given::needed(request.tenant)?,
            cameras: cameras.iter().map(|camera| given::needed(*camera)).collect::<Result<_, _>>()?,
            span: window(request.span.from, request.span.to)?,
            case: given::needed(request.case_name)?,
            who: given::needed(request.who)?,
            why: given::needed(request.why)?,
        };
        let add = |s: &mut Store| {
            number.write(s.hold_add(&wanted)?);
            Ok(())
        };
        Ok(with(store, add))
    })
}

/// The tenant's holds in force, by number: `*held` and `*count` are written. They stay the store's, and are good until the next
/// call on it.
///
/// # Safety
/// `store` is NULL or a live handle; `tenant` is NULL or a NUL-terminated string; `held` and `count` are NULL or can be written
/// to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_holds(
    store: *mut VigieStore,
    tenant: *const c_char,
    held: *mut *const VigieHold,
    count: *mut usize,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (held, count, tenant) = (given::place(held)?, given::place(count)?, given::needed(tenant)?);
        let list = |s: &mut Store| {
            let all = s.holds(tenant)?;
            held.write(all.as_ptr());
            count.write(all.len());
            Ok(())
        };
        Ok(with(store, list))
    })
}

/// Releases a hold, or asks for it where it takes two people: `*released` is 1 where it is over. `VIGIE_NOT_FOUND`: there is no
/// such hold.
///
/// # Safety
/// `store` is NULL or a live handle; `tenant`, `who` and `why` are NULL or NUL-terminated strings; `released` is NULL or can be
/// written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_store_hold_release(
    store: *mut VigieStore,
    tenant: *const c_char,
    number: u64,
    who: *const c_char,
    why: *const c_char,
    released: *mut i32,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let (place, tenant) = (given::place(released)?, given::needed(tenant)?);
        let who = (given::needed(who)?, given::needed(why)?);
        let release = |s: &mut Store| {
            place.write(s.hold_release(tenant, number, who)?.into());
            Ok(())
        };
        Ok(with(store, release))
    })
}

impl Store {
    fn name(&mut self, text: &str) -> Result<Name, VigieResult> {
        text.parse().map_err(|error: store::Error| self.store_error(&error))
    }

    /// Opens the tenant's journal for one decision.
    pub(super) fn journal<T>(
        &mut self,
        tenant: Name,
        call: impl FnOnce(&mut Journal, &mut dyn store::Storage, UtcMicros) -> Result<T, journal::Error>,
    ) -> Result<T, VigieResult> {
        let patience = Instant::now() + PATIENCE;
        let storage = &mut self.storage;
        let mut journal = loop {
            match Journal::open(storage, tenant, utc_now()) {
                Ok(journal) => break journal,
                Err(error) if error.kind == Kind::Store(store::Kind::Locked) && Instant::now() < patience => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(self.journal_error(&error)),
            }
        };
        let done = call(&mut journal, storage, utc_now());
        journal.close(storage);
        done.map_err(|error| self.journal_error(&error))
    }

    fn hold_add(&mut self, request: &Request<'_>) -> Result<u64, VigieResult> {
        self.told.name(request.tenant);
        let tenant = self.name(request.tenant)?;
        let mut cameras = Vec::with_capacity(request.cameras.len());
        for camera in &request.cameras {
            cameras.push(self.name(camera)?);
        }
        // Before the journal is opened: a tenant that is not there gets none.
        for camera in &cameras {
            let source = store::Source { tenant, camera: *camera };
            let days = store::days(&mut self.storage, &source);
            if days.map_err(|error| self.store_error(&error))?.is_empty() {
                self.told.name(source.to_string());
                return Err(self.journal_error(&Kind::NoFootage.into()));
            }
        }
        let wanted = hold::Request {
            case: request.case.to_owned(),
            cameras,
            span: request.span,
            who: request.who.to_owned(),
            why: request.why.to_owned(),
        };
        self.journal(tenant, |journal, storage, now| hold::add(journal, storage, now, &wanted))
    }

    fn holds(&mut self, tenant: &str) -> Result<&[VigieHold], VigieResult> {
        self.told.name(tenant);
        let tenant = self.name(tenant)?;
        let found = journal::read(&mut self.storage, tenant, |_| ());
        let found = found.map_err(|error| self.journal_error(&error))?;
        self.lent = Lent::default();
        let lent = &mut self.lent;
        // Room for all names at once: pointers into it are lent.
        let names = found.state.holds.values().map(|hold| hold.cameras.len()).sum();
        lent.names.reserve_exact(names);
        for (number, hold) in &found.state.holds {
            let first = lent.names.len();
            for camera in &hold.cameras {
                let name = lent.text(camera.as_str());
                lent.names.push(name);
            }
            let held = VigieHold {
                number: *number,
                span: VigieSpan { from: hold.from.0, to: hold.to.0 },
                case_name: lent.text(&hold.case),
                cameras: lent.names.as_ptr().wrapping_add(first),
                camera_count: hold.cameras.len(),
                who: lent.text(&hold.who),
                why: lent.text(&hold.why),
                release_asked_by: hold.asked.as_ref().map_or(std::ptr::null(), |who| lent.text(who)),
            };
            lent.holds.push(held);
        }
        Ok(&self.lent.holds)
    }

    /// Is the hold over? Else another person has to release it, too.
    fn hold_release(&mut self, tenant: &str, number: u64, who: (&str, &str)) -> Result<bool, VigieResult> {
        self.told.name(tenant);
        let tenant = self.name(tenant)?;
        // A tenant that is not there gets no journal.
        let known = journal::read(&mut self.storage, tenant, |_| ());
        if !known.map_err(|error| self.journal_error(&error))?.state.holds.contains_key(&number) {
            return Err(self.journal_error(&Kind::NoHold.into()));
        }
        let release = |journal: &mut Journal, storage: &mut dyn store::Storage, now| {
            hold::release(journal, storage, now, number, who)
        };
        Ok(self.journal(tenant, release)? == hold::Release::Released)
    }
}
