//! Names of media files: ONVIF Recording Control, annex "Object storage recording format", key rule.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::time::{Civil, DAY, UtcMicros};

/// A UTC day, as its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(UtcMicros);

impl Day {
    /// The day that a moment lies in.
    #[must_use]
    pub const fn of(utc: UtcMicros) -> Self {
        Self(utc.day_start())
    }

    /// Its midnight.
    #[must_use]
    pub const fn start(self) -> UtcMicros {
        self.0
    }

    /// The midnight after it.
    #[must_use]
    pub const fn end(self) -> UtcMicros {
        self.0.plus(DAY)
    }

    /// The day before it.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.plus(-DAY))
    }
}

/// `2026-11-22`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.0.civil();
        write!(f, "{:04}-{:02}-{:02}", c.year, c.month, c.day)
    }
}

/// The text is not a day or a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a day or media file")]
#[non_exhaustive]
pub struct NotAKey;

impl FromStr for Day {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let midnight = || {
            let (year, rest) = text.split_once('-')?;
            let (month, day) = rest.split_once('-')?;
            let (month, day) = (digits(month, 2)? as u8, digits(day, 2)? as u8);
            let year = digits(year, 4)? as i32;
            UtcMicros::from_civil(Civil { year, month, day, hour: 0, minute: 0, second: 0, micro: 0 })
        };
        midnight().map(Self).ok_or(NotAKey)
    }
}

/// Exactly `width` decimal digits.
fn digits(text: &str, width: usize) -> Option<u32> {
    (text.len() == width && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The name of a media file below its camera's folder: the UTC of its first picture and its number in its span.
///
/// ```
/// use vigie::gix::Key;
/// let key: Key = "2026-11-22/05/14-00.120000Z.3.m4v".parse()?;
/// assert_eq!((key.utc.to_string().as_str(), key.counter), ("2026-11-22T05:14:00.120000Z", 3));
/// # Ok::<(), vigie::gix::NotAKey>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// UTC of the first picture shown.
    pub utc: UtcMicros,
    /// 0 for the first file of a span.
    pub counter: u32,
}

impl Key {
    /// The day whose index the file is in.
    #[must_use]
    pub const fn day(self) -> Day {
        Day::of(self.utc)
    }

    /// Its name as the empty object that says that a span ended: ONVIF, "Span end objects".
    #[must_use]
    pub fn end_name(self) -> String {
        alloc::format!("{self}_end")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.utc.civil();
        let (day, counter) = (self.day(), self.counter);
        write!(f, "{day}/{:02}/{:02}-{:02}.{:06}Z.{counter}.m4v", c.hour, c.minute, c.second, c.micro)
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let parse = || {
            let (day, rest) = text.split_once('/')?;
            let (hour, rest) = rest.split_once('/')?;
            let (minute, rest) = rest.split_once('-')?;
            let (second, rest) = rest.split_once('.')?;
            let (micro, rest) = rest.split_once("Z.")?;
            let counter = rest.strip_suffix(".m4v")?;
            let c = day.parse::<Day>().ok()?.start().civil();
            let utc = UtcMicros::from_civil(Civil {
                hour: digits(hour, 2)? as u8,
                minute: digits(minute, 2)? as u8,
                second: digits(second, 2)? as u8,
                micro: digits(micro, 6)?,
                ..c
            })?;
            let key = Self { utc, counter: digits(counter, counter.len())? };
            // One key, one name: a leading zero or second 60 is another's.
            (alloc::format!("{key}") == text).then_some(key)
        };
        parse().ok_or(NotAKey)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn other_names_are_no_keys() {
        for bad in [
            "",
            "2026-11-22/05/14-00.120000Z.3.m4v_end",
            "2026-11-22/05/14-00.12Z.3.m4v",
            "2026-11-22/05/14-00.120000Z.03.m4v",
            "2026-11-22/05/14-60.120000Z.0.m4v",
            "2026-13-22/05/14-00.120000Z.0.m4v",
            "2026-11-22/5/14-00.120000Z.0.m4v",
            "2026-11-22/05/14-00.120000Z.99999999999.m4v",
            "2026-11-22/05/14-00.120000Z..m4v",
            "2026-11-22.gix",
        ] {
            assert_eq!(bad.parse::<Key>(), Err(NotAKey), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn keys_there_and_back_and_sorted_as_times(a in 0_i64..253_402_300_800_000_000, b in 0_i64..253_402_300_800_000_000, counter: u32) {
            let (a, b) = (Key { utc: UtcMicros(a), counter }, Key { utc: UtcMicros(b), counter });
            proptest::prop_assert_eq!(a.to_string().parse(), Ok(a));
            proptest::prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
            proptest::prop_assert_eq!(a.day().to_string().parse(), Ok(a.day()));
        }

        #[test]
        fn any_text_is_a_key_or_not(text in "\\PC*") {
            let _ = text.parse::<Key>();
            let _ = text.parse::<Day>();
        }
    }
}
