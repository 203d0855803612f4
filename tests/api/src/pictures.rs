//! Pictures and PDFs, made here: honest ones whose corners tell which way is up, and such as nobody sends by mistake.

use std::fmt::Write as _;
use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{
    Delay, DynamicImage, ExtendedColorType, Frame, ImageEncoder as _, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage,
};
use moxcms::ColorProfile;

/// What no thumbnail may tell.
pub const PLACE: &str = "at 53.5511 N, 9.9937 E";

/// A picture in four colours, each in its own corner: red at the top left, green at the top right, blue at the bottom
/// left, white at the bottom right.
pub fn quarters(width: u32, height: u32) -> RgbImage {
    let row = |left: [u8; 3], right: [u8; 3]| {
        let half = usize::try_from(width / 2).unwrap_or_default();
        [left.repeat(half), right.repeat(usize::try_from(width).unwrap_or_default() - half)].concat()
    };
    let rows = |row: Vec<u8>, count: u32| row.repeat(usize::try_from(count).unwrap_or_default());
    let upper = rows(row([230, 20, 20], [20, 200, 20]), height / 2);
    let lower = rows(row([20, 20, 230], [255, 255, 255]), height - height / 2);
    RgbImage::from_raw(width, height, [upper, lower].concat()).unwrap()
}

/// The same as a camera writes it that was held in one of eight ways, with what cameras write about it.
pub fn photo(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let upright = DynamicImage::from(quarters(width, height));
    let lying = match orientation {
        1 => upright,
        2 => upright.fliph(),
        3 => upright.rotate180(),
        4 => upright.flipv(),
        5 => upright.rotate90().fliph(),
        6 => upright.rotate270(),
        7 => upright.rotate270().fliph(),
        8 => upright.rotate90(),
        other => panic!("EXIF knows no orientation {other}"),
    };
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 90);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.encode_image(&lying).unwrap();
    jpeg
}

/// A TIFF header with the orientation and a text ("Exif 2.3", 4.6.2).
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    // ImageDescription, of text, behind the two entries.
    let length = u32::try_from(PLACE.len() + 1).unwrap();
    exif.extend([0x0e, 0x01, 2, 0]);
    exif.extend(length.to_le_bytes());
    exif.extend(38_u32.to_le_bytes());
    // Orientation, a short.
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(PLACE.as_bytes());
    exif.push(0);
    exif
}

/// A picture as a file of that format.
pub fn written(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// One colour, as a screen with more colours than sRGB has it.
pub fn in_adobe_rgb(colour: [u8; 3]) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
    encoder.set_icc_profile(ColorProfile::new_adobe_rgb().encode().unwrap()).unwrap();
    encoder.encode_image(&DynamicImage::from(RgbImage::from_pixel(400, 300, Rgb(colour)))).unwrap();
    jpeg
}

/// In the four colours of print, all of one colour.
pub fn in_cmyk(colour: [u8; 4]) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let pixels = colour.repeat(400 * 300);
    jpeg_encoder::Encoder::new(&mut jpeg, 95).encode(&pixels, 400, 300, jpeg_encoder::ColorType::Cmyk).unwrap();
    jpeg
}

/// Red with sixteen bits for each colour.
pub fn deep_png() -> Vec<u8> {
    let mut png = Vec::new();
    let pixels: Vec<u8> = [0xff_u8, 0xff, 0, 0, 0, 0].repeat(400 * 300);
    PngEncoder::new(&mut png).write_image(&pixels, 400, 300, ExtendedColorType::Rgb16).unwrap();
    png
}

/// Nothing but a black disc in the middle.
pub fn transparent_webp() -> Vec<u8> {
    let disc = RgbaImage::from_fn(400, 300, |x, y| {
        let inside = x.abs_diff(200).pow(2) + y.abs_diff(150).pow(2) < 100 * 100;
        Rgba([0, 0, 0, if inside { 255 } else { 0 }])
    });
    written(disc, ImageFormat::WebP)
}

/// First red, then blue.
pub fn moving_gif() -> Vec<u8> {
    let mut gif = Vec::new();
    let frame = |colour| {
        let picture = RgbaImage::from_pixel(400, 300, Rgba(colour));
        Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(100, 1))
    };
    let frames = [frame([230, 20, 20, 255]), frame([20, 20, 230, 255])];
    GifEncoder::new(&mut gif).encode_frames(frames).unwrap();
    gif
}

/// A PNG of one pixel that says that it has others ("PNG specification", 11.2.1 IHDR).
pub fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut png = written(RgbImage::new(1, 1), ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32fast::hash(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    png
}

/// A PDF of pages, each in one colour, whose size is in points.
pub fn pdf(pages: &[[f32; 3]], width: f32, height: f32) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", 3 + 2 * n)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
    ];
    for (n, [red, green, blue]) in pages.iter().enumerate() {
        let contents = format!("{red} {green} {blue} rg 0 0 {width} {height} re f");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents {} 0 R >>",
            4 + 2 * n
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{contents}\nendstream", contents.len()));
    }
    document(&objects, "")
}

/// A PDF that opens with a password alone.
pub fn locked_pdf() -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>".to_owned(),
        format!(
            "<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <{}> /U <{}> >>",
            "a5".repeat(32),
            "5a".repeat(32)
        ),
    ];
    document(&objects, "/Encrypt 4 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]")
}

/// ISO 32000-1, 7.5: header, objects, their places, trailer.
fn document(objects: &[String], trailer: &str) -> Vec<u8> {
    let (mut pdf, mut places) = ("%PDF-1.7\n%\u{e2}\u{e3}\n".to_owned(), String::new());
    for (n, object) in objects.iter().enumerate() {
        writeln!(places, "{:010} 00000 n ", pdf.len()).unwrap();
        write!(pdf, "{} 0 obj\n{object}\nendobj\n", n + 1).unwrap();
    }
    let (at, size) = (pdf.len(), objects.len() + 1);
    write!(pdf, "xref\n0 {size}\n0000000000 65535 f \n{places}").unwrap();
    write!(pdf, "trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{at}\n%%EOF\n").unwrap();
    pdf.into_bytes()
}
