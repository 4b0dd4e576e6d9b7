//! How long footage is kept: `docs/format.md` §9.1.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::words::{age, show_age};
use super::{Error, Kind};
use crate::store::Name;

/// How long footage is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// Microseconds after its first picture at which a file goes; `None`: never by age.
    #[serde(default, with = "age", skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    /// Microseconds after its last picture before which no file goes; `None`: 0.
    #[serde(default, with = "age", skip_serializing_if = "Option::is_none")]
    pub min_age: Option<i64>,
}

impl Rule {
    /// Both, in microseconds.
    #[must_use]
    pub const fn new(max_age: Option<i64>, min_age: Option<i64>) -> Self {
        Self { max_age, min_age }
    }

    /// As a tombstone names it: `max_age 14d`.
    #[must_use]
    pub fn name(&self) -> String {
        self.max_age.map_or_else(|| "none".into(), |age| alloc::format!("max_age {}", show_age(age)))
    }

    /// Can both ages hold, where the longest file lasts so many microseconds?
    ///
    /// # Errors
    /// [`Kind::Age`], [`Kind::MinAboveMax`], [`Kind::MinAndFile`].
    pub fn check(&self, longest: i64) -> Result<(), Error> {
        let (max, min) = (self.max_age.unwrap_or(i64::MAX), self.min_age.unwrap_or(0));
        if max <= 0 || min < 0 {
            return Err(Kind::Age.into());
        }
        if min > max {
            return Err(Kind::MinAboveMax.into());
        }
        if min > 0 && min.saturating_add(longest) > max {
            return Err(Kind::MinAndFile.into());
        }
        Ok(())
    }
}

/// How long a tenant keeps footage, and how many people it takes to release a hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// Of all cameras but those below.
    pub default: Rule,
    /// Of single cameras, instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cameras: BTreeMap<Name, Rule>,
    /// People that it takes to release a hold: 1 or 2.
    #[serde(default)]
    pub release_agents: u8,
}

impl Policy {
    /// The rule that a camera goes by; its sound by that of its pictures, where it has none of its own.
    #[must_use]
    pub fn rule(&self, camera: &Name) -> Rule {
        let pictures = || pictures_of(camera).and_then(|name| self.cameras.get(&name));
        *self.cameras.get(camera).or_else(pictures).unwrap_or(&self.default)
    }

    /// Can each of its rules be kept, where the longest file lasts so many microseconds?
    ///
    /// # Errors
    /// As [`Rule::check`]; [`Kind::Agents`].
    pub fn check(&self, longest: i64) -> Result<(), Error> {
        if self.release_agents > 2 {
            return Err(Kind::Agents.into());
        }
        core::iter::once(&self.default).chain(self.cameras.values()).try_for_each(|rule| rule.check(longest))
    }

    /// Of two policies, for each camera the rule that deletes less.
    pub(super) fn longer(&self, other: &Self) -> Self {
        let longer = |a: Rule, b: Rule| match (a.max_age, b.max_age) {
            (Some(x), Some(y)) if x >= y => a,
            (Some(_), Some(_)) => b,
            (None, _) => a,
            (_, None) => b,
        };
        let names = self.cameras.keys().chain(other.cameras.keys());
        Self {
            default: longer(self.default, other.default),
            cameras: names.map(|name| (*name, longer(self.rule(name), other.rule(name)))).collect(),
            release_agents: other.release_agents,
        }
    }
}

/// The camera whose sound this is, where it is one.
pub(super) fn pictures_of(camera: &Name) -> Option<Name> {
    camera.as_str().strip_suffix("-audio")?.parse().ok()
}
