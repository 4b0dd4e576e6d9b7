//! One connection to a camera with quirks.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, timeout};
use vigie::packetize::Packetizer;
use vigie::rtsp::Status;
use vigie::server::{Connection, Event, Output};
use vigie_net::Clock;

use super::answer::{Answer, Asked, Verdict};
use super::packet::{Item, Shot};
use super::udp::Datagrams;
use super::{Act, Memory, sdp};
use crate::simulator::feed::{Camera, Outage, PAYLOAD_TYPE, Sent};
use crate::simulator::service::{STUCK, Service, at, changed, next};

/// Bytes of a request that is waited for.
const LONGEST_REQUEST: usize = 64 << 10;

/// Bytes of one RTP packet, where no profile says otherwise.
const MTU: usize = 1_400;

/// One connection, and the honest server behind it.
pub(crate) struct Actor<S> {
    service: Arc<Service>,
    stream: S,
    acts: Vec<Act>,
    memory: Memory,
    connection: Connection,
    clock: Clock,
    camera: Option<Arc<Camera>>,
    outage: Option<watch::Receiver<Outage>>,
    sent: Option<broadcast::Receiver<Sent>>,
    packetizer: Option<Packetizer>,
    /// Who it is, and where its datagrams go, if it asked for some.
    peer: IpAddr,
    datagrams: Option<Datagrams>,
    /// A key picture went out.
    begun: bool,
    /// Bytes of the client that make no whole request yet.
    input: Vec<u8>,
    /// Requests that the honest server has yet to answer.
    asked: VecDeque<Asked>,
    /// On its way to the client.
    out: Vec<u8>,
    /// PLAY's answer, which goes out after the first picture.
    held: Option<Vec<u8>>,
    /// When the session is over, if nothing is asked.
    timeout: Option<Duration>,
    heard: Instant,
    closing: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Actor<S> {
    pub(crate) fn new(service: Arc<Service>, stream: S, peer: IpAddr) -> Self {
        let clock = Clock::start();
        let acts: Vec<Act> = service.profiles.iter().flat_map(|profile| profile.acts).copied().collect();
        let mut config = service.server();
        let mut timeout = None;
        for act in &acts {
            match act {
                Act::Server(change) => config = change(config),
                Act::Timeout(span) => {
                    timeout = Some(*span);
                    config = config.session_timeout(u32::try_from(span.as_secs()).unwrap_or(60));
                }
                _ => {}
            }
        }
        let memory = Memory::new(service.viewers.fetch_add(1, Relaxed) + 1);
        Self {
            connection: Connection::new(config, clock.now()),
            service,
            stream,
            acts,
            memory,
            clock,
            camera: None,
            outage: None,
            sent: None,
            packetizer: None,
            peer,
            datagrams: None,
            begun: false,
            input: Vec::new(),
            asked: VecDeque::new(),
            out: Vec::new(),
            held: None,
            timeout,
            heard: Instant::now(),
            closing: false,
        }
    }

    /// Serves until either side has had enough.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        let served = self.serve().await;
        self.service.viewers.fetch_sub(1, Relaxed);
        served
    }

    async fn serve(&mut self) -> io::Result<()> {
        loop {
            self.drain();
            if !self.out.is_empty() {
                let out = std::mem::take(&mut self.out);
                let write = timeout(STUCK, self.stream.write_all(&out));
                write.await.map_err(|_| io::ErrorKind::TimedOut)??;
            }
            if self.closing || self.outage.as_ref().is_some_and(|o| *o.borrow() == Outage::Off) {
                return self.stream.shutdown().await;
            }
            self.wait().await?;
        }
    }

