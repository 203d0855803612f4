//! Many people behind one address, and those who guess: each is slowed by what they do themselves.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_tests::{ADMIN, NOBODY, PASSWORD, Portal, Reply, token_in};
use reqwest::{Method, StatusCode};
use serde_json::json;

const WRONG: &str = "not the password at all";
const OFFICE: &str = "127.0.0.77";

/// So many people with accounts, who were never in that office before.
async fn people(portal: &Arc<Portal>, count: usize) -> Vec<String> {
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour & Sons").await;
    let mut entering = Vec::new();
    for n in 0..count {
        let (portal, admin, company) = (Arc::clone(portal), admin.clone(), company.clone());
        entering.push(tokio::spawn(async move {
            let email = format!("person{n}@harbour.example");
            let body = json!({ "name": "Person", "email": email, "send_invite": true });
            portal.post(&format!("/v1/companies/{company}/contacts"), &admin, body).await.expect(201);
            let token = portal.activation_token(&email, 1).await;
            portal.activate(&token).await;
            email
        }));
    }
    let mut people = Vec::new();
    for entering in entering {
        people.push(entering.await.unwrap());
    }
    people
}

/// All of them at the same moment, from the office.
async fn all_at_once(portal: &Arc<Portal>, people: &[String], password: &'static str) -> Vec<Reply> {
    let tries: Vec<_> = people
        .iter()
        .cloned()
        .map(|email| {
            let portal = Arc::clone(portal);
            tokio::spawn(async move { portal.sign_in_from(OFFICE, &email, password, None).await })
        })
        .collect();
    let mut replies = Vec::new();
    for tried in tries {
        replies.push(tried.await.unwrap());
    }
    replies
}

fn all_are(replies: &[Reply], status: StatusCode) -> bool {
    replies.iter().all(|reply| reply.status == status)
}

