//! The order of pictures: frame_num, picture order count and timestamps against each other.

use std::collections::VecDeque;

use vigie::codec::Codec;
use vigie::h26x::ParameterSets;
use vigie::h26x::picture::{Header, Slice};
use vigie::rtp::timestamp_distance;
use vigie::time::UtcMicros;

use super::finding::{Findings, Place};
use super::rule::Rule;

/// Pictures that are compared: reordering is 16 deep at most.
const WINDOW: usize = 33;
/// Ticks that are a leap: 10 s.
const LEAP: i64 = 900_000;
/// Microseconds by which timestamp and arrival may part from one picture to the next.
const PARTED: i64 = 5_000_000;

#[derive(Clone, Copy, Debug)]
struct Seen {
    count: Option<i32>,
    ticks: i64,
}

/// What came before, in decoding order.
pub(super) struct Orders {
    codec: Codec,
    /// Of the epoch: since the last picture where counting started anew.
    window: VecDeque<Seen>,
    /// The latest timestamp of the epochs before.
    floor: Option<i64>,
    last: Option<(u32, i64, Option<UtcMicros>)>,
    /// frame_num of the last reference picture.
    frame_num: Option<u32>,
    /// idr_pic_id, where the picture before was an IDR.
    idr_id: Option<u32>,
    depth: usize,
    reordered: Place,
}

