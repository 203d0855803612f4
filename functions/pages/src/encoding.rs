//! In which form a body goes out. API Gateway compresses nothing for an HTTP API.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Better compresses hardly smaller, and takes a small Lambda long.
const BROTLI: u32 = 6;
const BROTLI_WINDOW: u32 = 22;

/// A way to compress, by its name in `Content-Encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Plain,
}

impl Encoding {
    /// The best of those that a browser takes (RFC 9110 §12.5.3).
    pub(crate) fn accepted(accept: &str) -> Self {
        let takes = |name: &str| {
            accept.split(',').any(|one| {
                let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
                let refused = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0);
                coding.trim().eq_ignore_ascii_case(name) && !refused
            })
        };
        if takes("br") {
            Self::Brotli
        } else if takes("gzip") {
            Self::Gzip
        } else {
            Self::Plain
        }
    }

    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Plain => None,
        }
    }

    /// A text in this form.
    pub(crate) fn encode(self, text: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(text.to_owned()),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(text)?;
                encoder.finish()
            }
            Self::Brotli => {
                let mut encoded = Vec::new();
                let mut encoder = brotli::CompressorWriter::new(&mut encoded, 4096, BROTLI, BROTLI_WINDOW);
                encoder.write_all(text)?;
                encoder.flush()?;
                drop(encoder);
                Ok(encoded)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_that_is_taken_is_chosen() {
        for (accept, chosen) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("GZIP;q=0.5, br;q=0", Encoding::Gzip),
            ("gzip;q=0, identity", Encoding::Plain),
            ("brotli", Encoding::Plain),
            ("", Encoding::Plain),
        ] {
            assert_eq!(Encoding::accepted(accept), chosen, "{accept}");
        }
    }
}
