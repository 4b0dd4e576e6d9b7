//! Moments and spans as people write them on a command line.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vigie::time::UtcMicros;

/// The system's clock.
#[must_use]
pub fn utc_now() -> UtcMicros {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => UtcMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
        Err(before) => UtcMicros(-i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX)),
    }
}

/// A moment: RFC 3339, a date alone (its midnight, UTC), `now`, or `now-10m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub UtcMicros);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(back) = text.strip_prefix("now") {
            let span = match back.strip_prefix('-') {
                None if back.is_empty() => Duration::ZERO,
                Some(span) => parse_span(span)?,
                None => return Err("write `now` or, for ten minutes ago, `now-10m`".into()),
            };
            let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            return Ok(Self(utc_now().plus(-micros)));
        }
        let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        whole.parse().map(Self).map_err(|_| {
            let hint = if whole.ends_with(['Z', 'z']) || whole.len() != 19 {
                ""
            } else {
                " (the zone is missing: Z for UTC, or +01:00)"
            };
            format!("write a time like 2026-11-22T05:14:00Z, a date like 2026-11-22, or now-10m{hint}")
        })
    }
}

/// A span: `20s`, `1h30m`, `500ms`, `2d`.
///
/// # Errors
/// A sentence that says how to write one.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let teach = || "write a duration like 20s, 5m, 1h30m or 500ms".to_owned();
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(teach());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(|| {
            format!("{text} of what? Write {text}s for seconds, {text}m for minutes, {text}h for hours")
        })?;
        let number: u64 = rest[..digits].parse().map_err(|_| teach())?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let millis: u64 = match &rest[..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(teach()),
        };
        rest = &rest[unit..];
        let span = number.checked_mul(millis).ok_or_else(teach)?;
        total = total.checked_add(Duration::from_millis(span)).ok_or_else(teach)?;
    }
    Ok(total)
}

/// A number of bytes: `800GB`, `2TB`, `1.5 TB`, `4096`; powers of ten.
///
/// # Errors
/// A sentence that says how to write one.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let teach = || "write a size like 800GB, 1.5TB or 500MB".to_owned();
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim());
    let unit: u64 = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "T" | "TB" => 1_000_000_000_000,
        _ => return Err(teach()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(teach());
    }
    let whole: u64 = whole.parse().map_err(|_| teach())?;
    let mut total = whole.checked_mul(unit).ok_or_else(teach)?;
    let mut worth = unit;
    for digit in fraction.bytes() {
        worth /= 10;
        total = total.checked_add(u64::from(digit - b'0') * worth).ok_or_else(teach)?;
    }
    Ok(total)
}

/// `0.480 s`, `12.3 s`, `4 min 05 s`, `2 h 00 min`: as exact as one wants to read it.
#[must_use]
pub fn show_span(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match seconds {
        0..10 => format!("{}.{:03} s", seconds, micros / 1_000 % 1_000),
        10..60 => format!("{}.{} s", seconds, micros / 100_000 % 10),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// `812 B`, `1.5 kB`, `23.4 MB`: powers of ten, as disks are sold.
#[must_use]
pub fn show_bytes(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        1_000_000_000..1_000_000_000_000 => (1e9, "GB"),
        _ => (1e12, "TB"),
    };
    format!("{:.1} {name}", bytes as f64 / unit)
}

/// `1 file`, `2 files`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, millis) in
            [("20s", 20_000), ("1h30m", 5_400_000), ("500ms", 500), ("2d", 172_800_000), ("5min", 300_000)]
        {
            assert_eq!(parse_span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "20", "20x", "-1s", "1.5s", "99999999999999999999d", "20s5"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
        assert!(parse_span("20").unwrap_err().contains("20s"));
    }

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4_096),
            ("800GB", 800_000_000_000),
            ("1.5 TB", 1_500_000_000_000),
            ("0.25m", 250_000),
            ("7 B", 7),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "-1", "1..5GB", "5 parsecs", "99999999999999999999", "99999999999TB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_read() {
        assert_eq!("2026-11-22".parse::<Moment>().unwrap().0.to_string(), "2026-11-22T00:00:00.000000Z");
        assert_eq!(
            "2026-11-22T05:14:00+01:00".parse::<Moment>().unwrap().0.to_string(),
            "2026-11-22T04:14:00.000000Z"
        );
        let ago = "now-10m".parse::<Moment>().unwrap().0;
        assert!((utc_now().0 - ago.0 - 600_000_000).abs() < 5_000_000);
        assert!("2026-11-22T05:14:00".parse::<Moment>().unwrap_err().contains("zone"));
        for text in ["yesterday", "now+1m", "now-", "2026-13-01", ""] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn spans_and_sizes_are_shown() {
        assert_eq!(show_span(480_000), "0.480 s");
        assert_eq!(show_span(245_000_000), "4 min 05 s");
        assert_eq!(show_span(7_200_000_000), "2 h 00 min");
        assert_eq!(show_bytes(999), "999 B");
        assert_eq!(show_bytes(1_500), "1.5 kB");
        assert_eq!((count(1, "gap"), count(0, "gap")), ("1 gap".into(), "0 gaps".into()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_span_or_an_error(text in "\\PC*") {
            let _ = parse_span(&text);
            let _ = parse_bytes(&text);
            let _ = text.parse::<Moment>();
        }
    }
}
