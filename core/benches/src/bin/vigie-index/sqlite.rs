//! The same questions put to SQLite: a row for each media file, and one for each gap.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use vigie::time::UtcMicros;

use crate::Failure;
use crate::make::{self, Made};

/// Rows in the order of the questions, and an index for retention, which asks across cameras.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS segment (
        camera INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, counter INTEGER NOT NULL,
        bytes INTEGER NOT NULL, PRIMARY KEY (camera, start)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS age ON segment (start);
    CREATE TABLE IF NOT EXISTS gap (
        camera INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, cause INTEGER NOT NULL,
        PRIMARY KEY (camera, start)
    ) WITHOUT ROWID;";

pub(crate) fn connect(path: &Path) -> Result<Connection, Failure> {
    let connection = Connection::open(path)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// All rows in the one file, and what its planner wants to know.
pub(crate) fn settle(connection: &Connection) -> Result<(), Failure> {
    connection.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

pub(crate) fn insert(connection: &mut Connection, camera: u32, made: &Made) -> Result<(), Failure> {
    let transaction = connection.transaction()?;
    {
        let mut segment = transaction.prepare_cached("INSERT INTO segment VALUES (?, ?, ?, ?, ?)")?;
        for s in &made.segments {
            segment.execute(params![camera, s.key.utc.0, s.end.0, s.key.counter, s.bytes as i64])?;
        }
        let mut gap = transaction.prepare_cached("INSERT INTO gap VALUES (?, ?, ?, ?)")?;
        for (from, to, cause) in &made.gaps {
            gap.execute(params![camera, from.0, to.0, *cause as i64])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

pub(crate) fn open(connection: &Connection, cameras: u32) -> Result<usize, Failure> {
    let mut last = connection
        .prepare_cached("SELECT start, counter FROM segment WHERE camera = ? ORDER BY start DESC LIMIT 1")?;
    let mut found = 0;
    for camera in 0..cameras {
        let row: Option<(i64, u32)> =
            last.query_row(params![camera], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        found += usize::from(row.is_some());
    }
    Ok(found)
}

/// Which file; where in it would have to be read from the file.
pub(crate) fn place(connection: &Connection, camera: u32, utc: UtcMicros) -> Result<bool, Failure> {
    let mut at = connection.prepare_cached(
        "SELECT start, end, counter FROM segment WHERE camera = ? AND start <= ? ORDER BY start DESC LIMIT 1",
    )?;
    let mut after = connection.prepare_cached(
        "SELECT start, end, counter FROM segment WHERE camera = ? AND start > ? ORDER BY start LIMIT 1",
    )?;
    let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(i64, i64, u32)> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    };
    let found = at.query_row(params![camera, utc.0], row).optional()?.filter(|(_, end, _)| *end > utc.0);
    Ok(match found {
        Some(_) => true,
        None => after.query_row(params![camera, utc.0], row).optional()?.is_some(),
    })
}

pub(crate) fn list(connection: &Connection, camera: u32, day: u32) -> Result<(usize, usize), Failure> {
    let day = make::day(day);
    let mut files = connection.prepare_cached(
        "SELECT start, end, counter, bytes FROM segment WHERE camera = ? AND start >= ? AND start < ? ORDER BY start",
    )?;
    let of = params![camera, day.start().0 - make::MINUTE, day.end().0];
    let rows = files.query_map(of, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let files = rows.collect::<rusqlite::Result<Vec<(i64, i64, u32, i64)>>>()?;
    let mut gaps = connection
        .prepare_cached("SELECT start, end, cause FROM gap WHERE camera = ? AND end > ? AND start < ?")?;
    let rows = gaps.query_map(params![camera, day.start().0, day.end().0], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let gaps = rows.collect::<rusqlite::Result<Vec<(i64, i64, i64)>>>()?;
    let shown = files.iter().filter(|(_, end, ..)| *end > day.start().0).count();
    Ok((shown, gaps.len()))
}

pub(crate) fn retain(
    connection: &Connection,
    cameras: u32,
    limit: UtcMicros,
) -> Result<(usize, u64), Failure> {
    let mut old = connection
        .prepare_cached("SELECT camera, start, counter, bytes FROM segment WHERE start < ? AND camera < ?")?;
    let rows = old.query_map(params![limit.0, cameras], |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?, row.get::<_, u32>(2)?, row.get::<_, i64>(3)?))
    })?;
    let (mut files, mut bytes) = (0, 0);
    for row in rows {
        files += 1;
        bytes += row?.3 as u64;
    }
    Ok((files, bytes))
}

/// Forgets what is older, as a pass does whose files are gone.
pub(crate) fn forget(connection: &Connection, limit: UtcMicros) -> Result<usize, Failure> {
    Ok(connection.execute("DELETE FROM segment WHERE start < ?", params![limit.0])?)
}
