//! A camera as a stream of events.

use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use tokio::time::{Instant, Sleep};
use vigie::fault::{Fault as _, Quirks};
use vigie::govern::{Failure, Source, SourceId};
use vigie::record::{Health, IngestOutput, IngestStats};
use vigie::rtsp::{Credentials, Url};
use vigie::session::{self, Lower};
use vigie::store::Cause;

use crate::connection::{Connection, Step};
use crate::dial::dial;
use crate::entropy;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::governed::Place;
use crate::options::Options;
use crate::stream::ByteStream;

/// How long [`Camera::stop`] waits for the camera's goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// An RTSP camera: a [`Stream`] of [`Event`]s that reconnects by itself.
///
/// Nothing runs in the background: the connection moves as the stream is polled, within a tokio runtime, and is gone
/// when the camera is dropped. A stream that is not polled holds the camera back by TCP's flow control.
///
/// ```no_run
/// # async fn example() -> Result<(), vigie::rtsp::Error> {
/// use futures::StreamExt as _;
/// use vigie_net::{Camera, Event, Options};
///
/// let (url, credentials) = vigie::rtsp::Url::parse("rtsp://viewer:secret@192.0.2.7/stream1")?;
/// let mut camera = Camera::connect(url, Options::new(credentials));
/// while let Some(event) = camera.next().await {
///     match event {
///         Event::AccessUnit(unit) => println!("a picture of {} bytes", unit.data.len()),
///         Event::Disconnected { error, retry_in } => println!("{error}; again in {retry_in:?}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Camera {
    url: Url,
    options: Options,
    /// Of the connection: the URL and credentials may be those of a redirection.
    target: session::Config,
    state: State,
    /// Attempts since the last picture.
    attempts: u32,
    /// A picture came on this connection.
    playing: bool,
    redirects: u32,
    /// Transports that were silent, and are not asked for again: that many from the front.
    passed: usize,
    /// What the machine said last about the end of the connection.
    failed: Option<Error>,
    redirected: Option<Url>,
    /// When the goodbye is no longer waited for.
    stopping: Option<Pin<Box<Sleep>>>,
    /// Of the connections that have ended.
    quirks: Quirks,
    stats: IngestStats,
    health: Health,
    /// In the governor's plan.
    place: Option<Place>,
    /// The place was taken with other credentials.
    stale: bool,
}

enum State {
    /// Before the first attempt.
    New,
    /// Until the governor lets it go.
    Permission,
    Dialling(Pin<Box<dyn Future<Output = Result<ByteStream, Error>> + Send>>),
    Open(Box<Connection>),
    Waiting(Pin<Box<Sleep>>),
    Over,
}

impl Camera {
    /// A camera at `url`. Nothing is done before the stream is polled.
    #[must_use]
    pub fn connect(url: Url, options: Options) -> Self {
        let target = options.session(&url, 0);
        Self {
            url,
            options,
            target,
            state: State::New,
            attempts: 0,
            playing: false,
            redirects: 0,
            passed: 0,
            failed: None,
            redirected: None,
            stopping: None,
            quirks: Quirks::default(),
            stats: IngestStats::default(),
            health: Health::default(),
            place: None,
            stale: false,
        }
    }

