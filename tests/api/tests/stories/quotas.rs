//! How large a customer's file may be, and how much a company's people may have in the portal: counted with what announces
//! it, and given back with what takes it out.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_tests::{ADMIN, Customer, Portal, Reply, Who, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::areas;
use crate::delivering::{items, sweep};
use crate::granted::becomes;
use crate::problems::open;
use crate::recipients::colleague;

/// The least that an admin may set.
const LEAST: u64 = 1_000_000;

async fn set(portal: &Portal, admin: &Who, settings: Value) {
    portal.call(Method::PUT, "/v1/settings", admin, Some(settings)).await.expect(200);
}

fn files(sizes: &[u64]) -> Value {
    sizes.iter().map(|size| json!({ "name": "scan.tif", "size": size })).collect()
}

/// A draft of a customer's with files of such sizes.
async fn announce(portal: &Portal, who: &Who, sizes: &[u64]) -> Reply {
    portal.post("/v1/shares", who, json!({ "title": "Documents", "files": files(sizes) })).await
}

/// That exactly so much more may be announced; nothing is left of the tries.
async fn has_room(portal: &Portal, who: &Who, bytes: u64) {
    announce(portal, who, &[bytes + 1]).await.expect_problem(409, "quota_exceeded");
    let draft = announce(portal, who, &[bytes]).await.expect(201);
    announce(portal, who, &[1]).await.expect_problem(409, "quota_exceeded");
    portal.delete(&format!("/v1/shares/{}", text(&draft["id"])), who).await.expect(204);
}

async fn has_room_soon(portal: &Portal, who: &Who, bytes: u64) {
    becomes("room again", async || {
        let reply = announce(portal, who, &[bytes]).await;
        let there = reply.status == 201;
        if there {
            portal.delete(&format!("/v1/shares/{}", text(&reply.body["id"])), who).await.expect(204);
        }
        there
    })
    .await;
    has_room(portal, who, bytes).await;
}

