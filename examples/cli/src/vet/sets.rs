//! Parameter sets: what the description says of them, and which change where they may not.

use std::collections::BTreeMap;

use bytes::Bytes;
use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp;
use vigie::codec::Codec;
use vigie::h26x::{Extent, Nal, NalKind, ParameterSets, h264, h265};
use vigie::limits::Limits;
use vigie::octets::BitReader;
use vigie::sdp::Media;

use super::finding::{Findings, Place};
use super::rule::Rule;

/// Sets that wait for the picture that activates them, at most.
const WAITING: usize = 64;

/// The parameter sets of a stream.
pub(super) struct Sets {
    codec: Codec,
    limits: Limits,
    table: ParameterSets,
    /// Sequence and video parameter sets that differ from those of their id: of the next picture, where that is an IDR.
    waiting: Vec<(Bytes, Place)>,
    /// Those of the description, by kind and id.
    described: BTreeMap<(u8, u8), Bytes>,
    /// profile_idc and level_idc of the description's profile-level-id.
    profile: Option<(u8, u8)>,
    /// The description has one that is not of six hexadecimal digits.
    no_profile: bool,
    compared: bool,
    pictures: bool,
}

impl Sets {
    pub(super) fn new(codec: Codec, limits: &Limits) -> Self {
        Self {
            codec,
            limits: *limits,
            table: ParameterSets::new(codec),
            waiting: Vec::new(),
            described: BTreeMap::new(),
            profile: None,
            no_profile: false,
            compared: false,
            pictures: false,
        }
    }

    pub(super) const fn table(&self) -> &ParameterSets {
        &self.table
    }

    pub(super) fn describe(&mut self, media: &Media) {
        for set in &media.parameter_sets {
            if self.table.insert(set).is_ok()
                && let Some(key) = key(self.codec, set)
            {
                self.described.insert(key, set.clone());
            }
        }
        let hex = media.fmtp("profile-level-id").map(str::trim).filter(|_| self.codec == Codec::H264);
        let number = hex.filter(|hex| hex.len() == 6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        self.profile = number.map(|number| ((number >> 16) as u8, number as u8));
        self.no_profile = hex.is_some() && number.is_none();
    }

    /// A parameter set came in the stream.
    pub(super) fn insert(&mut self, nal: &[u8], place: Place, f: &mut Findings) {
        let Some(key) = key(self.codec, nal).filter(|_| nal.len() <= self.limits.parameter_set) else {
            f.add(Rule::SetMalformed, place, || format!("{} bytes, {}", nal.len(), self.why(nal)));
            return;
        };
        if self.table.holds(nal) {
            return;
        }
        let mut trial = ParameterSets::new(self.codec);
        // A PPS is read beside its SPS.
        trial.clone_from(&self.table);
        if let Err(error) = trial.insert(nal) {
            f.add(Rule::SetMalformed, place, || error.to_string());
            return;
        }
        if trial.extent(nal) == Some(Extent::Trailing) {
            f.add(Rule::SetTrailing, place, || format!("{} bytes in all", nal.len()));
        }
        let kind = Nal::new(nal).kind(self.codec);
        if kind == NalKind::Sps && self.codec == Codec::H264 {
            second_opinion(nal, place, f);
        }
        let held = self.held(key);
        if held.as_ref().is_some_and(|held| same(self.codec, held, nal)) {
            return;
        }
        if kind == NalKind::Pps || held.is_none() {
            self.table = trial;
            return;
        }
        self.waiting.retain(|(before, _)| before != nal);
        if self.waiting.len() < WAITING {
            self.waiting.push((Bytes::copy_from_slice(nal), place));
        }
    }

    /// The set of that kind and id.
    fn held(&self, (unit_type, id): (u8, u8)) -> Option<Bytes> {
        let mut sets: Box<dyn Iterator<Item = (u8, &Bytes)> + '_> = match (self.codec, unit_type) {
            (Codec::H264, 7) | (Codec::H265, 33) => Box::new(self.table.sps()),
            (Codec::H265, 32) => Box::new(self.table.vps()),
            _ => Box::new(self.table.pps()),
        };

        sets.find(|(held, _)| *held == id).map(|(_, bytes)| bytes.clone())
    }

    fn why(&self, nal: &[u8]) -> String {
        let error = ParameterSets::new(self.codec).insert(nal).err();
        error.map_or_else(|| "no id".to_owned(), |error| error.to_string())
    }

    /// The first slice of a picture has come: sets that wait are for it.
    pub(super) fn settle(&mut self, key: bool, f: &mut Findings) {
        let waiting = std::mem::take(&mut self.waiting);
        for (nal, place) in waiting {
            // What only the description has said so far has activated nothing.
            if key || !self.pictures {
                let _ = self.table.insert(&nal);
            } else {
                f.add(Rule::SetChanged, place, || {
                    format!(
                        "NAL unit type {}, no IDR picture behind it",
                        Nal::new(&nal).unit_type(self.codec)
                    )
                });
            }
        }
        if !self.pictures {
            self.compare(f);
        }
        self.pictures = true;
    }

