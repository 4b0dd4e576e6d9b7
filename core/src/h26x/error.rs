//! What can be wrong with a parameter set, a slice header or an SEI message.

use crate::fault::{Blame, Code, Fault, Offset};

/// A NAL unit that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at {at} of the NAL unit")]
#[non_exhaustive]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Bytes from the start of the NAL unit, emulation prevention bytes counted.
    pub at: Offset,
}

/// What is wrong with a NAL unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// It ends before its syntax does.
    #[error("NAL unit is cut short")]
    Truncated,
    /// It is of another type than was asked for.
    #[error("NAL unit is of another type")]
    WrongType,
    /// A syntax element has a value that the standard does not allow.
    #[error("value out of range")]
    OutOfRange,
    /// It refers to a parameter set that was never received.
    #[error("refers to a parameter set that was not received")]
    MissingSet,
    /// It is longer than [`Limits::parameter_set`](crate::limits::Limits::parameter_set).
    #[error("parameter set is too long")]
    TooLong,
    /// Bytes follow its end, and the [policy](crate::limits::Limits::policy) does not tolerate that.
    #[error("bytes follow the end of the parameter set")]
    TrailingBytes,
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::Truncated => 300,
            Kind::WrongType => 301,
            Kind::OutOfRange => 302,
            Kind::MissingSet => 303,
            Kind::TooLong => 304,
            Kind::TrailingBytes => 305,
        })
    }
}

/// How a parameter set ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Extent {
    /// Its NAL unit ends where its syntax does.
    #[default]
    Whole,
    /// Bytes follow it that are none of its own (Reolink doorbell); not read.
    Trailing,
    /// It breaks off, or has a value out of range: what stands before that counts.
    Partial,
    /// It goes on with an extension of a later edition, or of layers that Vigie does not decode; not read.
    Extended,
}

/// A [`BitReader`](crate::octets::BitReader) that fails with an [`Error`] instead of `None`.
#[derive(Clone, Debug)]
pub(super) struct Bits<'a> {
    reader: crate::octets::BitReader<'a>,
    header: usize,
}

/// What a digest of bits starts with.
pub(super) const DIGEST: u64 = 0xcbf2_9ce4_8422_2325;

impl<'a> Bits<'a> {
    /// Over the payload of a NAL unit whose header has `header` bytes.
    pub(super) fn new(nal: &'a [u8], header: usize) -> Self {
        // Of one that ends within its header, the place of an error is its end.
        let header = header.min(nal.len());
        Self { reader: crate::octets::BitReader::new(nal.get(header..).unwrap_or(&[])), header }
    }

    /// An error of `kind` at the present position.
    pub(super) fn error(&self, kind: Kind) -> Error {
        Error { kind, at: Offset((self.header + self.reader.offset()) as u64) }
    }

    /// How a parameter set ends whose syntax ends here.
    pub(super) fn extent(&self) -> Extent {
        if self.reader.more_rbsp_data() { Extent::Trailing } else { Extent::Whole }
    }

    /// Does anything stand before the stop bit?
    pub(super) fn more(&self) -> bool {
        self.reader.more_rbsp_data()
    }

    /// `digest` gone on with the bits from here to where `end` stands: FNV-1a over bits.
    pub(super) fn digest(&self, end: &Self, digest: u64) -> u64 {
        let (mut reader, mut digest) = (self.reader.clone(), digest);
        while !reader.is_at(&end.reader) {
            let Some(bit) = reader.bit() else { break };
            digest = (digest ^ (u64::from(bit) + 1)).wrapping_mul(0x0100_0000_01b3);
        }
        digest
    }

    fn or_truncated<T>(&self, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| self.error(Kind::Truncated))
    }

    /// u(1).
    pub(super) fn flag(&mut self) -> Result<bool, Error> {
        let bit = self.reader.bit();
        self.or_truncated(bit)
    }

    /// u(n), n up to 32.
    pub(super) fn bits(&mut self, n: u32) -> Result<u32, Error> {
        let bits = self.reader.bits(n);
        self.or_truncated(bits)
    }

    /// Steps over n bits.
    pub(super) fn skip(&mut self, n: u32) -> Result<(), Error> {
        let done = self.reader.skip(n);
        self.or_truncated(done)
    }

    /// ue(v).
    pub(super) fn ue(&mut self) -> Result<u32, Error> {
        let value = self.reader.ue();
        self.or_truncated(value)
    }

    /// ue(v) that must not be above `max`.
    pub(super) fn ue_max(&mut self, max: u32) -> Result<u32, Error> {
        let value = self.ue()?;
        if value > max { Err(self.error(Kind::OutOfRange)) } else { Ok(value) }
    }

    /// se(v).
    pub(super) fn se(&mut self) -> Result<i32, Error> {
        let value = self.reader.se();
        self.or_truncated(value)
    }
}
