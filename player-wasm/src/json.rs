//! JSON written by hand: a few small objects per picture, all of whose shapes are known here.

use alloc::string::String;
use core::fmt::{self, Write as _};

/// An object being written. Keys are ours, and plain.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".into())
    }

    fn key(&mut self, key: &str) {
        let comma = if self.0.len() > 1 { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{comma}\"{key}\":");
    }

    /// A number or a boolean: whatever its `Display` writes as JSON has it. Infinities are for nobody to pass.
    pub(crate) fn plain(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.key(key);
        let _ = write!(self.0, "{value}");
        self
    }

    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        string(&mut self.0, value);
        self
    }

    /// An array of arrays, each written by `row` without its brackets.
    pub(crate) fn rows<T>(
        mut self,
        key: &str,
        rows: impl IntoIterator<Item = T>,
        row: impl Fn(&mut String, T),
    ) -> Self {
        self.key(key);
        self.0.push('[');
        for (i, item) in rows.into_iter().enumerate() {
            self.0.push_str(if i > 0 { ",[" } else { "[" });
            row(&mut self.0, item);
            self.0.push(']');
        }
        self.0.push(']');
        self
    }

    /// An object whose keys come from elsewhere.
    #[cfg(any(feature = "live", test))]
    pub(crate) fn counts<'a>(mut self, key: &str, counts: impl Iterator<Item = (&'a str, u64)>) -> Self {
        self.key(key);
        self.0.push('{');
        for (i, (name, count)) in counts.enumerate() {
            self.0.push_str(if i > 0 { "," } else { "" });
            string(&mut self.0, name);
            let _ = write!(self.0, ":{count}");
        }
        self.0.push('}');
        self
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// RFC 8259 §7.
pub(crate) fn string(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_as_json_has_it() {
        let text = Object::new()
            .plain("start", 4)
            .text("why", "a \"b\"\\\n")
            .rows("pictures", [1, 2], |out, n| out.push_str(&n.to_string()))
            .counts("quirks", [("no-cseq", 3)].into_iter())
            .end();
        assert_eq!(
            text,
            r#"{"start":4,"why":"a \"b\"\\\u000a","pictures":[[1],[2]],"quirks":{"no-cseq":3}}"#
        );
        assert_eq!(Object::new().end(), "{}");
    }
}
