//! The core for browsers.

use wasm_bindgen::prelude::wasm_bindgen;

/// The library's version.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
