//! "Your customer will then be able to share documents in return. You are notified by email that a new document is
//! submitted. The files you shared are not deletable by the client; it can download the desired files to edit them."

use std::time::Duration;

use gatehouse_tests::{ADMIN, Customer, NOBODY, Portal, Reply, Who, text};
use reqwest::Method;
use serde_json::{Value, json};

/// Puts a small file into a share; the completed file.
pub(crate) async fn put(portal: &Portal, who: &Who, share: &str, name: &str, replaces: Option<&str>) -> Value {
    let mut body = json!({ "name": name, "size": 3, "content_type": "text/plain" });
    if let Some(replaces) = replaces {
        body["replaces"] = json!(replaces);
    }
    let added = portal.post(&format!("/v1/shares/{share}/files"), who, body).await.expect(201);
    assert_eq!(portal.upload(&added["upload"], b"new").await.as_u16(), 200);
    portal.complete(who, share, &text(&added["id"])).await.expect(200)
}

/// A share that takes files, with one of its own; share and file.
async fn open_share(portal: &Portal, staff: &Who, to: &[&str]) -> (String, String) {
    let file: [(&str, &str, &[u8]); 1] = [("offer.txt", "text/plain", b"old")];
    let share = portal.draft(staff, "Offer", to, &file).await;
    portal.patch(&format!("/v1/shares/{share}"), staff, json!({ "allow_upload": true })).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), staff, None).await.expect(202);
    let shown = portal.get(&format!("/v1/shares/{share}"), staff).await.expect(200);
    (share, text(&shown["files"][0]["id"]))
}

