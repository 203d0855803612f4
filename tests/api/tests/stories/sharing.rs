//! "They can freely view all (and only) the files you selected and shared with them. The snaps and videos stay in
//! the same high quality."

use std::time::Duration;

use gatehouse_tests::{NOBODY, Portal, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const UNICODE_NAME: &str = "Rapport été – №5 (итог).pdf";

/// Bytes that look like a photo: several MB that no compression shortens.
fn photo() -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let noise = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    });
    [0xff, 0xd8, 0xff, 0xe0].into_iter().chain(noise.take(5_000_000)).collect()
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:?}", ring::digest::digest(&ring::digest::SHA256, bytes)).replace("SHA256:", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_gets_the_files_that_were_shared_byte_for_byte_under_their_own_names() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let photo = photo();
    let files: [(&str, &str, &[u8]); 4] = [
        ("report.pdf", "application/pdf", b"%PDF-1.7 and so on"),
        ("photo.jpg", "image/jpeg", &photo),
        (UNICODE_NAME, "application/pdf", b"%PDF-1.4 \xd0\xb8"),
        ("empty.txt", "text/plain", b""),
    ];
    let announced: Vec<Value> = files
        .iter()
        .map(|(name, kind, bytes)| json!({ "name": name, "size": bytes.len(), "content_type": kind, "sha256": sha256(bytes) }))
        .collect();
    let body = json!({
        "title": "Discharge report", "reference": "VOY-17", "message": "As discussed.", "allow_upload": true,
        "recipients": [{ "contact_id": ann.id }], "files": announced,
    });
    let created = portal.post("/v1/shares", &admin, body).await.expect(201);
    assert_eq!(created["state"], "draft");
    let share = text(&created["id"]);
    for (file, (_, _, bytes)) in created["files"].as_array().unwrap().iter().zip(files) {
        assert_eq!(portal.upload(&file["upload"], bytes).await, StatusCode::OK);
        portal.complete(&admin, &share, &text(&file["id"])).await.expect(200);
    }
    let inbox = portal.get("/v1/shares", &ann.who).await.expect(200);
    assert_eq!(inbox["items"], json!([]), "a draft is nobody's yet");
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);

    let mail = &portal.mails_when(&ann.email, 2).await[0];
    assert!(text(&mail["subject"]).contains("Discharge report"));
    assert!(text(&mail["html"]).contains("Open report") && text(&mail["text"]).contains("As discussed."));

    let inbox = portal.get("/v1/shares", &ann.who).await.expect(200);
    let row = &inbox["items"][0];
    let total: usize = files.iter().map(|(_, _, bytes)| bytes.len()).sum();
    let expected = json!({
        "id": share, "title": "Discharge report", "reference": "VOY-17", "message": "As discussed.",
        "from": "First Admin", "received_at": row["received_at"], "expires_at": null,
        "file_count": 4, "total_size": total, "unread": true, "allow_upload": true,
    });
    let first = row["first_files"].as_array().unwrap();
    let mut previews: Vec<String> = first.iter().map(|file| text(&file["preview"])).collect();
    previews.sort_unstable();
    assert_eq!(previews, ["image", "pdf", "pdf"]);
    let mut row = row.clone();
    row.as_object_mut().unwrap().remove("first_files");
    assert_eq!(row, expected);

    let one = portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200);
    for (name, kind, bytes) in files {
        let shown = one["files"].as_array().unwrap().iter().find(|file| file["name"] == name).unwrap();
        assert_eq!((&shown["size"], &shown["content_type"]), (&json!(bytes.len()), &json!(kind)));
        assert_eq!((&shown["sha256"], &shown["version"]), (&json!(sha256(bytes)), &json!(1)));
        let path = format!("/v1/shares/{share}/files/{}/download", text(&shown["id"]));
        let download = portal.call(Method::POST, &path, &ann.who, None).await.expect(200);
        assert_eq!((&download["name"], &download["size"]), (&json!(name), &json!(bytes.len())));
        let (status, headers, fetched) = portal.fetch(&text(&download["url"])).await;
        assert_eq!((status, sha256(&fetched)), (StatusCode::OK, sha256(bytes)), "{name}");
        let disposition = headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; "), "{disposition}");
        if name == UNICODE_NAME {
            let encoded = "filename*=UTF-8''Rapport%20%C3%A9t%C3%A9%20%E2%80%93%20%E2%84%965%20%28%D0%B8%D1%82%D0%BE%D0%B3%29.pdf";
            assert!(disposition.ends_with(encoded), "{disposition}");
        }
    }
    let inbox = portal.get("/v1/shares", &ann.who).await.expect(200);
    assert_eq!(inbox["items"][0]["unread"], false, "it was opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_are_fetched_with_one_request() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let files: [(&str, &str, &[u8]); 3] =
        [("a.txt", "text/plain", b"a"), ("b.txt", "text/plain", b"bb"), ("c.txt", "text/plain", b"ccc")];
    let share = portal.draft(&admin, "Three", &[&ann.id], &files).await;
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    let path = format!("/v1/shares/{share}/downloads");
    let all = portal.call(Method::POST, &path, &ann.who, None).await.expect(200);
    let items = all["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    for (name, _, bytes) in files {
        let item = items.iter().find(|item| item["name"] == name).unwrap();
        assert_eq!(portal.fetch(&text(&item["url"])).await.2, bytes);
    }
    let some = portal.post(&path, &ann.who, json!({ "files": [items[1]["id"]] })).await.expect(200);
    assert_eq!(some["items"].as_array().unwrap().len(), 1);
    let foreign = gatehouse::domain::FileId::new(gatehouse::clock::Timestamp::now()).to_string();
    let body = json!({ "files": [items[1]["id"], foreign] });
    portal.post(&path, &ann.who, body).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_sees_only_its_own_shares() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let eve = portal.customer(&admin, "eve@elsewhere.example").await;
    let share = portal.share(&admin, "For Ann", &[&ann.id]).await;
    let eves = portal.share(&admin, "For Eve", &[&eve.id]).await;
    let one = portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200);
    let file = text(&one["files"][0]["id"]);

    assert_eq!(portal.get("/v1/shares", &eve.who).await.expect(200)["items"][0]["id"], json!(eves));
    portal.get(&format!("/v1/shares/{share}"), &eve.who).await.expect_problem(404, "not_found");
    let post = async |path: String| portal.call(Method::POST, &path, &eve.who, None).await;
    post(format!("/v1/shares/{share}/files/{file}/download")).await.expect_problem(404, "not_found");
    post(format!("/v1/shares/{share}/downloads")).await.expect_problem(404, "not_found");
    // Her own share does not open another's file.
    post(format!("/v1/shares/{eves}/files/{file}/download")).await.expect_problem(404, "not_found");
    let body = json!({ "files": [file] });
    portal.post(&format!("/v1/shares/{eves}/downloads"), &eve.who, body).await.expect_problem(404, "not_found");
    // Nor does Ann's cursor, or anybody's without a session.
    portal.share(&admin, "For Ann, too", &[&ann.id]).await;
    let cursor = text(&portal.get("/v1/shares?limit=1", &ann.who).await.expect(200)["next"]);
    portal.get(&format!("/v1/shares?cursor={cursor}"), &eve.who).await.expect_problem(400, "invalid_cursor");
    portal.get("/v1/shares", &NOBODY).await.expect_problem(401, "sign_in_required");
    portal.get(&format!("/v1/shares/{share}"), &NOBODY).await.expect_problem(401, "sign_in_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_make_and_send_no_shares_of_the_staff() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let file: [(&str, &str, &[u8]); 1] = [("a.txt", "text/plain", b"a")];
    let draft = portal.draft(&admin, "Draft", &[&ann.id], &file).await;
    let new = json!({ "title": "Mine", "recipients": [{ "contact_id": ann.id }], "files": [] });
    portal.post("/v1/shares", &ann.who, new).await.expect_invalid("recipients");
    portal
        .call(Method::POST, &format!("/v1/shares/{draft}/send"), &ann.who, None)
        .await
        .expect_problem(404, "not_found");
    let added = json!({ "name": "x.txt", "size": 1, "content_type": "text/plain" });
    portal.post(&format!("/v1/shares/{draft}/files"), &ann.who, added).await.expect_problem(404, "not_found");
    portal.get(&format!("/v1/shares/{draft}"), &ann.who).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_not_sendable_before_all_its_bytes_are_there() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let right = b"exactly these bytes";
    let announced =
        json!({ "name": "a.txt", "size": right.len(), "content_type": "text/plain", "sha256": sha256(right) });
    let body = json!({ "title": "Report", "recipients": [{ "contact_id": ann.id }], "files": [announced] });
    let created = portal.post("/v1/shares", &admin, body).await.expect(201);
    let (share, file) = (text(&created["id"]), text(&created["files"][0]["id"]));
    let send = async || portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await;

    send().await.expect_problem(409, "upload_incomplete");
    portal.complete(&admin, &share, &file).await.expect_problem(409, "upload_incomplete");
    // The signed URL takes no other size, no other bytes, no other type.
    let upload = &created["files"][0]["upload"];
    assert_ne!(portal.upload(upload, b"too short").await, StatusCode::OK);
    assert_ne!(portal.upload(upload, b"exactly other bytes").await, StatusCode::OK);
    let mut other_type = upload.clone();
    other_type["headers"]["content-type"] = json!("text/html");
    assert_ne!(portal.upload(&other_type, right).await, StatusCode::OK);
    portal.complete(&admin, &share, &file).await.expect_problem(409, "upload_incomplete");
    send().await.expect_problem(409, "upload_incomplete");
    assert_eq!(portal.get("/v1/shares", &ann.who).await.expect(200)["items"], json!([]));

    // A fresh URL for the same file, as after a break.
    let again = portal.get(&format!("/v1/shares/{share}/files/{file}/upload"), &admin).await.expect(200);
    assert_eq!(portal.upload(&again["upload"], right).await, StatusCode::OK);
    let done = portal.complete(&admin, &share, &file).await.expect(200);
    assert_eq!(portal.complete(&admin, &share, &file).await.expect(200), done, "saying so twice is no fault");
    let done = portal.get(&format!("/v1/shares/{share}/files/{file}/upload"), &admin).await.expect(200);
    assert_eq!(done["upload"], Value::Null);

    let added = json!({ "name": "b.txt", "size": 1, "content_type": "text/plain" });
    let added = portal.post(&format!("/v1/shares/{share}/files"), &admin, added).await.expect(201);
    send().await.expect_problem(409, "upload_incomplete");
    portal.upload(&added["upload"], b"b").await;
    portal.complete(&admin, &share, &text(&added["id"])).await.expect(200);
    send().await.expect(202);
    send().await.expect_problem(409, "already_sent");
    assert_eq!(portal.mails_when(&ann.email, 2).await.len(), 2, "one invitation, one share");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_sends_at_once_one_sends() {
    let portal = std::sync::Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let file: [(&str, &str, &[u8]); 1] = [("a.txt", "text/plain", b"a")];
    let share = portal.draft(&admin, "Report", &[&ann.id], &file).await;
    let sends = (0..20).map(|_| {
        let (portal, admin, path) = (portal.clone(), admin.clone(), format!("/v1/shares/{share}/send"));
        tokio::spawn(async move { portal.call(Method::POST, &path, &admin, None).await.status.as_u16() })
    });
    let mut sent = 0;
    for send in sends.collect::<Vec<_>>() {
        match send.await.unwrap() {
            202 => sent += 1,
            status => assert_eq!(status, 409),
        }
    }
    assert_eq!(sent, 1);
    portal.mails_when(&ann.email, 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(portal.mails(&ann.email).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_share_is_refused_with_its_field_and_nothing_is_stored() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let unknown = gatehouse::domain::ContactId::new(gatehouse::clock::Timestamp::now()).to_string();
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let with = |name: &str, value: Value| {
        let mut share = json!({ "title": "T", "recipients": [], "files": [file] });
        share[name] = value;
        share
    };
    let with_file = |name: &str, value: Value| {
        let mut changed = file.clone();
        changed[name] = value;
        with("files", json!([file, changed]))
    };
    for (body, field) in [
        (with("title", json!("")), "title"),
        (with("expires_at", json!("tomorrow")), "expires_at"),
        (with("expires_at", json!("2020-01-01T00:00:00Z")), "expires_at"),
        (with("recipients", json!([{ "contact_id": unknown }])), "recipients[0].contact_id"),
        (with("recipients", json!([{ "contact_id": "con_1" }])), "recipients[0].contact_id"),
        (with("recipients", json!(["all"])), "recipients[0]"),
        (with("recipients", json!([{}])), "recipients[0]"),
        (with("recipients", json!([{ "email": "no address" }])), "recipients[0].email"),
        (with_file("name", json!("")), "files[1].name"),
        (with_file("name", json!("x".repeat(256))), "files[1].name"),
        (with_file("size", json!(-1)), "files[1].size"),
        (with_file("size", json!(1.5)), "files[1].size"),
        (with_file("size", json!(u64::MAX)), "files[1].size"),
        (with_file("content_type", json!("pdf")), "files[1].content_type"),
        (with_file("sha256", json!("abc")), "files[1].sha256"),
    ] {
        let problem = portal.post("/v1/shares", &admin, body).await.expect_invalid(field);
        assert!(!problem.contains("struct"), "{problem}");
    }
    assert_eq!(portal.get("/v1/shares", &admin).await.expect(200)["items"], json!([]));
    let empty = text(&portal.post("/v1/shares", &admin, json!({ "title": "Empty" })).await.expect(201)["id"]);
    portal.call(Method::POST, &format!("/v1/shares/{empty}/send"), &admin, None).await.expect_invalid("files");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_url_dies_within_five_minutes_and_a_share_at_its_end() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let ends = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_mins(10);
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let body = json!({ "title": "T", "recipients": [{ "contact_id": ann.id }], "files": [file], "expires_at": ends.to_string() });
    let created = portal.post("/v1/shares", &admin, body).await.expect(201);
    let (share, file) = (text(&created["id"]), text(&created["files"][0]["id"]));
    portal.upload(&created["files"][0]["upload"], b"a").await;
    portal.complete(&admin, &share, &file).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);

    let path = format!("/v1/shares/{share}/files/{file}/download");
    let download = async || portal.call(Method::POST, &path, &ann.who, None).await;
    let url = text(&download().await.expect(200)["url"]);
    assert_eq!(portal.fetch(&url).await.0, StatusCode::OK);
    portal.pass(Duration::from_secs(301)).await;
    assert_eq!(portal.fetch(&url).await.0, StatusCode::FORBIDDEN);
    let url = text(&download().await.expect(200)["url"]);
    assert_eq!(portal.fetch(&url).await.0, StatusCode::OK, "a fresh one works");
    portal.pass(Duration::from_mins(5)).await;
    download().await.expect_problem(410, "share_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_is_paged_newest_first_and_complete() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let mut sent = Vec::new();
    for n in 0..7 {
        sent.push(portal.share(&admin, &format!("Share {n}"), &[&ann.id]).await);
    }
    sent.reverse();
    for limit in [1, 3, 7, 100] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = portal.get(&format!("/v1/shares?limit={limit}{cursor}"), &ann.who).await.expect(200);
            let items = page["items"].as_array().unwrap();
            assert!(!items.is_empty() && items.len() <= limit, "no page is empty or too long");
            seen.extend(items.iter().map(|item| text(&item["id"])));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, sent);
    }
    let all = portal.get("/v1/shares", &admin).await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 7, "staff see all");
    assert_eq!(all["items"][0]["state"], "sent");
}
