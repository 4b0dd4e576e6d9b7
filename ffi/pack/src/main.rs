//! Writes what a C program needs beside the library: the headers, one per noun, and `vigie.pc`.
//!
//! ```text
//! cargo run -p vigie-ffi-pack                      # ffi/include/vigie/*.h from the sources
//! cargo run -p vigie-ffi-pack -- --check           # exit 1 where a committed header is not what they give
//! cargo run -p vigie-ffi-pack -- --install PREFIX  # library, headers and vigie.pc below PREFIX
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use cbindgen::{Builder, Config, EnumConfig, ExportConfig, ItemType, Language, RenameRule, Style};

/// A header: its noun, the source it comes from, and the headers it needs.
const HEADERS: &[(&str, &str, &[&str])] =
    &[("result", "result.rs", &[]), ("remuxer", "remuxer.rs", &["result"])];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        [] => write_headers(false),
        ["--check"] => write_headers(true),
        ["--install", prefix] => install(Path::new(prefix)),
        _ => {
            eprintln!("usage: vigie-ffi-pack [--check | --install PREFIX]");
            return ExitCode::from(2);
        }
    };
    done.map_or_else(
        |error| {
            eprintln!("vigie-ffi-pack: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// The folder `ffi/` of the checkout.
fn ffi() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn header(noun: &str, source: &str, needs: &[&str]) -> Result<String, String> {
    let guard = format!("VIGIE_H_{}", noun.to_uppercase());
    let mut config = Config {
        language: Language::C,
        style: Style::Both,
        cpp_compat: true,
        include_guard: Some(guard),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        includes: needs.iter().map(|n| format!("{n}.h")).collect(),
        documentation: true,
        header: Some("/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */".into()),
        enumeration: EnumConfig { rename_variants: RenameRule::QualifiedScreamingSnakeCase, ..EnumConfig::default() },
        export: ExportConfig { item_types: vec![ItemType::Enums, ItemType::Structs, ItemType::Functions, ItemType::Constants, ItemType::OpaqueItems, ItemType::Typedefs], ..ExportConfig::default() },
        usize_is_size_t: true,
        ..Config::default()
    };
    for (rust, c) in [
        ("VigieResult", "vigie_result"),
        ("VigieCodec", "vigie_codec"),
        ("VigiePieceKind", "vigie_piece_kind"),
        ("VigieRemuxer", "vigie_remuxer"),
        ("VigieRemuxerConfig", "vigie_remuxer_config"),
        ("VigiePiece", "vigie_piece"),
        ("VigieSlice", "vigie_slice"),
    ] {
        config.export.rename.insert(rust.into(), c.into());
        // Fields hold enums as plain integers, so that an unknown number is no undefined behaviour: name them all the same.
        if text_of(source)?.contains(&format!("pub enum {rust} ")) {
            config.export.include.push(rust.into());
        }
    }
    let bindings = Builder::new()
        .with_config(config)
        .with_src(ffi().join("src").join(source))
        .generate()
        .map_err(|e| format!("{source}: {e}"))?;
    let mut out = vec![];
    bindings.write(&mut out);
    let text = String::from_utf8(out).map_err(|e| e.to_string())?;
    Ok(text
        .replace("VIGIE_RESULT_", "VIGIE_")
        .replace("VIGIE_PIECE_KIND_", "VIGIE_PIECE_")
        .replace("# Safety", "What the caller promises:"))
}

fn text_of(source: &str) -> Result<String, String> {
    fs::read_to_string(ffi().join("src").join(source)).map_err(|e| format!("{source}: {e}"))
}

fn write_headers(check: bool) -> Result<(), String> {
    let dir = ffi().join("include/vigie");
    fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
    for (noun, source, needs) in HEADERS {
        let text = header(noun, source, needs)?;
        let path = dir.join(format!("{noun}.h"));
        if check {
            if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                return Err(format!(
                    "include/vigie/{noun}.h is not what {source} gives; run `cargo run -p vigie-ffi-pack`"
                ));
            }
        } else {
            fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

fn install(prefix: &Path) -> Result<(), String> {
    let version = env!("CARGO_PKG_VERSION");
    let prefix = std::path::absolute(prefix).map_err(|e| e.to_string())?;
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| ffi().join("../target"), PathBuf::from)
        .join("release");
    let (lib, include, pc) = (prefix.join("lib"), prefix.join("include/vigie"), prefix.join("lib/pkgconfig"));
    let say = |path: &Path, e: io::Error| format!("{}: {e}", path.display());
    for dir in [&lib, &include, &pc] {
        fs::create_dir_all(dir).map_err(|e| say(dir, e))?;
    }
    let soname = format!("libvigie.so.{}", version.split('.').take(2).collect::<Vec<_>>().join("."));
    let copies = [
        (target.join("libvigie.so"), lib.join(format!("libvigie.so.{version}"))),
        (target.join("libvigie.a"), lib.join("libvigie.a")),
    ];
    for (from, to) in &copies {
        fs::copy(from, to).map_err(|e| {
            format!("{}: {e}; build it first: cargo build --release -p vigie-ffi", from.display())
        })?;
    }
    for (name, to) in [(soname.as_str(), format!("libvigie.so.{version}")), ("libvigie.so", soname.clone())] {
        let link = lib.join(name);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(to, &link).map_err(|e| say(&link, e))?;
    }
    for (noun, _, _) in HEADERS {
        let from = ffi().join(format!("include/vigie/{noun}.h"));
        fs::copy(&from, include.join(format!("{noun}.h"))).map_err(|e| say(&from, e))?;
    }
    let text = format!(
        "prefix={}\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n\nName: vigie\nDescription: IP-camera video: \
         remuxing H.264 and H.265 to fragmented MP4\nVersion: {version}\nLibs: -L${{libdir}} -lvigie\nLibs.private: \
         -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc\nCflags: -I${{includedir}}\n",
        prefix.display()
    );
    let path = pc.join("vigie.pc");
    fs::write(&path, text).map_err(|e| say(&path, e))
}
