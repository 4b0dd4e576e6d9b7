#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;

/// What a picture is to show, as ffmpeg gives it: brightness, then both colours, without the rows that are not shown.
fn drawn(scene: &Scene, view: View, bars: u32) -> Vec<u8> {
    let plane = |w: usize, h: usize, get: &dyn Fn((usize, usize)) -> u8| -> Vec<u8> {
        (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(get).collect()
    };
    let (w, h) = (WIDTH, 360);
    let mut out = plane(w, h, &|at| encode::brightness(scene, view, bars, at));
    for colour in 0..2 {
        out.extend(plane(w / 2, h / 2, &|at| encode::colour(scene, view, colour, at)));
    }
    out
}

/// Turned every way, closer and back, stopped, and pushed against its ends: another decoder sees each picture as it was drawn.
#[test]
fn ffmpeg_sees_what_was_drawn() {
    let mut dome = Dome::new();
    let orders = [
        (5, (0.0, 0.0, 0.0)),
        (30, (0.3, 0.0, 0.0)),
        (30, (-1.0, 0.4, 0.0)),
        (20, (0.06, -1.0, 0.0)),
        (16, (0.0, 0.0, 1.0)),
        (24, (0.8, 0.8, 0.0)),
        (20, (-0.5, -0.5, -1.0)),
        (60, (1.0, 1.0, 0.0)),
    ];
    let (mut stream, mut expected) = (Vec::new(), Vec::new());
    let mut number = 4_000;
    for (pictures, (pan, tilt, zoom)) in orders {
        for _ in 0..pictures {
            dome.drive(Velocity::new(pan, tilt, zoom));
            let picture = dome.take(number);
            assert_eq!(picture.key, stream.is_empty() || expected.len() % 50 == 0);
            stream.extend(annex_b(&picture.data));
            expected.push(drawn(&dome.scene, dome.view(), barcode(number)));
            number += 1;
        }
    }
    let mut ffmpeg = Command::new("ffmpeg")
        .args([
            "-nostdin", "-v", "error", "-xerror", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt",
            "yuv420p", "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg");
    let mut input = ffmpeg.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(&stream));
    let output = ffmpeg.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let seen: Vec<_> = output.stdout.chunks(WIDTH * 360 * 3 / 2).collect();
    assert_eq!(seen.len(), expected.len());
    for (at, (seen, drawn)) in seen.into_iter().zip(&expected).enumerate() {
        assert!(seen == drawn, "picture {at}");
    }
}

#[test]
fn it_stops_by_itself_a_second_after_the_last_order_and_at_its_ends() {
    let mut dome = Dome::new();
    let start = dome.view();
    dome.drive(Velocity::new(0.5, 0.0, 0.0));
    for number in 0..PATIENCE {
        dome.take(number);
    }
    let there = dome.view();
    assert!(there.x > start.x + 100 && there.y == start.y, "{start:?} {there:?}");
    for number in 0..10 {
        dome.take(number);
    }
    assert_eq!(dome.view(), there);
    for number in 0..400 {
        dome.drive(Velocity::new(9.0, f64::NAN, f64::INFINITY));
        dome.take(number);
    }
    let end = dome.view();
    assert_eq!(end.scale, CLOSEST);
    assert_eq!(end.x, (Scene::SIZE.0 as f64 * CLOSEST) as usize - WIDTH);
}

/// While nothing moves, a picture is little more than its barcode.
#[test]
fn pictures_of_what_rests_are_small() {
    let mut dome = Dome::new();
    let sizes: Vec<_> = (0..100).map(|number| dome.take(number).data.len()).collect();
    let rest: usize = sizes.iter().enumerate().filter(|(at, _)| at % 50 != 0).map(|(_, size)| size).sum();
    assert!(rest / 98 < 9_000, "{} bytes", rest / 98);
}

#[test]
fn its_parameter_sets_are_read_and_its_clip_has_no_pictures() {
    let clip = Dome::clip().unwrap();
    assert_eq!((clip.codec, clip.delay, clip.len()), (Codec::H264, 0, LOOP));
    assert!(clip.pictures.is_empty());
    assert_eq!(clip.parameters.sps().count(), 1);
}
