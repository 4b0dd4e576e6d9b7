//! An RTSP client: one camera, over one connection, from OPTIONS to TEARDOWN.
//!
//! A [`Session`] does no IO. The caller opens a connection (TCP, TLS, WebSocket), makes a session, and from then on:
//!
//! - reads the connection into [`Session::receive_buffer`], then says how much it read by [`Session::handle_received`];
//! - calls [`Session::handle_timeout`] when the moment of [`Session::poll_timeout`] has come;
//! - says by [`Session::handle_closed`] that the peer closed the connection;
//! - after each of these, and after [`Session::new`] and [`Session::teardown`], drains [`Session::poll_output`]: sends
//!   what is to be sent, feeds RTP and RTCP on, minds the events.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use vigie::session::{Event, Output, Session};
//! use vigie::time::Micros;
//!
//! /// Runs a session over a connection whose reads return after a while with `WouldBlock` or `TimedOut`.
//! fn run(mut session: Session, mut connection: impl Read + Write, clock: impl Fn() -> Micros) -> std::io::Result<()> {
//!     loop {
//!         while let Some(output) = session.poll_output() {
//!             match output {
//!                 Output::Send(bytes) => connection.write_all(&bytes)?,
//!                 Output::Rtp { bytes, .. } => println!("an RTP packet of {} bytes", bytes.len()),
//!                 Output::Event(Event::Failed(error)) => eprintln!("{error}"),
//!                 Output::Close => return Ok(()),
//!                 _ => {}
//!             }
//!         }
//!         let now = clock();
//!         if session.poll_timeout().is_some_and(|due| due <= now) {
//!             session.handle_timeout(now);
//!             continue;
//!         }
//!         match connection.read(session.receive_buffer()) {
//!             Ok(0) => session.handle_closed(clock()),
//!             Ok(n) => session.handle_received(clock(), n),
//!             Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
//!             Err(_) => session.handle_closed(clock()),
//!         }
//!     }
//! }
//! ```
//!
//! RTP packets are handed out where they lie in the receive buffer: nothing is copied or allocated per packet.
//!
//! The session sets up the first H.264 or H.265 video of the presentation, and of the rest what [`Config::wanted`]
//! names: recording sound in public space is unlawful in France. It keeps itself alive and answers the camera's own
//! requests. Media travels over the RTSP connection itself (RFC 2326 §10.12) unless [`Config::transports`] says
//! otherwise: over UDP the caller opens the sockets when [`Event::Bind`] asks for them, says by
//! [`Session::handle_datagram`] what they receive, and sends each [`Output::Datagram`].

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::fault::{Quirk, Quirks};
use crate::rtsp::auth::{Authenticator, Entropy};
use crate::rtsp::framing::{Expected, Input, Item};
use crate::rtsp::headers::SessionId;
use crate::rtsp::{Message, Method, Url};
use crate::sdp::Presentation;
use crate::time::Micros;

mod answers;
mod config;
mod error;
mod keep_alive;
pub(crate) mod keys;
mod output;
mod received;
mod requests;
mod tracks;
mod transport;

pub use config::Config;
pub use error::{Error, Kind, Where};
pub use output::{Event, Output, Phase, Playing, Stats, Stream};
pub use transport::{Agreed, Frames, Lower, Replay, Wanted};

use keep_alive::KeepAlive;
use requests::Pending;
use tracks::Track;

/// How long the first packet over UDP is waited for where another transport is left.
const SILENT_START: u64 = 3_000_000;
/// How long a packet waits for the bytes behind it, which tell whether it was cut short. They were sent with its last ones,
/// should it have been.
const PROOF_WAIT: u64 = 2_000;
/// How long TEARDOWN waits for its answer.
const TEARDOWN_TIMEOUT: u64 = 2_000_000;

