//! A camera's connection, and a record of it.

use vigie::limits::Limits;
use vigie::record::capture::{Replay, Writer};
use vigie::record::{Ingest, IngestOutput};
use vigie::rtsp::Message;
use vigie::session::{Event, Phase};
use vigie::time::{Micros, UtcMicros};

use crate::split::config;
use crate::tape::Tape;
use crate::wire;

/// Outputs that a call may have beside one for each byte that came so far.
const MOST: usize = 64;

struct Run {
    ingest: Ingest,
    writer: Writer,
    now: Micros,
    /// Numbers of requests that were sent and not answered, with their methods.
    asked: Vec<(usize, String)>,
    /// Media that ports are wanted for.
    bind: Vec<usize>,
    closed: bool,
    /// Outputs that what came so far explains.
    allowed: usize,
}

/// Bytes, answers, datagrams, time, pause, play, teardown, the end of the connection, in any order: never a panic; always an
/// end, after which nothing comes; never more outputs than what went in explains; and a capture of it is had again.
pub(crate) fn session_ops(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let (options, description) = (tape.u8(), tape.u8());
    let config = config(options);
    let mut writer = Writer::new(&Limits::default(), false);
    writer.open(Micros(0), UtcMicros(0), 1, &config);
    let ingest = Ingest::new(config, Micros(0));
    let mut run =
        Run { ingest, writer, now: Micros(0), asked: vec![], bind: vec![], closed: false, allowed: 0 };
    run.drain(0);
    // A part of the lists begins where media flow.
    if options & 0x80 != 0 {
        run.receive(&wire::answers(description.into()));
    }
    while !tape.is_empty() && !run.closed {
        run.step(&mut tape, description);
    }
    run.end();
    run.writer.finish(run.now);
    let captured = run.writer.take();
    let mut replay = Replay::new(&Limits::default());
    replay.push(&captured);
    replay.finish();
    while replay.pull().expect("our own capture").is_some() {}
    // `play` and `pause` are no part of a recorder's session: a capture does not know them.
    if !run.asked.iter().any(|(_, method)| method == "pause or play") {
        assert_eq!(replay.summary().same(), Some(true));
    }
}

impl Run {
    fn step(&mut self, tape: &mut Tape<'_>, description: u8) {
        let op = tape.u8();
        match op % 16 {
            0 | 1 => self.receive(tape.chunk()),
            2..=5 => {
                let answer = self.answer(tape, description);
                self.receive(&answer);
            }
            6 | 7 => {
                // A packet on a channel, whose head is likely.
                let channel = tape.u8() & 3;
                let body = tape.chunk();
                let mut packet = vec![b'$', channel];
                packet.extend_from_slice(&(body.len() as u16).to_be_bytes());
                packet.extend_from_slice(body);
                self.receive(&packet);
            }
            8 => {
                let (media, rtcp, bytes) = (usize::from(op >> 6), op & 0x20 != 0, tape.chunk());
                self.writer.datagram(self.now, media, rtcp, bytes);
                self.ingest.handle_datagram(self.now, media, rtcp, bytes);
                self.drain(bytes.len());
            }
            9 => self.wait(u64::from(tape.u16()) * 1_000),
            10 => self.wait(0),
            11 => {
                if let Some(media) = self.bind.pop() {
                    if op & 0x80 == 0 {
                        self.writer.bound(self.now, media, (6_970, 6_971));
                        self.ingest.bound(self.now, media, 6_970, 6_971);
                    } else {
                        self.writer.not_bound(self.now, media);
                        self.ingest.not_bound(self.now, media);
                    }
                    self.drain(0);
                }
            }
            12 | 13 => {
                let done = if op % 16 == 12 {
                    self.ingest.pause(self.now)
                } else {
                    self.ingest.play(self.now, None)
                };
                if done {
                    self.asked.push((usize::MAX, "pause or play".into()));
                }
                self.drain(0);
            }
            14 => {
                self.writer.teardown(self.now);
                self.ingest.teardown(self.now);
                self.drain(0);
            }
            _ => {
                self.writer.closed(self.now);
                self.ingest.handle_closed(self.now);
                self.drain(0);
                assert!(self.closed, "closed by the peer");
            }
        }
    }

