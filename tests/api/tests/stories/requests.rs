//! What a script or a stranger gets for a request that is not as it should be.

use gatehouse_tests::{NOBODY, Portal};
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_told_apart() {
    let portal = Portal::open().await;
    portal.get("/v1/nothing", &NOBODY).await.expect_problem(404, "not_found");
    portal.get("/nothing/at/all", &NOBODY).await.expect_problem(404, "not_found");
    let reply = portal.call(Method::PUT, "/v1/shares", &NOBODY, None).await;
    assert_eq!(reply.headers["allow"], "GET, HEAD, POST");
    reply.expect_problem(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_a_foreign_and_an_enormous_body_are_told_apart() {
    let portal = Portal::open().await;
    let admin = portal.admin().await.0.unwrap();
    let post = |kind: &str, body: String| {
        let request = portal.request(Method::POST, "/v1/companies").bearer_auth(&admin);
        portal.send(request.header("content-type", kind).body(body))
    };
    for broken in ["", "{", "{\"name\": \"A\"} and more", "{\"name\": \"\u{1}\"}", "\u{feff}{}"] {
        post("application/json", broken.to_owned()).await.expect_problem(400, "invalid_body");
    }
    post("text/plain", "{}".to_owned()).await.expect_problem(415, "unsupported_media_type");
    post("application/x-www-form-urlencoded", "name=A".to_owned()).await.expect_problem(415, "unsupported_media_type");
    let enormous = format!("{{\"name\": \"{}\"}}", "x".repeat(256 * 1024));
    post("application/json", enormous).await.expect_problem(413, "body_too_large");
    post("Application/JSON; charset=utf-8", "{\"name\": \"A\"}".to_owned()).await.expect(201);
    let listed = portal.get("/v1/companies", &gatehouse_tests::Who(Some(admin.clone()))).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_invitation_with_its_key_is_mailed_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    let send = async || {
        let request = portal.request(Method::POST, &format!("/v1/contacts/{contact}/invitation"));
        let request = request.bearer_auth(admin.0.as_deref().unwrap()).header("idempotency-key", "resend-7");
        portal.send(request).await.expect(202)
    };
    assert_eq!(send().await, send().await);
    let token = portal.activation_token("ann@harbour.example", 1).await;
    portal.activate(&token).await;
    assert_eq!(portal.mails("ann@harbour.example").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_not_kept_by_caches_or_taken_for_pages_by_browsers() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let out = portal.sign_in(gatehouse_tests::ADMIN).await;
    for reply in [
        portal.get("/v1/me", &admin).await,
        portal.get("/v1/me", &NOBODY).await,
        portal.get("/v1/nothing", &NOBODY).await,
        portal.call(Method::PUT, "/v1/shares", &NOBODY, None).await,
        portal.call(Method::HEAD, "/v1/me", &admin, None).await,
        portal.delete("/v1/sessions/current", &out).await,
    ] {
        let is = |name: &str, value: &str| assert_eq!(reply.headers[name], value, "{:#}", reply.body);
        is("cache-control", "no-store");
        is("x-content-type-options", "nosniff");
        is("strict-transport-security", "max-age=63072000; includeSubDomains");
        let policy = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
        is("content-security-policy", policy);
        is("referrer-policy", "no-referrer");
        is("cross-origin-resource-policy", "same-origin");
        assert_eq!(reply.headers.contains_key("clear-site-data"), reply.status == 204);
    }
    let everywhere = portal.delete("/v1/sessions", &admin).await;
    assert_eq!(everywhere.headers["clear-site-data"], "\"cache\", \"storage\"");
}
