//! What the session asks, and how an answer finds its question.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};

use super::{Queued, Session};
use crate::fault::Quirk;
use crate::rtsp::headers::Transport;
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

/// The channels asked for.
pub(super) const CHANNELS: (u8, u8) = (0, 1);

impl Session {
    pub(super) fn request(&mut self, method: Method) {
        self.send(method, false, 0);
    }

    pub(super) fn send(&mut self, method: Method, keep_alive: bool, sent_before: u8) {
        self.cseq = self.cseq.wrapping_add(1);
        self.stats.requests += 1;
        let url = match method {
            Method::Setup => &self.track,
            Method::Options | Method::Describe if !keep_alive => &self.config.url,
            // The aggregate: some do not answer keep-alives for a track.
            _ => &self.aggregate,
        };
        let mut request = Request::new(method.clone(), &url.to_string());
        // Exactly `CSeq`: the name is compared with case by some (go2rtc issue 7).
        request.headers.push("CSeq", &self.cseq.to_string());
        request.headers.push("User-Agent", &self.config.user_agent);
        if let Some(session) = self.session.as_ref().filter(|_| method != Method::Describe) {
            request.headers.push("Session", &session.id);
        }
        let answer = self.authenticator.as_mut().and_then(|a| a.authorize(&method, &request.uri));
        let answered = answer.is_some();
        if let Some(authorization) = answer.or_else(|| self.config.authorization.clone()) {
            request.headers.push("Authorization", &authorization);
        }
        if let Some((name, value)) = self.own_field(&method) {
            request.headers.push(name, &value);
        }
        self.queue.push_back(Queued::Send(request.to_bytes()));
        if self.pending.len() >= MOST_PENDING {
            self.pending.pop_front();
        }
        let deadline = self.now.plus(self.config.response_timeout);
        let sent = sent_before.saturating_add(1);
        self.pending.push_back(Pending { cseq: self.cseq, method, keep_alive, answered, sent, deadline });
    }

    fn own_field(&self, method: &Method) -> Option<(&'static str, String)> {
        match method {
            Method::Describe => Some(("Accept", "application/sdp".to_owned())),
            // Without `mode=PLAY`, which some servers refuse.
            Method::Setup => Some(("Transport", Transport::interleaved(CHANNELS.0, CHANNELS.1).to_string())),
            Method::Play if !self.no_range => self.config.range.map(|range| ("Range", range.to_string())),
            _ => None,
        }
    }

    /// The request that a response answers: by `CSeq`; by age where there is none, or a wrong one. Tapo C220 answers
    /// keep-alives with the `CSeq` before.
    pub(super) fn take_pending(&mut self, response: &Response) -> Option<Pending> {
        let cseq = response.headers.cseq();
        if let Some(at) = self.pending.iter().position(|pending| Some(pending.cseq) == cseq) {
            return self.pending.remove(at);
        }
        self.note(if cseq.is_none() { Quirk::NoCSeq } else { Quirk::WrongCSeq });
        self.pending.pop_front()
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
