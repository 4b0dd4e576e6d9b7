//! One RTSP connection, both ways, and the datagrams beside it.

use vigie::limits::Limits;
use vigie::rtsp::Message;
use vigie::rtsp::framing::{Channels, Expected, Input, Item};
use vigie::time::UtcMicros;

use crate::vet::{Report, Vet};

/// Reads what goes over a connection.
pub(super) struct Connection {
    vet: Vet,
    from_server: Input,
    from_client: Input,
    expected: Expected,
    limits: Limits,
    broken: bool,
}

impl Connection {
    pub(super) fn new(limits: &Limits, keep: bool) -> Self {
        Self {
            vet: Vet::new(limits).keep(keep),
            from_server: Input::new(limits),
            from_client: Input::new(limits),
            expected: Expected::default(),
            limits: *limits,
            broken: false,
        }
    }

    /// Another connection: after a redirect, for another transport, or because the one before broke.
    pub(super) fn reopen(&mut self) {
        self.vet.reopen();
        self.from_server = Input::new(&self.limits);
        self.from_client = Input::new(&self.limits);
        self.expected = Expected::default();
        self.broken = false;
    }

    /// What the client sends.
    pub(super) fn sent(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.broken {
            let taken = self.from_client.copy(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            loop {
                match self.from_client.next(&self.expected) {
                    Ok(Some(Item::Message { message: Message::Request(request), .. })) => {
                        self.vet.request(&request)
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => self.broken = true,
                }
                if self.broken {
                    break;
                }
            }
            if taken == 0 {
                break;
            }
        }
    }

    /// What the server sends.
    pub(super) fn received(&mut self, mut bytes: &[u8], utc: Option<UtcMicros>) {
        while !bytes.is_empty() && !self.broken {
            let taken = self.from_server.copy(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            self.read(utc);
            if taken == 0 {
                break;
            }
        }
    }

    fn read(&mut self, utc: Option<UtcMicros>) {
        loop {
            let offset = self.from_server.offset().0;
            match self.from_server.next(&self.expected) {
                Ok(Some(Item::Interleaved { channel, range })) => {
                    let Some((rtp, rtcp)) = self.vet.channels() else { continue };
                    let bytes = self.from_server.bytes(range);
                    if channel == rtp {
                        self.vet.rtp(bytes, false, None, Some(offset), utc);
                    } else if channel == rtcp {
                        self.vet.rtcp(bytes, true, utc);
                    }
                }
                Ok(Some(Item::Message { message: Message::Response(response), .. })) => {
                    self.vet.response(&response, Some(offset), utc);
                    self.expect();
                }
                Ok(Some(Item::Skipped { bytes, .. })) => self.vet.skipped(bytes, offset, utc),
                Ok(None) => return,
                Err(_) => {
                    self.broken = true;
                    return;
                }
                _ => {}
            }
        }
    }

    fn expect(&mut self) {
        let payload_type = self.vet.media().map(|media| media.payload_type);
        if let Some((rtp, rtcp)) = self.vet.channels() {
            self.expected.channels = vec![Channels { rtp, rtcp, payload_type }];
        }
    }

    /// A datagram of a media of the presentation.
    pub(super) fn datagram(&mut self, media: usize, rtcp: bool, bytes: &[u8], utc: Option<UtcMicros>) {
        let ours = self
            .vet
            .presentation()
            .and_then(|presentation| presentation.media.iter().position(|media| media.codec.is_some()));
        if ours != Some(media) {
            return;
        }
        if rtcp {
            self.vet.rtcp(bytes, true, utc);
        } else {
            self.vet.rtp(bytes, true, None, None, utc);
        }
    }

    pub(super) fn finish(self, name: &str) -> Report {
        self.vet.finish(name)
    }
}
