//! The media of the session: which, and how each is set up, one after another.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use bytes::Bytes;

use super::keys::Secure;
use super::{Agreed, Event, Kind, Lower, Phase, Queued, Session};
use crate::fault::Quirk;
use crate::rtp::rtcp;
use crate::rtsp::framing::{Channels, Expected};
use crate::rtsp::headers::{SessionId, Transport};
use crate::rtsp::{Method, Response, Status, Url};
use crate::sdp::{Media, MediaKind, Presentation};
use crate::time::Micros;

/// One media that is set up or will be.
#[derive(Debug)]
pub(super) struct Track {
    /// Index in the presentation.
    pub(super) media: usize,
    pub(super) url: Url,
    /// Where the section names but one.
    pub(super) payload_type: Option<u8>,
    /// Bound here.
    pub(super) ports: Option<(u16, u16)>,
    pub(super) agreed: Option<Agreed>,
    pub(super) ssrc: Option<u32>,
    /// Where it is encrypted.
    pub(super) secure: Option<Secure>,
}

impl Session {
    /// The media that are wanted, the one that the session cannot do without first.
    pub(super) fn choose(&self, presentation: &Presentation) -> Result<Vec<usize>, Kind> {
        let wanted = self.config.wanted;
        let mut chosen = Vec::new();
        if wanted.video {
            let named = self.config.media.filter(|at| *at < presentation.media.len());
            let any = presentation.media.iter().any(|media| media.kind == MediaKind::Video);
            let missing = if any { Kind::UnsupportedCodec } else { Kind::NoVideo };
            let readable = presentation.video().or_else(|| presentation.picture()).map(|(at, _)| at);
            chosen.push(named.or(readable).ok_or(missing)?);
        }
        let others = [
            presentation.audio().filter(|_| wanted.audio),
            presentation.metadata().filter(|_| wanted.metadata),
        ];
        for (at, _) in others.into_iter().flatten() {
            if !chosen.contains(&at) {
                chosen.push(at);
            }
        }
        if chosen.is_empty() { Err(Kind::NothingWanted) } else { Ok(chosen) }
    }

    fn media(&self, index: usize) -> Option<&Media> {
        self.presentation.as_ref()?.media.get(index)
    }

    pub(super) fn lower(&self) -> Lower {
        self.config.transports.get(self.lower).copied().unwrap_or(Lower::Tcp)
    }

    /// Sets up the next media, or plays. SETUPs are never sent together: the session's name comes with the first answer.
    pub(super) fn next_setup(&mut self) {
        let Some(track) = self.tracks.get(self.at) else {
            self.phase = Phase::Play;
            self.request(Method::Play);
            return;
        };
        self.phase = Phase::Setup;
        match self.lower() {
            Lower::Udp if track.ports.is_none() => {
                let media = track.media;
                self.binding = true;
                self.event(Event::Bind { media });
            }
            _ => self.request(Method::Setup),
        }
    }

    /// Answers [`Event::Bind`]: the ports of RTP and RTCP that were opened.
    pub fn bound(&mut self, now: Micros, media: usize, rtp: u16, rtcp: u16) {
        self.now = now;
        match self.tracks.get_mut(self.at) {
            Some(track) if self.binding && track.media == media => {
                track.ports = Some((rtp, rtcp));
                self.binding = false;
                self.request(Method::Setup);
            }
            _ => {}
        }
    }

    /// Answers [`Event::Bind`]: no ports could be opened. The next transport is tried.
    pub fn not_bound(&mut self, now: Micros, media: usize) {
        self.now = now;
        let asked = self.tracks.get(self.at).is_some_and(|track| track.media == media);
        if asked && core::mem::take(&mut self.binding) && !self.next_transport() {
            self.fail(Kind::NotBound);
        }
    }

    /// Goes on with the next transport; false where there is none.
    fn next_transport(&mut self) -> bool {
        if self.lower + 1 >= self.config.transports.len() {
            return false;
        }
        self.lower += 1;
        self.next_setup();
        true
    }

