//! Is a camera's recording whole?

use std::ffi::c_char;

use vigie::gix::Day;
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
    /// What is not as it should be.
    pub findings: *const VigieFinding,
    /// Number of them.
    pub finding_count: usize,
    /// Those of them that are damage.
    pub damage: u64,
    /// 1: the camera is being recorded, and what is unfinished there was not looked at.
    pub live: i32,
    /// Must be 0.
    pub reserved: i32,
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
        let (total, findings) = checked.map_err(|error| self.store_error(&error))?;
        self.lent = Lent::default();
        for finding in &findings {
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
            files: total.files,
            fragments: total.fragments,
            bytes: total.bytes,
            findings: self.lent.findings.as_ptr(),
            finding_count: self.lent.findings.len(),
            damage: findings.iter().filter(|finding| !finding.what.is_note()).count() as u64,
            live: live.into(),
            reserved: 0,
        })
    }

    fn days(
        &mut self,
        source: &Source,
        days: Vec<Day>,
        live: bool,
    ) -> Result<(Checked, Vec<Finding>), store::Error> {
        let (mut total, mut findings) = (Checked::default(), Vec::new());
        for day in days {
            let mut check = DayCheck::new(&mut self.storage, *source, day, live)?;
            while check.step(&mut self.storage, &mut findings)? {}
            let Checked { files, fragments, bytes, .. } = check.checked();
            total.files += files;
            total.fragments += fragments;
            total.bytes += bytes;
        }
        Ok((total, findings))
    }
}
