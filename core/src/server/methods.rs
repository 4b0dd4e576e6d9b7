//! Requests of a client, RFC 2326 §10.

use alloc::string::String;

use super::{Connection, Event, Kind, Queued, RequestId, Waiting};
use crate::rtsp::auth::{Authorization, Verdict};
use crate::rtsp::headers::{Range, SessionId, Transport};
use crate::rtsp::{Method, Request, Response, Status, Url};

/// Wrong passwords on one connection, the last of which closes it.
const MOST_WRONG_PASSWORDS: u8 = 8;

const PUBLIC: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN";

impl Connection {
    pub(super) fn handle_request(&mut self, request: &Request, speaks_version: bool) {
        // RFC 2326 §12.17: every request has one.
        let Some(cseq) = request.headers.cseq().map(|_| request.headers.get("CSeq").unwrap_or_default())
        else {
            return self.respond("0", Response::new(Status::BAD_REQUEST));
        };
        if !speaks_version {
            return self.respond(cseq, Response::new(Status::VERSION_NOT_SUPPORTED));
        }
        if let Some(authorization) = request.headers.get("Authorization") {
            self.authorization = Some(Authorization::new(authorization));
        }
        // OPTIONS is open: clients ask it before they know that there is a guard.
        if request.method != Method::Options && !self.is_let_in(request, cseq) {
            return;
        }
        match self.dispatch(request, cseq) {
            Ok(Some(response)) => self.respond(cseq, response),
            Ok(None) => {}
            Err(status) => {
                let mut response = Response::new(status);
                if status == Status::OPTION_NOT_SUPPORTED {
                    response.headers.push("Unsupported", request.headers.get("Require").unwrap_or_default());
                }
                if status == Status::NOT_IMPLEMENTED {
                    response.headers.push("Public", PUBLIC);
                }
                self.respond(cseq, response);
            }
        }
    }

    fn is_let_in(&mut self, request: &Request, cseq: &str) -> bool {
        let now = self.now;
        let Some(gate) = &mut self.gate else { return true };
        let authorization = request.headers.get("Authorization");
        let verdict = gate.judge(authorization, request.method.as_str(), &request.uri, now);
        if verdict == Verdict::Accepted {
            self.wrong_passwords = 0;
            return true;
        }
        let mut response = Response::new(Status::UNAUTHORIZED);
        for challenge in gate.challenges(verdict == Verdict::Stale, now) {
            response.headers.push("WWW-Authenticate", &challenge);
        }
        self.respond(cseq, response);
        if verdict == Verdict::Wrong {
            self.wrong_passwords += 1;
            if self.wrong_passwords >= MOST_WRONG_PASSWORDS {
                self.fail(Kind::WrongPasswords);
            }
        }
        false
    }

    /// The response, none yet, or the status of a refusal.
    fn dispatch(&mut self, request: &Request, cseq: &str) -> Result<Option<Response>, Status> {
        if request.headers.get("Require").is_some() {
            return Err(Status::OPTION_NOT_SUPPORTED);
        }
        let given = request.headers.get("Session").and_then(SessionId::parse);
        if let Some(given) = given
            && self.session.as_ref().is_none_or(|session| session.id != given.id)
        {
            return Err(Status::SESSION_NOT_FOUND);
        }
        let ok = Response::new(Status::OK);
        match request.method {
            Method::Options => {
                Ok(Some(Response { headers: ok.headers.clone().with("Public", PUBLIC), ..ok }))
            }
            Method::Describe => self.ask_describe(request, cseq).map(|()| None),
            Method::Setup => self.set_up(request).map(Some),
            Method::Play => self.ask_play(request, cseq).map(|()| None),
            Method::Pause if self.session.is_some() => {
                self.playing = false;
                self.events.push_back(Event::Pause);
                Ok(Some(ok))
            }
            Method::Teardown if self.session.is_some() => {
                self.tear_down();
                Ok(Some(ok))
            }
            Method::Pause | Method::Teardown => Err(Status::METHOD_NOT_VALID),
            // Keep-alives. There are no parameters to get or set.
            Method::GetParameter | Method::SetParameter if request.body.trim_ascii().is_empty() => {
                Ok(Some(ok))
            }
            Method::GetParameter | Method::SetParameter => Err(Status::PARAMETER_NOT_UNDERSTOOD),
            _ => Err(Status::NOT_IMPLEMENTED),
        }
    }

    fn wait(&mut self, url: &Url, cseq: &str, play: bool) -> RequestId {
        self.next_request += 1;
        let id = RequestId(self.next_request);
        self.waiting = Some(Waiting { id, url: url.clone(), cseq: cseq.into(), play });
        id
    }

