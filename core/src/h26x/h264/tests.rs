//! Parameter sets written field by field and read back; field pairs and gaps.
#![allow(clippy::unwrap_used)]

use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::h26x::testing::BitWriter;
use crate::h26x::{Extent, Hrd, Kind};

/// What a writer of sequence parameter sets chooses.
#[derive(Clone, Debug)]
struct Fields {
    profile: u8,
    id: u32,
    chroma: u32,
    depths: (u32, u32),
    /// A scaling matrix, its lists by what they begin with.
    lists: Option<Vec<Option<i32>>>,
    frame_num: u32,
    order: OrderType,
    refs: u32,
    size: (u32, u32),
    frames_only: bool,
    crop: Option<[u32; 4]>,
    vui: Option<VuiFields>,
}

#[derive(Clone, Debug)]
struct VuiFields {
    aspect: Option<(u32, u32)>,
    colour: Option<(u8, u8, u8)>,
    full_range: bool,
    timing: Option<(u32, u32)>,
    hrds: [Option<Vec<(u32, u32, bool)>>; 2],
    restriction: Option<(u32, u32)>,
}

fn write_lists(w: &mut BitWriter, lists: &[Option<i32>]) {
    for (i, list) in lists.iter().enumerate() {
        w.bits(u32::from(list.is_some()), 1);
        if let Some(first) = list {
            // A first delta, then none but zeros; or, at -8, the default list at once.
            w.se(*first);
            if *first != -8 {
                for _ in 1..if i < 6 { 16 } else { 64 } {
                    w.se(0);
                }
            }
        }
    }
}

fn write(f: &Fields) -> Vec<u8> {
    let mut w = BitWriter::default();
    w.bits(f.profile.into(), 8).bits(0x40, 8).bits(31, 8).ue(f.id);
    if f.profile >= 100 {
        w.ue(f.chroma);
        if f.chroma == 3 {
            w.bits(0, 1);
        }
        w.ue(f.depths.0).ue(f.depths.1).bits(1, 1).bits(u32::from(f.lists.is_some()), 1);
        if let Some(lists) = &f.lists {
            write_lists(&mut w, lists);
        }
    }
    w.ue(f.frame_num);
    match &f.order {
        OrderType::Lsb { bits } => w.ue(0).ue(u32::from(*bits) - 4),
        OrderType::Cycle { always_zero, non_ref, top_to_bottom, offsets } => {
            w.ue(1).bits(u32::from(*always_zero), 1).se(*non_ref).se(*top_to_bottom).ue(offsets.len() as u32);
            offsets.iter().fold(&mut w, |w, offset| w.se(*offset))
        }
        OrderType::Decoding => w.ue(2),
    };
    w.ue(f.refs).bits(1, 1).ue(f.size.0 - 1).ue(f.size.1 - 1).bits(u32::from(f.frames_only), 1);
    if !f.frames_only {
        w.bits(1, 1);
    }
    w.bits(1, 1).bits(u32::from(f.crop.is_some()), 1);
    f.crop.iter().flatten().for_each(|n| {
        w.ue(*n);
    });
    w.bits(u32::from(f.vui.is_some()), 1);
    if let Some(vui) = &f.vui {
        write_vui(&mut w, vui);
    }
    w.nal(0x67)
}

fn write_vui(w: &mut BitWriter, f: &VuiFields) {
    w.bits(u32::from(f.aspect.is_some()), 1);
    if let Some((width, height)) = f.aspect {
        w.bits(255, 8).bits(width, 16).bits(height, 16);
    }
    w.bits(1, 1).bits(1, 1); // overscan, appropriate
    w.bits(1, 1).bits(2, 3).bits(u32::from(f.full_range), 1).bits(u32::from(f.colour.is_some()), 1);
    if let Some((a, b, c)) = f.colour {
        w.bits(a.into(), 8).bits(b.into(), 8).bits(c.into(), 8);
    }
    w.bits(1, 1).ue(1).ue(4); // chroma location
    w.bits(u32::from(f.timing.is_some()), 1);
    if let Some((units, scale)) = f.timing {
        w.bits(units, 32).bits(scale, 32).bits(1, 1);
    }
    for hrd in &f.hrds {
        w.bits(u32::from(hrd.is_some()), 1);
        if let Some(schedules) = hrd {
            w.ue(schedules.len() as u32 - 1).bits(3, 4).bits(5, 4);
            for (rate, size, constant) in schedules {
                w.ue(*rate).ue(*size).bits(u32::from(*constant), 1);
            }
            w.bits(22, 5).bits(23, 5).bits(24, 5).bits(25, 5);
        }
    }
    if f.hrds.iter().any(Option::is_some) {
        w.bits(1, 1);
    }
    w.bits(1, 1).bits(u32::from(f.restriction.is_some()), 1);
    if let Some((reorder, buffering)) = f.restriction {
        w.bits(1, 1).ue(2).ue(1).ue(15).ue(16).ue(reorder).ue(buffering);
    }
}

