//! `docs/cameras.md` and `enum Quirk` say the same.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use vigie::fault::Quirk;

const PAGE: &str = include_str!("../docs/cameras.md");

/// The cells of the rows below a heading; the row of heads is not among them.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading)).expect(heading);
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn every_quirk_has_its_row_and_every_row_its_quirk() {
    let table = PAGE.split("\n## ").next().unwrap();
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

/// The catalogue has 108 lines: 1 to 105, the 58th in four parts.
#[test]
fn every_line_of_the_catalogue_has_a_profile_or_a_reason() {
    let played: BTreeSet<&str> =
        rows("Profiles").iter().map(|row| row[1]).filter(|line| *line != "-").collect();
    let excused: Vec<&str> = rows("Lines that no profile plays").iter().map(|row| row[0]).collect();
    let numbers = (1..=105).filter(|n| *n != 58).map(|n| n.to_string());
    let lines: BTreeSet<String> = numbers.chain("abcd".chars().map(|part| format!("58{part}"))).collect();
    assert_eq!(lines.len(), 108);
    for line in &lines {
        let excuses = excused.iter().filter(|excused| *excused == line).count();
        assert_eq!(usize::from(played.contains(line.as_str())) + excuses, 1, "line {line}");
    }
    assert!(played.iter().chain(&excused).all(|line| lines.contains(*line)));
    for row in rows("Profiles") {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(row[4] == "-" || Quirk::ALL.iter().any(|q| row[4].trim_matches('`') == q.name()), "{row:?}");
    }
}

/// What breaks a rule and is not counted is named, with the reason, and has no tolerance.
#[test]
fn what_is_tolerated_without_being_counted_has_a_reason() {
    let profiles = rows("Profiles");
    let uncounted = rows("Tolerated without being counted");
    assert!(!uncounted.is_empty());
    for row in &uncounted {
        assert!(row.len() == 2 && !row[1].is_empty(), "{row:?}");
        let profile = profiles.iter().find(|profile| profile[0] == row[0]).expect(row[0]);
        assert_eq!(profile[4], "-", "{row:?}");
    }
}
