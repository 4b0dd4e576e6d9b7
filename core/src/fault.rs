//! The words for what went wrong: whose fault, which number, where; and what was tolerated.
//!
//! Every module has one small error type `{ kind, at }`. [`Fault`] is what they share.

use core::fmt;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The camera, server or file at the other end.
    Peer,
    /// The caller: a wrong argument, address or password.
    Caller,
    /// The storage: full, absent, refusing.
    Storage,
    /// Vigie itself.
    Bug,
}

/// A number for an error kind, stable for ever and the same in Rust, C and JavaScript (`docs/errors.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V{:04}", self.0)
    }
}

/// Bytes from the start of whatever was being read (a message, a file, a connection's input).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u64);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}", self.0)
    }
}

/// What every error of this crate can say of itself.
pub trait Fault {
    /// Whose fault it is.
    fn blame(&self) -> Blame;
    /// Its stable number.
    fn code(&self) -> Code;
}

macro_rules! quirks {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A camera's violation that has one sensible reading: tolerated, named and counted (`docs/cameras.md`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Quirk { $($(#[$doc])* $name,)* }

        impl Quirk {
            /// Every quirk, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in tables, JSON and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

quirks! {
    /// Bytes between two interleaved items that belong to neither; skipped to the next plausible item.
    /// live555-derived servers lose framing when the TCP window fills.
    LostFraming = "lost-framing",
    /// RTP before the PLAY response (v4l2rtspserver).
    RtpBeforePlay = "rtp-before-play",
    /// RTP on a channel that no SETUP named; dropped.
    UnknownChannel = "unknown-channel",
    /// The server chose other interleaved channels than asked (Panasonic asks 0-1, answers 20-21).
    OtherChannels = "other-channels",
    /// The Transport answer names no interleaved channels; those asked for are assumed.
    NoChannels = "no-channels",
    /// A response without CSeq; matched to the oldest request.
    NoCSeq = "no-cseq",
    /// A response with the CSeq of an earlier request (Tapo C220 keep-alives).
    WrongCSeq = "wrong-cseq",
    /// DESCRIBE's answer has no Content-Type; SDP is assumed.
    NoContentType = "no-content-type",
    /// Content-Base or Content-Location that is not a usable URL; the request's URL is used.
    BadContentBase = "bad-content-base",
    /// A control URL that names another host; the host dialled is kept.
    ForeignControl = "foreign-control",
    /// The Session identifier changed between two SETUPs; the first is kept.
    SessionChanged = "session-changed",
    /// An SDP line that the grammar does not allow; skipped.
    BadSdpLine = "bad-sdp-line",
    /// The SDP's `o=` breaks the grammar (Amcrest, Vurix, H3C, Y-CAM and others); not looked at.
    BadOrigin = "bad-origin",
    /// The SDP's `t=` is no pair of numbers (FLIR: `now-`); not looked at.
    BadTime = "bad-time",
    /// The SDP's `c=` breaks the grammar (Uniview, Avigilon, Hikvision's media server); only a group counts.
    BadConnection = "bad-connection",
    /// The port of `m=` is no port (Tuya: `-1353744643`); only multicast needs it.
    BadPort = "bad-port",
    /// A media section without a payload type (TP-Link, Mercury); that media is left out.
    BadMedia = "bad-media",
    /// `rtpmap` without a clock rate, or with 0; for video 90 000 is assumed.
    NoClockRate = "no-clock-rate",
    /// `fmtp` for a payload type that `m=` does not name (Hikvision NVR V5.03); taken where there is but one.
    ForeignFmtp = "foreign-fmtp",
    /// Every media is marked `sendonly`, as if none were for us; all are taken.
    AllSendOnly = "all-sendonly",
    /// `sprop-parameter-sets` or its H.265 kin that do not parse, or with start codes or zeros about them (VStarcam,
    /// Revotech): those are taken off; in-band sets are used.
    BadSprop = "bad-sprop",
    /// `fmtp` of AAC lacks what RFC 3640 demands, or writes it otherwise (`AAC_hbr`); the usual values are taken.
    AudioParameters = "audio-parameters",
    /// AAC without a usable `config`; taken for AAC-LC of the rate and channels that `rtpmap` says, or what ADTS says.
    NoAudioConfig = "no-audio-config",
    /// `rtpmap` of AAC says another rate than `config` (UniFi Protect 2.0); `config` counts.
    AudioRate = "audio-rate",
    /// AU-Index is not 0 though the stream is not interleaved; not looked at.
    AudioIndex = "audio-index",
    /// ADTS inside RFC 3640 (Sony, Anjvision MC800S); taken off.
    AdtsInside = "adts-inside",
    /// Opus with another rate or channel count than 48000/2; RFC 7587 allows no other, that is what it is.
    OpusMono = "opus-mono",
    /// A packet of PCM that ends inside a sample (Reolink doorbell); cut off there.
    OddAudioSize = "odd-audio-size",
    /// The timestamps of sound stand still (Reolink doorbell); counted on by what was sent.
    StuckAudioTime = "stuck-audio-time",
    /// A JPEG fragment whose offset is not where the scan goes on, though no packet is missing (the camera of SharpRTSP's
    /// tests counts the headers of RFC 2435); taken by its sequence number.
    JpegOffset = "jpeg-offset",
    /// L16 whose bytes come in the other order (Hikvision); turned round.
    LittleEndianPcm = "little-endian-pcm",
    /// The SDP names one codec, the stream carries the other (Ezviz C6N).
    OtherCodec = "other-codec",
    /// A packet with another SSRC than the stream's; dropped (Reolink RLC-410: a former session's).
    ForeignSsrc = "foreign-ssrc",
    /// The packets carry another SSRC than SETUP's answer names; theirs is taken (Hikvision and Dahua name a wrong one).
    OtherSsrc = "other-ssrc",
    /// The SSRC changed in mid-stream without a goodbye; followed when it is sure.
    SsrcChange = "ssrc-change",
    /// The sequence numbers started again in mid-stream; followed, sooner than RFC 3550 appendix A.1 does.
    SequenceRestart = "sequence-restart",
    /// Sender reports under another SSRC than the packets' (Tapo C320WS); taken where their timestamps are the stream's.
    ForeignReport = "foreign-report",
    /// A packet with a payload type that the SDP does not name; dropped before sequence accounting (GeoVision, PT 50).
    ForeignPayloadType = "foreign-payload-type",
    /// A malformed RTP header; the packet is dropped.
    BadRtp = "bad-rtp",
    /// A malformed RTCP packet; dropped.
    BadRtcp = "bad-rtcp",
    /// A payload that RFC 6184 or RFC 7798 does not allow; dropped.
    BadPayload = "bad-payload",
    /// A payload structure that is not read (PACSI and NI-MTAP of RFC 6190); dropped.
    UnsupportedPayload = "unsupported-payload",
    /// The marker bit set where the access unit cannot end (Tapo TC70, Reolink Duo 2: on SPS and PPS).
    EarlyMarker = "early-marker",
    /// No marker at the end of an access unit (FLIR M400); the next timestamp ends it.
    NoMarker = "no-marker",
    /// The timestamp changed inside an access unit (Reolink RLC-822A: between PPS and IDR).
    TimestampInside = "timestamp-inside",
    /// Parameter sets between the slices of one picture (GStreamer with `config-interval=-1`), against ITU-T H.264
    /// §7.4.1.2.3; the timestamp and the slices say what belongs together.
    SetsInside = "sets-inside",
    /// A fragmentation unit with both start and end set (CostarHD, OpenIPC); taken as a whole NAL unit.
    WholeFragmentationUnit = "whole-fragmentation-unit",
    /// A fragmentation unit's reserved bit is set (HeroSpeed).
    ReservedBit = "reserved-bit",
    /// The NAL type changed in a later fragment (Tiandy); the first is kept.
    FragmentTypeChanged = "fragment-type-changed",
    /// Annex B start codes inside one NAL unit (V380, Amatek); split there.
    EmbeddedStartCode = "embedded-start-code",
    /// Zero bytes after the last NAL unit of an aggregation packet.
    PaddedAggregation = "padded-aggregation",
    /// Payloads that the packetization mode of the SDP does not allow (Meraki MV63, Dahua clones: FU-A in mode 0).
    PacketizationMode = "packetization-mode",
    /// Decoding order numbers that start anew, or NAL units that come after their turn; those are dropped.
    LateNalUnit = "late-nal-unit",
    /// Zero bytes behind a NAL unit in RTP (Hikvision: PPS); taken off.
    TrailingZeros = "trailing-zeros",
    /// A marker behind NAL units that no picture follows (Tapo C120: SEI alone); kept for the next picture.
    NoPicture = "no-picture",
    /// An empty payload or fragment.
    EmptyPayload = "empty-payload",
    /// A parameter set that does not parse; kept as bytes, not used.
    BadParameterSet = "bad-parameter-set",
    /// Bytes behind the end of a parameter set (Reolink doorbell); not read.
    TrailingBytes = "trailing-bytes",
    /// Parameter sets that change every few seconds in ids, timing or hints alone; the init segment stays.
    SetsRewritten = "sets-rewritten",
    /// A picture that refers to a parameter set never seen.
    MissingParameterSet = "missing-parameter-set",
    /// Pictures are reordered more than the SPS says, or the SPS says nothing and they are.
    DeeperReorder = "deeper-reorder",
    /// Two pictures with one timestamp; the second is moved by a tick.
    EqualTimestamps = "equal-timestamps",
    /// A timestamp that leaps; a new epoch is opened.
    TimestampLeap = "timestamp-leap",
    /// The camera's clock stepped between two sender reports.
    ClockStep = "clock-step",
    /// Timestamps at the nominal frame rate though fewer pictures ship (open-nvr#229): they fall behind the time, and UTC
    /// follows the host's clock.
    NominalTimestamps = "nominal-timestamps",
    /// A sender report whose time is not usable (zero, before 2000, or ahead of the pictures after it).
    BadSenderReport = "bad-sender-report",
    /// A picture or GOP larger than the cap; cut or dropped.
    OverLimit = "over-limit",
    /// The last fragment of a NAL unit without its end bit, no packet missing; ended by what follows.
    NoEndBit = "no-end-bit",
    /// SETUP's answer has no Transport field; what was asked for is assumed.
    NoTransport = "no-transport",
    /// SETUP's answer has another lower transport than asked for; taken where it is allowed.
    OtherTransport = "other-transport",
    /// SETUP's answer names no UDP ports of the camera, or 0 (OpenIPC); packets are taken from any.
    NoServerPort = "no-server-port",
    /// SETUP over another transport is refused until DESCRIBE was sent again (Hikvision).
    DescribeAgain = "describe-again",
    /// Digest with SHA-256 is offered with `qop` and accepted only without (gortsplib PR 863).
    QopRefused = "qop-refused",
    /// A nonce that was good is refused, and not called stale (Axis M5525 after 150 s, Hikvision recorders).
    ForgottenNonce = "forgotten-nonce",
    /// PAUSE is offered and refused as unknown (Hikvision DS-2CD2732F-IS: 551); play goes on.
    PauseRefused = "pause-refused",
    /// A timestamp far off for a picture or two (Intelbras DVR: hours); the picture is put between its neighbours.
    StrayTimestamp = "stray-timestamp",
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each quirk was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks([u64; Quirk::ALL.len()]);

impl Default for Quirks {
    fn default() -> Self {
        Self([0; Quirk::ALL.len()])
    }
}

impl Quirks {
    /// Counts one more.
    pub fn count(&mut self, quirk: Quirk) {
        if let Some(n) = self.0.get_mut(quirk as usize) {
            *n = n.saturating_add(1);
        }
    }

    /// How often `quirk` was seen.
    #[must_use]
    pub fn get(&self, quirk: Quirk) -> u64 {
        self.0.get(quirk as usize).copied().unwrap_or(0)
    }

    /// Adds the counts of another table.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    /// The quirks that were seen, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Quirk, u64)> + '_ {
        Quirk::ALL.iter().map(|q| (*q, self.get(*q))).filter(|(_, n)| *n > 0)
    }
}

/// A set of quirks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct QuirkSet([u64; QuirkSet::WORDS]);

impl QuirkSet {
    const WORDS: usize = Quirk::ALL.len().div_ceil(64);

    /// None.
    pub const NONE: Self = Self([0; Self::WORDS]);

    /// Every quirk.
    pub const ALL: Self = Self::of(Quirk::ALL);

    /// These.
    #[must_use]
    pub const fn of(quirks: &[Quirk]) -> Self {
        let (mut set, mut at) = (Self::NONE, 0);
        while at < quirks.len() {
            set = set.with(quirks[at]);
            at += 1;
        }
        set
    }

    /// With one more.
    #[must_use]
    pub const fn with(mut self, quirk: Quirk) -> Self {
        self.0[quirk as usize / 64] |= 1 << (quirk as usize % 64);
        self
    }

    /// Without it.
    #[must_use]
    pub const fn without(mut self, quirk: Quirk) -> Self {
        self.0[quirk as usize / 64] &= !(1 << (quirk as usize % 64));
        self
    }

    /// Is it in the set?
    #[must_use]
    pub const fn contains(&self, quirk: Quirk) -> bool {
        self.0[quirk as usize / 64] >> (quirk as usize % 64) & 1 != 0
    }
}

impl fmt::Debug for QuirkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Quirk::ALL.iter().filter(|q| self.contains(**q)).map(|q| q.name())).finish()
    }
}

