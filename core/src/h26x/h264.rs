//! ITU-T H.264 (ISO/IEC 14496-10): parameter sets, slice headers, picture order count.

pub(super) mod order;
mod pps;
mod slice;
mod sps;
mod subset;
mod vui;

pub use pps::Pps;
pub use slice::SliceHeader;
pub use sps::{OrderType, Sps};
pub use subset::SubsetSps;
pub use vui::{Restriction, Vui};
pub(super) use vui::{aspect, chroma_location};

#[cfg(test)]
mod tests;
