//! NAL units to pictures: where one ends, what it is made of, and whether the next one may follow it.

use vigie::codec::Codec;
use vigie::h26x::picture::{Header, OrderCounter, Relation, Slice};
use vigie::h26x::{Nal, NalKind, ParameterSets, sei};
use vigie::limits::Limits;
use vigie::sdp::Media;

use super::finding::{Findings, Place};
use super::gop::Gops;
use super::level;
use super::nal;
use super::order::Orders;
use super::payload::Received;
use super::rule::Rule;
use super::sets;

/// What of a picture its first slice tells, for the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) place: Place,
    /// Timestamps do not continue those before.
    pub(super) after_gap: bool,
    /// Pictures that may come before one that is shown earlier.
    pub(super) reorder: usize,
}

/// The picture that is being received.
#[derive(Debug, Default)]
struct Picture {
    place: Place,
    /// The timestamp of NAL units before the first slice.
    lead: Option<u32>,
    /// That of its first slice.
    timestamp: Option<u32>,
    slices: u32,
    bytes: u64,
    nals: u32,
    key: bool,
    /// primary_pic_type of its delimiter.
    promised: Option<(u8, Place)>,
    sei: u32,
    /// Bits 0 I, 1 P, 2 B, 3 others.
    types: u8,
    /// NAL units that may not stand between two slices are before the first one: all that lead but prefix NAL units.
    leads: bool,
    /// How it stands to the picture before, as long as no slice of it came: its first NAL unit's marker and place.
    boundary: Option<Boundary>,
}

#[derive(Clone, Copy, Debug)]
struct Boundary {
    marked: Option<Place>,
    place: Place,
    /// Nobody can tell: packets are missing, or it is in the packet of the picture before.
    unknown: bool,
}

/// One stream's pictures.
pub(super) struct Pictures {
    codec: Codec,
    pub(super) sets: sets::Sets,
    current: Picture,
    last: Option<Slice>,
    /// The marker on the packet before.
    marked: Option<Place>,
    /// The same before the NAL unit whose fragments are coming, and the packet's place.
    begun: Option<(Option<Place>, Place)>,
    /// Packets are missing since the last slice that began a picture.
    uncertain: bool,
    /// Packets are missing since the last key picture.
    damaged: bool,
    /// A stream is expected to start at a key picture.
    must_start: bool,
    started: bool,
    counter: OrderCounter,
    orders: Orders,
    pub(super) gops: Gops,
    rtp: bool,
    /// The last packet's place.
    before: Place,
    recovery: bool,
    /// Of the description, pictures a second.
    described_rate: Option<f64>,
}

impl Pictures {
    pub(super) fn new(codec: Codec, limits: &Limits) -> Self {
        Self {
            codec,
            sets: sets::Sets::new(codec, limits),
            current: Picture::default(),
            last: None,
            marked: None,
            begun: None,
            uncertain: true,
            damaged: false,
            must_start: false,
            started: false,
            counter: OrderCounter::new(codec),
            orders: Orders::new(codec),
            gops: Gops::default(),
            rtp: true,
            before: Place::default(),
            recovery: false,
            described_rate: None,
        }
    }

    pub(super) const fn codec(&self) -> Codec {
        self.codec
    }

    /// What the description says of the sets.
    pub(super) fn describe(&mut self, media: &Media) {
        self.sets.describe(media);
        self.described_rate = media.frame_rate.as_ref().and_then(|rate| rate.trim().parse().ok());
    }

    /// An elementary stream: no packets, no timestamps.
    pub(super) fn elementary(&mut self) {
        self.rtp = false;
        self.must_start = true;
    }

    /// The source plays from its beginning: the first picture must be one to start at.
    pub(super) fn must_start(&mut self) {
        self.must_start = true;
    }

    /// Packets are missing.
    pub(super) fn gap(&mut self) {
        (self.uncertain, self.damaged) = (true, true);
        (self.marked, self.begun) = (None, None);
    }

    /// Timestamps do not continue.
    pub(super) fn new_clock(&mut self) {
        self.orders.restart();
    }

    /// The packet at hand has the marker.
    pub(super) fn marker(&mut self, place: Place) {
        self.marked = Some(place);
    }

    /// A NAL unit of several packets begins with the one at hand.
    pub(super) fn begins(&mut self) {
        self.begun = Some((self.marked.take(), self.before));
    }

