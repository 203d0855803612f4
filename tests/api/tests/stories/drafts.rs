//! A draft is its maker's: who sees it, how a file is taken out of it again, how it is thrown away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::IntoResponse as _;
use gatehouse_tests::proxy::before;
use gatehouse_tests::{ADMIN, Portal, Reply, Who, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::delivering::{TASK_LEFT, items, sweep, what_is_left};
use crate::recipients::colleague;

async fn member(portal: &Portal, admin: &Who, role: &str) -> Who {
    let email = format!("{role}@northgate.example");
    let body = json!({ "name": "Sam", "email": email, "roles": [role] });
    portal.post("/v1/staff", admin, body).await.expect(201);
    let token = portal.activation_token(&email, 1).await;
    portal.activate(&token).await
}

async fn key(portal: &Portal, admin: &Who) -> Who {
    let body = json!({ "name": "ERP", "scopes": ["shares:read", "shares:write"] });
    let key = portal.post("/v1/api-keys", admin, body).await.expect(201);
    Who(key["key"].as_str().map(str::to_owned))
}

fn announced(name: &str) -> Value {
    json!({ "name": name, "size": 5, "content_type": "text/plain" })
}

async fn create(portal: &Portal, who: &Who, title: &str, names: &[&str]) -> Value {
    let files: Vec<Value> = names.iter().map(|name| announced(name)).collect();
    portal.post("/v1/shares", who, json!({ "title": title, "files": files })).await.expect(201)
}

async fn add(portal: &Portal, who: &Who, share: &str, name: &str) -> Value {
    portal.post(&format!("/v1/shares/{share}/files"), who, announced(name)).await.expect(201)
}

async fn stored(portal: &Portal, who: &Who, share: &str, file: &Value) {
    portal.upload(&file["upload"], b"hello").await;
    portal.complete(who, share, &text(&file["id"])).await.expect(200);
}

async fn withdraw(portal: &Portal, who: &Who, share: &str, file: &Value) -> Reply {
    portal.delete(&format!("/v1/shares/{share}/files/{}", text(&file["id"])), who).await
}

async fn send(portal: &Portal, who: &Who, share: &str) -> Reply {
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), who, None).await
}

