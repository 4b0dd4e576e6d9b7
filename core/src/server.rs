//! An RTSP server, connection by connection: re-streams what was recorded or received, and simulates cameras.
//!
//! A [`Connection`] does no IO. The caller accepts a connection (TCP, TLS, WebSocket), makes a [`Connection`], and from
//! then on reads into [`Connection::receive_buffer`], calls [`Connection::handle_received`],
//! [`Connection::handle_timeout`] and [`Connection::handle_closed`] as things happen, and drains
//! [`Connection::poll_output`] after each of these and after every answer.
//!
//! OPTIONS, SETUP, PAUSE, TEARDOWN and keep-alives are answered by itself; DESCRIBE and PLAY are the application's to
//! answer. Media leaves over the RTSP connection itself (RFC 2326 §10.12), framed by the application, so that one
//! piece of it, shared, serves any number of viewers; or over UDP, where [`Config`] offers that and the application
//! opens the sockets.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::rtsp::auth::{Authorization, Entropy, Gate};
use crate::rtsp::framing::{Expected, Input, Item};
use crate::rtsp::headers::{Range, RtpInfo, SessionId, Transport};
use crate::rtsp::{Message, Response, Status, Url};
use crate::sdp::Presentation;
use crate::time::Micros;

mod config;
mod error;
mod methods;
mod output;

pub use config::{Config, Guard};
pub use error::{Error, Kind};
pub use output::{Agreed, Asked, Event, Output, RequestId, Stats};

/// Responses that wait to be sent before the next request is read.
const MOST_RESPONSES: usize = 16;
/// Microseconds of grace above the session's timeout.
const GRACE: u64 = 10_000_000;

/// One connection of a server. See the [module](self).
pub struct Connection {
    config: Config,
    now: Micros,
    input: Input,
    events: VecDeque<Event>,
    sends: VecDeque<Queued>,
    /// Bytes of media in `sends`.
    queued: usize,
    responses: usize,
    entropy: Entropy,
    gate: Option<Gate>,
    wrong_passwords: u8,
    authorization: Option<Authorization>,
    waiting: Option<Waiting>,
    next_request: u64,
    described: Option<Described>,
    session: Option<SessionId>,
    /// Indices of the media that are set up.
    set_up: Vec<usize>,
    playing: bool,
    heard: Micros,
    peer_closed: bool,
    ended: Ended,
    stats: Stats,
}

enum Queued {
    Response(Bytes),
    Media(Bytes),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    No,
    /// What is queued goes out, then Close.
    Closing,
    Closed,
}

/// A request that the application has to answer.
struct Waiting {
    id: RequestId,
    url: Url,
    cseq: String,
    of: Of,
}

/// What a request that waits is.
#[derive(Clone, PartialEq, Eq)]
enum Of {
    Describe,
    /// Of a media, with what the client asks for.
    Setup(usize, Transport),
    Play,
}

/// What DESCRIBE was answered with.
struct Described {
    url: Url,
    /// The control of each media.
    controls: Vec<String>,
}

impl Connection {
    /// Begins on an accepted connection.
    #[must_use]
    pub fn new(config: Config, now: Micros) -> Self {
        let mut entropy = Entropy::new(config.seed);
        let gate = config.guard.clone().map(|guard| {
            let mut seed = config.seed;
            // Nonces are told to the peer: they come from a seed of their own.
            for (byte, fresh) in seed.iter_mut().zip(entropy.token().bytes()) {
                *byte ^= fresh;
            }
            let lifetime = guard.nonce_lifetime;
            let gate = Gate::new(guard.credentials, &guard.realm, &guard.schemes, seed, lifetime, now);
            if guard.qop { gate } else { gate.without_qop() }
        });
        Self {
            now,
            input: Input::new(&config.limits),
            events: VecDeque::new(),
            sends: VecDeque::new(),
            queued: 0,
            responses: 0,
            entropy,
            gate,
            wrong_passwords: 0,
            authorization: None,
            waiting: None,
            next_request: 0,
            described: None,
            session: None,
            set_up: Vec::new(),
            playing: false,
            heard: now,
            peer_closed: false,
            ended: Ended::No,
            stats: Stats::default(),
            config,
        }
    }

    /// Does the client want media?
    #[must_use]
    pub const fn is_playing(&self) -> bool {
        self.playing
    }

