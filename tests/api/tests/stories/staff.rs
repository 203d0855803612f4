//! Who works for the operator, and what each may do.

use gatehouse::domain::{Right, Role, Scope};
use gatehouse_tests::{ADMIN, NOBODY, Portal, Who, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::events;

/// A new person of the staff with an account; its id and session.
pub(crate) async fn enter(portal: &Portal, admin: &Who, email: &str, roles: Value) -> (String, Who) {
    let body = json!({ "name": "Staff", "email": email, "roles": roles });
    let member = portal.post("/v1/staff", admin, body).await.expect(201);
    assert_eq!(member["access"], "invited");
    let token = portal.activation_token(email, 1).await;
    (text(&member["id"]), portal.activate(&token).await)
}

/// What a route asks of its caller.
#[derive(Clone, Copy)]
enum Needs {
    /// Nothing: it is for strangers.
    Nothing,
    /// Being signed in, as whoever.
    Session,
    /// A right of the staff.
    Right(Right),
    /// A right of the staff, or being the one whom it is about; never a key.
    RightOrSelf(Right),
    /// A right of the staff, or a customer's session.
    RightOrCustomer(Right),
    /// A customer's session.
    Customer,
}

fn needs(route: &str) -> Needs {
    use Needs::{Nothing, RightOrCustomer, Session};
    let path = route.split_once(' ').unwrap().1;
    match route {
        "GET /openapi.json" | "POST /v1/sessions" | "POST /v1/registrations" => Nothing,
        "POST /v1/contacts/{id}/invitation" => Needs::Right(Right::ManageCustomers),
        "GET /v1/shares" | "GET /v1/shares/{id}" => RightOrCustomer(Right::ReadShares),
        "GET /v1/sites" | "GET /v1/sites/{id}" | "GET /v1/assets" | "GET /v1/assets/{id}" => {
            RightOrCustomer(Right::ReadRecords)
        }
        "GET /v1/jobs" | "GET /v1/jobs/{id}" | "POST /v1/jobs/{id}/thumbnails" => RightOrCustomer(Right::ReadRecords),
        "PATCH /v1/jobs/{id}" => Needs::Right(Right::ManageRecords),
        "POST /v1/problems" | "POST /v1/problem-photos" => Needs::Customer,
        _ if path.starts_with("/v1/jobs/{id}/files/") => RightOrCustomer(Right::ReadRecords),
        _ if path.starts_with("/v1/jobs/") => RightOrCustomer(Right::ManageRecords),
        _ if ["/sites", "/assets", "/jobs"]
            .iter()
            .any(|kind| path.starts_with(&format!("/v1/companies/{{id}}{kind}"))) =>
        {
            Needs::Right(Right::ManageRecords)
        }
        "PUT /v1/staff/{id}/duty" => Needs::RightOrSelf(Right::ManageStaff),
        "GET /v1/staff" => Needs::Right(Right::ReadStaff),
        "GET /v1/activity" => Needs::Right(Right::ReadActivity),
        "GET /v1/settings" => Needs::Right(Right::ReadSettings),
        "PUT /v1/settings" => Needs::Right(Right::ManageSettings),
        _ if path.starts_with("/v1/activations") || path.starts_with("/v1/password-resets") => Nothing,
        _ if path.starts_with("/v1/links") || path.starts_with("/v1/unsubscribe") => Nothing,
        _ if path.starts_with("/v1/me") || path.starts_with("/v1/sessions") => Session,
        _ if ["/download", "/downloads", "/preview", "/thumbnails"].iter().any(|end| path.ends_with(end)) => {
            RightOrCustomer(Right::ReadShares)
        }
        // A customer is told 404 of a share that is not its own; of its own, story `returning` tells.
        "GET /v1/shares/{id}/recipients" => RightOrCustomer(Right::ReadShares),
        "POST /v1/shares/{id}/mail-preview" => Needs::RightOrSelf(Right::ReadShares),
        _ if path.starts_with("/v1/shares") => RightOrCustomer(Right::ManageShares),
        _ if path.starts_with("/v1/registrations") => Needs::Right(Right::MapRegistrations),
        _ if path.starts_with("/v1/staff") => Needs::Right(Right::ManageStaff),
        _ if path.starts_with("/v1/api-keys") => Needs::Right(Right::ManageKeys),
        _ if route.starts_with("GET ") => Needs::Right(Right::ReadCustomers),
        _ => Needs::Right(Right::ManageCustomers),
    }
}

enum Caller {
    Nobody,
    Customer,
    Staff(Role),
    Key(Scope),
}

/// 401, 403, or `None` for: let in.
fn refused(caller: &Caller, needs: Needs) -> Option<u16> {
    match (needs, caller) {
        (Needs::Nothing, _) => None,
        (_, Caller::Nobody) | (Needs::Session | Needs::RightOrSelf(_), Caller::Key(_)) => Some(401),
        (Needs::Session, _) | (Needs::RightOrCustomer(_) | Needs::Customer, Caller::Customer) => None,
        (Needs::Customer, _) | (Needs::Right(_) | Needs::RightOrSelf(_), Caller::Customer) => Some(403),
        (Needs::Right(right) | Needs::RightOrSelf(right) | Needs::RightOrCustomer(right), Caller::Staff(role)) => {
            (!role.grants(right)).then_some(403)
        }
        (Needs::Right(right) | Needs::RightOrCustomer(right), Caller::Key(scope)) => {
            (!scope.grants(right)).then_some(403)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_exactly_those_whom_the_table_of_rights_names() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let mut callers = vec![(Caller::Nobody, NOBODY)];
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let areas = json!({ "areas": ["files", "upload", "jobs", "assets", "report_problem"] });
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, areas).await.expect(200);
    callers.push((Caller::Customer, ann.who));
    for role in [Role::Admin, Role::Member, Role::Mapper, Role::Viewer] {
        let name = serde_json::to_value(role).unwrap();
        let email = format!("{}@northgate.example", text(&name));
        let email = if role == Role::Admin { "second-admin@northgate.example".to_owned() } else { email };
        callers.push((Caller::Staff(role), enter(&portal, &admin, &email, json!([name])).await.1));
    }
    let (customers, shares) = ([Scope::CustomersRead, Scope::CustomersWrite], [Scope::SharesRead, Scope::SharesWrite]);
    let records = [Scope::RecordsRead, Scope::RecordsWrite];
    for scope in customers.into_iter().chain(shares).chain(records).chain([Scope::Registrations, Scope::ActivityRead]) {
        let body = json!({ "name": "Key", "scopes": [scope] });
        let key = portal.post("/v1/api-keys", &admin, body).await.expect(201);
        callers.push((Caller::Key(scope), Who(Some(text(&key["key"])))));
    }
    // The ids name nothing that exists, so that nothing is changed by those who are let in.
    let now = gatehouse::clock::Timestamp::now();
    let of_kind = |prefix: &str| gatehouse::domain::ContactId::new(now).to_string().replace("con", prefix);
    let mut walked = 0;
    for ((function, name), event) in events() {
        let event: Value = serde_json::from_str(&event).unwrap();
        let Some(route) = event["routeKey"].as_str().filter(|route| route.contains(' ')) else { continue };
        // Signing out would end the session that the walk goes on with; pages are for everybody.
        if route.starts_with("DELETE /v1/sessions") || function == "pages" {
            continue;
        }
        let prefix = match function.as_str() {
            "contacts" if name.contains("compan") || name.ends_with("contacts") || name == "create-contact" => "com",
            "contacts" | "invite" => "con",
            "staff" if name.contains("key") => "key",
            "staff" => "stf",
            "map" => "reg",
            _ => "shr",
        };
        let fill = |text: &str| {
            let mut filled = text.to_owned();
            while let Some(start) = filled.find("${") {
                let end = start + filled[start..].find('}').unwrap();
                let prefix = match &filled[start..end] {
                    "${file" | "${draft_file" | "${job_file" => "fil",
                    "${contact" => "con",
                    "${site" => "sit",
                    "${asset" | "${own_asset" => "ast",
                    "${job" | "${own_job" => "job",
                    "${company" => "com",
                    _ => prefix,
                };
                filled.replace_range(start..=end, &of_kind(prefix));
            }
            filled
        };
        let method: Method = route.split(' ').next().unwrap().parse().unwrap();
        let path = fill(event["rawPath"].as_str().unwrap());
        // A form is no JSON, and its token says who calls.
        let json = event["body"].as_str().filter(|_| event["isBase64Encoded"] == false);
        let mut body = json.map(|body| serde_json::from_str::<Value>(&fill(body)).unwrap());
        if name == "change-password" {
            // The right one would end the session that the walk goes on with.
            body = Some(json!({ "current_password": "not this one", "password": "nor this, whoever it is" }));
        }
        // Who is let in shall create nothing: what follows the question who calls is refused.
        match name.as_str() {
            "make-key" => body = Some(json!({ "name": "Key", "scopes": [] })),
            "enter" => body = Some(json!({ "name": "Bo", "email": "bo@northgate.example", "roles": [] })),
            _ if route == "PUT /v1/settings" => body = Some(json!({ "retention_days": 0 })),
            _ => {}
        }
        for (caller, who) in &callers {
            let expected = refused(caller, needs(route));
            let body = if expected.is_none() && route == "POST /v1/companies" {
                Some(json!({ "name": 7 }))
            } else {
                body.clone()
            };
            let reply = portal.call(method.clone(), &path, who, body).await;
            // Who may not ask learns nothing of what could be asked: not by its body, its ids, its parameters or its key.
            if let Some(expected) = expected {
                let no_ids = path.split('/').map(|part| part.split_once('_').map_or(part, |_| "x"));
                let no_ids = no_ids.collect::<Vec<_>>().join("/");
                for wrong in [&path, &no_ids, &format!("{path}?limit=x&nope=1")] {
                    let request = portal.request(method.clone(), wrong).body("{").header("idempotency-key", " ");
                    let request = who.0.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
                    let reply = portal.send(request.header("content-type", "application/json")).await;
                    assert_eq!(reply.status.as_u16(), expected, "{method} {wrong}: {:#}", reply.body);
                }
            }
            let status = Some(reply.status.as_u16()).filter(|status| matches!(status, 401 | 403));
            let of_credentials = matches!(reply.body["type"].as_str(), Some("wrong_credentials"));
            assert!(status == expected || of_credentials, "{route}: {expected:?} was expected: {:#}", reply.body);
            walked += 1;
        }
    }
    assert!(walked > 400, "only {walked} were walked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_cannot_be_removed_nor_lose_the_role() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let id = text(&portal.get("/v1/me", &admin).await.expect(200)["id"]);
    let path = format!("/v1/staff/{id}");
    portal.delete(&path, &admin).await.expect_problem(409, "last_admin");
    portal.patch(&path, &admin, json!({ "roles": ["member"] })).await.expect_problem(409, "last_admin");
    // One who is only invited is no help.
    let body = json!({ "name": "Bo", "email": "bo@northgate.example", "roles": ["admin"] });
    portal.post("/v1/staff", &admin, body).await.expect(201);
    portal.delete(&path, &admin).await.expect_problem(409, "last_admin");
    let token = portal.activation_token("bo@northgate.example", 1).await;
    let bo = portal.activate(&token).await;
    portal.delete(&path, &admin).await.expect(204);
    portal.get("/v1/me", &admin).await.expect_problem(401, "sign_in_required");
    let listed = portal.get("/v1/staff", &bo).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    portal.delete(&path, &bo).await.expect_problem(404, "not_found");
    // The address is free for somebody new.
    let body = json!({ "name": "New", "email": ADMIN, "roles": ["viewer"] });
    portal.post("/v1/staff", &bo, body).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_remove_each_other_at_once_one_is_left() {
    let portal = std::sync::Arc::new(Portal::open().await);
    let ada = portal.admin().await;
    let ada_id = text(&portal.get("/v1/me", &ada).await.expect(200)["id"]);
    let (bo_id, bo) = enter(&portal, &ada, "bo@northgate.example", json!(["admin"])).await;
    let remove = |who: Who, id: String| {
        let portal = portal.clone();
        tokio::spawn(async move { portal.delete(&format!("/v1/staff/{id}"), &who).await.status.as_u16() })
    };
    let (one, other) = (remove(ada.clone(), bo_id), remove(bo.clone(), ada_id));
    let mut statuses = [one.await.unwrap(), other.await.unwrap()];
    statuses.sort_unstable();
    assert!(statuses[0] == 204 && statuses[1] >= 400, "{statuses:?}");
    let left = [portal.get("/v1/me", &ada).await.status, portal.get("/v1/me", &bo).await.status];
    assert_eq!(left.iter().filter(|status| status.as_u16() == 200).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_invited_by_mail_again_and_again_until_the_account_exists() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let body = json!({ "name": "Sam", "email": "sam@northgate.example", "roles": ["member"] });
    let id = text(&portal.post("/v1/staff", &admin, body).await.expect(201)["id"]);
    let first = portal.activation_token("sam@northgate.example", 1).await;
    let path = format!("/v1/staff/{id}/invitation");
    portal.call(Method::POST, &path, &admin, None).await.expect(202);
    let second = portal.activation_token("sam@northgate.example", 2).await;
    let check = portal.post("/v1/activations/check", &NOBODY, json!({ "token": first })).await;
    check.expect_problem(410, "link_replaced");
    portal.activate(&second).await;
    portal.call(Method::POST, &path, &admin, None).await.expect_problem(409, "already_active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_counts_at_once() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let (id, member) = enter(&portal, &admin, "sam@northgate.example", json!(["member"])).await;
    portal.post("/v1/companies", &member, json!({ "name": "One" })).await.expect(201);
    let changed = portal.patch(&format!("/v1/staff/{id}"), &admin, json!({ "roles": ["viewer"] })).await.expect(200);
    assert_eq!(changed["roles"], json!(["viewer"]));
    portal.post("/v1/companies", &member, json!({ "name": "Two" })).await.expect_problem(401, "sign_in_required");
    let viewer = portal.sign_in("sam@northgate.example").await;
    portal.post("/v1/companies", &viewer, json!({ "name": "Two" })).await.expect_problem(403, "forbidden");
    portal.get("/v1/companies", &viewer).await.expect(200);
    portal.patch(&format!("/v1/staff/{id}"), &admin, json!({ "roles": [] })).await.expect_invalid("roles");
    portal.patch(&format!("/v1/staff/{id}"), &admin, json!({ "roles": ["boss"] })).await.expect_invalid("roles[0]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_all_files_and_changes_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    let (_, viewer) = enter(&portal, &admin, "vera@northgate.example", json!(["viewer"])).await;
    let shown = portal.get(&format!("/v1/shares/{share}"), &viewer).await.expect(200);
    let file = text(&shown["files"][0]["id"]);
    let download = format!("/v1/shares/{share}/files/{file}/download");
    let url = text(&portal.call(Method::POST, &download, &viewer, None).await.expect(200)["url"]);
    assert_eq!(portal.fetch(&url).await.2, b"hello");
    portal.post("/v1/shares", &viewer, json!({ "title": "Mine" })).await.expect_problem(403, "forbidden");
    let access = format!("/v1/contacts/{}/access", ann.id);
    let body = Some(json!({ "state": "closed" }));
    portal.call(Method::PUT, &access, &viewer, body).await.expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_works_with_its_key_until_that_is_revoked_or_ends() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ends = portal.stack.clock.now() + gatehouse::clock::SignedDuration::from_hours(1);
    let make = async |body: Value| portal.post("/v1/api-keys", &admin, body).await;
    let made = make(json!({ "name": "ERP", "scopes": ["customers:write"] })).await.expect(201);
    let short = make(json!({ "name": "Short", "scopes": ["customers:read"], "expires_at": ends.to_string() }))
        .await
        .expect(201);
    make(json!({ "name": "None", "scopes": [] })).await.expect_invalid("scopes");
    make(json!({ "name": "All", "scopes": ["staff:write"] })).await.expect_invalid("scopes[0]");
    let (key, short) = (Who(Some(text(&made["key"]))), Who(Some(text(&short["key"]))));

    portal.post("/v1/companies", &key, json!({ "name": "By the ERP" })).await.expect(201);
    portal.get("/v1/companies", &short).await.expect(200);
    portal.post("/v1/companies", &short, json!({ "name": "No" })).await.expect_problem(403, "forbidden");
    let listed = portal.get("/v1/api-keys", &admin).await.expect(200);
    let erp = listed["items"].as_array().unwrap().iter().find(|key| key["name"] == "ERP").unwrap();
    assert!(erp["last_used_at"].is_string() && erp["key"].is_null(), "{erp}");
    assert!(!portal.everything_in_the_table().await.contains(&text(&made["key"])[4..]), "a key is stored");

    portal.delete(&format!("/v1/api-keys/{}", text(&made["id"])), &admin).await.expect(204);
    portal.get("/v1/companies", &key).await.expect_problem(401, "sign_in_required");
    portal.delete(&format!("/v1/api-keys/{}", text(&made["id"])), &admin).await.expect_problem(404, "not_found");
    portal.pass(std::time::Duration::from_hours(1)).await;
    portal.get("/v1/companies", &short).await.expect_problem(401, "sign_in_required");
    let forged = format!("ghk_{}", gatehouse::domain::Token::random().reveal());
    portal.get("/v1/companies", &Who(Some(forged))).await.expect_problem(401, "sign_in_required");
}
