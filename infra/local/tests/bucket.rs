//! The bucket does what S3 does where it matters here: uploads in parts, their end, and the events of new objects.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use gatehouse::domain::{FileId, ShareId};
use gatehouse_local::{Config, Stack};
use reqwest::Method;
use serde_json::json;

async fn stack() -> (Stack, Client) {
    let config = Config { port: 0, data_dir: None, admin_email: "admin@northgate.example".to_owned() };
    let stack = Stack::start(config).await.unwrap();
    let mut s3 = aws_sdk_s3::config::Builder::from(&stack.env.aws);
    s3.set_endpoint_url(stack.env.endpoints.s3.clone());
    (stack, Client::from_conf(s3.force_path_style(true).build()))
}

/// Sends one part as a page of the portal does; gives its tag.
async fn send_part(stack: &Stack, s3: &Client, key: &str, upload: &str) -> String {
    let part = s3.upload_part().bucket(&stack.env.bucket).key(key).upload_id(upload).part_number(1);
    let signed = PresigningConfig::builder().start_time(stack.clock.now().into()).expires_in(Duration::from_mins(1));
    let part = part.presigned(signed.build().unwrap()).await.unwrap();
    let http = reqwest::Client::new();
    let asked = http.request(Method::OPTIONS, part.uri()).header("origin", &stack.url);
    let asked = asked.header("access-control-request-method", "PUT").send().await.unwrap();
    assert!(asked.status().is_success() && asked.headers().contains_key("access-control-allow-origin"));
    let sent = http.put(part.uri()).header("origin", &stack.url).body("hello").send().await.unwrap();
    assert_eq!(sent.status(), 200);
    assert_eq!(sent.headers()["access-control-expose-headers"], "ETag");
    sent.headers()["etag"].to_str().unwrap().to_owned()
}

