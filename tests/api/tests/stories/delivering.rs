//! The way of a mail, whatever happens on it: a crash between any two steps, records that come twice, a scanner that
//! reads it first, a reader who wants one a day.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatehouse::clock::SignedDuration;
use gatehouse::domain::{ContactId, DigestEntry, DigestSubject, InboxOf, InboxRow, JobId, RecipientId};
use gatehouse::store::{PendingDigest, Store};
use gatehouse_local::meter::Meter;
use gatehouse_tests::proxy::before;
use gatehouse_tests::{Customer, NOBODY, Portal, Who, a_share, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

const MAIL_RECORD: &str = include_str!("../../../../events/deliver-mail/outbox.json");
pub(crate) const TASK_RECORD: &str = include_str!("../../../../events/run-tasks/tasks.json");
/// A little longer than a deliverer has a mail to itself.
const CLAIM_OVER: Duration = Duration::from_secs(16);
/// A little longer than a task that does not move is left alone.
pub(crate) const TASK_LEFT: Duration = Duration::from_secs(31);

/// What the table holds under keys that begin so.
pub(crate) async fn items(portal: &Portal, beginning: &str) -> Vec<Value> {
    let everything: Value = serde_json::from_str(&portal.everything_in_the_table().await).unwrap();
    let items = everything["Items"].as_array().unwrap().iter();
    items.filter(|item| text(&item["pk"]["S"]).starts_with(beginning)).cloned().collect()
}

/// What the table holds of a share itself, and will not forget by itself.
pub(crate) async fn what_is_left(portal: &Portal, share: &str) -> Vec<Value> {
    items(portal, share).await.into_iter().filter(|item| item["ttl"].is_null()).collect()
}

/// The stream's records of what waits under such keys, each as `example` has it.
pub(crate) async fn records(portal: &Portal, beginning: &str, example: &str) -> Vec<Value> {
    let example: Value = serde_json::from_str(example).unwrap();
    let record = |(n, item): (usize, &Value)| {
        let mut record = example["Records"][0].clone();
        record["dynamodb"]["Keys"] = json!({ "pk": item["pk"], "sk": item["sk"] });
        record["dynamodb"]["SequenceNumber"] = json!(n.to_string());
        record
    };
    items(portal, beginning).await.iter().enumerate().map(record).collect()
}

async fn mails_waiting(portal: &Portal) -> Vec<Value> {
    records(portal, "OUTBOX#", MAIL_RECORD).await
}

/// Hands an event to a function and ends it where it stands still; whether it did, and did not come to its end.
pub(crate) async fn crash(portal: &Portal, function: &str, event: Value) -> bool {
    let meter = &portal.stack.meter;
    let mut work = pin!(portal.stack.invoke(function, event));
    let crashed = loop {
        if tokio::time::timeout(Duration::from_millis(200), &mut work).await.is_ok() {
            break false;
        }
        if meter.take().is_empty() {
            break true;
        }
    };
    meter.go_on();
    crashed
}

pub(crate) async fn sweep(portal: &Portal, function: &str) {
    portal.stack.invoke(function, json!({ "sweep": true })).await.unwrap();
}

async fn deliver(portal: &Portal, records: &[Value]) {
    let outcome = portal.stack.invoke("deliver-mail", json!({ "Records": records })).await.unwrap();
    assert_eq!(outcome["batchItemFailures"], json!([]));
}

/// Enters a contact and invites it.
async fn invite(portal: &Portal, staff: &Who, company: &str, email: &str) {
    let body = json!({ "name": "Ann", "email": email, "send_invite": true });
    portal.post(&format!("/v1/companies/{company}/contacts"), staff, body).await.expect(201);
}

/// A share with one small file, sent; its id.
pub(crate) async fn share_with(
    portal: &Portal,
    staff: &Who,
    title: &str,
    language: Option<&str>,
    recipients: Value,
) -> String {
    let file = json!({ "name": "note.txt", "size": 5, "content_type": "text/plain" });
    let draft = json!({ "title": title, "language": language, "recipients": recipients, "files": [file] });
    let share = portal.post("/v1/shares", staff, draft).await.expect(201);
    let (id, file) = (text(&share["id"]), &share["files"][0]);
    portal.upload(&file["upload"], b"hello").await;
    portal.complete(staff, &id, &text(&file["id"])).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{id}/send"), staff, None).await.expect(202);
    id
}

/// How many mails each address has got.
async fn counts(portal: &Portal) -> BTreeMap<String, usize> {
    let mails = portal.get("/_local/mail.json", &NOBODY).await.expect(200);
    let mut counts = BTreeMap::new();
    for mail in mails.as_array().unwrap() {
        *counts.entry(text(&mail["to"][0])).or_default() += 1;
    }
    counts
}

/// Whether the newest mail's link does what it is for.
async fn newest_link_works(portal: &Portal, mail: &Value, kind: &str) {
    let token = json!({ "token": token_in(&text(&mail["text"]), kind) });
    let path = if kind == "/open#" { "/v1/links/open" } else { "/v1/activations/check" };
    portal.post(path, &NOBODY, token).await.expect(200);
}

/// Ends `deliver-mail` before and after each of its calls to AWS, each time with a new mail.
async fn crash_at_every_step(kind: &str) {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    portal.pause_mail().await;
    let mut seen = BTreeSet::new();
    for sent_out in [false, true] {
        for n in 1.. {
            let email = format!("{sent_out}-{n}@harbour.example");
            if kind == "/open#" {
                share_with(&portal, &admin, "Report", None, json!([{ "email": email }])).await;
            } else {
                invite(&portal, &admin, &company, &email).await;
            }
            let records = mails_waiting(&portal).await;
            assert_eq!(records.len(), 1);
            let stop = if sent_out { Meter::stop_after } else { Meter::stop_at };
            stop(&portal.stack.meter, n);
            let crashed = crash(&portal, "deliver-mail", json!({ "Records": records })).await;

            let (sent, waiting) = (portal.mails(&email).await.len(), items(&portal, "OUTBOX#").await);
            seen.insert((sent, waiting.len()));
            // While whoever claimed it may still be at it, nobody else sends it.
            if waiting.iter().any(|mail| mail["claimed_until"].is_object()) {
                sweep(&portal, "deliver-mail").await;
                assert_eq!(portal.mails(&email).await.len(), sent, "{email}");
            }
            portal.pass(CLAIM_OVER).await;
            sweep(&portal, "deliver-mail").await;
            let mails = portal.mails(&email).await;
            assert_eq!(mails.len(), sent + waiting.len(), "{email}");
            newest_link_works(&portal, &mails[0], kind).await;
            assert!(mails_waiting(&portal).await.is_empty());
            if !crashed {
                assert!(n > 4, "a delivery takes more calls than {n}");
                break;
            }
        }
    }
    // How often it was sent, and whether it waits: never neither, and both only between SES and the note of it.
    assert_eq!(seen, [(0, 1), (1, 0), (1, 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_survives_a_crash_at_every_step_of_its_way() {
    crash_at_every_step("/activate#").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_mail_survives_a_crash_at_every_step_of_its_way() {
    crash_at_every_step("/open#").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_took_so_long_to_claim_that_another_may_have_it_is_not_sent() {
    let slow = Arc::new(AtomicBool::new(false));
    let each_call_takes_long = Arc::clone(&slow);
    let portal = Portal::open_with(|env| {
        let clock = env.clock.clone();
        env.endpoints.dynamodb = Some(before(env.endpoints.dynamodb.as_ref().unwrap(), move |_, pass_on| {
            let (clock, slow) = (clock.clone(), each_call_takes_long.load(Ordering::Relaxed));
            async move {
                let answer = pass_on.send().await;
                if slow {
                    clock.advance(SignedDuration::from_secs(14));
                }
                answer
            }
        }));
    })
    .await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    portal.pause_mail().await;
    invite(&portal, &admin, &company, "ann@harbour.example").await;
    let records = mails_waiting(&portal).await;
    slow.store(true, Ordering::Relaxed);
    let outcome = portal.stack.invoke("deliver-mail", json!({ "Records": records })).await.unwrap();
    assert_eq!(outcome["batchItemFailures"].as_array().unwrap().len(), 1);
    slow.store(false, Ordering::Relaxed);
    assert!(portal.mails("ann@harbour.example").await.is_empty());
    portal.pass(Duration::from_secs(20)).await;
    deliver(&portal, &records).await;
    assert_eq!(portal.mails("ann@harbour.example").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_come_twice_or_in_another_order_send_each_mail_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    portal.pause_mail().await;
    for at_once in [true, false] {
        let addresses: Vec<String> = (0..5).map(|n| format!("{at_once}-{n}@harbour.example")).collect();
        for address in &addresses {
            invite(&portal, &admin, &company, address).await;
        }
        let records = mails_waiting(&portal).await;
        assert_eq!(records.len(), addresses.len());
        let reversed: Vec<Value> = records.iter().rev().cloned().collect();
        let thrice: Vec<Value> = records.iter().flat_map(|record| vec![record.clone(); 3]).collect();
        let portal = &portal;
        let ways = (deliver(portal, &reversed), deliver(portal, &thrice), deliver(portal, &records));
        if at_once {
            tokio::join!(ways.0, ways.1, ways.2, sweep(portal, "deliver-mail"));
        } else {
            ways.0.await;
            ways.1.await;
            ways.2.await;
        }
        portal.pass(CLAIM_OVER).await;
        deliver(portal, &thrice).await;
        sweep(portal, "deliver-mail").await;
        for address in &addresses {
            let mails = portal.mails(address).await;
            assert_eq!(mails.len(), 1, "{address}");
            newest_link_works(portal, &mails[0], "/activate#").await;
        }
        assert!(mails_waiting(portal).await.is_empty());
    }
}

/// Every URL in a mail: in its text, its HTML and its headers.
fn urls(mail: &Value) -> BTreeSet<String> {
    let everything = format!("{} {} {}", text(&mail["text"]), text(&mail["html"]), mail["headers"]);
    let everything = everything.replace("&#x2f;", "/");
    let ends = |c: char| c.is_whitespace() || "\"'<>".contains(c);
    let urls = everything.split(ends).filter(|word| word.starts_with("http://"));
    urls.map(|url| url.trim_end_matches(['.', ',']).to_owned()).collect()
}

/// Goes through a mail as scanners do before anybody has read it.
async fn scan(portal: &Portal, mail: &Value) {
    for url in urls(mail) {
        let path = url.strip_prefix(&portal.stack.url).expect("all links lead to the portal");
        for method in [Method::GET, Method::HEAD, Method::POST] {
            portal.send(portal.request(method, path)).await;
        }
        if let Some((_, token)) = path.split_once('#') {
            portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await;
            portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await;
            portal.call(Method::POST, &format!("/v1/unsubscribe/{token}"), &NOBODY, None).await;
        }
    }
    if let Some(unsubscribe) = mail["headers"]["List-Unsubscribe"].as_str() {
        let path = unsubscribe.trim_matches(['<', '>']).strip_prefix(&portal.stack.url).unwrap();
        portal.call(Method::POST, path, &NOBODY, None).await.expect_invalid("List-Unsubscribe");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_scanner_that_follows_every_link_changes_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let recipients = json!([{ "contact_id": ann.id }, { "email": "gita@terminal.example" }]);
    let share = share_with(&portal, &admin, "Report", None, recipients).await;
    let company = portal.company(&admin, "Quay Ltd").await;
    invite(&portal, &admin, &company, "new@quay.example").await;
    let mut mails = Vec::new();
    for (address, count) in [(ann.email.as_str(), 2), ("gita@terminal.example", 1), ("new@quay.example", 1)] {
        mails.push(portal.mails_when(address, count).await[0].clone());
    }
    portal.pause_mail().await;
    let table = async || -> BTreeSet<String> {
        // That it was opened is said to the staff, as the activity says it.
        let apart =
            |item: &Value| ["ACTIVITY#", "SEEN#", "THROTTLE#"].iter().any(|pk| text(&item["pk"]["S"]).starts_with(pk));
        let items = items(&portal, "").await.into_iter().filter(|item| !apart(item));
        items.map(|item| item.to_string()).collect()
    };
    let activity = async || items(&portal, "ACTIVITY#").await;
    let (before, known) = (table().await, activity().await);
    for mail in &mails {
        assert!(urls(mail).iter().any(|url| url.contains('#')), "{mail:#}");
        scan(&portal, mail).await;
    }
    let after = table().await;
    let changed: Vec<&String> = before.symmetric_difference(&after).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    let new: Vec<Value> = activity().await.into_iter().filter(|item| !known.contains(item)).collect();
    assert!(!new.is_empty() && new.iter().all(|item| item["kind"]["S"] == "link_opened"), "{new:#?}");

    let inbox = portal.get("/v1/shares", &ann.who).await.expect(200);
    assert_eq!((&inbox["items"][0]["id"], &inbox["items"][0]["unread"]), (&json!(share), &json!(true)));
    let me = portal.get("/v1/me", &ann.who).await.expect(200);
    assert_eq!(me["notifications"]["email"], "each");
    let users = portal.get("/v1/users?access=invited", &admin).await.expect(200);
    assert_eq!(users["items"][0]["email"], "new@quay.example");
    portal.activate(&token_in(&text(&mails[2]["text"]), "/activate#")).await;
}

/// A customer that wants its notifications so.
pub(crate) async fn who_wants(portal: &Portal, admin: &Who, wish: &str) -> Customer {
    let customer = portal.customer(admin, &format!("{wish}@harbour.example")).await;
    let body = json!({ "notifications": { "email": wish } });
    portal.patch("/v1/me", &customer.who, body).await.expect(200);
    customer
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_one_mail_a_day_gets_one_of_what_is_new_and_none_when_nothing_is() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let daily = who_wants(&portal, &admin, "daily").await;
    let off = who_wants(&portal, &admin, "off").await;
    let each = who_wants(&portal, &admin, "each").await;
    let all = [daily.id.as_str(), &off.id, &each.id];
    let mut shares = Vec::new();
    for title in ["Anchor", "Bollard", "Capstan", "Opened"] {
        shares.push(portal.share(&admin, title, &all).await);
    }
    portal.mails_when(&each.email, 5).await;
    portal.get(&format!("/v1/shares/{}", shares[3]), &daily.who).await.expect(200);
    assert_eq!(portal.mails(&daily.email).await.len(), 1, "only the invitation");

    portal.pass(Duration::from_hours(24)).await;
    let digest = portal.mails_when(&daily.email, 2).await[0].clone();
    for place in ["text", "html"] {
        let words = text(&digest[place]);
        for title in ["Anchor", "Bollard", "Capstan"] {
            assert_eq!(words.matches(title).count(), 1, "{title}: {words}");
        }
        assert!(!words.contains("Opened"), "{words}");
    }
    assert!(digest["headers"]["List-Unsubscribe"].is_string());

    // A day on which nothing comes, and one on which something does.
    portal.pass(Duration::from_hours(24)).await;
    let nothing = portal.stack.invoke("send-digest", json!({})).await.unwrap();
    assert_eq!(nothing, json!({ "mails": 0 }));
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    portal.share(&admin, "Davit", &all).await;
    portal.mails_when(&each.email, 6).await;
    portal.pass(Duration::from_hours(24)).await;
    let mails = portal.mails_when(&daily.email, 3).await;
    let words = text(&mails[0]["text"]);
    assert!(words.contains("Davit") && !words.contains("Anchor"), "{words}");
    let counts = counts(&portal).await;
    assert_eq!([counts[&daily.email], counts[&off.email], counts[&each.email]], [3, 1, 6]);
}

/// Shares in a contact's inbox that wait for its daily mail: `Report 000` and so on.
async fn lay_digest_lines(portal: &Portal, store: &Store, contact: ContactId, count: i64) {
    for some in (0..count).collect::<Vec<i64>>().chunks(30) {
        let mut transaction = store.transaction();
        for n in some {
            let at = portal.stack.clock.now() + SignedDuration::from_millis(*n);
            let share = a_share(&format!("Report {n:03}"), None, 5, at);
            let row = InboxRow::new(&share, InboxOf::Contact(contact), Some(RecipientId::Contact(contact)), at);
            // Each has got another title since it was sent.
            let (about, from) = (DigestSubject::Share(share.id), Some(share.from.clone()));
            let entry = DigestEntry { about, title: "Draft".parse().unwrap(), from };
            let waiting = PendingDigest { contact, entry, since: at };
            transaction = transaction.create(&share).create(&row).digest(&waiting);
        }
        transaction.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_mail_is_written_from_the_table_as_it_is_for_what_it_reads_is_ended_for_good() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let daily = who_wants(&portal, &admin, "daily").await;
    let (store, contact) = (Store::new(&portal.stack.env), daily.id.parse().unwrap());
    portal.pause_mail().await;
    lay_digest_lines(&portal, &store, contact, 2).await;
    let now = portal.stack.clock.now();
    let entry = DigestEntry { about: DigestSubject::Job(JobId::new(now)), title: "Gone".parse().unwrap(), from: None };
    let gone = PendingDigest { contact, entry, since: now };
    store.transaction().digest(&gone).commit().await.unwrap();

    let _ = portal.stack.meter.take();
    assert_eq!(portal.stack.invoke("send-digest", json!({})).await.unwrap(), json!({ "mails": 1 }));
    let calls = portal.stack.meter.take();
    // The lines of each of four partitions; the contact; its rows, the shares and the jobs.
    for (operation, count) in [("Query", 4), ("GetItem", 1), ("BatchGetItem", 3)] {
        assert_eq!(calls.iter().filter(|call| call.operation == operation).count(), count, "{operation}: {calls:#?}");
    }
    let behind: Vec<_> = calls.iter().filter(|call| !call.consistent).collect();
    assert!(behind.is_empty(), "what a replica does not have yet is never told: {behind:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_many_shares_is_still_one_mail_and_two_schedules_at_once_write_it_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let daily = who_wants(&portal, &admin, "daily").await;
    let (store, contact) = (Store::new(&portal.stack.env), daily.id.parse().unwrap());
    lay_digest_lines(&portal, &store, contact, 150).await;
    let digest = || portal.stack.invoke("send-digest", json!({}));
    // Whoever comes second finds nothing, or finds it taken and is called again.
    let (one, other) = tokio::join!(digest(), digest());
    assert!(one.is_ok() || other.is_ok());
    digest().await.unwrap();
    let mails = portal.mails_when(&daily.email, 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(&daily.email).await.len(), 2);
    let words = text(&mails[0]["text"]);
    for n in 0..150 {
        assert!(words.contains(&format!("Report {n:03}")), "{n}: {words}");
    }
    assert!(!words.contains("Draft"));
    assert!(items(&portal, "DIGEST#").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_mail_that_is_too_long_for_one_transaction_survives_a_crash_at_every_step_and_tells_each_share_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let daily = who_wants(&portal, &admin, "daily").await;
    let (store, contact) = (Store::new(&portal.stack.env), daily.id.parse().unwrap());
    let mut mails = 1;
    for n in 1.. {
        portal.pause_mail().await;
        lay_digest_lines(&portal, &store, contact, 120).await;
        portal.stack.meter.stop_after(n);
        let crashed = crash(&portal, "send-digest", json!({})).await;
        portal.stack.invoke("send-digest", json!({})).await.unwrap();
        assert!(items(&portal, "DIGEST#").await.is_empty());
        portal.stack.pause_mail(false);
        mails += 1;
        let all = portal.mails_when(&daily.email, mails).await;
        let words = text(&all[0]["text"]);
        for line in 0..120 {
            assert_eq!(words.matches(&format!("Report {line:03}")).count(), 1, "{line}: {words}");
        }
        assert_eq!(all.len(), mails, "after {n} calls");
        if !crashed {
            break;
        }
        assert!(n < 30);
    }
    assert!(mails > 6, "a mail of so many takes more calls than {mails}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_be_read_holds_up_no_daily_mail() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let daily = who_wants(&portal, &admin, "daily").await;
    let (store, contact) = (Store::new(&portal.stack.env), daily.id.parse().unwrap());
    for shard in 0..4 {
        portal.put_item(json!({ "pk": { "S": format!("DIGEST#{shard}") }, "sk": { "S": "con_!" } })).await;
        portal.put_item(json!({ "pk": { "S": format!("TASK#{shard}") }, "sk": { "S": "tsk_!" } })).await;
        let unknown = json!({
            "pk": { "S": format!("TASK#{shard}") }, "sk": { "S": "tsk_00000000000000000000000000" },
            "id": { "S": "tsk_00000000000000000000000000" }, "task": { "S": "of_tomorrow" },
            "moved_at": { "S": "2020-01-01T00:00:00Z" },
        });
        portal.put_item(unknown).await;
    }
    lay_digest_lines(&portal, &store, contact, 1).await;
    let sent = portal.stack.invoke("send-digest", json!({})).await.unwrap();
    assert_eq!(sent, json!({ "mails": 1 }));
    // Nor does a task that a later release has left behind hold up the others.
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.pause_mail().await;
    let share = share_with(&portal, &admin, "To all", None, json!([{ "company_id": ann.company }])).await;
    portal.pass(TASK_LEFT).await;
    sweep(&portal, "run-tasks").await;
    portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_mails_in_its_own_language_and_in_that_of_a_share_that_has_one() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    // Nobody has written mails in the last one.
    let languages = [
        ("en", "activate your portal account", "shared \"Own\" with you"),
        ("de", "Aktivieren Sie Ihr Portalkonto", "hat „Own“ mit Ihnen geteilt"),
        ("fr", "activez votre compte sur le portail", "a partagé « Own » avec vous"),
        ("nl", "activeer uw portaalaccount", "heeft “Own” met u gedeeld"),
        ("es", "active su cuenta del portal", "ha compartido «Own» con usted"),
        ("pt-BR", "activate your portal account", "shared \"Own\" with you"),
    ];
    let email = |language: &str| format!("{language}@harbour.example").to_lowercase();
    let mut all = Vec::new();
    for (language, ..) in languages {
        let body = json!({ "name": "Ann", "email": email(language), "language": language, "send_invite": true });
        let contact = portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
        all.push(json!({ "contact_id": contact["id"] }));
    }
    all.push(json!({ "email": "bare@terminal.example" }));
    let newest = async |to: &str, count: usize| -> (String, String) {
        let mail = portal.mails_when(to, count).await.swap_remove(0);
        (text(&mail["subject"]).replace('\u{a0}', " "), text(&mail["html"]))
    };
    for (language, invitation, _) in languages {
        let (subject, html) = newest(&email(language), 1).await;
        assert!(subject.ends_with(invitation), "{language}: {subject}");
        let tag = if language == "pt-BR" { "en" } else { language };
        assert!(html.contains(&format!("<html lang=\"{tag}\">")), "{language}: {html}");
    }
    share_with(&portal, &admin, "Own", None, json!(all)).await;
    for (language, _, share) in languages {
        let (subject, _) = newest(&email(language), 2).await;
        assert!(subject.ends_with(share), "{language}: {subject}");
    }
    assert!(newest("bare@terminal.example", 1).await.0.ends_with("shared \"Own\" with you"));
    share_with(&portal, &admin, "Own", Some("nl"), json!(all)).await;
    for (language, ..) in languages {
        let (subject, _) = newest(&email(language), 3).await;
        assert!(subject.ends_with("heeft “Own” met u gedeeld"), "{language}: {subject}");
    }
    assert!(newest("bare@terminal.example", 2).await.0.ends_with("heeft “Own” met u gedeeld"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_with_many_that_stops_half_way_reaches_everybody_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let addresses: Vec<String> = (0..60).map(|n| format!("p{n}@terminal.example")).collect();
    let recipients: Vec<Value> = addresses.iter().map(|email| json!({ "email": email })).collect();
    portal.pause_mail().await;
    share_with(&portal, &admin, "Report", None, json!(recipients)).await;
    let task = records(&portal, "TASK#", TASK_RECORD).await;
    assert_eq!((task.len(), mails_waiting(&portal).await.len()), (1, 0));

    // From the record, and once it has been left alone for a while, by the sweep. The last of these stops are just
    // before, in and behind the transaction of a chunk; the very last lets it end.
    let (meter, mut seen) = (&portal.stack.meter, BTreeSet::new());
    let mut crashes = 0;
    for n in [1, 3, 5, 6, 7, 8] {
        meter.stop_at(n);
        crashes += usize::from(crash(&portal, "run-tasks", json!({ "Records": task })).await);
        seen.insert(mails_waiting(&portal).await.len());
        portal.pass(TASK_LEFT).await;
        meter.stop_after(n);
        crashes += usize::from(crash(&portal, "run-tasks", json!({ "sweep": true })).await);
        seen.insert(mails_waiting(&portal).await.len());
    }
    assert!(crashes >= 8, "{crashes}");
    assert_eq!(seen, [0, 30, 60].into(), "mails after a crash");
    portal.pass(TASK_LEFT).await;
    sweep(&portal, "run-tasks").await;
    assert!(items(&portal, "TASK#").await.is_empty());
    let mails = mails_waiting(&portal).await;
    assert_eq!(mails.len(), addresses.len());

    meter.stop_at(100);
    assert!(crash(&portal, "deliver-mail", json!({ "Records": mails })).await);
    let sent = counts(&portal).await;
    let waiting: Vec<String> = items(&portal, "OUTBOX#").await.iter().map(|mail| text(&mail["to"]["S"])).collect();
    assert!((1..60).contains(&waiting.len()), "{waiting:?}");
    portal.pass(CLAIM_OVER).await;
    sweep(&portal, "deliver-mail").await;
    let counts = counts(&portal).await;
    let count = |counts: &BTreeMap<String, usize>, email: &String| counts.get(email).copied().unwrap_or_default();
    for email in &addresses {
        // One at most was with SES and not yet noted as sent.
        assert_eq!(count(&counts, email), count(&sent, email) + usize::from(waiting.contains(email)), "{email}");
    }
    assert!(addresses.iter().map(|email| count(&counts, email)).sum::<usize>() <= addresses.len() + 1);
    assert!(items(&portal, "OUTBOX#").await.is_empty());
}
