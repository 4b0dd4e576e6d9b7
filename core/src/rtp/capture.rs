//! RTP out of files: pcap and pcapng (RTP over UDP; RTSP interleaved and RFC 4571 over TCP), and plain files with
//! either framing. Which it is, is told by the content.

mod file;
mod fragments;
mod link;
mod segments;
mod stream;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};
use core::net::SocketAddr;

use self::file::{Record, Records};
use self::fragments::Fragments;
use self::segments::Segments;
use self::stream::{Piece, Stream};
use super::{Error, Kind, RtpPacket, is_rtcp};
use crate::fault::Offset;
use crate::limits::Limits;
use crate::time::UtcMicros;

/// Flows that are followed; packets of further ones are counted and left.
const FLOWS: usize = 1_024;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// libpcap's, either byte order, microseconds or nanoseconds.
    Pcap,
    /// pcapng (draft-ietf-opsawg-pcapng).
    PcapNg,
    /// RTP behind its length in 2 bytes, RFC 4571.
    Bare,
    /// RTSP with interleaved RTP, RFC 2326 §10.12, or the interleaved part alone.
    Interleaved,
}

impl Format {
    /// Tells by the first bytes of a file, as many as there are up to 64 KiB. `None`: it is none of these.
    #[must_use]
    pub fn detect(start: &[u8]) -> Option<Self> {
        match start {
            [0xa1, 0xb2, 0xc3, 0xd4, ..]
            | [0xd4, 0xc3, 0xb2, 0xa1, ..]
            | [0xa1, 0xb2, 0x3c, 0x4d, ..]
            | [0x4d, 0x3c, 0xb2, 0xa1, ..] => Some(Self::Pcap),
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => Some(Self::PcapNg),
            _ => stream::detect(start),
        }
    }
}

/// How the packets travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Packets may have changed places.
    Udp,
    /// They have not.
    Tcp,
}

/// One direction between two ports, and for interleaved RTP one channel of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Flow {
    /// Counts the pairs of addresses in the order of their first packet.
    pub index: u32,
    /// How its packets travelled.
    pub transport: Transport,
    /// The interleaved channel.
    pub channel: Option<u8>,
}

/// Something found in a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// Where it was found.
    pub flow: Flow,
    /// When it was captured; files without a clock do not say.
    pub at: Option<UtcMicros>,
    /// What it is.
    pub content: Content,
}

/// See [`Item`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// What may be an RTP packet: other protocols over UDP can look like one, so a stream is known by many.
    Rtp(Bytes),
    /// An RTCP compound, with the same reserve.
    Rtcp(Bytes),
    /// The body of an RTSP message that is an SDP.
    Sdp(Bytes),
}

/// What was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records read.
    pub records: u64,
    /// Records whose packet was cut by the capture's snap length.
    pub cut: u64,
    /// Times that bytes of a TCP stream were missing, or its framing was lost.
    pub broken: u64,
    /// Packets of flows beyond the cap.
    pub crowded: u64,
}

/// Reads a capture. Give its bytes to [`push`](Self::push) in pieces of any size, and after each call
/// [`pull`](Self::pull) until it gives nothing; then [`finish`](Self::finish), and pull again.
#[derive(Debug)]
pub struct Capture {
    limits: Limits,
    source: Source,
    finished: bool,
    /// Bytes of the file so far.
    size: u64,
    flows: BTreeMap<(SocketAddr, SocketAddr, Transport), usize>,
    /// The TCP state of each flow; `None` for UDP.
    states: Vec<Option<Connection>>,
    fragments: Fragments,
    ready: VecDeque<Item>,
    stats: Stats,
}

#[derive(Debug)]
enum Source {
    /// Too few bytes to tell.
    Unknown(BytesMut),
    Records(Records),
    Plain(Stream),
    Failed,
}

#[derive(Debug)]
struct Connection {
    segments: Segments,
    stream: Stream,
}

/// As many bytes as it takes to tell the format: more than the largest packet.
const ENOUGH: usize = 128 << 10;

