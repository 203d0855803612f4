//! Photos of a site visit, painted instead of checked in: a stack of containers, each time another one.

use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

const WIDTH: u32 = 960;
const HEIGHT: u32 = 720;
/// Where the ground begins.
const HORIZON: u32 = 520;
/// Containers as they are painted: rust, sea, moss, sand, slate.
const PAINTS: [[u8; 3]; 5] = [[168, 62, 44], [32, 92, 138], [62, 112, 70], [196, 150, 62], [92, 100, 112]];

/// The photo of that number, as JPEG.
pub(super) fn photo(number: u32) -> Result<Vec<u8>> {
    let mut picture =
        RgbImage::from_fn(WIDTH, HEIGHT, |_, y| Rgb(if y < HORIZON { sky(y, number) } else { ground(y) }));
    let (columns, rows) = (3 + number % 4, 2 + number % 3);
    let (width, height) = (WIDTH / (columns + 1), 96);
    for column in 0..columns {
        // Not every stack is as high as the others.
        for row in 0..rows - u32::from((column + number).is_multiple_of(3)) {
            let left = width / 2 + column * (width + 4);
            let top = HORIZON + 30 - (row + 1) * (height + 3);
            let paint = PAINTS[((column * 7 + row * 3 + number) % 5) as usize];
            container(&mut picture, (left, top), (width, height), paint);
        }
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 78).encode_image(&picture)?;
    Ok(jpeg)
}

/// Brighter towards the horizon, and later in the day with each photo.
fn sky(y: u32, number: u32) -> [u8; 3] {
    let (light, warm) = (y * 70 / HORIZON, number % 60);
    [120 + light + warm / 2, 160 + light / 2 + warm / 6, 214 - warm].map(|channel| u8::try_from(channel).unwrap_or(255))
}

fn ground(y: u32) -> [u8; 3] {
    let shade = u8::try_from((y - HORIZON) / 5).unwrap_or(40);
    [120 - shade, 118 - shade, 112 - shade]
}

/// A box with the folds of its steel, and a dark edge.
fn container(picture: &mut RgbImage, (left, top): (u32, u32), (width, height): (u32, u32), paint: [u8; 3]) {
    for x in left..(left + width).min(WIDTH) {
        for y in top..(top + height).min(HEIGHT) {
            let edge = x - left < 3 || left + width - x <= 3 || y - top < 3 || top + height - y <= 3;
            let fold = (x - left) % 12 < 4;
            let percent = if edge {
                55
            } else if fold {
                82
            } else {
                100
            };
            let shaded = paint.map(|channel| u8::try_from(u32::from(channel) * percent / 100).unwrap_or(u8::MAX));
            picture.put_pixel(x, y, Rgb(shaded));
        }
    }
}
