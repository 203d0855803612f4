//! Activity: who downloaded what and when.

use std::time::Duration;

use gatehouse_tests::{ADMIN, Portal, text};
use reqwest::Method;
use serde_json::{Value, json};

fn kinds(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|record| text(&record["kind"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_read_who_downloaded_what_newest_first_and_filter_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id, &bob.id]).await;
    let file = text(&portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200)["files"][0]["id"]);
    let download = format!("/v1/shares/{share}/files/{file}/download");
    portal.call(Method::POST, &download, &ann.who, None).await.expect(200);
    portal.call(Method::POST, &download, &bob.who, None).await.expect(200);

    let get = async |query: &str| portal.get(&format!("/v1/activity?{query}"), &admin).await.expect(200);
    let downloads = get("kind=files_downloaded").await;
    let names: Vec<_> =
        downloads["items"].as_array().unwrap().iter().map(|record| record["contact_id"].clone()).collect();
    assert_eq!(names, [json!(bob.id), json!(ann.id)]);
    assert_eq!((&downloads["items"][0]["files"], &downloads["items"][0]["actor_id"]), (&json!([file]), &json!(bob.id)));
    assert_eq!(
        kinds(&get(&format!("contact_id={}", ann.id)).await),
        ["files_downloaded", "activated", "invited", "contact_created"]
    );
    assert_eq!(
        kinds(&get(&format!("share_id={share}")).await)[..3],
        ["files_downloaded", "files_downloaded", "share_sent"]
    );
    let both = get(&format!("share_id={share}&contact_id={}", ann.id)).await;
    assert_eq!(kinds(&both), ["files_downloaded"]);

    // Page by page it is the same.
    let all = kinds(&get("limit=100").await);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&format!("limit=3{cursor}")).await;
        paged.extend(kinds(&page));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    portal.get("/v1/activity?kind=nothing", &admin).await.expect_invalid("kind");
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_of_other_months_is_found_by_time() {
    let portal = Portal::open().await;
    portal.admin().await;
    let first_day = portal.stack.clock.now();
    portal.pass(Duration::from_hours(24 * 40)).await;
    let admin = portal.sign_in(ADMIN).await;
    let (from, to) = (
        first_day - gatehouse::clock::SignedDuration::from_hours(1),
        first_day + gatehouse::clock::SignedDuration::from_hours(1),
    );
    let old = portal.get(&format!("/v1/activity?from={from}&to={to}"), &admin).await.expect(200);
    assert_eq!(kinds(&old), ["activated", "staff_created"]);
    let new = portal.get(&format!("/v1/activity?from={to}"), &admin).await.expect(200);
    assert_eq!(kinds(&new), ["signed_in"]);
    let all = portal.get("/v1/activity", &admin).await.expect(200);
    assert_eq!(kinds(&all), ["signed_in", "activated", "staff_created"]);
}
