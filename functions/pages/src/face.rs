//! How the operator shows itself to whoever comes: what the pages know of the settings, and all that they may know.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatehouse::aws::Env;
use gatehouse::clock::{Clock, Timestamp};
use gatehouse::domain::LogoType;
use gatehouse::store::{Store, StoreError};
use serde::Serialize;

/// For how long the settings are taken to be as they were read.
const KEPT_SECONDS: i64 = 60;
/// The most that a logo may have, as base64, to be in the page itself: one request less, while the page stays small.
const MOST_INLINE: usize = 8 * 1024;

/// The public face of the operator, as each page has it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Face {
    pub(crate) operator: String,
    /// An address of the logo: its own bytes, where they are few.
    pub(crate) logo: Option<String>,
    pub(crate) languages: Vec<String>,
    pub(crate) support_email: Option<String>,
    #[serde(skip)]
    pub(crate) picture: Option<Picture>,
}

/// The logo, as `/logo` answers it.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Reads the settings now and then.
pub(crate) struct Faces {
    store: Store,
    clock: Clock,
    operator: String,
    kept: RwLock<Option<(Timestamp, Arc<Face>)>>,
}

impl Faces {
    pub(crate) fn new(env: &Env) -> Self {
        Self {
            store: Store::new(env),
            clock: env.clock.clone(),
            operator: env.operator.clone(),
            kept: RwLock::default(),
        }
    }

    /// The face of this minute.
    pub(crate) async fn now(&self) -> Result<Arc<Face>, StoreError> {
        let now = self.clock.now();
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, face)) = kept.filter(|(at, _)| (0..KEPT_SECONDS).contains(&now.duration_since(*at).as_secs())) {
            return Ok(face);
        }
        let face = Arc::new(self.read().await?);
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&face)));
        Ok(face)
    }

    async fn read(&self) -> Result<Face, StoreError> {
        let settings = self.store.settings().await?;
        let logo = match &settings.logo {
            Some(_) => self.store.logo().await?,
            None => None,
        };
        let content_type = logo.as_ref().map(|logo| match logo.content_type {
            LogoType::Png => "image/png",
            LogoType::Svg => "image/svg+xml",
        });
        let inline = logo.as_ref().zip(content_type).filter(|(logo, _)| logo.data.len() <= MOST_INLINE);
        let inline = inline.map(|(logo, content_type)| format!("data:{content_type};base64,{}", logo.data));
        let bytes = logo.and_then(|logo| STANDARD.decode(logo.data).ok());
        let picture = bytes.zip(content_type).map(|(bytes, content_type)| Picture { content_type, bytes });
        let address = picture.as_ref().map(|picture| format!("/logo?{}", tag(&picture.bytes)));
        Ok(Face {
            operator: settings.operator_name.map_or_else(|| self.operator.clone(), |set| set.to_string()),
            logo: inline.or(address),
            languages: settings.languages.iter().map(ToString::to_string).collect(),
            support_email: settings.support_email.map(|email| email.to_string()),
            picture,
        })
    }
}

/// What makes bytes these and no others, short enough for an address and an `ETag`.
pub(crate) fn tag(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&ring::digest::digest(&ring::digest::SHA256, bytes).as_ref()[..12])
}