/// Guesses, and waits as it is told to, until it would have to wait for a minute: long enough for what follows.
async fn guess_until_it_waits(portal: &Portal, email: &str, device: Option<&str>, from: impl Fn(u32) -> String) -> u32 {
    let mut tried = 0;
    for n in 0..60 {
        let reply = portal.sign_in_from(&from(n), email, WRONG, device).await;
        if reply.status == StatusCode::UNAUTHORIZED {
            tried += 1;
            continue;
        }
        let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
        reply.expect_problem(429, "too_many_requests");
        if wait > 50 {
            return tried;
        }
        portal.pass(Duration::from_secs(wait)).await;
    }
    panic!("nobody had to wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_signs_in_on_monday_morning_and_mistypes_all_week_without_waiting() {
    let portal = Arc::new(Portal::open().await);
    let people = people(&portal, 40).await;
    // The first time that anybody is here: all at once, and each mistypes first.
    assert!(all_are(&all_at_once(&portal, &people, WRONG).await, StatusCode::UNAUTHORIZED));
    assert!(all_are(&all_at_once(&portal, &people, PASSWORD).await, StatusCode::CREATED));
    for day in 0..3 {
        portal.pass(Duration::from_hours(24)).await;
        for _ in 0..=day % 2 {
            assert!(all_are(&all_at_once(&portal, &people, WRONG).await, StatusCode::UNAUTHORIZED), "day {day}");
        }
        assert!(all_are(&all_at_once(&portal, &people, PASSWORD).await, StatusCode::CREATED), "day {day}");
    }
    // Somebody among them guesses, for accounts that are not known here; those that are do not notice.
    for n in 0..60 {
        let email = format!("stranger{n}@elsewhere.example");
        portal.sign_in_from(OFFICE, &email, WRONG, None).await;
    }
    assert!(all_are(&all_at_once(&portal, &people, PASSWORD).await, StatusCode::CREATED));
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_of_different_people_behind_one_address_at_one_moment_never_wait() {
    let portal = Arc::new(Portal::open().await);
    let people = people(&portal, 25).await;
    for _ in 0..3 {
        assert!(all_are(&all_at_once(&portal, &people, PASSWORD).await, StatusCode::CREATED));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_from_many_networks_does_not_lock_the_owner_out() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let first = portal.sign_in_from("127.0.0.20", &ann.email, PASSWORD, None).await;
    let device = first.cookie("gatehouse-device").unwrap();
    assert_eq!(first.status, StatusCode::CREATED);
    let from = |n: u32| format!("127.0.2.{}", 1 + n % 250);
    // Five go free, and the wait doubles: a second, two, four … a minute.
    let tried = guess_until_it_waits(&portal, &ann.email, None, from).await;
    assert_eq!(tried, 11);
    // At her desk, and with her browser anywhere.
    assert_eq!(portal.sign_in_from("127.0.0.20", &ann.email, PASSWORD, None).await.status, StatusCode::CREATED);
    assert_eq!(
        portal.sign_in_from("127.0.0.21", &ann.email, PASSWORD, Some(&device)).await.status,
        StatusCode::CREATED
    );
    // That has not told those who guess anything, nor let them on: an address that nobody has waits just so.
    portal.sign_in_from("127.0.2.99", &ann.email, WRONG, None).await.expect_problem(429, "too_many_requests");
    // A new browser in a new place waits, or sets a new password by mail: then it is known.
    portal.sign_in_from("127.0.0.22", &ann.email, PASSWORD, None).await.expect_problem(429, "too_many_requests");
    // She is not kept from changing her password either.
    let body = json!({ "current_password": PASSWORD, "password": "entirely different words, four" });
    portal.call(Method::PUT, "/v1/me/password", &ann.who, Some(body)).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_at_the_next_desk_is_slowed_and_the_browser_of_the_owner_is_not() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let device = portal.sign_in_from(OFFICE, &ann.email, PASSWORD, None).await.cookie("gatehouse-device").unwrap();
    assert_eq!(guess_until_it_waits(&portal, &ann.email, None, |_| OFFICE.to_owned()).await, 11);
    portal.sign_in_from(OFFICE, &ann.email, PASSWORD, Some(&device)).await.expect(201);
    // Her success there does not begin a new row for the guesser.
    portal.sign_in_from(OFFICE, &ann.email, WRONG, None).await.expect_problem(429, "too_many_requests");
    // A browser that was stolen guesses no faster than any other.
    assert_eq!(guess_until_it_waits(&portal, &ann.email, Some(&device), |_| "127.0.0.30".to_owned()).await, 11);
    // Somebody else's browser is nobody's here.
    guess_until_it_waits(&portal, &ann.email, None, |_| OFFICE.to_owned()).await;
    let other = gatehouse::domain::Token::random().reveal();
    portal.sign_in_from(OFFICE, &ann.email, PASSWORD, Some(&other)).await.expect_problem(429, "too_many_requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_guesses_many_accounts_waits_half_a_minute_at_most_and_is_forgiven_in_time() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let mut longest = 0;
    for n in 0..70 {
        let reply = portal.sign_in_from(OFFICE, &format!("p{n}@harbour.example"), WRONG, None).await;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
            longest = longest.max(wait);
            portal.pass(Duration::from_secs(wait)).await;
        } else {
            reply.expect_problem(401, "wrong_credentials");
        }
    }
    assert!((20..=30).contains(&longest), "{longest}");
    // What was refused counts for nobody: an account that was only tried in vain has all its tries elsewhere.
    for _ in 0..6 {
        portal.sign_in_from(OFFICE, "mia@harbour.example", WRONG, None).await;
    }
    let mut elsewhere = Vec::new();
    for n in 0..4 {
        let from = format!("127.0.3.{}", 1 + n);
        elsewhere.push(portal.sign_in_from(&from, "mia@harbour.example", WRONG, None).await.status.as_u16());
    }
    assert_eq!(elsewhere, [401; 4]);
    // Who is new there waits that long, too, and then gets in; a burst of guesses gets one place of each wait.
    portal.pass(Duration::from_secs(31)).await;
    let portal = Arc::new(portal);
    let guesses: Vec<_> = (0..20)
        .map(|n| {
            let portal = Arc::clone(&portal);
            tokio::spawn(async move {
                portal.sign_in_from(OFFICE, &format!("q{n}@harbour.example"), WRONG, None).await.status.as_u16()
            })
        })
        .collect();
    let mut tried = 0;
    for guess in guesses {
        tried += u32::from(guess.await.unwrap() == 401);
    }
    assert_eq!(tried, 1);
    portal.pass(Duration::from_secs(31)).await;
    portal.sign_in_from(OFFICE, &ann.email, PASSWORD, None).await.expect(201);
    // One failure in ten minutes is forgotten: half a day later all of it.
    portal.pass(Duration::from_hours(13)).await;
    for n in 0..10 {
        let reply = portal.sign_in_from(OFFICE, &format!("r{n}@harbour.example"), WRONG, None).await;
        reply.expect_problem(401, "wrong_credentials");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_link_opens_whatever_others_on_the_same_network_try() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let bob = portal.contact(&admin, &company, "bob@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{bob}/invitation"), &admin, None).await.expect(202);
    let token = portal.activation_token("bob@harbour.example", 1).await;
    let mut last = 0;
    for _ in 0..30 {
        let guess = json!({ "token": gatehouse::domain::Token::random().reveal() });
        last = portal.post("/v1/activations/check", &NOBODY, guess).await.status.as_u16();
    }
    assert_eq!(last, 429);
    portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.expect(200);
    portal.activate(&token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hourly_limits_do_not_double_at_the_turn_of_the_hour() {
    let portal = Portal::open().await;
    portal.admin().await;
    let reset = async || portal.post("/v1/password-resets", &NOBODY, json!({ "email": ADMIN })).await.expect(202);
    for _ in 0..7 {
        reset().await;
    }
    portal.mails_when(ADMIN, 6).await;
    for _ in 0..5 {
        portal.pass(Duration::from_mins(11)).await;
        reset().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(ADMIN).await.len(), 6, "the activation and five resets of one hour");
    portal.pass(Duration::from_mins(6)).await;
    reset().await;
    portal.mails_when(ADMIN, 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_client_is_its_own_network() {
    const SECRET: &str = "what only the proxy and the portal know";
    let proxy = gatehouse::http::TrustedProxy::new("CloudFront-Viewer-Address", SECRET).unwrap();
    let portal = Portal::open_with(|env| env.proxy = Some(proxy)).await;
    portal.admin().await;
    let ask = async |viewer: &str, secret: &str| {
        let request = portal.request(Method::POST, "/v1/password-resets").header("cloudfront-viewer-address", viewer);
        let request = request.header("x-gatehouse-proxy", secret);
        portal.send(request.json(&json!({ "email": "x@harbour.example" }))).await.status.as_u16()
    };
    for n in 0..60 {
        assert_eq!(ask("198.51.100.7:4000", SECRET).await, 202, "{n}");
    }
    assert_eq!(ask("198.51.100.7:4001", SECRET).await, 429);
    assert_eq!(ask("198.51.100.8:4000", SECRET).await, 202);
    // Without the secret the header says nothing: these are all one, the peer.
    for n in 0..61 {
        let status = ask(&format!("198.51.100.{n}:4000"), "guessed").await;
        assert_eq!(status, if n < 60 { 202 } else { 429 }, "{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_from_a_link_to_an_account_is_not_closed_by_strangers_registrations() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "title": "Report", "recipients": [{ "email": "uma@terminal.example" }], "files": [] });
    let share = portal.post("/v1/shares", &admin, body).await.expect(201);
    let path = format!("/v1/shares/{}", share["id"].as_str().unwrap());
    let file = json!({ "name": "a.txt", "size": 5, "content_type": "text/plain" });
    let file = portal.post(&format!("{path}/files"), &admin, file).await.expect(201);
    portal.upload(&file["upload"], b"hello").await;
    portal.complete(&admin, share["id"].as_str().unwrap(), file["id"].as_str().unwrap()).await.expect(200);
    portal.call(Method::POST, &format!("{path}/send"), &admin, None).await.expect(202);
    let mails = portal.mails_when("uma@terminal.example", 1).await;
    let token = token_in(mails[0]["text"].as_str().unwrap(), "/open#");
    for _ in 0..6 {
        let body = json!({ "name": "Uma", "email": "uma@terminal.example", "company": "Terminal" });
        portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    }
    let body = json!({ "token": token, "name": "Uma" });
    portal.post("/v1/links/get-access", &NOBODY, body).await.expect(202);
}
