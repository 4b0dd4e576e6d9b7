//! A stream that the host has received in: as Annex B bytes, RTP packets or access units. Fragmented MP4 out. No thread, no
//! clock, no file: the host owns all of them.

mod calls;
mod rtp;

pub use calls::*;

use std::ffi::c_char;

use vigie::codec::Codec;
use vigie::depacket::{AnnexBReader, Assembler};
use vigie::h26x::{annexb, nal_units};
use vigie::limits::Limits;
use vigie::time::Micros;

use crate::VigieResult;
use crate::error::{Place, Told};
use crate::given::Sized;
use crate::guard::{Guarded, Tells};
use crate::maker::{Maker, VigieMode};
use crate::piece::{Lent, VigiePiece};
use rtp::Rtp;

/// A coding standard.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieCodec {
    /// Told by the bytes, or by the SDP.
    Detect = 0,
    /// ITU-T H.264.
    H264 = 1,
    /// ITU-T H.265.
    H265 = 2,
}

/// What a remuxer is given.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VigieInput {
    /// A byte stream with start codes, cut anywhere: `vigie_remuxer_push`. It has no times; they follow from picture order and
    /// frame rate.
    AnnexB = 0,
    /// RTP packets of one media, as RFC 6184 or RFC 7798 has them: `vigie_remuxer_push_rtp`, `vigie_remuxer_push_rtcp`.
    Rtp = 1,
    /// Access units with RTP timestamps: `vigie_remuxer_push_access_unit`.
    AccessUnits = 2,
}

/// How a remuxer is to work. Set `struct_size` to `sizeof(vigie_remuxer_config)`, everything else to 0 for the default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieRemuxerConfig {
    /// `sizeof(vigie_remuxer_config)`.
    pub struct_size: usize,
    /// One of `vigie_codec`. Access units need it; RTP needs it or `sdp`.
    pub codec: i32,
    /// One of `vigie_input`.
    pub input: i32,
    /// `VIGIE_MODE_RECORDING` or `VIGIE_MODE_LIVE`. Annex B knows recording only.
    pub mode: i32,
    /// RTP only. 0: the packets come in order, as over TCP, and a gap is a loss at once. 1: they come as datagrams do, and are
    /// put in order; mind `vigie_remuxer_next_timeout`.
    pub datagrams: i32,
    /// RTP only: the session description, which says how payloads are packed and what parameter sets there are; may be NULL.
    /// Copied.
    pub sdp: *const u8,
    /// Bytes of it.
    pub sdp_len: usize,
    /// The media of the description: 1 for its first, 0 for the first that is H.264 or H.265.
    pub media: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The camera's name, for `vigie_error`; may be NULL. Copied.
    pub camera: *const c_char,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieRemuxerConfig {}

/// An access unit: one coded picture with what belongs to it. Set `struct_size` to `sizeof(vigie_access_unit)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieAccessUnit {
    /// `sizeof(vigie_access_unit)`.
    pub struct_size: usize,
    /// Its NAL units.
    pub bytes: *const u8,
    /// Number of bytes.
    pub len: usize,
    /// 0: each NAL unit behind a start code. 1: each behind its length in 4 bytes, big-endian.
    pub length_prefixed: i32,
    /// Its RTP timestamp, or any count at 90 kHz; wraps.
    pub timestamp: u32,
    /// When it was received, in microseconds of the host's monotonic clock.
    pub received: u64,
    /// RTP packets lost since the one before it, 0 where nobody knows of any.
    pub lost: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers and pointers only.
unsafe impl Sized for VigieAccessUnit {}

/// Counters of a remuxer, from its beginning. Set `struct_size` to `sizeof(vigie_remuxer_counters)` before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VigieRemuxerCounters {
    /// `sizeof(vigie_remuxer_counters)`.
    pub struct_size: usize,
    /// Access units that went in.
    pub access_units: u64,
    /// Samples that came out.
    pub samples: u64,
    /// RTP packets taken.
    pub packets: u64,
    /// RTP packets found missing.
    pub lost: u64,
    /// RTP packets that came twice.
    pub duplicates: u64,
    /// RTP packets that came behind one that is numbered higher.
    pub reordered: u64,
}

// SAFETY: repr(C), starts with `struct_size: usize`, numbers only.
unsafe impl Sized for VigieRemuxerCounters {}

/// A stream on its way to MP4. One call at a time.
pub struct VigieRemuxer(
    #[expect(dead_code, reason = "reached through the handle's pointer")] Guarded<Remuxer>,
);

