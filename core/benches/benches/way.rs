//! `cargo bench -p vigie-bench`: times, by criterion. Ratios in one run: `cargo run --release -p vigie-bench`.
#![allow(clippy::expect_used, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vigie_bench::{Clip, block, copy, depacketize, peer, way};

fn benches(criterion: &mut Criterion) {
    let clips = match Clip::load_all() {
        Ok(clips) => clips,
        Err(why) => {
            println!("SKIPPED: {why}");
            return;
        }
    };
    for clip in &clips {
        let mut group = criterion.benchmark_group(clip.name);
        group.throughput(Throughput::Bytes(clip.bytes.len() as u64)).sample_size(30);
        let mut block = block();
        group.bench_function("memcpy", |b| b.iter(|| black_box(copy(clip, &mut block))));
        group.bench_function("vigie to access units", |b| b.iter(|| black_box(depacketize(clip))));
        group.bench_function("vigie to fragments", |b| b.iter(|| black_box(way(clip, || ()))));
        group.bench_function("retina to frames", |b| b.iter(|| black_box(peer::depacketize(clip))));
        group.finish();
    }
}

criterion_group!(way_to_fragments, benches);
criterion_main!(way_to_fragments);
