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

/// How much of a sealed text names its key.
const ID_LEN: usize = 4;

/// The secret of one purpose: what is derived from it is of no use for another.
fn secret_for(purpose: &[u8], secret: &[u8]) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, purpose).extract(secret)
}

fn hmac_key(secret: &hkdf::Prk, label: &[u8]) -> hmac::Key {
    // HKDF fails only for keys that are longer than 255 hashes.
    let key = secret.expand(&[label], hmac::HMAC_SHA256).map(hmac::Key::from);
    key.unwrap_or_else(|_| hmac::Key::new(hmac::HMAC_SHA256, &[]))
}

/// The keys of hashes: those under which is counted, and those that stand in the log.
#[derive(Debug)]
pub(crate) struct CountKeys {
    counts: hmac::Key,
    logs: hmac::Key,
}

impl CountKeys {
    /// From a secret of any length.
    pub(crate) fn new(secret: &[u8]) -> Self {
        let secret = secret_for(b"gatehouse counts", secret);
        Self { counts: hmac_key(&secret, b"counts"), logs: hmac_key(&secret, b"logs") }
    }

    /// For hashes of what is counted.
    pub(crate) fn of_counts(&self) -> hmac::Key {
        self.counts.clone()
    }
}

/// What seals are made and opened with, derived from one secret, as its id is.
#[derive(Debug)]
struct SealKey {
    id: [u8; ID_LEN],
    nonces: hmac::Key,
    cipher: Option<LessSafeKey>,
}

impl SealKey {
    fn new(secret: &[u8]) -> Self {
        let secret = secret_for(b"gatehouse seals", secret);
        let cipher = secret.expand(&[b"cipher"], &AES_256_GCM).ok().map(|key| LessSafeKey::new(UnboundKey::from(key)));
        let mut name = [0; 32];
        // HKDF gives as much as a hash has.
        let _ = secret.expand(&[b"id"], hkdf::HKDF_SHA256).map(|id| id.fill(&mut name));
        let mut id = [0; ID_LEN];
        id.copy_from_slice(&name[..ID_LEN]);
        Self { id, nonces: hmac_key(&secret, b"nonces"), cipher }
    }
}

/// The keys of seals, newest first: that one seals, and each opens what names it.
#[derive(Debug, Default)]
pub(crate) struct SealKeys(Vec<SealKey>);

impl FromIterator<Vec<u8>> for SealKeys {
    /// From secrets of any length, newest first.
    fn from_iter<T: IntoIterator<Item = Vec<u8>>>(secrets: T) -> Self {
        Self(secrets.into_iter().map(|secret| SealKey::new(&secret)).collect())
    }
}

impl SealKeys {
    /// Whether there is none yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a text names one of them.
    pub(crate) fn know(&self, sealed: &str) -> bool {
        URL_SAFE_NO_PAD.decode(sealed).is_ok_and(|bytes| self.named(&bytes).is_some())
    }

    /// The key that sealed bytes name, and what comes after its name.
    fn named<'a>(&self, bytes: &'a [u8]) -> Option<(&SealKey, &'a [u8])> {
        let (id, rest) = bytes.split_at_checked(ID_LEN)?;
        Some((self.0.iter().find(|key| key.id == id)?, rest))
    }

    /// The content with its seal, fit for a URL; what was sealed for one purpose opens for no other.
    pub(crate) fn seal(&self, purpose: &str, content: &[u8]) -> String {
        // Before there is a key, nobody has an account, or a mail that could be turned off.
        let Some(key) = self.0.first() else { return String::new() };
        let tag = hmac::sign(&key.nonces, &[purpose.as_bytes(), b"\0\0", content].concat());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&tag.as_ref()[..NONCE_LEN]);
        let mut sealed = content.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        let cipher = key.cipher.as_ref();
        match cipher.map(|key| key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)) {
            Some(Ok(())) => URL_SAFE_NO_PAD.encode([key.id.as_slice(), &nonce, &sealed].concat()),
            // Only contents of 64 GB cannot be sealed.
            _ => String::new(),
        }
    }

    /// The content, if the seal is whole.
    pub(crate) fn open(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (key, rest) = self.named(&bytes)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = key.cipher.as_ref()?.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut sealed).ok()?;
        Some(opened.to_vec())
    }
}

impl Keyring {
    /// A short hash of what is not to stand in a log: the same all day (UTC), another the next, and without the key nothing.
    pub async fn hash_of_the_day(&self, kind: &str, text: &str) -> Result<String, StoreError> {
        let today = self.now().to_string();
        let today = today.get(..10).unwrap_or_default();
        let keys = self.count_keys().await?;
        let tag = hmac::sign(&keys.logs, [kind, today, text].join("\0").as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(&tag.as_ref()[..9]))
    }

    /// Seals a text for a purpose.
    pub async fn seal(&self, purpose: &str, text: &str) -> Result<String, StoreError> {
        Ok(self.seal_keys().await?.seal(purpose, text.as_bytes()))
    }

    /// What was sealed here for that purpose.
    pub async fn unseal(&self, purpose: &str, sealed: &str) -> Result<Option<String>, StoreError> {
        let content = self.seal_keys_for(sealed).await?.open(purpose, sealed);
        Ok(content.and_then(|content| String::from_utf8(content).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secrets: &[&[u8]]) -> SealKeys {
        secrets.iter().map(|secret| secret.to_vec()).collect()
    }

    #[test]
    fn the_newest_key_seals_and_each_opens_what_names_it() {
        let (before, after) = (keys(&[b"one"]), keys(&[b"two", b"one"]));
        let sealed = before.seal("list", b"place");
        assert_eq!(after.open("list", &sealed).as_deref(), Some(b"place".as_slice()));
        assert_eq!(after.open("other list", &sealed), None);

        let sealed_after = after.seal("list", b"place");
        assert_ne!(sealed_after, sealed);
        assert!(after.know(&sealed) && after.know(&sealed_after) && !before.know(&sealed_after));
        assert_eq!(before.open("list", &sealed_after), None);
        assert_eq!(keys(&[b"three", b"two"]).open("list", &sealed), None);
    }

    #[test]
    fn a_seal_that_names_another_key_does_not_open() {
        let both = keys(&[b"two", b"one"]);
        let by = |secret: &[u8]| URL_SAFE_NO_PAD.decode(keys(&[secret]).seal("list", b"place")).unwrap();
        let (one, two) = (by(b"one"), by(b"two"));
        let named_otherwise = URL_SAFE_NO_PAD.encode([&two[..ID_LEN], &one[ID_LEN..]].concat());
        assert!(both.know(&named_otherwise));
        assert_eq!(both.open("list", &named_otherwise), None);
        for nonsense in ["", "AAAA", "AAAAAAAA"] {
            assert_eq!((both.know(nonsense), both.open("list", nonsense)), (false, None));
        }
        assert_eq!(
            (SealKeys::default().seal("list", b"place"), SealKeys::default().open("list", "AAAA")),
            (String::new(), None)
        );
    }
}
