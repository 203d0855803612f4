//! The name of a file: as it was given wherever file systems take that, else mended, which whoever gave it is told.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::TextError;
use super::display::{breaks_line, has_visible, is_no_text, turns_text, without_invisible};

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

/// What Windows has for devices, with whatever ending ("Naming Files, Paths, and Namespaces").
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// A file's own name, in any script: 1 to 255 characters, among them one that can be seen; no path, no line break, no
/// control character, nothing invisible or that turns the text; no dot or space at its end; no device of Windows.
#[derive(Debug, Clone, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct FileName(String);

crate::schema::of_text!(FileName, "A file's own name, in any script, as every system takes it.", { "minLength": 1, "maxLength": FileName::MOST });

impl FileName {
    const MOST: usize = 255;

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// [`Self::content_disposition`] that shows the file where it stands, and saves it under its own name if asked to.
    #[must_use]
    pub fn inline_disposition(&self) -> String {
        self.content_disposition().replacen("attachment", "inline", 1)
    }

    /// `Content-Disposition` that saves the file under its own name (RFC 6266): an ASCII likeness for old
    /// clients, the name itself in UTF-8 (RFC 8187) for all others.
    #[must_use]
    pub fn content_disposition(&self) -> String {
        let safe: String = self
            .0
            .chars()
            .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
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
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        if text.contains('\0') {
            return Err(TextError::Control);
        }
        if !has_visible(text) {
            return Err(TextError::Invisible);
        }
        let name = mended(text);
        let has = name.chars().count();
        if name.is_empty() {
            Err(TextError::Form("must be more than dots and spaces"))
        } else if !has_visible(&name) {
            // The dot behind a mark was all that could be seen.
            Err(TextError::Invisible)
        } else if has > Self::MOST {
            Err(TextError::TooLong { most: Self::MOST, has })
        } else {
            Ok(Self(name))
        }
    }
}

/// The nearest name that file systems take.
fn mended(text: &str) -> String {
    let unfit = |c: char| turns_text(c) || breaks_line(c) || is_no_text(c) || matches!(c, '/' | '\\');
    let name: String = text.chars().map(|c| if unfit(c) { '_' } else { c }).collect();
    let name = without_invisible(&name);
    let name = name.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    if is_device(name) { format!("_{name}") } else { name.to_owned() }
}

/// Whether Windows takes it for a device, whatever its ending.
pub(super) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = ["COM", "LPT"].iter().any(|port| {
        let mut number = stem.strip_prefix(port).unwrap_or_default().chars();
        matches!((number.next(), number.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    });
    numbered || DEVICES.contains(&stem.as_str())
}

/// A file's name as it is announced.
#[derive(Debug, Clone, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct AnnouncedName {
    /// As it is kept.
    pub name: FileName,
    given: String,
}

impl AnnouncedName {
    /// Whether it is kept by another name than it was given, which some file system would not have taken.
    #[must_use]
    pub fn is_mended(&self) -> bool {
        self.given != self.name.0
    }
}

crate::schema::of_text!(AnnouncedName, "A file's name as it is announced; what some system would not take is mended.", { "minLength": 1 });

impl FromStr for AnnouncedName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Ok(Self { name: text.parse()?, given: text.to_owned() })
    }
}

impl fmt::Display for AnnouncedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
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

    #[test]
    fn what_no_file_system_takes_is_mended() {
        for (given, kept) in [
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("a\r\nSubject: x.pdf", "a__Subject: x.pdf"),
            ("a\u{2028}b\u{85}c.pdf", "a_b_c.pdf"),
            ("gpj\u{202e}fdp.exe", "gpj_fdp.exe"),
            ("in\u{200b}voice\u{2060}.pdf", "invoice.pdf"),
            ("Offer Müller & Co.", "Offer Müller & Co"),
            ("a.txt . ", "a.txt"),
            ("con", "_con"),
            ("Nul.tar.gz", "_Nul.tar.gz"),
            ("COM1 .txt", "_COM1 .txt"),
            ("lpt².txt", "_lpt².txt"),
        ] {
            let announced: AnnouncedName = given.parse().unwrap();
            assert_eq!(announced.name.as_str(), kept);
            assert!(announced.is_mended(), "{given}");
        }
        for given in
            ["console.log", "COM10.txt", ".gitignore", "a: \"b\"?.pdf", " a.txt", "Icon 👩🏽‍✈️.png", "é e\u{301}.txt"]
        {
            let announced: AnnouncedName = given.parse().unwrap();
            assert_eq!((announced.name.as_str(), announced.is_mended()), (given, false));
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        for (given, why) in [
            ("", TextError::Empty),
            ("\r\n", TextError::Empty),
            ("a\0b", TextError::Control),
            ("..", TextError::Form("must be more than dots and spaces")),
            ("\u{3164}\u{200b}", TextError::Invisible),
            ("\u{1e026}.", TextError::Invisible),
            (&"x".repeat(256), TextError::TooLong { most: 255, has: 256 }),
        ] {
            assert_eq!(given.parse::<FileName>(), Err(why), "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_one_that_file_systems_take_and_makes_a_header_of_plain_ascii(
            text in "(\\PC|[\u{0}-\u{1f}\u{7f}-\u{9f}/\\\\. \u{200b}-\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}]){1,80}",
        ) {
            if let Ok(name) = text.parse::<FileName>() {
                prop_assert_eq!(name.as_str().parse::<FileName>(), Ok(name.clone()));
                let unfit = |c: char| turns_text(c) || breaks_line(c) || is_no_text(c) || matches!(c, '/' | '\\');
                prop_assert!(!name.as_str().contains(unfit) && !name.as_str().ends_with(['.', ' ']));
                let header = name.content_disposition();
                prop_assert!(header.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
                prop_assert_eq!(header.matches('"').count(), 2);
            }
        }

        #[test]
        fn an_honest_name_is_kept_as_it_was_given(name in "[\\p{L}\\p{N}_ ()&+,;=@#%'-]{0,60}[\\p{L}\\p{N}]", end in "[a-z]{1,4}") {
            let name = format!("x{name}.{end}");
            prop_assume!(without_invisible(&name) == name);
            let kept: FileName = name.parse().unwrap();
            prop_assert_eq!(kept.as_str(), name);
        }
    }
}
