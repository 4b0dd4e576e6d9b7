//! The writers of one volume sync together: a disk seeks once for all of them.

use alloc::vec::Vec;

use super::{Error, Storage, Writer};
use crate::time::Micros;

/// Syncs all `writers` that have something to sync, when the first of them is due: first the media of all, then the indexes
/// of all. Gives what failed, with the writer's place; the others are not concerned.
pub(crate) fn handle_timeout<'a, S: Storage + 'a>(
    now: Micros,
    writers: impl Iterator<Item = &'a mut Writer<S>>,
) -> Vec<(usize, Error)> {
    let mut all: Vec<(usize, &mut Writer<S>)> =
        writers.enumerate().filter(|(_, writer)| writer.poll_timeout().is_some()).collect();
    let mut failed = Vec::new();
    if !all.iter().any(|(_, writer)| writer.poll_timeout().is_some_and(|due| due <= now)) {
        return failed;
    }
    let mut each = |all: &mut Vec<(usize, &mut Writer<S>)>,
                    step: fn(&mut Writer<S>) -> Result<bool, Error>| {
        all.retain_mut(|(place, writer)| match step(writer) {
            Ok(more) => more,
            Err(error) => {
                failed.push((*place, writer.failed(error)));
                false
            }
        });
    };
    each(&mut all, |writer| {
        writer.begin_sync();
        writer.sync_media().map(|()| true)
    });
    each(&mut all, Writer::append_index);
    each(&mut all, |writer| writer.sync_index().map(|()| false));
    failed
}