/// Bytes are looked for once more when their upload URL has ended.
async fn hours_pass_until_all_is_done(portal: &Portal) {
    for _ in 0..100 {
        if items(portal, "TASK#").await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        portal.pass(Duration::from_mins(61)).await;
        sweep(portal, "run-tasks").await;
    }
    panic!("{:#?}", items(portal, "TASK#").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sets_how_large_customers_files_are_and_how_much_a_company_has() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let shown = portal.get("/v1/settings", &admin).await.expect(200);
    let limits = |shown: &Value| (shown["customer_file_bytes"].as_u64(), shown["company_bytes"].as_u64());
    assert_eq!(limits(&shown), (Some(10_000_000_000), Some(200_000_000_000)));
    for (field, wrong) in [
        ("customer_file_bytes", json!(LEAST - 1)),
        ("customer_file_bytes", json!(6_000_000_000_000_u64)),
        ("company_bytes", json!(0)),
        ("company_bytes", json!(-1)),
        ("company_bytes", json!(2_000_000_000_000_000_u64)),
    ] {
        let body = json!({ field: wrong });
        portal.call(Method::PUT, "/v1/settings", &admin, Some(body)).await.expect_invalid(field);
    }
    set(&portal, &admin, json!({ "customer_file_bytes": LEAST, "company_bytes": 2 * LEAST })).await;
    let shown = portal.get("/v1/settings", &admin).await.expect(200);
    assert_eq!(limits(&shown), (Some(LEAST), Some(2 * LEAST)));
    set(&portal, &admin, json!({ "customer_file_bytes": null })).await;
    let shown = portal.get("/v1/settings", &admin).await.expect(200);
    assert_eq!(limits(&shown), (Some(10_000_000_000), Some(2 * LEAST)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_file_that_is_too_large_is_refused_with_its_place_and_the_staffs_is_not() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    set(&portal, &admin, json!({ "customer_file_bytes": LEAST })).await;
    let refused = announce(&portal, &ann.who, &[5, LEAST + 1]).await.expect_problem(422, "file_too_large");
    assert_eq!(refused["errors"][0]["field"], "files[1].size");
    assert!(text(&refused["errors"][0]["problem"]).contains("1000000 bytes"), "{refused:#}");
    announce(&portal, &ann.who, &[LEAST]).await.expect(201);
    assert!(portal.get("/v1/shares", &ann.who).await.expect(200)["items"].as_array().unwrap().is_empty());

    let large = json!({ "name": "scan.tif", "size": 5 * LEAST });
    let share = portal.share(&admin, "Offer", &[&ann.id]).await;
    portal.patch(&format!("/v1/shares/{share}"), &admin, json!({ "allow_upload": true })).await.expect(200);
    let path = format!("/v1/shares/{share}/files");
    let refused = portal.post(&path, &ann.who, large.clone()).await.expect_problem(422, "file_too_large");
    assert_eq!(refused["errors"][0]["field"], "size");
    portal.post(&path, &admin, large).await.expect(201);
    // The staff's files count to nobody.
    set(&portal, &admin, json!({ "company_bytes": LEAST, "customer_file_bytes": null })).await;
    announce(&portal, &admin, &[3 * LEAST]).await.expect(201);

    open(&portal, &admin, &ann.id, json!(["files", "upload", "jobs", "assets", "report_problem"])).await;
    set(&portal, &admin, json!({ "customer_file_bytes": LEAST, "company_bytes": null })).await;
    let body = json!({ "files": files(&[LEAST + 1]) });
    let refused = portal.post("/v1/problem-photos", &ann.who, body).await.expect_problem(422, "file_too_large");
    assert_eq!(refused["errors"][0]["field"], "files[0].size");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_announcements_at_once_exactly_those_are_taken_that_there_is_room_for() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let eve = portal.customer(&admin, "eve@elsewhere.example").await;
    set(&portal, &admin, json!({ "company_bytes": LEAST })).await;
    let sent = (0..20).map(|_| {
        let (portal, who) = (Arc::clone(&portal), ann.who.clone());
        tokio::spawn(async move { announce(&portal, &who, &[40_000, 50_000]).await })
    });
    let mut taken = Vec::new();
    for reply in sent.collect::<Vec<_>>() {
        let reply = reply.await.unwrap();
        if reply.status == 201 {
            taken.push(text(&reply.body["id"]));
        } else {
            let refused = reply.expect_problem(409, "quota_exceeded");
            assert_eq!(refused["errors"][0]["field"], "files");
        }
    }
    assert_eq!(taken.len(), 11);
    has_room(&portal, &ann.who, 10_000).await;
    // What a company has is its own people's all together, and nobody else's.
    let bob = colleague(&portal, &admin, &ann.company, "bob@harbour.example").await;
    has_room(&portal, &bob.who, 10_000).await;
    has_room(&portal, &eve.who, LEAST).await;

    // Into one share, at the very edge, with a key for each: what is refused leaves nothing, and the key is free again.
    let share = &taken[0];
    let path = format!("/v1/shares/{share}/files");
    let sent = (0..20).map(|n| {
        let (portal, who, path) = (Arc::clone(&portal), ann.who.clone(), path.clone());
        tokio::spawn(async move {
            let request = portal.request(Method::POST, &path).header("idempotency-key", format!("key {n}"));
            let request =
                request.bearer_auth(who.0.unwrap()).json(&json!({ "name": format!("{n}.tif"), "size": 3_000 }));
            portal.send(request).await
        })
    });
    let (mut added, mut refused) = (Vec::new(), 0);
    for reply in sent.collect::<Vec<_>>() {
        let reply = reply.await.unwrap();
        match reply.body["type"].as_str() {
            None => added.push(text(&reply.expect(201)["id"])),
            // Of so many at one share, some are told to try again.
            Some("conflict") => {}
            _ => {
                assert_eq!(reply.expect_problem(409, "quota_exceeded")["errors"][0]["field"], "size");
                refused += 1;
            }
        }
    }
    assert!(added.len() <= 3 && refused > 0, "{} added, {refused} refused", added.len());
    has_room(&portal, &ann.who, 10_000 - 3_000 * added.len() as u64).await;
    for file in added {
        portal.delete(&format!("{path}/{file}"), &ann.who).await.expect(204);
    }
    has_room(&portal, &ann.who, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_thrown_away_given_up_or_erased_is_given_back() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    set(&portal, &admin, json!({ "company_bytes": LEAST, "retention_days": 1 })).await;
    let share = portal.share(&admin, "Offer", &[&ann.id]).await;
    portal.patch(&format!("/v1/shares/{share}"), &admin, json!({ "allow_upload": true })).await.expect(200);
    let path = format!("/v1/shares/{share}/files");
    let withdrawn = portal.post(&path, &ann.who, json!({ "name": "a.tif", "size": 100_000 })).await.expect(201);
    has_room(&portal, &ann.who, LEAST - 100_000).await;
    portal.delete(&format!("{path}/{}", text(&withdrawn["id"])), &ann.who).await.expect(204);
    has_room(&portal, &ann.who, LEAST).await;

    // One that stays, one that never comes; a draft of hers that is left.
    let stays = portal.post(&path, &ann.who, json!({ "name": "b.tif", "size": 5 })).await.expect(201);
    assert!(portal.upload(&stays["upload"], b"hello").await.is_success());
    portal.complete(&ann.who, &share, &text(&stays["id"])).await.expect(200);
    portal.post(&path, &ann.who, json!({ "name": "never.tif", "size": 200_000 })).await.expect(201);
    announce(&portal, &ann.who, &[300_000]).await.expect(201);
    has_room(&portal, &ann.who, LEAST - 500_005).await;
    portal.pass(Duration::from_hours(8 * 24)).await;
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    has_room_soon(&portal, &ann.who, LEAST - 5).await;

    // Taken back by the staff it is still there; erased it is not.
    let admin = portal.sign_in(ADMIN).await;
    portal.delete(&format!("/v1/shares/{share}"), &admin).await.expect(204);
    has_room(&portal, &ann.who, LEAST - 5).await;
    portal.pass(Duration::from_hours(50)).await;
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    has_room_soon(&portal, &ann.who, LEAST).await;
    portal.tasks_are_done().await;
    has_room(&portal, &ann.who, LEAST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_problems_count_until_they_or_their_job_are_gone() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    open(&portal, &admin, &ann.id, json!(["upload", "jobs", "assets", "report_problem"])).await;
    set(&portal, &admin, json!({ "company_bytes": LEAST })).await;
    let asset = areas::put(&portal, &admin, &ann.company, "assets/R1", json!({ "name": "Reefer" })).await.expect(201);
    let report =
        |photos: Value| json!({ "asset_id": asset["id"], "title": "Door", "description": "Open.", "photos": photos });
    let early = json!({ "files": files(&[100_000]) });
    let early = portal.post("/v1/problem-photos", &ann.who, early).await.expect(201);
    let refused = portal.post("/v1/problems", &ann.who, report(files(&[500_000, 400_001]))).await;
    assert_eq!(refused.expect_problem(409, "quota_exceeded")["errors"][0]["field"], "photos");
    assert!(portal.get("/v1/jobs", &ann.who).await.expect(200)["items"].as_array().unwrap().is_empty());

    let mut body = report(json!([{ "name": "hinge.jpg", "size": 5 }]));
    body["photo_ids"] = json!([early["uploads"][0]["id"]]);
    let made = portal.post("/v1/problems", &ann.who, body).await.expect(201);
    assert!(portal.upload(&made["uploads"][0]["upload"], b"hello").await.is_success());
    let job = text(&made["job_id"]);
    let added = format!("/v1/jobs/{job}/files");
    portal.post(&added, &ann.who, json!({ "files": files(&[200_000]) })).await.expect(201);
    let refused = portal.post(&added, &ann.who, json!({ "files": files(&[800_000]) })).await;
    assert_eq!(refused.expect_problem(409, "quota_exceeded")["errors"][0]["field"], "files");
    portal.post(&added, &admin, json!({ "files": files(&[2 * LEAST]) })).await.expect(201);
    becomes("the photo", async || {
        portal.get(&format!("/v1/jobs/{job}"), &ann.who).await.expect(200)["files"].as_array().unwrap().len() == 1
    })
    .await;
    has_room(&portal, &ann.who, LEAST - 300_005).await;

    // A day later those without bytes are given up; with their job the others go.
    portal.pass(Duration::from_hours(25)).await;
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    has_room_soon(&portal, &ann.who, LEAST - 5).await;
    let admin = portal.sign_in(ADMIN).await;
    portal.delete(&format!("/v1/companies/{}/jobs/{job}", ann.company), &admin).await.expect(204);
    has_room_soon(&portal, &ann.who, LEAST).await;
    hours_pass_until_all_is_done(&portal).await;
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    has_room(&portal, &ann.who, LEAST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_merged_companys_people_have_counts_to_the_company_that_it_is_now() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@harbour-sons.example").await;
    set(&portal, &admin, json!({ "company_bytes": LEAST })).await;
    announce(&portal, &ann.who, &[100_000]).await.expect(201);
    let draft = announce(&portal, &bob.who, &[200_000, 300_000]).await.expect(201);
    let merge = format!("/v1/companies/{}/merge", bob.company);
    portal.post(&merge, &admin, json!({ "into": ann.company })).await.expect(202);
    // Given back in the middle of it.
    let file = format!("/v1/shares/{}/files/{}", text(&draft["id"]), text(&draft["files"][0]["id"]));
    portal.delete(&file, &bob.who).await.expect(204);
    hours_pass_until_all_is_done(&portal).await;
    for email in [&ann.email, &bob.email] {
        let who = portal.sign_in(email).await;
        has_room(&portal, &who, LEAST - 400_000).await;
    }
    let bob = Customer { who: portal.sign_in(&bob.email).await, ..bob };
    portal.delete(&format!("/v1/shares/{}", text(&draft["id"])), &bob.who).await.expect(204);
    has_room(&portal, &bob.who, LEAST - 100_000).await;
}
