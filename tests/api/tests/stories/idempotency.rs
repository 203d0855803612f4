//! A script that got no answer sends its request again, with the same `Idempotency-Key`. It takes effect once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse::domain::ActorId;
use gatehouse::store::{KeyState, Store};
use gatehouse_template::{Route, Template};
use gatehouse_tests::{NOBODY, Portal, Reply, Who, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::events::{events, things};

async fn post(portal: &Portal, path: &str, who: &Who, key: &str, body: Option<&Value>) -> Reply {
    let request = portal.request(Method::POST, path).header("idempotency-key", key);
    let request = who.0.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    portal.send(body.into_iter().fold(request, reqwest::RequestBuilder::json)).await
}

/// The same request so many times at once: the answers that are not "in progress", and how many were.
pub(crate) async fn at_once(
    portal: &Arc<Portal>,
    many: usize,
    path: &str,
    who: &Who,
    key: &str,
    body: Option<&Value>,
) -> (Vec<Reply>, usize) {
    let sent = (0..many).map(|_| {
        let (portal, path, who) = (Arc::clone(portal), path.to_owned(), who.clone());
        let (key, body) = (key.to_owned(), body.cloned());
        tokio::spawn(async move { post(&portal, &path, &who, &key, body.as_ref()).await })
    });
    let (mut answers, mut waiting) = (Vec::new(), 0);
    for reply in sent.collect::<Vec<_>>() {
        let reply = reply.await.unwrap();
        if reply.status == StatusCode::CONFLICT {
            assert!(reply.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
            reply.expect_problem(409, "in_progress");
            waiting += 1;
        } else {
            answers.push(reply);
        }
    }
    (answers, waiting)
}

/// What an answer says without what is made anew: where bytes go, a key's secret, a link to pass on.
fn lasting(body: &Value) -> Value {
    match body {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "upload" | "key" | "url"));
            fields.map(|(name, value)| (name.clone(), lasting(value))).collect()
        }
        Value::Array(items) => items.iter().map(lasting).collect(),
        other => other.clone(),
    }
}

