//! Mails show the operator as an admin has set it, and speak the reader's language.

use gatehouse_tests::{NOBODY, Portal, text};
use reqwest::Method;
use serde_json::json;

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
