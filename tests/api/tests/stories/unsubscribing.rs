//! Whoever gets notifications turns them off where they come: in the mail.

use gatehouse_tests::{NOBODY, Portal, Reply, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// What a mail program posts, or something else in its place.
async fn click(portal: &Portal, token: &str, content_type: &str, body: &str) -> Reply {
    let request = portal.request(Method::POST, &format!("/v1/unsubscribe/{token}"));
    portal.send(request.header("content-type", content_type).body(body.to_owned())).await
}

async fn one_click(portal: &Portal, token: &str) -> Reply {
    click(portal, token, "application/x-www-form-urlencoded", ONE_CLICK).await
}

/// The token in a mail: the same in its header and in its footer.
fn token_of(portal: &Portal, mail: &Value) -> String {
    let token = token_in(&text(&mail["text"]), "/unsubscribe#");
    let url = format!("<{}/v1/unsubscribe/{token}>", portal.stack.url);
    assert_eq!(
        (text(&mail["headers"]["List-Unsubscribe"]), text(&mail["headers"]["List-Unsubscribe-Post"])),
        (url, ONE_CLICK.into())
    );
    assert!(text(&mail["html"]).contains(&token));
    token
}

/// A share with one small file, sent to an address.
async fn share_with(portal: &Portal, staff: &Who, title: &str, email: &str) {
    let file = json!({ "name": "note.txt", "size": 5, "content_type": "text/plain" });
    let draft = json!({ "title": title, "recipients": [{ "email": email }], "files": [file] });
    let share = portal.post("/v1/shares", staff, draft).await.expect(201);
    let (id, file) = (text(&share["id"]), &share["files"][0]);
    portal.upload(&file["upload"], b"hello").await;
    portal.complete(staff, &id, &text(&file["id"])).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{id}/send"), staff, None).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_turns_notifications_off_with_one_click_and_on_again_in_the_portal() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let loud = portal.customer(&admin, "loud@harbour.example").await;
    let invitation = &portal.mails(&ann.email).await[0];
    assert!(invitation["headers"]["List-Unsubscribe"].is_null(), "an invitation cannot be turned off");

    portal.share(&admin, "First", &[&ann.id]).await;
    let token = token_of(&portal, &portal.mails_when(&ann.email, 2).await[0]);
    one_click(&portal, &token).await.expect(200);
    let again = one_click(&portal, &token).await.expect(200);
    assert_eq!(again, json!({ "status": "unsubscribed" }));
    let me = portal.get("/v1/me", &ann.who).await.expect(200);
    assert_eq!(me["notifications"]["email"], "off");
    let path = format!("/v1/activity?contact_id={}&kind=unsubscribed", ann.id);
    let activity = portal.get(&path, &admin).await.expect(200);
    assert_eq!(activity["items"].as_array().unwrap().len(), 1, "{activity:#}");

    portal.share(&admin, "Second", &[&ann.id, &loud.id]).await;
    portal.mails_when(&loud.email, 2).await;
    assert_eq!(portal.mails(&ann.email).await.len(), 2);
    portal.patch("/v1/me", &ann.who, json!({ "notifications": { "email": "each" } })).await.expect(200);
    portal.share(&admin, "Third", &[&ann.id]).await;
    portal.mails_when(&ann.email, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_an_account_is_left_in_peace_and_not_written_down() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let loud = portal.customer(&admin, "loud@harbour.example").await;
    share_with(&portal, &admin, "First", "bare@harbour.example").await;
    let token = token_of(&portal, &portal.mails_when("bare@harbour.example", 1).await[0]);
    let path = format!("/v1/unsubscribe/{token}");
    portal.post(&path, &NOBODY, json!({ "confirm": false })).await.expect_invalid("confirm");
    portal.post(&path, &NOBODY, json!({ "confirm": true })).await.expect(200);
    let everything = portal.everything_in_the_table().await;
    assert!(everything.contains("QUIET#") && !everything.contains("QUIET#bare"), "the address is in the key");

    share_with(&portal, &admin, "Second", "bare@harbour.example").await;
    portal.share(&admin, "Third", &[&loud.id]).await;
    portal.mails_when(&loud.email, 2).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(portal.mails("bare@harbour.example").await.len(), 1);
    assert!(!portal.everything_in_the_table().await.contains("OUTBOX"), "a mail that nobody wants still waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_merely_follows_the_links_of_a_mail_turns_nothing_off() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.share(&admin, "First", &[&ann.id]).await;
    let token = token_of(&portal, &portal.mails_when(&ann.email, 2).await[0]);
    let path = format!("/v1/unsubscribe/{token}");
    portal.get(&path, &NOBODY).await.expect_problem(405, "method_not_allowed");
    portal.call(Method::POST, &path, &NOBODY, None).await.expect_invalid("List-Unsubscribe");
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", ""),
        ("application/x-www-form-urlencoded", "List-Unsubscribe=Yes"),
        ("text/plain", ONE_CLICK),
        ("multipart/form-data; boundary=x", ONE_CLICK),
    ] {
        click(&portal, &token, content_type, body).await.expect_invalid("List-Unsubscribe");
    }
    portal.post(&path, &NOBODY, json!({})).await.expect_invalid("confirm");

    // One character more, less or another: no such link was ever sent.
    let flipped = format!("{}{}", if token.starts_with('A') { 'B' } else { 'A' }, &token[1..]);
    for forged in [flipped, token[1..].to_owned(), format!("{token}A"), "garbage".to_owned(), ann.id.clone()] {
        one_click(&portal, &forged).await.expect_problem(404, "link_unknown");
    }
    let me = portal.get("/v1/me", &ann.who).await.expect(200);
    assert_eq!(me["notifications"]["email"], "each");

    let part = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    click(&portal, &token, "multipart/form-data; boundary=x", part).await.expect(200);
    let me = portal.get("/v1/me", &ann.who).await.expect(200);
    assert_eq!(me["notifications"]["email"], "off");
}
