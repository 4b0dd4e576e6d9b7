//! A camera that can be turned: it looks at a part of a drawn street and encodes what it sees.
//!
//! No encoder is needed for that. What moves as a whole is a motion vector, what comes into the picture is sent as samples
//! (`I_PCM`), so each picture is exactly what was drawn. Its barcode and its stamp are those of the clips.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use vigie::codec::Codec;

use super::clip::{Clip, ClipPicture};

mod encode;
mod scene;

use encode::{Encoder, HEIGHT, WIDTH};
use scene::Scene;

/// What is in its barcode where the clips have the number of their camera.
const CAMERA: u32 = 5;
/// Pictures after which their numbers start anew, as those of the clips do.
const LOOP: u64 = 1_500;
/// Pictures from one that decoding can start at to the next.
const GOP: u32 = 50;
/// Pictures that it goes on moving for after the last order: a second.
const PATIENCE: u32 = 25;
/// Pixels from picture to picture at full speed.
const PAN: f64 = 16.0;
const TILT: f64 = 10.0;
/// What the scale is multiplied with at full speed; every [`ZOOM_EVERY`] pictures, as each such picture is all samples.
const ZOOM: f64 = 1.07;
const ZOOM_EVERY: u32 = 4;
/// The narrowest view, against the widest.
const CLOSEST: f64 = 4.0;

/// How a camera moves: −1 to 1 each, right, up and closer positive; all 0: not.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Velocity {
    /// To the right; 1 is 400 pixels a second.
    #[serde(default)]
    pub pan: f64,
    /// Up; 1 is 250 pixels a second.
    #[serde(default)]
    pub tilt: f64,
    /// Closer; 1 is half as much again each second.
    #[serde(default)]
    pub zoom: f64,
}

impl Velocity {
    /// Of these three; what is beyond full speed is full speed, and what is no number is none.
    #[must_use]
    pub fn new(pan: f64, tilt: f64, zoom: f64) -> Self {
        let within = |speed: f64| if speed.is_nan() { 0.0 } else { speed.clamp(-1.0, 1.0) };
        Self { pan: within(pan), tilt: within(tilt), zoom: within(zoom) }
    }
}

/// Where it looks: a picture's top left corner in the scene as large as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
struct View {
    /// Pixels, even, so that the colours move by whole ones as well.
    x: usize,
    y: usize,
    scale: f64,
}

/// The camera.
#[derive(Debug)]
pub(crate) struct Dome {
    scene: Scene,
    encoder: Encoder,
    /// The middle of the view in the scene.
    middle: (f64, f64),
    scale: f64,
    velocity: Velocity,
    /// Pictures that it goes on moving for.
    left: u32,
    /// Pictures taken.
    taken: u32,
}

impl Dome {
    pub(crate) fn new() -> Self {
        let (width, height) = Scene::SIZE;
        Self {
            scene: Scene::draw(),
            encoder: Encoder::default(),
            middle: (width as f64 / 2.0, height as f64 / 2.0),
            scale: 1.0,
            velocity: Velocity::default(),
            left: 0,
            taken: 0,
        }
    }

    /// What its pictures have in common, and none of them.
    pub(crate) fn clip() -> Option<Arc<Clip>> {
        let first = Self::new().take(0);
        let mut clip = Clip::cut(Codec::H264, &annex_b(&first.data))?;
        clip.pictures.clear();
        clip.length = LOOP;
        Some(Arc::new(clip))
    }

    /// Moves so from now on, for a second.
    pub(crate) fn drive(&mut self, velocity: Velocity) {
        self.velocity = Velocity::new(velocity.pan, velocity.tilt, velocity.zoom);
        self.left = PATIENCE;
    }

    /// The next picture.
    pub(crate) fn take(&mut self, number: u32) -> ClipPicture {
        self.go();
        let key = self.taken.is_multiple_of(GOP);
        let view = self.view();
        self.taken = self.taken.wrapping_add(1);
        let bars = barcode(number);
        let slice = self.encoder.picture(&self.scene, view, bars, key);
        let mut data = BytesMut::with_capacity(slice.len() + 64);
        let sets = if key { encode::parameter_sets() } else { Vec::new() };
        for nal in &sets {
            put(&mut data, nal);
        }
        let slices = data.len();
        put(&mut data, &slice);
        ClipPicture { data: data.freeze(), slices, number, key }
    }

    fn go(&mut self) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let Velocity { pan, tilt, zoom } = self.velocity;
        if zoom != 0.0 && self.taken.is_multiple_of(ZOOM_EVERY) {
            self.scale = (self.scale * ZOOM.powf(zoom)).clamp(1.0, CLOSEST);
        }
        self.middle.0 += pan * PAN / self.scale;
        self.middle.1 -= tilt * TILT / self.scale;
        let (width, height) = Scene::SIZE;
        let within = |at: f64, view: usize, all: usize| {
            let half = view as f64 / 2.0 / self.scale;
            at.clamp(half, all as f64 - half)
        };
        self.middle = (within(self.middle.0, WIDTH, width), within(self.middle.1, HEIGHT, height));
    }

    fn view(&self) -> View {
        let (width, height) = Scene::SIZE;
        let corner = |at: f64, view: usize, all: usize| {
            let most = (all as f64 * self.scale) as usize - view;
            ((at * self.scale - view as f64 / 2.0).max(0.0) as usize).min(most) & !1
        };
        View {
            x: corner(self.middle.0, WIDTH, width),
            y: corner(self.middle.1, HEIGHT, height),
            scale: self.scale,
        }
    }
}

fn put(out: &mut BytesMut, nal: &[u8]) {
    out.put_u32(u32::try_from(nal.len()).unwrap_or(u32::MAX));
    out.put_slice(nal);
}

/// The same with start codes.
fn annex_b(data: &Bytes) -> Vec<u8> {
    vigie::h26x::nal_units(data).flat_map(|nal| [&[0, 0, 0, 1], nal.bytes].concat()).collect()
}

/// The 24 bits of `clips/make.py`: sync, camera, number, check.
fn barcode(number: u32) -> u32 {
    let known = 0b1010 << 16 | CAMERA << 12 | number & 0xfff;
    let check = (0..5).fold(0, |check, nibble| check ^ known >> (4 * nibble) & 0xf);
    known << 4 | check
}

#[cfg(test)]
mod tests;
