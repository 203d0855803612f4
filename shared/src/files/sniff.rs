//! What a file is, by its bytes and by its name. That decides how it may be shown, and never whether it is kept.

use super::BucketFile;
use crate::domain::{FileName, MediaType};

/// Whether a browser would show or run it instead of saving it, or guess what it is (MIME Sniffing §7).
fn is_active(media_type: &MediaType) -> bool {
    let name = media_type.as_str();
    let (kind, subtype) = name.split_once('/').unwrap_or_default();
    let active = ["text/css", "text/xsl", "application/wasm", "application/x-shockwave-flash", "message/rfc822"];
    active.contains(&name)
        || kind == "multipart"
        || subtype == "unknown"
        || subtype.starts_with("xml")
        || subtype.ends_with("+xml")
        || subtype.contains("html")
        || subtype.contains("script")
}

/// What to call it to a browser: what could run, by what it is called or by what it is, is only bytes.
#[must_use]
pub(super) fn harmless(file: &impl BucketFile) -> MediaType {
    let active = is_active(file.content_type()) || file.detected().is_some_and(is_active);
    if active { MediaType::default() } else { file.content_type().clone() }
}

/// What the bytes are, where they show it.
#[must_use]
pub(super) fn detect(beginning: &[u8], announced: &MediaType) -> Option<MediaType> {
    match infer::get(beginning) {
        Some(is) => is.mime_type().parse().ok(),
        None if is_plain_text(beginning) && !is_active(announced) => "text/plain".parse().ok(),
        None => None,
    }
}

