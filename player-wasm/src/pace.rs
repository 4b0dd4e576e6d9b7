//! The [`Controller`](crate::control) as JavaScript has it: numbers alone.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::control::{Action, Controller, Observation, Profile, Screen};

/// Keeps one live picture close to its camera. `now` is milliseconds, media times are seconds.
///
/// After each call, [`rate`](Self::rate), [`seek`](Self::seek) and [`rung`](Self::rung) say what is to be done.
#[wasm_bindgen]
pub struct Pace {
    controller: Controller,
    action: Action,
}

#[wasm_bindgen]
impl Pace {
    /// `low`, `balanced` or `smooth`.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(profile: &str) -> Self {
        let controller = Controller::new(Profile::named(profile));
        Self { controller, action: Action { rate: 1.0, seek: None, rung: None } }
    }

    /// Another profile.
    pub fn profile(&mut self, name: &str) {
        self.controller.profile(Profile::named(name));
    }

    /// The playhead was sent to a first picture.
    pub fn started(&mut self, now: f64) {
        self.action = self.controller.observe(now, Observation::Started);
    }

    /// A fragment came.
    pub fn arrived(&mut self, now: f64, stamp: f64, lasts: f64, epoch: u32) {
        self.action = self.controller.observe(now, Observation::Arrived { stamp, lasts, epoch });
    }

    /// The page looked. `flags`: 1 a seek is on its way, 2 the element waits for media, 4 nothing is to be done.
    pub fn look(&mut self, now: f64, playhead: f64, end: f64, newest: f64, pictures: u32, flags: u8) {
        let is = |bit| flags & bit != 0;
        let screen = Screen { playhead, end, newest, pictures, seeking: is(1), dry: is(2), idle: is(4) };
        self.action = self.controller.observe(now, Observation::Screen(screen));
    }

    /// To play at.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.action.rate
    }

    /// Where to send the playhead.
    #[must_use]
    pub fn seek(&self) -> Option<f64> {
        self.action.seek
    }

    /// Of the recovery: 0 none, 1 the playhead is sent on, 2 another media source, 3 the same in the other thread, 4 it does
    /// not play here.
    #[must_use]
    pub fn rung(&self) -> u8 {
        self.action.rung.map_or(0, |rung| rung as u8)
    }

    /// The distance aimed at.
    #[must_use]
    pub fn target(&self) -> f64 {
        self.controller.target()
    }

    /// Times that pictures were jumped over.
    #[must_use]
    pub fn jumps(&self) -> u32 {
        self.controller.jumps()
    }

    /// Times that it ran dry.
    #[must_use]
    pub fn underruns(&self) -> u32 {
        self.controller.underruns()
    }
}
