//! Whom a share reaches while people are renamed, change their address, join and leave, and tasks stop half-way:
//! nobody keeps what was taken away, and nobody is left out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::IntoResponse as _;
use gatehouse::domain::{ContactId, InboxOf};
use gatehouse::store::Store;
use gatehouse_tests::proxy::before;
use gatehouse_tests::{Customer, Portal, Who, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::delivering::{TASK_LEFT, TASK_RECORD, crash, items, records, share_with, sweep, what_is_left};
use crate::recipients::{add, colleague, take_away, titles_when};
use crate::returning::put;

/// What waits of that kind.
async fn tasks(portal: &Portal, kind: &str) -> Vec<Value> {
    items(portal, "TASK#").await.into_iter().filter(|task| task["task"]["S"] == kind).collect()
}

/// The records of what waits of that kind.
async fn task_records(portal: &Portal, kind: &str) -> Vec<Value> {
    let keys: Vec<Value> = tasks(portal, kind).await.iter().map(|task| task["sk"].clone()).collect();
    let all = records(portal, "TASK#", TASK_RECORD).await;
    all.into_iter().filter(|record| keys.contains(&record["dynamodb"]["Keys"]["sk"])).collect()
}

/// Does what waits of that kind, as far as it is due.
async fn run(portal: &Portal, kind: &str) {
    let records = task_records(portal, kind).await;
    assert!(!records.is_empty(), "nothing of {kind} waits");
    let outcome = portal.stack.invoke("run-tasks", json!({ "Records": records })).await.unwrap();
    assert_eq!(outcome["batchItemFailures"], json!([]));
}

/// Ends the function as soon as what waits of that kind has done a step and has another before it.
async fn half_way(portal: &Portal, kind: &str) {
    for n in 1..40 {
        portal.stack.meter.stop_after(n);
        crash(portal, "run-tasks", json!({ "Records": task_records(portal, kind).await })).await;
        if tasks(portal, kind).await.iter().any(|task| task["after"].is_object() || task["within"].is_object()) {
            return;
        }
    }
    panic!("{kind} does not stop half-way");
}

/// Everything that waits, second runs included, is done.
pub(crate) async fn all_is_done(portal: &Portal) {
    portal.stack.pause_mail(false);
    for _ in 0..200 {
        let waiting = items(portal, "TASK#").await;
        if waiting.is_empty() {
            return;
        }
        portal.pass(TASK_LEFT).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        sweep(portal, "run-tasks").await;
    }
    panic!("{:#?}", items(portal, "TASK#").await);
}

/// A company of so many people that a task takes two steps for them.
async fn crowd(portal: &Portal, admin: &Who) -> String {
    let company = portal.company(admin, "Crowd").await;
    crowd_at(portal, admin, &company).await;
    company
}

async fn crowd_at(portal: &Portal, admin: &Who, company: &str) {
    for n in 0..32 {
        let body = json!({ "name": format!("Person {n}") });
        portal.post(&format!("/v1/companies/{company}/contacts"), admin, body).await.expect(201);
    }
}

async fn rename(portal: &Portal, who: &Who, name: &str) {
    portal.patch("/v1/me", who, json!({ "name": name })).await.expect(200);
}

async fn send(portal: &Portal, staff: &Who, share: &str) {
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), staff, None).await.expect(202);
}

