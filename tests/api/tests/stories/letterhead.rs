//! Mails show the operator as an admin has set it, and speak the reader's language.

use gatehouse_tests::{NOBODY, Portal, text};
use reqwest::Method;
use serde_json::{Value, json};

/// A picture of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_has_the_logo_the_name_and_whom_to_ask() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let plain = &portal.mails(&ann.email).await[0];
    assert_eq!(plain["attachments"], json!([]));
    assert!(text(&plain["html"]).contains("Northgate Logistics") && !text(&plain["html"]).contains("<img"));

    let set = json!({
        "operator_name": "Südhafen & Töchter",
        "support_email": "help@northgate.example",
        "logo": { "content_type": "image/png", "data": PNG },
    });
    portal.call(Method::PUT, "/v1/settings", &admin, Some(set)).await.expect(200);
    portal.patch("/v1/me", &ann.who, json!({ "language": "de" })).await.expect(200);
    portal.share(&admin, "Report", &[&ann.id]).await;
    let mail = &portal.mails_when(&ann.email, 2).await[0];
    let logo = &mail["attachments"][0];
    assert_eq!((text(&logo["content_id"]), text(&logo["content_type"])), ("logo".into(), "image/png".into()));
    assert!(logo["size"].as_u64().is_some_and(|bytes| bytes > 60), "{logo}");
    let html = text(&mail["html"]);
    assert!(html.contains("src=\"cid:logo\" alt=\"Südhafen &amp; Töchter\""), "{html}");
    assert!(html.contains("lang=\"de\"") && html.contains("mailto:help@northgate.example"), "{html}");
    assert!(text(&mail["text"]).contains("Südhafen & Töchter\nFragen? Schreiben Sie an help@northgate.example\n"));
    assert!(text(&mail["from"]).is_ascii() && text(&mail["from"]).ends_with(" <portal@northgate.example>"));

    let invited = portal.contact(&admin, &ann.company, "new@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{invited}/invitation"), &admin, None).await.expect(202);
    let token = portal.activation_token("new@harbour.example", 1).await;
    let check = portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.expect(200);
    assert_eq!(check["operator"], "Südhafen & Töchter");

    let none = json!({ "logo": null, "operator_name": null });
    portal.call(Method::PUT, "/v1/settings", &admin, Some(none)).await.expect(200);
    portal.share(&admin, "Another", &[&ann.id]).await;
    let mail = &portal.mails_when(&ann.email, 3).await[0];
    assert_eq!(mail["attachments"], json!([]));
    assert!(text(&mail["html"]).contains("Northgate Logistics"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_speaks_its_readers_language_and_tells_the_operators_time() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let shown = portal.get("/v1/settings", &admin).await.expect(200);
    assert_eq!(shown["time_zone"], "UTC");
    let set = |zone: Value| portal.call(Method::PUT, "/v1/settings", &admin, Some(json!({ "time_zone": zone })));
    for wrong in ["Berlin", "+01:00", "", "Europe/Nowhere"] {
        set(json!(wrong)).await.expect_invalid("time_zone");
    }
    let shown = set(json!("europe/berlin")).await.expect(200);
    assert_eq!(shown["time_zone"], "Europe/Berlin");

    let ann = portal.customer(&admin, "ann@xn--mnchen-3ya.example").await;
    let now = portal.stack.env.clock.now();
    let mut mails = portal.mails_when("ann@xn--mnchen-3ya.example", 1).await.len();
    let invitation = text(&portal.mails("ann@xn--mnchen-3ya.example").await[0]["text"]);
    assert!(invitation.contains("Your username is ann@münchen.example."), "{invitation}");
    for (language, month, size) in [
        ("en", " at ", "12.3 kB"),
        ("de", " Uhr (ME", "12,3 kB"),
        ("fr", " à ", "12,3 ko"),
        ("nl", " om ", "12,3 kB"),
        ("es", " a las ", "12,3 kB"),
    ] {
        portal.patch("/v1/me", &ann.who, json!({ "language": language })).await.expect(200);
        let bytes = vec![b'a'; 12_345];
        let id = portal.draft(&admin, "Report", &[&ann.id], &[("note.txt", "text/plain", &bytes)]).await;
        let end = now + gatehouse::clock::SignedDuration::from_hours(24 * 30);
        portal.patch(&format!("/v1/shares/{id}"), &admin, json!({ "expires_at": end })).await.expect(200);
        portal.call(Method::POST, &format!("/v1/shares/{id}/send"), &admin, None).await.expect(202);
        mails += 1;
        let mail = &portal.mails_when("ann@xn--mnchen-3ya.example", mails).await[0];
        let body = text(&mail["text"]);
        assert!(body.contains(month) && body.contains(size) && !body.contains("UTC"), "{body}");
        // Who answers, answers whoever shared it.
        assert_eq!(mail["headers"]["Reply-To"], gatehouse_tests::ADMIN);
    }
    let support = json!({ "support_email": "help@northgate.example", "time_zone": null });
    let shown = portal.call(Method::PUT, "/v1/settings", &admin, Some(support)).await.expect(200);
    assert_eq!(shown["time_zone"], "UTC");
    portal.share(&admin, "Report", &[&ann.id]).await;
    let mail = &portal.mails_when("ann@xn--mnchen-3ya.example", mails + 1).await[0];
    assert_eq!(mail["headers"]["Reply-To"], "help@northgate.example");
}
