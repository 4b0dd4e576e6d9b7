//! The parameter sets of a stream.

mod table;

use bytes::Bytes;

use super::error::{Error, Kind};
use super::picture::Header;
use super::{Codec, Extent, Layers, Nal, NalKind, VideoFormat, format, h264, h265};
use crate::fault::{Offset, Quirk};
use crate::limits::Limits;
use table::Table;

/// The parameter sets of a stream, by id, and which sequence parameter set is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets {
    codec: Codec,
    active: Option<u8>,
    vps: Table<(Bytes, h265::Vps)>,
    sps: Table<(Bytes, Sps)>,
    pps: Table<(Bytes, Pps)>,
    /// H.264: what the subset sequence parameter sets say that there is beside the base layer.
    layers: Layers,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sps {
    H264(h264::Sps),
    H265(h265::Sps),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pps {
    H264(h264::Pps),
    H265(h265::Pps),
}

/// What became of a parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inserted {
    /// It was there, byte for byte.
    Same,
    /// Its id was not there.
    New,
    /// It took the place of another with its id.
    Changed,
}

/// What another table of parameter sets means for an init segment made of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The same sets, byte for byte, and the same one active.
    None,
    /// Nothing that decoding or showing needs: timing, rates and hints of the VUI, ids, the order of arrival, sets that
    /// no picture has activated.
    Cosmetic,
    /// Pictures of another size, depth, profile or level, or coded with other tools, or held back for longer.
    NewInit,
}

impl ParameterSets {
    /// None yet.
    #[must_use]
    pub const fn new(codec: Codec) -> Self {
        Self {
            codec,
            active: None,
            vps: Table::new(),
            sps: Table::new(),
            pps: Table::new(),
            layers: Layers::Base,
        }
    }

    /// The coding standard.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Takes a parameter set: NAL unit with header, without start code. Of an H.264 subset sequence parameter set only
    /// its profile is kept: a decoder of the base layer does not need it, [`VideoFormat::layers`] tells of it.
    ///
    /// # Errors
    /// [`Error`] where it is none or does not parse; the table is unchanged then.
    pub fn insert(&mut self, nal: &[u8]) -> Result<Inserted, Error> {
        self.insert_if(nal, |_| true)
    }

    /// As [`insert`](Self::insert), refusing sets that `limits` have no room for or whose policy does not tolerate.
    pub(crate) fn insert_within(&mut self, nal: &[u8], limits: &Limits) -> Result<Inserted, Error> {
        let longest = limits.parameter_set;
        if nal.len() > longest {
            return Err(Error { kind: Kind::TooLong, at: Offset(longest as u64) });
        }
        let tolerated = limits.policy.tolerates(Quirk::TrailingBytes);
        self.insert_if(nal, |extent| tolerated || extent != Extent::Trailing)
    }

    fn insert_if(&mut self, nal: &[u8], accepts: impl Fn(Extent) -> bool) -> Result<Inserted, Error> {
        let check = |extent| match accepts(extent) {
            true => Ok(()),
            false => Err(Error { kind: Kind::TrailingBytes, at: Offset(nal.len() as u64) }),
        };
        match (self.codec, Nal::new(nal).kind(self.codec)) {
            (_, NalKind::Vps) => {
                let vps = h265::Vps::parse(nal)?;
                check(vps.extent)?;
                Ok(put(&mut self.vps, vps.id, nal, vps))
            }
            (Codec::H264, NalKind::Sps) => {
                let sps = h264::Sps::parse(nal)?;
                check(sps.extent)?;
                Ok(put(&mut self.sps, sps.id, nal, Sps::H264(sps)))
            }
            (Codec::H265, NalKind::Sps) => {
                let sps = h265::Sps::parse(nal)?;
                check(sps.extent)?;
                Ok(put(&mut self.sps, sps.id, nal, Sps::H265(sps)))
            }
            (Codec::H264, NalKind::Pps) => {
                let mut pps = h264::Pps::parse(nal, None)?;
                if let Some(sps) = self.sps_h264(pps.sps_id) {
                    pps = h264::Pps::parse(nal, Some(sps))?;
                }
                check(pps.extent)?;
                Ok(put(&mut self.pps, pps.id, nal, Pps::H264(pps)))
            }
            (Codec::H265, NalKind::Pps) => {
                let pps = h265::Pps::parse(nal)?;
                check(pps.extent)?;
                Ok(put(&mut self.pps, pps.id, nal, Pps::H265(pps)))
            }
            (Codec::H264, NalKind::SubsetSps) => {
                let layers = h264::SubsetSps::parse(nal)?.layers();
                let before = core::mem::replace(&mut self.layers, layers);
                Ok(if before == layers { Inserted::Same } else { Inserted::New })
            }
            // Of auxiliary pictures (alpha), which a decoder of the others does not look at.
            (Codec::H264, NalKind::SpsExtension) => Ok(Inserted::Same),
            _ => Err(Error { kind: Kind::WrongType, at: Offset(0) }),
        }
    }

