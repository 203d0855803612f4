//! "Share files and folders": a share keeps the folders of its files, wherever it is seen, found, fetched or left out.

use gatehouse_tests::{NOBODY, Portal, Who, text, token_in};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A draft of small files by their paths, all uploaded: its path in the API, and the ids of the files in that order.
async fn draft(portal: &Portal, by: &Who, to: Value, paths: &[&str]) -> (String, Vec<String>) {
    let files: Vec<Value> = paths.iter().map(|path| file(path)).collect();
    let body = json!({ "title": "Damage", "recipients": to, "files": files });
    let share = portal.post("/v1/shares", by, body).await.expect(201);
    let id = text(&share["id"]);
    let mut ids = Vec::new();
    for file in share["files"].as_array().unwrap() {
        assert_eq!(portal.upload(&file["upload"], b"hello").await, StatusCode::OK);
        portal.complete(by, &id, &text(&file["id"])).await.expect(200);
        ids.push(text(&file["id"]));
    }
    (format!("/v1/shares/{id}"), ids)
}

fn file(path: &str) -> Value {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    json!({ "name": name, "size": 5, "content_type": "text/plain", "folder": folder })
}

async fn send(portal: &Portal, by: &Who, share: &str) {
    portal.call(Method::POST, &format!("{share}/send"), by, None).await.expect(202);
}

fn paths(files: &Value) -> Vec<String> {
    let path = |file: &Value| match text(&file["folder"]) {
        folder if folder.is_empty() => text(&file["name"]),
        folder => format!("{folder}/{}", text(&file["name"])),
    };
    let mut paths: Vec<String> = files.as_array().unwrap().iter().map(path).collect();
    paths.sort();
    paths
}

const PATHS: [&str; 4] = ["Photos/Back/1.txt", "Photos/Front/1.txt", "Photos/Front/2.txt", "report.txt"];