/// Which violations are tolerated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// All that have one sensible reading, found out as they come.
    #[default]
    Auto,
    /// None: what a rule forbids ends the session or drops what is concerned, under the quirk's name.
    Strict,
    /// Those of the set and no others; what can be presumed of a camera that has them is, from its first packet on.
    Force(QuirkSet),
}

impl Policy {
    /// Is this violation tolerated?
    #[must_use]
    pub const fn tolerates(&self, quirk: Quirk) -> bool {
        match self {
            Self::Auto => true,
            Self::Strict => false,
            Self::Force(set) => set.contains(quirk),
        }
    }

    /// Is the camera known to have this quirk before it has shown it?
    #[must_use]
    pub const fn presumes(&self, quirk: Quirk) -> bool {
        matches!(self, Self::Force(set) if set.contains(quirk))
    }
}

/// What becomes of access units that packets are missing from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossPolicy {
    /// They come out, marked: a decoder may conceal what it lacks.
    #[default]
    Mark,
    /// They are withheld, and with them what refers to them: all until the next whole random access point.
    Withhold,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_says_what_is_tolerated() {
        let all_but = QuirkSet::ALL.without(Quirk::NoMarker);
        for quirk in Quirk::ALL.iter().copied() {
            assert!(Policy::Auto.tolerates(quirk) && !Policy::Auto.presumes(quirk));
            assert!(!Policy::Strict.tolerates(quirk));
            assert_eq!(Policy::Force(all_but).tolerates(quirk), quirk != Quirk::NoMarker);
            assert!(Policy::Force(QuirkSet::of(&[quirk])).presumes(quirk));
        }
    }
}
