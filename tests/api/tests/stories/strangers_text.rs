//! What a person types is shown to others: it stays in its place there, and hides nothing.

use gatehouse_tests::{ADMIN, Customer, NOBODY, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

/// A line that only the portal could have written, had it stood by itself.
const FORGED: &str = "Forged: pay here";

/// Every way to begin a new line, and what turns or hides text.
const HOSTILE: &str = "a\r~\u{2028}~\u{2029}~\u{85}~\u{b}~\u{c}~\n~\r\n~";

fn hostile() -> String {
    HOSTILE.replace('~', FORGED)
}

/// No line of a mail begins with the forged one, wherever a reader's program begins a line.
#[track_caller]
fn has_no_line_of_its_own(mail: &Value) {
    let ends = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    for part in ["text", "html", "subject"] {
        let part = text(&mail[part]);
        assert!(!part.split(ends).any(|line| line.trim_start().starts_with(FORGED)), "{part}");
        assert!(
            !part.chars().any(|c| ends(c) && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}')),
            "{part}"
        );
    }
    assert!(!text(&mail["subject"]).contains('\n'));
}

/// A customer's own share with that message and one file of that name, sent to the staff.
async fn claim(portal: &Portal, customer: &Customer, title: &str, message: &str, file: &str) {
    let file = json!({ "name": file, "size": 1, "content_type": "text/plain" });
    let body = json!({ "title": title, "message": message, "files": [file] });
    let created = portal.post("/v1/shares", &customer.who, body).await.expect(201);
    portal.upload(&created["files"][0]["upload"], b"a").await;
    portal.complete(&customer.who, &text(&created["id"]), &text(&created["files"][0]["id"])).await.expect(200);
    let path = format!("/v1/shares/{}/send", text(&created["id"]));
    portal.call(Method::POST, &path, &customer.who, None).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_strangers_stays_on_its_line_and_in_its_quote() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.pass(std::time::Duration::from_mins(11)).await;
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    let admin_again = portal.sign_in(ADMIN).await;
    for (count, language) in ["en", "de", "fr", "nl", "es"].iter().enumerate() {
        portal.patch("/v1/me", &admin_again, json!({ "language": language })).await.expect(200);
        claim(&portal, &ann, "A claim", &hostile(), &format!("{}\u{202e}\u{200b}.txt", hostile())).await;
        let mail = &portal.mails_when(ADMIN, 2 + count).await[0];
        has_no_line_of_its_own(mail);
        assert_eq!(text(&mail["text"]).matches(&format!("\n> {FORGED}")).count(), 8, "{}", text(&mail["text"]));
        portal.pass(std::time::Duration::from_mins(11)).await;
    }
    // A file returned to a share of the staff, under a name that writes lines of its own.
    let share = portal.draft(&admin_again, "Offer", &[&ann.id], &[("offer.txt", "text/plain", b"old")]).await;
    portal.patch(&format!("/v1/shares/{share}"), &admin_again, json!({ "allow_upload": true })).await.expect(200);
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &admin_again, None).await.expect(202);
    let name = format!("{}\u{202e}fdp.txt", hostile());
    let body = json!({ "name": name, "size": 3, "content_type": "text/plain" });
    let added = portal.post(&format!("/v1/shares/{share}/files"), &ann.who, body).await.expect(201);
    portal.upload(&added["upload"], b"new").await;
    portal.complete(&ann.who, &share, &text(&added["id"])).await.expect(200);
    has_no_line_of_its_own(&portal.mails_when(ADMIN, 7).await[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_nothing_visible_are_refused_wherever_somebody_is_named() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    for nothing in [
        "\u{200b}",
        "\u{3164}",
        "\u{115f}\u{1160}",
        "\u{ffa0}",
        "\u{2800}",
        "\u{ad}",
        "\u{2060}\u{feff}",
        "\u{34f}",
        "\u{180e}",
        "\u{301}\u{20dd}",
        "\u{e0061}",
        "\u{1d159}",
        "\u{2000}\u{200d}\u{3000}",
    ] {
        let asked = json!({ "name": nothing, "email": "a@b.example", "company": "Harbour" });
        portal.post("/v1/registrations", &NOBODY, asked).await.expect_invalid("name");
        let asked = json!({ "name": "Ann", "email": "a@b.example", "company": nothing });
        portal.post("/v1/registrations", &NOBODY, asked).await.expect_invalid("company");
        portal.post("/v1/companies", &admin, json!({ "name": nothing })).await.expect_invalid("name");
        let path = format!("/v1/contacts/{contact}");
        portal.patch(&path, &admin, json!({ "name": nothing })).await.expect_invalid("name");
        let share = json!({ "title": nothing, "recipients": [{ "contact_id": contact }], "files": [] });
        portal.post("/v1/shares", &admin, share).await.expect_invalid("title");
        let file = json!({ "name": nothing, "size": 1, "content_type": "text/plain" });
        let share = json!({ "title": "A", "recipients": [{ "contact_id": contact }], "files": [file] });
        portal.post("/v1/shares", &admin, share).await.expect_invalid("files[0].name");
    }
    let path = format!("/v1/contacts/{contact}");
    let shown = portal.patch(&path, &admin, json!({ "name": "\u{feff}A\u{200b}nn\u{200e}" })).await.expect(200);
    assert_eq!(shown["name"], "Ann", "what nobody sees is no part of a name");
}

#[tokio::test(flavor = "multi_thread")]
async fn file_names_that_no_file_system_takes_are_mended_with_a_word_about_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let names = [
        ("a/b\\c.txt", "a_b_c.txt"),
        ("con.txt", "_con.txt"),
        ("ends with dots..", "ends with dots"),
        ("ends with a space.txt ", "ends with a space.txt"),
        ("gpj\u{202e}txt.exe", "gpj_txt.exe"),
        ("a\tb\u{7f}.txt", "a_b_.txt"),
    ];
    let file = |name: &str| json!({ "name": name, "size": 1, "content_type": "text/plain" });
    let files: Vec<Value> = names.iter().map(|(given, _)| file(given)).chain([file("as given: 5?.txt")]).collect();
    let created = portal.post("/v1/shares", &admin, json!({ "title": "A", "recipients": [], "files": files })).await;
    let created = created.expect(201);
    let id = text(&created["id"]);
    let shown = portal.get(&format!("/v1/shares/{id}"), &admin).await.expect(200);
    let of = |name: &str| shown["files"].as_array().unwrap().iter().find(|file| file["name"] == name).unwrap().clone();
    for (at, (_, kept)) in names.iter().enumerate() {
        assert_eq!(created["files"][at]["name"], **kept, "whoever announces it learns its name at once");
        assert_eq!(of(kept)["renamed"], true);
    }
    assert_eq!(of("as given: 5?.txt")["renamed"], false);
    for (name, why) in [("..", "dots"), ("a\0b", "control"), (&"x".repeat(256), "255")] {
        let refused = portal.post(&format!("/v1/shares/{id}/files"), &admin, file(name)).await.expect_invalid("name");
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_name_does_not_lead_a_staff_mails_subject() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let asked = json!({ "name": "Urgent! Pay", "email": "rita@harbour.example", "company": "Your bank" });
    portal.post("/v1/registrations", &NOBODY, asked).await.expect(202);
    let subject = text(&portal.mails_when(ADMIN, 2).await[0]["subject"]);
    assert_eq!(subject, "Northgate Logistics: 1 request for access is waiting");
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.patch("/v1/me", &ann.who, json!({ "name": "Urgent! Pay" })).await.expect(200);
    claim(&portal, &ann, "Urgent! Pay at once", "Please", "a.txt").await;
    let subject = text(&portal.mails_when(ADMIN, 3).await[0]["subject"]);
    assert!(subject.starts_with("Received: \"Urgent! Pay at once\" from Urgent! Pay"), "{subject}");
}

/// A share of the staff with somebody whose domain nobody knows; the token of its link.
async fn link_of(portal: &Portal, admin: &Who, email: &str) -> String {
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let body = json!({ "title": "Report", "recipients": [{ "email": email }], "files": [file] });
    let created = portal.post("/v1/shares", admin, body).await.expect(201);
    portal.upload(&created["files"][0]["upload"], b"a").await;
    portal.complete(admin, &text(&created["id"]), &text(&created["files"][0]["id"])).await.expect(200);
    let path = format!("/v1/shares/{}/send", text(&created["id"]));
    portal.call(Method::POST, &path, admin, None).await.expect(202);
    token_in(&text(&portal.mails_when(email, 1).await[0]["text"]), "/open#")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_stranger_is_mailed_to_the_owner_of_an_address() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let email = "gita@terminal.example";
    let token = link_of(&portal, &admin, email).await;
    let body = json!({ "token": token, "name": "Pay at evil.example", "company": "Your bank evil.example" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
    let is_clean = |mail: &Value| {
        for part in ["text", "html", "subject"] {
            assert!(!text(&mail[part]).contains("evil.example"), "{}", text(&mail[part]));
        }
    };
    let invitation = &portal.mails_when(email, 2).await[0];
    is_clean(invitation);
    assert!(text(&invitation["text"]).contains("\nHello,\n"), "{}", text(&invitation["text"]));

    // The company and the contact are marked, so that the staff see that nobody of theirs has named them.
    let companies = portal.get("/v1/companies?q=bank", &admin).await.expect(200);
    let company = &companies["items"][0];
    assert_eq!(company["self_registered"], true, "{companies:#}");
    let path = format!("/v1/companies/{}", text(&company["id"]));
    let contacts = portal.get(&format!("{path}/contacts"), &admin).await.expect(200);
    let contact = &contacts["items"][0];
    assert_eq!(contact["self_registered"], true);
    let contact = format!("/v1/contacts/{}", text(&contact["id"]));

    // Nor do later mails repeat it, until somebody of the staff has named them.
    portal.call(Method::POST, &format!("{contact}/invitation"), &admin, None).await.expect(202);
    is_clean(&portal.mails_when(email, 3).await[0]);
    let named = portal.patch(&path, &admin, json!({ "name": "Terminal Ltd" })).await.expect(200);
    assert_eq!(named["self_registered"], false);
    portal.patch(&contact, &admin, json!({ "name": "Gita" })).await.expect(200);
    portal.call(Method::POST, &format!("{contact}/invitation"), &admin, None).await.expect(202);
    let invitation = text(&portal.mails_when(email, 4).await[0]["text"]);
    assert!(invitation.contains("Hello Gita,") && invitation.contains("Terminal Ltd"), "{invitation}");

    // A request that is declined: its name was typed by whoever asked, with anybody's address.
    let asked = json!({ "name": "Pay at evil.example", "email": "victim@harbour.example", "company": "evil.example" });
    portal.post("/v1/registrations", &NOBODY, asked).await.expect(202);
    let id = text(&portal.get("/v1/registrations", &admin).await.expect(200)["items"][0]["id"]);
    let declined = json!({ "reason": "We do not know you.", "notify": true });
    portal.post(&format!("/v1/registrations/{id}/decline"), &admin, declined).await.expect(200);
    is_clean(&portal.mails_when("victim@harbour.example", 1).await[0]);
}
