//! Every cap of the library, in one place. A buffer is bounded by one of these, never by a number from the wire.

use crate::fault::{LossPolicy, Policy};

/// The caps. The defaults fit one camera of a pooled park; a host that knows better builds its own.
///
/// ```
/// use vigie::limits::Limits;
/// let mut small = Limits::default();
/// small.access_unit = 1 << 20;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one RTSP message's start line and headers.
    pub rtsp_head: usize,
    /// Bytes of one RTSP message's body (an SDP, an ONVIF document).
    pub rtsp_body: usize,
    /// Media sections read from one SDP; further ones are skipped.
    pub sdp_media: usize,
    /// Bytes skipped in search of the next message after framing was lost, before the session ends.
    pub resync: usize,
    /// Bytes of the receive buffer of one connection. An interleaved packet is at most 65 539 bytes.
    pub receive_buffer: usize,
    /// Bytes that wait to be sent on one connection before the peer counts as stuck.
    pub send_queue: usize,
    /// Packets that one source's reorder buffer holds.
    pub reorder_packets: usize,
    /// Microseconds that a missing packet is waited for where the transport reorders.
    pub reorder_micros: u64,
    /// NAL units that wait for their turn by decoding order number, RFC 6184 §7.2.2, RFC 7798 §6.
    pub interleaved_units: usize,
    /// Their bytes.
    pub interleaved_bytes: usize,
    /// Bytes of one access unit. A 4K intra picture is about 0.7 MB.
    pub access_unit: usize,
    /// Bytes of one audio access unit. AAC has at most 6 144 bits per channel (ISO/IEC 14496-3 §4.5.3.2): 768 bytes.
    pub audio_unit: usize,
    /// Bytes of one ONVIF metadata document.
    pub document: usize,
    /// NAL units of one access unit. A 1080p picture with a slice for each macroblock has 8 160.
    pub nal_units: usize,
    /// Bytes of one parameter set.
    pub parameter_set: usize,
    /// Pictures in one reorder group; H.264 and H.265 allow a depth of 16.
    pub reorder_depth: usize,
    /// Bytes of one recorded fragment; a longer GOP is cut at a closed reorder group.
    pub fragment_bytes: usize,
    /// Microseconds of one recorded fragment; likewise.
    pub fragment_micros: u64,
    /// Samples of one fragment.
    pub fragment_samples: usize,
    /// Depth of nested boxes that the ISO BMFF reader follows.
    pub box_depth: usize,
    /// Bytes of one box that a reader of ISO BMFF takes into memory (all but `mdat`).
    pub box_bytes: usize,
    /// Bytes of one record of a captured session (`record::capture`).
    pub capture_record: usize,
    /// Findings that a check of a recording lists; those after are counted only.
    pub findings: usize,
    /// How far tolerance goes: which violations of a peer are.
    pub policy: Policy,
    /// What becomes of access units that packets are missing from.
    pub loss: LossPolicy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rtsp_head: 16 << 10,
            rtsp_body: 256 << 10,
            sdp_media: 32,
            resync: 1 << 20,
            receive_buffer: 128 << 10,
            send_queue: 4 << 20,
            reorder_packets: 512,
            reorder_micros: 100_000,
            interleaved_units: 1_024,
            interleaved_bytes: 4 << 20,
            access_unit: 8 << 20,
            audio_unit: 64 << 10,
            document: 4 << 20,
            nal_units: 16_384,
            parameter_set: 16 << 10,
            reorder_depth: 16,
            fragment_bytes: 16 << 20,
            fragment_micros: 10_000_000,
            fragment_samples: 4_096,
            box_depth: 16,
            box_bytes: 16 << 20,
            capture_record: 1 << 20,
            findings: 10_000,
            policy: Policy::Auto,
            loss: LossPolicy::Mark,
        }
    }
}
