//! Session descriptions, RFC 8866, read leniently: a line that breaks the grammar is skipped and counted, and every
//! raw byte is kept. [`Description`] is the way back, for a server.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use thiserror::Error;

use crate::fault::{Blame, Code, Fault, Offset, Quirk, Quirks};
use crate::limits::Limits;

mod address;
mod media;
mod sprop;
mod write;

pub use address::Group;
pub use media::{Keys, Media, MediaKind, PayloadType};
pub use write::{Description, VideoDescription};

/// What a camera says it will send.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presentation {
    /// The whole description as it was received. Hanwha's may hold the password, in `a=control:`; nothing else here
    /// does.
    pub raw: Bytes,
    /// `s=`, often the firmware's name.
    pub name: Option<String>,
    /// `a=tool:`, often the server's name and version.
    pub tool: Option<String>,
    /// The session's `a=control:`, without user and password.
    pub control: Option<String>,
    /// The session's `a=range:`.
    pub range: Option<String>,
    /// The media in order. Their place in this list is what other modules call the media's index.
    pub media: Vec<Media>,
    /// What was tolerated.
    pub quirks: Quirks,
}

/// Why bytes are not a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind}, at {at}")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Bytes from the start of the description.
    pub at: Offset,
}

/// The kinds of [`Error`](struct@Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Kind {
    /// There is nothing.
    #[error("the session description is empty")]
    Empty,
    /// Not one line has the form `x=`.
    #[error("not a session description")]
    NotSdp,
    /// No media section that can be read.
    #[error("the session description has no media")]
    NoMedia,
    /// The description breaks a rule that the policy does not let it break.
    #[error("the session description breaks a rule: {0}")]
    Violation(Quirk),
}

impl Fault for Kind {
    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::Empty => 200,
            Self::NotSdp => 201,
            Self::NoMedia => 202,
            Self::Violation(_) => 203,
        })
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        self.kind.blame()
    }

    fn code(&self) -> Code {
        self.kind.code()
    }
}

impl Presentation {
    /// Reads a description. Of the session's lines only `s=`, `a=` and `m=` matter to a receiver, and `c=` where it names
    /// a group: `o=`, `t=`, `c=` and `b=` are where cameras break the grammar most (ten makes on `o=` alone), so nothing
    /// depends on them.
    ///
    /// # Errors
    ///
    /// `Empty`, `NotSdp`, `NoMedia`, `Violation`.
    pub fn parse(raw: impl Into<Bytes>, limits: &Limits) -> Result<Self, Error> {
        let raw = raw.into();
        let error = |kind| Error { kind, at: Offset(0) };
        let mut presentation = Self {
            raw: raw.clone(),
            name: None,
            tool: None,
            control: None,
            range: None,
            media: Vec::new(),
            quirks: Quirks::default(),
        };
        if raw.iter().all(u8::is_ascii_whitespace) {
            return Err(error(Kind::Empty));
        }
        let Some(sections) = presentation.read_lines(&raw) else { return Err(error(Kind::NotSdp)) };
        for (at, section) in sections.iter().enumerate() {
            if at >= limits.sdp_media {
                presentation.quirks.count(Quirk::OverLimit);
                continue;
            }
            match Media::parse(section, limits, &mut presentation.quirks) {
                Some(media) => presentation.media.push(media),
                None => presentation.quirks.count(Quirk::BadMedia),
            }
        }
        if presentation.media.iter().any(|media| media.send_only && media.kind == MediaKind::Video) {
            presentation.quirks.count(Quirk::AllSendOnly);
        }
        let odd = presentation.quirks.iter().map(|(quirk, _)| quirk);
        let refused = odd.filter(|quirk| *quirk != Quirk::OverLimit).find(|q| !limits.policy.tolerates(*q));
        match refused {
            Some(quirk) => Err(error(Kind::Violation(quirk))),
            None if presentation.media.is_empty() => Err(error(Kind::NoMedia)),
            None => Ok(presentation),
        }
    }

    /// Reads the session's lines, and sorts the others into sections. `None` where not one line has the form of a line.
    fn read_lines(&mut self, raw: &[u8]) -> Option<Vec<Section>> {
        let mut sections: Vec<Section> = Vec::new();
        // What the session says for every media that does not say otherwise.
        let mut common = Section::default();
        let mut any = false;
        for line in split_lines(raw) {
            let text = String::from_utf8_lossy(line);
            let Some((kind, value)) = split_line(&text) else {
                self.quirks.count(Quirk::BadSdpLine);
                continue;
            };
            any = true;
            self.check(kind, value);
            match (kind, sections.last_mut()) {
                ('m', _) => sections.push(Section { m: value.to_owned(), ..common.clone() }),
                ('a', Some(section)) => section.attributes.push(value.to_owned()),
                ('c', section) => {
                    let section = section.unwrap_or(&mut common);
                    section.group = Group::parse(value).or(section.group);
                }
                (_, Some(_)) => {}
                ('a', None) if value.starts_with("source-filter") || value.starts_with("key-mgmt") => {
                    common.attributes.push(value.to_owned());
                }
                (_, None) => self.session_line(kind, value),
            }
        }
        any.then_some(sections)
    }

