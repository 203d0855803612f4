//! What the functions of Gatehouse share: the domain's rules, the store, sessions, files and the HTTP glue.
//!
//! The domain knows neither HTTP nor AWS. `docs/ARCHITECTURE.md` follows a request through all of it.

pub mod aws;
pub mod clock;
pub mod domain;
pub mod event;
#[cfg(feature = "files")]
pub mod files;
pub mod http;
mod logs;
#[cfg(feature = "mails")]
pub mod mails;
#[cfg(feature = "passwords")]
pub mod password;
mod schema;
pub mod session;
pub mod store;

use ring::rand::{SecureRandom as _, SystemRandom};

/// Waits a random while, longer each time it was tried, so that those who met do not meet again.
pub async fn back_off(first_ms: u64, tried: u32) {
    let most_ms = first_ms << tried.min(7);
    let ms = u64::from_be_bytes(random()) % most_ms;
    tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
}

/// Random bytes from the system.
///
/// # Panics
/// If the system has no random source: nothing safe can be done then.
#[must_use]
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    assert!(filled.is_ok(), "the system has no random source");
    bytes
}