async fn exists(s3: &Client, bucket: &str, key: &str) -> bool {
    s3.head_object().bucket(bucket).key(key).send().await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_or_put_together_is_brought_to_finish_upload() {
    let (stack, s3) = stack().await;
    let (bucket, now) = (stack.env.bucket.as_str(), stack.clock.now());
    // Nobody has announced these files: `finish-upload` deletes them, which shows that it was called.
    let key = || format!("shares/{}/{}", ShareId::new(now), FileId::new(now));
    let (put, joined) = (key(), key());
    stack.pause_mail(true);
    s3.put_object().bucket(bucket).key(&put).body(b"hello".to_vec().into()).send().await.unwrap();
    let begun = s3.create_multipart_upload().bucket(bucket).key(&joined).send().await.unwrap();
    let upload = begun.upload_id().unwrap();
    let etag = send_part(&stack, &s3, &joined, upload).await;
    let parts =
        CompletedMultipartUpload::builder().parts(CompletedPart::builder().part_number(1).e_tag(etag).build()).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key(&joined).upload_id(upload);
    let complete = complete.multipart_upload(parts).send().await.unwrap();
    assert!(complete.e_tag().unwrap().contains("-1"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(exists(&s3, bucket, &put).await && exists(&s3, bucket, &joined).await, "all is paused");

    stack.pause_mail(false);
    for _ in 0..100 {
        if !exists(&s3, bucket, &put).await && !exists(&s3, bucket, &joined).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the events were not brought");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_ends_by_the_lifecycle_rule_and_the_clock_of_the_stack() {
    let (stack, s3) = stack().await;
    let (bucket, key, http) = (stack.env.bucket.as_str(), "a/b", reqwest::Client::new());
    let pass = async |days: u32| {
        let clock = http.post(format!("{}/_local/clock", stack.url));
        let moved = clock.json(&json!({ "advance_seconds": days * 24 * 60 * 60 })).send().await.unwrap();
        assert_eq!(moved.status(), 200);
    };
    // One that begins while the clock is ahead has all its days.
    pass(10).await;
    let begun = s3.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap();
    let upload = begun.upload_id().unwrap();
    pass(6).await;
    send_part(&stack, &s3, key, upload).await;
    let parts = || s3.list_parts().bucket(bucket).key(key).upload_id(upload).send();
    assert_eq!(parts().await.unwrap().parts().len(), 1);

    pass(2).await;
    assert_eq!(parts().await.unwrap_err().into_service_error().meta().code(), Some("NoSuchUpload"));
    let abort = s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload).send().await;
    assert!(abort.unwrap_err().into_service_error().is_no_such_upload());
}

/// A PUT of five bytes to `a/b`, signed for a minute.
async fn signed_put(stack: &Stack, s3: &Client) -> aws_sdk_s3::presigning::PresignedRequest {
    let signed = PresigningConfig::builder().start_time(stack.clock.now().into()).expires_in(Duration::from_mins(1));
    let put = s3.put_object().bucket(&stack.env.bucket).key("a/b").content_length(5);
    put.presigned(signed.build().unwrap()).await.unwrap()
}

/// How S3 answers: the status, and its code, message and whatever else it says.
async fn said(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_and_headers_that_no_rule_names_are_stopped_before_the_first_byte() {
    let (stack, s3) = stack().await;
    let (http, put) = (reqwest::Client::new(), signed_put(&stack, &s3).await);
    let preflight = async |origin: &str, method: &str, headers: &str| {
        let asked = http.request(Method::OPTIONS, put.uri()).header("origin", origin);
        let asked = asked.header("access-control-request-method", method);
        said(asked.header("access-control-request-headers", headers)).await
    };
    assert_eq!(preflight(&stack.url, "PUT", "Content-Type, if-none-match").await.0, 200);
    for (origin, method, headers) in [
        ("https://elsewhere.example", "PUT", "content-type"),
        (&stack.url, "DELETE", ""),
        (&stack.url, "PUT", "content-type,x-amzn-trace-id"),
    ] {
        let (status, text) = preflight(origin, method, headers).await;
        assert!(status == 403 && text.contains("<Code>AccessForbidden</Code>"), "{origin} {method} {headers}: {text}");
    }
    let (status, text) = said(http.request(Method::OPTIONS, put.uri())).await;
    assert!(status == 400 && text.contains("Origin request header needed"), "{text}");
    // What needs no preflight is done; only its page may not see the answer.
    let sent = http.put(put.uri()).header("origin", "https://elsewhere.example").body("hello").send().await.unwrap();
    assert_eq!((sent.status().as_u16(), sent.headers().get("access-control-allow-origin")), (200, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_url_does_what_was_signed_and_nothing_else() {
    let (stack, s3) = stack().await;
    let (bucket, http) = (stack.env.bucket.as_str(), reqwest::Client::new());
    s3.put_object().bucket(bucket).key("secret").body(b"other".to_vec().into()).send().await.unwrap();
    let put = signed_put(&stack, &s3).await;
    for (name, value) in [
        ("x-amz-copy-source", format!("/{bucket}/secret")),
        ("x-amz-acl", "public-read".to_owned()),
        ("x-amz-meta-note", "mine".to_owned()),
        ("x-amz-storage-class", "GLACIER".to_owned()),
    ] {
        let (status, text) = said(http.put(put.uri()).header(name, value).body("hello")).await;
        assert_eq!(status, 403, "{text}");
        assert!(text.contains("<Code>AccessDenied</Code>"), "{text}");
        assert!(text.contains("There were headers present in the request which were not signed"), "{text}");
        assert!(text.contains(&format!("<HeadersNotSigned>{name}</HeadersNotSigned>")), "{text}");
    }
    for added in ["response-content-type=text/html", "x-amz-copy-source=/b/secret", "versionId=1", "acl="] {
        let (status, text) = said(http.put(format!("{}&{added}", put.uri())).body("hello")).await;
        assert!(status == 403 && text.contains("SignatureDoesNotMatch"), "{added}: {status} {text}");
    }
    assert!(!exists(&s3, bucket, "a/b").await);
    // What is no header of S3's own may come along: browsers and proxies add some.
    let sent = http.put(put.uri()).header("x-amzn-trace-id", "Root=1-2-3").header("accept-language", "de");
    assert_eq!(said(sent.body("hello")).await.0, 200);

    stack.clock.advance(gatehouse::clock::SignedDuration::from_secs(61));
    let (status, text) = said(http.put(put.uri()).body("hello")).await;
    assert!(
        status == 403 && text.contains("<Code>AccessDenied</Code><Message>Request has expired</Message>"),
        "{text}"
    );
    assert!(text.contains("<X-Amz-Expires>60</X-Amz-Expires><Expires>"), "{text}");
    for (from, to, says) in [
        ("X-Amz-Expires=60", "X-Amz-Expires=604801", "less than a week"),
        ("X-Amz-Expires=60", "X-Amz-Expires=-1", "must be non-negative"),
        ("X-Amz-Expires=60", "X-Amz-Expires=soon", "should be a number"),
        ("X-Amz-Date=", "X-Amz-Date=x", "X-Amz-Date must be"),
    ] {
        let (status, text) = said(http.put(put.uri().replace(from, to)).body("hello")).await;
        assert!(status == 400 && text.contains("AuthorizationQueryParametersError") && text.contains(says), "{text}");
    }
}