impl Capture {
    /// Nothing read yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            source: Source::Unknown(BytesMut::new()),
            finished: false,
            size: 0,
            flows: BTreeMap::new(),
            states: Vec::new(),
            fragments: Fragments::default(),
            ready: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Takes more of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        match &mut self.source {
            Source::Unknown(start) => start.extend_from_slice(bytes),
            Source::Records(records) => records.push(bytes),
            Source::Plain(stream) => stream.push(bytes),
            Source::Failed => {}
        }
    }

    /// The file has no more bytes.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// What is found next; `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// The file is none of the formats, or is damaged, or (after [`finish`](Self::finish)) ends inside a record. What
    /// was before it has been given; nothing more comes.
    pub fn pull(&mut self) -> Result<Option<Item>, Error> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            let more = self.advance().inspect_err(|_| self.source = Source::Failed)?;
            if !more && self.ready.is_empty() {
                return Ok(None);
            }
        }
    }

    /// What was left out so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let streams = self.states.iter().flatten().map(|c| c.stream.broken()).sum::<u64>();
        let plain = if let Source::Plain(stream) = &self.source { stream.broken() } else { 0 };
        Stats { broken: streams + plain, ..self.stats }
    }

    /// Reads one step further; false where bytes are missing.
    fn advance(&mut self) -> Result<bool, Error> {
        match &mut self.source {
            Source::Unknown(start) => {
                if start.len() < ENOUGH && !self.finished {
                    return Ok(false);
                }
                let start = core::mem::take(start);
                self.source = match Format::detect(&start) {
                    Some(Format::Pcap | Format::PcapNg) => Source::Records(Records::new(start)),
                    Some(Format::Bare | Format::Interleaved) => {
                        let mut stream = Stream::new(&self.limits);
                        stream.push(&start);
                        Source::Plain(stream)
                    }
                    None => return Err(Error::at(Kind::UnknownCapture, 0)),
                };
                Ok(true)
            }
            Source::Records(records) => match records.next(self.finished)? {
                Some(record) => {
                    self.record(&record);
                    Ok(true)
                }
                None if self.finished => Ok(self.flush()),
                None => Ok(false),
            },
            Source::Plain(stream) => {
                let flow = Flow { index: 0, transport: Transport::Tcp, channel: None };
                match stream.next(self.finished) {
                    Some(piece) => self.ready.extend(item(flow, None, piece)),
                    None if self.finished && stream.left() > 0 => {
                        let at = Offset(self.size - stream.left() as u64);
                        return Err(Error { kind: Kind::TruncatedCapture, at });
                    }
                    None => return Ok(false),
                }
                Ok(true)
            }
            Source::Failed => Ok(false),
        }
    }

    fn record(&mut self, record: &Record) {
        self.stats.records += 1;
        let Some(packet) = link::decode(record.link, &record.bytes) else { return };
        if let Some(fragment) = packet.fragment {
            let Some((source, destination, payload)) = self.fragments.push(&packet, fragment) else { return };
            self.datagram(source, destination, &Bytes::from(payload), record.at);
            return;
        }
        if !record.whole || packet.cut {
            // A TCP stream then has a gap, which its numbers tell.
            self.stats.cut += 1;
            return;
        }
        let Some(transport) = link::transport(packet.protocol, packet.body) else { return };
        let source = SocketAddr::new(packet.source, transport.source_port);
        let destination = SocketAddr::new(packet.destination, transport.destination_port);
        let payload = record.bytes.slice_ref(transport.payload);
        match transport.tcp {
            None => self.datagram(source, destination, &payload, record.at),
            Some(tcp) => {
                let Some(index) = self.flow(source, destination, Transport::Tcp) else { return };
                let Some(Some(connection)) = self.states.get_mut(index) else { return };
                connection.segments.push(tcp.sequence, tcp.start, payload, &mut connection.stream);
                self.drain(index, record.at);
            }
        }
    }

    fn datagram(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &Bytes,
        at: Option<UtcMicros>,
    ) {
        let content = if is_rtcp(payload) {
            Content::Rtcp(payload.clone())
        } else if RtpPacket::parse(payload).is_ok() {
            Content::Rtp(payload.clone())
        } else {
            return;
        };
        let Some(index) = self.flow(source, destination, Transport::Udp) else { return };
        let flow = Flow { index: index as u32, transport: Transport::Udp, channel: None };
        self.ready.push_back(Item { flow, at, content });
    }

    fn flow(&mut self, source: SocketAddr, destination: SocketAddr, transport: Transport) -> Option<usize> {
        let key = (source, destination, transport);
        if let Some(index) = self.flows.get(&key) {
            return Some(*index);
        }
        if self.states.len() >= FLOWS {
            self.stats.crowded += 1;
            return None;
        }
        let index = self.states.len();
        self.flows.insert(key, index);
        let connection =
            || Connection { segments: Segments::new(&self.limits), stream: Stream::new(&self.limits) };
        self.states.push((transport == Transport::Tcp).then(connection));
        Some(index)
    }

    /// What the bytes of a connection have become.
    fn drain(&mut self, index: usize, at: Option<UtcMicros>) {
        let flow = Flow { index: index as u32, transport: Transport::Tcp, channel: None };
        let Some(Some(connection)) = self.states.get_mut(index) else { return };
        while let Some(piece) = connection.stream.next(self.finished) {
            self.ready.extend(item(flow, at, piece));
        }
    }

    /// The end of the file: what still waits in the connections. False if it was nothing.
    fn flush(&mut self) -> bool {
        for index in 0..self.states.len() {
            if let Some(Some(connection)) = self.states.get_mut(index) {
                connection.segments.flush(&mut connection.stream);
                self.drain(index, None);
            }
        }
        !self.ready.is_empty()
    }
}

fn item(flow: Flow, at: Option<UtcMicros>, piece: Piece) -> Option<Item> {
    let (channel, content) = match piece {
        Piece::Sdp(bytes) => (None, Content::Sdp(bytes)),
        Piece::Packet { channel, bytes } if is_rtcp(&bytes) => (channel, Content::Rtcp(bytes)),
        Piece::Packet { channel, bytes } if RtpPacket::parse(&bytes).is_ok() => {
            (channel, Content::Rtp(bytes))
        }
        Piece::Packet { .. } => return None,
    };
    Some(Item { flow: Flow { channel, ..flow }, at, content })
}

#[cfg(test)]
mod tests;
