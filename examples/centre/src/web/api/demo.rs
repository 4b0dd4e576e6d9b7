//! `/api/demo/*`: what only the demo has, for its tests: what was sent and when, and cameras that can be killed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use vigie_cli::simulator::Outage;

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
