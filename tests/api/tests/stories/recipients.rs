//! "You can then change the selection of shared folders": who has a share, and what it says, changes afterwards.

use std::time::Duration;

use gatehouse_tests::{Customer, NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) async fn add(portal: &Portal, staff: &Who, share: &str, to: Value) -> String {
    let added = portal.post(&format!("/v1/shares/{share}/recipients"), staff, to).await.expect(201);
    text(&added["id"])
}

pub(crate) async fn take_away(portal: &Portal, staff: &Who, share: &str, recipient: &str) {
    portal.delete(&format!("/v1/shares/{share}/recipients/{recipient}"), staff).await.expect(204);
}

/// The titles in an inbox, once there are as many as that.
pub(crate) async fn titles_when(portal: &Portal, who: &Who, count: usize) -> Vec<String> {
    let mut titles = Vec::new();
    for _ in 0..200 {
        let inbox = portal.get("/v1/shares?limit=100", who).await.expect(200);
        titles = inbox["items"].as_array().unwrap().iter().map(|row| text(&row["title"])).collect();
        if titles.len() == count {
            return titles;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{count} shares were awaited: {titles:?}");
}

/// A contact of that company, with an account.
pub(crate) async fn colleague(portal: &Portal, staff: &Who, company: &str, email: &str) -> Customer {
    let body = json!({ "name": "Colleague", "email": email, "send_invite": true });
    let contact = portal.post(&format!("/v1/companies/{company}/contacts"), staff, body).await.expect(201);
    let token = portal.activation_token(email, 1).await;
    let who = portal.activate(&token).await;
    Customer { company: company.to_owned(), id: text(&contact["id"]), email: email.to_owned(), who }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_how_far_a_share_has_come_with_each() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let to = json!([{ "contact_id": ann.id }, { "email": "guest@terminal.example" }, { "company_id": ann.company }]);
    let share = portal.share_with(&admin, "Report", &to).await;
    let path = format!("/v1/shares/{share}");
    let progress = async |id: &str| {
        let listed = portal.get(&format!("{path}/recipients"), &admin).await.expect(200);
        let of = |item: &&Value| text(&item["id"]).starts_with(id);
        listed["items"].as_array().unwrap().iter().find(of).unwrap().clone()
    };
    let guest_mail = text(&portal.mails_when("guest@terminal.example", 1).await[0]["text"]);
    portal.mails_when(&ann.email, 2).await;
    for id in [ann.id.as_str(), "adr_"] {
        for n in 0.. {
            let is = progress(id).await;
            assert!(is["opened_at"].is_null() && is["viewed_at"].is_null() && is["mail_problem"].is_null(), "{is:#}");
            assert_eq!(is["downloaded_files"], 0);
            if !is["mailed_at"].is_null() {
                break;
            }
            assert!(n < 200, "{id} was mailed, and nobody sees it");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    let shown = portal.get(&path, &ann.who).await.expect(200);
    let opened = progress(&ann.id).await["opened_at"].clone();
    assert!(!opened.is_null());
    portal.pass(Duration::from_mins(1)).await;
    let file = format!("{path}/files/{}", text(&shown["files"][0]["id"]));
    portal.call(Method::POST, &format!("{file}/preview"), &ann.who, None).await.expect(200);
    let viewed = progress(&ann.id).await;
    assert_eq!(
        (&viewed["opened_at"], viewed["viewed_at"].is_null(), &viewed["downloaded_at"]),
        (&opened, false, &Value::Null)
    );
    portal.call(Method::POST, &format!("{file}/download"), &ann.who, None).await.expect(200);
    let downloaded = progress(&ann.id).await;
    assert_eq!((downloaded["downloaded_at"].is_null(), &downloaded["downloaded_files"]), (false, &json!(1)));

    // By the link as well; and whoever then gets an account is the same.
    let link = token_in(&guest_mail, "/open#");
    portal.post("/v1/links/open", &NOBODY, json!({ "token": link })).await.expect(200);
    let opened = progress("adr_").await["opened_at"].clone();
    assert!(!opened.is_null());
    let guest = portal.contact(&admin, &ann.company, "guest@terminal.example").await;
    let body = json!({ "token": link, "file_id": shown["files"][0]["id"] });
    portal.post("/v1/links/download", &NOBODY, body).await.expect(200);
    let is = progress("adr_").await;
    assert_eq!((&is["opened_at"], &is["downloaded_files"]), (&opened, &json!(1)), "{guest}");
    // What everyone at a company did stands in the activity.
    assert_eq!(progress("com_").await["opened_at"], Value::Null);
    portal.get(&format!("{path}/recipients"), &ann.who).await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_added_later_is_mailed_and_one_that_is_taken_away_sees_nothing_any_more() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let path = format!("/v1/shares/{share}");
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");

    let recipient = add(&portal, &admin, &share, json!({ "contact_id": bob.id })).await;
    assert_eq!(recipient, bob.id);
    add(&portal, &admin, &share, json!({ "email": bob.email })).await;
    portal.get(&path, &bob.who).await.expect(200);
    assert_eq!(titles_when(&portal, &bob.who, 1).await, ["Report"]);
    assert_eq!(portal.mails_when(&bob.email, 2).await.len(), 2, "the invitation, and the share once");
    let listed = portal.get(&format!("{path}/recipients"), &admin).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);

    take_away(&portal, &admin, &share, &recipient).await;
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");
    portal.call(Method::POST, &format!("{path}/downloads"), &bob.who, None).await.expect_problem(404, "not_found");
    titles_when(&portal, &bob.who, 0).await;
    portal.get(&path, &ann.who).await.expect(200);
    portal.delete(&format!("{path}/recipients/{recipient}"), &admin).await.expect_problem(404, "not_found");

    for (body, field) in [
        (json!({}), "body"),
        (json!({ "email": "x", }), "email"),
        (json!({ "contact_id": ann.id, "email": ann.email }), "body"),
        (json!({ "company_id": "com_01K9ZZZZZZZZZZZZZZZZZZZZZZ" }), "company_id"),
    ] {
        portal.post(&format!("{path}/recipients"), &admin, body).await.expect_invalid(field);
    }
    for (who, status, slug) in [(&ann.who, 403, "forbidden"), (&bob.who, 404, "not_found")] {
        let refused = portal.post(&format!("{path}/recipients"), who, json!({ "contact_id": bob.id })).await;
        refused.expect_problem(status, slug);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_at_a_company_has_it_those_who_join_later_included_until_it_is_taken_away() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = colleague(&portal, &admin, &ann.company, "bob@harbour.example").await;
    let stranger = portal.customer(&admin, "eve@elsewhere.example").await;
    let file: [(&str, &str, &[u8]); 1] = [("a.txt", "text/plain", b"a")];
    let share = portal.draft(&admin, "To all", &[&ann.id], &file).await;
    add(&portal, &admin, &share, json!({ "company_id": ann.company })).await;
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    titles_when(&portal, &ann.who, 1).await;
    titles_when(&portal, &bob.who, 1).await;
    assert_eq!(portal.mails_when(&bob.email, 2).await.len(), 2);

    let late = colleague(&portal, &admin, &ann.company, "late@harbour.example").await;
    assert_eq!(titles_when(&portal, &late.who, 1).await, ["To all"]);
    let path = format!("/v1/shares/{share}");
    portal.get(&path, &late.who).await.expect(200);
    assert_eq!(portal.mails(&late.email).await.len(), 1, "what is not new is not mailed");
    portal.get(&path, &stranger.who).await.expect_problem(404, "not_found");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(&ann.email).await.len(), 2, "once, as herself and as one of all");

    portal.pause_mail().await;
    take_away(&portal, &admin, &share, &ann.company).await;
    // At once, before a row was touched.
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");
    portal.get(&path, &ann.who).await.expect(200);
    portal.stack.pause_mail(false);
    titles_when(&portal, &bob.who, 0).await;
    titles_when(&portal, &ann.who, 1).await;
    // And again: it is there as it was, and nobody who knew it is mailed for a row that stayed.
    add(&portal, &admin, &share, json!({ "company_id": ann.company })).await;
    titles_when(&portal, &bob.who, 1).await;
    portal.get(&path, &bob.who).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_about_a_share_is_seen_by_its_recipients() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let files: [(&str, &str, &[u8]); 2] =
        [("keep.txt", "text/plain", b"keep"), ("secret.txt", "text/plain", b"secret")];
    let share = portal.draft(&admin, "Draft title", &[&ann.id], &files).await;
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    let path = format!("/v1/shares/{share}");
    let shown = portal.get(&path, &ann.who).await.expect(200);
    let secret = shown["files"].as_array().unwrap().iter().find(|file| file["name"] == "secret.txt").unwrap();
    let download = format!("{path}/files/{}/download", text(&secret["id"]));
    portal.call(Method::POST, &download, &ann.who, None).await.expect(200);

    let change = json!({ "title": "Final title", "message": "Read this.", "excluded_files": [secret["id"]] });
    portal.patch(&path, &admin, change).await.expect(200);
    let shown = portal.get(&path, &ann.who).await.expect(200);
    assert_eq!((&shown["title"], &shown["message"]), (&json!("Final title"), &json!("Read this.")));
    assert_eq!((shown["files"].as_array().unwrap().len(), &shown["file_count"]), (1, &json!(1)));
    portal.call(Method::POST, &download, &ann.who, None).await.expect_problem(404, "not_found");
    let row = portal.get("/v1/shares?q=final", &ann.who).await.expect(200)["items"][0].clone();
    assert_eq!((&row["title"], &row["total_size"]), (&json!("Final title"), &json!(4)));
    for gone in ["draft", "secret"] {
        let found = portal.get(&format!("/v1/shares?q={gone}"), &ann.who).await.expect(200);
        assert_eq!(found["items"], json!([]), "{gone}");
    }
    // Staff see all of it, and what is left out.
    let shown = portal.get(&path, &admin).await.expect(200);
    assert_eq!((shown["files"].as_array().unwrap().len(), &shown["excluded_files"]), (2, &json!([secret["id"]])));

    for (body, field) in [
        (json!({ "title": "" }), "title"),
        (json!({ "expires_at": "2020-01-01T00:00:00Z" }), "expires_at"),
        (json!({ "excluded_files": ["fil_01K9ZZZZZZZZZZZZZZZZZZZZZZ"] }), "excluded_files[0]"),
        (json!({ "files": [] }), "files"),
    ] {
        portal.patch(&path, &admin, body).await.expect_invalid(field);
    }
    portal.patch(&path, &ann.who, json!({ "excluded_files": [] })).await.expect_problem(403, "forbidden");
    portal.delete(&path, &ann.who).await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_share_is_gone_for_everybody_but_the_staff() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Mistake", &[&ann.id]).await;
    let path = format!("/v1/shares/{share}");
    portal.delete(&path, &admin).await.expect(204);
    portal.get(&path, &ann.who).await.expect_problem(404, "not_found");
    portal.call(Method::POST, &format!("{path}/downloads"), &ann.who, None).await.expect_problem(404, "not_found");
    titles_when(&portal, &ann.who, 0).await;
    assert_eq!(portal.get(&path, &admin).await.expect(200)["state"], "revoked");
    let listed = portal.get("/v1/shares?state=revoked", &admin).await.expect(200);
    assert_eq!(listed["items"][0]["id"], json!(share));
    assert_eq!(portal.get("/v1/shares?state=sent", &admin).await.expect(200)["items"], json!([]));
    portal.patch(&path, &admin, json!({ "title": "x" })).await.expect_problem(409, "share_revoked");
    portal.call(Method::POST, &format!("{path}/send"), &admin, None).await.expect_problem(409, "share_revoked");
    portal.delete(&path, &admin).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_see_each_others_shares_where_the_operator_says_so() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = colleague(&portal, &admin, &ann.company, "bob@harbour.example").await;
    let eve = portal.customer(&admin, "eve@elsewhere.example").await;
    let anns = portal.share(&admin, "For Ann", &[&ann.id]).await;
    portal.share(&admin, "For Bob", &[&bob.id]).await;
    let path = format!("/v1/shares/{anns}");
    let set = async |visibility: &str| {
        let body = Some(json!({ "share_visibility": visibility }));
        portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    };
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");

    set("company").await;
    assert_eq!(titles_when(&portal, &bob.who, 2).await, ["For Bob", "For Ann"]);
    let inbox = portal.get("/v1/shares", &bob.who).await.expect(200);
    assert_eq!((&inbox["items"][0]["unread"], &inbox["items"][1]["unread"]), (&json!(true), &json!(false)));
    assert_eq!(portal.get("/v1/shares?q=ann", &bob.who).await.expect(200)["items"][0]["id"], json!(anns));
    portal.get(&path, &bob.who).await.expect(200);
    portal.call(Method::POST, &format!("{path}/downloads"), &bob.who, None).await.expect(200);
    portal.get(&path, &eve.who).await.expect_problem(404, "not_found");
    titles_when(&portal, &eve.who, 0).await;

    set("recipient").await;
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");
    assert_eq!(titles_when(&portal, &bob.who, 1).await, ["For Bob"]);

    // A share that nobody at the company has any more is not the company's either.
    set("company").await;
    take_away(&portal, &admin, &anns, &ann.id).await;
    assert_eq!(titles_when(&portal, &bob.who, 1).await, ["For Bob"]);
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_recipients_are_answered_at_once_and_each_is_mailed_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let mut recipients: Vec<Value> = (0..1999).map(|n| json!({ "email": format!("p{n}@many.example") })).collect();
    recipients.push(json!({ "contact_id": ann.id }));
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let body = json!({ "title": "To many", "recipients": recipients, "files": [file] });
    let created = portal.post("/v1/shares", &admin, body).await.expect(201);
    let (share, file) = (text(&created["id"]), text(&created["files"][0]["id"]));
    portal.upload(&created["files"][0]["upload"], b"a").await;
    portal.complete(&admin, &share, &file).await.expect(200);
    portal.pause_mail().await;
    let _ = portal.stack.meter.take();
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    let calls = portal.stack.meter.take().len();
    assert!(calls <= 12, "{calls} calls before the answer, however many there are");
    portal.stack.pause_mail(false);

    let all = async || portal.get("/_local/mail.json", &Who(None)).await.expect(200);
    let to_many = |mails: &Value| {
        let to = mails.as_array().unwrap().iter().filter(|mail| text(&mail["subject"]).contains("To many"));
        to.map(|mail| text(&mail["to"][0])).collect::<Vec<_>>()
    };
    for _ in 0..1800 {
        if to_many(&all().await).len() >= 2000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut to = to_many(&all().await);
    assert_eq!(to.len(), 2000);
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 2000, "somebody was mailed twice");
    titles_when(&portal, &ann.who, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_from_the_only_one_at_a_company_is_taken_away_from_its_colleagues() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let body = Some(json!({ "share_visibility": "company" }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    // Shared with an address that becomes Ann's colleague only afterwards.
    let late = "late@harbour.example";
    let file: [(&str, &str, &[u8]); 1] = [("a.txt", "text/plain", b"a")];
    let share = portal.draft(&admin, "To an address", &[], &file).await;
    let recipient = add(&portal, &admin, &share, json!({ "email": late })).await;
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    portal.mails_when(late, 1).await;
    let contact = portal.contact(&admin, &ann.company, late).await;
    titles_when(&portal, &ann.who, 1).await;
    let path = format!("/v1/shares/{share}");
    portal.get(&path, &ann.who).await.expect(200);
    // Ann has it herself for a while; that she loses it leaves it to her colleague, and so to her.
    add(&portal, &admin, &share, json!({ "contact_id": ann.id })).await;
    take_away(&portal, &admin, &share, &ann.id).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    portal.get(&path, &ann.who).await.expect(200);

    take_away(&portal, &admin, &share, &recipient).await;
    titles_when(&portal, &ann.who, 0).await;
    portal.get(&path, &ann.who).await.expect_problem(404, "not_found");
    assert_eq!(portal.get(&format!("/v1/contacts/{contact}"), &admin).await.expect(200)["access"], "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_mailed_about_what_was_taken_back_while_the_mail_waited() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    portal.pause_mail().await;
    let revoked = portal.share(&admin, "Revoked", &[&ann.id]).await;
    portal.delete(&format!("/v1/shares/{revoked}"), &admin).await.expect(204);
    let taken = portal.share(&admin, "Taken away", &[&ann.id, &bob.id]).await;
    take_away(&portal, &admin, &taken, &ann.id).await;
    portal.stack.pause_mail(false);
    portal.mails_when(&bob.email, 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(&ann.email).await.len(), 1, "only the invitation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_draft_is_its_own_until_it_is_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let draft = portal.post("/v1/shares", &ann.who, json!({ "title": "Mine", "files": [] })).await.expect(201);
    let recipients = format!("/v1/shares/{}/recipients", text(&draft["id"]));
    let added = portal.post(&recipients, &admin, json!({ "email": "x@elsewhere.example" })).await;
    added.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_titles_in_any_script_fit_into_a_key() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (name, title) = ("\u{ac01}".repeat(200), "\u{ac01}".repeat(300));
    let company = portal.post("/v1/companies", &admin, json!({ "name": name })).await.expect(201);
    let path = format!("/v1/companies/{}/contacts", text(&company["id"]));
    portal.post(&path, &admin, json!({ "name": name })).await.expect(201);
    portal.post("/v1/shares", &admin, json!({ "title": title })).await.expect(201);
    let found = portal.get(&format!("/v1/shares?q={title}"), &admin).await.expect(200);
    assert_eq!(found["items"][0]["title"], json!(title));
    portal.get(&format!("/v1/companies?q={name}"), &admin).await.expect(200);
    let backwards = "/v1/shares?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z";
    portal.get(backwards, &admin).await.expect_invalid("to");
}
