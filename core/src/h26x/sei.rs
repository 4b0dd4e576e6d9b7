//! Supplemental enhancement information, ITU-T H.264 Annex D, H.265 Annex D.

use alloc::vec::Vec;

use super::{Codec, Nal};
use crate::octets::BitReader;

/// payloadType of user_data_unregistered().
pub const USER_DATA_UNREGISTERED: u32 = 5;
/// payloadType of recovery_point().
pub const RECOVERY_POINT: u32 = 6;

/// One SEI message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// payloadType.
    pub payload_type: u32,
    /// payloadSize: bytes of the payload without emulation prevention bytes, as the message says.
    pub size: u32,
    reader: BitReader<'a>,
}

/// Where the output of a decoder that starts here is right again, H.264 §D.2.8, H.265 §D.3.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RecoveryPoint {
    /// recovery_frame_cnt (H.264) or recovery_poc_cnt (H.265; negative counts as 0): pictures until then.
    pub frames: u32,
    /// exact_match_flag: right to the bit, not just to the eye.
    pub exact: bool,
    /// broken_link_flag: pictures up to there may show what never was, even where decoding did not start here.
    pub broken_link: bool,
}

/// The messages of an SEI NAL unit, in order; stops where one is cut short.
pub fn messages(nal: Nal<'_>, codec: Codec) -> impl Iterator<Item = Message<'_>> {
    let mut reader = BitReader::new(nal.payload(codec));
    core::iter::from_fn(move || {
        if !reader.more_rbsp_data() {
            return None;
        }
        let payload_type = number(&mut reader)?;
        let size = number(&mut reader)?;
        let message = Message { payload_type, size, reader: reader.clone() };
        reader.skip(size.checked_mul(8)?)?;
        Some(message)
    })
}

/// A number in bytes of 255 and one below, §7.3.2.3.1.
fn number(reader: &mut BitReader<'_>) -> Option<u32> {
    let mut number = 0_u32;
    loop {
        let byte = reader.bits(8)?;
        number = number.checked_add(byte)?;
        if byte != 255 {
            return Some(number);
        }
    }
}

impl Message<'_> {
    /// The payload, without emulation prevention bytes.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        let mut reader = self.reader.clone();
        (0..self.size).map_while(|_| reader.bits(8)).map(|byte| byte as u8).collect()
    }

    /// What a recovery point says; `None` where the message is another.
    #[must_use]
    pub fn recovery_point(&self, codec: Codec) -> Option<RecoveryPoint> {
        if self.payload_type != RECOVERY_POINT {
            return None;
        }
        let mut reader = self.reader.clone();
        let frames = match codec {
            Codec::H264 => reader.ue()?,
            Codec::H265 => u32::try_from(reader.se()?).unwrap_or(0),
        };
        Some(RecoveryPoint { frames, exact: reader.bit()?, broken_link: reader.bit()? })
    }

    /// UUID and bytes of user_data_unregistered().
    #[must_use]
    pub fn user_data_unregistered(&self) -> Option<([u8; 16], Vec<u8>)> {
        if self.payload_type != USER_DATA_UNREGISTERED {
            return None;
        }
        let payload = self.payload();
        let (uuid, rest) = payload.split_first_chunk::<16>()?;
        Some((*uuid, rest.to_vec()))
    }
}

/// An SEI NAL unit (in H.265, a prefix SEI) with one user_data_unregistered() message.
#[must_use]
pub fn user_data_unregistered(codec: Codec, uuid: [u8; 16], bytes: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::from([USER_DATA_UNREGISTERED as u8]);
    let mut size = 16 + bytes.len();
    while size >= 255 {
        rbsp.push(255);
        size -= 255;
    }
    rbsp.push(size as u8);
    rbsp.extend_from_slice(&uuid);
    rbsp.extend_from_slice(bytes);
    rbsp.push(0x80);
    let header: &[u8] = match codec {
        Codec::H264 => &[6],
        Codec::H265 => &[39 << 1, 1],
    };
    let mut nal = header.to_vec();
    escape(&rbsp, &mut nal);
    nal
}

/// Appends an RBSP with emulation prevention bytes, ITU-T H.264 §7.4.1.
pub(crate) fn escape(rbsp: &[u8], out: &mut Vec<u8>) {
    let mut zeros = 0;
    for byte in rbsp {
        if zeros == 2 && *byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    proptest::proptest! {
        #[test]
        fn user_data_there_and_back(uuid: [u8; 16], bytes in proptest::collection::vec(0_u8..4, 0..600), h265: bool) {
            let codec = if h265 { Codec::H265 } else { Codec::H264 };
            let nal = user_data_unregistered(codec, uuid, &bytes);
            proptest::prop_assert!(crate::h26x::annexb::find(&nal).is_none());
            let mut got = messages(Nal::new(&nal), codec);
            proptest::prop_assert_eq!(got.next().unwrap().user_data_unregistered().unwrap(), (uuid, bytes));
            proptest::prop_assert!(got.next().is_none());
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            for message in messages(Nal::new(&bytes), Codec::H264) {
                let _ = (message.payload(), message.recovery_point(Codec::H264));
            }
        }
    }

    #[test]
    fn a_recovery_point_behind_another_message() {
        // pic_timing of one byte, then a recovery point: recovery_frame_cnt 4, as x264 writes it.
        let nal = [6, 1, 1, 0x40, 6, 1, 0b0010_1100, 0x80];
        let found = messages(Nal::new(&nal), Codec::H264).find_map(|m| m.recovery_point(Codec::H264));
        assert_eq!(found, Some(RecoveryPoint { frames: 4, exact: true, broken_link: false }));
        // H.265: recovery_poc_cnt -2, broken link.
        let nal = [0x4e, 1, 6, 1, 0b0010_1011, 0x80];
        let found = messages(Nal::new(&nal), Codec::H265).find_map(|m| m.recovery_point(Codec::H265));
        assert_eq!(found, Some(RecoveryPoint { frames: 0, exact: false, broken_link: true }));
    }
}
