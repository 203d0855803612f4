//! "The check mark will pass in orange colour, then green from when access is activated." One switch opens and
//! closes; closing works at once.

use gatehouse_tests::{Customer, NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

async fn switch(portal: &Portal, who: &Who, contact: &str, body: Value) -> gatehouse_tests::Reply {
    portal.call(Method::PUT, &format!("/v1/contacts/{contact}/access"), who, Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_access_ends_open_sessions_at_once_and_reopening_brings_the_old_shares_back() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let file = text(&portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200)["files"][0]["id"]);

    portal.mails_when(&ann.email, 2).await;
    let closed = switch(&portal, &admin, &ann.id, json!({ "state": "closed", "notify": true })).await.expect(200);
    assert_eq!(closed["access"], "closed");
    portal.get("/v1/me", &ann.who).await.expect_problem(401, "sign_in_required");
    portal.get("/v1/shares", &ann.who).await.expect_problem(401, "sign_in_required");
    let download = format!("/v1/shares/{share}/files/{file}/download");
    portal.call(Method::POST, &download, &ann.who, None).await.expect_problem(401, "sign_in_required");
    let body = json!({ "email": ann.email, "password": gatehouse_tests::PASSWORD });
    portal.post("/v1/sessions", &gatehouse_tests::NOBODY, body).await.expect_problem(401, "wrong_credentials");
    let mails = portal.mails_when(&ann.email, 3).await;
    assert!(text(&mails[0]["subject"]).contains("closed"), "{}", mails[0]["subject"]);
    let invitation = format!("/v1/contacts/{}/invitation", ann.id);
    portal.call(Method::POST, &invitation, &admin, None).await.expect_problem(409, "access_closed");

    let opened = switch(&portal, &admin, &ann.id, json!({ "state": "open", "notify": true })).await.expect(200);
    assert_eq!(opened["access"], "active");
    portal.get("/v1/me", &ann.who).await.expect_problem(401, "sign_in_required");
    let who = portal.sign_in(&ann.email).await;
    assert_eq!(portal.get("/v1/shares", &who).await.expect(200)["items"][0]["id"], json!(share));
    portal.mails_when(&ann.email, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_access_stops_the_session_the_share_link_and_the_upload_of_that_moment() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann: Customer = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, &admin, json!({ "allow_upload": true })).await.expect(200);
    let link = token_in(&text(&portal.mails_when(&ann.email, 2).await[0]["text"]), "/open#");
    let open = async || portal.post("/v1/links/open", &NOBODY, json!({ "token": link })).await;
    open().await.expect(200);
    let new = json!({ "name": "back.txt", "size": 4, "content_type": "text/plain" });
    let added = portal.post(&format!("{path}/files"), &ann.who, new).await.expect(201);
    let file = text(&added["id"]);

    switch(&portal, &admin, &ann.id, json!({ "state": "closed" })).await.expect(200);
    portal.get(&path, &ann.who).await.expect_problem(401, "sign_in_required");
    open().await.expect_problem(410, "link_withdrawn");
    // The bytes may still be under way; they are not taken.
    portal.upload(&added["upload"], b"back").await;
    portal.complete(&ann.who, &share, &file).await.expect_problem(401, "sign_in_required");
    let upload = format!("{path}/files/{file}/upload");
    portal.get(&upload, &ann.who).await.expect_problem(401, "sign_in_required");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let shown = portal.get(&path, &admin).await.expect(200);
    let back = shown["files"].as_array().unwrap().iter().find(|shown| shown["id"] == json!(file)).unwrap();
    assert_eq!(back["state"], "pending", "what S3 told of it has changed nothing");

    switch(&portal, &admin, &ann.id, json!({ "state": "open" })).await.expect(200);
    let who = portal.sign_in(&ann.email).await;
    portal.get(&path, &who).await.expect(200);
    open().await.expect(200);
    portal.complete(&who, &share, &file).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_switch_opens_with_an_invitation_and_closes_while_it_is_pending() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    let body = json!({ "state": "open", "areas": ["jobs", "report_problem"] });
    let opened = switch(&portal, &admin, &contact, body).await.expect(200);
    assert_eq!((opened["access"].as_str(), &opened["areas"]), (Some("invited"), &json!(["jobs", "report_problem"])));
    let token = portal.activation_token("ann@harbour.example", 1).await;

    // Opening what is open changes areas and sends no second invitation.
    let again = switch(&portal, &admin, &contact, json!({ "state": "open", "areas": ["files"] })).await.expect(200);
    assert_eq!((again["access"].as_str(), &again["areas"]), (Some("invited"), &json!(["files"])));

    let closed = switch(&portal, &admin, &contact, json!({ "state": "closed" })).await.expect(200);
    assert_eq!(closed["access"], "closed");
    let check = portal.post("/v1/activations/check", &gatehouse_tests::NOBODY, json!({ "token": token })).await;
    check.expect_problem(410, "link_withdrawn");
    let reopened = switch(&portal, &admin, &contact, json!({ "state": "open" })).await.expect(200);
    assert_eq!(reopened["access"], "invited", "there was no account to bring back");
    let token = portal.activation_token("ann@harbour.example", 2).await;
    portal.activate(&token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_without_an_address_or_the_plan_and_what_is_open_survives_a_downgrade() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let path = format!("/v1/companies/{}/contacts", ann.company);
    let no_mail = text(&portal.post(&path, &admin, json!({ "name": "No Mail" })).await.expect(201)["id"]);
    switch(&portal, &admin, &no_mail, json!({ "state": "open" })).await.expect_problem(422, "email_missing");

    let bob = portal.contact(&admin, &ann.company, "bob@harbour.example").await;
    portal.patch(&format!("/v1/companies/{}", ann.company), &admin, json!({ "portal_plan": false })).await.expect(200);
    switch(&portal, &admin, &bob, json!({ "state": "open" })).await.expect_problem(422, "plan_lacks_portal");
    portal.get("/v1/me", &ann.who).await.expect(200);
    portal.sign_in(&ann.email).await;
    switch(&portal, &admin, &ann.id, json!({ "state": "open" })).await.expect(200);
    switch(&portal, &admin, &ann.id, json!({ "state": "closed" })).await.expect(200);
    switch(&portal, &admin, &ann.id, json!({ "state": "open" })).await.expect_problem(422, "plan_lacks_portal");
    switch(&portal, &admin, &ann.id, json!({ "state": "ajar" })).await.expect_invalid("state");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_whose_area_is_taken_away_sees_no_files() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let path = format!("/v1/contacts/{}", ann.id);
    portal.patch(&path, &admin, json!({ "areas": ["jobs"] })).await.expect(200);
    portal.get("/v1/shares", &ann.who).await.expect_problem(403, "area_not_open");
    portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect_problem(403, "area_not_open");
    let downloads = format!("/v1/shares/{share}/downloads");
    portal.call(Method::POST, &downloads, &ann.who, None).await.expect_problem(403, "area_not_open");
}

#[tokio::test(flavor = "multi_thread")]
async fn user_management_lists_every_contact_by_access_and_finds_them_by_words() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let zeta = portal.company(&admin, "Zeta Shipping").await;
    let contacts = format!("/v1/companies/{zeta}/contacts");
    for (name, email) in [
        ("Émile Zola", "emile@zeta.example"),
        ("Annika Berg", "berg@zeta.example"),
        ("Zeta Jones", "zj@elsewhere.example"),
    ] {
        portal.post(&contacts, &admin, json!({ "name": name, "email": email })).await.expect(201);
    }
    let names = async |query: &str| -> Vec<String> {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = portal.get(&format!("/v1/users?limit=1&{query}{cursor}"), &admin).await.expect(200);
            names.extend(page["items"].as_array().unwrap().iter().map(|user| text(&user["name"])));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    };
    assert_eq!(names("").await, ["Zoë Contact", "Annika Berg", "Émile Zola", "Zeta Jones"], "active, then none");
    assert_eq!(names("access=active").await, ["Zoë Contact"]);
    assert_eq!(names("access=invited").await, [""; 0]);
    assert_eq!(names("q=EMIL").await, ["Émile Zola"]);
    assert_eq!(names("q=ann").await, ["Zoë Contact", "Annika Berg"], "by address, by name");
    assert_eq!(names("q=ann@harb").await, ["Zoë Contact"]);
    assert_eq!(names("q=zola+emi").await, ["Émile Zola"]);
    assert_eq!(names("q=ann&access=none").await, ["Annika Berg"]);
    let mut of_zeta = names("q=zeta").await;
    of_zeta.sort();
    assert_eq!(of_zeta, ["Annika Berg", "Zeta Jones", "Émile Zola"], "each once: by name, by address, by company");
    assert_eq!(names("q=nobody").await, [""; 0]);

    portal.patch("/v1/me", &ann.who, json!({ "name": "Wanda Lee" })).await.expect(200);
    assert_eq!(names("q=wanda").await, ["Wanda Lee"]);
    assert_eq!(names("q=zoe").await, [""; 0], "an old name finds nobody");
    portal.get("/v1/users?access=half", &admin).await.expect_invalid("access");
    portal.get("/v1/users", &ann.who).await.expect_problem(403, "forbidden");
}
