//! Equal work for known and unknown addresses, counted: hashes and calls to AWS. Seconds would only guess at it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::sync::atomic::{AtomicUsize, Ordering};

use gatehouse_tests::{NOBODY, PASSWORD, Portal};
use reqwest::Method;
use serde_json::{Value, json};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Hashes since the last look. The only test of this program, so that all of them are its own.
static HASHES: AtomicUsize = AtomicUsize::new(0);

struct CountHashes;

impl<S: Subscriber> Layer<S> for CountHashes {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "gatehouse::password" {
            HASHES.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a request made the functions do: hashes, and the names of their calls.
async fn work(portal: &Portal, path: &str, body: Value) -> (usize, Vec<String>) {
    portal.pause_mail().await;
    HASHES.store(0, Ordering::Relaxed);
    let _ = portal.stack.meter.take();
    let _ = portal.post(path, &NOBODY, body).await;
    let mut calls: Vec<String> = portal.stack.meter.take().into_iter().map(|call| call.operation).collect();
    calls.sort();
    portal.stack.pause_mail(false);
    (HASHES.load(Ordering::Relaxed), calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn known_invited_closed_and_unknown_addresses_take_the_same_hashes_and_calls() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(CountHashes)).unwrap();
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let known = portal.customer(&admin, "known@harbour.example").await;
    let closed = portal.customer(&admin, "closed@harbour.example").await;
    let path = format!("/v1/contacts/{}/access", closed.id);
    portal.call(Method::PUT, &path, &admin, Some(json!({ "state": "closed" }))).await.expect(200);
    let invited = portal.contact(&admin, &known.company, "invited@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{invited}/invitation"), &admin, None).await.expect(202);
    let others = ["invited@harbour.example", "closed@harbour.example", "unknown@harbour.example"];

    let sign_in = async |email: &str, password: &str| {
        work(&portal, "/v1/sessions", json!({ "email": email, "password": password })).await
    };
    let refused = sign_in(&known.email, "not the password at all").await;
    assert_eq!(refused.0, 1, "{refused:?}");
    for other in others {
        assert_eq!(sign_in(other, "not the password at all").await, refused, "{other}");
    }
    // Even the right password of somebody who was shut out.
    assert_eq!(sign_in("closed@harbour.example", PASSWORD).await, refused);

    let reset = async |email: &str| work(&portal, "/v1/password-resets", json!({ "email": email })).await;
    let of_known = reset(&known.email).await;
    for other in others {
        assert_eq!(reset(other).await, of_known, "{other}");
    }
    let register = async |email: &str| {
        let body = json!({ "name": "Rita", "email": email, "company": "Harbour" });
        work(&portal, "/v1/registrations", body).await
    };
    let of_known = register(&known.email).await;
    for other in others {
        assert_eq!(register(other).await, of_known, "{other}");
    }
}
