//! A customer reports what is wrong, with photos; a job comes of it at once, and both sides go on with it.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_tests::{ADMIN, Customer, NOBODY, Portal, Who, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::areas::{erp, put};
use crate::delivering::items;
use crate::granted::becomes;
use crate::idempotency::at_once;

/// What any photo of these stories is.
const PHOTO: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01 not much of a picture";

pub(crate) async fn open(portal: &Portal, admin: &Who, contact: &str, areas: Value) {
    let body = json!({ "state": "open", "areas": areas });
    portal.call(Method::PUT, &format!("/v1/contacts/{contact}/access"), admin, Some(body)).await.expect(200);
}

fn photo(name: &str) -> Value {
    json!({ "name": name, "size": PHOTO.len(), "content_type": "image/jpeg" })
}

/// A customer who may report problems, with a reefer on a yard.
async fn reporter(portal: &Portal, admin: &Who, email: &str) -> (Customer, Value) {
    let ann = portal.customer(admin, email).await;
    open(portal, admin, &ann.id, json!(["jobs", "assets", "report_problem"])).await;
    put(portal, admin, &ann.company, "sites/YARD", json!({ "name": "Yard 7" })).await.expect(201);
    let asset = json!({ "name": "Reefer", "site_reference": "YARD" });
    let asset = put(portal, admin, &ann.company, "assets/MSKU 123456-7", asset).await.expect(201);
    (ann, asset)
}

fn report(asset: &Value) -> Value {
    json!({ "asset_id": asset["id"], "title": "Door does not close", "description": "Since Monday.\nThe hinge is loose." })
}

async fn job_when(portal: &Portal, who: &Who, id: &str, what: &str, so: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/jobs/{id}");
    becomes(what, async || so(&portal.get(&path, who).await.expect(200))).await;
    portal.get(&path, who).await.expect(200)
}

