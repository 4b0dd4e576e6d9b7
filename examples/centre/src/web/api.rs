//! `/api/*`: what the page asks for, as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use vigie::fault::Code;
use vigie::gix::Span;
use vigie::record::Health;
use vigie::store::journal::Hold;
use vigie::store::{Availability, Cause, Gap, Listing, Source, Storage, months};
use vigie::time::UtcMicros;

use crate::camera::{Camera, status};
use crate::centre::Centre;
use crate::clock;
use crate::issuer::Pass;

pub(super) mod demo;
pub(super) mod tokens;

#[derive(Serialize)]
struct Cameras<'a> {
    tenants: Vec<TenantJson<'a>>,
    now: String,
}

#[derive(Serialize)]
struct TenantJson<'a> {
    id: &'a str,
    name: &'a str,
    cameras: Vec<CameraJson>,
}

/// What is not known yet is `null`.
#[derive(Serialize)]
struct CameraJson {
    id: String,
    name: String,
    number: u32,
    live: String,
    /// Can it be moved (`POST /api/demo/camera/…/move`)?
    moves: bool,
    state: &'static str,
    since: String,
    reason: Option<String>,
    /// The stable number of the error behind it.
    reason_code: Option<String>,
    codec: Option<&'static str>,
    codec_string: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    frame_rate: Option<f64>,
    bit_rate: Option<f64>,
    gop_seconds: Option<f64>,
    quirks: BTreeMap<&'static str, u64>,
    loss: u64,
    clock: Option<ClockJson>,
    health: HealthJson,
}

/// How the stream does.
#[derive(Serialize)]
struct HealthJson {
    jitter_ms: Option<f64>,
    stamped_rate: Option<f64>,
    gop_pictures: Option<u32>,
    clock_offset_ms: Option<f64>,
    clock_drift_ppm: Option<f64>,
    keep_alive_ms: Option<f64>,
}

#[derive(Serialize)]
struct ClockJson {
    source: &'static str,
    error_ms: f64,
}

impl CameraJson {
    fn of(camera: &Camera, moves: bool) -> Self {
        let status = camera.status();
        let format = status.format.as_ref();
        let stated = format.and_then(|format| format.frame_rate);
        let stated =
            stated.filter(|(_, per)| *per > 0).map(|(pictures, per)| f64::from(pictures) / f64::from(per));
        Self {
            id: camera.id.clone(),
            name: camera.name.clone(),
            number: camera.number,
            live: format!("/{}/{}", camera.tenant, camera.id),
            moves,
            state: status.state().name(),
            since: format!("{:.3}", status.since),
            reason: status.reason().map(str::to_owned),
            reason_code: status.code().map(|code| code.to_string()),
            codec: format.map(|format| format.codec.name()),
            codec_string: format.map(|format| format.codec_string.clone()),
            width: format.map(|format| format.width),
            height: format.map(|format| format.height),
            frame_rate: status.frame_rate().or(stated).map(|rate| rounded(rate, 10.0)),
            bit_rate: status.bit_rate().map(f64::round),
            gop_seconds: status.gop_seconds().map(|seconds| rounded(seconds, 1000.0)),
            quirks: status.all_quirks().iter().map(|(quirk, count)| (quirk.name(), count)).collect(),
            loss: status.lost_packets,
            clock: status.clock.map(|stamp| ClockJson {
                source: status::source_name(stamp.source),
                error_ms: f64::from(stamp.error) / 1000.0,
            }),
            health: HealthJson::of(&status.health),
        }
    }
}

impl HealthJson {
    fn of(health: &Health) -> Self {
        Self {
            jitter_ms: health.jitter.map(|micros| f64::from(micros) / 1000.0),
            stamped_rate: health.stamped_rate.map(|rate| rounded(rate, 10.0)),
            gop_pictures: health.gop.map(|gop| gop.pictures),
            clock_offset_ms: health.clock_offset.map(|micros| micros as f64 / 1000.0),
            clock_drift_ppm: health.clock_drift.map(|ppm| rounded(ppm, 10.0)),
            keep_alive_ms: health.keep_alive.map(|micros| micros as f64 / 1000.0),
        }
    }
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

/// The answer about what is not there.
pub(super) fn not_found(what: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(serde_json::json!({ "error": what }))).into_response()
}

/// `GET /api/cameras`
pub(super) async fn cameras(State(centre): State<Arc<Centre>>, Extension(pass): Extension<Pass>) -> Response {
    let covered = |camera: &&Arc<Camera>| pass.covers(camera);
    // Only for who may move it.
    let demo = centre.demo.as_ref().filter(|_| matches!(pass, Pass::Own));
    let json = |camera: &Arc<Camera>| {
        CameraJson::of(camera, demo.is_some_and(|demo| demo.can_move(&camera.tenant, &camera.id)))
    };
    let tenants = centre.tenants.iter().map(|tenant| TenantJson {
        id: &tenant.id,
        name: &tenant.name,
        cameras: tenant.cameras.iter().filter(covered).map(json).collect(),
    });
    // Of a tenant without any, not even its name.
    let tenants = tenants.filter(|tenant| !tenant.cameras.is_empty() || matches!(pass, Pass::Own));
    Json(Cameras { tenants: tenants.collect(), now: format!("{:.3}", clock::utc()) }).into_response()
}