    /// The `Transport` of the SETUP that comes next.
    pub(super) fn transport(&self) -> Transport {
        let Some(track) = self.tracks.get(self.at) else { return Transport::default() };
        let transport = match (self.lower(), track.ports) {
            (Lower::Udp, Some((rtp, rtcp))) => Transport::udp(rtp, rtcp),
            (Lower::Multicast, _) => Transport::multicast(),
            _ => {
                let (rtp, rtcp) = self.channels();
                Transport::interleaved(rtp, rtcp)
            }
        };
        let known = ["RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF"];
        let profile = self.media(track.media).map(|media| media.profile.to_ascii_uppercase());
        match profile.filter(|profile| known.contains(&profile.as_str())) {
            Some(profile) => transport.with_profile(&profile),
            None => transport,
        }
    }

    /// The channels asked for.
    fn channels(&self) -> (u8, u8) {
        let rtp = u8::try_from(self.at * 2).unwrap_or(0);
        (rtp, rtp.saturating_add(1))
    }

    /// SETUP was refused: another transport, another DESCRIBE, or without this media.
    pub(super) fn setup_refused(&mut self, status: Status) {
        if status == Status::UNSUPPORTED_TRANSPORT && self.next_transport() {
            return;
        }
        // Hikvision: DESCRIBE again after the transport was changed (gortsplib, client.go).
        let again = self.lower > 0 && self.at == 0 && status.0 / 100 == 4;
        if again
            && status != Status::NOT_FOUND
            && status != Status::UNSUPPORTED_TRANSPORT
            && !self.described_again
        {
            if !self.tolerated(Quirk::DescribeAgain) {
                return;
            }
            self.described_again = true;
            self.phase = Phase::Describe;
            return self.request(Method::Describe);
        }
        match self.tracks.get(self.at) {
            Some(track) if self.at > 0 => {
                let media = track.media;
                self.event(Event::Refused { media, status });
                self.tracks.remove(self.at);
                self.next_setup();
            }
            _ => self.fail(self.refusal(status)),
        }
    }

    /// What a refusal means.
    pub(super) const fn refusal(&self, status: Status) -> Kind {
        match status {
            Status::NOT_FOUND => Kind::NotFound,
            Status::UNSUPPORTED_TRANSPORT => Kind::UnsupportedTransport,
            Status::KEY_MANAGEMENT_FAILURE => Kind::KeysNeeded,
            Status::NOT_ENOUGH_BANDWIDTH | Status::SERVICE_UNAVAILABLE => Kind::Busy(status),
            status => Kind::Status(status),
        }
    }

    pub(super) fn set_up(&mut self, response: &Response) {
        let given = response.headers.get("Session").and_then(SessionId::parse);
        let changed =
            self.session.as_ref().zip(given.as_ref()).is_some_and(|(kept, given)| kept.id != given.id);
        if changed && !self.tolerated(Quirk::SessionChanged) {
            return;
        }
        self.session = self.session.take().or(given);
        let Some(at) = self.tracks.get(self.at).map(|track| track.media) else { return };
        let given = response.headers.get("Transport").and_then(|value| Transport::parse_all(value).next());
        let ssrc = given.as_ref().and_then(|transport| transport.ssrc);
        let agreed = match self.agree(at, given) {
            Ok(Some(agreed)) => agreed,
            // The camera offers a transport that is not allowed.
            Ok(None) if self.next_transport() => return,
            Ok(None) => return self.fail(Kind::UnsupportedTransport),
            Err(quirk) => return self.fail(Kind::Violation(quirk)),
        };
        let secure = match self.secure(response) {
            Ok(secure) => secure,
            Err(error) => return self.fail(Kind::Srtp(error.kind)),
        };
        let numbered = self.media(at).is_some_and(|media| media.uses_don || media.packetization_mode == 2);
        let Some(track) = self.tracks.get_mut(self.at) else { return };
        track.secure = secure;
        if let Agreed::Interleaved(rtp, rtcp) = agreed {
            self.expected.channels.push(Channels { rtp, rtcp, payload_type: track.payload_type });
            self.expected.thorough |= numbered;
        }
        track.ssrc = ssrc;
        track.agreed = Some(agreed.clone());
        let media = track.media;
        self.event(Event::SetUp { media, transport: agreed });
        self.punch(self.at);
        self.at += 1;
        self.next_setup();
    }

