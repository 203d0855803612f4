//! A logo, as it may be shown anywhere: a real PNG, or an SVG of which nothing but its shapes is left.

use std::io::Cursor;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::domain::{Logo, LogoType};
use resvg::tiny_skia::{Pixmap, Transform};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::timeout;
use usvg::roxmltree::{Document, Node, ParsingOptions};
use usvg::{ImageHrefResolver, Indent, Options, Size, Tree, WriteOptions};

/// The most that a logo may have, and each picture that is made of it: both lie in one item of the table.
const MOST_BYTES: usize = 100 * 1024;
/// The most that a PNG may measure, each way.
const MOST_PIXELS: u32 = 2000;
/// What an SVG is drawn into, each way: twice the room that a mail has for it.
const CANVAS: f32 = 480.0;
/// More than any logo has; the parser's memory grows with it.
const MOST_NODES: u32 = 20_000;
/// A logo is drawn in a hundredth of it.
const LONGEST: Duration = Duration::from_secs(5);
/// For groups in groups, as deep as the parser follows them.
const STACK: usize = 32 * 1024 * 1024;

/// A logo as it is sent.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLogo {
    content_type: LogoType,
    data: String,
}

/// A logo to store, and its hash.
pub(crate) struct Drawn {
    pub(crate) logo: Logo,
    pub(crate) hash: String,
}

/// Why a logo was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogoRefused {
    #[error("must be base64")]
    Base64,
    #[error("may have at most {MOST_BYTES} bytes, but has {0}")]
    TooLarge(usize),
    #[error("is no PNG: {0}")]
    NoPng(#[from] png::DecodingError),
    #[error("may measure at most {MOST_PIXELS} by {MOST_PIXELS} pixels, but measures {0} by {1}")]
    TooManyPixels(u32, u32),
    #[error("is no SVG: {0}")]
    NoSvg(String),
    #[error("has {0}, which would not look the same everywhere: draw it as shapes, or send a PNG")]
    NotOnlyShapes(&'static str),
    #[error("shows nothing")]
    Empty,
    #[error("is too intricate: send a simpler one, or a PNG")]
    TooIntricate,
}

/// The logo with its PNG.
pub(crate) async fn draw(new: &NewLogo) -> Result<Drawn, LogoRefused> {
    let data = STANDARD.decode(&new.data).map_err(|_| LogoRefused::Base64)?;
    if data.len() > MOST_BYTES {
        return Err(LogoRefused::TooLarge(data.len()));
    }
    let (data, png) = match new.content_type {
        LogoType::Png => {
            check_png(&data)?;
            (data.clone(), data)
        }
        LogoType::Svg => draw_apart(data).await?,
    };
    Ok(Drawn { logo: Logo::new(new.content_type, &data, &png), hash: Logo::hash(&png) })
}

/// A PNG is one if all of it can be read.
fn check_png(data: &[u8]) -> Result<(), LogoRefused> {
    let mut reader = png::Decoder::new(Cursor::new(data));
    let header = reader.read_header_info()?;
    if header.width.max(header.height) > MOST_PIXELS {
        return Err(LogoRefused::TooManyPixels(header.width, header.height));
    }
    let mut reader = reader.read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or_default()];
    reader.next_frame(&mut pixels)?;
    Ok(reader.finish()?)
}

/// In a thread of its own: what is nested deeply needs a deep stack, and what takes too long is not waited for.
async fn draw_apart(svg: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), LogoRefused> {
    let (done, drawn) = oneshot::channel();
    let drawing = move || drop(done.send(draw_svg(&svg)));
    thread::Builder::new().stack_size(STACK).spawn(drawing).map_err(|_| LogoRefused::TooIntricate)?;
    match timeout(LONGEST, drawn).await {
        Ok(Ok(drawn)) => drawn,
        _ => Err(LogoRefused::TooIntricate),
    }
}

/// The SVG as its shapes alone, without what else it may have had in it (ASVS 5.0, 1.3.4), and as a PNG.
fn draw_svg(svg: &[u8]) -> Result<(Vec<u8>, Vec<u8>), LogoRefused> {
    let text = str::from_utf8(svg).map_err(|_| LogoRefused::NoSvg("it is not UTF-8".to_owned()))?;
    // Drawing programs write a DTD; its entities are bounded, and those outside of the document unknown.
    let parsing = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document =
        Document::parse_with_options(text, parsing).map_err(|error| LogoRefused::NoSvg(error.to_string()))?;
    if let Some(what) = document.descendants().find_map(not_a_shape) {
        return Err(LogoRefused::NotOnlyShapes(what));
    }
    // Neither a file nor an address is ever opened.
    let nothing = ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
    let options = Options { image_href_resolver: nothing, ..Options::default() };
    let tree = Tree::from_xmltree(&document, &options).map_err(|error| LogoRefused::NoSvg(error.to_string()))?;

    let room = Size::from_wh(CANVAS, CANVAS).ok_or(LogoRefused::Empty)?;
    let (size, drawn) = (tree.size(), tree.size().scale_to(room));
    let mut pixels =
        Pixmap::new(drawn.to_int_size().width(), drawn.to_int_size().height()).ok_or(LogoRefused::Empty)?;
    let scale = Transform::from_scale(drawn.width() / size.width(), drawn.height() / size.height());
    resvg::render(&tree, scale, &mut pixels.as_mut());
    if pixels.data().iter().all(|byte| *byte == 0) {
        return Err(LogoRefused::Empty);
    }
    let png = pixels.encode_png().map_err(|_| LogoRefused::TooIntricate)?;
    let shapes = tree.to_string(&WriteOptions { indent: Indent::None, ..WriteOptions::default() }).into_bytes();
    if shapes.len().max(png.len()) > MOST_BYTES { Err(LogoRefused::TooIntricate) } else { Ok((shapes, png)) }
}

