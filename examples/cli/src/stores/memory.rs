//! Which volume belongs into which folder, as far as this machine has seen it: a file of the user's, outside of any store. After a
//! reboot without the disk, nothing is written into the empty folder below its mount point.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

use vigie::store::VolumeId;

/// The file: an id and a path on each line.
#[derive(Clone, Debug)]
pub struct Memory(Option<PathBuf>);

impl Memory {
    /// The user's: `volumes` in `$STATE_DIRECTORY` (systemd's; the first, of several), `$XDG_STATE_HOME/vigie` or
    /// `~/.local/state/vigie`.
    #[must_use]
    pub fn of_user() -> Self {
        let value = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = |name: &str| value(name).map(PathBuf::from);
        let state = value("STATE_DIRECTORY")
            .and_then(|all| std::env::split_paths(&all).next())
            .or_else(|| Some(folder("XDG_STATE_HOME")?.join("vigie")))
            .or_else(|| Some(folder("HOME")?.join(".local/state/vigie")));
        Self(state.map(|state| state.join("volumes")))
    }

    /// Another file.
    #[must_use]
    pub const fn at(file: PathBuf) -> Self {
        Self(Some(file))
    }

    /// The volume that belongs into a folder; `None` where none was seen there.
    #[must_use]
    pub fn volume(&self, root: &Path) -> Option<VolumeId> {
        let (file, root) = (self.0.as_ref()?, std::path::absolute(root).ok()?);
        let lines = lines(file).unwrap_or_default();
        lines.into_iter().find(|(_, path)| *path == root).map(|(id, _)| id)
    }

    /// From now on this volume belongs there. Where that cannot be written down it is told, and nothing else: recording goes on.
    pub fn remember(&self, root: &Path, id: VolumeId) {
        static TOLD: Once = Once::new();
        if self.volume(root) == Some(id) {
            return;
        }
        if let Err(error) = self.write(root, id) {
            // Each look at a volume tries it again.
            TOLD.call_once(|| {
                tracing::warn!(%error, root = %root.display(), "which volume belongs where is not remembered over a restart");
            });
        }
    }

    fn write(&self, root: &Path, id: VolumeId) -> io::Result<()> {
        let Some(file) = &self.0 else {
            let none = "neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME names a folder";
            return Err(io::Error::new(io::ErrorKind::NotFound, none));
        };
        let root = std::path::absolute(root)?;
        if root.to_str().is_none_or(|path| path.contains('\n')) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "its path is not one line of UTF-8"));
        }
        let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // Cameras are placed on threads of their own, and by other processes: what they remember stays.
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let beside = |end: &str| folder.join(format!(".{name}.{end}"));
        let lock = File::options().write(true).create(true).truncate(false).open(beside("lock"))?;
        match lock.lock() {
            // A file system without locks.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            other => other?,
        }
        let mut all = lines(file)?;
        all.retain(|(_, path)| *path != root);
        all.push((id, root));
        let text: String = all.iter().map(|(id, path)| format!("{id} {}\n", path.display())).collect();
        let part = beside("part");
        let mut new = File::create(&part)?;
        new.write_all(text.as_bytes()).and_then(|()| new.sync_all())?;
        fs::rename(part, file)?;
        // The name is to outlive a power cut, too: that is when disks are missing.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}

/// What the file says; nothing where there is none.
fn lines(file: &Path) -> io::Result<Vec<(VolumeId, PathBuf)>> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let line = |line: &str| {
        let (id, path) = line.split_once(' ')?;
        Some((id.parse().ok()?, PathBuf::from(path)))
    };
    Ok(text.lines().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn what_many_remember_at_once_is_all_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let memory = Memory::at(dir.path().join("state/volumes"));
        let root = |n: u8| PathBuf::from(format!("/mnt/a disk {n}"));
        std::thread::scope(|scope| {
            for n in 0..16 {
                let memory = memory.clone();
                scope.spawn(move || memory.remember(&root(n), VolumeId([n; 16])));
            }
        });
        for n in 0..16 {
            assert_eq!(memory.volume(&root(n)), Some(VolumeId([n; 16])), "{n}");
        }
        memory.remember(&root(3), VolumeId([99; 16]));
        assert_eq!(memory.volume(&root(3)), Some(VolumeId([99; 16])));
        assert_eq!(memory.volume(&root(16)), None);
        // What cannot be read is not written over.
        let file = dir.path().join("state/volumes");
        fs::write(&file, [0xff, b'\n']).unwrap();
        memory.remember(&root(4), VolumeId([4; 16]));
        assert_eq!(fs::read(&file).unwrap(), [0xff, b'\n']);
    }

    #[test]
    fn without_a_folder_nothing_is_remembered_and_nothing_fails() {
        let memory = Memory(None);
        memory.remember(Path::new("/mnt/a"), VolumeId([1; 16]));
        assert_eq!(memory.volume(Path::new("/mnt/a")), None);
    }
}
