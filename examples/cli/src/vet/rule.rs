//! What is checked: each rule with its severity, its clause, and what a receiver makes of a stream that breaks it.

use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Allowed, and worth knowing: it costs latency, bandwidth or some players.
    Note,
    /// Against a recommendation, or what many receivers stumble over.
    Warning,
    /// Against a rule.
    Error,
}

impl Severity {
    /// In tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

macro_rules! rules {
    ($($rule:ident $severity:ident $id:literal $clause:literal: $what:literal; $means:literal)*) => {
        /// A rule that `vigie vet` holds a stream to. `docs/vet.md` is the table of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $what] $rule,)*
        }

        impl Rule {
            /// Every rule, in the order of a stream's way: session, description, packets, NAL units, pictures, time.
            pub const ALL: &[Self] = &[$(Self::$rule,)*];

            /// Its name in reports and baselines.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$rule => $id,)* }
            }

            /// How much a finding of it weighs.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity,)* }
            }

            /// Where it is written.
            #[must_use]
            pub const fn clause(self) -> &'static str {
                match self { $(Self::$rule => $clause,)* }
            }

            /// What the stream does.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$rule => $what,)* }
            }

            /// What a receiver does about it.
            #[must_use]
            pub const fn means(self) -> &'static str {
                match self { $(Self::$rule => $means,)* }
            }
        }
    };
}