    /// A NAL unit goes on in another packet: the marker before was not at the end of a picture.
    pub(super) fn continues(&mut self, f: &mut Findings) {
        if let Some(place) = self.marked.take() {
            f.add(Rule::MarkerEarly, place, || "inside a fragmented NAL unit".to_owned());
        }
    }

    /// Takes a NAL unit; tells where it begins a picture.
    pub(super) fn nal(&mut self, received: &Received, f: &mut Findings) -> Option<Begun> {
        let mut begun = None;
        let pieces = nal::check(self.codec, &received.bytes, received.place, f);
        let (marked, before) = self.begun.take().unwrap_or_else(|| (self.marked.take(), self.before));
        for (at, piece) in pieces.into_iter().enumerate() {
            let bytes = received.bytes.get(piece).unwrap_or_default();
            let boundary = Boundary {
                marked,
                place: before,
                unknown: received.behind || at > 0 || self.uncertain || !self.rtp,
            };
            begun = self.one(Nal::new(bytes), received.place, boundary, f).or(begun);
        }
        self.before = received.place;
        begun
    }

    fn one(&mut self, nal: Nal<'_>, place: Place, boundary: Boundary, f: &mut Findings) -> Option<Begun> {
        let kind = nal.kind(self.codec);
        let begun = match kind {
            NalKind::Slice => self.slice(nal, place, boundary, f),
            _ if kind.leads() && self.current.slices > 0 => {
                self.close(f);
                self.current = Picture { place, boundary: Some(boundary), ..Picture::default() };
                None
            }
            _ => {
                self.inside(boundary, place, f);
                None
            }
        };
        self.check(nal, kind, place, f);
        if kind != NalKind::Slice && self.current.slices == 0 {
            self.current.lead.get_or_insert(place.timestamp.unwrap_or_default());
        }
        self.current.leads |= kind.leads() && kind != NalKind::Prefix;
        self.current.nals += 1;
        self.current.bytes += nal.bytes.len() as u64;
        begun
    }

    /// The NAL unit is of the picture at hand.
    fn inside(&self, boundary: Boundary, place: Place, f: &mut Findings) {
        let timestamp = self.current.timestamp.filter(|_| self.current.slices > 0 && !boundary.unknown);
        if timestamp.is_some() && timestamp != place.timestamp {
            f.add(Rule::TimestampInside, place, || "between NAL units of one picture".to_owned());
        }
        if let Some(marked) = boundary.marked.filter(|_| !boundary.unknown && self.current.nals > 0) {
            f.add(Rule::MarkerEarly, marked, || "more of the picture follows".to_owned());
        }
    }

    fn check(&mut self, nal: Nal<'_>, kind: NalKind, place: Place, f: &mut Findings) {
        match kind {
            NalKind::Vps | NalKind::Sps | NalKind::Pps => self.sets.insert(nal.bytes, place, f),
            NalKind::Delimiter => {
                if self.current.nals > 0 {
                    f.add(Rule::AudOrder, place, || {
                        format!("behind {} NAL units of its picture", self.current.nals)
                    });
                }
                let payload = nal.payload(self.codec).first().copied().unwrap_or(0);
                self.current.promised = Some((payload >> 5, place));
            }
            NalKind::Sei => {
                for message in sei::messages(nal, self.codec) {
                    if message.payload_type == 0 && self.current.sei > 0 && self.codec == Codec::H264 {
                        f.add(Rule::SeiOrder, place, || format!("message {}", self.current.sei + 1));
                    }
                    self.current.sei += 1;
                    self.recovery |= message.recovery_point(self.codec).is_some();
                }
            }
            NalKind::EndOfSequence | NalKind::EndOfBitstream => self.counter.end_of_sequence(),
            _ => {}
        }
    }