/// A span of time in an address: `?from=<RFC 3339>&to=<RFC 3339>`.
#[derive(Deserialize)]
pub(super) struct Window {
    from: Option<String>,
    to: Option<String>,
}

impl Window {
    /// The two ends; the last hour where they are not given.
    pub(super) fn span(&self) -> Result<Span, String> {
        let now = clock::utc();
        let end = |text: &Option<String>, default: UtcMicros| match text {
            None => Ok(default),
            Some(text) => text.parse::<UtcMicros>().map_err(|error| error.to_string()),
        };
        let to = end(&self.to, now)?;
        let from = end(&self.from, to.plus(-3_600_000_000))?;
        if from > to { Err("`from` is after `to`".into()) } else { Ok(Span::new(from, to)) }
    }
}

/// The answer to a question that makes no sense.
pub(super) fn refuse(what: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(serde_json::json!({ "error": what }))).into_response()
}

#[derive(Serialize)]
struct Timeline {
    ranges: Vec<RangeJson>,
    gaps: Vec<GapJson>,
    /// `None`: the journal cannot be read.
    holds: Option<Vec<HoldJson>>,
}

/// What is kept beyond its time.
#[derive(Serialize)]
struct HoldJson {
    from: String,
    to: String,
    case: String,
}

#[derive(Serialize)]
struct RangeJson {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct GapJson {
    from: String,
    to: String,
    cause: &'static str,
    /// The stable number of the error behind it.
    code: Option<String>,
}

impl From<&Listing> for Timeline {
    fn from(listing: &Listing) -> Self {
        let ends = |span: Span| (span.from.to_string(), span.to.to_string());
        let range = |span: &Span| {
            let (from, to) = ends(*span);
            RangeJson { from, to }
        };
        let gap = |gap: &Gap| {
            let (from, to) = ends(gap.span);
            let code = (gap.code != 0).then(|| Code(gap.code).to_string());
            GapJson { from, to, cause: gap.cause.name(), code }
        };
        Self {
            ranges: listing.ranges.iter().map(range).collect(),
            gaps: listing.gaps.iter().map(gap).collect(),
            holds: None,
        }
    }
}

/// `GET /api/timeline/<tenant>/<camera>?from=&to=`
pub(super) async fn timeline(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera)): Path<(String, String)>,
    Query(window): Query<Window>,
) -> Response {
    let shared = centre.clone();
    ask(&centre, (tenant, camera), &window, move |storage, source, window| {
        let mut timeline = Timeline::from(&Listing::load(storage, source, window)?);
        let holds = shared.holds.of(storage, source.tenant).ok();
        timeline.holds = holds.map(|holds| {
            let here =
                holds.iter().filter(|hold| hold.is_of(&source.camera) && !hold.span().and(window).is_empty());
            let json = |hold: &Hold| HoldJson {
                from: hold.from.to_string(),
                to: hold.to.to_string(),
                case: hold.case.clone(),
            };
            here.map(json).collect()
        });
        Ok(timeline)
    })
    .await
}

/// Asks the store about a camera and a span, where it may block.
async fn ask<T: Serialize + Send + 'static>(
    centre: &Centre,
    (tenant, camera): (String, String),
    window: &Window,
    what: impl FnOnce(&mut dyn Storage, &Source, Span) -> Result<T, vigie::store::Error> + Send + 'static,
) -> Response {
    if centre.camera(&tenant, &camera).is_none() {
        return not_found("no such camera");
    }
    let window = match window.span() {
        Ok(window) => window,
        Err(what) => return refuse(&what),
    };
    let mut storage = centre.places.stores().merged();
    let asked = tokio::task::spawn_blocking(move || {
        let source = Source::new(&tenant, &camera)?;
        what(&mut storage, &source, window)
    });
    match asked.await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) => failed(&error.to_string()),
        Err(error) => failed(&error.to_string()),
    }
}

pub(super) fn failed(what: &str) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(serde_json::json!({ "error": what }))).into_response()
}

/// Months that are answered at once.
const MONTHS: usize = 24;

#[derive(Serialize)]
struct MonthJson {
    month: String,
    from: String,
    to: String,
    recorded_seconds: f64,
    share: f64,
    missing_seconds: BTreeMap<&'static str, f64>,
}

impl From<&Availability> for MonthJson {
    fn from(month: &Availability) -> Self {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let missing = Cause::ALL.map(|cause| (cause.name(), month.missing_by(cause)));
        Self {
            month: month.span.from.to_string().chars().take(7).collect(),
            from: month.span.from.to_string(),
            to: month.span.to.to_string(),
            recorded_seconds: seconds(month.recorded),
            share: month.share(),
            missing_seconds: missing
                .into_iter()
                .filter(|(_, micros)| *micros > 0)
                .map(|(cause, micros)| (cause, seconds(micros)))
                .collect(),
        }
    }
}

/// `GET /api/availability/<tenant>/<camera>?from=&to=`: what was recorded, month by month (UTC), and by cause what was not.
pub(super) async fn availability(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera)): Path<(String, String)>,
    Query(window): Query<Window>,
) -> Response {
    ask(&centre, (tenant, camera), &window, |storage, source, window| {
        let now = clock::utc();
        let month = |month: &Span| Availability::load(storage, source, month.and(window), now).transpose();
        let counted = months(window, MONTHS).iter().filter_map(month).collect::<Result<Vec<_>, _>>()?;
        Ok(counted.iter().map(MonthJson::from).collect::<Vec<_>>())
    })
    .await
}
