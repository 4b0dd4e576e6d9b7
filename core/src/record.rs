//! The whole way, wired.
