//! `/metrics`: the Prometheus text format, version 0.0.4.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use crate::camera::{Camera, State as CameraState, Status};
use crate::centre::Centre;
use crate::clock;

/// `GET /metrics`
pub(crate) async fn serve(State(centre): State<Arc<Centre>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&centre)).into_response()
}

type Value = fn(&Status) -> f64;

/// Name, type, help, value: one line per camera each.
const OF_A_CAMERA: &[(&str, &str, &str, Value)] = &[
    ("vigie_camera_pictures_total", "counter", "Pictures received.", |s| s.pictures as f64),
    ("vigie_camera_bytes_total", "counter", "Bytes of pictures received.", |s| s.bytes as f64),
    ("vigie_camera_lost_packets_total", "counter", "RTP packets lost on the way.", |s| s.lost_packets as f64),
    ("vigie_camera_connections_total", "counter", "Connections made.", |s| s.connections as f64),
    ("vigie_camera_quirks_total", "counter", "Violations tolerated.", |s| {
        s.all_quirks().iter().map(|(_, n)| n).sum::<u64>() as f64
    }),
    ("vigie_recorded_fragments_total", "counter", "Fragments written.", |s| {
        s.recorded.store.fragments as f64
    }),
    ("vigie_recorded_bytes_total", "counter", "Bytes of fragments written.", |s| {
        s.recorded.store.bytes as f64
    }),
    ("vigie_store_failures_total", "counter", "Failures of the store.", |s| s.recorded.store.failures as f64),
    ("vigie_fragments_refused_total", "counter", "Fragments that the store did not take.", |s| {
        s.recorded.refused as f64
    }),
    ("vigie_pictures_unrecorded_total", "counter", "Pictures that did not reach the recorder.", |s| {
        (s.unrecorded + s.dropped) as f64
    }),
    ("vigie_camera_bit_rate", "gauge", "Bits per second over the last seconds.", |s| {
        s.bit_rate().unwrap_or(0.0)
    }),
    ("vigie_camera_frame_rate", "gauge", "Pictures per second over the last seconds.", |s| {
        s.frame_rate().unwrap_or(0.0)
    }),
    ("vigie_camera_jitter_seconds", "gauge", "Interarrival jitter of its packets.", |s| {
        s.health.jitter.map_or(0.0, |micros| f64::from(micros) / 1e6)
    }),
    ("vigie_camera_gop_pictures", "gauge", "Pictures from one key picture to the next.", |s| {
        s.health.gop.map_or(0.0, |gop| f64::from(gop.pictures))
    }),
    ("vigie_camera_stamped_frame_rate", "gauge", "Pictures per second as its timestamps say.", |s| {
        s.health.stamped_rate.unwrap_or(0.0)
    }),
    ("vigie_camera_clock_offset_seconds", "gauge", "Its clock less ours; NaN where it says nothing.", |s| {
        s.health.clock_offset.map_or(f64::NAN, |micros| micros as f64 / 1e6)
    }),
    (
        "vigie_camera_clock_drift_ppm",
        "gauge",
        "What its clock gains on ours; NaN where it is not known.",
        |s| s.health.clock_drift.unwrap_or(f64::NAN),
    ),
    (
        "vigie_camera_keep_alive_seconds",
        "gauge",
        "From a keep-alive to its answer; NaN where none came.",
        |s| s.health.keep_alive.map_or(f64::NAN, |micros| micros as f64 / 1e6),
    ),
];

fn text(centre: &Centre) -> String {
    let mut out = String::new();
    for (name, kind, help, value) in OF_A_CAMERA {
        head(&mut out, name, kind, help);
        for camera in centre.cameras() {
            line(&mut out, name, camera, "", value(&camera.status()));
        }
    }
    let name = "vigie_camera_state";
    head(&mut out, name, "gauge", "1 for the state that the camera is in.");
    for camera in centre.cameras() {
        let now = camera.status().state();
        for state in CameraState::ALL {
            let label = format!(",state=\"{}\"", state.name());
            line(&mut out, name, camera, &label, u8::from(state == now));
        }
    }
    viewers(&mut out, centre);
    let name = "vigie_tokens";
    head(&mut out, name, "gauge", "Tokens issued that have not expired.");
    let _ = writeln!(out, "{name} {}", centre.issuer.count(clock::now()));
    let name = "vigie_requests_refused_total";
    head(&mut out, name, "counter", "Requests refused: foreign name, foreign page, no token.");
    let _ = writeln!(out, "{name} {}", centre.counters.refusals());
    out
}

fn viewers(out: &mut String, centre: &Centre) {
    let counts: Vec<_> = centre.cameras().map(|camera| (camera, camera.fan.viewers())).collect();
    head(out, "vigie_viewers", "gauge", "Viewers now.");
    for (camera, (now, _)) in &counts {
        line(out, "vigie_viewers", camera, "", now);
    }
    let name = "vigie_viewer_skips_total";
    head(out, name, "counter", "Times that a viewer was too slow and skipped to the next key picture.");
    for (camera, (_, skips)) in &counts {
        line(out, name, camera, "", skips);
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Tenant and camera are plain names: nothing in them needs escaping.
fn line(out: &mut String, name: &str, camera: &Camera, labels: &str, value: impl Display) {
    let (tenant, id) = (&camera.tenant, &camera.id);
    let _ = writeln!(out, "{name}{{tenant=\"{tenant}\",camera=\"{id}\"{labels}}} {value}");
}
