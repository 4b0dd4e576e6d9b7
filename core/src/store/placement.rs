//! Which volume a camera is recorded to.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Kind, Source};

/// Why a camera is recorded where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It was there before.
    Stays,
    /// Of all volumes that can be written, this one will be full last.
    MostRoom,
    /// The volume that it was on cannot be written, and why.
    Instead(Kind),
}

/// Where a camera is recorded, and why there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed {
    /// The volume's number.
    pub volume: usize,
    /// Why.
    pub reason: Reason,
}

#[derive(Clone, Copy, Debug, Default)]
struct Room {
    /// Bytes.
    free: u64,
    /// Why it cannot be written.
    refuses: Option<Kind>,
    /// Bytes per second of its cameras.
    rate: u64,
}

/// Places cameras on volumes: each on the one that will be full last at the rates of its cameras, and it stays there. When
/// its volume is full, absent or failing, it goes to the next one, and stays there in turn: a camera that went back and
/// forth would have its day in pieces.
///
/// The caller says how much room there is ([`set_room`](Self::set_room)) and when a volume has failed
/// ([`refuses`](Self::refuses)).
#[derive(Clone, Debug, Default)]
pub struct Placement {
    volumes: Vec<Room>,
    /// Volume and bytes per second of each camera.
    cameras: BTreeMap<Source, (usize, u64)>,
}

impl Placement {
    /// So many volumes, numbered from 0, of which nothing is known: without room.
    #[must_use]
    pub fn new(volumes: usize) -> Self {
        let unknown = Room { free: 0, refuses: Some(Kind::NoVolume), rate: 0 };
        Self { volumes: alloc::vec![unknown; volumes], cameras: BTreeMap::new() }
    }

    /// A volume can be written, and so many bytes are free.
    pub fn set_room(&mut self, volume: usize, free: u64) {
        if let Some(room) = self.volumes.get_mut(volume) {
            (room.free, room.refuses) = (free, None);
        }
    }

    /// A volume cannot be written.
    pub fn refuses(&mut self, volume: usize, why: Kind) {
        if let Some(room) = self.volumes.get_mut(volume) {
            room.refuses = Some(why);
        }
    }

    /// A camera that was recorded to this volume before, as its folder says.
    pub fn was_on(&mut self, source: Source, volume: usize, rate: u64) {
        self.set(source, volume, rate);
    }

    fn forget(&mut self, source: &Source) {
        if let Some((volume, rate)) = self.cameras.remove(source)
            && let Some(room) = self.volumes.get_mut(volume)
        {
            room.rate = room.rate.saturating_sub(rate);
        }
    }

    fn set(&mut self, source: Source, volume: usize, rate: u64) {
        self.forget(&source);
        if let Some(room) = self.volumes.get_mut(volume) {
            // One that is absurd makes no other so.
            let rate = rate.min(u64::MAX - room.rate);
            room.rate += rate;
            self.cameras.insert(source, (volume, rate));
        } else {
            self.cameras.insert(source, (volume, 0));
        }
    }

    /// Where a camera of `rate` bytes per second is to be recorded.
    ///
    /// # Errors
    /// Why its volume cannot be written, where no other can either.
    pub fn place(&mut self, source: Source, rate: u64) -> Result<Placed, Kind> {
        let before = self.cameras.get(&source).map(|(volume, _)| *volume);
        let refused = match before.and_then(|volume| self.volumes.get(volume)) {
            Some(Room { refuses: None, .. }) => {
                let volume = before.unwrap_or(0);
                self.set(source, volume, rate);
                return Ok(Placed { volume, reason: Reason::Stays });
            }
            Some(Room { refuses, .. }) => *refuses,
            None => None,
        };
        self.forget(&source);
        let lasts = |volume: usize, room: &Room| {
            let all = room.rate.saturating_add(rate).max(1);
            // The first of several that last as long.
            (room.free / all, core::cmp::Reverse(volume))
        };
        let usable = self.volumes.iter().enumerate().filter(|(_, room)| room.refuses.is_none());
        let best = usable.max_by_key(|(volume, room)| lasts(*volume, room)).map(|(volume, _)| volume);
        let none = refused.or(self.volumes.first().and_then(|room| room.refuses)).unwrap_or(Kind::NoVolume);
        let Some(volume) = best else {
            if let Some(volume) = before {
                self.set(source, volume, rate);
            }
            return Err(none);
        };
        self.set(source, volume, rate);
        Ok(Placed { volume, reason: refused.map_or(Reason::MostRoom, Reason::Instead) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn camera(n: u32) -> Source {
        Source::new("t", &alloc::format!("c{n}")).unwrap()
    }

    #[test]
    fn cameras_go_where_there_is_most_time_left_and_stay_there() {
        let mut placement = Placement::new(3);
        assert_eq!(placement.place(camera(0), 10), Err(Kind::NoVolume));
        placement.set_room(0, 1_000_000);
        placement.set_room(1, 3_000_000);
        placement.set_room(2, 2_000_000);
        let mut on = [0; 3];
        for n in 0..60 {
            let placed = placement.place(camera(n), 500).unwrap();
            assert_eq!(placed.reason, Reason::MostRoom);
            on[placed.volume] += 1;
        }
        assert_eq!(on, [10, 30, 20]);
        // Sticky, however full it gets.
        let before = placement.place(camera(7), 500).unwrap();
        placement.set_room(before.volume, 1);
        assert_eq!(placement.place(camera(7), 900).unwrap(), Placed { reason: Reason::Stays, ..before });
    }

    #[test]
    fn a_camera_stays_where_it_was_before_the_start() {
        let mut placement = Placement::new(2);
        placement.set_room(0, 9_000);
        placement.set_room(1, 1_000);
        placement.was_on(camera(1), 1, 5);
        assert_eq!(placement.place(camera(1), 5).unwrap(), Placed { volume: 1, reason: Reason::Stays });
        placement.was_on(camera(2), 1, 5);
        placement.refuses(1, Kind::NoVolume);
        let instead = Placed { volume: 0, reason: Reason::Instead(Kind::NoVolume) };
        assert_eq!(placement.place(camera(2), 5).unwrap(), instead);
    }

    #[test]
    fn a_full_or_absent_volume_gives_its_cameras_to_the_next_one_with_the_reason() {
        let mut placement = Placement::new(2);
        placement.set_room(0, 9_000);
        placement.set_room(1, 1_000);
        assert_eq!(placement.place(camera(1), 5).unwrap().volume, 0);
        for why in [Kind::Full, Kind::NoVolume, Kind::Io(5)] {
            let mut placement = placement.clone();
            placement.refuses(0, why);
            let placed = placement.place(camera(1), 5).unwrap();
            assert_eq!(placed, Placed { volume: 1, reason: Reason::Instead(why) });
            // It does not go back when there is room again.
            placement.set_room(0, 9_000);
            assert_eq!(placement.place(camera(1), 5).unwrap(), Placed { volume: 1, reason: Reason::Stays });
            placement.refuses(1, Kind::ReadOnly);
            placement.refuses(0, why);
            assert_eq!(placement.place(camera(1), 5), Err(Kind::ReadOnly));
        }
    }
}
