//! A file that appears whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file in the making: beside its place, under another name, until it is whole. What is no plain file (a device, a pipe)
/// is written as it stands.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    part: Option<PathBuf>,
    file: File,
    written: u64,
}

impl NewFile {
    /// Begins.
    ///
    /// # Errors
    /// The place cannot be written.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::file("write", path, &error);
        let plain = match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(failed(std::io::ErrorKind::IsADirectory.into())),
            Ok(found) => found.is_file(),
            Err(_) => true,
        };
        let part = plain.then(|| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.with_file_name(format!(".{name}.part"))
        });
        let file = File::create(part.as_deref().unwrap_or(path)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), part, file, written: 0 })
    }

    /// Appends.
    ///
    /// # Errors
    /// As on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| Failure::file("write", &self.path, &error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Writes over bytes that were appended before.
    ///
    /// # Errors
    /// As on a full disk.
    pub fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        use std::io::{Seek as _, SeekFrom};
        let mut patch = || {
            self.file.seek(SeekFrom::Start(offset))?;
            self.file.write_all(bytes)?;
            self.file.seek(SeekFrom::End(0))
        };
        patch().map(|_| ()).map_err(|error| Failure::file("write", &self.path, &error))
    }

    /// Bytes appended.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// It is whole: it takes its place, and that of a file that was there.
    ///
    /// # Errors
    /// As on a full disk.
    pub fn finish(mut self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::file("write", &self.path, &error);
        if let Some(part) = &self.part {
            self.file.sync_all().map_err(failed)?;
            std::fs::rename(part, &self.path).map_err(failed)?;
            // Its name, too, is to outlast a power cut; not every file system syncs a folder.
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        }
        self.part = None;
        Ok(())
    }
}

/// What was not finished goes.
impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = std::fs::remove_file(part);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.mp4");
        std::fs::write(&path, "old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write(b"0123").unwrap();
        file.patch(1, b"xy").unwrap();
        file.write(b"4").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(file.written(), 5);
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"0xy34");
        drop(NewFile::create(&path).unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(NewFile::create(dir.path()).is_err());
    }
}
