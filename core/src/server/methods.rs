//! Requests of a client, RFC 2326 §10.

use alloc::string::String;
use core::net::IpAddr;

use super::{Agreed, Asked, Connection, Error, Event, Kind, Of, Queued, RequestId, Waiting};
use crate::rtsp::auth::{Authorization, Verdict};
use crate::rtsp::headers::{Frames, Range, SessionId, Transport};
use crate::rtsp::{Method, Request, Response, Status, Url};
use crate::time::Micros;

/// Wrong passwords on one connection, the last of which closes it.
const MOST_WRONG_PASSWORDS: u8 = 8;

/// ONVIF Streaming Specification, "RTSP Feature Tag".
const REPLAY: &str = "onvif-replay";

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
        let mut required = request.headers.get_all("Require").flat_map(|tags| tags.split(','));
        let known = |tag: &str| self.config.replay && tag.trim().eq_ignore_ascii_case(REPLAY);
        if !required.all(known) {
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
            Method::Setup => self.set_up(request, cseq),
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

    fn wait(&mut self, url: &Url, cseq: &str, of: Of) -> RequestId {
        self.next_request += 1;
        let id = RequestId(self.next_request);
        self.waiting = Some(Waiting { id, url: url.clone(), cseq: cseq.into(), of });
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
        let request = self.wait(&url, cseq, Of::Describe);
        self.events.push_back(Event::Describe { request, url, authorization, user_agent });
        Ok(())
    }

    fn set_up(&mut self, request: &Request, cseq: &str) -> Result<Option<Response>, Status> {
        if self.playing {
            return Err(Status::METHOD_NOT_VALID);
        }
        let (url, _) = Url::parse(&request.uri).map_err(|_| Status::BAD_REQUEST)?;
        let media = self.media_at(&url)?;
        let mut asked = request.headers.get_all("Transport").flat_map(Transport::parse_all);
        let chosen = asked.find(|transport| match (transport.is_tcp(), transport.multicast) {
            (true, multicast) => !multicast,
            (false, true) => self.config.multicast,
            (false, false) => self.config.udp && transport.client_port.is_some(),
        });
        let chosen = chosen.ok_or(Status::UNSUPPORTED_TRANSPORT)?;
        if !chosen.is_tcp() {
            let client_ports = chosen.client_port.filter(|_| !chosen.multicast);
            let request = self.wait(&url, cseq, Of::Setup(media, chosen));
            self.events.push_back(Event::Bind { request, media, client_ports });
            return Ok(None);
        }
        let rtp = u8::try_from(media * 2).ok().filter(|rtp| *rtp < u8::MAX).ok_or(Status::NOT_FOUND)?;
        let (rtp, rtcp) = (rtp, rtp + 1);
        Ok(Some(self.agree(media, Agreed::Interleaved(rtp, rtcp), &Transport::interleaved(rtp, rtcp))))
    }

    /// The answer to a SETUP.
    fn agree(&mut self, media: usize, agreed: Agreed, transport: &Transport) -> Response {
        if !self.set_up.contains(&media) {
            self.set_up.push(media);
        }
        if self.session.is_none() {
            self.session = Some(SessionId { id: self.entropy.token(), timeout: self.config.session_timeout });
        }
        self.events.push_back(Event::Setup { media, transport: agreed });
        let mut response = Response::new(Status::OK);
        response.headers.push("Transport", &alloc::format!("{transport}"));
        response
    }

    /// Answers [`Event::Bind`]: media will come from these ports, and RTCP is heard on the second.
    ///
    /// # Errors
    ///
    /// `NoSuchRequest`, also where a group is asked for.
    pub fn accept_udp(&mut self, request: RequestId, server: (u16, u16)) -> Result<(), Error> {
        let unicast = |waiting: &Waiting| matches!(&waiting.of, Of::Setup(_, asked) if !asked.multicast);
        let waiting = self.take_waiting(request, unicast)?;
        let Of::Setup(media, asked) = waiting.of else { return Ok(()) };
        let client = asked.client_port.unwrap_or_default();
        let answer = Transport { server_port: Some(server), ..asked };
        let response = self.agree(media, Agreed::Udp { client, server }, &answer);
        self.respond(&waiting.cseq, response);
        Ok(())
    }

    /// Answers [`Event::Bind`] where a group is asked for.
    ///
    /// # Errors
    ///
    /// `NoSuchRequest`, also where no group is asked for.
    pub fn accept_multicast(
        &mut self,
        request: RequestId,
        group: IpAddr,
        ports: (u16, u16),
        ttl: u8,
    ) -> Result<(), Error> {
        let multicast = |waiting: &Waiting| matches!(&waiting.of, Of::Setup(_, asked) if asked.multicast);
        let waiting = self.take_waiting(request, multicast)?;
        let Of::Setup(media, asked) = waiting.of else { return Ok(()) };
        let mut answer = Transport::multicast().with_profile(&asked.protocol);
        answer.destination = Some(alloc::format!("{group}"));
        (answer.port, answer.ttl) = (Some(ports), Some(ttl));
        let response = self.agree(media, Agreed::Multicast { group, ports, ttl }, &answer);
        self.respond(&waiting.cseq, response);
        Ok(())
    }

    /// Says that a datagram came to a socket of this client: RTCP, or what opens a way through a translation of
    /// addresses. It is a sign of life.
    pub const fn handle_datagram(&mut self, now: Micros) {
        self.now = now;
        self.heard = now;
        self.stats.packets_received += 1;
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
        let field = |name: &str| request.headers.get(name).map(str::trim);
        let asked = Asked {
            replay: request.headers.get("Require").is_some(),
            no_rate_control: field("Rate-Control").is_some_and(|value| value.eq_ignore_ascii_case("no")),
            frames: field("Frames").and_then(Frames::parse).unwrap_or_default(),
            immediate: field("Immediate").is_some_and(|value| value.eq_ignore_ascii_case("yes")),
            scale: field("Scale")
                .and_then(|value| value.parse().ok())
                .filter(|scale: &f32| scale.is_finite()),
            cseq: request.headers.cseq().unwrap_or_default(),
        };
        let authorization = self.authorization.clone();
        let request = self.wait(&url, cseq, Of::Play);
        self.events.push_back(Event::Play { request, url, range, asked, authorization });
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
