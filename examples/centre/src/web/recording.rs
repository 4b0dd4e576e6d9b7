//! What is recorded, for players that are not ours: a span as one MP4 file, as HLS, and one picture. Nothing is decoded, no
//! file is written, and nothing leaves whose checksum fails.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Semaphore;
use vigie::gix::Span;
use vigie::limits::Limits;
use vigie::play::hls::{self, Asked};
use vigie::play::{Failure, Footage, Place, Stored, VirtualMp4, init_segment};
use vigie::store::{FileStorage, Merged, Source, media_path};
use vigie::time::UtcMicros;
use vigie::view::{self, Playback};
use vigie_cli::stores::Stores;

use super::api::{failed, not_found, refuse};
use super::archive::given;
use super::ranges::Whole;
use crate::centre::Centre;
use crate::clock;

/// The longest span of one file.
const LONGEST: i64 = 12 * 3_600_000_000;
/// Pictures of one file: 25 a second for that long, and some more.
const MOST_PICTURES: u64 = 1_200_000;
/// The longest span of one playlist.
const LONGEST_PLAYLIST: i64 = 31 * 3_600_000_000;
/// How far back a playlist starts where nothing is said.
const LIVE: i64 = 60_000_000;
/// Plans kept, for the next range that is asked for.
const PLANS: usize = 8;
/// Plans made at one time.
const PLANNERS: usize = 2;
/// No media file is as long: they end after about a minute, and at the next random access point.
const LONGEST_FILE: i64 = 3_600_000_000;
/// Damaged fragments remembered.
const DAMAGED: usize = 10_000;

/// What was learnt of the recording while it was served.
#[derive(Debug)]
pub(crate) struct Recordings {
    plans: Mutex<VecDeque<(Wanted, Arc<Vec<VirtualMp4>>)>>,
    planners: Arc<Semaphore>,
    damaged: Mutex<HashSet<(Source, Place)>>,
}

type Wanted = (Source, UtcMicros, UtcMicros);

impl Default for Recordings {
    fn default() -> Self {
        let plans = Mutex::new(VecDeque::new());
        Self { plans, planners: Arc::new(Semaphore::new(PLANNERS)), damaged: Mutex::default() }
    }
}

impl Recordings {
    fn plan(&self, wanted: &Wanted) -> Option<Arc<Vec<VirtualMp4>>> {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().find(|(known, _)| known == wanted).map(|(_, plan)| plan.clone())
    }

    fn keep(&self, wanted: Wanted, plan: Arc<Vec<VirtualMp4>>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|(known, _)| *known != wanted);
        plans.push_front((wanted, plan));
        plans.truncate(PLANS);
    }

    /// A fragment failed its check: it is left out from now on.
    fn bad(&self, source: Source, place: Place) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged.len() < DAMAGED {
            damaged.insert((source, place));
        }
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|((of, ..), _)| *of != source);
    }

    fn is_bad(&self, source: Source, place: Place) -> bool {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).contains(&(source, place))
    }
}

/// `?from=&to=&file=`
#[derive(Deserialize)]
pub(super) struct Asks {
    from: Option<String>,
    to: Option<String>,
    file: Option<usize>,
}

#[allow(clippy::result_large_err)] // The refusal is the answer, made once a request.
fn moment(name: &str, text: Option<&String>) -> Result<Option<UtcMicros>, Response> {
    let parsed = text.map(|text| text.parse::<UtcMicros>()).transpose();
    parsed.map_err(|error| refuse(&format!("`{name}`: {error}")))
}

impl Asks {
    /// The span asked for, no longer than `most`.
    #[allow(clippy::result_large_err)] // The refusal is the answer, made once a request.
    fn span(&self, most: i64) -> Result<Span, Response> {
        let (Some(from), Some(to)) = (moment("from", self.from.as_ref())?, moment("to", self.to.as_ref())?)
        else {
            return Err(refuse("give `from` and `to`, as 2026-11-22T05:14:00Z"));
        };
        let span = Span::new(from, to);
        if span.is_empty() {
            return Err(refuse("`from` is not before `to`"));
        }
        if to.0.saturating_sub(from.0) > most {
            return Err(refuse(&format!("at most {} hours at a time", most / 3_600_000_000)));
        }
        Ok(span)
    }
}

