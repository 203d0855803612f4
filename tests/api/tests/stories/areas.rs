//! Sites, assets and jobs: the operator's system pushes them in, and its customers look at their own.

use std::collections::BTreeSet;
use std::time::Duration;

use gatehouse_tests::{ADMIN, Customer, NOBODY, Portal, Reply, Who, text};
use reqwest::Method;
use serde_json::{Value, json};

/// A system of the operator's with its key.
pub(crate) async fn erp(portal: &Portal, admin: &Who) -> Who {
    let key = json!({ "name": "ERP production", "scopes": ["records:write"] });
    Who(Some(text(&portal.post("/v1/api-keys", admin, key).await.expect(201)["key"])))
}

/// Opens these areas, and no others.
async fn open(portal: &Portal, admin: &Who, contact: &str, areas: Value) {
    let path = format!("/v1/contacts/{contact}/access");
    let body = json!({ "state": "open", "areas": areas });
    portal.call(Method::PUT, &path, admin, Some(body)).await.expect(200);
}

pub(crate) async fn put(portal: &Portal, who: &Who, company: &str, record: &str, body: Value) -> Reply {
    portal.call(Method::PUT, &format!("/v1/companies/{company}/{record}"), who, Some(body)).await
}

async fn references(portal: &Portal, who: &Who, path: &str) -> Vec<String> {
    let page = portal.get(path, who).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| text(&item["reference"])).collect()
}

