//! An e-mail address: the way to reach a person, and the username.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use icu_properties::CodePointMapData;
use icu_properties::props::Script;
use idna::uts46::{AsciiDenyList, Hyphens, Uts46};
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// Why an address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Not an address by RFC 5321 and 5322.
    #[error("is not an e-mail address: {0}")]
    Malformed(String),
    /// Amazon SES takes no letters outside ASCII before the `@` (SES developer guide, "Email format").
    #[error("must have only ASCII letters before the @")]
    LocalPart,
    /// A domain that IDNA (UTS 46) refuses.
    #[error("has no valid domain")]
    Domain,
}

/// An address in the one form in which it is stored and compared: lower case, domain in ASCII.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Email(String);

impl Email {
    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// The most octets of an address: a path of 256 with its angle brackets (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

crate::schema::of_text!(Email, "An e-mail address; it is kept in lower case, its domain in ASCII.", { "format": "email" });

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let malformed = |error: &dyn fmt::Display| EmailError::Malformed(error.to_string());
        let (local, domain) = text.trim().rsplit_once('@').ok_or_else(|| malformed(&"it has no @"))?;
        if !local.is_ascii() {
            return Err(EmailError::LocalPart);
        }
        // A name that ends in the root's dot is the same name; IDNA takes these signs for a dot (UTS 46, 2.3).
        let domain = domain.strip_suffix(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).unwrap_or(domain);
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError::Domain)?;
        let address = format!("{}@{domain}", plain(local).to_ascii_lowercase());
        if address.len() > LONGEST {
            return Err(EmailError::Malformed(format!("it is longer than {LONGEST} characters")));
        }
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        EmailAddress::parse_with_options(&address, options).map_err(|error| malformed(&error))?;
        Ok(Self(address))
    }
}

/// What stands before the `@` without quotes and backslashes that it does not need: they are no part of the mailbox's
/// name (RFC 5321 §4.1.2). What is no quoted string stays as it is.
fn plain(local: &str) -> Cow<'_, str> {
    let Some(quoted) = local.strip_prefix('"').and_then(|local| local.strip_suffix('"')) else { return local.into() };
    let (mut name, mut chars) = (String::new(), quoted.chars());
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some(c) => name.push(c),
                None => return local.into(),
            },
            ('"', _) => return local.into(),
            _ => name.push(c),
        }
    }
    let atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
    };
    if name.split('.').all(atom) {
        return name.into();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")).into()
}

impl Email {
    /// For people to read: the domain as its owner writes it.
    #[must_use]
    pub fn for_people(&self) -> String {
        match self.0.rsplit_once('@') {
            Some((local, domain)) => format!("{local}@{}", domain_for_people(domain)),
            None => self.0.clone(),
        }
    }
}

/// A domain as its owner writes it, in letters of any script, where no other domain looks the same; else in ASCII.
#[must_use]
pub fn domain_for_people(domain: &str) -> String {
    let (shown, right) =
        Uts46::new().to_user_interface(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, |label, tld, _| {
            is_unmistakable(label, tld)
        });
    if right.is_ok() { shown.into_owned() } else { domain.to_owned() }
}

/// Whether a label looks like no other: Latin letters as Europe writes them, or one script that has no letters that look
/// like Latin ones, or one that has (UTS 39, "whole-script confusables") below a top level of that script.
fn is_unmistakable(label: &[char], tld: &[char]) -> bool {
    let neutral = |c: &char| c.is_ascii_digit() || *c == '-';
    let latin =
        |c: &char| c.is_ascii_lowercase() || matches!(c, 'ß'..='ž') && !matches!(c, '÷' | 'ı' | 'ĸ' | 'ŀ' | 'ŉ');
    if label.iter().all(|c| neutral(c) || latin(c)) {
        return true;
    }
    let scripts = CodePointMapData::<Script>::new();
    let of = |label: &[char], these: &[Script]| {
        label.iter().any(|c| !neutral(c)) && label.iter().all(|c| neutral(c) || these.contains(&scripts.get(*c)))
    };
    let unlike = [
        Script::Hangul,
        Script::Arabic,
        Script::Hebrew,
        Script::Thai,
        Script::Devanagari,
        Script::Bengali,
        Script::Tamil,
    ];
    let alike = [Script::Cyrillic, Script::Greek, Script::Armenian];
    of(label, &[Script::Han, Script::Hiragana, Script::Katakana])
        || unlike.iter().any(|script| of(label, &[*script]))
        || alike.iter().any(|script| of(label, &[*script]) && of(tld, &[*script]))
}

