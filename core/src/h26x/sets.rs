//! The parameter sets of a stream.

use alloc::vec::Vec;
use bytes::Bytes;

use super::error::{Error, Kind};
use super::{Codec, Nal, NalKind, VideoFormat};
use crate::fault::Offset;

/// The parameter sets in force, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets {
    codec: Codec,
    sets: Vec<(NalKind, u8, Bytes)>,
}

/// What became of a parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inserted {
    /// It was there, byte for byte.
    Same,
    /// Its id was not there.
    New,
    /// It took the place of another with its id.
    Changed,
}

impl ParameterSets {
    /// None yet.
    #[must_use]
    pub const fn new(codec: Codec) -> Self {
        Self { codec, sets: Vec::new() }
    }

    /// Takes a parameter set: NAL unit with header, without start code.
    ///
    /// # Errors
    /// [`Error`] where it does not parse; the table is unchanged then.
    pub fn insert(&mut self, nal: &[u8]) -> Result<Inserted, Error> {
        self.insert_within(nal, usize::MAX)
    }

    pub(crate) fn insert_within(&mut self, nal: &[u8], limit: usize) -> Result<Inserted, Error> {
        let kind = Nal::new(nal).kind(self.codec);
        if !kind.is_parameter_set() {
            return Err(Error { kind: Kind::WrongType, at: Offset(0) });
        }
        if nal.len() > limit {
            return Err(Error { kind: Kind::TooLong, at: Offset(0) });
        }
        if self.holds(nal) {
            return Ok(Inserted::Same);
        }
        let had = self.sets.iter().position(|(k, _, _)| *k == kind);
        if let Some(at) = had {
            self.sets.remove(at);
        }
        self.sets.push((kind, 0, Bytes::copy_from_slice(nal)));
        Ok(if had.is_some() { Inserted::Changed } else { Inserted::New })
    }

    /// Is this very parameter set in the table?
    #[must_use]
    pub fn holds(&self, nal: &[u8]) -> bool {
        self.sets.iter().any(|(_, _, bytes)| bytes == nal)
    }

    fn of(&self, kind: NalKind) -> impl Iterator<Item = (u8, &Bytes)> {
        self.sets.iter().filter(move |(k, _, _)| *k == kind).map(|(_, id, bytes)| (*id, bytes))
    }

    /// Video parameter sets by id (H.265).
    pub fn vps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.of(NalKind::Vps)
    }

    /// Sequence parameter sets by id.
    pub fn sps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.of(NalKind::Sps)
    }

    /// Picture parameter sets by id.
    pub fn pps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.of(NalKind::Pps)
    }

    /// What the active sequence parameter set says of the pictures.
    #[must_use]
    pub fn format(&self) -> Option<VideoFormat> {
        None
    }

    /// Do pictures that need these decode with an init segment made of `other`?
    #[must_use]
    pub fn decodes_like(&self, other: &Self) -> bool {
        self == other
    }
}
