//! `/rtsp`: RTSP with interleaved RTP over WebSocket (ONVIF Streaming, "RTP/RTSP/TCP/WebSocket").
//!
//! A browser cannot set headers on a WebSocket, so the handshake is guarded by `Host` and `Origin`, and the token comes
//! with the first RTSP request. Until then nothing is told, not even whether a camera exists.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::centre::Centre;
use crate::viewer::Viewer;

/// The subprotocol's name.
const PROTOCOL: &str = "rtsp.onvif.org";

/// Bytes of one message from a viewer: requests only.
const MESSAGE: usize = 32 << 10;

/// `GET /rtsp`
pub(crate) async fn serve(State(centre): State<Arc<Centre>>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(MESSAGE).max_frame_size(MESSAGE);
    if upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, "ask for the subprotocol rtsp.onvif.org\n").into_response();
    }
    let Ok(stranger) = centre.strangers.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many connections without a token\n").into_response();
    };
    let mut seed = [0; 32];
    if getrandom::fill(&mut seed).is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "no random numbers\n").into_response();
    }
    upgrade.on_upgrade(async move |socket| Viewer::new(centre, seed, stranger).run(socket).await)
}
