//! The street that the dome looks at.

/// A drawn picture, larger than what is seen of it.
#[derive(Debug)]
pub(super) struct Scene {
    brightness: Vec<u8>,
    /// Blue and red, of half the size.
    colours: [Vec<u8>; 2],
}

/// Red, green, blue.
type Paint = [u8; 3];

/// Digits of 3 × 5 cells, row by row.
const DIGITS: [u16; 10] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
];

const WALLS: [Paint; 6] =
    [[186, 132, 104], [210, 190, 160], [160, 110, 92], [200, 176, 148], [176, 140, 116], [214, 200, 176]];

struct Canvas(Vec<Paint>);

impl Scene {
    /// Width and height in pixels.
    pub(super) const SIZE: (usize, usize) = (1_920, 736);

    pub(super) fn draw() -> Self {
        let mut canvas = Canvas(vec![[0; 3]; Self::SIZE.0 * Self::SIZE.1]);
        street(&mut canvas);
        let (width, height) = Self::SIZE;
        let brightness = canvas.0.iter().map(|paint| yuv(*paint)[0]).collect();
        let colours = [1, 2].map(|part| {
            let halves = (0..height / 2).flat_map(|y| (0..width / 2).map(move |x| (x, y)));
            let at =
                |(x, y): (usize, usize)| canvas.0.get(2 * y * width + 2 * x).copied().unwrap_or_default();
            halves.map(|half| yuv(at(half))[part]).collect()
        });
        Self { brightness, colours }
    }

    /// At a pixel; the nearest where that is outside.
    pub(super) fn brightness(&self, x: usize, y: usize) -> u8 {
        let (width, height) = Self::SIZE;
        let at = y.min(height - 1) * width + x.min(width - 1);
        self.brightness.get(at).copied().unwrap_or(16)
    }

    /// Blue or red at a pixel of half the size.
    pub(super) fn colour(&self, plane: usize, x: usize, y: usize) -> u8 {
        let (width, height) = (Self::SIZE.0 / 2, Self::SIZE.1 / 2);
        let at = y.min(height - 1) * width + x.min(width - 1);
        self.colours.get(plane).and_then(|colour| colour.get(at)).copied().unwrap_or(128)
    }
}

/// BT.601, video range: 16 to 235 and 16 to 240.
fn yuv([r, g, b]: Paint) -> [u8; 3] {
    let [r, g, b] = [r, g, b].map(f64::from);
    let y = 16.0 + 0.257 * r + 0.504 * g + 0.098 * b;
    let u = 128.0 - 0.148 * r - 0.291 * g + 0.439 * b;
    let v = 128.0 + 0.439 * r - 0.368 * g - 0.071 * b;
    [y, u, v].map(|part| part.round().clamp(16.0, 240.0) as u8)
}

impl Canvas {
    fn rect(&mut self, (x, y): (usize, usize), (w, h): (usize, usize), paint: Paint) {
        let (width, height) = Scene::SIZE;
        for row in y..(y + h).min(height) {
            let (from, to) = (row * width + x.min(width), row * width + (x + w).min(width));
            if let Some(line) = self.0.get_mut(from..to) {
                line.fill(paint);
            }
        }
    }

    fn disc(&mut self, (x, y): (usize, usize), r: usize, paint: Paint) {
        for dy in 0..=2 * r {
            let half = ((r * r) as f64 - (dy as f64 - r as f64).powi(2)).max(0.0).sqrt() as usize;
            self.rect((x.saturating_sub(half), (y + dy).saturating_sub(r)), (2 * half, 1), paint);
        }
    }

    fn number(&mut self, (x, y): (usize, usize), number: usize, cell: usize, paint: Paint) {
        for (at, digit) in number.to_string().bytes().enumerate() {
            let bits = DIGITS.get(usize::from(digit.wrapping_sub(b'0'))).copied().unwrap_or(0);
            for bit in (0..15).filter(|bit| bits >> (14 - bit) & 1 == 1) {
                let place = (x + (4 * at + bit % 3) * cell, y + bit / 3 * cell);
                self.rect(place, (cell, cell), paint);
            }
        }
    }

