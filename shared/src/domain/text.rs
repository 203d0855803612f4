//! Short texts that people type: trimmed, in one Unicode form, of a known length, with something to see in them, and
//! without control characters and what is invisible.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::display::{breaks_line, has_visible, is_no_text, turns_text, without_invisible};

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Nothing that can be seen, such as invisible letters, or marks without a letter.
    #[error("must have something in it that can be seen")]
    Invisible,
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
    let text = if lines { Cow::Owned(with_line_feeds(text)) } else { Cow::Borrowed(text) };
    let typed = text.trim();
    let unfit = |c: char| {
        let line = if lines { matches!(c, '\n' | '\t') } else { false };
        !line && (turns_text(c) || breaks_line(c) || is_no_text(c))
    };
    if typed.is_empty() {
        return Err(TextError::Empty);
    }
    if typed.chars().any(unfit) {
        return Err(TextError::Control);
    }
    let seen = without_invisible(typed);
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(seen.trim());
    let has = text.chars().count();
    if !has_visible(&text) {
        Err(TextError::Invisible)
    } else if has > most {
        Err(TextError::TooLong { most, has })
    } else {
        Ok(text.into_owned())
    }
}

/// However lines end where it was written, they end in a line feed.
fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(|c| if breaks_line(c) { '\n' } else { c }).collect()
}

macro_rules! text {
    ($($(#[doc = $doc:literal])* $name:ident($most:literal) = $parse:expr;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay, DeserializeFromStr)]
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
                let parse: fn(&str, usize) -> Result<String, TextError> = $parse;
                parse(text, $most).map(Self)
            }
        }

        crate::schema::of_text!($name, concat!($($doc),*), { "minLength": 1, "maxLength": $most });

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text! {
    /// A person's name, as that person writes it: at most 200 characters.
    PersonName(200) = |text, most| parse(text, most, false);
    /// A company's name: at most 200 characters.
    CompanyName(200) = |text, most| parse(text, most, false);
    /// What a share, a job or a problem is called: at most 300 characters.
    Title(300) = |text, most| parse(text, most, false);
    /// The operator's own number for a thing: at most 100 characters.
    Reference(100) = |text, most| parse(text, most, false);
    /// A word or a few for a state, a kind, a serial number: at most 100 characters.
    Label(100) = |text, most| parse(text, most, false);
    /// Where a place is, in lines as on a letter: at most 500 characters.
    Address(500) = |text, most| parse(text, most, true);
    /// A telephone number, as it is written: at most 50 characters. Address books put what turns text around theirs.
    Phone(50) = |text, most| parse(&text.replace(turns_text, ""), most, false);
    /// A message from one person to another, with line breaks: at most 5,000 characters. What turns text is left out:
    /// it comes along when something is copied from a chat.
    Message(5_000) = |text, most| parse(&text.replace(turns_text, ""), most, true);
    /// A language by its BCP 47 tag, as far as Gatehouse goes: `en`, `de`, `pt-BR`.
    Language(35) = |text, most| {
        let tag = parse(text, most, false)?;
        let mut subtags = tag.split('-');
        let primary = subtags.next().is_some_and(|s| matches!(s.len(), 2 | 3) && s.bytes().all(|b| b.is_ascii_alphabetic()));
        if primary && subtags.all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric())) {
            Ok(tag)
        } else {
            Err(TextError::Form("must be a language tag such as \"en\" or \"pt-BR\" (BCP 47)"))
        }
    };
    /// A media type (RFC 9110 §8.3.1): `application/pdf`. Parameters (`; charset=utf-8`) are left out.
    MediaType(127) = |text, most| {
        let without_parameters = text.split(';').next().unwrap_or_default();
        let media_type = parse(without_parameters, most, false)?.to_ascii_lowercase();
        let token = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
        match media_type.split_once('/') {
            Some((kind, subtype)) if token(kind) && token(subtype) => Ok(media_type),
            _ => Err(TextError::Form("must be a media type such as \"application/pdf\"")),
        }
    };
}

impl Message {
    /// As much of it, in characters, as is asked for.
    #[must_use]
    pub fn beginning(&self, most: usize) -> Self {
        match self.0.char_indices().nth(most) {
            Some((end, _)) => Self(self.0[..end].trim_end().to_owned()),
            None => self.clone(),
        }
    }
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
        assert_eq!("Ann\u{2028}Lee".parse::<PersonName>(), Err(TextError::Control));
        assert_eq!("\u{3164}\u{200b}".parse::<CompanyName>(), Err(TextError::Invisible));
        assert_eq!("\u{2800}".parse::<Message>(), Err(TextError::Invisible));
    }

    #[test]
    fn what_nobody_sees_is_not_part_of_a_name() {
        assert_eq!("\u{feff}A\u{200b}n\u{ad}n\u{200e} ".parse::<PersonName>().unwrap().as_str(), "Ann");
        assert_eq!("می\u{200c}خواهم".parse::<Title>().unwrap().as_str(), "می\u{200c}خواهم");
    }

    #[test]
    fn what_address_books_and_chats_put_around_text_is_left_out() {
        assert_eq!("\u{202a}+49 171 1234\u{202c}".parse::<Phone>().unwrap().as_str(), "+49 171 1234");
        assert_eq!("Hi \u{2068}Ann\u{2069}".parse::<Message>().unwrap().as_str(), "Hi Ann");
    }

    #[test]
    fn lines_of_a_message_end_alike_wherever_it_was_written() {
        let message: Message = "a\r\nb\rc\u{2028}d\u{2029}e\u{85}f\u{b}g\u{c}h\n\ni".parse().unwrap();
        assert_eq!(message.as_str(), "a\nb\nc\nd\ne\nf\ng\nh\n\ni");
    }

    proptest! {
        #[test]
        fn what_was_parsed_once_parses_to_itself(text in ".{0,250}") {
            if let Ok(name) = text.parse::<PersonName>() {
                prop_assert_eq!(name.as_str().parse::<PersonName>(), Ok(name));
            }
            if let Ok(message) = text.parse::<Message>() {
                prop_assert_eq!(message.as_str().parse::<Message>(), Ok(message));
            }
        }

        #[test]
        fn a_name_has_nothing_hidden_in_it(text in "(\\PC|[\u{200b}-\u{200f}\u{2060}\u{fe0f}\u{3164}\u{301}]){0,40}") {
            if let Ok(name) = text.parse::<PersonName>() {
                prop_assert!(has_visible(name.as_str()));
                prop_assert_eq!(without_invisible(name.as_str()), name.as_str());
            }
        }
    }
}
