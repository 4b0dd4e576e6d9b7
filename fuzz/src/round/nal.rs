//! NAL units: emulation prevention, Annex B, length prefixes.

use vigie::h26x::{Codec, Nal, annexb, nal_units, sei};

use crate::tape::Tape;

/// Any payload survives its emulation prevention in an SEI message; NAL units survive Annex B and lengths.
pub(crate) fn nal_round_trip(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let (codec, uuid) = (tape.one(&[Codec::H264, Codec::H265]), tape.array());
    let payload = tape.chunk();
    let nal = sei::user_data_unregistered(codec, uuid, payload);
    assert!(!nal.windows(3).any(|w| matches!(w, [0, 0, 0..=2])), "a start code inside: {nal:?}");
    assert_ne!(nal.last(), Some(&0));
    let messages: Vec<_> = sei::messages(Nal::new(&nal), codec).collect();
    let [message] = &messages[..] else { panic!("{} messages", messages.len()) };
    assert_eq!(message.payload_type, sei::USER_DATA_UNREGISTERED);
    assert_eq!(message.user_data_unregistered(), Some((uuid, payload.to_vec())));

    let units: Vec<Vec<u8>> =
        tape.chunks().map(|unit| sei::user_data_unregistered(codec, uuid, unit)).take(64).collect();
    let mut stream = vec![];
    let mut prefixed = vec![];
    for (n, unit) in units.iter().enumerate() {
        stream.extend_from_slice(if n % 2 == 0 { &[0, 0, 0, 1] } else { &[0, 0, 1] });
        stream.extend_from_slice(unit);
        prefixed.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        prefixed.extend_from_slice(unit);
    }
    assert!(annexb::units(&stream).eq(units.iter().map(Vec::as_slice)));
    assert!(nal_units(&prefixed).map(|nal| nal.bytes).eq(units.iter().map(Vec::as_slice)));
}