    /// Counts what breaks the grammar in lines that nothing depends on: RFC 8866 §5.2, §5.7, §5.9.
    fn check(&mut self, kind: char, value: &str) {
        let words: Vec<&str> = value.split_whitespace().collect();
        let number = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let ip = |word: &str| matches!(word, "IP4" | "IP6");
        match (kind, words.as_slice()) {
            ('o', [_, id, version, "IN", family, _]) if number(id) && number(version) && ip(family) => {}
            ('o', _) => self.quirks.count(Quirk::BadOrigin),
            ('t', [start, stop]) if number(start) && number(stop) => {}
            ('t', _) => self.quirks.count(Quirk::BadTime),
            ('c', ["IN", family, _]) if ip(family) => {}
            ('c', _) => self.quirks.count(Quirk::BadConnection),
            _ => {}
        }
    }

    fn session_line(&mut self, kind: char, value: &str) {
        let field = match (kind, value.split_once(':').unwrap_or((value, ""))) {
            ('s', _) => (&mut self.name, value),
            ('a', ("tool", tool)) => (&mut self.tool, tool),
            ('a', ("control", control)) => (&mut self.control, control),
            ('a', ("range", range)) => (&mut self.range, range),
            _ => return,
        };
        if field.0.is_none() {
            *field.0 = Some(without_userinfo(field.1));
        }
    }

    /// The raw lines without their ends, empty ones left out.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        split_lines(&self.raw)
    }

    /// The first video that this library can read, with its index.
    #[must_use]
    pub fn video(&self) -> Option<(usize, &Media)> {
        self.find(|media| media.kind == MediaKind::Video && media.codec.is_some())
    }

    /// The first video without NAL units (JPEG, AV1) that this library can keep, with its index.
    #[must_use]
    pub fn picture(&self) -> Option<(usize, &Media)> {
        self.find(|media| media.picture().is_some())
    }

    /// The first sound that comes from the camera and that this library can read, with its index. A back channel does not.
    #[must_use]
    pub fn audio(&self) -> Option<(usize, &Media)> {
        self.find(|media| media.audio().is_some())
    }

    /// The first stream of ONVIF metadata, with its index.
    #[must_use]
    pub fn metadata(&self) -> Option<(usize, &Media)> {
        self.find(|media| media.metadata().is_some())
    }

    /// The first media that is for us and fits. Marked as not for us, only sound is not: a back channel. Where every media
    /// is marked, all are for us (mediamtx 5074).
    fn find(&self, fits: impl Fn(&Media) -> bool) -> Option<(usize, &Media)> {
        let all = self.media.iter().all(|media| media.send_only);
        let ours = |media: &Media| all || !media.send_only || media.kind != MediaKind::Audio;
        self.media.iter().enumerate().find(|(_, media)| ours(media) && fits(media))
    }
}

/// The lines of one media section.
#[derive(Clone, Default)]
struct Section {
    /// The value of `m=`.
    m: String,
    /// The values of `a=`.
    attributes: Vec<String>,
    /// Of `c=`.
    group: Option<Group>,
}

/// Leaves the raw bytes out: they may hold a password.
impl fmt::Debug for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presentation")
            .field("name", &self.name)
            .field("tool", &self.tool)
            .field("control", &self.control)
            .field("range", &self.range)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

/// A value, trimmed, without what stands between `://` and `@` in it.
fn without_userinfo(value: &str) -> String {
    let value = value.trim();
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    match rest.get(..authority).and_then(|authority| authority.rfind('@')) {
        Some(at) => alloc::format!("{scheme}://{}", rest.get(at + 1..).unwrap_or_default()),
        None => value.to_owned(),
    }
}

fn split_lines(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    raw.split(|b| matches!(b, b'\n' | b'\r')).filter(|line| !line.is_empty())
}

/// `x=value`; blanks before the letter and around the value are tolerated.
fn split_line(line: &str) -> Option<(char, &str)> {
    let (kind, value) = line.trim_start().split_once('=')?;
    let mut letters = kind.trim_end().chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_lowercase() => Some((letter, value.trim())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
