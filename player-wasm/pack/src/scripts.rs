//! The scripts: as they are written, or what `esbuild` makes of them.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::Result;

/// What a page or another script names: the rest is in chunks. `worker.js` has none in common with the page, and `dewarp.js`
/// is to make none of what a live tile loads.
const PAGE: [&str; 3] = ["index.js", "tile.js", "guest.js"];
const APART: [&str; 1] = ["dewarp.js"];
const WORKER: [&str; 2] = ["worker.js", "archive.js"];

/// Bundles and minifies from `work` into `out`; false where there is no esbuild.
pub(crate) fn minified(player: &Path, work: &Path, out: &Path) -> Result<bool> {
    // A script for Node, or, where npm ran its install script, a program: either runs by itself.
    let tool = player.join("node_modules/esbuild/bin/esbuild");
    if !tool.exists() || !crate::node() {
        println!("no esbuild here (npm's, with Node): scripts left as they are written");
        return Ok(false);
    }
    println!("bundling the scripts with esbuild");
    for entries in [&PAGE[..], &APART[..], &WORKER[..]] {
        let status = Command::new(&tool)
            .args(entries.iter().map(|name| work.join(name)))
            .args([
                "--bundle",
                "--splitting",
                "--minify",
                "--format=esm",
                "--target=es2022",
                "--log-level=warning",
            ])
            .args(["--external:./wasm/*", "--chunk-names=chunk-[hash]"])
            .arg(format!("--outdir={}", out.display()))
            .status()?;
        if !status.success() {
            return Err("esbuild failed; --no-opt does without it".into());
        }
    }
    fs::create_dir_all(out.join("wasm"))?;
    for entry in fs::read_dir(work.join("wasm"))? {
        let path = entry?.path();
        let to = out.join("wasm").join(path.file_name().unwrap_or_default());
        if path.extension().is_some_and(|e| e == "js") {
            let mut command = Command::new(&tool);
            command.arg(&path).args(["--minify", "--log-level=warning"]);
            if !command.arg(format!("--outfile={}", to.display())).status()?.success() {
                return Err("esbuild failed; --no-opt does without it".into());
            }
        } else {
            fs::copy(&path, to)?;
        }
    }
    copy_where(work, out, |name| name.ends_with(".d.ts") || name.ends_with(".html"))?;
    Ok(true)
}

/// As they are written.
pub(crate) fn copied(work: &Path, out: &Path) -> Result<()> {
    fs::create_dir_all(out.join("wasm"))?;
    copy_where(work, out, |_| true)?;
    Ok(copy_where(&work.join("wasm"), &out.join("wasm"), |_| true)?)
}

fn copy_where(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_file() && wanted(&name.to_string_lossy()) {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Bytes of the scripts in the package.
pub(crate) fn size(out: &Path) -> Result<u64> {
    let mut size = 0;
    for folder in [out.to_owned(), out.join("wasm")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "js") {
                size += fs::metadata(&path)?.len();
            }
        }
    }
    Ok(size)
}
