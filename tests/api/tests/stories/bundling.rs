//! The staff are told at once, and then together: nothing is lost, and nobody is flooded.

use std::time::Duration;

use gatehouse_tests::{ADMIN, Customer, NOBODY, Portal, text};
use reqwest::Method;
use serde_json::{Value, json};

async fn claim(portal: &Portal, customer: &Customer, title: &str) {
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let created =
        portal.post("/v1/shares", &customer.who, json!({ "title": title, "files": [file] })).await.expect(201);
    portal.upload(&created["files"][0]["upload"], b"a").await;
    portal.complete(&customer.who, &text(&created["id"]), &text(&created["files"][0]["id"])).await.expect(200);
    let path = format!("/v1/shares/{}/send", text(&created["id"]));
    portal.call(Method::POST, &path, &customer.who, None).await.expect(202);
}

/// Once nothing is on its way any more but what waits for its time.
async fn all_sent(portal: &Portal, waiting: usize) {
    for _ in 0..200 {
        let rest = portal.everything_in_the_table().await.matches("OUTBOX#").count();
        if rest == waiting {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("mails are still on their way: {}", portal.everything_in_the_table().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_shares_of_a_customer_are_two_mails_and_none_is_lost() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    for n in 1..=15 {
        claim(&portal, &ann, &format!("Claim {n}.")).await;
    }
    claim(&portal, &bob, "Of another customer").await;
    all_sent(&portal, 1).await;
    let mails = portal.mails(ADMIN).await;
    assert_eq!(mails.len(), 3, "one of each customer, and the activation: {mails:#?}");
    assert!(mails.iter().any(|mail| text(&mail["text"]).contains("Of another customer")));

    portal.pass(Duration::from_mins(11)).await;
    let mails = portal.mails_when(ADMIN, 4).await;
    assert!(text(&mails[0]["subject"]).starts_with("Northgate Logistics: more from Company of ann"), "{}", mails[0]);
    let everything: String = mails.iter().map(|mail| text(&mail["text"])).collect();
    for n in 1..=15 {
        assert_eq!(everything.matches(&format!("Claim {n}.")).count(), 1, "{n}: {everything}");
    }
    all_sent(&portal, 0).await;
    // What comes right after that mail waits again; what comes later is told at once.
    claim(&portal, &ann, "Sixteenth").await;
    all_sent(&portal, 1).await;
    assert_eq!(portal.mails(ADMIN).await.len(), 4);
    portal.pass(Duration::from_mins(11)).await;
    portal.mails_when(ADMIN, 5).await;
    portal.pass(Duration::from_mins(11)).await;
    claim(&portal, &ann, "Seventeenth").await;
    assert!(text(&portal.mails_when(ADMIN, 6).await[0]["subject"]).contains("Seventeenth"));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_access_are_told_together_with_the_number_waiting() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let asked =
        |n: usize| json!({ "name": format!("Rita {n}"), "email": format!("r{n}@harbour.example"), "company": "H" });
    for n in 0..10 {
        portal.post("/v1/registrations", &NOBODY, asked(n)).await.expect(202);
    }
    all_sent(&portal, 1).await;
    assert_eq!(portal.mails(ADMIN).await.len(), 2, "the activation, and the first request");
    // One is decided on meanwhile: it waits no more.
    let id = text(&portal.get("/v1/registrations", &admin).await.expect(200)["items"][0]["id"]);
    portal.post(&format!("/v1/registrations/{id}/decline"), &admin, json!({ "reason": "No." })).await.expect(200);
    portal.pass(Duration::from_mins(11)).await;
    let mails = portal.mails_when(ADMIN, 3).await;
    assert_eq!(text(&mails[0]["subject"]), "Northgate Logistics: 9 requests for access are waiting");
    let everything: String = mails.iter().map(|mail| text(&mail["text"])).collect();
    for n in 0..10 {
        assert!(everything.contains(&format!("Rita {n}")), "{n}: {everything}");
    }
    assert!(text(&mails[0]["text"]).contains("/registrations\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gathered_for_somebody_who_has_left_is_nobodys() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let body = json!({ "name": "Sam", "email": "sam@northgate.example", "roles": ["member"], "on_duty": true });
    let sam = text(&portal.post("/v1/staff", &admin, body).await.expect(201)["id"]);
    portal.activate(&portal.activation_token("sam@northgate.example", 1).await).await;
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, json!({ "owner_id": sam })).await.expect(200);
    for title in ["One", "Two"] {
        claim(&portal, &ann, title).await;
    }
    all_sent(&portal, 1).await;
    let mails: Vec<Value> = portal.mails_when("sam@northgate.example", 2).await;
    assert_eq!(mails.len(), 2);
    portal.delete(&format!("/v1/staff/{sam}"), &admin).await.expect(204);
    portal.pass(Duration::from_mins(11)).await;
    all_sent(&portal, 0).await;
    assert_eq!(portal.mails("sam@northgate.example").await.len(), 2);
}