/// What the handle points to.
pub(crate) struct Remuxer {
    input: Input,
    maker: Maker,
    limits: Limits,
    finished: bool,
    lent: Lent,
    /// Bytes of Annex B taken, or the number of RTP packets or access units.
    taken: u64,
    units: u64,
    samples: u64,
    told: Told,
}

enum Input {
    /// Bytes kept until the codec is known.
    Undecided(Vec<u8>),
    AnnexB(Box<AnnexBReader>),
    Rtp(Box<Rtp>),
    AccessUnits(Box<Assembler>),
}

/// Bytes that are looked at to tell the codec, at most; a stream that has not told by then is not video.
const ENOUGH: usize = 1 << 20;

impl Remuxer {
    /// When a packet has waited for long enough.
    fn next_timeout(&self) -> Option<Micros> {
        if let Input::Rtp(rtp) = &self.input { rtp.next_timeout() } else { None }
    }

    fn timeout(&mut self, now: Micros) -> VigieResult {
        if let Input::Rtp(rtp) = &mut self.input {
            rtp.timeout(now);
        }
        self.run()
    }
}

impl Tells for Remuxer {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }
}

impl Remuxer {
    fn place(&self) -> Place {
        let packet = if let Input::Rtp(rtp) = &self.input { rtp.last() } else { None };
        Place { offset: Some(self.taken), packet, cseq: None }
    }

    fn fail(&mut self, result: VigieResult, detail: impl std::fmt::Display) -> VigieResult {
        let place = self.place();
        self.told.fail(result, place, detail)
    }

    fn not_video(&mut self, len: usize) -> VigieResult {
        self.fail(VigieResult::NotVideo, format!("no picture in {len} bytes"))
    }

    fn push(&mut self, bytes: &[u8]) -> VigieResult {
        if self.finished {
            return self.fail(VigieResult::Order, "push after finish");
        }
        match &mut self.input {
            Input::AnnexB(reader) => {
                reader.push(bytes);
                self.taken += bytes.len() as u64;
                self.run()
            }
            // Refused before; a host that goes on all the same must not fill the memory.
            Input::Undecided(kept) if kept.len() > ENOUGH => {
                let len = kept.len();
                self.not_video(len)
            }
            Input::Undecided(kept) => {
                kept.extend_from_slice(bytes);
                match annexb::detect(kept) {
                    Some(codec) => {
                        let kept = std::mem::take(kept);
                        self.input = Input::AnnexB(Box::new(AnnexBReader::new(codec, &self.limits)));
                        self.push(&kept)
                    }
                    None if kept.len() > ENOUGH => {
                        let len = kept.len();
                        self.not_video(len)
                    }
                    None => VigieResult::Ok,
                }
            }
            _ => self.fail(VigieResult::Order, "bytes of Annex B for a remuxer that takes other input"),
        }
    }

    fn push_rtp(&mut self, bytes: &[u8], received: Micros) -> VigieResult {
        if self.finished {
            return self.fail(VigieResult::Order, "push after finish");
        }
        let Input::Rtp(rtp) = &mut self.input else {
            return self.fail(VigieResult::Order, "an RTP packet for a remuxer that takes other input");
        };
        let pushed = rtp.push(bytes, received);
        self.taken += 1;
        if let Err(error) = pushed {
            let place = Place::at(error.at.0);
            return self.told.fault(VigieResult::Stream, place, &error);
        }
        self.run()
    }

    fn push_rtcp(&mut self, bytes: &[u8], received: Micros) -> VigieResult {
        if self.finished {
            return self.fail(VigieResult::Order, "push after finish");
        }
        let Input::Rtp(rtp) = &mut self.input else {
            return self.fail(VigieResult::Order, "an RTCP packet for a remuxer that takes other input");
        };
        match rtp.rtcp(bytes, received, &mut self.maker) {
            Ok(()) => self.run(),
            Err(error) => {
                let place = Place::at(error.at.0);
                self.told.fault(VigieResult::Stream, place, &error)
            }
        }
    }

    fn push_access_unit(&mut self, unit: &VigieAccessUnit, bytes: &[u8]) -> VigieResult {
        if self.finished {
            return self.fail(VigieResult::Order, "push after finish");
        }
        let Input::AccessUnits(assembler) = &mut self.input else {
            return self.fail(VigieResult::Order, "an access unit for a remuxer that takes other input");
        };
        if unit.lost > 0 {
            assembler.lost(unit.lost);
        }
        let (mut nals, mut read) = (0, 0);
        let mut take = |nal: &[u8]| {
            assembler.begin_nal(unit.timestamp, Micros(unit.received));
            assembler.extend(nal);
            assembler.end_nal();
            (nals, read) = (nals + 1, read + nal.len() + 4);
        };
        if unit.length_prefixed == 1 {
            nal_units(bytes).for_each(|nal| take(nal.bytes));
        } else {
            annexb::units(bytes).for_each(&mut take);
        }
        assembler.end_access_unit();
        self.taken += 1;
        let done = self.run();
        if nals == 0 || unit.length_prefixed == 1 && read != bytes.len() {
            return self.fail(VigieResult::NotVideo, "not NAL units as length_prefixed says");
        }
        done
    }

