//! Whose an account is: after a new password, another address, a decision of the staff.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatehouse_tests::{ADMIN, Customer, NOBODY, PASSWORD, Portal, Reply, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

const NEW: &str = "entirely different words, four";

async fn sign_in(portal: &Portal, email: &str, password: &str) -> Reply {
    portal.post("/v1/sessions", &NOBODY, json!({ "email": email, "password": password })).await
}

/// Somebody of the staff with that role, signed in.
async fn member(portal: &Portal, admin: &Who, email: &str, role: &str) -> Who {
    let body = json!({ "name": "Sam", "email": email, "roles": [role] });
    portal.post("/v1/staff", admin, body).await.expect(201);
    let token = portal.activation_token(email, 1).await;
    portal.activate(&token).await
}

/// A stranger's request; its id.
async fn asked(portal: &Portal, admin: &Who, email: &str) -> String {
    let body = json!({ "name": "Rita", "email": email, "company": "Harbour" });
    portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    let queue = portal.get("/v1/registrations", admin).await.expect(200);
    let items = queue["items"].as_array().unwrap();
    text(
        &items.iter().find(|item| item["email"] == email).unwrap_or_else(|| panic!("{email} does not wait: {queue}"))["id"],
    )
}

async fn subjects(portal: &Portal, to: &str, mails: usize) -> Vec<String> {
    portal.mails_when(to, mails).await.iter().map(|mail| text(&mail["subject"])).collect()
}

