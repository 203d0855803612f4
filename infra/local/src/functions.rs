//! The functions of template.yaml, connected: the one place of the local stack that names each.

use std::collections::HashMap;

use anyhow::{Result, anyhow};
use gatehouse::aws::Env;
use gatehouse::event::{StartError, Trigger, trigger};
use gatehouse::http::{Endpoint, endpoint};

pub(crate) struct Functions {
    pub(crate) endpoints: HashMap<&'static str, Endpoint>,
    pub(crate) deliver_mail: Trigger,
    pub(crate) first_admin: Trigger,
}

pub(crate) async fn connect(env: &Env) -> Result<Functions> {
    let failed = |error: StartError| anyhow!("a function cannot start: {error}");
    let endpoints = HashMap::from([
        ("activate", endpoint::<activate::Activate>(env).await.map_err(failed)?),
        ("contacts", endpoint::<contacts::Contacts>(env).await.map_err(failed)?),
        ("invite", endpoint::<invite::Invite>(env).await.map_err(failed)?),
        ("list-shares", endpoint::<list_shares::ListShares>(env).await.map_err(failed)?),
        ("no-route", endpoint::<no_route::NoRoute>(env).await.map_err(failed)?),
        ("presign-download", endpoint::<presign_download::PresignDownload>(env).await.map_err(failed)?),
        ("session", endpoint::<session::Session>(env).await.map_err(failed)?),
        ("share", endpoint::<share::Share>(env).await.map_err(failed)?),
    ]);
    Ok(Functions {
        endpoints,
        deliver_mail: trigger::<deliver_mail::DeliverMail>(env).await.map_err(failed)?,
        first_admin: trigger::<first_admin::FirstAdmin>(env).await.map_err(failed)?,
    })
}
