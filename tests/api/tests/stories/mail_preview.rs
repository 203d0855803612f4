//! Whoever shares sees the mail before it goes: the very words, in the reader's language and the operator's face.

use gatehouse_tests::{NOBODY, Portal, text};
use reqwest::Method;
use serde_json::{Value, json};

/// Without what differs from one mail to the next: the links.
fn without_links(mail: &Value) -> String {
    let text = text(mail);
    let words = text.split_inclusive([' ', '\n', '"']).map(|word| if word.starts_with("http") { "…" } else { word });
    words.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shares_mail_is_seen_before_it_goes_as_each_of_its_readers_will_read_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bo = portal.customer(&admin, "bo@quay.example").await;
    portal.patch("/v1/me", &bo.who, json!({ "language": "de" })).await.expect(200);
    let to = json!([{ "contact_id": ann.id }, { "contact_id": bo.id }, { "email": "guest@terminal.example" }]);
    let body = json!({
        "title": "Report of May", "message": "First line\n\n<b>second</b>", "recipients": to,
        "files": [{ "name": "a.txt", "size": 5, "content_type": "text/plain" }],
    });
    let share = portal.post("/v1/shares", &admin, body).await.expect(201);
    portal.upload(&share["files"][0]["upload"], b"hello").await;
    let id = text(&share["id"]);
    portal.complete(&admin, &id, &text(&share["files"][0]["id"])).await.expect(200);

    let path = format!("/v1/shares/{id}/mail-preview");
    let seen = async |body: Value| portal.post(&path, &admin, body).await.expect(200);
    let to_ann = seen(json!({ "contact_id": ann.id })).await;
    let to_bo = seen(json!({ "contact_id": bo.id })).await;
    let to_guest = seen(json!({})).await;
    let in_french = seen(json!({ "contact_id": bo.id, "language": "fr" })).await;
    for (shown, language) in [(&to_ann, "en"), (&to_bo, "de"), (&to_guest, "en"), (&in_french, "fr")] {
        assert!(text(&shown["html"]).contains(&format!("<html lang=\"{language}\">")), "{language}");
    }
    for shown in [&to_ann, &to_bo, &to_guest, &in_french] {
        let (html, plain) = (text(&shown["html"]), text(&shown["text"]));
        assert!(html.contains("&lt;b&gt;second") && !html.contains("<b>second"), "{html}");
        assert!(!html.contains("/open#") && !plain.contains("/open#"), "it opens nothing");
    }

    // A share that has a language has it for everybody.
    let in_dutch = json!({ "title": "Report", "language": "nl", "recipients": to, "files": [] });
    let in_dutch = text(&portal.post("/v1/shares", &admin, in_dutch).await.expect(201)["id"]);
    let body = json!({ "contact_id": bo.id });
    let in_dutch = portal.post(&format!("/v1/shares/{in_dutch}/mail-preview"), &admin, body).await.expect(200);
    assert!(text(&in_dutch["html"]).contains("<html lang=\"nl\">"));

    // What is sent then says the same.
    portal.call(Method::POST, &format!("/v1/shares/{id}/send"), &admin, None).await.expect(202);
    for (email, mails, shown) in
        [(&*ann.email, 2, &to_ann), (&*bo.email, 2, &to_bo), ("guest@terminal.example", 1, &to_guest)]
    {
        let sent = portal.mails_when(email, mails).await[0].clone();
        assert_eq!(sent["subject"], shown["subject"]);
        for form in ["text", "html"] {
            assert_eq!(without_links(&sent[form]), without_links(&shown[form]), "{email}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_has_the_logo_in_itself() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.draft(&admin, "Report", &[&ann.id], &[("a.txt", "text/plain", b"a")]).await;
    let path = format!("/v1/shares/{share}/mail-preview");
    let shown = portal.post(&path, &admin, json!({})).await.expect(200);
    assert!(!text(&shown["html"]).contains("<img"));
    let logo = json!({ "content_type": "image/png", "data": crate::settings::PNG });
    portal.call(Method::PUT, "/v1/settings", &admin, Some(json!({ "logo": logo }))).await.expect(200);
    let shown = portal.post(&path, &admin, json!({})).await.expect(200);
    let html = text(&shown["html"]).replace("&#x2f;", "/");
    assert!(html.contains("src=\"data:image/png;base64,iVBOR"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_staff_see_a_mail_before_it_goes_and_of_no_customers_draft() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.draft(&admin, "Report", &[&ann.id], &[("a.txt", "text/plain", b"a")]).await;
    let path = format!("/v1/shares/{share}/mail-preview");
    portal.post(&path, &ann.who, json!({})).await.expect_problem(403, "forbidden");
    portal.post(&path, &NOBODY, json!({})).await.expect_problem(401, "sign_in_required");
    portal.post(&path, &admin, json!({ "language": "no language" })).await.expect_invalid("language");
    let nobody = json!({ "contact_id": "con_01K9ZZZZZZZZZZZZZZZZZZZZZZ" });
    portal.post(&path, &admin, nobody).await.expect_invalid("contact_id");
    let missing = "/v1/shares/shr_01K9ZZZZZZZZZZZZZZZZZZZZZZ/mail-preview";
    portal.post(missing, &admin, json!({})).await.expect_problem(404, "not_found");

    let areas = json!({ "areas": ["files", "upload"] });
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, areas).await.expect(200);
    let file = json!({ "name": "a.txt", "size": 5, "content_type": "text/plain" });
    let own = portal.post("/v1/shares", &ann.who, json!({ "title": "For you", "files": [file] })).await.expect(201);
    let path = format!("/v1/shares/{}/mail-preview", text(&own["id"]));
    portal.post(&path, &admin, json!({})).await.expect_problem(404, "not_found");
}
