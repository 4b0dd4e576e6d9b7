//! `docs/cameras.md` and `enum Quirk` say the same.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use vigie::fault::Quirk;

#[test]
fn every_quirk_has_its_row_and_every_row_its_quirk() {
    let table = include_str!("../docs/cameras.md");
    let rows: Vec<&str> = table.lines().filter_map(|l| l.strip_prefix("| `")?.split('`').next()).collect();
    let named: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(rows.len(), named.len(), "a name stands twice");
    assert_eq!(named, Quirk::ALL.iter().map(|q| q.name()).collect::<BTreeSet<_>>());
    for row in table.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        assert!(cells.iter().all(|c| !c.is_empty()), "{row}");
    }
}
