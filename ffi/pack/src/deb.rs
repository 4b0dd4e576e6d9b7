//! Debian packages: the library, and what programs are built with.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::install::{self, VERSION};
use crate::{ffi, told};

/// Writes `libvigie<abi>_<version>_<architecture>.deb` and `libvigie-dev_….deb` into a folder.
pub(crate) fn run(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(told(folder))?;
    let architecture = said(Command::new("dpkg").arg("--print-architecture"))?;
    let triplet = said(Command::new("gcc").arg("-dumpmachine")).unwrap_or_else(|_| "x86_64-linux-gnu".into());
    let work = folder.join(".work");
    let _ = fs::remove_dir_all(&work);
    let library = format!("libvigie{}", install::abi());
    let (dev, run) = (work.join("libvigie-dev"), work.join(&library));
    let lib = format!("lib/{triplet}");
    install::into(&dev.join("usr"), Path::new("/usr"), &lib)?;

    // The library itself, and the name that programs look for, are of the other package.
    let libs = run.join("usr").join(&lib);
    fs::create_dir_all(&libs).map_err(told(&libs))?;
    for name in [format!("libvigie.so.{VERSION}"), format!("libvigie.so.{}", install::abi())] {
        let (from, to) = (dev.join("usr").join(&lib).join(&name), libs.join(&name));
        fs::rename(&from, &to).map_err(told(&from))?;
    }
    let glibc = glibc(&libs.join(format!("libvigie.so.{VERSION}")))?;
    let about = "IP-camera video: RTSP and RTP in, fragmented MP4 out, a recording store";
    package(
        &run,
        &format!(
            "Package: {library}\nVersion: {VERSION}\nArchitecture: {architecture}\nSection: libs\nDepends: \
             libc6 (>= {glibc}), libgcc-s1\nDescription: {about}\n The shared library.\n"
        ),
    )?;
    let triggers = run.join("DEBIAN/triggers");
    fs::write(&triggers, "activate-noawait ldconfig\n").map_err(told(&triggers))?;
    package(
        &dev,
        &format!(
            "Package: libvigie-dev\nVersion: {VERSION}\nArchitecture: {architecture}\nSection: libdevel\nDepends: \
             {library} (= {VERSION})\nDescription: {about} (development)\n Headers, static library, pkg-config and CMake \
             files.\n"
        ),
    )?;
    for (root, name) in [(&run, &*library), (&dev, "libvigie-dev")] {
        let deb = folder.join(format!("{name}_{VERSION}_{architecture}.deb"));
        said(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(root).arg(&deb))?;
        println!("{}", deb.display());
    }
    fs::remove_dir_all(&work).map_err(told(&work))
}

/// `DEBIAN/control`, and the licences.
fn package(root: &Path, control: &str) -> Result<(), String> {
    let name = root.file_name().unwrap_or_default();
    let (debian, doc) = (root.join("DEBIAN"), root.join("usr/share/doc").join(name));
    for dir in [&debian, &doc] {
        fs::create_dir_all(dir).map_err(told(dir))?;
    }
    let more = "Priority: optional\nMaintainer: Vigie's maintainers <noreply@vigie.video>\n";
    let (first, rest) = control.split_once('\n').unwrap_or((control, ""));
    let path = debian.join("control");
    fs::write(&path, format!("{first}\n{more}{rest}")).map_err(told(&path))?;
    let mut licences = String::new();
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let path = ffi().join("..").join(licence);
        licences += &fs::read_to_string(&path).map_err(told(&path))?;
    }
    let path = doc.join("copyright");
    fs::write(&path, licences).map_err(told(&path))
}

/// The newest version of glibc that a symbol of the library asks for.
fn glibc(library: &Path) -> Result<String, String> {
    let symbols = said(Command::new("objdump").arg("-T").arg(library))?;
    let versions = symbols.split("GLIBC_").skip(1);
    let numbers = versions.filter_map(|rest| {
        let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let parts: Vec<u32> = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        Some((parts, version))
    });
    numbers.max().map(|(_, version)| version).ok_or_else(|| "the library asks for no glibc".into())
}

/// What a command prints, without the end of the line.
fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error: io::Error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