/// One RTSP client. See the [module](self).
pub struct Session {
    config: Config,
    phase: Phase,
    now: Micros,
    input: Input,
    expected: Expected,
    queue: VecDeque<Queued>,
    pending: VecDeque<Pending>,
    cseq: u32,
    authenticator: Option<Authenticator>,
    /// Methods of `Public`.
    public: Vec<Method>,
    server: Option<String>,
    presentation: Option<Arc<Presentation>>,
    aggregate: Url,
    tracks: Vec<Track>,
    /// Of the tracks: which is being set up.
    at: usize,
    /// Of `Config::transports`: which is asked for.
    lower: usize,
    /// Ports were asked for and not yet given.
    binding: bool,
    /// DESCRIBE was sent again after a change of the transport.
    described_again: bool,
    session: Option<SessionId>,
    own_ssrc: u32,
    /// PLAY was refused with a Range, and is tried without.
    no_range: bool,
    keep_alive: Option<KeepAlive>,
    /// When the last RTP packet of the first media came, or PLAY was answered.
    last_media: Micros,
    /// One came.
    any_media: bool,
    received: Micros,
    /// When a packet has waited long enough for the bytes behind it.
    held_until: Option<Micros>,
    teardown_at: Micros,
    /// TEARDOWN was sent after PLAY: media are on their way.
    played: bool,
    peer_closed: bool,
    quirks: Quirks,
    stats: Stats,
}

enum Queued {
    Send(Bytes),
    Datagram { media: usize, rtcp: bool, bytes: Bytes },
    Event(Event),
    Close,
}

impl Session {
    /// Begins on an open connection: the first request waits in [`Session::poll_output`].
    #[must_use]
    pub fn new(config: Config, now: Micros) -> Self {
        let policy = config.limits.policy;
        let authenticator = config.credentials.clone().filter(|_| cfg!(feature = "full"));
        let authenticator =
            authenticator.map(|c| Authenticator::new(c, config.seed).tries(config.tries).policy(policy));
        let mut session = Self {
            phase: Phase::Options,
            now,
            input: Input::new(&config.limits),
            expected: Expected::default(),
            queue: VecDeque::new(),
            pending: VecDeque::new(),
            cseq: 0,
            authenticator,
            public: Vec::new(),
            server: None,
            presentation: None,
            aggregate: config.url.clone(),
            tracks: Vec::new(),
            at: 0,
            lower: 0,
            binding: false,
            described_again: false,
            session: None,
            own_ssrc: own_ssrc(config.seed),
            no_range: false,
            keep_alive: None,
            last_media: now,
            any_media: false,
            received: now,
            held_until: None,
            teardown_at: now,
            played: false,
            peer_closed: false,
            quirks: Quirks::default(),
            stats: Stats::default(),
            config,
        };
        session.request(Method::Options);
        session
    }