    /// To the oldest request, or to another.
    fn answer(&mut self, tape: &mut Tape<'_>, description: u8) -> Vec<u8> {
        let (how, at) = (tape.u8(), self.asked.iter().position(|(cseq, _)| *cseq != usize::MAX));
        let (cseq, method) = at.map_or((usize::from(how), String::new()), |at| self.asked.remove(at));
        let n = usize::from(description) + usize::from(how & 1);
        let sdp = wire::DESCRIPTIONS[n % wire::DESCRIPTIONS.len()];
        let nonce = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
        match how >> 4 {
            0 => format!("RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\n{nonce}\r\n").into_bytes(),
            1 => format!("RTSP/1.0 {} Status\r\nCSeq: {cseq}\r\n\r\n", 200 + u16::from(tape.u8()) * 2)
                .into_bytes(),
            2 => wire::reply(cseq, &tape.text(), ""),
            3 => wire::reply(cseq, "Content-Type: application/sdp\r\n", &tape.text()),
            _ if method == "DESCRIBE" => wire::reply(cseq, "Content-Type: application/sdp\r\n", sdp),
            _ if method == "SETUP" => {
                let (rtp, udp) = (how & 2, how & 4 != 0);
                let way = if udp {
                    "RTP/AVP;unicast;client_port=6970-6971;server_port=5000-5001".to_owned()
                } else {
                    format!("RTP/AVP/TCP;unicast;interleaved={rtp}-{}", rtp + 1)
                };
                wire::reply(cseq, &format!("Session: 1;timeout=5\r\nTransport: {way}\r\n"), "")
            }
            _ => wire::reply(
                cseq,
                "Session: 1\r\nRange: npt=0-\r\nRTP-Info: url=track1;seq=9;rtptime=8\r\n",
                "",
            ),
        }
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.closed {
            let taken = self.ingest.handle_input(self.now, bytes);
            if taken > 0 {
                self.writer.received(self.now, &bytes[..taken]);
            }
            bytes = &bytes[taken..];
            self.drain(taken);
            assert!(taken > 0 || self.closed, "the buffer is full and gives nothing");
        }
    }

    /// To the next moment at which something is due, and so much longer.
    fn wait(&mut self, micros: u64) {
        let due = self.ingest.poll_timeout().unwrap_or(self.now);
        self.now = Micros(self.now.0.max(due.0)).plus(micros);
        self.writer.timeout(self.now);
        self.ingest.handle_timeout(self.now);
        self.drain(0);
    }

    fn drain(&mut self, bytes: usize) {
        self.allowed += MOST + bytes;
        while let Some(output) = self.ingest.poll_output() {
            assert!(self.allowed > 0, "more outputs than what came explains");
            self.allowed -= 1;
            self.writer.output(&output);
            assert!(!self.closed, "{output:?} after the end");
            match output {
                IngestOutput::Send(bytes) => {
                    self.writer.sent(self.now, &bytes);
                    match Message::parse(&bytes, Default::default()) {
                        Ok(Message::Request(request)) => {
                            let cseq = request.headers.cseq().expect("its number") as usize;
                            self.asked.push((cseq, request.method.to_string()));
                        }
                        Ok(Message::Response(_)) => {}
                        Err(error) => assert!(bytes.starts_with(b"$"), "{error}: {bytes:?}"),
                    }
                }
                IngestOutput::AccessUnit(unit) => crate::depacket::check(&unit, &Limits::default()),
                IngestOutput::Event(Event::Bind { media }) => self.bind.push(media),
                IngestOutput::Close => self.closed = true,
                _ => {}
            }
        }
        self.writer.drained();
        assert_eq!(self.closed, self.ingest.session().phase() == Phase::Closed);
        for _ in 0..3 {
            // What was due before the end may be told so once.
            let Some(due) = self.ingest.poll_timeout().filter(|_| self.closed) else { return };
            self.ingest.handle_timeout(due);
            assert!(self.ingest.poll_output().is_none(), "something after the end");
        }
        panic!("something is always due after the end");
    }

    /// Whatever it was at: torn down, it ends by itself.
    fn end(&mut self) {
        if self.closed {
            return;
        }
        self.writer.teardown(self.now);
        self.ingest.teardown(self.now);
        self.drain(0);
        for _ in 0..8 {
            if self.closed {
                return;
            }
            assert!(
                self.ingest.poll_timeout().is_some(),
                "waits for ever in {:?}",
                self.ingest.session().phase()
            );
            self.wait(0);
        }
        assert!(self.closed, "goes on {:?} after its teardown", self.ingest.session().phase());
    }
}
