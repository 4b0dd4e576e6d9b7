//! From the store to a view: seek, range, follow live, gaps.
