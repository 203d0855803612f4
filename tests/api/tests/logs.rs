//! What the log tells of a request: who, from where, and nobody's name or address.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use gatehouse_tests::{ADMIN, NOBODY, PASSWORD, Portal, Who, text};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

/// All that is logged, as Lambda would get it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of answered requests to one route.
    fn of_route(&self, route: &str) -> Vec<Value> {
        let lines = self.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
        lines.into_iter().filter(|line| line["message"] == "answered" && line["span"]["route"] == route).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_says_who_and_from_where_by_hashes_of_the_day_and_no_name_address_or_secret() {
    let log = Log::default();
    let to_log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(log.clone());
    tracing::subscriber::set_global_default(to_log.finish()).unwrap();
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann.lee@harbour.example").await;
    portal.share(&admin, "Voyage 17", &[&ann.id]).await;
    let me = text(&portal.get("/v1/me", &admin).await.expect(200)["id"]);
    portal.get("/v1/shares?q=voyage", &ann.who).await.expect(200);
    let key = portal
        .post("/v1/api-keys", &admin, json!({ "name": "Bookkeeping robot", "scopes": ["shares:read"] }))
        .await
        .expect(201);
    portal.get("/v1/companies", &Who(Some(text(&key["key"])))).await.expect_problem(403, "forbidden");
    portal.get("/v1/companies", &Who(Some("forged".to_owned()))).await.expect_problem(401, "sign_in_required");
    for email in [ADMIN, ADMIN, "nobody@harbour.example"] {
        portal.sign_in_from("127.0.3.1", email, "a wrong password, clearly", None).await;
    }
    portal.post("/v1/activations/check", &NOBODY, json!({ "token": "forged" })).await;
    portal.pass(std::time::Duration::from_hours(24)).await;
    portal.sign_in_from("127.0.3.1", ADMIN, PASSWORD, None).await;

    assert_eq!(log.of_route("GET /v1/me")[0]["actor"], me);
    assert_eq!(log.of_route("GET /v1/shares")[0]["actor"], ann.id);
    let refused = log.of_route("GET /v1/companies");
    assert_eq!((&refused[0]["actor"], &refused[0]["slug"]), (&key["id"], &json!("forbidden")));
    assert!(refused[1]["actor"].is_null() && refused[1]["network"] == refused[0]["network"], "{refused:?}");
    assert!(log.of_route("POST /v1/activations/check").iter().all(|line| line["network"].is_string()));
    let signed_in = log.of_route("POST /v1/sessions");
    let [.., one, again, other, tomorrow] = signed_in.as_slice() else { panic!("{signed_in:?}") };
    assert_eq!((&one["account"], &one["network"]), (&again["account"], &again["network"]));
    assert_ne!(one["account"], other["account"]);
    assert_ne!(one["network"], refused[0]["network"], "another network");
    assert!(one["account"] != tomorrow["account"] && one["network"] != tomorrow["network"], "a hash of the day");

    let text = log.text();
    for secret in [
        "ann.lee",
        "harbour.example",
        ADMIN,
        "127.0.3.1",
        "Voyage",
        "voyage",
        "Ann Lee",
        "ghk_",
        "correct horse",
        "Bookkeeping robot",
    ] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}