    fn finish(&mut self) -> VigieResult {
        if self.finished {
            return self.fail(VigieResult::Order, "finish was called before");
        }
        self.finished = true;
        match &mut self.input {
            Input::Undecided(kept) => {
                let len = kept.len();
                return self.not_video(len);
            }
            Input::AnnexB(reader) => reader.finish(),
            Input::Rtp(rtp) => rtp.finish(),
            Input::AccessUnits(assembler) => assembler.finish(),
        }
        let done = self.run();
        match self.maker.finish() {
            Ok(()) => done,
            Err(error) => self.broken(&error),
        }
    }

    fn broken(&mut self, error: &vigie::fragment::Error) -> VigieResult {
        let place = self.place();
        self.told.fault(VigieResult::Stream, place, error)
    }

    /// Takes everything as far along the way as it goes.
    fn run(&mut self) -> VigieResult {
        let mut failed = None;
        loop {
            let unit = match &mut self.input {
                Input::Undecided(_) => None,
                Input::AnnexB(reader) => reader.pull(),
                Input::Rtp(rtp) => rtp.pull(&mut self.maker),
                Input::AccessUnits(assembler) => assembler.pull(),
            };
            let Some(unit) = unit else { break };
            self.units += 1;
            if let Err(error) = self.maker.push(unit) {
                failed = Some(error);
            }
        }
        failed.map_or(VigieResult::Ok, |error| self.broken(&error))
    }

    fn pull(&mut self) -> Option<VigiePiece> {
        let made = self.maker.pull()?;
        self.samples += u64::from(made.piece.samples);
        Some(self.lent.lend(made))
    }

    fn stats(&self) -> VigieRemuxerCounters {
        let rtp = if let Input::Rtp(rtp) = &self.input { rtp.stats() } else { Default::default() };
        VigieRemuxerCounters {
            struct_size: size_of::<VigieRemuxerCounters>(),
            access_units: self.units,
            samples: self.samples,
            packets: rtp.packets,
            lost: rtp.lost,
            duplicates: rtp.duplicates,
            reordered: rtp.reordered,
        }
    }
}

/// What a config says.
fn made(config: &VigieRemuxerConfig, sdp: &[u8], camera: Option<&str>) -> Result<Remuxer, VigieResult> {
    let limits = Limits::default();
    let codec = match config.codec {
        0 => None,
        1 => Some(Codec::H264),
        2 => Some(Codec::H265),
        _ => return Err(VigieResult::Argument),
    };
    let live = match config.mode {
        m if m == VigieMode::Recording as i32 => false,
        m if m == VigieMode::Live as i32 => true,
        _ => return Err(VigieResult::Argument),
    };
    let bad = config.reserved != 0 || !matches!(config.datagrams, 0 | 1);
    if bad || config.input != VigieInput::Rtp as i32 && !sdp.is_empty() {
        return Err(VigieResult::Argument);
    }
    let input = match config.input {
        i if i == VigieInput::AnnexB as i32 => {
            if live {
                return Err(VigieResult::Argument);
            }
            codec.map_or(Input::Undecided(vec![]), |c| Input::AnnexB(Box::new(AnnexBReader::new(c, &limits))))
        }
        i if i == VigieInput::Rtp as i32 => {
            Input::Rtp(Box::new(Rtp::new(codec, sdp, config.media, config.datagrams == 1, &limits)?))
        }
        i if i == VigieInput::AccessUnits as i32 => {
            let codec = codec.ok_or(VigieResult::Argument)?;
            Input::AccessUnits(Box::new(Assembler::new(codec, &limits)))
        }
        _ => return Err(VigieResult::Argument),
    };
    let maker = match &input {
        Input::Undecided(_) | Input::AnnexB(_) => Maker::ordered(&limits),
        _ => Maker::timed(live, &limits),
    };
    Ok(Remuxer {
        input,
        maker,
        limits,
        finished: false,
        lent: Lent::default(),
        taken: 0,
        units: 0,
        samples: 0,
        told: Told::of(camera.unwrap_or_default()),
    })
}
