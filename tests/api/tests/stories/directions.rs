//! Which way a share goes, and from whom: lists of what was received, of what was sent, of what one person has sent.

use std::collections::BTreeSet;

use gatehouse_tests::{Customer, Portal, Who, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::recipients::{add, colleague, take_away};

/// The titles that such a list has, once all tasks are done.
async fn titles(portal: &Portal, who: &Who, look: &str) -> BTreeSet<String> {
    portal.tasks_are_done().await;
    let list = portal.get(&format!("/v1/shares?limit=100&{look}"), who).await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(list["total"], items.len(), "{look}");
    items.iter().map(|row| text(&row["title"])).collect()
}

fn all(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

/// A share of a customer to the staff.
async fn returned(portal: &Portal, by: &Customer, title: &str) -> String {
    portal.share_with(&by.who, title, &json!([])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_sees_what_it_has_received_and_what_it_has_sent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = colleague(&portal, &admin, &ann.company, "bob@harbour.example").await;
    let cleo = portal.customer(&admin, "cleo@other.example").await;
    portal.share(&admin, "To Ann", &[&ann.id]).await;
    portal.share(&admin, "To Bob and Cleo", &[&bob.id, &cleo.id]).await;
    let of_ann = returned(&portal, &ann, "Of Ann").await;
    returned(&portal, &bob, "Of Bob").await;

    for (who, look, found) in [
        (&ann.who, "direction=in", vec!["To Ann"]),
        (&ann.who, "direction=out", vec!["Of Ann"]),
        (&cleo.who, "direction=out", vec![]),
        (&admin, "direction=out", vec!["To Ann", "To Bob and Cleo"]),
        (&admin, "direction=in", vec!["Of Ann", "Of Bob"]),
    ] {
        assert_eq!(titles(&portal, who, look).await, all(&found), "{look}");
    }
    // The staff look into a customer's inbox from their own side.
    let of_company = format!("company_id={}&direction=", ann.company);
    assert_eq!(titles(&portal, &admin, &format!("{of_company}in")).await, all(&["Of Ann", "Of Bob"]));
    assert_eq!(titles(&portal, &admin, &format!("{of_company}out")).await, all(&["To Ann", "To Bob and Cleo"]));
    let of_contact = format!("contact_id={}&direction=in", ann.id);
    assert_eq!(titles(&portal, &admin, &of_contact).await, all(&["Of Ann"]));

    // Where colleagues see each other's shares, their side is the company.
    let body = Some(json!({ "share_visibility": "company" }));
    portal.call(Method::PUT, "/v1/settings", &admin, body).await.expect(200);
    assert_eq!(titles(&portal, &ann.who, "direction=out").await, all(&["Of Ann", "Of Bob"]));
    assert_eq!(titles(&portal, &ann.who, "direction=in").await, all(&["To Ann", "To Bob and Cleo"]));

    // What a customer has sent and the staff give to another one has come in there.
    let given = add(&portal, &admin, &of_ann, json!({ "contact_id": cleo.id })).await;
    assert_eq!(titles(&portal, &cleo.who, "direction=in").await, all(&["Of Ann", "To Bob and Cleo"]));
    take_away(&portal, &admin, &of_ann, &given).await;
    assert_eq!(titles(&portal, &cleo.who, "direction=in").await, all(&["To Bob and Cleo"]));
    let table = portal.everything_in_the_table().await;
    assert_eq!(table.matches(&format!("WORDS#SHARES#{}#=", cleo.id)).count(), 3, "marks are left behind");

    portal.get("/v1/shares?direction=up", &admin).await.expect_invalid("direction");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_or_one_company_has_sent_is_a_list() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let body = json!({ "name": "Sam", "email": "sam@northgate.example", "roles": ["member"] });
    let sam_id = text(&portal.post("/v1/staff", &admin, body).await.expect(201)["id"]);
    let sam = portal.activate(&portal.activation_token("sam@northgate.example", 1).await).await;
    let admin_id = text(&portal.get("/v1/me", &admin).await.expect(200)["id"]);
    portal.share(&admin, "Admin's report", &[&ann.id]).await;
    let of_sam = portal.share(&sam, "Sam's report", &[&ann.id]).await;
    portal.share(&sam, "Sam's invoice", &[&ann.id]).await;
    returned(&portal, &ann, "Of Ann").await;
    portal.get(&format!("/v1/shares/{of_sam}"), &ann.who).await.expect(200);

    let from_sam = format!("from_id={sam_id}");
    for (who, look, found) in [
        (&ann.who, from_sam.clone(), vec!["Sam's report", "Sam's invoice"]),
        (&admin, from_sam.clone(), vec!["Sam's report", "Sam's invoice"]),
        (&admin, format!("from_id={admin_id}"), vec!["Admin's report"]),
        (&admin, format!("from_id={}", ann.id), vec!["Of Ann"]),
        (&admin, format!("from_id={}", ann.company), vec!["Of Ann"]),
        (&ann.who, format!("{from_sam}&q=report"), vec!["Sam's report"]),
        (&ann.who, format!("{from_sam}&unread=true"), vec!["Sam's invoice"]),
        (&ann.who, format!("{from_sam}&direction=in&type=document&sort=title"), vec!["Sam's report", "Sam's invoice"]),
        (&ann.who, format!("{from_sam}&direction=out"), vec![]),
        (&ann.who, "direction=in&sort=-size&unread=true".to_owned(), vec!["Admin's report", "Sam's invoice"]),
        (&admin, "state=draft&direction=out".to_owned(), vec![]),
        (&admin, "state=sent&direction=in".to_owned(), vec!["Of Ann"]),
    ] {
        assert_eq!(titles(&portal, who, &look).await, all(&found), "{look}");
    }
    portal.get("/v1/shares?from_id=shr_1", &admin).await.expect_invalid("from_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_says_how_many_there_are_where_that_is_known_or_asked_for() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    for n in 1..=3 {
        portal.share(&admin, &format!("Report {n}"), &[&ann.id]).await;
    }
    portal.tasks_are_done().await;
    let total = async |look: &str| {
        let list = portal.get(&format!("/v1/shares?limit=2&{look}"), &ann.who).await.expect(200);
        (list["items"].as_array().unwrap().len(), list["total"].clone(), list["next"].clone())
    };
    assert_eq!(total("q=report+2").await.1, 1, "all are on the page");
    let (shown, unknown, next) = total("").await;
    assert_eq!((shown, unknown), (2, Value::Null));
    // The last page does not know of those before it.
    assert_eq!(total(&format!("cursor={}", text(&next))).await.1, Value::Null);
    for look in ["", "unread=true", "sort=title", "type=document", "direction=in", "from=2020-01-01T00:00:00Z"] {
        let (shown, counted, next) = total(&format!("{look}&total=true")).await;
        assert_eq!((shown, counted), (2, json!(3)), "{look}");
        let on = total(&format!("{look}&total=true&cursor={}", text(&next))).await;
        assert_eq!((on.0, on.1), (1, json!(3)), "{look}");
    }
    // What was gathered to be sorted is counted with it.
    assert_eq!(total("q=report&sort=title").await.1, 3);
    assert_eq!(total("direction=in&sort=title").await.1, 3);
    assert_eq!(total("direction=out&total=true").await, (0, json!(0), Value::Null));
}
