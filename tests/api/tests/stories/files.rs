//! Files as people have them: whatever they are called and whatever they are, they are kept byte for byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::config::Builder;
use axum::response::IntoResponse as _;
use gatehouse::files::{Files, UploadError};
use gatehouse::store::Store;
use gatehouse_tests::proxy::before;
use gatehouse_tests::{Portal, Who, text};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const GIF: &[u8] = b"GIF89a\x01\0\x01\0";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01";
const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 ";
const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
const AVIF: &[u8] = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1";
const TIFF: &[u8] = b"II*\0\x08\0\0\0";
const BMP: &[u8] = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0";
const PSD: &[u8] = b"8BPS\0\x01\0\0\0\0\0\0";
const ICO: &[u8] = b"\0\0\x01\0\x01\0\x10\x10";
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
const PS: &[u8] = b"%!PS-Adobe-3.0 EPSF-3.0\n";
const RTF: &[u8] = b"{\\rtf1\\ansi Hello}";
/// The compound file of old Office, of Outlook, of installers, and of every Office file with a password.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0";
/// A workbook of Excel 3 (BIFF3), which other programs still write.
const BIFF: &[u8] = b"\x09\x02\x06\0\0\0\x10\0";
const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0\0\0!\0 and so on";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0";
const RAR: &[u8] = b"Rar!\x1a\x07\x01\0";
const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf\x27\x1c\0\x04";
const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2";
const MOV: &[u8] = b"\0\0\0\x14ftypqt  \0\0\0\0qt  ";
const M4A: &[u8] = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42";
const WEBM: &[u8] = b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01webm";
const AVI: &[u8] = b"RIFF\x24\0\0\0AVI LIST";
const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";
const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt ";
const OGG: &[u8] = b"OggS\0\x02\0\0\0\0\0\0";
const FLAC: &[u8] = b"fLaC\0\0\0\x22";
const HTML: &[u8] = b"<!DOCTYPE html><script>alert(1)</script>";
const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
const XML: &[u8] = b"<?xml version=\"1.0\"?><Document/>";
const CSV: &[u8] = b"a;b\n1;2\n";
const TEXT: &[u8] = b"just words";
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----\nMIIB\n";
const SH: &[u8] = b"#!/bin/sh\necho hello\n";
const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0";

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const XLS: &str = "application/vnd.ms-excel";
const BYTES: &str = "application/octet-stream";

