//! Seals: what is given out and comes back as it was, or not at all. Whoever has it can read it; nothing is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use super::Keyring;
use crate::store::StoreError;

/// The length of an HMAC-SHA256 in bytes.
const SEAL: usize = 32;

/// What is signed: with its purpose, so that what was sealed for one thing opens no other.
fn sealed(purpose: &str, content: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), b"\0\0", content].concat()
}

/// The content with its seal, fit for a URL.
pub(crate) fn seal(key: &hmac::Key, purpose: &str, content: &[u8]) -> String {
    let tag = hmac::sign(key, &sealed(purpose, content));
    URL_SAFE_NO_PAD.encode([tag.as_ref(), content].concat())
}

/// The content, if the seal is whole.
pub(crate) fn open(key: &hmac::Key, purpose: &str, text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (tag, content) = bytes.split_at_checked(SEAL)?;
    hmac::verify(key, &sealed(purpose, content), tag).ok()?;
    Some(content.to_vec())
}

impl Keyring {
    /// Seals a text for a purpose.
    pub async fn seal(&self, purpose: &str, text: &str) -> Result<String, StoreError> {
        Ok(seal(&self.cursor_key().await?, purpose, text.as_bytes()))
    }

    /// What was sealed here for that purpose.
    pub async fn unseal(&self, purpose: &str, sealed: &str) -> Result<Option<String>, StoreError> {
        let content = open(&self.cursor_key().await?, purpose, sealed);
        Ok(content.and_then(|content| String::from_utf8(content).ok()))
    }
}
