//! A camera as a stream of events.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use vigie::fault::{Fault as _, Quirks};
use vigie::limits::Limits;
use vigie::record::{Ingest, IngestOutput, IngestStats};
use vigie::rtsp::{Credentials, Scheme, Url};
use vigie::session;

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::connection::{Connection, Step};
use crate::dial::dial;
use crate::entropy;
use crate::error::{Error, Kind};
use crate::event::Event;

/// How long [`Camera::stop`] waits for the camera's goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// How to connect to a camera. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// User and password.
    pub credentials: Option<Credentials>,
    /// Waits between attempts; `None`: one attempt, and the stream ends with the connection.
    pub backoff: Option<Backoff>,
    /// For name and connection, all addresses of the name together.
    pub connect_timeout: Duration,
    /// For the answer to each request.
    pub response_timeout: Duration,
    /// Without a picture, after which the connection is given up.
    pub media_timeout: Duration,
    /// Redirections followed in a row.
    pub redirects: u32,
    /// The caps of core's machines.
    pub limits: Limits,
    /// The clock that times are told on.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            credentials: None,
            backoff: Some(Backoff::default()),
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(10),
            media_timeout: Duration::from_secs(10),
            redirects: 4,
            limits: Limits::default(),
            clock: Clock::start(),
        }
    }
}

impl Options {
    /// The default, with these credentials.
    #[must_use]
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, ..Self::default() }
    }
}

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
    redirects: u32,
    /// What the machine said last about the end of the connection.
    failed: Option<Error>,
    redirected: Option<Url>,
    /// When the goodbye is no longer waited for.
    stopping: Option<Pin<Box<Sleep>>>,
    /// Of the connections that have ended.
    quirks: Quirks,
    stats: IngestStats,
}

enum State {
    /// Before the first attempt.
    New,
    Dialling(Pin<Box<dyn Future<Output = Result<TcpStream, Error>> + Send>>),
    Open(Box<Connection>),
    Waiting(Pin<Box<Sleep>>),
    Over,
}

impl Camera {
    /// A camera at `url`. Nothing is done before the stream is polled.
    #[must_use]
    pub fn connect(url: Url, options: Options) -> Self {
        let target = target(&url, &options);
        Self {
            url,
            options,
            target,
            state: State::New,
            attempts: 0,
            redirects: 0,
            failed: None,
            redirected: None,
            stopping: None,
            quirks: Quirks::default(),
            stats: IngestStats::default(),
        }
    }

    /// The address, without user and password.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
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
        let (host, port) = (self.target.url.host().to_owned(), self.target.url.port());
        let (scheme, patience) = (self.target.url.scheme(), self.options.connect_timeout);
        tracing::debug!(url = %self.target.url, attempt = self.attempts, "connecting");
        self.state = State::Dialling(Box::pin(async move {
            if scheme != Scheme::Rtsp {
                return Err(Kind::Scheme.into());
            }
            dial(&host, port, patience).await
        }));
        Event::Connecting { attempt: self.attempts }
    }

    /// The connection stands.
    fn open(&mut self, stream: TcpStream) -> Result<Event, Error> {
        let peer = stream.peer_addr().map_err(|e| Kind::Socket(e.kind()))?;
        self.target.seed = entropy::seed();
        let ingest = Ingest::new(self.target.clone(), self.options.clock.now());
        self.state = State::Open(Box::new(Connection::new(stream, ingest, self.options.clock)));
        Ok(Event::Connected { peer })
    }

    /// There is no connection any more: waits, goes elsewhere, or gives up.
    fn closed(&mut self, error: Error) -> Option<Event> {
        if self.stopping.take().is_some() {
            self.state = State::Over;
            return None;
        }
        let refused = error.is_refusal();
        tracing::debug!(url = %self.target.url, code = %error.code(), %error, "no connection");
        // Where a redirection led may be gone: begin again at the address that was given.
        self.target = target(&self.url, &self.options);
        self.redirects = 0;
        let retry_in =
            self.options.backoff.map(|b| b.wait(self.attempts.max(1), refused, entropy::fraction()));
        self.state = match retry_in {
            Some(wait) => State::Waiting(Box::pin(tokio::time::sleep(wait))),
            None => State::Over,
        };
        Some(Event::Disconnected { error, retry_in })
    }

    /// The connection has ended; `error` is the socket's part in it.
    fn ended(&mut self, error: Option<Error>) -> Option<Event> {
        let failed = self.failed.take();
        let Some(to) = self.redirected.take() else {
            return self.closed(failed.or(error).unwrap_or(Kind::Ended.into()));
        };
        self.redirects += 1;
        if self.redirects > self.options.redirects {
            return self.closed(Kind::Redirects.into());
        }
        self.target = self.target.redirected(to.clone(), entropy::seed());
        self.attempts = 0;
        self.state = State::Waiting(Box::pin(tokio::time::sleep_until(Instant::now())));
        Some(Event::Redirected(to))
    }

    /// What of the machine's output is for the caller.
    fn translate(&mut self, output: IngestOutput, silent: bool) -> Option<Event> {
        match output {
            IngestOutput::AccessUnit(unit) => {
                self.attempts = 0;
                Some(Event::AccessUnit(unit))
            }
            IngestOutput::SenderReport { report, received } => Some(Event::SenderReport { report, received }),
            IngestOutput::Event(event) => match event {
                session::Event::Described(presentation) => Some(Event::Described(presentation)),
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

/// What the session is told, at the address that was given.
fn target(url: &Url, options: &Options) -> session::Config {
    let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
    session::Config::new(url.clone(), entropy::seed())
        .credentials(options.credentials.clone())
        .limits(options.limits)
        .response_timeout(micros(options.response_timeout))
        .media_timeout(Some(micros(options.media_timeout)))
}

impl Stream for Camera {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let this = self.get_mut();
        loop {
            if let Some(goodbye) = &mut this.stopping
                && goodbye.as_mut().poll(cx).is_ready()
            {
                (this.quirks, this.stats) = (this.quirks(), this.stats());
                this.state = State::Over;
            }
            match &mut this.state {
                State::New => return Poll::Ready(Some(this.dial())),
                State::Dialling(dialling) => {
                    let stream = ready!(dialling.as_mut().poll(cx));
                    match stream.and_then(|stream| this.open(stream)) {
                        Ok(event) => return Poll::Ready(Some(event)),
                        Err(error) => return Poll::Ready(this.closed(error)),
                    }
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
                        (this.quirks, this.stats) = (this.quirks(), this.stats());
                        // Counted: the connection must not be counted once more.
                        this.state = State::Over;
                        return Poll::Ready(this.ended(error));
                    }
                },
                State::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    return Poll::Ready(Some(this.dial()));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::New => "New",
            Self::Dialling(_) => "Dialling",
            Self::Open(_) => "Open",
            Self::Waiting(_) => "Waiting",
            Self::Over => "Over",
        })
    }
}
