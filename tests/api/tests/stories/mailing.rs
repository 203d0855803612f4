//! Mails are never lost and never doubled.

use std::time::Duration;

use gatehouse_tests::{NOBODY, Portal, text};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_has_text_and_html_and_its_token_in_neither_a_query_nor_the_table() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{contact}/invitation"), &admin, None).await.expect(202);
    let token = portal.activation_token("ann@harbour.example", 1).await;
    let mail = &portal.mails("ann@harbour.example").await[0];
    assert_eq!(mail["from"], "\"Northgate Logistics\" <portal@northgate.example>");
    assert_eq!(mail["headers"]["Auto-Submitted"], "auto-generated");
    assert!(text(&mail["text"]).contains(&format!("{}/activate#{token}", portal.stack.url)));
    assert!(text(&mail["html"]).contains("Harbour &amp; Sons"));
    assert!(text(&mail["html"]).contains(&token));

    let everything = portal.everything_in_the_table().await;
    assert!(everything.contains("ann@harbour.example"));
    assert!(!everything.contains(&token), "a token is stored");
    assert!(!everything.contains("OUTBOX"), "a mail that was sent is still in the outbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_ses_is_out_of_order_mails_wait_and_then_arrive_once_each() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let outage = async |on: bool| {
        portal.call(Method::PUT, "/_local/mail/outage", &NOBODY, Some(json!({ "on": on }))).await.expect(200);
    };
    outage(true).await;
    let addresses: Vec<String> = (0..5).map(|n| format!("p{n}@harbour.example")).collect();
    for address in &addresses {
        let body = json!({ "name": "P", "email": address, "send_invite": true });
        portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    for address in &addresses {
        assert!(portal.mails(address).await.is_empty());
    }
    outage(false).await;
    for address in &addresses {
        portal.mails_when(address, 1).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    for address in &addresses {
        let token = portal.activation_token(address, 1).await;
        assert_eq!(portal.mails(address).await.len(), 1, "{address} got it twice");
        portal.activate(&token).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_wants_no_mails_gets_the_share_all_the_same() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.patch("/v1/me", &ann.who, json!({ "notifications": { "email": "off" } })).await.expect(200);
    portal.share(&admin, "Quiet", &[&ann.id]).await;
    let loud = portal.customer(&admin, "loud@harbour.example").await;
    portal.share(&admin, "Loud", &[&ann.id, &loud.id]).await;
    portal.mails_when(&loud.email, 2).await;
    assert_eq!(portal.mails(&ann.email).await.len(), 1, "only the invitation");
    let inbox: Value = portal.get("/v1/shares", &ann.who).await.expect(200);
    assert_eq!(inbox["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_comes_back_shows_on_its_contact_until_the_address_is_another() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    // Amazon's own simulator of a mailbox that does not exist.
    let contact = portal.contact(&admin, &company, "bounce@simulator.amazonses.com").await;
    let path = format!("/v1/contacts/{contact}");
    portal.call(Method::POST, &format!("{path}/invitation"), &admin, None).await.expect(202);
    let mut problem = Value::Null;
    for _ in 0..200 {
        problem = portal.get(&path, &admin).await.expect(200)["mail_problem"].clone();
        if problem.is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(problem, "it came back: Permanent, General");
    let changed = portal.patch(&path, &admin, json!({ "email": "ann@harbour.example" })).await.expect(200);
    assert_eq!(changed["mail_problem"], Value::Null);
}