    /// What the session is doing.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The latest time that it was told.
    #[must_use]
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// The address, without credentials.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.config.url
    }

    /// What the camera has, once it said so.
    #[must_use]
    pub const fn presentation(&self) -> Option<&Arc<Presentation>> {
        self.presentation.as_ref()
    }

    /// The `Server` field of the camera's responses.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// What was tolerated, counted; the session description's included.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        let mut quirks = self.quirks.clone();
        if let Some(authenticator) = self.authenticator.as_ref().filter(|_| cfg!(feature = "full")) {
            quirks.merge(authenticator.quirks());
        }
        quirks
    }

    /// What answers challenges, where that is compiled in.
    fn authenticator(&mut self) -> Option<&mut Authenticator> {
        if cfg!(feature = "full") { self.authenticator.as_mut() } else { None }
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Says that the peer closed the connection, or that it broke. What was received before is still handed out.
    pub fn handle_closed(&mut self, now: Micros) {
        self.now = now;
        self.peer_closed = true;
    }

    /// When to call [`Session::handle_timeout`], if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let keep_alive = self.keep_alive.as_ref().map(|k| k.next);
        match self.phase {
            Phase::Closed => None,
            Phase::Teardown => Some(self.teardown_at),
            Phase::Playing => keep_alive.into_iter().chain(self.stalls_at()).chain(self.held_until).min(),
            Phase::Paused => keep_alive,
            _ => self.pending.front().map(|pending| pending.deadline),
        }
    }

    /// When the silence is too long.
    fn stalls_at(&self) -> Option<Micros> {
        let fast =
            !self.any_media && self.lower() != Lower::Tcp && self.lower + 1 < self.config.transports.len();
        let timeout = match self.config.media_timeout {
            Some(timeout) if fast => Some(timeout.min(SILENT_START)),
            None if fast => Some(SILENT_START),
            timeout => timeout,
        };
        timeout.map(|timeout| self.last_media.plus(timeout))
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Micros) {
        self.now = now;
        if self.held_until.is_some_and(|at| now >= at) {
            self.held_until = None;
            self.input.let_go();
        }
        match self.phase {
            Phase::Closed => {}
            Phase::Teardown if now >= self.teardown_at => self.end(),
            Phase::Teardown => {}
            Phase::Playing if self.stalls_at().is_some_and(|at| now >= at) => self.fail(Kind::Stalled),
            Phase::Playing | Phase::Paused => self.keep_alive_if_due(),
            _ if self.pending.front().is_some_and(|pending| now >= pending.deadline) => {
                self.fail(Kind::NoResponse)
            }
            _ => {}
        }
    }

    /// Ends the session: sends TEARDOWN and waits a little for its answer.
    pub fn teardown(&mut self, now: Micros) {
        self.now = now;
        match self.phase {
            Phase::Teardown | Phase::Closed => {}
            _ if !self.is_set_up() => self.end(),
            _ => {
                self.pending.clear();
                self.played =
                    matches!(self.phase, Phase::Play | Phase::Playing | Phase::Pause | Phase::Paused);
                self.phase = Phase::Teardown;
                self.teardown_at = now.plus(TEARDOWN_TIMEOUT);
                self.request(Method::Teardown);
            }
        }
    }

    /// What comes next; `None` until more bytes or time come. To be drained after every other call.
    // Handed back through memory, a packet would wait there until the copy of the one before is in the cache.
    #[inline]
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        loop {
            if let Some(queued) = self.queue.pop_front() {
                return Some(match queued {
                    Queued::Send(bytes) => Output::Send(bytes),
                    Queued::Datagram { media, rtcp, bytes } => Output::Datagram { media, rtcp, bytes },
                    Queued::Event(event) => Output::Event(event),
                    Queued::Close => Output::Close,
                });
            }
            if self.phase == Phase::Closed {
                return None;
            }
            match self.input.next(&self.expected) {
                Ok(Some(Item::Interleaved { channel, range })) => {
                    let received = self.received;
                    self.held_until = None;
                    if let Some((media, rtp)) = self.route(channel, range.len()) {
                        let bytes = self.input.bytes(range);
                        return Some(match rtp {
                            true => Output::Rtp { media, bytes, received },
                            false => Output::Rtcp { media, bytes, received },
                        });
                    }
                }
                Ok(Some(Item::Message { message: Message::Response(response), .. })) => {
                    self.handle_response(&response)
                }
                Ok(Some(Item::Message { message: Message::Request(request), .. })) => {
                    self.handle_request(&request)
                }
                Ok(Some(Item::Skipped { bytes, after })) => {
                    self.held_until = None;
                    self.stats.skipped_bytes += bytes as u64;
                    let track = after.and_then(|channel| self.track_on(channel));
                    let media = track.and_then(|(at, _)| self.tracks.get(at)).map(|track| track.media);
                    if let (true, Some(media)) = (self.tolerated(Quirk::LostFraming), media) {
                        return Some(Output::Cut { media });
                    }
                }
                Ok(None) if self.peer_closed && self.input.let_go() => {}
                Ok(None) if self.peer_closed && self.phase == Phase::Teardown => self.end(),
                Ok(None) if self.peer_closed => self.fail(Kind::Closed),
                Ok(None) => {
                    let until = self.input.holds().then(|| self.received.plus(PROOF_WAIT));
                    self.held_until = self.held_until.or(until);
                    return None;
                }
                Err(error) => self.fail(Kind::Rtsp(error.kind)),
            }
        }
    }

    /// Of which media an interleaved packet is, and whether it is RTP; `None` where it is not wanted.
    fn route(&mut self, channel: u8, len: usize) -> Option<(usize, bool)> {
        self.admit(self.track_on(channel), len)
    }

    /// Accounts for a packet of the track (its place, and whether it is RTP): its media, where it is wanted now.
    fn admit(&mut self, track: Option<(usize, bool)>, len: usize) -> Option<(usize, bool)> {
        match (self.phase, track) {
            // Before the answer to TEARDOWN (RFC 2326 §10.7) comes what was sent before it: who stops a recording has it.
            (Phase::Teardown, Some(_)) if !self.played => {}
            // After PLAY was sent, packets may overtake its answer (RFC 2326 §10.5 does not forbid it); and after PAUSE.
            (
                Phase::Play | Phase::Playing | Phase::Pause | Phase::Paused | Phase::Teardown,
                Some((at, rtp)),
            ) => {
                if rtp {
                    self.stats.rtp_packets += 1;
                    self.stats.rtp_bytes += len as u64;
                    if at == 0 {
                        self.last_media = self.now;
                        self.any_media = true;
                    }
                } else {
                    self.stats.rtcp_packets += 1;
                }
                return self.tracks.get(at).map(|track| (track.media, rtp));
            }
            (Phase::Play | Phase::Playing | Phase::Pause | Phase::Paused, None) => {
                self.tolerated(Quirk::UnknownChannel);
            }
            // v4l2rtspserver; and live555 before 2017.06.04, which goes on sending an old session's packets to whoever
            // got its descriptor, even before any request.
            (Phase::Options | Phase::Describe | Phase::Setup, _) => {
                self.tolerated(Quirk::RtpBeforePlay);
            }
            (Phase::Teardown, None) | (Phase::Closed, _) => {}
        }
        self.stats.dropped_packets += 1;
        None
    }

    /// Counts a quirk, and tells its first occurrence.
    fn note(&mut self, quirk: Quirk) {
        if self.quirks.get(quirk) == 0 {
            self.queue.push_back(Queued::Event(Event::Quirk(quirk)));
        }
        self.quirks.count(quirk);
    }

    /// Counts a quirk; `Err` where the policy does not let the camera have it.
    fn tolerate(&mut self, quirk: Quirk) -> Result<(), Quirk> {
        self.note(quirk);
        if self.config.limits.policy.tolerates(quirk) { Ok(()) } else { Err(quirk) }
    }

    /// Counts a quirk; where the policy does not let the camera have it, the session ends, and this is false.
    fn tolerated(&mut self, quirk: Quirk) -> bool {
        let verdict = self.tolerate(quirk);
        if let Err(quirk) = verdict {
            self.fail(Kind::Violation(quirk));
        }
        verdict.is_ok()
    }

    fn event(&mut self, event: Event) {
        self.queue.push_back(Queued::Event(event));
    }

    fn place(&self) -> Where {
        Where {
            phase: self.phase,
            cseq: self.cseq,
            rtsp_offset: self.input.offset(),
            received: self.received,
        }
    }

    /// Ends with an error. A session that was set up is torn down, its answer not waited for: live555 before 2017.06.04
    /// sends on for a minute otherwise, to whoever gets the descriptor.
    fn fail(&mut self, kind: Kind) {
        if self.phase == Phase::Closed {
            return;
        }
        let error = Error { kind, at: self.place() };
        if self.is_set_up() && self.phase != Phase::Teardown && !self.peer_closed {
            self.request(Method::Teardown);
        }
        self.event(Event::Failed(error));
        self.close();
    }

    /// A SETUP was answered: there is something to tear down. Not every camera names a session.
    fn is_set_up(&self) -> bool {
        self.tracks.iter().any(|track| track.agreed.is_some())
    }

    /// Ends as it should.
    fn end(&mut self) {
        if self.phase != Phase::Closed {
            self.event(Event::Ended);
            self.close();
        }
    }

    fn close(&mut self) {
        self.phase = Phase::Closed;
        self.binding = false;
        self.pending.clear();
        self.queue.push_back(Queued::Close);
    }
}

/// Any number: nobody chooses it but us.
fn own_ssrc(seed: [u8; 32]) -> u32 {
    let token = Entropy::new(seed).token();
    token.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests;
