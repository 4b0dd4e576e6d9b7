//! `Frames`, ONVIF Streaming Specification, "Frames header field": which pictures a replay sends.

use core::fmt;

/// Which pictures a replay sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Frames {
    /// All; the field is left out.
    #[default]
    All,
    /// Intra pictures only.
    Intra,
    /// Intra pictures, at least that many milliseconds apart.
    IntraEvery(u32),
    /// Intra and predicted pictures, none that is predicted from both sides.
    Predicted,
}

impl Frames {
    /// Reads the field; `None` for what the specification does not name.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (kind, interval) = value.trim().split_once('/').unwrap_or((value.trim(), ""));
        match (kind.trim(), interval.trim()) {
            (kind, "") if kind.eq_ignore_ascii_case("all") => Some(Self::All),
            (kind, "") if kind.eq_ignore_ascii_case("predicted") => Some(Self::Predicted),
            (kind, "") if kind.eq_ignore_ascii_case("intra") => Some(Self::Intra),
            (kind, millis) if kind.eq_ignore_ascii_case("intra") => millis.parse().ok().map(Self::IntraEvery),
            _ => None,
        }
    }
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Intra => f.write_str("intra"),
            Self::IntraEvery(millis) => write!(f, "intra/{millis}"),
            Self::Predicted => f.write_str("predicted"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn what_is_written_reads_back() {
        for frames in [Frames::All, Frames::Intra, Frames::IntraEvery(4_000), Frames::Predicted] {
            assert_eq!(Frames::parse(&frames.to_string()), Some(frames));
        }
        assert_eq!(Frames::IntraEvery(4_000).to_string(), "intra/4000");
        for bad in ["", "b", "intra/x", "predicted/4"] {
            assert_eq!(Frames::parse(bad), None, "{bad}");
        }
    }
}
