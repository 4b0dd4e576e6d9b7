//! Annex B streams made by others: `vigie remux`, then ffmpeg must decode the very same pictures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use support::{pixels, run, vigie};

struct Vector {
    file: String,
    pictures: usize,
    pixels: String,
}

/// How many of the 97 must come out the same.
const REQUIRED: usize = 97;

fn folder() -> PathBuf {
    match std::env::var_os("VIGIE_VECTORS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
    }
}

/// The streams that ffmpeg decodes, with what it decodes.
fn vectors(manifest: &str) -> Vec<Vector> {
    let mut lines = manifest.lines();
    let heads: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let column = |name: &str| heads.iter().position(|h| *h == name).unwrap();
    let (file, frames, pixels) = (column("file"), column("frames"), column("pixelmd5_sha256"));
    let rows = lines.map(|line| line.split('\t').collect::<Vec<&str>>());
    rows.filter(|row| row[file].starts_with("es264/") || row[file].starts_with("es265/"))
        .filter_map(|row| {
            let pictures = row[frames].parse().ok().filter(|n| *n > 0)?;
            let pixels = (!row[pixels].is_empty()).then(|| row[pixels].to_owned())?;
            Some(Vector { file: row[file].to_owned(), pictures, pixels })
        })
        .collect()
}

#[test]
fn remuxed_streams_decode_to_the_same_pictures() {
    let folder = folder();
    let Ok(manifest) = std::fs::read_to_string(folder.join("MANIFEST.tsv")) else {
        support::skip("VIGIE_REQUIRE_VECTORS", &format!("{} is not there (VIGIE_VECTORS)", folder.display()));
        return;
    };
    if !support::ffmpeg() {
        return;
    }
    let vectors = vectors(&manifest);
    let out = tempfile::tempdir().unwrap();
    let queue = Mutex::new(vectors.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(vector) = queue.lock().unwrap().next() else { return };
                    if let Err(why) = judge(vector, &folder, out.path()) {
                        failed.lock().unwrap().push(format!("{}: {why}", vector.file));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let equal = vectors.len() - failed.len();
    println!(
        "{equal} of {} streams decode to the same pictures after remux (required: {REQUIRED})",
        vectors.len()
    );
    for line in &failed {
        println!("  not equal: {line}");
    }
    assert!(equal >= REQUIRED, "{equal} of {}: {failed:#?}", vectors.len());
}

fn judge(vector: &Vector, folder: &Path, out: &Path) -> Result<(), String> {
    let input = folder.join(&vector.file);
    let output = out.join(vector.file.replace('/', "-")).with_extension("mp4");
    let remuxed = run(vigie(&["remux"]).arg(&input).arg("-o").arg(&output));
    if !remuxed.status.success() {
        return Err(String::from_utf8_lossy(&remuxed.stderr).trim().to_owned());
    }
    let decoded = pixels(&output, &[]);
    let _ = std::fs::remove_file(&output);
    let (sum, pictures) = decoded?;
    if pictures != vector.pictures {
        return Err(format!("{pictures} pictures, not {}", vector.pictures));
    }
    if sum == vector.pixels { Ok(()) } else { Err("as many pictures, but other ones".into()) }
}

/// Scalable video is kept whole, shown as its base, and said to be what it is.
#[test]
fn scalable_layers_are_named() {
    let input = folder().join("es264/h264nal__foreman.svc.264");
    if !input.exists() {
        support::skip("VIGIE_REQUIRE_VECTORS", &format!("{} is not there (VIGIE_VECTORS)", input.display()));
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let output = out.path().join("svc.mp4");
    let remuxed = run(vigie(&["remux"]).arg(&input).arg("-o").arg(&output));
    let probed = run(vigie(&["probe"]).arg(&input));
    for done in [&remuxed, &probed] {
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(
            text.lines().any(|line| line.starts_with("layers") && line.contains("scalable (SVC)")),
            "{text}"
        );
    }
    let plain = run(vigie(&["probe"]).arg(folder().join("es264/srs__avatar.h264")));
    assert!(!String::from_utf8_lossy(&plain.stdout).contains("layers"));
}
