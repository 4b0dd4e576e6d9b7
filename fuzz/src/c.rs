//! The C library.

use std::path::PathBuf;
use std::sync::OnceLock;

use vigie::segment::{Config, Segmenter};
use vigie::store::{FileStorage, Options, Source, Writer};
use vigie::time::{Micros, UtcMicros};

use crate::media::{Camera, DAY};

/// Every call answers with a result; what is lent is there; outputs are written on success only; a handle that is poisoned
/// answers that.
pub(crate) fn c_calls(bytes: &[u8]) {
    vigie_ffi::calls::run(bytes, store());
}

/// A store on disk, made once for the process; and panics that are planted do not end it.
fn store() -> &'static PathBuf {
    static STORE: OnceLock<PathBuf> = OnceLock::new();
    STORE.get_or_init(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref() != Some(&"planted") {
                before(info);
            }
        }));
        let folder = std::env::temp_dir().join(format!("vigie-fuzz-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        record(&folder).expect("a store on disk");
        folder
    })
}

fn record(folder: &PathBuf) -> Result<(), vigie::store::Error> {
    std::fs::create_dir_all(folder).expect("a folder for temporary files");
    let source = Source::new("t", "c").expect("names");
    let (mut writer, _) = Writer::open(FileStorage::new(folder), source, Options::default())?;
    let mut config = Config::staggered("c");
    (config.period, config.stagger) = (4_000_000, 0);
    let (mut segmenter, mut camera) = (Segmenter::new(config), Camera::new(UtcMicros(DAY)));
    for second in 0..12 {
        segmenter.push(camera.fragment());
        if second == 11 {
            segmenter.finish();
        }
        while let Some(output) = segmenter.pull() {
            writer.apply(Micros(second * 1_000_000), output)?;
        }
    }
    writer.sync()
}