fn count(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

/// A job that a customer has reported, and its photo, which is there; for other stories.
pub(crate) async fn reported_with_photo(portal: &Portal, admin: &Who, customer: &Customer) -> (Value, String) {
    let areas = json!(["files", "upload", "jobs", "assets", "report_problem"]);
    open(portal, admin, &customer.id, areas).await;
    let asset = put(portal, admin, &customer.company, "assets/REEFER", json!({ "name": "Reefer" })).await.expect(201);
    let mut body = report(&asset);
    body["photos"] = json!([photo("door.jpg")]);
    let made = portal.post("/v1/problems", &customer.who, body).await.expect(201);
    portal.upload(&made["uploads"][0]["upload"], PHOTO).await;
    let id = text(&made["job_id"]);
    let job = job_when(portal, &customer.who, &id, "the photo", |job| count(&job["files"]) == 1).await;
    (job, text(&made["uploads"][0]["id"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_on_an_asset_is_a_job_at_once_with_its_photos_and_the_staff_are_told() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    let (staff_mails, own_mails) = (portal.mails(ADMIN).await.len(), portal.mails(&ann.email).await.len());

    // One photo before the report, one with it.
    let before = json!({ "files": [photo("overview.jpg")] });
    let before = portal.post("/v1/problem-photos", &ann.who, before).await.expect(201);
    assert_eq!(portal.upload(&before["uploads"][0]["upload"], PHOTO).await, StatusCode::OK);
    let mut body = report(&asset);
    body["urgency"] = json!("urgent");
    body["photo_ids"] = json!([before["uploads"][0]["id"]]);
    body["photos"] = json!([photo("hinge.jpg")]);
    let made = portal.post("/v1/problems", &ann.who, body).await.expect(201);
    let id = text(&made["job_id"]);
    let job = portal.get(&format!("/v1/jobs/{id}"), &ann.who).await.expect(200);
    assert_eq!(
        (&job["reference"], &job["status"], &job["source"], &job["urgency"], &job["description"]),
        (&json!(id), &json!("open"), &json!("portal"), &json!("urgent"), &json!("Since Monday.\nThe hinge is loose."))
    );
    assert_eq!((&job["asset_id"], &job["site_reference"]), (&asset["id"], &json!("YARD")));
    let zoe = json!({ "kind": "customer", "id": ann.id, "name": "Zoë Contact" });
    assert_eq!((&job["events"][0]["kind"], &job["events"][0]["by"]), (&json!("created"), &zoe));
    assert_eq!(job["reported_by"], zoe);

    assert_eq!(portal.upload(&made["uploads"][0]["upload"], PHOTO).await, StatusCode::OK);
    let job = job_when(&portal, &ann.who, &id, "both photos", |job| count(&job["files"]) == 2).await;
    let names: Vec<&Value> = job["files"].as_array().unwrap().iter().map(|file| &file["name"]).collect();
    assert_eq!(names, ["overview.jpg", "hinge.jpg"]);
    assert_eq!((&job["files"][0]["preview"], &job["files"][0]["by"]), (&json!("image"), &zoe));
    assert_eq!(count(&job["events"]), 1, "its photos belong to the report");

    // Both sides find it in their lists, look at the photos and download them.
    for (who, path) in [
        (&ann.who, "/v1/jobs?source=portal&q=door".to_owned()),
        (&admin, format!("/v1/jobs?company_id={}", ann.company)),
    ] {
        assert_eq!(portal.get(&path, who).await.expect(200)["items"][0]["id"], json!(id));
        let file = format!("/v1/jobs/{id}/files/{}", text(&job["files"][1]["id"]));
        let shown = portal.call(Method::POST, &format!("{file}/preview"), who, None).await.expect(200);
        let (_, headers, _) = portal.fetch(&text(&shown["url"])).await;
        assert_eq!(
            (&headers["content-type"], &headers["content-disposition"].as_bytes()[..6]),
            (&"image/jpeg".parse().unwrap(), &b"inline"[..])
        );
        let download = portal.call(Method::POST, &format!("{file}/download"), who, None).await.expect(200);
        let (_, headers, bytes) = portal.fetch(&text(&download["url"])).await;
        assert_eq!(bytes, PHOTO);
        assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    }

    // Nobody looks after her and nobody is on duty: the admins are told. She gets a confirmation.
    let told = portal.mails_when(ADMIN, staff_mails + 1).await[0].clone();
    for part in ["Zoë Contact", "Reefer", "Door does not close", "The hinge is loose.", &format!("/jobs/{id}")] {
        assert!(text(&told["text"]).contains(part), "{part}: {}", told["text"]);
    }
    assert!(text(&told["subject"]).starts_with("Urgent: "), "{}", told["subject"]);
    let confirmed = portal.mails_when(&ann.email, own_mails + 1).await[0].clone();
    assert!(text(&confirmed["subject"]).contains("was received"), "{}", confirmed["subject"]);
    let activity = portal.get(&format!("/v1/activity?contact_id={}", ann.id), &admin).await.expect(200);
    let kinds: Vec<&Value> = activity["items"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert!(kinds.contains(&&json!("problem_reported")) && kinds.contains(&&json!("files_downloaded")), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_told_to_who_looks_after_the_customer_else_to_members_on_duty() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    let (sam, sam_who) = crate::staff::enter(&portal, &admin, "sam@northgate.example", json!(["member"])).await;
    portal
        .call(Method::PUT, &format!("/v1/staff/{sam}/duty"), &sam_who, Some(json!({ "on_duty": true })))
        .await
        .expect(200);
    let (kim, _) = crate::staff::enter(&portal, &admin, "kim@northgate.example", json!(["member"])).await;
    let (sams, kims, admins) = (
        portal.mails("sam@northgate.example").await.len(),
        portal.mails("kim@northgate.example").await.len(),
        portal.mails(ADMIN).await.len(),
    );
    let mut body = report(&asset);
    body["urgency"] = json!("urgent");
    let patch = async |owner: Value| {
        portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, json!({ "owner_id": owner })).await.expect(200);
    };
    patch(Value::Null).await;
    portal.post("/v1/problems", &ann.who, body.clone()).await.expect(201);
    portal.mails_when("sam@northgate.example", sams + 1).await;
    patch(json!(kim)).await;
    portal.post("/v1/problems", &ann.who, body).await.expect(201);
    portal.mails_when("kim@northgate.example", kims + 1).await;
    portal.mails_when("sam@northgate.example", sams + 1).await;
    portal.mails_when(ADMIN, admins).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_report_twenty_times_at_once_is_one_job_and_one_mail() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    let (staff_mails, own_mails) = (portal.mails(ADMIN).await.len(), portal.mails(&ann.email).await.len());
    let mut body = report(&asset);
    body["photos"] = json!([photo("door.jpg")]);
    let send = || async {
        let request = portal.request(Method::POST, "/v1/problems").header("idempotency-key", "phone-17").json(&body);
        portal.send(request.bearer_auth(ann.who.0.as_ref().unwrap())).await
    };
    let (answers, _) = at_once(&portal, 20, "/v1/problems", &ann.who, "phone-17", Some(&body)).await;
    let made: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)["job_id"].clone()).collect();
    assert!(!made.is_empty() && made.iter().all(|id| *id == made[0]), "{made:?}");
    let again = send().await.expect(201);
    assert_eq!(again["job_id"], made[0]);
    assert_eq!(portal.upload(&again["uploads"][0]["upload"], PHOTO).await, StatusCode::OK, "made anew");
    assert_eq!(count(&portal.get("/v1/jobs", &ann.who).await.expect(200)["items"]), 1);
    portal.mails_when(ADMIN, staff_mails + 1).await;
    portal.mails_when(&ann.email, own_mails + 1).await;
    job_when(&portal, &ann.who, &text(&made[0]), "the photo", |job| count(&job["files"]) == 1).await;
    assert_eq!(send().await.expect(201)["uploads"][0]["upload"], Value::Null, "it is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_needs_the_area_and_names_one_thing_of_ones_own_company() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    let (bob, of_bob) = reporter(&portal, &admin, "bob@elsewhere.example").await;
    let (job_of_bob, photo_of_bob) = reported_with_photo(&portal, &admin, &bob).await;
    let waiting = json!({ "files": [photo("bob.jpg")] });
    let waiting = portal.post("/v1/problem-photos", &bob.who, waiting).await.expect(201);
    for under_way in ["OUTBOX#", "THUMBNAIL#"] {
        becomes("nothing under way", async || items(&portal, under_way).await.is_empty()).await;
    }
    let before = portal.everything_in_the_table().await.len();

    let with = |changes: Value| {
        let mut body = report(&asset);
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let post = async |body: Value| portal.post("/v1/problems", &ann.who, body).await;
    for theirs in [
        json!({ "asset_id": of_bob["id"] }),
        json!({ "asset_id": null, "site_id": of_bob["site_id"] }),
        json!({ "photo_ids": [waiting["uploads"][0]["id"]] }),
        json!({ "photo_ids": [photo_of_bob] }),
    ] {
        post(with(theirs)).await.expect_problem(404, "not_found");
    }
    // A key is free again for the same report put right.
    let request = portal.request(Method::POST, "/v1/problems").header("idempotency-key", "phone-18");
    let request = request.bearer_auth(ann.who.0.as_ref().unwrap()).json(&with(json!({ "asset_id": of_bob["id"] })));
    portal.send(request).await.expect_problem(404, "not_found");
    post(with(json!({ "asset_id": null }))).await.expect_invalid("asset_id");
    post(with(json!({ "site_id": asset["site_id"] }))).await.expect_invalid("asset_id");
    post(with(json!({ "title": " " }))).await.expect_invalid("title");
    post(with(json!({ "urgency": "yesterday" }))).await.expect_invalid("urgency");
    post(with(json!({ "status": "done" }))).await.expect_invalid("status");
    post(with(json!({ "photos": vec![photo("a.jpg"); 21] }))).await.expect_invalid("photos");
    let huge = json!({ "name": "a.mp4", "size": 64 * 1024 * 1024 });
    post(with(json!({ "photos": [huge] }))).await.expect_invalid("photos[0].size");
    // What is another's job is not there, whatever is tried with it.
    let path = format!("/v1/jobs/{}", text(&job_of_bob["id"]));
    portal.get(&path, &ann.who).await.expect_problem(404, "not_found");
    portal
        .post(&format!("{path}/comments"), &ann.who, json!({ "text": "Hello" }))
        .await
        .expect_problem(404, "not_found");
    let files = json!({ "files": [photo("a.jpg")] });
    portal.post(&format!("{path}/files"), &ann.who, files.clone()).await.expect_problem(404, "not_found");
    portal.patch(&path, &ann.who, json!({ "status": "done" })).await.expect_problem(403, "forbidden");
    for end in ["download", "preview"] {
        let file = format!("{path}/files/{photo_of_bob}/{end}");
        portal.call(Method::POST, &file, &ann.who, None).await.expect_problem(404, "not_found");
    }
    portal.post("/v1/problems", &admin, report(&asset)).await.expect_problem(403, "forbidden");
    portal.post("/v1/problems", &NOBODY, report(&asset)).await.expect_problem(401, "sign_in_required");
    assert_eq!(portal.everything_in_the_table().await.len(), before, "nothing has changed");

    // Areas count at the next request.
    let mine = post(report(&asset)).await.expect(201);
    let mine = format!("/v1/jobs/{}", text(&mine["job_id"]));
    open(&portal, &admin, &ann.id, json!(["jobs"])).await;
    post(report(&asset)).await.expect_problem(403, "area_not_open");
    let files = json!({ "files": [photo("a.jpg")] });
    portal.post("/v1/problem-photos", &ann.who, files.clone()).await.expect_problem(403, "area_not_open");
    portal.post(&format!("{mine}/files"), &ann.who, files.clone()).await.expect_problem(403, "area_not_open");
    portal.post(&format!("{mine}/comments"), &ann.who, json!({ "text": "Still open" })).await.expect(201);
    for path in ["/v1/assets", "/v1/shares"] {
        portal.get(path, &ann.who).await.expect_problem(403, "area_not_open");
    }
    // Who may only report sees what it has reported, and no other job.
    open(&portal, &admin, &ann.id, json!(["report_problem"])).await;
    portal.get(&mine, &ann.who).await.expect(200);
    portal.get("/v1/jobs", &ann.who).await.expect_problem(403, "area_not_open");
    let other = json!({ "title": "Inspection", "status": "open" });
    let other = put(&portal, &admin, &ann.company, "jobs/17", other).await.expect(201);
    portal.get(&format!("/v1/jobs/{}", text(&other["id"])), &ann.who).await.expect_problem(403, "area_not_open");
    portal.post(&format!("{mine}/files"), &ann.who, files).await.expect(201);
    open(&portal, &admin, &ann.id, json!(["files"])).await;
    portal.get(&mine, &ann.who).await.expect_problem(403, "area_not_open");
    let closed = json!({ "state": "closed", "notify": false });
    portal.call(Method::PUT, &format!("/v1/contacts/{}/access", ann.id), &admin, Some(closed)).await.expect(200);
    post(report(&asset)).await.expect_problem(401, "sign_in_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_add_words_and_photos_and_the_other_is_told() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    let mut body = report(&asset);
    body["urgency"] = json!("urgent");
    let id = text(&portal.post("/v1/problems", &ann.who, body).await.expect(201)["job_id"]);
    let path = format!("/v1/jobs/{id}");
    let own = portal.mails_when(&ann.email, 2).await.len();
    let (sam, sam_who) = crate::staff::enter(&portal, &admin, "sam@northgate.example", json!(["member"])).await;
    let sams = portal.mails("sam@northgate.example").await.len();

    let comment = |text: &str| json!({ "text": text });
    portal.post(&format!("{path}/comments"), &sam_who, comment("A fitter comes at noon.")).await.expect(201);
    let told = portal.mails_when(&ann.email, own + 1).await[0].clone();
    assert!(text(&told["text"]).contains("A fitter comes at noon.") && text(&told["text"]).contains(&path[3..]));
    // Sam wrote last: Sam reads the answer, and nobody else.
    let admins = portal.mails(ADMIN).await.len();
    portal.post(&format!("{path}/comments"), &ann.who, comment("The key is at the gate.")).await.expect(201);
    let told = portal.mails_when("sam@northgate.example", sams + 1).await[0].clone();
    assert!(text(&told["text"]).contains("The key is at the gate.") && text(&told["text"]).contains("Zoë Contact"));
    let files = json!({ "files": [photo("gate.jpg")] });
    let added = portal.post(&format!("{path}/files"), &ann.who, files).await.expect(201);
    portal.upload(&added["uploads"][0]["upload"], PHOTO).await;
    let files = json!({ "files": [photo("repaired.jpg")] });
    let added = portal.post(&format!("{path}/files"), &sam_who, files).await.expect(201);
    portal.upload(&added["uploads"][0]["upload"], PHOTO).await;
    let job = job_when(&portal, &ann.who, &id, "both photos", |job| count(&job["events"]) == 5).await;
    let mut kinds: Vec<String> = job["events"].as_array().unwrap().iter().map(|event| text(&event["kind"])).collect();
    kinds.sort();
    assert_eq!(kinds, ["commented", "commented", "created", "file_added", "file_added"]);
    assert_eq!(job["events"][1]["note"], "A fitter comes at noon.");
    assert_eq!(job["events"][1]["by"]["id"], Value::Null, "an operator's ids are its own affair");
    let shown = portal.get(&path, &admin).await.expect(200);
    assert_eq!(shown["events"][1]["by"]["id"], json!(sam));
    // What she adds within ten minutes comes in one further mail.
    portal.pass(Duration::from_mins(11)).await;
    let told = portal.mails_when("sam@northgate.example", sams + 2).await[0].clone();
    assert!(text(&told["text"]).contains("gate.jpg"), "{}", told["text"]);
    portal.mails_when(ADMIN, admins).await;

    // A system of the operator's writes as well; by which name is its own affair.
    let erp = erp(&portal, &portal.sign_in(ADMIN).await).await;
    portal.post(&format!("{path}/comments"), &erp, comment("Invoice follows.")).await.expect(201);
    let job = portal.get(&path, &portal.sign_in(&ann.email).await).await.expect(200);
    let last = job["events"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["note"], &last["by"]),
        (&json!("Invoice follows."), &json!({ "kind": "operator", "name": null }))
    );
    // With a key, a word too much is refused and may be sent again.
    let long = portal.request(Method::POST, &format!("{path}/comments")).header("idempotency-key", "one");
    let long = long.bearer_auth(erp.0.as_ref().unwrap()).json(&comment(&"x".repeat(20_000)));
    portal.send(long).await.expect_invalid("text");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_gives_a_report_its_number_and_whoever_follows_it_is_told_as_it_wishes() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    let erp = erp(&portal, &admin).await;
    let id = text(&portal.post("/v1/problems", &ann.who, report(&asset)).await.expect(201)["job_id"]);
    let path = format!("/v1/jobs/{id}");
    let own = portal.mails_when(&ann.email, 2).await.len();
    put(&portal, &erp, &ann.company, "jobs/2026/1", json!({ "title": "Check", "status": "open" })).await.expect(201);

    portal.patch(&path, &erp, json!({ "reference": "2026/1" })).await.expect_invalid("reference");
    portal.patch(&path, &erp, json!({ "title": "Other" })).await.expect_invalid("title");
    let numbered = portal
        .patch(
            &path,
            &erp,
            json!({ "reference": "2026/2", "status": "scheduled", "scheduled_at": "2026-12-01T08:00:00Z" }),
        )
        .await;
    assert_eq!(numbered.expect(200)["reference"], "2026/2");
    let told = portal.mails_when(&ann.email, own + 1).await[0].clone();
    assert!(text(&told["text"]).contains("is now: scheduled"), "{}", told["text"]);
    // From now on its system knows it by its number, and pushes as it does all others.
    let push = async |body: Value| put(&portal, &erp, &ann.company, "jobs/2026/2", body).await.expect(200);
    push(json!({ "status": "in_progress", "status_label": "Fitter on the way" })).await;
    let told = portal.mails_when(&ann.email, own + 2).await[0].clone();
    assert!(text(&told["text"]).contains("is now: Fitter on the way"), "{}", told["text"]);
    push(json!({ "status": "in_progress" })).await;
    portal.patch(&path, &erp, json!({ "status": "in_progress" })).await.expect(200);
    let batch = json!({ "items": [{ "reference": "2026/2", "note": "Needs a new hinge" }] });
    portal.post(&format!("/v1/companies/{}/jobs", ann.company), &erp, batch.clone()).await.expect(200);
    portal.post(&format!("/v1/companies/{}/jobs", ann.company), &erp, batch).await.expect(200);
    let told = portal.mails_when(&ann.email, own + 3).await[0].clone();
    assert!(text(&told["text"]).contains("Needs a new hinge"), "{}", told["text"]);
    let job = portal.get(&path, &ann.who).await.expect(200);
    assert_eq!((&job["reference"], count(&job["events"])), (&json!("2026/2"), 4));
    assert_eq!(portal.get("/v1/jobs?q=2026/2", &ann.who).await.expect(200)["items"][0]["id"], json!(id));

    // One mail a day, or none.
    let wish = async |wish: &str| {
        portal.patch("/v1/me", &ann.who, json!({ "notifications": { "email": wish } })).await.expect(200);
    };
    wish("daily").await;
    portal.patch(&path, &erp, json!({ "status": "done", "note": "All is well" })).await.expect(200);
    becomes("a line of the daily mail", async || items(&portal, "DIGEST#").await.len() == 1).await;
    portal.mails_when(&ann.email, own + 3).await;
    portal.stack.invoke("send-digest", json!({})).await.unwrap();
    let told = portal.mails_when(&ann.email, own + 4).await[0].clone();
    assert!(text(&told["text"]).contains("Door does not close"), "{}", told["text"]);
    wish("off").await;
    portal.patch(&path, &erp, json!({ "status": "open" })).await.expect(200);
    becomes("no mail under way", async || items(&portal, "OUTBOX#").await.is_empty()).await;
    wish("each").await;
    open(&portal, &admin, &ann.id, json!(["files"])).await;
    portal.patch(&path, &erp, json!({ "status": "done" })).await.expect(200);
    becomes("no mail under way", async || items(&portal, "OUTBOX#").await.is_empty()).await;
    assert_eq!(portal.mails(&ann.email).await.len(), own + 4, "she no longer sees the job");
}

/// Bytes go at once, and once more when the last URL for sending them has ended.
async fn bytes_are_gone(portal: &Portal) {
    becomes("an end of the tasks", async || {
        portal.pass(Duration::from_mins(61)).await;
        items(portal, "TASK#").await.is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_comes_or_is_never_reported_is_gone_after_a_day() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    // Never reported: one whose bytes came, one whose did not.
    let photos = json!({ "files": [photo("came.jpg"), photo("never.jpg")] });
    let photos = portal.post("/v1/problem-photos", &ann.who, photos).await.expect(201);
    portal.upload(&photos["uploads"][0]["upload"], PHOTO).await;
    let mut body = report(&asset);
    body["photos"] = json!([photo("there.jpg"), photo("lost.jpg"), photo("other.jpg")]);
    let made = portal.post("/v1/problems", &ann.who, body).await.expect(201);
    let id = text(&made["job_id"]);
    portal.upload(&made["uploads"][0]["upload"], PHOTO).await;
    // Other bytes than were announced are none.
    let other = json!({ "files": [photo("short.jpg")] });
    let other = portal.post(&format!("/v1/jobs/{id}/files"), &ann.who, other).await.expect(201);
    let event = json!({ "detail": { "object": { "key": format!("jobs/{}", text(&other["uploads"][0]["id"])) } } });
    assert_eq!(portal.stack.invoke("finish-upload", event).await.unwrap(), Value::Null);
    job_when(&portal, &ann.who, &id, "the photo", |job| count(&job["files"]) == 1).await;
    assert_eq!(items(&portal, "fil_").await.len(), 6);

    portal.pass(Duration::from_hours(25)).await;
    becomes("what was left to go", async || items(&portal, "fil_").await.len() == 1).await;
    bytes_are_gone(&portal).await;
    let ann_again = portal.sign_in(&ann.email).await;
    let job = portal.get(&format!("/v1/jobs/{id}"), &ann_again).await.expect(200);
    assert_eq!((count(&job["files"]), &job["files"][0]["name"]), (1, &json!("there.jpg")));
    let (status, ..) = portal.fetch(&text(&photos["uploads"][0]["upload"]["url"])).await;
    assert!(!status.is_success());
    let mut late = report(&asset);
    late["photo_ids"] = json!([photos["uploads"][0]["id"]]);
    portal.post("/v1/problems", &ann_again, late).await.expect_problem(404, "not_found");

    // An event may come late, when what it is about is long gone.
    let gone = json!({ "detail": { "object": { "key": format!("jobs/{}", text(&photos["uploads"][1]["id"])) } } });
    assert_eq!(portal.stack.invoke("finish-upload", gone).await.unwrap(), Value::Null);
    // A job that is deleted takes its photos with it.
    let admin = portal.sign_in(ADMIN).await;
    portal.delete(&format!("/v1/companies/{}/jobs/{id}", ann.company), &admin).await.expect(204);
    becomes("its photo to go", async || items(&portal, "fil_").await.is_empty()).await;
    portal.get(&format!("/v1/jobs/{id}"), &ann_again).await.expect_problem(404, "not_found");
    bytes_are_gone(&portal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_s3_told_nobody_of_is_taken_before_it_is_given_up() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (ann, asset) = reporter(&portal, &admin, "ann@harbour.example").await;
    let id = text(&portal.post("/v1/problems", &ann.who, report(&asset)).await.expect(201)["job_id"]);
    let files = json!({ "files": [photo("gate.jpg")] });
    let added = portal.post(&format!("/v1/jobs/{id}/files"), &ann.who, files).await.expect(201);
    becomes("no mail under way", async || items(&portal, "OUTBOX#").await.is_empty()).await;
    // As long as mail waits, the bucket tells nobody of what has come.
    portal.pause_mail().await;
    portal.upload(&added["uploads"][0]["upload"], PHOTO).await;
    portal.pass(Duration::from_hours(25)).await;
    portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    portal.stack.pause_mail(false);
    let ann_again = portal.sign_in(&ann.email).await;
    let job = portal.get(&format!("/v1/jobs/{id}"), &ann_again).await.expect(200);
    assert_eq!((count(&job["files"]), &job["events"][1]["kind"]), (1, &json!("file_added")));
}
