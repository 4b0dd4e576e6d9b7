//! `POST /api/tokens`: short-lived tokens for the users of a portal, asked for with the centre's own.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{not_found, refuse};
use crate::centre::Centre;
use crate::clock;
use crate::issuer::{Grant, Right, SECONDS};

/// Bytes of a request.
pub(in crate::web) const BODY: usize = 256 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `tenant/camera`
    cameras: Vec<String>,
    seconds: u32,
    #[serde(default = "both")]
    rights: Vec<Right>,
}

fn both() -> Vec<Right> {
    Right::ALL.into()
}

#[derive(Serialize)]
struct Issued {
    token: String,
    expires: String,
}

/// `{"cameras": ["tenant/camera"], "seconds": 300, "rights": ["live", "recorded"]}` → `{"token", "expires"}`
pub(in crate::web) async fn issue(State(centre): State<Arc<Centre>>, body: Bytes) -> Response {
    let wanted: Wanted = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(&error.to_string()),
    };
    if !SECONDS.contains(&wanted.seconds) {
        return refuse(&format!("`seconds` is {} to {}", SECONDS.start(), SECONDS.end()));
    }
    if wanted.cameras.is_empty() || wanted.rights.is_empty() {
        return refuse("`cameras` and `rights` name one at least");
    }
    let mut cameras = BTreeSet::new();
    for name in &wanted.cameras {
        let known = name.split_once('/').and_then(|(tenant, camera)| centre.camera(tenant, camera));
        let Some(camera) = known else { return not_found(&format!("no such camera: {name:?}")) };
        cameras.insert(camera.number);
    }
    let micros = u64::from(wanted.seconds) * 1_000_000;
    let (now, expires) = (clock::now(), clock::utc().plus(micros as i64));
    match centre.issuer.issue(Grant { cameras, rights: wanted.rights, until: now.plus(micros) }, now) {
        Ok(token) => Json(Issued { token, expires: format!("{expires:.3}") }).into_response(),
        Err(error) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(serde_json::json!({ "error": error.to_string() })))
                .into_response()
        }
    }
}
