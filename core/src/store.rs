//! Keeping segments and their index.
