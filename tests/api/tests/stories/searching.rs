//! What is there is found by its own name, however that is written; and what is gone is found by nothing.

use gatehouse::domain::{InboxOf, IndexedRow, RecipientId, ShareFile, ShareWords};
use gatehouse::store::Store;
use gatehouse_local::meter::Cost;
use gatehouse_tests::{NOBODY, Portal, Who, a_share, text};
use reqwest::Method;
use serde_json::{Value, json};

async fn found(portal: &Portal, path: &str, who: &Who, name: &str, q: &str) -> Vec<String> {
    let request = portal.request(Method::GET, path).query(&[("q", q)]).bearer_auth(who.0.clone().unwrap());
    let page = portal.send(request).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| text(&item[name])).collect()
}

/// Makes a share with such files, and sends it.
async fn send(
    portal: &Portal,
    staff: &Who,
    title: &str,
    reference: Option<&str>,
    files: &[&str],
    to: &Value,
) -> String {
    let files: Vec<Value> =
        files.iter().map(|name| json!({ "name": name, "size": 1, "content_type": "text/plain" })).collect();
    let body = json!({ "title": title, "reference": reference, "recipients": to, "files": files });
    let created = portal.post("/v1/shares", staff, body).await.expect(201);
    let share = text(&created["id"]);
    for file in created["files"].as_array().unwrap() {
        portal.upload(&file["upload"], b"x").await;
        portal.complete(staff, &share, &text(&file["id"])).await.expect(200);
    }
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), staff, None).await.expect(202);
    share
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_companies_are_found_by_their_own_name_as_it_is_written() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let names = [
        "O'Brien & Sons",
        "Müller+Söhne GmbH",
        "A.P. Møller-Mærsk A/S",
        "C++ Devs #1",
        "4/5 Logistics",
        "\"Ost\" (West)",
        "24/7",
        "Łódź Śródmieście",
        "Li",
        "X",
        "3M",
        "東京港湾株式会社",
        "บริษัทกรุงเทพจำกัด",
        "Αθήνα ΑΕ",
        "Транс-Ойл",
        "ΣΊΣΥΦΟΣ",
        "Straße & Weg",
        "مـيناء",
        "한국해운",
        "Ｆｕｌｌ　Ｗｉｄｔｈ",
    ];
    for (n, name) in names.iter().enumerate() {
        let body =
            json!({ "name": name, "reference": format!("K {n}-77/A"), "domains": [format!("umläut{n}.example")] });
        let company = portal.post("/v1/companies", &admin, body).await.expect(201);
        let path = format!("/v1/companies/{}/contacts", text(&company["id"]));
        let contact = json!({ "name": format!("{name} Jr."), "email": format!("first.last{n}@sub.d{n}.example") });
        portal.post(&path, &admin, contact).await.expect(201);
    }
    for (n, name) in names.iter().enumerate() {
        for written in [name.to_string(), name.to_uppercase(), name.to_lowercase()] {
            let companies = found(&portal, "/v1/companies", &admin, "name", &written).await;
            assert!(
                companies.iter().any(|one| one == &text(&json!(name)) || one.contains("Full")),
                "{written}: {companies:?}"
            );
            let users = found(&portal, "/v1/users", &admin, "name", &format!("{written} jr")).await;
            assert!(!users.is_empty(), "{written} Jr.");
        }
        for part in [format!("K {n}-77/A"), format!("k {n} 77"), format!("umläut{n}.example"), format!("UMLÄUT{n}")] {
            let companies = found(&portal, "/v1/companies", &admin, "reference", &part).await;
            assert!(companies.contains(&format!("K {n}-77/A")), "{part}: {companies:?}");
        }
        for part in [format!("first.last{n}@sub.d{n}.example"), format!("sub.d{n}.example"), format!("d{n}.example")] {
            assert!(!found(&portal, "/v1/users", &admin, "name", &part).await.is_empty(), "{part}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_photos_of_a_share_are_found_by_any_four_digits_of_their_containers() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let names: Vec<String> =
        (0..30).map(|n| format!("MSKU {}-{} damage {n}.txt", 482_913 + 7919 * n, n % 10)).collect();
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    let to = json!([{ "contact_id": ann.id }]);
    send(&portal, &admin, "Thirty containers", Some("VOY 17/A"), &files, &to).await;
    send(&portal, &admin, "Another", None, &["a.txt"], &to).await;
    for (n, _) in (0_i32..).zip(&names) {
        let whole = format!("{}{}", 482_913 + 7919 * n, n % 10);
        for part in
            [&whole, &whole[1..5], &whole[3..], &format!("MSKU{whole}"), &format!("{}-{}", &whole[..4], &whole[4..])]
        {
            for who in [&ann.who, &admin] {
                assert_eq!(found(&portal, "/v1/shares", who, "title", part).await, ["Thirty containers"], "{part}");
            }
        }
    }
    for part in ["voy 17", "17/A", "VOY 17/A", "voy-17", "voy17"] {
        assert_eq!(found(&portal, "/v1/shares", &ann.who, "title", part).await, ["Thirty containers"], "{part}");
    }
    assert_eq!(found(&portal, "/v1/shares", &ann.who, "title", "99999").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_leaves_no_words_behind() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = text(&portal.post("/v1/companies", &admin, json!({ "name": "Harbour" })).await.expect(201)["id"]);
    let mut people = Vec::new();
    for n in 0..40 {
        people.push(portal.contact(&admin, &company, &format!("p{n}@harbour.example")).await);
    }
    let share = send(&portal, &admin, "Zanzibar one", None, &["quagga.txt"], &json!([{ "company_id": company }])).await;
    // It is changed again and again while it is still being told to everyone.
    for n in 0..12 {
        let title = json!({ "title": format!("Zanzibar {n} {}", "xyz".repeat(n + 1)) });
        portal.patch(&format!("/v1/shares/{share}"), &admin, title).await.expect(200);
    }
    portal.delete(&format!("/v1/shares/{share}/recipients/{company}"), &admin).await.expect(204);
    portal.tasks_are_done().await;
    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    let left = |everything: &str, of: &str| everything.matches(&format!("WORDS#SHARES#{of}")).count();
    let everything = portal.everything_in_the_table().await;
    assert_eq!((left(&everything, "con_"), left(&everything, "com_")), (0, 0));
    assert!(left(&everything, "operator") > 0);
    assert_eq!(
        found(&portal, "/v1/shares", &admin, "title", "xyzxyzxyzxyz").await.len(),
        1,
        "by what it is called now"
    );
    assert_eq!(found(&portal, "/v1/shares", &admin, "title", "zanzibar one").await.len(), 0, "by what it was not");
    assert!(!everything.contains("\"one#"), "nor is there a row of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_belongs_to_one_company_however_many_it_has_and_those_below_it_too() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let domains: Vec<String> = (0..30).map(|n| format!("d{n}.example")).collect();
    let name = "A company with a very long name of a great many words which used to fill what could be found of it";
    let many = portal.post("/v1/companies", &admin, json!({ "name": name, "domains": domains })).await.expect(201);
    let offer = async |email: &str| {
        portal.share_with(&admin, "For the stranger", &json!([{ "email": email }])).await;
        let mails = portal.mails_when(email, 1).await;
        let token = gatehouse_tests::token_in(mails[0]["text"].as_str().unwrap(), "/open#");
        text(&portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200)["offer"])
    };
    for email in ["x@d3.example", "x@d29.example", "x@mail.d29.example", "x@a.b.d0.example"] {
        assert_eq!(offer(email).await, "request_access", "{email}");
    }
    for email in ["x@d30.example", "x@notd29.example"] {
        assert_eq!(offer(email).await, "get_access", "{email}");
    }
    let taken = json!({ "name": "Other", "domains": ["new.example", "D29.example"] });
    let problem = portal.post("/v1/companies", &admin, taken).await.expect_problem(409, "domain_taken");
    assert!(text(&problem["detail"]).contains(name));
    let path = format!("/v1/companies/{}", text(&many["id"]));
    portal.patch(&path, &admin, json!({ "domains": ["d0.example"] })).await.expect(200);
    portal.post("/v1/companies", &admin, json!({ "name": "Other", "domains": ["d29.example"] })).await.expect(201);
    portal
        .patch(&path, &admin, json!({ "domains": ["d0.example", "d29.example"] }))
        .await
        .expect_problem(409, "domain_taken");
    let many: Vec<String> = (0..41).map(|n| format!("e{n}.example")).collect();
    portal.patch(&path, &admin, json!({ "domains": many })).await.expect_invalid("domains");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contacts_domain_is_known_behind_the_longest_name() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    // Two hundred characters, and each of the words another.
    let long = |n: u32| (0..50).map(|word| format!("{:03}", 100 * n + word)).collect::<Vec<_>>().join(" ");
    let body = json!({ "name": long(1), "email": "ann@long.example" });
    let path = format!("/v1/companies/{company}/contacts");
    let contact = text(&portal.post(&path, &admin, body).await.expect(201)["id"]);
    let path = format!("/v1/contacts/{contact}");

    // What the link in a mail offers, and which company is suggested to the mappers where it may be asked for.
    let asked = async |email: &str| {
        portal.share_with(&admin, "For a colleague", &json!([{ "email": email }])).await;
        let mails = portal.mails_when(email, 1).await;
        let token = gatehouse_tests::token_in(mails[0]["text"].as_str().unwrap(), "/open#");
        let opened = portal.post("/v1/links/open", &NOBODY, json!({ "token": token })).await.expect(200);
        if opened["offer"] != "request_access" {
            return opened["offer"].clone();
        }
        let body = json!({ "token": token, "name": "Bob" });
        portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
        let waiting = portal.get("/v1/registrations?status=pending", &admin).await.expect(200);
        let asked = waiting["items"].as_array().unwrap().iter().find(|asked| asked["email"] == email).unwrap();
        let shown = portal.get(&format!("/v1/registrations/{}", text(&asked["id"])), &admin).await.expect(200);
        shown["suggestions"]["companies"][0]["id"].clone()
    };
    assert_eq!(asked("bob@unknown.example").await, "get_access");
    assert_eq!(asked("bob@long.example").await, json!(company), "a contact there has its address at that domain");

    // Another name that is as long takes nothing away, another address takes all.
    portal.patch(&path, &admin, json!({ "name": long(2) })).await.expect(200);
    assert_eq!(asked("bea@long.example").await, json!(company));
    portal.patch(&path, &admin, json!({ "email": "ann@other.example" })).await.expect(200);
    assert_eq!(asked("ben@long.example").await, "get_access");
    assert_eq!(asked("ben@other.example").await, json!(company));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_the_beginning_of_a_long_message_and_says_so() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let long = "Длинное сообщение. ".repeat(260);
    for (message, shown, truncated) in [("Short", 5, false), (long.trim(), 200, true)] {
        let body = json!({ "title": "T", "message": message });
        let id = text(&portal.post("/v1/shares", &admin, body).await.expect(201)["id"]);
        let row = &portal.get("/v1/shares?limit=1", &admin).await.expect(200)["items"][0];
        let cut = if truncated { json!(true) } else { Value::Null };
        assert_eq!((text(&row["message"]).chars().count(), &row["message_truncated"]), (shown, &cut));
        let share = portal.get(&format!("/v1/shares/{id}"), &admin).await.expect(200);
        assert_eq!((text(&share["message"]).as_str(), &share["message_truncated"]), (message, &Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_keeps_its_order_until_it_is_too_much_and_then_says_so() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let contact = ann.id.parse().unwrap();
    let store = Store::new(&portal.stack.env);
    portal.stop_the_stream().await;
    for n in 0..1_100_i64 {
        let at = gatehouse::clock::Timestamp::from_second(1_700_000_000 + n).unwrap();
        let share = a_share(&format!("Report {:04}", 9_999 - n), None, n.unsigned_abs(), at);
        let words = ShareWords::new(&share, &[]);
        let via = Some(RecipientId::Contact(contact));
        let row = gatehouse::domain::InboxRow::new(&share.with_words(&words), InboxOf::Contact(contact), via, at);
        store.transaction().replace(&row).replace(&words).commit().await.unwrap();
        let key =
            |key: String| gatehouse::store::keys::share_word(row.of, &key, row.received_at, row.share_id).attributes();
        portal.put_items(words.all_keys().into_iter().map(key)).await;
        let look = async |query: &str| portal.get(&format!("/v1/shares?limit=3&{query}"), &ann.who).await.expect(200);
        if n == 900 {
            for (query, first) in [
                ("q=rep&sort=title", "Report 9099"),
                ("q=rep&sort=-title", "Report 9999"),
                ("q=rep&sort=received_at", "Report 9999"),
                ("q=rep&sort=-size", "Report 9099"),
                ("q=rep", "Report 9099"),
            ] {
                let page = look(query).await;
                assert_eq!(
                    (text(&page["items"][0]["title"]).as_str(), &page["sorted"]),
                    (first, &Value::Null),
                    "{query}"
                );
            }
        }
    }
    let page = portal.get("/v1/shares?q=rep&sort=title", &ann.who).await.expect(200);
    assert_eq!((page["items"].as_array().unwrap().len(), &page["sorted"]), (25, &json!(false)));
    // Where another word leaves few, they are sorted, however many the first one finds.
    let page = portal.get("/v1/shares?q=rep+999&sort=title", &ann.who).await.expect(200);
    assert_eq!((text(&page["items"][0]["title"]).as_str(), &page["sorted"]), ("Report 9990", &Value::Null));
}

/// What docs/data-model.md says of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_with_more_words_than_are_looked_for_says_so() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let store = Store::new(&portal.stack.env);
    let share = portal.share(&admin, "Great", &[&ann.id]).await;
    let path = format!("/v1/shares/{share}");
    for who in [&ann.who, &admin] {
        assert_eq!(portal.get(&path, who).await.expect(200)["search_incomplete"], Value::Null);
    }
    // An inbox that is named twice is one.
    let contact = InboxOf::Contact(ann.id.parse().unwrap());
    let at = gatehouse::clock::Timestamp::from_second(1_700_000_000).unwrap();
    let indexed = IndexedRow { of: contact, at, since: 0 };
    store.index_words(share.parse().unwrap(), &[indexed.clone(), indexed]).await.unwrap();
    // A thousand names of nine words each, and no word twice.
    let (stored, files) = store.share_and_files(share.parse().unwrap()).await.unwrap().unwrap();
    let word = |n: u32| (0..5).map(move |place| char::from(b'a' + u8::try_from(n / 26_u32.pow(place) % 26).unwrap()));
    let name = |n: u32| (9 * n..9 * n + 9).map(|n| word(n).collect::<String>()).collect::<Vec<_>>().join(" ");
    let file = |n| ShareFile { name: name(n).parse().unwrap(), ..files[0].clone() };
    let words = ShareWords::new(&stored, &(0..1_000).map(file).collect::<Vec<_>>());
    assert!(words.left_out && !ShareWords::new(&stored, &files).left_out);
    let changed = stored.record.clone().with_words(&words);
    store.transaction().save(stored.rev, &changed).commit().await.unwrap();
    for who in [&ann.who, &admin] {
        assert_eq!(portal.get(&path, who).await.expect(200)["search_incomplete"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_file_names_of_one_share_are_found_at_the_price_of_what_is_found() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let (contact, store) = (ann.id.parse().unwrap(), Store::new(&portal.stack.env));
    let made = portal.share(&admin, "Small", &[&ann.id]).await;
    let stored = store.share_and_files(made.parse().unwrap()).await.unwrap().unwrap();
    let template = stored.1[0].clone();
    let at = gatehouse::clock::Timestamp::from_second(1_700_000_000).unwrap();
    let share = a_share("Great", None, 1, at);
    let file = |n: u32| ShareFile {
        name: format!("IMG_202611{:02}_{:06} hold {n}.jpg", n % 28 + 1, (n * 7_919) % 240_000).parse().unwrap(),
        share_id: share.id,
        ..template.clone()
    };
    let files: Vec<ShareFile> = (0..1_000).map(file).collect();
    let words = ShareWords::new(&share, &files);
    assert!(!words.left_out);
    let via = Some(RecipientId::Contact(contact));
    let row = gatehouse::domain::InboxRow::new(&share.clone().with_words(&words), InboxOf::Contact(contact), via, at);
    store.transaction().replace(&row).replace(&words).commit().await.unwrap();
    portal.pause_mail().await;
    let _ = portal.stack.meter.take();
    store.index_words(share.id, &[IndexedRow { of: row.of, at, since: 0 }]).await.unwrap();
    let written = Cost::of(&portal.stack.meter.take());
    assert!(written.write_units < 5_000.0, "{written:?}");
    for (n, file) in files.iter().enumerate() {
        if n % 97 == 0 {
            assert_eq!(found(&portal, "/v1/shares", &ann.who, "title", file.name.as_str()).await, ["Great"]);
        }
    }
    let _ = portal.stack.meter.take();
    assert_eq!(found(&portal, "/v1/shares", &ann.who, "title", "hold").await, ["Great"]);
    let by_word = Cost::of(&portal.stack.meter.take());
    assert_eq!(found(&portal, "/v1/shares", &ann.who, "title", "IMG_20261126").await, ["Great"]);
    let by_number = Cost::of(&portal.stack.meter.take());
    println!("written {written:?}, found by a word {by_word:?}, by a number {by_number:?}");
    assert!(by_word.read_units <= 4.0 && by_word.round_trips <= 2, "{by_word:?}");
    assert!(by_number.read_units <= 20.0 && by_number.round_trips <= 3, "{by_number:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_know_short_names_and_show_what_the_caller_may_read() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.post("/v1/companies", &admin, json!({ "name": "Bo & Li" })).await.expect(201);
    let path = format!("/v1/companies/{}/contacts", text(&company["id"]));
    let wu = json!({ "name": "Wu Li", "email": "wu@bo-li.example" });
    portal.post(&path, &admin, wu).await.expect(201);
    let asked = json!({ "name": "Wu Li", "email": "wu.li@elsewhere.example", "company": "Bo & Li" });
    portal.post("/v1/registrations", &NOBODY, asked).await.expect(202);
    let id = text(&portal.get("/v1/registrations?status=pending", &admin).await.expect(200)["items"][0]["id"]);
    let shown = portal.get(&format!("/v1/registrations/{id}"), &admin).await.expect(200);
    assert_eq!(shown["suggestions"]["companies"][0]["name"], "Bo & Li");
    assert_eq!(shown["suggestions"]["contacts"][0]["email"], "wu@bo-li.example");
    for (scopes, name, email) in [
        (json!(["registrations"]), Value::Null, Value::Null),
        (json!(["registrations", "customers:read"]), json!("Bo & Li"), json!("wu@bo-li.example")),
    ] {
        let key = portal.post("/v1/api-keys", &admin, json!({ "name": "K", "scopes": scopes })).await.expect(201);
        let key = Who(Some(text(&key["key"])));
        let shown = portal.get(&format!("/v1/registrations/{id}"), &key).await.expect(200);
        let suggestions = &shown["suggestions"];
        assert_eq!((&suggestions["companies"][0]["name"], &suggestions["contacts"][0]["email"]), (&name, &email));
        assert!(suggestions["contacts"][0]["id"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_two_hundred_characters_is_found_wherever_it_was_entered() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    // Each two letters of it are a word.
    let long = |from: u32| (0..200).filter_map(|n| char::from_u32(0x4e00 + from + 7 * n)).collect::<String>();
    let body = json!({ "name": "Invited", "email": "invited@harbour.example", "send_invite": true });
    let company = text(&portal.post("/v1/companies", &admin, json!({ "name": long(0) })).await.expect(201)["id"]);
    let contacts = format!("/v1/companies/{company}/contacts");
    portal.post(&contacts, &admin, json!({ "name": long(1) })).await.expect(201);
    portal.post(&contacts, &admin, body).await.expect(201);
    let token = portal.activation_token("invited@harbour.example", 1).await;
    let activation = json!({ "token": token, "password": gatehouse_tests::PASSWORD, "name": long(2) });
    let session = portal.post("/v1/activations", &NOBODY, activation).await.expect(201);
    let invited = Who(Some(text(&session["token"])));

    let asked = json!({ "name": "Asks", "email": "asks@elsewhere.example", "company": "Elsewhere" });
    portal.post("/v1/registrations", &NOBODY, asked).await.expect(202);
    let id = text(&portal.get("/v1/registrations?status=pending", &admin).await.expect(200)["items"][0]["id"]);
    let mapping = json!({ "company_id": company, "new_contact": { "name": long(3) } });
    portal.post(&format!("/v1/registrations/{id}/map"), &admin, mapping).await.expect(200);

    portal.share_with(&admin, "By link", &json!([{ "email": "new@unknown.example" }])).await;
    let mail = portal.mails_when("new@unknown.example", 1).await;
    let token = gatehouse_tests::token_in(mail[0]["text"].as_str().unwrap(), "/open#");
    let access = json!({ "token": token, "name": long(4), "company": long(5) });
    portal.post("/v1/links/get-access", &NOBODY, access).await.expect(202);
    for n in 1..=4 {
        let part: String = long(n).chars().skip(190).collect();
        assert_eq!(found(&portal, "/v1/users", &admin, "name", &part).await, [long(n)], "{n}");
    }
    portal.patch("/v1/me", &invited, json!({ "name": long(6) })).await.expect(200);
    for (n, path) in [(0, "/v1/companies"), (5, "/v1/companies"), (6, "/v1/users")] {
        let part: String = long(n).chars().skip(190).collect();
        assert_eq!(found(&portal, path, &admin, "name", &part).await, [long(n)], "{n}");
    }
    let gone: String = long(2).chars().skip(190).collect();
    assert_eq!(found(&portal, "/v1/users", &admin, "name", &gone).await, [""; 0]);
}
