//! What a server answers: RFC 2326.

use std::collections::HashMap;

use vigie::rtsp::headers::{RtpInfo, SessionId, Transport};
use vigie::rtsp::{Method, Request, Response};
use vigie::time::UtcMicros;

use super::finding::{Findings, Place};
use super::rule::Rule;

/// Requests that wait for an answer, and media that are set up, at most.
const WAITING: usize = 64;

/// A media that was set up, as the answer says.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreed {
    /// What SETUP asked for.
    pub(super) control: String,
    pub(super) channels: Option<(u8, u8)>,
    pub(super) ssrc: Option<u32>,
    pub(super) tcp: bool,
    /// `seq` of RTP-Info.
    pub(super) sequence: Option<u16>,
}

#[derive(Debug)]
struct Asked {
    method: Method,
    uri: String,
    channels: Option<(u8, u8)>,
}

/// One connection's messages.
#[derive(Debug, Default)]
pub(super) struct Messages {
    asked: HashMap<u32, Asked>,
    order: Vec<u32>,
    session: Option<String>,
    pub(super) agreed: Vec<Agreed>,
    pub(super) played: bool,
    /// The next answer of those that playing takes: OPTIONS, DESCRIBE, SETUP, PLAY.
    pub(super) answered: Option<Method>,
    steps: usize,
}

impl Messages {
    /// Another connection: sessions, and what was set up in them, go with the one before.
    pub(super) fn reopen(&mut self) {
        *self = Self { played: self.played, steps: self.steps, ..Self::default() };
    }

    /// The client asks.
    pub(super) fn request(&mut self, request: &Request) {
        let Some(cseq) = request.headers.cseq() else { return };
        let transport = request.headers.get("Transport").and_then(|value| Transport::parse_all(value).next());
        let channels = transport.and_then(|transport| transport.interleaved);
        let asked = Asked { method: request.method.clone(), uri: request.uri.clone(), channels };
        self.asked.insert(cseq, asked);
        self.order.push(cseq);
        if self.order.len() > WAITING {
            self.asked.remove(&self.order.remove(0));
        }
    }

    /// The server answers; gives the description, where that is one.
    pub(super) fn response(
        &mut self,
        response: &Response,
        offset: Option<u64>,
        utc: Option<UtcMicros>,
        f: &mut Findings,
    ) -> Option<bytes::Bytes> {
        let place = Place { offset, utc, ..Place::default() };
        let cseq = response.headers.cseq().filter(|cseq| self.asked.contains_key(cseq));
        let cseq = match cseq {
            Some(cseq) => cseq,
            None => {
                let oldest = *self.order.first()?;
                f.add(Rule::RtspCseq, place, || {
                    format!("{:?}, expected {oldest}", response.headers.get("CSeq"))
                });
                oldest
            }
        };
        self.order.retain(|waiting| *waiting != cseq);
        let asked = self.asked.remove(&cseq)?;
        if response.status.0 != 200 {
            return None;
        }
        const STEPS: [Method; 4] = [Method::Options, Method::Describe, Method::Setup, Method::Play];
        if STEPS.get(self.steps) == Some(&asked.method) {
            self.steps += 1;
            self.answered = Some(asked.method.clone());
        }
        match asked.method {
            Method::Options => public(response, place, f),
            Method::Describe => return describe(response, place, f),
            Method::Setup => self.setup(&asked, response, place, f),
            Method::Play => self.play(response, place, f),
            _ => {}
        }
        None
    }

    fn setup(&mut self, asked: &Asked, response: &Response, place: Place, f: &mut Findings) {
        let session = response.headers.get("Session").and_then(SessionId::parse).map(|session| session.id);
        match (&self.session, session.filter(|id| !id.is_empty())) {
            (None, None) => f.add(Rule::RtspSession, place, || "SETUP's answer names none".to_owned()),
            (Some(before), Some(now)) if *before != now => {
                f.add(Rule::RtspSession, place, || "two SETUPs, two sessions".to_owned());
            }
            (before, now) => self.session = now.or_else(|| before.clone()),
        }
        let field = response.headers.get("Transport");
        let Some(transport) = field.and_then(|value| Transport::parse_all(value).next()) else {
            f.add(Rule::RtspTransport, place, || "no Transport".to_owned());
            self.agree(Agreed {
                control: asked.uri.clone(),
                channels: asked.channels,
                tcp: asked.channels.is_some(),
                ..Agreed::default()
            });
            return;
        };
        if asked.channels.is_some() && transport.interleaved != asked.channels {
            f.add(Rule::RtspTransport, place, || {
                format!("asked for channels {:?}, answered {:?}", asked.channels, transport.interleaved)
            });
        }
        self.agree(Agreed {
            control: asked.uri.clone(),
            channels: transport.interleaved.or(asked.channels),
            ssrc: transport.ssrc,
            tcp: transport.is_tcp() || asked.channels.is_some(),
            sequence: None,
        });
    }

