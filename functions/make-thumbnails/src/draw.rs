//! From a file's bytes to two small pictures: upright, in sRGB, on white where it is transparent, and with nothing of
//! what its camera has written into it.

use std::io::Cursor;

use fast_image_resize::Resizer;
use gatehouse::domain::{PixelSize, ThumbnailSize};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::overlay;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, Rgba, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::pdf;

/// The most that a picture may have: a panorama of 128 megapixels.
const MOST_PIXELS: u64 = 128 * 1024 * 1024;
/// The most that its pixels may take in memory, in bytes; a decoder may take as much besides.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// Of 100: no difference is seen at this size.
const JPEG_QUALITY: u8 = 82;

/// What was drawn.
pub struct Drawn {
    /// The size of the picture that it was drawn from, upright.
    pub size: PixelSize,
    /// As JPEG.
    pub small: Vec<u8>,
    /// As JPEG.
    pub large: Vec<u8>,
}

/// Why nothing was.
#[derive(Debug, thiserror::Error)]
pub enum NotDrawn {
    /// It says that it is larger than what is tried.
    #[error("it has {width} by {height} pixels, {bytes} bytes in memory")]
    TooLarge {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// In memory.
        bytes: u64,
    },
    /// It has no pixels, or a page without a size.
    #[error("it has no size")]
    Empty,
    /// It is broken, or of a kind that is not known.
    #[error("the picture cannot be read")]
    Picture(#[source] image::ImageError),
    /// It is broken, or closed by a password.
    #[error("the PDF cannot be read: {0}")]
    Pdf(&'static str),
    /// Its pixels cannot be made fewer.
    #[error("the picture cannot be made smaller")]
    Resize(#[from] fast_image_resize::ResizeError),
}

impl From<image::ImageError> for NotDrawn {
    fn from(error: image::ImageError) -> Self {
        Self::Picture(error)
    }
}

/// Draws a file of that media type.
pub fn draw(bytes: Vec<u8>, media_type: &str) -> Result<Drawn, NotDrawn> {
    let (size, large) = match ImageFormat::from_mime_type(media_type) {
        Some(format) => picture(&bytes, format)?,
        None => pdf::first_page(bytes)?,
    };
    let small = resized(&large.clone().into(), size.scaled_to(ThumbnailSize::Small))?;
    Ok(Drawn { size, small: jpeg(&small.into_rgb8())?, large: jpeg(&large)? })
}

/// A picture and its size, upright; of one that moves, the first.
fn picture(bytes: &[u8], format: ImageFormat) -> Result<(PixelSize, RgbImage), NotDrawn> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let ((width, height), bytes) = (decoder.dimensions(), decoder.total_bytes());
    if width == 0 || height == 0 {
        return Err(NotDrawn::Empty);
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS || bytes > MOST_BYTES {
        return Err(NotDrawn::TooLarge { width, height, bytes });
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let lying = PixelSize { width, height };
    let mut small = resized(&DynamicImage::from_decoder(decoder)?, lying.scaled_to(ThumbnailSize::Large))?;
    small.apply_orientation(orientation);
    let upright = if swaps_sides(orientation) { PixelSize { width: height, height: width } } else { lying };
    let mut small = on_white(&small);
    if let Some(profile) = profile {
        to_srgb(&mut small, &profile);
    }
    Ok((upright, small))
}

fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn resized(image: &DynamicImage, to: PixelSize) -> Result<DynamicImage, NotDrawn> {
    let mut small = DynamicImage::new(to.width, to.height, image.color());
    Resizer::new().resize(image, &mut small, None)?;
    Ok(small)
}

fn on_white(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let mut white = RgbaImage::from_pixel(image.width(), image.height(), Rgba([u8::MAX; 4]));
    overlay(&mut white, &image.to_rgba8(), 0, 0);
    DynamicImage::from(white).into_rgb8()
}

/// Colours as a browser shows them without their profile. One that cannot be read, or is not of such colours, changes
/// nothing.
fn to_srgb(image: &mut RgbImage, profile: &[u8]) {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options) else { return };
    let mut converted = image.as_raw().clone();
    if transform.transform(image.as_raw(), &mut converted).is_ok() {
        image.copy_from_slice(&converted);
    }
}

fn jpeg(image: &RgbImage) -> Result<Vec<u8>, NotDrawn> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY).encode_image(image)?;
    Ok(jpeg)
}
