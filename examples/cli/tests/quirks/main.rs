//! The simulated cameras' quirks: what each profile puts on the wire, and what the recorder makes of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/boxes.rs"]
mod boxes;
mod recorded;
mod run;
mod wire;

use std::collections::BTreeSet;

use vigie::fault::Quirk;
use vigie_cli::simulator::quirks::{self, Profile};

const CAMERAS: &str = include_str!("../../../../core/docs/cameras.md");

/// The rows below a heading of the page, cell by cell, without backquotes.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = CAMERAS.split("\n## ").find(|section| section.starts_with(heading)).expect(heading);
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|c| c.trim().replace('`', "")).collect();
    rows.map(cells).collect()
}

/// What the row of a profile says.
fn row(profile: &Profile) -> Vec<String> {
    let tolerance = profile.quirk.map_or("-", Quirk::name);
    [profile.name, profile.line, profile.cameras, profile.does, tolerance].map(str::to_owned).to_vec()
}

/// `VIGIE_UPDATE=1` writes the table.
#[test]
fn the_page_lists_every_profile() {
    let expected: Vec<Vec<String>> =
        quirks::all().map(|p| row(p).iter().map(|c| c.replace('`', "")).collect()).collect();
    if std::env::var_os("VIGIE_UPDATE").is_some() {
        let lines: Vec<String> = quirks::all()
            .map(row)
            .map(|r| format!("| `{}` | {} | {} | {} | {} |\n", r[0], r[1], r[2], r[3], ticked(&r[4])))
            .collect();
        let (before, after) = CAMERAS.split_once("|---|---|---|---|---|\n").unwrap();
        let after = &after[after.find("\n## ").unwrap()..];
        let page = format!("{before}|---|---|---|---|---|\n{}{after}", lines.concat());
        std::fs::write("../../core/docs/cameras.md", page).unwrap();
        return;
    }
    assert_eq!(rows("Profiles"), expected, "VIGIE_UPDATE=1 brings core/docs/cameras.md up to date");
}

fn ticked(name: &str) -> String {
    if name == "-" { name.to_owned() } else { format!("`{name}`") }
}

#[test]
fn every_quirk_has_a_profile_or_a_reason() {
    let played: BTreeSet<&str> = quirks::all().filter_map(|p| p.quirk).map(Quirk::name).collect();
    let excused: BTreeSet<String> =
        rows("Quirks that no profile plays").into_iter().map(|r| r[0].clone()).collect();
    for quirk in Quirk::ALL {
        assert!(
            played.contains(quirk.name()) != excused.contains(quirk.name()),
            "{quirk}: a profile, or a reason why not, and not both"
        );
    }
}
