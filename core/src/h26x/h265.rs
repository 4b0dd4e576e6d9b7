//! ITU-T H.265 (ISO/IEC 23008-2): parameter sets, slice headers, picture order count.

mod hrd;
mod lists;
pub(super) mod order;
mod pps;
mod profile;
mod references;
mod slice;
mod sps;
mod vps;
mod vui;

pub use pps::Pps;
pub use profile::Profile;
pub use slice::SliceHeader;
pub use sps::Sps;
pub use vps::Vps;
pub use vui::{Restriction, Vui};

#[cfg(test)]
mod tests;