    /// The address, without user and password.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The port that is dialled at that address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.options.tunnel.port(&self.url)
    }

    /// What was tolerated, over all connections.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        let mut quirks = self.quirks.clone();
        if let State::Open(connection) = &self.state {
            quirks.merge(&connection.ingest().quirks());
        }
        quirks
    }

    /// Counters of the connection, or of the last one where there is none.
    #[must_use]
    pub fn stats(&self) -> IngestStats {
        match &self.state {
            State::Open(connection) => connection.ingest().stats(),
            _ => self.stats,
        }
    }

    /// How the source does on its connection, or did on the last one where there is none.
    #[must_use]
    pub fn health(&self) -> Health {
        match &self.state {
            State::Open(connection) => self.health_of(connection),
            _ => self.health,
        }
    }

    fn health_of(&self, connection: &Connection) -> Health {
        let mut health = connection.ingest().health(self.options.clock.now(), self.options.clock.utc());
        health.last_picture = health.last_picture.or(self.health.last_picture);
        health
    }

    /// Other credentials, from the next connection on. Where the governor held the account of the old ones, it is free
    /// again, for all who share it.
    pub fn set_credentials(&mut self, credentials: Option<Credentials>) {
        if let Some(place) = &self.place {
            place.credentials_changed();
        }
        self.options.credentials = credentials;
        if matches!(self.state, State::Permission) {
            self.target = self.options.session(&self.url, self.passed);
            self.place = None;
            self.state = State::New;
        }
        self.stale = true;
    }

    /// Takes a place in the governor's plan; `None` where there is no governor, or no room.
    pub(crate) fn register(&mut self) -> Option<SourceId> {
        let governor = self.options.governor.as_ref()?;
        let credentials = self.options.credentials.as_ref();
        let mut secret = DefaultHasher::new();
        credentials.map_or("", Credentials::password).hash(&mut secret);
        let mut source = Source::new(self.url.host(), credentials.map_or("", |c| c.username.as_str()))
            .secret(secret.finish())
            .priority(self.options.priority);
        source.sessions = self.options.sessions;
        let place = governor.place(source)?;
        let id = place.id();
        self.place = Some(place);
        self.stale = false;
        Some(id)
    }

    /// From now on [`Options::read_delay`]: a recorder reads seldom, until somebody watches.
    pub fn set_read_delay(&mut self, delay: Duration) {
        self.options.read_delay = delay;
        if let State::Open(connection) = &mut self.state {
            connection.set_read_delay(delay);
        }
    }

    /// Ends the session in order: the camera is told, what still arrives is yielded, and the stream ends within a
    /// second.
    pub fn stop(&mut self) {
        if let State::Open(connection) = &mut self.state {
            connection.teardown();
            self.stopping = Some(Box::pin(tokio::time::sleep(GOODBYE)));
        } else {
            self.state = State::Over;
        }
    }

    fn dial(&mut self) -> Event {
        self.attempts = self.attempts.saturating_add(1);
        tracing::debug!(url = %self.target.url, attempt = self.attempts, "connecting");
        let (url, patience) = (self.target.url.clone(), self.options.connect_timeout);
        let way = self.options.way(self.target.credentials.clone());
        self.state = State::Dialling(Box::pin(async move { dial(&url, &way, patience).await }));
        Event::Connecting { attempt: self.attempts }
    }

    /// The connection stands.
    fn open(&mut self, stream: ByteStream) -> Event {
        let (peer, certificate) = (stream.peer(), stream.certificate());
        self.target.seed = entropy::seed();
        self.playing = false;
        if let Some(place) = &self.place {
            place.dialled();
        }
        let connection = Connection::new(stream, self.target.clone(), self.options.clone());
        self.state = State::Open(Box::new(connection));
        Event::Connected { peer, certificate }
    }

    /// There is no connection any more: waits, goes elsewhere, or gives up. `silent`: how media would have come, and
    /// none did.
    fn closed(&mut self, error: Error, silent: Option<Lower>) -> Option<Event> {
        if self.stopping.take().is_some() {
            self.state = State::Over;
            return None;
        }
        if let Some(retry_in) = self.pass_over(silent) {
            return Some(Event::Disconnected { error, retry_in: Some(retry_in) });
        }
        let refused = error.is_refusal();
        tracing::debug!(url = %self.target.url, code = %error.code(), %error, "no connection");
        // Where a redirection led may be gone: begin again at the address that was given.
        self.target = self.options.session(&self.url, self.passed);
        self.redirects = 0;
        let retry_in = match (self.options.backoff, &self.place) {
            (Some(_), Some(place)) => Some(
                place.failed(kind(&error, u32::try_from(self.stats.session.refusals).unwrap_or(u32::MAX))),
            ),
            (backoff, _) => backoff.map(|b| b.wait(self.attempts.max(1), refused, entropy::fraction())),
        };
        self.state = match retry_in {
            // The next one is taken with the new ones.
            Some(_) if self.place.is_some() && std::mem::take(&mut self.stale) => {
                self.place = None;
                State::New
            }
            Some(_) if self.place.is_some() => State::Permission,
            Some(wait) => State::Waiting(Box::pin(tokio::time::sleep(wait))),
            None => State::Over,
        };
        Some(Event::Disconnected { error, retry_in })
    }

    /// After a silent transport the next one has its turn, at once; after the last, the first again.
    fn pass_over(&mut self, silent: Option<Lower>) -> Option<Duration> {
        let left = self.options.transports(self.passed);
        let at = left.iter().position(|lower| Some(*lower) == silent)?;
        if at + 1 == left.len() {
            self.passed = 0;
            return None;
        }
        self.passed += at + 1;
        self.target.transports = self.options.transports(self.passed);
        self.state = State::Waiting(Box::pin(tokio::time::sleep_until(Instant::now())));
        Some(Duration::ZERO)
    }

    /// The connection has ended; `error` is the socket's part in it.
    fn ended(&mut self, error: Option<Error>, silent: Option<Lower>) -> Option<Event> {
        let failed = self.failed.take();
        let Some(to) = self.redirected.take() else {
            return self.closed(failed.or(error).unwrap_or(Kind::Ended.into()), silent);
        };
        self.redirects += 1;
        if self.redirects > self.options.redirects {
            return self.closed(Kind::Redirects.into(), None);
        }
        self.target = self.target.redirected(to.clone(), entropy::seed());
        self.attempts = 0;
        self.state = match &self.place {
            Some(place) => {
                place.moved();
                State::Permission
            }
            None => State::Waiting(Box::pin(tokio::time::sleep_until(Instant::now()))),
        };
        Some(Event::Redirected(to))
    }

    /// A picture came.
    fn plays(&mut self) {
        if let Some(place) = self.place.as_ref().filter(|_| !std::mem::replace(&mut self.playing, true)) {
            place.playing();
        }
        self.attempts = 0;
    }

    /// What of the machine's output is for the caller.
    fn translate(&mut self, output: IngestOutput, silent: bool) -> Option<Event> {
        match output {
            IngestOutput::AccessUnit(unit) => {
                self.plays();
                Some(Event::AccessUnit(unit))
            }
            IngestOutput::Picture(unit) => {
                self.plays();
                Some(Event::Picture(unit))
            }
            IngestOutput::SenderReport { report, received } => Some(Event::SenderReport { report, received }),
            IngestOutput::Audio(unit) => Some(Event::Audio(unit)),
            IngestOutput::Document(document) => Some(Event::Document(document)),
            IngestOutput::AudioSenderReport { report, received } => {
                Some(Event::AudioSenderReport { report, received })
            }
            IngestOutput::Anchor { source, timestamp, utc } => Some(Event::Anchor { source, timestamp, utc }),
            IngestOutput::Discontinuity => Some(Event::Discontinuity),
            IngestOutput::Event(event) => match event {
                session::Event::SetUp { media, transport } => Some(Event::SetUp { media, transport }),
                session::Event::Described(presentation) => {
                    if let Some(place) = &self.place {
                        place.described();
                    }
                    Some(Event::Described(presentation))
                }
                session::Event::Playing(playing) => Some(Event::Playing(playing)),
                session::Event::Quirk(quirk) => Some(Event::Quirk(quirk)),
                session::Event::Redirected(to) => {
                    self.redirected = Some(to);
                    None
                }
                session::Event::Failed(error) => {
                    tracing::debug!(url = %self.target.url, %error, "session failed");
                    self.failed = Some(Error::session(error, silent));
                    None
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// What the governor makes of an error of a session in which so many passwords were refused.
fn kind(error: &Error, tries: u32) -> Failure {
    match error.kind {
        _ if error.is_refusal() => Failure::Refused { tries },
        Kind::Session(session::Error { kind: session::Kind::Busy(_), .. }) => Failure::Busy,
        _ if error.cause == Cause::Network => Failure::Unreachable,
        _ => Failure::Failed,
    }
}

impl Stream for Camera {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let this = self.get_mut();
        loop {
            if let Some(goodbye) = &mut this.stopping
                && goodbye.as_mut().poll(cx).is_ready()
            {
                (this.quirks, this.stats, this.health) = (this.quirks(), this.stats(), this.health());
                this.state = State::Over;
            }
            match &mut this.state {
                State::New if this.options.governor.is_some() => {
                    if this.place.is_none() && this.register().is_none() {
                        this.options.backoff = None;
                        return Poll::Ready(this.closed(Kind::Full.into(), None));
                    }
                    this.state = State::Permission;
                }
                State::Permission => {
                    if let Some(place) = &this.place {
                        ready!(place.poll(cx));
                    }
                    return Poll::Ready(Some(this.dial()));
                }
                State::New => return Poll::Ready(Some(this.dial())),
                State::Dialling(dialling) => {
                    return Poll::Ready(match ready!(dialling.as_mut().poll(cx)) {
                        Ok(stream) => Some(this.open(stream)),
                        Err(error) => this.closed(error, None),
                    });
                }
                State::Open(connection) => match ready!(connection.poll(cx)) {
                    Step::Output(output) => {
                        // Not a byte for half the time that was waited: the way is broken, not the camera.
                        let patience = this.options.response_timeout.min(this.options.media_timeout);
                        let silent = u128::from(connection.silent_for()) >= patience.as_micros() / 2;
                        if let Some(event) = this.translate(output, silent) {
                            return Poll::Ready(Some(event));
                        }
                    }
                    Step::End(error) => {
                        let silent = connection.lower().filter(|_| connection.stalled());
                        (this.quirks, this.stats, this.health) = (this.quirks(), this.stats(), this.health());
                        // Counted: the connection must not be counted once more.
                        this.state = State::Over;
                        return Poll::Ready(this.ended(error, silent));
                    }
                },
                State::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    return Poll::Ready(Some(this.dial()));
                }
                State::Over => {
                    this.place = None;
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::New => "New",
            Self::Permission => "Permission",
            Self::Dialling(_) => "Dialling",
            Self::Open(_) => "Open",
            Self::Waiting(_) => "Waiting",
            Self::Over => "Over",
        })
    }
}
