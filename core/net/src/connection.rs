//! One connection: core's ingest machine with a TCP socket under it.

use std::collections::VecDeque;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use vigie::record::{Ingest, IngestOutput};
use vigie::time::Micros;

use crate::clock::Clock;
use crate::error::{Error, Kind};

/// Bytes are read from the socket straight into the machine's receive buffer; nothing is copied here.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    ingest: Ingest,
    clock: Clock,
    /// Requests on their way out; they are small and few.
    sending: VecDeque<Bytes>,
    timer: Pin<Box<Sleep>>,
    /// When the timer is set for.
    due: Option<Micros>,
    /// When bytes last came.
    received: Micros,
    /// The camera has closed the connection.
    ended: bool,
    /// The machine has said that it is done.
    closing: bool,
}

/// What a connection has to say.
#[derive(Debug)]
pub(crate) enum Step {
    /// Of the machine; never `Send` or `Close`.
    Output(IngestOutput),
    /// Nothing more comes. `None`: the machine asked for the end, and its last events say why.
    End(Option<Error>),
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, ingest: Ingest, clock: Clock) -> Self {
        Self {
            stream,
            ingest,
            clock,
            sending: VecDeque::new(),
            timer: Box::pin(tokio::time::sleep_until(Instant::now())),
            due: None,
            received: clock.now(),
            ended: false,
            closing: false,
        }
    }

    /// The machine.
    pub(crate) const fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    /// Asks the machine to end the session in order; poll on until [`Step::End`].
    pub(crate) fn teardown(&mut self) {
        self.ingest.teardown(self.clock.now());
    }

    /// Microseconds since the last byte came.
    pub(crate) fn silent_for(&self) -> u64 {
        self.clock.now().since(self.received)
    }

    /// Drives the machine until it has something to say.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            while let Some(output) = self.ingest.poll_output() {
                match output {
                    IngestOutput::Send(bytes) => self.sending.push_back(bytes),
                    IngestOutput::Close => self.closing = true,
                    output => return Poll::Ready(Step::Output(output)),
                }
            }
            match self.poll_send(cx) {
                // The machine has said all that it has to say about its end; a peer that takes nothing is not waited for.
                _ if self.closing || self.ended => return Poll::Ready(Step::End(None)),
                Poll::Ready(Err(error)) => return Poll::Ready(Step::End(Some(broken(&error)))),
                _ => {}
            }
            let timed = self.poll_timer(cx).is_ready();
            match self.poll_receive(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Step::End(Some(broken(&error)))),
                Poll::Pending if timed => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Ready when everything is sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.sending.front_mut() {
            let n = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            bytes.advance(n);
            if bytes.is_empty() {
                self.sending.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when the machine's time had come and it was told.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let due = self.ingest.poll_timeout();
        let Some(at) = due else {
            self.due = None;
            return Poll::Pending;
        };
        if self.due != due {
            self.due = due;
            self.timer.as_mut().reset(self.clock.instant(at));
        }
        ready!(self.timer.as_mut().poll(cx));
        // A timer may fire a little early by the clock's rounding; the machine must not be asked in vain for ever.
        let now = self.clock.now().max(at);
        self.due = None;
        self.ingest.handle_timeout(now);
        Poll::Ready(())
    }

    /// Ready when bytes came, or the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = ReadBuf::new(self.ingest.receive_buffer());
        // The machine gives room whenever it was drained. Without any, a read of nothing would look like the end.
        if buffer.capacity() == 0 {
            return Poll::Pending;
        }
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let n = buffer.filled().len();
        let now = self.clock.now();
        if n == 0 {
            self.ingest.handle_closed(now);
            self.ended = true;
        } else {
            self.received = now;
            self.ingest.handle_received(now, n);
        }
        Poll::Ready(Ok(()))
    }
}

fn broken(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::WriteZero
        | io::ErrorKind::TimedOut => Kind::Broken.into(),
        kind => Kind::Socket(kind).into(),
    }
}
