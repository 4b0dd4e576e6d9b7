//! One connection: core's ingest machine with a stream of bytes, and perhaps datagrams, under it.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::time::{Instant, Sleep};
use vigie::record::{Ingest, IngestOutput};
use vigie::session::{self, Agreed, Lower, Phase};
use vigie::time::Micros;

use crate::error::Error;
use crate::options::Options;
use crate::stream::ByteStream;
use crate::tap::{TapEvent, Tapped};
use crate::tls::failure;
use crate::udp::{Group, Sockets, Unicast};

/// Datagrams that are taken after the connection has ended: what receive buffers of some megabytes hold.
const MOST_WAITING: usize = 4_096;

/// Receive buffers that no connection of this thread is using.
mod shared {
    use std::cell::RefCell;

    /// A connection that is held back keeps its own meanwhile: of more than these few the memory goes back.
    const MOST: usize = 4;

    thread_local! {
        static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take() -> Option<Vec<u8>> {
        FREE.with_borrow_mut(Vec::pop)
    }

    pub(super) fn put(buffer: Vec<u8>) {
        FREE.with_borrow_mut(|free| {
            if free.len() < MOST {
                free.push(buffer);
            }
        });
    }
}

/// Bytes are read from the socket straight into the machine's receive buffer; nothing is copied here.
#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    stream: ByteStream,
    datagrams: Sockets,
    ingest: Ingest,
    options: Options,
    /// Requests on their way out; they are small and few.
    sending: VecDeque<Bytes>,
    /// Written, and perhaps not yet sent.
    unflushed: bool,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires, if it is set.
    set: Option<Micros>,
    /// The stream is read so often only.
    paced: Option<Duration>,
    /// When bytes last came.
    received: Micros,
    /// How media travels, once that was agreed.
    lower: Option<Lower>,
    /// PLAY was answered.
    playing: bool,
    /// The camera has closed the connection.
    ended: bool,
    /// The machine has said that it is done.
    closing: bool,
}

/// What a connection has to say.
#[derive(Debug)]
pub(crate) enum Step {
    /// Of the machine; never `Send`, `Datagram` or `Close`.
    Output(IngestOutput),
    /// Nothing more comes. `None`: the machine asked for the end, and its last events say why.
    End(Option<Error>),
}