    /// Is this very parameter set in the table, byte for byte?
    #[must_use]
    pub fn holds(&self, nal: &[u8]) -> bool {
        match Nal::new(nal).kind(self.codec) {
            NalKind::SubsetSps => h264::SubsetSps::parse(nal).is_ok_and(|set| set.layers() == self.layers),
            _ => self.extent(nal).is_some(),
        }
    }

    /// How the parameter set `nal` ends, which is in the table.
    #[must_use]
    pub fn extent(&self, nal: &[u8]) -> Option<Extent> {
        match Nal::new(nal).kind(self.codec) {
            NalKind::Vps => extent(&self.vps, nal, |vps| vps.extent),
            NalKind::Sps => extent(&self.sps, nal, Sps::extent),
            NalKind::Pps => extent(&self.pps, nal, Pps::extent),
            _ => None,
        }
    }

    /// A picture that needs sequence parameter set `id` is about to be decoded.
    pub fn activate(&mut self, id: u8) {
        self.active = Some(id);
    }

    /// The id of the active sequence parameter set; before any picture, the lowest there is.
    #[must_use]
    pub fn active(&self) -> Option<u8> {
        self.active.filter(|id| self.sps.get(*id).is_some()).or_else(|| self.sps.first())
    }

    /// Video parameter sets by id (H.265).
    pub fn vps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.vps.iter().map(|(id, (bytes, _))| (id, bytes))
    }

    /// Sequence parameter sets by id.
    pub fn sps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.sps.iter().map(|(id, (bytes, _))| (id, bytes))
    }

    /// Picture parameter sets by id.
    pub fn pps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.pps.iter().map(|(id, (bytes, _))| (id, bytes))
    }

    /// Sequence parameter set `id` of an H.264 stream.
    #[must_use]
    pub fn sps_h264(&self, id: u8) -> Option<&h264::Sps> {
        match self.sps.get(id) {
            Some((_, Sps::H264(sps))) => Some(sps),
            _ => None,
        }
    }

    /// Sequence parameter set `id` of an H.265 stream.
    #[must_use]
    pub fn sps_h265(&self, id: u8) -> Option<&h265::Sps> {
        match self.sps.get(id) {
            Some((_, Sps::H265(sps))) => Some(sps),
            _ => None,
        }
    }

    /// Picture parameter set `id` of an H.264 stream.
    #[must_use]
    pub fn pps_h264(&self, id: u8) -> Option<&h264::Pps> {
        match self.pps.get(id) {
            Some((_, Pps::H264(pps))) => Some(pps),
            _ => None,
        }
    }

    /// Picture parameter set `id` of an H.265 stream.
    #[must_use]
    pub fn pps_h265(&self, id: u8) -> Option<&h265::Pps> {
        match self.pps.get(id) {
            Some((_, Pps::H265(pps))) => Some(pps),
            _ => None,
        }
    }

    /// The header of a slice; `None` where the sets it needs are missing, or it does not parse.
    #[must_use]
    pub fn slice_header(&self, nal: Nal<'_>) -> Option<Header> {
        match self.codec {
            Codec::H264 => {
                let sets = |id| self.pps_h264(id).and_then(|pps| Some((pps, self.sps_h264(pps.sps_id)?)));
                h264::SliceHeader::parse_by(nal, sets).ok().map(Header::H264)
            }
            Codec::H265 => {
                let sets = |id| self.pps_h265(id).and_then(|pps| Some((pps, self.sps_h265(pps.sps_id)?)));
                h265::SliceHeader::parse_by(nal, sets).ok().map(Header::H265)
            }
        }
    }

    /// What the active sequence parameter set says of the pictures.
    #[must_use]
    pub fn format(&self) -> Option<VideoFormat> {
        match self.active_sps()? {
            Sps::H264(sps) => Some(format::h264(sps, self.layers)),
            Sps::H265(sps) => Some(format::h265(sps, self.vps.get(sps.vps_id).map(|(_, vps)| vps))),
        }
    }

    /// What it means for an init segment made of this table that pictures now need `now`.
    ///
    /// Of the sets, those count that the active sequence parameter set brings along: itself, and the picture parameter
    /// sets that refer to it. Ids do not count (cameras that rewrite their sets every few seconds): whether the init
    /// segment has the very ids that the pictures name, [`serves`](Self::serves) says.
    #[must_use]
    pub fn change(&self, now: &Self) -> Change {
        if self == now {
            return Change::None;
        }
        let counterpart = |pps: &Pps| self.active_pps().any(|(_, mine)| mine.decodes_like(pps));
        if self.same_picture(now) && now.active_pps().all(|(_, pps)| counterpart(pps)) {
            Change::Cosmetic
        } else {
            Change::NewInit
        }
    }

    /// Can a decoder that was given this table, and nothing else, decode pictures that need `now`? As
    /// [`change`](Self::change), and under the same ids.
    #[must_use]
    pub fn serves(&self, now: &Self) -> bool {
        let mine = |id: u8| self.pps.get(id).map(|(_, pps)| pps);
        self.active() == now.active()
            && self.same_picture(now)
            && now.active_pps().all(|(id, pps)| {
                mine(id).is_some_and(|mine| mine.sps_id() == pps.sps_id() && mine.decodes_like(pps))
            })
    }

    fn active_sps(&self) -> Option<&Sps> {
        self.sps.get(self.active()?).map(|(_, sps)| sps)
    }

    /// What a decoder must have got before a picture: the active sequence parameter set, in H.265 its video parameter set,
    /// and the picture parameter sets that refer to it, as NAL units.
    pub fn needed(&self) -> impl Iterator<Item = &Bytes> {
        let active = self.active();
        let vps = match self.active_sps() {
            Some(Sps::H265(sps)) => self.vps.get(sps.vps_id),
            _ => None,
        };
        let sps = active.and_then(|id| self.sps.get(id));
        let pps = self.pps.iter().map(|(_, set)| set).filter(move |(_, pps)| Some(pps.sps_id()) == active);
        vps.map(|(nal, _)| nal).into_iter().chain(sps.map(|(nal, _)| nal)).chain(pps.map(|(nal, _)| nal))
    }

    /// The picture parameter sets that refer to the active sequence parameter set.
    fn active_pps(&self) -> impl Iterator<Item = (u8, &Pps)> {
        let active = self.active();
        self.pps.iter().map(|(id, (_, pps))| (id, pps)).filter(move |(_, pps)| Some(pps.sps_id()) == active)
    }

    /// Are the active sequence parameter sets alike, and what init segments say of the pictures?
    fn same_picture(&self, now: &Self) -> bool {
        let same = match (self.active_sps(), now.active_sps()) {
            (Some(Sps::H264(a)), Some(Sps::H264(b))) => a.decodes_like(b),
            (Some(Sps::H265(a)), Some(Sps::H265(b))) => {
                a.decodes_like(b)
                    && match (self.vps.get(a.vps_id), now.vps.get(b.vps_id)) {
                        (Some((_, a)), Some((_, b))) => a.decodes_like(b),
                        (None, None) => true,
                        _ => false,
                    }
            }
            (None, None) => true,
            _ => false,
        };
        same && self.codec == now.codec
    }
}

