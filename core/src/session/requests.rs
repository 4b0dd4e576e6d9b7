//! What the session asks, and how an answer finds its question.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Frames, Phase, Queued, Session};
use crate::fault::Quirk;
use crate::rtsp::{Method, Request, Response, Status};
use crate::time::Micros;

/// A request that was sent and not yet answered.
pub(super) struct Pending {
    pub(super) cseq: u32,
    pub(super) method: Method,
    pub(super) keep_alive: bool,
    /// It carried an answer to a challenge.
    pub(super) answered: bool,
    /// How often it was sent.
    pub(super) sent: u8,
    pub(super) deadline: Micros,
}

/// Requests that wait for an answer; a camera that never answers keep-alives makes the oldest ones go.
const MOST_PENDING: usize = 4;

impl Session {
    pub(super) fn request(&mut self, method: Method) {
        self.send(method, false, 0);
    }

    pub(super) fn send(&mut self, method: Method, keep_alive: bool, sent_before: u8) {
        if self.phase == Phase::Closed {
            return;
        }
        self.cseq = self.cseq.wrapping_add(1);
        self.stats.requests += 1;
        let url = match method {
            Method::Setup => self.track_url(),
            Method::Options | Method::Describe if !keep_alive => self.config.url.to_string(),
            // The aggregate: some do not answer keep-alives for a track.
            _ => self.aggregate.to_string(),
        };
        let mut request = Request::new(method.clone(), &url);
        // Exactly `CSeq`: the name is compared with case by some (go2rtc issue 7).
        request.headers.push("CSeq", &self.cseq.to_string());
        request.headers.push("User-Agent", &self.config.user_agent);
        if let Some(session) = self.session.as_ref().filter(|_| method != Method::Describe) {
            request.headers.push("Session", &session.id);
        }
        let answer = self.authenticator().and_then(|a| a.authorize(&method, &request.uri));
        let answered = answer.is_some();
        if let Some(authorization) = answer.or_else(|| self.config.authorization.clone()) {
            request.headers.push("Authorization", &authorization);
        }
        for (name, value) in self.own_fields(&method) {
            request.headers.push(name, &value);
        }
        for (name, value) in &self.config.headers {
            request.headers.push(name, value);
        }
        self.queue.push_back(Queued::Send(request.to_bytes()));
        if self.pending.len() >= MOST_PENDING {
            self.pending.pop_front();
        }
        let deadline = self.now.plus(self.config.response_timeout);
        let sent = sent_before.saturating_add(1);
        self.pending.push_back(Pending { cseq: self.cseq, method, keep_alive, answered, sent, deadline });
    }

    fn own_fields(&self, method: &Method) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        match method {
            Method::Describe => fields.push(("Accept", "application/sdp".to_owned())),
            // Without `mode=PLAY`, which some servers refuse.
            Method::Setup => {
                fields.push(("Transport", self.transport().to_string()));
                fields.extend(self.key_mgmt().map(|value| ("KeyMgmt", value)));
            }
            Method::Play => self.play_fields(&mut fields),
            _ => {}
        }
        // ONVIF Streaming Specification, "RTSP feature tag": in both.
        if self.config.replay.is_some() && matches!(method, Method::Setup | Method::Play) {
            fields.push(("Require", "onvif-replay".to_owned()));
        }
        fields
    }

    fn play_fields(&self, fields: &mut Vec<(&'static str, String)>) {
        if let Some(range) = self.config.range.filter(|_| !self.no_range) {
            fields.push(("Range", range.to_string()));
        }
        let reverse = self.config.replay.is_some_and(|replay| replay.reverse);
        if let Some(scale) = self.config.scale.or(reverse.then_some(-1.0)) {
            fields.push(("Scale", tenths(scale)));
        }
        let Some(replay) = self.config.replay else { return };
        fields.push(("Rate-Control", if replay.rate_control { "yes" } else { "no" }.to_owned()));
        if replay.frames != Frames::All {
            fields.push(("Frames", replay.frames.to_string()));
        }
        if replay.immediate {
            fields.push(("Immediate", "yes".to_owned()));
        }
    }

    /// The request that a response answers: by `CSeq`; by age where there is none, or a wrong one. Tapo C220 answers
    /// keep-alives with the `CSeq` before.
    pub(super) fn take_pending(&mut self, response: &Response) -> Option<Pending> {
        let cseq = response.headers.cseq();
        if let Some(at) = self.pending.iter().position(|pending| Some(pending.cseq) == cseq) {
            return self.pending.remove(at);
        }
        let odd = if cseq.is_none() { Quirk::NoCSeq } else { Quirk::WrongCSeq };
        if self.tolerated(odd) { self.pending.pop_front() } else { None }
    }

    /// Answers a request of the camera (RFC 2326 §10: servers may send OPTIONS, GET_PARAMETER, SET_PARAMETER, ANNOUNCE,
    /// REDIRECT; some send TEARDOWN).
    pub(super) fn answer(&mut self, request: &Request, status: Status) {
        let mut response = Response::new(status);
        for name in ["CSeq", "Session"] {
            if let Some(value) = request.headers.get(name) {
                response.headers.push(name, value);
            }
        }
        response.headers.push("User-Agent", &self.config.user_agent);
        if request.method == Method::Options {
            response
                .headers
                .push("Public", "OPTIONS, GET_PARAMETER, SET_PARAMETER, ANNOUNCE, REDIRECT, TEARDOWN");
        }
        self.queue.push_back(Queued::Send(response.to_bytes()));
    }
}

/// With one digit behind the point. By hand: what writes and reads any float takes a tenth of the module that a browser
/// loads.
fn tenths(value: f32) -> String {
    let tenths = (value * 10.0).abs() + 0.5;
    let sign = if value < 0.0 { "-" } else { "" };
    // Saturates; a speed of a billion is none.
    let tenths = tenths as u32;
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}
