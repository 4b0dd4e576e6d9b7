//! Which changes of parameter sets open a new init segment, and which do not (catalogue line 89).

use super::*;
use crate::fault::{Policy, Quirk};
use crate::h26x::ParameterSets;
use crate::h26x::testing::Stream;
use crate::octets::Write as _;

const PLAIN: Stream = Stream { order_type: 0, fields: false, reorder: Some(1) };

fn table(nals: &[Vec<u8>], active: u8) -> Arc<ParameterSets> {
    let mut table = ParameterSets::new(Codec::H264);
    for nal in nals {
        table.insert(nal).unwrap();
    }
    table.activate(active);
    Arc::new(table)
}

/// x264's SPS with num_units_in_tick 0x01f400 + `tick`; 640x360.
fn timed(tick: u8) -> Vec<u8> {
    let mut nal = vec![0x67, 0x64, 0, 0x16, 0xac, 0x3b, 0x50, 0x50, 0x17, 0xfc, 0xb0, 0x80, 0, 1, 0xf4];
    nal.extend([tick, 0, 4, 0xe2, 0x40 | 2]);
    nal
}

/// A GOP for each table; with `carried`, its first picture has the sets in front of it.
fn gops(tables: &[&Arc<ParameterSets>], carried: bool) -> Vec<Group> {
    let gop = |(n, sets): (usize, &&Arc<ParameterSets>)| {
        let mut group = stream(sets, 4 * n as u32, 1, 4, false).remove(0);
        let unit = &mut group.samples[0].unit;
        if carried {
            let mut data = vec![];
            for nal in sets.needed() {
                data.put_u32(nal.len() as u32);
                data.put(nal);
            }
            data.put(&unit.data);
            unit.data = data.into();
        }
        group
    };
    tables.iter().enumerate().map(gop).collect()
}

/// Init segments that these tables make, and changes counted as rewriting.
fn inits(tables: &[&Arc<ParameterSets>], carried: bool, policy: Policy) -> (u64, u64) {
    let mut limits = Limits::default();
    limits.policy = policy;
    let mut step = Fragmenter::new(&limits);
    gops(tables, carried).into_iter().for_each(|group| step.push(group).unwrap());
    assert_eq!(step.stats().fragments as usize, tables.len());
    (step.stats().inits, step.quirks().get(Quirk::SetsRewritten))
}

#[test]
fn two_picture_parameter_sets_that_take_turns() {
    let both = table(&[PLAIN.sps(), PLAIN.pps(), PLAIN.pps_with(1, 0)], 0);
    assert_eq!(inits(&[&both, &both, &both], false, Policy::Auto), (1, 0));
    // Sent one at a time, each under its own id and in front of its picture.
    let one = table(&[PLAIN.sps(), PLAIN.pps()], 0);
    let other = table(&[PLAIN.sps(), PLAIN.pps_with(1, 0)], 0);
    assert_eq!(inits(&[&one, &other, &one, &other], true, Policy::Auto), (1, 3));
}

#[test]
fn sequence_parameter_sets_whose_ids_go_on_and_on() {
    let numbered = |id: u32| table(&[PLAIN.sps_with(id), PLAIN.pps_with(id, id)], id as u8);
    let tables: Vec<_> = (0..8).map(|n| numbered(n % 4)).collect();
    let tables: Vec<_> = tables.iter().collect();
    assert_eq!(inits(&tables, true, Policy::Auto), (1, 7));
    // A decoder that is not told of them in front of the picture must be told by an init segment.
    assert_eq!(inits(&tables, false, Policy::Auto).0, 8);
    // Told only once, and named again by a later random access point: a file may begin there.
    let two = [tables[0], tables[1], tables[1]];
    let mut groups = gops(&two, true);
    groups[2] = gops(&two, false).remove(2);
    let mut step = Fragmenter::new(&Limits::default());
    groups.into_iter().for_each(|group| step.push(group).unwrap());
    assert_eq!(step.stats().inits, 2);
    // A strict receiver takes each for another stream.
    assert_eq!(inits(&tables, true, Policy::Strict).0, 8);
}

#[test]
fn a_usability_information_that_changes_every_few_seconds() {
    let tables: Vec<_> = (1..9).map(|tick| table(&[timed(tick), PLAIN.pps()], 0)).collect();
    let tables: Vec<_> = tables.iter().collect();
    // Under the same ids the init segment's own do as well.
    assert_eq!(inits(&tables, false, Policy::Auto), (1, 7));
    assert_eq!(inits(&tables, true, Policy::Auto), (1, 7));
    assert_eq!(inits(&tables, false, Policy::Strict), (8, 0));
}

#[test]
fn another_size_or_depth_of_reordering_needs_a_new_init_segment() {
    let plain = table(&[PLAIN.sps(), PLAIN.pps()], 0);
    let large = table(&[timed(0), PLAIN.pps()], 0);
    let deeper = Stream { reorder: Some(2), ..PLAIN };
    let deep = table(&[deeper.sps(), PLAIN.pps()], 0);
    for other in [&large, &deep] {
        for carried in [false, true] {
            assert_eq!(inits(&[&plain, other, &plain, &plain], carried, Policy::Auto), (3, 0));
        }
    }
    assert_eq!((plain.format().unwrap().width, large.format().unwrap().width), (64, 640));
    assert_eq!(deep.format().unwrap().reorder, Some(2));
}

#[test]
fn a_set_that_no_picture_activates_changes_nothing() {
    let plain = table(&[PLAIN.sps(), PLAIN.pps()], 0);
    let announced = table(&[PLAIN.sps(), PLAIN.pps(), timed(0), PLAIN.sps_with(3), PLAIN.pps_with(3, 3)], 3);
    let mut still = (*announced).clone();
    still.insert(&PLAIN.sps()).unwrap();
    still.activate(0);
    assert_eq!(inits(&[&plain, &Arc::new(still)], false, Policy::Auto).0, 1);
}