fn order_type() -> impl Strategy<Value = OrderType> {
    let offset = -70_000_i32..70_000;
    prop_oneof![
        (4_u8..=16).prop_map(|bits| OrderType::Lsb { bits }),
        (any::<bool>(), offset.clone(), offset.clone(), prop::collection::vec(offset, 0..256)).prop_map(
            |(always_zero, non_ref, top_to_bottom, offsets)| OrderType::Cycle {
                always_zero,
                non_ref,
                top_to_bottom,
                offsets
            }
        ),
        Just(OrderType::Decoding),
    ]
}

fn vui() -> impl Strategy<Value = VuiFields> {
    let hrd =
        || prop::option::of(prop::collection::vec((0_u32..100_000, 0_u32..100_000, any::<bool>()), 1..33));
    (
        prop::option::of((1_u32..65_536, 1_u32..65_536)),
        prop::option::of(any::<(u8, u8, u8)>()),
        any::<bool>(),
        prop::option::of((1_u32.., 1_u32..)),
        [hrd(), hrd()],
        prop::option::of((0_u32..=16, 0_u32..=16)),
    )
        .prop_map(|(aspect, colour, full_range, timing, hrds, restriction)| VuiFields {
            aspect,
            colour,
            full_range,
            timing,
            hrds,
            restriction,
        })
}

fn fields() -> impl Strategy<Value = Fields> {
    let lists = prop::collection::vec(prop::option::of(prop_oneof![Just(-8), -7_i32..120]), 12);
    (
        prop::sample::select([66_u8, 77, 88, 100, 110, 122, 244].to_vec()),
        (0_u32..32, 0_u32..4, (0_u32..7, 0_u32..7)),
        prop::option::of(lists),
        (0_u32..13, order_type(), 0_u32..17),
        ((1_u32..300, 1_u32..200), any::<bool>(), prop::option::of(prop::array::uniform4(0_u32..4))),
        prop::option::of(vui()),
    )
        .prop_map(|(profile, (id, chroma, depths), mut lists, (frame_num, order, refs), shape, vui)| {
            if let Some(lists) = lists.as_mut().filter(|_| chroma != 3) {
                lists.truncate(8);
            }
            let (size, frames_only, crop) = shape;
            Fields {
                profile,
                id,
                chroma,
                depths,
                lists,
                frame_num,
                order,
                refs,
                size,
                frames_only,
                crop,
                vui,
            }
        })
}

fn check_vui(f: &VuiFields, got: &Vui) -> Result<(), TestCaseError> {
    prop_assert_eq!((got.sample_aspect, got.colour, got.full_range), (f.aspect, f.colour, f.full_range));
    prop_assert_eq!((got.overscan, got.video_format, got.chroma_location), (Some(true), 2, Some((1, 4))));
    prop_assert_eq!((got.timing, got.pic_struct), (f.timing, true));
    for (given, got) in f.hrds.iter().zip([got.nal_hrd, got.vcl_hrd]) {
        let expected = given.as_ref().and_then(|all| all.last()).map(|(rate, size, constant)| Hrd {
            bit_rate: (u64::from(*rate) + 1) << 9,
            buffer: (u64::from(*size) + 1) << 9,
            constant: *constant,
            initial_delay_bits: 23,
            removal_delay_bits: 24,
            output_delay_bits: 25,
            time_offset_bits: 25,
        });
        prop_assert_eq!(got, expected);
    }
    prop_assert_eq!(got.low_delay, f.hrds.iter().any(Option::is_some));
    let restriction = got.restriction.map(|r| (u32::from(r.reorder), u32::from(r.buffering)));
    prop_assert_eq!(restriction, f.restriction);
    Ok(())
}

