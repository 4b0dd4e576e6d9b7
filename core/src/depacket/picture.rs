//! RTP payloads of pictures without NAL units, which are kept as they come: JPEG and AV1.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;

use bytes::Bytes;

use super::av1::Av1;
use super::jpeg::Jpeg;
use super::{Loss, Place};
use crate::codec::PictureCodec;
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::rtp::RtpPacket;
use crate::sdp::Media;
use crate::time::Micros;

/// What a stream of such pictures is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PictureFormat {
    /// The coding.
    pub codec: PictureCodec,
    /// Ticks of the RTP timestamp per second.
    pub clock_rate: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// AV1: the AV1CodecConfigurationRecord. JPEG needs nothing.
    pub configuration: Bytes,
}

impl PictureFormat {
    /// RFC 6381 parameter, `av01.0.04M.08`; where that has no word, the sample entry's: `mjpg`.
    #[must_use]
    pub fn codec_string(&self) -> String {
        match self.codec {
            PictureCodec::Jpeg => "mjpg".into(),
            PictureCodec::Av1 => match self.configuration.get(1..3) {
                Some(&[first, second]) => {
                    let (profile, level) = (first >> 5, first & 31);
                    let tier = if second >> 7 == 0 { 'M' } else { 'H' };
                    let depth = 8 + 2 * (second >> 6 & 1) + 2 * (second >> 5 & 1);
                    alloc::format!("av01.{profile}.{level:02}{tier}.{depth:02}")
                }
                _ => "av01".into(),
            },
        }
    }
}

/// What is decoded at once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PictureUnit {
    /// What it is. The same `Arc` as before as long as nothing of it changed.
    pub format: Arc<PictureFormat>,
    /// JPEG: an image, from SOI to EOI. AV1: a temporal unit, each OBU with its size, as ISO BMFF samples have them.
    pub data: Bytes,
    /// Its RTP timestamp.
    pub timestamp: u32,
    /// When the packet with its first byte arrived.
    pub received: Micros,
    /// Can decoding start here? Always, in JPEG; in AV1 at a key frame that comes with its sequence header.
    pub random_access: bool,
    /// What is missing before it.
    pub loss: Loss,
}

/// One stream's RTP packets, in order, to pictures without NAL units.
///
/// Give each packet to [`push`](Self::push), then call [`pull`](Self::pull) until it gives nothing. Pictures that something
/// is missing from are dropped and counted, whatever the policy: half a JPEG is of no use to anybody, and AV1 has no
/// way to hide what is missing.
#[derive(Clone, Debug)]
pub struct PictureDepacketizer {
    way: Way,
    out: Out,
}

#[derive(Clone, Debug)]
enum Way {
    Jpeg(Jpeg),
    Av1(Av1),
}

impl PictureDepacketizer {
    /// For the chosen payload type of a media section; `None` where it carries no such pictures.
    #[must_use]
    pub fn new(media: &Media, limits: &Limits) -> Option<Self> {
        let codec = media.picture()?;
        let way = match codec {
            PictureCodec::Jpeg => Way::Jpeg(Jpeg::default()),
            PictureCodec::Av1 => Way::Av1(Av1::default()),
        };
        let clock_rate = if media.clock_rate == 0 { 90_000 } else { media.clock_rate };
        let format = PictureFormat { codec, clock_rate, width: 0, height: 0, configuration: Bytes::new() };
        Some(Self { way, out: Out::new(format, limits) })
    }

    /// Takes the next packet. `lost_before` is the number of packets missing between the one before and this one.
    pub fn push(&mut self, packet: &RtpPacket<'_>, received: Micros, lost_before: u32) {
        if lost_before > 0 {
            self.out.loss.packets = self.out.loss.packets.saturating_add(lost_before);
            self.out.loss.place = Some(Place::Before);
        }
        if packet.payload.is_empty() {
            return self.out.quirks.count(Quirk::EmptyPayload);
        }
        match &mut self.way {
            Way::Jpeg(jpeg) => jpeg.packet(packet, received, lost_before > 0, &mut self.out),
            Way::Av1(av1) => av1.packet(packet, received, lost_before > 0, &mut self.out),
        }
    }

    /// Nothing more comes, or what comes does not go on from here. A picture that was not ended is dropped.
    pub fn finish(&mut self) {
        match &mut self.way {
            Way::Jpeg(jpeg) => jpeg.abandon(&mut self.out),
            Way::Av1(av1) => av1.abandon(&mut self.out),
        }
    }

    /// The next picture.
    pub fn pull(&mut self) -> Option<PictureUnit> {
        self.out.ready.pop_front()
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.out.quirks
    }

    /// Pictures dropped since something of them was missing or wrong, as far as a packet of them came.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.out.dropped
    }
}

/// Where pictures are put: their format, and what was lost before them.
#[derive(Clone, Debug)]
pub(super) struct Out {
    pub(super) limits: Limits,
    pub(super) quirks: Quirks,
    pub(super) dropped: u64,
    format: Arc<PictureFormat>,
    ready: VecDeque<PictureUnit>,
    loss: Loss,
}

impl Out {
    fn new(format: PictureFormat, limits: &Limits) -> Self {
        Self {
            limits: *limits,
            quirks: Quirks::default(),
            dropped: 0,
            format: Arc::new(format),
            ready: VecDeque::new(),
            loss: Loss::default(),
        }
    }

    /// What follows has this size.
    pub(super) fn set_size(&mut self, (width, height): (u32, u32)) {
        if (self.format.width, self.format.height) != (width, height) {
            self.format = Arc::new(PictureFormat { width, height, ..(*self.format).clone() });
        }
    }

    /// What follows needs this to be decoded.
    pub(super) fn set_configuration(&mut self, record: &[u8]) {
        if self.format.configuration != record {
            let configuration = Bytes::copy_from_slice(record);
            self.format = Arc::new(PictureFormat { configuration, ..(*self.format).clone() });
        }
    }

    /// A picture is whole.
    pub(super) fn give(&mut self, data: Bytes, timestamp: u32, received: Micros, random_access: bool) {
        let loss = core::mem::take(&mut self.loss);
        let format = Arc::clone(&self.format);
        self.ready.push_back(PictureUnit { format, data, timestamp, received, random_access, loss });
    }
}
