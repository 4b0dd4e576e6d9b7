//! What a player gets: the one place where bytes shown differ from bytes kept.
//!
//! The store keeps every NAL unit as it came, in samples of type `avc3` or `hev1`. [`View::Exact`] hands that out as it
//! is. [`View::Playback`] says `avc1` or `hvc1` instead, which every player takes (Apple's refuse `hev1`), and can move
//! the times to where a player wants them; it drops nothing. Both are bytes in, bytes out, and run in the browser as well
//! as on a server, so that a host that holds only ciphertext can still serve it.
//!
//! [`export`] makes an ordinary MP4 file of a time range.

pub mod export;
mod key_picture;
mod playback;

pub use key_picture::key_picture;
pub use playback::{Playback, Shown, playback};

/// Which bytes a reader is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum View {
    /// As kept, byte for byte.
    #[default]
    Exact,
    /// For players: `avc1` or `hvc1`.
    Playback,
}

#[cfg(test)]
mod tests;
