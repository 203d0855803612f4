//! Short texts that people type: trimmed, in one Unicode form, of a known length, without control characters.

use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than its kind allows, in characters.
    #[error("must have at most {most} characters, but has {has}")]
    TooLong {
        /// The most it may have.
        most: usize,
        /// What it has.
        has: usize,
    },
    /// A control character, such as NUL, a line break where one line is asked for, or one that turns the text.
    #[error("must not contain control characters")]
    Control,
    /// Not of the form its kind asks for.
    #[error("{0}")]
    Form(&'static str),
}

fn parse(text: &str, most: usize, lines: bool) -> Result<String, TextError> {
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(text.trim());
    let has = text.chars().count();
    if has == 0 {
        Err(TextError::Empty)
    } else if has > most {
        Err(TextError::TooLong { most, has })
    } else if text.chars().any(|c| turns_text(c) || c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'))) {
        Err(TextError::Control)
    } else {
        Ok(text.into_owned())
    }
}

/// Characters that turn the direction of what follows them: a name with one can pass for another (UTS 55).
pub(super) fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident = $parse:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                let parse: fn(&str) -> Result<String, TextError> = $parse;
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text! {
    /// A person's name, as that person writes it: at most 200 characters.
    PersonName = |text| parse(text, 200, false);
    /// A company's name: at most 200 characters.
    CompanyName = |text| parse(text, 200, false);
    /// What a share, a job or a problem is called: at most 300 characters.
    Title = |text| parse(text, 300, false);
    /// The operator's own number for a thing: at most 100 characters.
    Reference = |text| parse(text, 100, false);
    /// A telephone number, as it is written: at most 50 characters.
    Phone = |text| parse(text, 50, false);
    /// A message from one person to another, with line breaks: at most 5,000 characters.
    Message = |text| parse(text, 5_000, true);
    /// A language by its BCP 47 tag, as far as Gatehouse goes: `en`, `de`, `pt-BR`.
    Language = |text| {
        let tag = parse(text, 35, false)?;
        let mut subtags = tag.split('-');
        let primary = subtags.next().is_some_and(|s| matches!(s.len(), 2 | 3) && s.bytes().all(|b| b.is_ascii_alphabetic()));
        if primary && subtags.all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric())) {
            Ok(tag)
        } else {
            Err(TextError::Form("must be a language tag such as \"en\" or \"pt-BR\" (BCP 47)"))
        }
    };
    /// A media type (RFC 9110 §8.3.1): `application/pdf`. Parameters (`; charset=utf-8`) are left out.
    MediaType = |text| {
        let without_parameters = text.split(';').next().unwrap_or_default();
        let media_type = parse(without_parameters, 127, false)?.to_ascii_lowercase();
        let token = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
        match media_type.split_once('/') {
            Some((kind, subtype)) if token(kind) && token(subtype) => Ok(media_type),
            _ => Err(TextError::Form("must be a media type such as \"application/pdf\"")),
        }
    };
}

impl Default for Language {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl Default for MediaType {
    /// Bytes of no particular type (RFC 2046 §4.5.1).
    fn default() -> Self {
        Self("application/octet-stream".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_around_a_name_is_not_part_of_it() {
        assert_eq!("  Ann Li\u{301} ".parse::<PersonName>().unwrap().as_str(), "Ann L\u{ed}");
    }

    #[test]
    fn empty_long_and_broken_names_each_say_why() {
        assert_eq!("   ".parse::<PersonName>(), Err(TextError::Empty));
        assert_eq!("x".repeat(10_000).parse::<PersonName>(), Err(TextError::TooLong { most: 200, has: 10_000 }));
        assert_eq!("a\r\nBcc: b".parse::<PersonName>(), Err(TextError::Control));
        assert_eq!("Ann \u{202e}eel".parse::<PersonName>(), Err(TextError::Control));
    }

    proptest! {
        #[test]
        fn what_was_parsed_once_parses_to_itself(text in ".{0,250}") {
            if let Ok(name) = text.parse::<PersonName>() {
                prop_assert_eq!(name.as_str().parse::<PersonName>(), Ok(name));
            }
        }
    }
}
