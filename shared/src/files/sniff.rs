//! What a file is, by its bytes: what it was announced as must be true, and nothing that runs is ever called by its name.

use super::UploadRefused;
use crate::domain::MediaType;

/// What a browser would show or run instead of saving it.
const ACTIVE: [&str; 9] = [
    "text/html",
    "text/xml",
    "text/javascript",
    "text/css",
    "application/javascript",
    "application/xml",
    "application/x-shockwave-flash",
    "application/wasm",
    "multipart/related",
];

/// Bytes of no particular type (RFC 2046 §4.5.1).
const BYTES: &str = "application/octet-stream";

/// Types that are containers of others: which one shows only deep inside, so the name is believed.
const CONTAINERS: [(&str, &[&str]); 5] = [
    (
        "application/zip",
        &[
            "openxmlformats",
            "opendocument",
            "epub",
            "java-archive",
            "vnd.android",
            "zip",
            "kmz",
            "usdz",
            "macroenabled",
        ],
    ),
    ("application/x-ole-storage", &["msword", "ms-excel", "ms-powerpoint", "ms-outlook", "visio", "cdfv2", "x-msi"]),
    ("text/xml", &["xml"]),
    ("application/gzip", &["gzip", "x-tgz", "compressed-tar"]),
    ("video/mp4", &["video/mp4", "audio/mp4", "video/quicktime", "m4a", "m4v", "3gpp", "heic", "heif", "avif"]),
];

/// Types that go by several names.
const SAME: [(&str, &str); 9] = [
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("audio/wav", "audio/wave"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/x-m4a", "audio/m4a"),
    ("image/vnd.microsoft.icon", "image/ico"),
    ("application/x-pdf", "application/pdf"),
    ("application/x-zip-compressed", "application/zip"),
    ("application/x-gzip", "application/gzip"),
];

/// Types with a beginning that is known: bytes that do not have it are not of that type.
const KNOWN_BY_THEIR_BYTES: [&str; 9] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/tiff",
    "image/bmp",
    "application/pdf",
    "application/zip",
    "video/mp4",
];

fn plain(name: &str) -> &str {
    let name = SAME.iter().find(|(other, _)| *other == name).map_or(name, |(_, one)| one);
    name.trim_end_matches("; charset=utf-8")
}

/// What to call it to a browser: what could run is only bytes.
#[must_use]
pub(super) fn harmless(media_type: &MediaType) -> &str {
    let name = media_type.as_str();
    if ACTIVE.contains(&name) || name.ends_with("+xml") || name.contains("html") || name.contains("script") {
        BYTES
    } else {
        name
    }
}

/// The type by the bytes, if it is what was announced. Where bytes do not say, the announcement is believed, unless
/// it names a type that always shows in its bytes.
pub(super) fn announced_as(announced: &MediaType, beginning: &[u8]) -> Result<MediaType, UploadRefused> {
    let (name, bytes) = (plain(announced.as_str()), || BYTES.parse().unwrap_or_else(|_| announced.clone()));
    let Some(found) = infer::get(beginning).map(|found| found.mime_type()) else {
        let known = KNOWN_BY_THEIR_BYTES.contains(&name) && !beginning.is_empty();
        return Ok(if known { bytes() } else { announced.clone() });
    };
    let inside = CONTAINERS.iter().find(|(container, _)| *container == found || *container == plain(found));
    let believed = inside.is_some_and(|(_, names)| names.iter().any(|part| name.contains(part)));
    if name == plain(found) || believed || same_family(name, found) {
        Ok(announced.clone())
    } else if name == BYTES {
        Ok(found.parse().unwrap_or_else(|_| bytes()))
    } else {
        Err(UploadRefused::Type { announced: announced.clone(), arrived: found })
    }
}

/// `audio/x-wav` and `audio/wav`; a film that a recorder calls by another container; a script that is a text.
fn same_family(name: &str, found: &str) -> bool {
    let bare = |name: &str| name.replace("/x-", "/").replace("/vnd.", "/");
    let kind = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
    bare(name) == bare(found)
        || matches!(kind(found).as_str(), "video" | "audio") && matches!(kind(name).as_str(), "video" | "audio")
        || found == "text/x-shellscript" && (name == "text/plain" || name == "application/x-sh")
        || found == "image/heif" && name == "image/heic"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(announced: &str, beginning: &[u8]) -> Result<String, String> {
        let said = announced_as(&announced.parse().unwrap(), beginning);
        said.map(|kind| kind.as_str().to_owned()).map_err(|refused| refused.to_string())
    }

    #[test]
    fn what_bytes_say_must_be_what_was_announced() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert_eq!(say("image/png", png).unwrap(), "image/png");
        assert_eq!(say("application/octet-stream", png).unwrap(), "image/png");
        assert!(say("application/pdf", png).unwrap_err().contains("image/png"));
        assert!(say("image/png", b"<!DOCTYPE html><script>").unwrap_err().contains("text/html"));
        assert_eq!(say("image/jpg", b"\xff\xd8\xff\xe0 and so on").unwrap(), "image/jpg");
        assert_eq!(say("image/png", b"no picture at all").unwrap(), "application/octet-stream");
        assert_eq!(say("text/csv", b"a;b\n1;2").unwrap(), "text/csv");
        assert_eq!(say("image/png", b"").unwrap(), "image/png", "nothing says nothing");
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        assert_eq!(say(docx, b"PK\x03\x04 and so on, for long enough").unwrap(), docx);
    }

    #[test]
    fn what_could_run_is_only_bytes_to_a_browser() {
        for name in ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "text/xml"] {
            assert_eq!(harmless(&name.parse().unwrap()), BYTES, "{name}");
        }
        assert_eq!(harmless(&"application/pdf".parse().unwrap()), "application/pdf");
    }
}
