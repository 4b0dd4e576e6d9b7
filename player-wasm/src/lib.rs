//! The core for browsers: the machines that `worker.js` runs, one stream each.
//!
//! Bytes in, bytes out: sockets, clocks, random numbers and the media buffer are JavaScript's. Nothing here is imported
//! from `env`. What a machine has to say comes out of its `pull()`, as a kind; `text()` and `bytes()` give the rest.
//!
//! Two modules are made of it, by feature: `live`, which every tile loads, and `archive`, on demand.
//!
//! In a browser there is nobody to read a panic's message: without the standard library the compiler leaves out all of
//! them, which is a quarter of the module.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(feature = "archive")]
mod archive;
#[cfg(feature = "live")]
pub mod control;
#[cfg(feature = "archive")]
mod film;
mod json;
#[cfg(feature = "live")]
mod live;
mod output;
#[cfg(feature = "live")]
mod pace;
mod picture;
#[cfg(target_arch = "wasm32")]
mod runtime;

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "archive")]
pub use archive::Archive;
#[cfg(feature = "archive")]
pub use film::Film;
#[cfg(feature = "live")]
pub use live::Live;
#[cfg(feature = "live")]
pub use pace::Pace;

/// The library's version.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
