//! The one place where bytes meant for a player differ from bytes kept.