async fn staff_mails(portal: &Portal, count: usize) -> Vec<Value> {
    portal.mails_when(ADMIN, count).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_returns_a_file_as_a_new_version_and_its_sender_is_mailed() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    let (share, offer) = open_share(&portal, &admin, &[&ann.id, &bob.id]).await;
    let path = format!("/v1/shares/{share}");

    let returned = put(&portal, &ann.who, &share, "offer signed.txt", Some(&offer)).await;
    assert_eq!((&returned["version"], &returned["replaces"]), (&json!(2), &json!(offer)));
    let again = put(&portal, &ann.who, &share, "offer signed twice.txt", Some(&text(&returned["id"]))).await;
    assert_eq!((&again["version"], &again["by"]), (&json!(3), &json!("Zoë Contact")));

    // Versions are all kept and listed: for the staff and for her; another customer does not see what she returned.
    let names = async |who: &Who| -> Vec<String> {
        let shown = portal.get(&path, who).await.expect(200);
        shown["files"].as_array().unwrap().iter().map(|file| text(&file["name"])).collect()
    };
    assert_eq!(names(&admin).await.len(), 3);
    assert_eq!(names(&ann.who).await.len(), 3);
    assert_eq!(names(&bob.who).await, ["offer.txt"]);
    for (who, returned) in [(&admin, 2), (&ann.who, 2), (&bob.who, 0)] {
        assert_eq!(portal.get(&path, who).await.expect(200)["returned_count"], returned);
    }
    let download = |who: Who, id: Value| {
        let (portal, path) = (&portal, format!("{path}/files/{}/download", text(&id)));
        async move { portal.call(Method::POST, &path, &who, None).await }
    };
    let url = text(&download(admin.clone(), again["id"].clone()).await.expect(200)["url"]);
    assert_eq!(portal.fetch(&url).await.2, b"new");
    download(ann.who.clone(), again["id"].clone()).await.expect(200);
    download(bob.who.clone(), again["id"].clone()).await.expect_problem(404, "not_found");

    let mails = staff_mails(&portal, 2).await;
    assert!(text(&mails[0]["text"]).contains("offer signed.txt"), "{}", mails[0]["text"]);
    assert!(text(&mails[0]["text"]).contains(&format!("/shares/{share}")));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(ADMIN).await.len(), 2, "of files of one moment the first is mailed about");
    portal.pass(Duration::from_mins(11)).await;
    put(&portal, &ann.who, &share, "one more.txt", None).await;
    staff_mails(&portal, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_of_the_staff_are_mailed_to_those_who_have_the_share() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let (share, offer) = open_share(&portal, &admin, &[&ann.id]).await;
    portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200);
    put(&portal, &admin, &share, "offer corrected.txt", Some(&offer)).await;
    let mails = portal.mails_when(&ann.email, 3).await;
    assert!(text(&mails[0]["text"]).contains("offer corrected.txt") && text(&mails[0]["text"]).contains("/open#"));
    let row = &portal.get("/v1/shares", &ann.who).await.expect(200)["items"][0];
    assert_eq!((&row["unread"], &row["file_count"], &row["total_size"]), (&json!(true), &json!(2), &json!(6)));
    put(&portal, &admin, &share, "and another.txt", None).await;
    for _ in 0..100 {
        let row = portal.get("/v1/shares?q=another", &ann.who).await.expect(200);
        if row["items"][0]["file_count"] == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(
        portal.mails(&ann.email).await.len(),
        3,
        "she knows that there is something new, and has not looked yet"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_starts_a_share_of_its_own_to_the_staff() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    let file = json!({ "name": "claim.txt", "size": 5, "content_type": "text/plain" });
    let body = json!({ "title": "A claim", "message": "Please look.", "files": [file] });
    let created = portal.post("/v1/shares", &ann.who, body).await.expect(201);
    let (share, file) = (text(&created["id"]), text(&created["files"][0]["id"]));
    let path = format!("/v1/shares/{share}");
    let send = async |who: &Who| portal.call(Method::POST, &format!("{path}/send"), who, None).await;
    send(&ann.who).await.expect_problem(409, "upload_incomplete");
    portal.upload(&created["files"][0]["upload"], b"claim").await;
    portal.complete(&ann.who, &share, &file).await.expect(200);
    assert_eq!(portal.get(&path, &ann.who).await.expect(200)["state"], "draft");
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");
    send(&bob.who).await.expect_problem(404, "not_found");
    send(&admin).await.expect_problem(404, "not_found");
    send(&ann.who).await.expect(202);

    let mails = staff_mails(&portal, 2).await;
    assert!(text(&mails[0]["text"]).contains("A claim") && text(&mails[0]["text"]).contains("Please look."));
    let listed = portal.get("/v1/shares?q=claim", &admin).await.expect(200);
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["from"]), (&json!(share), &json!("Zoë Contact")));
    let own = portal.get("/v1/shares", &ann.who).await.expect(200);
    assert_eq!((&own["items"][0]["id"], &own["items"][0]["unread"]), (&json!(share), &json!(false)));
    portal.get(&path, &bob.who).await.expect_problem(404, "not_found");
    assert_eq!(portal.mails(&ann.email).await.len(), 1, "nobody is mailed about what it did itself");

    // The staff answer in the same place.
    put(&portal, &admin, &share, "answer.txt", None).await;
    let mails = portal.mails_when(&ann.email, 2).await;
    assert!(text(&mails[0]["text"]).contains("answer.txt"));
    assert_eq!(portal.get(&path, &ann.who).await.expect(200)["files"].as_array().unwrap().len(), 2);
    portal.delete(&path, &ann.who).await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_sends_is_told_to_who_looks_after_it_else_to_those_on_duty() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let enter = async |email: &str, on_duty: bool| {
        let body = json!({ "name": "Sam", "email": email, "roles": ["member"], "on_duty": on_duty });
        let id = text(&portal.post("/v1/staff", &admin, body).await.expect(201)["id"]);
        let token = portal.activation_token(email, 1).await;
        (id, portal.activate(&token).await)
    };
    let (owner, _) = enter("owner@northgate.example", false).await;
    enter("duty@northgate.example", true).await;
    enter("off@northgate.example", false).await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let claim = async |title: &str| {
        let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
        let body = json!({ "title": title, "files": [file] });
        let created = portal.post("/v1/shares", &ann.who, body).await.expect(201);
        portal.upload(&created["files"][0]["upload"], b"a").await;
        portal.complete(&ann.who, &text(&created["id"]), &text(&created["files"][0]["id"])).await.expect(200);
        let path = format!("/v1/shares/{}/send", text(&created["id"]));
        portal.call(Method::POST, &path, &ann.who, None).await.expect(202);
    };
    let contact = format!("/v1/contacts/{}", ann.id);
    portal.patch(&contact, &admin, json!({ "owner_id": owner })).await.expect(200);
    claim("One").await;
    portal.mails_when("owner@northgate.example", 2).await;
    portal.patch(&contact, &admin, json!({ "owner_id": null })).await.expect(200);
    claim("Two").await;
    portal.mails_when("duty@northgate.example", 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(portal.mails("owner@northgate.example").await.len(), 2);
    assert_eq!(portal.mails("off@northgate.example").await.len(), 1);
    portal
        .patch(&contact, &admin, json!({ "owner_id": "stf_01K9ZZZZZZZZZZZZZZZZZZZZZZ" }))
        .await
        .expect_invalid("owner_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_can_delete_nothing_and_touch_nothing_that_is_not_its_own() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let eve: Customer = portal.customer(&admin, "eve@elsewhere.example").await;
    let (share, offer) = open_share(&portal, &admin, &[&ann.id]).await;
    let (eves, eves_file) = open_share(&portal, &admin, &[&eve.id]).await;
    let closed = portal.share(&admin, "Takes no files", &[&eve.id]).await;
    let returned = put(&portal, &ann.who, &share, "returned.txt", None).await;
    let before = portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200);

    let new = json!({ "name": "x.txt", "size": 1, "content_type": "text/plain" });
    let versioned = |of: &str| json!({ "name": "x.txt", "size": 1, "content_type": "text/plain", "replaces": of });
    let post = async |path: String, body: Value| -> Reply { portal.post(&path, &eve.who, body).await };
    post(format!("/v1/shares/{share}/files"), new.clone()).await.expect_problem(404, "not_found");
    post(format!("/v1/shares/{share}/files"), versioned(&offer)).await.expect_problem(404, "not_found");
    post(format!("/v1/shares/{eves}/files"), versioned(&offer)).await.expect_invalid("replaces");
    post(format!("/v1/shares/{closed}/files"), new.clone()).await.expect_problem(403, "forbidden");
    for file in [&offer, &text(&returned["id"])] {
        let complete = format!("/v1/shares/{share}/files/{file}/complete");
        let parts = json!({ "parts": [{ "number": 1, "etag": "x" }] });
        post(complete.clone(), parts.clone()).await.expect_problem(404, "not_found");
        post(complete.replace(&share, &eves), parts).await.expect_problem(404, "not_found");
        let upload = format!("/v1/shares/{share}/files/{file}/upload");
        portal.get(&upload, &eve.who).await.expect_problem(404, "not_found");
        portal.get(&upload.replace(&share, &eves), &eve.who).await.expect_problem(404, "not_found");
    }
    // Nor can she go on with an upload of the staff in her own share.
    portal.get(&format!("/v1/shares/{eves}/files/{eves_file}/upload"), &eve.who).await.expect_problem(404, "not_found");
    // What is hers she may not change; of another's she is told nothing.
    for (share, status, slug) in [(&share, 404, "not_found"), (&eves, 403, "forbidden")] {
        let path = format!("/v1/shares/{share}");
        portal.delete(&path, &eve.who).await.expect_problem(status, slug);
        portal.patch(&path, &eve.who, json!({ "title": "Mine" })).await.expect_problem(status, slug);
        portal.get(&format!("{path}/recipients"), &eve.who).await.expect_problem(status, slug);
        let body = json!({ "contact_id": eve.id });
        portal.post(&format!("{path}/recipients"), &eve.who, body).await.expect_problem(status, slug);
        let recipient = format!("{path}/recipients/{}", ann.id);
        portal.delete(&recipient, &eve.who).await.expect_problem(status, slug);
        let gone = format!("{path}/files/{offer}");
        portal.delete(&gone, &eve.who).await.expect_problem(404, "not_found");
    }
    for (name, value) in [("contact_id", &ann.id), ("company_id", &ann.company), ("state", &"sent".to_owned())] {
        portal.get(&format!("/v1/shares?{name}={value}"), &eve.who).await.expect_invalid(name);
    }
    post(format!("/v1/shares/{share}/files"), new.clone()).await.expect_problem(404, "not_found");
    let nobody = portal.post(&format!("/v1/shares/{share}/files"), &NOBODY, new.clone()).await;
    nobody.expect_problem(401, "sign_in_required");
    assert_eq!(portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200), before, "nothing has changed");

    // Without the area, nothing is sent back.
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, json!({ "areas": ["files"] })).await.expect(200);
    let refused = portal.post(&format!("/v1/shares/{share}/files"), &ann.who, new).await;
    refused.expect_problem(403, "area_not_open");
    let body = json!({ "title": "Mine", "files": [] });
    portal.post("/v1/shares", &ann.who, body).await.expect_problem(403, "area_not_open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sends_sixty_shares_in_any_hour() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let send = async || {
        let share = portal.draft(&ann.who, "Papers", &[], &[("note.txt", "text/plain", b"hello")]).await;
        portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &ann.who, None).await
    };
    for n in 0..60 {
        send().await.expect(202);
        if n == 29 {
            portal.pass(Duration::from_mins(30)).await;
        }
    }
    let refused = send().await;
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    refused.expect_problem(429, "too_many_requests");
    assert!((1..=1800).contains(&wait), "{wait} s");
    portal.pass(Duration::from_secs(wait)).await;
    send().await.expect(202);
}