    /// What the answer agrees to; `None` where that is not allowed here.
    fn agree(&mut self, media: usize, given: Option<Transport>) -> Result<Option<Agreed>, Quirk> {
        let asked = self.lower();
        let Some(given) = given else {
            // gortsplib issue 456: what was asked for is meant.
            self.tolerate(Quirk::NoTransport)?;
            return Ok(match asked {
                Lower::Tcp => Some(Agreed::Interleaved(self.channels().0, self.channels().1)),
                Lower::Udp => Some(Agreed::Udp { server: None, ports: None }),
                Lower::Multicast => self.group(media, &Transport::default()),
            });
        };
        let udp = given.multicast || given.server_port.is_some() || given.client_port.is_some();
        let lower = match asked {
            _ if given.is_tcp() => Lower::Tcp,
            _ if given.multicast => Lower::Multicast,
            // Escam: `RTP/AVP;unicast;interleaved=`.
            Lower::Tcp if !udp => Lower::Tcp,
            _ => Lower::Udp,
        };
        if lower != asked {
            let bound = lower != Lower::Udp;
            if !bound || !self.config.transports.contains(&lower) {
                return Ok(None);
            }
            self.tolerate(Quirk::OtherTransport)?;
        }
        match lower {
            Lower::Tcp => self.interleaved(&given).map(Some),
            Lower::Multicast => Ok(self.group(media, &given)),
            Lower::Udp => {
                let ports = given.server_port.filter(|(rtp, _)| *rtp != 0);
                if ports.is_none() {
                    self.tolerate(Quirk::NoServerPort)?;
                }
                Ok(Some(Agreed::Udp { server: given.source, ports }))
            }
        }
    }

    fn interleaved(&mut self, given: &Transport) -> Result<Agreed, Quirk> {
        let asked = self.channels();
        let channels = match given.interleaved {
            Some(channels) => channels,
            None => {
                self.tolerate(Quirk::NoChannels)?;
                asked
            }
        };
        if channels != asked {
            self.tolerate(Quirk::OtherChannels)?;
        }
        Ok(Agreed::Interleaved(channels.0, channels.1))
    }

    /// The group by the answer, then by the description.
    fn group(&self, media: usize, given: &Transport) -> Option<Agreed> {
        let media = self.media(media)?;
        let named = |host: &Option<_>| host.as_ref().and_then(|host: &String| host.parse::<IpAddr>().ok());
        let group = named(&given.destination).filter(IpAddr::is_multicast);
        let group = group.or(media.group.map(|group| group.address))?;
        let described = (media.port != 0).then(|| (media.port, media.port.saturating_add(1)));
        let ports = given.port.or(given.client_port).or(given.server_port).or(described)?;
        let ttl = given.ttl.or(media.group.and_then(|group| group.ttl));
        let source = named(&given.source).or(media.sources.first().copied());
        Some(Agreed::Multicast { group, ports, ttl, source })
    }