    fn ask_describe(&mut self, request: &Request, cseq: &str) -> Result<(), Status> {
        let (url, _) = Url::parse(&request.uri).map_err(|_| Status::BAD_REQUEST)?;
        let accepts_sdp =
            |accept: &str| accept.is_empty() || accept.contains("application/sdp") || accept.contains("*/*");
        if !request.headers.get("Accept").is_none_or(accepts_sdp) {
            return Err(Status::NOT_ACCEPTABLE);
        }
        let user_agent = request.headers.get("User-Agent").map(String::from);
        let authorization = self.authorization.clone();
        let request = self.wait(&url, cseq, false);
        self.events.push_back(Event::Describe { request, url, authorization, user_agent });
        Ok(())
    }

    fn set_up(&mut self, request: &Request) -> Result<Response, Status> {
        if self.playing {
            return Err(Status::METHOD_NOT_VALID);
        }
        let (url, _) = Url::parse(&request.uri).map_err(|_| Status::BAD_REQUEST)?;
        let media = self.media_at(&url)?;
        let mut asked = request.headers.get_all("Transport").flat_map(Transport::parse_all);
        if !asked.any(|transport| transport.is_tcp() && !transport.multicast) {
            return Err(Status::UNSUPPORTED_TRANSPORT);
        }
        let rtp = u8::try_from(media * 2).ok().filter(|rtp| *rtp < u8::MAX).ok_or(Status::NOT_FOUND)?;
        let channels = (rtp, rtp + 1);
        if !self.set_up.contains(&media) {
            self.set_up.push(media);
        }
        if self.session.is_none() {
            self.session = Some(SessionId { id: self.entropy.token(), timeout: self.config.session_timeout });
        }
        self.events.push_back(Event::Setup { media, channels });
        let mut response = Response::new(Status::OK);
        response
            .headers
            .push("Transport", &alloc::format!("{}", Transport::interleaved(channels.0, channels.1)));
        Ok(response)
    }

    /// The media whose control, below the address described, is this URL; the address itself where there is but one.
    fn media_at(&self, url: &Url) -> Result<usize, Status> {
        let described = self.described.as_ref().ok_or(Status::METHOD_NOT_VALID)?;
        let same = |a: &str, b: &str| a.trim_end_matches('/') == b.trim_end_matches('/');
        let path = url.path_and_query();
        let at = |control: &String| same(described.url.control(control).0.path_and_query(), path);
        let only = described.controls.len() == 1 && same(described.url.path_and_query(), path);
        if only { Ok(0) } else { described.controls.iter().position(at).ok_or(Status::NOT_FOUND) }
    }

    fn ask_play(&mut self, request: &Request, cseq: &str) -> Result<(), Status> {
        let described =
            self.described.as_ref().filter(|_| self.session.is_some()).ok_or(Status::METHOD_NOT_VALID)?;
        let (asked, _) = Url::parse(&request.uri).map_err(|_| Status::BAD_REQUEST)?;
        let url = described.url.clone();
        let base = url.path_and_query().trim_end_matches('/');
        let below = asked.path_and_query().strip_prefix(base);
        if !below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(Status::NOT_FOUND);
        }
        let range =
            request.headers.get("Range").map(|value| Range::parse(value).ok_or(Status::INVALID_RANGE));
        let range = range.transpose()?;
        let authorization = self.authorization.clone();
        let request = self.wait(&url, cseq, true);
        self.events.push_back(Event::Play { request, url, range, authorization });
        Ok(())
    }

    fn tear_down(&mut self) {
        self.playing = false;
        self.session = None;
        self.described = None;
        self.set_up.clear();
        self.sends.retain(|queued| matches!(queued, Queued::Response(_)));
        self.queued = 0;
        self.events.push_back(Event::Teardown);
    }

    pub(super) fn respond(&mut self, cseq: &str, response: Response) {
        let mut response = response;
        if !response.status.is_success() {
            self.stats.refused += 1;
        }
        let fields = core::mem::take(&mut response.headers);
        response.headers.push("CSeq", cseq);
        response.headers.push("Server", &self.config.server);
        if let Some(session) = self.session.as_ref().filter(|_| response.status.is_success()) {
            response.headers.push("Session", &alloc::format!("{session}"));
        }
        for (name, value) in fields.iter() {
            response.headers.push(name, value);
        }
        self.responses += 1;
        self.sends.push_back(Queued::Response(response.to_bytes()));
    }
}
