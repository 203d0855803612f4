//! "You select the files, however large they are": they go up whole, or in parts that may break off, and are in the
//! share only once the bucket has exactly what was announced.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use gatehouse_tests::{ADMIN, Portal, Reply, Who, text};
use reqwest::{Client, Method, StatusCode};
use ring::digest::{Context, Digest, SHA256, digest};
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;
const PART: usize = 16 * MIB;
const PDF: &[u8] = b"%PDF-1.7 and so on";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// A large file, made anew part by part wherever it is needed: a MiB of noise, turned by its place.
struct Large {
    size: usize,
    noise: Vec<u8>,
}

impl Large {
    fn of(size: usize) -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()
        });
        Self { size, noise: noise.take(MIB / 8).flatten().collect() }
    }

    fn numbers(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.size.div_ceil(PART)
    }

    fn part(&self, number: usize) -> Vec<u8> {
        let before = (number - 1) * PART;
        let mut part = Vec::with_capacity(PART);
        for place in before / MIB..before / MIB + PART / MIB {
            let (end, beginning) = self.noise.split_at(place * 1021 % MIB);
            part.extend_from_slice(beginning);
            part.extend_from_slice(end);
        }
        part.truncate(self.size - before);
        part
    }

    fn sha256(&self) -> String {
        let mut all = Context::new(&SHA256);
        self.numbers().for_each(|number| all.update(&self.part(number)));
        hex(&all.finish())
    }
}

fn hex(digest: &Digest) -> String {
    format!("{digest:?}").replace("SHA256:", "")
}

/// A file on its way into a draft of the staff.
struct UnderWay<'a> {
    portal: &'a Portal,
    who: Who,
    share: String,
    id: String,
    /// As it was given with the announcement.
    upload: Value,
}

impl<'a> UnderWay<'a> {
    async fn announce(portal: &'a Portal, who: &Who, file: Value) -> Self {
        let body = json!({ "title": "Report", "files": [file] });
        let created = portal.post("/v1/shares", who, body).await.expect(201);
        let (share, file) = (text(&created["id"]), &created["files"][0]);
        Self { portal, who: who.clone(), share, id: text(&file["id"]), upload: file["upload"].clone() }
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/shares/{}/files/{}/{what}", self.share, self.id)
    }

    /// How to send what is missing.
    async fn missing(&self) -> Value {
        self.portal.get(&self.path("upload"), &self.who).await.expect(200)["upload"].clone()
    }

    /// The numbers of the parts that are missing.
    async fn missing_parts(&self) -> Vec<usize> {
        numbers(&self.missing().await)
    }

    async fn complete(&self) -> Reply {
        self.portal.complete(&self.who, &self.share, &self.id).await
    }

    /// Completes it with the parts that its sender says it has sent.
    async fn complete_of(&self, parts: &[(usize, String)]) -> Reply {
        let parts: Vec<Value> = parts.iter().map(|(number, etag)| json!({ "number": number, "etag": etag })).collect();
        self.portal.post(&self.path("complete"), &self.who, json!({ "parts": parts })).await
    }

    /// The file as the share shows it.
    async fn shown(&self) -> Value {
        let share = self.portal.get(&format!("/v1/shares/{}", self.share), &self.who).await.expect(200);
        let mut files = share["files"].as_array().unwrap().iter();
        files.find(|file| file["id"] == self.id).cloned().unwrap_or_default()
    }

