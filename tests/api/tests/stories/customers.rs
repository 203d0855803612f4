//! Companies and contacts, entered by the staff.

use std::sync::Arc;

use gatehouse_tests::{Portal, Who, text};
use serde_json::{Value, json};

async fn names(portal: &Portal, path: &str, who: &Who) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = portal.get(&format!("{path}{cursor}"), who).await.expect(200);
        names.extend(page["items"].as_array().unwrap().iter().map(|item| text(&item["name"])));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return names,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn companies_are_listed_by_name_page_by_page_and_found_by_how_they_begin() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    for name in ["Zeta", "alpha", "Émile Frères", "Beta", "emil"] {
        portal.company(&admin, name).await;
    }
    let all = ["alpha", "Beta", "emil", "Émile Frères", "Zeta"];
    assert_eq!(names(&portal, "/v1/companies?limit=2", &admin).await, all);
    assert_eq!(names(&portal, "/v1/companies?limit=1&q=%C3%89MIL", &admin).await, ["emil", "Émile Frères"]);
    assert_eq!(portal.get("/v1/companies?q=nothing", &admin).await.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_changed_field_by_field() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "Harbour", "domains": ["Harbour.example"], "reference": "C-17" });
    let company = portal.post("/v1/companies", &admin, body).await.expect(201);
    assert_eq!(company["domains"], json!(["harbour.example"]));
    assert_eq!(company["portal_plan"], true);
    let path = format!("/v1/companies/{}", text(&company["id"]));
    let changed = portal.patch(&path, &admin, json!({ "name": "Harbour & Sons", "reference": null })).await.expect(200);
    assert_eq!((changed["name"].as_str(), &changed["reference"]), (Some("Harbour & Sons"), &Value::Null));
    assert_eq!(changed["domains"], company["domains"], "what is not named stays");
    let shown = portal.get(&path, &admin).await.expect(200);
    for (field, value) in changed.as_object().unwrap() {
        assert_eq!(&shown[field], value, "{field}");
    }
    portal.patch(&path, &admin, json!({ "domains": ["not a domain"] })).await.expect_invalid("domains[0]");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_belongs_to_one_person() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let ann = portal.contact(&admin, &company, "ann@harbour.example").await;
    let contacts = format!("/v1/companies/{company}/contacts");
    for taken in ["ANN@harbour.example", gatehouse_tests::ADMIN] {
        let body = json!({ "name": "Another", "email": taken });
        portal.post(&contacts, &admin, body).await.expect_problem(409, "email_taken");
    }
    let bob = portal.contact(&admin, &company, "bob@harbour.example").await;
    let bobs = format!("/v1/contacts/{bob}");
    let change = json!({ "email": "ann@harbour.example" });
    portal.patch(&bobs, &admin, change.clone()).await.expect_problem(409, "email_taken");
    // Given up by one, it is free for another.
    portal.patch(&format!("/v1/contacts/{ann}"), &admin, json!({ "email": null })).await.expect(200);
    assert_eq!(portal.patch(&bobs, &admin, change).await.expect(200)["email"], "ann@harbour.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_contacts_with_one_email_at_once_one_is_created() {
    let portal = Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let contacts = format!("/v1/companies/{company}/contacts");
    let attempts = (0..10).map(|_| {
        let (portal, admin, contacts) = (portal.clone(), admin.clone(), contacts.clone());
        let body = json!({ "name": "Ann", "email": "ann@harbour.example" });
        tokio::spawn(async move { portal.post(&contacts, &admin, body).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        statuses.push(attempt.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[201].as_slice(), &[409; 9]].concat());
    let listed = portal.get(&contacts, &admin).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_ends_what_the_old_one_could_do() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let path = format!("/v1/contacts/{}", ann.id);
    portal.patch(&path, &admin, json!({ "email": null })).await.expect_invalid("email");
    let change = json!({ "email": "ann@new.example", "same_person": true });
    portal.patch(&path, &admin, change).await.expect(200);
    portal.get("/v1/me", &ann.who).await.expect_problem(401, "sign_in_required");
    portal.sign_in("ann@new.example").await;

    let invited = portal.contact(&admin, &ann.company, "bob@harbour.example").await;
    portal.post(&format!("/v1/contacts/{invited}/invitation"), &admin, json!({})).await.expect(202);
    let token = portal.activation_token("bob@harbour.example", 1).await;
    let change = json!({ "email": "rob@harbour.example" });
    let changed = portal.patch(&format!("/v1/contacts/{invited}"), &admin, change).await.expect(200);
    assert_eq!(changed["access"], "none");
    let check = portal.post("/v1/activations/check", &gatehouse_tests::NOBODY, json!({ "token": token })).await;
    check.expect_problem(410, "link_withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused_with_its_field_and_nothing_is_stored() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let contacts = format!("/v1/companies/{company}/contacts");
    for (body, field, says) in [
        (json!({ "name": "" }), "name", "empty"),
        (json!({ "name": "   " }), "name", "empty"),
        (json!({ "name": "x".repeat(10_000) }), "name", "200"),
        (json!({ "name": "a\u{0}b" }), "name", "control"),
        (json!({ "name": 7 }), "name", "string"),
        (json!({}), "name", "needed"),
        (json!({ "name": "Ann", "email": "ann" }), "email", "e-mail"),
        (json!({ "name": "Ann", "email": "ann@localhost" }), "email", "e-mail"),
        (json!({ "name": "Ann", "email": "a@x.example, b@x.example" }), "email", "e-mail"),
        (json!({ "name": "Ann", "areas": ["everything"] }), "areas[0]", "files"),
        (json!({ "name": "Ann", "language": "klingonish!" }), "language", "language"),
        (json!({ "name": "Ann", "send_invite": "yes" }), "send_invite", "boolean"),
        (json!({ "name": "Ann", "role": "admin" }), "role", "not known"),
        (json!([]), "body", "object"),
        (json!(["Ann"]), "body", "object"),
        (json!("Ann"), "body", "object"),
        (json!({ "name": "Ann \u{202e}eel" }), "name", "control"),
    ] {
        let problem = portal.post(&contacts, &admin, body.clone()).await.expect_invalid(field);
        assert!(problem.contains(says), "{body}: {problem}");
    }
    assert_eq!(portal.get(&contacts, &admin).await.expect(200), json!({ "items": [], "next": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_works_for_its_own_list_and_caller_only() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (one, other) = (portal.company(&admin, "One").await, portal.company(&admin, "Other").await);
    for n in 0..3 {
        portal.contact(&admin, &one, &format!("p{n}@one.example")).await;
        portal.contact(&admin, &other, &format!("p{n}@other.example")).await;
    }
    let list = |company: &str, cursor: &str| format!("/v1/companies/{company}/contacts?limit=1&cursor={cursor}");
    let first = portal.get(&format!("/v1/companies/{one}/contacts?limit=1"), &admin).await.expect(200);
    let cursor = text(&first["next"]);
    portal.get(&list(&one, &cursor), &admin).await.expect(200);
    portal.get(&list(&other, &cursor), &admin).await.expect_problem(400, "invalid_cursor");
    portal.get(&format!("/v1/companies?cursor={cursor}"), &admin).await.expect_problem(400, "invalid_cursor");
    let flipped = format!("{}{}", if cursor.starts_with('A') { "B" } else { "A" }, &cursor[1..]);
    for forged in [flipped.as_str(), "nonsense", "", "%00", "e30"] {
        portal.get(&list(&one, forged), &admin).await.expect_problem(400, "invalid_cursor");
    }
    for limit in ["0", "101", "-1", "many"] {
        let path = format!("/v1/companies/{one}/contacts?limit={limit}");
        portal.get(&path, &admin).await.expect_invalid("limit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_says_how_many_people_it_has_and_how_many_of_them_have_not_come_in_yet() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let other = portal.company(&admin, "Other").await;
    portal.contact(&admin, &other, "else@other.example").await;
    let counts = async || {
        let shown = portal.get(&format!("/v1/companies/{company}"), &admin).await.expect(200);
        (shown["contact_count"].as_u64().unwrap(), shown["pending_count"].as_u64().unwrap())
    };
    assert_eq!(counts().await, (0, 0));
    portal.contact(&admin, &company, "ann@harbour.example").await;
    let invited = |email: &str| json!({ "name": "Invited", "email": email, "send_invite": true });
    let contacts = format!("/v1/companies/{company}/contacts");
    for email in ["bob@harbour.example", "cleo@harbour.example"] {
        portal.post(&contacts, &admin, invited(email)).await.expect(201);
    }
    assert_eq!(counts().await, (3, 2));
    portal.activate(&portal.activation_token("bob@harbour.example", 1).await).await;
    assert_eq!(counts().await, (3, 1));
}
