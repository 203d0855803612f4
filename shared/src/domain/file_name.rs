//! The name of a file: kept as it was given, made safe only where a header or a path needs it.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::TextError;
use super::text::turns_text;

/// All that is not `attr-char` (RFC 8187 §3.2.1).
const NO_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A file's own name, in any script: 1 to 255 characters, none of them NUL.
#[derive(Debug, Clone, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct FileName(String);

impl FileName {
    const MOST: usize = 255;

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `Content-Disposition` that saves the file under its own name (RFC 6266): an ASCII likeness for old
    /// clients, the name itself in UTF-8 (RFC 8187) for all others. A path's parts and line breaks cannot pass, nor what turns `gpj.exe` around.
    #[must_use]
    pub fn content_disposition(&self) -> String {
        let safe: String = self
            .0
            .chars()
            .map(|c| if c.is_control() || turns_text(c) || matches!(c, '/' | '\\') { '_' } else { c })
            .collect();
        let likeness: String = safe
            .chars()
            .map(|c| if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '%') { c } else { '_' })
            .collect();
        format!("attachment; filename=\"{likeness}\"; filename*=UTF-8''{}", utf8_percent_encode(&safe, NO_ATTR_CHAR))
    }
}

impl FromStr for FileName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let has = text.chars().count();
        if text.trim().is_empty() {
            Err(TextError::Empty)
        } else if has > Self::MOST {
            Err(TextError::TooLong { most: Self::MOST, has })
        } else if text.contains('\0') {
            Err(TextError::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_in_any_script_reaches_the_header() {
        let name: FileName = "Rapport été – №5 (итог).pdf".parse().unwrap();
        assert_eq!(
            name.content_disposition(),
            "attachment; filename=\"Rapport _t_ _ _5 (____).pdf\"; filename*=UTF-8''\
             Rapport%20%C3%A9t%C3%A9%20%E2%80%93%20%E2%84%965%20%28%D0%B8%D1%82%D0%BE%D0%B3%29.pdf"
        );
    }

    #[test]
    fn a_name_cannot_leave_its_folder_or_its_header() {
        for name in ["../../etc/passwd", "a\"b\r\nc.pdf", "..\\..\\boot.ini"] {
            let header = name.parse::<FileName>().unwrap().content_disposition();
            assert!(!header.contains(['/', '\\', '\r', '\n']) && header.matches('"').count() == 2, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_kept_and_makes_a_header_of_plain_ascii(text in "[^\\x00]{1,255}") {
            prop_assume!(!text.trim().is_empty());
            let name: FileName = text.parse().unwrap();
            prop_assert_eq!(name.as_str(), &text);
            let header = name.content_disposition();
            prop_assert!(header.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
