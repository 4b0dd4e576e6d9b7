//! RTSP framing.

use vigie::limits::Limits;
use vigie::rtsp::framing::{Channels, Expected, Input, Item};

/// The same items, neighbouring skips taken together.
pub(crate) fn framing_split(bytes: &[u8]) {
    super::split(bytes, items);
}

/// What an input gives, packets by their bytes.
fn items(pieces: &[&[u8]]) -> Vec<String> {
    let limits = Limits::default();
    let mut input = Input::new(&limits);
    let expected =
        Expected { channels: vec![Channels { rtp: 0, rtcp: 1, payload_type: None }], ..Expected::default() };
    let (mut out, mut skipped) = (vec![], 0);
    for mut now in pieces.iter().copied() {
        loop {
            let taken = input.copy(now);
            now = &now[taken..];
            assert!(input.unread() <= limits.receive_buffer);
            loop {
                match input.next(&expected) {
                    Ok(Some(Item::Skipped { bytes, .. })) => skipped += bytes,
                    Ok(Some(item)) => {
                        if skipped > 0 {
                            out.push(format!("skipped {skipped}"));
                            skipped = 0;
                        }
                        out.push(match item {
                            Item::Interleaved { channel, range } => {
                                format!("{channel} {:?}", input.bytes(range))
                            }
                            other => format!("{other:?}"),
                        });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        out.push(format!("{error}"));
                        return out;
                    }
                }
            }
            if now.is_empty() {
                break;
            }
            assert!(taken > 0, "the buffer is full and gives nothing");
        }
    }
    out
}