    fn slice(&mut self, nal: Nal<'_>, place: Place, boundary: Boundary, f: &mut Findings) -> Option<Begun> {
        // A set that waits is activated by the picture whose first slice this may be.
        let key_type = match self.codec {
            Codec::H264 => nal.unit_type(self.codec) == 5,
            Codec::H265 => matches!(nal.unit_type(self.codec), 16..=21),
        };
        if self.current.slices == 0 {
            self.sets.settle(key_type, f);
        }
        let slice = Slice::read(nal, self.codec, self.sets.table());
        let relation = self.last.as_ref().map_or(Relation::Next, |last| last.relation(&slice));
        let again = relation == Relation::Again && slice.first;
        let next = relation == Relation::Next || again;
        let begun = match (self.current.slices, next) {
            // More of the picture.
            (1.., false) => {
                self.inside(boundary, place, f);
                None
            }
            (1.., true) => {
                self.close(f);
                self.current = Picture { place, ..Picture::default() };
                self.begin(nal, &slice, Some(boundary), place, f)
            }
            (0, false) if self.last.is_some() && relation == Relation::Same && !self.uncertain => {
                if self.current.leads {
                    f.add(Rule::SetsInside, self.current.place, || {
                        "a slice of the same picture follows".to_owned()
                    });
                }
                None
            }
            (0, _) => {
                self.inside(boundary, place, f);
                let first = self.current.boundary.take();
                let own = if self.current.nals == 0 { Some(boundary) } else { None };
                self.begin(nal, &slice, first.or(own), place, f)
            }
        };
        self.current.types |= slice_type(&slice);
        self.check_slice(nal, &slice, place, f);
        self.current.slices += 1;
        self.last = Some(slice);
        begun
    }

    /// The first slice of a picture (or of its second field).
    fn begin(
        &mut self,
        nal: Nal<'_>,
        slice: &Slice,
        boundary: Option<Boundary>,
        place: Place,
        f: &mut Findings,
    ) -> Option<Begun> {
        let second = self.last.as_ref().is_some_and(|last| last.relation(slice) == Relation::SecondField);
        if second {
            return None;
        }
        if let Some(boundary) = boundary.filter(|boundary| !boundary.unknown && self.last.is_some())
            && boundary.marked.is_none()
        {
            f.add(Rule::MarkerMissing, boundary.place, || "another picture follows".to_owned());
        }
        if self.rtp && !self.uncertain && self.current.lead.is_some_and(|lead| Some(lead) != place.timestamp)
        {
            f.add(Rule::TimestampInside, place, || {
                "between the NAL units before the first slice and it".to_owned()
            });
        }
        self.current.timestamp = place.timestamp;
        if self.current.nals == 0 || self.current.place == Place::default() {
            self.current.place = place;
        }
        let key = match self.codec {
            Codec::H264 => nal.unit_type(self.codec) == 5,
            Codec::H265 => matches!(nal.unit_type(self.codec), 16..=21),
        };
        let entry = key || self.recovery;
        self.recovery = false;
        if !self.started && self.must_start && !entry && !self.damaged {
            f.add(Rule::StartNoKey, place, || format!("NAL unit type {}", nal.unit_type(self.codec)));
        }
        self.started = true;
        if key {
            self.damaged = false;
        }
        self.current.key = key;
        let count = self.counter.count(slice, self.sets.table());
        self.orders.picture(slice, count, place, self.sets.table(), self.damaged || !self.rtp, f);
        self.gops.begin(place.timestamp, entry, place, f);
        if self.rtp && !self.uncertain {
            self.check_step(place, f);
        }
        let after_gap = std::mem::take(&mut self.uncertain);
        let declared = self.sets.table().format().and_then(|format| format.reorder).map_or(0, usize::from);
        Some(Begun { place, after_gap, reorder: declared.max(self.orders.depth()) })
    }

    /// What holds for every slice.
    fn check_slice(&self, nal: Nal<'_>, slice: &Slice, place: Place, f: &mut Findings) {
        let table = self.sets.table();
        match &slice.header {
            None if !self.damaged && self.sets.misses(nal) => {
                f.add(Rule::SetMissing, place, || format!("NAL unit type {}", slice.unit_type));
            }
            Some(Header::H264(header)) => {
                if header.idr && !matches!(header.slice_type, 2 | 4) {
                    f.add(Rule::KeyNotIntra, place, || format!("slice_type {}", header.slice_type));
                }
                if let Some(sps) = table.sps_h264(header.sps_id) {
                    let blocks = level::macroblocks(sps);
                    let pairs = if sps.macroblock_pairs && !header.field { 2 } else { 1 };
                    let size = if header.field { blocks / 2 } else { blocks };
                    if u64::from(header.first_mb) * pairs >= size {
                        f.add(Rule::SpsSize, place, || {
                            format!(
                                "a slice begins at macroblock {}, the picture has {size}",
                                header.first_mb
                            )
                        });
                    }
                }
            }
            Some(Header::H265(header))
                if header.is_irap() && header.slice_type.is_some_and(|kind| kind != 2) =>
            {
                f.add(Rule::KeyNotIntra, place, || format!("slice_type {:?}", header.slice_type));
            }
            _ => {}
        }
    }

