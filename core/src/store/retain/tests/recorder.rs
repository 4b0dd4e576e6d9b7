//! What makes the footage that is kept and deleted.

use super::*;

/// A recorder of made-up fragments of a second into files of four seconds.
pub(super) struct Recorder {
    pub(super) writer: Writer<Memory>,
    pub(super) segmenter: Segmenter,
    pub(super) camera: Camera,
}

impl Recorder {
    pub(super) fn open(disk: &Memory, source: Source) -> Result<Self, crate::store::Error> {
        let (writer, _) = Writer::open(disk.clone(), source, Options::default().rpo(0))?;
        let segmenter = Segmenter::new(Config { period: 4_000_000, stagger: 0 });
        Ok(Self { writer, segmenter, camera: Camera::new(0) })
    }

    pub(super) fn apply(&mut self) -> Result<(), crate::store::Error> {
        while let Some(output) = self.segmenter.pull() {
            self.writer.apply(Micros(0), output)?;
        }
        Ok(())
    }

    /// Records so many seconds.
    pub(super) fn run(&mut self, seconds: u32) -> Result<(), crate::store::Error> {
        for _ in 0..seconds {
            let fragment = self.camera.fragment();
            self.segmenter.push(fragment);
            self.apply()?;
        }
        Ok(())
    }

    /// Begins a span at a moment.
    pub(super) fn begin(&mut self, at: UtcMicros) {
        self.camera.utc = at;
        self.camera.discontinuity = true;
    }

    pub(super) fn finish(&mut self) -> Result<(), crate::store::Error> {
        self.segmenter.finish();
        self.apply()?;
        self.writer.sync()
    }

    pub(super) fn burst(&mut self, at: UtcMicros, seconds: u32) -> Result<(), crate::store::Error> {
        self.begin(at);
        self.run(seconds)?;
        self.finish()
    }
}
