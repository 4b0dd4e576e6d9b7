//! The page and the player: two folders of small files, the same for everybody.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use crate::centre::Centre;

/// Where the page (`--web`) and the player (`--player`) are.
#[derive(Debug)]
pub(crate) struct Folders {
    /// The desk page: `index.html` and what it needs.
    pub(crate) web: PathBuf,
    /// The player as `make player` packs it.
    pub(crate) player: PathBuf,
}

impl Folders {
    /// The folders given, or those of the workspace that the program or the current folder lies in.
    pub(crate) fn find(web: Option<PathBuf>, player: Option<PathBuf>) -> Self {
        Self {
            web: web.unwrap_or_else(|| in_workspace("examples/centre/web")),
            player: player.unwrap_or_else(|| in_workspace("player-wasm/dist")),
        }
    }

    /// What is missing for the page to work, as a sentence for the operator.
    pub(crate) fn missing(&self) -> Option<String> {
        let nothing = |folder: &Path| folder.read_dir().map_or(true, |mut entries| entries.next().is_none());
        if nothing(&self.player) {
            let folder = self.player.display();
            return Some(format!(
                "the player is not built ({folder} is empty): run `make player`, or give --player DIR"
            ));
        }
        if !self.web.join("index.html").is_file() {
            return Some(format!("no index.html in {}: give --web DIR", self.web.display()));
        }
        None
    }
}

fn in_workspace(relative: &str) -> PathBuf {
    let starts = [std::env::current_exe().ok(), std::env::current_dir().ok()];
    let mut candidates =
        starts.iter().flatten().flat_map(|start| start.ancestors()).map(|top| top.join(relative));
    candidates.find(|folder| folder.is_dir()).unwrap_or_else(|| relative.into())
}

/// Answers every path that is nothing else.
pub(crate) async fn serve(State(centre): State<Arc<Centre>>, uri: Uri) -> Response {
    let path = uri.path();
    let file = match path.strip_prefix("/player/") {
        Some(rest) => safe(rest).map(|rest| centre.folders.player.join(rest)),
        None if path == "/" => Some(centre.folders.web.join("index.html")),
        None => safe(path.trim_start_matches('/')).map(|rest| centre.folders.web.join(rest)),
    };
    let kind = file.as_deref().and_then(media_type);
    if let (Some(file), Some(kind)) = (&file, kind)
        && let Ok(bytes) = tokio::fs::read(file).await
    {
        return ([(CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response();
    }
    if (path == "/" || path.starts_with("/player/"))
        && let Some(missing) = centre.folders.missing()
    {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")).into_response();
    }
    (StatusCode::NOT_FOUND, "no such file\n").into_response()
}

/// A relative path whose every part is a plain name: no `..`, no hidden file, nothing that an escape could hide.
pub(crate) fn safe(path: &str) -> Option<&Path> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let good = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    (path.len() <= 512 && path.split('/').all(good)).then(|| Path::new(path))
}

fn media_type(file: &Path) -> Option<&'static str> {
    Some(match file.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names() {
        for good in ["a", "a/b.js", "annoeullin/mairie/2026-11-22/05/14-00.000Z.1.m4v", "a..b"] {
            assert!(safe(good).is_some(), "{good}");
        }
        for bad in [
            "", "..", "a/../b", "/a", "a//b", "a/", ".git", "a/.x", "%2e%2e/a", "a\\b", "a\0", "é", "a b",
            "C:x",
        ] {
            assert!(safe(bad).is_none(), "{bad}");
        }
        assert!(safe(&"a/".repeat(300)).is_none());
    }
}