proptest! {
    #[test]
    fn a_sequence_parameter_set_is_read_as_it_was_written(f in fields()) {
        let nal = write(&f);
        let sps = Sps::parse(&nal).unwrap();
        let high = f.profile >= 100;
        prop_assert_eq!(sps.extent, Extent::Whole);
        prop_assert_eq!((sps.profile, sps.constraints, sps.level, u32::from(sps.id)), (f.profile, 0x40, 31, f.id));
        prop_assert_eq!(u32::from(sps.chroma_format), if high { f.chroma } else { 1 });
        let depths = (u32::from(sps.bit_depth_luma), u32::from(sps.bit_depth_chroma));
        prop_assert_eq!(depths, if high { (f.depths.0 + 8, f.depths.1 + 8) } else { (8, 8) });
        prop_assert_eq!((sps.lossless, sps.scaling_lists), (high, high && f.lists.is_some()));
        prop_assert_eq!(u32::from(sps.frame_num_bits), f.frame_num + 4);
        prop_assert_eq!(&sps.order, &f.order);
        prop_assert_eq!((sps.max_ref_frames, sps.gaps_allowed), (f.refs, true));
        prop_assert_eq!((sps.frames_only, sps.macroblock_pairs, sps.direct_8x8), (f.frames_only, !f.frames_only, true));
        let (width, height) = (f.size.0 * 16, f.size.1 * if f.frames_only { 16 } else { 32 });
        prop_assert_eq!((sps.coded_width, sps.coded_height), (width, height));
        let [left, right, top, bottom] = f.crop.unwrap_or_default();
        // Table 6-1: SubWidthC and SubHeightC.
        let (x, y) = match sps.chroma_format { 1 => (2, 2), 2 => (2, 1), _ => (1, 1) };
        let y = y * if f.frames_only { 1 } else { 2 };
        let left_over = |whole: u32, cut: u32| if cut < whole { whole - cut } else { whole };
        prop_assert_eq!(sps.width, left_over(width, (left + right) * x));
        prop_assert_eq!(sps.height, left_over(height, (top + bottom) * y));
        prop_assert_eq!(sps.vui.is_some(), f.vui.is_some());
        if let (Some(given), Some(got)) = (&f.vui, &sps.vui) {
            check_vui(given, got)?;
        }
        // What is not timing, rates or hints makes another picture; what is does not.
        let mut other = f.clone();
        other.id = (f.id + 1) % 32;
        if let Some(vui) = &mut other.vui {
            (vui.timing, vui.hrds) = (None, [None, None]);
        }
        prop_assert!(sps.decodes_like(&Sps::parse(&write(&other)).unwrap()));
        other.refs = (f.refs + 1) % 17;
        prop_assert!(!sps.decodes_like(&Sps::parse(&write(&other)).unwrap()));
        if f.vui.is_some() {
            let reordered = |n| {
                let mut f = f.clone();
                f.vui.as_mut().unwrap().restriction = Some((n, 4));
                Sps::parse(&write(&f)).unwrap()
            };
            prop_assert!(!reordered(1).decodes_like(&reordered(2)));
        }
    }

    #[test]
    fn a_set_cut_short_is_no_more_than_what_is_left(f in fields(), cut in 1_usize..200) {
        let mut nal = write(&f);
        nal.truncate(cut.min(nal.len() - 1));
        match Sps::parse(&nal) {
            Err(e) => prop_assert!(matches!(e.kind, Kind::Truncated | Kind::OutOfRange) && e.at.0 <= nal.len() as u64),
            Ok(sps) => prop_assert_eq!(u32::from(sps.id), f.id),
        }
    }

    /// Every way to map slice groups; 8x8 lists are two, or six in 4:4:4.
    #[test]
    fn a_picture_parameter_set_is_read_to_its_end(
        groups in 1_u32..9, map in 0_u32..7, transform: bool, chroma in 1_u32..4,
        lists in prop::option::of(prop::collection::vec(prop::option::of(-8_i32..100), 12)), high: bool,
        base in fields(),
    ) {
        let sps = Sps::parse(&write(&Fields { profile: 244, chroma, lists: None, ..base })).unwrap();
        let mut w = BitWriter::default();
        w.ue(9).ue(3).bits(1, 1).bits(1, 1).ue(groups - 1);
        if groups > 1 {
            w.ue(map);
            match map {
                0 => (0..groups).for_each(|n| { w.ue(n * 7); }),
                2 => (1..groups).for_each(|n| { w.ue(n).ue(n + 40); }),
                3..=5 => { w.bits(1, 1).ue(11); }
                6 => {
                    w.ue(98);
                    // Ceil( Log2( num_slice_groups_minus1 + 1 ) ) bits each.
                    let width = f64::from(groups).log2().ceil() as u32;
                    (0..99).for_each(|n| { w.bits(n % groups, width); });
                }
                _ => {}
            }
        }
        w.ue(2).ue(4).bits(1, 1).bits(2, 2).se(-7).se(3).se(-2).bits(1, 1).bits(0, 1).bits(1, 1);
        if high {
            w.bits(u32::from(transform), 1).bits(u32::from(lists.is_some()), 1);
            if let Some(lists) = &lists {
                let count = match (transform, chroma) { (false, _) => 6, (true, 3) => 12, (true, _) => 8 };
                write_lists(&mut w, &lists[..count]);
            }
            w.se(5);
        }
        let nal = w.nal(0x68);
        let pps = Pps::parse(&nal, Some(&sps)).unwrap();
        prop_assert_eq!((pps.id, pps.sps_id, u32::from(pps.slice_groups)), (9, 3, groups));
        prop_assert_eq!((pps.refs_l0, pps.refs_l1, pps.weighted, pps.weighted_bi), (3, 5, true, 2));
        prop_assert_eq!((pps.cabac, pps.bottom_field_order, pps.redundant), (true, true, true));
        prop_assert_eq!((pps.deblocking_control, pps.constrained_intra), (true, false));
        prop_assert_eq!((pps.transform_8x8, pps.scaling_lists), (high && transform, high && lists.is_some()));
        prop_assert_eq!(pps.extent, Extent::Whole);
        prop_assert!(pps.decodes_like(&Pps::parse(&nal, Some(&sps)).unwrap()));
    }
}