#[tokio::test(flavor = "multi_thread")]
async fn a_share_keeps_the_folders_of_its_files_for_everybody_who_sees_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let to = json!([{ "contact_id": ann.id }, { "email": "guest@quay.example" }]);
    let (share, ids) = draft(&portal, &admin, to, &PATHS).await;
    send(&portal, &admin, &share).await;
    for who in [&admin, &ann.who] {
        assert_eq!(paths(&portal.get(&share, who).await.expect(200)["files"]), PATHS);
        let downloads = portal.post(&format!("{share}/downloads"), who, json!({})).await.expect(200);
        assert_eq!(paths(&downloads["items"]), PATHS);
        let one = portal.post(&format!("{share}/files/{}/download", ids[1]), who, json!({})).await.expect(200);
        assert_eq!((&one["folder"], &one["name"]), (&json!("Photos/Front"), &json!("1.txt")));
    }
    let mail = text(&portal.mails_when("guest@quay.example", 1).await[0]["text"]);
    assert!(mail.contains("4 files in 2 folders"), "{mail}");
    let token = token_in(&mail, "/open#");
    let opened = portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200);
    assert_eq!(paths(&opened["files"]), PATHS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_fetches_all_files_or_some_at_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let to = json!([{ "email": "guest@quay.example" }]);
    let (share, ids) = draft(&portal, &admin, to, &PATHS).await;
    let hidden = json!({ "excluded_files": [ids[3]] });
    portal.patch(&share, &admin, hidden).await.expect(200);
    send(&portal, &admin, &share).await;
    let other = portal.share_with(&admin, "Other", &json!([{ "email": "other@quay.example" }])).await;
    let foreign = text(&portal.get(&format!("/v1/shares/{other}"), &admin).await.expect(200)["files"][0]["id"]);
    let mail = text(&portal.mails_when("guest@quay.example", 1).await[0]["text"]);
    let token = token_in(&mail, "/open#");
    let fetch = async |files: Value| {
        portal.post("/v1/links/downloads", &NOBODY, json!({ "token": token, "files": files })).await
    };
    let all = fetch(Value::Null).await.expect(200);
    assert_eq!(
        (paths(&all["items"]), &all["remaining"]),
        (PATHS[..3].iter().map(ToString::to_string).collect(), &json!([]))
    );
    let (status, _, bytes) = portal.fetch(&text(&all["items"][0]["url"])).await;
    assert_eq!((status, bytes.as_slice()), (StatusCode::OK, b"hello".as_slice()));
    assert_eq!(fetch(json!([ids[0]])).await.expect(200)["items"].as_array().unwrap().len(), 1);
    for not_there in [&ids[3], &foreign, &"fil_01K9ZZZZZZZZZZZZZZZZZZZZZZ".to_owned()] {
        fetch(json!([ids[0], not_there])).await.expect_problem(404, "not_found");
    }
    // The same, or some of them, within the hour is the same download.
    fetch(Value::Null).await.expect(200);
    let activity = portal.get("/v1/activity?kind=files_downloaded", &admin).await.expect(200);
    let files: Vec<_> =
        activity["items"].as_array().unwrap().iter().map(|item| item["files"].as_array().unwrap().len()).collect();
    assert_eq!((files, &activity["items"][0]["by_link"]), (vec![3], &json!(true)));

    portal.delete(&share, &admin).await.expect(204);
    fetch(Value::Null).await.expect_problem(410, "link_withdrawn");
    let forged = json!({ "token": gatehouse::domain::Token::random().reveal() });
    portal.post("/v1/links/downloads", &NOBODY, forged).await.expect_problem(404, "link_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_found_by_its_words_and_a_new_version_stays_in_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let (share, ids) = draft(&portal, &admin, json!([{ "contact_id": ann.id }]), &["Bulkhead/Starboard/1.txt"]).await;
    portal.patch(&share, &admin, json!({ "allow_upload": true })).await.expect(200);
    send(&portal, &admin, &share).await;
    portal.tasks_are_done().await;
    let found = portal.get("/v1/shares?q=starb+bulk", &ann.who).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);

    let add = async |new: Value| {
        let added = portal.post(&format!("{share}/files"), &ann.who, new).await.expect(201);
        portal.upload(&added["upload"], b"hello").await;
        let share = share.trim_start_matches("/v1/shares/");
        portal.complete(&ann.who, share, &text(&added["id"])).await.expect(200)
    };
    let version = json!({ "name": "1 signed.txt", "size": 5, "replaces": ids[0] });
    let version = add(version).await;
    assert_eq!((&version["folder"], &version["version"]), (&json!("Bulkhead/Starboard"), &json!(2)));
    let moved = add(json!({ "name": "1.txt", "size": 5, "replaces": version["id"], "folder": "Done" })).await;
    assert_eq!((&moved["folder"], &moved["version"]), (&json!("Done"), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_folder_is_left_out_with_what_lies_in_it_and_what_comes_later() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let (share, ids) = draft(&portal, &admin, json!([{ "contact_id": ann.id }]), &PATHS).await;
    for (folders, field) in [
        (json!(["Nowhere"]), "excluded_folders[0]"),
        (json!([""]), "excluded_folders[0]"),
        (json!(["Photos", "Pho"]), "excluded_folders[0]"),
    ] {
        portal.patch(&share, &admin, json!({ "excluded_folders": folders })).await.expect_invalid(field);
    }
    portal.patch(&share, &admin, json!({ "excluded_folders": ["a\\b"] })).await.expect_problem(422, "invalid_fields");
    let changed = portal.patch(&share, &admin, json!({ "excluded_folders": ["Photos"] })).await.expect(200);
    assert_eq!(changed["excluded_folders"], json!(["Photos"]));
    send(&portal, &admin, &share).await;
    let seen = async || {
        let shown = portal.get(&share, &ann.who).await.expect(200);
        assert!(shown["excluded_folders"].is_null());
        assert_eq!(shown["file_count"], shown["files"].as_array().unwrap().len());
        paths(&shown["files"])
    };
    assert_eq!(seen().await, ["report.txt"]);
    let fetch = format!("{share}/files/{}/download", ids[0]);
    portal.post(&fetch, &ann.who, json!({})).await.expect_problem(404, "not_found");
    portal.tasks_are_done().await;
    let found = portal.get("/v1/shares?q=front", &ann.who).await.expect(200);
    assert_eq!(found["items"], json!([]));

    let added = portal.post(&format!("{share}/files"), &admin, file("Photos/Back/late.txt")).await.expect(201);
    portal.upload(&added["upload"], b"hello").await;
    let id = share.trim_start_matches("/v1/shares/");
    portal.complete(&admin, id, &text(&added["id"])).await.expect(200);
    assert_eq!(seen().await, ["report.txt"]);
    let staff = portal.get(&share, &admin).await.expect(200);
    assert_eq!((staff["files"].as_array().unwrap().len(), &staff["excluded_folders"]), (5, &json!(["Photos"])));
    portal.patch(&share, &ann.who, json!({ "excluded_folders": [] })).await.expect_problem(403, "forbidden");

    portal.patch(&share, &admin, json!({ "excluded_folders": ["Photos/Back"] })).await.expect(200);
    assert_eq!(seen().await, ["Photos/Front/1.txt", "Photos/Front/2.txt", "report.txt"]);
    portal.patch(&share, &admin, json!({ "excluded_folders": [] })).await.expect(200);
    assert_eq!(seen().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_could_not_be_unzipped_everywhere_is_refused_and_changes_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    for folder in
        ["../up", "/etc", "a//b", "a\\b", "C:", "con", "a/aux.d", "a.", "a\nb", "a\u{202e}b", "1/2/3/4/5/6/7/8/9"]
    {
        let file = json!({ "name": "a.txt", "size": 1, "folder": folder });
        let body = json!({ "title": "T", "files": [{ "name": "b.txt", "size": 1 }, file] });
        let why = portal.post("/v1/shares", &admin, body).await.expect_invalid("files[1].folder");
        assert!(!why.is_empty());
    }
    // What is a file for one is no folder for another: neither is unzipped beside the other, capitals or not.
    for (one, other) in [("photos", "Photos/1.txt"), ("A/b/1.txt", "a/B")] {
        let body = json!({ "title": "T", "files": [file(one), file(other)] });
        portal.post("/v1/shares", &admin, body).await.expect_invalid("files[1].folder");
    }
    assert_eq!(portal.get("/v1/shares", &admin).await.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_added_a_file_renames_and_moves_it_until_its_share_is_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bo = portal.customer(&admin, "bo@quay.example").await;
    let (share, ids) = draft(&portal, &admin, json!([{ "contact_id": ann.id }]), &["1.txt", "Photos/2.txt"]).await;
    let path = format!("{share}/files/{}", ids[0]);
    let renamed = portal.patch(&path, &admin, json!({ "name": "con", "folder": "Photos/Front" })).await.expect(200);
    assert_eq!(
        (&renamed["name"], &renamed["folder"], &renamed["renamed"]),
        (&json!("_con"), &json!("Photos/Front"), &json!(true))
    );
    let renamed = portal.patch(&path, &admin, json!({ "name": "first.txt" })).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["folder"]), (&json!("first.txt"), &json!("Photos/Front")));
    portal.patch(&path, &admin, json!({ "folder": "../x" })).await.expect_invalid("folder");
    portal.patch(&path, &admin, json!({ "folder": "", "name": "Photos" })).await.expect_invalid("folder");
    portal.patch(&path, &admin, json!({ "size": 1 })).await.expect_problem(422, "invalid_fields");
    for stranger in [&ann.who, &bo.who] {
        portal.patch(&path, stranger, json!({ "name": "mine.txt" })).await.expect_problem(404, "not_found");
    }
    portal.patch(&path, &NOBODY, json!({ "name": "mine.txt" })).await.expect_problem(401, "sign_in_required");
    send(&portal, &admin, &share).await;
    portal.tasks_are_done().await;
    let found = portal.get("/v1/shares?q=first+front", &ann.who).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "it is found by what it was called when it was sent");
    portal.patch(&path, &admin, json!({ "name": "late.txt" })).await.expect_problem(409, "already_sent");
    portal.patch(&path, &ann.who, json!({ "name": "late.txt" })).await.expect_problem(404, "not_found");

    let (own, ids) = {
        let body = json!({ "title": "Papers", "files": [file("a.txt")] });
        let made = portal.post("/v1/shares", &ann.who, body).await.expect(201);
        (format!("/v1/shares/{}", text(&made["id"])), text(&made["files"][0]["id"]))
    };
    let path = format!("{own}/files/{ids}");
    portal.patch(&path, &ann.who, json!({ "folder": "Customs" })).await.expect(200);
    for other in [&bo.who, &admin] {
        portal.patch(&path, other, json!({ "folder": "Mine" })).await.expect_problem(404, "not_found");
    }
    let activity = portal.get("/v1/activity?kind=file_renamed", &admin).await.expect(200);
    assert_eq!(activity["items"].as_array().unwrap().len(), 3);
}
