//! CRC-32C (Castagnoli), the same value everywhere.

use crc::{CRC_32_ISCSI, Crc, Digest, Table};

/// Sixteen bytes at a time: about 1.5 GB/s in plain code.
static CASTAGNOLI: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// A CRC-32C in the making.
#[derive(Clone)]
pub struct Crc32c(Digest<'static, u32, Table<16>>);

impl Default for Crc32c {
    fn default() -> Self {
        Self(CASTAGNOLI.digest())
    }
}

impl core::fmt::Debug for Crc32c {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Crc32c")
    }
}

impl Crc32c {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The value of all the bytes taken.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0.finalize()
    }
}

/// The CRC-32C of the parts, joined.
#[must_use]
pub fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc32c::default();
    for part in parts {
        crc.update(part);
    }
    crc.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        assert_eq!(crc32c(&[b"123456789"]), 0xe306_9283);
        assert_eq!(crc32c(&[b"1234", b"", b"56789"]), 0xe306_9283);
        // RFC 3720 §B.4.
        assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa_u32);
        assert_eq!(crc32c(&[&[0xff; 32]]), 0x62a8_ab43_u32);
    }
}