#[test]
fn depth_is_what_the_profile_or_the_order_type_bounds_it_to() {
    let base = Fields {
        profile: 77,
        id: 0,
        chroma: 1,
        depths: (0, 0),
        lists: None,
        frame_num: 0,
        order: OrderType::Lsb { bits: 4 },
        refs: 4,
        size: (20, 15),
        frames_only: true,
        crop: None,
        vui: None,
    };
    let restricted = |reorder, buffering| VuiFields {
        aspect: None,
        colour: None,
        full_range: false,
        timing: None,
        hrds: [None, None],
        restriction: Some((reorder, buffering)),
    };
    let depth = |f: Fields| Sps::parse(&write(&f)).unwrap().reorder();
    assert_eq!(depth(base.clone()), None);
    assert_eq!(depth(Fields { profile: 66, ..base.clone() }), Some(0));
    assert_eq!(depth(Fields { order: OrderType::Decoding, ..base.clone() }), Some(0));
    assert_eq!(depth(Fields { vui: Some(restricted(2, 4)), ..base.clone() }), Some(2));
    // More than is buffered cannot be held back.
    assert_eq!(depth(Fields { vui: Some(restricted(3, 1)), ..base.clone() }), Some(1));
    // constraint_set3_flag makes High an intra profile.
    let mut nal = write(&Fields { profile: 110, ..base });
    assert_eq!(Sps::parse(&nal).unwrap().reorder(), None);
    nal[2] |= 0x10;
    assert_eq!(Sps::parse(&nal).unwrap().reorder(), Some(0));
}
