//! The C library.

use std::path::PathBuf;
use std::sync::OnceLock;

use vigie::store::{FileStorage, Source};
use vigie::time::UtcMicros;

use crate::media::{self, DAY};

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
        std::fs::create_dir_all(&folder).expect("a folder for temporary files");
        let source = Source::new("t", "c").expect("names");
        media::record(FileStorage::new(&folder), source, UtcMicros(DAY), 12, 4_000_000)
            .expect("a store on disk");
        folder
    })
}
