//! Seals: what is given out and comes back as it was, or not at all. Nobody reads it but us; nothing is stored.
//!
//! AES-256-GCM by `ring`. The nonce is the HMAC of what is sealed, as in SIV (RFC 5297): the same content has the same
//! seal, so an unchanged page keeps its tag, and no nonce serves two contents.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};

use super::Keyring;
use crate::store::StoreError;

/// What seals are made and opened with, and what is hashed: keys derived from one.
#[derive(Debug)]
pub(crate) struct SealKey {
    nonces: hmac::Key,
    counts: hmac::Key,
    logs: hmac::Key,
    cipher: Option<LessSafeKey>,
}

impl SealKey {
    /// From a secret of any length.
    pub(crate) fn new(secret: &[u8]) -> Self {
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"gatehouse seals").extract(secret);
        let cipher = secret.expand(&[b"cipher"], &AES_256_GCM).ok().map(|key| LessSafeKey::new(UnboundKey::from(key)));
        // HKDF fails only for keys that are longer than 255 hashes.
        let hmac = |label: &[u8]| {
            let key = secret.expand(&[label], hmac::HMAC_SHA256).map(hmac::Key::from);
            key.unwrap_or_else(|_| hmac::Key::new(hmac::HMAC_SHA256, &[]))
        };
        Self { nonces: hmac(b"nonces"), counts: hmac(b"counts"), logs: hmac(b"logs"), cipher }
    }

    /// For hashes of what is counted.
    pub(crate) fn count_key(&self) -> hmac::Key {
        self.counts.clone()
    }

    /// The content with its seal, fit for a URL; what was sealed for one purpose opens for no other.
    pub(crate) fn seal(&self, purpose: &str, content: &[u8]) -> String {
        let tag = hmac::sign(&self.nonces, &[purpose.as_bytes(), b"\0\0", content].concat());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&tag.as_ref()[..NONCE_LEN]);
        let mut sealed = content.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let cipher = self.cipher.as_ref();
        match cipher.map(|key| key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)) {
            Some(Ok(())) => URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()),
            // Only contents of 64 GB cannot be sealed.
            _ => String::new(),
        }
    }

    /// The content, if the seal is whole.
    pub(crate) fn open(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = self.cipher.as_ref()?.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut sealed).ok()?;
        Some(opened.to_vec())
    }
}

impl Keyring {
    /// A short hash of what is not to stand in a log: the same all day (UTC), another the next, and without the key nothing.
    pub async fn hash_of_the_day(&self, kind: &str, text: &str) -> Result<String, StoreError> {
        let today = self.now().to_string();
        let today = today.get(..10).unwrap_or_default();
        let key = self.seal_key().await?;
        let tag = hmac::sign(&key.logs, [kind, today, text].join("\0").as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(&tag.as_ref()[..9]))
    }

    /// Seals a text for a purpose.
    pub async fn seal(&self, purpose: &str, text: &str) -> Result<String, StoreError> {
        Ok(self.seal_key().await?.seal(purpose, text.as_bytes()))
    }

    /// What was sealed here for that purpose.
    pub async fn unseal(&self, purpose: &str, sealed: &str) -> Result<Option<String>, StoreError> {
        let content = self.seal_key().await?.open(purpose, sealed);
        Ok(content.and_then(|content| String::from_utf8(content).ok()))
    }
}
