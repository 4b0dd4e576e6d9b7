//! The security headers, the same on every answer.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

/// Only our own files, nothing inline, no frame around us. `blob:` for media is what a `MediaSource` made on the page
/// (Firefox) plays through; where it is made in the worker, nothing uses it.
const PAGE: &str = "default-src 'self'; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; \
                    form-action 'none'; object-src 'none'";

/// The worker compiles WebAssembly: this one file may, the page may not.
const WORKER: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; frame-ancestors 'none'; \
                      base-uri 'none'; form-action 'none'; object-src 'none'";

/// Sets them.
pub(crate) fn secure(path: &str, headers: &mut HeaderMap) {
    let policy = if is_worker(path) { WORKER } else { PAGE };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The player's worker: a file of the package named `worker.js` or `…-worker.js`.
fn is_worker(path: &str) -> bool {
    path.strip_prefix("/player/").is_some_and(|rest| {
        let name = rest.rsplit('/').next().unwrap_or_default();
        name == "worker.js" || name.ends_with("-worker.js")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_worker_may_compile() {
        for (path, may) in [
            ("/player/worker.js", true),
            ("/player/vigie-worker.js", true),
            ("/player/js/vigie-worker.js", true),
            ("/player/vigie-player.js", false),
            ("/worker.js", false),
            ("/", false),
        ] {
            let mut headers = HeaderMap::new();
            secure(path, &mut headers);
            let policy = headers.get(CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok());
            assert_eq!(policy.is_some_and(|policy| policy.contains("wasm-unsafe-eval")), may, "{path}");
            assert!(policy.is_some_and(|policy| policy.starts_with("default-src 'self'")), "{path}");
        }
    }
}
