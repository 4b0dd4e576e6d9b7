//! The centre's HTTP side: who may ask, the page's files, the API, the archive.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};

use crate::centre::Centre;

mod api;
mod archive;
mod files;
mod guard;
mod headers;
mod holds;
mod metrics;
mod ranges;
mod reach;
mod recording;
mod rtsp;

pub(crate) use files::Folders;
pub(crate) use guard::Origins;
pub(crate) use holds::Holds;
pub(crate) use recording::Recordings;

/// Everything behind the guard: nothing is answered, not even "no such page", that it did not let through.
pub(crate) fn router(centre: Arc<Centre>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/metrics", get(metrics::serve))
        .route("/rtsp", get(rtsp::serve))
        .route("/archive/{*path}", get(archive::serve))
        .route("/api/cameras", get(api::cameras))
        .route("/api/tokens", post(api::tokens::issue).layer(DefaultBodyLimit::max(api::tokens::BODY)))
        .route("/api/timeline/{tenant}/{camera}", get(api::timeline))
        .route("/api/availability/{tenant}/{camera}", get(api::availability))
        .route("/api/mp4/{tenant}/{camera}", get(recording::mp4))
        .route("/api/hls/{tenant}/{camera}/{*name}", get(recording::hls))
        .route("/api/picture/{tenant}/{camera}", get(recording::picture))
        .route("/api/demo/pictures/{tenant}/{camera}", get(api::demo::pictures))
        .route("/api/demo/camera/{tenant}/{camera}/move", post(api::demo::drive))
        .route("/api/demo/camera/{tenant}/{camera}/{order}", post(api::demo::control))
        .route(
            "/api/{*path}",
            axum::routing::any(async || (StatusCode::NOT_FOUND, "no such thing\n").into_response()),
        )
        .fallback_service(get(files::serve).with_state(centre.clone()))
        .with_state(centre.clone())
        .layer(from_fn_with_state(centre, guard::guard))
}
