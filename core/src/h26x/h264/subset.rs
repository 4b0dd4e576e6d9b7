//! Subset sequence parameter set, ITU-T H.264 §7.3.2.1.3: what the layers and views beside the base are coded with.

use super::Sps;
use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::{Codec, Layers, Nal, NalKind};

/// The first part of a subset sequence parameter set. What follows it, of Annexes F to I, is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubsetSps {
    /// seq_parameter_set_data().
    pub sps: Sps,
}

impl SubsetSps {
    /// Reads a NAL unit of type 15.
    ///
    /// # Errors
    /// [`Kind::WrongType`], [`Kind::Truncated`], [`Kind::OutOfRange`].
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(nal, 1);
        if Nal::new(nal).kind(Codec::H264) != NalKind::SubsetSps {
            return Err(bits.error(Kind::WrongType));
        }
        Ok(Self { sps: Sps::read(&mut bits)? })
    }

    /// What is beside the base layer, by profile_idc (§F.7.4.2.1.4 and on).
    #[must_use]
    pub const fn layers(&self) -> Layers {
        match self.sps.profile {
            83 | 86 => Layers::Scalable,
            _ => Layers::Views,
        }
    }
}