    fn house(&mut self, x: usize, base: usize, (w, h): (usize, usize), wall: Paint, lit: usize) {
        self.rect((x, base - h), (w, h), wall);
        for row in 0..w / 3 {
            let inset = row * 3 / 2;
            self.rect((x + inset, base - h - row), (w.saturating_sub(2 * inset), 1), [96, 66, 62]);
        }
        for (floor, y) in (base - h + 14..base - 50).step_by(44).enumerate() {
            for (n, x) in (x + 14..x + w - 26).step_by(36).enumerate() {
                let glass =
                    if (n + 2 * floor + lit).is_multiple_of(5) { [236, 214, 150] } else { [64, 76, 92] };
                self.rect((x, y), (20, 28), glass);
                self.rect((x - 2, y + 28), (24, 3), [226, 222, 214]);
            }
        }
        self.rect((x + w / 2 - 12, base - 40), (24, 40), [84, 58, 48]);
    }
}

/// Sky, houses, a church, trees, a road; a post each 160 pixels says how far it is turned.
fn street(canvas: &mut Canvas) {
    let (width, height) = Scene::SIZE;
    let base = 500;
    for y in 0..base {
        // Steps of eight rows, as bands that stand still look less like noise.
        let part = (y / 8 * 8) as f64 / base as f64;
        let mix = |top: f64, low: f64| (top + (low - top) * part) as u8;
        canvas.rect((0, y), (width, 1), [mix(112.0, 222.0), mix(156.0, 226.0), mix(206.0, 228.0)]);
    }
    canvas.disc((1_500, 90), 34, [250, 240, 200]);
    for (x, y, r) in
        [(180, 120, 30), (220, 110, 38), (270, 124, 26), (960, 70, 26), (1_000, 64, 32), (1_720, 170, 30)]
    {
        canvas.disc((x, y), r, [238, 242, 244]);
    }
    for (n, x) in (0..width).step_by(150).enumerate() {
        let size = (128 + 9 * (n * 7 % 3), 150 + 40 * (n * 5 % 4));
        canvas.house(x, base, size, WALLS.get(n % 6).copied().unwrap_or_default(), n);
    }
    canvas.rect((1_090, 210), (70, 290), [176, 170, 158]);
    for row in 0..104 {
        canvas.rect((1_090 + row / 3, 210 - row), (70 - row / 3 * 2, 1), [84, 92, 104]);
    }
    canvas.disc((1_125, 250), 20, [244, 242, 232]);
    canvas.rect((1_124, 236), (2, 16), [40, 40, 44]);
    canvas.rect((1_124, 250), (11, 2), [40, 40, 44]);
    canvas.rect((0, base), (width, height - base), [150, 146, 140]);
    canvas.rect((0, base + 60), (width, 130), [84, 86, 90]);
    for x in (20..width).step_by(96) {
        canvas.rect((x, base + 122), (52, 5), [226, 222, 210]);
    }
    for (n, x) in (90..width).step_by(230).enumerate() {
        canvas.rect((x - 4, base - 40), (8, 60), [84, 66, 52]);
        canvas.disc((x, base - 62), 34, [66, 98, 66]);
        let body = [[156, 47, 47], [47, 79, 124], [210, 206, 198], [48, 52, 60]];
        let at = (x + 60, base + 78 + n % 2 * 62);
        canvas.rect((at.0 + 16, at.1 - 14), (54, 16), [52, 60, 70]);
        canvas.rect(at, (90, 22), body.get(n % 4).copied().unwrap_or_default());
        canvas.disc((at.0 + 20, at.1 + 22), 9, [30, 30, 32]);
        canvas.disc((at.0 + 70, at.1 + 22), 9, [30, 30, 32]);
    }
    for (n, x) in (80..width).step_by(160).enumerate() {
        canvas.rect((x - 3, base + 4), (6, 44), [60, 64, 70]);
        canvas.rect((x - 26, base - 26), (52, 34), [32, 74, 140]);
        canvas.number((x - 20, base - 22), n * 10, 5, [244, 244, 240]);
    }
}
