//! Faults planted behind a rare packet, which a fuzzer that works finds: a panic, a hang, a leak, memory that grows. Which one,
//! says `VIGIE_PLANTED`. Only with the feature `planted`, which no other build has.

use std::sync::Mutex;

use vigie::rtp::RtpPacket;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A packet of a certain source: none of the seeds has it.
pub(crate) fn packet(packet: &RtpPacket<'_>) {
    if packet.ssrc == 0x5eed_c0de && packet.payload_type == 96 {
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
            kept.push(vec![7; 64 << 20]);
        }
        other => panic!("VIGIE_PLANTED is {other:?}"),
    }
}
