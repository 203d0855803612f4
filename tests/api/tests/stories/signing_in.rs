//! Signing in and out, and what a session is worth.

use std::time::Duration;

use gatehouse_tests::{ADMIN, NOBODY, PASSWORD, Portal, Who, text};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer_for_the_same_work() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let path = format!("/v1/companies/{company}/contacts");
    let body = json!({ "name": "Invited", "email": "invited@harbour.example", "send_invite": true });
    portal.post(&path, &admin, body).await.expect(201);
    portal.activation_token("invited@harbour.example", 1).await;

    // What goes on by itself reads, too.
    portal.pause_mail().await;
    let mut answers = Vec::new();
    for email in [ADMIN, "nobody@harbour.example", "invited@harbour.example"] {
        let _ = portal.stack.meter.take();
        let reply =
            portal.post("/v1/sessions", &NOBODY, json!({ "email": email, "password": "not the password" })).await;
        let calls: Vec<String> = portal.stack.meter.take().into_iter().map(|call| call.operation).collect();
        let reads: Vec<_> = calls.into_iter().filter(|call| call == "GetItem").collect();
        let headers: Vec<_> = reply.headers.keys().map(|name| name.as_str().to_owned()).collect();
        let mut problem = reply.expect_problem(401, "wrong_credentials");
        problem["request_id"].take();
        answers.push((problem, headers, reads));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_this_session_and_signing_out_everywhere_ends_all() {
    let portal = Portal::open().await;
    let first = portal.admin().await;
    let (second, third) = (portal.sign_in(ADMIN).await, portal.sign_in(ADMIN).await);
    portal.delete("/v1/sessions/current", &first).await.expect(204);
    portal.get("/v1/me", &first).await.expect_problem(401, "sign_in_required");
    portal.get("/v1/me", &second).await.expect(200);
    portal.delete("/v1/sessions", &second).await.expect(204);
    for ended in [&second, &third] {
        portal.get("/v1/me", ended).await.expect_problem(401, "sign_in_required");
    }
    portal.get("/v1/me", &portal.sign_in(ADMIN).await).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_twelve_hours() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.pass(Duration::from_secs(12 * 3600 - 5)).await;
    portal.get("/v1/me", &admin).await.expect(200);
    portal.pass(Duration::from_secs(10)).await;
    portal.get("/v1/me", &admin).await.expect_problem(401, "sign_in_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_sessions_open_nothing() {
    let (portal, elsewhere) = (Portal::open().await, Portal::open().await);
    let ours = portal.admin().await.0.unwrap();
    let theirs = elsewhere.admin().await.0.unwrap();
    let [head, body, mark] = ours.split('.').collect::<Vec<_>>()[..] else { panic!("no JWT: {ours}") };
    let flipped = if mark.starts_with('A') { "B" } else { "A" };
    for forged in [
        theirs.clone(),
        format!("{head}.{body}.{flipped}{}", &mark[1..]),
        format!("{head}.{body}."),
        format!("eyJhbGciOiJub25lIn0.{body}."),
        format!("{head}.{}.{mark}", theirs.split('.').nth(1).unwrap()),
        "garbage".to_owned(),
        String::new(),
    ] {
        portal.get("/v1/me", &Who(Some(forged))).await.expect_problem(401, "sign_in_required");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_with_a_cookie_that_no_other_site_can_use() {
    let portal = Portal::open().await;
    portal.admin().await;
    let body = json!({ "email": ADMIN, "password": PASSWORD });
    let reply = portal.post("/v1/sessions", &NOBODY, body).await;
    let cookie = reply.headers["set-cookie"].to_str().unwrap().to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with_cookie = |method, path: &str| portal.request(method, path).header("cookie", &cookie);
    let me = portal.send(with_cookie(Method::GET, "/v1/me")).await.expect(200);
    assert_eq!((me["kind"].as_str(), me["email"].as_str()), (Some("staff"), Some(ADMIN)));

    let change = || with_cookie(Method::PATCH, "/v1/me").json(&json!({ "name": "Ada" }));
    portal.send(change()).await.expect_problem(403, "forbidden");
    portal.send(change().header("x-gatehouse", "1")).await.expect(200);

    let reply = portal.send(with_cookie(Method::DELETE, "/v1/sessions/current").header("x-gatehouse", "1")).await;
    assert!(reply.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    portal.send(with_cookie(Method::GET, "/v1/me")).await.expect_problem(401, "sign_in_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_changes_their_own_name_and_language_and_customers_their_notifications() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let change = json!({ "name": "Ann Lee", "language": "nl", "notifications": { "email": "daily" } });
    let me = portal.patch("/v1/me", &ann.who, change).await.expect(200);
    assert_eq!((me["name"].as_str(), me["kind"].as_str()), (Some("Ann Lee"), Some("customer")));
    assert_eq!(portal.get("/v1/me", &ann.who).await.expect(200), me);
    let contact = portal.get(&format!("/v1/contacts/{}", ann.id), &admin).await.expect(200);
    assert_eq!((text(&contact["language"]), text(&contact["notifications"]["email"])), ("nl".into(), "daily".into()));

    let change = json!({ "notifications": { "email": "off" } });
    portal.patch("/v1/me", &admin, change).await.expect_invalid("notifications");
    portal.patch("/v1/me", &ann.who, json!({ "areas": ["jobs"] })).await.expect_invalid("areas");
    let change = json!({ "notifications": { "email": "hourly" } });
    portal.patch("/v1/me", &ann.who, change).await.expect_invalid("notifications.email");
}
