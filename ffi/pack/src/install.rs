//! The library and what it is found by, below a prefix.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::{ffi, headers, told};

/// `0.1.0`.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `0.1`: what programs are bound to.
pub(crate) fn abi() -> String {
    VERSION.split('.').take(2).collect::<Vec<_>>().join(".")
}

pub(crate) fn run(prefix: &Path) -> Result<(), String> {
    let prefix = std::path::absolute(prefix).map_err(|e| e.to_string())?;
    let root = match env::var_os("DESTDIR") {
        Some(root) => PathBuf::from(root).join(prefix.strip_prefix("/").unwrap_or(&prefix)),
        None => prefix.clone(),
    };
    into(&root, &prefix, "lib")
}

/// Writes below `root` what will be at `prefix`, libraries in its folder `lib`.
pub(crate) fn into(root: &Path, prefix: &Path, lib: &str) -> Result<(), String> {
    let (libs, include) = (root.join(lib), root.join("include/vigie"));
    let (pc, cmake) = (libs.join("pkgconfig"), libs.join("cmake/vigie"));
    for dir in [&include, &pc, &cmake] {
        fs::create_dir_all(dir).map_err(told(dir))?;
    }
    let built = env::var_os("CARGO_TARGET_DIR").map_or_else(|| ffi().join("../target"), PathBuf::from);
    let shared = format!("libvigie.so.{VERSION}");
    for (from, to, strip) in
        [("libvigie.so", &*shared, "--strip-unneeded"), ("libvigie.a", "libvigie.a", "--strip-debug")]
    {
        let (from, to) = (built.join("release").join(from), libs.join(to));
        fs::copy(&from, &to).map_err(|e| {
            format!("{}: {e}; build it first: cargo build --release -p vigie-ffi", from.display())
        })?;
        // Where there is no `strip`, the library is larger, and no worse.
        let _ = Command::new("strip").arg(strip).arg(&to).status();
    }
    let soname = format!("libvigie.so.{}", abi());
    for (name, to) in [(&*soname, &*shared), ("libvigie.so", &*soname)] {
        let link = libs.join(name);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(to, &link).map_err(told(&link))?;
    }
    for from in headers::paths() {
        let to = include.join(from.file_name().unwrap_or_default());
        fs::copy(&from, &to).map_err(told(&from))?;
    }
    let texts = [
        (pc.join("vigie.pc"), pkg_config(prefix, lib)),
        (cmake.join("vigieConfig.cmake"), cmake_config(lib)),
        (cmake.join("vigieConfigVersion.cmake"), cmake_version()),
    ];
    for (path, text) in texts {
        fs::write(&path, text).map_err(told(&path))?;
    }
    Ok(())
}

/// What a static library needs of the system: `rustc --print native-static-libs`.
const PRIVATE: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

fn pkg_config(prefix: &Path, lib: &str) -> String {
    format!(
        "prefix={}\nlibdir=${{prefix}}/{lib}\nincludedir=${{prefix}}/include\n\nName: vigie\nDescription: IP-camera \
         video: RTSP and RTP in, fragmented MP4 out, a recording store\nVersion: {VERSION}\nLibs: -L${{libdir}} \
         -lvigie\nLibs.private: {PRIVATE}\nCflags: -I${{includedir}}\n",
        prefix.display()
    )
}

/// `find_package(vigie)` gives the targets `vigie::vigie` and `vigie::static`.
fn cmake_config(lib: &str) -> String {
    // From <prefix>/<lib>/cmake/vigie up to <prefix>.
    let up = "/..".repeat(lib.split('/').count() + 2);
    let private: Vec<&str> = PRIVATE.split(' ').map(|flag| flag.trim_start_matches("-l")).collect();
    format!(
        "get_filename_component(_vigie_prefix \"${{CMAKE_CURRENT_LIST_DIR}}{up}\" ABSOLUTE)
if(NOT TARGET vigie::vigie)
  add_library(vigie::vigie SHARED IMPORTED)
  set_target_properties(vigie::vigie PROPERTIES
    IMPORTED_LOCATION \"${{_vigie_prefix}}/{lib}/libvigie.so\"
    IMPORTED_SONAME \"libvigie.so.{abi}\"
    INTERFACE_INCLUDE_DIRECTORIES \"${{_vigie_prefix}}/include\")
  add_library(vigie::static STATIC IMPORTED)
  set_target_properties(vigie::static PROPERTIES
    IMPORTED_LOCATION \"${{_vigie_prefix}}/{lib}/libvigie.a\"
    INTERFACE_LINK_LIBRARIES \"{libs}\"
    INTERFACE_INCLUDE_DIRECTORIES \"${{_vigie_prefix}}/include\")
endif()
unset(_vigie_prefix)
",
        abi = abi(),
        libs = private.join(";"),
    )
}

/// Before 1.0 each minor version is an ABI of its own.
fn cmake_version() -> String {
    format!(
        "set(PACKAGE_VERSION \"{VERSION}\")
if(PACKAGE_FIND_VERSION_MAJOR EQUAL {major} AND PACKAGE_FIND_VERSION_MINOR EQUAL {minor}
   AND NOT PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
",
        major = VERSION.split('.').next().unwrap_or("0"),
        minor = VERSION.split('.').nth(1).unwrap_or("0"),
    )
}
