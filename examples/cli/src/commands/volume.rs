//! `vigie volume`.

use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;

use serde_json::json;
use vigie::store::{FileStorage, Kind, Volume, VolumeId, VolumeMark};

use crate::args::Volume as Options;
use crate::explain;
use crate::failure::Failure;
use crate::moment::show_bytes;
use crate::output::{Format, note};
use crate::stores::Memory;

pub(super) fn run(options: &Options, format: Format) -> Result<ExitCode, Failure> {
    let root = options.store.as_path();
    if options.adopt {
        let found = Volume::find(&mut FileStorage::new(root));
        if let Some(mark) = found.map_err(|error| explain::store("read", root, &error))? {
            Memory::of_user().remember(root, mark.id);
        }
    }
    let failed = |doing: &str, error| explain::store(doing, root, &error);
    let mark = if options.create {
        std::fs::create_dir_all(root).map_err(|e| Failure::file("make the folder", root, &e))?;
        let made = Volume::create(FileStorage::new(root), random(), u64::from(options.reserve) << 20);
        match made {
            Ok(volume) => {
                let mark = volume.mark().ok_or_else(|| failed("read", Kind::NoVolume.into()))?;
                Memory::of_user().remember(root, mark.id);
                mark
            }
            Err(error) if error.kind == Kind::Exists => {
                return Err(Failure::new(
                    format!("{} is a volume already", root.display()),
                    "leave out --create to see which",
                )
                .numbered(&error));
            }
            Err(error) => return Err(failed("make a volume of", error)),
        }
    } else {
        let found = Volume::find(&mut FileStorage::new(root)).map_err(|error| failed("read", error))?;
        found.ok_or_else(|| {
            Failure::new(
                format!("{} is no volume, or its disk is not mounted", root.display()),
                "mount the disk; if this is its folder and it is new, make it a volume with --create",
            )
        })?
    };
    let VolumeMark { id, reserve, .. } = mark;
    let expected = Memory::of_user().volume(root).filter(|known| *known != id);
    if let Some(expected) = expected {
        note(&format!("{expected} belongs there, as far as this machine knows; --adopt makes it this one"));
    }
    let text = format!("volume        {id}\nreserve       {}\n", show_bytes(reserve));
    format.print(text, &json!({"store": root, "volume": id.to_string(), "reserve": reserve}))?;
    Ok(ExitCode::SUCCESS)
}

/// Tells volumes apart, and is no secret: the keys of the standard library's hash maps are random, and each is another.
fn random() -> VolumeId {
    let half = || RandomState::new().hash_one(std::time::SystemTime::now()).to_be_bytes();
    let mut id = [0; 16];
    let (first, second) = id.split_at_mut(8);
    first.copy_from_slice(&half());
    second.copy_from_slice(&half());
    VolumeId(id)
}