    async fn becomes(&self, what: &str, done: impl Fn(&Value) -> bool) {
        for _ in 0..200 {
            if done(&self.shown().await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the file has not become {what}: {:#}", self.shown().await);
    }

    /// Fetches it as a browser does.
    async fn fetch(&self) -> reqwest::Response {
        let download = self.portal.call(Method::POST, &self.path("download"), &self.who, None).await.expect(200);
        let answer = Client::new().get(text(&download["url"])).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer
    }

    /// The SHA-256 of what is fetched, never all of it in memory.
    async fn fetched_sha256(&self) -> String {
        let (mut answer, mut all) = (self.fetch().await, Context::new(&SHA256));
        while let Some(bytes) = answer.chunk().await.unwrap() {
            all.update(&bytes);
        }
        hex(&all.finish())
    }
}

fn numbers(upload: &Value) -> Vec<usize> {
    let number = |part: &Value| usize::try_from(part["number"].as_u64().unwrap()).unwrap();
    upload["parts"].as_array().map(|parts| parts.iter().map(number).collect()).unwrap_or_default()
}

fn url_of(upload: &Value, number: usize) -> String {
    let part = upload["parts"].as_array().unwrap().iter().find(|part| part["number"] == number);
    text(&part.unwrap_or_else(|| panic!("no URL of part {number}"))["url"])
}

/// Sends bytes to where a part goes; status and tag.
async fn put(url: &str, bytes: Vec<u8>) -> (StatusCode, String) {
    let answer = Client::new().put(url).body(bytes).send().await.unwrap();
    let etag = answer.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
    (answer.status(), etag.unwrap_or_default())
}

/// Sends those parts; number and tag of each.
async fn put_parts(upload: &Value, large: &Large, numbers: &[usize]) -> Vec<(usize, String)> {
    let mut sent = Vec::new();
    for &number in numbers {
        let (status, etag) = put(&url_of(upload, number), large.part(number)).await;
        assert_eq!(status, StatusCode::OK, "part {number}");
        sent.push((number, etag));
    }
    sent
}

/// A connection that breaks in the middle of a part.
fn put_half(url: &str, bytes: &[u8]) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    write!(connection, "PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n", bytes.len()).unwrap();
    connection.write_all(&bytes[..bytes.len() / 2]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_mib_go_up_in_parts_break_off_and_go_on_after_all_urls_have_expired() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let large = Large::of(300 * MIB);
    let sha256 = large.sha256();
    let file = json!({ "name": "hold 3.raw", "size": large.size, "content_type": "application/octet-stream", "sha256": sha256 });
    let file = UnderWay::announce(&portal, &admin, file).await;
    let first = file.upload.clone();
    assert_eq!((&first["part_size"], &first["missing"]), (&json!(PART), &json!(19)));
    assert!(numbers(&first).into_iter().eq(large.numbers()));

    // In any order; one part is first sent with other bytes, one breaks off, one is too short.
    let mut sent = put_parts(&first, &large, &[7, 2, 19, 3, 11]).await;
    assert_eq!(put(&url_of(&first, 8), large.part(9)).await.0, StatusCode::OK);
    sent.extend(put_parts(&first, &large, &[8]).await);
    put_half(&url_of(&first, 5), &large.part(5));
    assert_eq!(put(&url_of(&first, 4), vec![4]).await.0, StatusCode::FORBIDDEN, "the size is signed");
    let left = [1, 4, 5, 6, 9, 10, 12, 13, 14, 15, 16, 17, 18];
    assert_eq!(file.missing_parts().await, left);
    file.complete().await.expect_problem(409, "upload_incomplete");

    portal.pass(Duration::from_hours(2)).await;
    assert_eq!(put(&url_of(&first, 1), vec![1]).await.0, StatusCode::FORBIDDEN);
    let fresh = file.missing().await;
    assert_eq!((numbers(&fresh).as_slice(), &fresh["missing"]), (left.as_slice(), &json!(left.len())));
    sent.extend(put_parts(&fresh, &large, &left).await);
    assert_eq!(file.missing().await, Value::Null);
    let done = file.complete_of(&sent).await.expect(200);
    assert_eq!((&done["state"], &done["sha256"]), (&json!("stored"), &json!(sha256)));
    assert_eq!(file.fetched_sha256().await, sha256, "byte for byte");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_any_name_come_back_byte_for_byte_under_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let names = [
        "تقرير المرفأ ٢٠٢٦.txt",
        "📦🚢👩🏽‍✈️.txt",
        &"x".repeat(255),
        &format!("{}a", "ж".repeat(127)),
        &"🚢".repeat(255),
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "a\"b\r\nc.pdf",
        "100%'; filename=other.exe",
        "nothing.txt",
    ];
    for name in names {
        let bytes = if name == "nothing.txt" { "" } else { name }.as_bytes();
        let file = json!({ "name": name, "size": bytes.len(), "content_type": "text/plain" });
        let file = UnderWay::announce(&portal, &admin, file).await;
        assert_eq!(portal.upload(&file.upload, bytes).await, StatusCode::OK);
        // What no file system takes is mended, and whoever announced it is told.
        let kept = name.replace(['/', '\\', '\r', '\n'], "_");
        let completed = file.complete().await.expect(200);
        assert_eq!((&completed["name"], &completed["renamed"]), (&json!(kept), &json!(kept != name)));
        let download = portal.call(Method::POST, &file.path("download"), &admin, None).await.expect(200);
        assert_eq!(download["name"], kept);

        let answer = file.fetch().await;
        let lines: Vec<_> = answer.headers().get_all("content-disposition").iter().collect();
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        let line = line.to_str().unwrap().to_owned();
        assert!(line.starts_with("attachment; filename=\"") && line.matches('"').count() == 2, "{line}");
        assert!(line.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{line}");
        let (_, encoded) = line.split_once("\"; filename*=UTF-8''").unwrap();
        let decoded = reqwest::Url::parse(&format!("http://localhost/?name={encoded}")).unwrap();
        let (_, decoded) = decoded.query_pairs().next().unwrap();
        assert_eq!(decoded, kept.replace(['"', '*'], "_"));
        assert_eq!(answer.bytes().await.unwrap(), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_sender_vanishes_after_the_last_byte_is_taken_and_the_share_can_be_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let file = json!({ "name": "a.pdf", "size": PDF.len(), "content_type": "application/pdf" });
    let file = UnderWay::announce(&portal, &admin, file).await;
    let share = format!("/v1/shares/{}", file.share);
    portal.post(&format!("{share}/recipients"), &admin, json!({ "contact_id": ann.id })).await.expect(201);
    let send = async || portal.call(Method::POST, &format!("{share}/send"), &admin, None).await;
    send().await.expect_problem(409, "upload_incomplete");
    assert_eq!(file.shown().await["state"], "pending");
    assert_eq!(portal.upload(&file.upload, PDF).await, StatusCode::OK);
    file.becomes("stored", |file| file["state"] == "stored").await;
    send().await.expect(202);
    assert_eq!(file.fetch().await.bytes().await.unwrap(), PDF);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_takes_no_other_bytes_than_were_announced() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let announced = json!({ "name": "a.png", "size": PNG.len(), "content_type": "image/png", "sha256": hex(&digest(&SHA256, PNG)) });
    let file = UnderWay::announce(&portal, &admin, announced).await;
    assert_eq!(portal.upload(&file.upload, &PNG[1..]).await, StatusCode::FORBIDDEN, "the size is signed");
    let other = vec![b'x'; PNG.len()];
    assert_eq!(portal.upload(&file.upload, &other).await, StatusCode::BAD_REQUEST, "another checksum");
    assert_eq!(file.missing().await["method"], "PUT", "nothing is there");
    assert_eq!(portal.upload(&file.upload, PNG).await, StatusCode::OK);
    file.complete().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_make_another_file_than_was_announced_are_deleted_and_can_be_sent_again() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let large = Large::of(70 * MIB);
    let sha256 = large.sha256();
    let file =
        json!({ "name": "a.raw", "size": large.size, "content_type": "application/octet-stream", "sha256": sha256 });
    let file = UnderWay::announce(&portal, &admin, file).await;
    put_parts(&file.upload, &large, &[1, 2, 4, 5]).await;
    assert_eq!(put(&url_of(&file.upload, 3), large.part(4)).await.0, StatusCode::OK);
    // Of two that look at once, one deletes what the other is looking at; both are told why.
    let (one, other) = tokio::join!(file.complete(), file.complete());
    for reply in [one, other, file.complete().await] {
        let refused = text(&reply.expect_problem(409, "upload_refused")["detail"]);
        assert!(refused.contains("another SHA-256"), "{refused}");
    }
    assert_eq!(file.shown().await["state"], "pending");

    let again = file.missing().await;
    assert_eq!(numbers(&again), [1, 2, 3, 4, 5], "nothing is left");
    assert_eq!(file.missing_parts().await, [1, 2, 3, 4, 5], "it begins anew only once");
    file.complete().await.expect_problem(409, "upload_incomplete");
    put_parts(&again, &large, &[5, 4, 3, 2, 1]).await;
    file.complete().await.expect(200);
    assert_eq!(file.fetched_sha256().await, sha256);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_or_a_drawing_keeps_its_bytes_and_never_shows_in_a_browser() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let page = b"<!DOCTYPE html><script>alert(1)</script>".as_slice();
    let drawing = b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice();
    let bytes = "application/octet-stream";
    for (name, announced, content, shown) in [
        ("page.html", "text/html", page, "text/html"),
        ("page.xhtml", "application/xhtml+xml", drawing, "application/xhtml+xml"),
        ("logo.svg", "image/svg+xml", drawing, "image/svg+xml"),
        ("code.js", "text/javascript", b"alert(1)", "text/javascript"),
        ("unknown", bytes, page, "text/html"),
    ] {
        let file = json!({ "name": name, "size": content.len(), "content_type": announced });
        let file = UnderWay::announce(&portal, &admin, file).await;
        assert_eq!(file.upload["headers"]["content-type"], bytes);
        let mut as_announced = file.upload.clone();
        as_announced["headers"]["content-type"] = json!("text/html");
        assert_eq!(portal.upload(&as_announced, content).await, StatusCode::FORBIDDEN, "the type is signed");
        assert_eq!(portal.upload(&file.upload, content).await, StatusCode::OK);
        file.complete().await.expect(200);
        assert_eq!(file.shown().await["content_type"], shown);
        let answer = file.fetch().await;
        assert_eq!(answer.headers()["content-type"], bytes);
        let disposition = answer.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; ") && disposition.contains(name), "{disposition}");
        assert_eq!(answer.bytes().await.unwrap(), content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_file_cannot_be_put_over_with_its_own_url() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let file = json!({ "name": "a.txt", "size": 5, "content_type": "text/plain" });
    let file = UnderWay::announce(&portal, &admin, file).await;
    assert_eq!(portal.upload(&file.upload, b"right").await, StatusCode::OK);
    assert_eq!(portal.upload(&file.upload, b"wrong").await, StatusCode::PRECONDITION_FAILED);
    file.complete().await.expect(200);
    assert_eq!(portal.upload(&file.upload, b"wrong").await, StatusCode::PRECONDITION_FAILED);
    let mut unconditional = file.upload.clone();
    unconditional["headers"].as_object_mut().unwrap().remove("if-none-match").unwrap();
    assert_eq!(portal.upload(&unconditional, b"wrong").await, StatusCode::FORBIDDEN, "the condition is signed");
    assert_eq!(file.fetch().await.bytes().await.unwrap(), "right");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_list_of_parts_completes_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let eve = portal.customer(&admin, "eve@elsewhere.example").await;
    // The customer's own, in a share of its own: the staff may go on with it, another customer may not.
    let large = Large::of(64 * MIB + 1);
    let announced = json!({ "name": "a.raw", "size": large.size, "content_type": "application/octet-stream" });
    let file = UnderWay::announce(&portal, &ann.who, announced.clone()).await;
    let mut sent = put_parts(&file.upload, &large, &[1, 2, 3, 5]).await;
    let etag = sent[0].1.clone();
    let forged = async |parts: &[(usize, String)]| {
        let refused = file.complete_of(parts).await.expect_problem(409, "upload_incomplete");
        assert_eq!(file.shown().await["state"], "pending");
        text(&refused["detail"])
    };
    let with = |number: usize, etag: &str| {
        let mut parts = sent.clone();
        parts.push((number, etag.to_owned()));
        parts
    };
    assert!(forged(&with(4, &etag)).await.contains("Part 4 is missing"), "it was never sent");
    assert!(forged(&sent).await.contains("It has 5 parts"), "too few");
    assert_eq!(file.missing_parts().await, [4]);

    sent.extend(put_parts(&file.upload, &large, &[4]).await);
    let with = |number: usize, etag: &str| sent.iter().cloned().chain([(number, etag.to_owned())]).collect::<Vec<_>>();
    for forgery in [with(6, &etag), with(0, &etag), with(4, &etag), with(9999, "")] {
        assert!(forged(&forgery).await.contains("It has 5 parts"));
    }
    assert!(forged(&sent[1..]).await.contains("It has 5 parts"));
    let mut other = sent.clone();
    other[1].1 = etag.clone();
    assert!(forged(&other).await.contains("Part 2 is another"), "another part's tag");
    assert_eq!(file.missing().await, Value::Null, "all is there, and nothing is lost");

    let foreign = async |share: &str, who: &Who| {
        let path = format!("/v1/shares/{share}/files/{}", file.id);
        portal.get(&format!("{path}/upload"), who).await.expect_problem(404, "not_found");
        portal.post(&format!("{path}/complete"), who, json!({})).await.expect_problem(404, "not_found");
    };
    let eves = UnderWay::announce(&portal, &eve.who, announced).await;
    foreign(&file.share, &eve.who).await;
    foreign(&eves.share, &eve.who).await;
    foreign(&eves.share, &admin).await;

    let (one, other) = tokio::join!(file.complete_of(&sent), file.complete_of(&sent));
    assert_eq!(one.expect(200), other.expect(200), "two at once are one");
    assert_eq!(file.complete_of(&sent).await.expect(200)["state"], "stored");
    let over = put(&url_of(&file.upload, 5), vec![5]).await;
    assert_eq!(over.0, StatusCode::NOT_FOUND, "no part is put into what is complete");
    assert_eq!(file.fetched_sha256().await, large.sha256());
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_nobody_goes_on_with_are_gone_after_seven_days() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let large = Large::of(64 * MIB);
    let file = json!({ "name": "large.raw", "size": large.size, "content_type": "application/octet-stream" });
    let mut file = UnderWay::announce(&portal, &admin, file).await;
    put_parts(&file.upload, &large, &[1, 2]).await;
    let share = format!("/v1/shares/{}", file.share);
    let add = async |name: &str| {
        let body = json!({ "name": name, "size": 1, "content_type": "text/plain" });
        let added = portal.post(&format!("{share}/files"), &admin, body).await.expect(201);
        UnderWay {
            portal: &portal,
            who: admin.clone(),
            share: file.share.clone(),
            id: text(&added["id"]),
            upload: added["upload"].clone(),
        }
    };
    let (mut small, kept) = (add("small.txt").await, add("kept.txt").await);
    portal.upload(&kept.upload, b"k").await;
    kept.complete().await.expect(200);
    portal.post(&format!("{share}/recipients"), &admin, json!({ "contact_id": ann.id })).await.expect(201);

    portal.pass(Duration::from_mins(7 * 24 * 60 - 30)).await;
    let admin = portal.sign_in(ADMIN).await;
    (file.who, small.who) = (admin.clone(), admin.clone());
    let (parts, put_small) = (file.missing().await, small.missing().await);
    assert_eq!(numbers(&parts), [3, 4], "it can still go on");
    portal.pass(Duration::from_mins(45)).await;
    file.becomes("nothing", Value::is_null).await;
    small.becomes("nothing", Value::is_null).await;
    for gone in [&file, &small] {
        portal.get(&gone.path("upload"), &admin).await.expect_problem(404, "not_found");
        gone.complete().await.expect_problem(404, "not_found");
    }
    // The URLs are still valid, but nothing stays where they lead.
    assert_eq!(put(&url_of(&parts, 3), vec![3]).await.0, StatusCode::NOT_FOUND);
    assert_eq!(portal.upload(&put_small, b"s").await, StatusCode::OK);
    let mut again = StatusCode::PRECONDITION_FAILED;
    for _ in 0..200 {
        again = portal.upload(&put_small, b"s").await;
        if again == StatusCode::OK {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(again, StatusCode::OK, "what was put there first is gone");

    let shown = portal.get(&share, &admin).await.expect(200);
    assert_eq!(shown["files"].as_array().unwrap().len(), 1, "what is stored stays");
    portal.call(Method::POST, &format!("{share}/send"), &admin, None).await.expect(202);
    assert_eq!(portal.get(&share, &admin).await.expect(200)["file_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_under_way_stops_when_its_senders_access_is_closed_and_goes_on_when_it_is_open_again() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Offer", &[&ann.id]).await;
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, &admin, json!({ "allow_upload": true })).await.expect(200);
    let body = json!({ "name": "signed.txt", "size": 6, "content_type": "text/plain" });
    let added = portal.post(&format!("{path}/files"), &ann.who, body).await.expect(201);
    let id = text(&added["id"]);
    let file = UnderWay { portal: &portal, who: admin.clone(), share, id, upload: added["upload"].clone() };
    let access = format!("/v1/contacts/{}/access", ann.id);
    let set = async |state: &str| portal.call(Method::PUT, &access, &admin, Some(json!({ "state": state }))).await;

    set("closed").await.expect(200);
    let complete = async |who: &Who| portal.complete(who, &file.share, &file.id).await;
    complete(&ann.who).await.expect_problem(401, "sign_in_required");
    assert_eq!(portal.upload(&file.upload, b"signed").await, StatusCode::OK, "who has the URL can still put");
    complete(&ann.who).await.expect_problem(401, "sign_in_required");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(file.shown().await["state"], "pending", "and nobody takes it");

    set("open").await.expect(200);
    complete(&ann.who).await.expect_problem(401, "sign_in_required");
    let again = portal.sign_in(&ann.email).await;
    assert_eq!(complete(&again).await.expect(200)["state"], "stored");
    assert_eq!(file.fetch().await.bytes().await.unwrap(), "signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_tib_are_announced_and_not_one_byte_more() {
    const TIB: u64 = 1 << 40;
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let file = |size: u64| json!({ "name": "a.raw", "size": size, "content_type": "application/octet-stream" });
    let largest = UnderWay::announce(&portal, &admin, file(5 * TIB)).await.upload;
    let (part_size, missing) = (largest["part_size"].as_u64().unwrap(), largest["missing"].as_u64().unwrap());
    assert_eq!(missing, (5 * TIB).div_ceil(part_size));
    assert!(missing <= 10_000, "the most that S3 takes");
    assert!(numbers(&largest).into_iter().eq(1..=100), "the next ones are named when these are there");
    let announce =
        async |file: Value| portal.post("/v1/shares", &admin, json!({ "title": "T", "files": [file] })).await;
    announce(file(5 * TIB + 1)).await.expect_invalid("files[0].size");

    let hashed = |size: u64| {
        let mut file = file(size);
        file["sha256"] = json!("0".repeat(64));
        file
    };
    announce(hashed(TIB / 1024)).await.expect(201);
    announce(hashed(TIB / 1024 + 1)).await.expect_invalid("files[0].sha256");
}
