//! What each route costs, held to the table in `docs/data-model.md`: calls, calls after one another, capacity units.

use std::collections::BTreeMap;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{ContactId, InboxOf, InboxRow, RecipientId, ShareWords, StaffId};
use gatehouse::store::{Store, keys};
use gatehouse_local::meter::Cost;
use gatehouse_tests::{ADMIN, Customer, NOBODY, PASSWORD, Portal, Who, a_share, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

use crate::granted::becomes;
use crate::pages;

const DATA_MODEL: &str = include_str!("../../../../docs/data-model.md");

/// The rows of the document's cost table: `| POST /v1/sessions | 4 | 3 | 3 | 0 |`.
fn documented(heading: &str) -> BTreeMap<String, (Cost, bool)> {
    let section = DATA_MODEL.split(&format!("## {heading}\n")).nth(1).and_then(|rest| rest.split("\n## ").next());
    let section = section.expect("the document has the table");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let number = |n: usize| cells[n].parse::<f64>().unwrap_or_else(|_| panic!("{row}"));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the table has small whole numbers"
        )]
        let (calls, round_trips) = (number(1) as usize, number(2) as usize);
        (cells[0].replace('`', ""), (Cost { calls, round_trips, read_units: number(3), write_units: number(4) }, false))
    })
    .collect()
}

struct Costs<'a> {
    portal: &'a Portal,
    documented: BTreeMap<String, (Cost, bool)>,
    wrong: Vec<String>,
}

