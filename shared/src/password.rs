//! Passwords: hashed with Argon2id, never kept, never mailed.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::Deserialize;
use tracing::debug;

/// OWASP's Password Storage Cheat Sheet: 19 MiB of memory, 2 passes, 1 lane.
static ARGON2: LazyLock<Argon2<'static>> = LazyLock::new(|| {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
});

/// Verified for people who do not exist, so that they take as long as people who do.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| hash(&Password(String::new())).ok());

/// A password as it was typed. It shows itself to nothing but the hash.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a password cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// ASVS 5.0, 6.2.1, and the length at which a strength estimator begins to be satisfied.
    #[error("it needs at least 12 characters")]
    TooShort,
    /// ASVS 5.0, 6.2.9 asks for 64 at least to be possible.
    #[error("it may have at most 128 characters")]
    TooLong,
    /// One of the first that somebody would try who knows the person a little.
    #[error("it is too easy to guess: {0}")]
    Guessable(String),
}

/// The system could not hash.
#[derive(Debug, thiserror::Error)]
#[error("Argon2: {0}")]
pub struct HashError(String);

impl Password {
    /// Whether this can be a new password: its length, and how soon it would be guessed by somebody who knows the
    /// person's name, address and company. Nothing about what it is made of.
    pub fn acceptable(&self, known: &[&str]) -> Result<(), PasswordError> {
        match self.0.chars().count() {
            0..12 => return Err(PasswordError::TooShort),
            12..=128 => {}
            _ => return Err(PasswordError::TooLong),
        }
        let known: Vec<&str> =
            known.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).chain([*text])).collect();
        let entropy = zxcvbn::zxcvbn(&self.0, &known);
        if entropy.score() >= zxcvbn::Score::Three {
            return Ok(());
        }
        let why = entropy.feedback().and_then(zxcvbn::feedback::Feedback::warning);
        let why = why.map_or_else(
            || "add another word or two".to_owned(),
            |why| why.to_string().trim_end_matches('.').to_owned(),
        );
        Err(PasswordError::Guessable(why))
    }
}

/// Makes the hash that nobody's password is held against, so that the first of those does not wait for it.
pub fn prepare() {
    LazyLock::force(&NOBODYS);
}

/// Hashes a new password; takes some 20 ms of a whole CPU.
pub fn hash(password: &Password) -> Result<String, HashError> {
    debug!("a hash is made");
    let hashed = ARGON2.hash_password(password.0.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| HashError(error.to_string()))
}

/// Whether a hash was made with less work than is asked for today: it is made anew at the next sign-in.
pub fn outdated(stored: &str) -> bool {
    let params = PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|params| params.m_cost() < ARGON2.params().m_cost() || params.t_cost() < ARGON2.params().t_cost())
}

/// Whether the password is the one that was hashed. Without a hash it is not, after the same work.
#[must_use]
pub fn matches(password: &Password, stored: Option<&str>) -> bool {
    let Some(against) = stored.or(NOBODYS.as_deref()) else { return false };
    // A longer text than can be a password is not worth a hash, whoever sends it.
    let tried = if password.0.len() <= 4 * 128 { password.0.as_bytes() } else { b"" };
    debug!("a hash is verified");
    let verified = PasswordHash::new(against).is_ok_and(|hash| ARGON2.verify_password(tried, &hash).is_ok());
    verified && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_matches() {
        let right = Password("correct horse battery".to_owned());
        let stored = hash(&right).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(matches(&right, Some(&stored)));
        assert!(!matches(&Password("correct horse".to_owned()), Some(&stored)));
        assert!(!matches(&Password(String::new()), None), "nobody has no password, not an empty one");
    }

    #[test]
    fn a_password_has_a_length_and_no_other_rule() {
        let acceptable = |text: &str| Password(text.to_owned()).acceptable(&["Ann Lindqvist", "ann@harbour.example"]);
        assert_eq!(acceptable("short"), Err(PasswordError::TooShort));
        assert_eq!(acceptable(&"x".repeat(129)), Err(PasswordError::TooLong));
        assert_eq!(acceptable("пароль из слов"), Ok(()));
        for guessed in ["password1234", "aaaaaaaaaaaa", "annlindqvist", "123456789012", "qwertyuiop12"] {
            assert!(matches!(acceptable(guessed), Err(PasswordError::Guessable(_))), "{guessed}");
        }
    }

    #[test]
    fn a_hash_of_less_work_is_outdated() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1024, 1, 1, None).unwrap());
        let weak = weak.hash_password(b"correct horse battery").unwrap().to_string();
        assert!(outdated(&weak));
        assert!(!outdated(&hash(&Password("correct horse battery".to_owned())).unwrap()));
    }
}