/// The camera's place in the store.
#[allow(clippy::result_large_err)] // The refusal is the answer, made once a request.
fn source(centre: &Centre, tenant: &str, camera: &str) -> Result<Source, Response> {
    let known = centre.camera(tenant, camera).and_then(|_| Source::new(tenant, camera).ok());
    known.ok_or_else(|| not_found("no such camera"))
}

/// Does something with the store, where it may block.
async fn with_store<T: Send + 'static>(
    centre: &Centre,
    what: impl FnOnce(Merged<FileStorage>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Response> {
    let storage = centre.places.stores().merged();
    match tokio::task::spawn_blocking(move || what(storage)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Failure::Footage(error))) => Err(not_found(&error.kind.to_string())),
        Ok(Err(error)) => Err(failed(&error.to_string())),
        Err(error) => Err(failed(&error.to_string())),
    }
}

/// `GET /api/mp4/<tenant>/<camera>?from=&to=`: the span as one MP4 file. Where it needs several, as the camera changed its
/// picture, `Vigie-Files` says how many, and `&file=2` is the second.
pub(super) async fn mp4(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera)): Path<(String, String)>,
    Query(asks): Query<Asks>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    match file(&centre, (&tenant, &camera), &asks, &method, &headers).await {
        Ok(response) | Err(response) => response,
    }
}

async fn file(
    centre: &Arc<Centre>,
    (tenant, camera): (&str, &str),
    asks: &Asks,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Response> {
    let source = source(centre, tenant, camera)?;
    let span = asks.span(LONGEST)?;
    let plan = match planned(centre, source, span).await? {
        Planned::Files(plan) => plan,
        Planned::Until(to) => {
            // What is being recorded is cut where it is final: the address then always means the same bytes.
            let at = |utc: UtcMicros| utc.to_string();
            let place = format!("/api/mp4/{tenant}/{camera}?from={}&to={}", at(span.from), at(to));
            return Ok((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, place)]).into_response());
        }
    };
    let number = asks.file.unwrap_or(1);
    let Some(at) = number.checked_sub(1).filter(|at| *at < plan.len()) else {
        return Err(not_found("nothing to show of this span"));
    };
    let Some(file) = plan.get(at) else { return Err(not_found("nothing to show of this span")) };
    let whole = Whole { length: file.len(), tag: format!("\"{}\"", file.tag()), kind: "video/mp4" };
    let body = |start, length| stream(centre.clone(), source, plan.clone(), at, start, length);
    let mut response = whole.answer(method, headers, body);
    let out = response.headers_mut();
    for (name, number) in
        [("vigie-files", plan.len() as u64), ("vigie-pictures", file.about().pictures.into())]
    {
        out.insert(name, HeaderValue::from(number));
    }
    Ok(response)
}

enum Planned {
    Files(Arc<Vec<VirtualMp4>>),
    /// More may come yet; what is before this moment is final.
    Until(UtcMicros),
}

