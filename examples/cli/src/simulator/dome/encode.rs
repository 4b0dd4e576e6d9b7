//! Pictures of a scene that moves as a whole, as H.264 constrained baseline (ITU-T H.264): motion vectors for what was there,
//! samples for what was not. Nothing is lost in them.

use super::View;
use super::scene::Scene;

/// Size of the pictures in pixels; [`SHOWN`] rows of them are shown.
pub(super) const WIDTH: usize = 640;
pub(super) const HEIGHT: usize = 368;
const SHOWN: usize = 360;
const COLUMNS: usize = WIDTH / 16;
const ROWS: usize = HEIGHT / 16;
/// Macroblocks that the barcode and its white border take.
const BARS: (usize, usize) = (25, 2);
const WHITE: u8 = 235;
const BLACK: u8 = 16;
/// Bits of frame_num.
const FRAME_NUM: u32 = 8;

/// A motion vector, quarter pixels.
type Vector = (i32, i32);

/// Bits of a NAL unit's payload.
#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Those that do not fill a byte yet, and how many.
    held: u64,
    count: u32,
}

impl Bits {
    fn u(&mut self, count: u32, value: u32) {
        self.held = self.held << count | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.held >> self.count) as u8);
        }
        self.held &= (1 << self.count) - 1;
    }

    /// §9.1.
    fn ue(&mut self, value: u32) {
        let bits = 32 - (value + 1).leading_zeros();
        self.u(bits - 1, 0);
        self.u(bits, value + 1);
    }

    /// §9.1.1.
    fn se(&mut self, value: i32) {
        self.ue(if value > 0 { 2 * value as u32 - 1 } else { 2 * value.unsigned_abs() });
    }

    fn align(&mut self) {
        if self.count > 0 {
            self.u(8 - self.count, 0);
        }
    }

    /// The NAL unit.
    fn nal(mut self, header: u8) -> Vec<u8> {
        self.u(1, 1);
        self.align();
        crate::simulator::nal(std::iter::once(header).chain(self.bytes))
    }
}

/// SPS and PPS, §7.3.2.1, §7.3.2.2.
pub(super) fn parameter_sets() -> Vec<Vec<u8>> {
    let mut sps = Bits::default();
    // Constrained baseline. Level 5.0: while it zooms, some 18 Mb/s (A.3.1).
    for byte in [66, 0xc0, 50] {
        sps.u(8, byte);
    }
    sps.ue(0);
    sps.ue(FRAME_NUM - 4);
    // Output order is decoding order; one reference picture.
    sps.ue(2);
    sps.ue(1);
    sps.u(1, 0);
    sps.ue(COLUMNS as u32 - 1);
    sps.ue(ROWS as u32 - 1);
    // Frames only, direct_8x8_inference.
    sps.u(2, 0b11);
    sps.u(1, 1);
    for crop in [0, 0, 0, (HEIGHT - SHOWN) as u32 / 2] {
        sps.ue(crop);
    }
    // VUI (E.1.1): 25 pictures a second, none held back.
    sps.u(1, 1);
    sps.u(4, 0);
    sps.u(1, 1);
    sps.u(32, 1);
    sps.u(32, 2 * super::super::clip::RATE);
    sps.u(1, 1);
    sps.u(3, 0);
    sps.u(2, 0b11);
    for restriction in [0, 0, 11, 11, 0, 1] {
        sps.ue(restriction);
    }
    let mut pps = Bits::default();
    pps.ue(0);
    pps.ue(0);
    pps.u(2, 0);
    pps.ue(0);
    pps.ue(0);
    pps.ue(0);
    pps.u(3, 0);
    for qp in [0, 0, 0] {
        pps.se(qp);
    }
    // The slices say that nothing is filtered.
    pps.u(3, 0b100);
    vec![sps.nal(0x67), pps.nal(0x68)]
}

/// What a macroblock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Samples,
    /// What the picture before has there.
    Moved(Vector),
}

/// What it remembers of the picture before.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    before: Option<(View, u32)>,
    frame_num: u32,
    idr: u32,
}

impl Encoder {
    /// The slice of a picture that shows `view` of a scene and `bars` as its barcode.
    pub(super) fn picture(&mut self, scene: &Scene, view: View, bars: u32, key: bool) -> Vec<u8> {
        let before = self.before.replace((view, bars)).filter(|_| !key);
        if before.is_none() {
            (self.frame_num, self.idr) = (0, (self.idr + 1) % 2);
        }
        let mut out = Bits::default();
        // §7.3.3: all of the picture, I or P throughout.
        out.ue(0);
        out.ue(if before.is_none() { 7 } else { 5 });
        out.ue(0);
        out.u(FRAME_NUM, self.frame_num);
        self.frame_num = (self.frame_num + 1) % (1 << FRAME_NUM);
        if before.is_none() {
            out.ue(self.idr);
            out.u(2, 0);
        } else {
            out.u(3, 0);
        }
        out.se(0);
        out.ue(1);
        // §7.3.4.
        let mut blocks: Vec<Block> = Vec::with_capacity(COLUMNS * ROWS);
        let mut skipped = 0;
        for at in 0..COLUMNS * ROWS {
            let (column, row) = (at % COLUMNS, at / COLUMNS);
            let block = before.map_or(Block::Samples, |before| choose(column, row, before, (view, bars)));
            if let Block::Moved(vector) = block
                && skip(&blocks) == vector
            {
                skipped += 1;
                blocks.push(block);
                continue;
            }
            if before.is_some() {
                out.ue(skipped);
                skipped = 0;
            }
            match block {
                Block::Samples => samples(&mut out, scene, view, bars, (column, row), before.is_some()),
                Block::Moved((x, y)) => {
                    let (px, py) = predicted(&blocks);
                    // P_L0_16x16 without residual (Table 9-4: 0 is none, where a macroblock is inter).
                    out.ue(0);
                    out.se(x - px);
                    out.se(y - py);
                    out.ue(0);
                }
            }
            blocks.push(block);
        }
        if skipped > 0 {
            out.ue(skipped);
        }
        out.nal(if before.is_none() { 0x65 } else { 0x61 })
    }
}

