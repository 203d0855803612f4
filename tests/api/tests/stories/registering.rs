//! "Your customers may also request access by clicking on the Register Now button." "Any user who receives the
//! e-mail can click on Map Registration to process the request."

use std::sync::Arc;
use std::time::Duration;

use gatehouse_tests::{ADMIN, NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

async fn ask(portal: &Portal, email: &str) -> Value {
    let body = json!({ "name": "Rita Newman", "email": email, "company": "Harbour & Sons Ltd", "message": "May I?" });
    portal.post("/v1/registrations", &NOBODY, body).await.expect(202)
}

/// The id of the one request that is waiting.
async fn waiting(portal: &Portal, staff: &Who) -> String {
    let queue = portal.get("/v1/registrations?status=pending", staff).await.expect(200);
    assert_eq!(queue["items"].as_array().unwrap().len(), 1, "{queue:#}");
    text(&queue["items"][0]["id"])
}

async fn map(portal: &Portal, staff: &Who, id: &str, body: Value) -> gatehouse_tests::Reply {
    portal.post(&format!("/v1/registrations/{id}/map"), staff, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_asks_is_mapped_to_a_new_contact_and_signs_in() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "Harbour & Sons", "domains": ["harbour.example"] });
    let company = text(&portal.post("/v1/companies", &admin, body).await.expect(201)["id"]);
    assert_eq!(ask(&portal, "Rita@Harbour.example ").await, json!({ "status": "received" }));

    let mail = &portal.mails_when(ADMIN, 2).await[0];
    assert!(text(&mail["html"]).contains("Map registration") && text(&mail["text"]).contains("May I?"));
    let id = waiting(&portal, &admin).await;
    assert!(text(&mail["text"]).contains(&format!("/registrations/{id}")));

    let shown = portal.get(&format!("/v1/registrations/{id}"), &admin).await.expect(200);
    assert_eq!((shown["status"].as_str(), shown["email"].as_str()), (Some("pending"), Some("rita@harbour.example")));
    assert_eq!(shown["suggestions"]["companies"][0]["id"], json!(company));

    let body = json!({ "company_id": company, "new_contact": { "name": "Rita Newman" } });
    let mapped = map(&portal, &admin, &id, body.clone()).await.expect(200);
    assert_eq!(
        (mapped["contact"]["access"].as_str(), &mapped["contact"]["company_id"]),
        (Some("invited"), &json!(company))
    );
    let again = map(&portal, &admin, &id, body).await.expect_problem(409, "already_mapped");
    assert!(text(&again["detail"]).contains("First Admin"), "{again}");

    let mails = portal.mails_when("rita@harbour.example", 1).await;
    let told = text(&mails[0]["text"]);
    assert!(told.contains("rita@harbour.example") && told.contains("Harbour & Sons"), "how to sign in: {told}");
    assert!(!told.to_lowercase().contains("password is"), "no password is mailed");
    portal.activate(&token_in(&told, "/activate#")).await;
    assert_eq!(portal.get("/v1/registrations", &admin).await.expect(200)["items"], json!([]));
    let mapped = portal.get("/v1/registrations?status=mapped", &admin).await.expect(200);
    assert_eq!(mapped["items"][0]["decided_by"], "First Admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn mapping_to_an_existing_contact_minds_its_company_and_its_address() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (company, other) = (portal.company(&admin, "Harbour").await, portal.company(&admin, "Other").await);
    let rita = portal.contact(&admin, &company, "old@harbour.example").await;
    ask(&portal, "rita@harbour.example").await;
    let id = waiting(&portal, &admin).await;
    let body = json!({ "company_id": other, "contact_id": rita });
    map(&portal, &admin, &id, body).await.expect_problem(422, "contact_of_other_company");
    let body = json!({ "company_id": company, "contact_id": rita });
    map(&portal, &admin, &id, body).await.expect_problem(409, "email_differs");
    map(&portal, &admin, &id, json!({ "company_id": company })).await.expect_invalid("contact_id");
    let unknown = gatehouse::domain::CompanyId::new(gatehouse::clock::Timestamp::now()).to_string();
    let body = json!({ "company_id": unknown, "contact_id": rita });
    map(&portal, &admin, &id, body).await.expect_invalid("company_id");
    assert_eq!(waiting(&portal, &admin).await, id, "a refusal decides nothing");

    let body = json!({ "company_id": company, "contact_id": rita, "replace_email": true });
    let mapped = map(&portal, &admin, &id, body).await.expect(200);
    assert_eq!(mapped["contact"]["email"], "rita@harbour.example");
    let token = portal.activation_token("rita@harbour.example", 1).await;
    portal.activate(&token).await;
    // The old address is free again.
    portal.contact(&admin, &other, "old@harbour.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_mappers_at_once_one_decides_and_the_others_are_told_who() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    ask(&portal, "rita@harbour.example").await;
    let id = waiting(&portal, &admin).await;
    let attempts = (0..30).map(|_| {
        let (portal, admin, id) = (portal.clone(), admin.clone(), id.clone());
        let body = json!({ "company_id": company, "new_contact": { "name": "Rita" } });
        tokio::spawn(async move { map(&portal, &admin, &id, body).await })
    });
    let mut won = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let reply = attempt.await.unwrap();
        if reply.status == 200 {
            won += 1;
        } else {
            assert!(text(&reply.expect_problem(409, "already_mapped")["detail"]).contains("First Admin"));
        }
    }
    assert_eq!(won, 1);
    let contacts = portal.get(&format!("/v1/companies/{company}/contacts"), &admin).await.expect(200);
    assert_eq!(contacts["items"].as_array().unwrap().len(), 1);
    portal.mails_when("rita@harbour.example", 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(portal.mails("rita@harbour.example").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_declined_with_a_reason_that_the_stranger_learns_if_wished() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    ask(&portal, "rita@harbour.example").await;
    let id = waiting(&portal, &admin).await;
    let path = format!("/v1/registrations/{id}/decline");
    portal.post(&path, &admin, json!({})).await.expect_invalid("reason");
    let body = json!({ "reason": "We do not know you.", "notify": true });
    assert_eq!(portal.post(&path, &admin, body.clone()).await.expect(200)["status"], "declined");
    portal.post(&path, &admin, body).await.expect_problem(409, "already_mapped");
    assert!(text(&portal.mails_when("rita@harbour.example", 1).await[0]["text"]).contains("We do not know you."));
    // Asking again is possible.
    ask(&portal, "rita@harbour.example").await;
    assert_ne!(waiting(&portal, &admin).await, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_tells_a_stranger_whether_an_address_is_known() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.customer(&admin, "active@harbour.example").await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "invited@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{contact}/invitation"), &admin, None).await.expect(202);
    portal.mails_when("invited@harbour.example", 1).await;

    let mut answers = Vec::new();
    for (path, body) in
        [("/v1/registrations", json!({ "name": "R", "company": "C" })), ("/v1/password-resets", json!({}))]
    {
        let mut of_path = Vec::new();
        for email in ["ACTIVE@harbour.example", " invited@harbour.example ", "unknown@harbour.example"] {
            let mut body = body.clone();
            body["email"] = json!(email);
            portal.pause_mail().await;
            let _ = portal.stack.meter.take();
            let reply = portal.post(path, &NOBODY, body).await;
            let mut work: Vec<String> = portal.stack.meter.take().into_iter().map(|call| call.operation).collect();
            work.sort();
            portal.stack.pause_mail(false);
            let headers: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
            of_path.push((headers, work, reply.expect(202)));
        }
        assert_eq!(of_path[0], of_path[1], "{path}");
        assert_eq!(of_path[0], of_path[2], "{path}");
        answers.push(of_path);
    }
    // Who is behind the address learns more.
    let mails = portal.mails_when("active@harbour.example", 3).await;
    let subjects: Vec<String> = mails.iter().map(|mail| text(&mail["subject"])).collect();
    assert!(subjects.iter().any(|subject| subject.contains("already have an account")), "{subjects:?}");
    let token = portal.activation_token("invited@harbour.example", 2).await;
    portal.activate(&token).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(portal.mails("unknown@harbour.example").await.is_empty());
    assert_eq!(portal.mails("invited@harbour.example").await.len(), 2, "no reset where there is no account yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_of_the_same_address_renews_the_first() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    ask(&portal, "rita@harbour.example").await;
    let id = waiting(&portal, &admin).await;
    let body = json!({ "name": "Rita N.", "email": "RITA@harbour.example", "company": "Harbour" });
    portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    assert_eq!(waiting(&portal, &admin).await, id);
    let shown = portal.get(&format!("/v1/registrations/{id}"), &admin).await.expect(200);
    assert_eq!((shown["name"].as_str(), shown["company"].as_str()), (Some("Rita N."), Some("Harbour")));
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_mappers_on_duty_are_mailed_and_the_admins_if_there_are_none() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let enter = async |email: &str, roles: Value, on_duty: bool| {
        let body = json!({ "name": "Staff", "email": email, "roles": roles, "on_duty": on_duty });
        let member = portal.post("/v1/staff", &admin, body).await.expect(201);
        let token = portal.activation_token(email, 1).await;
        (text(&member["id"]), portal.activate(&token).await)
    };
    let (_, off_duty) = enter("off@northgate.example", json!(["mapper"]), false).await;
    enter("other@northgate.example", json!(["member"]), true).await;
    ask(&portal, "one@harbour.example").await;
    portal.mails_when(ADMIN, 2).await;
    assert_eq!(portal.mails("off@northgate.example").await.len(), 1, "a mapper off duty");
    assert_eq!(portal.mails("other@northgate.example").await.len(), 1, "on duty, but no mapper");

    let (on_duty, mapper) = enter("on@northgate.example", json!(["mapper", "member"]), true).await;
    ask(&portal, "two@harbour.example").await;
    portal.mails_when("on@northgate.example", 2).await;
    assert_eq!(portal.mails(ADMIN).await.len(), 2);

    // Each switches its own duty.
    let duty = format!("/v1/staff/{on_duty}/duty");
    portal
        .call(Method::PUT, &duty, &off_duty, Some(json!({ "on_duty": false })))
        .await
        .expect_problem(403, "forbidden");
    portal.call(Method::PUT, &duty, &mapper, Some(json!({ "on_duty": false }))).await.expect(200);
    portal.pass(Duration::from_mins(11)).await;
    ask(&portal, "three@harbour.example").await;
    portal.mails_when(ADMIN, 3).await;
    assert_eq!(portal.mails("on@northgate.example").await.len(), 2);
    // Nothing waits unseen: the queue has all three, and only those who decide see it.
    let queue = portal.get("/v1/registrations", &off_duty).await.expect(200);
    assert_eq!(queue["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_forgotten_ninety_days_after_its_decision_and_half_a_year_without_one() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let mut asked = Vec::new();
    for name in ["declined", "waiting"] {
        let body = json!({ "name": name, "email": format!("{name}@elsewhere.example"), "company": "Elsewhere" });
        portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
        let page = portal.get("/v1/registrations?status=pending", &admin).await.expect(200);
        asked.push(text(&page["items"].as_array().unwrap().last().unwrap()["id"]));
    }
    let decline = format!("/v1/registrations/{}/decline", asked[0]);
    portal.post(&decline, &admin, json!({ "reason": "Nobody knows you here." })).await.expect(200);
    for (days, kept) in [(89, [true, true]), (2, [false, true]), (90, [false, false])] {
        portal.pass(Duration::from_hours(24 * days)).await;
        let admin = portal.sign_in(ADMIN).await;
        for (id, kept) in asked.iter().zip(kept) {
            let status = portal.get(&format!("/v1/registrations/{id}"), &admin).await.status;
            assert_eq!(status.as_u16(), if kept { 200 } else { 404 }, "{days} days later");
        }
    }
    assert!(!portal.everything_in_the_table().await.contains("PENDING#waiting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_sees_what_the_address_has_got_and_who_else_was_told() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let enter = async |name: &str, roles: Value| {
        let email = format!("{name}@northgate.example");
        let body = json!({ "name": name, "email": email, "roles": roles, "on_duty": true });
        let member = portal.post("/v1/staff", &admin, body).await.expect(201);
        (text(&member["id"]), portal.activate(&portal.activation_token(&email, 1).await).await)
    };
    let (mia, mapper) = enter("Mia", json!(["mapper"])).await;
    let (moe, _) = enter("Moe", json!(["mapper"])).await;
    enter("Max", json!(["member"])).await;
    let email = "rita@harbour.example";
    let to = json!([{ "email": email }]);
    let first = portal.share_with(&admin, "First", &to).await;
    portal.share_with(&admin, "Somebody else's", &json!([{ "email": "ruth@harbour.example" }])).await;
    let draft = json!({ "title": "Not sent", "recipients": to, "files": [] });
    portal.post("/v1/shares", &admin, draft).await.expect(201);
    let last = portal.share_with(&admin, "Last", &to).await;
    ask(&portal, email).await;
    let path = format!("/v1/registrations/{}", waiting(&portal, &admin).await);
    let show = async |who: &Who| portal.get(&path, who).await.expect(200);

    portal.mails_when("mia@northgate.example", 2).await;
    let shown = show(&admin).await;
    let before: Vec<(&Value, &Value)> =
        shown["shared_before"].as_array().unwrap().iter().map(|share| (&share["id"], &share["title"])).collect();
    assert_eq!(before, [(&json!(last), &json!("Last")), (&json!(first), &json!("First"))]);
    assert!(shown["shared_before"][0]["sent_at"].is_string());
    let mut told = shown["told"].as_array().unwrap().clone();
    told.sort_by_key(|one| text(&one["name"]));
    assert_eq!(told, [json!({ "id": mia, "name": "Mia" }), json!({ "id": moe, "name": "Moe" })]);

    // Her role has the queue, and not what others share: she learns that there was something.
    let shown = show(&mapper).await;
    assert_eq!(shown["shared_before"].as_array().unwrap().len(), 2);
    assert_eq!((&shown["shared_before"][0]["id"], shown["shared_before"][0].get("title")), (&json!(last), None));
    assert_eq!(shown["told"].as_array().unwrap().len(), 2);
    let key = json!({ "name": "ERP", "scopes": ["registrations"] });
    let erp = Who(Some(text(&portal.post("/v1/api-keys", &admin, key).await.expect(201)["key"])));
    let shown = show(&erp).await;
    assert!(shown["told"].as_array().unwrap().iter().all(|one| one.get("name").is_none()), "{shown:#}");
    assert_eq!(shown["shared_before"][0].get("title"), None);

    // A decision does not forget who was told.
    portal.post(&format!("{path}/decline"), &mapper, json!({ "reason": "Unknown" })).await.expect(200);
    assert_eq!(show(&admin).await["told"].as_array().unwrap().len(), 2);
}
