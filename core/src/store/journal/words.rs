//! How the journal writes times, spans of time and names.

use alloc::string::{String, ToString as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::store::Name;
use crate::time::{DAY, UtcMicros};

/// Units of a span of time, the largest first.
const UNITS: [(i64, &str); 6] =
    [(DAY, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms"), (1, "us")];

/// `14d`, `36h`, `90s`: microseconds in the largest unit that leaves no rest.
#[must_use]
pub fn show_age(micros: i64) -> String {
    let (unit, name) =
        UNITS.iter().find(|(unit, _)| micros % unit == 0 && micros != 0).unwrap_or(&(1_000_000, "s"));
    alloc::format!("{}{name}", micros / unit)
}

/// The other way: one number and one unit, not negative.
fn parse_age(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (unit, _) = UNITS.iter().find(|(_, name)| *name == unit)?;
    number.parse::<i64>().ok()?.checked_mul(*unit)
}

pub(super) mod age {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(age: &Option<i64>, s: S) -> Result<S::Ok, S::Error> {
        age.map(show_age).serialize(s)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
        let text = Option::<String>::deserialize(d)?;
        text.map(|text| parse_age(&text).ok_or(D::Error::custom("not a span of time"))).transpose()
    }
}

pub(super) mod utc {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(utc: &UtcMicros, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(utc)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<UtcMicros, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

pub(super) mod utc_or_none {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        utc: &Option<UtcMicros>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        utc.map(|utc| utc.to_string()).serialize(s)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<UtcMicros>, D::Error> {
        let text = Option::<String>::deserialize(d)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn ages_there_and_back() {
        for (micros, text) in [
            (14 * DAY, "14d"),
            (36 * 3_600_000_000, "36h"),
            (90_000_000, "90s"),
            (60_000_000, "1m"),
            (1_500, "1500us"),
            (0, "0s"),
        ] {
            assert_eq!(show_age(micros), text);
            assert_eq!(parse_age(text), Some(micros));
        }
        for bad in ["", "d", "14", "-1d", "1.5d", "14 d", "1d2h", "99999999999999d"] {
            assert_eq!(parse_age(bad), None, "{bad}");
        }
    }
}