    async fn wait(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4_096];
        let over = self.timeout.filter(|_| self.memory.playing).map(|span| self.heard + span);
        tokio::select! {
            n = self.stream.read(&mut buffer) => match n? {
                0 => self.closing = true,
                n => {
                    self.input.extend(buffer.get(..n).unwrap_or_default());
                    self.closing |= self.input.len() > LONGEST_REQUEST;
                    self.requests();
                }
            },
            picture = next(&mut self.sent) => match picture {
                Ok(sent) => self.picture(&sent),
                Err(broadcast::error::RecvError::Lagged(_)) => self.begun = false,
                Err(broadcast::error::RecvError::Closed) => self.closing = true,
            },
            () = at(over) => self.closing = true,
            () = changed(&mut self.outage) => {}
        }
        Ok(())
    }

    /// Takes whole requests out of the input. What a client sends between them (RTCP) goes unread.
    fn requests(&mut self) {
        loop {
            if let [b'$', _, high, low, ..] = *self.input.as_slice() {
                let length = 4 + usize::from(u16::from_be_bytes([high, low]));
                if self.input.len() < length {
                    return;
                }
                self.input.drain(..length);
                continue;
            }
            let Some((asked, length)) = Asked::parse(&self.input) else { return };
            self.input.drain(..length);
            self.request(asked);
            self.drain();
        }
    }

    fn request(&mut self, mut asked: Asked) {
        let memory = &mut self.memory;
        memory.requests += 1;
        memory.describes += u32::from(asked.method == "DESCRIBE");
        asked.keep_alive = memory.playing && asked.may_keep_alive();
        memory.keep_alives += u32::from(asked.keep_alive);
        for act in &self.acts {
            let Act::Request(judge) = act else { continue };
            match judge(&mut asked, memory) {
                Verdict::Pass => {}
                Verdict::Ignore => return self.remember(&asked),
                Verdict::Close => {
                    self.closing = true;
                    return;
                }
                Verdict::Say(mut answer) => {
                    answer.write(&mut self.out, self.memory.channels);
                    return self.remember(&asked);
                }
            }
        }
        if asked.method == "SETUP" {
            self.datagrams = Datagrams::asked(&mut asked, self.peer);
        }
        let bytes = asked.to_bytes();
        self.remember(&asked);
        self.asked.push_back(asked);
        let _ = self.connection.handle_input(self.clock.now(), &bytes);
    }

    fn remember(&mut self, asked: &Asked) {
        self.memory.previous_cseq = asked.field("CSeq").unwrap_or_default().to_owned();
    }

    /// Takes what the honest server has to say.
    fn drain(&mut self) {
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send(bytes) => self.response(&bytes),
                Output::Event(event) => self.event(event),
                Output::Close => self.closing = true,
                _ => {}
            }
        }
    }

    fn response(&mut self, bytes: &[u8]) {
        let (Some(mut answer), Some(asked)) = (Answer::parse(bytes), self.asked.pop_front()) else { return };
        let good = answer.is_success();
        if good && asked.counts {
            self.heard = Instant::now();
        }
        if let Some(datagrams) = self.datagrams.as_ref().filter(|_| good && asked.method == "SETUP") {
            datagrams.answer(&mut answer);
        }
        for act in &self.acts {
            match act {
                Act::Sdp(change) if good && asked.method == "DESCRIBE" => {
                    answer.body = sdp::Text::changed(&answer.body, *change);
                }
                Act::Answer(change) => change(&asked, &mut answer, &mut self.memory),
                Act::On(method, change) if good && asked.method == *method => {
                    change(&asked, &mut answer, &mut self.memory);
                }
                _ => {}
            }
        }
        if answer.held {
            let mut held = Vec::new();
            answer.write(&mut held, self.memory.channels);
            self.held = Some(held);
        } else {
            answer.write(&mut self.out, self.memory.channels);
        }
        self.closing |= answer.last;
    }

    fn event(&mut self, event: Event) {
        let answered = match event {
            Event::Describe { request, url, .. } => match self.find(url.path()) {
                Some(camera) => self.connection.describe(request, camera.description().to_string()),
                None => self.connection.refuse(request, Status::NOT_FOUND),
            },
            Event::Play { request, url, .. } => match self.find(url.path()) {
                Some(camera) => {
                    self.sent = Some(camera.watch());
                    self.begun = false;
                    self.memory.playing = true;
                    self.connection.accept_play(request, None, &[])
                }
                None => self.connection.refuse(request, Status::NOT_FOUND),
            },
            Event::Pause | Event::Teardown => {
                self.sent = None;
                self.memory.playing = false;
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "answer");
        }
    }

    /// The camera of this path, from now on this connection's.
    fn find(&mut self, path: &str) -> Option<Arc<Camera>> {
        let camera = Arc::clone(self.service.camera(path)?);
        self.outage = Some(camera.outage.subscribe());
        self.memory.h265 = camera.clip.codec == vigie::codec::Codec::H265;
        self.memory.ssrc = camera.ssrc();
        self.memory.step = camera.ticks();
        if self.packetizer.is_none() {
            let mtu =
                self.acts.iter().find_map(|act| if let Act::Mtu(mtu) = act { Some(*mtu) } else { None });
            let first = self.memory.ssrc as u16;
            let packetizer =
                Packetizer::new(camera.clip.codec, self.memory.ssrc, PAYLOAD_TYPE, first, mtu.unwrap_or(MTU));
            let aggregate = self.acts.iter().any(|act| matches!(act, Act::Aggregate));
            self.packetizer = Some(packetizer.aggregate(aggregate));
        }
        self.camera = Some(Arc::clone(&camera));
        Some(camera)
    }

    fn picture(&mut self, sent: &Sent) {
        let (Some(camera), Some(packetizer)) = (&self.camera, &mut self.packetizer) else { return };
        if self.memory.mute || !self.begun && !sent.key {
            return;
        }
        self.begun = true;
        let memory = &mut self.memory;
        memory.damaged = false;
        let mut items = Vec::new();
        if sent.key {
            let mut report = vec![Item::Rtcp(camera.sender_report())];
            for act in &self.acts {
                if let Act::Report(change) = act {
                    change(&mut report, memory);
                }
            }
            memory.reports += 1;
            items = report;
        }
        let mut shot = Shot::new(&sent.unit, sent.timestamp, sent.key);
        for act in &self.acts {
            if let Act::Shot(change) = act {
                change(&mut shot, memory);
            }
        }
        let mut packets = shot.packets(packetizer);
        for act in &self.acts {
            if let Act::Packets(change) = act {
                change(&mut packets, memory);
            }
        }
        items.append(&mut packets);
        match &self.datagrams {
            Some(datagrams) => items.iter().for_each(|item| datagrams.send(item)),
            None => items.iter().for_each(|item| item.frame(memory.channels, &mut self.out)),
        }
        self.out.extend(self.held.take().unwrap_or_default());
        if !memory.damaged {
            // What a profile spoils is not asked for.
            camera.delivered.push(sent.shown);
        }
        memory.picture += 1;
        self.closing |= self.service.pictures.is_some_and(|most| memory.picture >= most);
    }
}

impl Memory {
    fn new(viewers: usize) -> Self {
        Self {
            picture: 0,
            reports: 0,
            h265: false,
            ssrc: 0,
            channels: (0, 1),
            step: 3_600,
            playing: false,
            requests: 0,
            describes: 0,
            keep_alives: 0,
            previous_cseq: "0".to_owned(),
            next_sequence: 0,
            viewers,
            mute: false,
            damaged: false,
            note: 0,
            kept: Vec::new(),
        }
    }
}
