//! A new signing secret brings new keys, and what was given out before goes on to work for a while.

use std::path::Path;

use gatehouse::domain::Unsubscribe;
use gatehouse::session::{Keyring, Signer};
use gatehouse::store::Store;
use gatehouse_local::{Config, Stack};
use gatehouse_tests::{ADMIN, NOBODY, Portal, Reply, text, token_in};
use serde_json::{Value, json};

use crate::delivering::items;

/// The portal whose data lies there.
async fn started(folder: &Path) -> Portal {
    let config = Config { port: 0, data_dir: Some(folder.to_owned()), admin_email: ADMIN.to_owned() };
    Portal::of(Stack::start(config).await.unwrap())
}

/// The same portal with another secret: all its functions start anew.
async fn rotated(portal: Portal, folder: &Path) -> Portal {
    drop(portal);
    std::fs::remove_file(folder.join("signing-secret")).unwrap();
    started(folder).await
}

/// Turns off by the link of a mail.
async fn turn_off(portal: &Portal, token: &str) -> Reply {
    portal.post(&format!("/v1/unsubscribe/{token}"), &NOBODY, json!({ "confirm": true })).await
}

fn link_of(mail: &Value) -> String {
    token_in(&text(&mail["text"]), "/unsubscribe#")
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_and_unsubscribe_links_outlive_one_rotation_and_not_two() {
    let folder = tempfile::tempdir().unwrap();
    let portal = started(folder.path()).await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    for title in ["One", "Two"] {
        portal.share(&admin, title, &[&ann.id]).await;
    }
    let link = link_of(&portal.mails_when(&ann.email, 3).await[0]);
    portal.tasks_are_done().await;
    let first = async |portal: &Portal| portal.get("/v1/shares?limit=1", &ann.who).await.expect(200);
    let second = async |portal: &Portal, cursor: &str| {
        portal.get(&format!("/v1/shares?limit=1&cursor={cursor}"), &ann.who).await
    };
    let notified = async |portal: &Portal, how: &str| {
        let body = json!({ "notifications": { "email": how } });
        portal.patch("/v1/me", &ann.who, body).await.expect(200);
    };
    let cursor = text(&first(&portal).await["next"]);
    let behind = second(&portal, &cursor).await.expect(200);
    assert_eq!(behind["items"][0]["title"], "One");
    let guess = json!({ "email": "nobody@harbour.example", "password": "not at all the password" });
    portal.post("/v1/sessions", &NOBODY, guess.clone()).await.expect_problem(401, "wrong_credentials");
    let counted = items(&portal, "THROTTLE#").await.len();

    // Who merely starts anew rotates nothing.
    drop(portal);
    let portal = started(folder.path()).await;
    assert_eq!(first(&portal).await["next"], json!(cursor));

    let portal = rotated(portal, folder.path()).await;
    assert_eq!(second(&portal, &cursor).await.expect(200)["items"], behind["items"]);
    let newer = text(&first(&portal).await["next"]);
    assert_ne!(newer, cursor, "what is given out now is sealed with the new key");
    turn_off(&portal, &link).await.expect(200);
    assert_eq!(portal.get("/v1/me", &ann.who).await.expect(200)["notifications"]["email"], "off");
    notified(&portal, "each").await;
    portal.share(&admin, "Three", &[&ann.id]).await;
    let newer_link = link_of(&portal.mails_when(&ann.email, 4).await[0]);
    portal.post("/v1/sessions", &NOBODY, guess).await.expect_problem(401, "wrong_credentials");
    assert_eq!(items(&portal, "THROTTLE#").await.len(), counted, "what is counted goes on to be counted");

    let portal = rotated(portal, folder.path()).await;
    second(&portal, &cursor).await.expect_problem(400, "invalid_cursor");
    turn_off(&portal, &link).await.expect_problem(404, "link_unknown");
    assert_eq!(portal.get("/v1/me", &ann.who).await.expect(200)["notifications"]["email"], "each");
    assert_eq!(second(&portal, &newer).await.expect(200)["items"][0]["title"], "One");
    turn_off(&portal, &newer_link).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_on_finds_the_key_of_those_that_have_started_anew() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let (env, clock) = (&portal.stack.env, portal.stack.clock.clone());
    let keyring = Keyring::open(Store::new(env), clock.clone()).await.unwrap();
    keyring.publish(&Signer::new("another secret of this deployment", clock.clone()).unwrap()).await.unwrap();
    let whose = Unsubscribe::of(
        Some(ann.id.parse().map(gatehouse::domain::PersonId::Contact).unwrap()),
        &ann.email.parse().unwrap(),
    );
    let link = keyring.seal(Unsubscribe::PURPOSE, &whose.to_string()).await.unwrap();
    portal.pass(std::time::Duration::from_secs(6)).await;
    turn_off(&portal, &link).await.expect(200);
    assert_eq!(portal.get("/v1/me", &ann.who).await.expect(200)["notifications"]["email"], "off");

    // What names no key that there is, is looked for no more often than that.
    portal.pause_mail().await;
    let reads = async || {
        let _ = portal.stack.meter.take();
        turn_off(&portal, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            .await
            .expect_problem(404, "link_unknown");
        portal.stack.meter.take().len()
    };
    portal.pass(std::time::Duration::from_secs(6)).await;
    assert_eq!([reads().await, reads().await, reads().await], [1, 0, 0]);
}
