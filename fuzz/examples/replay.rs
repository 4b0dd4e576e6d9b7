//! Plays inputs through a property, without a fuzzer: `cargo run --example replay -- TARGET FILE|FOLDER…`; `all FOLDER` takes the
//! folders of all targets in it.

use std::fs;
use std::path::{Path, PathBuf};

use vigie_fuzz::{TARGETS, Target};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let name = arguments.next().unwrap_or_default();
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let mut count = 0;
    for target in TARGETS.iter().filter(|target| name == "all" || name == target.name) {
        for path in &paths {
            let path = if name == "all" { path.join(target.name) } else { path.clone() };
            replay(target, &path, &mut count)?;
        }
    }
    if count == 0 {
        eprintln!("usage: replay TARGET FILE|FOLDER…, where TARGET is one of");
        TARGETS.iter().for_each(|target| eprintln!("  {}: {}", target.name, target.says));
        std::process::exit(2);
    }
    println!("{count} inputs: all hold");
    Ok(())
}

fn replay(target: &Target, path: &Path, count: &mut usize) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            replay(target, &entry?.path(), count)?;
        }
    } else if path.is_file() {
        (target.property)(&fs::read(path)?);
        *count += 1;
    }
    Ok(())
}
