//! Keys for the operator's own systems.

use std::collections::BTreeSet;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, ApiKey, FieldChange, KEY_PREFIX, KeyId, PersonName, Right, Scope, Token,
};
use gatehouse::http::{ApiRequest, ApiResponse, Effect, List, Operator, Problem, json, no_content};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{Staff, words};

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "NewApiKey")]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    name: PersonName,
    scopes: BTreeSet<Scope>,
    expires_at: Option<Timestamp>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ApiKey")]
pub(crate) struct KeyView {
    id: KeyId,
    name: PersonName,
    scopes: BTreeSet<Scope>,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    created_at: Timestamp,
}

/// A key in the answer that makes it.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "MadeApiKey")]
pub(crate) struct MadeKey<'a> {
    #[serde(flatten)]
    view: &'a KeyView,
    /// The key itself, once and never again.
    key: Option<String>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        let ApiKey { id, name, scopes, expires_at, last_used_at, created_at, .. } = key;
        Self { id, name, scopes, expires_at, last_used_at, created_at }
    }
}

impl Staff {
    pub(crate) fn make_key(&self, admin: &Operator, new: &NewKey) -> Result<Effect<'_>, Problem> {
        let now = self.gate.now();
        if new.scopes.is_empty() {
            return Err(Problem::invalid_field("scopes", "must name at least one scope"));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Problem::invalid_field("expires_at", "must be in the future"));
        }
        let token = Token::random();
        let key = ApiKey {
            id: KeyId::new(now),
            name: new.name.clone(),
            scopes: new.scopes.clone(),
            hash: token.hash(),
            expires_at: new.expires_at,
            last_used_at: None,
            refused_at: None,
            revoked_at: None,
            created_at: now,
        };
        let scopes = FieldChange::between("scopes", String::new(), words(&key.scopes));
        let activity = Activity::new(ActivityKind::KeyCreated, admin.actor(), now).target(key.id).changed(scopes);
        let transaction = self.gate.store.transaction().create(&key).activity(&activity);
        let key = KeyView::from(key);
        let shown = MadeKey { view: &key, key: Some(format!("{KEY_PREFIX}{}", token.reveal())) };
        // The secret is nowhere but in its first answer: who asks again with the same idempotency key learns which key
        // was made, to revoke it.
        let effect = Effect::new(transaction, json(StatusCode::CREATED, &shown)?);
        effect.storing(&MadeKey { view: &key, key: None })
    }

    pub(crate) async fn list_keys(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let admin = self.gate.staff(request, Right::ManageKeys).await?;
        let list = List::of(&[&"api-keys", &admin.id]);
        let page = self.gate.page(&list, &request.query()?).await?;
        let page = self.gate.store.api_keys(page).await?;
        json(StatusCode::OK, &self.gate.list(&list, page, KeyView::from).await?)
    }

    pub(crate) async fn revoke_key(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let now = self.gate.now();
        let admin = self.gate.staff(request, Right::ManageKeys).await?;
        let stored = self.gate.store.api_key_of(request.id("id")?).await?.ok_or_else(Problem::not_found)?;
        let key = ApiKey { revoked_at: Some(now), ..stored.record.clone() };
        let activity = Activity::new(ActivityKind::KeyRevoked, admin.actor(), now).target(key.id);
        self.gate.store.transaction().save(stored.rev, &key).activity(&activity).commit().await?;
        Ok(no_content())
    }
}
