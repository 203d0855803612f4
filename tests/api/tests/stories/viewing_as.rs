//! Staff see the portal as a contact sees it: to help on the telephone, to be sure before a mail goes out. They only look,
//! and the activity says that they did.

use std::time::Duration;

use gatehouse_local::meter::Cost;
use gatehouse_tests::{NOBODY, Portal, Reply, Who, text};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::problems::{open, reported_with_photo};

/// What one of the staff gets who views as a contact.
async fn as_contact(portal: &Portal, staff: &Who, contact: &str, method: Method, path: &str, body: Value) -> Reply {
    let request = signed(portal.request(method, path), staff).header("Gatehouse-View-As", contact);
    portal.send(if body.is_null() { request } else { request.json(&body) }).await
}

fn signed(request: RequestBuilder, who: &Who) -> RequestBuilder {
    who.0.iter().fold(request, RequestBuilder::bearer_auth)
}

async fn activity(portal: &Portal, staff: &Who, kind: &str) -> Vec<Value> {
    let page = portal.get(&format!("/v1/activity?kind={kind}&limit=100"), staff).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_what_a_contact_sees_and_leave_no_trace_but_in_the_activity() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bo = portal.customer(&admin, "bo@quay.example").await;
    let files: &[(&str, &str, &[u8])] = &[("a.png", "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")];
    let share = portal.draft(&admin, "For Ann", &[&ann.id], files).await;
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    let to_bo = portal.share(&admin, "For Bo", &[&bo.id]).await;
    open(&portal, &admin, &ann.id, json!(["files", "jobs", "assets", "report_problem"])).await;
    let (job, photo) = reported_with_photo(&portal, &admin, &ann).await;
    let job = text(&job["id"]);
    portal.tasks_are_done().await;
    let next_ten_minutes = async || {
        let gone = portal.stack.env.clock.now().as_second() % 600;
        portal.pass(Duration::from_secs(u64::try_from(601 - gone).unwrap())).await;
    };
    next_ten_minutes().await;

    let get = async |path: &str| as_contact(&portal, &admin, &ann.id, Method::GET, path, Value::Null).await;
    let me = get("/v1/me").await.expect(200);
    assert_eq!((&me["kind"], &me["email"]), (&json!("customer"), &json!("ann@harbour.example")));
    let inbox = get("/v1/shares").await.expect(200);
    let titles: Vec<_> = inbox["items"].as_array().unwrap().iter().map(|row| &row["title"]).collect();
    assert_eq!(titles, [&json!("For Ann")]);
    get(&format!("/v1/shares/{to_bo}")).await.expect_problem(404, "not_found");
    let shown = get(&format!("/v1/shares/{share}")).await.expect(200);
    assert_eq!(shown.get("excluded_files"), None);
    let file = text(&shown["files"][0]["id"]);
    assert_eq!(get("/v1/jobs").await.expect(200)["items"].as_array().unwrap().len(), 1);
    get(&format!("/v1/jobs/{job}")).await.expect(200);
    get("/v1/assets").await.expect(200);
    get("/v1/sites").await.expect(200);
    let post = async |path: &str, body: Value| as_contact(&portal, &admin, &ann.id, Method::POST, path, body).await;
    post(&format!("/v1/shares/{share}/files/{file}/preview"), json!({})).await.expect(200);
    post(&format!("/v1/jobs/{job}/files/{photo}/preview"), json!({})).await.expect(200);
    let wanted = json!({ "files": [file], "size": "small" });
    post(&format!("/v1/shares/{share}/thumbnails"), wanted).await.expect(200);
    let wanted = json!({ "items": [{ "share_id": share, "file_id": file }], "size": "small" });
    post("/v1/thumbnails", wanted).await.expect(200);

    // To Ann all of it is as new as it was, and so it is to whoever follows the share.
    let inbox = portal.get("/v1/shares", &ann.who).await.expect(200);
    assert_eq!(inbox["items"][0]["unread"], json!(true));
    let recipients = portal.get(&format!("/v1/shares/{share}/recipients"), &admin).await.expect(200);
    assert_eq!(
        (&recipients["items"][0]["opened_at"], &recipients["items"][0]["viewed_at"]),
        (&Value::Null, &Value::Null)
    );
    assert!(activity(&portal, &admin, "file_viewed").await.is_empty());

    // It costs two reads and a write more than the contact's own look (docs/data-model.md).
    let cost = async |viewed: bool| {
        let _ = portal.stack.meter.take();
        if viewed { get("/v1/shares").await } else { portal.get("/v1/shares", &ann.who).await }.expect(200);
        Cost::of(&portal.stack.meter.take())
    };
    let (own, viewed) = (cost(false).await, cost(true).await);
    assert_eq!((viewed.calls, viewed.read_units), (own.calls + 3, own.read_units + 2.0));

    // However much was looked at, it is told once in ten minutes: who, as whom.
    let told = activity(&portal, &admin, "viewed_as").await;
    assert_eq!((told.len(), &told[0]["contact_id"]), (1, &json!(ann.id)));
    assert!(text(&told[0]["actor_id"]).starts_with("stf_"));
    next_ten_minutes().await;
    let look = || get("/v1/me");
    for looked in <[_; 6]>::from(tokio::join!(look(), look(), look(), look(), look(), look())) {
        looked.expect(200);
    }
    assert_eq!(activity(&portal, &admin, "viewed_as").await.len(), 2);
    let of_ann = portal.get(&format!("/v1/activity?contact_id={}&kind=viewed_as", ann.id), &admin).await.expect(200);
    assert_eq!(of_ann["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_views_as_a_contact_changes_nothing_and_downloads_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let files: &[(&str, &str, &[u8])] = &[("a.txt", "text/plain", b"Hello")];
    let share = portal.draft(&admin, "For Ann", &[&ann.id], files).await;
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    let file = text(&portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200)["files"][0]["id"]);
    for (method, path, body) in [
        (Method::PATCH, "/v1/me".to_owned(), json!({ "name": "Somebody" })),
        (Method::DELETE, "/v1/sessions".to_owned(), Value::Null),
        (Method::PUT, "/v1/me/password".to_owned(), json!({ "old": "a", "password": "b" })),
        (Method::POST, "/v1/shares".to_owned(), json!({ "title": "From Ann", "files": [] })),
        (Method::PATCH, format!("/v1/shares/{share}"), json!({ "title": "Another" })),
        (Method::DELETE, format!("/v1/shares/{share}"), Value::Null),
        (Method::POST, format!("/v1/shares/{share}/files/{file}/download"), json!({})),
        (Method::POST, format!("/v1/shares/{share}/downloads"), json!({})),
        (Method::POST, "/v1/problems".to_owned(), json!({ "title": "Broken" })),
        (Method::GET, "/v1/activity".to_owned(), Value::Null),
        (Method::GET, format!("/v1/contacts/{}", ann.id), Value::Null),
    ] {
        as_contact(&portal, &admin, &ann.id, method, &path, body).await.expect_problem(403, "forbidden");
    }
    assert_eq!(portal.get("/v1/me", &ann.who).await.expect(200)["name"], json!("Zoë Contact"));
    assert_eq!(portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200)["title"], json!("For Ann"));
    assert!(activity(&portal, &admin, "files_downloaded").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_of_the_staff_who_may_read_shares_view_as_a_contact() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bo = portal.customer(&admin, "bo@quay.example").await;
    let key = portal.post("/v1/api-keys", &admin, json!({ "name": "Bookkeeping", "scopes": ["shares:read"] })).await;
    let key = Who(Some(text(&key.expect(201)["key"])));
    for path in ["/v1/me", "/v1/shares", "/v1/jobs"] {
        let view =
            async |who: &Who, as_whom: &str| as_contact(&portal, who, as_whom, Method::GET, path, Value::Null).await;
        // Nobody is another customer, nor itself by this way; a key is nobody who looks.
        view(&bo.who, &ann.id).await.expect_problem(403, "forbidden");
        view(&ann.who, &ann.id).await.expect_problem(403, "forbidden");
        view(&key, &ann.id).await.expect_problem(401, "sign_in_required");
        view(&NOBODY, &ann.id).await.expect_problem(401, "sign_in_required");
        view(&admin, "con_01K9ZZZZZZZZZZZZZZZZZZZZZZ").await.expect_problem(404, "not_found");
        view(&admin, "somebody").await.expect_invalid("Gatehouse-View-As");
    }
    assert!(activity(&portal, &admin, "viewed_as").await.is_empty());
    // Two names are none.
    let twice = portal.request(Method::GET, "/v1/shares");
    let twice = twice.header("Gatehouse-View-As", &ann.id).header("Gatehouse-View-As", &bo.id);
    portal.send(signed(twice, &admin)).await.expect_invalid("Gatehouse-View-As");
    // What a customer has not sent yet is nobody else's to see.
    portal.patch(&format!("/v1/contacts/{}", bo.id), &admin, json!({ "areas": ["files", "upload"] })).await.expect(200);
    let file = json!({ "name": "a.png", "size": 5, "content_type": "image/png" });
    let draft = portal.post("/v1/shares", &bo.who, json!({ "title": "Not yet", "files": [file] })).await.expect(201);
    let (id, file) = (text(&draft["id"]), text(&draft["files"][0]["id"]));
    portal.get(&format!("/v1/shares/{id}"), &bo.who).await.expect(200);
    let of_bo =
        async |method: Method, path: &str, body: Value| as_contact(&portal, &admin, &bo.id, method, path, body).await;
    of_bo(Method::GET, &format!("/v1/shares/{id}"), Value::Null).await.expect_problem(404, "not_found");
    for path in [format!("/v1/shares/{id}/files/{file}/preview"), format!("/v1/shares/{id}/thumbnails")] {
        let wanted = json!({ "files": [file], "size": "small" });
        let wanted = if path.ends_with("thumbnails") { wanted } else { json!({}) };
        of_bo(Method::POST, &path, wanted).await.expect_problem(404, "not_found");
    }
    let listed = of_bo(Method::GET, "/v1/shares?direction=out", Value::Null).await.expect(200);
    assert_eq!(listed["items"], json!([]));

    // An area that is not open is closed to who looks, too.
    let jobs = as_contact(&portal, &admin, &ann.id, Method::GET, "/v1/jobs", Value::Null).await;
    jobs.expect_problem(403, "area_not_open");
}
