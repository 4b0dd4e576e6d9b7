//! The same questions put to the folders of the media themselves, by their names.

use std::fs;
use std::path::{Path, PathBuf};

use vigie::gix::Key;
use vigie::time::UtcMicros;

use crate::Failure;
use crate::make::{self, Made};

/// Files of the right name and length, with nothing in them.
pub(crate) fn lay(root: &Path, camera: u32, made: &Made) -> Result<(), Failure> {
    let camera = root.join(make::source(camera).to_string());
    let mut above = PathBuf::new();
    for segment in &made.segments {
        let path = camera.join(segment.key.to_string());
        if path.parent() != Some(&above) {
            above = path.parent().map(Path::to_owned).unwrap_or_default();
            fs::create_dir_all(&above)?;
        }
        fs::File::create(&path)?.set_len(segment.bytes)?;
    }
    Ok(())
}

/// The names in a folder that are no index or log, in order.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(names),
        found => {
            for entry in found? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.retain(|name| !name.starts_with('.') && !name.ends_with(".gix") && !name.ends_with(".gap"));
    names.sort_unstable();
    Ok(names)
}

pub(crate) fn open(root: &Path, cameras: u32) -> Result<usize, Failure> {
    let mut found = 0;
    for camera in names(&root.join("town"))?.into_iter().take(cameras as usize) {
        let mut folder = root.join("town").join(camera);
        // The last day, its last hour, its last file.
        for _ in 0..2 {
            let Some(last) = names(&folder)?.pop() else { break };
            folder.push(last);
        }
        found += usize::from(names(&folder)?.pop().is_some());
    }
    Ok(found)
}

/// Which file, if its last picture lies behind the moment; that, too, is in the file.
pub(crate) fn place(root: &Path, camera: u32, utc: UtcMicros) -> Result<bool, Failure> {
    let folder = root.join(make::source(camera).to_string());
    let key = Key { utc, counter: u32::MAX }.to_string();
    let (hour, name) = key.rsplit_once('/').unwrap_or_default();
    let here = names(&folder.join(hour))?;
    if here.iter().any(|file| file.as_str() <= name) {
        return Ok(true);
    }
    // The hour before, also over midnight.
    let before = Key { utc: utc.plus(-60 * make::MINUTE), counter: 0 }.to_string();
    let (hour, _) = before.rsplit_once('/').unwrap_or_default();
    Ok(!names(&folder.join(hour))?.is_empty() || !here.is_empty())
}

/// Files, and gaps as far as names tell them: where the next file does not begin about a minute later.
pub(crate) fn list(root: &Path, camera: u32, day: u32) -> Result<(usize, usize), Failure> {
    let folder = root.join(make::source(camera).to_string()).join(make::day(day).to_string());
    let (mut files, mut gaps, mut before) = (0, 0, None::<UtcMicros>);
    for hour in names(&folder)? {
        for name in names(&folder.join(&hour))? {
            let path = folder.join(&hour).join(&name);
            let _bytes = fs::metadata(&path)?.len();
            let key = format!("{}/{hour}/{name}", make::day(day)).parse::<Key>();
            let Ok(key) = key else { continue };
            gaps += usize::from(before.is_some_and(|b| key.utc.0 - b.0 > make::MINUTE + 5 * make::SECOND));
            (files, before) = (files + 1, Some(key.utc));
        }
    }
    Ok((files, gaps))
}

pub(crate) fn retain(root: &Path, cameras: u32, limit: UtcMicros) -> Result<(usize, u64), Failure> {
    let (mut files, mut bytes) = (0, 0);
    for camera in 0..cameras {
        let source = root.join(make::source(camera).to_string());
        'days: for day in names(&source)? {
            for hour in names(&source.join(&day))? {
                for name in names(&source.join(&day).join(&hour))? {
                    let Ok(key) = format!("{day}/{hour}/{name}").parse::<Key>() else { continue };
                    if key.utc >= limit {
                        break 'days;
                    }
                    files += 1;
                    bytes += fs::metadata(source.join(&day).join(&hour).join(&name))?.len();
                }
            }
        }
    }
    Ok((files, bytes))
}
