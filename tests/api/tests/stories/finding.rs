//! "They can freely view, search, filter, and sort all (and only) the files you selected and shared with them."

use std::time::Duration;

use gatehouse_tests::{Portal, Who, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn titles(portal: &Portal, who: &Who, query: &str) -> Vec<String> {
    let (mut titles, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = portal.get(&format!("/v1/shares?limit=2&{query}{cursor}"), who).await.expect(200);
        titles.extend(page["items"].as_array().unwrap().iter().map(|row| text(&row["title"])));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return titles,
        }
    }
}

/// Title, reference, file, content type, bytes.
type Sent<'a> = (&'a str, Option<&'a str>, &'a str, &'a str, &'a [u8]);

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

async fn send(portal: &Portal, staff: &Who, to: &str, (title, reference, name, kind, bytes): Sent<'_>) -> String {
    let file = json!({ "name": name, "size": bytes.len(), "content_type": kind });
    let recipients = json!([{ "contact_id": to }]);
    let body = json!({ "title": title, "reference": reference, "recipients": recipients, "files": [file] });
    let created = portal.post("/v1/shares", staff, body).await.expect(201);
    let share = text(&created["id"]);
    portal.upload(&created["files"][0]["upload"], bytes).await;
    portal.complete(staff, &share, &text(&created["files"][0]["id"])).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), staff, None).await.expect(202);
    share
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_is_searched_filtered_and_sorted() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let eve = portal.customer(&admin, "eve@elsewhere.example").await;
    let start = portal.stack.clock.now();
    let sent: [Sent<'_>; 5] = [
        ("Été à Rotterdam", Some("VOY-17"), "a.txt", "text/plain", b"12345"),
        ("Discharge report", Some("VOY-18"), "photo of hold.png", "image/png", PNG),
        ("Bill of lading", None, "Zertifikat №5.pdf", "application/pdf", b"%PDF-1.7"),
        ("discharged goods", None, "list.csv", "text/csv", b"a;b"),
        ("Äpfel", None, "apples.txt", "text/plain", b"12"),
    ];
    let mut middle = start;
    for (n, share) in sent.into_iter().enumerate() {
        if n == 2 {
            middle = portal.stack.clock.now();
        }
        send(&portal, &admin, &ann.id, share).await;
        portal.pass(Duration::from_mins(1)).await;
    }
    send(&portal, &admin, &eve.id, ("Discharge of Eve", None, "a.txt", "text/plain", b"1")).await;

    let find = async |query: &str| titles(&portal, &ann.who, query).await;
    assert_eq!(find("").await.len(), 5, "hers, and no other");
    assert_eq!(find("q=ETE").await, ["Été à Rotterdam"]);
    assert_eq!(find("q=disch").await, ["discharged goods", "Discharge report"]);
    assert_eq!(find("q=disch&sort=title").await, ["Discharge report", "discharged goods"]);
    assert_eq!(find("q=voy").await, ["Discharge report", "Été à Rotterdam"]);
    assert_eq!(find("q=voy-17").await, ["Été à Rotterdam"]);
    assert_eq!(find("q=zertifikat").await, ["Bill of lading"], "by a file's name");
    assert_eq!(find("q=hold+report").await, ["Discharge report"], "every word must be there");
    assert_eq!(find("q=first+admin&sort=received_at").await.len(), 5, "by who sent it");
    assert_eq!(find("q=isch").await, [""; 0], "a word is found by its beginning");
    assert_eq!(find("q=%20").await.len(), 5);
    assert_eq!(find("type=image").await, ["Discharge report"]);
    assert_eq!(find("type=document&q=discharged").await, ["discharged goods"]);
    assert_eq!(find("type=video").await, [""; 0]);
    assert_eq!(
        find("sort=title").await,
        ["Äpfel", "Bill of lading", "Discharge report", "discharged goods", "Été à Rotterdam"]
    );
    assert_eq!(
        find("sort=-size").await,
        ["Discharge report", "Bill of lading", "Été à Rotterdam", "discharged goods", "Äpfel"]
    );
    assert_eq!(find("sort=received_at").await[0], "Été à Rotterdam");
    assert_eq!(find(&format!("from={middle}")).await, ["Äpfel", "discharged goods", "Bill of lading"]);
    assert_eq!(find(&format!("to={middle}&sort=title")).await, ["Discharge report", "Été à Rotterdam"]);
    assert_eq!(find(&format!("from={middle}&q=disch")).await, ["discharged goods"]);

    let first = text(&portal.get("/v1/shares?q=ete", &ann.who).await.expect(200)["items"][0]["id"]);
    portal.get(&format!("/v1/shares/{first}"), &ann.who).await.expect(200);
    let unread = ["Äpfel", "discharged goods", "Bill of lading", "Discharge report"];
    assert_eq!(find("unread=true").await, unread);
    assert_eq!(find("unread=true&sort=title").await[0], "Äpfel");
    assert_eq!(find("unread=true&q=report").await, ["Discharge report"]);

    for (query, field) in
        [("sort=name", "sort"), ("type=pdf", "type"), ("from=yesterday", "from"), ("unread=maybe", "unread")]
    {
        portal.get(&format!("/v1/shares?{query}"), &ann.who).await.expect_invalid(field);
    }
    // A cursor is of its own query.
    let page = portal.get("/v1/shares?limit=1&q=disch", &ann.who).await.expect(200);
    let next = text(&page["next"]);
    let other = portal.get(&format!("/v1/shares?limit=1&q=voy&cursor={next}"), &ann.who).await;
    other.expect_problem(400, "invalid_cursor");

    // Staff: all of it, or one customer's, or a company's.
    assert_eq!(titles(&portal, &admin, "q=disch").await.len(), 3);
    assert_eq!(titles(&portal, &admin, &format!("contact_id={}", eve.id)).await, ["Discharge of Eve"]);
    assert_eq!(titles(&portal, &admin, &format!("company_id={}&q=disch", ann.company)).await.len(), 2);
    portal.post("/v1/shares", &admin, json!({ "title": "Unsent", "files": [] })).await.expect(201);
    assert_eq!(titles(&portal, &admin, "state=draft").await, ["Unsent"]);
    assert_eq!(titles(&portal, &admin, "state=sent&sort=title").await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_asks_again_and_is_told_only_what_is_new() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.share(&admin, "One", &[&ann.id]).await;
    let first = portal.get("/v1/shares", &ann.who).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let ask = async |tag: &str| {
        let request = portal.request(Method::GET, "/v1/shares").bearer_auth(ann.who.0.clone().unwrap());
        portal.send(request.header("if-none-match", tag)).await
    };
    let same = ask(&tag).await;
    assert_eq!((same.status, &same.body), (StatusCode::NOT_MODIFIED, &Value::Null));
    assert_eq!(same.headers["etag"].to_str().unwrap(), tag);
    assert_eq!(ask(&format!("\"other\", W/{tag}")).await.status, StatusCode::NOT_MODIFIED);
    portal.share(&admin, "Two", &[&ann.id]).await;
    let changed = ask(&tag).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(changed.body["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_long_ago_is_removed_for_good_if_the_settings_say_so() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let revoked = send(&portal, &admin, &ann.id, ("Revoked", None, "a.txt", "text/plain", b"bytes")).await;
    let kept = send(&portal, &admin, &ann.id, ("Kept", None, "b.txt", "text/plain", b"bytes")).await;
    let ends = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_hours(24);
    let expired = send(&portal, &admin, &ann.id, ("Expired", None, "c.txt", "text/plain", b"bytes")).await;
    let path = format!("/v1/shares/{expired}");
    portal.post(&format!("{path}/downloads"), &ann.who, json!({})).await.expect(200);
    assert!(portal.everything_in_the_table().await.contains("\"SEEN#"));
    portal.patch(&path, &admin, json!({ "expires_at": ends.to_string() })).await.expect(200);
    portal.delete(&format!("/v1/shares/{revoked}"), &admin).await.expect(204);
    let day = Duration::from_hours(24);
    portal.pass(day * 40).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    portal.get(&path, &admin).await.expect(200);

    let body = Some(json!({ "retention_days": 30 }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    portal.pass(day).await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    for id in [&expired, &revoked] {
        let mut status = StatusCode::OK;
        for _ in 0..200 {
            status = portal.get(&format!("/v1/shares/{id}"), &admin).await.status;
            if status == StatusCode::NOT_FOUND {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(status, StatusCode::NOT_FOUND);
        let activity = portal.get(&format!("/v1/activity?share_id={id}"), &admin).await.expect(200);
        assert_eq!(activity["items"][0]["kind"], "share_erased");
        let everything = portal.everything_in_the_table().await;
        assert!(!everything.contains(&format!("\"{id}#")) && !everything.contains(&format!("INBOX#{id}")));
    }
    assert_eq!(titles(&portal, &admin, "").await, ["Kept"]);
    portal.get(&format!("/v1/shares/{kept}"), &admin).await.expect(200);
    portal.tasks_are_done().await;
    // What its readers have seen of a share goes with it.
    assert!(!portal.everything_in_the_table().await.contains("\"SEEN#"));
    let ann = portal.sign_in(&ann.email).await;
    assert_eq!(titles(&portal, &ann, "").await, ["Kept"]);
    assert_eq!(titles(&portal, &ann, "q=expired").await, [""; 0]);
}
