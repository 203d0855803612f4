//! A mail goes where its person is, and what becomes of it concerns the address that it went to.

use std::time::Duration;

use gatehouse_tests::{NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

use crate::returning::put;

async fn outage(portal: &Portal, on: bool) {
    portal.call(Method::PUT, "/_local/mail/outage", &NOBODY, Some(json!({ "on": on }))).await.expect(200);
}

async fn outbox_is_empty(portal: &Portal) {
    for _ in 0..400 {
        if !portal.everything_in_the_table().await.contains("OUTBOX#") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("a mail is still in the outbox");
}

async fn change(portal: &Portal, admin: &Who, contact: &str, email: &str) -> Value {
    portal.patch(&format!("/v1/contacts/{contact}"), admin, json!({ "email": email })).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_does_not_go_to_the_address_that_was_corrected() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let ann = portal.contact(&admin, &company, "ann.tpyo@harbour.example").await;
    let invited = portal.contact(&admin, &company, "bob.tpyo@harbour.example").await;
    outage(&portal, true).await;
    portal.share(&admin, "Secret offer for Ann", &[&ann]).await;
    portal.call(Method::POST, &format!("/v1/contacts/{invited}/invitation"), &admin, None).await.expect(202);
    tokio::time::sleep(Duration::from_millis(300)).await;
    change(&portal, &admin, &ann, "ann@harbour.example").await;
    change(&portal, &admin, &invited, "bob@harbour.example").await;
    outage(&portal, false).await;
    portal.pass(Duration::from_mins(1)).await;

    let mails = portal.mails_when("ann@harbour.example", 1).await;
    assert!(text(&mails[0]["subject"]).contains("Secret offer for Ann"), "{mails:#?}");
    let link = token_in(&text(&mails[0]["text"]), "/open#");
    let opened = portal.post("/v1/links/open", &NOBODY, json!({ "token": link })).await.expect(200);
    assert_eq!(opened["email"], "ann@harbour.example");
    outbox_is_empty(&portal).await;
    for old in ["ann.tpyo@harbour.example", "bob.tpyo@harbour.example"] {
        assert!(portal.mails(old).await.is_empty(), "{old}");
    }
    // An invitation ends with the address that it was for; there is a new one when somebody invites anew.
    assert!(portal.mails("bob@harbour.example").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_a_share_and_the_daily_mail_go_to_the_corrected_address_too() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann.tpyo@harbour.example").await;
    let day = portal.customer(&admin, "day.tpyo@harbour.example").await;
    portal.patch("/v1/me", &day.who, json!({ "notifications": { "email": "daily" } })).await.expect(200);
    let share = portal.share(&admin, "Secret offer", &[&ann.id, &day.id]).await;
    portal.mails_when(&ann.email, 2).await;
    portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200);
    outage(&portal, true).await;
    put(&portal, &admin, &share, "prices.txt", None).await;
    portal.tasks_are_done().await;
    portal.stack.invoke("send-digest", json!({})).await.unwrap();
    let before = [portal.mails(&ann.email).await.len(), portal.mails(&day.email).await.len()];
    for (customer, email) in [(&ann, "ann@harbour.example"), (&day, "day@harbour.example")] {
        let change = json!({ "email": email, "same_person": true });
        portal.patch(&format!("/v1/contacts/{}", customer.id), &admin, change).await.expect(200);
    }
    outage(&portal, false).await;
    portal.pass(Duration::from_mins(1)).await;
    outbox_is_empty(&portal).await;
    for (new, news) in [("ann@harbour.example", "prices.txt"), ("day@harbour.example", "Secret offer")] {
        let mails = portal.mails(new).await;
        assert!(mails.iter().any(|mail| text(&mail["text"]).contains(news)), "{new}: {mails:#?}");
    }
    // The old ones are told that they are not used any more, and nothing else.
    for (old, before) in [&ann.email, &day.email].into_iter().zip(before) {
        let mails = portal.mails(old).await;
        let told = &mails[..mails.len() - before];
        assert!(told.iter().all(|mail| !text(&mail["text"]).contains("ecret offer")), "{told:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shared_with_an_address_does_not_follow_whoever_had_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let body = json!({ "title": "For Bob", "recipients": [{ "email": "bob@harbour.example" }], "files": [file] });
    let created = portal.post("/v1/shares", &admin, body).await.expect(201);
    portal.upload(&created["files"][0]["upload"], b"a").await;
    portal.complete(&admin, &text(&created["id"]), &text(&created["files"][0]["id"])).await.expect(200);
    let path = format!("/v1/shares/{}/send", text(&created["id"]));
    portal.call(Method::POST, &path, &admin, None).await.expect(202);
    portal.mails_when("bob@harbour.example", 1).await;
    // Ann is entered with Bob's address by mistake, and so gets what was shared with it.
    let company = portal.company(&admin, "Harbour").await;
    let ann = portal.contact(&admin, &company, "bob@harbour.example").await;
    for _ in 0..200 {
        if portal.everything_in_the_table().await.contains(&format!("INBOX#{ann}")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    outage(&portal, true).await;
    let file = json!({ "name": "b.txt", "size": 1, "content_type": "text/plain" });
    let files = format!("/v1/shares/{}/files", text(&created["id"]));
    let added = portal.post(&files, &admin, file).await.expect(201);
    portal.upload(&added["upload"], b"b").await;
    portal.complete(&admin, &text(&created["id"]), &text(&added["id"])).await.expect(200);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(portal.everything_in_the_table().await.contains("OUTBOX#"), "a mail to Ann waits");
    change(&portal, &admin, &ann, "ann@harbour.example").await;
    outage(&portal, false).await;
    portal.pass(Duration::from_mins(1)).await;
    outbox_is_empty(&portal).await;
    assert!(portal.mails("ann@harbour.example").await.is_empty());
}

/// "Email Bounced", as it comes for a mail that went to an address.
fn bounce(contact: &str, to: &str, kind: &str) -> Value {
    json!({ "detail": {
        "bounce": { "bounceType": kind, "bounceSubType": "General" },
        "mail": { "destination": [to], "tags": { "contact": [contact] } },
    } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_bounce_is_not_held_against_the_new_address() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let ann = portal.contact(&admin, &company, "ann.tpyo@harbour.example").await;
    let problem = async || portal.get(&format!("/v1/contacts/{ann}"), &admin).await.expect(200)["mail_problem"].clone();
    change(&portal, &admin, &ann, "ann@harbour.example").await;
    portal.stack.invoke("note-bounce", bounce(&ann, "ann.tpyo@harbour.example", "Permanent")).await.unwrap();
    assert_eq!(problem().await, Value::Null);
    portal.stack.invoke("note-bounce", bounce(&ann, "Ann@Harbour.example", "Permanent")).await.unwrap();
    assert_eq!(problem().await, "it came back: Permanent, General");
    // Of somebody who is not there nothing is written.
    let nobody = "con_01K9ZZZZZZZZZZZZZZZZZZZZZZ";
    portal.stack.invoke("note-bounce", bounce(nobody, "ann@harbour.example", "Permanent")).await.unwrap();
    assert!(!portal.everything_in_the_table().await.contains(nobody));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_is_not_shown_as_a_wrong_address() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "full@simulator.amazonses.com").await;
    portal.call(Method::POST, &format!("/v1/contacts/{contact}/invitation"), &admin, None).await.expect(202);
    for _ in 0..200 {
        let problem = portal.get(&format!("/v1/contacts/{contact}"), &admin).await.expect(200)["mail_problem"].clone();
        if let Some(problem) = problem.as_str() {
            assert!(problem.contains("the address may be right") && !problem.contains("came back"), "{problem}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsubscribe_link_of_an_old_address_turns_nothing_off_at_the_new_one() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let ann = portal.contact(&admin, &company, "old@harbour.example").await;
    portal.share(&admin, "First", &[&ann]).await;
    let token = token_in(&text(&portal.mails_when("old@harbour.example", 1).await[0]["text"]), "/unsubscribe#");
    change(&portal, &admin, &ann, "new@harbour.example").await;
    let path = format!("/v1/unsubscribe/{token}");
    portal.post(&path, &NOBODY, json!({ "confirm": true })).await.expect(200);
    let shown = portal.get(&format!("/v1/contacts/{ann}"), &admin).await.expect(200);
    assert_eq!(shown["notifications"]["email"], "each");
    portal.share(&admin, "Second", &[&ann]).await;
    let token = token_in(&text(&portal.mails_when("new@harbour.example", 1).await[0]["text"]), "/unsubscribe#");
    portal.post(&format!("/v1/unsubscribe/{token}"), &NOBODY, json!({ "confirm": true })).await.expect(200);
    let shown = portal.get(&format!("/v1/contacts/{ann}"), &admin).await.expect(200);
    assert_eq!(shown["notifications"]["email"], "off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_tried_again_and_again_leaves_no_tokens_behind() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let ann = portal.contact(&admin, &company, "ann@harbour.example").await;
    let tokens = async || portal.everything_in_the_table().await.matches("TOKEN#").count();
    let before = tokens().await;
    outage(&portal, true).await;
    portal.share(&admin, "Report", &[&ann]).await;
    for _ in 0..4 {
        portal.pass(Duration::from_mins(6)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(tokens().await, before, "of tries that SES has refused");
    outage(&portal, false).await;
    portal.pass(Duration::from_mins(6)).await;
    portal.mails_when("ann@harbour.example", 1).await;
    assert_eq!(tokens().await, before + 1);
}