/// Whether it begins as text in UTF-8 that nobody would take for markup: a browser shows it as it stands.
fn is_plain_text(beginning: &[u8]) -> bool {
    let text = match str::from_utf8(beginning) {
        Ok(text) => text,
        // The last character may go on behind what was read.
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&beginning[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    let lower = text.to_ascii_lowercase();
    let markup = ["<!doctype", "<html", "<head", "<body", "<script", "<svg", "<?xml", "<iframe", "<xsl:"];
    !text.is_empty() && !text.contains(control) && !markup.iter().any(|tag| lower.contains(tag))
}

/// What a file of that name is, as far as its ending tells.
#[must_use]
pub fn by_name(name: &FileName) -> MediaType {
    let guess = mime_guess::from_path(name.as_str()).first_raw();
    guess.and_then(|guess| guess.parse().ok()).unwrap_or_default()
}

/// What can be told apart by bytes and by name alike: types of one line are one thing, whatever they are called. Office
/// files are in two lines, for those with a password are wrapped as the old ones were; what is in no line is never doubted.
const ALIKE: [&[&str]; 24] = [
    &["image/jpeg", "image/pjpeg"],
    &["image/png", "image/apng"],
    &["image/gif"],
    &["image/webp"],
    &["image/heif", "image/heic", "image/heif-sequence", "image/heic-sequence", "image/avif"],
    &["image/tiff"],
    &["image/bmp", "image/x-ms-bmp"],
    &["image/vnd.adobe.photoshop"],
    &["application/pdf"],
    &["application/rtf", "text/rtf"],
    &["application/gzip", "application/x-gzip"],
    &["application/x-bzip2"],
    &["application/x-xz"],
    &["application/x-7z-compressed"],
    &["application/vnd.rar", "application/x-rar-compressed"],
    &["audio/mpeg", "audio/mp3"],
    &["audio/wav", "audio/x-wav"],
    &["audio/flac", "audio/x-flac"],
    &["audio/ogg", "video/ogg", "application/ogg", "audio/opus"],
    &["video/mp4", "video/x-m4v", "video/quicktime", "audio/mp4", "audio/m4a", "audio/x-m4a", "video/3gpp"],
    &["video/webm", "video/x-matroska", "audio/webm"],
    &["application/vnd.microsoft.portable-executable", "application/x-msdownload", "application/x-executable"],
    &["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/x-ole-storage"],
    &["application/zip", "application/epub+zip", "application/java-archive", "application/vnd.android.package-archive"],
];

/// Where the two kinds of Office files are among those.
const OLE: usize = 22;
const ZIP: usize = 23;
/// The line that texts of all kinds would have.
const TEXT: usize = ALIKE.len();

/// Which of those things a type may be.
fn things(media_type: &MediaType) -> Vec<usize> {
    let name = media_type.as_str();
    // What may have macros ends so: `application/vnd.ms-excel.sheet.macroenabled.12`.
    if name.contains("openxmlformats") || name.ends_with(".12") {
        return vec![OLE, ZIP];
    }
    if name.contains("opendocument") {
        return vec![ZIP];
    }
    let text = name.starts_with("text/") || name.ends_with("+xml") || name.ends_with("/json") || name.ends_with("/xml");
    let line = ALIKE.iter().position(|line| line.contains(&name));
    line.or_else(|| text.then_some(TEXT)).into_iter().collect()
}

/// Whether a name's ending says another type than the bytes are: only where both tell.
#[must_use]
pub fn name_differs(name: &FileName, detected: Option<&MediaType>) -> bool {
    let (said, is) = (things(&by_name(name)), detected.map(things).unwrap_or_default());
    !said.is_empty() && !is.is_empty() && !said.iter().any(|thing| is.contains(thing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_or_is_guessed_at_is_only_bytes_to_a_browser() {
        for name in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/javascript",
            "application/xml-dtd",
            "multipart/x-mixed-replace",
            "unknown/unknown",
        ] {
            assert!(is_active(&name.parse().unwrap()), "{name}");
        }
        for name in [
            "application/pdf",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "text/plain",
            "image/png",
        ] {
            assert!(!is_active(&name.parse().unwrap()), "{name}");
        }
    }

    #[test]
    fn plain_text_is_told_from_markup_and_from_bytes() {
        let plain: MediaType = "text/csv".parse().unwrap();
        let detect = |bytes: &[u8]| detect(bytes, &plain).map(|is| is.as_str().to_owned());
        for text in ["a;b\r\n1;2\r\n", "Été\n漢字", "x < y > z", "# Notes"] {
            assert_eq!(detect(text.as_bytes()).as_deref(), Some("text/plain"), "{text}");
        }
        assert_eq!(detect(&"é".as_bytes()[..1]), None, "nothing whole");
        assert_eq!(detect(&["a".as_bytes(), &"é".as_bytes()[..1]].concat()).as_deref(), Some("text/plain"));
        for other in ["", "a\0b", "x <SVG onload=a>", "\n\n <script>x</script>", "x\u{1b}[2J"] {
            assert_ne!(detect(other.as_bytes()).as_deref(), Some("text/plain"), "{other}");
        }
        assert_eq!(detect(&[0xff, 0xfe, b'a', 0]), None);
        let html = "text/html".parse().unwrap();
        assert_eq!(super::detect(b"looks plain", &html), None, "what is called HTML is never shown");
    }

    #[test]
    fn a_name_is_doubted_where_its_bytes_are_something_else_and_nowhere_else() {
        let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on";
        let exe = [&b"MZ"[..], &[0; 400]].concat();
        let (zip, pdf) = (&b"PK\x03\x04 and so on"[..], &b"%PDF-1.7"[..]);
        let (jpeg, mp4) = (&b"\xff\xd8\xff\xe0"[..], &b"\0\0\0\x20ftypisom\0\0\x02\0"[..]);
        for (name, bytes, differs) in [
            ("invoice.pdf", &exe[..], true),
            ("invoice.pdf", zip, true),
            ("invoice.pdf", b"only text", true),
            ("photo.jpg", pdf, true),
            ("notes.txt", pdf, true),
            ("page.pdf", b"<!DOCTYPE html><html>", true),
            ("photo.png", jpeg, true),
            ("invoice.pdf", pdf, false),
            ("photo.JPEG", jpeg, false),
            ("table.xlsx", zip, false),
            ("table.xlsx", ole, false),
            ("table.xlsm", zip, false),
            ("text.odt", zip, false),
            ("letter.doc", ole, false),
            ("table.csv", b"a;b\n1;2\n", false),
            ("data.json", b"{}", false),
            ("clip.mov", mp4, false),
            ("drawing.ai", pdf, false),
            ("report", pdf, false),
            ("data.bin", &exe[..], false),
            ("photo.jpg", b"\x01\x02", false),
            ("empty.pdf", b"", false),
        ] {
            let announced = MediaType::default();
            let is = super::detect(bytes, &announced);
            assert_eq!(name_differs(&name.parse().unwrap(), is.as_ref()), differs, "{name}: {is:?}");
        }
    }

    #[test]
    fn a_name_tells_by_its_ending_in_any_case() {
        let by_name = |name: &str| by_name(&name.parse().unwrap()).as_str().to_owned();
        assert_eq!(by_name("IMG_1.HEIC"), "image/heic");
        assert_eq!(by_name("../a.b/plan.PDF"), "application/pdf");
        for silent in ["README", "a.", ".pdf", "a.\u{202e}fdp"] {
            assert_eq!(by_name(silent), "application/octet-stream", "{silent}");
        }
    }
}
