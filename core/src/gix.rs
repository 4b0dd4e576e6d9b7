//! The index file: header, page, record. Bytes only.
