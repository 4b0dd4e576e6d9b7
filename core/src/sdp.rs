//! Session descriptions, RFC 8866, read leniently.