async fn planned(centre: &Arc<Centre>, source: Source, span: Span) -> Result<Planned, Response> {
    let wanted = (source, span.from, span.to);
    if let Some(plan) = centre.recordings.plan(&wanted) {
        return Ok(Planned::Files(plan));
    }
    let planner = centre.recordings.planners.clone().acquire_owned().await;
    let planner = planner.map_err(|error| failed(&error.to_string()))?;
    // While this one waited another may have made it.
    if let Some(plan) = centre.recordings.plan(&wanted) {
        return Ok(Planned::Files(plan));
    }
    let shared = centre.clone();
    let plan = with_store(centre, move |mut storage| {
        // It counts as long as it works, also when nobody waits for it any more.
        let _planner = planner;
        let mut footage = Footage::load(storage.clone(), source, span, clock::utc())?;
        if footage.open {
            // Without the last fragment: the one behind it may start within it, by a hair.
            let to = footage.fragments.last().map_or(span.from, |last| last.entry.mark.utc);
            return Ok(Planned::Until(to));
        }
        footage.fragments.retain(|stored| !shared.recordings.is_bad(source, stored.place()));
        let files =
            VirtualMp4::plan(&mut storage, &footage, &Limits::default(), MOST_PICTURES, &mut Vec::new())?;
        Ok(Planned::Files(Arc::new(files)))
    });
    match plan.await? {
        Planned::Until(to) if to <= span.from => Err(not_found("nothing of this span is recorded yet")),
        Planned::Files(files) => {
            centre.recordings.keep(wanted, files.clone());
            Ok(Planned::Files(files))
        }
        until @ Planned::Until(_) => Ok(until),
    }
}

/// So many bytes of a file from a place on; one fragment in memory at a time. Where one fails its check the connection ends, so
/// that nobody takes a part for the whole, and the next plan is made without it.
fn stream(
    centre: Arc<Centre>,
    source: Source,
    plan: Arc<Vec<VirtualMp4>>,
    at: usize,
    start: u64,
    length: u64,
) -> Body {
    let storage = centre.places.stores().merged();
    let state = (storage, start, length);
    Body::from_stream(futures::stream::try_unfold(state, move |(mut storage, from, left)| {
        let (centre, plan) = (centre.clone(), plan.clone());
        async move {
            if left == 0 {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || {
                let file = plan.get(at).ok_or(std::io::ErrorKind::NotFound)?;
                let bytes = file.read(&mut storage, from, left).map_err(|error| {
                    if let (Failure::Footage(_), Some(place)) = (&error, file.place(from)) {
                        tracing::warn!(%source, file = %place.key, "{error}: left out from now on");
                        centre.recordings.bad(source, place);
                    }
                    std::io::Error::other(error.to_string())
                })?;
                Ok::<_, std::io::Error>((bytes, storage))
            });
            let (bytes, storage) = read.await.map_err(std::io::Error::other)??;
            if bytes.is_empty() {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
            }
            let after = (storage, from + bytes.len() as u64, left - bytes.len() as u64);
            Ok(Some((bytes, after)))
        }
    }))
}

/// `GET /api/hls/<tenant>/<camera>/index.m3u8?from=&to=`, and what that playlist names. Without `to` it goes on as long as the
/// camera is recorded.
pub(super) async fn hls(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera, name)): Path<(String, String, String)>,
    Query(asks): Query<Asks>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let source = source(&centre, &tenant, &camera)?;
        if name == "index.m3u8" {
            return playlist(&centre, source, &asks).await;
        }
        let asked = Asked::parse(&name).ok_or_else(|| not_found("no such segment"))?;
        segment(&centre, source, asked, &method, &headers).await
    };
    match answer.await {
        Ok(response) | Err(response) => response,
    }
}

async fn playlist(centre: &Arc<Centre>, source: Source, asks: &Asks) -> Result<Response, Response> {
    let now = clock::utc();
    let Some(from) = moment("from", asks.from.as_ref())? else {
        if asks.to.is_some() {
            return Err(refuse("`to` needs `from`"));
        }
        // The start has to stay what it was when the playlist is asked for again.
        let place = format!("index.m3u8?from={}", now.plus(-LIVE));
        return Ok((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, place)]).into_response());
    };
    let to = moment("to", asks.to.as_ref())?.unwrap_or(from.plus(LONGEST_PLAYLIST));
    let span = Span::new(from, to);
    if span.is_empty() || to.0.saturating_sub(from.0) > LONGEST_PLAYLIST {
        return Err(refuse("`from` is to be before `to`, by at most 31 hours"));
    }
    let (shared, stores) = (centre.clone(), centre.places.stores().clone());
    let text = with_store(centre, move |storage| {
        let footage = Footage::load(storage, source, span, now)?;
        let mut there = None;
        let mut lost = |stored: &Stored| {
            let bad = shared.recordings.is_bad(source, stored.place());
            bad || stored.entry.end() > length(&stores, &source, stored, &mut there)
        };
        Ok(hls::playlist(&footage, &mut lost))
    });
    let text = text.await?;
    Ok(([(CONTENT_TYPE, "application/vnd.apple.mpegurl")], text).into_response())
}

