//! A portal to tell stories about: a whole stack in memory, and the people who use it.
#![allow(clippy::missing_panics_doc, reason = "a test that cannot go on ends")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the same")]

pub mod openapi;
pub mod pictures;
pub mod proxy;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use gatehouse::clock::Timestamp;
use gatehouse::domain::{Contents, FileKind, Reference, Share, ShareId, ShareState, StaffId};
use gatehouse_local::{Config, Stack};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// The password of everybody in these stories.
pub const PASSWORD: &str = "correct horse battery staple";
/// Who is there first.
pub const ADMIN: &str = "admin@northgate.example";

/// A running portal.
pub struct Portal {
    /// What it runs on.
    pub stack: Stack,
    http: Client,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Value,
}

impl Reply {
    /// The value of a cookie that it sets.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let ours = set.filter_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
        ours.map(|rest| rest.split(';').next().unwrap_or_default().to_owned()).next()
    }

    /// The body of an answer with that status; any other ends the story.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The body of an answer that is no error.
    #[track_caller]
    pub fn expect_success(self) -> Value {
        assert!(self.status.is_success(), "{:#}", self.body);
        self.body
    }

    /// An error with that status and slug, in the form of RFC 9457; gives its body.
    #[track_caller]
    pub fn expect_problem(self, status: u16, slug: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["type"].as_str()), (status, Some(slug)), "{:#}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        for text in ["title", "detail", "request_id"] {
            assert!(self.body[text].as_str().is_some_and(|text| !text.is_empty()), "no {text}: {:#}", self.body);
        }
        self.body
    }

    /// An error about one field; gives what is wrong with it.
    #[track_caller]
    pub fn expect_invalid(self, field: &str) -> String {
        let body = self.expect_problem(422, "invalid_fields");
        assert_eq!(body["errors"][0]["field"], field, "{body:#}");
        body["errors"][0]["problem"].as_str().unwrap_or_default().to_owned()
    }
}

/// Somebody who is signed in, or nobody.
#[derive(Debug, Clone, Default)]
pub struct Who(pub Option<String>);

/// A stranger.
pub const NOBODY: Who = Who(None);

/// A company, one of its contacts, and that contact signed in.
#[derive(Debug)]
pub struct Customer {
    /// `com_…`
    pub company: String,
    /// `con_…`
    pub id: String,
    /// Its address.
    pub email: String,
    /// Signed in.
    pub who: Who,
}

impl Drop for Portal {
    /// What a function may not do on AWS fails here, too, whoever hears of it.
    fn drop(&mut self) {
        let refused = self.stack.refused_calls();
        let refused = refused.join("\n");
        if std::thread::panicking() {
            eprintln!("{refused}");
        } else {
            assert!(refused.is_empty(), "{refused}");
        }
    }
}

impl Portal {
    /// A new and empty one.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A new and empty one, deployed otherwise.
    pub async fn open_with(deployed: impl FnOnce(&mut gatehouse::aws::Env)) -> Self {
        let config = Config { port: 0, data_dir: None, admin_email: ADMIN.to_owned() };
        // All functions are connected in it, which is much for a story to carry along.
        Self::of(Stack::start_with(config, deployed).await.expect("the stack starts"))
    }

    /// That of a stack.
    pub fn of(stack: Stack) -> Self {
        Self { stack, http: Client::new() }
    }

