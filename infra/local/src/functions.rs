//! The functions of template.yaml, connected: the one place of the local stack that names each.

use std::collections::HashMap;

use anyhow::{Context as _, Result, anyhow};
use gatehouse::aws::Env;
use gatehouse::event::{StartError, Trigger, trigger};
use gatehouse::http::{Endpoint, endpoint};
use gatehouse_template::{Function, Template};
use serde_json::{Value, json};

pub(crate) struct Functions {
    pub(crate) endpoints: HashMap<&'static str, Endpoint>,
    pub(crate) triggers: HashMap<&'static str, Trigger>,
    /// Who is given what of what went well, where nobody waited for it.
    pub(crate) destinations: HashMap<String, String>,
}

impl Functions {
    /// Hands an event to a function as Lambda would.
    pub(crate) async fn invoke(&self, function: &str, event: Value) -> Result<Value> {
        if let Some(trigger) = self.triggers.get(function) {
            return trigger(event).await.map_err(|error| anyhow!("{function}: {error}"));
        }
        let endpoint = self.endpoints.get(function).with_context(|| format!("there is no function {function}"))?;
        let (parts, body) = endpoint(lambda_http::request::from_str(&event.to_string())?).await.into_parts();
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(json!({ "statusCode": parts.status.as_u16(), "body": body }))
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Functions")
    }
}

/// Each with its own environment.
pub(crate) async fn connect(env: impl Fn(&str) -> Env, template: &Template) -> Result<Functions> {
    let failed = |error: StartError| anyhow!("a function cannot start: {error}");
    let endpoints = HashMap::from([
        ("activity", endpoint::<activity::Activity>(&env("activity")).await.map_err(failed)?),
        ("activate", endpoint::<activate::Activate>(&env("activate")).await.map_err(failed)?),
        ("contacts", endpoint::<contacts::Contacts>(&env("contacts")).await.map_err(failed)?),
        ("invite", endpoint::<invite::Invite>(&env("invite")).await.map_err(failed)?),
        ("list-shares", endpoint::<list_shares::ListShares>(&env("list-shares")).await.map_err(failed)?),
        ("map", endpoint::<map::Map>(&env("map")).await.map_err(failed)?),
        ("no-route", endpoint::<no_route::NoRoute>(&env("no-route")).await.map_err(failed)?),
        ("openapi", endpoint::<openapi::OpenApi>(&env("openapi")).await.map_err(failed)?),
        ("open-link", endpoint::<open_link::OpenLink>(&env("open-link")).await.map_err(failed)?),
        ("pages", endpoint::<pages::Pages>(&env("pages")).await.map_err(failed)?),
        ("preview-mail", endpoint::<preview_mail::PreviewMail>(&env("preview-mail")).await.map_err(failed)?),
        (
            "presign-download",
            endpoint::<presign_download::PresignDownload>(&env("presign-download")).await.map_err(failed)?,
        ),
        ("presign-upload", endpoint::<presign_upload::PresignUpload>(&env("presign-upload")).await.map_err(failed)?),
        ("records", endpoint::<records::Records>(&env("records")).await.map_err(failed)?),
        ("register", endpoint::<register::Register>(&env("register")).await.map_err(failed)?),
        ("report-problem", endpoint::<report_problem::ReportProblem>(&env("report-problem")).await.map_err(failed)?),
        ("session", endpoint::<session::Session>(&env("session")).await.map_err(failed)?),
        ("settings", endpoint::<settings::Settings>(&env("settings")).await.map_err(failed)?),
        ("share", endpoint::<share::Share>(&env("share")).await.map_err(failed)?),
        ("staff", endpoint::<staff::Staff>(&env("staff")).await.map_err(failed)?),
    ]);
    let triggers = HashMap::from([
        ("deliver-mail", trigger::<deliver_mail::DeliverMail>(&env("deliver-mail")).await.map_err(failed)?),
        ("run-tasks", trigger::<run_tasks::RunTasks>(&env("run-tasks")).await.map_err(failed)?),
        ("finish-upload", trigger::<finish_upload::FinishUpload>(&env("finish-upload")).await.map_err(failed)?),
        ("make-thumbnails", trigger::<make_thumbnails::MakeThumbnails>(&env("make-thumbnails")).await.map_err(failed)?),
        ("record-scan", trigger::<record_scan::RecordScan>(&env("record-scan")).await.map_err(failed)?),
        ("first-admin", trigger::<first_admin::FirstAdmin>(&env("first-admin")).await.map_err(failed)?),
        ("apply-retention", trigger::<apply_retention::ApplyRetention>(&env("apply-retention")).await.map_err(failed)?),
        ("note-bounce", trigger::<note_bounce::NoteBounce>(&env("note-bounce")).await.map_err(failed)?),
        ("send-digest", trigger::<send_digest::SendDigest>(&env("send-digest")).await.map_err(failed)?),
    ]);
    let destination = |function: &Function| Some((function.name.clone(), function.on_success.clone()?));
    let destinations = template.functions.iter().filter_map(destination).collect();
    Ok(Functions { endpoints, triggers, destinations })
}
