//! The tenant's journal: that an export was made, by whom and why. It is written before the export takes its place.

use std::time::{Duration, Instant};

use vigie::store::journal::{self, ExportedFile, Journal, Record};
use vigie::store::{FileStorage, Kind};

use super::Request;
use super::manifest::Content;
use super::read::Reader;
use crate::failure::Failure;
use crate::moment::utc_now;

/// So long another process may keep the journal.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is written where nothing was said.
const UNSAID: &str = "-";

/// Writes the line.
pub(super) fn tell(request: &Request<'_>, reader: &Reader<'_>, files: &[Content]) -> Result<(), Failure> {
    if request.options.no_journal {
        return Ok(());
    }
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| UNSAID.to_owned());
    let record = Record::Exported {
        camera: reader.source.camera,
        from: request.window.from,
        to: request.window.to,
        case: said(&request.options.case),
        who: said(&request.options.operator),
        why: said(&request.options.reason),
        files: files
            .iter()
            .map(|file| ExportedFile {
                name: file.name.clone(),
                bytes: file.bytes,
                sha256: file.sha256.clone(),
            })
            .collect(),
    };
    let mut storage = reader.storage.clone();
    write(&mut storage, reader, &record).map_err(|error| {
        Failure::fault(
            "the export cannot be written into the tenant's journal, so it was not made",
            &error,
            "export as a user that may write to the store; or, from a copy of it, with --no-journal",
        )
    })
}

fn write(storage: &mut FileStorage, reader: &Reader<'_>, record: &Record) -> Result<(), journal::Error> {
    let patience = Instant::now() + PATIENCE;
    let mut journal = loop {
        match Journal::open(storage, reader.source.tenant, utc_now()) {
            Ok(journal) => break journal,
            Err(journal::Error { kind: journal::Kind::Store(Kind::Locked), .. })
                if Instant::now() < patience =>
            {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => return Err(error),
        }
    };
    let written = journal.append(storage, utc_now(), record);
    journal.close(storage);
    written.map(drop)
}
