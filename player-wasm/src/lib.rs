//! The core for browsers: the machines that `worker.js` runs, one stream each.
//!
//! Bytes in, bytes out: sockets, clocks, random numbers and the media buffer are JavaScript's. Nothing here is imported
//! from `env`. What a machine has to say comes out of its `pull()`, as a kind; `text()` and `bytes()` give the rest.

mod archive;
mod json;
mod live;
mod output;
mod picture;

use wasm_bindgen::prelude::wasm_bindgen;

pub use archive::Archive;
pub use live::Live;

/// The library's version.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
