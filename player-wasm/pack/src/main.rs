//! `vigie-player-pack`: builds the npm package `vigie-player` into `player-wasm/dist/`.
//!
//! Only cargo is needed. `wasm-opt` and `esbuild` are used where Node and npm's packages are at hand, and what `wasm-opt`
//! wrote must run: Debian's binaryen 108 writes modules that compile and do not work, so it is never used.

mod manifest;
mod scripts;
mod wasm;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const USAGE: &str = "\
Builds the npm package vigie-player.

Usage: vigie-player-pack [--out DIR] [--no-opt]

  --out DIR   where to write it (default: player-wasm/dist)
  --no-opt    run neither wasm-opt nor esbuild, even where they are installed
  -h, --help  this

Example: cargo run -p vigie-player-pack";

struct Options {
    out: PathBuf,
    optimize: bool,
}

fn main() -> ExitCode {
    match options().and_then(|options| options.map_or(Ok(()), |o| pack(&o))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigie-player-pack: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None`: help was asked for, and given.
fn options() -> Result<Option<Options>> {
    let mut options = Options { out: player().join("dist"), optimize: true };
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--out" => options.out = args.next().ok_or("--out wants a folder")?.into(),
            "--no-opt" => options.optimize = false,
            "-h" | "--help" => {
                println!("{USAGE}");
                return Ok(None);
            }
            other => return Err(format!("unknown argument {other}; see --help").into()),
        }
    }
    Ok(Some(options))
}

/// The folder `player-wasm/`.
fn player() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The modules, by the feature that each is made of.
const MODULES: [&str; 2] = ["live", "archive"];

fn pack(options: &Options) -> Result<()> {
    let work = target().join("vigie-player-pack");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    let inner = work.join("wasm");
    fs::create_dir_all(&inner)?;
    let mut sizes = Vec::new();
    for name in MODULES {
        let bound = bind(&build(name)?, name)?;
        let plain = bound.join(format!("{name}_bg.wasm"));
        wasm::check_imports(&fs::read(&plain)?, name)?;
        let best = if options.optimize { optimized(&bound, name)? } else { None }.unwrap_or(plain);
        fs::copy(&best, inner.join(format!("{name}_bg.wasm")))?;
        for file in [format!("{name}.js"), format!("{name}.d.ts")] {
            fs::copy(bound.join(&file), inner.join(&file))?;
        }
        sizes.push(format!("{name} {} KB", fs::metadata(&best)?.len().div_ceil(1000)));
    }
    for entry in fs::read_dir(player().join("js"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "js" || e == "ts" || e == "html") {
            fs::copy(&path, work.join(path.file_name().unwrap_or_default()))?;
        }
    }

    let minified = work.join("minified");
    let small = options.optimize && scripts::minified(&player(), &work, &minified)?;
    // The old package is only touched once the new one is known to be good.
    let out = &options.out;
    clear(out)?;
    scripts::copied(if small { &minified } else { &work }, out)?;
    fs::copy(player().join("README.md"), out.join("README.md"))?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let path = player().join("..").join(licence);
        if path.exists() {
            fs::copy(path, out.join(licence))?;
        }
    }
    fs::write(out.join("package.json"), manifest::package_json())?;
    println!("packed vigie-player {} into {}", env!("CARGO_PKG_VERSION"), out.display());
    println!("  wasm {}, JavaScript {} KB", sizes.join(" and "), scripts::size(out)?.div_ceil(1000));
    Ok(())
}

/// Removes what a former run wrote, and nothing if the folder is not such a one.
fn clear(out: &Path) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let empty = fs::read_dir(out)?.next().is_none();
    let ours =
        fs::read_to_string(out.join("package.json")).is_ok_and(|text| text.contains(manifest::NAME_LINE));
    if !empty && !ours {
        return Err(format!(
            "{} holds something else than vigie-player; empty it, or give another --out",
            out.display()
        )
        .into());
    }
    Ok(fs::remove_dir_all(out)?)
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| player().join("../target"), PathBuf::from)
}

/// Compiles the crate with one feature; gives the module's path.
fn build(feature: &str) -> Result<PathBuf> {
    println!("compiling vigie-player to WebAssembly: {feature}");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(player())
        .args(["build", "--package", "vigie-player", "--lib", "--profile", "wasm-release"])
        .args(["--target", "wasm32-unknown-unknown", "--no-default-features", "--features", feature])
        .status()
        .map_err(|e| format!("cargo did not start: {e}"))?;
    if !status.success() {
        return Err(
            "the build failed; if the target is missing: rustup target add wasm32-unknown-unknown".into()
        );
    }
    Ok(target().join("wasm32-unknown-unknown/wasm-release/vigie_player.wasm"))
}

/// Runs wasm-bindgen for ES modules in browsers; gives the folder of its output.
fn bind(module: &Path, name: &str) -> Result<PathBuf> {
    println!("binding it to JavaScript");
    let folder = module.with_file_name(format!("vigie-player-{name}"));
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(module).out_name(name).web(true)?.typescript(true).omit_default_module_path(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(&folder).map_err(|e| format!("wasm-bindgen: {e:#}"))?;
    Ok(folder)
}

/// The module made smaller, where the means are there and the result runs.
fn optimized(bound: &Path, name: &str) -> Result<Option<PathBuf>> {
    let tool = player().join("node_modules/binaryen/bin/wasm-opt");
    if !tool.exists() || !node() {
        println!("no wasm-opt here (npm's binaryen, with Node): left as the compiler made it");
        return Ok(None);
    }
    println!("optimising with wasm-opt");
    let to = bound.join("optimised.wasm");
    let status = Command::new("node")
        .arg(&tool)
        // Function bodies that stay apart compress better than those put into their one caller.
        .args(["-Oz", "--converge", "--one-caller-inline-max-function-size=30"])
        .arg(bound.join(format!("{name}_bg.wasm")))
        .arg("-o")
        .arg(&to)
        .status()?;
    if !status.success() {
        return Err("wasm-opt failed; --no-opt does without it".into());
    }
    wasm::check_imports(&fs::read(&to)?, name)?;
    let runs = Command::new("node")
        .arg(player().join("pack/smoke.mjs"))
        .arg(bound.join(format!("{name}.js")))
        .arg(&to)
        .status()?;
    if !runs.success() {
        return Err("what wasm-opt wrote does not run; --no-opt does without it".into());
    }
    Ok(Some(to))
}

fn node() -> bool {
    Command::new("node").arg("--version").output().is_ok_and(|node| node.status.success())
}