    /// Sends a request.
    pub async fn call(&self, method: Method, path: &str, who: &Who, body: Option<Value>) -> Reply {
        let mut request = self.http.request(method, format!("{}{path}", self.stack.url));
        if let Some(token) = &who.0 {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// Sends a request that a test has made by itself.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        // By the client that it was made with: that one may be on another network.
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let asked = openapi::Asked::of(&request);
        let answer = client.execute(request).await.expect("the portal answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.expect("the answer is text");
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        let reply = Reply { status, headers, body };
        asked.hold(&reply);
        reply
    }

    /// A request to make by hand.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.stack.url))
    }

    /// Puts items into the table as they are.
    pub async fn put_items(&self, items: impl Iterator<Item = HashMap<String, AttributeValue>>) {
        let env = &self.stack.env;
        let mut config = aws_sdk_dynamodb::config::Builder::from(&env.aws);
        config.set_endpoint_url(env.endpoints.dynamodb.clone());
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let put = |item| PutRequest::builder().set_item(Some(item)).build().expect("an item");
        let requests: Vec<_> = items.map(|item| WriteRequest::builder().put_request(put(item)).build()).collect();
        for some in requests.chunks(25) {
            let mut some = some.to_vec();
            while !some.is_empty() {
                let sent = client.batch_write_item().request_items(&*env.table, some).send().await;
                let rest = sent.expect("the table takes them").unprocessed_items.unwrap_or_default();
                some = rest.into_values().flatten().collect();
            }
        }
    }

    /// GET.
    pub async fn get(&self, path: &str, who: &Who) -> Reply {
        self.call(Method::GET, path, who, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, who: &Who, body: Value) -> Reply {
        self.call(Method::POST, path, who, Some(body)).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, who: &Who, body: Value) -> Reply {
        self.call(Method::PATCH, path, who, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str, who: &Who) -> Reply {
        self.call(Method::DELETE, path, who, None).await
    }

    /// The mails to an address so far, newest first.
    pub async fn mails(&self, to: &str) -> Vec<Value> {
        let mails = self.request(Method::GET, "/_local/mail.json").query(&[("to", to)]);
        self.send(mails).await.expect(200).as_array().cloned().unwrap_or_default()
    }

    /// The mails to an address, once there are as many as that.
    pub async fn mails_when(&self, to: &str, count: usize) -> Vec<Value> {
        for _ in 0..400 {
            let mails = self.mails(to).await;
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} mails to {to} were awaited, there are {}", self.mails(to).await.len());
    }

    /// The token of the newest activation mail, once there are as many mails as that.
    pub async fn activation_token(&self, to: &str, mails: usize) -> String {
        let mails = self.mails_when(to, mails).await;
        token_in(mails[0]["text"].as_str().unwrap_or_default(), "/activate#")
    }

    /// Holds back what goes on by itself, once nothing is under way: what is counted then is one function's.
    pub async fn pause_mail(&self) {
        loop {
            let _ = self.stack.meter.take();
            tokio::time::sleep(Duration::from_millis(120)).await;
            if self.stack.meter.take().is_empty() {
                break;
            }
        }
        self.stack.pause_mail(true);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }

    /// All that the table holds, as text.
    pub async fn everything_in_the_table(&self) -> String {
        self.ask_the_table("Scan", json!({ "TableName": "gatehouse" })).await
    }

    /// Lets the table tell nobody what comes into it: what is laid there by the thousand is no news, and the embedded
    /// table counts its stream's records anew at each write.
    pub async fn stop_the_stream(&self) {
        self.pause_mail().await;
        let off = json!({ "TableName": "gatehouse", "StreamSpecification": { "StreamEnabled": false } });
        self.ask_the_table("UpdateTable", off).await;
    }

    /// Lays an item into the table as it is, in DynamoDB's own form.
    pub async fn put_item(&self, item: Value) {
        self.ask_the_table("PutItem", json!({ "TableName": "gatehouse", "Item": item })).await;
    }

    /// Takes an item out of an index, as if that were still behind; gives it as it was, to be put back.
    pub async fn hide_from_index(&self, pk: &str, sk: &str, attribute: &str) -> Value {
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        let update = json!({
            "TableName": "gatehouse", "Key": key, "ReturnValues": "ALL_OLD",
            "UpdateExpression": "REMOVE #hidden", "ExpressionAttributeNames": { "#hidden": attribute },
        });
        let answer = self.ask_the_table("UpdateItem", update).await;
        serde_json::from_str::<Value>(&answer).unwrap()["Attributes"].clone()
    }

    async fn ask_the_table(&self, operation: &str, body: Value) -> String {
        let target = format!("DynamoDB_20120810.{operation}");
        let request = self.http.post(&self.stack.database_url).header("x-amz-target", target);
        let request = request.header("content-type", "application/x-amz-json-1.0").header("authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0").header("x-amz-date", "20260101T000000Z");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{text}");
        text
    }

    /// Moves the clock on.
    pub async fn pass(&self, time: Duration) {
        self.post("/_local/clock", &NOBODY, json!({ "advance_seconds": time.as_secs() })).await.expect(200);
    }

    /// Sets the password behind a token; the new session.
    pub async fn activate(&self, token: &str) -> Who {
        let body =
            self.post("/v1/activations", &NOBODY, json!({ "token": token, "password": PASSWORD })).await.expect(201);
        Who(body["token"].as_str().map(str::to_owned))
    }

    /// Signs in with the password of everybody.
    pub async fn sign_in(&self, email: &str) -> Who {
        let body =
            self.post("/v1/sessions", &NOBODY, json!({ "email": email, "password": PASSWORD })).await.expect(201);
        Who(body["token"].as_str().map(str::to_owned))
    }

    /// Tries to sign in from an address of this machine, with a device's cookie or without.
    pub async fn sign_in_from(&self, from: &str, email: &str, password: &str, device: Option<&str>) -> Reply {
        let from: std::net::IpAddr = from.parse().unwrap();
        let client = Client::builder().local_address(from).build().unwrap();
        let mut request = client.post(format!("{}/v1/sessions", self.stack.url));
        if let Some(device) = device {
            request = request.header("cookie", format!("gatehouse-device={device}"));
        }
        self.send(request.json(&json!({ "email": email, "password": password }))).await
    }

    /// The first admin, signed in.
    pub async fn admin(&self) -> Who {
        let token = self.activation_token(ADMIN, 1).await;
        self.activate(&token).await
    }

    /// A new company; its id.
    pub async fn company(&self, staff: &Who, name: &str) -> String {
        let body = self.post("/v1/companies", staff, json!({ "name": name })).await.expect(201);
        text(&body["id"])
    }

    /// A new contact without an invitation; its id.
    pub async fn contact(&self, staff: &Who, company: &str, email: &str) -> String {
        let path = format!("/v1/companies/{company}/contacts");
        let body = self.post(&path, staff, json!({ "name": "Zoë Contact", "email": email })).await.expect(201);
        text(&body["id"])
    }

    /// A contact at a company of its own that has activated its account.
    pub async fn customer(&self, staff: &Who, email: &str) -> Customer {
        let company = self.company(staff, &format!("Company of {email}")).await;
        let id = self.contact(staff, &company, email).await;
        self.call(Method::POST, &format!("/v1/contacts/{id}/invitation"), staff, None).await.expect(202);
        let token = self.activation_token(email, 1).await;
        let who = self.activate(&token).await;
        Customer { company, id, email: email.to_owned(), who }
    }

    /// A draft with those files, all uploaded; its id.
    pub async fn draft(&self, staff: &Who, title: &str, to: &[&str], files: &[(&str, &str, &[u8])]) -> String {
        let recipients: Value = to.iter().map(|id| json!({ "contact_id": id })).collect();
        self.draft_to(staff, title, &recipients, files).await
    }

    /// [`Self::draft`] to whoever: `[{"email": "…"}]`.
    async fn draft_to(&self, by: &Who, title: &str, to: &Value, files: &[(&str, &str, &[u8])]) -> String {
        let announced: Vec<Value> = files
            .iter()
            .map(|(name, kind, bytes)| json!({ "name": name, "size": bytes.len(), "content_type": kind }))
            .collect();
        let mut body = json!({ "title": title, "files": announced });
        if to.as_array().is_some_and(|to| !to.is_empty()) {
            body["recipients"] = to.clone();
        }
        let share = self.post("/v1/shares", by, body).await.expect(201);
        let id = text(&share["id"]);
        for (file, (_, _, bytes)) in share["files"].as_array().unwrap().iter().zip(files) {
            assert_eq!(self.upload(&file["upload"], bytes).await, StatusCode::OK);
            self.complete(by, &id, &text(&file["id"])).await.expect(200);
        }
        id
    }

    /// A share with one small file, sent; its id.
    pub async fn share(&self, staff: &Who, title: &str, to: &[&str]) -> String {
        let recipients: Value = to.iter().map(|id| json!({ "contact_id": id })).collect();
        self.share_with(staff, title, &recipients).await
    }

    /// [`Self::share`] with whoever: `[{"email": "…"}]`.
    pub async fn share_with(&self, staff: &Who, title: &str, recipients: &Value) -> String {
        let id = self.draft_to(staff, title, recipients, &[("note.txt", "text/plain", b"hello")]).await;
        self.call(Method::POST, &format!("/v1/shares/{id}/send"), staff, None).await.expect(202);
        id
    }

    /// Waits until no task is left. Some do their work once more a minute later, and time passes for those.
    pub async fn tasks_are_done(&self) {
        for n in 1..=400 {
            if !self.everything_in_the_table().await.contains("\"TASK#") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            if n % 20 == 0 {
                self.pass(Duration::from_secs(61)).await;
            }
        }
        let left = self.ask_the_table("Scan", json!({ "TableName": "gatehouse" })).await;
        let tasks: Vec<&str> = left.split("TASK#").skip(1).map(|task| &task[..task.len().min(700)]).collect();
        panic!("tasks are left: {tasks:?}");
    }

    /// Sends bytes as an upload says.
    pub async fn upload(&self, upload: &Value, bytes: &[u8]) -> StatusCode {
        assert_eq!(upload["method"], "PUT");
        let mut request = self.http.put(text(&upload["url"])).body(bytes.to_vec());
        // The length is the body's own, as a browser sends it: a wrong one must fail at its signature. This client
        // leaves it out where there is nothing to send.
        let length = |name: &str| name == "content-length" && !bytes.is_empty();
        for (name, value) in upload["headers"].as_object().unwrap().iter().filter(|(name, _)| !length(name)) {
            request = request.header(name, text(value));
        }
        request.send().await.unwrap().status()
    }

    /// Says that a file's bytes are all there.
    pub async fn complete(&self, who: &Who, share: &str, file: &str) -> Reply {
        self.call(Method::POST, &format!("/v1/shares/{share}/files/{file}/complete"), who, None).await
    }

    /// A hash as it was made when computers were slower.
    pub fn weak_hash(&self, password: &str) -> String {
        let params = argon2::Params::new(1024, 1, 1, None).unwrap();
        let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        argon2::PasswordHasher::hash_password(&argon2, password.as_bytes()).unwrap().to_string()
    }

    /// Fetches a URL of the bucket: status, headers, bytes.
    pub async fn fetch(&self, url: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let answer = self.http.get(url).send().await.unwrap();
        (answer.status(), answer.headers().clone(), answer.bytes().await.unwrap().to_vec())
    }
}

/// A JSON text.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The token behind a kind of link in a mail's text.
pub fn token_in(mail: &str, kind: &str) -> String {
    let link =
        mail.split_whitespace().find(|word| word.contains(kind)).unwrap_or_else(|| panic!("no {kind} in {mail}"));
    link.split_once('#').map(|(_, token)| token.to_owned()).expect("a link has a fragment")
}

/// A share that was sent, for tests that lay many into an inbox without sending each.
#[must_use]
pub fn a_share(title: &str, reference: Option<Reference>, total_size: u64, at: Timestamp) -> Share {
    Share {
        id: ShareId::new(at),
        title: title.parse().expect("a title"),
        reference,
        message: None,
        language: None,
        expires_at: None,
        allow_upload: false,
        state: ShareState::Sent { sent_at: at },
        by: StaffId::new(at).into(),
        from: "Sam".parse().expect("a name"),
        from_company: None,
        contents: Contents { file_count: 1, total_size, kinds: [FileKind::Document].into(), ..Contents::default() },
        words_version: 0,
        words_left_out: false,
        excluded: BTreeSet::new(),
        excluded_folders: BTreeSet::new(),
        removed_companies: BTreeMap::new(),
        erasing: false,
        last_file_at: None,
        created_at: at,
    }
}
