//! "Click the Open report button to view the shared file. The pop up to create a customer portal will only show when the
//! recipient uses an email domain that is not recognized."

use std::time::Duration;

use gatehouse_tests::{Customer, NOBODY, Portal, Reply, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

/// A share with one file for these recipients, sent; its id.
async fn share_with(portal: &Portal, staff: &Who, title: &str, recipients: Value) -> String {
    let file = json!({ "name": "report.txt", "size": 5, "content_type": "text/plain" });
    let body = json!({ "title": title, "recipients": recipients, "files": [file] });
    let share = portal.post("/v1/shares", staff, body).await.expect(201);
    let (id, file) = (text(&share["id"]), text(&share["files"][0]["id"]));
    portal.upload(&share["files"][0]["upload"], b"hello").await;
    portal.complete(staff, &id, &file).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{id}/send"), staff, None).await.expect(202);
    id
}

/// The token of the newest share link to an address, once there are as many mails as that.
async fn link(portal: &Portal, to: &str, mails: usize) -> String {
    token_in(&text(&portal.mails_when(to, mails).await[0]["text"]), "/open#")
}

async fn open(portal: &Portal, token: &str) -> Reply {
    portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await
}

async fn fetch(portal: &Portal, token: &str, file: &Value) -> Reply {
    portal.post("/v1/links/download", &NOBODY, json!({ "token": token, "file_id": file })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_in_the_mail_opens_the_shared_files_without_an_account() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let id = share_with(&portal, &admin, "Discharge report", json!([{ "email": "gita@terminal.example" }])).await;
    let mail = &portal.mails_when("gita@terminal.example", 1).await[0];
    assert!(text(&mail["text"]).contains("Open report"), "{mail}");
    let token = link(&portal, "gita@terminal.example", 1).await;
    assert!(!portal.everything_in_the_table().await.contains(&token), "a token is stored");

    let opened = open(&portal, &token).await.expect(200);
    assert_eq!((&opened["share"]["id"], &opened["share"]["title"]), (&json!(id), &json!("Discharge report")));
    assert_eq!(
        (&opened["email"], &opened["files"][0]["name"]),
        (&json!("gita@terminal.example"), &json!("report.txt"))
    );
    let download = fetch(&portal, &token, &opened["files"][0]["id"]).await.expect(200);
    assert_eq!(portal.fetch(&text(&download["url"])).await.2, b"hello");
    open(&portal, &token).await.expect(200);

    let activity = portal.get(&format!("/v1/activity?share_id={id}"), &admin).await.expect(200);
    let kinds: Vec<&str> =
        activity["items"].as_array().unwrap().iter().filter_map(|item| item["kind"].as_str()).collect();
    assert_eq!(kinds[..3], ["link_opened", "files_downloaded", "link_opened"]);
    assert_eq!(activity["items"][0]["actor_name"], "gita@terminal.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_domain_is_offered_access_at_once_and_finds_all_earlier_shares_afterwards() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let email = "gita@terminal.example";
    let first = share_with(&portal, &admin, "First", json!([{ "email": email }])).await;
    let second = share_with(&portal, &admin, "Second", json!([{ "email": email }])).await;
    let token = link(&portal, email, 2).await;
    assert_eq!(open(&portal, &token).await.expect(200)["offer"], "get_access");

    let body = json!({ "token": token, "name": "Gita Guest", "company": "Terminal Ltd" });
    portal.post("/v1/links/get-access", &NOBODY, body.clone()).await.expect(202);
    let activation = portal.activation_token(email, 3).await;
    // Asked again before it is activated: the activation mail again, and no second contact. A double click is one.
    portal.post("/v1/links/get-access", &NOBODY, body.clone()).await.expect(202);
    portal.pass(Duration::from_mins(1)).await;
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
    let check = async |token: &str| portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await;
    let newest = portal.activation_token(email, 4).await;
    check(&activation).await.expect_problem(410, "link_replaced");
    assert_eq!(check(&newest).await.expect(200)["company"], "Terminal Ltd");
    let gita = portal.activate(&newest).await;

    assert_eq!(open(&portal, &token).await.expect(200)["offer"], "sign_in");
    let mut titles = Vec::new();
    for _ in 0..100 {
        let inbox = portal.get("/v1/shares?sort=title", &gita).await.expect(200);
        titles = inbox["items"].as_array().unwrap().iter().map(|row| text(&row["id"])).collect();
        if titles.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(titles, [first.clone(), second]);
    portal.get(&format!("/v1/shares/{first}"), &gita).await.expect(200);
    assert_eq!(portal.mails(email).await.len(), 4, "nobody is mailed about what is not new");
    // The company is one that staff know, with its domain: a colleague is not offered this any more.
    share_with(&portal, &admin, "Third", json!([{ "email": "gus@terminal.example" }])).await;
    let colleague = link(&portal, "gus@terminal.example", 1).await;
    assert_eq!(open(&portal, &colleague).await.expect(200)["offer"], "request_access");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_domain_may_ask_for_access_and_the_mappers_are_told_of_the_company() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = json!({ "name": "Harbour & Sons", "domains": ["harbour.example"] });
    let company = text(&portal.post("/v1/companies", &admin, company).await.expect(201)["id"]);
    share_with(&portal, &admin, "Report", json!([{ "email": "bob@harbour.example" }])).await;
    let token = link(&portal, "bob@harbour.example", 1).await;
    assert_eq!(open(&portal, &token).await.expect(200)["offer"], "request_access");
    let body = json!({ "token": token, "name": "Bob" });
    let asked = portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
    assert_eq!(asked["status"], "requested");

    let queue = portal.get("/v1/registrations", &admin).await.expect(200);
    let request = &queue["items"][0];
    assert_eq!((&request["email"], &request["company"]), (&json!("bob@harbour.example"), &json!("Harbour & Sons")));
    let shown = portal.get(&format!("/v1/registrations/{}", text(&request["id"])), &admin).await.expect(200);
    assert_eq!(shown["suggestions"]["companies"][0]["id"], json!(company));
    assert_eq!(portal.mails("bob@harbour.example").await.len(), 1, "no account was made");

    // Where the plan lacks the portal there is nothing to offer.
    let path = format!("/v1/companies/{company}");
    portal.patch(&path, &admin, json!({ "portal_plan": false })).await.expect(200);
    assert_eq!(open(&portal, &token).await.expect(200)["offer"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_a_mail_provider_belongs_to_no_company() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    // Even where another customer's contact has one.
    portal.customer(&admin, "somebody@gmail.com").await;
    share_with(&portal, &admin, "Report", json!([{ "email": "gita@gmail.com" }])).await;
    let token = link(&portal, "gita@gmail.com", 1).await;
    assert_eq!(open(&portal, &token).await.expect(200)["offer"], "get_access");
    let body = json!({ "token": token, "name": "Gita Guest" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
    let activation = portal.activation_token("gita@gmail.com", 2).await;
    portal.activate(&activation).await;
    let found = portal.get("/v1/companies?q=gita", &admin).await.expect(200);
    assert_eq!((&found["items"][0]["name"], &found["items"][0]["domains"]), (&json!("Gita Guest"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_with_an_account_is_asked_to_sign_in_and_keeps_its_link() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    // Named by its address, it is the contact all the same.
    let id = share_with(&portal, &admin, "Report", json!([{ "email": " ANN@harbour.example" }])).await;
    assert_eq!(portal.get("/v1/shares", &ann.who).await.expect(200)["items"][0]["id"], json!(id));
    let token = link(&portal, &ann.email, 2).await;
    let opened = open(&portal, &token).await.expect(200);
    assert_eq!((&opened["offer"], &opened["email"]), (&json!("sign_in"), &json!(ann.email)));
    assert_eq!(
        portal.get("/v1/shares", &ann.who).await.expect(200)["items"][0]["unread"],
        true,
        "a link is no reading"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_link_opens_that_share_only_and_access_goes_to_the_address_it_was_sent_to() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    share_with(&portal, &admin, "For Gita", json!([{ "email": "gita@terminal.example" }])).await;
    let other = share_with(&portal, &admin, "For Eve", json!([{ "email": "eve@elsewhere.example" }])).await;
    let token = link(&portal, "gita@terminal.example", 1).await;
    let others = portal.get(&format!("/v1/shares/{other}"), &admin).await.expect(200);
    fetch(&portal, &token, &others["files"][0]["id"]).await.expect_problem(404, "not_found");
    portal.get("/v1/shares", &Who(Some(token.clone()))).await.expect_problem(401, "sign_in_required");
    // Whoever has the link cannot say another address.
    let body = json!({ "token": token, "name": "Eve", "email": "eve@elsewhere.example" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect_invalid("email");
    let body = json!({ "token": token, "name": "Eve" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
    portal.activation_token("gita@terminal.example", 2).await;
    assert_eq!(portal.mails("eve@elsewhere.example").await.len(), 1, "only her own share");
    // An activation's token is no share's, nor the other way round, nor is nonsense anything.
    let activation = portal.activation_token("gita@terminal.example", 2).await;
    open(&portal, &activation).await.expect_problem(404, "link_unknown");
    let check = portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await;
    check.expect_problem(404, "link_unknown");
    open(&portal, "nonsense").await.expect_problem(404, "link_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_at_once_with_the_share_the_recipient_the_contact_and_its_time() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let email = "gita@terminal.example";
    let ends = |title: &'static str| {
        let (portal, admin) = (&portal, &admin);
        async move {
            let before = portal.mails(email).await.len();
            let id = share_with(portal, admin, title, json!([{ "email": email }])).await;
            (id, link(portal, email, before + 1).await)
        }
    };
    let (revoked, token) = ends("Revoked").await;
    let opened = open(&portal, &token).await.expect(200);
    let file = opened["files"][0]["id"].clone();
    let url = text(&fetch(&portal, &token, &file).await.expect(200)["url"]);
    portal.delete(&format!("/v1/shares/{revoked}"), &admin).await.expect(204);
    open(&portal, &token).await.expect_problem(410, "link_withdrawn");
    fetch(&portal, &token, &file).await.expect_problem(410, "link_withdrawn");
    let body = json!({ "token": token, "name": "Gita" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect_problem(410, "link_withdrawn");
    portal.pass(Duration::from_secs(301)).await;
    assert_eq!(portal.fetch(&url).await.0.as_u16(), 403, "a URL that was fetched before dies within five minutes");

    let (taken, token) = ends("Taken away").await;
    let recipients = portal.get(&format!("/v1/shares/{taken}/recipients"), &admin).await.expect(200);
    let path = format!("/v1/shares/{taken}/recipients/{}", text(&recipients["items"][0]["id"]));
    portal.delete(&path, &admin).await.expect(204);
    open(&portal, &token).await.expect_problem(410, "link_withdrawn");

    let (expired, token) = ends("Expired").await;
    let end = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_mins(10);
    let path = format!("/v1/shares/{expired}");
    portal.patch(&path, &admin, json!({ "expires_at": end.to_string() })).await.expect(200);
    open(&portal, &token).await.expect(200);
    portal.pass(Duration::from_mins(11)).await;
    open(&portal, &token).await.expect_problem(410, "share_expired");

    let (_, old) = ends("Old").await;
    portal.pass(Duration::from_hours(366 * 24)).await;
    open(&portal, &old).await.expect_problem(410, "link_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_contact_ends_its_links_and_opening_brings_them_back() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    portal.share(&admin, "Report", &[&ann.id]).await;
    let token = link(&portal, &ann.email, 2).await;
    let switch = async |state: &str| {
        let path = format!("/v1/contacts/{}/access", ann.id);
        portal.call(Method::PUT, &path, &admin, Some(json!({ "state": state }))).await.expect(200);
    };
    switch("closed").await;
    open(&portal, &token).await.expect_problem(410, "link_withdrawn");
    switch("open").await;
    open(&portal, &token).await.expect(200);
    // Another address is another mailbox: what was mailed to the old one is dead.
    let path = format!("/v1/contacts/{}", ann.id);
    portal.patch(&path, &admin, json!({ "email": "ann@newname.example" })).await.expect(200);
    open(&portal, &token).await.expect_problem(410, "link_withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_links_has_to_wait() {
    let portal = Portal::open().await;
    let mut waits = 0;
    for _ in 0..25 {
        let guess = gatehouse::domain::Token::random().reveal();
        let reply = open(&portal, &guess).await;
        if reply.status.as_u16() == 429 {
            assert!(reply.headers.contains_key("retry-after"));
            waits += 1;
        } else {
            reply.expect_problem(404, "link_unknown");
        }
    }
    assert!(waits >= 3, "{waits}");
}
