//! A folder that appears whole or not at all, and the hash of each file in it.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::manifest::Content;
use crate::failure::Failure;
use crate::new_file::NewFile;

/// A folder in the making: beside its place, under another name, until it is whole.
#[derive(Debug)]
pub(super) struct Folder {
    /// As it was named.
    given: PathBuf,
    path: PathBuf,
    part: PathBuf,
    done: bool,
}

impl Folder {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let given = path.to_owned();
        let failed = |error: std::io::Error| Failure::file("write", &given, &error);
        let path = std::path::absolute(path).map_err(failed)?;
        match fs::read_dir(&path).map(|mut inside| inside.next().is_some()) {
            Ok(true) => {
                return Err(Failure::new(
                    format!("{} is not empty: an export has a folder of its own", path.display()),
                    "name a new folder with -o, or empty that one",
                ));
            }
            Ok(false) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = path.with_file_name(format!(".{name}.part"));
        // What an export that was killed has left.
        match fs::remove_dir_all(&part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::create_dir(&part).map_err(failed)?;
        Ok(Self { given, path, part, done: false })
    }

    /// As it was given.
    pub(super) fn given(&self) -> &Path {
        &self.given
    }

    /// A file in it, with the folders above.
    pub(super) fn file(&self, name: &str) -> Result<Hashed, Failure> {
        let path = self.part.join(name);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(|error| Failure::file("write", above, &error))?;
        }
        Hashed::create(&path, name)
    }

    /// A small file in it.
    pub(super) fn text(&self, name: &str, text: &str) -> Result<Content, Failure> {
        let mut file = self.file(name)?;
        file.write(text.as_bytes())?;
        let (file, content) = file.whole();
        file.finish()?;
        Ok(content)
    }

    /// It is whole: it takes its place.
    pub(super) fn finish(mut self) -> Result<PathBuf, Failure> {
        let failed = |error: std::io::Error| Failure::file("write", &self.path, &error);
        fs::rename(&self.part, &self.path).map_err(failed)?;
        self.done = true;
        // So that the name survives a power cut. Where folders cannot be opened (Windows), the system sees to it.
        if let Some(Ok(above)) = self.path.parent().map(fs::File::open) {
            let _ = above.sync_all();
        }
        Ok(self.given.clone())
    }
}

/// What was not finished goes.
impl Drop for Folder {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_dir_all(&self.part);
        }
    }
}

/// A file in the making, and the hash of what was written.
#[derive(Debug)]
pub(super) struct Hashed {
    file: NewFile,
    name: String,
    sha: Sha256,
}

impl Hashed {
    pub(super) fn create(path: &Path, name: &str) -> Result<Self, Failure> {
        Ok(Self { file: NewFile::create(path)?, name: name.to_owned(), sha: Sha256::new() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.sha.update(bytes);
        self.file.write(bytes)
    }

    /// All is written; the file takes its place when it is finished.
    pub(super) fn whole(self) -> (NewFile, Content) {
        let bytes = self.file.written();
        (self.file, Content { name: self.name, bytes, sha256: hex(&self.sha.finalize()) })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
