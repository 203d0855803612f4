//! More at once than the table can do: it is tried again, and who asked is told to come back, never that we failed.

use gatehouse_tests::{NOBODY, Portal, text};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_transaction_is_tried_again_and_done_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.pause_mail().await;
    portal.stack.meter.throttle("TransactWriteItems", 4);
    portal.company(&admin, "Harbour").await;
    let companies = portal.get("/v1/companies", &admin).await.expect(200);
    assert_eq!(companies["items"].as_array().unwrap().len(), 1, "{companies}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_throttled_is_service_busy_and_changes_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    portal.pause_mail().await;
    let create = async |name: &str| portal.post("/v1/companies", &admin, json!({ "name": name })).await;
    for operation in ["TransactWriteItems", "GetItem"] {
        portal.stack.meter.throttle(operation, 1000);
        let reply = create("Busy").await;
        assert_eq!(reply.headers["retry-after"], "5");
        reply.expect_problem(503, "service_busy");
        portal.stack.meter.throttle(operation, 0);
    }
    // Batches are left undone in part, or refused whole.
    portal.stack.meter.throttle("Query", 1000);
    portal.get("/v1/companies", &admin).await.expect_problem(503, "service_busy");
    portal.stack.meter.throttle("Query", 0);
    let companies = portal.get("/v1/companies", &admin).await.expect(200);
    assert_eq!(companies["items"][0]["id"], json!(company));
    assert_eq!(companies["items"].as_array().unwrap().len(), 1, "{companies}");
    create("Busy").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_sign_in_is_no_wrong_password() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.pause_mail().await;
    portal.stack.meter.throttle("UpdateItem", 1000);
    portal.stack.meter.throttle("PutItem", 1000);
    let body = json!({ "email": ann.email, "password": gatehouse_tests::PASSWORD });
    portal.post("/v1/sessions", &NOBODY, body).await.expect_problem(503, "service_busy");
    portal.stack.meter.throttle("UpdateItem", 0);
    portal.stack.meter.throttle("PutItem", 0);
    portal.sign_in(&ann.email).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_reaches_everyone_at_a_company_although_the_table_is_busy() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.contact(&admin, &ann.company, "bob@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{bob}/invitation"), &admin, None).await.expect(202);
    let draft = portal.draft(&admin, "Report", &[], &[("note.txt", "text/plain", b"hello")]).await;
    let everyone = json!({ "company_id": ann.company });
    portal.post(&format!("/v1/shares/{draft}/recipients"), &admin, everyone).await.expect(201);
    portal.mails_when("bob@harbour.example", 1).await;
    portal.call(Method::POST, &format!("/v1/shares/{draft}/send"), &admin, None).await.expect(202);
    portal.stack.meter.throttle("TransactWriteItems", 5);
    let mails = portal.mails_when(&ann.email, 2).await;
    assert!(text(&mails[0]["subject"]).contains("Report"), "{mails:?}");
}
