//! Faults planted behind a rare picture, which a fuzzer that works finds: a panic, a hang, a leak, memory that grows. Which one,
//! says `VIGIE_PLANTED`. Only with the feature `planted`, which no other build has.

use std::sync::Mutex;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A second NAL unit that is SEI, with a certain payload: none of the seeds has it.
pub(crate) fn access_unit(unit: &[u8]) {
    let Some((len, rest)) = unit.split_first_chunk::<4>() else { return };
    let Some(second) = rest.get(u32::from_be_bytes(*len) as usize..) else { return };
    let [_, _, _, _, header, kind, size, ..] = *second else { return };
    if header & 0x1f == 6 && kind == 0x5a && size == 0xc3 {
        fault();
    }
}

fn fault() {
    match std::env::var("VIGIE_PLANTED").as_deref() {
        Ok("panic") => panic!("planted"),
        Ok("hang") => loop {
            std::hint::black_box(());
        },
        Ok("leak") => std::mem::forget(std::hint::black_box(vec![7_u8; 4_096])),
        Ok("growth") => {
            let mut kept = KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            kept.push(vec![7; 8 << 20]);
        }
        other => panic!("VIGIE_PLANTED is {other:?}"),
    }
}