/// Can a macroblock be had from the picture before?
fn choose(column: usize, row: usize, before: (View, u32), now: (View, u32)) -> Block {
    if column < BARS.0 && row < BARS.1 {
        let changed = (0..16).any(|y| {
            (0..16).any(|x| {
                let at = (column * 16 + x, row * 16 + y);
                bar(before.1, at) != bar(now.1, at)
            })
        });
        return if changed { Block::Samples } else { Block::Moved((0, 0)) };
    }
    let ((was, _), (is, _)) = (before, now);
    if was.scale != is.scale {
        return Block::Samples;
    }
    let from = |to: usize, was: usize, is: usize| (to * 16 + is).checked_sub(was);
    let (Some(x), Some(y)) = (from(column, was.x, is.x), from(row, was.y, is.y)) else {
        return Block::Samples;
    };
    let outside = x + 16 > WIDTH || y + 16 > HEIGHT;
    let barred = x < BARS.0 * 16 && y < BARS.1 * 16;
    if outside || barred {
        return Block::Samples;
    }
    let quarters = |was: usize, is: usize| 4 * (is as i32 - was as i32);
    Block::Moved((quarters(was.x, is.x), quarters(was.y, is.y)))
}

/// Is a pixel of the barcode black?
fn bar(bars: u32, (x, y): (usize, usize)) -> bool {
    let (Some(x), Some(y)) = (x.checked_sub(8), y.checked_sub(8)) else { return false };
    x < 24 * 16 && y < 16 && bars >> (23 - x / 16) & 1 == 0
}

/// `I_PCM`, §7.3.5: brightness, then both colours.
fn samples(out: &mut Bits, scene: &Scene, view: View, bars: u32, (column, row): (usize, usize), inter: bool) {
    out.ue(if inter { 30 } else { 25 });
    out.align();
    for y in row * 16..row * 16 + 16 {
        for x in column * 16..column * 16 + 16 {
            out.bytes.push(brightness(scene, view, bars, (x, y)));
        }
    }
    for plane in 0..2 {
        for y in row * 8..row * 8 + 8 {
            for x in column * 8..column * 8 + 8 {
                out.bytes.push(colour(scene, view, plane, (x, y)));
            }
        }
    }
}

/// What the picture shows at a pixel.
pub(super) fn brightness(scene: &Scene, view: View, bars: u32, (x, y): (usize, usize)) -> u8 {
    if x < BARS.0 * 16 && y < BARS.1 * 16 {
        return if bar(bars, (x, y)) { BLACK } else { WHITE };
    }
    let at = |corner: usize, at: usize| ((corner + at) as f64 / view.scale) as usize;
    scene.brightness(at(view.x, x), at(view.y, y))
}

/// What it shows of blue (0) or red (1) at a pixel of half the size.
pub(super) fn colour(scene: &Scene, view: View, plane: usize, (x, y): (usize, usize)) -> u8 {
    if x < BARS.0 * 8 && y < BARS.1 * 8 {
        return 128;
    }
    let at = |corner: usize, at: usize| ((corner / 2 + at) as f64 / view.scale) as usize;
    scene.colour(plane, at(view.x, x), at(view.y, y))
}

/// The vector of a macroblock around the next one, and whether it has one; `None`: there is no such macroblock.
type Neighbour = Option<(Vector, bool)>;

/// Left, above, and above to the right or, without that, to the left (§8.4.1.3.2).
fn neighbours(blocks: &[Block]) -> [Neighbour; 3] {
    let (column, row) = (blocks.len() % COLUMNS, blocks.len() / COLUMNS);
    let get = |there: bool, back: usize| {
        let block = there.then(|| blocks.get(blocks.len().checked_sub(back)?)).flatten()?;
        Some(match block {
            Block::Samples => ((0, 0), false),
            Block::Moved(vector) => (*vector, true),
        })
    };
    let above = row > 0;
    let right = get(above && column + 1 < COLUMNS, COLUMNS - 1);
    let corner = right.or_else(|| get(above && column > 0, COLUMNS + 1));
    [get(column > 0, 1), get(above, COLUMNS), corner]
}

/// §8.4.1.3: the prediction of the next macroblock's vector.
fn predicted(blocks: &[Block]) -> Vector {
    let [left, above, corner] = neighbours(blocks);
    if above.is_none() && corner.is_none() {
        return left.map_or((0, 0), |(vector, _)| vector);
    }
    let all = [left, above, corner].map(|n| n.unwrap_or(((0, 0), false)));
    let mut moved = all.iter().filter(|(_, moved)| *moved);
    if let (Some((only, _)), None) = (moved.next(), moved.next()) {
        return *only;
    }
    let median = |part: fn(Vector) -> i32| {
        let mut parts = all.map(|(vector, _)| part(vector));
        parts.sort_unstable();
        parts[1]
    };
    (median(|(x, _)| x), median(|(_, y)| y))
}

/// §8.4.1.1: the vector of the next macroblock, where it is skipped.
fn skip(blocks: &[Block]) -> Vector {
    let [left, above, _] = neighbours(blocks);
    let rests = |neighbour: Neighbour| neighbour.is_none_or(|n| n == ((0, 0), true));
    if rests(left) || rests(above) { (0, 0) } else { predicted(blocks) }
}