/// A name, the type that a browser sends for it, and what it may really be.
const HONEST: &[(&str, &str, &[u8])] = &[
    // A picture of another format under a familiar ending.
    ("a.png", "image/png", JPEG),
    ("a.jpg", "image/jpeg", PNG),
    ("a.jpg", "image/jpeg", HEIC),
    ("a.jpg", "image/jpeg", WEBP),
    ("a.jpg", "image/jpeg", AVIF),
    ("a.jpg", "image/jpeg", GIF),
    ("a.png", "image/png", WEBP),
    ("a.gif", "image/gif", PNG),
    ("a.webp", "image/webp", JPEG),
    ("a.heic", "image/heic", JPEG),
    ("a.heif", "image/heif", HEIC),
    ("a.avif", "image/avif", HEIC),
    ("a.bmp", "image/bmp", PNG),
    ("a.tif", "image/tiff", JPEG),
    ("a.ico", "image/x-icon", PNG),
    ("a.ico", "image/vnd.microsoft.icon", ICO),
    ("a.nef", "image/x-nikon-nef", TIFF),
    ("a.dng", "image/x-adobe-dng", TIFF),
    ("a.png", "image/png", TEXT),
    ("a.jpg", "image/jpeg", HTML),
    ("a.png", "image/png", PDF),
    // Registered types that go by several names.
    ("a.jpg", "image/jpg", JPEG),
    ("a.jpg", "image/pjpeg", JPEG),
    ("a.png", "image/x-png", PNG),
    ("a.bmp", "image/x-ms-bmp", BMP),
    ("a.psd", "image/vnd.adobe.photoshop", PSD),
    ("a.psd", "application/x-photoshop", PSD),
    ("a.pdf", "application/x-pdf", PDF),
    ("a.zip", "application/x-zip-compressed", ZIP),
    ("a.zip", "application/zip", ZIP),
    ("a.zip", "application/x-zip", EMPTY_ZIP),
    ("a.zip", "multipart/x-zip", ZIP),
    ("a.gz", "application/x-gzip", GZIP),
    ("a.tgz", "application/x-compressed", GZIP),
    ("a.tar.gz", "application/x-tar", GZIP),
    ("a.rar", "application/x-rar-compressed", RAR),
    ("a.7z", "application/x-7z-compressed", SEVEN_ZIP),
    ("a.mp3", "audio/mp3", MP3),
    ("a.mp3", "audio/mpeg", MP3),
    ("a.wav", "audio/x-wav", WAV),
    ("a.wav", "audio/vnd.wave", WAV),
    ("a.m4a", "audio/x-m4a", M4A),
    ("a.m4a", "audio/mp4", MP4),
    ("a.flac", "audio/flac", FLAC),
    ("a.ogg", "application/ogg", OGG),
    ("a.opus", "audio/opus", OGG),
    ("a.rtf", "text/rtf", RTF),
    ("a.rtf", "application/msword", RTF),
    ("a.js", "text/javascript", TEXT),
    // Films in the container of another maker.
    ("a.mov", "video/quicktime", MP4),
    ("a.mp4", "video/mp4", MOV),
    ("a.mp4", "video/mp4", WEBM),
    ("a.mp4", "video/mp4", AVI),
    ("a.webm", "video/webm", WEBM),
    ("a.webm", "audio/webm", WEBM),
    ("a.avi", "video/vnd.avi", AVI),
    ("a.3gp", "video/3gpp", MP4),
    ("a.mts", "video/mp2t", TEXT),
    // Mails, Office old and new, with a password and from other programs.
    ("a.msg", "application/vnd.ms-outlook", OLE),
    ("a.msg", BYTES, OLE),
    ("a.docx", DOCX, OLE),
    ("a.xlsx", XLSX, OLE),
    ("a.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", OLE),
    ("a.docx", DOCX, ZIP),
    ("a.doc", "application/msword", ZIP),
    ("a.doc", "application/msword", HTML),
    ("a.doc", "application/msword", TEXT),
    ("a.xls", XLS, BIFF),
    ("a.xls", XLS, HTML),
    ("a.xls", XLS, XML),
    ("a.xls", XLS, CSV),
    ("a.xls", XLS, ZIP),
    ("a.xls", XLS, OLE),
    ("a.xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12", ZIP),
    ("a.mpp", "application/vnd.ms-project", OLE),
    ("a.pub", "application/x-mspublisher", OLE),
    ("a.eml", "message/rfc822", TEXT),
    ("a.p7m", "application/pkcs7-mime", PEM),
    // Other people's programs.
    ("a.numbers", "application/vnd.apple.numbers", ZIP),
    ("a.pages", "application/x-iwork-pages-sffpages", ZIP),
    ("a.key", "application/vnd.apple.keynote", ZIP),
    ("a.ai", "application/postscript", PDF),
    ("a.ai", "application/illustrator", PDF),
    ("a.eps", "application/postscript", PS),
    ("a.sketch", BYTES, ZIP),
    ("a.kmz", "application/vnd.google-earth.kmz", ZIP),
    ("a.odt", "application/vnd.oasis.opendocument.text", ZIP),
    // Tables, and text that happens to begin like something else.
    ("a.csv", XLS, CSV),
    ("a.csv", "text/csv", TEXT),
    ("a.csv", "text/csv", HTML),
    ("a.txt", "text/plain", b"BMW, three of them"),
    ("a.txt", "text/plain", b"MZ is where it begins"),
    ("a.txt", "text/plain", b"%PDF is what it is about"),
    ("a.txt", "text/plain", b"ID3 is a tag"),
    ("a.txt", "text/plain", b"GIF89a is a format"),
    ("a.txt", "text/plain", b"0\x82 degrees"),
    ("a.md", "text/markdown", b"<!-- a note --> # Title"),
    ("a.log", "text/plain", XML),
    ("a.txt", "text/plain", SH),
    ("a.pem", "application/x-x509-ca-cert", PEM),
    ("a.json", "application/json", TEXT),
    ("a.xml", "text/xml", XML),
    ("a.html", "text/html", HTML),
    ("a.svg", "image/svg+xml", SVG),
    ("a.exe", "application/x-msdownload", EXE),
    ("a.pdf", "application/pdf", HTML),
    ("a.txt", "text/plain", b""),
    ("a.jpg", "image/jpeg", b""),
];

