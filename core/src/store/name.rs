//! Names of tenants and cameras, which become folders.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::{Error, Kind};
use crate::gix::{Day, Key, Text};

/// The name of a tenant or camera: `[a-z0-9_-]{1,64}`, so that it is a folder on every file system and a key in every bucket,
/// and nothing but that.
///
/// ```
/// use vigie::store::Name;
/// assert!("port-1".parse::<Name>().is_ok());
/// assert!("../port".parse::<Name>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(Text<64>);

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) const fn text(&self) -> Text<64> {
        self.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(Kind::Name.into());
        }
        Text::new(text).map(Self).ok_or(Kind::Name.into())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A camera's stream in a store: its folder is `<tenant>/<camera>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Whose camera it is.
    pub tenant: Name,
    /// Which of the tenant's.
    pub camera: Name,
}

impl Source {
    /// From two names.
    ///
    /// # Errors
    /// [`Kind::Name`].
    pub fn new(tenant: &str, camera: &str) -> Result<Self, Error> {
        Ok(Self { tenant: tenant.parse()?, camera: camera.parse()? })
    }

    /// Where the sound of this camera is kept, if it is: beside its pictures, under its name with `-audio` behind it.
    ///
    /// # Errors
    /// [`Kind::Name`] where the camera's name is longer than 58 characters.
    pub fn audio(&self) -> Result<Self, Error> {
        let camera = alloc::format!("{}-audio", self.camera).parse()?;
        Ok(Self { camera, ..*self })
    }
}

/// `<tenant>/<camera>`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.camera)
    }
}

/// Where a media file is in the store.
#[must_use]
pub fn media_path(source: &Source, key: Key) -> String {
    alloc::format!("{source}/{key}")
}

/// Where a day's index is in the store.
#[must_use]
pub fn index_path(source: &Source, day: Day) -> String {
    alloc::format!("{source}/{day}.gix")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn only_names_that_are_one_folder_pass() {
        for good in ["a", "port-1", "_", &"x".repeat(64)] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "A", "é", "a b", "a.b", "a\0", &"x".repeat(65)] {
            assert_eq!(bad.parse::<Name>().unwrap_err().kind, Kind::Name, "{bad}");
        }
    }
}
