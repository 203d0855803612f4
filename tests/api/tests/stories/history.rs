//! Who did what: all of it, however much there is, for people and for spreadsheets.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gatehouse::clock::{SignedDuration, Timestamp};
use gatehouse::domain::{Activity, ActivityKind, Actor, FileId, ShareFile, ShareId};
use gatehouse::store::{CommitError, Store, Transaction};
use gatehouse_tests::{ADMIN, Portal, Reply, Who, text};
use reqwest::Method;
use serde_json::json;

/// Lays records into the table, many in a transaction.
async fn record(portal: &Portal, records: &[Activity]) {
    let store = Store::new(&portal.stack.env);
    for hundred in records.chunks(100) {
        hundred.iter().fold(store.transaction(), Transaction::activity).commit().await.unwrap();
    }
}

async fn export(portal: &Portal, who: &Who, path: &str) -> Reply {
    let request = portal.request(Method::GET, path).header("accept", "text/csv");
    portal.send(who.0.iter().fold(request, reqwest::RequestBuilder::bearer_auth)).await
}

/// All parts of an export: their texts.
async fn all_parts(portal: &Portal, who: &Who, path: &str) -> Vec<String> {
    let (mut path, mut parts) = (path.to_owned(), Vec::new());
    loop {
        let reply = export(portal, who, &path).await;
        let next = reply.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
        assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8", "{:#}", reply.body);
        parts.push(text(&reply.expect(200)));
        let Some(next) = next else { return parts };
        next.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().clone_into(&mut path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_opens_in_a_spreadsheet_and_says_who_what_and_which() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = json!({ "name": "=cmd|' /C calc'!A0" });
    let company = text(&portal.post("/v1/companies", &admin, company).await.expect(201)["id"]);
    let body = json!({ "name": "Zoë;=1+1", "email": "zoe@harbour.example" });
    let contact = portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
    let contact = text(&contact["id"]);
    let share = portal.draft(&admin, "Été \"6\", 漢字", &[&contact], &[("+Plan.txt", "text/plain", b"a")]).await;
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin, None).await.expect(202);
    let csv = all_parts(&portal, &admin, "/v1/activity").await.concat();

    assert!(csv.starts_with("\u{feff}\"at\",\"kind\",\"actor_id\",\"actor_name\",\"company_id\",\"company_name\","));
    assert!(csv.ends_with("\"\r\n"));
    let sent = csv.split("\r\n").find(|line| line.contains("\"share_sent\"")).unwrap();
    assert!(
        sent.contains("\"Été \"\"6\"\", 漢字\"") && sent.contains("\"'+Plan.txt\"") && sent.contains("\"First Admin\"")
    );
    let created = csv.split("\r\n").find(|line| line.contains("\"contact_created\"")).unwrap();
    assert!(created.contains("\"Zoë;'=1+1\"") && created.contains("\"'=cmd|' /C calc'!A0\""), "{created}");
    for line in csv.trim_start_matches('\u{feff}').split("\r\n").filter(|line| !line.is_empty()) {
        assert!(line.starts_with('"') && line.ends_with('"') && line.matches("\",\"").count() == 16, "{line}");
    }
    // Whatever a client weighs most is what it gets.
    let accept = async |accept: &str| {
        let request = portal.request(Method::GET, "/v1/activity").header("accept", accept);
        let reply = portal.send(request.bearer_auth(admin.0.as_ref().unwrap())).await;
        reply.headers["content-type"].to_str().unwrap().to_owned()
    };
    assert_eq!(accept("text/csv;q=0, */*").await, "application/json");
    assert_eq!(accept("text/csv;q=0.1, application/json;q=0.2").await, "application/json");
    assert_eq!(accept("application/json;q=0.1, text/csv").await, "text/csv; charset=utf-8");
    export(&portal, &admin, "/v1/activity?limit=5").await.expect_invalid("limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_row_once_and_each_part_fits_into_an_answer() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.stop_the_stream().await;
    let now = portal.stack.clock.now();
    let actor = || Actor { id: None, name: "Somebody".parse().ok() };
    let share = ShareId::new(now);
    let of = |n: i64, kind| Activity::new(kind, actor(), now - SignedDuration::from_secs(n));
    let files = |n: i64| (0..1_000).map(move |_| FileId::new(now - SignedDuration::from_secs(n)));
    let mut records: Vec<Activity> = (0..6_000).map(|n| of(n, ActivityKind::LinkOpened).share(share)).collect();
    record(&portal, &records).await;
    let large: Vec<Activity> =
        (0..200).map(|n| of(n, ActivityKind::FilesDownloaded).share(share).files(files(n))).collect();
    for ten in large.chunks(10) {
        record(&portal, ten).await;
    }
    records.extend(large);

    let parts = all_parts(&portal, &admin, &format!("/v1/activity?share_id={share}")).await;
    assert!(parts.len() > 2, "{} parts", parts.len());
    let mut rows = 0;
    for part in &parts {
        // As it goes through Lambda: a text in JSON.
        assert!(serde_json::to_string(part).unwrap().len() < 5_500_000);
        rows += part.split("\r\n").count() - 2;
    }
    assert_eq!(rows, records.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rare_kind_is_found_page_by_page_however_much_lies_between() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.stop_the_stream().await;
    let now = portal.stack.clock.now();
    let of = |n: i64| {
        let kind = if n % 6_000 == 5_999 { ActivityKind::SettingsChanged } else { ActivityKind::LinkOpened };
        Activity::new(kind, Actor::system(), now - SignedDuration::from_secs(n))
    };
    record(&portal, &(0..12_500).map(of).collect::<Vec<_>>()).await;
    let (mut path, mut found, mut pages) = ("/v1/activity?kind=settings_changed".to_owned(), 0, 0);
    loop {
        let began = Instant::now();
        let page = portal.get(&path, &admin).await.expect(200);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        found += page["items"].as_array().unwrap().len();
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/activity?kind=settings_changed&cursor={next}");
    }
    assert_eq!(found, 2);
    assert!((2..10).contains(&pages), "{pages} pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_goes_back_to_its_beginning() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.company(&admin, "Harbour").await;
    let settings = json!({ "activity_months": 120 });
    portal.call(Method::PUT, "/v1/settings", &admin, Some(settings)).await.expect(200);
    let first = portal.get("/v1/activity", &admin).await.expect(200)["items"].as_array().unwrap().len();
    portal.pass(Duration::from_hours(24 * 365 * 9)).await;
    let admin = portal.sign_in(ADMIN).await;
    let (mut path, mut kinds, mut ids) = ("/v1/activity?limit=2".to_owned(), Vec::new(), BTreeSet::new());
    loop {
        let page = portal.get(&path, &admin).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            kinds.push(text(&item["kind"]));
            assert!(ids.insert(text(&item["id"])));
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/activity?limit=2&cursor={next}");
    }
    assert_eq!(kinds.len(), first + 1, "{kinds:?}");
    assert!(kinds.contains(&"company_created".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_is_kept_so_many_months_as_the_settings_say_and_the_rest_goes_by_itself() {
    let portal = Portal::open().await;
    let mut admin = portal.admin().await;
    let settings = portal.get("/v1/settings", &admin).await.expect(200);
    assert_eq!(settings["activity_months"], 25);
    for refused in [json!(2), json!(121), json!("for ever")] {
        let body = json!({ "activity_months": refused });
        portal.call(Method::PUT, "/v1/settings", &admin, Some(body)).await.expect_invalid("activity_months");
    }
    portal.company(&admin, "Harbour").await;
    let companies = async |admin: &Who| {
        let page = portal.get("/v1/activity?kind=company_created", admin).await.expect(200);
        page["items"].as_array().unwrap().len()
    };
    let month = Duration::from_hours(24 * 31);
    let forgotten = async || portal.stack.invoke("apply-retention", json!({})).await.unwrap()["activity"].clone();
    for months in [1, 23] {
        portal.pass(month * months).await;
        forgotten().await;
        admin = portal.sign_in(ADMIN).await;
        assert_eq!(companies(&admin).await, 1, "25 months are not over");
    }
    portal.company(&admin, "Quay").await;
    portal.pass(month * 2).await;
    assert!(forgotten().await.as_u64() >= Some(1));
    assert_eq!(forgotten().await, 0);
    admin = portal.sign_in(ADMIN).await;
    assert_eq!(companies(&admin).await, 1, "Harbour is forgotten, Quay is not");

    let settings = json!({ "activity_months": 3 });
    portal.call(Method::PUT, "/v1/settings", &admin, Some(settings)).await.expect(200);
    portal.pass(month * 3).await;
    forgotten().await;
    admin = portal.sign_in(ADMIN).await;
    assert_eq!(companies(&admin).await, 0, "a shorter time counts for what was recorded before");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_is_never_written_over() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let store = Store::new(&portal.stack.env);
    let now = portal.stack.clock.now();
    let first = Activity::new(ActivityKind::SignedIn, Actor::system(), now);
    let other = Activity { kind: ActivityKind::SignedOut, ..first.clone() };
    let recorded = async || {
        let page = portal.get("/v1/activity", &admin).await.expect(200);
        let kinds = page["items"].as_array().unwrap().iter().filter(|item| item["id"] == first.id.to_string());
        kinds.map(|item| text(&item["kind"])).collect::<Vec<_>>()
    };
    // By itself, as a download is: who repeats it is told that it is done.
    store.note(&first).await.unwrap();
    store.note(&other).await.unwrap();
    assert_eq!(recorded().await, ["signed_in"]);
    // With what it records, which is not done either.
    let team = store.team().await.unwrap().unwrap();
    let both = store.transaction().save(team.rev, &team.record).activity(&other).commit().await;
    assert!(matches!(both, Err(CommitError::Conflict)), "{both:?}");
    assert_eq!(store.team().await.unwrap().unwrap().rev, team.rev);
    assert_eq!(recorded().await, ["signed_in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_staff_keys_and_settings_says_to_whom_and_what_is_other_now() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "Mia Roe", "email": "mia@northgate.example", "roles": ["member"] });
    let mia = text(&portal.post("/v1/staff", &admin, body).await.expect(201)["id"]);
    let path = format!("/v1/staff/{mia}");
    let roles = json!({ "roles": ["viewer", "mapper"] });
    portal.call(Method::PATCH, &path, &admin, Some(roles)).await.expect(200);
    let duty = json!({ "on_duty": true });
    portal.call(Method::PUT, &format!("{path}/duty"), &admin, Some(duty)).await.expect(200);
    portal.call(Method::DELETE, &path, &admin, None).await.expect(204);
    let body = json!({ "name": "ERP", "scopes": ["customers:read"] });
    let key = text(&portal.post("/v1/api-keys", &admin, body).await.expect(201)["id"]);
    portal.call(Method::DELETE, &format!("/v1/api-keys/{key}"), &admin, None).await.expect(204);
    let settings = json!({ "operator_name": "Southgate", "retention_days": 30, "time_zone": "UTC" });
    portal.call(Method::PUT, "/v1/settings", &admin, Some(settings)).await.expect(200);

    let items = portal.get("/v1/activity?limit=7", &admin).await.expect(200)["items"].clone();
    let told: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|item| json!([item["kind"], item["target_id"], item["changed"]]))
        .collect();
    let change = |field: &str, before: &str, after: &str| {
        let mut change = json!({ "field": field });
        for (name, value) in [("before", before), ("after", after)] {
            if !value.is_empty() {
                change[name] = json!(value);
            }
        }
        change
    };
    let settings = ["operator_name", "time_zone", "retention_days"].map(|field| change(field, "", ""));
    assert_eq!(
        told,
        [
            json!(["staff_created", mia, [change("roles", "", "member")]]),
            json!(["staff_changed", mia, [change("roles", "member", "mapper viewer")]]),
            json!(["staff_changed", mia, [change("on_duty", "false", "true")]]),
            json!(["staff_removed", mia, [change("roles", "mapper viewer", ""), change("on_duty", "true", "false")]]),
            json!(["key_created", key, [change("scopes", "", "customers:read")]]),
            json!(["key_revoked", key, []]),
            json!(["settings_changed", null, settings]),
        ]
    );
    let csv = all_parts(&portal, &admin, "/v1/activity?kind=staff_changed").await.concat();
    assert!(csv.contains("\"roles: member > mapper viewer\""), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_used_for_what_it_is_not_good_for_is_recorded_once_an_hour() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "ERP", "scopes": ["activity:read"] });
    let made = portal.post("/v1/api-keys", &admin, body).await.expect(201);
    let key = Who(Some(text(&made["key"])));
    let refusals = async || {
        let page = portal.get("/v1/activity?kind=key_refused", &admin).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|item| item["actor_id"] == made["id"] && item["target_id"] == made["id"]));
        items.len()
    };
    portal.get("/v1/activity", &key).await.expect(200);
    assert_eq!(refusals().await, 0);
    let ask = || portal.get("/v1/companies", &key);
    for refused in <[Reply; 4]>::from(tokio::join!(ask(), ask(), ask(), ask())) {
        refused.expect_problem(403, "forbidden");
    }
    assert_eq!(refusals().await, 1);
    portal.call(Method::DELETE, &format!("/v1/api-keys/{}", text(&made["id"])), &admin, None).await.expect(204);
    portal.get("/v1/activity", &key).await.expect_problem(401, "sign_in_required");
    assert_eq!(refusals().await, 1);
    portal.pass(Duration::from_mins(61)).await;
    portal.get("/v1/activity", &key).await.expect_problem(401, "sign_in_required");
    assert_eq!(refusals().await, 2);
    portal.pass(Duration::from_mins(61)).await;
    portal.get("/v1/shares", &key).await.expect_problem(401, "sign_in_required");
    assert_eq!(refusals().await, 3);
    // A key that never was is nobody's.
    let forged = Who(Some(format!("ghk_{}", gatehouse::domain::Token::random().reveal())));
    portal.get("/v1/activity", &forged).await.expect_problem(401, "sign_in_required");
    assert_eq!(refusals().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_users_ends_its_page_after_so_many_companies() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let mut last = String::new();
    for n in 0..130 {
        last = portal.company(&admin, &format!("{n:03} Gmbh")).await;
    }
    let contact = portal.contact(&admin, &last, "ann@harbour.example").await;
    let (mut path, mut found, mut pages) = ("/v1/users?q=gmbh".to_owned(), Vec::new(), 0);
    loop {
        let page = portal.get(&path, &admin).await.expect(200);
        found.extend(page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/users?q=gmbh&cursor={next}");
    }
    assert_eq!((found, pages), (vec![contact], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_of_a_thousand_long_names_come_in_answers_that_fit() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let shown = portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200);
    let store = Store::new(&portal.stack.env);
    let (id, now): (ShareId, Timestamp) = (share.parse().unwrap(), portal.stack.clock.now());
    let file = store.file(id, text(&shown["files"][0]["id"]).parse().unwrap()).await.unwrap().unwrap().record;
    for hundred in (0..1_000).collect::<Vec<_>>().chunks(50) {
        let files: Vec<ShareFile> = hundred
            .iter()
            .map(|n| {
                let id = FileId::new(now);
                let name = format!("{n:04}{}.txt", "漢".repeat(75)).parse().unwrap();
                ShareFile { id, series: id, name, ..file.clone() }
            })
            .collect();
        files.iter().fold(store.transaction(), Transaction::create).commit().await.unwrap();
    }
    let path = format!("/v1/shares/{share}/downloads");
    for who in [&ann.who, &admin] {
        let (mut wanted, mut given, mut answers) = (json!({}), BTreeSet::new(), 0);
        loop {
            let answer = portal.post(&path, who, wanted).await.expect(200);
            assert!(serde_json::to_string(&answer.to_string()).unwrap().len() < 5_500_000);
            given.extend(answer["items"].as_array().unwrap().iter().map(|item| text(&item["id"])));
            answers += 1;
            if answer["remaining"].as_array().unwrap().is_empty() {
                break;
            }
            wanted = json!({ "files": answer["remaining"] });
        }
        assert_eq!(given.len(), 1_001, "in {answers} answers");
    }
    // There may be no more of them, and whoever adds one is told so; at once there may be fifty.
    let one = json!({ "name": "one more.txt", "size": 1 });
    let refused = portal.post(&format!("/v1/shares/{share}/files"), &admin, one.clone()).await;
    assert!(text(&refused.expect_problem(422, "invalid_fields")["detail"]).contains("more than 1000 files"));
    let body = json!({ "title": "Many", "files": vec![one; 51] });
    let refused = portal.post("/v1/shares", &admin, body).await;
    assert!(text(&refused.expect_problem(422, "invalid_fields")["detail"]).contains("at most 50 at once"));
}