impl Orders {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            window: VecDeque::new(),
            floor: None,
            last: None,
            frame_num: None,
            idr_id: None,
            depth: 0,
            reordered: Place::default(),
        }
    }

    /// Timestamps do not continue.
    pub(super) fn restart(&mut self) {
        self.window.clear();
        (self.floor, self.last) = (None, None);
    }

    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) const fn first_reordered(&self) -> Place {
        self.reordered
    }

    /// The next picture. `damaged`: what it refers to may be missing, or there is no RTP.
    pub(super) fn picture(
        &mut self,
        slice: &Slice,
        count: Option<(i32, bool)>,
        place: Place,
        sets: &ParameterSets,
        damaged: bool,
        f: &mut Findings,
    ) {
        let elementary = place.timestamp.is_none();
        let damaged = damaged && !elementary;
        let ticks = self.extend(place, f);
        let anew =
            self.numbers(slice, count, place, sets, damaged, f) || self.counts_anew(slice, count, damaged);
        if anew {
            f.add(Rule::IdrMissing, place, || "counting starts anew, the picture is no IDR".to_owned());
        }
        let restart = count.is_some_and(|(_, restart)| restart) || anew;
        if restart {
            self.floor = self.window.iter().map(|seen| seen.ticks).chain(self.floor).max();
            self.window.clear();
        }
        self.compare(count.map(|(count, _)| count), ticks, place, sets, damaged, slice, f);
    }

    /// The timestamp, extended; and whether it leapt.
    fn extend(&mut self, place: Place, f: &mut Findings) -> i64 {
        let timestamp = place.timestamp.unwrap_or_default();
        let Some((last, ticks, then)) = self.last else {
            self.last = Some((timestamp, 0, place.utc));
            return 0;
        };
        let step = i64::from(timestamp_distance(last, timestamp));
        let passed = place.utc.zip(then).map(|(now, then)| now.0 - then.0);
        let leapt = match passed {
            Some(passed) => (step * 100 / 9 - passed).abs() > PARTED,
            None => step.abs() > LEAP,
        };
        if leapt {
            f.add(Rule::TimestampLeap, place, || format!("by {:.1} s", step as f64 / 90_000.0));
            // Nothing before it says anything of it.
            self.window.clear();
            self.floor = None;
        }
        self.last = Some((timestamp, ticks + step, place.utc));
        ticks + step
    }

    /// frame_num and idr_pic_id, H.264 §7.4.3. True where they start anew without an IDR.
    fn numbers(
        &mut self,
        slice: &Slice,
        count: Option<(i32, bool)>,
        place: Place,
        sets: &ParameterSets,
        damaged: bool,
        f: &mut Findings,
    ) -> bool {
        let Some(Header::H264(header)) = &slice.header else {
            self.frame_num = None;
            return false;
        };
        let Some(sps) = sets.sps_h264(header.sps_id) else { return false };
        let mut anew = false;
        if header.idr {
            if self.idr_id == Some(header.idr_id) && !damaged {
                f.add(Rule::IdrId, place, || format!("idr_pic_id {}", header.idr_id));
            }
            if header.frame_num != 0 {
                f.add(Rule::FrameNum, place, || format!("{} in an IDR picture", header.frame_num));
            }
        } else if let Some(before) = self.frame_num.filter(|_| !damaged && !sps.gaps_allowed) {
            let expected = (before + 1) % (1 << sps.frame_num_bits);
            if header.frame_num != expected {
                // Pictures that are missing leave picture order going on: both may wrap in step.
                anew = header.frame_num <= 1 && header.order_lsb <= 16 && !self.goes_on(count);
                if !anew {
                    f.add(Rule::FrameNum, place, || format!("{}, expected {expected}", header.frame_num));
                }
            }
        }
        self.idr_id = header.idr.then_some(header.idr_id);
        if header.forgets {
            self.frame_num = Some(0);
        } else if header.ref_idc > 0 {
            self.frame_num = Some(header.frame_num);
        } else if damaged {
            self.frame_num = None;
        }
        anew
    }

    /// Pictures that came before and are shown after one of that count.
    fn behind(&self, count: i32) -> usize {
        self.window.iter().filter(|seen| seen.count.is_some_and(|before| before > count)).count()
    }

    /// Is the picture a few ahead of those before it?
    fn goes_on(&self, count: Option<(i32, bool)>) -> bool {
        let highest = self.window.iter().filter_map(|seen| seen.count).max();
        let unit = if self.codec == Codec::H264 { 2 } else { 1 };
        count
            .zip(highest)
            .is_some_and(|((count, _), highest)| (1..=6 * unit).contains(&count.saturating_sub(highest)))
    }

    /// Does picture order start anew?
    fn counts_anew(&self, slice: &Slice, count: Option<(i32, bool)>, damaged: bool) -> bool {
        let (Some((count, false)), false) = (count, damaged) else { return false };
        let lsb = match &slice.header {
            Some(Header::H264(header)) => header.order_lsb,
            Some(Header::H265(header)) if !header.is_irap() => header.order_lsb,
            _ => return false,
        };
        let unit = if self.codec == Codec::H264 { 2 } else { 1 };
        let Some(highest) = self.window.iter().filter_map(|seen| seen.count).max() else { return false };
        // More pictures behind than can be reordered, or more ahead than one picture can be.
        let behind = highest.saturating_sub(count) > 17 * unit;
        let ahead = count.saturating_sub(highest) > 12 * unit;
        lsb as i32 <= 8 * unit && highest > 20 * unit && (behind || ahead)
    }

    /// Against the pictures before it.
    #[expect(clippy::too_many_arguments)]
    fn compare(
        &mut self,
        count: Option<i32>,
        ticks: i64,
        place: Place,
        sets: &ParameterSets,
        damaged: bool,
        slice: &Slice,
        f: &mut Findings,
    ) {
        let mut good = true;
        if place.timestamp.is_some() && !damaged {
            let floor = self.floor.is_some_and(|floor| ticks <= floor);
            let equal = self.window.iter().any(|seen| seen.ticks == ticks) || self.floor == Some(ticks);
            let against = self.window.iter().any(|seen| match (seen.count, count) {
                (Some(before), Some(count)) => (before < count) != (seen.ticks < ticks),
                _ => false,
            });
            if equal {
                f.add(Rule::TimestampEqual, place, || "as a picture before".to_owned());
            } else if against || floor {
                f.add(Rule::TimestampOrder, place, || "not in the order of the pictures".to_owned());
            }
            good = !equal && !against && !floor;
        }
        // Where packets are missing, so may be the picture that counting started anew with.
        if damaged && count.is_some_and(|count| self.behind(count) > 16) {
            self.window.clear();
        } else if let Some(count) = count {
            let behind = self.behind(count);
            if behind > self.depth && !damaged {
                if self.depth == 0 {
                    self.reordered = place;
                }
                self.depth = behind;
            }
            let allowed = match &slice.header {
                Some(Header::H264(header)) => sets.sps_h264(header.sps_id).and_then(|sps| sps.reorder()),
                Some(Header::H265(header)) => sets.sps_h265(header.sps_id).map(|sps| sps.reorder),
                _ => None,
            };
            if !damaged && allowed.is_some_and(|allowed| behind > usize::from(allowed)) {
                f.add(Rule::ReorderExceeded, place, || format!("by {behind}, declared {allowed:?}"));
            }
        }
        if good {
            self.window.push_back(Seen { count, ticks });
            if self.window.len() > WINDOW {
                self.window.pop_front();
            }
        }
    }
}
