//! "After clicking on 'Get access' all they need to do is activate it through the link received by e-mail."

use std::time::Duration;

use gatehouse_tests::{NOBODY, PASSWORD, Portal, text};
use reqwest::Method;
use serde_json::json;

const WEEK: Duration = Duration::from_hours(7 * 24);

/// A portal with one invited contact: the portal, the admin, the contact's id, the token.
async fn invited() -> (Portal, gatehouse_tests::Who, String, String) {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{contact}/invitation"), &admin, None).await.expect(202);
    let token = portal.activation_token("ann@harbour.example", 1).await;
    (portal, admin, contact, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_shows_who_is_invited_and_the_password_makes_the_account() {
    let (portal, admin, contact, token) = invited().await;
    let shown = portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.expect(200);
    assert_eq!(shown["name"], "Zoë Contact");
    assert_eq!(shown["email"], "ann@harbour.example");
    assert_eq!(shown["company"], "Harbour & Sons");
    assert_eq!(shown["operator"], "Northgate Logistics");

    let body = json!({ "token": token, "password": PASSWORD, "name": "Ann Lee", "language": "de" });
    let session = portal.post("/v1/activations", &NOBODY, body).await.expect(201);
    assert_eq!((session["kind"].as_str(), session["name"].as_str()), (Some("customer"), Some("Ann Lee")));

    let now = portal.get(&format!("/v1/contacts/{contact}"), &admin).await.expect(200);
    assert_eq!((now["access"].as_str(), now["language"].as_str()), (Some("active"), Some("de")));
    assert!(now["activated_at"].is_string());
    portal.sign_in("ann@harbour.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_the_link_changes_nothing_however_often_a_mail_scanner_looks() {
    let (portal, admin, contact, token) = invited().await;
    let before = portal.get(&format!("/v1/contacts/{contact}"), &admin).await.expect(200);
    for _ in 0..20 {
        portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.expect(200);
    }
    assert_eq!(portal.get(&format!("/v1/contacts/{contact}"), &admin).await.expect(200), before);
    portal.activate(&token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_a_used_a_replaced_a_withdrawn_and_an_unknown_link_each_say_so() {
    let (portal, admin, contact, first) = invited().await;
    let invitation = format!("/v1/contacts/{contact}/invitation");
    let refused = async |token: &str, status: u16, slug: &str| {
        let check = portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await;
        check.expect_problem(status, slug);
        let body = json!({ "token": token, "password": PASSWORD });
        portal.post("/v1/activations", &NOBODY, body).await.expect_problem(status, slug);
    };

    portal.call(Method::POST, &invitation, &admin, None).await.expect(202);
    let second = portal.activation_token("ann@harbour.example", 2).await;
    refused(&first, 410, "link_replaced").await;

    portal.delete(&invitation, &admin).await.expect(204);
    refused(&second, 410, "link_withdrawn").await;

    portal.call(Method::POST, &invitation, &admin, None).await.expect(202);
    let third = portal.activation_token("ann@harbour.example", 3).await;
    portal.pass(WEEK).await;
    refused(&third, 410, "link_expired").await;

    let admin = portal.sign_in(gatehouse_tests::ADMIN).await;
    portal.call(Method::POST, &invitation, &admin, None).await.expect(202);
    let fourth = portal.activation_token("ann@harbour.example", 4).await;
    portal.activate(&fourth).await;
    refused(&fourth, 410, "link_used").await;
    refused(&first, 410, "link_replaced").await;

    let unknown = gatehouse::domain::Token::random().reveal();
    for nonsense in [unknown.as_str(), "", "no token", &fourth[1..], &format!("{fourth}A")] {
        refused(nonsense, 404, "link_unknown").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_activations_at_once_one_makes_the_account() {
    let (portal, admin, contact, token) = invited().await;
    let portal = std::sync::Arc::new(portal);
    let attempts = (0..50).map(|n| {
        let (portal, token) = (portal.clone(), token.clone());
        tokio::spawn(async move {
            let body = json!({ "token": token, "password": format!("{PASSWORD} number {n}") });
            (n, portal.post("/v1/activations", &NOBODY, body).await)
        })
    });
    let mut winner = None;
    for attempt in attempts.collect::<Vec<_>>() {
        let (n, reply) = attempt.await.unwrap();
        if reply.status == 201 {
            assert_eq!(winner.replace(n), None, "two activations won");
        } else {
            reply.expect_problem(410, "link_used");
        }
    }
    let password = format!("{PASSWORD} number {}", winner.expect("one activation wins"));
    let body = json!({ "email": "ann@harbour.example", "password": password });
    portal.post("/v1/sessions", &NOBODY, body).await.expect(201);
    assert_eq!(portal.get(&format!("/v1/contacts/{contact}"), &admin).await.expect(200)["access"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_offers_a_new_one_and_tells_a_stranger_nothing() {
    let (portal, _, _, token) = invited().await;
    let renew = async |token: &str| portal.post("/v1/activations/renew", &NOBODY, json!({ "token": token })).await;

    // A link that works needs no other.
    let answer = renew(&token).await.expect(202);
    portal.pass(WEEK).await;
    for nonsense in ["nonsense".to_owned(), gatehouse::domain::Token::random().reveal(), token.clone()] {
        assert_eq!(renew(&nonsense).await.expect(202), answer);
    }
    let anew = portal.activation_token("ann@harbour.example", 2).await;
    assert_eq!(portal.mails("ann@harbour.example").await.len(), 2);
    portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.expect_problem(410, "link_replaced");
    portal.activate(&anew).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_needs_twelve_characters_and_no_composition() {
    let (portal, _, _, token) = invited().await;
    let with = async |password: &str| {
        portal.post("/v1/activations", &NOBODY, json!({ "token": token, "password": password })).await
    };
    let problem = with("short").await.expect_problem(422, "password_too_weak");
    assert!(text(&problem["detail"]).contains("12 characters"), "{problem}");
    with(&"x".repeat(129)).await.expect_problem(422, "password_too_weak");
    with("пароль из простых слов").await.expect(201);
}