/// A share to an address, sent; its link.
async fn linked(portal: &Portal, staff: &Who, to: &str, mails: usize) -> String {
    let file = json!({ "name": "report.txt", "size": 5, "content_type": "text/plain" });
    let body = json!({ "title": "Report", "recipients": [{ "email": to }], "files": [file] });
    let share = portal.post("/v1/shares", staff, body).await.expect(201);
    portal.upload(&share["files"][0]["upload"], b"hello").await;
    portal.complete(staff, &text(&share["id"]), &text(&share["files"][0]["id"])).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{}/send", text(&share["id"])), staff, None).await.expect(202);
    token_in(&text(&portal.mails_when(to, mails).await[0]["text"]), "/open#")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_password_does_not_survive_its_reset() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    for trial in 0..5 {
        let ann = portal.customer(&admin, &format!("ann{trial}@harbour.example")).await;
        portal.post("/v1/password-resets", &NOBODY, json!({ "email": ann.email })).await.expect(202);
        let link = token_in(&text(&portal.mails_when(&ann.email, 2).await[0]["text"]), "/reset#");
        let over = Arc::new(AtomicBool::new(false));
        let thieves: Vec<_> = (0..3)
            .map(|_| {
                let (portal, over, email) = (Arc::clone(&portal), Arc::clone(&over), ann.email.clone());
                tokio::spawn(async move {
                    let mut sessions = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        let reply = sign_in(&portal, &email, PASSWORD).await;
                        sessions.extend(reply.body["token"].as_str().map(str::to_owned));
                    }
                    sessions
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(60)).await;
        let body = json!({ "token": link, "password": NEW });
        portal.post("/v1/password-resets/confirm", &NOBODY, body).await.expect(201);
        tokio::time::sleep(Duration::from_millis(60)).await;
        over.store(true, Ordering::Relaxed);
        for thief in thieves {
            for session in thief.await.unwrap() {
                portal.get("/v1/me", &Who(Some(session))).await.expect_problem(401, "sign_in_required");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_hashed_anew_does_not_overwrite_a_newer_one() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let id = text(&portal.get("/v1/me", &admin).await.expect(200)["id"]);
    let person = gatehouse::domain::PersonId::Staff(id.parse().unwrap());
    let store = gatehouse::store::Store::new(&portal.stack.env);
    let read = store.password(person).await.unwrap().unwrap();
    store.transaction().password(person, &portal.weak_hash(NEW)).commit().await.unwrap();
    let late = store.transaction().password_instead(person, &read, "the old one's").commit().await;
    assert!(matches!(late, Err(gatehouse::store::CommitError::Conflict)));
    sign_in(&portal, ADMIN, NEW).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_lie_where_two_functions_reach_them() {
    let portal = Portal::open().await;
    portal.admin().await;
    let table = portal.everything_in_the_table().await;
    assert!(table.contains("SECRET#stf_"), "the hash has a partition of its own");
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    let mut function = "";
    let mut reach = std::collections::BTreeSet::new();
    let mut previous = "";
    for line in template.lines() {
        if line.starts_with("  ") && !line.starts_with("   ") && line.ends_with("Function:") {
            function = line.trim();
        }
        if line.contains("SECRET#") {
            reach.insert(function);
        }
        // A set operator is true where there is no key at all (IAM, "Multivalued context keys").
        if line.contains("ForAllValues:StringLike") {
            assert!(previous.contains(r#""Null": { "dynamodb:LeadingKeys": "false""#), "{function} {line}");
        }
        previous = line;
    }
    assert_eq!(reach.into_iter().collect::<Vec<_>>(), ["ActivateFunction:", "SessionFunction:"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_address_is_told_at_both_and_the_old_password_opens_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    let path = format!("/v1/contacts/{}", ann.id);
    portal.patch(&path, &admin, json!({ "email": "anna@other.example" })).await.expect(200);
    portal.get("/v1/me", &ann.who).await.expect_problem(401, "sign_in_required");
    assert!(subjects(&portal, &ann.email, 2).await[0].contains("another address"));
    sign_in(&portal, "anna@other.example", PASSWORD).await.expect_problem(401, "wrong_credentials");
    sign_in(&portal, &ann.email, PASSWORD).await.expect_problem(401, "wrong_credentials");

    let mail = &portal.mails_when("anna@other.example", 1).await[0];
    let link = token_in(&text(&mail["text"]), "/reset#");
    let body = json!({ "token": link, "password": NEW });
    portal.post("/v1/password-resets/confirm", &NOBODY, body.clone()).await.expect(201);
    portal.post("/v1/password-resets/confirm", &NOBODY, body).await.expect_problem(410, "link_used");
    sign_in(&portal, "anna@other.example", NEW).await.expect(201);

    // The ordinary way to a new password leads there as well.
    portal.patch(&path, &admin, json!({ "email": "ann@third.example" })).await.expect(200);
    portal.mails_when("ann@third.example", 1).await;
    portal.post("/v1/password-resets", &NOBODY, json!({ "email": "ann@third.example" })).await.expect(202);
    let link = token_in(&text(&portal.mails_when("ann@third.example", 2).await[0]["text"]), "/reset#");
    sign_in(&portal, "ann@third.example", NEW).await.expect_problem(401, "wrong_credentials");
    let body = json!({ "token": link, "password": PASSWORD });
    portal.post("/v1/password-resets/confirm", &NOBODY, body).await.expect(201);
    sign_in(&portal, "ann@third.example", PASSWORD).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_person_keeps_its_password_where_the_staff_say_so_and_the_activity_tells_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    let body = json!({ "email": "ann@married.example", "same_person": true });
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, body).await.expect(200);
    assert!(subjects(&portal, &ann.email, 2).await[0].contains("another address"));
    assert!(subjects(&portal, "ann@married.example", 1).await[0].contains("this address now"));
    sign_in(&portal, "ann@married.example", PASSWORD).await.expect(201);
    let activity = portal.get(&format!("/v1/activity?contact_id={}&kind=contact_changed", ann.id), &admin).await;
    assert_eq!(activity.expect(200)["items"][0]["same_person"], true);
    // Another field alone says nothing about the person.
    let body = json!({ "name": "Ann M.", "same_person": true });
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, body).await.expect(200);
    let activity = portal.get(&format!("/v1/activity?contact_id={}&kind=contact_changed", ann.id), &admin).await;
    assert_eq!(activity.expect(200)["items"][0]["same_person"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_closed_when_its_address_changed_does_not_open_with_its_old_password() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    let switch = async |state: &str| {
        let path = format!("/v1/contacts/{}/access", ann.id);
        portal.call(Method::PUT, &path, &admin, Some(json!({ "state": state }))).await.expect(200)
    };
    switch("closed").await;
    portal
        .patch(&format!("/v1/contacts/{}", ann.id), &admin, json!({ "email": "eve@other.example" }))
        .await
        .expect(200);
    assert_eq!(switch("open").await["access"], "active");
    sign_in(&portal, "eve@other.example", PASSWORD).await.expect_problem(401, "wrong_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_decide_on_requests_takes_over_no_account() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    let mapper = member(&portal, &admin, "mapper@northgate.example", "mapper").await;
    let key = json!({ "name": "Robot", "scopes": ["registrations"] });
    let key = Who(Some(text(&portal.post("/v1/api-keys", &admin, key).await.expect(201)["key"])));
    let id = asked(&portal, &admin, "eve@evil.example").await;
    let path = format!("/v1/registrations/{id}/map");
    let take = json!({ "company_id": ann.company, "contact_id": ann.id, "replace_email": true });
    for who in [&mapper, &key] {
        portal.post(&path, who, take.clone()).await.expect_problem(403, "forbidden");
    }
    portal.get("/v1/me", &ann.who).await.expect(200);
    assert_eq!(portal.get("/v1/registrations", &admin).await.expect(200)["items"].as_array().unwrap().len(), 1);

    // Who may change contacts moves it; it begins anew, and the old address is told.
    let mapped = portal.post(&path, &admin, take).await.expect(200);
    assert_eq!(
        (&mapped["contact"]["access"], &mapped["contact"]["email"]),
        (&json!("invited"), &json!("eve@evil.example"))
    );
    assert!(subjects(&portal, &ann.email, 2).await[0].contains("another address"));
    portal.get("/v1/me", &ann.who).await.expect_problem(401, "sign_in_required");
    sign_in(&portal, "eve@evil.example", PASSWORD).await.expect_problem(401, "wrong_credentials");
    let token = portal.activation_token("eve@evil.example", 1).await;
    let body = json!({ "token": token, "password": NEW });
    portal.post("/v1/activations", &NOBODY, body).await.expect(201);
    sign_in(&portal, "eve@evil.example", NEW).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_does_not_open_what_was_closed() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    let path = format!("/v1/contacts/{}/access", ann.id);
    portal.call(Method::PUT, &path, &admin, Some(json!({ "state": "closed" }))).await.expect(200);
    let mapper = member(&portal, &admin, "mapper@northgate.example", "mapper").await;
    for (email, replace) in [(ann.email.as_str(), false), ("eve@evil.example", true)] {
        let id = asked(&portal, &admin, email).await;
        let body = json!({ "company_id": ann.company, "contact_id": ann.id, "replace_email": replace });
        for who in [&mapper, &admin] {
            let refused = portal.post(&format!("/v1/registrations/{id}/map"), who, body.clone()).await;
            refused.expect_problem(409, "access_closed");
        }
    }
    sign_in(&portal, &ann.email, PASSWORD).await.expect_problem(401, "wrong_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_whose_company_lost_the_plan_waits_for_a_mapper_and_is_not_let_in() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let body = json!({ "name": "Bob", "email": "bob@harbour.example", "send_invite": true });
    portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
    let token = portal.activation_token("bob@harbour.example", 1).await;
    let plan = async |portal_plan: bool| {
        let body = json!({ "portal_plan": portal_plan });
        portal.patch(&format!("/v1/companies/{company}"), &admin, body).await.expect(200)
    };
    plan(false).await;
    asked(&portal, &admin, "bob@harbour.example").await;
    portal.mails_when(ADMIN, 2).await;
    let body = json!({ "token": token, "password": PASSWORD });
    portal
        .post("/v1/activations/check", &NOBODY, json!({ "token": token }))
        .await
        .expect_problem(410, "link_withdrawn");
    portal.post("/v1/activations", &NOBODY, body).await.expect_problem(410, "link_withdrawn");
    plan(true).await;
    portal.activate(&token).await;
    // Whoever is in waits no longer.
    assert_eq!(portal.get("/v1/registrations", &admin).await.expect(200)["items"], json!([]));
    assert_eq!(
        portal.get("/v1/registrations?status=mapped", &admin).await.expect(200)["items"][0]["email"],
        "bob@harbour.example"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_takes_the_same_calls_where_no_invitation_can_be_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let lost = portal.company(&admin, "Lost").await;
    let kept = portal.company(&admin, "Kept").await;
    for (company, email) in
        [(&lost, "lost@harbour.example"), (&kept, "many@harbour.example"), (&kept, "known@harbour.example")]
    {
        let contact = portal.contact(&admin, company, email).await;
        let times = if email.starts_with("many") { 10 } else { 1 };
        for _ in 0..times {
            portal.call(Method::POST, &format!("/v1/contacts/{contact}/invitation"), &admin, None).await.expect(202);
        }
        portal.mails_when(email, times).await;
    }
    portal.patch(&format!("/v1/companies/{lost}"), &admin, json!({ "portal_plan": false })).await.expect(200);
    let mut all = Vec::new();
    for email in ["known@harbour.example", "lost@harbour.example", "many@harbour.example", "nobody@harbour.example"] {
        portal.pause_mail().await;
        let _ = portal.stack.meter.take();
        let body = json!({ "name": "R", "email": email, "company": "C" });
        portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
        let mut calls: Vec<String> = portal.stack.meter.take().into_iter().map(|call| call.operation).collect();
        portal.stack.pause_mail(false);
        calls.sort();
        all.push(calls);
    }
    for calls in &all[1..] {
        assert_eq!(calls, &all[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_invitation_does_not_come_back_by_an_old_link() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Terminal").await;
    let body = json!({ "name": "Uma", "email": "uma@terminal.example", "send_invite": true });
    let uma = text(&portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201)["id"]);
    portal.mails_when("uma@terminal.example", 1).await;
    let token = linked(&portal, &admin, "uma@terminal.example", 2).await;
    portal.delete(&format!("/v1/contacts/{uma}/invitation"), &admin).await.expect(204);
    portal.pass(Duration::from_mins(5)).await;
    let offer = portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200)["offer"].clone();
    assert_eq!(offer, "request_access");
    let body = json!({ "token": token, "name": "Uma" });
    assert_eq!(portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202)["status"], "requested");
    assert_eq!(portal.get(&format!("/v1/contacts/{uma}"), &admin).await.expect(200)["access"], "none");
    assert_eq!(portal.mails("uma@terminal.example").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_requests_for_access_at_once_are_one_mail_whose_link_works_and_the_offer_stays() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let token = linked(&portal, &admin, "uma@terminal.example", 1).await;
    let asking: Vec<_> = (0..5)
        .map(|_| {
            let (portal, token) = (Arc::clone(&portal), token.clone());
            tokio::spawn(async move {
                portal.post("/v1/links/get-access", &NOBODY, json!({ "token": token, "name": "Uma" })).await
            })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap().expect(202)["status"], "activation_mailed");
    }
    portal.mails_when("uma@terminal.example", 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let activation = portal.activation_token("uma@terminal.example", 2).await;
    assert_eq!(portal.mails("uma@terminal.example").await.len(), 2);
    // What was taken can be taken again, until it is used: the mail may have gone astray.
    let offer =
        async || portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200)["offer"].clone();
    assert_eq!(offer().await, "get_access");
    portal.activate(&activation).await;
    assert_eq!(offer().await, "sign_in");
    assert_eq!(portal.get("/v1/registrations", &admin).await.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_gets_ten_invitations_an_hour_whoever_of_contacts_and_staff_they_are_for() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let email = "victim@harbour.example";
    let contact = portal.contact(&admin, &company, email).await;
    let invitation = format!("/v1/contacts/{contact}/invitation");
    for _ in 0..10 {
        portal.call(Method::POST, &invitation, &admin, None).await.expect(202);
    }
    portal.call(Method::POST, &invitation, &admin, None).await.expect_problem(429, "too_many_requests");
    // The address goes to others, and the limit with it.
    portal.patch(&format!("/v1/contacts/{contact}"), &admin, json!({ "email": "x@harbour.example" })).await.expect(200);
    let path = format!("/v1/companies/{company}/contacts");
    let body = json!({ "name": "Other", "email": email, "send_invite": true });
    portal.post(&path, &admin, body).await.expect_problem(429, "too_many_requests");
    let body = json!({ "name": "Staff", "email": email, "roles": ["member"] });
    portal.post("/v1/staff", &admin, body).await.expect_problem(429, "too_many_requests");
    let id = asked(&portal, &admin, email).await;
    let body = json!({ "company_id": company, "new_contact": { "name": "Rita" } });
    portal
        .post(&format!("/v1/registrations/{id}/map"), &admin, body.clone())
        .await
        .expect_problem(429, "too_many_requests");
    portal.pass(Duration::from_hours(1)).await;
    portal.post(&format!("/v1/registrations/{id}/map"), &admin, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_opened_for_ever_fills_no_activity_and_says_that_it_was_the_link() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let token = linked(&portal, &admin, "uma@terminal.example", 1).await;
    let mut opened = Value::Null;
    for _ in 0..30 {
        opened = portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200);
    }
    for _ in 0..4 {
        let body = json!({ "token": token, "file_id": opened["files"][0]["id"] });
        portal.post("/v1/links/download", &NOBODY, body).await.expect(200);
    }
    let kinds = async || {
        let path = format!("/v1/activity?share_id={}&limit=100", text(&opened["share"]["id"]));
        let activity = portal.get(&path, &admin).await.expect(200);
        let of = |kind: &str| {
            let items = activity["items"].as_array().unwrap().iter().filter(|item| item["kind"] == kind);
            items.map(|item| item["by_link"] == true).collect::<Vec<_>>()
        };
        (of("link_opened"), of("files_downloaded"), of("share_sent"))
    };
    assert_eq!(kinds().await, (vec![true; 10], vec![true], vec![false]));
    portal.pass(Duration::from_hours(1)).await;
    portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200);
    assert_eq!(kinds().await.0.len(), 11);
}
