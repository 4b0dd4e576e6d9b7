//! A volume of thousands of cameras that makes what is read of it, and keeps what is written to it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use vigie::store::{Access, Error, File, Kind, Listed, Storage};

use crate::make::{self, Made};

/// Cameras of one tenant, each with so many days.
pub(crate) struct Fake {
    cameras: Vec<u32>,
    days: u32,
    open: BTreeMap<u32, Open>,
    /// Made last, with its camera and day: an index is read piece by piece, and then the names beside it.
    last: (u32, u32, Rc<Made>),
    /// The names of that, by hour.
    hours: BTreeMap<String, Vec<Listed>>,
    /// The names in the folder that something was removed from last.
    shown: (String, BTreeSet<String>),
    written: BTreeMap<String, Vec<u8>>,
    removed: BTreeSet<String>,
    next: u32,
}

enum Open {
    Index(Rc<Made>),
    Log(Rc<Made>),
    Written(String),
}

impl Fake {
    pub(crate) fn new(cameras: impl Iterator<Item = u32>, days: u32) -> Self {
        Self {
            cameras: cameras.collect(),
            days,
            open: BTreeMap::new(),
            last: (u32::MAX, 0, Rc::default()),
            hours: BTreeMap::new(),
            shown: Default::default(),
            written: BTreeMap::new(),
            removed: BTreeSet::new(),
            next: 0,
        }
    }

    /// Forgets what was written and removed of a camera: it is as it was made.
    pub(crate) fn forget(&mut self, camera: &str) {
        self.written.retain(|path, _| !path.starts_with(camera));
        self.removed.clear();
    }

    /// A camera's day, by the camera's folder and the day's name.
    fn made(&mut self, folder: &str, day: &str) -> Option<Rc<Made>> {
        let camera = folder.strip_prefix("town/c")?.parse().ok()?;
        let day = (0..self.days).find(|n| make::day(*n).to_string() == day)?;
        self.cameras.binary_search(&camera).ok()?;
        if (self.last.0, self.last.1) != (camera, day) {
            self.last = (camera, day, Rc::new(make::make(camera, day)));
            self.hours.clear();
            for segment in &self.last.2.segments {
                let key = segment.key.to_string();
                let mut parts = key.split('/').skip(1).map(str::to_owned);
                let (Some(hour), Some(name)) = (parts.next(), parts.next()) else { continue };
                let listed = Listed { name, folder: false, len: segment.bytes };
                self.hours.entry(hour).or_default().push(listed);
            }
        }
        Some(Rc::clone(&self.last.2))
    }

    fn find(&mut self, path: &str) -> Option<Open> {
        if self.written.contains_key(path) {
            return Some(Open::Written(path.to_owned()));
        }
        let (folder, name) = path.rsplit_once('/').filter(|_| !self.removed.contains(path))?;
        match name.split_once('.')? {
            (day, "gix") => self.made(folder, day).map(Open::Index),
            (day, "gap") => self.made(folder, day).map(Open::Log),
            _ => None,
        }
    }

    fn bytes(&self, file: File) -> Result<&[u8], Error> {
        Ok(match self.open.get(&file.0).ok_or(NO_FILE)? {
            Open::Index(made) => &made.index,
            Open::Log(made) => &made.log,
            Open::Written(path) => self.written.get(path).ok_or(NO_FILE)?,
        })
    }

    fn writable(&mut self, file: File) -> Result<&mut Vec<u8>, Error> {
        match self.open.get(&file.0).ok_or(NO_FILE)? {
            Open::Written(path) => self.written.get_mut(path).ok_or(NO_FILE),
            _ => Err(Error::at(Kind::ReadOnly, 0)),
        }
    }

    fn keep(&mut self, open: Open) -> File {
        self.open.insert(self.next, open);
        self.next += 1;
        File(self.next - 1)
    }

    /// What a folder was made with.
    fn names(&mut self, folder: &str) -> Vec<Listed> {
        let entry = |name: String, folder, len| Listed { name, folder, len };
        match folder.split('/').collect::<Vec<_>>()[..] {
            [""] => vec![entry("town".into(), true, 0)],
            ["town"] => self.cameras.iter().map(|c| entry(format!("c{c:04}"), true, 0)).collect(),
            ["town", _] => {
                let days = (0..self.days).map(|n| make::day(n).to_string());
                days.flat_map(|day| {
                    let files = ["gap", "gix"].map(|kind| entry(format!("{day}.{kind}"), false, 0));
                    [entry(day, true, 0)].into_iter().chain(files)
                })
                .collect()
            }
            ["town", camera, day, ref hour @ ..] if self.made(&format!("town/{camera}"), day).is_some() => {
                match hour {
                    [] => self.hours.keys().map(|hour| entry(hour.clone(), true, 0)).collect(),
                    [hour] => self.hours.get(*hour).cloned().unwrap_or_default(),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }
}

const NO_FILE: Error = Error::at(Kind::NoFile, 0);
const NOT_FOUND: Error = Error::at(Kind::NotFound, 0);

impl Storage for Fake {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        self.removed.remove(path);
        self.written.insert(path.to_owned(), Vec::new());
        Ok(self.keep(Open::Written(path.to_owned())))
    }

    fn open(&mut self, path: &str, _: Access) -> Result<File, Error> {
        let found = self.find(path).ok_or(NOT_FOUND)?;
        Ok(self.keep(found))
    }

    fn close(&mut self, file: File) {
        self.open.remove(&file.0);
    }

    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        let to = self.writable(file)?;
        parts.iter().for_each(|part| to.extend_from_slice(part));
        Ok(())
    }

    fn write_at(&mut self, _: File, _: u64, _: &[u8]) -> Result<(), Error> {
        Err(Error::at(Kind::ReadOnly, 0))
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let bytes = self.bytes(file)?;
        let rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or(&[]);
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        Ok(self.bytes(file)?.len() as u64)
    }

    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        self.writable(file)?.truncate(len as usize);
        Ok(())
    }

    fn sync(&mut self, _: File) -> Result<(), Error> {
        Ok(())
    }

    fn sync_folder(&mut self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let bytes = self.written.remove(from).ok_or(NOT_FOUND)?;
        self.removed.remove(to);
        self.written.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        let written = self.written.remove(path).is_some();
        let (folder, name) = path.rsplit_once('/').ok_or(NOT_FOUND)?;
        if self.shown.0 != folder {
            let names = self.names(folder).into_iter().map(|listed| listed.name);
            self.shown = (folder.to_owned(), names.collect());
        }
        let made = self.shown.1.contains(name) && self.removed.insert(path.to_owned());
        if made || written { Ok(()) } else { Err(NOT_FOUND) }
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        let mut out = self.names(folder);
        let below = format!("{folder}/");
        out.retain(|listed| !self.removed.contains(&format!("{below}{}", listed.name)));
        for (path, bytes) in
            self.written.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below))
        {
            let name = &path[below.len()..];
            if !name.contains('/') && out.iter().all(|listed| listed.name != name) {
                out.push(Listed { name: name.to_owned(), folder: false, len: bytes.len() as u64 });
            }
        }
        Ok(out)
    }

    fn lock(&mut self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn unlock(&mut self, _: &str) {}

    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        self.removed.insert(folder.to_owned());
        Ok(())
    }
}