    /// A media that is set up again, for another transport, is the one that it is now.
    fn agree(&mut self, agreed: Agreed) {
        self.agreed.retain(|before| before.control != agreed.control);
        self.agreed.truncate(WAITING - 1);
        self.agreed.push(agreed);
    }

    fn play(&mut self, response: &Response, place: Place, f: &mut Findings) {
        self.played = true;
        let session = response.headers.get("Session").and_then(SessionId::parse).map(|session| session.id);
        if let (Some(before), Some(now)) = (&self.session, session)
            && *before != now
        {
            f.add(Rule::RtspSession, place, || "PLAY's answer names another than SETUP's".to_owned());
        }
        let streams = response.headers.get("RTP-Info").map(RtpInfo::parse_all).unwrap_or_default();
        for (at, stream) in streams.iter().enumerate() {
            let only = streams.len() == 1 && self.agreed.len() == 1;
            let named =
                |agreed: &Agreed| agreed.control.ends_with(stream.url.rsplit('/').next().unwrap_or_default());
            let found = self.agreed.iter().position(named).or(only.then_some(0)).or(Some(at));
            if let Some(agreed) = found.and_then(|at| self.agreed.get_mut(at)) {
                agreed.sequence = stream.seq;
            }
        }
    }
}

fn public(response: &Response, place: Place, f: &mut Findings) {
    let fields: Vec<&str> =
        response.headers.get_all("Public").chain(response.headers.get_all("Allow")).collect();
    let methods: Vec<Method> = fields.iter().flat_map(|value| Method::parse_list(value)).collect();
    let needed = [Method::Describe, Method::Setup, Method::Play, Method::Teardown];
    let missing: Vec<String> =
        needed.iter().filter(|method| !methods.contains(method)).map(ToString::to_string).collect();
    if !missing.is_empty() {
        f.add(Rule::RtspPublic, place, || format!("not listed: {}", missing.join(", ")));
    }
    if !methods.contains(&Method::SetParameter) && !methods.contains(&Method::GetParameter) {
        f.add(Rule::OnvifKeepAlive, place, || "not listed: SET_PARAMETER, GET_PARAMETER".to_owned());
    }
}

fn describe(response: &Response, place: Place, f: &mut Findings) -> Option<bytes::Bytes> {
    let length = response.headers.get("Content-Length");
    if response.body.is_empty() {
        f.add(Rule::RtspContentLength, place, || format!("Content-Length {length:?}"));
        return None;
    }
    let kind = response.headers.get("Content-Type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/sdp") {
        f.add(Rule::RtspContentType, place, || format!("{kind:?}"));
    }
    Some(response.body.clone())
}

#[cfg(test)]
mod tests {
    use vigie::rtsp::Status;

    use super::*;
    use crate::vet::Severity;

    fn set_up(messages: &mut Messages, cseq: &str, session: &str, f: &mut Findings) {
        let mut request = Request::new(Method::Setup, "rtsp://camera/video");
        let mut response = Response::new(Status(200));
        for headers in [&mut request.headers, &mut response.headers] {
            headers.push("CSeq", cseq);
            headers.push("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1");
        }
        response.headers.push("Session", session);
        messages.request(&request);
        assert!(messages.response(&response, None, None, f).is_none());
    }

    /// On one connection it is a breach.
    #[test]
    fn another_connection_has_another_session() {
        let (mut messages, mut f) = (Messages::default(), Findings::default());
        set_up(&mut messages, "1", "first", &mut f);
        messages.reopen();
        set_up(&mut messages, "1", "second", &mut f);
        assert_eq!((f.count(Severity::Error), messages.agreed.len()), (0, 1));
        set_up(&mut messages, "2", "third", &mut f);
        assert_eq!((f.count(Severity::Error), messages.agreed.len()), (1, 1));
    }
}
