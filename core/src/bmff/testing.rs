//! Boxes written and read back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::vec::Vec;
use bytes::BytesMut;

use super::{Boxed, Boxes};

/// The box as bytes.
pub(crate) fn written<B: Boxed>(value: &B) -> Vec<u8> {
    let mut out = BytesMut::new();
    value.write(&mut out);
    out.to_vec()
}

/// What is read from what was written; every shorter piece of it must be an error, not a panic.
pub(crate) fn there_and_back<B: Boxed>(value: &B) -> B {
    let bytes = written(value);
    for end in 0..bytes.len() {
        if let Some(Ok(found)) = Boxes::new(&bytes[..end], 0).next() {
            panic!("{end} bytes of {} are no {}", bytes.len(), found.kind);
        }
        // The same cut inside the box, its size set right.
        if end >= 8 {
            let mut cut = bytes[..end].to_vec();
            cut[..4].copy_from_slice(&(end as u32).to_be_bytes());
            let _ = Boxes::new(&cut, 0).next().unwrap().unwrap().parse::<B>();
        }
    }
    Boxes::new(&bytes, 0).next().unwrap().unwrap().parse().unwrap()
}
