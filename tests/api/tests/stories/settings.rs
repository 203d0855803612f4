//! What an admin sets for the whole portal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse_tests::{Portal, Reply, Who, text};
use reqwest::Method;
use serde_json::{Value, json};

/// A picture of one pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
/// A picture with more in it than a picture has.
const SVG: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 90 30'><rect width='90' height='30'/>\
    <script>steal()</script><image href='https://out.example/a.png' width='9' height='9'/></svg>";
/// A picture that needs a font.
const SVG_OF_TEXT: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 90 30'><text>Northgate</text></svg>";

async fn put(portal: &Portal, who: &Who, change: Value) -> Reply {
    portal.call(Method::PUT, "/v1/settings", who, Some(change)).await
}

async fn viewer(portal: &Portal, admin: &Who) -> Who {
    let body = json!({ "name": "Vera", "email": "vera@northgate.example", "roles": ["viewer"] });
    portal.post("/v1/staff", admin, body).await.expect(201);
    portal.activate(&portal.activation_token("vera@northgate.example", 1).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sets_everything_and_reads_it_back() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let deployed = portal.get("/v1/settings", &admin).await.expect(200);
    assert_eq!(deployed["portal_url"], portal.stack.url);
    assert!(!text(&deployed["operator_name"]).is_empty());
    for (field, value) in [
        ("support_email", Value::Null),
        ("time_zone", json!("UTC")),
        ("share_visibility", json!("recipient")),
        ("languages", json!(["en", "de", "fr", "nl", "es"])),
        ("retention_days", Value::Null),
        ("activity_months", json!(25)),
        ("customer_file_bytes", json!(10_000_000_000_u64)),
        ("company_bytes", json!(200_000_000_000_u64)),
        ("logo", Value::Null),
    ] {
        assert_eq!(deployed[field], value, "{field}");
    }
    let all = json!({
        "operator_name": "Northgate Logistics",
        "portal_url": "https://portal.northgate.example",
        "support_email": "help@northgate.example",
        "time_zone": "Europe/Amsterdam",
        "share_visibility": "company",
        "languages": ["en", "nl"],
        "retention_days": 365,
        "activity_months": 60,
        "customer_file_bytes": 5_000_000,
        "company_bytes": 70_000_000,
        "logo": { "content_type": "image/png", "data": PNG },
    });
    assert_eq!(put(&portal, &admin, all.clone()).await.expect(200), all);
    assert_eq!(portal.get("/v1/settings", &admin).await.expect(200), all);
    // What is not named stays.
    let changed = put(&portal, &admin, json!({ "retention_days": null })).await.expect(200);
    assert_eq!((&changed["retention_days"], &changed["logo"]), (&Value::Null, &all["logo"]));
    let nothing = json!({
        "operator_name": null,
        "portal_url": null,
        "support_email": null,
        "time_zone": null,
        "share_visibility": null,
        "languages": null,
        "retention_days": null,
        "activity_months": null,
        "customer_file_bytes": null,
        "company_bytes": null,
        "logo": null,
    });
    assert_eq!(put(&portal, &admin, nothing).await.expect(200), deployed);
    assert_eq!(portal.get("/v1/settings", &admin).await.expect(200), deployed);
    let activity = portal.get("/v1/activity?kind=settings_changed", &admin).await.expect(200);
    assert_eq!(activity["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_on_sees_the_settings_and_cannot_change_them() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let viewer = viewer(&portal, &admin).await;
    put(&portal, &admin, json!({ "operator_name": "Northgate" })).await.expect(200);
    let seen = portal.get("/v1/settings", &viewer).await.expect(200);
    assert_eq!(seen["operator_name"], "Northgate");
    put(&portal, &viewer, json!({ "operator_name": "Vera's" })).await.expect_problem(403, "forbidden");
    let ann = portal.customer(&admin, "ann@harbour.example").await.who;
    portal.get("/v1/settings", &ann).await.expect_problem(403, "forbidden");
    put(&portal, &ann, json!({ "operator_name": "Ann's" })).await.expect_problem(403, "forbidden");
    assert_eq!(portal.get("/v1/settings", &admin).await.expect(200), seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_field_is_named_and_nothing_changes() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let before = json!({ "operator_name": "Northgate", "logo": { "content_type": "image/png", "data": PNG } });
    let before = put(&portal, &admin, before).await.expect(200);
    for (field, value) in [
        ("operator_name", json!(" ")),
        ("portal_url", json!("http://portal.northgate.example")),
        ("portal_url", json!("https://portal.northgate.example/")),
        ("portal_url", json!("https://portal.northgate.example/app")),
        ("portal_url", json!("javascript:alert(1)")),
        ("support_email", json!("help")),
        ("share_visibility", json!("everybody")),
        ("languages", json!([])),
        ("languages", json!(["en", "tlh"])),
        ("retention_days", json!(0)),
        ("retention_days", json!(3651)),
        ("retention_days", json!("forever")),
        ("colour", json!("red")),
    ] {
        // Beside something good: all or nothing.
        let reply = put(&portal, &admin, json!({ "share_visibility": "company", field: value })).await;
        let why = reply.expect_invalid(field);
        assert!(!why.is_empty(), "{field}");
    }
    assert_eq!(portal.get("/v1/settings", &admin).await.expect(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logo_that_is_none_is_refused_with_the_reason() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let png = |data: &str| json!({ "content_type": "image/png", "data": data });
    let svg = |data: &str| json!({ "content_type": "image/svg+xml", "data": data });
    let before = put(&portal, &admin, json!({ "logo": png(PNG) })).await.expect(200);
    for (logo, reason) in [
        (png(&STANDARD.encode(SVG)), "is no PNG"),
        (png(&PNG[..60]), "is no PNG"),
        (svg(PNG), "is no SVG"),
        (svg(&STANDARD.encode(SVG_OF_TEXT)), "has text"),
        (png("%%%"), "must be base64"),
        (png(&"AAAA".repeat(100 * 1024 / 3 + 1)), "may have at most 102400 bytes"),
    ] {
        let reply = put(&portal, &admin, json!({ "operator_name": "Other", "logo": logo })).await;
        let why = reply.expect_invalid("logo.data");
        assert!(why.starts_with(reason), "{why}");
    }
    let gif = json!({ "content_type": "image/gif", "data": PNG });
    put(&portal, &admin, json!({ "logo": gif })).await.expect_invalid("logo.content_type");
    put(&portal, &admin, json!({ "logo": { "data": PNG } })).await.expect_invalid("logo.content_type");
    assert_eq!(portal.get("/v1/settings", &admin).await.expect(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_svg_is_taken_as_a_picture_and_nothing_else() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let sent = STANDARD.encode(SVG);
    let logo = json!({ "content_type": "image/svg+xml", "data": sent });
    let shown = put(&portal, &admin, json!({ "logo": logo })).await.expect(200);
    assert_eq!(shown["logo"]["content_type"], "image/svg+xml");
    let kept = text(&shown["logo"]["data"]);
    let picture = String::from_utf8(STANDARD.decode(&kept).unwrap()).unwrap();
    assert!(picture.contains("<path"), "{picture}");
    for gone in ["script", "steal", "image", "out.example"] {
        assert!(!picture.contains(gone), "{picture}");
    }
    assert_eq!(portal.get("/v1/settings", &admin).await.expect(200), shown);
    // As it came, it lies nowhere; for mails there is a PNG.
    let table = portal.everything_in_the_table().await;
    assert!(table.contains(&kept) && !table.contains(&sent), "the logo lies as it came");
    assert!(table.contains("iVBORw0KGgo"), "there is no PNG for mails");
    // Set again as it was read, it stays.
    let again = put(&portal, &admin, json!({ "logo": shown["logo"] })).await.expect(200);
    assert_eq!(again["logo"]["content_type"], "image/svg+xml");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_admins_who_change_different_fields_at_once_both_win() {
    let portal = std::sync::Arc::new(Portal::open().await);
    let admin = portal.admin().await;
    // The first time there are no settings yet, later there are.
    for round in 1..=5 {
        let change = |change: Value| {
            let (portal, admin) = (portal.clone(), admin.clone());
            tokio::spawn(async move { put(&portal, &admin, change).await.expect(200) })
        };
        let name = format!("Northgate {round}");
        let one = change(json!({ "operator_name": name }));
        let other = change(json!({ "retention_days": round }));
        let third = change(json!({ "logo": { "content_type": "image/png", "data": PNG } }));
        one.await.unwrap();
        other.await.unwrap();
        third.await.unwrap();
        let after = portal.get("/v1/settings", &admin).await.expect(200);
        assert_eq!((&after["operator_name"], &after["retention_days"]), (&json!(name), &json!(round)));
        assert_eq!(after["logo"]["data"], PNG);
        put(&portal, &admin, json!({ "logo": null })).await.expect(200);
    }
}