/// What there is of each kind.
async fn counts(portal: &Portal) -> BTreeMap<String, usize> {
    let table: Value = serde_json::from_str(&portal.everything_in_the_table().await).unwrap();
    let mut counts = BTreeMap::new();
    for item in table["Items"].as_array().unwrap() {
        let pk = text(&item["pk"]["S"]);
        let kind = pk.split(['_', '#']).next().unwrap().to_owned();
        // Each request with a key is remembered; mails come and go by themselves.
        if !matches!(kind.as_str(), "RESPONSE" | "OUTBOX" | "TOKEN" | "TASK" | "INBOX") {
            *counts.entry(kind).or_default() += 1;
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_post_of_the_template_honours_an_idempotency_key_or_refuses_it() {
    let portal = Arc::new(Portal::open().await);
    let things = things(&portal).await;
    let mut walked = BTreeMap::new();
    let (sending, others): (Vec<_>, Vec<_>) =
        events().into_iter().partition(|((function, name), _)| (function.as_str(), name.as_str()) == ("share", "send"));
    for ((function, name), event) in others.into_iter().chain(sending) {
        let event = things.iter().fold(event, |event, (name, thing)| event.replace(&format!("${{{name}}}"), thing));
        let event: Value = serde_json::from_str(&event).unwrap();
        let Some(route) = event["routeKey"].as_str().filter(|route| route.starts_with("POST ")) else { continue };
        let path = text(&event["rawPath"]);
        let token = event["headers"]["authorization"].as_str().map(|value| value.replace("Bearer ", ""));
        let who = Who(token.or_else(|| event["cookies"][0].as_str().map(|one| one.split_once('=').unwrap().1.into())));
        let body = event["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
        let key = format!("walk {function} {name}");

        if who.0.is_some() {
            let stranger = post(&portal, &path, &NOBODY, &key, body.as_ref()).await;
            stranger.expect_problem(401, "sign_in_required");
        }
        let (first, _) = at_once(&portal, 8, &path, &who, &key, body.as_ref()).await;
        let refused = |reply: &Reply| {
            reply.body["errors"][0]["field"] == "Idempotency-Key" && reply.status == StatusCode::UNPROCESSABLE_ENTITY
        };
        let before = counts(&portal).await;
        if refused(&first[0]) {
            assert!(first.iter().all(refused), "{route}: some were heard, some were not");
            assert_eq!(first.len(), 8);
            walked.insert(route.to_owned(), false);
            continue;
        }
        for reply in &first {
            assert!(reply.status.is_success(), "{route}: {:#}", reply.body);
            assert_eq!(lasting(&reply.body), lasting(&first[0].body), "{route}");
        }
        let again = post(&portal, &path, &who, &key, body.as_ref()).await;
        assert_eq!((again.status, lasting(&again.body)), (first[0].status, lasting(&first[0].body)), "{route}");
        assert_eq!(counts(&portal).await, before, "{route}: the replay changed something");
        // The same in other bytes is another request: nobody compares what they mean.
        let other = format!("{} ", body.unwrap_or_else(|| json!({})));
        let request = portal.request(Method::POST, &path).header("idempotency-key", &key);
        let request = request.bearer_auth(who.0.as_ref().unwrap()).header("content-type", "application/json");
        portal.send(request.body(other)).await.expect_problem(422, "idempotency_key_reused");
        walked.insert(route.to_owned(), true);
    }
    let routes: BTreeSet<String> = Template::of_workspace()
        .unwrap()
        .functions
        .into_iter()
        .flat_map(|function| function.routes)
        .filter_map(|route| match route {
            Route::Path { method, path } if method == "POST" => Some(format!("POST {path}")),
            _ => None,
        })
        .collect();
    assert_eq!(walked.keys().cloned().collect::<BTreeSet<_>>(), routes);
    // Whatever creates or sends for somebody who is signed in is honoured.
    for route in routes {
        let public = ["/activations", "/links/", "/password-resets", "/sessions", "/unsubscribe"];
        let public = public.iter().any(|part| route.contains(part)) || route == "POST /v1/registrations";
        let repeatable = ["/complete", "/download", "/downloads", "/preview", "/mail-preview", "/thumbnails"];
        let repeatable = repeatable.iter().any(|end| route.ends_with(end));
        assert_eq!(walked[&route], !public && !repeatable, "{route}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_at_once_with_one_key_have_one_effect() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let draft = portal.draft(&admin, "Report", &[&ann.id], &[("a.txt", "text/plain", b"a")]).await;
    let files = vec![json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" }); 3];
    for (path, body, kind, made) in [
        ("/v1/companies".to_owned(), json!({ "name": "Harbour" }), "com", 1),
        ("/v1/shares".to_owned(), json!({ "title": "Report", "files": files }), "shr", 5),
        (
            format!("/v1/shares/{draft}/files"),
            json!({ "name": "b.txt", "size": 1, "content_type": "text/plain" }),
            "shr",
            1,
        ),
        ("/v1/api-keys".to_owned(), json!({ "name": "ERP", "scopes": ["customers:read"] }), "KEY", 1),
    ] {
        let before = counts(&portal).await;
        let (answers, _) = at_once(&portal, 20, &path, &admin, &path, Some(&body)).await;
        assert!(!answers.is_empty() && answers.iter().all(|answer| answer.status == StatusCode::CREATED), "{path}");
        let after = counts(&portal).await;
        let count = |counts: &BTreeMap<String, usize>| counts.get(kind).copied().unwrap_or_default();
        assert_eq!(count(&after) - count(&before), made, "{path}");
        let shown = answers.iter().filter(|answer| answer.body["key"].is_string()).count();
        assert_eq!(shown, usize::from(kind == "KEY"), "{path}: a secret is shown once");
    }
    let path = format!("/v1/contacts/{}/invitation", portal.contact(&admin, &ann.company, "bo@harbour.example").await);
    let (answers, _) = at_once(&portal, 20, &path, &admin, "invite", None).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::ACCEPTED));
    portal.mails_when("bo@harbour.example", 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails("bo@harbour.example").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_first_request_is_at_work_the_second_waits_and_a_dead_one_is_outlived() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let id: ActorId = text(&portal.get("/v1/me", &admin).await.expect(200)["id"]).parse().unwrap();
    let body = json!({ "name": "Harbour" });
    // A function that took the lock of this key for this very request, and died.
    let sha256 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, bytes));
    let content = sha256(format!("POST /v1/companies?\n{body}").as_bytes());
    let store = Store::new(&portal.stack.env);
    let taken = store.lock_response(id, &sha256(b"died"), &content, portal.stack.clock.now()).await.unwrap();
    assert!(matches!(taken, KeyState::Acquired(_)));

    let create = async || post(&portal, "/v1/companies", &admin, "died", Some(&body)).await;
    let waits = create().await;
    assert!(waits.headers.contains_key("retry-after"));
    waits.expect_problem(409, "in_progress");
    let other = post(&portal, "/v1/companies", &admin, "died", Some(&json!({ "name": "Other" }))).await;
    other.expect_problem(422, "idempotency_key_reused");
    portal.pass(Duration::from_secs(61)).await;
    let made = create().await.expect(201);
    assert_eq!(create().await.expect(201), made);

    // The one that was thought dead comes back: what it would write is not written.
    let KeyState::Acquired(lost) = taken else { panic!("{taken:?}") };
    store.release_response(&lost).await.unwrap();
    assert_eq!(create().await.expect(201), made);
    portal.pass(Duration::from_hours(24)).await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    let anew = post(&portal, "/v1/companies", &admin, "died", Some(&body)).await.expect(201);
    assert_ne!(anew["id"], made["id"], "a day is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_runs_longer_than_a_lock_lasts() {
    let longest = gatehouse_template::TEMPLATE.lines().filter_map(|line| line.trim().strip_prefix("Timeout: "));
    let behind_the_api: Vec<i64> = longest.map(|text| text.parse().unwrap()).filter(|seconds| *seconds <= 30).collect();
    assert!(behind_the_api.iter().all(|seconds| *seconds < gatehouse::store::LOCK_LIFETIME.as_secs()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_frees_its_key() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let contacts = format!("/v1/companies/{company}/contacts");
    let body = json!({ "name": "Ann", "email": "ann@harbour.example" });
    let first = portal.post(&contacts, &admin, body.clone()).await.expect(201);
    let again = async || post(&portal, &contacts, &admin, "k", Some(&body)).await;
    again().await.expect_problem(409, "email_taken");
    let path = format!("/v1/contacts/{}", text(&first["id"]));
    portal.patch(&path, &admin, json!({ "email": null })).await.expect(200);
    assert_eq!(again().await.expect(201)["email"], "ann@harbour.example");
    // A key that was refused is free for another request, too.
    post(&portal, &contacts, &admin, "k2", Some(&json!({ "name": "" }))).await.expect_invalid("name");
    post(&portal, &contacts, &admin, "k2", Some(&json!({ "name": "Bo" }))).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_brings_uploads_that_work_and_never_a_secret() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let files = json!([{ "name": "a.txt", "size": 1, "content_type": "text/plain" }, { "name": "b.txt", "size": 1, "content_type": "text/plain" }]);
    let body = json!({ "title": "Report", "files": files });
    let create =
        async || post(&portal, "/v1/shares", &portal.sign_in(gatehouse_tests::ADMIN).await, "s", Some(&body)).await;
    let first = create().await.expect(201);
    let share = text(&first["id"]);
    portal.upload(&first["files"][0]["upload"], b"a").await;
    portal.complete(&admin, &share, &text(&first["files"][0]["id"])).await.expect(200);
    portal.pass(Duration::from_hours(2)).await;
    let again = create().await.expect(201);
    assert_eq!(lasting(&again), lasting(&first));
    assert_eq!(again["files"][0]["upload"], Value::Null, "it is there");
    assert_ne!(again["files"][1]["upload"]["expires_at"], first["files"][1]["upload"]["expires_at"]);
    assert_eq!(portal.upload(&again["files"][1]["upload"], b"b").await, StatusCode::OK);

    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    let body = json!({ "name": "ERP", "scopes": ["customers:read"] });
    let made = post(&portal, "/v1/api-keys", &admin, "key", Some(&body)).await.expect(201);
    let secret = text(&made["key"]);
    portal.get("/v1/companies", &Who(Some(secret.clone()))).await.expect(200);
    let again = post(&portal, "/v1/api-keys", &admin, "key", Some(&body)).await.expect(201);
    assert_eq!((&again["id"], &again["key"]), (&made["id"], &Value::Null));
    let table = portal.everything_in_the_table().await;
    assert!(!table.contains(secret.trim_start_matches("ghk_")) && !table.contains("X-Amz-Signature"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_its_callers_own_and_another_query_is_another_request() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let key = json!({ "name": "ERP", "scopes": ["customers:write"] });
    let erp = Who(Some(text(&portal.post("/v1/api-keys", &admin, key).await.expect(201)["key"])));
    let body = json!({ "name": "Harbour" });
    let of_admin = post(&portal, "/v1/companies", &admin, "same", Some(&body)).await.expect(201);
    let of_erp = post(&portal, "/v1/companies", &erp, "same", Some(&body)).await.expect(201);
    assert_ne!(of_admin["id"], of_erp["id"]);
    post(&portal, "/v1/companies", &admin, " ", Some(&body)).await.expect_invalid("Idempotency-Key");
}
