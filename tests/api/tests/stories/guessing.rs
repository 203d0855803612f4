//! Passwords: lost, changed, guessed at.

use std::time::Duration;

use gatehouse_tests::{ADMIN, NOBODY, PASSWORD, Portal, Who, text, token_in};
use reqwest::Method;
use serde_json::json;

const NEW: &str = "entirely different words, four";

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_set_anew_by_mail_once_and_ends_all_sessions() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    portal.post("/v1/password-resets", &NOBODY, json!({ "email": ADMIN })).await.expect(202);
    let mail = &portal.mails_when(ADMIN, 2).await[0];
    let token = token_in(&text(&mail["text"]), "/reset#");
    let confirm = async |password: &str| {
        portal.post("/v1/password-resets/confirm", &NOBODY, json!({ "token": token, "password": password })).await
    };
    confirm("short").await.expect_problem(422, "password_too_weak");
    confirm("admin@northgate.example").await.expect_problem(422, "password_too_weak");
    portal.get("/v1/me", &admin).await.expect(200);
    let session = confirm(NEW).await.expect(201);
    portal.get("/v1/me", &Who(Some(text(&session["token"])))).await.expect(200);
    portal.get("/v1/me", &admin).await.expect_problem(401, "sign_in_required");
    confirm(NEW).await.expect_problem(410, "link_used");
    portal
        .post("/v1/sessions", &NOBODY, json!({ "email": ADMIN, "password": PASSWORD }))
        .await
        .expect_problem(401, "wrong_credentials");
    portal.post("/v1/sessions", &NOBODY, json!({ "email": ADMIN, "password": NEW })).await.expect(201);
    assert!(text(&portal.mails_when(ADMIN, 3).await[0]["subject"]).contains("changed"));

    portal.post("/v1/password-resets", &NOBODY, json!({ "email": ADMIN })).await.expect(202);
    let late = token_in(&text(&portal.mails_when(ADMIN, 4).await[0]["text"]), "/reset#");
    portal.pass(Duration::from_hours(1)).await;
    let body = json!({ "token": late, "password": PASSWORD });
    portal.post("/v1/password-resets/confirm", &NOBODY, body).await.expect_problem(410, "link_expired");
    let body = json!({ "token": "nonsense", "password": PASSWORD });
    portal.post("/v1/password-resets/confirm", &NOBODY, body).await.expect_problem(404, "link_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_link_opens_no_account_and_an_activation_link_resets_no_password() {
    let portal = Portal::open().await;
    let activation = portal.activation_token(ADMIN, 1).await;
    let body = json!({ "token": activation, "password": NEW });
    portal.post("/v1/password-resets/confirm", &NOBODY, body).await.expect_problem(404, "link_unknown");
    portal.activate(&activation).await;
    portal.post("/v1/password-resets", &NOBODY, json!({ "email": ADMIN })).await.expect(202);
    let reset = token_in(&text(&portal.mails_when(ADMIN, 2).await[0]["text"]), "/reset#");
    let body = json!({ "token": reset, "password": NEW });
    portal.post("/v1/activations", &NOBODY, body).await.expect_problem(404, "link_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_the_password_changes_it_and_every_other_session_ends() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let other = portal.sign_in(ADMIN).await;
    let change = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "password": new });
        portal.call(Method::PUT, "/v1/me/password", &admin, Some(body)).await
    };
    change("not this one, surely", NEW).await.expect_problem(401, "wrong_credentials");
    change(PASSWORD, ADMIN).await.expect_problem(422, "password_too_weak");
    let session = change(PASSWORD, NEW).await.expect(201);
    portal.get("/v1/me", &Who(Some(text(&session["token"])))).await.expect(200);
    for ended in [&admin, &other] {
        portal.get("/v1/me", ended).await.expect_problem(401, "sign_in_required");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_make_everybody_wait_the_owner_is_told_once_and_gets_in_by_reset() {
    let portal = Portal::open().await;
    portal.admin().await;
    let mut waited = Vec::new();
    for n in 0..20 {
        // From one address and from many: the account is what counts.
        let from = format!("127.0.0.{}", 2 + n % 10);
        loop {
            let reply = portal.sign_in_from(&from, ADMIN, "not the password at all", None).await;
            if reply.status == 401 {
                break;
            }
            let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
            reply.expect_problem(429, "too_many_requests");
            waited.push(wait);
            portal.pass(Duration::from_secs(wait)).await;
        }
    }
    let grows = waited[..8].windows(2).all(|pair| pair[0] < pair[1]);
    assert!(waited.len() >= 14 && grows && *waited.last().unwrap() > 850, "{waited:?}");
    // The right password has to wait as well, or waiting would tell which one is right.
    portal.sign_in_from("127.0.0.50", ADMIN, PASSWORD, None).await.expect_problem(429, "too_many_requests");
    let told = portal.mails_when(ADMIN, 2).await;
    assert!(text(&told[0]["subject"]).contains("tried to sign in"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(ADMIN).await.len(), 2, "told once");

    portal.post("/v1/password-resets", &NOBODY, json!({ "email": ADMIN })).await.expect(202);
    let token = token_in(&text(&portal.mails_when(ADMIN, 3).await[0]["text"]), "/reset#");
    let body = json!({ "token": token, "password": NEW });
    portal.post("/v1/password-resets/confirm", &NOBODY, body).await.expect(201);
    // In the browser, and from the network, where that was done; what others wait for elsewhere says nothing.
    portal.sign_in_from("127.0.0.1", ADMIN, NEW, None).await.expect(201);
    portal.sign_in_from("127.0.0.50", ADMIN, NEW, None).await.expect_problem(429, "too_many_requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_sign_ins_waits_and_resets_are_in_the_activity_of_whom_they_concern() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    for email in [ann.email.as_str(), "nobody@harbour.example"] {
        for n in 0..7 {
            portal.sign_in_from(&format!("127.0.2.{}", 2 + n), email, "not the password at all", None).await;
        }
    }
    portal.post("/v1/password-resets", &NOBODY, json!({ "email": ann.email })).await.expect(202);
    portal.post("/v1/password-resets", &NOBODY, json!({ "email": "nobody@harbour.example" })).await.expect(202);
    portal.mails_when(&ann.email, 2).await;
    let of = async |kind: &str| {
        let page = portal.get(&format!("/v1/activity?kind={kind}"), &admin).await.expect(200);
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| json!([item["contact_id"], item["count"]]))
            .collect::<Vec<_>>()
    };
    // The fifth in a row fails, those behind it wait, which is said once. Who has no account is nobody, and counts as well.
    assert_eq!(of("sign_in_failed").await, [json!([null, 5]), json!([ann.id, 5])]);
    assert_eq!(of("sign_in_blocked").await, [json!([null, null]), json!([ann.id, null])]);
    assert_eq!(of("reset_requested").await, [json!([ann.id, null])]);

    portal.call(Method::DELETE, "/v1/sessions", &ann.who, None).await.expect(204);
    assert_eq!(of("sessions_ended").await, [json!([ann.id, null])]);
    let text = portal.get("/v1/activity?limit=100", &admin).await.expect(200).to_string();
    assert!(!text.contains("nobody@"), "what a stranger typed is recorded nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_made_to_wait_like_a_known_one() {
    let portal = Portal::open().await;
    portal.admin().await;
    let mut statuses = Vec::new();
    for email in [ADMIN, "nobody@northgate.example"] {
        let mut of_email = Vec::new();
        for n in 0..7 {
            let from = format!("127.0.0.{}", 2 + n);
            of_email.push(portal.sign_in_from(&from, email, "not the password at all", None).await.status.as_u16());
        }
        statuses.push(of_email);
    }
    assert_eq!(statuses[0], [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(statuses[0], statuses[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_guesses_gets_no_further_than_a_row_of_them() {
    let portal = std::sync::Arc::new(Portal::open().await);
    portal.admin().await;
    let guesses = (0..40).map(|n| {
        let portal = portal.clone();
        tokio::spawn(async move {
            portal
                .sign_in_from(&format!("127.0.1.{}", n + 1), ADMIN, "not the password at all", None)
                .await
                .status
                .as_u16()
        })
    });
    let mut tried = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            401 => tried += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert!(tried <= 5, "{tried} guesses were tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_that_guesses_many_accounts_or_links_is_made_to_wait() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let mut last = 0;
    for n in 0..51 {
        let email = format!("p{n}@harbour.example");
        last = portal.sign_in_from("127.0.0.9", &email, "not the password at all", None).await.status.as_u16();
    }
    assert_eq!(last, 429);
    portal.sign_in(ADMIN).await;

    let check = async || {
        let token = gatehouse::domain::Token::random().reveal();
        portal.post("/v1/activations/check", &NOBODY, json!({ "token": token })).await.status.as_u16()
    };
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(check().await);
    }
    assert_eq!((statuses[0], statuses[24]), (404, 429));
    portal.get("/v1/me", &admin).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_resets_an_hour_are_mailed_and_every_answer_is_the_same() {
    let portal = Portal::open().await;
    portal.admin().await;
    for _ in 0..8 {
        portal.post("/v1/password-resets", &NOBODY, json!({ "email": ADMIN })).await.expect(202);
    }
    portal.mails_when(ADMIN, 6).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(ADMIN).await.len(), 6, "the activation and five resets");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_less_work_is_made_anew_at_sign_in() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let id = text(&portal.get("/v1/me", &admin).await.expect(200)["id"]);
    let person = gatehouse::domain::PersonId::Staff(id.parse().unwrap());
    let store = gatehouse::store::Store::new(&portal.stack.env);
    let strong = store.password(person).await.unwrap().unwrap();
    assert!(strong.contains("m=19456,t=2,p=1"), "{strong}");
    let weak = portal.weak_hash(PASSWORD);
    store.transaction().password(person, &weak).commit().await.unwrap();
    portal.sign_in(ADMIN).await;
    let now = store.password(person).await.unwrap().unwrap();
    assert!(now.contains("m=19456,t=2,p=1"), "{now}");
    portal.sign_in(ADMIN).await;
}
