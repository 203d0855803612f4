//! What seldom happens happens on AWS, too, and needs its grants there: these stories are told so that each of them is
//! seen to be needed (see `unused_grants`).

use std::time::Duration;

use gatehouse_tests::{ADMIN, NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

/// A key of the operator's systems with these scopes.
async fn key(portal: &Portal, admin: &Who, scopes: &[&str]) -> Who {
    let made = portal.post("/v1/api-keys", admin, json!({ "name": "ERP", "scopes": scopes })).await.expect(201);
    Who(Some(text(&made["key"])))
}

/// Comes back once it is so.
pub(crate) async fn becomes(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} did not come about");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_uses_its_keys_wherever_their_scopes_lead() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let (writes, reads) = (["shares:write", "customers:write"], ["shares:read"]);
    let newcomer = portal.contact(&admin, &ann.company, "new@harbour.example").await;
    let invitation = format!("/v1/contacts/{newcomer}/invitation");
    portal.call(Method::POST, &invitation, &key(&portal, &admin, &writes).await, None).await.expect(202);

    let file = json!({ "name": "a.txt", "size": 5, "content_type": "text/plain" });
    let body = json!({ "title": "Report", "recipients": [{ "contact_id": ann.id }], "files": [file] });
    let share = portal.post("/v1/shares", &key(&portal, &admin, &writes).await, body).await.expect(201);
    assert_eq!(portal.upload(&share["files"][0]["upload"], b"hello").await.as_u16(), 200);
    let (id, file) = (text(&share["id"]), text(&share["files"][0]["id"]));
    portal.complete(&key(&portal, &admin, &writes).await, &id, &file).await.expect(200);
    let download = format!("/v1/shares/{id}/files/{file}/download");
    portal.call(Method::POST, &download, &key(&portal, &admin, &reads).await, None).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_the_staff_who_asks_for_access_is_told_that_there_is_an_account() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "First Admin", "email": ADMIN, "company": "Northgate" });
    portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    portal.mails_when(ADMIN, 2).await;

    // The same by the link of a share that was sent to that address.
    let body = json!({ "title": "To ourselves", "recipients": [{ "email": ADMIN }], "files": [
        { "name": "a.txt", "size": 5, "content_type": "text/plain" },
    ] });
    let share = portal.post("/v1/shares", &admin, body).await.expect(201);
    assert_eq!(portal.upload(&share["files"][0]["upload"], b"hello").await.as_u16(), 200);
    let path = format!("/v1/shares/{}", text(&share["id"]));
    portal.complete(&admin, &text(&share["id"]), &text(&share["files"][0]["id"])).await.expect(200);
    portal.call(Method::POST, &format!("{path}/send"), &admin, None).await.expect(202);
    let mail = text(&portal.mails_when(ADMIN, 3).await[0]["text"]);
    let token = token_in(&mail, "/open#");
    let opened = portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200);
    assert_eq!(opened["offer"], "sign_in");
    let body = json!({ "token": token, "name": "First Admin" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
    portal.mails_when(ADMIN, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_admins_address_is_corrected_until_there_is_an_account() {
    let portal = Portal::open().await;
    let corrected = json!({ "email": "ada@northgate.example", "name": "Ada" });
    let outcome = portal.stack.invoke("first-admin", corrected.clone()).await.unwrap();
    assert_eq!(outcome["outcome"], "invited");
    let token = portal.activation_token("ada@northgate.example", 1).await;
    portal.activate(&token).await;
    let outcome = portal.stack.invoke("first-admin", json!({ "email": ADMIN, "name": "Eve" })).await.unwrap();
    assert_eq!(outcome["outcome"], "unchanged");
}

/// Announces a small file and sends its bytes, but never says that they are there.
async fn send_and_vanish(portal: &Portal, who: &Who, share: &str, name: &str) -> String {
    let body = json!({ "name": name, "size": 3, "content_type": "text/plain" });
    let added = portal.post(&format!("/v1/shares/{share}/files"), who, body).await.expect(201);
    assert_eq!(portal.upload(&added["upload"], b"new").await.as_u16(), 200);
    text(&added["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn files_whose_senders_vanish_after_the_last_byte_are_news_like_all_others() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.draft(&admin, "Offer", &[&ann.id], &[("offer.txt", "text/plain", b"old")]).await;
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, &admin, json!({ "allow_upload": true })).await.expect(200);
    portal.call(Method::POST, &format!("{path}/send"), &admin, None).await.expect(202);
    portal.mails_when(&ann.email, 2).await;

    send_and_vanish(&portal, &ann.who, &share, "signed.txt").await;
    let mails = portal.mails_when(ADMIN, 2).await;
    assert!(text(&mails[0]["text"]).contains("signed.txt"), "{}", mails[0]["text"]);
    // Of the same moment, so without a mail; it is there all the same.
    let second = send_and_vanish(&portal, &ann.who, &share, "more.txt").await;
    becomes("the second file", async || {
        let shown = portal.get(&path, &ann.who).await.expect(200);
        let mut files = shown["files"].as_array().unwrap().iter();
        files.any(|file| file["id"] == second.as_str() && file["state"] == "stored")
    })
    .await;
    portal.pass(Duration::from_mins(11)).await;
    let admin = portal.sign_in(ADMIN).await;
    let file = send_and_vanish(&portal, &admin, &share, "final.txt").await;
    let mails = portal.mails_when(&ann.email, 3).await;
    assert!(text(&mails[0]["text"]).contains("final.txt"), "{}", mails[0]["text"]);

    // An event may come late, when what it is about is long gone.
    let event = |key: String| json!({ "detail": { "object": { "key": key } } });
    let gone = format!("shares/{share}/{}", file.replace(|letter: char| letter.is_ascii_digit(), "0"));
    assert_eq!(portal.stack.invoke("finish-upload", event(gone)).await.unwrap(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_ses_refuses_shows_on_its_contact() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    let refusing = portal.request(Method::PUT, "/_local/mail/outage").json(&json!({ "on": false, "refuses": true }));
    portal.send(refusing).await.expect(200);
    portal.call(Method::POST, &format!("/v1/contacts/{contact}/invitation"), &admin, None).await.expect(202);
    becomes("a mail problem", async || {
        !portal.get(&format!("/v1/contacts/{contact}"), &admin).await.expect(200)["mail_problem"].is_null()
    })
    .await;
    let over = portal.request(Method::PUT, "/_local/mail/outage").json(&json!({ "on": false }));
    portal.send(over).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_for_good_takes_broken_off_uploads_with_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Offer", &[&ann.id]).await;
    let large = json!({ "name": "large.bin", "size": 70_000_000, "content_type": "application/octet-stream" });
    let small = json!({ "name": "small.txt", "size": 3, "content_type": "text/plain" });
    for file in [large, small] {
        portal.post(&format!("/v1/shares/{share}/files"), &admin, file).await.expect(201);
    }
    portal.call(Method::PUT, "/v1/settings", &admin, Some(json!({ "retention_days": 1 }))).await.expect(200);
    portal.delete(&format!("/v1/shares/{share}"), &admin).await.expect(204);
    portal.pass(Duration::from_hours(50)).await;
    let admin = portal.sign_in(ADMIN).await;
    becomes("the end of the share", async || portal.get(&format!("/v1/shares/{share}"), &admin).await.status == 404)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_first_with_a_new_secret_publishes_its_key() {
    let folder = std::env::temp_dir().join(format!("gatehouse-{}", std::process::id()));
    let config = || gatehouse_local::Config { port: 0, data_dir: Some(folder.clone()), admin_email: ADMIN.to_owned() };
    let portal = Portal::of(gatehouse_local::Stack::start(config()).await.unwrap());
    let before = portal.admin().await;
    drop(portal);
    std::fs::remove_file(folder.join("signing-secret")).unwrap();
    let portal = Portal::of(gatehouse_local::Stack::start(config()).await.unwrap());
    let after = portal.sign_in(ADMIN).await;
    for who in [&before, &after] {
        portal.get("/v1/me", who).await.expect(200);
    }
    drop(portal);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_sent_and_nobody_told_of_is_taken_before_it_is_given_up_and_the_staff_are_told() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Bring it back", &[&ann.id]).await;
    portal.patch(&format!("/v1/shares/{share}"), &admin, json!({ "allow_upload": true })).await.expect(200);
    let file = json!({ "name": "signed.txt", "size": 5, "content_type": "text/plain" });
    let path = format!("/v1/shares/{share}/files");
    let announced = portal.post(&path, &ann.who, file.clone()).await.expect(201);
    let never = portal.post(&path, &ann.who, file).await.expect(201);
    let addendum = json!({ "name": "addendum.txt", "size": 5, "content_type": "text/plain" });
    let addendum = portal.post(&path, &admin, addendum).await.expect(201);
    portal.pause_mail().await;
    for upload in [&announced["upload"], &addendum["upload"]] {
        assert_eq!(portal.upload(upload, b"hello").await.as_u16(), 200);
    }
    portal.pass(Duration::from_hours(8 * 24)).await;
    portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    portal.stack.pause_mail(false);
    let admin = portal.sign_in(ADMIN).await;
    let shown = portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200);
    let names: Vec<&Value> = shown["files"].as_array().unwrap().iter().map(|file| &file["id"]).collect();
    assert!(names.contains(&&announced["id"]) && names.contains(&&addendum["id"]), "{shown:#}");
    assert!(!names.contains(&&never["id"]), "{shown:#}");
    let found = portal.get("/v1/shares?q=addendum", &admin).await.expect(200);
    assert_eq!(found["items"][0]["id"].as_str(), Some(share.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_with_a_company_waits_for_the_daily_mail_of_those_who_want_one() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.patch("/v1/me", &ann.who, json!({ "notifications": { "email": "daily" } })).await.expect(200);
    let draft = portal.draft(&admin, "Report", &[], &[("note.txt", "text/plain", b"hello")]).await;
    let everyone = json!({ "company_id": ann.company });
    portal.post(&format!("/v1/shares/{draft}/recipients"), &admin, everyone).await.expect(201);
    portal.call(Method::POST, &format!("/v1/shares/{draft}/send"), &admin, None).await.expect(202);
    becomes("the share", async || {
        !portal.get("/v1/shares", &ann.who).await.expect(200)["items"].as_array().unwrap().is_empty()
    })
    .await;
    assert_eq!(portal.mails(&ann.email).await.len(), 1, "only the invitation");
    portal.pass(Duration::from_hours(24)).await;
    portal.mails_when(&ann.email, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_may_see_a_share_takes_nothing_back() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.contact(&admin, &ann.company, "bob@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{bob}/invitation"), &admin, None).await.expect(202);
    let bob = portal.activate(&portal.activation_token("bob@harbour.example", 1).await).await;
    let share = format!("/v1/shares/{}", portal.share(&admin, "Report", &[&ann.id]).await);
    portal.delete(&share, &bob).await.expect_problem(404, "not_found");
    let body = Some(json!({ "share_visibility": "company" }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    portal.delete(&share, &bob).await.expect_problem(403, "forbidden");
    portal.get(&share, &ann.who).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_gives_its_idempotency_key_back() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let body = json!({ "name": "Nobody's mailbox" });
    let contact = portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
    let draft = portal.post("/v1/shares", &admin, json!({ "title": "Empty" })).await.expect(201);
    let revoked = portal.share(&admin, "Gone", &[&text(&contact["id"])]).await;
    portal.delete(&format!("/v1/shares/{revoked}"), &admin).await.expect(204);
    let body = json!({ "name": "Rita", "email": "rita@harbour.example", "company": "Harbour" });
    portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    let queue = portal.get("/v1/registrations", &admin).await.expect(200);
    let registration = format!("/v1/registrations/{}/decline", text(&queue["items"][0]["id"]));
    let decline = json!({ "reason": "Unknown", "notify": false });
    portal.post(&registration, &admin, decline.clone()).await.expect(200);

    let file = json!({ "name": "a.txt", "size": 5, "content_type": "text/plain" });
    let taken = json!({ "name": "Sam", "email": ADMIN, "roles": ["member"] });
    let twice = json!({ "name": "Ann", "email": ADMIN });
    for (path, body) in [
        (format!("/v1/contacts/{}/invitation", text(&contact["id"])), Value::Null),
        (format!("/v1/companies/{company}/contacts"), twice),
        (format!("/v1/shares/{}/send", text(&draft["id"])), Value::Null),
        (format!("/v1/shares/{revoked}/files"), file),
        (registration, decline),
        ("/v1/staff".to_owned(), taken),
    ] {
        let mut refusals = Vec::new();
        // The same answer again, and not that the first request is still at work.
        for _ in 0..2 {
            let mut request = portal.request(Method::POST, &path).header("idempotency-key", "the same");
            if !body.is_null() {
                request = request.json(&body);
            }
            let reply = portal.send(request.bearer_auth(admin.0.as_ref().unwrap())).await;
            assert!(reply.status.is_client_error(), "{path}: {reply:?}");
            refusals.push(text(&reply.body["type"]));
        }
        assert_eq!(refusals[0], refusals[1], "{path}");
    }
}
