//! The supervision centre.

fn main() {}
