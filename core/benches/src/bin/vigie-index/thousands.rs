//! Thousands of cameras through a storage that makes what is read of it: what is asked of the disk, in calls and bytes.

use std::time::Instant;

use vigie::store::{self, Kind, Placed, Placement, Reason, Source};

use crate::count::{Calls, Counted};
use crate::fake::Fake;
use crate::{Failure, gix, make};

/// Disks that the cameras are on.
const VOLUMES: u32 = 8;
/// 4 Mb/s.
const RATE: u64 = 500_000;

fn line(question: &str, calls: Calls) {
    let Calls { lists, opens, reads, bytes, written, removed, syncs } = calls;
    println!("| {question} | {lists} | {opens} | {reads} | {bytes} | {written} | {removed} | {syncs} |");
}

/// Is what was asked within its bounds?
pub(crate) fn measure(cameras: u32, days: u32) -> Result<bool, Failure> {
    println!(
        "\n| of {cameras} cameras | folders listed | files opened | reads | bytes read | written | removed | syncs |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut disk = Counted::new(Fake::new(0..cameras, days));
    assert_eq!(gix::open(&mut disk)?, cameras as usize);
    let open = disk.calls();
    line("open", open);

    placement(cameras, days)?;

    gix::set_policy(&mut disk)?;
    disk.calls();
    let limit = make::day(0).start().plus(make::DAY / 2 + make::SECOND / 2);
    let (mut planned, mut passed) = (Calls::default(), Calls::default());
    let (mut files, mut deleted) = (0, 0);
    for camera in 0..cameras {
        files += gix::plan_one(&mut disk, camera, limit)?.0;
        planned.add(disk.calls());
        deleted += gix::pass(&mut disk, camera, limit)?.0;
        passed.add(disk.calls());
        disk.storage.forget(&make::source(camera).to_string());
    }
    assert_eq!(files, deleted, "what was said is what went");
    line(&format!("retention, what would go: {files} files"), planned);
    line(&format!("retention, a pass: {deleted} files"), passed);
    // One day's index a camera, and no other's.
    let day = make::make(0, 0).index.len() as u64;
    let each = u64::from(cameras);
    Ok(open.reads <= 3 * each && planned.bytes <= 2 * day * each)
}

/// Which camera is on which disk, and where each is recorded to: at the start, when a disk is lost, when cameras are added.
fn placement(cameras: u32, days: u32) -> Result<(), Failure> {
    let mut placement = Placement::new(VOLUMES as usize);
    let mut known = Calls::default();
    let start = Instant::now();
    for volume in 0..VOLUMES {
        let on = (0..cameras).filter(|camera| camera % VOLUMES == volume);
        let mut disk = Counted::new(Fake::new(on, days));
        placement.set_room(volume as usize, 1 << 40);
        for tenant in store::tenants(&mut disk)? {
            for camera in store::cameras(&mut disk, &tenant)? {
                placement.was_on(Source { tenant, camera }, volume as usize, RATE);
            }
        }
        known.add(disk.calls());
    }
    line(&format!("placement: which of {VOLUMES} disks each is on"), known);
    let known = start.elapsed();
    let all = |placement: &mut Placement, cameras: std::ops::Range<u32>| -> Result<Vec<Placed>, Failure> {
        cameras.map(|n| Ok(placement.place(make::source(n), RATE)?)).collect()
    };
    let start = Instant::now();
    let placed = all(&mut placement, 0..cameras)?;
    assert!(placed.iter().all(|placed| placed.reason == Reason::Stays));
    placement.refuses(0, Kind::NoVolume);
    let moved = all(&mut placement, 0..cameras)?;
    let instead = moved.iter().filter(|placed| placed.reason == Reason::Instead(Kind::NoVolume)).count();
    assert_eq!(instead, cameras.div_ceil(VOLUMES) as usize);
    all(&mut placement, cameras..cameras + cameras / 10)?;
    let mut on = [0_u32; VOLUMES as usize];
    for placed in all(&mut placement, 0..cameras + cameras / 10)? {
        on[placed.volume] += 1;
    }
    let most = on.iter().max().unwrap_or(&0);
    let least = on.iter().skip(1).min().unwrap_or(&0);
    assert!(on[0] == 0 && most - least <= 1, "evenly on those that are left: {on:?}");
    let took = start.elapsed();
    println!(
        "<!-- placement: {} ms to know, {} ms for {} decisions; {instead} moved from a disk that is lost, to {on:?} -->",
        known.as_millis(),
        took.as_millis(),
        3 * cameras + 2 * (cameras / 10)
    );
    Ok(())
}