async fn to_all(portal: &Portal, admin: &Who, company: &str, title: &str) -> String {
    share_with(portal, admin, title, None, json!([{ "company_id": company }])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_renamed_meanwhile_keeps_nothing_that_was_taken_away_and_gets_what_was_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = crowd(&portal, &admin).await;
    let zed = colleague(&portal, &admin, &company, "zed@crowd.example").await;
    let yan = colleague(&portal, &admin, &company, "yan@crowd.example").await;
    rename(&portal, &zed.who, "Zz Last").await;
    rename(&portal, &yan.who, "Zy Last").await;
    let share = to_all(&portal, &admin, &company, "Taken away").await;
    for who in [&zed, &yan] {
        portal.mails_when(&who.email, 2).await;
    }
    let path = format!("/v1/shares/{share}");

    portal.pause_mail().await;
    take_away(&portal, &admin, &share, &company).await;
    half_way(&portal, "company").await;
    rename(&portal, &zed.who, "Aa First").await;
    let sent = to_all(&portal, &admin, &company, "Sent").await;
    run(&portal, "recipients").await;
    half_way(&portal, "company").await;
    rename(&portal, &yan.who, "Ab First").await;
    all_is_done(&portal).await;

    portal.get(&path, &zed.who).await.expect_problem(404, "not_found");
    portal.call(Method::POST, &format!("{path}/downloads"), &zed.who, None).await.expect_problem(404, "not_found");
    assert_eq!(titles_when(&portal, &zed.who, 1).await, ["Sent"]);
    portal.get(&format!("/v1/shares/{sent}"), &yan.who).await.expect(200);
    for (who, titles) in [(&zed, 2), (&yan, 2)] {
        let mails = portal.mails_when(&who.email, 1 + titles).await;
        assert_eq!(mails.len(), 1 + titles, "each share once");
    }
    let rows = items(&portal, "INBOX#con_").await;
    assert!(rows.iter().all(|row| row["sk"]["S"] != json!(share)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_renamed_meanwhile_is_told_once_what_has_changed_and_what_has_come() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Crowd").await;
    // One before all others and one behind them, by name and by the time that they came.
    let abe = colleague(&portal, &admin, &company, "abe@crowd.example").await;
    crowd_at(&portal, &admin, &company).await;
    let zed = colleague(&portal, &admin, &company, "zed@crowd.example").await;
    let change_places = async |first: &Customer, last: &Customer| {
        rename(&portal, &first.who, "Aa First").await;
        rename(&portal, &last.who, "Zz Last").await;
    };
    change_places(&abe, &zed).await;
    let share = to_all(&portal, &admin, &company, "Report").await;
    for who in [&abe, &zed] {
        portal.mails_when(&who.email, 2).await;
        portal.get(&format!("/v1/shares/{share}"), &who.who).await.expect(200);
    }
    all_is_done(&portal).await;
    // What each of the company's people sees of the share in its list.
    let lines = async |field: &str| {
        let rows = items(&portal, "INBOX#con_").await.into_iter().filter(|row| row["sk"]["S"] == json!(share));
        let lines = rows.map(|row| serde_json::from_str::<Value>(&text(&row["line"]["S"])).unwrap()[field].clone());
        lines.collect::<Vec<Value>>()
    };

    portal.pause_mail().await;
    let title = json!({ "title": "Report, second edition" });
    portal.patch(&format!("/v1/shares/{share}"), &admin, title.clone()).await.expect(200);
    run(&portal, "recipients").await;
    half_way(&portal, "company").await;
    change_places(&zed, &abe).await;
    all_is_done(&portal).await;
    assert_eq!(lines("title").await, vec![title["title"].clone(); 34]);

    change_places(&abe, &zed).await;
    portal.pause_mail().await;
    put(&portal, &admin, &share, "new.txt", None).await;
    run(&portal, "recipients").await;
    half_way(&portal, "company").await;
    change_places(&zed, &abe).await;
    all_is_done(&portal).await;
    assert_eq!(lines("file_count").await, vec![json!(2); 34]);
    for who in [&abe, &zed] {
        portal.mails_when(&who.email, 3).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for who in [&abe, &zed] {
        assert_eq!(portal.mails(&who.email).await.len(), 3, "invited, sent, and the new file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_leaves_with_the_address_that_it_came_by() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let share = share_with(&portal, &admin, "For Bob", None, json!([{ "email": "bob@late.example" }])).await;
    let recipients = format!("/v1/shares/{share}/recipients");
    let listed = portal.get(&recipients, &admin).await.expect(200);
    let recipient = text(&listed["items"][0]["id"]);

    // Ann is entered with Bob's address by mistake, and gets her own afterwards.
    let ann = portal.contact(&admin, &company, "bob@late.example").await;
    all_is_done(&portal).await;
    assert_eq!(items(&portal, "INBOX#c").await.len(), 2, "her row, and her company's");
    assert!(!items(&portal, "WORDS#SHARES#c").await.is_empty());
    let path = format!("/v1/contacts/{ann}");
    portal.patch(&path, &admin, json!({ "email": "ann@harbour.example" })).await.expect(200);
    portal.call(Method::POST, &format!("{path}/invitation"), &admin, None).await.expect(202);
    let token = portal.activation_token("ann@harbour.example", 1).await;
    let who = portal.activate(&token).await;
    portal.get(&format!("/v1/shares/{share}"), &who).await.expect_problem(404, "not_found");
    all_is_done(&portal).await;
    titles_when(&portal, &who, 0).await;
    assert!(items(&portal, "INBOX#c").await.is_empty() && items(&portal, "WORDS#SHARES#c").await.is_empty());

    // Whoever really has the address gets it; and what is taken away from the address is taken away.
    let bob = portal.contact(&admin, &company, "bob@late.example").await;
    all_is_done(&portal).await;
    assert_eq!(items(&portal, &format!("INBOX#{bob}")).await.len(), 1);
    take_away(&portal, &admin, &share, &recipient).await;
    all_is_done(&portal).await;
    assert!(items(&portal, "INBOX#c").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_address_takes_away_only_what_came_by_the_old_one() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let both = json!([{ "email": "old@late.example" }, { "email": "new@late.example" }, { "company_id": company }]);
    share_with(&portal, &admin, "By all", None, both).await;
    share_with(&portal, &admin, "By the old one", None, json!([{ "email": "old@late.example" }])).await;
    share_with(&portal, &admin, "By the new one", None, json!([{ "email": "new@late.example" }])).await;
    let contact = portal.contact(&admin, &company, "old@late.example").await;
    all_is_done(&portal).await;
    let titles = async || {
        let title = |row: &Value| {
            let line: Value = serde_json::from_str(&text(&row["line"]["S"])).unwrap();
            text(&line["title"])
        };
        let mut rows = items(&portal, &format!("INBOX#{contact}")).await;
        rows.sort_by_key(title);
        rows.iter().map(|row| (title(row), row["via"]["L"].as_array().unwrap().len())).collect::<Vec<_>>()
    };
    let named = |title: &str, via| (title.to_owned(), via);
    assert_eq!(titles().await, [named("By all", 2), named("By the old one", 1)]);
    let path = format!("/v1/contacts/{contact}");
    portal.patch(&path, &admin, json!({ "email": "new@late.example" })).await.expect(200);
    all_is_done(&portal).await;
    assert_eq!(titles().await, [named("By all", 2), named("By the new one", 1)]);
    // Back again, and then none at all.
    portal.patch(&path, &admin, json!({ "email": "old@late.example" })).await.expect(200);
    all_is_done(&portal).await;
    assert_eq!(titles().await, [named("By all", 2), named("By the old one", 1)]);
    portal.patch(&path, &admin, json!({ "email": null })).await.expect(200);
    all_is_done(&portal).await;
    assert_eq!(titles().await, [named("By all", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_taken_out_of_a_draft_shuts_nobody_out() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = Some(json!({ "share_visibility": "company" }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    let yve = portal.customer(&admin, "yve@harbour.example").await;
    let zac = colleague(&portal, &admin, &yve.company, "zac@harbour.example").await;
    let file: [(&str, &str, &[u8]); 1] = [("a.txt", "text/plain", b"a")];
    let share = portal.draft(&admin, "For Yve", &[&yve.id], &file).await;
    add(&portal, &admin, &share, json!({ "company_id": yve.company })).await;
    take_away(&portal, &admin, &share, &yve.company).await;
    send(&portal, &admin, &share).await;
    assert_eq!(titles_when(&portal, &zac.who, 1).await, ["For Yve"]);
    portal.get(&format!("/v1/shares/{share}"), &zac.who).await.expect(200);
    portal.get(&format!("/v1/shares/{share}"), &yve.who).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_not_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let file: [(&str, &str, &[u8]); 1] = [("a.txt", "text/plain", b"a")];
    let share = portal.draft(&admin, "Late", &[&ann.id], &file).await;
    let ends = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_hours(1);
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, &admin, json!({ "expires_at": ends.to_string() })).await.expect(200);
    portal.pass(Duration::from_hours(2)).await;
    let sent = portal.call(Method::POST, &format!("{path}/send"), &admin, None).await;
    sent.expect_problem(410, "share_expired");
    assert_eq!(portal.get(&path, &admin).await.expect(200)["state"], "draft");
    portal.patch(&path, &admin, json!({ "expires_at": null })).await.expect(200);
    send(&portal, &admin, &share).await;
    titles_when(&portal, &ann.who, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_went_through_a_company_lifts_its_mark() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = crowd(&portal, &admin).await;
    let zed = colleague(&portal, &admin, &company, "zed@crowd.example").await;
    let first =
        text(&portal.get(&format!("/v1/companies/{company}/contacts"), &admin).await.expect(200)["items"][0]["id"]);
    let recipients = json!([{ "company_id": company }, { "contact_id": first }]);
    let share = share_with(&portal, &admin, "Taken away", None, recipients).await;
    titles_when(&portal, &zed.who, 1).await;
    let path = format!("/v1/shares/{share}");
    portal.pause_mail().await;
    take_away(&portal, &admin, &share, &company).await;
    half_way(&portal, "company").await;
    // One more of its people, whose task is done first; and the company once more, put back in between.
    take_away(&portal, &admin, &share, &first).await;
    run(&portal, "leave_company_inbox").await;
    portal.get(&path, &zed.who).await.expect_problem(404, "not_found");
    add(&portal, &admin, &share, json!({ "company_id": company })).await;
    portal.get(&path, &zed.who).await.expect(200);
    take_away(&portal, &admin, &share, &company).await;
    portal.get(&path, &zed.who).await.expect_problem(404, "not_found");
    half_way(&portal, "company").await;
    portal.get(&path, &zed.who).await.expect_problem(404, "not_found");
    all_is_done(&portal).await;
    portal.get(&path, &zed.who).await.expect_problem(404, "not_found");
    titles_when(&portal, &zed.who, 0).await;
    assert!(items(&portal, &share).await.iter().all(|item| item["removed_companies"].is_null()));
    assert!(items(&portal, "INBOX#c").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_finds_whom_an_index_that_was_behind_has_missed() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let zed = colleague(&portal, &admin, &ann.company, "zed@harbour.example").await;
    let share = to_all(&portal, &admin, &ann.company, "Taken away").await;
    titles_when(&portal, &zed.who, 1).await;
    all_is_done(&portal).await;

    portal.pause_mail().await;
    let behind = portal.hide_from_index(&zed.id, "CONTACT", "members_pk").await;
    take_away(&portal, &admin, &share, &ann.company).await;
    run(&portal, "company").await;
    titles_when(&portal, &ann.who, 0).await;
    titles_when(&portal, &zed.who, 1).await;
    portal.put_item(behind).await;
    portal.get(&format!("/v1/shares/{share}"), &zed.who).await.expect_problem(404, "not_found");
    all_is_done(&portal).await;
    titles_when(&portal, &zed.who, 0).await;
    portal.get(&format!("/v1/shares/{share}"), &zed.who).await.expect_problem(404, "not_found");

    // The same with what a newcomer is to get.
    let late = to_all(&portal, &admin, &ann.company, "Sent at that moment").await;
    portal.pause_mail().await;
    let behind = portal.hide_from_index(&late, &format!("TO#{}", ann.company), "listed_pk").await;
    let body = json!({ "name": "Late", "email": "late@harbour.example" });
    let contact = portal.post(&format!("/v1/companies/{}/contacts", ann.company), &admin, body).await.expect(201);
    run(&portal, "reconcile_inbox").await;
    portal.put_item(behind).await;
    let inbox = format!("INBOX#{}", text(&contact["id"]));
    assert!(items(&portal, &inbox).await.is_empty());
    all_is_done(&portal).await;
    assert_eq!(items(&portal, &inbox).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomers_inbox_is_filled_page_by_page_wherever_that_stops() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let mut shares = Vec::new();
    for n in 0..40 {
        shares.push(to_all(&portal, &admin, &company, &format!("Report {n}")).await);
    }
    all_is_done(&portal).await;
    portal.pause_mail().await;
    let contact = portal.contact(&admin, &company, "late@harbour.example").await;
    let inbox = format!("INBOX#{contact}");
    let mut crashes = 0;
    for n in (1..400).step_by(23) {
        portal.stack.meter.stop_after(n);
        let records = task_records(&portal, "reconcile_inbox").await;
        crashes += usize::from(crash(&portal, "run-tasks", json!({ "Records": records })).await);
        if tasks(&portal, "reconcile_inbox").await.iter().any(|task| task["after"].is_object()) {
            break;
        }
    }
    let moved = tasks(&portal, "reconcile_inbox").await;
    let at = moved.iter().find(|task| task["after"].is_object()).expect("its place is kept");
    assert!(crashes > 2 && items(&portal, &inbox).await.len() >= 25);
    // Somebody who is at work on it is left alone; later, the sweep goes on from there.
    assert!(text(&at["moved_at"]["S"]) > text(&at["id"]["S"]).replace("tsk_", ""), "it moved");
    all_is_done(&portal).await;
    assert_eq!(items(&portal, &inbox).await.len(), shares.len());
    assert!(portal.mails("late@harbour.example").await.is_empty(), "what is not new is not mailed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_lets_alone_what_somebody_is_at_and_goes_on_with_what_nobody_is() {
    let slow = Arc::new(AtomicBool::new(false));
    let each_write_takes_a_second = Arc::clone(&slow);
    let portal = Portal::open_with(|env| {
        let clock = env.clock.clone();
        env.endpoints.dynamodb = Some(before(env.endpoints.dynamodb.as_ref().unwrap(), move |_, pass_on| {
            let slow = each_write_takes_a_second.load(Ordering::Relaxed) && pass_on.is("TransactWriteItems");
            let clock = clock.clone();
            async move {
                let answer = pass_on.send().await;
                if slow {
                    clock.advance(gatehouse::clock::SignedDuration::from_secs(1));
                }
                answer
            }
        }));
    })
    .await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    for n in 0..40 {
        to_all(&portal, &admin, &company, &format!("Report {n}")).await;
    }
    // Longer than a task is let alone that does not move, in steps that are shorter.
    let mut work = Vec::new();
    for swept in [false, true] {
        all_is_done(&portal).await;
        portal.pause_mail().await;
        let contact = portal.contact(&admin, &company, &format!("{swept}@harbour.example")).await;
        let records = task_records(&portal, "reconcile_inbox").await;
        let (began, done, mut sweeps) = (portal.stack.clock.now(), AtomicBool::new(false), 0);
        let _ = portal.stack.meter.take();
        slow.store(true, Ordering::Relaxed);
        let worker = async {
            portal.stack.invoke("run-tasks", json!({ "Records": records })).await.unwrap();
            done.store(true, Ordering::Relaxed);
        };
        let schedule = async {
            while swept && !done.load(Ordering::Relaxed) {
                sweep(&portal, "run-tasks").await;
                sweeps += 1;
            }
        };
        tokio::join!(worker, schedule);
        slow.store(false, Ordering::Relaxed);
        let calls = portal.stack.meter.take();
        assert!(portal.stack.clock.now() > began + gatehouse::clock::SignedDuration::from_secs(40));
        assert_eq!((items(&portal, &format!("INBOX#{contact}")).await.len(), sweeps > 10), (40, swept));
        // A sweep looks for what is left, and that is all.
        work.push(calls.into_iter().filter(|call| call.operation != "Query").count());
    }
    assert_eq!(work[0], work[1], "what somebody is at is done by nobody else");

    // Whoever is at it is lost: at first nobody knows.
    all_is_done(&portal).await;
    portal.pause_mail().await;
    let contact = portal.contact(&admin, &company, "late@harbour.example").await;
    let rows = async || items(&portal, &format!("INBOX#{contact}")).await.len();
    portal.stack.meter.stop_after(180);
    let records = task_records(&portal, "reconcile_inbox").await;
    assert!(crash(&portal, "run-tasks", json!({ "Records": records })).await);
    let had = rows().await;
    assert!(had > 0 && had < 40, "{had}");
    let _ = portal.stack.meter.take();
    sweep(&portal, "run-tasks").await;
    assert!(portal.stack.meter.take().iter().all(|call| call.operation == "Query"));
    portal.pass(TASK_LEFT).await;
    sweep(&portal, "run-tasks").await;
    assert_eq!(rows().await, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_while_a_share_is_being_sent_is_told_of_it_and_who_joins_later_is_not() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    portal.pause_mail().await;
    let early = portal.contact(&admin, &company, "early@harbour.example").await;
    to_all(&portal, &admin, &company, "Sent").await;
    run(&portal, "reconcile_inbox").await;
    assert_eq!(items(&portal, &format!("INBOX#{early}")).await.len(), 1, "it is there before its turn has come");
    all_is_done(&portal).await;
    portal.mails_when("early@harbour.example", 1).await;
    portal.contact(&admin, &company, "late@harbour.example").await;
    all_is_done(&portal).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails("early@harbour.example").await.len(), 1);
    assert!(portal.mails("late@harbour.example").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_told_once_to_who_has_the_share_by_two_recipients() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let recipients = json!([{ "contact_id": ann.id }, { "company_id": ann.company }]);
    let share = share_with(&portal, &admin, "Report", None, recipients).await;
    portal.mails_when(&ann.email, 2).await;
    all_is_done(&portal).await;
    let path = format!("/v1/shares/{share}");
    portal.get(&path, &ann.who).await.expect(200);

    portal.pause_mail().await;
    put(&portal, &admin, &share, "new.txt", None).await;
    run(&portal, "recipients").await;
    portal.get(&path, &ann.who).await.expect(200);
    run(&portal, "company").await;
    let row = &portal.get("/v1/shares", &ann.who).await.expect(200)["items"][0];
    assert_eq!((&row["unread"], &row["file_count"]), (&json!(false), &json!(2)), "she has seen it");
    portal.stack.pause_mail(false);
    portal.mails_when(&ann.email, 3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(&ann.email).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_opens_while_others_write_into_its_row() {
    let busy = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&busy);
    let portal = Portal::open_with(|env| {
        env.endpoints.dynamodb = Some(before(env.endpoints.dynamodb.as_ref().unwrap(), move |_, pass_on| {
            let single = pass_on.is("UpdateItem") || pass_on.is("PutItem");
            let conflict =
                single && left.try_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
            async move {
                if !conflict {
                    return pass_on.send().await;
                }
                let error = json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                    "message": "Transaction is ongoing for the item",
                });
                (StatusCode::BAD_REQUEST, error.to_string()).into_response()
            }
        }));
    })
    .await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    // Once is tried again; for good, it stays unread until the next time.
    for (conflicts, unread) in [(1, false), (1_000, true)] {
        let share = portal.share(&admin, "Report", &[&ann.id]).await;
        all_is_done(&portal).await;
        portal.pause_mail().await;
        let who = portal.sign_in(&ann.email).await;
        busy.store(conflicts, Ordering::Relaxed);
        portal.get(&format!("/v1/shares/{share}"), &who).await.expect(200);
        busy.store(0, Ordering::Relaxed);
        let inbox = portal.get("/v1/shares", &who).await.expect(200);
        assert_eq!((&inbox["items"][0]["id"], &inbox["items"][0]["unread"]), (&json!(share), &json!(unread)));
        portal.stack.pause_mail(false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_a_share_is_opened_stays_unread() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let store = Store::new(&portal.stack.env);
    let of = InboxOf::Contact(ann.id.parse::<ContactId>().unwrap());
    let row = async || store.inbox_rows([(of, share.parse().unwrap())]).await.unwrap().pop().unwrap();
    let read = row().await;
    put(&portal, &admin, &share, "new.txt", None).await;
    portal.mails_when(&ann.email, 3).await;
    store.mark_read(&read).await.unwrap();
    assert!(row().await.unread, "the file came after what was read");
    portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200);
    assert!(!row().await.unread);
}

/// A share that has ended, of a company of many, in a portal that keeps such shares for a day.
async fn ended(portal: &Portal, admin: &Who) -> (String, Customer) {
    let body = Some(json!({ "retention_days": 1 }));
    portal.call(Method::PUT, "/v1/settings", admin, body).await.expect(200);
    let company = crowd(portal, admin).await;
    let zed = colleague(portal, admin, &company, "zed@crowd.example").await;
    let share = to_all(portal, admin, &company, "Secret report").await;
    titles_when(portal, &zed.who, 1).await;
    let ends = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_mins(1);
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, admin, json!({ "expires_at": ends.to_string() })).await.expect(200);
    all_is_done(portal).await;
    portal.pause_mail().await;
    portal.pass(Duration::from_hours(25)).await;
    portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    (share, zed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_erased_whole_although_the_address_that_it_came_by_has_moved_on() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = Some(json!({ "retention_days": 1 }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    let company = portal.company(&admin, "Harbour").await;
    let share = share_with(&portal, &admin, "Secret report", None, json!([{ "email": "bob@late.example" }])).await;
    let ann = portal.contact(&admin, &company, "bob@late.example").await;
    all_is_done(&portal).await;
    portal.pause_mail().await;
    let email = json!({ "email": "ann@harbour.example" });
    portal.patch(&format!("/v1/contacts/{ann}"), &admin, email).await.expect(200);
    portal.delete(&format!("/v1/shares/{share}"), &admin).await.expect(204);
    assert!(!items(&portal, &format!("INBOX#{ann}")).await.is_empty(), "her task waits");
    // Erasing comes first, and the change of address finds what is left of it.
    portal.pass(Duration::from_hours(25)).await;
    portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    while !tasks(&portal, "erase").await.is_empty() {
        run(&portal, "erase").await;
        portal.pass(Duration::from_secs(61)).await;
    }
    assert!(what_is_left(&portal, &share).await.is_empty(), "her task still waits");
    all_is_done(&portal).await;
    assert_eq!(what_tells_of(&portal, &share).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_of_an_ended_share_keeps_no_other_from_its_end() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let of_tomorrow = "shr_00000000000000000000000001";
    portal
        .put_item(json!({
            "pk": { "S": of_tomorrow }, "sk": { "S": "SHARE" }, "id": { "S": of_tomorrow }, "state": { "S": "archived" },
            "listed_pk": { "S": "ENDING" }, "listed_sk": { "S": format!("2020-01-01T00:00:00.000Z#{of_tomorrow}") },
        }))
        .await;
    let (share, _) = ended(&portal, &admin).await;
    portal.stack.pause_mail(false);
    for _ in 0..200 {
        let waits = items(&portal, "TASK#").await.iter().any(|task| task.to_string().contains(&share));
        if !waits && what_is_left(&portal, &share).await.is_empty() {
            break;
        }
        portal.pass(TASK_LEFT).await;
        sweep(&portal, "run-tasks").await;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(what_tells_of(&portal, &share).await, Vec::<Value>::new());
    assert_eq!(items(&portal, of_tomorrow).await.len(), 1, "a release that can read it will erase it");
}

/// A day later, besides the activity, ended links, and what requests were answered.
async fn what_tells_of(portal: &Portal, share: &str) -> Vec<Value> {
    portal.pass(Duration::from_hours(25)).await;
    let kept =
        |item: &Value| ["ACTIVITY#", "TOKEN#", "RESPONSE#"].iter().any(|kept| text(&item["pk"]["S"]).starts_with(kept));
    let all = items(portal, "").await.into_iter();
    all.filter(|item| !kept(item) && item.to_string().contains(share)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_being_erased_is_neither_extended_nor_added_to() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (share, _) = ended(&portal, &admin).await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    let path = format!("/v1/shares/{share}");
    // Its end may still be moved while nobody has begun.
    portal.get(&path, &admin).await.expect(200);
    half_way(&portal, "erase").await;
    let later = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_hours(720);
    let change = json!({ "expires_at": later.to_string() });
    portal.patch(&path, &admin, change).await.expect_problem(404, "not_found");
    let file = json!({ "name": "x.txt", "size": 1, "content_type": "text/plain" });
    portal.post(&format!("{path}/files"), &admin, file).await.expect_problem(404, "not_found");
    let recipient = json!({ "email": "x@elsewhere.example" });
    portal.post(&format!("{path}/recipients"), &admin, recipient).await.expect_problem(404, "not_found");
    portal.get(&path, &admin).await.expect_problem(404, "not_found");
    // A second run of retention does not begin anew what is under way.
    portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    assert_eq!(tasks(&portal, "erase").await.len(), 1);
    all_is_done(&portal).await;
    assert!(what_is_left(&portal, &share).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_whose_end_is_moved_before_it_is_erased_stays() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (share, zed) = ended(&portal, &admin).await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    let path = format!("/v1/shares/{share}");
    portal.patch(&path, &admin, json!({ "expires_at": null })).await.expect(200);
    all_is_done(&portal).await;
    portal.get(&path, &admin).await.expect(200);
    let zed = portal.sign_in(&zed.email).await;
    titles_when(&portal, &zed, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_share_leaves_nothing_wherever_that_stops() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (share, zed) = ended(&portal, &admin).await;
    // A company of its own that is taken away at the same time, and an address that somebody has had for a while.
    let (mut crashes, mut n) = (0, 0);
    while !what_is_left(&portal, &share).await.is_empty() {
        n += 1;
        portal.stack.meter.stop_after(1 + n * 3 % 45);
        crashes += usize::from(crash(&portal, "run-tasks", json!({ "sweep": true })).await);
        portal.pass(TASK_LEFT).await;
        assert!(n < 200, "{:#?}", items(&portal, "TASK#").await);
    }
    assert!(crashes > 3, "{crashes}");
    all_is_done(&portal).await;
    assert_eq!(what_tells_of(&portal, &share).await, Vec::<Value>::new());
    let zed = portal.sign_in(&zed.email).await;
    titles_when(&portal, &zed, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_share_leaves_nothing_with_whoever_is_renamed_meanwhile() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (share, zed) = ended(&portal, &admin).await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    let path = format!("/v1/contacts/{}", zed.id);
    let called = async |name: &str| {
        portal.patch(&path, &admin, json!({ "name": name })).await.expect(200);
    };
    // In each of its two runs, behind those that it has come to and then before them.
    for later in [Duration::ZERO, Duration::from_secs(61)] {
        portal.pass(later).await;
        called("Zz Last").await;
        half_way(&portal, "erase").await;
        called("Aa First").await;
        run(&portal, "erase").await;
    }
    assert!(tasks(&portal, "erase").await.is_empty());
    all_is_done(&portal).await;
    assert_eq!(what_tells_of(&portal, &share).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_own_share_is_kept_as_long_as_what_the_staff_have_answered_in_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = Some(json!({ "retention_days": 2 }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let file: [(&str, &str, &[u8]); 1] = [("claim.txt", "text/plain", b"claim")];
    let own = async |title: &str| {
        let share = portal.draft(&ann.who, title, &[], &file).await;
        send(&portal, &ann.who, &share).await;
        share
    };
    let ends = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_hours(1);
    let body = |title: &str| json!({ "title": title, "expires_at": ends.to_string(), "files": [{ "name": "a.txt", "size": 1, "content_type": "text/plain" }] });
    let _ = own("Kept for ever").await;
    let mut shares = Vec::new();
    for title in ["Answered", "Not answered"] {
        let share = portal.post("/v1/shares", &ann.who, body(title)).await.expect(201);
        portal.upload(&share["files"][0]["upload"], b"a").await;
        let id = text(&share["id"]);
        portal.complete(&ann.who, &id, &text(&share["files"][0]["id"])).await.expect(200);
        send(&portal, &ann.who, &id).await;
        shares.push(id);
    }
    let day = Duration::from_hours(24);
    let status = async |share: &str| {
        portal.stack.invoke("apply-retention", json!({})).await.unwrap();
        all_is_done(&portal).await;
        let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
        portal.get(&format!("/v1/shares/{share}"), &admin).await.status.as_u16()
    };
    portal.pass(day).await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    put(&portal, &admin, &shares[0], "answer.txt", None).await;
    portal.pass(day + day / 2).await;
    assert_eq!((status(&shares[0]).await, status(&shares[1]).await), (200, 404));
    portal.pass(day).await;
    assert_eq!(status(&shares[0]).await, 404);
}