/// An address is personal data: it shows itself only where it is asked to (`Display`), never in a debug log.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_address_has_one_form() {
        let email: Email = "  Ann.Lee@EXAMPLE.com ".parse().unwrap();
        assert_eq!(email.as_str(), "ann.lee@example.com");
        assert_eq!(email.domain(), "example.com");
        assert_eq!("a@münchen.example".parse::<Email>().unwrap().domain(), "xn--mnchen-3ya.example");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "ann@localhost",
            "a b@example.com",
            "ann@example.com, bob@example.com",
            "Ann <ann@example.com>",
            "ann@[127.0.0.1]",
            "ann@example.com\r\nBcc: bob@example.com",
            "änn@example.com",
            "ann@-example-.com",
            "ann@exa mple.com",
            "ann(work)@example.com",
            "ann@(work)example.com",
            "ann @example.com",
            "\"ann@example.com",
            "\"a\"b\"@example.com",
            "\"ann\\\"@example.com",
            "a..b@example.com",
            "ann@example.com..",
            &format!("{}@example.com", "x".repeat(65)),
            &format!("ann@{}.com", "x".repeat(64)),
            &format!("{}@{}", "x".repeat(64), vec!["x".repeat(61); 4].join(".")),
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?} was taken for an address");
        }
    }

    #[test]
    fn one_mailbox_is_one_address_however_it_is_written() {
        for (one, other) in [
            ("\"ann\"@example.com", "ann@example.com"),
            ("\"a\\nn\"@example.com", "ann@example.com"),
            ("\"Ann.Lee\"@example.com", "ann.lee@example.com"),
            ("\"a\\ b\"@example.com", "\"a b\"@example.com"),
            ("ann@example.com.", "ann@example.com"),
            ("ann@EXAMPLE。com", "ann@example.com"),
            ("ann@ｅxample.com", "ann@example.com"),
            ("ann@exam\u{ad}ple.com", "ann@example.com"),
            ("a@MÜNCHEN.example", "a@xn--mnchen-3ya.example"),
            ("a@mu\u{308}nchen.example", "a@münchen.example"),
        ] {
            assert_eq!(one.parse::<Email>().unwrap(), other.parse::<Email>().unwrap(), "{one}");
        }
        assert_ne!("\"a.\"@example.com".parse::<Email>(), "a@example.com".parse::<Email>());
        let longest = format!("{}@{}.com", "x".repeat(64), [63, 63, 57].map(|n| "x".repeat(n)).join("."));
        assert_eq!(longest.parse::<Email>().unwrap().as_str().len(), 254);
        assert!(
            format!("{longest}.").parse::<Email>().is_ok()
                && longest.replace(".com", "x.com").parse::<Email>().is_err()
        );
    }

    #[test]
    fn a_domain_is_shown_as_its_owner_writes_it_unless_it_passes_for_another() {
        for (domain, shown) in [
            ("xn--mnchen-3ya.example", "münchen.example"),
            ("xn--strae-oqa.example", "straße.example"),
            ("xn--d1acufc.xn--p1ai", "домен.рф"),
            ("xn--wgv71a119e.jp", "日本語.jp"),
            // Cyrillic letters that look like `apple`, and one among Latin ones.
            ("xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),
            ("xn--pple-43d.com", "xn--pple-43d.com"),
            // A dotless i.
            ("xn--pypal-4ve.com", "xn--pypal-4ve.com"),
            ("example.com", "example.com"),
        ] {
            assert_eq!(domain_for_people(domain), shown);
        }
        assert_eq!("a@münchen.example".parse::<Email>().unwrap().for_people(), "a@münchen.example");
    }

    #[test]
    fn an_address_is_not_printed_by_accident() {
        let email: Email = "ann@example.com".parse().unwrap();
        assert!(!format!("{email:?}").contains("ann"));
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_its_result_parses_to_itself(text in "\\PC{0,80}") {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert_eq!(email.as_str().parse::<Email>().unwrap(), email);
            }
        }

        #[test]
        fn quotes_that_are_not_needed_do_not_matter(local in "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[a-z0-9]{1,9}){0,2}") {
            let plain: Email = format!("{local}@example.com").parse().unwrap();
            let quoted: Email = format!("\"{local}\"@example.com.").parse().unwrap();
            let escaped: String = local.chars().flat_map(|c| ['\\', c]).collect();
            let escaped: Email = format!("\"{escaped}\"@Example.COM").parse().unwrap();
            prop_assert_eq!(&plain, &quoted);
            prop_assert_eq!(&plain, &escaped);
        }

        #[test]
        fn quoted_text_is_one_address_or_none(text in "[ -~]{0,20}") {
            let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            let needed = format!("\"{}\"@example.com", escape(&text)).parse::<Email>();
            let all: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert_eq!(needed, format!("\"{all}\"@example.com").parse::<Email>());
        }

        #[test]
        fn case_and_spaces_do_not_matter(local in "[a-z][a-z0-9.]{0,10}[a-z]", domain in "[a-z]{1,10}\\.(com|example)") {
            prop_assume!(!local.contains(".."));
            let plain: Email = format!("{local}@{domain}").parse().unwrap();
            let shouted: Email = format!(" {}@{} ", local.to_uppercase(), domain.to_uppercase()).parse().unwrap();
            prop_assert_eq!(plain, shouted);
        }
    }
}