impl Sps {
    const fn extent(&self) -> Extent {
        match self {
            Self::H264(sps) => sps.extent,
            Self::H265(sps) => sps.extent,
        }
    }
}

impl Pps {
    const fn extent(&self) -> Extent {
        match self {
            Self::H264(pps) => pps.extent,
            Self::H265(pps) => pps.extent,
        }
    }

    const fn sps_id(&self) -> u8 {
        match self {
            Self::H264(pps) => pps.sps_id,
            Self::H265(pps) => pps.sps_id,
        }
    }

    const fn decodes_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::H264(a), Self::H264(b)) => a.decodes_like(b),
            (Self::H265(a), Self::H265(b)) => a.decodes_like(b),
            _ => false,
        }
    }
}

fn extent<T>(sets: &Table<(Bytes, T)>, nal: &[u8], of: impl Fn(&T) -> Extent) -> Option<Extent> {
    sets.iter().find(|(_, (bytes, _))| bytes == nal).map(|(_, (_, set))| of(set))
}

fn put<T>(sets: &mut Table<(Bytes, T)>, id: u8, nal: &[u8], set: T) -> Inserted {
    match sets.get(id) {
        Some((bytes, _)) if bytes == nal => return Inserted::Same,
        _ => {}
    }
    match sets.insert(id, (Bytes::copy_from_slice(nal), set)) {
        Some(_) => Inserted::Changed,
        None => Inserted::New,
    }
}

#[cfg(test)]
mod tests;
