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
    fn a_name_tells_by_its_ending_in_any_case() {
        let by_name = |name: &str| by_name(&name.parse().unwrap()).as_str().to_owned();
        assert_eq!(by_name("IMG_1.HEIC"), "image/heic");
        assert_eq!(by_name("../a.b/plan.PDF"), "application/pdf");
        for silent in ["README", "a.", ".pdf", "a.\u{202e}fdp"] {
            assert_eq!(by_name(silent), "application/octet-stream", "{silent}");
        }
    }
}
