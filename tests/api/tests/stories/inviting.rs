//! "An email address is required to send an invite." "The Send Invite button will continue to be present until the
//! customer contact creates an account."

use gatehouse_tests::{NOBODY, Portal, text};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_without_an_email_cannot_be_invited() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let contacts = format!("/v1/companies/{company}/contacts");
    let contact = portal.post(&contacts, &admin, json!({ "name": "No Mail" })).await.expect(201);
    let path = format!("/v1/contacts/{}/invitation", text(&contact["id"]));
    portal.call(Method::POST, &path, &admin, None).await.expect_problem(422, "email_missing");

    let body = json!({ "name": "Neither", "send_invite": true });
    portal.post(&contacts, &admin, body).await.expect_problem(422, "email_missing");
    let listed = portal.get(&contacts, &admin).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "with a refusal, nothing is created");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_can_be_sent_while_creating_the_contact() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let body = json!({ "name": "Ann", "email": " Ann@Harbour.example ", "send_invite": true });
    let contact = portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
    assert_eq!((contact["access"].as_str(), contact["email"].as_str()), (Some("invited"), Some("ann@harbour.example")));
    let token = portal.activation_token("ann@harbour.example", 1).await;
    portal.activate(&token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_resends_until_the_account_exists() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    let path = format!("/v1/contacts/{contact}/invitation");
    let sent = portal.post(&path, &admin, json!({ "message": "Welcome aboard!" })).await.expect(202);
    assert_eq!(sent["access"], "invited");
    assert!(text(&sent["expires_at"]) > text(&sent["sent_at"]));
    let mails = portal.mails_when("ann@harbour.example", 1).await;
    assert!(text(&mails[0]["text"]).contains("Welcome aboard!"));
    portal.call(Method::POST, &path, &admin, None).await.expect(202);
    let token = portal.activation_token("ann@harbour.example", 2).await;
    portal.activate(&token).await;
    portal.call(Method::POST, &path, &admin, None).await.expect_problem(409, "already_active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_whose_plan_lacks_the_portal_cannot_be_invited() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "Basic Ltd", "portal_plan": false });
    let company = text(&portal.post("/v1/companies", &admin, body).await.expect(201)["id"]);
    let contact = portal.contact(&admin, &company, "bob@basic.example").await;
    let path = format!("/v1/contacts/{contact}/invitation");
    portal.call(Method::POST, &path, &admin, None).await.expect_problem(422, "plan_lacks_portal");
    portal.patch(&format!("/v1/companies/{company}"), &admin, json!({ "portal_plan": true })).await.expect(200);
    portal.call(Method::POST, &path, &admin, None).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_flooded_with_invitations() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    let path = format!("/v1/contacts/{contact}/invitation");
    for _ in 0..10 {
        portal.call(Method::POST, &path, &admin, None).await.expect(202);
    }
    let reply = portal.call(Method::POST, &path, &admin, None).await;
    let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
    reply.expect_problem(429, "too_many_requests");
    assert!((3500..=3600).contains(&wait), "{wait}");
    portal.pass(std::time::Duration::from_secs(wait)).await;
    portal.call(Method::POST, &path, &admin, None).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_staff_invite() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let path = format!("/v1/contacts/{}/invitation", ann.id);
    portal.call(Method::POST, &path, &NOBODY, None).await.expect_problem(401, "sign_in_required");
    portal.call(Method::POST, &path, &ann.who, None).await.expect_problem(403, "forbidden");
    portal.delete(&path, &ann.who).await.expect_problem(403, "forbidden");
    let unknown = gatehouse::domain::ContactId::new(gatehouse::clock::Timestamp::now());
    let path = format!("/v1/contacts/{unknown}/invitation");
    portal.call(Method::POST, &path, &admin, None).await.expect_problem(404, "not_found");
    portal.call(Method::POST, "/v1/contacts/nobody/invitation", &admin, None).await.expect_problem(404, "not_found");
}
