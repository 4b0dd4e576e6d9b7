//! A session with our own server, written down, and had again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;
use crate::codec::Codec;
use crate::limits::Limits;
use crate::packetize::{Framing, Packetizer};
use crate::record::{Ingest, IngestOutput};
use crate::rtp::rtcp;
use crate::rtsp::{Credentials, Url};
use crate::sdp::Description;
use crate::server::{self, Connection, Guard};
use crate::session::Config;
use crate::time::{Micros, NtpTime, UtcMicros};

const PASSWORD: &str = "s3cr3t-word";
const TOKEN: &str = "t0ken-of-the-town";

/// A camera of our own server and a client that is written down.
struct Live {
    client: Ingest,
    server: Connection,
    writer: Writer,
    now: Micros,
    /// The payload of every picture.
    pictures: Vec<Bytes>,
    sent: Vec<u8>,
    piece: usize,
}

fn config() -> Config {
    let (url, _) = Url::parse(&alloc::format!("rtsp://cam/1?token={TOKEN}")).unwrap();
    Config::new(url, [1; 32]).credentials(Some(Credentials::new("viewer", PASSWORD)))
}

fn packets(count: u32) -> Vec<Bytes> {
    let mut packetizer = Packetizer::new(Codec::H264, 77, 96, 65_530, 200);
    let mut out = Vec::new();
    for n in 0..count {
        let mut unit = Vec::from([0, 0, 2, 0, 0x65, 0x88]);
        unit.extend((6..4 + 0x200).map(|at| (at as u32 * 7 + n) as u8 | 1));
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

impl Live {
    fn new(piece: usize, blank: bool) -> Self {
        let guard = Guard::new(Credentials::new("viewer", PASSWORD));
        let mut writer = Writer::new(&Limits::default(), blank);
        writer.open(Micros(5), UtcMicros(1_700_000_000_000_000), 9, &config());
        Self {
            client: Ingest::new(config(), Micros(5)),
            server: Connection::new(server::Config::new([2; 32]).guard(Some(guard)), Micros(0)),
            writer,
            now: Micros(5),
            pictures: Vec::new(),
            sent: Vec::new(),
            piece,
        }
    }

    fn drain(&mut self) -> bool {
        let mut quiet = true;
        while let Some(output) = self.client.poll_output() {
            quiet = false;
            self.writer.output(&output);
            match output {
                IngestOutput::Send(bytes) => {
                    self.writer.sent(self.now, &bytes);
                    self.sent.extend_from_slice(&bytes);
                    let _ = self.server.handle_input(self.now, &bytes);
                }
                IngestOutput::AccessUnit(unit) => self.pictures.push(unit.data),
                _ => {}
            }
        }
        self.writer.drained();
        quiet
    }

    fn run(&mut self) {
        loop {
            let mut quiet = self.drain();
            while let Some(output) = self.server.poll_output() {
                quiet = false;
                match output {
                    server::Output::Send(bytes) => self.deliver(&bytes),
                    server::Output::Event(event) => self.answer(event),
                    server::Output::Close => {}
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn deliver(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(self.piece) {
            self.now = self.now.plus(10);
            self.writer.received(self.now, part);
            assert_eq!(self.client.handle_input(self.now, part), part.len());
            self.drain();
        }
    }

    fn answer(&mut self, event: server::Event) {
        match event {
            server::Event::Describe { request, .. } => {
                // As Hanwha does: the password in the control, and a token.
                let sdp = Description::live("cam").with_video(Codec::H264, 96, &[]).to_string();
                let extra = alloc::format!("i=rtsp://viewer:{PASSWORD}@cam/?token={TOKEN}\r\nt=");
                let sdp = sdp.replacen("t=", &extra, 1);
                self.server.describe(request, sdp).unwrap();
            }
            server::Event::Play { request, .. } => {
                self.server.accept_play(request, None, &[]).unwrap();
                packets(5).into_iter().for_each(|piece| self.server.send(piece).unwrap());
            }
            _ => {}
        }
    }

    /// The whole file.
    fn record(piece: usize, blank: bool) -> (Self, Vec<u8>) {
        let mut live = Self::new(piece, blank);
        live.run();
        live.now = live.now.plus(1_000_000);
        live.client.handle_timeout(live.now);
        live.writer.timeout(live.now);
        live.run();
        live.writer.teardown(live.now);
        live.client.teardown(live.now);
        live.run();
        live.writer.ended(live.now, "");
        live.writer.finish(live.now);
        let file = live.writer.take();
        (live, file)
    }
}

/// Replays a file given in pieces.
fn replay(file: &[u8], piece: usize) -> Result<(Vec<String>, Vec<IngestOutput>, Summary), Error> {
    let mut replay = Replay::new(&Limits::default());
    let (mut lines, mut outputs) = (Vec::new(), Vec::new());
    let mut take = |replay: &mut Replay| -> Result<(), Error> {
        while let Some(replayed) = replay.pull()? {
            if let Replayed::Event { line, output, .. } = replayed {
                lines.push(line);
                outputs.push(output);
            }
        }
        Ok(())
    };
    for part in file.chunks(piece.max(1)) {
        replay.push(part);
        take(&mut replay)?;
    }
    replay.finish();
    take(&mut replay)?;
    Ok((lines, outputs, replay.summary()))
}

fn pictures(outputs: &[IngestOutput]) -> Vec<Bytes> {
    let unit = |o: &IngestOutput| {
        if let IngestOutput::AccessUnit(unit) = o { Some(unit.data.clone()) } else { None }
    };
    outputs.iter().filter_map(unit).collect()
}

#[test]
fn a_session_is_had_again_on_fresh_machines_however_it_was_cut() {
    for piece in [1, 7, 1_000, 1 << 20] {
        let (live, file) = Live::record(piece, false);
        assert_eq!(live.pictures.len(), 5);
        let first = replay(&file, 1 << 20).unwrap();
        assert_eq!((first.2.same(), first.2.torn), (Some(true), 0), "{:#?}", first.0);
        assert_eq!(pictures(&first.1), live.pictures);
        assert!(first.2.events > 8, "{:#?}", first.0);
        let second = replay(&file, 3).unwrap();
        assert_eq!((&first.0, &first.2), (&second.0, &second.2));
    }
}

#[test]
fn without_media_everything_is_had_again_but_the_pictures() {
    for piece in [7, 1 << 20] {
        let (live, file) = Live::record(piece, true);
        let (lines, outputs, summary) = replay(&file, 1 << 20).unwrap();
        assert_eq!(summary.same(), Some(true), "{lines:#?}");
        let (_, whole) = Live::record(piece, false);
        let (with, _, _) = replay(&whole, 1 << 20).unwrap();
        let bare = |lines: &[String]| -> Vec<String> {
            lines.iter().map(|l| l.split(" crc=").next().unwrap().to_string()).collect()
        };
        assert_eq!(bare(&lines), bare(&with));
        for (blank, real) in pictures(&outputs).iter().zip(&live.pictures) {
            assert_eq!(blank.len(), real.len());
            // Four bytes of length, one of header, 32 of the slice's header.
            assert_eq!(blank[..37], real[..37]);
            assert!(blank[37..].iter().all(|b| *b == 0xff), "{blank:?}");
            let needle = &real[100..120];
            assert!(!file.windows(needle.len()).any(|w| w == needle), "a picture is in the file");
        }
    }
}

#[test]
fn no_secret_is_in_the_file() {
    for piece in [1, 40, 1 << 20] {
        let (live, file) = Live::record(piece, false);
        let sent = String::from_utf8_lossy(&live.sent).into_owned();
        let response = sent.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(response.len(), 64);
        let encoded = "dmlld2VyOnMzY3IzdC13b3Jk";
        for secret in [PASSWORD, TOKEN, response, encoded, "viewer"] {
            assert!(!file.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} is in the file");
        }
        // And it is there where it was sent.
        assert!(sent.contains(TOKEN) && sent.contains("Digest username=\"viewer\""));
        assert!(file.windows(13).any(|w| w == b"DESCRIBE rtsp"));
    }
}

#[test]
fn a_file_that_was_cut_off_is_good_up_to_there() {
    let (_, file) = Live::record(1_000, false);
    let (whole, _, _) = replay(&file, 1 << 20).unwrap();
    for end in (0..file.len()).step_by(37) {
        let (lines, _, summary) = replay(&file[..end], 1 << 20).unwrap();
        assert_eq!(lines[..], whole[..lines.len()]);
        assert_eq!(summary.same(), None);
    }
}

#[test]
fn what_is_no_capture_is_named() {
    let kind = |bytes: &[u8]| replay(bytes, 1 << 20).unwrap_err().kind;
    assert_eq!(kind(b"RIFF"), Kind::NotOurs);
    assert_eq!(kind(b"VIGIECAP\0\x02\0\0"), Kind::Version);
    assert_eq!(kind(b"VIGIECAP\0\x01\0\0\x02\xff\xff\xff\xff\0\0\0\0\0\0\0\0"), Kind::TooLong);
    assert_eq!(kind(b"VIGIECAP\0\x01\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), Kind::Damaged);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A flipped bit is found; nothing panics; and what came before it is as it was.
    #[test]
    fn damage_is_found(at: prop::sample::Index, bit in 0..8_u32, piece in 1..5_000_usize) {
        let (_, mut file) = Live::record(1_000, true);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        match replay(&file, piece) {
            Err(error) => prop_assert!(error.at.0 <= at as u64),
            // A length that now points past the end looks like a torn file; a flag of the header is no checksum's.
            Ok((_, _, summary)) => prop_assert!(summary.torn > 0 || at < 12, "{at}: {summary:?}"),
        }
    }

    /// Whatever comes from a camera, in whatever pieces: as long as it was, and nothing panics.
    #[test]
    fn any_bytes_keep_their_length(
        reads in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            Just(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\nv=0\r\n".to_vec()),
            Just(b"$\0\0\x10".to_vec()),
            Just([&b"$\0\0\x10\x80\x60\0\x01"[..], &[0; 8], &[0x78, 0, 9, 0]].concat()),
        ], 0..20),
        blank: bool,
    ) {
        let mut writer = Writer::new(&Limits::default(), blank);
        writer.open(Micros(0), UtcMicros(0), 1, &config());
        reads.iter().for_each(|read| writer.received(Micros(1), read));
        writer.finish(Micros(2));
        let file = writer.take();
        let mut reader = file::Reader::new(&Limits::default());
        reader.push(&file);
        let mut received = Vec::new();
        while let Some((_, what)) = reader.next().unwrap() {
            if let file::What::Received(bytes) = what {
                received.extend(bytes);
            }
        }
        let given: Vec<u8> = reads.concat();
        prop_assert_eq!(received.len(), given.len());
        prop_assert!(blank || received == given, "changed without a secret in it");
    }
}
