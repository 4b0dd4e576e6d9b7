//! Fragments to files of about a minute.
