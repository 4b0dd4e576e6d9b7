//! The four clocks that meet in a recording, each a type of its own so that none is taken for another.

use core::fmt;
use core::str::FromStr;

/// Microseconds on the caller's monotonic clock. Its zero is the caller's choice and means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// `self` plus a number of microseconds, saturating.
    #[must_use]
    pub const fn plus(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to `self`, 0 if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcMicros(pub i64);

/// Microseconds in a UTC day.
pub const DAY: i64 = 86_400_000_000;

/// A moment split into the fields of the civil calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year, proleptic Gregorian.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Microsecond, 0 to 999 999.
    pub micro: u32,
}

impl UtcMicros {
    /// `self` plus a signed number of microseconds, saturating.
    #[must_use]
    pub const fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Midnight (UTC) at or before `self`, saturating.
    #[must_use]
    pub const fn day_start(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(DAY)))
    }

    /// The fields of the civil calendar.
    #[must_use]
    pub fn civil(self) -> Civil {
        let days = self.0.div_euclid(DAY);
        let rest = self.0.rem_euclid(DAY);
        // Days to civil, era by era of 400 years (146 097 days), years starting in March.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * day_of_year + 2) / 153;
        let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
        let seconds = rest / 1_000_000;
        Civil {
            year: (year_of_era + era * 400 + i64::from(month <= 2)) as i32,
            month: month as u8,
            day: (day_of_year - (153 * month_shifted + 2) / 5 + 1) as u8,
            hour: (seconds / 3_600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            micro: (rest % 1_000_000) as u32,
        }
    }

    /// The moment of a civil date and time; `None` where a field is out of range.
    #[must_use]
    pub fn from_civil(civil: Civil) -> Option<Self> {
        let Civil { year, month, day, hour, minute, second, micro } = civil;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days_in_month = match month {
            2 => 28 + u8::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        // A leap second is folded into the second before it, as POSIX time does.
        if day == 0 || day > days_in_month || hour > 23 || minute > 59 || second > 60 || micro > 999_999 {
            return None;
        }
        let shifted_year = i64::from(year) - i64::from(month <= 2);
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let month_shifted = (i64::from(month) + 9) % 12;
        let day_of_year = (153 * month_shifted + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second.min(59));
        Some(Self(days.checked_mul(DAY)?.checked_add(seconds * 1_000_000 + i64::from(micro))?))
    }
}

/// RFC 3339 with microseconds: `2026-11-22T05:14:00.120000Z`; `{:.3}` writes milliseconds, `{:.0}` whole seconds.
impl fmt::Display for UtcMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)?;
        let digits = f.precision().unwrap_or(6).min(6);
        if digits > 0 {
            write!(f, ".{:0width$}", c.micro / 10_u32.pow(6 - digits as u32), width = digits)?;
        }
        f.write_str("Z")
    }
}

/// The text is not a moment as RFC 3339 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UTC time; write it like 2026-11-22T05:14:00Z")]
#[non_exhaustive]
pub struct NotUtc;

/// RFC 3339: a date, `T` or a space, a time, an optional fraction, and `Z` or an offset like `+01:00`.
impl FromStr for UtcMicros {
    type Err = NotUtc;

    fn from_str(text: &str) -> Result<Self, NotUtc> {
        parse_utc(text.trim().as_bytes()).ok_or(NotUtc)
    }
}

