//! The contract that is published, and that every other story is held to.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gatehouse_tests::openapi::Asked;
use gatehouse_tests::{NOBODY, Portal, Reply};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_there_for_anybody_and_is_not_fetched_twice() {
    let portal = Portal::open().await;
    let got = portal.get("/openapi.json", &NOBODY).await;
    let published: Value = serde_json::from_str(&std::fs::read_to_string(gatehouse_openapi::FILE).unwrap()).unwrap();
    assert_eq!(got.headers["cache-control"], "public, max-age=3600");
    let tag = got.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(got.expect(200), published);
    let again = portal.request(Method::GET, "/openapi.json").header("if-none-match", &tag);
    let again = portal.send(again).await;
    assert_eq!((again.status, again.body), (StatusCode::NOT_MODIFIED, Value::Null));
    let post = portal.call(Method::POST, "/openapi.json", &NOBODY, None).await;
    post.expect_problem(405, "method_not_allowed");
}

/// Each way in which an answer can be another one than the document says.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_does_not_say_ends_a_story() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "Harbour" });
    let good = portal.post("/v1/companies", &admin, body.clone()).await;
    let headers = good.headers.clone();
    let refused = portal.get("/v1/companies/nonsense", &admin).await;
    let held = |method: Method,
                path: &str,
                sent: Option<&Value>,
                status: u16,
                headers: &reqwest::header::HeaderMap,
                body: Value| {
        let request = portal.request(method, path);
        let request =
            sent.map_or_else(|| portal.request(Method::GET, path), |sent| request.json(sent)).build().unwrap();
        let reply = Reply { status: StatusCode::from_u16(status).unwrap(), headers: headers.clone(), body };
        catch_unwind(AssertUnwindSafe(|| Asked::of(&request).hold(&reply))).is_ok()
    };
    let posted =
        |sent: &Value, status, answer: Value| held(Method::POST, "/v1/companies", Some(sent), status, &headers, answer);
    assert!(posted(&body, 201, good.body.clone()), "as it was");
    let changed = |change: fn(&mut Value)| {
        let mut answer = good.body.clone();
        change(&mut answer);
        answer
    };
    assert!(!posted(&body, 200, good.body.clone()), "another status");
    assert!(!posted(&body, 201, changed(|answer| answer["more"] = 1.into())), "a field more");
    assert!(!posted(&body, 201, changed(|answer| drop(answer.as_object_mut().unwrap().remove("domains")))), "one less");
    assert!(!posted(&body, 201, changed(|answer| answer["name"] = 1.into())), "another type");
    assert!(
        !posted(&body, 201, changed(|answer| answer["id"] = "con_01M8F86HNTW43RBMTAMQPYZDMN".into())),
        "another id"
    );
    assert!(
        !posted(&json!({ "name": "Harbour", "color": "red" }), 201, good.body.clone()),
        "a request that is not taken"
    );
    assert!(!posted(&json!({}), 201, good.body.clone()), "nor one that lacks what is needed");

    let problem = |answer: Value| held(Method::GET, "/v1/companies/nonsense", None, 404, &refused.headers, answer);
    assert!(problem(refused.body.clone()), "as it was");
    let mut other = refused.body.clone();
    other["type"] = "link_unknown".into();
    assert!(!problem(other), "a problem of another route");
    assert!(!held(Method::GET, "/v1/nothing", None, 200, &headers, json!({})), "another route");
}
