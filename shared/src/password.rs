//! Passwords: hashed with Argon2id, never kept, never mailed.
//!
//! One password is other bytes on other machines (é as one character or as two). It is hashed in one form: NFC, with every
//! space as U+0020 (NIST SP 800-63B-4, 3.1.1.2; RFC 8265, `OpaqueString`).

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use serde::Deserialize;
use tokio::sync::Semaphore;
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

crate::schema::of_text!(Password, "A password as it was typed; a new one has 12 to 128 characters.", { "format": "password" });

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
    /// The one form that is hashed.
    fn prepared(&self) -> Cow<'_, str> {
        if self.0.is_ascii() {
            return Cow::Borrowed(&self.0);
        }
        let categories = CodePointMapData::<GeneralCategory>::new();
        let space = |c: char| categories.get(c) == GeneralCategory::SpaceSeparator;
        let spaces: String = self.0.chars().map(|c| if space(c) { ' ' } else { c }).collect();
        ComposingNormalizerBorrowed::new_nfc().normalize(&spaces).into_owned().into()
    }

    /// Whether this can be a new password: its length, and how soon it would be guessed by somebody who knows the
    /// person's name, address and company. Nothing about what it is made of.
    pub fn acceptable(&self, known: &[&str]) -> Result<(), PasswordError> {
        let prepared = self.prepared();
        match prepared.chars().count() {
            0..12 => return Err(PasswordError::TooShort),
            12..=128 => {}
            _ => return Err(PasswordError::TooLong),
        }
        let known: Vec<&str> =
            known.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).chain([*text])).collect();
        let entropy = zxcvbn::zxcvbn(&prepared, &known);
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

/// As many hashes at a time as there are cores: more would slow each other and whatever else there is to do, and hold
/// 19 MiB each.
static HASHING: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, NonZeroUsize::get)));

/// Hashes or verifies beside the runtime, when it is this one's turn.
pub async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
    let turn = HASHING.acquire().await.map_err(|closed| HashError(closed.to_string()))?;
    // The turn lasts as long as the work, even if nobody waits for it any more.
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    done.await.map_err(|error| HashError(error.to_string()))
}

/// Hashes a new password; takes some 20 ms of a whole CPU.
pub fn hash(password: &Password) -> Result<String, HashError> {
    debug!("a hash is made");
    let hashed = ARGON2.hash_password(password.prepared().as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| HashError(error.to_string()))
}

/// What a password is, held against a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Another one, or there is no hash.
    Wrong,
    /// The one that was hashed.
    Right,
    /// The one that was hashed, with less work or in another form than today: to be hashed anew.
    Outdated,
}

/// Whether a hash was made with less work than is asked for today.
fn outdated(stored: &str) -> bool {
    let params = PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|params| params.m_cost() < ARGON2.params().m_cost() || params.t_cost() < ARGON2.params().t_cost())
}

/// Holds a password against a hash. Without a hash it is wrong, after the same work. A text that has another form than it
/// is hashed in is tried as it came, too, for hashes from before; both are tried whatever the first comes to.
#[must_use]
pub fn verify(password: &Password, stored: Option<&str>) -> Verified {
    let Some(against) = stored.or(NOBODYS.as_deref()) else { return Verified::Wrong };
    let is = |tried: &str| {
        // A longer text than can be a password is not worth a hash, whoever sends it.
        let tried = if tried.len() <= 4 * 128 { tried.as_bytes() } else { b"" };
        debug!("a hash is verified");
        PasswordHash::new(against).is_ok_and(|hash| ARGON2.verify_password(tried, &hash).is_ok())
    };
    let prepared = password.prepared();
    let right = is(&prepared);
    let as_it_came = *prepared != password.0 && is(&password.0);
    match stored {
        Some(stored) if right && !outdated(stored) => Verified::Right,
        Some(_) if right || as_it_came => Verified::Outdated,
        _ => Verified::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_burst_is_hashed_as_many_at_a_time_as_there_are_cores() {
        static AT_WORK: AtomicUsize = AtomicUsize::new(0);
        let cores = std::thread::available_parallelism().unwrap().get();
        let work = || {
            let at_work = AT_WORK.fetch_add(1, Ordering::SeqCst) + 1;
            std::thread::sleep(std::time::Duration::from_millis(5));
            AT_WORK.fetch_sub(1, Ordering::SeqCst);
            at_work
        };
        let burst = futures_util::future::try_join_all((0..8 * cores).map(|_| in_turn(work))).await.unwrap();
        assert!(burst.iter().all(|at_work| *at_work <= cores), "{burst:?}");
    }

    #[test]
    fn only_the_right_password_matches() {
        let right = Password("correct horse battery".to_owned());
        let stored = hash(&right).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(verify(&right, Some(&stored)), Verified::Right);
        assert_eq!(verify(&Password("correct horse".to_owned()), Some(&stored)), Verified::Wrong);
        assert_eq!(verify(&Password(String::new()), None), Verified::Wrong, "nobody has no password, not an empty one");
    }

    #[test]
    fn one_password_is_right_in_whichever_form_a_machine_writes_it() {
        let forms = [
            ["caf\u{e9} et cr\u{e8}me", "cafe\u{301} et cre\u{300}me"],
            [
                "\u{d55c}\u{ae00} \u{be44}\u{bc00}",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af} \u{1107}\u{1175}\u{1106}\u{1175}\u{11af}",
            ],
            ["\u{c5}ngstr\u{f6}m", "\u{212b}ngstro\u{308}m"],
            ["two words \u{fc}", "two\u{a0}words\u{2003}\u{fc}"],
        ];
        for forms in forms.map(|forms| forms.map(|form| Password(form.to_owned()))) {
            for (set, typed) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
                let stored = hash(&forms[set]).unwrap();
                assert_eq!(verify(&forms[typed], Some(&stored)), Verified::Right, "{set} {typed}");
            }
        }
        let stored = hash(&Password("Stra\u{df}e".to_owned())).unwrap();
        assert_eq!(verify(&Password("Strasse".to_owned()), Some(&stored)), Verified::Wrong, "a form, not a folding");
    }

    #[test]
    fn a_hash_of_what_was_typed_in_another_form_still_counts_and_is_made_anew() {
        let typed = Password("cafe\u{301} et cre\u{300}me".to_owned());
        let before = ARGON2.hash_password(typed.0.as_bytes()).unwrap().to_string();
        assert_eq!(verify(&typed, Some(&before)), Verified::Outdated);
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
