//! The published keys: one item of the table, read when a function starts, which also opens its connection.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::seal::{CountKeys, SealKeys};
use super::{Claims, SESSION_LIFETIME, SessionError, Signer, verify};
use crate::clock::{Clock, SignedDuration, Timestamp};
use crate::store::keys::{self, Key};
use crate::store::{CommitError, Record, Store, StoreError};

/// A stranger can name any `kid`; more often than this, an unknown one is not looked for.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// The key that seals, and the one before it.
const SEAL_KEYS: usize = 2;

/// What is published. Secrets are in base64url.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Published {
    /// Public keys by their thumbprint.
    session_keys: BTreeMap<String, PublishedKey>,
    /// What cursors and unsubscribe links are sealed with, newest first: that one seals, all open.
    seal_keys: Vec<String>,
    /// What networks, devices and accounts are hashed with. It stays: with another one every wait would be lifted, and
    /// every device be new.
    count_key: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PublishedKey {
    /// The public key (RFC 8037).
    x: String,
    /// When the last session that it signed has ended, once a newer key signs.
    until: Option<Timestamp>,
}

impl Record for Published {
    fn key(&self) -> Key {
        keys::keyring()
    }
}

#[derive(Debug, Default)]
struct Known {
    published: Published,
    seal_keys: Arc<SealKeys>,
    /// Derived once: each request needs it, for its log line at the least.
    count_keys: Option<Arc<CountKeys>>,
    read_at: Option<Timestamp>,
}

/// The published keys as this function knows them.
#[derive(Debug, Clone)]
pub struct Keyring {
    store: Store,
    clock: Clock,
    known: Arc<RwLock<Known>>,
}

impl Keyring {
    /// Reads what is published.
    pub async fn open(store: Store, clock: Clock) -> Result<Self, StoreError> {
        let keyring = Self { store, clock, known: Arc::default() };
        keyring.reload().await?;
        Ok(keyring)
    }

    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The session that a token speaks for. A key published since the last look is found.
    pub async fn session(&self, token: &str) -> Result<Result<Claims, SessionError>, StoreError> {
        match self.verify(token) {
            Err(SessionError::UnknownKey) if self.may_look_again() => {
                self.reload().await?;
                Ok(self.verify(token))
            }
            known => Ok(known),
        }
    }

    /// The keys that cursors and links without a stored token are sealed with.
    pub(crate) async fn seal_keys(&self) -> Result<Arc<SealKeys>, StoreError> {
        if self.known().seal_keys.is_empty() {
            self.reload().await?;
        }
        Ok(Arc::clone(&self.known().seal_keys))
    }

    /// The keys that open what was sealed here. A key published since the last look is found.
    pub(crate) async fn seal_keys_for(&self, sealed: &str) -> Result<Arc<SealKeys>, StoreError> {
        let keys = self.seal_keys().await?;
        if keys.know(sealed) || !self.may_look_again() {
            return Ok(keys);
        }
        self.reload().await?;
        Ok(Arc::clone(&self.known().seal_keys))
    }

    /// The keys of the hashes under which networks, devices and accounts are counted and logged.
    pub(crate) async fn count_keys(&self) -> Result<Arc<CountKeys>, StoreError> {
        if let Some(keys) = self.known().count_keys.clone() {
            return Ok(keys);
        }
        self.reload().await?;
        Ok(self.known().count_keys.clone().unwrap_or_else(|| Arc::new(CountKeys::new(&[]))))
    }

    /// Publishes the signer's key, if it is not published; keys that it replaces last as long as their sessions. With a
    /// new session key comes a new key of seals.
    pub async fn publish(&self, signer: &Signer) -> Result<(), CommitError> {
        loop {
            let now = self.clock.now();
            let stored = self.store.read::<Published>(keys::keyring()).await?;
            let mut published = stored.as_ref().map(|stored| stored.record.clone()).unwrap_or_default();
            let is_new = !published.session_keys.contains_key(&signer.kid);
            published.session_keys.retain(|_, key| key.until.is_none_or(|until| until > now));
            for (kid, key) in &mut published.session_keys {
                key.until = if *kid == signer.kid { None } else { key.until.or(Some(now + SESSION_LIFETIME)) };
            }
            let key = PublishedKey { x: signer.x.clone(), until: None };
            published.session_keys.entry(signer.kid.clone()).or_insert(key);
            if is_new || published.seal_keys.is_empty() {
                published.seal_keys.insert(0, new_secret());
                published.seal_keys.truncate(SEAL_KEYS);
            }
            if published.count_key.is_empty() {
                published.count_key = new_secret();
            }
            let unchanged = stored.as_ref().is_some_and(|stored| stored.record == published);
            let written = match &stored {
                _ if unchanged => Ok(()),
                Some(stored) => self.store.transaction().save(stored.rev, &published).commit().await,
                None => self.store.transaction().create(&published).commit().await,
            };
            match written {
                // Another signer published in between: look again.
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.know(published);
                    return Ok(());
                }
            }
        }
    }

    fn verify(&self, token: &str) -> Result<Claims, SessionError> {
        let public_key = |kid: &str| self.known().published.session_keys.get(kid).map(|key| key.x.clone());
        verify(token, public_key, self.clock.now())
    }

    fn may_look_again(&self) -> bool {
        self.known().read_at.is_none_or(|at| at + LOOK_AGAIN <= self.clock.now())
    }

    async fn reload(&self) -> Result<(), StoreError> {
        let stored = self.store.read::<Published>(keys::keyring()).await?;
        self.know(stored.map(|stored| stored.record).unwrap_or_default());
        Ok(())
    }

    fn know(&self, published: Published) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let secret = |text: &String| URL_SAFE_NO_PAD.decode(text).ok().filter(|secret| !secret.is_empty());
        let seal_keys = Arc::new(published.seal_keys.iter().filter_map(secret).collect());
        let count_keys = secret(&published.count_key).map(|key| Arc::new(CountKeys::new(&key)));
        let read_at = (!published.session_keys.is_empty()).then(|| self.clock.now());
        *known = Known { published, seal_keys, count_keys, read_at };
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_secret() -> String {
    URL_SAFE_NO_PAD.encode(crate::random::<32>())
}