impl Costs<'_> {
    /// Holds what one request cost to the document.
    async fn hold(
        &mut self,
        row: &str,
        method: Method,
        path: &str,
        who: &gatehouse_tests::Who,
        body: Option<Value>,
    ) -> Value {
        self.portal.pause_mail().await;
        let _ = self.portal.stack.meter.take();
        let reply = self.portal.call(method, path, who, body).await;
        let calls = self.portal.stack.meter.take();
        self.portal.stack.pause_mail(false);
        let cost = Cost::of(&calls);
        assert!(reply.status.is_success(), "{row}: {:#}", reply.body);
        match self.documented.get_mut(row) {
            Some((documented, seen)) => {
                *seen = true;
                // Two calls side by side are now and then one after the other: the document has the fewer. Of many
                // side by side, that happens more often.
                let most = documented.round_trips + 1 + documented.calls / 10;
                let trips = documented.round_trips.saturating_sub(documented.calls / 10)..=most;
                let same = Cost { round_trips: documented.round_trips, ..cost } == *documented;
                if !same || !trips.contains(&cost.round_trips) {
                    self.wrong.push(format!(
                        "| `{row}` | {} | {} | {} | {} |",
                        cost.calls, cost.round_trips, cost.read_units, cost.write_units
                    ));
                }
            }
            None => self.wrong.push(format!(
                "| `{row}` | {} | {} | {} | {} | (is missing)",
                cost.calls, cost.round_trips, cost.read_units, cost.write_units
            )),
        }
        reply.body
    }

    /// One document, whose settings are read once a minute.
    async fn pages(&mut self) {
        self.hold("GET /", Method::GET, "/", &NOBODY, None).await;
        self.hold("GET / (within a minute)", Method::GET, "/", &NOBODY, None).await;
        let file = format!("/a/{}/main.js", pages::folder(self.portal).await);
        self.hold("GET /a/{path+}", Method::GET, &file, &NOBODY, None).await;
        self.hold("GET /{page}", Method::GET, "/signin", &NOBODY, None).await;
        for kind in ["shares", "jobs", "assets", "sites", "companies", "contacts", "registrations"] {
            self.hold(&format!("GET /{kind}/{{id}}"), Method::GET, &format!("/{kind}/any"), &NOBODY, None).await;
        }
    }

    fn all_is_as_documented(&self) {
        let unseen: Vec<_> = self.documented.iter().filter(|(_, (_, seen))| !seen).map(|(row, _)| row).collect();
        assert!(self.wrong.is_empty(), "measured otherwise:\n{}", self.wrong.join("\n"));
        assert!(unseen.is_empty(), "documented, but not measured: {unseen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_costs_what_the_document_says() {
    let portal = Portal::open().await;
    let mut costs = Costs { portal: &portal, documented: documented("What each route costs"), wrong: Vec::new() };
    costs.hold("GET /openapi.json", Method::GET, "/openapi.json", &NOBODY, None).await;
    costs.pages().await;
    let token = portal.activation_token(ADMIN, 1).await;
    costs
        .hold(
            "POST /v1/activations/check",
            Method::POST,
            "/v1/activations/check",
            &NOBODY,
            Some(json!({ "token": token })),
        )
        .await;
    let body = json!({ "token": token, "password": PASSWORD });
    costs.hold("POST /v1/activations", Method::POST, "/v1/activations", &NOBODY, Some(body)).await;
    let body = json!({ "token": token });
    costs.hold("POST /v1/activations/renew", Method::POST, "/v1/activations/renew", &NOBODY, Some(body)).await;
    let body = json!({ "email": ADMIN, "password": PASSWORD });
    let session = costs.hold("POST /v1/sessions", Method::POST, "/v1/sessions", &NOBODY, Some(body)).await;
    let admin = gatehouse_tests::Who(session["token"].as_str().map(str::to_owned));
    costs.hold("GET /v1/me", Method::GET, "/v1/me", &admin, None).await;
    costs.hold("PATCH /v1/me", Method::PATCH, "/v1/me", &admin, Some(json!({ "name": "Ada" }))).await;

    let company = costs
        .hold("POST /v1/companies", Method::POST, "/v1/companies", &admin, Some(json!({ "name": "Harbour" })))
        .await;
    let company = text(&company["id"]);
    let path = format!("/v1/companies/{company}");
    costs.hold("GET /v1/companies", Method::GET, "/v1/companies", &admin, None).await;
    costs.hold("GET /v1/companies/{id}", Method::GET, &path, &admin, None).await;
    costs.hold("PATCH /v1/companies/{id}", Method::PATCH, &path, &admin, Some(json!({ "reference": "C-1" }))).await;
    let other = portal.company(&admin, "Harbour Ltd").await;
    let merge = format!("/v1/companies/{other}/merge");
    costs.hold("POST /v1/companies/{id}/merge", Method::POST, &merge, &admin, Some(json!({ "into": company }))).await;
    let contacts = format!("{path}/contacts");
    let body = json!({ "name": "Ann", "email": "ann@harbour.example" });
    let contact = costs.hold("POST /v1/companies/{id}/contacts", Method::POST, &contacts, &admin, Some(body)).await;
    let contact = text(&contact["id"]);
    costs.hold("GET /v1/companies/{id}/contacts", Method::GET, &contacts, &admin, None).await;
    let path = format!("/v1/contacts/{contact}");
    costs.hold("GET /v1/contacts/{id}", Method::GET, &path, &admin, None).await;
    costs.hold("PATCH /v1/contacts/{id}", Method::PATCH, &path, &admin, Some(json!({ "phone": "+31 10 1" }))).await;
    let invitation = format!("{path}/invitation");
    costs.hold("POST /v1/contacts/{id}/invitation", Method::POST, &invitation, &admin, None).await;
    costs.hold("DELETE /v1/contacts/{id}/invitation", Method::DELETE, &invitation, &admin, None).await;

    let ann = portal.customer(&admin, "ann@other.example").await;
    let file = json!({ "name": "a.txt", "size": 1, "content_type": "text/plain" });
    let body = json!({ "title": "T", "recipients": [{ "contact_id": ann.id }], "files": [file] });
    let share = costs.hold("POST /v1/shares", Method::POST, "/v1/shares", &admin, Some(body)).await;
    let (path, first) = (format!("/v1/shares/{}", text(&share["id"])), text(&share["files"][0]["id"]));
    let added = costs
        .hold("POST /v1/shares/{id}/files", Method::POST, &format!("{path}/files"), &admin, Some(file.clone()))
        .await;
    let spare = portal.post(&format!("{path}/files"), &admin, file.clone()).await.expect(201);
    let spare = format!("{path}/files/{}", text(&spare["id"]));
    let row = "PATCH /v1/shares/{id}/files/{fid}";
    costs.hold(row, Method::PATCH, &spare, &admin, Some(json!({ "folder": "Photos" }))).await;
    costs.hold("DELETE /v1/shares/{id}/files/{fid}", Method::DELETE, &spare, &admin, None).await;
    let draft = portal.post("/v1/shares", &admin, json!({ "title": "T", "files": [file] })).await.expect(201);
    let draft = format!("/v1/shares/{}", text(&draft["id"]));
    costs.hold("DELETE /v1/shares/{id} (a draft)", Method::DELETE, &draft, &admin, None).await;
    let upload = format!("{path}/files/{first}/upload");
    let upload = costs.hold("GET /v1/shares/{id}/files/{fid}/upload", Method::GET, &upload, &admin, None).await;
    // What S3 tells of it must not be faster than the sender.
    portal.stack.pause_mail(true);
    portal.upload(&upload["upload"], b"a").await;
    portal.upload(&added["upload"], b"a").await;
    portal.complete(&admin, &text(&share["id"]), &text(&added["id"])).await.expect(200);
    let complete = format!("{path}/files/{first}/complete");
    costs.hold("POST /v1/shares/{id}/files/{fid}/complete", Method::POST, &complete, &admin, None).await;
    costs.hold("POST /v1/shares/{id}/send", Method::POST, &format!("{path}/send"), &admin, None).await;

    costs.hold("GET /v1/shares (customer)", Method::GET, "/v1/shares", &ann.who, None).await;
    costs.hold("GET /v1/shares (staff)", Method::GET, "/v1/shares", &admin, None).await;
    costs.hold("GET /v1/shares/{id} (customer, first time)", Method::GET, &path, &ann.who, None).await;
    costs.hold("GET /v1/shares/{id} (customer)", Method::GET, &path, &ann.who, None).await;
    costs.hold("GET /v1/shares/{id} (staff)", Method::GET, &path, &admin, None).await;
    let download = format!("{path}/files/{first}/download");
    costs.hold("POST /v1/shares/{id}/files/{fid}/download (customer)", Method::POST, &download, &ann.who, None).await;
    costs.hold("POST /v1/shares/{id}/files/{fid}/download (staff)", Method::POST, &download, &admin, None).await;
    let preview = format!("{path}/files/{first}/preview");
    costs.hold("POST /v1/shares/{id}/files/{fid}/preview", Method::POST, &preview, &ann.who, None).await;
    let body = json!({ "files": [first], "size": "small" });
    let thumbnails = format!("{path}/thumbnails");
    costs.hold("POST /v1/shares/{id}/thumbnails", Method::POST, &thumbnails, &ann.who, Some(body)).await;
    let body = json!({ "items": [{ "share_id": share["id"], "file_id": first }], "size": "small" });
    costs.hold("POST /v1/thumbnails", Method::POST, "/v1/thumbnails", &ann.who, Some(body)).await;
    let downloads = format!("{path}/downloads");
    costs.hold("POST /v1/shares/{id}/downloads (customer)", Method::POST, &downloads, &ann.who, None).await;
    costs.hold("POST /v1/shares/{id}/downloads (staff)", Method::POST, &downloads, &admin, None).await;
    shares(&mut costs, &admin, &ann, &path).await;
    people(&mut costs, &admin, &ann).await;
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    records(&mut costs, &admin, &ann).await;
    let who = portal.sign_in(&ann.email).await;
    costs.hold("DELETE /v1/sessions/current", Method::DELETE, "/v1/sessions/current", &who, None).await;
    costs.hold("DELETE /v1/sessions", Method::DELETE, "/v1/sessions", &admin, None).await;

    costs.all_is_as_documented();
}

/// What becomes of a share that was sent, its links, the settings.
async fn shares(costs: &mut Costs<'_>, admin: &Who, ann: &Customer, path: &str) {
    let portal = costs.portal;
    for (row, look) in [
        ("GET /v1/shares (by a word)", "q=t"),
        ("GET /v1/shares (by type)", "type=document"),
        ("GET /v1/shares (unread)", "unread=true"),
        ("GET /v1/shares (by title)", "sort=title"),
    ] {
        costs.hold(row, Method::GET, &format!("/v1/shares?{look}"), &ann.who, None).await;
    }
    let change = json!({ "title": "Changed", "allow_upload": true });
    costs.hold("PATCH /v1/shares/{id}", Method::PATCH, path, admin, Some(change)).await;
    let (row, preview) = ("POST /v1/shares/{id}/mail-preview", format!("{path}/mail-preview"));
    costs.hold(row, Method::POST, &preview, admin, Some(json!({ "contact_id": ann.id }))).await;
    let recipients = format!("{path}/recipients");
    let guest = json!({ "email": "guest@terminal.example" });
    let guest = costs.hold("POST /v1/shares/{id}/recipients", Method::POST, &recipients, admin, Some(guest)).await;
    costs.hold("GET /v1/shares/{id}/recipients", Method::GET, &recipients, admin, None).await;
    let bob = portal.customer(admin, "bob@other.example").await;
    let row = "POST /v1/shares/{id}/recipients (a contact)";
    costs.hold(row, Method::POST, &recipients, admin, Some(json!({ "contact_id": bob.id }))).await;
    let row = "DELETE /v1/shares/{id}/recipients/{rid}";
    costs.hold(row, Method::DELETE, &format!("{recipients}/{}", bob.id), admin, None).await;

    let file = json!({ "name": "back.txt", "size": 1, "content_type": "text/plain" });
    let row = "POST /v1/shares/{id}/files (customer)";
    let added = costs.hold(row, Method::POST, &format!("{path}/files"), &ann.who, Some(file)).await;
    portal.stack.pause_mail(true);
    portal.upload(&added["upload"], b"a").await;
    let complete = format!("{path}/files/{}/complete", text(&added["id"]));
    let row = "POST /v1/shares/{id}/files/{fid}/complete (customer)";
    costs.hold(row, Method::POST, &complete, &ann.who, None).await;

    let mail = text(&portal.mails_when("guest@terminal.example", 1).await[0]["text"]);
    let token = token_in(&mail, "/open#");
    let body = json!({ "token": token });
    let opened = costs.hold("POST /v1/links/open", Method::POST, "/v1/links/open", &NOBODY, Some(body)).await;
    let body = json!({ "token": token, "file_id": opened["files"][0]["id"] });
    costs.hold("POST /v1/links/download", Method::POST, "/v1/links/download", &NOBODY, Some(body)).await;
    let body = json!({ "token": token, "file_id": opened["files"][0]["id"] });
    costs.hold("POST /v1/links/preview", Method::POST, "/v1/links/preview", &NOBODY, Some(body)).await;
    let body = json!({ "token": token, "files": [opened["files"][0]["id"]], "size": "small" });
    costs.hold("POST /v1/links/thumbnails", Method::POST, "/v1/links/thumbnails", &NOBODY, Some(body)).await;
    let body = json!({ "token": token });
    costs.hold("POST /v1/links/downloads", Method::POST, "/v1/links/downloads", &NOBODY, Some(body)).await;
    let body = json!({ "token": token, "name": "Gita" });
    costs.hold("POST /v1/links/get-access", Method::POST, "/v1/links/get-access", &NOBODY, Some(body)).await;
    let unsubscribe = format!("/v1/unsubscribe/{}", token_in(&mail, "/unsubscribe#"));
    let row = "POST /v1/unsubscribe/{token}";
    costs.hold(row, Method::POST, &unsubscribe, &NOBODY, Some(json!({ "confirm": true }))).await;
    let link = format!("{recipients}/{}/link", text(&guest["id"]));
    costs.hold("POST /v1/shares/{id}/recipients/{rid}/link", Method::POST, &link, admin, None).await;
    costs.hold("DELETE /v1/shares/{id}", Method::DELETE, path, admin, None).await;
    costs.hold("GET /v1/settings", Method::GET, "/v1/settings", admin, None).await;
    let body = json!({ "support_email": "help@northgate.example" });
    costs.hold("PUT /v1/settings", Method::PUT, "/v1/settings", admin, Some(body)).await;
}

/// Sites, assets and jobs: pushed, looked at, deleted.
async fn records(costs: &mut Costs<'_>, admin: &Who, ann: &Customer) {
    let portal = costs.portal;
    let areas = json!({ "areas": ["jobs", "assets"] });
    portal.patch(&format!("/v1/contacts/{}", ann.id), admin, areas).await.expect(200);
    let of_company = format!("/v1/companies/{}", ann.company);
    let put = |kind: &str| format!("PUT /v1/companies/{{id}}/{kind}/{{reference+}}");
    let site = json!({ "name": "Hamburg", "address": "Am Hafen 1" });
    let asset = json!({ "name": "Reefer", "kind": "Container", "site_reference": "HAM", "status": "idle" });
    let job = json!({ "title": "Repair of the door", "status": "open", "site_reference": "HAM", "asset_reference": "MSKU1234567", "note": "Call first" });
    for (kind, reference, body, change) in [
        ("sites", "HAM", site, json!({ "address": "Am Hafen 2" })),
        ("assets", "MSKU1234567", asset, json!({ "status": "on hire" })),
        ("jobs", "2026/00123", job, json!({ "status": "done" })),
    ] {
        let path = format!("{of_company}/{kind}/{reference}");
        let record = costs.hold(&format!("{} (new)", put(kind)), Method::PUT, &path, admin, Some(body)).await;
        costs.hold(&format!("{} (changed)", put(kind)), Method::PUT, &path, admin, Some(change.clone())).await;
        costs.hold(&format!("{} (unchanged)", put(kind)), Method::PUT, &path, admin, Some(change)).await;
        let (list, one) = (format!("GET /v1/{kind}"), format!("GET /v1/{kind}/{{id}}"));
        let of_one = format!("/v1/{kind}/{}", text(&record["id"]));
        costs.hold(&format!("{list} (customer)"), Method::GET, &format!("/v1/{kind}"), &ann.who, None).await;
        costs.hold(&format!("{one} (customer)"), Method::GET, &of_one, &ann.who, None).await;
        let of_staff = format!("/v1/{kind}?company_id={}", ann.company);
        costs.hold(&format!("{list} (staff)"), Method::GET, &of_staff, admin, None).await;
        costs.hold(&format!("{one} (staff)"), Method::GET, &of_one, admin, None).await;
    }
    for (row, look) in [("by a word", "q=rep"), ("by a reference", "q=2026-00123"), ("in a state", "status=done")] {
        let row = format!("GET /v1/jobs ({row})");
        costs.hold(&row, Method::GET, &format!("/v1/jobs?{look}"), &ann.who, None).await;
    }
    problems(costs, admin, ann).await;
    for kind in ["sites", "assets", "jobs"] {
        let row = format!("POST /v1/companies/{{id}}/{kind} (10, new)");
        let path = format!("{of_company}/{kind}");
        costs.hold(&row, Method::POST, &path, admin, Some(many(kind, 10))).await;
    }
    for (kind, reference) in [("sites", "HAM"), ("assets", "MSKU1234567"), ("jobs", "2026/00123")] {
        let row = format!("DELETE /v1/companies/{{id}}/{kind}/{{reference+}}");
        costs.hold(&row, Method::DELETE, &format!("{of_company}/{kind}/{reference}"), admin, None).await;
    }
}

/// A problem with the reefer, and what both sides put to its job.
async fn problems(costs: &mut Costs<'_>, admin: &Who, ann: &Customer) {
    let portal = costs.portal;
    let areas = json!({ "areas": ["jobs", "assets", "report_problem"] });
    portal.patch(&format!("/v1/contacts/{}", ann.id), admin, areas).await.expect(200);
    let asset = portal.get("/v1/assets", &ann.who).await.expect(200)["items"][0]["id"].clone();
    let files = json!([{ "name": "door.jpg", "size": 1, "content_type": "image/jpeg" }]);
    let body = json!({ "files": files });
    let photos =
        costs.hold("POST /v1/problem-photos", Method::POST, "/v1/problem-photos", &ann.who, Some(body.clone())).await;
    let report = json!({ "asset_id": asset, "title": "Door", "description": "Loose", "photos": files, "photo_ids": [photos["uploads"][0]["id"]] });
    let made = costs.hold("POST /v1/problems", Method::POST, "/v1/problems", &ann.who, Some(report)).await;
    let job = format!("/v1/jobs/{}", text(&made["job_id"]));
    let word = json!({ "text": "The key is at the gate" });
    let (comments, adds) = (format!("{job}/comments"), format!("{job}/files"));
    costs.hold("POST /v1/jobs/{id}/comments (customer)", Method::POST, &comments, &ann.who, Some(word.clone())).await;
    costs.hold("POST /v1/jobs/{id}/comments (staff)", Method::POST, &comments, admin, Some(word)).await;
    costs.hold("POST /v1/jobs/{id}/files", Method::POST, &adds, &ann.who, Some(body)).await;
    let change = json!({ "reference": "2026/00200", "status": "scheduled", "note": "At noon" });
    costs.hold("PATCH /v1/jobs/{id}", Method::PATCH, &job, admin, Some(change)).await;
    portal.upload(&made["uploads"][0]["upload"], b"a").await;
    becomes("the photo", async || !portal.get(&job, &ann.who).await.expect(200)["files"][0].is_null()).await;
    costs.hold("GET /v1/jobs/{id} (reported, customer)", Method::GET, &job, &ann.who, None).await;
    let download = format!("{job}/files/{}/download", text(&made["uploads"][0]["id"]));
    costs.hold("POST /v1/jobs/{id}/files/{fid}/download", Method::POST, &download, &ann.who, None).await;
    let preview = download.replace("download", "preview");
    costs.hold("POST /v1/jobs/{id}/files/{fid}/preview", Method::POST, &preview, &ann.who, None).await;
    let wanted = json!({ "files": [made["uploads"][0]["id"]], "size": "small" });
    let thumbnails = format!("{job}/thumbnails");
    costs.hold("POST /v1/jobs/{id}/thumbnails", Method::POST, &thumbnails, &ann.who, Some(wanted)).await;
}

/// So many records in one request.
fn many(kind: &str, records: usize) -> Value {
    let items = (0..records).map(|n| match kind {
        "jobs" => json!({ "reference": format!("B-{n}"), "title": "Repair of the door", "status": "open" }),
        _ => json!({ "reference": format!("B-{n}"), "name": "Hamburg" }),
    });
    json!({ "items": items.collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_500_costs_few_calls() {
    let portal = Portal::open().await;
    let mut costs = Costs { portal: &portal, documented: documented("What a batch costs"), wrong: Vec::new() };
    let admin = portal.admin().await;
    let company = portal.company(&admin, "Harbour").await;
    portal.stop_the_stream().await;
    for kind in ["sites", "assets", "jobs"] {
        let (row, path) = (format!("POST /v1/companies/{{id}}/{kind}"), format!("/v1/companies/{company}/{kind}"));
        costs.hold(&format!("{row} (new)"), Method::POST, &path, &admin, Some(many(kind, 500))).await;
        costs.hold(&format!("{row} (unchanged)"), Method::POST, &path, &admin, Some(many(kind, 500))).await;
        let mut changed = many(kind, 500);
        for item in changed["items"].as_array_mut().unwrap() {
            let (field, value) = match kind {
                "sites" => ("address", "Am Hafen 1"),
                "assets" => ("status", "idle"),
                _ => ("status", "done"),
            };
            item[field] = json!(value);
        }
        costs.hold(&format!("{row} (changed)"), Method::POST, &path, &admin, Some(changed)).await;
    }
    costs.all_is_as_documented();
}

/// Access, staff, registrations, passwords, keys, activity.
async fn people(costs: &mut Costs<'_>, admin: &Who, ann: &Customer) {
    let portal = costs.portal;
    let access = format!("/v1/contacts/{}/access", ann.id);
    costs
        .hold("PUT /v1/contacts/{id}/access (closed)", Method::PUT, &access, admin, Some(json!({ "state": "closed" })))
        .await;
    costs
        .hold("PUT /v1/contacts/{id}/access (open)", Method::PUT, &access, admin, Some(json!({ "state": "open" })))
        .await;
    costs.hold("GET /v1/users", Method::GET, "/v1/users", admin, None).await;
    costs.hold("GET /v1/users (by words)", Method::GET, "/v1/users?q=ann", admin, None).await;
    costs.hold("GET /v1/companies (by words)", Method::GET, "/v1/companies?q=har", admin, None).await;

    let staff = "/v1/staff";
    let new = json!({ "name": "Bo", "email": "bo@northgate.example", "roles": ["member"] });
    let member = costs.hold("POST /v1/staff", Method::POST, staff, admin, Some(new)).await;
    let member = format!("{staff}/{}", text(&member["id"]));
    costs.hold("GET /v1/staff", Method::GET, staff, admin, None).await;
    let again = format!("{member}/invitation");
    costs.hold("POST /v1/staff/{id}/invitation", Method::POST, &again, admin, None).await;
    let roles = json!({ "roles": ["mapper"] });
    costs.hold("PATCH /v1/staff/{id}", Method::PATCH, &member, admin, Some(roles)).await;
    let duty = format!("{member}/duty");
    costs.hold("PUT /v1/staff/{id}/duty", Method::PUT, &duty, admin, Some(json!({ "on_duty": true }))).await;
    costs.hold("DELETE /v1/staff/{id}", Method::DELETE, &member, admin, None).await;
    let key = json!({ "name": "ERP", "scopes": ["customers:read"] });
    let key = costs.hold("POST /v1/api-keys", Method::POST, "/v1/api-keys", admin, Some(key)).await;
    costs.hold("GET /v1/api-keys", Method::GET, "/v1/api-keys", admin, None).await;
    let integration = Who(key["key"].as_str().map(str::to_owned));
    costs.hold("GET /v1/companies (first use of a key)", Method::GET, "/v1/companies", &integration, None).await;
    costs.hold("GET /v1/companies (with a key)", Method::GET, "/v1/companies", &integration, None).await;
    let key = format!("/v1/api-keys/{}", text(&key["id"]));
    costs.hold("DELETE /v1/api-keys/{id}", Method::DELETE, &key, admin, None).await;

    let company = portal.company(admin, "Ships").await;
    for email in ["rita@ships.example", "rob@ships.example"] {
        let body = json!({ "name": "Rita", "email": email, "company": "Ships" });
        costs.hold("POST /v1/registrations", Method::POST, "/v1/registrations", &NOBODY, Some(body)).await;
    }
    let queue = costs.hold("GET /v1/registrations", Method::GET, "/v1/registrations", admin, None).await;
    let request = |n: usize| format!("/v1/registrations/{}", text(&queue["items"][n]["id"]));
    costs.hold("GET /v1/registrations/{id}", Method::GET, &request(0), admin, None).await;
    let body = json!({ "company_id": company, "new_contact": { "name": "Rita" } });
    costs
        .hold("POST /v1/registrations/{id}/map", Method::POST, &format!("{}/map", request(0)), admin, Some(body))
        .await;
    let body = json!({ "reason": "No.", "notify": true });
    costs
        .hold(
            "POST /v1/registrations/{id}/decline",
            Method::POST,
            &format!("{}/decline", request(1)),
            admin,
            Some(body),
        )
        .await;
    costs.hold("GET /v1/activity", Method::GET, "/v1/activity", admin, None).await;
    let of_contact = format!("/v1/activity?contact_id={}", ann.id);
    costs.hold("GET /v1/activity (of a contact)", Method::GET, &of_contact, admin, None).await;

    let reset = portal.customer(admin, "reset@ships.example").await;
    let body = json!({ "email": reset.email });
    costs.hold("POST /v1/password-resets", Method::POST, "/v1/password-resets", &NOBODY, Some(body)).await;
    let token = token_in(&text(&portal.mails_when(&reset.email, 2).await[0]["text"]), "/reset#");
    let body = json!({ "token": token, "password": "four other words, entirely" });
    let path = "/v1/password-resets/confirm";
    let session = costs.hold("POST /v1/password-resets/confirm", Method::POST, path, &NOBODY, Some(body)).await;
    let who = Who(session["token"].as_str().map(str::to_owned));
    let body = json!({ "current_password": "four other words, entirely", "password": PASSWORD });
    costs.hold("PUT /v1/me/password", Method::PUT, "/v1/me/password", &who, Some(body)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_template_is_in_the_document() {
    let documented = documented("What each route costs");
    for function in gatehouse_template::Template::of_workspace().unwrap().functions {
        for route in function.routes {
            let gatehouse_template::Route::Path { method, path } = route else { continue };
            // HEAD is GET.
            let route = format!("{} {path}", if method == "HEAD" { "GET" } else { &method });
            assert!(documented.keys().any(|row| row.split(" (").next() == Some(&route)), "{route} has no cost");
        }
    }
}

/// Every way to look at an inbox, and how many it finds on its first page.
const LOOKS: [(&str, usize); 17] = [
    ("", 25),
    ("&sort=received_at", 25),
    ("&sort=title", 25),
    ("&sort=-title", 25),
    ("&sort=size", 25),
    ("&sort=-size", 25),
    ("&unread=true", 10),
    ("&type=document", 25),
    ("&q=discharge", 25),
    ("&q=reef", 10),
    ("&q=REEFER+report&sort=title", 10),
    ("&from=2023-11-14T22:13:20Z&to=2023-11-14T22:13:50Z&sort=-size", 25),
    ("&direction=in", 25),
    ("&direction=out", 0),
    ("&direction=in&unread=true", 10),
    ("&from_id=FROM", 10),
    ("&from_id=FROM&direction=in&type=document&sort=title", 10),
];

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_great_inbox_costs_what_looking_at_a_small_one_costs() {
    hold_inboxes(&[100, 10_000]).await;
}

/// The largest: `cargo test -p gatehouse-tests -- --ignored hundred_thousand`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "fills a table for three minutes"]
async fn looking_at_a_hundred_thousand_shares_costs_the_same() {
    hold_inboxes(&[100, 100_000]).await;
}

async fn hold_inboxes(sizes: &[i64]) {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let mut customers = Vec::new();
    for shares in sizes {
        customers.push((shares, portal.customer(&admin, &format!("of{shares}@harbour.example")).await));
    }
    portal.stop_the_stream().await;
    let mut costs: Vec<Vec<(String, Cost)>> = Vec::new();
    for (shares, customer) in customers {
        let sender = fill(&portal, customer.id.parse().unwrap(), *shares).await;
        let mut pages = Vec::new();
        for (look, found) in LOOKS {
            let (asked, mut cursor) = (look.replace("FROM", &sender), String::new());
            for n in 0..3 {
                let _ = portal.stack.meter.take();
                let page = portal.get(&format!("/v1/shares?limit=25{asked}{cursor}"), &customer.who).await.expect(200);
                pages.push((format!("{look} page {n}"), Cost::of(&portal.stack.meter.take())));
                let items = page["items"].as_array().unwrap().len();
                assert_eq!(items, if n == 0 { found } else { items }, "{look}");
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
        }
        costs.push(pages);
    }
    // A word that 1,000 shares have is gathered and sorted by its keys; of more, a page is read as well.
    for ((look, small), (_, great)) in costs[0].iter().zip(&costs[1]) {
        assert!(
            great.read_units <= small.read_units + if look.contains("q=disch") { 30.0 } else { 1.0 }
                && great.calls <= small.calls + 1,
            "{look}: {small:?} {great:?}"
        );
        assert!(great.round_trips <= 3, "{look}: {great:?}");
    }
}

/// Every way to look at a company's jobs and assets, and how many it finds on its first page. Ten of each are in a state,
/// at a site, about an asset, or have a word of their own, however many there are.
const RECORD_LOOKS: [(&str, usize); 22] = [
    ("jobs?", 25),
    ("jobs?sort=updated_at", 25),
    ("jobs?sort=-scheduled_at", 25),
    ("jobs?sort=scheduled_at", 25),
    ("jobs?sort=title", 25),
    ("jobs?status=open", 25),
    ("jobs?status=cancelled", 10),
    ("jobs?status=cancelled&sort=title", 10),
    ("jobs?site_id=SITE&sort=-scheduled_at", 10),
    ("jobs?asset_id=ASSET", 10),
    ("jobs?asset_id=ASSET&site_id=SITE&status=cancelled&sort=scheduled_at", 10),
    ("jobs?source=api", 25),
    ("jobs?source=portal", 0),
    ("jobs?q=reef", 10),
    ("jobs?q=REEFER+repair&sort=title", 10),
    ("jobs?q=repair", 25),
    ("jobs?q=repair&status=cancelled", 10),
    ("assets?q=MSKU+100017-7", 1),
    ("jobs?q=2026/00042", 1),
    ("jobs?q=202600042", 1),
    ("jobs?q=00042", 1),
    ("assets?status=idle", 10),
];

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_ten_thousand_records_costs_what_looking_at_a_hundred_costs() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let mut customers = Vec::new();
    for records in [100, 10_000] {
        let customer = portal.customer(&admin, &format!("of{records}@harbour.example")).await;
        let areas = json!({ "areas": ["jobs", "assets"] });
        portal.patch(&format!("/v1/contacts/{}", customer.id), &admin, areas).await.expect(200);
        customers.push((records, customer));
    }
    portal.stop_the_stream().await;
    let mut costs: Vec<Vec<(String, Cost)>> = Vec::new();
    for (records, customer) in customers {
        let (site, asset) = fill_records(&portal, &admin, &customer, records).await;
        let mut pages = Vec::new();
        for (look, found) in RECORD_LOOKS {
            let (asked, mut cursor) = (look.replace("SITE", &site).replace("ASSET", &asset), String::new());
            for n in 0..3 {
                let _ = portal.stack.meter.take();
                let page = portal.get(&format!("/v1/{asked}&limit=25{cursor}"), &customer.who).await.expect(200);
                pages.push((format!("{look} page {n}"), Cost::of(&portal.stack.meter.take())));
                let items = page["items"].as_array().unwrap().len();
                assert_eq!(items, if n == 0 { found } else { items }, "{look}");
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
        }
        costs.push(pages);
    }
    // A word that up to 200 have is sorted by all their lines; of one that more have, a page is read.
    for ((look, small), (_, great)) in costs[0].iter().zip(&costs[1]) {
        assert!(
            great.read_units <= small.read_units + if look.contains("q=repair") { 13.0 } else { 1.0 }
                && great.calls <= small.calls + 1,
            "{look}: {small:?} {great:?}"
        );
        assert!(great.round_trips <= 3, "{look}: {great:?}");
    }
}

/// So many jobs, and as many assets up to a thousand; the site and the asset that ten of the jobs name.
async fn fill_records(portal: &Portal, admin: &Who, customer: &Customer, records: usize) -> (String, String) {
    let of_company = format!("/v1/companies/{}", customer.company);
    let (mut named, assets_too) = (Vec::new(), records.min(1_000));
    for kind in ["sites", "assets"] {
        let record =
            json!({ "items": [{ "reference": "NAMED", "name": "Named" }, { "reference": "OTHER", "name": "Other" }] });
        let answer = portal.post(&format!("{of_company}/{kind}"), admin, record).await.expect(200);
        named.push(text(&answer["items"][0]["id"]));
    }
    for some in (0..records).collect::<Vec<_>>().chunks(500) {
        let jobs = some.iter().map(|n| {
            // Ten of them, wherever they lie.
            let few = n % (records / 10) == 7;
            let (title, status) = if few { ("Reefer repair", "cancelled") } else { ("Repair", "open") };
            let link = if few { "NAMED" } else { "OTHER" };
            let day = n * 7919 % records;
            let at = Timestamp::from_second(1_800_000_000 + 60 * i64::try_from(day).unwrap()).unwrap();
            json!({
                "reference": format!("2026/{n:05}"), "title": title, "status": status,
                "site_reference": link, "asset_reference": link, "scheduled_at": at,
            })
        });
        let body = json!({ "items": jobs.collect::<Vec<_>>() });
        let answer = portal.post(&format!("{of_company}/jobs"), admin, body).await.expect(200);
        assert_eq!(answer["created"], some.len(), "{answer:#}");
        if some[0] >= assets_too {
            continue;
        }
        let assets = some.iter().map(|n| {
            let status = if n % (assets_too / 10) == 7 { "idle" } else { "on hire" };
            json!({ "reference": format!("MSKU 1{n:05}-7"), "name": format!("Container {n:05}"), "status": status })
        });
        let body = json!({ "items": assets.collect::<Vec<_>>() });
        let answer = portal.post(&format!("{of_company}/assets"), admin, body).await.expect(200);
        assert_eq!(answer["created"], some.len(), "{answer:#}");
    }
    (named.remove(0), named.remove(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_page_costs_what_the_document_says() {
    let portal = Portal::open().await;
    let mut costs = Costs { portal: &portal, documented: documented("What a full page costs"), wrong: Vec::new() };
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    for n in 0..30 {
        portal.company(&admin, &format!("Harbour {n:02}")).await;
        portal.contact(&admin, &ann.company, &format!("contact{n}@harbour.example")).await;
        let body = json!({ "name": "Rita", "email": format!("rita{n}@quay.example"), "company": "Quay" });
        portal.post("/v1/registrations", &NOBODY, body).await.expect(202);
        portal.share(&admin, &format!("Discharge report of the voyage {n:02}"), &[&ann.id]).await;
    }
    let areas = json!({ "areas": ["files", "jobs", "assets"] });
    portal.patch(&format!("/v1/contacts/{}", ann.id), &admin, areas).await.expect(200);
    let mut site = String::new();
    for kind in ["sites", "assets", "jobs"] {
        let items = (0..30).map(|n| match kind {
            "sites" => json!({ "reference": format!("S-{n:02}"), "name": format!("Yard {n:02}"), "address": "Am Hafen 1\n20457 Hamburg" }),
            "assets" => json!({ "reference": format!("MSKU 1234{n:02}-7"), "name": format!("Container {n:02}"), "site_reference": "S-01" }),
            _ => json!({ "reference": format!("2026/{n:05}"), "title": "Repair of the door", "status": "open", "site_reference": "S-01", "asset_reference": format!("MSKU 1234{n:02}-7") }),
        });
        let body = json!({ "items": items.collect::<Vec<_>>() });
        let answer = portal.post(&format!("/v1/companies/{}/{kind}", ann.company), &admin, body).await.expect(200);
        assert_eq!(answer["created"], 30);
        if kind == "sites" {
            site = text(&answer["items"][1]["id"]);
        }
    }
    portal.tasks_are_done().await;
    let admin = portal.sign_in(ADMIN).await;
    for (row, path, who) in [
        ("GET /v1/companies", "/v1/companies", &admin),
        ("GET /v1/companies (by words)", "/v1/companies?q=harb", &admin),
        ("GET /v1/companies/{id}/contacts", &format!("/v1/companies/{}/contacts", ann.company), &admin),
        ("GET /v1/users", "/v1/users", &admin),
        ("GET /v1/users (by words)", "/v1/users?q=contact", &admin),
        ("GET /v1/registrations", "/v1/registrations?status=pending", &admin),
        ("GET /v1/activity", "/v1/activity", &admin),
        ("GET /v1/shares (staff)", "/v1/shares", &admin),
        ("GET /v1/shares (customer)", "/v1/shares", &ann.who),
        ("GET /v1/shares (by a word)", "/v1/shares?q=disch", &ann.who),
        ("GET /v1/shares (by type)", "/v1/shares?type=document", &ann.who),
        ("GET /v1/shares (unread)", "/v1/shares?unread=true", &ann.who),
        ("GET /v1/shares (by title)", "/v1/shares?sort=title", &ann.who),
        ("GET /v1/shares (received)", "/v1/shares?direction=in", &ann.who),
        ("GET /v1/shares (counted)", "/v1/shares?total=true", &ann.who),
        ("GET /v1/sites", "/v1/sites", &ann.who),
        ("GET /v1/assets", "/v1/assets", &ann.who),
        ("GET /v1/assets (by a word)", "/v1/assets?q=cont", &ann.who),
        ("GET /v1/jobs", "/v1/jobs", &ann.who),
        ("GET /v1/jobs (in a state)", "/v1/jobs?status=open&sort=title", &ann.who),
        ("GET /v1/jobs (in a state, at a site)", &format!("/v1/jobs?status=open&site_id={site}"), &ann.who),
        ("GET /v1/jobs (by a word)", "/v1/jobs?q=rep", &ann.who),
    ] {
        let page = costs.hold(row, Method::GET, path, who, None).await;
        assert_eq!((page["items"].as_array().unwrap().len(), page["next"].is_string()), (25, true), "{row}");
    }
    costs.all_is_as_documented();
}

/// Lays shares into an inbox, many in a transaction; again, where the table was too busy. Who has sent ten of them.
async fn fill(portal: &Portal, contact: ContactId, shares: i64) -> String {
    let (store, sender) = (Store::new(&portal.stack.env), StaffId::new(Timestamp::UNIX_EPOCH));
    for some in (0..shares).collect::<Vec<_>>().chunks(45) {
        let laid: Vec<(InboxRow, ShareWords)> = some.iter().map(|n| row(contact, *n, shares, sender)).collect();
        let mut tries = 0;
        loop {
            let transaction = laid
                .iter()
                .fold(store.transaction(), |transaction, (row, words)| transaction.replace(row).replace(words));
            match transaction.commit().await {
                Ok(()) => break,
                Err(error) => assert!(tries < 20, "{error}"),
            }
            tries += 1;
        }
        portal
            .put_items(laid.iter().flat_map(|(row, words)| {
                let key = |key: String| keys::share_word(row.of, &key, row.received_at, row.share_id).attributes();
                let keys = words.all_keys().into_iter().chain([row.direction.word().to_owned()]);
                keys.map(key)
            }))
            .await;
    }
    sender.to_string()
}

fn row(contact: ContactId, n: i64, shares: i64, sender: StaffId) -> (InboxRow, ShareWords) {
    let at = Timestamp::from_second(1_700_000_000 + n).unwrap();
    // Ten of them, wherever they lie, have a word of their own.
    let reference = (n % (shares / 10) == 7).then(|| "reefer".parse().unwrap());
    // Sizes in another order than times.
    let total_size = (n * 7919 % shares).unsigned_abs();
    let of_sender = reference.is_some();
    let mut share = a_share(&format!("Discharge report {n:06}"), reference, total_size, at);
    if of_sender {
        share.by = sender.into();
    }
    let words = ShareWords::new(&share, &[]);
    let via = Some(RecipientId::Contact(contact));
    let mut row = InboxRow::new(&share.with_words(&words), InboxOf::Contact(contact), via, at);
    row.unread = n % (shares / 10) == 3;
    (row, words)
}