    /// The picture at hand is whole.
    fn close(&mut self, f: &mut Findings) {
        let picture = std::mem::take(&mut self.current);
        if picture.slices == 0 {
            return;
        }
        if let Some((promised, place)) = picture.promised.filter(|_| !self.damaged) {
            // Table 7-5: I; I and P; I, P and B; SI; SI and SP; I and SI; all but B; all. In H.265 there are the first three.
            let allowed = match (self.codec, promised) {
                (_, 0) => 0b0001,
                (_, 1) => 0b0011,
                (_, 2) => 0b0111,
                (Codec::H264, 3 | 4) => 0b1000,
                (Codec::H264, 5) => 0b1001,
                (Codec::H264, 6) => 0b1011,
                _ => 0b1111,
            };
            if picture.types & !allowed != 0 {
                f.add(Rule::AudType, place, || format!("type {promised}, slices {:04b}", picture.types));
            }
        }
        self.gops.end(picture.bytes, picture.types & 4 != 0);
        if let Some(allowed) = level::largest_picture(self.sets.table(), self.gops.step())
            && picture.bytes > allowed
        {
            f.add(Rule::PictureTooLarge, picture.place, || {
                format!("{} bytes, allowed are {allowed}", picture.bytes)
            });
        }
    }

    pub(super) fn finish(&mut self, f: &mut Findings) {
        self.close(f);
        self.sets.finish(f);
        if self.gops.pictures() > 0 {
            level::check(self.sets.table(), &self.gops, f);
            self.check_rate(f);
            if self.orders.depth() > 0 {
                let depth = crate::moment::count(self.orders.depth() as u64, "picture");
                f.add(Rule::BPictures, self.orders.first_reordered(), || format!("by {depth}"));
            }
        }
    }

    /// What is declared, against what came.
    fn check_rate(&self, f: &mut Findings) {
        let Some(delivered) = self.gops.rate() else { return };
        let declared = self.sets.table().format().and_then(|format| format.frame_rate);
        let of_set = declared.map(|(over, under)| ("the parameter set", f64::from(over) / f64::from(under)));
        let of_sdp = self.described_rate.map(|rate| ("the description", rate));
        for (who, rate) in of_set.into_iter().chain(of_sdp) {
            if (delivered / rate - 1.0).abs() > 0.1 {
                f.add(Rule::RateDeclared, Place::default(), || {
                    format!("{who} says {rate:.2} a second, {delivered:.2} came")
                });
            }
        }
    }

    /// A declared fixed rate, against the timestamp.
    fn check_step(&self, place: Place, f: &mut Findings) {
        let table = self.sets.table();
        let sps = table.active().and_then(|id| table.sps_h264(id));
        let Some(vui) = sps.and_then(|sps| sps.vui.as_ref()).filter(|vui| vui.fixed_frame_rate) else {
            return;
        };
        let (Some((units, scale)), Some(step)) = (vui.timing, self.gops.step()) else { return };
        let frame = 180_000.0 * f64::from(units) / f64::from(scale);
        let frames = step as f64 / frame;
        if (frames - frames.round()).abs() * frame > (0.1 * frame).max(2.0) {
            f.add(Rule::TimestampStep, place, || format!("{step} ticks, a picture has {frame:.1}"));
        }
    }

    /// How deep pictures are reordered.
    pub(super) const fn depth(&self) -> usize {
        self.orders.depth()
    }

    pub(super) const fn table(&self) -> &ParameterSets {
        self.sets.table()
    }
}

/// As in [`Picture::types`].
fn slice_type(slice: &Slice) -> u8 {
    match &slice.header {
        Some(Header::H264(header)) => match header.slice_type {
            0 => 2,
            1 => 4,
            2 => 1,
            _ => 8,
        },
        Some(Header::H265(header)) => match header.slice_type {
            Some(0) => 4,
            Some(1) => 2,
            Some(2) => 1,
            _ => 0,
        },
        _ => 0,
    }
}
