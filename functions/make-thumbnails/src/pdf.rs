//! The first page of a PDF, drawn at the size of the larger thumbnail and no larger: what a page claims of itself costs
//! no memory.

use gatehouse::domain::{PixelSize, ThumbnailSize};
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::{LoadPdfError, Pdf};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};
use image::RgbImage;

use crate::draw::NotDrawn;

/// The page and its size: as many pixels as it has points, or as the larger thumbnail has, if those are more.
pub(crate) fn first_page(bytes: Vec<u8>) -> Result<(PixelSize, RgbImage), NotDrawn> {
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(_) => NotDrawn::Pdf("it needs a password"),
        LoadPdfError::Invalid => NotDrawn::Pdf("it is broken"),
    })?;
    let page = pdf.pages().first().ok_or(NotDrawn::Empty)?;
    let (width, height) = page.render_dimensions();
    let longer = width.max(height);
    if !(longer.is_finite() && width > 0.0 && height > 0.0) {
        return Err(NotDrawn::Empty);
    }
    // A hair more, so that the longer side does not fall short of its last pixel.
    #[expect(clippy::cast_precision_loss, reason = "1,280 is exact")]
    let scale = (ThumbnailSize::Large.longer_side() as f32 + 0.01) / longer;
    let scale_of = |side: f32| if side * scale < 1.0 { 1.01 / side } else { scale };
    let settings = PixmapSettings { x_scale: scale_of(width), y_scale: scale_of(height), bg_color: WHITE };
    let interpreter = InterpreterSettings::default();
    let page = render(page, &RenderCache::new(), &interpreter, &RenderSettings::default(), &settings);
    let size = PixelSize { width: page.width().into(), height: page.height().into() };
    // On white, each pixel is opaque.
    let rgb = page.data().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
    let image = RgbImage::from_raw(size.width, size.height, rgb).ok_or(NotDrawn::Empty)?;
    Ok((size, image))
}