    /// Opens the way through a translation of addresses, so that the camera's packets find us.
    fn punch(&mut self, at: usize) {
        let Some(track) = self.tracks.get(at) else { return };
        let Some(Agreed::Udp { ports: Some(_), .. }) = track.agreed else { return };
        let media = track.media;
        let payload_type = track.payload_type.unwrap_or(0);
        let mut packet = [0x80, payload_type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        if let Some(ssrc) = packet.last_chunk_mut() {
            *ssrc = self.own_ssrc.to_be_bytes();
        }
        let bytes = Bytes::copy_from_slice(&packet);
        self.queue.push_back(Queued::Datagram { media, rtcp: false, bytes });
        self.send_empty_report(at);
    }

    /// A receiver report without blocks: a sign of life, RFC 3550 §6.4.2.
    pub(super) fn send_empty_report(&mut self, at: usize) {
        let Some(track) = self.tracks.get(at) else { return };
        let report = rtcp::receiver_compound(self.own_ssrc, &[], "vigie");
        self.send_rtcp(track.media, &report);
    }

    /// Sends a compound RTCP packet for a media, the way that was agreed on for it.
    pub fn send_rtcp(&mut self, media: usize, bytes: &[u8]) {
        let Some(track) = self.tracks.iter_mut().find(|track| track.media == media) else { return };
        let mut sealed = Vec::new();
        let bytes = match &mut track.secure {
            Some(secure) if cfg!(feature = "full") => {
                sealed.extend_from_slice(bytes);
                if secure.protect.rtcp(&mut sealed).is_err() {
                    return;
                }
                &sealed[..]
            }
            _ => bytes,
        };
        let length = u16::try_from(bytes.len());
        match (&track.agreed, length) {
            (Some(Agreed::Interleaved(_, channel)), Ok(length)) => {
                let mut framed = Vec::with_capacity(4 + bytes.len());
                framed.extend_from_slice(&[b'$', *channel]);
                framed.extend_from_slice(&length.to_be_bytes());
                framed.extend_from_slice(bytes);
                self.queue.push_back(Queued::Send(framed.into()));
            }
            (Some(Agreed::Udp { ports: Some(_), .. }), _) => {
                let bytes = Bytes::copy_from_slice(bytes);
                self.queue.push_back(Queued::Datagram { media, rtcp: true, bytes });
            }
            // To a group everybody would hear it, and a port that is not named cannot be reached.
            _ => {}
        }
    }

    /// The track whose channel it is, and whether it is that of RTP.
    pub(super) fn track_on(&self, channel: u8) -> Option<(usize, bool)> {
        let own = |(at, track): (usize, &Track)| match track.agreed {
            Some(Agreed::Interleaved(rtp, _)) if channel == rtp => Some((at, true)),
            Some(Agreed::Interleaved(_, rtcp)) if channel == rtcp => Some((at, false)),
            _ => None,
        };
        self.tracks.iter().enumerate().find_map(own)
    }

    /// Accounts for a datagram that came to a media's socket: is it wanted now?
    pub fn handle_datagram(&mut self, now: Micros, media: usize, rtcp: bool, len: usize) -> bool {
        self.now = now;
        let at = self.tracks.iter().position(|track| {
            track.media == media && track.agreed.as_ref().is_some_and(|a| a.lower() != Lower::Tcp)
        });
        self.admit(at.map(|at| (at, !rtcp)), len).is_some()
    }

    /// The media that are set up, and how each travels.
    pub fn transports(&self) -> impl Iterator<Item = (usize, &Agreed)> {
        self.tracks.iter().filter_map(|track| Some((track.media, track.agreed.as_ref()?)))
    }

    /// Our own synchronisation source in RTCP.
    #[must_use]
    pub const fn own_ssrc(&self) -> u32 {
        self.own_ssrc
    }

    pub(super) fn lay_tracks(&mut self, chosen: &[usize], base: &Url, aggregate: &Url) {
        self.tracks.clear();
        self.expected = Expected::default();
        self.at = 0;
        for index in chosen {
            let Some(media) = self.media(*index) else { continue };
            let payload_type = (media.payload_types.len() == 1).then_some(media.payload_type);
            let control = media.control.clone();
            let url = match control {
                // RFC 2326 §C.1.1: a single stream may leave its control out.
                None => aggregate.clone(),
                Some(control) => self.resolve(base, Some(&control)),
            };
            self.tracks.push(Track {
                media: *index,
                url,
                payload_type,
                ports: None,
                agreed: None,
                ssrc: None,
                secure: None,
            });
        }
    }

    pub(super) fn track_url(&self) -> String {
        self.tracks.get(self.at).map_or_else(|| self.aggregate.to_string(), |track| track.url.to_string())
    }
}
