//! The functions of template.yaml, connected: the one place of the local stack that names each.

use std::collections::HashMap;

use anyhow::{Context as _, Result, anyhow};
use gatehouse::aws::Env;
use gatehouse::event::{StartError, Trigger, trigger};
use gatehouse::http::{Endpoint, endpoint};
use serde_json::{Value, json};

pub(crate) struct Functions {
    pub(crate) endpoints: HashMap<&'static str, Endpoint>,
    pub(crate) deliver_mail: Trigger,
    pub(crate) first_admin: Trigger,
}

impl Functions {
    /// Hands an event to a function as Lambda would.
    pub(crate) async fn invoke(&self, function: &str, event: Value) -> Result<Value> {
        let trigger = match function {
            "deliver-mail" => &self.deliver_mail,
            "first-admin" => &self.first_admin,
            _ => {
                let endpoint =
                    self.endpoints.get(function).with_context(|| format!("there is no function {function}"))?;
                let (parts, body) = endpoint(lambda_http::request::from_str(&event.to_string())?).await.into_parts();
                let body = String::from_utf8_lossy(&body).into_owned();
                return Ok(json!({ "statusCode": parts.status.as_u16(), "body": body }));
            }
        };
        trigger(event).await.map_err(|error| anyhow!("{function}: {error}"))
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Functions")
    }
}

pub(crate) async fn connect(env: &Env) -> Result<Functions> {
    let failed = |error: StartError| anyhow!("a function cannot start: {error}");
    let endpoints = HashMap::from([
        ("activity", endpoint::<activity::Activity>(env).await.map_err(failed)?),
        ("activate", endpoint::<activate::Activate>(env).await.map_err(failed)?),
        ("contacts", endpoint::<contacts::Contacts>(env).await.map_err(failed)?),
        ("invite", endpoint::<invite::Invite>(env).await.map_err(failed)?),
        ("list-shares", endpoint::<list_shares::ListShares>(env).await.map_err(failed)?),
        ("map", endpoint::<map::Map>(env).await.map_err(failed)?),
        ("no-route", endpoint::<no_route::NoRoute>(env).await.map_err(failed)?),
        ("presign-download", endpoint::<presign_download::PresignDownload>(env).await.map_err(failed)?),
        ("register", endpoint::<register::Register>(env).await.map_err(failed)?),
        ("session", endpoint::<session::Session>(env).await.map_err(failed)?),
        ("staff", endpoint::<staff::Staff>(env).await.map_err(failed)?),
        ("share", endpoint::<share::Share>(env).await.map_err(failed)?),
    ]);
    Ok(Functions {
        endpoints,
        deliver_mail: trigger::<deliver_mail::DeliverMail>(env).await.map_err(failed)?,
        first_admin: trigger::<first_admin::FirstAdmin>(env).await.map_err(failed)?,
    })
}
