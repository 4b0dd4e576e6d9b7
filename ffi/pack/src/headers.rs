//! The headers.

use std::fs;
use std::path::PathBuf;

use cbindgen::{Builder, Config, EnumConfig, ExportConfig, ItemType, Language, RenameRule, Style};

use crate::{ffi, told};

/// A header: its noun, the sources it comes from, and the headers it needs.
pub(crate) struct Header {
    pub(crate) noun: &'static str,
    sources: &'static [&'static str],
    needs: &'static [&'static str],
}

pub(crate) const HEADERS: &[Header] = &[
    Header { noun: "result", sources: &["result.rs"], needs: &[] },
    Header { noun: "error", sources: &["error.rs"], needs: &["result"] },
    Header { noun: "piece", sources: &["piece.rs", "maker.rs"], needs: &["result"] },
    Header { noun: "remuxer", sources: &["remuxer.rs", "remuxer/calls.rs"], needs: &["error", "piece"] },
    Header {
        noun: "session",
        sources: &["session.rs", "session/config.rs", "session/event.rs", "session/calls.rs"],
        needs: &["error", "piece"],
    },
    Header { noun: "storage", sources: &["storage.rs", "storage/listing.rs"], needs: &["piece"] },
    Header {
        noun: "store",
        sources: &["store.rs", "store/list.rs", "store/check.rs", "store/calls.rs"],
        needs: &["error", "storage"],
    },
    Header { noun: "hold", sources: &["store/holds.rs"], needs: &["store"] },
    Header { noun: "export", sources: &["store/export.rs"], needs: &["store"] },
    Header { noun: "reader", sources: &["reader.rs"], needs: &["error", "piece", "storage"] },
    Header {
        noun: "recorder",
        sources: &["recorder.rs", "recorder/config.rs", "recorder/event.rs", "recorder/calls.rs"],
        needs: &["error", "session", "store"],
    },
];

/// The header of all of them.
const ALL: &str = "vigie";

const TOP: &str =
    "/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */";

fn text_of(source: &str) -> Result<String, String> {
    let path = ffi().join("src").join(source);
    fs::read_to_string(&path).map_err(told(&path))
}

/// `VigieRemuxerConfig` in C: `vigie_remuxer_config`.
fn in_c(rust: &str) -> String {
    let mut c = String::new();
    for letter in rust.chars() {
        if letter.is_ascii_uppercase() && !c.is_empty() {
            c.push('_');
        }
        c.push(letter.to_ascii_lowercase());
    }
    c
}

/// The types that a source declares: their names, and whether each is an enum.
fn types(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.lines().filter_map(|line| {
        let (rest, is_enum) = match (line.strip_prefix("pub enum "), line.strip_prefix("pub struct ")) {
            (Some(rest), _) => (rest, true),
            (_, Some(rest)) => (rest, false),
            _ => return None,
        };
        Some((rest.split([' ', '(', '{']).next()?, is_enum)).filter(|(name, _)| name.starts_with("Vigie"))
    })
}

fn config(header: &Header) -> Result<Config, String> {
    let mut config = Config {
        language: Language::C,
        style: Style::Both,
        cpp_compat: true,
        include_guard: Some(format!("VIGIE_H_{}", header.noun.to_uppercase())),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        includes: header.needs.iter().map(|n| format!("{n}.h")).collect(),
        documentation: true,
        header: Some(TOP.into()),
        enumeration: EnumConfig {
            rename_variants: RenameRule::QualifiedScreamingSnakeCase,
            ..EnumConfig::default()
        },
        export: ExportConfig {
            item_types: vec![
                ItemType::Enums,
                ItemType::Structs,
                ItemType::Functions,
                ItemType::Constants,
                ItemType::OpaqueItems,
                ItemType::Typedefs,
            ],
            ..ExportConfig::default()
        },
        usize_is_size_t: true,
        ..Config::default()
    };
    for every in HEADERS {
        for source in every.sources {
            for (rust, _) in types(&text_of(source)?) {
                config.export.rename.insert(rust.to_owned(), in_c(rust));
                // Also what no function of this header names: enums, which fields hold as plain integers, so that an unknown
                // number is no undefined behaviour; and what other headers' functions take.
                if every.noun == header.noun {
                    config.export.include.push(rust.to_owned());
                }
            }
        }
    }
    Ok(config)
}

fn header(header: &Header) -> Result<String, String> {
    let mut builder = Builder::new().with_config(config(header)?);
    let mut kinds = Vec::new();
    for source in header.sources {
        builder = builder.with_src(ffi().join("src").join(source));
        for (rust, is_enum) in types(&text_of(source)?) {
            if is_enum && (rust.ends_with("Kind") || rust == "VigieResult") {
                kinds.push(in_c(rust).to_uppercase());
            }
        }
    }
    let bindings = builder.generate().map_err(|e| format!("{}.h: {e}", header.noun))?;
    let mut out = vec![];
    bindings.write(&mut out);
    let mut text = String::from_utf8(out).map_err(|e| e.to_string())?;
    for kind in kinds {
        let short = kind.trim_end_matches("RESULT").trim_end_matches("KIND");
        text = text.replace(&format!("{kind}_"), short);
    }
    Ok(text.replace("# Safety", "What the caller promises:"))
}

fn all() -> String {
    let includes: String = HEADERS.iter().map(|h| format!("#include \"{}.h\"\n", h.noun)).collect();
    format!("{TOP}\n\n#ifndef VIGIE_H_ALL\n#define VIGIE_H_ALL\n\n{includes}\n#endif  /* VIGIE_H_ALL */\n")
}

/// Where each header stands in the checkout.
pub(crate) fn paths() -> impl Iterator<Item = PathBuf> {
    let nouns = HEADERS.iter().map(|header| header.noun).chain([ALL]);
    nouns.map(|noun| ffi().join(format!("include/vigie/{noun}.h")))
}

pub(crate) fn write(check: bool) -> Result<(), String> {
    let mut texts: Vec<String> = HEADERS.iter().map(header).collect::<Result<_, _>>()?;
    texts.push(all());
    for (path, text) in paths().zip(texts) {
        if check {
            if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                return Err(format!(
                    "{} is not what the sources give; run `cargo run -p vigie-ffi-pack`",
                    path.display()
                ));
            }
        } else {
            fs::write(&path, text).map_err(told(&path))?;
        }
    }
    Ok(())
}
