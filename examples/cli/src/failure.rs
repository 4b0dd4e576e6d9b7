//! Errors as people and scripts read them: what is wrong, what to do about it, and a number to search for.

use std::fmt;
use std::path::Path;

use vigie::fault::{Blame, Code, Fault};

/// Exit code of everything that went wrong, but for two cases: a command line that cannot be read (2, as `clap` has
/// it) and an answer that falls short of what was asked ([`SHORT`]).
pub const FAILED: u8 = 1;

/// Exit code of `vigie export` when the files are good but cover less than the range that was asked for, and of `vigie forecast`
/// when the disk will be full before the retention is over.
pub const SHORT: u8 = 3;

/// What went wrong, what to do, and (where core raised it) the stable number of the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    what: String,
    remedy: String,
    code: Option<Code>,
    blame: Option<Blame>,
}

impl Failure {
    /// `what` is a sentence without its full stop, as is `remedy`. Neither may hold a password; both are redacted
    /// once more when they are shown.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into(), code: None, blame: None }
    }

    /// The fault's own text behind `doing`, with a remedy; its number and blame are kept.
    pub fn fault<E: Fault + fmt::Display>(doing: &str, fault: &E, remedy: impl Into<String>) -> Self {
        Self::new(format!("{doing}: {fault}"), remedy).numbered(fault)
    }

    /// Keeps the number and blame of `fault`.
    #[must_use]
    pub fn numbered<E: Fault>(mut self, fault: &E) -> Self {
        self.code = Some(fault.code());
        self.blame = Some(fault.blame());
        self
    }

    /// A file or folder that the system refused; `doing` is a verb: `read`, `write`, `open`.
    #[must_use]
    pub fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let (why, remedy) = match error.kind() {
            K::NotFound => ("it does not exist", "check the path"),
            K::PermissionDenied => {
                ("permission denied", "choose a place that this user may use, or change its permissions")
            }
            K::ReadOnlyFilesystem => {
                ("the file system is read-only", "choose another place, or mount it for writing")
            }
            K::StorageFull | K::QuotaExceeded => {
                ("the disk is full", "free some space, or choose another disk")
            }
            K::IsADirectory => ("it is a folder", "name a file"),
            K::NotADirectory => ("a part of the path is not a folder", "check the path"),
            K::AlreadyExists => ("it exists already", "choose another name, or remove it first"),
            _ => ("", "check the path and the disk"),
        };
        let shown = path.display();
        if why.is_empty() {
            Self::new(format!("cannot {doing} {shown}: {error}"), remedy)
        } else {
            Self::new(format!("cannot {doing} {shown}: {why}"), remedy)
        }
    }

    /// The sentence.
    #[must_use]
    pub fn what(&self) -> String {
        redact(&self.what)
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        redact(&self.remedy)
    }

    /// One line of JSON: `{"error":{"what":…,"remedy":…,"code":…,"blame":…}}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let blame = self.blame.map(|b| match b {
            Blame::Peer => "peer",
            Blame::Caller => "caller",
            Blame::Storage => "storage",
            _ => "vigie",
        });
        serde_json::json!({ "error": {
            "what": self.what(), "remedy": self.remedy(), "code": self.code.map(|c| c.to_string()), "blame": blame,
        }})
        .to_string()
    }
}

/// Two lines: the sentence with the number behind it, and the remedy.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vigie: {}", self.what())?;
        if let Some(code) = self.code {
            write!(f, " [{code}]")?;
        }
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "\n  try: {}", self.remedy()) }
    }
}

impl std::error::Error for Failure {}

/// What stands for user and password in the addresses that we teach.
const EXAMPLE: &str = "user:password";

/// Replaces what stands between `://` and the last `@` of the same word: user and password of a URL.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>'));
        let word = &after[..end.unwrap_or(after.len())];
        match word.rfind('@') {
            Some(host) => {
                out.push_str(if word.get(..host) == Some(EXAMPLE) { EXAMPLE } else { "***" });
                rest = &after[host..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn userinfo_is_never_shown() {
        for (text, shown) in [
            ("rtsp://cam/1", "rtsp://cam/1"),
            ("see rtsp://u:p@cam/1.", "see rtsp://***@cam/1."),
            ("'rtsp://u:p@ss/w@cam' and rtsp://x:y@z", "'rtsp://***@cam' and rtsp://***@z"),
            ("mail@example.org", "mail@example.org"),
            ("rtsp://:@", "rtsp://***@"),
            ("(rtsp://user:password@host/…)", "(rtsp://user:password@host/…)"),
        ] {
            assert_eq!(redact(text), shown);
        }
        let failure = Failure::new("no answer from rtsp://u:secret@cam/", "try rtsp://u:secret@cam/2");
        assert!(!failure.to_string().contains("secret"));
        assert!(!failure.to_json().contains("secret"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_redacted(text in "\\PC*", user in "[a-z]{1,8}") {
            let _ = redact(&text);
            let url = format!("{text} rtsp://{user}:s3cr3t-pass@host/x {text}");
            proptest::prop_assert!(!redact(&url).contains("s3cr3t-pass"));
        }
    }
}
