//! Who may ask at all. Loopback alone is no protection: any page in the operator's browser can open a socket to it.
//!
//! Three doors, each closed on its own: `Host` must be a name of ours (against DNS rebinding), `Origin` and
//! `Sec-Fetch-Site` must be our own page (against other pages), and everything but the page's own files, which hold
//! nothing of anybody, wants the token, or one that the centre issued for what is asked.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{headers, reach};
use crate::centre::Centre;
use crate::issuer::Pass;

/// The names under which the centre answers.
#[derive(Debug)]
pub(crate) struct Origins {
    configured: Vec<String>,
    /// The address listened on, where it is a definite one.
    own: Option<String>,
}

impl Origins {
    /// Loopback names, the address listened on where it is a definite one, and the configured origins.
    pub(crate) fn new(listen: SocketAddr, configured: &[String]) -> Self {
        let own = (!listen.ip().is_unspecified()).then(|| format!("http://{listen}"));
        Self { configured: configured.to_vec(), own }
    }

    /// Those of the configuration.
    pub(crate) fn configured(&self) -> &[String] {
        &self.configured
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.configured.iter().chain(&self.own)
    }

    fn allow_host(&self, host: &str) -> bool {
        is_loopback(host) || self.all().any(|origin| same_authority(origin, host))
    }

    /// A page of ours: a configured origin, or plain HTTP from the very loopback name and port that was asked.
    fn allow_origin(&self, origin: &str, host: &str) -> bool {
        let own =
            is_loopback(host) && origin.strip_prefix("http://").is_some_and(|o| o.eq_ignore_ascii_case(host));
        own || self.all().any(|known| known.eq_ignore_ascii_case(origin) && same_authority(known, host))
    }
}

/// `localhost`, `127.0.0.1` or `[::1]`, with any port (a forwarded one, say).
fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
        let rest = host.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name));
        rest.is_some() && is_port(&host[name.len()..])
    })
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok())
}

/// Is `host` the authority of `origin`, the scheme's own port left out or not?
fn same_authority(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let default = if scheme == "https" { ":443" } else { ":80" };
    let bare = |text: &str| text.strip_suffix(default).unwrap_or(text).to_ascii_lowercase();
    bare(authority) == bare(host)
}

/// Checks every request and puts the security headers on every answer, refusals included.
pub(crate) async fn guard(State(centre): State<Arc<Centre>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = match check(&centre, &request) {
        Ok(pass) => {
            if let Some(pass) = pass {
                request.extensions_mut().insert(pass);
            }
            next.run(request).await
        }
        Err(refusal) => {
            centre.counters.refused();
            refusal.into_response()
        }
    };
    headers::secure(&path, response.headers_mut());
    response
}

/// Why a request is not answered.
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.0, self.1).into_response();
        if self.0 == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What the token is good for, where one is wanted.
fn check(centre: &Centre, request: &Request) -> Result<Option<Pass>, Refusal> {
    let refuse = |why| Err(Refusal(StatusCode::FORBIDDEN, why));
    let headers = request.headers();
    let Some(Some(host)) = only(headers, HOST) else {
        return refuse("one Host, please\n");
    };
    // RFC 9112 §3.2.2: an absolute target overrides Host, so it must be ours too.
    let target =
        request.uri().authority().is_none_or(|authority| centre.origins.allow_host(authority.as_str()));
    if !target || !centre.origins.allow_host(host) {
        return refuse("not a name of this centre; add it to `origins`\n");
    }
    let own_page = match only(headers, ORIGIN) {
        Some(origin) => origin.is_none_or(|origin| centre.origins.allow_origin(origin, host)),
        None => false,
    };
    if !own_page || !same_site(request) {
        return refuse("not for pages of other origins\n");
    }
    let path = request.uri().path();
    if !wants_token(path) {
        return Ok(None);
    }
    let pass = only(headers, AUTHORIZATION).flatten().and_then(|value| centre.pass(value));
    let Some(pass) = pass else {
        return Err(Refusal(StatusCode::UNAUTHORIZED, "a token that has not expired is needed\n"));
    };
    reach::check(centre, &pass, path).map_err(|(status, why)| Refusal(status, why))?;
    Ok(Some(pass))
}

/// `Sec-Fetch-Site` (Fetch Metadata): another site may at most link to the page.
fn same_site(request: &Request) -> bool {
    let metadata = |name: &'static str| only(request.headers(), HeaderName::from_static(name)).flatten();
    match metadata("sec-fetch-site") {
        None | Some("same-origin" | "none") => true,
        Some(_) => request.uri().path() == "/" && metadata("sec-fetch-mode") == Some("navigate"),
    }
}

/// The page's files, the health check and the WebSocket (which asks in its first RTSP request) do without.
fn wants_token(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "api" | "archive" | "metrics")
}

/// The value of a header: `Some(None)` where it is absent, `None` where it is there twice or not text.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<Option<&str>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(None),
        (Some(value), None) => value.to_str().ok().map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let listen = SocketAddr::from(([0, 0, 0, 0], 8080));
        Origins::new(listen, &["https://video.example.fr".into(), "http://10.0.0.1:8080".into()])
    }

    #[test]
    fn only_our_own_names() {
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:8080",
            "[::1]:8080",
            "video.example.fr",
            "Video.Example.fr:443",
            "10.0.0.1:8080",
        ] {
            assert!(origins().allow_host(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "localhost:8080:1",
            "localhost:99999",
            "localhost:",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "10.0.0.1:80",
            "video.example.fr:80",
            "video.example.fr.",
            "0.0.0.0:8080",
            "127.0.0.2",
            "ĺocalhost",
        ] {
            assert!(!origins().allow_host(host), "{host}");
        }
    }

    #[test]
    fn only_our_own_page() {
        assert!(origins().allow_origin("http://localhost:8080", "localhost:8080"));
        assert!(origins().allow_origin("https://video.example.fr", "video.example.fr"));
        for (origin, host) in [
            ("null", "localhost:8080"),
            ("http://localhost:3000", "localhost:8080"),
            ("http://127.0.0.1:8080", "localhost:8080"),
            ("https://localhost:8080", "localhost:8080"),
            ("http://evil.example", "localhost:8080"),
            ("http://video.example.fr", "video.example.fr"),
            ("https://video.example.fr", "localhost:8080"),
            ("https://video.example.fr.evil.example", "video.example.fr"),
        ] {
            assert!(!origins().allow_origin(origin, host), "{origin} to {host}");
        }
    }

    #[test]
    fn a_definite_address_is_a_name() {
        let origins = Origins::new(SocketAddr::from(([192, 168, 1, 2], 8080)), &[]);
        assert!(origins.allow_host("192.168.1.2:8080") && !origins.allow_host("192.168.1.2:8081"));
    }
}