/// What is lost without fonts and pictures, or may take for ever: better refused than left out.
fn not_a_shape(node: Node<'_, '_>) -> Option<&'static str> {
    // With or without the namespace of XLink.
    let mut links = node.attributes().filter(|attribute| attribute.name() == "href");
    match node.tag_name().name() {
        "text" => Some("text"),
        "filter" => Some("a filter, such as a shadow"),
        "image" if links.any(|link| link.value().trim_start().starts_with("data:")) => Some("a picture in it"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]
mod tests {
    use super::*;

    async fn svg(inner: &str) -> Result<Drawn, LogoRefused> {
        let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 40\">{inner}</svg>");
        draw(&NewLogo { content_type: LogoType::Svg, data: STANDARD.encode(svg) }).await
    }

    async fn png(bytes: &[u8]) -> Result<Drawn, LogoRefused> {
        draw(&NewLogo { content_type: LogoType::Png, data: STANDARD.encode(bytes) }).await
    }

    fn pixels(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = png::Encoder::new(&mut bytes, width, height).write_header().unwrap();
        writer.write_image_data(&vec![7; (width * height) as usize]).unwrap();
        writer.finish().unwrap();
        bytes
    }

    const RECT: &str = "<rect width='120' height='40' fill='teal'/>";

    #[tokio::test]
    async fn of_an_svg_nothing_but_its_shapes_is_left() {
        let everything = format!(
            "<style>@import url(https://out.example/a.css); rect {{ stroke: url(https://out.example/b) }}</style>\
             <script>steal()</script><a href='javascript:steal()'>{RECT}</a>\
             <rect width='1' height='1' onclick='steal()'/>\
             <image href='file:///etc/hostname' width='9' height='9'/>\
             <image href='https://out.example/c.png' width='9' height='9'/>\
             <use href='https://out.example/d.svg#e'/>\
             <foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>steal()</body></foreignObject>"
        );
        let logo = svg(&everything).await.unwrap().logo;
        let kept = String::from_utf8(STANDARD.decode(logo.data).unwrap()).unwrap();
        assert!(kept.contains("<path"), "{kept}");
        for gone in ["script", "steal", "href", "example", "file:", "image", "foreignObject"] {
            assert!(!kept.contains(gone), "{kept}");
        }
        let png = STANDARD.decode(logo.png).unwrap();
        check_png(&png).unwrap();
        // Its shape fills the room that there is.
        assert_eq!((&png[16..20], &png[20..24]), (&480_u32.to_be_bytes()[..], &160_u32.to_be_bytes()[..]));
        // What was drawn once is drawn again as it is.
        assert!(draw(&NewLogo { content_type: LogoType::Svg, data: STANDARD.encode(&kept) }).await.is_ok());
    }

    #[tokio::test]
    async fn what_would_be_lost_is_refused_and_not_left_out() {
        for (inner, reason) in [
            ("<text>Northgate</text>", "has text"),
            ("<filter id='a'><feFlood/></filter>", "has a filter"),
            ("<image href='data:image/png;base64,AAAA'/>", "has a picture in it"),
            ("<image href='https://out.example/a.png' width='9' height='9'/>", "shows nothing"),
            ("<rect", "is no SVG"),
            ("&outside;", "is no SVG"),
        ] {
            let refused = svg(inner).await.err().map(|refused| refused.to_string()).unwrap_or_default();
            assert!(refused.starts_with(reason), "{inner}: {refused}");
        }
    }

    #[tokio::test]
    async fn an_svg_that_asks_for_too_much_is_refused() {
        let mut many = "<g id='g0'><path d='M0 0L1 1L1 0'/></g>".to_owned();
        many.extend((0..12).map(|level| {
            let uses = format!("<use href='#g{level}'/>").repeat(9);
            format!("<g id='g{}'>{uses}</g>", level + 1)
        }));
        assert!(svg(&many).await.is_err());
        let (open, close) = ("<g opacity='.9'>".repeat(2000), "</g>".repeat(2000));
        assert!(svg(&format!("{open}{RECT}{close}")).await.is_err());
        let (open, close) = ("<g opacity='.9'>".repeat(900), "</g>".repeat(900));
        svg(&format!("{open}<rect width='9' height='9'/>{close}")).await.unwrap();
        for size in ["1e38", "1e-38"] {
            let data = format!("<svg xmlns='http://www.w3.org/2000/svg' width='{size}' height='1'>{RECT}</svg>");
            // Whatever becomes of it, it comes to an end.
            let _ = draw(&NewLogo { content_type: LogoType::Svg, data: STANDARD.encode(data) }).await;
        }
    }

    #[tokio::test]
    async fn a_png_is_one_from_its_beginning_to_its_end() {
        let good = pixels(2000, 3);
        png(&good).await.unwrap();
        assert!(matches!(png(b"GIF89a").await, Err(LogoRefused::NoPng(_))));
        assert!(matches!(png(&good[..good.len() - 20]).await, Err(LogoRefused::NoPng(_))));
        assert!(matches!(png(&pixels(2001, 1)).await, Err(LogoRefused::TooManyPixels(2001, 1))));
        assert!(matches!(png(&vec![0; MOST_BYTES + 1]).await, Err(LogoRefused::TooLarge(102_401))));
        let no_base64 = NewLogo { content_type: LogoType::Png, data: "data:image/png;base64,AAAA".to_owned() };
        assert!(matches!(draw(&no_base64).await, Err(LogoRefused::Base64)));
    }
}
