//! Looking without downloading: what a browser shows is shown, nothing that could run ever runs, and "viewed" and
//! "downloaded" are different things.

use std::time::Duration;

use gatehouse_tests::{NOBODY, Portal, Who, text, token_in};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";
const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
const SVG: &[u8] = b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
const TIFF: &[u8] = b"II*\0\x08\0\0\0";

/// A file's name, type and bytes, and as what it is shown, if it is.
type Case<'a> = (&'a str, &'a str, &'a [u8], Option<(&'a str, &'a str)>);

/// A share with those files: its path, and the files as its maker sees them, in that order.
async fn sent(portal: &Portal, by: &Who, to: &Value, files: &[(&str, &str, &[u8])]) -> (String, Vec<Value>) {
    let announced: Vec<Value> = files
        .iter()
        .map(|(name, kind, bytes)| json!({ "name": name, "size": bytes.len(), "content_type": kind }))
        .collect();
    let body = json!({ "title": "Visit", "recipients": to, "files": announced });
    let share = portal.post("/v1/shares", by, body).await.expect(201);
    let id = text(&share["id"]);
    let mut stored = Vec::new();
    for (file, (.., bytes)) in share["files"].as_array().unwrap().iter().zip(files) {
        assert_eq!(portal.upload(&file["upload"], bytes).await, StatusCode::OK);
        stored.push(portal.complete(by, &id, &text(&file["id"])).await.expect(200));
    }
    portal.call(Method::POST, &format!("/v1/shares/{id}/send"), by, None).await.expect(202);
    (format!("/v1/shares/{id}"), stored)
}

