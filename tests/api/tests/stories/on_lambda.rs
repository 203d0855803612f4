//! What is only so on AWS: what the SDK does inside Lambda, what a browser may send to the bucket.

use std::collections::BTreeSet;

use gatehouse_template::Template;
use gatehouse_tests::{Portal, text};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// Sends an upload, or one of its parts, as a page of the portal does: asks first, names what it was told to send, and
/// sends just that.
async fn send_as_a_browser(portal: &Portal, url: &str, headers: &Value, bytes: Vec<u8>) {
    let (http, origin) = (Client::new(), portal.stack.url.as_str());
    let headers = headers.as_object().cloned().unwrap_or_default();
    let names = headers.keys().cloned().collect::<Vec<_>>().join(",");
    let asked = http.request(Method::OPTIONS, url).header("origin", origin);
    let asked = asked.header("access-control-request-method", "PUT").header("access-control-request-headers", &names);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{names}: {}", answer.text().await.unwrap());

    let query = reqwest::Url::parse(url).unwrap();
    let signed = query.query_pairs().find(|(name, _)| name == "X-Amz-SignedHeaders").unwrap().1.into_owned();
    let signed: BTreeSet<&str> = signed.split(';').collect();
    // Browsers set these by themselves.
    let by_itself = BTreeSet::from(["host", "content-length"]);
    let told: BTreeSet<&str> = headers.keys().map(String::as_str).collect();
    assert!(told.is_subset(&signed), "told to send {told:?}, signed are {signed:?}");
    assert!(signed.iter().all(|name| told.contains(name) || by_itself.contains(name)), "{signed:?} but told {told:?}");
    let allowed = Template::of_workspace().unwrap().bucket["CorsConfiguration"]["CorsRules"][0].clone();
    let allowed: BTreeSet<&str> =
        allowed["AllowedHeaders"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(told.is_subset(&allowed), "told to send {told:?}, the bucket's CORS rule allows {allowed:?}");

    let mut put = http.put(url).header("origin", origin).body(bytes);
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        put = put.header(name, text(value));
    }
    let sent = put.send().await.unwrap();
    assert_eq!(sent.headers()["access-control-allow-origin"], origin);
    assert_eq!(sent.headers()["access-control-expose-headers"], "ETag");
    assert!(sent.headers().contains_key("etag"), "{}", sent.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_can_send_every_upload_that_a_function_on_lambda_tells_it_to() {
    // Without them the SDK does not do what it does on Lambda, and this would show nothing.
    for (name, value) in gatehouse_local::lambda_variables().unwrap() {
        assert_eq!(
            std::env::var(&name).as_deref(),
            Ok(value.as_str()),
            "{name}; run this with cargo, in this workspace"
        );
    }
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let large = 64 * 1024 * 1024;
    let files = json!([
        { "name": "plain.txt", "size": 5, "content_type": "text/plain" },
        { "name": "sum.txt", "size": 5, "content_type": "text/plain", "sha256": sha256 },
        { "name": "script.svg", "size": 5, "content_type": "image/svg+xml" },
        { "name": "large.bin", "size": large, "content_type": "application/octet-stream" },
    ]);
    let body = json!({ "title": "Report", "files": files });
    for who in [&admin, &ann.who] {
        let share = portal.post("/v1/shares", who, body.clone()).await.expect(201);
        for file in share["files"].as_array().unwrap() {
            // As it was told at first, and as it is told to whoever asks again.
            let path = format!("/v1/shares/{}/files/{}/upload", text(&share["id"]), text(&file["id"]));
            let again = portal.get(&path, who).await.expect(200);
            let again = again.get("upload").unwrap_or(&again).clone();
            match file["upload"]["parts"].as_array() {
                Some(parts) => {
                    let part = vec![7; usize::try_from(file["upload"]["part_size"].as_u64().unwrap()).unwrap()];
                    send_as_a_browser(&portal, &text(&parts[0]["url"]), &json!({}), part.clone()).await;
                    send_as_a_browser(&portal, &text(&again["parts"][1]["url"]), &json!({}), part).await;
                }
                None => {
                    assert_eq!(file["upload"]["headers"], again["headers"]);
                    let upload = &file["upload"];
                    send_as_a_browser(&portal, &text(&upload["url"]), &upload["headers"], b"hello".to_vec()).await;
                }
            }
        }
    }
}
