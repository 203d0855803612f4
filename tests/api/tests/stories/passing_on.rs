//! A link that the staff pass on themselves, where a mail does not arrive or is not read: the last one made counts.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_tests::{ADMIN, NOBODY, Portal, Reply, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

use crate::recipients::{add, take_away};

const GUEST: &str = "guest@terminal.example";

async fn make(portal: &Portal, staff: &Who, share: &str, recipient: &str) -> Reply {
    portal.call(Method::POST, &format!("/v1/shares/{share}/recipients/{recipient}/link"), staff, None).await
}

fn token_of(made: &Value) -> String {
    let url = text(&made["url"]);
    assert!(url.contains("/open#"), "{url}");
    url.split_once('#').unwrap().1.to_owned()
}

async fn open(portal: &Portal, token: &str) -> Reply {
    portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await
}

/// The recipient of that share whose id begins so.
async fn recipient(portal: &Portal, staff: &Who, share: &str, begins: &str) -> Value {
    let listed = portal.get(&format!("/v1/shares/{share}/recipients"), staff).await.expect(200);
    let of = |item: &&Value| text(&item["id"]).starts_with(begins);
    listed["items"].as_array().unwrap().iter().find(of).unwrap().clone()
}

async fn mailed_link(portal: &Portal, to: &str, mails: usize) -> String {
    token_in(&text(&portal.mails_when(to, mails).await[0]["text"]), "/open#")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_link_opens_the_share_and_ends_those_before_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let share = portal.share_with(&admin, "Report", &json!([{ "email": GUEST }])).await;
    let mailed = mailed_link(&portal, GUEST, 1).await;
    open(&portal, &mailed).await.expect(200);
    let id = text(&recipient(&portal, &admin, &share, "adr_").await["id"]);

    let made = make(&portal, &admin, &share, &id).await.expect(201);
    assert!(made["expires_at"].is_string());
    let fresh = token_of(&made);
    let opened = open(&portal, &fresh).await.expect(200);
    assert_eq!((&opened["email"], &opened["share"]["title"]), (&json!(GUEST), &json!("Report")));
    let file = json!({ "token": mailed, "file_id": opened["files"][0]["id"] });
    open(&portal, &mailed).await.expect_problem(410, "link_replaced");
    portal.post("/v1/links/download", &NOBODY, file).await.expect_problem(410, "link_replaced");
    assert!(!portal.everything_in_the_table().await.contains(&fresh), "a link is stored");

    let second = token_of(&make(&portal, &admin, &share, &id).await.expect(201));
    open(&portal, &fresh).await.expect_problem(410, "link_replaced");
    open(&portal, &second).await.expect(200);
    let activity = portal.get(&format!("/v1/activity?share_id={share}&kind=link_made"), &admin).await.expect(200);
    assert_eq!(activity["items"].as_array().unwrap().len(), 2);
    assert_eq!(activity["items"][0]["actor_name"], "First Admin");

    // The next mail has a link of its own, and ends none.
    portal.pass(Duration::from_mins(11)).await;
    crate::returning::put(&portal, &admin, &share, "more.txt", None).await;
    let next = mailed_link(&portal, GUEST, 2).await;
    open(&portal, &next).await.expect(200);
    open(&portal, &second).await.expect(200);

    // Who is taken away and put back has a new link: none that ended works again.
    take_away(&portal, &admin, &share, &id).await;
    open(&portal, &second).await.expect_problem(410, "link_withdrawn");
    portal.pass(Duration::from_secs(2)).await;
    assert_eq!(add(&portal, &admin, &share, json!({ "email": GUEST })).await, id);
    open(&portal, &mailed_link(&portal, GUEST, 3).await).await.expect(200);
    for ended in [&mailed, &fresh, &second, &next] {
        open(&portal, ended).await.expect_problem(410, "link_replaced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_has_a_link_too_and_what_it_does_by_it_is_its_own() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let fresh = token_of(&make(&portal, &admin, &share, &ann.id).await.expect(201));
    assert_eq!(open(&portal, &fresh).await.expect(200)["offer"], "sign_in");
    assert!(recipient(&portal, &admin, &share, &ann.id).await["opened_at"].is_string());
    // Only the staff make links; a customer that has the share is told so, and others do not know of it.
    make(&portal, &ann.who, &share, &ann.id).await.expect_problem(403, "forbidden");
    let bob = portal.customer(&admin, "bob@other.example").await;
    make(&portal, &bob.who, &share, &ann.id).await.expect_problem(404, "not_found");
    make(&portal, &admin, &share, &bob.id).await.expect_problem(404, "not_found");

    // A link that could not be opened is not made.
    let access = format!("/v1/contacts/{}", ann.id);
    portal.patch(&access, &admin, json!({ "areas": ["jobs"] })).await.expect(200);
    make(&portal, &admin, &share, &ann.id).await.expect_invalid("rid");
    let body = Some(json!({ "state": "closed" }));
    portal.call(Method::PUT, &format!("{access}/access"), &admin, body).await.expect(200);
    make(&portal, &admin, &share, &ann.id).await.expect_problem(409, "access_closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_link_where_nobody_could_open_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let body = json!({ "name": "Nobody's mailbox" });
    let contact = portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
    let contact = text(&contact["id"]);
    let to = json!([{ "email": GUEST }, { "company_id": company }, { "contact_id": contact }]);
    let share = portal.share_with(&admin, "Report", &to).await;
    assert!(make(&portal, &admin, &share, &company).await.expect_invalid("rid").contains("company"));
    make(&portal, &admin, &share, &contact).await.expect_problem(422, "email_missing");
    let id = text(&recipient(&portal, &admin, &share, "adr_").await["id"]);

    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let draft = json!({ "title": "Draft", "recipients": [{ "email": GUEST }], "files": [file] });
    let draft = text(&portal.post("/v1/shares", &admin, draft).await.expect(201)["id"]);
    let of_draft = text(&recipient(&portal, &admin, &draft, "adr_").await["id"]);
    make(&portal, &admin, &draft, &of_draft).await.expect_invalid("id");

    let end = gatehouse::clock::Timestamp::now() + gatehouse::clock::SignedDuration::from_hours(1);
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, &admin, json!({ "expires_at": end.to_string() })).await.expect(200);
    let made = make(&portal, &admin, &share, &id).await.expect(201);
    assert_eq!(text(&made["expires_at"]), end.to_string(), "no link works longer than its share");
    portal.pass(Duration::from_hours(2)).await;
    open(&portal, &token_of(&made)).await.expect_problem(410, "share_expired");
    make(&portal, &admin, &share, &id).await.expect_problem(410, "share_expired");
    portal.delete(&path, &admin).await.expect(204);
    make(&portal, &admin, &share, &id).await.expect_problem(409, "share_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_shown_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let share = portal.share_with(&admin, "Report", &json!([{ "email": GUEST }])).await;
    let id = text(&recipient(&portal, &admin, &share, "adr_").await["id"]);
    let ask = async || {
        let request = portal.request(Method::POST, &format!("/v1/shares/{share}/recipients/{id}/link"));
        let request = request.header("idempotency-key", "once").bearer_auth(admin.0.as_ref().unwrap());
        portal.send(request).await.expect(201)
    };
    let (first, again) = (ask().await, ask().await);
    assert_eq!((&again["url"], &again["expires_at"]), (&Value::Null, &first["expires_at"]));
    open(&portal, &token_of(&first)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_waited_while_a_link_was_made_has_one_that_works() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.call(Method::PUT, "/_local/mail/outage", &NOBODY, Some(json!({ "on": true }))).await.expect_success();
    let share = portal.share_with(&admin, "Report", &json!([{ "email": GUEST }])).await;
    let id = text(&recipient(&portal, &admin, &share, "adr_").await["id"]);
    let fresh = token_of(&make(&portal, &admin, &share, &id).await.expect(201));
    portal.call(Method::PUT, "/_local/mail/outage", &NOBODY, Some(json!({ "on": false }))).await.expect_success();
    portal.pass(Duration::from_mins(2)).await;
    // Written first and sent last: its link was made last, and is the same recipient's.
    let mailed = mailed_link(&portal, GUEST, 1).await;
    open(&portal, &mailed).await.expect(200);
    open(&portal, &fresh).await.expect(200);
    let newest = token_of(&make(&portal, &portal.sign_in(ADMIN).await, &share, &id).await.expect(201));
    for ended in [mailed, fresh] {
        open(&portal, &ended).await.expect_problem(410, "link_replaced");
    }
    open(&portal, &newest).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_links_made_at_once_one_counts_and_it_is_noted_that_a_mail_has_left() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let share = portal.share_with(&admin, "Report", &json!([{ "email": GUEST }])).await;
    let id = text(&recipient(&portal, &admin, &share, "adr_").await["id"]);
    // The mail is on its way, and notes on the recipient that it has left, while links are made.
    let asked = (0..8).map(|_| {
        let (portal, admin, share, id) = (Arc::clone(&portal), admin.clone(), share.clone(), id.clone());
        tokio::spawn(async move { make(&portal, &admin, &share, &id).await })
    });
    let mut made = Vec::new();
    for reply in asked.collect::<Vec<_>>() {
        let reply = reply.await.unwrap();
        if reply.status == 201 {
            made.push(token_of(&reply.body));
        } else {
            reply.expect_problem(409, "conflict");
        }
    }
    let mut working = 0;
    for token in &made {
        let reply = open(&portal, token).await;
        if reply.status == 200 {
            working += 1;
        } else {
            reply.expect_problem(410, "link_replaced");
        }
    }
    assert_eq!(working, 1, "of {}", made.len());
    // A mail whose link was made before the last one has a link that ended, and never one that brings others back.
    let mailed = open(&portal, &mailed_link(&portal, GUEST, 1).await).await;
    assert!(mailed.status == 200 || mailed.body["type"] == "link_replaced", "{mailed:?}");
    for n in 0.. {
        if !recipient(&portal, &admin, &share, "adr_").await["mailed_at"].is_null() {
            break;
        }
        assert!(n < 200, "that it was mailed was lost");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
