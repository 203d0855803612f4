//! What waits for whoever comes in: unread shares, requests for access, and since when.

use std::time::Duration;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{ContactId, InboxOf, InboxRow, RecipientId};
use gatehouse::store::Store;
use gatehouse_tests::{ADMIN, NOBODY, Portal, Who, a_share, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::recipients::{colleague, titles_when};

async fn me(portal: &Portal, who: &Who) -> Value {
    portal.get("/v1/me", who).await.expect(200)
}

async fn unread_is(portal: &Portal, who: &Who, count: u64) {
    for _ in 0..200 {
        if me(portal, who).await["unread"] == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{count} unread were awaited: {:#}", me(portal, who).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_how_many_shares_it_has_not_opened() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = colleague(&portal, &admin, &ann.company, "bob@harbour.example").await;
    unread_is(&portal, &ann.who, 0).await;
    let first = portal.share(&admin, "First", &[&ann.id]).await;
    portal.share(&admin, "Second", &[&ann.id]).await;
    portal.share(&admin, "His", &[&bob.id]).await;
    unread_is(&portal, &ann.who, 2).await;
    portal.get(&format!("/v1/shares/{first}"), &ann.who).await.expect(200);
    unread_is(&portal, &ann.who, 1).await;

    // Where colleagues see each other's shares, what he got is not hers to be told as new.
    let body = Some(json!({ "share_visibility": "company" }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    assert_eq!(titles_when(&portal, &ann.who, 3).await.len(), 3);
    let list = portal.get("/v1/shares", &ann.who).await.expect(200);
    let unread = list["items"].as_array().unwrap().iter().filter(|row| row["unread"] == true).count();
    assert_eq!((unread, &me(&portal, &ann.who).await["unread"]), (1, &json!(1)));
    // What is answered to a change of one's own record is the same.
    let changed = portal.patch("/v1/me", &ann.who, json!({ "language": "de" })).await.expect(200);
    assert_eq!((&changed["unread"], changed.get("pending_registrations")), (&json!(1), None));

    // Without the area there is no list, and nothing waits in it.
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, json!({ "areas": ["jobs"] })).await.expect(200);
    assert_eq!(me(&portal, &ann.who).await["unread"], 0);
}

/// Lays unread shares into an inbox.
async fn fill(portal: &Portal, contact: &str, shares: i64) {
    let (store, contact): (_, ContactId) = (Store::new(&portal.stack.env), contact.parse().unwrap());
    let row = |n: i64| {
        let at = Timestamp::from_second(1_700_000_000 + n).unwrap();
        let via = Some(RecipientId::Contact(contact));
        InboxRow::new(&a_share(&format!("Report {n}"), None, 1, at), InboxOf::Contact(contact), via, at)
    };
    for some in (0..shares).collect::<Vec<_>>().chunks(90) {
        let laid = some.iter().fold(store.transaction(), |transaction, n| transaction.replace(&row(*n)));
        laid.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_counted_up_to_a_hundred() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let ann = portal.contact(&admin, &company, "ann@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{ann}/invitation"), &admin, None).await.expect(202);
    let token = portal.activation_token("ann@harbour.example", 1).await;
    fill(&portal, &ann, 99).await;
    let check = async || portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.expect(200);
    assert_eq!(check().await["waiting_shares"], 99);
    fill(&portal, &ann, 120).await;
    assert_eq!(check().await["waiting_shares"], 100);
    assert_eq!(me(&portal, &portal.activate(&token).await).await["unread"], 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_begins_when_somebody_comes_back_after_four_hours() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let previous = async |who: &Who| me(&portal, who).await["previous_visit_at"].clone();
    let last_seen = async || {
        let admin = portal.sign_in(ADMIN).await;
        text(&portal.get(&format!("/v1/contacts/{}", ann.id), &admin).await.expect(200)["last_seen_at"])
    };
    assert_eq!(previous(&ann.who).await, Value::Null, "she was never here before");
    let first = last_seen().await;

    portal.pass(Duration::from_mins(239)).await;
    let who = portal.sign_in(&ann.email).await;
    assert_eq!(previous(&who).await, Value::Null, "another browser within four hours is the same visit");
    let again = last_seen().await;
    assert_ne!(first, again);

    portal.pass(Duration::from_hours(4)).await;
    assert_eq!(previous(&who).await, Value::Null, "she has not come back yet");
    let who = portal.sign_in(&ann.email).await;
    assert_eq!(previous(&who).await, again);
    portal.pass(Duration::from_hours(1)).await;
    let who = portal.sign_in(&ann.email).await;
    assert_eq!(previous(&who).await, again, "the visit goes on");
    assert!(me(&portal, &portal.sign_in(ADMIN).await).await.get("previous_visit_at").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_on_requests_sees_how_many_wait() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let enter = async |name: &str, roles: Value| {
        let email = format!("{name}@northgate.example");
        let body = json!({ "name": name, "email": email, "roles": roles });
        portal.post("/v1/staff", &admin, body).await.expect(201);
        portal.activate(&portal.activation_token(&email, 1).await).await
    };
    let (mapper, member) = (enter("mia", json!(["mapper"])).await, enter("max", json!(["member"])).await);
    assert_eq!(me(&portal, &mapper).await["pending_registrations"], 0);
    for name in ["rita", "ruth"] {
        let body = json!({ "name": name, "email": format!("{name}@harbour.example"), "company": "Harbour" });
        portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    }
    for (who, waiting) in [(&admin, json!(2)), (&mapper, json!(2)), (&member, Value::Null)] {
        assert_eq!(me(&portal, who).await["pending_registrations"], waiting);
    }
    let queue = portal.get("/v1/registrations", &mapper).await.expect(200);
    let decline = format!("/v1/registrations/{}/decline", text(&queue["items"][0]["id"]));
    portal.post(&decline, &mapper, json!({ "reason": "Unknown" })).await.expect(200);
    assert_eq!(me(&portal, &mapper).await["pending_registrations"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_says_who_has_invited_and_what_waits() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let email = "ann@harbour.example";
    portal.share_with(&admin, "Before", &json!([{ "email": email }])).await;
    portal.mails_when(email, 1).await;
    let ann = portal.contact(&admin, &company, email).await;
    let invitation = format!("/v1/contacts/{ann}/invitation");
    portal.call(Method::POST, &invitation, &admin, None).await.expect(202);
    let check =
        async |token: &str| portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.expect(200);
    portal.tasks_are_done().await;
    let token = portal.activation_token(email, 2).await;
    let shown = check(&token).await;
    assert_eq!((&shown["invited_by"], &shown["waiting_shares"]), (&json!("First Admin"), &json!(1)));
    portal.share(&admin, "One more", &[&ann]).await;
    assert_eq!(check(&token).await["waiting_shares"], 2);

    // Who lets it be sent anew by itself was invited by the same; what a system sends comes from nobody by name.
    portal.pass(Duration::from_hours(8 * 24)).await;
    portal.post("/v1/activations/renew", &NOBODY, json!({ "token": token })).await.expect(202);
    let token = portal.activation_token(email, 4).await;
    assert_eq!(check(&token).await["invited_by"], "First Admin");
    let admin = portal.sign_in(ADMIN).await;
    let key = json!({ "name": "ERP", "scopes": ["customers:write"] });
    let erp = Who(Some(text(&portal.post("/v1/api-keys", &admin, key).await.expect(201)["key"])));
    let body = json!({ "name": "Bob", "email": "bob@harbour.example", "send_invite": true });
    portal.post(&format!("/v1/companies/{company}/contacts"), &erp, body).await.expect(201);
    let shown = check(&portal.activation_token("bob@harbour.example", 1).await).await;
    assert_eq!((&shown["invited_by"], &shown["waiting_shares"]), (&Value::Null, &json!(0)));

    // One of the staff as well; the first admin was invited by nobody.
    let body = json!({ "name": "Sam", "email": "sam@northgate.example", "roles": ["member"] });
    portal.post("/v1/staff", &admin, body).await.expect(201);
    let shown = check(&portal.activation_token("sam@northgate.example", 1).await).await;
    assert_eq!((&shown["invited_by"], &shown["waiting_shares"]), (&json!("First Admin"), &json!(0)));
}
