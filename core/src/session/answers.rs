//! What the session does with the camera's answers and requests.

use alloc::borrow::ToOwned as _;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::requests::Pending;
use super::{Event, Kind, Phase, Playing, Session, Stream};
use crate::fault::Quirk;
use crate::rtsp::auth::Refused;
use crate::rtsp::headers::{Range, RtpInfo, SessionId};
use crate::rtsp::{Method, Request, Response, Scheme, Status, Url};
use crate::sdp::{self, Presentation};
use crate::time::Micros;

/// How often one request is sent: once without an answer to a challenge, then one for each challenge or fresh nonce.
/// `Config::tries` ends it before.
const MOST_SENT: u8 = 12;

impl Session {
    pub(super) fn handle_response(&mut self, response: &Response) {
        if let Some(server) = response.headers.get("Server").filter(|_| self.server.is_none()) {
            self.server = Some(server.to_owned());
        }
        // 1xx: the answer is yet to come.
        if response.status.0 < 200 {
            return;
        }
        let Some(pending) = self.take_pending(response) else { return };
        if response.status == Status::UNAUTHORIZED {
            self.unauthorized(&pending, response);
            return;
        }
        if let Some(authenticator) = self.authenticator().filter(|_| pending.answered) {
            authenticator.accepted();
        }
        if pending.keep_alive {
            let sent = Micros(pending.deadline.0.saturating_sub(self.config.response_timeout));
            self.stats.keep_alive_round_trip = Some(self.now.since(sent));
            self.keep_alive_answered(&pending.method, response.status);
            return;
        }
        match pending.method {
            Method::Options => self.options_answered(response),
            Method::Teardown => self.end(),
            _ if response.status.is_redirect() => self.redirected(response.headers.get("Location")),
            Method::Play if self.retries_without_range(response.status) => {}
            Method::Setup if !response.status.is_success() => self.setup_refused(response.status),
            Method::Pause => self.pause_answered(response.status),
            _ if !response.status.is_success() => self.fail(self.refusal(response.status)),
            Method::Describe => self.described(response),
            Method::Setup => self.set_up(response),
            Method::Play => self.play_answered(response),
            _ => {}
        }
    }

    /// In any phase: Axis M5525 and Hikvision recorders forget their nonces in mid-session.
    fn unauthorized(&mut self, pending: &Pending, response: &Response) {
        let challenges = response.headers.get_all("WWW-Authenticate");
        self.stats.refusals += u64::from(pending.answered);
        let bearer = self.config.authorization.is_some();
        let verdict = match self.authenticator() {
            _ if pending.sent >= MOST_SENT => Err(Refused::Wrong),
            Some(authenticator) => authenticator.challenged(challenges, pending.answered),
            None if bearer => Err(Refused::Wrong),
            None => Err(Refused::NoCredentials),
        };
        match verdict {
            Ok(()) => self.send(pending.method.clone(), pending.keep_alive, pending.sent),
            Err(_) if pending.keep_alive => self.keep_alive_answered(&pending.method, response.status),
            Err(_) if self.phase == Phase::Teardown => self.end(),
            Err(refused) => self.fail(refused.into()),
        }
    }

    /// An error is no reason to stop: some know no OPTIONS before DESCRIBE.
    fn options_answered(&mut self, response: &Response) {
        if self.phase != Phase::Options {
            return;
        }
        if response.status.is_redirect() {
            self.redirected(response.headers.get("Location"));
            return;
        }
        self.public = response.headers.get_all("Public").flat_map(Method::parse_list).take(32).collect();
        self.phase = Phase::Describe;
        self.request(Method::Describe);
    }

    fn redirected(&mut self, location: Option<&str>) {
        match location.map(|location| self.config.url.location(location)) {
            // A password or a token is not sent in clear because somebody on the way says so.
            Some(Ok(url))
                if self.is_secret()
                    && self.url().scheme() == Scheme::Rtsps
                    && url.scheme() == Scheme::Rtsp =>
            {
                self.fail(Kind::Downgrade);
            }
            Some(Ok(url)) => {
                if self.is_set_up() {
                    self.request(Method::Teardown);
                }
                self.event(Event::Redirected(url));
                self.close();
            }
            _ => self.fail(Kind::BadRedirect),
        }
    }

    const fn is_secret(&self) -> bool {
        self.config.credentials.is_some() || self.config.authorization.is_some()
    }

    fn described(&mut self, response: &Response) {
        if response.headers.get("Content-Type").is_none() && !self.tolerated(Quirk::NoContentType) {
            return;
        }
        let presentation = match Presentation::parse(response.body.clone(), &self.config.limits) {
            Ok(presentation) => Arc::new(presentation),
            Err(sdp::Error { kind: sdp::Kind::Violation(quirk), .. }) => {
                return self.fail(Kind::Violation(quirk));
            }
            Err(error) => return self.fail(Kind::Sdp(error.kind)),
        };
        self.quirks.merge(&presentation.quirks);
        for (quirk, _) in presentation.quirks.iter() {
            self.event(Event::Quirk(quirk));
        }
        self.presentation = Some(Arc::clone(&presentation));
        self.event(Event::Described(Arc::clone(&presentation)));
        let chosen = match self.choose(&presentation) {
            Ok(chosen) => chosen,
            Err(kind) => return self.fail(kind),
        };
        let base = self.base(response, presentation.control.as_deref());
        let aggregate = self.resolve(&base, presentation.control.as_deref());
        self.lay_tracks(&chosen, &base, &aggregate);
        self.aggregate = aggregate;
        if self.phase != Phase::Closed {
            self.next_setup();
        }
    }

