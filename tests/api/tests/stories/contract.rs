//! What holds for every route: how it is asked, in which words it refuses, and how it writes times.

use std::collections::BTreeMap;

use gatehouse_template::{Route, Template};
use gatehouse_tests::{NOBODY, Portal, Reply, Who, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::events::{events, things};

/// A request of `events/`, with things that exist.
struct Asked {
    route: String,
    method: Method,
    path: String,
    who: Who,
    body: Option<Value>,
}

impl Asked {
    async fn by(&self, portal: &Portal, path: &str, body: Option<Value>) -> Reply {
        portal.call(self.method.clone(), path, &self.who, body).await
    }
}

/// All requests of `events/` to the API; those that would end somebody's session come last.
fn requests(things: &BTreeMap<&'static str, String>) -> Vec<Asked> {
    let mut requests: Vec<Asked> = events()
        .into_iter()
        .filter(|((function, _), _)| function != "pages")
        .filter_map(|(_, event)| {
            let event = things.iter().fold(event, |event, (name, thing)| event.replace(&format!("${{{name}}}"), thing));
            let event: Value = serde_json::from_str(&event).unwrap();
            let route = event["routeKey"].as_str().filter(|route| route.contains(' '))?.to_owned();
            let token = event["headers"]["authorization"].as_str().map(|value| value.replace("Bearer ", ""));
            let cookie = event["cookies"][0].as_str().and_then(|one| Some(one.split_once('=')?.1.to_owned()));
            let body = event["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
            let method = route.split(' ').next()?.parse().ok()?;
            Some(Asked { method, path: text(&event["rawPath"]), who: Who(token.or(cookie)), body, route })
        })
        .collect();
    requests.sort_by_key(|asked| asked.route.contains("password") || asked.route.starts_with("DELETE /v1/sessions"));
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_no_route_knows_is_refused_on_every_route_and_changes_nothing() {
    let portal = Portal::open().await;
    let things = things(&portal).await;
    portal.pause_mail().await;
    for asked in requests(&things) {
        let before = portal.everything_in_the_table().await.len();
        let reply = asked.by(&portal, &format!("{}?knid=signed_in", asked.path), asked.body.clone()).await;
        assert_eq!(reply.body["errors"][0]["field"], "knid", "{}: {:#}", asked.route, reply.body);
        assert_eq!(reply.expect_invalid("knid"), "is not known here");
        // Looking at a share marks it as read, and a key is marked as used.
        if asked.method != Method::GET && !asked.path.contains("/links/") {
            assert_eq!(portal.everything_in_the_table().await.len(), before, "{}", asked.route);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_parameters_are_as_if_absent() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let areas = json!({ "areas": ["files", "upload", "jobs", "assets"] });
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, areas).await.expect(200);
    portal.share(&admin, "Report", &[&ann.id]).await;
    for (path, who, empty) in [
        ("/v1/shares", &admin, "q=&type=&from=&to=&sort=&unread=&contact_id=&company_id=&state=&limit="),
        ("/v1/shares", &ann.who, "q=&type=&from=&to=&sort=&unread=&limit="),
        ("/v1/users", &admin, "access=&q=&limit="),
        ("/v1/companies", &admin, "q="),
        ("/v1/jobs", &ann.who, "q=&status=&site_id=&asset_id=&source=&since=&sort=&limit="),
        ("/v1/assets", &ann.who, "q=&site_id=&status="),
        ("/v1/sites", &ann.who, "q="),
        ("/v1/registrations", &admin, "status=&limit="),
        ("/v1/activity", &admin, "contact_id=&share_id=&kind=&from=&to="),
        ("/v1/staff", &admin, "&&limit="),
    ] {
        let all = portal.get(path, who).await.expect(200);
        assert_eq!(portal.get(&format!("{path}?{empty}"), who).await.expect(200)["items"], all["items"], "{path}");
    }
    portal.get("/v1/shares?q=a&q=b", &admin).await.expect_invalid("q");
    portal.get("/v1/shares?unread=yes", &admin).await.expect_invalid("unread");
    assert!(portal.get("/v1/shares?type=film", &admin).await.expect_invalid("type").contains("\"video\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_filter_is_refused_or_right() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Report", &[&ann.id]).await;
    for list in [
        "/v1/shares?".to_owned(),
        "/v1/activity?".to_owned(),
        format!("/v1/activity?contact_id={}&", ann.id),
        format!("/v1/activity?share_id={share}&"),
        format!("/v1/activity?contact_id={}&share_id={share}&", ann.id),
        "/v1/activity?kind=share_sent&".to_owned(),
        "/v1/shares?unread=true&".to_owned(),
        "/v1/shares?q=report&".to_owned(),
    ] {
        let count = async |filter: &str| {
            let page = portal.get(&format!("{list}{filter}"), &admin).await.expect(200);
            assert!(page["next"].is_null() || !page["items"].as_array().unwrap().is_empty());
            page["items"].as_array().unwrap().len()
        };
        let all = count("").await;
        for everything in [
            "from=0000-01-01T00:00:00Z",
            "from=1969-12-31T23:59:59.999999999Z",
            "from=1970-01-01T00:00:00Z",
            "to=2031-01-01T00:00:00Z",
            "to=2100-01-01T00:00:00Z",
            "to=9999-12-31T23:59:59Z",
            "from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59.999Z",
            "from=2020-01-01T02:00:00%2B02:00&to=2099-12-31T23:59:59.1Z",
        ] {
            assert_eq!(count(everything).await, all, "{list}{everything}");
        }
        for nothing in [
            "to=0000-01-01T00:00:00Z",
            "to=1969-12-31T23:59:59Z",
            "from=9999-12-31T23:59:59Z",
            "from=2090-01-01T00:00:00Z&to=2090-01-01T00:00:00Z",
            "from=0000-01-01T00:00:00Z&to=0000-01-01T00:00:00Z",
        ] {
            assert_eq!(count(nothing).await, 0, "{list}{nothing}");
        }
        for turned in [
            "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
            "from=2090-01-02T00:00:00Z&to=0001-01-01T00:00:00Z",
            "from=9999-12-31T23:59:59Z&to=2026-01-01T00:00:00Z",
        ] {
            portal.get(&format!("{list}{turned}"), &admin).await.expect_invalid("to");
        }
        for no_time in ["-000001-01-01T00:00:00Z", "%2B010000-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z"] {
            let wrong = portal.get(&format!("{list}from={no_time}"), &admin).await.expect_invalid("from");
            assert!(wrong.contains("RFC 3339"), "{wrong}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_read_with_any_fraction_and_the_end_of_the_calendar_is_one() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    for (sent, shown) in [
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999Z"),
        ("2099-01-31T11:30:00+02:00", "2099-01-31T09:30:00.000Z"),
        ("2099-01-31T09:30:00.5Z", "2099-01-31T09:30:00.500Z"),
        ("2099-01-31T09:30:00.123456789Z", "2099-01-31T09:30:00.123Z"),
    ] {
        let share = portal.share(&admin, "Report", &[&ann.id]).await;
        let path = format!("/v1/shares/{share}");
        let changed = portal.patch(&path, &admin, json!({ "expires_at": sent })).await.expect(200);
        assert_eq!(changed["expires_at"], shown);
        assert_eq!(portal.get(&path, &ann.who).await.expect(200)["expires_at"], shown);
        let body = json!({ "name": "ERP", "scopes": ["customers:read"], "expires_at": sent });
        let key = portal.post("/v1/api-keys", &admin, body).await.expect(201);
        assert_eq!(key["expires_at"], shown);
        portal.get("/v1/companies", &Who(Some(text(&key["key"])))).await.expect(200);
    }
    let draft = json!({ "title": "For ever", "expires_at": "9999-12-31T23:59:59Z" });
    portal.post("/v1/shares", &admin, draft).await.expect(201);
    for past in ["0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        let draft = json!({ "title": "Over", "expires_at": past });
        portal.post("/v1/shares", &admin, draft).await.expect_invalid("expires_at");
    }
    for no_time in [json!("tomorrow"), json!("2099-01-31"), json!("2099-01-31T09:30:00"), json!(7), json!({})] {
        let draft = json!({ "title": "Never", "expires_at": no_time });
        let wrong = portal.post("/v1/shares", &admin, draft).await.expect_invalid("expires_at");
        assert!(wrong.starts_with("must be a "), "{wrong}");
    }
}

fn every_text(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| every_text(item, see)),
        Value::Object(fields) => fields.values().for_each(|field| every_text(field, see)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_writes_times_with_three_digits_of_a_second_and_head_is_get_without_the_body() {
    let portal = Portal::open().await;
    let things = things(&portal).await;
    let mut times = 0;
    for asked in requests(&things).iter().filter(|asked| asked.method == Method::GET) {
        let got = asked.by(&portal, &asked.path, None).await;
        every_text(&got.body, &mut |text| {
            let is_time =
                text.len() > 16 && text.as_bytes()[10] == b'T' && text.parse::<gatehouse::clock::Timestamp>().is_ok();
            if is_time {
                assert_eq!((text.len(), text.as_bytes()[19]), (24, b'.'), "{}: {text}", asked.route);
                times += 1;
            }
        });
        let head = portal.call(Method::HEAD, &asked.path, &asked.who, None).await;
        assert_eq!((head.status, head.body), (got.status, Value::Null), "{}", asked.route);
        let same = |name: &str| assert_eq!(head.headers.get(name), got.headers.get(name), "{}", asked.route);
        ["content-type", "cache-control", "etag", "content-disposition"].into_iter().for_each(same);
        let nobody = portal.call(Method::HEAD, &asked.path, &NOBODY, None).await;
        let status = if asked.route == "GET /openapi.json" { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!((nobody.status, nobody.body), (status, Value::Null), "{}", asked.route);
    }
    assert!(times > 30, "only {times} times were seen");
}

#[test]
fn every_route_that_takes_get_takes_head_of_the_same_function() {
    for function in Template::of_workspace().unwrap().functions {
        let paths = |wanted: &str| {
            let of = |route: &Route| match route {
                Route::Path { method, path } if method == wanted => Some(path.clone()),
                _ => None,
            };
            let mut paths: Vec<String> = function.routes.iter().filter_map(of).collect();
            paths.sort();
            paths
        };
        assert_eq!(paths("GET"), paths("HEAD"), "{}", function.name);
    }
}

/// Bodies with one thing in them replaced, wherever it lies.
fn spoilt(body: &Value, with: &Value) -> Vec<Value> {
    let replaced = |spoilt: Vec<Value>, put: &dyn Fn(Value) -> Value| spoilt.into_iter().map(put).collect::<Vec<_>>();
    let mut all = vec![with.clone()];
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                all.extend(replaced(spoilt(value, with), &|value| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), value);
                    Value::Object(fields)
                }));
            }
            let mut more = fields.clone();
            more.insert("nmae".to_owned(), with.clone());
            all.push(Value::Object(more));
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                all.extend(replaced(spoilt(value, with), &|value| {
                    let mut items = items.clone();
                    items[place] = value;
                    Value::Array(items)
                }));
            }
        }
        _ => {}
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_is_refused_in_words_of_the_api_and_never_a_fault() {
    let portal = Portal::open().await;
    let things = things(&portal).await;
    let (mut sent, mut refused) = (0, 0);
    for asked in requests(&things) {
        let Some(body) = &asked.body else { continue };
        let wrong = [
            json!(7),
            json!(-1),
            json!(1.5),
            json!(1e300),
            json!(true),
            json!(null),
            json!("\u{0}"),
            json!([]),
            json!([[]]),
            json!({}),
            json!({ "a": 1 }),
            json!("x".repeat(20_000)),
        ];
        for body in wrong.iter().flat_map(|wrong| spoilt(body, wrong)) {
            let reply = asked.by(&portal, &asked.path, Some(body.clone())).await;
            sent += 1;
            assert!(reply.status.as_u16() < 500, "{} {body}: {:#}", asked.route, reply.body);
            let is = reply.body["type"].as_str().unwrap_or_default().to_owned();
            if !matches!(is.as_str(), "invalid_fields" | "invalid_body") {
                continue;
            }
            refused += 1;
            every_text(&reply.body, &mut |text| {
                for word in [
                    "expected",
                    "struct",
                    "invalid type",
                    "invalid value",
                    "u64",
                    "u32",
                    "usize",
                    "enum",
                    "variant",
                    "sequence",
                    "`",
                    "None",
                    "Some(",
                ] {
                    let of_syntax = is == "invalid_body";
                    assert!(of_syntax || !text.contains(word), "{} {body}: {text}", asked.route);
                }
            });
            assert_ne!(is, "invalid_body", "{} {body}: it is JSON", asked.route);
        }
    }
    assert!(sent > 1000 && refused > 700, "{sent} were sent, {refused} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_copied_with_white_space_is_the_token() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    let contact = portal.contact(&admin, &company, "ann@harbour.example").await;
    portal.call(Method::POST, &format!("/v1/contacts/{contact}/invitation"), &admin, None).await.expect(202);
    let token = portal.activation_token("ann@harbour.example", 1).await;
    for copied in [
        format!(" {token}"),
        format!("{token}\n"),
        format!("\t{token}\r\n"),
        format!("\u{a0}{token}\u{2003}"),
        format!("{}\r\n {}", &token[..20], &token[20..]),
    ] {
        portal.post("/v1/activations/check", &NOBODY, json!({ "token": copied })).await.expect(200);
    }
    let other = format!("{token}x");
    portal.post("/v1/activations/check", &NOBODY, json!({ "token": other })).await.expect_problem(404, "link_unknown");
}

#[test]
fn every_place_that_the_list_of_asvs_names_is_there() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let list = read("docs/asvs.md");
    let named: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    for place in &named {
        match place.split_once("::") {
            Some((module, story)) if module != "module" => {
                let stories = read(&format!("tests/api/tests/stories/{module}.rs"));
                assert!(stories.contains(&format!("fn {story}()")), "there is no story {place}");
            }
            None if place.contains('/') && !place.starts_with('/') => {
                assert!(root.join(place).exists(), "there is no {place}");
            }
            _ => {}
        }
    }
    assert!(named.len() > 100, "{} places", named.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_of_the_staff_are_their_own() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bo = portal.customer(&admin, "bo@harbour.example").await;
    let share = portal.share(&admin, "First", &[&ann.id, &bo.id]).await;
    portal.share(&admin, "Second", &[&ann.id]).await;
    for name in ["One", "Two"] {
        let body = json!({ "name": name, "scopes": ["shares:read", "customers:read", "activity:read"] });
        portal.post("/v1/api-keys", &admin, body).await.expect(201);
        let body = json!({ "name": "Rita", "email": format!("{name}@harbour.example"), "company": "Harbour" });
        portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
    }
    let body = json!({ "name": "Sam", "email": "sam@northgate.example", "roles": ["admin"] });
    portal.post("/v1/staff", &admin, body).await.expect(201);
    let sam = portal.activate(&portal.activation_token("sam@northgate.example", 1).await).await;
    let key = json!({ "name": "ERP", "scopes": ["shares:read", "customers:read"] });
    let erp = Who(Some(text(&portal.post("/v1/api-keys", &admin, key).await.expect(201)["key"])));
    for list in [
        "/v1/shares".to_owned(),
        format!("/v1/shares/{share}/recipients"),
        "/v1/companies".to_owned(),
        "/v1/users".to_owned(),
        "/v1/staff".to_owned(),
        "/v1/api-keys".to_owned(),
        "/v1/activity".to_owned(),
        "/v1/registrations".to_owned(),
    ] {
        let first = portal.get(&format!("{list}?limit=1"), &admin).await.expect(200);
        let next = format!("{list}?limit=1&cursor={}", text(&first["next"]));
        assert_ne!(portal.get(&next, &admin).await.expect(200)["items"], first["items"], "{list}");
        portal.get(&next, &sam).await.expect_problem(400, "invalid_cursor");
        let key = portal.get(&next, &erp).await;
        assert!(matches!(key.status.as_u16(), 400 | 403), "{list}: {:#}", key.body);
    }
}
