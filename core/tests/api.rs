//! A snapshot of the public declarations: `docs/api.txt`. A change of it is a decision; `VIGIE_UPDATE=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every `pub` declaration of a file, each on one line: functions, types, fields, constants, re-exports, and the
/// variants of public enums.
fn declarations(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let (mut out, mut open, mut in_enum): (Vec<String>, Option<String>, bool) = (vec![], None, false);
    for line in text.lines() {
        let code = line.split("//").next().unwrap().trim_end();
        let trimmed = code.trim_start();
        if in_enum {
            in_enum = code != "}";
            if in_enum && trimmed.starts_with(|c: char| c.is_ascii_uppercase()) {
                out.push(format!("    {}", trimmed.trim_end_matches(['{', ',']).trim_end()));
            }
            continue;
        }
        if open.is_none() && trimmed.starts_with("pub ") {
            open = Some(String::new());
        }
        let Some(mut all) = open.take() else { continue };
        let opens = all.is_empty();
        if !opens && !all.ends_with('(') && !trimmed.starts_with(')') {
            all.push(' ');
        }
        all.push_str(trimmed);
        let closed = all.matches('(').count() == all.matches(')').count();
        if closed && all.ends_with(['{', ';', ',', '}']) {
            in_enum = all.starts_with("pub enum") && all.ends_with('{');
            out.push(all.trim_end_matches(['{', ';', ',']).trim_end().to_owned());
        } else {
            open = Some(all);
        }
    }
    out
}

#[test]
fn the_public_declarations_are_those_of_the_snapshot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let base = root.join("src");
    let mut paths = vec![];
    sources(&base, &mut paths);
    paths.sort();
    let mut snapshot = String::from(
        "The public declarations of core, file by file. core/tests/api.rs holds this page to the sources.\n",
    );
    for path in paths {
        let found = declarations(&fs::read_to_string(&path).unwrap());
        if !found.is_empty() {
            writeln!(snapshot, "\n{}", path.strip_prefix(&base).unwrap().display()).unwrap();
            found.iter().for_each(|line| writeln!(snapshot, "  {line}").unwrap());
        }
    }
    let path = root.join("docs/api.txt");
    if std::env::var_os("VIGIE_UPDATE").is_some() {
        fs::write(&path, &snapshot).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<_> = kept.lines().zip(snapshot.lines()).filter(|(a, b)| a != b).take(5).collect();
    assert!(
        kept == snapshot,
        "run with VIGIE_UPDATE=1 and commit docs/api.txt; first differences: {changed:#?}"
    );
}