    /// RFC 2326 §C.1.1: Content-Base, Content-Location, then the request's URL; before the last an absolute session
    /// control, which some send instead.
    fn base(&mut self, response: &Response, control: Option<&str>) -> Url {
        let fields = ["Content-Base", "Content-Location"];
        let value =
            fields.into_iter().find_map(|name| response.headers.get(name)).filter(|value| !value.is_empty());
        let absolute = control.filter(|control| control.contains("://"));
        match value.map(|value| self.config.url.content_base(value)) {
            Some(Some((base, odd))) => {
                if odd {
                    self.tolerated(Quirk::BadContentBase);
                }
                return base;
            }
            Some(None) => {
                self.tolerated(Quirk::BadContentBase);
            }
            None => {}
        }
        let url = self.config.url.clone();
        self.resolve(&url, absolute)
    }

    pub(super) fn resolve(&mut self, base: &Url, control: Option<&str>) -> Url {
        let (url, foreign) = base.control(control.unwrap_or_default());
        if foreign {
            self.tolerated(Quirk::ForeignControl);
        }
        url
    }

    /// A server that knows no Range, or none for live, is asked again without.
    fn retries_without_range(&mut self, status: Status) -> bool {
        let refused = matches!(status, Status::INVALID_RANGE | Status::HEADER_FIELD_NOT_VALID);
        if !refused || self.no_range || self.config.range.is_none() {
            return false;
        }
        self.no_range = true;
        self.request(Method::Play);
        true
    }

    fn play_answered(&mut self, response: &Response) {
        let given = response.headers.get("Session").and_then(SessionId::parse);
        if let (Some(given), Some(kept)) = (given, &self.session)
            && given.id != kept.id
            && !self.tolerated(Quirk::SessionChanged)
        {
            return;
        }
        let infos = response.headers.get("RTP-Info").map(RtpInfo::parse_all).unwrap_or_default();
        let streams: Vec<Stream> = self
            .tracks
            .iter()
            .map(|track| {
                let rtp_info = own_rtp_info(&infos, &track.url, self.tracks.len());
                let ssrc = track.ssrc.or(rtp_info.as_ref().and_then(|info| info.ssrc));
                Stream { media: track.media, rtp_info, ssrc }
            })
            .collect();
        let range = response.headers.get("Range").and_then(Range::parse);
        self.phase = Phase::Playing;
        self.last_media = self.now;
        if self.keep_alive.is_none() {
            self.start_keep_alive();
        }
        let Some(Stream { media, rtp_info, ssrc }) = streams.first().cloned() else { return };
        self.event(Event::Playing(Playing { media, range, rtp_info, ssrc, streams }));
    }

    /// Plays another range, or on from where it was paused. False, and nothing is done, unless the session plays or is
    /// paused.
    pub fn play(&mut self, now: Micros, range: Option<Range>) -> bool {
        self.now = now;
        let may = matches!(self.phase, Phase::Playing | Phase::Paused);
        if may {
            self.config.range = range;
            self.no_range = false;
            self.phase = Phase::Play;
            self.request(Method::Play);
        }
        may
    }

    /// Pauses. False, and nothing is done, unless the session plays.
    pub fn pause(&mut self, now: Micros) -> bool {
        self.now = now;
        let may = self.phase == Phase::Playing;
        if may {
            self.phase = Phase::Pause;
            self.request(Method::Pause);
        }
        may
    }

    fn pause_answered(&mut self, status: Status) {
        if self.phase != Phase::Pause {
            return;
        }
        if status.is_success() {
            self.phase = Phase::Paused;
            return self.event(Event::Paused);
        }
        // Hikvision DS-2CD2732F-IS offers PAUSE in `Public` and refuses it with 551.
        let offered = self.public.contains(&Method::Pause);
        let unknown = matches!(status, Status::OPTION_NOT_SUPPORTED | Status::NOT_IMPLEMENTED);
        if offered && unknown && !self.tolerated(Quirk::PauseRefused) {
            return;
        }
        self.phase = Phase::Playing;
        self.last_media = self.now;
        self.event(Event::NotPaused(status));
    }

    pub(super) fn handle_request(&mut self, request: &Request) {
        let status = match request.method {
            Method::Options | Method::GetParameter | Method::SetParameter => Status::OK,
            Method::Announce | Method::Redirect | Method::Teardown => Status::OK,
            _ => Status::NOT_IMPLEMENTED,
        };
        self.answer(request, status);
        match request.method {
            Method::Redirect => self.redirected(request.headers.get("Location")),
            Method::Teardown => self.end(),
            _ => {}
        }
    }
}

/// The entry of a track: by its URL, or the only one where there is but one track, as GW Security GW4089IP names a wrong
/// one.
fn own_rtp_info(infos: &[RtpInfo], track: &Url, tracks: usize) -> Option<RtpInfo> {
    let path = track.path_and_query();
    let own = |info: &&RtpInfo| !path_of(&info.url).is_empty() && path.ends_with(path_of(&info.url));
    let mut info = match infos {
        [only] if tracks == 1 => only.clone(),
        several => several.iter().find(own)?.clone(),
    };
    info.seq = info.seq.filter(|seq| *seq > 1);
    info.rtptime = info.rtptime.filter(|rtptime| *rtptime != 0);
    Some(info)
}

/// Path and query of a URL, or of what stands in its place.
fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => url,
    }
}
