//! H.264 written bit by bit, for what no encoder at hand makes: hierarchies of B pictures more than two deep, and field
//! pairs (ITU-T H.264 §7.3.2.1, §7.3.2.2, §7.3.3, §E.1.1). The order is that of the reference encoder's pyramid; behind the
//! slice headers stands anything. None of it is read by the library's own writers.

use bytes::Bytes;

/// Bits of frame_num and of pic_order_cnt_lsb.
const BITS: u32 = 8;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Levels of B pictures: a mini GOP has two to the power of it.
    pub(crate) depth: u32,
    /// An IDR picture each two mini GOPs; otherwise the first alone, and later I pictures have leading pictures.
    pub(crate) closed: bool,
    /// Each picture is two fields.
    pub(crate) fields: bool,
    /// The SPS says max_num_reorder_frames.
    pub(crate) declared: bool,
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn u(&mut self, bits: u32, value: u32) {
        for n in (0..bits).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> n & 1) as u8) << (7 - self.used % 8);
            self.used += 1;
        }
    }

    fn ue(&mut self, value: u32) {
        let bits = (value + 1).ilog2();
        self.u(bits, 0);
        self.u(bits + 1, value + 1);
    }

    /// The NAL unit behind its length: header, payload with stop bit, emulation prevention.
    fn nal(mut self, header: u8) -> Vec<u8> {
        self.u(1, 1);
        let mut nal = vec![header];
        for byte in self.bytes {
            if byte <= 3 && nal.len() > 2 && nal.ends_with(&[0, 0]) {
                nal.push(3);
            }
            nal.push(byte);
        }
        [&(nal.len() as u32).to_be_bytes()[..], &nal].concat()
    }
}

fn sps(shape: Shape) -> Vec<u8> {
    let mut b = Bits::default();
    b.u(24, 77 << 16 | 40);
    b.ue(0);
    b.ue(BITS - 4);
    b.ue(0);
    b.ue(BITS - 4);
    b.ue(shape.depth + 1);
    b.u(1, 0);
    b.ue(11);
    b.ue(if shape.fields { 3 } else { 7 });
    b.u(1, u32::from(!shape.fields));
    if shape.fields {
        b.u(1, 0);
    }
    // direct_8x8_inference_flag, no cropping, VUI or none.
    b.u(2, 0b10);
    b.u(1, u32::from(shape.declared));
    if shape.declared {
        // Aspect ratio to pic_struct_present_flag: none. Then bitstream_restriction_flag.
        b.u(8, 0);
        b.u(2, 0b11);
        for value in [0, 0, 9, 9, shape.depth, shape.depth + 1] {
            b.ue(value);
        }
    }
    b.nal(0x67)
}

fn pps() -> Vec<u8> {
    let mut b = Bits::default();
    b.ue(0);
    b.ue(0);
    b.u(2, 0);
    for _ in 0..3 {
        b.ue(0);
    }
    b.u(3, 0);
    for _ in 0..3 {
        b.ue(0);
    }
    b.u(3, 0);
    b.nal(0x68)
}

/// A picture in decoding order: where it is shown, counted from the IDR picture before; I, P or B; is it referred to?
#[derive(Clone, Copy)]
struct Picture {
    shown: u32,
    kind: u8,
    reference: bool,
    idr: bool,
}

/// One of its slices: all of a frame or field.
fn slice(shape: Shape, picture: Picture, frame_num: u32, bottom: bool) -> Vec<u8> {
    let idr = picture.idr && !bottom;
    let kind = if picture.kind == b'I' && bottom { b'P' } else { picture.kind };
    let mut b = Bits::default();
    b.ue(0);
    b.ue(match kind {
        b'P' => 5,
        b'B' => 6,
        _ => 7,
    });
    b.ue(0);
    b.u(BITS, frame_num % (1 << BITS));
    if shape.fields {
        b.u(2, 0b10 | u32::from(bottom));
    }
    if idr {
        b.ue(0);
    }
    b.u(BITS, (picture.shown * 2 + u32::from(bottom)) % (1 << BITS));
    match kind {
        // No override of the reference indices, no change of the lists.
        b'P' => b.u(2, 0),
        b'B' => b.u(4, 0b1000),
        _ => {}
    }
    if picture.reference {
        b.u(if idr { 2 } else { 1 }, 0);
    }
    b.ue(0);
    for n in 0..40 {
        b.u(8, 0x35 ^ (picture.shown * 7 + n) & 0xff);
    }
    let reference = if picture.reference { 0x60 } else { 0 };
    b.nal(reference | if idr { 5 } else { 1 })
}

/// The pictures between two anchors: the middle one, then those before it and behind it.
fn between(from: u32, to: u32, out: &mut Vec<Picture>) {
    let middle = from.midpoint(to);
    if middle == from {
        return;
    }
    out.push(Picture { shown: middle, kind: b'B', reference: to - from > 2, idr: false });
    between(from, middle, out);
    between(middle, to, out);
}

/// Access units in decoding order with the times that they are shown at, 25 a second.
pub(crate) fn stream(shape: Shape) -> Vec<(Bytes, i64)> {
    let size = 1 << shape.depth;
    let mut out = Vec::new();
    let (mut start, mut frame_num) = (0, 0);
    for gop in 0..6 {
        let mut pictures = vec![];
        let first = shape.closed && gop > 0 || gop == 0;
        if first {
            pictures.push(Picture { shown: 0, kind: b'I', reference: true, idr: true });
        }
        // In a closed GOP two mini GOPs follow their IDR picture; in an open one an I picture is the second's anchor.
        let base = if first { 0 } else { gop * 2 * size };
        for (n, kind) in [(0, b'P'), (1, if shape.closed { b'P' } else { b'I' })] {
            let anchor = base + (n + 1) * size;
            pictures.push(Picture { shown: anchor, kind, reference: true, idr: false });
            between(anchor - size, anchor, &mut pictures);
        }
        for picture in &pictures {
            if picture.idr {
                frame_num = 0;
            }
            let mut unit = Vec::new();
            if picture.kind == b'I' {
                unit.extend(sps(shape));
                unit.extend(pps());
            }
            unit.extend(slice(shape, *picture, frame_num, false));
            if shape.fields {
                unit.extend(slice(shape, *picture, frame_num, true));
            }
            frame_num += u32::from(picture.reference);
            out.push((unit.into(), i64::from(start + picture.shown) * 3_600));
        }
        if shape.closed {
            start += 2 * size + 1;
        }
    }
    out
}