impl Connection {
    pub(crate) fn new(stream: ByteStream, config: session::Config, options: Options) -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
        let id = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let now = options.clock.now();
        if let Some(tap) = &options.tap {
            let (peer, utc) = (stream.peer(), options.clock.utc());
            tap.tap(TapEvent { connection: id, now, what: Tapped::Open { config: &config, peer, utc } });
        }
        Self {
            id,
            stream,
            datagrams: Sockets::default(),
            ingest: Ingest::new(config, now),
            sending: VecDeque::new(),
            unflushed: false,
            timer: Box::pin(tokio::time::sleep_until(Instant::now())),
            set: None,
            paced: None,
            received: now,
            lower: None,
            playing: false,
            ended: false,
            closing: false,
            options,
        }
    }

    /// The machine.
    pub(crate) const fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    /// How media travels, or would.
    pub(crate) const fn lower(&self) -> Option<Lower> {
        self.lower
    }

    /// Was everything in order, and no media came?
    pub(crate) fn stalled(&self) -> bool {
        self.playing && self.ingest.stats().session.rtp_packets == 0
    }

    /// Asks the machine to end the session in order; poll on until [`Step::End`].
    pub(crate) fn teardown(&mut self) {
        let now = self.options.clock.now();
        self.tap(now, Tapped::Teardown);
        self.ingest.teardown(now);
    }

    /// [`Options::read_delay`], from the next poll on.
    pub(crate) const fn set_read_delay(&mut self, delay: Duration) {
        self.options.read_delay = delay;
    }

    /// Microseconds since the last byte came.
    pub(crate) fn silent_for(&self) -> u64 {
        self.options.clock.now().since(self.received)
    }

    fn tap(&self, now: Micros, what: Tapped<'_>) {
        if let Some(tap) = &self.options.tap {
            tap.tap(TapEvent { connection: self.id, now, what });
        }
    }

    /// Drives the machine until it has something to say.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            while let Some(output) = self.ingest.poll_output() {
                if let Some(output) = self.minded(output) {
                    return Poll::Ready(Step::Output(output));
                }
            }
            if self.options.tap.is_some() {
                self.tap(self.options.clock.now(), Tapped::Drained);
            }
            match self.poll_send(cx) {
                // The machine has said all that it has to say about its end; a peer that takes nothing is not waited for.
                _ if self.closing || self.ended => {
                    let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
                    return Poll::Ready(self.end(None));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(self.end(Some(failure(&error).into()))),
                _ => {}
            }
            let mut progress = self.poll_timer(cx).is_ready();
            progress |= self.poll_datagram(cx).is_ready();
            match self.poll_receive(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(self.end(Some(failure(&error).into()))),
                Poll::Pending if progress => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn end(&self, error: Option<Error>) -> Step {
        self.tap(self.options.clock.now(), Tapped::End { error });
        Step::End(error)
    }

    /// Does what of the machine's output is for the sockets, and gives the rest.
    fn minded(&mut self, output: IngestOutput) -> Option<IngestOutput> {
        if self.options.tap.is_some()
            && !matches!(output, IngestOutput::Send(_) | IngestOutput::Datagram { .. })
        {
            self.tap(self.options.clock.now(), Tapped::Output { output: &output });
        }
        match output {
            IngestOutput::Send(bytes) => {
                self.tap(self.options.clock.now(), Tapped::Sent { bytes: &bytes });
                self.sending.push_back(bytes);
            }
            IngestOutput::Datagram { media, rtcp, bytes } => {
                let what = Tapped::SentDatagram { media, rtcp, bytes: &bytes };
                self.tap(self.options.clock.now(), what);
                self.datagrams.send(media, rtcp, &bytes);
            }
            IngestOutput::Close => self.closing = true,
            IngestOutput::Event(session::Event::Bind { media }) => self.bind(media),
            IngestOutput::Event(session::Event::SetUp { media, transport }) => {
                self.agreed(media, &transport);
                return Some(IngestOutput::Event(session::Event::SetUp { media, transport }));
            }
            output => {
                self.playing |= matches!(output, IngestOutput::Event(session::Event::Playing(_)));
                return Some(output);
            }
        }
        None
    }

    fn bind(&mut self, media: usize) {
        let bound = self.datagrams.bind(media, self.stream.local(), self.options.udp_ports.as_ref());
        let now = self.options.clock.now();
        match bound {
            Ok(ports) => {
                self.tap(now, Tapped::Bound { media, ports });
                self.ingest.bound(now, media, ports.0, ports.1);
            }
            Err(error) => {
                tracing::warn!(peer = %self.stream.peer(), %error, "no UDP ports for a camera");
                self.tap(now, Tapped::NotBound { media });
                self.ingest.not_bound(now, media);
            }
        }
    }

    fn agreed(&mut self, media: usize, agreed: &Agreed) {
        self.lower = Some(agreed.lower());
        match agreed {
            Agreed::Udp { server, ports } => {
                let peer = self.stream.peer().ip().to_canonical();
                // A name is not looked up: few cameras write one, and it is the dialled one's.
                let source = server.as_deref().and_then(|s| s.parse::<IpAddr>().ok());
                let source = source.filter(|source| !source.is_unspecified() && !source.is_multicast());
                self.datagrams.agree(media, &Unicast { peer, source, ports: *ports });
            }
            Agreed::Multicast { group, ports, ttl, source } => {
                let (local, interface) = (self.stream.local(), self.options.multicast_interface);
                let (group, ports, ttl, source) = (*group, *ports, *ttl, *source);
                let joined =
                    self.datagrams.join(media, &Group { group, ports, ttl, source, local, interface });
                if let Err(error) = joined {
                    // Nothing will come, which the machine notices by itself.
                    tracing::warn!(peer = %self.stream.peer(), %group, %error, "the group cannot be joined");
                }
            }
            _ => {}
        }
    }

    /// Ready when everything is sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.sending.front_mut() {
            let n = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            bytes.advance(n);
            if bytes.is_empty() {
                self.sending.pop_front();
            }
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the machine's time had come and it was told.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.ingest.poll_timeout() else { return Poll::Pending };
        loop {
            // With every picture the silence that is too long is put off: a timer that fires too early is cheaper than one
            // that is set anew each time.
            if self.set.is_none_or(|set| at < set) {
                self.timer.as_mut().reset(self.options.clock.instant(at));
                self.set = Some(at);
            }
            ready!(self.timer.as_mut().poll(cx));
            if self.set.take().is_some_and(|set| set >= at) {
                break;
            }
        }
        // A timer may fire a little early by the clock's rounding; the machine must not be asked in vain for ever.
        let now = self.options.clock.now().max(at);
        self.tap(now, Tapped::Timeout);
        self.ingest.handle_timeout(now);
        Poll::Ready(())
    }

    /// Ready when a datagram came.
    fn poll_datagram(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let came = ready!(self.datagrams.poll_receive(cx));
        let now = self.options.clock.now();
        let bytes = self.datagrams.bytes(came);
        self.tap(now, Tapped::Datagram { media: came.media, rtcp: came.rtcp, bytes });
        self.received = now;
        self.ingest.handle_datagram(now, came.media, came.rtcp, bytes);
        Poll::Ready(())
    }

    /// The end is near: takes the datagrams that came before it and were not read yet.
    fn take_waiting(&mut self, cx: &mut Context<'_>) {
        for _ in 0..MOST_WAITING {
            // A turn of the runtime has a budget of reads; this may be the last turn.
            let next = std::future::poll_fn(|cx| self.poll_datagram(cx));
            if Pin::new(&mut tokio::task::coop::unconstrained(next)).poll(cx).is_pending() {
                return;
            }
        }
    }

    /// Ready when bytes came, or the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pace()?;
        if self.paced.is_some()
            && let Some(buffer) = shared::take()
            && let Some(buffer) = self.ingest.borrow_buffer(buffer)
        {
            shared::put(buffer);
        }
        let received = self.poll_bytes(cx);
        if received.is_pending()
            && self.paced.is_some()
            && let Some(buffer) = self.ingest.lend_buffer()
        {
            shared::put(buffer);
        }
        received
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = ReadBuf::new(self.ingest.receive_buffer());
        // The machine gives room whenever it was drained. Without any, a read of nothing would look like the end.
        if buffer.capacity() == 0 {
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let n = buffer.filled().len();
        if n == 0 || self.ingest.session().phase() == Phase::Teardown {
            // TEARDOWN's answer may be among the bytes.
            self.take_waiting(cx);
        }
        let now = self.options.clock.now();
        if n == 0 {
            self.tap(now, Tapped::Closed);
            self.ingest.handle_closed(now);
            self.ended = true;
        } else {
            if let Some(tap) = &self.options.tap {
                let bytes = self.ingest.receive_buffer().get(..n).unwrap_or_default();
                tap.tap(TapEvent { connection: self.id, now, what: Tapped::Received { bytes } });
            }
            self.received = now;
            self.ingest.handle_received(now, n);
        }
        Poll::Ready(Ok(()))
    }

    /// Answers are awaited; pictures have time.
    fn pace(&mut self) -> io::Result<()> {
        let delay = self.options.read_delay;
        // Datagrams have sockets of their own: there the connection carries answers only.
        let playing = self.lower == Some(Lower::Tcp) && self.ingest.session().phase() == Phase::Playing;
        let paced = Some(delay).filter(|delay| playing && !delay.is_zero());
        if paced != self.paced {
            self.paced = paced;
            self.stream.pace(paced)?;
        }
        Ok(())
    }
}
