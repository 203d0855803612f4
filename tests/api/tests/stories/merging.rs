//! Two companies that are one: what a customer has made itself by a link, and what the staff knew already.

use std::time::Duration;

use gatehouse_tests::{NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

use crate::areas;
use crate::delivering::{TASK_LEFT, crash, items, share_with, sweep};
use crate::reaching::all_is_done;
use crate::recipients::{add, colleague, take_away, titles_when};
use crate::returning::put;

async fn merge(portal: &Portal, staff: &Who, company: &str, into: &str) -> gatehouse_tests::Reply {
    portal.post(&format!("/v1/companies/{company}/merge"), staff, json!({ "into": into })).await
}

async fn visible_to_colleagues(portal: &Portal, admin: &Who) {
    let body = Some(json!({ "share_visibility": "company" }));
    portal.call(Method::PUT, "/v1/settings", admin, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_companys_people_and_shares_are_the_others_and_nobody_loses_anything() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    visible_to_colleagues(&portal, &admin).await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@harbour-sons.example").await;
    let eve = portal.customer(&admin, "eve@elsewhere.example").await;
    let old = format!("/v1/companies/{}", bob.company);
    portal.patch(&old, &admin, json!({ "domains": ["harbour-sons.example"], "reference": "C-2" })).await.expect(200);
    let to_old =
        share_with(&portal, &admin, "To all at the old one", None, json!([{ "company_id": bob.company }])).await;
    let to_bob = portal.share(&admin, "To Bob", &[&bob.id]).await;
    portal.patch(&format!("/v1/shares/{to_bob}"), &admin, json!({ "allow_upload": true })).await.expect(200);
    put(&portal, &bob.who, &to_bob, "returned.txt", None).await;
    portal.share(&admin, "To Ann", &[&ann.id]).await;
    let draft = portal
        .post("/v1/shares", &admin, json!({ "title": "Draft", "recipients": [{ "company_id": bob.company }] }))
        .await;
    let draft = text(&draft.expect(201)["id"]);
    titles_when(&portal, &bob.who, 2).await;
    all_is_done(&portal).await;
    portal.get(&format!("/v1/shares/{to_old}"), &bob.who).await.expect(200);

    let first = merge(&portal, &admin, &bob.company, &ann.company).await.expect(202);
    assert_eq!(merge(&portal, &admin, &bob.company, &ann.company).await.expect(202), first, "asked again");
    all_is_done(&portal).await;
    assert_eq!(merge(&portal, &admin, &bob.company, &ann.company).await.expect(202), first, "and once it is done");

    // With the sessions that they had, both see all of it, read as it was.
    for who in [&ann.who, &bob.who] {
        let mut titles = titles_when(&portal, who, 3).await;
        titles.sort();
        assert_eq!(titles, ["To Ann", "To Bob", "To all at the old one"]);
        for share in [&to_old, &to_bob] {
            portal.get(&format!("/v1/shares/{share}"), who).await.expect(200);
        }
        let shown = portal.get(&format!("/v1/shares/{to_bob}"), who).await.expect(200);
        assert_eq!(shown["files"].as_array().unwrap().len(), 2, "what a colleague has returned, too");
    }
    let listed = portal.get("/v1/shares?q=old", &bob.who).await.expect(200);
    assert_eq!(listed["items"][0]["unread"], json!(false));
    titles_when(&portal, &eve.who, 0).await;
    assert_eq!(
        portal.get(&format!("/v1/contacts/{}", bob.id), &admin).await.expect(200)["company_id"],
        json!(ann.company)
    );
    for share in [&to_old, &draft] {
        let recipients = portal.get(&format!("/v1/shares/{share}/recipients"), &admin).await.expect(200);
        assert_eq!(recipients["items"][0]["company_id"], json!(ann.company));
    }
    let grown = portal.get(&format!("/v1/companies/{}", ann.company), &admin).await.expect(200);
    assert_eq!((&grown["domains"], &grown["reference"]), (&json!(["harbour-sons.example"]), &json!("C-2")));
    // Nothing is left under the old one, and nothing comes there.
    for left in ["INBOX#", "MEMBERS#"] {
        assert!(items(&portal, &format!("{left}{}", bob.company)).await.is_empty());
    }
    let gone = portal.get(&old, &admin).await.expect(200);
    assert_eq!(gone["merged_into"], json!(ann.company));
    let named = portal.get("/v1/companies?limit=100", &admin).await.expect(200);
    assert!(named["items"].as_array().unwrap().iter().all(|company| company["id"] != json!(bob.company)));
    let body = json!({ "name": "Late" });
    portal.post(&format!("{old}/contacts"), &admin, body.clone()).await.expect_problem(409, "company_merged");
    portal.patch(&old, &admin, body).await.expect_problem(409, "company_merged");
    let recipients = format!("/v1/shares/{to_bob}/recipients");
    portal.post(&recipients, &admin, json!({ "company_id": bob.company })).await.expect_invalid("company_id");
    // What is taken away from the whole company is taken away from those who came, and new ones get what is shared.
    take_away(&portal, &admin, &to_old, &ann.company).await;
    portal.get(&format!("/v1/shares/{to_old}"), &bob.who).await.expect_problem(404, "not_found");
    add(&portal, &admin, &to_old, json!({ "company_id": ann.company })).await;
    let late = colleague(&portal, &admin, &ann.company, "late@harbour-sons.example").await;
    all_is_done(&portal).await;
    portal.get(&format!("/v1/shares/{to_old}"), &late.who).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_companys_sites_assets_and_jobs_are_the_others_and_of_two_with_one_reference_both_stay() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@harbour-sons.example").await;
    for contact in [&ann.id, &bob.id] {
        let areas = json!({ "areas": ["jobs", "assets"] });
        portal.patch(&format!("/v1/contacts/{contact}"), &admin, areas).await.expect(200);
    }
    let enter = async |company: &str, record: &str, body: Value| {
        text(&areas::put(&portal, &admin, company, record, body).await.expect(201)["id"])
    };
    let (old, new) = (&bob.company, &ann.company);
    let of_ann = enter(new, "sites/HAM", json!({ "name": "Hamburg" })).await;
    enter(new, "jobs/2026/1", json!({ "title": "Ann's", "status": "open" })).await;
    let site = enter(old, "sites/HAM", json!({ "name": "Hamburg too" })).await;
    let asset = enter(old, "assets/CRANE", json!({ "name": "Crane", "site_reference": "HAM", "status": "idle" })).await;
    let job = json!({ "title": "Bob's", "status": "open", "site_reference": "HAM", "asset_reference": "CRANE", "note": "Call first" });
    let clash = enter(old, "jobs/2026/1", job).await;
    let body = json!({ "items": (0..25).map(|n| json!({ "reference": format!("OLD-{n}"), "title": "Old", "status": "done" })).collect::<Vec<_>>() });
    portal.post(&format!("/v1/companies/{old}/jobs"), &admin, body).await.expect(200);

    merge(&portal, &admin, old, new).await.expect(202);
    all_is_done(&portal).await;
    // Both see all of it, with the sessions that they had, under the ids that it had.
    for who in [&ann.who, &bob.who] {
        let jobs = portal.get("/v1/jobs?limit=100", who).await.expect(200);
        assert_eq!(jobs["items"].as_array().unwrap().len(), 27);
        let shown = portal.get(&format!("/v1/jobs/{clash}"), who).await.expect(200);
        assert_eq!(
            (&shown["reference"], &shown["company_id"], &shown["title"]),
            (&json!(clash), &json!(new), &json!("Bob's"))
        );
        assert_eq!(
            (&shown["site_id"], &shown["site_reference"], &shown["asset_reference"]),
            (&json!(site), &json!(site), &json!("CRANE"))
        );
        let changes = &shown["events"][1];
        assert_eq!((&shown["events"][0]["note"], &changes["by"]["kind"]), (&json!("Call first"), &json!("system")));
        let renamed = json!({ "field": "reference", "before": "2026/1", "after": clash });
        assert!(changes["changed"].as_array().unwrap().contains(&renamed));
        for (path, count) in [
            ("/v1/jobs?q=OLD".to_owned(), 25),
            (format!("/v1/jobs?site_id={site}"), 1),
            (format!("/v1/jobs?asset_id={asset}"), 1),
            ("/v1/jobs?status=done&sort=title".to_owned(), 25),
            ("/v1/assets?status=idle".to_owned(), 1),
            ("/v1/sites?q=hamburg".to_owned(), 2),
        ] {
            let found = portal.get(&format!("{path}&limit=100"), who).await.expect(200);
            assert_eq!(found["items"].as_array().unwrap().len(), count, "{path}");
        }
    }
    // What the operator calls them goes on to mean what it meant at the other.
    let changed = areas::put(&portal, &admin, new, "sites/HAM", json!({ "address": "Hafen" })).await.expect(200);
    assert_eq!(changed["id"], json!(of_ann));
    areas::put(&portal, &admin, new, "jobs/OLD-7", json!({ "status": "open" })).await.expect(200);
    // Nothing is left, once whoever was first at a record has taken its words away, and nothing comes there.
    for n in 0.. {
        let left = portal.everything_in_the_table().await;
        let left = ["RECORDS#", "REFERENCES#"].iter().find(|kind| left.contains(&format!("{kind}{old}")));
        if left.is_none() {
            break;
        }
        assert!(n < 400, "{left:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        if n % 40 == 39 {
            // What came while it went on, its second run finds.
            portal.pass(Duration::from_secs(61)).await;
        }
    }
    let late = json!({ "name": "Late" });
    areas::put(&portal, &admin, old, "sites/LATE", late.clone()).await.expect_problem(409, "company_merged");
    let batch = json!({ "items": [{ "reference": "LATE", "name": "Late" }] });
    portal.post(&format!("/v1/companies/{old}/sites"), &admin, batch).await.expect_problem(409, "company_merged");
    portal.delete(&format!("/v1/companies/{old}/sites/HAM"), &admin).await.expect_problem(409, "company_merged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_stops_anywhere_comes_to_its_end() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@harbour.example").await;
    let share = share_with(&portal, &admin, "To all", None, json!([{ "company_id": bob.company }])).await;
    titles_when(&portal, &bob.who, 1).await;
    all_is_done(&portal).await;
    let crane = json!({ "name": "Crane" });
    areas::put(&portal, &admin, &bob.company, "assets/CRANE", crane).await.expect(201);
    portal.pause_mail().await;
    merge(&portal, &admin, &bob.company, &ann.company).await.expect(202);
    let mut crashes = 0;
    for n in 1..12 {
        portal.stack.meter.stop_after(n);
        crashes += usize::from(crash(&portal, "run-tasks", json!({ "sweep": true })).await);
        portal.pass(TASK_LEFT).await;
        // Whoever is on the way keeps what it has, or gets it back; taken away means taken away all the same.
    }
    assert!(crashes > 4, "{crashes}");
    sweep(&portal, "run-tasks").await;
    all_is_done(&portal).await;
    for who in [&ann.who, &bob.who] {
        portal.get(&format!("/v1/shares/{share}"), who).await.expect(200);
    }
    let assets = portal.get(&format!("/v1/assets?company_id={}", ann.company), &admin).await.expect(200);
    assert_eq!(assets["items"][0]["reference"], "CRANE");
    take_away(&portal, &admin, &share, &ann.company).await;
    for who in [&ann.who, &bob.who] {
        portal.get(&format!("/v1/shares/{share}"), who).await.expect_problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_while_companies_are_merged_is_gone_for_who_is_still_on_the_way() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@harbour.example").await;
    let share = share_with(&portal, &admin, "To all", None, json!([{ "company_id": bob.company }])).await;
    titles_when(&portal, &bob.who, 1).await;
    all_is_done(&portal).await;
    portal.pause_mail().await;
    merge(&portal, &admin, &bob.company, &ann.company).await.expect(202);
    // As soon as the recipient is the other company, and its people have not moved.
    for n in 1..40 {
        portal.stack.meter.stop_after(n);
        crash(&portal, "run-tasks", json!({ "sweep": true })).await;
        portal.pass(TASK_LEFT).await;
        let recipients = portal.get(&format!("/v1/shares/{share}/recipients"), &admin).await.expect(200);
        if recipients["items"][0]["company_id"] == json!(ann.company) {
            break;
        }
    }
    take_away(&portal, &admin, &share, &ann.company).await;
    portal.get(&format!("/v1/shares/{share}"), &bob.who).await.expect_problem(404, "not_found");
    all_is_done(&portal).await;
    portal.get(&format!("/v1/shares/{share}"), &bob.who).await.expect_problem(404, "not_found");
    titles_when(&portal, &bob.who, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_cannot_be_is_refused_and_changes_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let names = ["One", "Two", "Three"];
    let mut companies = Vec::new();
    for name in names {
        companies.push(portal.company(&admin, name).await);
    }
    let [one, two, three] = &companies[..] else { panic!("three") };
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    merge(&portal, &ann.who, one, two).await.expect_problem(403, "forbidden");
    merge(&portal, &NOBODY, one, two).await.expect_problem(401, "sign_in_required");
    merge(&portal, &admin, one, one).await.expect_invalid("into");
    merge(&portal, &admin, one, "com_01K9ZZZZZZZZZZZZZZZZZZZZZZ").await.expect_invalid("into");
    merge(&portal, &admin, "com_01K9ZZZZZZZZZZZZZZZZZZZZZZ", one).await.expect_problem(404, "not_found");
    portal.pause_mail().await;
    merge(&portal, &admin, one, two).await.expect(202);
    merge(&portal, &admin, one, three).await.expect_problem(409, "company_merged");
    merge(&portal, &admin, two, one).await.expect_invalid("into");
    merge(&portal, &admin, two, three).await.expect_problem(409, "in_progress");
    merge(&portal, &admin, three, one).await.expect_invalid("into");
    all_is_done(&portal).await;
    merge(&portal, &admin, two, three).await.expect(202);
    all_is_done(&portal).await;
    let shown = portal.get(&format!("/v1/companies/{three}"), &admin).await.expect(200);
    assert_eq!(shown["merged_into"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_somebody_made_by_a_link_is_suggested_for_merging_with_one_of_its_name() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let known = portal.company(&admin, "Harbour & Sons").await;
    share_with(&portal, &admin, "Report", None, json!([{ "email": "gita@harbour-new.example" }])).await;
    let mail = portal.mails_when("gita@harbour-new.example", 1).await[0].clone();
    let body =
        json!({ "token": token_in(&text(&mail["text"]), "/open#"), "name": "Gita", "company": "Harbour & Sons" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let found = portal.get("/v1/companies?q=harbour", &admin).await.expect(200);
    let made = found["items"].as_array().unwrap().iter().find(|company| company["id"] != json!(known)).unwrap().clone();
    assert_eq!(made["self_registered"], json!(true));
    let suggested = async |id: &str| {
        portal.get(&format!("/v1/companies/{id}"), &admin).await.expect(200)["merge_suggestions"].clone()
    };
    assert_eq!(suggested(&known).await[0]["id"], made["id"]);
    assert_eq!(suggested(&text(&made["id"])).await[0]["id"], json!(known));
    merge(&portal, &admin, &text(&made["id"]), &known).await.expect(202);
    all_is_done(&portal).await;
    assert_eq!(suggested(&known).await, Value::Null, "nothing is suggested any more");
    let people = portal.get(&format!("/v1/companies/{known}/contacts"), &admin).await.expect(200);
    assert_eq!(people["items"][0]["email"], json!("gita@harbour-new.example"));
}
