//! Packager.

fn main() {}
