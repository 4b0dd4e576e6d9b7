#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::codec::Codec;
use crate::fault::Quirk;
use crate::packetize::{Framing, Packetizer};
use crate::rtsp::Url;
use crate::sdp::Description;
use crate::server::{self, Connection};
use crate::time::NtpTime;
use alloc::string::ToString as _;
use bytes::BytesMut;

const SECOND: u64 = 1_000_000;

/// A client and our own server, back to back on one clock.
struct Pair {
    client: Ingest,
    server: Connection,
    media: Vec<Bytes>,
    got: Vec<IngestOutput>,
    now: Micros,
}

impl Pair {
    fn new(media: Vec<Bytes>) -> Self {
        let (url, _) = Url::parse("rtsp://cam/1").unwrap();
        Self {
            client: Ingest::new(Config::new(url, [1; 32]), Micros(0)),
            server: Connection::new(server::Config::new([2; 32]), Micros(0)),
            media,
            got: Vec::new(),
            now: Micros(0),
        }
    }

    /// Carries bytes to and fro, `piece` at a time, until nobody has any more to say.
    fn run(&mut self, piece: usize) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.client.poll_output() {
                quiet = false;
                match output {
                    IngestOutput::Send(bytes) => {
                        assert_eq!(self.server.handle_input(self.now, &bytes), bytes.len());
                    }
                    output => self.got.push(output),
                }
            }
            while let Some(output) = self.server.poll_output() {
                quiet = false;
                match output {
                    server::Output::Send(bytes) => self.deliver(&bytes, piece),
                    server::Output::Event(event) => self.answer(event),
                    server::Output::Close => self.client.handle_closed(self.now),
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn deliver(&mut self, bytes: &[u8], piece: usize) {
        for part in bytes.chunks(piece) {
            self.now = self.now.plus(10);
            assert_eq!(self.client.handle_input(self.now, part), part.len());
            while let Some(output) = self.client.poll_output() {
                match output {
                    IngestOutput::Send(bytes) => {
                        assert_eq!(self.server.handle_input(self.now, &bytes), bytes.len());
                    }
                    output => self.got.push(output),
                }
            }
        }
    }

    fn answer(&mut self, event: server::Event) {
        match event {
            server::Event::Describe { request, .. } => {
                let sdp = Description::live("cam").with_video(Codec::H264, 96, &[]).to_string();
                self.server.describe(request, sdp).unwrap();
            }
            server::Event::Play { request, .. } => {
                self.server.accept_play(request, None, &[]).unwrap();
                for piece in self.media.drain(..) {
                    self.server.send(piece).unwrap();
                }
            }
            _ => {}
        }
    }
}

fn pictures(count: u32) -> Vec<Bytes> {
    let mut packetizer = Packetizer::new(Codec::H264, 77, 96, 65_530, 200);
    let mut out = Vec::new();
    for n in 0..count {
        let mut unit = Vec::from([0, 0, 2, 0, 0x65, 0x88]);
        unit.resize(4 + 0x200, n as u8 | 1);
        let mut bytes = BytesMut::new();
        packetizer.packetize(&unit, n * 3_600, Framing::Interleaved(0), &mut bytes);
        out.push(bytes.freeze());
    }
    let report = rtcp::sender_compound(&packetizer.sender_report(NtpTime(1 << 63), 9_000), "cam");
    let mut framed = Vec::from([b'$', 1, 0, report.len() as u8]);
    framed.extend(report);
    out.push(framed.into());
    out
}

fn units(got: &[IngestOutput]) -> Vec<&AccessUnit> {
    got.iter()
        .filter_map(|o| if let IngestOutput::AccessUnit(unit) = o { Some(unit) } else { None })
        .collect()
}

#[test]
fn pictures_and_reports_come_through_however_the_bytes_are_cut() {
    for piece in [1, 7, 1_000, 1 << 20] {
        let mut pair = Pair::new(pictures(5));
        pair.run(piece);
        pair.client.teardown(pair.now);
        pair.run(piece);
        let units = units(&pair.got);
        assert_eq!(units.len(), 5, "pieces of {piece}");
        for (n, unit) in (0..).zip(units) {
            assert_eq!(unit.timestamp, n * 3_600);
            assert_eq!((unit.data.len(), unit.loss.packets, unit.loss.incomplete), (0x204, 0, false));
        }
        let report = |o: &IngestOutput| matches!(o, IngestOutput::SenderReport { report, .. } if report.rtp_timestamp == 9_000);
        assert!(pair.got.iter().any(report));
        let last = pair.got.iter().rev().take(2).collect::<Vec<_>>();
        assert!(matches!(last[..], [IngestOutput::Close, IngestOutput::Event(Event::Ended)]), "{last:?}");
        assert_eq!(pair.client.stats().reorder.lost, 0);
        // The pictures are made up: nothing else is odd about them.
        let quirks: Vec<Quirk> = pair.client.quirks().iter().map(|(quirk, _)| quirk).collect();
        assert_eq!(quirks, [Quirk::MissingParameterSet]);
    }
}

#[test]
fn the_last_picture_comes_before_the_end() {
    let mut media = pictures(2);
    media.pop();
    // The marker bit of the last packet is taken away: only the end tells that the picture is whole.
    let mut last = BytesMut::from(&media.pop().unwrap()[..]);
    let mut at = 0;
    while at < last.len() {
        last[at + 5] &= 0x7f;
        at += 4 + usize::from(u16::from_be_bytes([last[at + 2], last[at + 3]]));
    }
    media.push(last.freeze());
    let mut pair = Pair::new(media);
    pair.run(1 << 20);
    assert_eq!(units(&pair.got).len(), 1);
    pair.client.handle_closed(pair.now.plus(SECOND));
    pair.run(1 << 20);
    assert_eq!(units(&pair.got).len(), 2);
    let place = |of: fn(&IngestOutput) -> bool| pair.got.iter().rposition(of).unwrap();
    let unit = place(|o| matches!(o, IngestOutput::AccessUnit(_)));
    assert!(unit < place(|o| matches!(o, IngestOutput::Event(Event::Failed(_) | Event::Ended))));
}
