//! What a machine hands to JavaScript: a kind, a text in JSON, bytes.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

/// One thing for JavaScript to do.
pub(crate) struct Output {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    pub(crate) bytes: Bytes,
}

impl Output {
    pub(crate) fn text(kind: &'static str, text: String) -> Self {
        Self { kind, text, bytes: Bytes::new() }
    }
}

/// Outputs in order; the one last pulled is what `text` and `bytes` speak of.
#[derive(Default)]
pub(crate) struct Outputs {
    ready: VecDeque<Output>,
    last: Option<Output>,
}

impl Outputs {
    pub(crate) fn push(&mut self, output: Output) {
        self.ready.push_back(output);
    }

    #[cfg(feature = "archive")]
    pub(crate) fn clear(&mut self) {
        self.ready.clear();
    }

    pub(crate) fn pull(&mut self) -> Option<String> {
        self.last = self.ready.pop_front();
        self.last.as_ref().map(|last| last.kind.into())
    }

    pub(crate) fn text(&self) -> String {
        self.last.as_ref().map(|last| last.text.clone()).unwrap_or_default()
    }

    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.last.as_mut().map(|last| core::mem::take(&mut last.bytes).into()).unwrap_or_default()
    }
}
