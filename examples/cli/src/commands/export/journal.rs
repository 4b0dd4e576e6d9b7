//! The tenant's journal: that an export was made, by whom and why. It is written before the export takes its place.

use vigie::store::journal::{ExportedFile, Record};

use super::Request;
use super::manifest::Content;
use super::read::Reader;
use crate::commands::journal::with;
use crate::failure::Failure;

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
    let mut storage = request.stores.decide()?;
    let tenant = reader.source.tenant;
    let told = with(&mut storage, tenant, |journal, storage, now| journal.append(storage, now, &record));
    told.map(drop).map_err(|error| {
        Failure::fault(
            "the export cannot be written into the tenant's journal, so it was not made",
            &error,
            "export as a user that may write to the store; or, from a copy of it, with --no-journal",
        )
    })
}
