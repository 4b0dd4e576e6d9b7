//! `/api/demo/*`: what only the demo has, for its tests: what was sent and when, cameras that can be killed; and one that
//! can be moved.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use vigie_cli::simulator::{Outage, Velocity};

use super::{Window, not_found, refuse};
use crate::centre::Centre;

/// `GET /api/demo/pictures/<tenant>/<camera>?from=&to=`: `[[loop, number, "utc"], …]` in the order they were sent.
pub(in crate::web) async fn pictures(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera)): Path<(String, String)>,
    Query(window): Query<Window>,
) -> Response {
    let Some(demo) = centre.demo.as_ref().filter(|_| centre.camera(&tenant, &camera).is_some()) else {
        return not_found("no such simulated camera");
    };
    let span = match window.span() {
        Ok(span) => span,
        Err(what) => return refuse(&what),
    };
    let pictures = demo.pictures(&tenant, &camera, span.from, span.to);
    let rows: Vec<_> = pictures.iter().map(|p| (p.round, p.number, p.utc.to_string())).collect();
    Json(rows).into_response()
}

/// `POST /api/demo/camera/<tenant>/<camera>/{stop,cut,start}`: the camera is switched off, its network is cut, all is
/// well again.
pub(in crate::web) async fn control(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera, order)): Path<(String, String, String)>,
) -> Response {
    let outage = match order.as_str() {
        "stop" => Outage::Off,
        "cut" => Outage::Cut,
        "start" => Outage::None,
        _ => return not_found("no such order: stop, cut or start"),
    };
    match &centre.demo {
        Some(demo) if demo.set_outage(&tenant, &camera, outage) => StatusCode::NO_CONTENT.into_response(),
        _ => not_found("no such simulated camera"),
    }
}

/// `POST /api/demo/camera/<tenant>/<camera>/move` with `{"pan", "tilt", "zoom"}`, −1 to 1 each, none: 0. The camera moves so for
/// a second: who wants more says it again; all 0 stops it.
pub(in crate::web) async fn drive(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let velocity: Velocity = match serde_json::from_slice(&body) {
        Ok(velocity) => velocity,
        Err(error) => return refuse(&error.to_string()),
    };
    match &centre.demo {
        Some(demo) if demo.drive(&tenant, &camera, velocity) => StatusCode::NO_CONTENT.into_response(),
        _ => not_found("no such simulated camera that can be moved"),
    }
}