    /// What the stream has against what the description says, once.
    fn compare(&mut self, f: &mut Findings) {
        if std::mem::replace(&mut self.compared, true) {
            return;
        }
        let described = self.described.clone();
        let place = Place::default();
        for (key, before) in &described {
            let Some(now) = self.held(*key).filter(|now| !same(self.codec, now, before)) else { continue };
            match (size(self.codec, before), size(self.codec, &now)) {
                (Some(a), Some(b)) if a != b => {
                    f.add(Rule::SpsSize, place, || {
                        format!("described as {}x{}, sent as {}x{}", a.0, a.1, b.0, b.1)
                    });
                }
                _ => f.add(Rule::SdpSetsDiffer, place, || format!("NAL unit type {}, id {}", key.0, key.1)),
            }
        }
        if self.no_profile {
            f.add(Rule::SdpProfile, place, || "not six hexadecimal digits".to_owned());
        }
        let sps = self.table.active().and_then(|id| self.table.sps_h264(id));
        if let (Some((profile, level)), Some(sps)) = (self.profile, sps)
            && (profile != sps.profile || level < sps.level)
        {
            f.add(Rule::SdpProfile, place, || {
                format!(
                    "described as profile {profile} level {level}, the set says profile {} level {}",
                    sps.profile, sps.level
                )
            });
        }
    }

    /// Does a slice, whose header cannot be read, refer to a set that is not there?
    pub(super) fn misses(&self, nal: Nal<'_>) -> bool {
        let mut bits = BitReader::new(nal.payload(self.codec));
        let id = match self.codec {
            Codec::H264 => bits.ue().and_then(|_| bits.ue()).and_then(|_| bits.ue()),
            Codec::H265 => {
                let irap = matches!(nal.unit_type(self.codec), 16..=23);
                bits.bits(if irap { 2 } else { 1 }).and_then(|_| bits.ue())
            }
        };
        let Some(id) = id.and_then(|id| u8::try_from(id).ok()) else { return false };
        let sps = match self.codec {
            Codec::H264 => self.table.pps_h264(id).and_then(|pps| self.table.sps_h264(pps.sps_id)).is_some(),
            Codec::H265 => self.table.pps_h265(id).and_then(|pps| self.table.sps_h265(pps.sps_id)).is_some(),
        };
        !sps
    }

    pub(super) fn finish(&mut self, f: &mut Findings) {
        if self.pictures {
            self.compare(f);
        }
    }
}

/// Do two sets say the same? nal_ref_idc is no part of them.
fn same(codec: Codec, a: &[u8], b: &[u8]) -> bool {
    let from = if codec == Codec::H264 { 1 } else { 0 };
    a.get(from..) == b.get(from..)
}

/// NAL unit type and id.
fn key(codec: Codec, nal: &[u8]) -> Option<(u8, u8)> {
    let unit = Nal::new(nal);
    let id = match (codec, unit.kind(codec)) {
        (_, NalKind::Vps) => h265::Vps::parse(nal).ok()?.id,
        (Codec::H264, NalKind::Sps) => h264::Sps::parse(nal).ok()?.id,
        (Codec::H265, NalKind::Sps) => h265::Sps::parse(nal).ok()?.id,
        (Codec::H264, NalKind::Pps) => h264::Pps::parse(nal, None).ok()?.id,
        (Codec::H265, NalKind::Pps) => h265::Pps::parse(nal).ok()?.id,
        _ => return None,
    };
    Some((unit.unit_type(codec), id))
}

fn size(codec: Codec, nal: &[u8]) -> Option<(u32, u32)> {
    match (codec, Nal::new(nal).kind(codec)) {
        (Codec::H264, NalKind::Sps) => h264::Sps::parse(nal).ok().map(|sps| (sps.width, sps.height)),
        (Codec::H265, NalKind::Sps) => h265::Sps::parse(nal).ok().map(|sps| (sps.width, sps.height)),
        _ => None,
    }
}

/// What `h264-reader`, a parser that shares nothing with ours, reads in a sequence parameter set.
fn second_opinion(nal: &[u8], place: Place, f: &mut Findings) {
    let Ok(ours) = h264::Sps::parse(nal) else { return };
    let theirs = rbsp::decode_nal(nal)
        .ok()
        .and_then(|bytes| SeqParameterSet::from_bits(rbsp::BitReader::new(&bytes[..])).ok());
    let Some(theirs) = theirs else {
        // It refuses what we tolerate: bytes behind the set, and values that are reserved.
        if ours.extent == Extent::Whole {
            f.add(Rule::SecondOpinion, place, || "the other parser refuses the set".to_owned());
        }
        return;
    };
    let vui =
        |sps: &h264::Sps| sps.vui.as_ref().and_then(|vui| vui.restriction).map(|r| u32::from(r.reorder));
    let restrictions = theirs.vui_parameters.as_ref().and_then(|vui| vui.bitstream_restrictions.as_ref());
    let pairs = [
        ("width", Some(ours.width), theirs.pixel_dimensions().ok().map(|(width, _)| width)),
        ("height", Some(ours.height), theirs.pixel_dimensions().ok().map(|(_, height)| height)),
        ("profile_idc", Some(ours.profile.into()), Some(u8::from(theirs.profile_idc).into())),
        ("level_idc", Some(ours.level.into()), Some(theirs.level_idc.into())),
        ("bits of frame_num", Some(ours.frame_num_bits.into()), Some(theirs.log2_max_frame_num().into())),
        ("max_num_ref_frames", Some(ours.max_ref_frames), Some(theirs.max_num_ref_frames)),
        ("max_num_reorder_frames", vui(&ours), restrictions.map(|r| r.max_num_reorder_frames)),
    ];
    for (name, ours, theirs) in pairs {
        if ours != theirs {
            f.add(Rule::SecondOpinion, place, || format!("{name}: {ours:?} against {theirs:?}"));
            return;
        }
    }
}
