//! Receiving media allocates nothing per packet, at either end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use vigie::rtsp::Url;
use vigie::session::{Config, Output, Phase, Session};
use vigie::time::Micros;

/// The system's allocator, counting what this thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ANSWERS: &str = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n\
    RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: 49\r\n\r\n\
    v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\
    RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n\
    RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n";

#[test]
fn nothing_is_allocated_per_packet() {
    let (url, _) = Url::parse("rtsp://cam/").unwrap();
    let mut session = Session::new(Config::new(url, [0; 32]), Micros(0));
    assert_eq!(session.handle_input(Micros(0), ANSWERS.as_bytes()), ANSWERS.len());
    while session.poll_output().is_some() {}
    assert_eq!((session.phase(), session.quirks().iter().count()), (Phase::Playing, 0));

    let mut packet = vec![b'$', 0, 0x05, 0x78, 0x80, 96];
    packet.resize(4 + 0x578, 7);
    // Reads that end anywhere in a packet.
    let stream: Bytes = packet.repeat(997).into();
    let before = ALLOCATIONS.with(Cell::get);
    let mut packets = 0;
    for (n, chunk) in stream.chunks(3_001).cycle().take(20 * stream.len().div_ceil(3_001)).enumerate() {
        let buffer = session.receive_buffer();
        buffer[..chunk.len()].copy_from_slice(chunk);
        session.handle_received(Micros(n as u64), chunk.len());
        while let Some(output) = session.poll_output() {
            assert!(matches!(output, Output::Rtp { bytes, .. } if bytes.len() == 0x578));
            packets += 1;
        }
    }
    assert_eq!(packets, 20 * 997);
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0);
}
