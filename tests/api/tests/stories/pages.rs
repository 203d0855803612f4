//! What a browser is given before it asks the API for anything.

use gatehouse_tests::{NOBODY, Portal, Reply, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The folder of this build's files.
pub(crate) async fn folder(portal: &Portal) -> String {
    let page = text(&portal.get("/", &NOBODY).await.body);
    page.split("/a/").nth(1).unwrap().split('/').next().unwrap().to_owned()
}

/// What a page begins with.
fn boot(page: &Reply) -> Value {
    let page = text(&page.body);
    let json = page.split("id=\"boot\">").nth(1).unwrap().split("</script>").next().unwrap();
    serde_json::from_str(json).unwrap()
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_a_page_is_the_same_document() {
    let portal = Portal::open().await;
    let home = portal.get("/", &NOBODY).await;
    assert_eq!((home.status, header(&home, "content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    for path in
        ["/activate", "/open", "/reset", "/unsubscribe", "/signin?next=1&next=2", "/shares/shr_1", "/jobs/job_1"]
    {
        let page = portal.get(path, &NOBODY).await;
        assert_eq!((page.status, &page.body), (StatusCode::OK, &home.body), "{path}");
    }
    let head = portal.call(Method::HEAD, "/signin", &NOBODY, None).await;
    assert_eq!(
        (head.status, header(&head, "etag"), head.body.clone()),
        (StatusCode::OK, header(&home, "etag"), Value::Null)
    );
    portal.post("/", &NOBODY, json!({})).await.expect_problem(405, "method_not_allowed");
    portal.get("/shares/shr_1/more", &NOBODY).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_runs_its_own_scripts_alone_and_reaches_the_bucket_alone() {
    let portal = Portal::open().await;
    let page = portal.get("/", &NOBODY).await;
    let policy = header(&page, "content-security-policy");
    let bucket = portal.stack.env.endpoints.s3.clone().unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'; trusted-types gatehouse",
        &format!("connect-src 'self' {bucket};"),
    ] {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    assert!(!policy.contains('*') && !policy.contains("unsafe") && !policy.contains("upgrade"), "{policy}");
    assert_eq!(header(&page, "cross-origin-opener-policy"), "same-origin");
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
    assert_eq!(header(&page, "x-content-type-options"), "nosniff");
    // What is no page says so, as all of the API does.
    let none = portal.get("/a/older/main.js", &NOBODY).await;
    assert!(header(&none, "content-security-policy").starts_with("default-src 'none'; object-src 'none'"));
    none.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_asked_for_each_time_and_its_files_once() {
    let portal = Portal::open().await;
    let page = portal.get("/", &NOBODY).await;
    assert_eq!(header(&page, "cache-control"), "no-cache");
    let known = portal.request(Method::GET, "/").header("if-none-match", header(&page, "etag"));
    assert_eq!(portal.send(known).await.status, StatusCode::NOT_MODIFIED);
    let path = format!("/a/{}/main.js", folder(&portal).await);
    let plain = portal.get(&path, &NOBODY).await;
    assert_eq!(header(&plain, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&plain, "content-type"), "text/javascript; charset=utf-8");
    for (accept, encoding) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", "")] {
        for path in ["/", &path, "/sw.js", "/licences"] {
            let got = portal.request(Method::GET, path).header("accept-encoding", accept);
            let got = got.send().await.unwrap();
            let got_encoding = got.headers().get("content-encoding").map(|value| value.to_str().unwrap());
            assert_eq!(got_encoding.unwrap_or_default(), encoding, "{path} for {accept}");
            assert!(got.headers()["vary"].to_str().unwrap().contains("accept-encoding"), "{path}");
        }
    }
    let licences = text(&portal.get("/licences", &NOBODY).await.body);
    assert!(
        licences.contains("preact") && licences.contains("client-zip") && licences.contains("Permission is hereby")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_speaks_the_readers_language_and_has_the_operators_face() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let in_language = async |accept: &str, cookie: &str| {
        let asked = portal.request(Method::GET, "/signin").header("accept-language", accept).header("cookie", cookie);
        boot(&portal.send(asked).await)
    };
    let german = in_language("de-CH, en;q=0.5", "").await;
    assert_eq!((&german["language"], &german["messages"]["signin"]), (&json!("de"), &json!("Anmelden")));
    assert_eq!(in_language("de", "gatehouse_language=fr").await["language"], "fr");
    assert_eq!(in_language("pt", "").await["portal"]["operator"], "Northgate Logistics");
    let settings = json!({ "operator_name": "</script><b>Süd & Nord", "languages": ["fr", "nl"], "support_email": "help@northgate.example" });
    portal.call(Method::PUT, "/v1/settings", &admin, Some(settings)).await.expect(200);
    assert_eq!(in_language("de", "").await["language"], "de", "for a minute, as it was");
    portal.pass(std::time::Duration::from_secs(61)).await;
    let french = in_language("de", "").await;
    assert_eq!(french["language"], "fr");
    assert_eq!(french["portal"]["operator"], "</script><b>Süd & Nord");
    assert_eq!(french["portal"]["support_email"], "help@northgate.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_session_need_not_wait_for_the_scripts_to_ask() {
    let portal = Portal::open().await;
    let preloads = async |path: &str, cookie: &str| {
        let page = portal.send(portal.request(Method::GET, path).header("cookie", cookie)).await;
        text(&page.body).matches("rel=\"preload\"").count()
    };
    assert_eq!(preloads("/", "gatehouse=anything").await, 2);
    assert_eq!(preloads("/?q=report", "gatehouse=anything").await, 1);
    assert_eq!(preloads("/shares/shr_1", "gatehouse=anything").await, 1);
    assert_eq!(preloads("/open", "gatehouse=anything").await, 0);
    assert_eq!(preloads("/", "").await, 0);
}
