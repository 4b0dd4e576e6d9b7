//! The floors of the house: which module may import from which. A new edge is a decision, made here.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Floors from the ground up; within a floor, the way of the data.
const FLOORS: &[&[&str]] = &[
    &["octets", "time", "limits", "fault", "codec"],
    &["rtsp", "sdp", "rtp", "h26x", "bmff", "gix"],
    &["reorder", "depacket", "packetize", "timeline", "fragment", "segment", "view"],
    &["govern", "session", "server", "store"],
    &["play"],
    &["record"],
];

/// Every edge above the ground floor, which all may use.
const EDGES: &[(&str, &[&str])] = &[
    ("reorder", &["rtp"]),
    ("depacket", &["h26x", "reorder", "rtp", "sdp"]),
    ("packetize", &["rtp"]),
    ("timeline", &["depacket", "h26x", "rtp"]),
    ("fragment", &["bmff", "depacket", "gix", "h26x", "timeline"]),
    ("segment", &["bmff", "fragment", "gix"]),
    ("view", &["bmff", "fragment", "gix", "segment"]),
    ("session", &["rtp", "rtsp", "sdp"]),
    ("server", &["rtsp", "sdp"]),
    ("store", &["fragment", "gix", "segment"]),
    ("play", &["bmff", "fragment", "gix", "store", "view"]),
    (
        "record",
        &[
            "bmff", "depacket", "fragment", "gix", "reorder", "rtp", "rtsp", "sdp", "segment", "session",
            "store", "timeline", "view",
        ],
    ),
];

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|f| f.contains(&module))
        .unwrap_or_else(|| panic!("module {module} stands on no floor"))
}

fn step(module: &str) -> usize {
    FLOORS.concat().iter().position(|m| *m == module).unwrap()
}

/// The source without comments and without the test module at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().map(|l| l.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The names that follow `prefix` at any place in `code`.
fn names_after<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    code.match_indices(prefix).filter_map(move |(at, _)| {
        let before = code[..at].chars().next_back();
        let own = !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
        let rest = &code[at + prefix.len()..];
        own.then(|| &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())])
    })
}

fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = vec![];
    files(&src, &mut paths);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in paths {
        let inside: Vec<_> = path
            .strip_prefix(&src)
            .unwrap()
            .with_extension("")
            .iter()
            .map(|s| s.to_str().unwrap().to_owned())
            .collect();
        let from = &inside[0];
        // Test modules in files of their own.
        let test = ["tests", "testing"].contains(&inside[inside.len() - 1].as_str());
        if from == "lib" || test {
            continue;
        }
        let code = code(&fs::read_to_string(&path).unwrap());
        assert!(
            !code.contains("crate::{"),
            "{}: one `use crate::…` per module, so that the edges can be read",
            path.display()
        );
        let up = "super::".repeat(inside.len());
        for to in names_after(&code, "crate::").chain(names_after(&code, &up)) {
            if to != from && !to.is_empty() {
                found.entry(from.clone()).or_default().insert(to.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_edge_is_on_the_list_and_every_listed_edge_is_used() {
    let mut found = edges();
    for to in found.values_mut() {
        to.retain(|m| floor(m) > 0);
    }
    found.retain(|from, to| floor(from) > 0 && !to.is_empty());
    let listed: BTreeMap<String, BTreeSet<String>> = EDGES
        .iter()
        .map(|(from, to)| ((*from).to_owned(), to.iter().map(|t| (*t).to_owned()).collect()))
        .collect();
    assert_eq!(found, listed, "left: the code; right: the list");
}

#[test]
fn the_ground_floor_needs_nothing() {
    for (from, to) in edges() {
        if floor(&from) == 0 {
            assert!(to.iter().all(|t| floor(t) == 0), "{from} imports {to:?}");
        }
    }
}

#[test]
fn no_listed_edge_goes_up_or_against_the_way() {
    for (from, to) in EDGES {
        for to in *to {
            let lower = floor(to) < floor(from);
            let before = floor(to) == floor(from) && (2..=4).contains(&floor(from)) && step(to) < step(from);
            assert!(lower || before, "{from} imports {to}");
        }
    }
}