async fn kinds(portal: &Portal, staff: &Who, kind: &str) -> Vec<Value> {
    let page = portal.get(&format!("/v1/activity?kind={kind}&limit=100"), staff).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_shows_by_its_bytes_is_shown_and_what_could_run_never_is() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let files: [Case; 12] = [
        ("a.png", "image/png", PNG, Some(("image", "image/png"))),
        ("photo.jpg", "text/html", PNG, Some(("image", "image/png"))),
        ("plan.pdf", "application/octet-stream", PDF, Some(("pdf", "application/pdf"))),
        ("a.mp3", "audio/mpeg", MP3, Some(("audio", "audio/mpeg"))),
        ("a.mp4", "video/mp4", MP4, Some(("video", "video/mp4"))),
        ("notes.txt", "text/plain", "Été <ok>".as_bytes(), Some(("text", "text/plain; charset=utf-8"))),
        ("list.csv", "text/csv", b"a;b\n1;2", Some(("text", "text/plain; charset=utf-8"))),
        ("page.txt", "text/plain", b"\n <Script>alert(1)</script>", None),
        ("logo.png", "image/png", SVG, None),
        ("page.html", "text/html", b"plain as it looks", None),
        ("scan.tiff", "image/tiff", TIFF, None),
        ("data.bin", "image/png", &[0, 1, 2, 255], None),
    ];
    let announced: Vec<_> = files.iter().map(|(name, kind, bytes, _)| (*name, *kind, *bytes)).collect();
    let (share, stored) = sent(&portal, &admin, &json!([{ "contact_id": ann.id }]), &announced).await;
    for ((name, _, bytes, shown), file) in files.iter().zip(&stored) {
        assert_eq!(file["preview"], shown.map_or(Value::Null, |(kind, _)| json!(kind)), "{name}");
        let reply = portal.post(&format!("{share}/files/{}/preview", text(&file["id"])), &ann.who, json!({})).await;
        let Some((_, content_type)) = shown else {
            reply.expect_problem(409, "no_preview");
            continue;
        };
        let preview = reply.expect(200);
        assert_eq!(preview["content_type"], *content_type, "{name}");
        let url = text(&preview["url"]);
        let (status, headers, got) = portal.fetch(&url).await;
        assert_eq!((status, got.as_slice()), (StatusCode::OK, *bytes));
        assert_eq!(headers["content-type"], *content_type);
        assert!(headers["content-disposition"].to_str().unwrap().starts_with("inline; "));
        assert_eq!(headers["cache-control"], "private, no-store");
        // Neither can be made into another: both are signed.
        for (is, other) in [("inline", "attachment"), (content_type.split(';').next().unwrap(), "text/html")] {
            let is = is.replace('/', "%2F");
            assert!(url.contains(&is), "{url}");
            let (status, ..) = portal.fetch(&url.replacen(&is, &other.replace('/', "%2F"), 1)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_recorded_once_for_each_person_file_and_hour_and_is_no_download() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let to = json!([{ "contact_id": ann.id }]);
    let (share, files) = sent(&portal, &admin, &to, &[("a.png", "image/png", PNG), ("b.png", "image/png", PNG)]).await;
    let path = |n: usize, what: &str| format!("{share}/files/{}/{what}", text(&files[n]["id"]));
    let seen = async |n: usize| {
        let shown = portal.get(&share, &ann.who).await.expect(200);
        let file = shown["files"].as_array().unwrap().iter().find(|file| file["id"] == files[n]["id"]).unwrap();
        (file["viewed_at"].is_string(), file["downloaded_at"].is_string())
    };
    assert_eq!(seen(0).await, (false, false));

    let (preview, none) = (path(0, "preview"), || json!({}));
    let look = || portal.post(&preview, &ann.who, none());
    for looked in <[_; 8]>::from(tokio::join!(look(), look(), look(), look(), look(), look(), look(), look())) {
        looked.expect(200);
    }
    let viewed = kinds(&portal, &admin, "file_viewed").await;
    assert_eq!(
        (viewed.len(), &viewed[0]["contact_id"], &viewed[0]["files"]),
        (1, &json!(ann.id), &json!([files[0]["id"]]))
    );
    assert_eq!((seen(0).await, seen(1).await), ((true, false), (false, false)));
    assert!(kinds(&portal, &admin, "files_downloaded").await.is_empty());

    portal.post(&path(1, "download"), &ann.who, none()).await.expect(200);
    assert_eq!((seen(0).await, seen(1).await), ((true, false), (false, true)));
    portal.post(&format!("{share}/downloads"), &ann.who, none()).await.expect(200);
    assert_eq!(seen(0).await, (true, true));
    assert_eq!(kinds(&portal, &admin, "files_downloaded").await.len(), 2);

    portal.pass(Duration::from_mins(61)).await;
    look().await.expect(200);
    assert_eq!(kinds(&portal, &admin, "file_viewed").await.len(), 2);
    // The staff see what they have put there; that is nobody's business.
    portal.post(&preview, &admin, none()).await.expect(200);
    assert_eq!(kinds(&portal, &admin, "file_viewed").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_at_what_was_not_shared_or_is_no_more() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bo = portal.customer(&admin, "bo@quay.example").await;
    let to = json!([{ "contact_id": ann.id }, { "email": "guest@terminal.example" }]);
    let (share, files) = sent(&portal, &admin, &to, &[("a.png", "image/png", PNG), ("b.png", "image/png", PNG)]).await;
    let ids: Vec<String> = files.iter().map(|file| text(&file["id"])).collect();
    let (other, foreign) =
        sent(&portal, &admin, &json!([{ "contact_id": bo.id }]), &[("c.png", "image/png", PNG)]).await;
    let token = token_in(&text(&portal.mails_when("guest@terminal.example", 1).await[0]["text"]), "/open#");
    let by_link =
        async |file: &str| portal.post("/v1/links/preview", &NOBODY, json!({ "token": token, "file_id": file })).await;
    let look = async |share: &str, file: &str, who: &Who| {
        portal.post(&format!("{share}/files/{file}/preview"), who, json!({})).await
    };
    by_link(&ids[0]).await.expect(200);
    by_link(&ids[0]).await.expect(200);
    let viewed = kinds(&portal, &admin, "file_viewed").await;
    assert_eq!((viewed.len(), &viewed[0]["by_link"]), (1, &json!(true)));
    let foreign = text(&foreign[0]["id"]);
    by_link(&foreign).await.expect_problem(404, "not_found");
    look(&share, &foreign, &ann.who).await.expect_problem(404, "not_found");
    look(&other, &foreign, &ann.who).await.expect_problem(404, "not_found");
    look(&share, &ids[0], &bo.who).await.expect_problem(404, "not_found");
    look(&share, &ids[0], &NOBODY).await.expect_problem(401, "sign_in_required");

    portal.patch(&share, &admin, json!({ "excluded_files": [ids[0]] })).await.expect(200);
    look(&share, &ids[0], &ann.who).await.expect_problem(404, "not_found");
    by_link(&ids[0]).await.expect_problem(404, "not_found");
    by_link(&ids[1]).await.expect(200);
    portal.delete(&share, &admin).await.expect(204);
    look(&share, &ids[1], &ann.who).await.expect_problem(404, "not_found");
    by_link(&ids[1]).await.expect_problem(410, "link_withdrawn");
}
