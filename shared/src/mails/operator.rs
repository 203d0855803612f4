//! How the operator shows itself in mails: by its settings, or else as it was deployed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::Env;
use crate::clock::TimeZone;
use crate::domain::Email;
use crate::store::{Store, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracing::warn;

/// The operator, as mails name it.
#[derive(Debug)]
pub struct Operator {
    /// Its name.
    pub name: String,
    /// Where the portal is, without a slash at the end.
    pub portal_url: String,
    /// Whom customers ask for help.
    pub support_email: Option<Email>,
    /// Where it is, for times.
    pub time_zone: TimeZone,
    /// Its logo, as a PNG.
    pub logo: Option<Arc<[u8]>>,
}

/// What the operator was called at deployment, and its logo, which is large and seldom another.
#[derive(Debug)]
pub struct OperatorDefaults {
    name: String,
    portal_url: String,
    logo: Mutex<Option<(String, Arc<[u8]>)>>,
}

impl OperatorDefaults {
    /// As it was deployed.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self { name: env.operator.clone(), portal_url: env.portal_url.clone(), logo: Mutex::default() }
    }

    /// The operator as it is now.
    pub async fn operator(&self, store: &Store) -> Result<Operator, StoreError> {
        let settings = store.settings().await?;
        let logo = match settings.logo {
            Some(hash) => self.logo(store, hash).await?,
            None => None,
        };
        Ok(Operator {
            name: settings.operator_name.map_or_else(|| self.name.clone(), |name| name.to_string()),
            portal_url: settings.portal_url.map_or_else(|| self.portal_url.clone(), |set| set.to_string()),
            support_email: settings.support_email,
            time_zone: settings.time_zone.map_or(TimeZone::UTC, |name| name.zone()),
            logo,
        })
    }

    /// The logo with that hash: kept from an earlier mail, or read. Without it, a mail shows the operator's name.
    async fn logo(&self, store: &Store, hash: String) -> Result<Option<Arc<[u8]>>, StoreError> {
        if let Some(kept) = self.kept(&hash) {
            return Ok(Some(kept));
        }
        let Some(logo) = store.logo().await? else { return Ok(None) };
        let Ok(png) = STANDARD.decode(logo.png) else {
            warn!("the logo is no base64");
            return Ok(None);
        };
        let png: Arc<[u8]> = png.into();
        *self.logo.lock().unwrap_or_else(PoisonError::into_inner) = Some((hash, Arc::clone(&png)));
        Ok(Some(png))
    }

    fn kept(&self, hash: &str) -> Option<Arc<[u8]>> {
        let logo = self.logo.lock().unwrap_or_else(PoisonError::into_inner);
        logo.as_ref().filter(|(of, _)| of == hash).map(|(_, png)| Arc::clone(png))
    }
}
