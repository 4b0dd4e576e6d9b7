//! What a stream without NAL units is, and its access units.

use alloc::sync::Arc;
use bytes::Bytes;

use crate::depacket::{AudioFormat, AudioUnit, Loss, PictureFormat, PictureUnit};
use crate::time::Micros;

/// What a plain stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainFormat {
    /// Sound.
    Audio(Arc<AudioFormat>),
    /// Pictures without NAL units.
    Picture(Arc<PictureFormat>),
}

impl PlainFormat {
    pub(super) fn clock_rate(&self) -> u32 {
        match self {
            Self::Audio(format) => format.clock_rate,
            Self::Picture(format) => format.clock_rate,
        }
        .max(1)
    }

    /// Is a decoder for one of them also one for the other? (The clock of the RTP timestamps does not matter.)
    pub(crate) fn decodes_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Audio(a), Self::Audio(b)) => {
                Arc::ptr_eq(a, b) || **a == AudioFormat { clock_rate: a.clock_rate, ..(**b).clone() }
            }
            (Self::Picture(a), Self::Picture(b)) => {
                Arc::ptr_eq(a, b) || **a == PictureFormat { clock_rate: a.clock_rate, ..(**b).clone() }
            }
            _ => false,
        }
    }
}

/// An access unit of a plain stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlainUnit {
    /// What it is.
    pub format: PlainFormat,
    /// Its bytes.
    pub data: Bytes,
    /// Its RTP timestamp.
    pub timestamp: u32,
    /// Ticks of the RTP clock that it lasts; `None`: until the next.
    pub duration: Option<u32>,
    /// When its first byte arrived.
    pub received: Micros,
    /// Can decoding start here?
    pub random_access: bool,
    /// What is missing.
    pub loss: Loss,
}

impl From<AudioUnit> for PlainUnit {
    fn from(unit: AudioUnit) -> Self {
        Self {
            format: PlainFormat::Audio(unit.format),
            data: unit.data,
            timestamp: unit.timestamp,
            duration: Some(unit.duration),
            received: unit.received,
            random_access: true,
            loss: unit.loss,
        }
    }
}

impl From<PictureUnit> for PlainUnit {
    fn from(unit: PictureUnit) -> Self {
        Self {
            format: PlainFormat::Picture(unit.format),
            data: unit.data,
            timestamp: unit.timestamp,
            duration: None,
            received: unit.received,
            random_access: unit.random_access,
            loss: unit.loss,
        }
    }
}
