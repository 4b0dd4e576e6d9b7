//! The C library of Vigie: `libvigie.so` and `libvigie.a`, headers in `include/vigie/`. The contract is in `README.md`.
//!
//! Every function that can fail returns a [`VigieResult`] and writes its outputs on success only. Handles are opaque;
//! a panic inside becomes `VIGIE_PANIC` and poisons the handle it happened in.

mod guard;
mod remuxer;
mod result;

pub use remuxer::*;
pub use result::*;
