//! `Range`, RFC 2326 §12.29: normal play time (§3.6) and UTC (§3.7).

use core::fmt;
use core::str::FromStr as _;

use crate::time::{Civil, UtcMicros};

/// A point of normal play time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NptTime {
    /// `now`: the live moment.
    Now,
    /// Microseconds from the beginning.
    Micros(u64),
}

/// The span that PLAY asks for, or that its answer says will be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Range {
    /// Normal play time.
    Npt {
        /// Where play starts; `None` for `-end`.
        start: Option<NptTime>,
        /// Where it ends; `None` for open.
        end: Option<NptTime>,
    },
    /// Absolute time. ONVIF servers answer PLAY with it; its start belongs to the `rtptime` of `RTP-Info`.
    Clock {
        /// The first moment.
        start: UtcMicros,
        /// The last moment; `None` for open.
        end: Option<UtcMicros>,
    },
}

impl Range {
    /// `npt=0.000-`: from the start, or live where there is no start.
    pub const ALL: Self = Self::Npt { start: Some(NptTime::Micros(0)), end: None };
    /// `npt=now-`: live.
    pub const NOW: Self = Self::Npt { start: Some(NptTime::Now), end: None };

    /// Reads the field; `None` for SMPTE time and for what is no range. A `;time=` after it is ignored.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (unit, span) = value.split(';').next()?.split_once('=')?;
        let unit = unit.trim();
        let (start, end) = span.split_once('-')?;
        let (start, end) = (start.trim(), end.trim());
        if unit.eq_ignore_ascii_case("npt") {
            let start = if start.is_empty() { None } else { Some(parse_npt(start)?) };
            let end = if end.is_empty() { None } else { Some(parse_npt(end)?) };
            (start.is_some() || end.is_some()).then_some(Self::Npt { start, end })
        } else if unit.eq_ignore_ascii_case("clock") {
            let end = if end.is_empty() { None } else { Some(parse_clock(end)?) };
            Some(Self::Clock { start: parse_clock(start)?, end })
        } else {
            None
        }
    }

    /// The absolute start, where the range says it.
    #[must_use]
    pub const fn clock_start(&self) -> Option<UtcMicros> {
        match self {
            Self::Clock { start, .. } => Some(*start),
            Self::Npt { .. } => None,
        }
    }
}

/// `now`, seconds with a fraction, or hours:minutes:seconds with a fraction.
fn parse_npt(text: &str) -> Option<NptTime> {
    if text.eq_ignore_ascii_case("now") {
        return Some(NptTime::Now);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut seconds = 0_u64;
    for part in whole.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(u64::from_str(part).ok()?)?;
    }
    Some(NptTime::Micros(seconds.checked_mul(1_000_000)?.checked_add(parse_fraction(fraction)?)?))
}

/// Decimal digits after the point as microseconds; further digits are cut.
fn parse_fraction(digits: &str) -> Option<u64> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.bytes().chain(core::iter::repeat(b'0')).take(6).fold(0, |n, b| n * 10 + u64::from(b - b'0')))
}

/// `20261122T051400.12Z`, RFC 2326 §3.7.
fn parse_clock(text: &str) -> Option<UtcMicros> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let (date, time) = text.split_once(['T', 't'])?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let field = |text: &str, from: usize, to: usize| u8::from_str(text.get(from..to)?).ok();
    if date.len() != 8 || time.len() != 6 {
        return None;
    }
    UtcMicros::from_civil(Civil {
        year: i32::from_str(date.get(..4)?).ok()?,
        month: field(date, 4, 6)?,
        day: field(date, 6, 8)?,
        hour: field(time, 0, 2)?,
        minute: field(time, 2, 4)?,
        second: field(time, 4, 6)?,
        micro: parse_fraction(fraction)? as u32,
    })
}

impl fmt::Display for NptTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Now => f.write_str("now"),
            Self::Micros(micros) if micros % 1_000 == 0 => {
                write!(f, "{}.{:03}", micros / 1_000_000, micros % 1_000_000 / 1_000)
            }
            Self::Micros(micros) => write!(f, "{}.{:06}", micros / 1_000_000, micros % 1_000_000),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Npt { start, end } => {
                f.write_str("npt=")?;
                if let Some(start) = start {
                    write!(f, "{start}")?;
                }
                f.write_str("-")?;
                end.map_or(Ok(()), |end| write!(f, "{end}"))
            }
            Self::Clock { start, end } => {
                f.write_str("clock=")?;
                write_clock(f, *start)?;
                f.write_str("-")?;
                end.map_or(Ok(()), |end| write_clock(f, end))
            }
        }
    }
}

fn write_clock(f: &mut fmt::Formatter<'_>, utc: UtcMicros) -> fmt::Result {
    let c = utc.civil();
    write!(f, "{:04}{:02}{:02}T{:02}{:02}{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)?;
    if c.micro != 0 {
        write!(f, ".{:06}", c.micro)?;
    }
    f.write_str("Z")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn reads_what_servers_write() {
        let npt = |start, end| Some(Range::Npt { start, end });
        let at = |micros| Some(NptTime::Micros(micros));
        assert_eq!(Range::parse("npt=0.0-596.48"), npt(at(0), at(596_480_000)));
        assert_eq!(Range::parse("npt=now-"), npt(Some(NptTime::Now), None));
        assert_eq!(Range::parse(" NPT = 0:01:02.5 - ;time=19970123T143720Z"), npt(at(62_500_000), None));
        assert_eq!(Range::parse("npt=-5"), npt(None, at(5_000_000)));
        let utc: UtcMicros = "2026-11-22T05:14:00.12Z".parse().unwrap();
        assert_eq!(Range::parse("clock=20261122T051400.12Z-"), Some(Range::Clock { start: utc, end: None }));
        for bad in [
            "",
            "npt",
            "npt=-",
            "npt=a-",
            "smpte=0:0:0-",
            "clock=-",
            "clock=20261322T051400Z-",
            "clock=+0261122T051400Z-x",
        ] {
            assert_eq!(Range::parse(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(start in 0_u64..1 << 50, end in proptest::option::of(0_u64..1 << 50)) {
            let npt = Range::Npt { start: Some(NptTime::Micros(start)), end: end.map(NptTime::Micros) };
            proptest::prop_assert_eq!(Range::parse(&npt.to_string()), Some(npt));
            let clock = Range::Clock { start: UtcMicros(start as i64), end: end.map(|e| UtcMicros(e as i64)) };
            proptest::prop_assert_eq!(Range::parse(&clock.to_string()), Some(clock));
        }

        #[test]
        fn any_text_is_a_range_or_none(text in "(npt|clock)?=?\\PC*") {
            let _ = Range::parse(&text);
        }
    }
}
