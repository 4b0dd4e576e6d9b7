//! Which volume belongs into which folder, as far as this machine has seen it: a file of the user's, outside of any store. After a
//! reboot without the disk, nothing is written into the empty folder below its mount point.

use std::path::{Path, PathBuf};

use vigie::store::VolumeId;

/// The file: an id and a path on each line.
#[derive(Clone, Debug)]
pub struct Memory(Option<PathBuf>);

impl Memory {
    /// The user's: `volumes` in `$STATE_DIRECTORY` (systemd's), `$XDG_STATE_HOME/vigie` or `~/.local/state/vigie`.
    #[must_use]
    pub fn of_user() -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = folder("STATE_DIRECTORY")
            .or_else(|| Some(folder("XDG_STATE_HOME")?.join("vigie")))
            .or_else(|| Some(folder("HOME")?.join(".local/state/vigie")));
        Self(state.map(|state| state.join("volumes")))
    }

    /// Another file.
    #[must_use]
    pub const fn at(file: PathBuf) -> Self {
        Self(Some(file))
    }

    fn lines(&self) -> Vec<(VolumeId, PathBuf)> {
        let text = self.0.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let line = |line: &str| {
            let (id, path) = line.split_once(' ')?;
            Some((id.parse().ok()?, PathBuf::from(path)))
        };
        text.lines().filter_map(line).collect()
    }

    /// The volume that belongs into a folder; `None` where none was seen there.
    #[must_use]
    pub fn volume(&self, root: &Path) -> Option<VolumeId> {
        let root = std::path::absolute(root).ok()?;
        self.lines().into_iter().find(|(_, path)| *path == root).map(|(id, _)| id)
    }

    /// From now on this volume belongs there. Where that cannot be written down it is told, and nothing else: recording goes on.
    pub fn remember(&self, root: &Path, id: VolumeId) {
        let (Some(file), Ok(root)) = (&self.0, std::path::absolute(root)) else { return };
        if self.volume(&root) == Some(id) || root.to_str().is_none_or(|path| path.contains('\n')) {
            return;
        }
        let mut lines = self.lines();
        lines.retain(|(_, path)| *path != root);
        lines.push((id, root));
        let text: String = lines.iter().map(|(id, path)| format!("{id} {}\n", path.display())).collect();
        if let Err(error) = write(file, &text) {
            let file = file.display();
            tracing::warn!(%error, %file, "which volume belongs where is not remembered over a restart");
        }
    }
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let part = folder.join(format!(".volumes.{}", std::process::id()));
    let mut new = std::fs::File::create(&part)?;
    new.write_all(text.as_bytes()).and_then(|()| new.sync_all())?;
    std::fs::rename(part, file)
}
