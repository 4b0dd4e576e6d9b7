//! Is a camera's recording whole?

use std::ffi::c_char;

use vigie::gix::Day;
use vigie::limits::Limits;
use vigie::store::{self, Checked, DayCheck, Finding, Kind, Source, Storage as _};

use super::Store;
use super::list::Lent;
use crate::VigieResult;
use crate::given::Sized;

/// Something that is not as the format says, and where.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieFinding {
    /// The file, from the store's root; NUL-terminated.
    pub path: *const c_char,
    /// What is wrong, as a word (`hole`, `tail`, `index`, ...: those of `vigie fsck --json`); NUL-terminated.
    pub what: *const c_char,
    /// The same as a line of English; NUL-terminated.
    pub text: *const c_char,
    /// Byte of the file that it starts at.
    pub offset: u64,
    /// Bytes, or fragments where it is about the index.
    pub count: u64,
    /// 1: damage. 0: only worth a look.
    pub damage: i32,
    /// Must be 0.
    pub reserved: i32,
}

/// What a check found. Set `struct_size` to `sizeof(vigie_check)` before the call. The array stays the store's, and good until
/// the next call on it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieCheck {
    /// `sizeof(vigie_check)`.
    pub struct_size: usize,
    /// Media files read.
    pub files: u64,
    /// Whole fragments in them.
    pub fragments: u64,
    /// Bytes read of media.
    pub bytes: u64,
    /// What is not as it should be: of each day in order, the first 10 000 of all.
    pub findings: *const VigieFinding,
    /// Number of them.
    pub finding_count: usize,
    /// Those that are damage, listed or not.
    pub damage: u64,
    /// 1: the camera is being recorded, and what is unfinished there was not looked at.
    pub live: i32,
    /// 1: there are more findings than are listed.
    pub more: i32,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieCheck {}

impl Store {
    pub(super) fn check(&mut self, source: &Source) -> Result<VigieCheck, VigieResult> {
        // First: taking the lock would make the folder of a camera that is not there.
        let days = store::days(&mut self.storage, source).map_err(|error| self.store_error(&error))?;
        if days.is_empty() {
            return Err(self.store_error(&Kind::NotFound.into()));
        }
        let live = match self.storage.lock(&source.to_string()) {
            Ok(()) => false,
            Err(error) if error.kind == Kind::Locked => true,
            // To look, it takes no right to write.
            Err(error) if matches!(error.kind, Kind::Denied | Kind::ReadOnly) => false,
            Err(error) => return Err(self.store_error(&error)),
        };
        let checked = self.days(source, days, live);
        if !live {
            self.storage.unlock(&source.to_string());
        }
        let found = checked.map_err(|error| self.store_error(&error))?;
        self.lent = Lent::default();
        for finding in &found.listed {
            let path = self.lent.text(&finding.path);
            let (what, text) =
                (self.lent.text(finding.what.name()), self.lent.text(&finding.what.to_string()));
            let damage = i32::from(!finding.what.is_note());
            let (offset, count) = (finding.at, finding.count);
            let finding = VigieFinding { path, what, text, offset, count, damage, reserved: 0 };
            self.lent.findings.push(finding);
        }
        Ok(VigieCheck {
            struct_size: size_of::<VigieCheck>(),
            files: found.files,
            fragments: found.fragments,
            bytes: found.bytes,
            findings: self.lent.findings.as_ptr(),
            finding_count: self.lent.findings.len(),
            damage: found.damage,
            live: live.into(),
            more: found.more.into(),
        })
    }

    fn days(&mut self, source: &Source, days: Vec<Day>, live: bool) -> Result<Found, store::Error> {
        let (mut found, mut new) = (Found::default(), Vec::new());
        for day in days {
            let mut check = DayCheck::new(&mut self.storage, *source, day, live)?;
            loop {
                let more = check.step(&mut self.storage, &mut new)?;
                found.take(&mut new);
                if !more {
                    break;
                }
            }
            let Checked { files, fragments, bytes, .. } = check.checked();
            found.files += files;
            found.fragments += fragments;
            found.bytes += bytes;
        }
        Ok(found)
    }
}

/// What a check has found so far.
#[derive(Default)]
struct Found {
    files: u64,
    fragments: u64,
    bytes: u64,
    listed: Vec<Finding>,
    damage: u64,
    /// There were more than are listed.
    more: bool,
}

impl Found {
    fn take(&mut self, new: &mut Vec<Finding>) {
        self.damage += new.iter().filter(|finding| !finding.what.is_note()).count() as u64;
        let room = Limits::default().findings.saturating_sub(self.listed.len());
        self.more |= new.len() > room;
        self.listed.extend(new.drain(..).take(room));
    }
}
