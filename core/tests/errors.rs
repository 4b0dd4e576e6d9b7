//! `docs/errors.md` lists every stable error number, and the sources give no other. `VIGIE_UPDATE=1` writes the page.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const HEAD: &str = "# Error numbers

Each kind of error has a number that never changes and is never used again: the same in Rust (`Fault::code`), in
C and in JavaScript. It is printed as `V0250`. `core/tests/errors.rs` holds this page to the sources.

| number | where | kind | what it says |
|---|---|---|---|
";

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

/// What stands in `#[error("…")]` above the variant `kind`, if it is declared in this file.
fn says(text: &str, kind: &str) -> String {
    let declared = |rest: &str| {
        rest.strip_prefix(kind)
            .is_some_and(|after| after.starts_with(',') || after.starts_with('(') || after.starts_with(" {"))
    };
    let mut message = String::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("#[error(") {
            let mut all = rest.to_owned();
            while !all.ends_with(")]") {
                let Some(next) = lines.next() else { break };
                all.push_str(next);
            }
            message = all.split('"').nth(1).unwrap_or_default().replace("\\\\", "\\").replace('|', "/");
        } else if declared(line) && !message.is_empty() && !line.contains("=>") {
            return message;
        } else if !line.starts_with("///") && !line.starts_with("#[") {
            message.clear();
        }
    }
    String::new()
}

/// Number to (where, kind, what it says).
fn numbers() -> BTreeMap<u16, (String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    for (folder, name) in [("src", "vigie"), ("net/src", "vigie_net")] {
        let base = root.join(folder);
        let mut paths = vec![];
        sources(&base, &mut paths);
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).unwrap();
            let module = path.strip_prefix(&base).unwrap().with_extension("");
            let place = format!(
                "{name}::{}",
                module.iter().map(|p| p.to_str().unwrap()).collect::<Vec<_>>().join("::")
            );
            for block in text.split("fn code(&self) -> Code {").skip(1) {
                for line in block.split("\n    }\n").next().unwrap().lines() {
                    let Some((kinds, number)) = line.trim().split_once(" => ") else { continue };
                    let number =
                        number.trim_end_matches(',').trim_start_matches("Code(").trim_end_matches(')');
                    let Ok(number) = number.parse::<u16>() else { continue };
                    let kind = kinds.rsplit("::").next().unwrap();
                    let kind = kind.split(['(', ' ', '{']).next().unwrap().to_owned();
                    let before = found.insert(number, (place.clone(), kind.clone(), says(&text, &kind)));
                    assert!(before.is_none(), "{number} stands for {before:?} and for {place} {kind}");
                }
            }
        }
    }
    found
}

#[test]
fn the_page_and_the_sources_say_the_same() {
    let rows = numbers()
        .iter()
        .map(|(number, (place, kind, says))| format!("| {number} | `{place}` | `{kind}` | {says} |\n"))
        .collect::<String>();
    let page = format!("{HEAD}{rows}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    if std::env::var_os("VIGIE_UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == page,
        "run with VIGIE_UPDATE=1 and commit docs/errors.md"
    );
}