/// Waits until nothing lies in the bucket under that share, or in the table.
async fn nothing_is_left(portal: &Portal, share: &str) {
    for _ in 0..200 {
        let tasks = items(portal, "TASK#").await;
        if what_is_left(portal, share).await.is_empty() && !tasks.iter().any(|task| task.to_string().contains(share)) {
            return;
        }
        portal.pass(TASK_LEFT).await;
        sweep(portal, "run-tasks").await;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:#?}", what_is_left(portal, share).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_its_maker_sees_a_customers_draft_before_it_is_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let created = create(&portal, &ann.who, "Ann's secret draft", &["claim.txt"]).await;
    let (share, file) = (text(&created["id"]), &created["files"][0]);
    let (path, file_path) = (format!("/v1/shares/{share}"), format!("/v1/shares/{share}/files/{}", text(&file["id"])));
    let viewer = member(&portal, &admin, "viewer").await;
    let key = key(&portal, &admin).await;
    let lists = ["/v1/shares", "/v1/shares?q=secret", "/v1/shares?state=draft", "/v1/shares?sort=title"];
    let lists = lists.map(str::to_owned).into_iter().chain([
        format!("/v1/shares?contact_id={}", ann.id),
        format!("/v1/shares?company_id={}", ann.company),
        "/v1/shares?type=document".to_owned(),
    ]);
    let lists: Vec<String> = lists.collect();
    // Nor do colleagues, where they see what their company has.
    let cat = colleague(&portal, &admin, &ann.company, "cat@harbour.example").await;
    let visible = Some(json!({ "share_visibility": "company" }));
    portal.call(Method::PUT, "/v1/settings", &admin, visible).await.expect(200);
    for round in 0..2 {
        portal.get(&path, &cat.who).await.expect_problem(404, "not_found");
        for look in ["/v1/shares", "/v1/shares?q=secret"] {
            assert_eq!(portal.get(look, &cat.who).await.expect(200)["items"], json!([]));
        }
        portal
            .call(Method::POST, &format!("{file_path}/preview"), &cat.who, None)
            .await
            .expect_problem(404, "not_found");
        for who in [&admin, &viewer, &key] {
            portal
                .call(Method::POST, &format!("{file_path}/preview"), who, None)
                .await
                .expect_problem(404, "not_found");
            portal.get(&path, who).await.expect_problem(404, "not_found");
            portal.get(&format!("{path}/recipients"), who).await.expect_problem(404, "not_found");
            for download in [format!("{file_path}/download"), format!("{path}/downloads")] {
                portal.call(Method::POST, &download, who, None).await.expect_problem(404, "not_found");
            }
            for list in &lists {
                assert_eq!(portal.get(list, who).await.expect(200)["items"], json!([]), "{list}");
            }
        }
        for who in [&admin, &key] {
            let refused = [
                portal.patch(&path, who, json!({ "title": "Mine" })).await,
                portal.delete(&path, who).await,
                portal.delete(&file_path, who).await,
                portal.post(&format!("{path}/files"), who, announced("x.txt")).await,
                portal.get(&format!("{file_path}/upload"), who).await,
                portal.call(Method::POST, &format!("{file_path}/complete"), who, None).await,
                send(&portal, who, &share).await,
                portal.post(&format!("{path}/recipients"), who, json!({ "contact_id": ann.id })).await,
                portal.delete(&format!("{path}/recipients/{}", ann.id), who).await,
            ];
            for reply in refused {
                reply.expect_problem(404, "not_found");
            }
        }
        if round == 0 {
            // Nor once it could be sent.
            stored(&portal, &ann.who, &share, file).await;
        }
    }
    send(&portal, &ann.who, &share).await.expect(202);
    portal.get(&path, &viewer).await.expect(200);
    assert_eq!(portal.get("/v1/shares?q=secret", &admin).await.expect(200)["items"][0]["id"], json!(share));
    // What the staff draft they see of each other.
    let drafted = create(&portal, &key, "Staff draft", &[]).await;
    portal.get(&format!("/v1/shares/{}", text(&drafted["id"])), &viewer).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_makes_a_draft_takes_files_out_of_it_and_sends_the_rest() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    for who in [&ann.who, &admin] {
        let created = create(&portal, who, "With one too many", &["kept.txt", "never comes.txt", "wrong.txt"]).await;
        let share = text(&created["id"]);
        let [kept, never, wrong] = [0, 1, 2].map(|n| &created["files"][n]);
        if *who.0.as_ref().unwrap() == *admin.0.as_ref().unwrap() {
            let body = json!({ "contact_id": bob.id });
            portal.post(&format!("/v1/shares/{share}/recipients"), who, body).await.expect(201);
        }
        stored(&portal, who, &share, kept).await;
        stored(&portal, who, &share, wrong).await;
        send(&portal, who, &share).await.expect_problem(409, "upload_incomplete");
        withdraw(&portal, &bob.who, &share, never).await.expect_problem(404, "not_found");
        withdraw(&portal, who, &share, never).await.expect(204);
        withdraw(&portal, who, &share, never).await.expect_problem(404, "not_found");
        withdraw(&portal, who, &share, wrong).await.expect(204);
        let shown = portal.get(&format!("/v1/shares/{share}"), who).await.expect(200);
        assert_eq!((shown["files"].as_array().unwrap().len(), &shown["file_count"]), (1, &json!(1)));
        // Its upload URL still works for a while, and nothing stays where it leads.
        portal.upload(&never["upload"], b"hello").await;
        portal.complete(who, &share, &text(&never["id"])).await.expect_problem(404, "not_found");
        send(&portal, who, &share).await.expect(202);
        let shown = portal.get(&format!("/v1/shares/{share}"), who).await.expect(200);
        assert_eq!((&shown["files"][0]["name"], &shown["total_size"]), (&json!("kept.txt"), &json!(5)));
        // What is there is not taken out of a share that was sent.
        withdraw(&portal, who, &share, kept).await.expect_problem(409, "file_stored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_announced_a_file_in_a_sent_share_withdraws_it_while_its_bytes_are_awaited() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    let share = portal.share(&admin, "Offer", &[&ann.id, &bob.id]).await;
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, &admin, json!({ "allow_upload": true })).await.expect(200);
    let (anns, staffs) = (add(&portal, &ann.who, &share, "a.txt").await, add(&portal, &admin, &share, "s.txt").await);
    let offer = json!({ "id": portal.get(&path, &ann.who).await.expect(200)["files"][0]["id"] });
    withdraw(&portal, &bob.who, &share, &anns).await.expect_problem(404, "not_found");
    withdraw(&portal, &ann.who, &share, &staffs).await.expect_problem(404, "not_found");
    withdraw(&portal, &ann.who, &share, &offer).await.expect_problem(403, "forbidden");
    withdraw(&portal, &admin, &share, &anns).await.expect_problem(403, "forbidden");
    // Even if nothing more may be put there.
    portal.patch(&path, &admin, json!({ "allow_upload": false })).await.expect(200);
    withdraw(&portal, &ann.who, &share, &anns).await.expect(204);
    withdraw(&portal, &admin, &share, &staffs).await.expect(204);
    let shown = portal.get(&path, &admin).await.expect(200);
    assert_eq!(shown["files"].as_array().unwrap().len(), 1);
    // Of its bytes and the withdrawal at once, one wins.
    portal.patch(&path, &admin, json!({ "allow_upload": true })).await.expect(200);
    for _ in 0..5 {
        let file = add(&portal, &ann.who, &share, "b.txt").await;
        portal.upload(&file["upload"], b"hello").await;
        let id = text(&file["id"]);
        let (completed, withdrawn) =
            tokio::join!(portal.complete(&ann.who, &share, &id), withdraw(&portal, &ann.who, &share, &file));
        let shown = portal.get(&path, &ann.who).await.expect(200);
        let is_there = shown["files"].as_array().unwrap().iter().any(|file| file["id"] == json!(id));
        match (completed.status.as_u16(), withdrawn.status.as_u16()) {
            (200, 409) => assert!(is_there),
            (404, 204) => assert!(!is_there),
            other => panic!("{other:?}"),
        }
    }
    let listed = portal.get(&format!("/v1/activity?share_id={share}&kind=file_withdrawn"), &admin).await.expect(200);
    assert!(listed["items"].as_array().unwrap().len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_thrown_away_by_whoever_made_it_and_leaves_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    let ends = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_mins(10);
    for (who, found) in [(&ann.who, false), (&admin, true)] {
        let body = json!({ "title": "Never mind", "files": [announced("a.txt"), announced("b.txt")], "expires_at": ends.to_string() });
        let created = portal.post("/v1/shares", who, body).await.expect(201);
        let share = text(&created["id"]);
        let path = format!("/v1/shares/{share}");
        stored(&portal, who, &share, &created["files"][0]).await;
        portal.delete(&path, &bob.who).await.expect_problem(404, "not_found");
        let words = async || {
            let words = items(&portal, "WORDS#SHARES#").await;
            words.iter().filter(|word| text(&word["sk"]["S"]).contains(&share)).count()
        };
        assert_eq!(words().await > 0, found, "what a customer has not sent yet is found by nobody");
        portal.delete(&path, who).await.expect(204);
        portal.get(&path, who).await.expect_problem(404, "not_found");
        portal.delete(&path, who).await.expect_problem(404, "not_found");
        portal.post(&format!("{path}/files"), who, announced("c.txt")).await.expect_problem(404, "not_found");
        assert_eq!(portal.get("/v1/shares?q=never", &admin).await.expect(200)["items"], json!([]));
        nothing_is_left(&portal, &share).await;
        assert_eq!(words().await, 0);
    }
    let admin = portal.sign_in(ADMIN).await;
    let ann_who = portal.sign_in(&ann.email).await;
    let listed = portal.get("/v1/activity?kind=share_erased", &admin).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "by whom stays");
    // Also one that has ended; and what was sent stays with those it was sent to.
    let body = json!({ "title": "Late", "files": [announced("a.txt")], "expires_at": (portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_mins(10)).to_string() });
    let created = portal.post("/v1/shares", &ann_who, body).await.expect(201);
    let late = text(&created["id"]);
    portal.pass(Duration::from_mins(20)).await;
    portal.get(&format!("/v1/shares/{late}"), &ann_who).await.expect_problem(410, "share_expired");
    portal.delete(&format!("/v1/shares/{late}"), &ann_who).await.expect(204);
    let created = create(&portal, &ann_who, "Sent", &["a.txt"]).await;
    let sent = text(&created["id"]);
    stored(&portal, &ann_who, &sent, &created["files"][0]).await;
    send(&portal, &ann_who, &sent).await.expect(202);
    portal.delete(&format!("/v1/shares/{sent}"), &ann_who).await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_whose_file_never_came_says_so_when_that_is_given_up() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let created = create(&portal, &admin, "Half a draft", &["kept.txt", "never comes.txt"]).await;
    let share = text(&created["id"]);
    stored(&portal, &admin, &share, &created["files"][0]).await;
    portal.pass(Duration::from_hours(7 * 24 + 1)).await;
    portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    let admin = portal.sign_in(ADMIN).await;
    let shown = portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200);
    assert_eq!(
        (shown["files"].as_array().unwrap().len(), &shown["file_count"], &shown["total_size"]),
        (1, &json!(1), &json!(5))
    );
    let listed = portal.get("/v1/shares?q=half", &admin).await.expect(200);
    assert_eq!((&listed["items"][0]["file_count"], &listed["items"][0]["total_size"]), (&json!(1), &json!(5)));
    assert_eq!(portal.get("/v1/shares?q=never", &admin).await.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_came_long_ago_are_taken_before_their_file_is_given_up() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let created = create(&portal, &admin, "Forgotten", &["came.txt", "never comes.txt"]).await;
    let share = text(&created["id"]);
    // Whoever was told of the last byte has failed, and its sender is gone.
    portal.pause_mail().await;
    portal.upload(&created["files"][0]["upload"], b"hello").await;
    portal.pass(Duration::from_hours(7 * 24 + 1)).await;
    let outcome = portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    assert_eq!(outcome["uploads"], json!(1));
    let admin = portal.sign_in(ADMIN).await;
    let shown = portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200);
    let files = shown["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["name"], &files[0]["state"]), (1, &json!("came.txt"), &json!("stored")));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_as_soon_as_the_bucket_deletes_again() {
    let outage = Arc::new(AtomicBool::new(false));
    let fails = Arc::clone(&outage);
    let portal = Portal::open_with(|env| {
        let bucket = env.endpoints.s3.clone().unwrap();
        env.endpoints.s3 = Some(before(&bucket, move |method, pass_on| {
            let fails = method != Method::PUT && fails.load(Ordering::Relaxed);
            async move {
                if fails {
                    let error = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
                    return (StatusCode::SERVICE_UNAVAILABLE, error).into_response();
                }
                pass_on.send().await
            }
        }));
    })
    .await;
    let admin = portal.admin().await;
    let created = create(&portal, &admin, "Thrown away", &["a.txt", "b.txt"]).await;
    let share = text(&created["id"]);
    for file in created["files"].as_array().unwrap() {
        stored(&portal, &admin, &share, file).await;
    }
    outage.store(true, Ordering::Relaxed);
    withdraw(&portal, &admin, &share, &created["files"][0]).await.expect(204);
    // The stream and the sweeps try, and the task stays.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        portal.pass(Duration::from_mins(6)).await;
    }
    assert!(portal.everything_in_the_table().await.contains("delete_bytes"));
    outage.store(false, Ordering::Relaxed);
    portal.pass(Duration::from_mins(6)).await;
    portal.delete(&format!("/v1/shares/{share}"), &portal.sign_in(ADMIN).await).await.expect(204);
    nothing_is_left(&portal, &share).await;
}