fn parse_utc(text: &[u8]) -> Option<UtcMicros> {
    fn number(bytes: &[u8]) -> Option<u32> {
        bytes.iter().try_fold(0_u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    }
    let two = |at: usize| text.get(at..at + 2).and_then(number).map(|n| n as u8);
    let sep = |at: usize, of: &[u8]| text.get(at).filter(|b| of.contains(b)).map(|_| ());
    sep(4, b"-")?;
    sep(7, b"-")?;
    sep(10, b"Tt ")?;
    sep(13, b":")?;
    sep(16, b":")?;
    let mut at = 19;
    let mut micro = 0;
    if sep(at, b".,").is_some() {
        let digits = text[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let kept = digits.min(6);
        micro = number(&text[at + 1..at + 1 + kept])? * 10_u32.pow(6 - kept as u32);
        at += 1 + digits;
    }
    let local = UtcMicros::from_civil(Civil {
        year: text.get(..4).and_then(number)? as i32,
        month: two(5)?,
        day: two(8)?,
        hour: two(11)?,
        minute: two(14)?,
        second: two(17)?,
        micro,
    })?;
    match text.get(at)? {
        b'Z' | b'z' if at + 1 == text.len() => Some(local),
        sign @ (b'+' | b'-') if at + 6 == text.len() => {
            sep(at + 3, b":")?;
            let (hours, minutes) = (two(at + 1)?, two(at + 4)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = (i64::from(hours) * 60 + i64::from(minutes)) * 60_000_000;
            Some(local.plus(if *sign == b'+' { -offset } else { offset }))
        }
        _ => None,
    }
}

/// 64-bit NTP timestamp, RFC 3550 §4: seconds since 1900 in the upper half, their fraction in the lower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpTime(pub u64);

/// Seconds from 1900-01-01 to 1970-01-01.
const NTP_TO_UNIX: i64 = 2_208_988_800;

impl NtpTime {
    /// As UTC. A timestamp whose top bit is clear is read as the era after 2036 (RFC 5905 §6 leaves the era to us).
    #[must_use]
    pub const fn to_utc(self) -> UtcMicros {
        let mut seconds = (self.0 >> 32) as i64 - NTP_TO_UNIX;
        if self.0 >> 63 == 0 {
            seconds += 1 << 32;
        }
        UtcMicros(seconds * 1_000_000 + (((self.0 & 0xffff_ffff) * 1_000_000 + (1 << 31)) >> 32) as i64)
    }

    /// From UTC; wraps with the 32-bit second.
    #[must_use]
    pub const fn from_utc(utc: UtcMicros) -> Self {
        let seconds = (utc.0.div_euclid(1_000_000) + NTP_TO_UNIX) as u32;
        let fraction = ((utc.0.rem_euclid(1_000_000) as u64) << 32).div_ceil(1_000_000);
        Self(((seconds as u64) << 32) | fraction)
    }
}

/// Media time at 90 kHz, extended to 64 bits; the clock of every video track here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub i64);

/// Ticks in a second.
pub const TIMESCALE: u32 = 90_000;

impl Ticks {
    /// `self` plus a signed number of ticks, saturating.
    #[must_use]
    pub const fn plus(self, ticks: i64) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// Microseconds of a span of ticks, rounded to nearest.
    #[must_use]
    pub const fn micros(ticks: i64) -> i64 {
        // In two parts, so that neither a wider division is needed nor the product overflows.
        let rest = ticks.rem_euclid(9) * 100;
        ticks.div_euclid(9).wrapping_mul(100).wrapping_add(rest / 9 + (rest % 9 >= 5) as i64)
    }

    /// Ticks of a span of microseconds, rounded to nearest.
    #[must_use]
    pub const fn from_micros(micros: i64) -> i64 {
        micros.div_euclid(100).wrapping_mul(9).wrapping_add((micros.rem_euclid(100) * 9 + 50) / 100)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn utc_is_written_and_read_as_rfc_3339() {
        let utc: UtcMicros = "2026-11-22T05:14:00.12+01:00".parse().unwrap();
        assert_eq!(utc.to_string(), "2026-11-22T04:14:00.120000Z");
        assert_eq!(alloc::format!("{utc:.3}"), "2026-11-22T04:14:00.120Z");
        assert_eq!("1970-01-01T00:00:00Z".parse(), Ok(UtcMicros(0)));
        assert_eq!("1969-12-31T23:59:59Z".parse(), Ok(UtcMicros(-1_000_000)));
        for bad in [
            "",
            "2026",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
        ] {
            assert_eq!(bad.parse::<UtcMicros>(), Err(NotUtc), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn civil_there_and_back(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
            let utc = UtcMicros(micros);
            proptest::prop_assert_eq!(UtcMicros::from_civil(utc.civil()), Some(utc));
            proptest::prop_assert_eq!(utc.to_string().parse::<UtcMicros>(), Ok(utc));
        }

        #[test]
        fn ntp_there_and_back(micros in 0_i64..4_000_000_000_000_000) {
            proptest::prop_assert_eq!(NtpTime::from_utc(UtcMicros(micros)).to_utc(), UtcMicros(micros));
        }

        #[test]
        fn ticks_there_and_back(ticks in -1_i64 << 50..1 << 50) {
            proptest::prop_assert_eq!(Ticks::from_micros(Ticks::micros(ticks)), ticks);
        }

        #[test]
        fn any_text_is_a_time_or_an_error(text in "\\PC*") {
            let _ = text.parse::<UtcMicros>();
        }
    }
}