/// Bytes of a fragment's file, asked once for each file that follows another; 0 where there is none.
fn length(
    stores: &Stores,
    source: &Source,
    stored: &Stored,
    known: &mut Option<(vigie::gix::Key, u64)>,
) -> u64 {
    match known {
        Some((key, length)) if *key == stored.key => *length,
        _ => {
            let path = media_path(source, stored.key);
            let found = stores.roots().iter().find_map(|root| std::fs::metadata(root.join(&path)).ok());
            let length = found.map_or(0, |found| found.len());
            *known = Some((stored.key, length));
            length
        }
    }
}

/// Does the index know it? An address may name any place, and footage that was deleted is not damaged.
fn is_indexed(storage: &Merged<FileStorage>, source: Source, place: Place) -> bool {
    let span = Span::new(place.key.utc, place.key.utc.plus(LONGEST_FILE));
    Footage::load(storage.clone(), source, span, clock::utc())
        .is_ok_and(|footage| footage.fragments.iter().any(|stored| stored.place() == place))
}

async fn segment(
    centre: &Arc<Centre>,
    source: Source,
    asked: Asked,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Response> {
    let shared = centre.clone();
    let bytes = with_store(centre, move |mut storage| match asked {
        Asked::Init(key) => {
            let stored = init_segment(&mut storage, &source, key)?;
            Ok(view::playback(&stored).ok())
        }
        Asked::Segment(place) => {
            let read = place.read(&mut storage, &source, Limits::default().fragment_bytes.saturating_mul(2));
            if let Err(Failure::Footage(_)) = &read
                && is_indexed(&storage, source, place)
            {
                shared.recordings.bad(source, place);
            }
            let mut stored = read?;
            let shown = Playback::new().fragment(&mut stored).ok();
            Ok(shown.map(|shown| Bytes::from(stored).slice(shown.bytes)))
        }
        _ => Ok(None),
    });
    let bytes = bytes.await?.ok_or_else(|| not_found("no such segment"))?;
    Ok(given(bytes, "video/mp4", method, headers))
}

/// `?at=`
#[derive(Deserialize)]
pub(super) struct When {
    at: String,
}

/// `GET /api/picture/<tenant>/<camera>?at=`: the key picture that what is shown at the moment starts with, as a film of one picture;
/// `Vigie-Utc` says when it is of.
pub(super) async fn picture(
    State(centre): State<Arc<Centre>>,
    Path((tenant, camera)): Path<(String, String)>,
    Query(when): Query<When>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        let source = source(&centre, &tenant, &camera)?;
        let at = when.at.parse::<UtcMicros>().map_err(|error| refuse(&format!("`at`: {error}")))?;
        let found = with_store(&centre, move |mut storage| {
            let footage = Footage::load(storage.clone(), source, Span::new(at, at.plus(1)), clock::utc())?;
            let Some(stored) = footage.fragments.first() else { return Ok(None) };
            let init = init_segment(&mut storage, &source, stored.key)?;
            let most = Limits::default().fragment_bytes.saturating_mul(2);
            let bytes = stored.place().read(&mut storage, &source, most)?;
            Ok(view::key_picture(&init, &bytes).ok().map(|picture| (picture, stored.entry.mark.utc)))
        });
        let (bytes, utc) = found.await?.ok_or_else(|| not_found("nothing was recorded then"))?;
        let mut response = given(bytes, "video/mp4", &method, &headers);
        if let Ok(utc) = HeaderValue::from_str(&utc.to_string()) {
            response.headers_mut().insert("vigie-utc", utc);
        }
        Ok(response)
    };
    match answer.await {
        Ok(response) | Err(response) => response,
    }
}
