//! Every file in `events/` is what AWS really sends, and the function of its folder takes it. Where an event names
//! a thing (`${share}`), the story puts in one that exists; as they lie, the files serve `sam local invoke`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gatehouse_template::{Route, Template};
use gatehouse_tests::{ADMIN, NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{areas, pages, problems};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// Function, name and text of every event, in the order of their paths.
pub(crate) fn events() -> BTreeMap<(String, String), String> {
    let folder = |path: &Path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let files = folder(Path::new(EVENTS)).into_iter().flat_map(|function| folder(&function));
    files
        .map(|file| {
            let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
            ((name(file.parent().unwrap()), name(&file)), std::fs::read_to_string(&file).unwrap())
        })
        .collect()
}

/// What the events name.
pub(crate) async fn things(portal: &Portal) -> BTreeMap<&'static str, String> {
    let token = |who: &Who| who.0.clone().unwrap();
    let admin = portal.admin().await;
    let customer = portal.customer(&admin, "ann@harbour.example").await;
    let other = portal.customer(&admin, "other@harbour.example").await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "new@harbour.example").await;
    let invited = portal.contact(&admin, &company, "invited@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{invited}/invitation"), &admin, None).await.expect(202);
    let share = portal.share(&admin, "Report", &[&customer.id]).await;
    let share_mail = text(&portal.mails_when(&customer.email, 2).await[0]["text"]);
    let other_share = portal.share(&admin, "Other", &[&other.id]).await;
    let body = json!({ "contact_id": other.id });
    portal.post(&format!("/v1/shares/{share}/recipients"), &admin, body).await.expect(201);
    let body = json!({ "email": "guest@terminal.example" });
    portal.post(&format!("/v1/shares/{share}/recipients"), &admin, body).await.expect(201);
    let guest_mail = text(&portal.mails_when("guest@terminal.example", 1).await[0]["text"]);
    let shown = portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200);
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let draft = json!({ "title": "Draft", "recipients": [{ "contact_id": customer.id }], "files": [file] });
    let other_draft = portal.post("/v1/shares", &admin, draft.clone()).await.expect(201);
    let spare_draft = portal.post("/v1/shares", &admin, draft.clone()).await.expect(201);
    let draft = portal.post("/v1/shares", &admin, draft).await.expect(201);
    portal.upload(&draft["files"][0]["upload"], b"a").await;
    let third = portal.customer(&admin, "third@harbour.example").await;
    let reset = portal.customer(&admin, "reset@harbour.example").await;
    portal.post("/v1/password-resets", &NOBODY, json!({ "email": reset.email })).await.expect(202);
    let reset_mail = text(&portal.mails_when(&reset.email, 2).await[0]["text"]);
    for email in ["first@harbour.example", "second@harbour.example"] {
        let body = json!({ "name": "Rita", "email": email, "company": "Harbour" });
        portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    }
    let queue = portal.get("/v1/registrations", &admin).await.expect(200);
    let member = json!({ "name": "Sam", "email": "sam@northgate.example", "roles": ["member"] });
    let member = portal.post("/v1/staff", &admin, member).await.expect(201);
    let key = json!({ "name": "ERP", "scopes": ["customers:read"] });
    let key = portal.post("/v1/api-keys", &admin, key).await.expect(201);
    let mut records = Vec::new();
    for (kind, reference, body) in [
        ("sites", "HAM/1", json!({ "name": "Hamburg" })),
        ("assets", "MSKU 123456-7", json!({ "name": "Reefer" })),
        ("jobs", "2026/00123", json!({ "title": "Repair", "status": "open" })),
    ] {
        areas::put(portal, &admin, &company, &format!("{kind}/SPARE/1"), body.clone()).await.expect(201);
        let record = areas::put(portal, &admin, &company, &format!("{kind}/{reference}"), body).await.expect(201);
        records.push(text(&record["id"]));
    }
    let (reported, photo) = problems::reported_with_photo(portal, &admin, &customer).await;
    BTreeMap::from([
        ("own_asset", text(&reported["asset_id"])),
        ("own_job", text(&reported["id"])),
        ("job_file", photo),
        ("site", records[0].clone()),
        ("asset", records[1].clone()),
        ("job", records[2].clone()),
        ("third_customer", token(&third.who)),
        ("reset", token_in(&reset_mail, "/reset#")),
        ("registration", text(&queue["items"][0]["id"])),
        ("other_registration", text(&queue["items"][1]["id"])),
        ("member", text(&member["id"])),
        ("key", text(&key["id"])),
        ("admin", token(&admin)),
        ("spare_session", token(&portal.sign_in(ADMIN).await)),
        ("customer", token(&customer.who)),
        ("other_customer", token(&other.who)),
        ("company", company),
        ("pages", pages::folder(portal).await),
        ("contact", contact),
        ("activation", portal.activation_token("invited@harbour.example", 1).await),
        ("share", share),
        ("file", text(&shown["files"][0]["id"])),
        ("link", token_in(&share_mail, "/open#")),
        ("guest_link", token_in(&guest_mail, "/open#")),
        ("unsubscribe", token_in(&share_mail, "/unsubscribe#")),
        ("other_share", other_share),
        ("other_contact", other.id.clone()),
        ("draft", text(&draft["id"])),
        ("draft_file", text(&draft["files"][0]["id"])),
        ("other_draft", text(&other_draft["id"])),
        ("spare_company", portal.company(&admin, "Harbour Ltd").await),
        ("spare_draft", text(&spare_draft["id"])),
        ("spare_file", text(&spare_draft["files"][0]["id"])),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_taken_by_its_function() {
    let portal = Portal::open().await;
    let things = things(&portal).await;
    let mut events = events();
    // A link is looked at before it is used up; and who was removed cannot be changed any more.
    let looked_at = events.remove_entry(&("activate".to_owned(), "check".to_owned())).unwrap();
    let removed = events.remove_entry(&("staff".to_owned(), "remove".to_owned())).unwrap();
    for ((function, name), event) in [looked_at].into_iter().chain(events).chain([removed]) {
        let event = things.iter().fold(event, |event, (name, thing)| event.replace(&format!("${{{name}}}"), thing));
        assert!(!event.contains("${"), "{function}/{name} names something unknown");
        let event: Value = serde_json::from_str(&event).unwrap();
        let outcome = portal.stack.invoke(&function, event).await.unwrap();
        match (function.as_str(), name.as_str()) {
            ("no-route", _) => assert_eq!(outcome["statusCode"], 404),
            ("deliver-mail" | "run-tasks", _) => assert_eq!(outcome, json!({ "batchItemFailures": [] })),
            ("send-digest", _) => assert_eq!(outcome, json!({ "mails": 0 })),
            ("apply-retention", _) => {
                assert_eq!(outcome, json!({ "shares": 0, "uploads": 0, "job_files": 0, "activity": 0, "scans": 0 }));
            }
            ("finish-upload" | "note-bounce" | "record-scan", _) => assert_eq!(outcome, Value::Null),
            ("make-thumbnails", _) => assert_eq!(outcome, json!({})),
            ("first-admin", _) => assert_eq!(outcome, json!({ "outcome": "unchanged" })),
            _ => {
                let status = outcome["statusCode"].as_u64().unwrap_or_default();
                assert!((200..300).contains(&status), "{function}/{name}: {outcome:#}");
            }
        }
    }
}

#[test]
fn every_route_has_an_event() {
    let routed: BTreeSet<(String, String)> = events()
        .into_iter()
        .filter_map(|((function, _), event)| {
            let event: Value = serde_json::from_str(&event).unwrap();
            Some((function, event["routeKey"].as_str()?.to_owned()))
        })
        .collect();
    for function in Template::of_workspace().unwrap().functions {
        for route in function.routes {
            let key = match route {
                // Answered as GET is.
                Route::Path { method, path } if method == "HEAD" => format!("GET {path}"),
                Route::Path { method, path } => format!("{method} {path}"),
                Route::Default => "$default".to_owned(),
            };
            assert!(routed.contains(&(function.name.clone(), key.clone())), "{}: no event for {key}", function.name);
        }
    }
}
