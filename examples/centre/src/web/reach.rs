//! What a token that the centre issued reaches: what is listed here, and nothing that comes to be later.

use axum::http::StatusCode;

use crate::centre::Centre;
use crate::issuer::{Pass, Right};

/// Is this path for whoever has that pass? As the centre's routes have it: names of cameras are never escaped in it.
pub(super) fn check(centre: &Centre, pass: &Pass, path: &str) -> Result<(), (StatusCode, &'static str)> {
    if matches!(pass, Pass::Own) {
        return Ok(());
    }
    // What comes behind a camera is its own: one part, however long.
    let parts: Vec<&str> = path.splitn(6, '/').skip(1).collect();
    match parts.as_slice() {
        // Of those that it covers.
        ["api", "cameras"] => Ok(()),
        ["api", "timeline" | "availability" | "mp4" | "hls" | "picture", tenant, camera, ..]
        | ["archive", tenant, camera, ..] => {
            // The same for one that it does not cover and for one that there is not.
            if !centre.camera(tenant, camera).is_some_and(|camera| pass.covers(camera)) {
                return Err((StatusCode::NOT_FOUND, "no such camera\n"));
            }
            let why = "this token is not for the recording\n";
            if pass.allows(Right::Recorded) { Ok(()) } else { Err((StatusCode::FORBIDDEN, why)) }
        }
        _ => Err((StatusCode::FORBIDDEN, "the centre's own token is needed\n")),
    }
}