    /// `Authorization` of the last request that had one, keep-alives included, which is how tokens are renewed. What is
    /// answered here by itself is answered whatever it says.
    #[must_use]
    pub const fn authorization(&self) -> Option<&Authorization> {
        self.authorization.as_ref()
    }

    /// Bytes of media that wait in [`Connection::poll_output`].
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.queued
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Where to put received bytes. While it is empty (requests wait for an answer or for the client to read), do not
    /// read the connection.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.input.spare()
    }

    /// Says that `bytes` bytes were put into [`Connection::receive_buffer`].
    pub fn handle_received(&mut self, now: Micros, bytes: usize) {
        self.now = now;
        self.heard = now;
        self.stats.bytes_received += bytes as u64;
        self.input.filled(bytes);
    }

    /// Copies received bytes in and says how many were taken: where not all were, drain [`Connection::poll_output`],
    /// answer what waits, and come back with the rest.
    #[must_use]
    pub fn handle_input(&mut self, now: Micros, bytes: &[u8]) -> usize {
        let taken = self.input.copy(bytes);
        self.handle_received(now, 0);
        self.stats.bytes_received += taken as u64;
        taken
    }

    /// Says that the peer closed the connection, or that it broke.
    pub fn handle_closed(&mut self, now: Micros) {
        self.now = now;
        self.peer_closed = true;
    }

    /// When to call [`Connection::handle_timeout`], if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        // While the application owes an answer the client may well be silent.
        let idle = self.ended == Ended::No && self.waiting.is_none();
        idle.then(|| self.heard.plus(u64::from(self.config.session_timeout) * 1_000_000 + GRACE))
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Micros) {
        self.now = now;
        if self.poll_timeout().is_some_and(|due| now >= due) {
            self.sends.clear();
            (self.queued, self.responses) = (0, 0);
            self.fail(Kind::Silent);
        }
    }

    /// Answers [`Event::Describe`] with a session description, whose controls are relative to the address described. Only
    /// media that [`Presentation::parse`] reads out of it can be set up.
    ///
    /// # Errors
    ///
    /// `NoSuchRequest`.
    pub fn describe(&mut self, request: RequestId, sdp: impl Into<Bytes>) -> Result<(), Error> {
        let waiting = self.take_waiting(request, |waiting| waiting.of == Of::Describe)?;
        let sdp = sdp.into();
        let controls = Presentation::parse(sdp.clone(), &self.config.limits).map_or_else(
            |_| Vec::new(),
            |presentation| presentation.media.into_iter().map(|m| m.control.unwrap_or_default()).collect(),
        );
        let mut response = Response::new(Status::OK);
        let slash = if waiting.url.path_and_query().ends_with('/') { "" } else { "/" };
        response.headers.push("Content-Base", &alloc::format!("{}{slash}", waiting.url));
        response.headers.push("Content-Type", "application/sdp");
        response.body = sdp;
        self.described = Some(Described { url: waiting.url, controls });
        self.respond(&waiting.cseq, response);
        Ok(())
    }

    /// Answers [`Event::Play`]: media may be sent from now on. `range` is what will be sent; the start of a UTC range
    /// belongs to `rtptime`. An empty `url` in `rtp_info` stands for that of the media set up at its place.
    ///
    /// # Errors
    ///
    /// `NoSuchRequest`.
    pub fn accept_play(
        &mut self,
        request: RequestId,
        range: Option<Range>,
        rtp_info: &[RtpInfo],
    ) -> Result<(), Error> {
        let waiting = self.take_waiting(request, |waiting| waiting.of == Of::Play)?;
        let mut response = Response::new(Status::OK);
        if let Some(range) = range {
            response.headers.push("Range", &alloc::format!("{range}"));
        }
        let named = rtp_info.iter().enumerate().map(|(at, info)| {
            let url = if info.url.is_empty() { self.track_url(at) } else { info.url.clone() };
            alloc::format!("{}", RtpInfo { url, ..info.clone() })
        });
        let named: Vec<String> = named.collect();
        if !named.is_empty() {
            response.headers.push("RTP-Info", &named.join(","));
        }
        self.playing = true;
        self.respond(&waiting.cseq, response);
        Ok(())
    }

    /// Answers [`Event::Describe`] or [`Event::Play`] with an error. For 401 without a [`Guard`] there is no
    /// `WWW-Authenticate`: the client is expected to know.
    ///
    /// # Errors
    ///
    /// `NoSuchRequest`.
    pub fn refuse(&mut self, request: RequestId, status: Status) -> Result<(), Error> {
        let waiting = self.take_waiting(request, |_| true)?;
        self.respond(&waiting.cseq, Response::new(status));
        Ok(())
    }

    /// Queues media that is framed already: whole interleaved packets on the channels of [`Event::Setup`]. Nothing is
    /// copied.
    ///
    /// # Errors
    ///
    /// `QueueFull`: the piece was not queued; go on with a random access point once [`Connection::queued`] has fallen.
    /// `NotPlaying`.
    pub fn send(&mut self, interleaved: Bytes) -> Result<(), Error> {
        if !self.playing || self.ended != Ended::No {
            return Err(self.error(Kind::NotPlaying));
        }
        // One piece is always taken, so that a picture larger than the queue can go out at all.
        if self.queued > 0 && self.queued + interleaved.len() > self.config.limits.send_queue {
            self.stats.media_refused += 1;
            return Err(self.error(Kind::QueueFull));
        }
        self.queued += interleaved.len();
        self.sends.push_back(Queued::Media(interleaved));
        Ok(())
    }

    /// Ends the connection: what is queued goes out, then Close.
    pub fn close(&mut self) {
        if self.ended == Ended::No {
            self.ended = Ended::Closing;
            self.playing = false;
            self.waiting = None;
        }
    }

    /// What comes next; `None` until more bytes, time or answers come.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(Output::Event(event));
            }
            if self.ended == Ended::No
                && self.waiting.is_none()
                && self.responses < MOST_RESPONSES
                && self.read()
            {
                continue;
            }
            match self.sends.pop_front() {
                Some(Queued::Response(bytes)) => {
                    self.responses = self.responses.saturating_sub(1);
                    return Some(self.sent(bytes));
                }
                Some(Queued::Media(bytes)) => {
                    self.queued = self.queued.saturating_sub(bytes.len());
                    return Some(self.sent(bytes));
                }
                None => {}
            }
            return match self.ended {
                Ended::Closing => {
                    self.ended = Ended::Closed;
                    Some(Output::Close)
                }
                Ended::No if self.peer_closed => {
                    self.close();
                    continue;
                }
                _ => None,
            };
        }
    }

    fn sent(&mut self, bytes: Bytes) -> Output {
        self.stats.bytes_sent += bytes.len() as u64;
        Output::Send(bytes)
    }

    /// Reads one item; false where there is none.
    fn read(&mut self) -> bool {
        let expected = Expected::default();
        match self.input.next(&expected) {
            Ok(Some(Item::Message { message: Message::Request(request), speaks_version })) => {
                self.stats.requests += 1;
                self.handle_request(&request, speaks_version);
            }
            Ok(Some(Item::Interleaved { .. })) => self.stats.packets_received += 1,
            // Answers to requests that a server never sends, and bytes between items.
            Ok(Some(Item::Message { .. } | Item::Skipped { .. })) => {}
            Ok(None) => return false,
            Err(error) => {
                self.respond("0", Response::new(Status::BAD_REQUEST));
                self.fail(Kind::Rtsp(error.kind));
            }
        }
        true
    }

    fn error(&self, kind: Kind) -> Error {
        Error { kind, at: self.input.offset() }
    }

    fn fail(&mut self, kind: Kind) {
        let error = self.error(kind);
        self.events.push_back(Event::Failed(error));
        self.close();
    }

    fn take_waiting(
        &mut self,
        request: RequestId,
        fits: impl Fn(&Waiting) -> bool,
    ) -> Result<Waiting, Error> {
        let error = self.error(Kind::NoSuchRequest);
        self.waiting.take_if(|waiting| waiting.id == request && fits(waiting)).ok_or(error)
    }

    fn track_url(&self, at: usize) -> String {
        let track = self.described.as_ref().zip(self.set_up.get(at));
        track.map_or_else(String::new, |(described, media)| {
            let control = described.controls.get(*media).map_or("", String::as_str);
            alloc::format!("{}", described.url.control(control).0)
        })
    }
}

#[cfg(test)]
mod tests;