/// A customer with two sites, two assets and three jobs.
async fn yard(portal: &Portal, admin: &Who, erp: &Who, email: &str) -> Customer {
    let ann = portal.customer(admin, email).await;
    open(portal, admin, &ann.id, json!(["jobs", "assets"])).await;
    let site = json!({ "name": "Köln Yard", "address": "Am Hafen 1\n50668 Köln" });
    put(portal, erp, &ann.company, "sites/HAM/1", site).await.expect(201);
    put(portal, erp, &ann.company, "sites/ROT", json!({ "name": "Rotterdam" })).await.expect(201);
    let asset = json!({ "name": "Reefer", "kind": "Container", "serial": "SN-77/12", "site_reference": "HAM/1", "status": "On hire" });
    put(portal, erp, &ann.company, "assets/MSKU 123456-7", asset).await.expect(201);
    put(portal, erp, &ann.company, "assets/TCLU7654321", json!({ "name": "Tank" })).await.expect(201);
    for (reference, body) in [
        (
            "2026/00123",
            json!({ "title": "Repair of the door", "status": "scheduled", "site_reference": "HAM/1", "asset_reference": "MSKU 123456-7", "scheduled_at": "2026-12-01T08:00:00Z", "description": "Hinge broken" }),
        ),
        ("2026/00124", json!({ "title": "Annual check", "status": "open", "asset_reference": "TCLU7654321" })),
        (
            "2026/00125",
            json!({ "title": "Cleaning", "status": "done", "site_reference": "ROT", "scheduled_at": "2026-11-01T08:00:00Z" }),
        ),
    ] {
        put(portal, erp, &ann.company, &format!("jobs/{reference}"), body).await.expect(201);
    }
    ann
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_browses_its_own_jobs_and_assets_and_nobody_elses() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    let bob = yard(&portal, &admin, &erp, "bob@elsewhere.example").await;

    assert_eq!(references(&portal, &ann.who, "/v1/assets").await, ["MSKU 123456-7", "TCLU7654321"]);
    assert_eq!(references(&portal, &ann.who, "/v1/sites").await, ["HAM/1", "ROT"]);
    let jobs = portal.get("/v1/jobs", &ann.who).await.expect(200);
    assert_eq!((jobs["items"].as_array().unwrap().len(), &jobs["next"]), (3, &Value::Null));
    let job = jobs["items"].as_array().unwrap().iter().find(|job| job["reference"] == "2026/00123").unwrap();
    assert_eq!(job["company_id"], json!(ann.company));
    assert_eq!(
        (&job["status"], &job["site_reference"], &job["asset_reference"], &job["source"]),
        (&json!("scheduled"), &json!("HAM/1"), &json!("MSKU 123456-7"), &json!("api"))
    );
    let shown = portal.get(&format!("/v1/jobs/{}", text(&job["id"])), &ann.who).await.expect(200);
    assert_eq!((&shown["description"], &shown["events"][0]["kind"]), (&json!("Hinge broken"), &json!("created")));
    for (kind, id) in [("sites", &job["site_id"]), ("assets", &job["asset_id"])] {
        portal.get(&format!("/v1/{kind}/{}", text(id)), &ann.who).await.expect(200);
    }

    // What is Bob's is not there for Ann: by id, filter, search, reference or cursor.
    for (kind, id) in [("sites", "site_id"), ("assets", "asset_id"), ("jobs", "id")] {
        let of_bob = portal.get("/v1/jobs", &bob.who).await.expect(200);
        let of_bob = of_bob["items"].as_array().unwrap().iter().find(|job| job["reference"] == "2026/00123").unwrap();
        let id = text(&of_bob[id]);
        portal.get(&format!("/v1/{kind}/{id}"), &bob.who).await.expect(200);
        portal.get(&format!("/v1/{kind}/{id}"), &ann.who).await.expect_problem(404, "not_found");
        if kind != "jobs" {
            let filtered = format!("/v1/jobs?{}_id={id}", kind.trim_end_matches('s'));
            assert_eq!(references(&portal, &bob.who, &filtered).await.len(), 1);
            assert_eq!(references(&portal, &ann.who, &filtered).await, [""; 0]);
        }
    }
    put(&portal, &erp, &bob.company, "jobs/SECRET-1", json!({ "title": "Confidential", "status": "open" }))
        .await
        .expect(201);
    for q in ["confidential", "secret", "SECRET-1"] {
        assert_eq!(references(&portal, &bob.who, &format!("/v1/jobs?q={q}")).await, ["SECRET-1"]);
        assert_eq!(references(&portal, &ann.who, &format!("/v1/jobs?q={q}")).await, [""; 0]);
    }
    let next = text(&portal.get("/v1/jobs?limit=1", &bob.who).await.expect(200)["next"]);
    portal.get(&format!("/v1/jobs?limit=1&cursor={next}"), &bob.who).await.expect(200);
    portal.get(&format!("/v1/jobs?limit=1&cursor={next}"), &ann.who).await.expect_problem(400, "invalid_cursor");
    let of_bob = format!("/v1/jobs?company_id={}", bob.company);
    portal.get(&of_bob, &ann.who).await.expect_invalid("company_id");
    portal.get("/v1/jobs", &NOBODY).await.expect_problem(401, "sign_in_required");

    // And nobody but the operator says what there is.
    let before = portal.get(&of_bob, &admin).await.expect(200);
    for company in [&ann.company, &bob.company] {
        let body = json!({ "title": "Mine", "status": "done", "name": "Mine" });
        for record in ["jobs/2026/00123", "jobs/new", "assets/TCLU7654321", "sites/ROT"] {
            put(&portal, &ann.who, company, record, body.clone()).await.expect_problem(403, "forbidden");
            let path = format!("/v1/companies/{company}/{record}");
            portal.delete(&path, &ann.who).await.expect_problem(403, "forbidden");
        }
        let batch = json!({ "items": [{ "reference": "new", "title": "Mine", "status": "open" }] });
        portal.post(&format!("/v1/companies/{company}/jobs"), &ann.who, batch).await.expect_problem(403, "forbidden");
    }
    assert_eq!(portal.get(&of_bob, &admin).await.expect(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn areas_are_chosen_when_a_portal_is_opened_and_count_at_the_next_request() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    let asset = text(&portal.get("/v1/assets", &ann.who).await.expect(200)["items"][0]["id"]);
    let job = text(&portal.get("/v1/jobs", &ann.who).await.expect(200)["items"][0]["id"]);
    // What each choice opens: jobs, assets, sites.
    for (areas, open_areas) in [
        (json!(["jobs"]), [true, false, true]),
        (json!(["assets"]), [false, true, true]),
        (json!(["jobs", "assets"]), [true, true, true]),
        (json!(["files", "upload", "report_problem"]), [false, false, false]),
        (json!(["jobs", "assets", "report_problem"]), [true, true, true]),
    ] {
        open(&portal, &admin, &ann.id, areas.clone()).await;
        let paths = [
            (vec!["/v1/jobs".to_owned(), format!("/v1/jobs/{job}"), "/v1/jobs?sort=nope".to_owned()], open_areas[0]),
            (
                vec!["/v1/assets".to_owned(), format!("/v1/assets/{asset}"), "/v1/assets/ast_x".to_owned()],
                open_areas[1],
            ),
            (vec!["/v1/sites".to_owned(), "/v1/sites/sit_x".to_owned()], open_areas[2]),
        ];
        for (path, open) in paths.into_iter().flat_map(|(paths, open)| paths.into_iter().map(move |path| (path, open)))
        {
            let reply = portal.get(&path, &ann.who).await;
            if open {
                assert_ne!(reply.status.as_u16(), 403, "{areas} {path}");
            } else {
                reply.expect_problem(403, "area_not_open");
            }
        }
    }
    let closed = json!({ "state": "closed" });
    portal.call(Method::PUT, &format!("/v1/contacts/{}/access", ann.id), &admin, Some(closed)).await.expect(200);
    portal.get("/v1/jobs", &ann.who).await.expect_problem(401, "sign_in_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_put_by_its_reference_and_what_is_not_named_stays() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    let company = &ann.company;
    let was = portal.get("/v1/jobs?q=00123", &ann.who).await.expect(200)["items"][0].clone();

    let body = json!({ "status": "in_progress", "status_label": "Mechanic on site" });
    let changed = put(&portal, &erp, company, "jobs/2026/00123", body).await.expect(200);
    for field in ["id", "title", "site_id", "asset_reference", "scheduled_at", "created_at"] {
        assert_eq!(changed[field], was[field], "{field}");
    }
    assert_eq!(
        (&changed["status_label"], &changed["description"]),
        (&json!("Mechanic on site"), &json!("Hinge broken"))
    );
    assert_ne!(changed["updated_at"], was["updated_at"]);
    // A slash may come as it is or encoded; null takes away.
    let body = json!({ "scheduled_at": null, "site_reference": null, "asset_reference": "TCLU7654321" });
    let changed = put(&portal, &erp, company, "jobs/2026%2F00123", body).await.expect(200);
    assert_eq!(
        (&changed["id"], &changed["scheduled_at"], &changed["site_id"]),
        (&was["id"], &Value::Null, &Value::Null)
    );
    assert_eq!((&changed["asset_reference"], &changed["status"]), (&json!("TCLU7654321"), &json!("in_progress")));
    // It has left the lists that it lay in, and is in others.
    let listed = async |query: &str| references(&portal, &ann.who, &format!("/v1/jobs?{query}")).await;
    assert_eq!(listed("status=scheduled").await, [""; 0]);
    assert_eq!(listed("status=in_progress").await, ["2026/00123"]);
    assert_eq!(listed(&format!("site_id={}", text(&was["site_id"]))).await, [""; 0]);
    assert_eq!(listed(&format!("asset_id={}", text(&changed["asset_id"]))).await, ["2026/00123", "2026/00124"]);
    assert_eq!(listed("q=msku").await, [""; 0]);

    for (record, body, field) in [
        ("jobs/new", json!({ "status": "open" }), "title"),
        ("jobs/new", json!({ "title": "T" }), "status"),
        ("jobs/new", json!({ "title": "T", "status": "finished" }), "status"),
        ("jobs/new", json!({ "title": "T", "status": "open", "site_reference": "nowhere" }), "site_reference"),
        ("jobs/2026/00123", json!({ "asset_reference": "nothing" }), "asset_reference"),
        ("jobs/2026/00123", json!({ "sate": "open" }), "sate"),
        ("assets/new", json!({ "name": "A", "site_reference": "MSKU 123456-7" }), "site_reference"),
        ("assets/new", json!({ "kind": "Box" }), "name"),
        ("sites/new", json!({}), "name"),
        (&format!("sites/{}", "x".repeat(101)), json!({ "name": "S" }), "reference"),
    ] {
        put(&portal, &erp, company, record, body).await.expect_invalid(field);
    }
    let nowhere = "com_01K9ZZZZZZZZZZZZZZZZZZZZZZ";
    put(&portal, &erp, nowhere, "sites/S", json!({ "name": "S" })).await.expect_problem(404, "not_found");
    // One company's reference is nothing at another.
    let bob = portal.company(&admin, "Other").await;
    let body = json!({ "title": "T", "status": "open", "site_reference": "HAM/1" });
    put(&portal, &erp, &bob, "jobs/2026/00123", body).await.expect_invalid("site_reference");
    let other =
        put(&portal, &erp, &bob, "jobs/2026/00123", json!({ "title": "T", "status": "open" })).await.expect(201);
    assert_ne!(other["id"], was["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_history_tells_what_changed_when_by_whom_with_the_operators_notes() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    open(&portal, &admin, &ann.id, json!(["jobs"])).await;
    let push = async |who: &Who, body: Value| put(&portal, who, &ann.company, "jobs/7", body).await.expect_success();
    push(&erp, json!({ "title": "Repair", "status": "open", "note": "Called by phone" })).await;
    let id = text(&portal.get("/v1/jobs", &ann.who).await.expect(200)["items"][0]["id"]);
    portal.pass(Duration::from_mins(5)).await;
    push(&erp, json!({ "status": "scheduled", "scheduled_at": "2026-12-01T08:00:00Z", "note": "Parts are there" }))
        .await;
    // The same once more is nothing new, nor is the same note.
    push(&erp, json!({ "status": "scheduled", "note": "Parts are there" })).await;
    push(&admin, json!({ "description": "The hinge", "note": "Bring a ladder" })).await;

    let shown = portal.get(&format!("/v1/jobs/{id}"), &ann.who).await.expect(200);
    let events = shown["events"].as_array().unwrap();
    let notes: Vec<_> = events.iter().map(|event| event["note"].clone()).collect();
    assert_eq!(notes, [json!("Called by phone"), json!("Parts are there"), json!("Bring a ladder")]);
    assert_eq!(events[0]["kind"], "created");
    assert_eq!(events[1]["changed"][0], json!({ "field": "status", "before": "open", "after": "scheduled" }));
    assert_eq!(events[1]["changed"][1]["field"], "scheduled_at");
    assert_eq!(events[2]["changed"], json!([{ "field": "description" }]));
    assert!(events.windows(2).all(|two| text(&two[0]["at"]) <= text(&two[1]["at"])));
    // A customer learns that it was the operator, and not how its systems are called.
    assert_eq!(events[1]["by"], json!({ "kind": "operator", "name": null }));
    assert!(events[2]["by"]["name"].is_string());
    let to_staff = portal.get(&format!("/v1/jobs/{id}"), &admin).await.expect(200);
    assert_eq!(to_staff["events"][1]["by"]["name"], "ERP production");
    // It is the job's, not the record of who signed in.
    let activity = portal.get("/v1/activity?limit=100", &admin).await.expect(200);
    assert!(!activity.to_string().contains("job_"));

    for n in 0..210 {
        push(&erp, json!({ "note": format!("Note {n}") })).await;
    }
    let shown = portal.get(&format!("/v1/jobs/{id}"), &ann.who).await.expect(200);
    let events = shown["events"].as_array().unwrap();
    assert_eq!(
        (events.len(), &events[199]["note"], &shown["events_truncated"]),
        (200, &json!("Note 209"), &json!(true))
    );
    // What is deleted leaves no history behind, and the activity says who did it.
    let path = format!("/v1/companies/{}/jobs/7", ann.company);
    portal.delete(&path, &admin).await.expect(204);
    portal.delete(&path, &admin).await.expect_problem(404, "not_found");
    portal.get(&format!("/v1/jobs/{id}"), &ann.who).await.expect_problem(404, "not_found");
    let activity = portal.get("/v1/activity?kind=record_deleted", &admin).await.expect(200);
    assert_eq!(activity["items"][0]["changed"][0]["before"], json!(id));
    let table: Value = serde_json::from_str(&portal.everything_in_the_table().await).unwrap();
    let left = table["Items"].as_array().unwrap().iter().filter(|item| {
        item["pk"]["S"] != "ACTIVITY" && {
            let (pk, sk) = (text(&item["pk"]["S"]), text(&item["sk"]["S"]));
            !pk.starts_with("ACTIVITY#") && (pk.contains(&id) || sk.contains(&id))
        }
    });
    assert_eq!(left.count(), 0);
}

/// Five hundred jobs, three of them wrong.
fn five_hundred() -> Value {
    let items = (0..500).map(|n| match n {
        17 => json!({ "reference": "B/17", "title": "No such status", "status": "finished" }),
        200 => json!({ "reference": "B/200", "title": "No such site", "status": "open", "site_reference": "nowhere" }),
        499 => json!({ "reference": "B/0", "title": "Twice", "status": "open" }),
        n => json!({ "reference": format!("B/{n}"), "title": format!("Job {n}"), "status": "open", "site_reference": "ROT", "note": "From the old system" }),
    });
    json!({ "items": items.collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_hundred_with_three_wrong_ones_497_stand_and_sent_again_nothing_changes() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    let path = format!("/v1/companies/{}/jobs", ann.company);
    let answer = portal.post(&path, &erp, five_hundred()).await.expect(200);
    let counts =
        |answer: &Value| ["created", "updated", "unchanged", "refused"].map(|count| answer[count].as_u64().unwrap());
    assert_eq!(counts(&answer), [497, 0, 0, 3]);
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items.len(), 500);
    for (n, reference, field) in [(17, "B/17", "status"), (200, "B/200", "site_reference"), (499, "B/0", "reference")] {
        let item = &items[n];
        assert_eq!(
            (&item["reference"], &item["result"], &item["id"]),
            (&json!(reference), &json!("refused"), &Value::Null)
        );
        assert_eq!(item["errors"][0]["field"], field);
        assert!(item["errors"][0]["problem"].as_str().is_some_and(|problem| !problem.is_empty()));
    }
    let id = text(&items[3]["id"]);
    assert_eq!(portal.get(&format!("/v1/jobs/{id}"), &ann.who).await.expect(200)["title"], "Job 3");
    assert_eq!(references(&portal, &ann.who, "/v1/jobs?q=job+321").await, ["B/321"]);

    let mails = portal.mails(&ann.email).await.len();
    let before = portal.everything_in_the_table().await;
    portal.pass(Duration::from_mins(1)).await;
    let again = portal.post(&path, &erp, five_hundred()).await.expect(200);
    assert_eq!(counts(&again), [0, 0, 497, 3]);
    let ids =
        |answer: &Value| answer["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&answer));
    let rows = |table: &str| {
        let table: Value = serde_json::from_str(table).unwrap();
        let of_records = |item: &&Value| {
            let pk = text(&item["pk"]["S"]);
            ["job_", "RECORDS#", "REFERENCES#", "WORDS#RECORDS#"].iter().any(|begin| pk.starts_with(begin))
        };
        table["Items"].as_array().unwrap().iter().filter(of_records).map(Value::to_string).collect::<BTreeSet<_>>()
    };
    assert_eq!(rows(&portal.everything_in_the_table().await), rows(&before), "nothing is written, no event");
    assert_eq!(portal.mails(&ann.email).await.len(), mails);

    // A few of them have changed; the others are not touched.
    let mut changed = five_hundred();
    for n in [1, 2, 3] {
        changed["items"][n]["status"] = json!("done");
    }
    assert_eq!(counts(&portal.post(&path, &erp, changed).await.expect(200)), [0, 3, 494, 3]);
    assert_eq!(references(&portal, &ann.who, "/v1/jobs?status=done&q=job").await.len(), 3);

    portal.post(&path, &erp, json!({ "items": [] })).await.expect_invalid("items");
    let many = json!({ "items": vec![json!({ "reference": "x" }); 501] });
    portal.post(&path, &erp, many).await.expect_invalid("items");
    let odd = json!({ "items": [7, { "title": "No reference", "status": "open" }, { "reference": 7, "title": "T", "status": "open" }, { "reference": "x".repeat(101), "title": "T", "status": "open" }] });
    let odd = portal.post(&path, &erp, odd).await.expect(200);
    assert_eq!(counts(&odd), [0, 0, 0, 4]);
    // A request that was refused as a whole frees its key.
    let nowhere = "/v1/companies/com_01K9ZZZZZZZZZZZZZZZZZZZZZZ/jobs";
    for _ in 0..2 {
        let request = portal.request(Method::POST, nowhere).header("idempotency-key", "nightly");
        let request = request.bearer_auth(erp.0.as_ref().unwrap()).json(&five_hundred());
        portal.send(request).await.expect_problem(404, "not_found");
    }
    // Up to 4 MiB.
    let long = "x".repeat(4_900);
    let large: Vec<Value> = (0..500)
        .map(|n| json!({ "reference": format!("L/{n}"), "title": "Large", "status": "open", "description": long }))
        .collect();
    assert_eq!(counts(&portal.post(&path, &erp, json!({ "items": large })).await.expect(200)), [500, 0, 0, 0]);
    let larger: Vec<Value> = (0..500)
        .map(|n| json!({ "reference": format!("L/{n}"), "title": "x".repeat(9_000), "status": "open" }))
        .collect();
    portal.post(&path, &erp, json!({ "items": larger })).await.expect_problem(413, "body_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_push_the_same_at_once_make_it_once() {
    let portal = std::sync::Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let company = portal.company(&admin, "Harbour").await;
    let items: Vec<Value> =
        (0..40).map(|n| json!({ "reference": format!("A {n}"), "name": format!("Asset {n}") })).collect();
    let pushes: Vec<_> = (0..4)
        .map(|_| {
            let (portal, erp, company, items) = (portal.clone(), erp.clone(), company.clone(), items.clone());
            tokio::spawn(async move {
                let path = format!("/v1/companies/{company}/assets");
                portal.post(&path, &erp, json!({ "items": items })).await.expect(200)
            })
        })
        .collect();
    let (mut created, mut ids) = (0, BTreeSet::new());
    for push in pushes {
        let answer = push.await.unwrap();
        created += answer["created"].as_u64().unwrap();
        assert_eq!(answer["refused"], 0);
        ids.extend(answer["items"].as_array().unwrap().iter().map(|item| text(&item["id"])));
    }
    assert_eq!((created, ids.len()), (40, 40));
    // Whoever was a moment too late leaves no words of what it would have made.
    for word in crate::delivering::items(&portal, "WORDS#RECORDS#").await {
        let key = text(&word["sk"]["S"]);
        assert!(ids.contains(key.rsplit('#').next().unwrap()), "{key}");
    }
    let listed = portal.get(&format!("/v1/assets?company_id={company}&limit=100"), &erp).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_found_by_words_their_beginnings_and_references_however_they_are_typed() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    for (path, found) in [
        ("/v1/assets?q=MSKU+123456-7", "MSKU 123456-7"),
        ("/v1/assets?q=msku1234567", "MSKU 123456-7"),
        ("/v1/assets?q=MSKU123456-7", "MSKU 123456-7"),
        ("/v1/assets?q=1234567", "MSKU 123456-7"),
        ("/v1/assets?q=reef", "MSKU 123456-7"),
        ("/v1/assets?q=contain", "MSKU 123456-7"),
        ("/v1/assets?q=SN7712", "MSKU 123456-7"),
        ("/v1/assets?q=TCLU+765432-1", "TCLU7654321"),
        ("/v1/sites?q=koln+yard", "HAM/1"),
        ("/v1/sites?q=50668", "HAM/1"),
        ("/v1/sites?q=ham1", "HAM/1"),
        ("/v1/jobs?q=2026/00123", "2026/00123"),
        ("/v1/jobs?q=202600123", "2026/00123"),
        ("/v1/jobs?q=2026-00123", "2026/00123"),
        ("/v1/jobs?q=00123", "2026/00123"),
        ("/v1/jobs?q=door+rep", "2026/00123"),
        ("/v1/jobs?q=msku1234567", "2026/00123"),
        ("/v1/jobs?q=clean", "2026/00125"),
    ] {
        assert_eq!(references(&portal, &ann.who, path).await, [found], "{path}");
        let (path, query) = path.split_once('?').unwrap();
        let of_staff = format!("{path}?{query}&company_id={}", ann.company);
        assert_eq!(references(&portal, &erp, &of_staff).await, [found], "{of_staff}");
    }
    for path in ["/v1/assets?q=nothing", "/v1/assets?q=msku+tank", "/v1/jobs?q=hinge", "/v1/sites?q=00123"] {
        assert_eq!(references(&portal, &ann.who, path).await, [""; 0], "{path}");
    }
    // Another name is another word, and the old one is none any more.
    put(&portal, &erp, &ann.company, "assets/TCLU7654321", json!({ "name": "Flatrack" })).await.expect(200);
    assert_eq!(references(&portal, &ann.who, "/v1/assets?q=flat").await, ["TCLU7654321"]);
    assert_eq!(references(&portal, &ann.who, "/v1/assets?q=tank").await, [""; 0]);
    assert_eq!(references(&portal, &ann.who, "/v1/jobs?q=2026").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_filtered_and_sorted_and_every_page_goes_on_where_the_last_ended() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    let statuses = ["open", "scheduled", "in_progress", "done", "cancelled"];
    let mut items = Vec::new();
    for n in 0..60 {
        let mut job = json!({ "reference": format!("N {n:02}"), "title": format!("{} job {n:02}", ["Blue", "amber", "Çyan"][n % 3]), "status": statuses[n % 5] });
        if n % 2 == 0 {
            job["site_reference"] = json!("ROT");
        }
        if n % 4 == 0 {
            job["scheduled_at"] = json!(format!("2027-01-{:02}T08:00:00Z", 1 + n % 28));
        }
        items.push(job);
    }
    for some in items.chunks(20) {
        portal.pass(Duration::from_mins(1)).await;
        let body = json!({ "items": some });
        portal.post(&format!("/v1/companies/{}/jobs", ann.company), &erp, body).await.expect(200);
    }
    let all = async |query: &str| {
        let (mut jobs, mut cursor): (Vec<Value>, _) = (Vec::new(), String::new());
        loop {
            let page = portal.get(&format!("/v1/jobs?limit=7&{query}{cursor}"), &ann.who).await.expect(200);
            jobs.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let ids: BTreeSet<String> = jobs.iter().map(|job| text(&job["id"])).collect();
        assert_eq!(ids.len(), jobs.len(), "{query}: each once");
        jobs
    };
    let site = text(&all("q=cleaning").await[0]["site_id"]);
    for (filter, count) in [
        ("", 63),
        ("status=done", 13),
        (&format!("site_id={site}"), 31),
        (&format!("site_id={site}&status=done"), 7),
        ("source=api", 63),
        ("source=portal", 0),
        ("q=job", 60),
        ("q=blue&status=open", 4),
        ("q=cyan", 20),
    ] {
        for sort in ["-updated_at", "updated_at", "-scheduled_at", "scheduled_at", "title"] {
            let jobs = all(&format!("{filter}&sort={sort}")).await;
            assert_eq!(jobs.len(), count, "{filter} {sort}");
            let field = sort.trim_start_matches('-');
            let values: Vec<Option<String>> = jobs
                .iter()
                .map(|job| job[field].as_str().map(|value| value.to_lowercase().replace('ç', "c")))
                .collect();
            let timed: Vec<&String> = values.iter().flatten().collect();
            assert!(
                values.iter().skip(timed.len()).all(Option::is_none),
                "{filter} {sort}: what has no time comes last"
            );
            let ordered = |two: &[&String]| if sort.starts_with('-') { two[0] >= two[1] } else { two[0] <= two[1] };
            assert!(timed.windows(2).all(ordered), "{filter} {sort}: {timed:?}");
        }
    }
    // What has changed since: an integration asks what is new.
    let newest = text(&all("").await[0]["updated_at"]);
    for sort in ["-updated_at", "title", "scheduled_at"] {
        assert_eq!(all(&format!("since={newest}&sort={sort}")).await.len(), 20);
    }
    assert_eq!(all(&format!("since={newest}&status=open")).await.len(), 4);
    // Assets: by site and by the operator's own word.
    let assets = portal.get("/v1/assets?status=on%20HIRE", &ann.who).await.expect(200);
    assert_eq!(assets["items"][0]["reference"], "MSKU 123456-7");
    let at = format!("/v1/assets?site_id={}&status=on+hire", text(&assets["items"][0]["site_id"]));
    assert_eq!(references(&portal, &ann.who, &at).await, ["MSKU 123456-7"]);
    assert_eq!(references(&portal, &ann.who, "/v1/assets?status=idle").await, [""; 0]);
    // An open page asks again and is told that nothing is new.
    let first = portal.get("/v1/jobs", &ann.who).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = portal.request(Method::GET, "/v1/jobs").bearer_auth(ann.who.0.as_ref().unwrap());
    assert_eq!(portal.send(again.header("if-none-match", tag)).await.status.as_u16(), 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_gone_and_jobs_still_say_where_they_were_done() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    let job = portal.get("/v1/jobs?q=00123", &ann.who).await.expect(200)["items"][0].clone();
    let of_company = |record: &str| format!("/v1/companies/{}/{record}", ann.company);
    portal.delete(&of_company("sites/HAM/1"), &erp).await.expect(204);
    portal.delete(&of_company("assets/MSKU%20123456-7"), &erp).await.expect(204);
    for (kind, id) in [("sites", "site_id"), ("assets", "asset_id")] {
        portal.get(&format!("/v1/{kind}/{}", text(&job[id])), &ann.who).await.expect_problem(404, "not_found");
        portal.get(&format!("/v1/{kind}?q=msku+ham"), &ann.who).await.expect(200);
    }
    assert_eq!(references(&portal, &ann.who, "/v1/sites").await, ["ROT"]);
    assert_eq!(references(&portal, &ann.who, "/v1/assets?q=msku").await, [""; 0]);
    let after = portal.get(&format!("/v1/jobs/{}", text(&job["id"])), &ann.who).await.expect(200);
    assert_eq!((&after["site_reference"], &after["site_id"]), (&job["site_reference"], &job["site_id"]));
    // What is not named stays; what is named must be there.
    put(&portal, &erp, &ann.company, "jobs/2026/00123", json!({ "status": "done" })).await.expect(200);
    let named = json!({ "site_reference": "HAM/1" });
    put(&portal, &erp, &ann.company, "jobs/2026/00123", named.clone()).await.expect_invalid("site_reference");
    let anew = put(&portal, &erp, &ann.company, "sites/HAM/1", json!({ "name": "Hamburg" })).await.expect(201);
    let changed = put(&portal, &erp, &ann.company, "jobs/2026/00123", named).await.expect(200);
    assert_eq!(changed["site_id"], anew["id"]);
    for record in ["sites/HAM/2", "assets/x", "jobs/x", &format!("jobs/{}", "x".repeat(200))] {
        portal.delete(&of_company(record), &erp).await.expect_problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_and_keys_see_a_companys_records_as_their_roles_and_scopes_say() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let erp = erp(&portal, &admin).await;
    let ann = yard(&portal, &admin, &erp, "ann@harbour.example").await;
    portal.get("/v1/jobs", &admin).await.expect_invalid("company_id");
    let path = format!("/v1/jobs?company_id={}", ann.company);
    assert_eq!(references(&portal, &admin, &path).await.len(), 3);
    let key = async |scope: &str| {
        let body = json!({ "name": scope, "scopes": [scope] });
        Who(Some(text(&portal.post("/v1/api-keys", &admin, body).await.expect(201)["key"])))
    };
    let (reads, customers) = (key("records:read").await, key("customers:write").await);
    assert_eq!(references(&portal, &reads, &path).await.len(), 3);
    portal.get(&path, &customers).await.expect_problem(403, "forbidden");
    let site = json!({ "name": "S" });
    put(&portal, &reads, &ann.company, "sites/S", site.clone()).await.expect_problem(403, "forbidden");
    put(&portal, &customers, &ann.company, "sites/S", site.clone()).await.expect_problem(403, "forbidden");
    let admin = portal.sign_in(ADMIN).await;
    put(&portal, &admin, &ann.company, "sites/S", site).await.expect(201);
}