async fn download(portal: &Portal, who: &Who, share: &str, file: &str) -> reqwest::Response {
    let path = format!("/v1/shares/{share}/files/{file}/download");
    let url = text(&portal.call(Method::POST, &path, who, None).await.expect(200)["url"]);
    let answer = Client::new().get(url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer
}

/// A draft with one file announced; its id and the file as it was answered.
async fn announce(portal: &Portal, who: &Who, file: Value) -> (String, Value) {
    let body = json!({ "title": "Report", "files": [file] });
    let created = portal.post("/v1/shares", who, body).await.expect(201);
    (text(&created["id"]), created["files"][0].clone())
}

pub(crate) fn s3(portal: &Portal) -> S3 {
    let env = &portal.stack.env;
    S3::from_conf(
        Builder::from(&env.aws).endpoint_url(env.endpoints.s3.clone().unwrap()).force_path_style(true).build(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_files_are_kept_byte_for_byte_whatever_they_are_called() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    for some in HONEST.chunks(50) {
        let files: Vec<Value> = some
            .iter()
            .map(|(name, announced, bytes)| json!({ "name": name, "size": bytes.len(), "content_type": announced }))
            .collect();
        let created = portal.post("/v1/shares", &admin, json!({ "title": "Report", "files": files })).await.expect(201);
        for (honest, file) in some.iter().zip(created["files"].as_array().unwrap()) {
            is_kept(&portal, &admin, &text(&created["id"]), file, honest).await;
        }
    }
}

async fn is_kept(portal: &Portal, admin: &Who, share: &str, file: &Value, honest: &(&str, &str, &[u8])) {
    let (name, announced, bytes) = *honest;
    let (id, context) = (text(&file["id"]), format!("{name} as {announced}"));
    assert_eq!(portal.upload(&file["upload"], bytes).await, StatusCode::OK, "{context}");
    let done = portal.complete(admin, share, &id).await.expect(200);
    assert_eq!(done["state"], "stored");
    if announced != BYTES {
        assert_eq!(text(&done["content_type"]), announced.to_lowercase(), "{context}");
    }
    let answer = download(portal, admin, share, &id).await;
    let served = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let runs = ["html", "script", "svg", "multipart", "/xml"].iter().any(|part| served.contains(part));
    assert!(!runs && (bytes != HTML || served == BYTES), "{context} is served as {served}");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; "));
    assert_eq!(answer.bytes().await.unwrap(), bytes, "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_type_has_one_by_its_name_or_else_by_its_bytes() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    for (name, content_type, bytes, shown) in [
        ("IMG_0001.HEIC", Some(json!("")), HEIC, "image/heic"),
        ("scan.pdf", Some(json!("")), PDF, "application/pdf"),
        ("scan.pdf", None, PDF, "application/pdf"),
        ("scan.pdf", Some(Value::Null), PDF, "application/pdf"),
        ("scan", Some(json!("")), PDF, "application/pdf"),
        ("scan", Some(json!(BYTES)), PDF, "application/pdf"),
        ("scan", Some(json!("")), TEXT, BYTES),
        ("page.html", Some(json!("")), HTML, "text/html"),
        ("note.txt", Some(json!("Text/Plain; charset=UTF-8")), TEXT, "text/plain"),
    ] {
        let mut file = json!({ "name": name, "size": bytes.len() });
        if let Some(content_type) = content_type {
            file["content_type"] = content_type;
        }
        let (share, file) = announce(&portal, &admin, file).await;
        let id = text(&file["id"]);
        assert_eq!(portal.upload(&file["upload"], bytes).await, StatusCode::OK);
        let done = portal.complete(&admin, &share, &id).await.expect(200);
        assert_eq!(done["content_type"], shown, "{name}");
        let answer = download(&portal, &admin, &share, &id).await;
        let harmless = if shown == "text/html" { BYTES } else { shown };
        assert_eq!(answer.headers()["content-type"], harmless);
        assert_eq!(answer.bytes().await.unwrap(), bytes);
    }
    for wrong in ["pdf", "a/b/c", " ", "/", "text/", "t\u{e9}xt/plain", ";"] {
        let file = json!({ "name": "a", "size": 1, "content_type": wrong });
        let body = json!({ "title": "T", "files": [file] });
        portal.post("/v1/shares", &admin, body).await.expect_invalid("files[0].content_type");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_by_type_finds_a_picture_whatever_it_is_called() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let kinds = [
        ("image", "photo", BYTES, JPEG),
        ("image", "photo.pdf", "application/pdf", PNG),
        ("image", "logo.svg", "image/svg+xml", SVG),
        ("document", "scan.png", "image/png", PDF),
        ("document", "offer.docx", DOCX, ZIP),
        ("audio", "memo.m4a", "audio/mp4", MP4),
        ("video", "film.mov", "video/quicktime", MP4),
        ("other", "all.zip", "application/zip", ZIP),
    ];
    for (kind, name, announced, bytes) in kinds {
        let share = portal.draft(&admin, name, &[&ann.id], &[(name, announced, bytes)]).await;
        portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
        let found = portal.get(&format!("/v1/shares?type={kind}"), &ann.who).await.expect(200);
        let titles: Vec<String> = found["items"].as_array().unwrap().iter().map(|row| text(&row["title"])).collect();
        assert!(titles.contains(&name.to_owned()), "{name} is no {kind}: {titles:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_with_its_reason_even_where_the_bucket_was_faster_than_the_sender() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let file = json!({ "name": "a.txt", "size": 5, "content_type": "text/plain" });
    let (share, file) = announce(&portal, &admin, file).await;
    let id = text(&file["id"]);
    portal.complete(&admin, &share, &id).await.expect_problem(409, "upload_incomplete");
    // No signed URL takes another size; who may write to the bucket by other means can put one there.
    let (s3, bucket, key) = (s3(&portal), portal.stack.env.bucket.clone(), format!("shares/{share}/{id}"));
    s3.put_object().bucket(&bucket).key(&key).body(b"too long".to_vec().into()).send().await.unwrap();
    for _ in 0..400 {
        if s3.head_object().bucket(&bucket).key(&key).send().await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    for _ in 0..2 {
        let refused = portal.complete(&admin, &share, &id).await.expect_problem(409, "upload_refused");
        assert!(text(&refused["detail"]).contains("with 5 bytes, but 8 arrived"), "{refused}");
    }
    let shown = portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200);
    assert_eq!(shown["files"][0]["state"], "pending");

    // The right ones can still come, and then nothing is left of it.
    let again = portal.get(&format!("/v1/shares/{share}/files/{id}/upload"), &admin).await.expect(200);
    assert_eq!(portal.upload(&again["upload"], b"right").await, StatusCode::OK);
    assert_eq!(portal.complete(&admin, &share, &id).await.expect(200)["state"], "stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_uploader_sends_along_reaches_who_downloads() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let file = json!({ "name": "a.txt", "size": TEXT.len(), "content_type": "text/plain" });
    let (share, file) = announce(&portal, &admin, file).await;
    let along = [
        ("content-encoding", "gzip"),
        ("content-language", "tlh"),
        ("content-disposition", "inline; filename=\"setup.exe\""),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("expires", "Fri, 01 Jan 2100 00:00:00 GMT"),
    ];
    let mut upload = file["upload"].clone();
    for (name, value) in along {
        upload["headers"][name] = json!(value);
    }
    assert_eq!(portal.upload(&upload, TEXT).await, StatusCode::OK, "S3 does not ask that these are signed");
    let id = text(&file["id"]);
    portal.complete(&admin, &share, &id).await.expect(200);
    let answer = download(&portal, &admin, &share, &id).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-encoding"), "identity");
    assert_eq!(header("cache-control"), "private, no-store");
    assert!(header("content-disposition").starts_with("attachment; filename=\"a.txt\""));
    for (name, value) in along {
        assert_ne!(header(name), value, "{name}");
    }
    assert_eq!(answer.bytes().await.unwrap(), TEXT);
}

/// A bucket that is slow to put parts together, as S3 may be for large files: how often it was asked to.
fn slow_bucket(portal: &Portal, delay: Duration, answers_at_once: Option<StatusCode>) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let url = before(portal.stack.env.endpoints.s3.as_ref().unwrap(), move |method, pass_on| {
        let joins = method == Method::POST;
        counted.fetch_add(usize::from(joins), Ordering::Relaxed);
        async move {
            if !joins {
                return pass_on.send().await;
            }
            let slowly = async move {
                tokio::time::sleep(delay).await;
                pass_on.send().await
            };
            match answers_at_once {
                None => slowly.await,
                Some(status) => {
                    tokio::spawn(slowly);
                    let conflict = "<Error><Code>ConditionalRequestConflict</Code><Message>Again</Message></Error>";
                    (status, conflict).into_response()
                }
            }
        }
    });
    (url, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_s3_puts_together_slowly_are_asked_for_once_and_waited_for() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let size = 64 * 1024 * 1024;
    for (delay, at_once) in [
        // Longer than any other call may take.
        (Duration::from_secs(6), None),
        // Somebody else is putting it together at this moment.
        (Duration::from_millis(700), Some(StatusCode::CONFLICT)),
    ] {
        let (share, file) = announce(&portal, &admin, json!({ "name": "a.raw", "size": size })).await;
        for part in file["upload"]["parts"].as_array().unwrap() {
            let sent = Client::new().put(text(&part["url"])).body(vec![7; 16 * 1024 * 1024]).send().await.unwrap();
            assert_eq!(sent.status(), StatusCode::OK);
        }
        let mut env = portal.stack.env.clone();
        let store = Store::new(&env);
        let (url, asked) = slow_bucket(&portal, delay, at_once);
        env.endpoints.s3 = Some(url);
        // Not the event of the bucket, which would take it as well.
        portal.pause_mail().await;
        let (share, id) = (share.parse().unwrap(), text(&file["id"]).parse().unwrap());
        let pending = store.file(share, id).await.unwrap().unwrap();
        let taken = Files::new(&env).take(&store, &pending, Some(&[]), None, env.clock.now()).await;
        assert!(!matches!(taken, Err(UploadError::Missing(_))), "{taken:?}");
        assert_eq!(taken.unwrap().size, size);
        assert_eq!(asked.load(Ordering::Relaxed), 1, "it is not asked for again meanwhile");
        portal.stack.pause_mail(false);
    }
}
