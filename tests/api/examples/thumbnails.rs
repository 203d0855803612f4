//! What drawing each kind of file takes: time, and the most memory, each in a process of its own. It prints the table of
//! docs/performance.md: `cargo run -p gatehouse-tests --example thumbnails`.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::process::Command;
use std::time::Instant;

use gatehouse_tests::pictures::{
    deep_png, in_adobe_rgb, in_cmyk, locked_pdf, moving_gif, pdf, photo, png_that_claims, quarters, transparent_webp,
    written,
};
use image::ImageFormat;
use make_thumbnails::draw;

/// Name, media type, bytes.
type Sample = (&'static str, &'static str, fn() -> Vec<u8>);

const SAMPLES: [Sample; 17] = [
    ("JPEG, 12,000 × 9,000", "image/jpeg", || photo(12_000, 9_000, 6)),
    ("JPEG, 4,032 × 3,024, as a phone takes it", "image/jpeg", || photo(4_032, 3_024, 6)),
    ("JPEG in CMYK, 400 × 300", "image/jpeg", || in_cmyk([0, 255, 255, 0])),
    ("JPEG in Adobe RGB, 400 × 300", "image/jpeg", || in_adobe_rgb([200, 120, 60])),
    ("JPEG, cut off after 300 bytes", "image/jpeg", || photo(1_600, 1_000, 1)[..300].to_vec()),
    ("PNG, 8,000 × 6,000", "image/png", || written(quarters(8_000, 6_000), ImageFormat::Png)),
    ("PNG with 16 bits, 400 × 300", "image/png", deep_png),
    ("PNG that claims 60,000 × 60,000", "image/png", || png_that_claims(60_000, 60_000)),
    ("GIF, 1 × 1", "image/gif", || written(image::RgbImage::new(1, 1), ImageFormat::Gif)),
    ("GIF that moves, 400 × 300", "image/gif", moving_gif),
    ("WebP, transparent, 400 × 300", "image/webp", transparent_webp),
    ("WebP, 8,000 × 6,000", "image/webp", || written(quarters(8_000, 6_000), ImageFormat::WebP)),
    ("TIFF, 8,000 × 6,000", "image/tiff", || written(quarters(8_000, 6_000), ImageFormat::Tiff)),
    ("BMP, 5,000 × 4,000", "image/bmp", || written(quarters(5_000, 4_000), ImageFormat::Bmp)),
    ("PDF, two pages", "application/pdf", || pdf(&[[0.9, 0.1, 0.1], [0.1, 0.1, 0.9]], 595.0, 842.0)),
    ("PDF that needs a password", "application/pdf", locked_pdf),
    ("PDF, a page of 10,000,000 × 1 points", "application/pdf", || pdf(&[[0.9, 0.1, 0.1]], 1e7, 1.0)),
];

/// The most memory that this process has had, in MB (proc(5), `VmHWM`).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1_000
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(number) = arguments.next() else { return table() };
    let (name, kind, _) = SAMPLES[number.parse::<usize>().unwrap()];
    let bytes = std::fs::read(arguments.next().unwrap()).unwrap();
    let (size, before, begun) = (bytes.len(), peak(), Instant::now());
    let drawn = draw(bytes, kind);
    let (took, peak) = (begun.elapsed().as_millis(), peak());
    let what = match drawn {
        Ok(drawn) => format!("{} + {} kB", drawn.small.len() / 1_000, drawn.large.len() / 1_000),
        Err(why) => format!("none: {why}"),
    };
    println!("| {name} | {} kB | {what} | {took} ms | {} MB |", size / 1_000, peak.saturating_sub(before));
}

fn table() {
    println!("| file | its size | thumbnails | time | memory |\n|---|---|---|---|---|");
    let folder = tempfile::tempdir().unwrap();
    for (number, (.., make)) in SAMPLES.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        std::fs::write(&file, make()).unwrap();
        let this = std::env::current_exe().unwrap();
        let drawn = Command::new(this).arg(number.to_string()).arg(&file).output().unwrap();
        print!("{}", String::from_utf8_lossy(&drawn.stdout));
    }
}
