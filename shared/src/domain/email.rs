//! An e-mail address: the way to reach a person, and the username.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
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

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        let parsed = EmailAddress::parse_with_options(text.trim(), options)
            .map_err(|error| EmailError::Malformed(error.to_string()))?;
        let local = parsed.local_part();
        if !local.is_ascii() {
            return Err(EmailError::LocalPart);
        }
        let domain = idna::domain_to_ascii_strict(parsed.domain()).map_err(|_| EmailError::Domain)?;
        Ok(Self(format!("{}@{domain}", local.to_ascii_lowercase())))
    }
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
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?} was taken for an address");
        }
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
        fn case_and_spaces_do_not_matter(local in "[a-z][a-z0-9.]{0,10}[a-z]", domain in "[a-z]{1,10}\\.(com|example)") {
            prop_assume!(!local.contains(".."));
            let plain: Email = format!("{local}@{domain}").parse().unwrap();
            let shouted: Email = format!(" {}@{} ", local.to_uppercase(), domain.to_uppercase()).parse().unwrap();
            prop_assert_eq!(plain, shouted);
        }
    }
}
