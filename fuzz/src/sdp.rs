//! Session descriptions.

use vigie::limits::Limits;
use vigie::sdp::Presentation;

/// Whatever is read keeps its bytes and its caps, and reads the same again.
pub fn sdp(bytes: &[u8]) {
    let limits = Limits::default();
    let parse = || Presentation::parse(bytes.to_vec(), &limits);
    let Ok(read) = parse() else { return };
    assert_eq!(read.raw, bytes);
    assert!(!read.media.is_empty() && read.media.len() <= limits.sdp_media);
    assert_eq!(format!("{read:?}"), format!("{:?}", parse().expect("it was read before")));
}