rules! {
    RtspCseq Error "rtsp-cseq" "RFC 2326 §12.17":
        "An answer without the CSeq of its request"; "clients that match by CSeq take it for no answer, and time out"
    RtspSession Error "rtsp-session" "RFC 2326 §12.37":
        "SETUP's answer names no session, or later answers name another"; "clients cannot keep the session alive, or end a wrong one"
    RtspContentLength Error "rtsp-content-length" "RFC 2326 §12.14":
        "DESCRIBE's answer has no body by its Content-Length"; "the description is read as the next message, and the connection is given up"
    RtspContentType Warning "rtsp-content-type" "RFC 2326 §12.16":
        "DESCRIBE's answer does not say that it is application/sdp"; "strict clients refuse the description"
    RtspTransport Error "rtsp-transport" "RFC 2326 §12.39":
        "SETUP's answer has no Transport, or one that names other channels than were asked for"; "clients look for the media where it is not"
    RtspSsrc Warning "rtsp-ssrc" "RFC 2326 §12.39":
        "The packets carry another SSRC than SETUP's answer names"; "receivers that filter by SSRC show nothing"
    RtspInfo Warning "rtsp-rtp-info" "RFC 2326 §12.33":
        "RTP-Info names another sequence number than the first packet's"; "the first pictures are dropped as old, or waited for"
    RtspPublic Warning "rtsp-public" "RFC 2326 §10.1":
        "OPTIONS does not list the methods that playing takes"; "clients that ask first do not try"
    RtspFraming Error "rtsp-framing" "RFC 2326 §10.12":
        "Bytes between two interleaved items that belong to neither"; "the connection is given up, or pictures are lost while the place is sought"
    OnvifKeepAlive Warning "onvif-keep-alive" "ONVIF Streaming Specification, RTSP: keep-alive":
        "Neither SET_PARAMETER nor GET_PARAMETER is offered"; "clients that keep a session alive by these lose it after the timeout"
    SdpGrammar Warning "sdp-grammar" "RFC 8866 §5":
        "Lines of the description are missing or break the grammar"; "strict parsers refuse the whole description"
    SdpRtpmap Error "sdp-rtpmap" "RFC 6184 §8.2.1, RFC 7798 §7.2.1":
        "A dynamic payload type without an rtpmap"; "nobody knows what the packets are"
    SdpClockRate Error "sdp-clock-rate" "RFC 6184 §8.2.1, RFC 7798 §7.2.1":
        "The video's clock rate is not 90 000"; "pictures are shown at the wrong speed"
    SdpCodec Error "sdp-codec" "RFC 6184 §8.2.1, RFC 7798 §7.2.1":
        "The description names one codec, the packets carry the other"; "the decoder is given what it cannot read: no picture"
    SdpSprop Error "sdp-sprop" "RFC 6184 §8.1, RFC 7798 §7.1":
        "Parameter sets of the description that are no Base64, or no parameter sets"; "players that start from the description do not start"
    SdpSetsDiffer Warning "sdp-sets-differ" "RFC 6184 §8.4":
        "The description has other parameter sets than the stream, for pictures of the same size"; "players that use only those of the description show damage"
    SdpProfile Error "sdp-profile" "RFC 6184 §8.1: profile-level-id":
        "profile-level-id names another profile, or a lower level, than the sequence parameter set"; "a player refuses a stream that it could play, or takes one that it cannot"
    SdpControl Warning "sdp-control" "RFC 2326 §C.1.1":
        "A media section has no control attribute among several"; "clients do not know what to set up"
    SetMissing Error "set-missing" "ITU-T H.264 §7.4.1.2.1, H.265 §7.4.2.4.2":
        "A picture refers to a parameter set that was neither in the description nor in the stream"; "black until the set comes"
    PacketHeader Error "rtp-header" "RFC 3550 §5.1":
        "A packet whose RTP header cannot be read"; "the packet is dropped: damage until the next key picture"
    PayloadType Error "payload-type" "RFC 3550 §5.1":
        "A packet with a payload type that the description does not name"; "the packet is dropped"
    SsrcChange Error "ssrc-change" "RFC 3550 §8.2, §6.6":
        "The SSRC changed in mid-stream without a goodbye"; "receivers drop what follows for seconds, or for ever"
    SequenceGap Error "sequence-gap" "RFC 3550 §5.1":
        "Sequence numbers are missing"; "a receiver counts lost packets: damage until the next key picture"
    SequenceDuplicate Error "sequence-duplicate" "RFC 3550 §5.1":
        "A sequence number was used twice"; "the second packet is dropped: where it holds something else, damage"
    SequenceOrder Warning "sequence-order" "RFC 3550 §5.1":
        "A packet came after one that is numbered higher"; "receivers without a reorder buffer drop it"
    SequenceRestart Error "sequence-restart" "RFC 3550 §5.1, A.1":
        "The sequence numbers start anew in mid-stream"; "a receiver takes the next packets for old ones and drops them"
    Padding Note "rtp-padding" "RFC 3550 §5.1":
        "Packets are padded"; "costs bandwidth; some receivers take the padding for picture data"
    PacketTooLarge Error "packet-too-large" "RFC 6184 §5.8 and RFC 8085 §3.2":
        "A NAL unit is sent in a packet larger than the path takes whole (1 472 bytes over UDP)"; "the packet is fragmented by IP: losing one part loses all, and firewalls drop it"
    MarkerMissing Error "marker-missing" "RFC 6184 §5.1, RFC 7798 §4.1: marker":
        "No marker on the last packet of a picture"; "players show each picture one late"
    MarkerEarly Error "marker-early" "RFC 6184 §5.1, RFC 7798 §4.1: marker":
        "A marker before the last packet of a picture"; "players decode the picture before it is whole: damage"
    PacketizationMode Error "packetization-mode" "RFC 6184 §5.4, §6.2":
        "A payload structure that the packetization mode does not allow"; "receivers that keep to the mode drop the packet"
    DonUnexpected Error "don-unexpected" "RFC 6184 §6.4, RFC 7798 §4.4, §7.1: sprop-max-don-diff":
        "Decoding order numbers are in the payloads, and the description says that there are none"; "the numbers are taken for picture data: no picture"
    DonMissing Error "don-missing" "RFC 6184 §6.4, RFC 7798 §4.4, §7.1: sprop-max-don-diff":
        "The description promises decoding order numbers, and the payloads have none"; "two bytes of each NAL unit are taken for a number: no picture"
    AggregationSize Error "aggregation-size" "RFC 6184 §5.7.1, RFC 7798 §4.4.2":
        "An aggregation packet whose sizes do not add up, or with a unit that may not be in it"; "the NAL units behind it are lost, parameter sets among them"
    AggregationSingle Warning "aggregation-single" "RFC 7798 §4.4.2":
        "An aggregation packet of one NAL unit"; "costs bytes; strict receivers drop it"
    AggregationNri Warning "aggregation-nri" "RFC 6184 §5.7":
        "The NRI of an aggregation packet is not the highest of its units'"; "network elements drop what matters before what does not"
    FragmentStart Error "fragment-start" "RFC 6184 §5.8, RFC 7798 §4.4.3":
        "The first fragment of a NAL unit has no start bit, or a later one has it"; "the NAL unit is dropped: damage until the next key picture"
    FragmentEnd Error "fragment-end" "RFC 6184 §5.8, RFC 7798 §4.4.3":
        "The last fragment of a NAL unit has no end bit, or an earlier one has it"; "the NAL unit is dropped or cut: damage until the next key picture"
    FragmentWhole Error "fragment-whole" "RFC 6184 §5.8, RFC 7798 §4.4.3":
        "A fragment with start bit and end bit"; "strict receivers drop the NAL unit"
    FragmentType Error "fragment-type" "RFC 6184 §5.8, RFC 7798 §4.4.3":
        "The NAL unit type changed from one fragment to the next"; "receivers drop the rest of the NAL unit"
    FragmentReserved Error "fragment-reserved-bit" "RFC 6184 §5.8":
        "The reserved bit of a fragment is set"; "none, for receivers that ignore it as they must"
    FragmentEmpty Warning "fragment-empty" "RFC 6184 §5.8, RFC 7798 §4.4.3":
        "A fragment without a byte of the NAL unit"; "some receivers crash, or drop the NAL unit"
    NalForbiddenBit Error "nal-forbidden-bit" "ITU-T H.264 §7.4.1, H.265 §7.4.2.2":
        "forbidden_zero_bit is set"; "receivers drop the NAL unit as damaged"
    NalReserved Error "nal-type-reserved" "RFC 6184 §5.2, RFC 7798 §4.4":
        "A payload or NAL unit type that is reserved"; "the packet is dropped"
    NalRefIdc Error "nal-ref-idc" "ITU-T H.264 §7.4.1":
        "nal_ref_idc is 0 where it may not be, or above 0 where it must be 0"; "proxies that drop what nobody refers to drop key pictures or parameter sets"
    NalTemporalId Error "nal-temporal-id" "ITU-T H.265 §7.4.2.2":
        "nuh_temporal_id_plus1 is 0, or TemporalId is above 0 where it must be 0"; "decoders drop the NAL unit"
    StartCodeInside Error "start-code-inside" "ITU-T H.264 §7.4.1, H.265 §7.4.2.1; RFC 6184 §5.6":
        "A start code inside a NAL unit"; "what follows it is lost, or is another NAL unit for players that write Annex B"
    EmulationMissing Error "emulation-prevention" "ITU-T H.264 §7.4.1, H.265 §7.4.2.1":
        "Bytes 00 00 00 or 00 00 02 in a NAL unit, or 00 00 03 before a byte above 3"; "players that write Annex B cut the NAL unit there: damage"
    TrailingZeros Warning "trailing-zeros" "ITU-T H.264 §7.4.1, H.265 §7.4.2.1":
        "A NAL unit ends in a zero byte"; "some MP4 readers refuse the file that it is recorded into"
    SetMalformed Error "set-malformed" "ITU-T H.264 §7.3.2, H.265 §7.3.2":
        "A parameter set that cannot be read"; "black"
    SetTrailing Warning "set-trailing-bytes" "ITU-T H.264 §7.3.2.11, H.265 §7.3.2.11":
        "Bytes behind the end of a parameter set"; "strict decoders refuse the set"
    SetChanged Error "set-changed" "ITU-T H.264 §7.4.1.2.1, H.265 §7.4.2.4.2":
        "A sequence (or video) parameter set changed without an IDR picture behind it"; "the decoder starts anew in mid-GOP: damage until the next key picture"
    SecondOpinion Warning "second-opinion" "ITU-T H.264 §7.3.2.1.1":
        "Two parsers read the sequence parameter set differently"; "players will differ as well"
    SpsSize Error "sps-size" "ITU-T H.264 §7.4.3: first_mb_in_slice, §7.4.2.1.1; RFC 6184 §8.4":
        "The picture size of the sequence parameter set is not that of the slices or of the description"; "cut or garbled pictures, and decoders that write past their buffers"
    SetsInside Error "sets-inside" "ITU-T H.264 §7.4.1.2.3, H.265 §7.4.2.4.4":
        "NAL units that begin an access unit, between the slices of one picture"; "players take each slice for a picture"
    AudOrder Error "aud-order" "ITU-T H.264 §7.4.1.2.3, H.265 §7.4.2.4.4":
        "An access unit delimiter that is not the first NAL unit of its picture"; "players that split by delimiters put sets into the wrong picture"
    AudType Error "aud-type" "ITU-T H.264 §7.4.2.4, H.265 §7.4.3.5":
        "The delimiter promises other slice types than the picture has"; "players that look for key pictures by it find none, or wrong ones"
    SeiOrder Error "sei-order" "ITU-T H.264 §7.4.1.2.3":
        "A buffering period message that is not the first of its picture"; "strict decoders ignore the buffer model"
    StartNoKey Error "start-no-key" "ITU-T H.264 §7.4.1.2.2, H.265 §7.4.2.4.3":
        "The stream does not start at a key picture"; "black or damage until the first key picture"
    KeyRare Warning "key-rare" "ITU-T H.264 §D.2.8; ONVIF Streaming Specification: SetSynchronizationPoint":
        "More than 12 s without a picture that playing can start at"; "whoever opens the stream, or seeks, waits that long"
    IdrMissing Error "idr-missing" "ITU-T H.264 §7.4.3, H.265 §8.3.1":
        "frame_num and picture order start anew without an IDR picture"; "the picture refers to what never came: damage until the next key picture"
    KeyNotIntra Error "key-not-intra" "ITU-T H.264 §7.4.3: slice_type, H.265 §7.4.7.1":
        "A key picture with slices that refer to other pictures"; "damage for whoever starts there"
    IdrId Error "idr-id" "ITU-T H.264 §7.4.3: idr_pic_id":
        "Two IDR pictures in a row with one idr_pic_id"; "decoders take them for one picture"
    FrameNum Error "frame-num-gap" "ITU-T H.264 §7.4.3: frame_num":
        "frame_num leaps where gaps are not allowed"; "the decoder takes pictures for lost, and conceals: damage"
    ReorderExceeded Error "reorder-exceeded" "ITU-T H.264 §E.2.1: max_num_reorder_frames, H.265 §C.5.2.2":
        "Pictures are reordered more than the sequence parameter set says"; "pictures are shown in the wrong order, or late"
    BPictures Note "b-pictures" "ITU-T H.264 §C.4.4, H.265 §C.5.2":
        "Pictures are reordered (B pictures)"; "live viewing is later by the depth of reordering"
    LevelSize Error "level-frame-size" "ITU-T H.264 §A.3.1, H.265 §A.4.1":
        "Pictures larger than the level allows"; "hardware decoders refuse the stream"
    LevelRate Error "level-rate" "ITU-T H.264 §A.3.1: MaxMBPS, H.265 §A.4.2: MaxLumaSr":
        "More macroblocks (or samples) a second than the level allows"; "hardware decoders fall behind"
    LevelBitRate Error "level-bit-rate" "ITU-T H.264 §A.3.1: MaxBR, H.265 §A.4.2":
        "More bits a second than the level allows"; "decoders' buffers overflow"
    LevelDpb Error "level-dpb" "ITU-T H.264 §A.3.1: MaxDpbFrames":
        "More reference frames than the level has room for"; "decoders drop references: damage"
    PictureTooLarge Error "picture-too-large" "ITU-T H.264 §A.3.1: MinCR, H.265 §A.4.2":
        "A picture of more bytes than the level allows"; "hardware decoders stall or drop it"
    TimestampEqual Error "timestamp-equal" "RFC 6184 §5.1, RFC 7798 §4.1: timestamp":
        "Two pictures with one timestamp"; "players show one of them, or take them for one picture"
    TimestampInside Error "timestamp-inside" "RFC 6184 §5.1, RFC 7798 §4.1: timestamp":
        "The timestamp changed inside a picture"; "players take it for two pictures: damage"
    TimestampOrder Error "timestamp-order" "RFC 6184 §5.1, RFC 7798 §4.1: timestamp":
        "Timestamps go back, or against the order of the pictures"; "pictures are shown in the wrong order or dropped"
    TimestampLeap Error "timestamp-leap" "RFC 3550 §5.1: timestamp":
        "The timestamp leaps, by seconds that did not pass"; "players freeze or start anew; recordings get a hole"
    TimestampStep Note "timestamp-step" "ITU-T H.264 §E.2.1: fixed_frame_rate_flag":
        "A fixed frame rate is declared, and timestamps are no multiples of it"; "players that go by the declared rate judder"
    RateDeclared Warning "rate-declared" "ITU-T H.264 §E.2.1, RFC 8866 §6.13: framerate":
        "Another frame rate is delivered than declared"; "players that go by the declared rate run dry, or fall behind"
    ClockDrift Error "clock-drift" "RFC 6184 §8.2.1 and RFC 3550 §5.1: 90 kHz":
        "The RTP clock does not run at 90 kHz"; "buffers fill or run dry: a pause or a leap every few minutes; sound and picture part"
    RtcpMalformed Error "rtcp-malformed" "RFC 3550 §6.4":
        "An RTCP packet that cannot be read"; "the report is dropped"
    RtcpCompound Warning "rtcp-compound" "RFC 3550 §6.1":
        "An RTCP compound without CNAME, or that does not begin with a report"; "receivers cannot match sound and picture"
    SrMissing Warning "sr-missing" "RFC 3550 §6.2, §6.4.1; ONVIF Streaming Specification: RTCP":
        "No sender report in more than 15 s"; "nobody knows when the pictures were taken; sound and picture cannot be matched"
    SrRare Warning "sr-rare" "RFC 3550 §6.2":
        "More than 30 s between sender reports"; "whoever joins waits that long for the time"
    SrUnset Error "sr-unset" "RFC 3550 §6.4.1: NTP timestamp":
        "A sender report without a time, or of before 2000"; "recordings are dated by their arrival"
    SrWallClock Error "sr-wall-clock" "RFC 3550 §6.4.1: NTP timestamp":
        "Sender reports whose time is more than 5 s off"; "recordings are dated wrongly: evidence is challenged"
    SrMedia Error "sr-media" "RFC 3550 §6.4.1: RTP timestamp":
        "A sender report whose RTP timestamp is more than 5 s off the pictures'"; "sound and picture are matched wrongly; pictures are dated wrongly"
    SrInconsistent Error "sr-inconsistent" "RFC 3550 §6.4.1":
        "Sender reports that contradict each other: the time and the RTP timestamp do not advance together"; "the date of the pictures leaps"
    OnvifExtension Error "onvif-extension" "ONVIF Streaming Specification: RTP header extension":
        "A header extension 0xABAC that is not of three words"; "clients of recordings cannot tell when the pictures were taken"
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// `docs/vet.md` and the rules say the same.
    #[test]
    fn the_page_has_every_rule_and_no_other() {
        let page = include_str!("../../docs/vet.md");
        let mut expected = BTreeSet::new();
        for rule in Rule::ALL {
            let row = format!(
                "| `{}` | {} | {} | {} | {} |",
                rule.id(),
                rule.severity(),
                rule.clause(),
                rule.what(),
                rule.means()
            );
            assert!(expected.insert(row), "{rule} stands twice");
        }
        let rows: BTreeSet<String> =
            page.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
        let missing: Vec<_> = expected.difference(&rows).collect();
        let stale: Vec<_> = rows.difference(&expected).collect();
        assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:#?}\nstale: {stale:#?}");
    }
}
