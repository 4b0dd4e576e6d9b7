//! What the session does with the camera's answers and requests.

use alloc::borrow::ToOwned as _;
use alloc::sync::Arc;

use super::requests::{CHANNELS, Pending};
use super::{Event, Kind, Phase, Playing, Session};
use crate::fault::Quirk;
use crate::rtsp::auth::Refused;
use crate::rtsp::headers::{Range, RtpInfo, SessionId, Transport};
use crate::rtsp::{Method, Request, Response, Status, Url};
use crate::sdp::{MediaKind, Presentation};

/// How often one request is sent: once without an answer to a challenge, then one for each challenge or fresh nonce.
const MOST_SENT: u8 = 5;

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
        if let Some(authenticator) = self.authenticator.as_mut().filter(|_| pending.answered) {
            authenticator.accepted();
        }
        if pending.keep_alive {
            self.keep_alive_answered(&pending.method, response.status);
            return;
        }
        match pending.method {
            Method::Options => self.options_answered(response),
            Method::Teardown => self.end(),
            _ if response.status.is_redirect() => self.redirected(response.headers.get("Location")),
            Method::Play if self.retries_without_range(response.status) => {}
            _ if !response.status.is_success() => self.fail(match response.status {
                Status::NOT_FOUND => Kind::NotFound,
                Status::UNSUPPORTED_TRANSPORT => Kind::UnsupportedTransport,
                status => Kind::Status(status),
            }),
            Method::Describe => self.described(response),
            Method::Setup => self.set_up(response),
            Method::Play => self.play_answered(response),
            _ => {}
        }
    }

    /// In any phase: Axis M5525 and Hikvision recorders forget their nonces in mid-session.
    fn unauthorized(&mut self, pending: &Pending, response: &Response) {
        let challenges = response.headers.get_all("WWW-Authenticate");
        let verdict = match &mut self.authenticator {
            _ if pending.sent >= MOST_SENT => Err(Refused::Wrong),
            Some(authenticator) => authenticator.challenged(challenges, pending.answered),
            None if self.config.authorization.is_some() => Err(Refused::Wrong),
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

    fn described(&mut self, response: &Response) {
        if response.headers.get("Content-Type").is_none() {
            self.note(Quirk::NoContentType);
        }
        let presentation = match Presentation::parse(response.body.clone(), &self.config.limits) {
            Ok(presentation) => Arc::new(presentation),
            Err(error) => return self.fail(Kind::Sdp(error.kind)),
        };
        self.quirks.merge(&presentation.quirks);
        for (quirk, _) in presentation.quirks.iter() {
            self.event(Event::Quirk(quirk));
        }
        self.presentation = Some(Arc::clone(&presentation));
        self.event(Event::Described(Arc::clone(&presentation)));
        let Some((index, video)) = presentation.video() else {
            let any = presentation.media.iter().any(|media| media.kind == MediaKind::Video);
            return self.fail(if any { Kind::UnsupportedCodec } else { Kind::NoVideo });
        };
        self.media = index;
        self.expected.payload_type = (video.payload_types.len() == 1).then_some(video.payload_type);
        let base = self.base(response, presentation.control.as_deref());
        let aggregate = self.resolve(&base, presentation.control.as_deref());
        self.track = match video.control.as_deref() {
            // RFC 2326 §C.1.1: a single stream may leave its control out.
            None => aggregate.clone(),
            control => self.resolve(&base, control),
        };
        self.aggregate = aggregate;
        self.phase = Phase::Setup;
        self.request(Method::Setup);
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
                    self.note(Quirk::BadContentBase);
                }
                return base;
            }
            Some(None) => self.note(Quirk::BadContentBase),
            None => {}
        }
        let url = self.config.url.clone();
        self.resolve(&url, absolute)
    }

    fn resolve(&mut self, base: &Url, control: Option<&str>) -> Url {
        let (url, foreign) = base.control(control.unwrap_or_default());
        if foreign {
            self.note(Quirk::ForeignControl);
        }
        url
    }

    fn set_up(&mut self, response: &Response) {
        self.session = response.headers.get("Session").and_then(SessionId::parse);
        let transport =
            response.headers.get("Transport").and_then(|value| Transport::parse_all(value).next());
        let transport = transport.unwrap_or_default();
        let udp = !transport.is_tcp() && (transport.multicast || transport.server_port.is_some());
        if udp {
            return self.fail(Kind::UnsupportedTransport);
        }
        let channels = match transport.interleaved {
            Some(channels) => channels,
            None => {
                self.note(Quirk::NoChannels);
                CHANNELS
            }
        };
        if channels != CHANNELS {
            self.note(Quirk::OtherChannels);
        }
        self.expected.channels = Some(channels);
        self.ssrc = transport.ssrc;
        self.phase = Phase::Play;
        self.request(Method::Play);
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
        {
            self.note(Quirk::SessionChanged);
        }
        let rtp_info = response.headers.get("RTP-Info").and_then(|value| self.own_rtp_info(value));
        let ssrc = self.ssrc.or(rtp_info.as_ref().and_then(|info| info.ssrc));
        let range = response.headers.get("Range").and_then(Range::parse);
        self.phase = Phase::Playing;
        self.last_media = self.now;
        self.start_keep_alive();
        self.event(Event::Playing(Playing { media: self.media, range, rtp_info, ssrc }));
    }

    /// The entry of our track: by its URL, or the only one, as GW Security GW4089IP names a wrong one.
    fn own_rtp_info(&self, value: &str) -> Option<RtpInfo> {
        let streams = RtpInfo::parse_all(value);
        let path = self.track.path_and_query();
        let own = |info: &&RtpInfo| !path_of(&info.url).is_empty() && path.ends_with(path_of(&info.url));
        let mut info = match streams.as_slice() {
            [only] => only.clone(),
            several => several.iter().find(own)?.clone(),
        };
        info.seq = info.seq.filter(|seq| *seq > 1);
        info.rtptime = info.rtptime.filter(|rtptime| *rtptime != 0);
        Some(info)
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

/// Path and query of a URL, or of what stands in its place.
fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => url,
    }
}
