//! A believable operator with customers, made through the API as anybody would.

mod photos;

use std::borrow::Cow;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::Stack;

const PASSWORD: &str = "correct horse battery staple";

const REPORT: File =
    file("Discharge report – voyage 4711.pdf", "application/pdf", include_bytes!("../demo/discharge-report.pdf"));
const CERTIFICATE: File =
    file("Zertifikat №5 (проверка).pdf", "application/pdf", include_bytes!("../demo/certificate.pdf"));
const PHOTO: File = file("terminal.jpg", "image/jpeg", include_bytes!("../demo/terminal.jpg"));
const LIST: File = file("packing-list.csv", "text/csv", include_bytes!("../demo/packing-list.csv"));

/// So many files are announced with a share; the others are added to it.
const AT_ONCE: usize = 50;

#[derive(Clone)]
struct File {
    folder: &'static str,
    name: Cow<'static, str>,
    kind: &'static str,
    bytes: Cow<'static, [u8]>,
}

const fn file(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> File {
    File { folder: "", name: Cow::Borrowed(name), kind, bytes: Cow::Borrowed(bytes) }
}

impl File {
    fn announced(&self) -> Value {
        json!({ "name": self.name, "folder": self.folder, "size": self.bytes.len(), "content_type": self.kind })
    }
}

/// What is brought home from a site visit: photos by the hold, and the report.
fn site_visit() -> Result<Vec<File>> {
    let folders = ["Photos/Hold 1", "Photos/Hold 2", "Photos/Quay"];
    let photo = |number: u32| {
        let folder = folders[number as usize / 20];
        let name = format!("IMG_20261126_{:06}.jpg", 93_000 + number * 17).into();
        Ok(File { folder, name, kind: "image/jpeg", bytes: photos::photo(number)?.into() })
    };
    let photos = (0..60).map(photo).collect::<Result<Vec<_>>>()?;
    let report = File { folder: "Documents", ..REPORT };
    Ok([photos, vec![report, LIST]].concat())
}

/// Fills an empty stack; says how to sign in. A stack that was filled before stays as it is.
pub async fn fill(stack: &Stack, admin: &str) -> Result<Option<String>> {
    let sign_in = format!("{admin} (staff) or mara@harbour-sons.example (customer), password \"{PASSWORD}\"");
    let mut demo = Demo { http: Client::new(), url: &stack.url, token: None };
    let credentials = json!({ "email": admin, "password": PASSWORD });
    if demo.call(Method::POST, "/v1/sessions", &credentials).await.is_ok() {
        return Ok(Some(sign_in));
    }
    let Some(link) = stack.activation_link(admin).await else { return Ok(None) };
    let session = demo.activate(&link).await?;
    demo.token = session["token"].as_str().map(str::to_owned);
    demo.call(Method::PATCH, "/v1/me", &json!({ "name": "Sam Okafor" })).await?;

    let harbour = demo.company("Harbour & Sons", &["harbour-sons.example"], true).await?;
    let oliva = demo.company("Olivares Hermanos S.L.", &["olivares.example"], true).await?;
    demo.company("Kleinmann Spedition GmbH", &["kleinmann.example"], true).await?;
    let basic = demo.company("Basic Freight Ltd", &["basic-freight.example"], false).await?;

    let mara = demo.contact(&harbour, "Mara Lindqvist", Some("mara@harbour-sons.example"), true).await?;
    let tom = demo.contact(&harbour, "Tom Achterberg", Some("tom@harbour-sons.example"), true).await?;
    demo.contact(&harbour, "Gate office", None, false).await?;
    let lucia = demo.contact(&oliva, "Lucía Olivares", Some("lucia@olivares.example"), true).await?;
    let inigo = demo.contact(&oliva, "Íñigo Sanz", Some("inigo@olivares.example"), false).await?;
    demo.contact(&basic, "Pat Whitlock", Some("pat@basic-freight.example"), false).await?;
    let mut sessions = Vec::new();
    for email in ["mara@harbour-sons.example", "lucia@olivares.example"] {
        let link = stack.activation_link(email).await.with_context(|| format!("{email} was not invited"))?;
        sessions.push(demo.activate(&link).await?);
    }

    let closed = json!({ "state": "closed" });
    demo.call(Method::PUT, &format!("/v1/contacts/{inigo}/access"), &closed).await?;
    let mapper = json!({ "name": "Mia Fontaine", "email": "mia@northgate.example", "roles": ["mapper", "member"], "on_duty": true });
    demo.call(Method::POST, "/v1/staff", &mapper).await?;
    let request = json!({
        "name": "Jonas Kleinmann", "email": "jonas@kleinmann.example", "company": "Kleinmann Spedition",
        "message": "I handle our containers at your terminal.", "language": "de",
    });
    demo.call(Method::POST, "/v1/registrations", &request).await?;

    let message = "Two pallets in hold 2 had wet wrapping; see the photo. Everything else is sound.";
    demo.share("Discharge report, voyage 4711", Some(message), &[&mara, &tom], &[REPORT, PHOTO, LIST]).await?;
    let visit = "Sixty photos, by hold, and the report.";
    demo.share("Site visit, terminal 3", Some(visit), &[&mara], &site_visit()?).await?;
    demo.share("Container NGLU 204 118 6: inspection", None, &[&mara], &[CERTIFICATE]).await?;
    demo.share("Lista de carga, viaje 4715", None, &[&lucia], &[LIST, PHOTO]).await?;
    // Nobody here knows the address: the link in its mail opens the share, and offers an account.
    demo.share("Berth plan, week 47", None, &["berths@quay-seven.example"], &[LIST]).await?;
    demo.records(&harbour, &mara).await?;
    let customer = Demo { token: sessions[0]["token"].as_str().map(str::to_owned), ..demo.clone() };
    customer.problem(&demo).await?;
    Ok(Some(sign_in))
}

#[derive(Clone)]
struct Demo<'a> {
    http: Client,
    url: &'a str,
    token: Option<String>,
}

impl Demo<'_> {
    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).json(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status} {body}");
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_str(&body)? })
    }

    async fn create(&self, path: &str, body: &Value) -> Result<String> {
        let created = self.call(Method::POST, path, body).await?;
        Ok(created["id"].as_str().context("what was created has an id")?.to_owned())
    }

    async fn activate(&self, link: &str) -> Result<Value> {
        let token = link.split_once('#').map(|(_, token)| token);
        self.call(Method::POST, "/v1/activations", &json!({ "token": token, "password": PASSWORD })).await
    }

    async fn company(&self, name: &str, domains: &[&str], portal_plan: bool) -> Result<String> {
        self.create("/v1/companies", &json!({ "name": name, "domains": domains, "portal_plan": portal_plan })).await
    }

    async fn contact(&self, company: &str, name: &str, email: Option<&str>, send_invite: bool) -> Result<String> {
        let body = json!({ "name": name, "email": email, "send_invite": send_invite });
        self.create(&format!("/v1/companies/{company}/contacts"), &body).await
    }

    /// Sites, assets and jobs of a company, and a contact who sees them.
    async fn records(&self, company: &str, contact: &str) -> Result<()> {
        let areas = json!({ "areas": ["files", "upload", "jobs", "assets", "report_problem"] });
        self.call(Method::PATCH, &format!("/v1/contacts/{contact}"), &areas).await?;
        let repair = json!({
            "reference": "2026/00123", "title": "Repair of the door hinge", "status": "scheduled", "status_label": "Parts ordered",
            "site_reference": "HAM/1", "asset_reference": "NGLU 204118-6", "scheduled_at": "2026-12-01T08:00:00Z",
            "description": "The left door does not close.", "note": "The hinge comes on Friday.",
        });
        let check =
            json!({ "reference": "2026/00124", "title": "Annual check", "status": "open", "asset_reference": "R-07" });
        let paint =
            json!({ "reference": "2026/00118", "title": "Repainting", "status": "done", "asset_reference": "R-07" });
        let move_it = json!({ "reference": "2026/00121", "title": "Move to Bremen", "status": "cancelled", "site_reference": "HAM/1" });
        let tyres = json!({
            "reference": "2026/00130", "title": "New tyres", "status": "scheduled", "asset_reference": "R-07",
            "scheduled_at": "2026-12-08T07:30:00Z",
        });
        for (kind, items) in [
            (
                "sites",
                json!([{ "reference": "HAM/1", "name": "Hamburg yard", "address": "Am Sandtorkai 1\n20457 Hamburg" }]),
            ),
            (
                "assets",
                json!([
                    { "reference": "NGLU 204118-6", "name": "Reefer container", "kind": "Container", "site_reference": "HAM/1", "status": "On hire" },
                    { "reference": "R-07", "name": "Reach stacker 7", "kind": "Vehicle", "serial": "RS-2019-0071" },
                ]),
            ),
            ("jobs", json!([repair, check, paint, move_it, tyres])),
        ] {
            self.call(Method::POST, &format!("/v1/companies/{company}/{kind}"), &json!({ "items": items })).await?;
        }
        let done = json!({ "status": "in_progress", "note": "The mechanic is on site." });
        self.call(Method::PUT, &format!("/v1/companies/{company}/jobs/2026/00123"), &done).await.map(drop)
    }

    /// A problem that a customer reports with two photos, what the staff answer, and one more photo.
    async fn problem(&self, staff: &Self) -> Result<()> {
        let photo = |number: u32| {
            let name = format!("IMG_20261127_{:06}.jpg", 81_500 + number).into();
            anyhow::Ok(File { folder: "", name, kind: "image/jpeg", bytes: photos::photo(number)?.into() })
        };
        let photos = [photo(3)?, photo(17)?, photo(42)?];
        let announced =
            |photo: &File| json!({ "name": photo.name, "size": photo.bytes.len(), "content_type": photo.kind });
        let assets = self.call(Method::GET, "/v1/assets?q=reach", &Value::Null).await?;
        let report = json!({
            "asset_id": assets["items"][0]["id"], "title": "Reach stacker loses oil", "urgency": "urgent",
            "description": "There is a puddle below the left cylinder.\nWe do not use it any more today.",
            "photos": photos[..2].iter().map(announced).collect::<Vec<_>>(),
        });
        let reported = self.call(Method::POST, "/v1/problems", &report).await?;
        for (added, photo) in reported["uploads"].as_array().into_iter().flatten().zip(&photos) {
            self.put(added, photo).await?;
        }
        let job = format!("/v1/jobs/{}", reported["job_id"].as_str().context("a report has a job")?);
        let word = json!({ "text": "Thank you. A mechanic is with you at two o'clock; please leave it where it is." });
        staff.call(Method::POST, &format!("{job}/comments"), &word).await?;
        let update =
            json!({ "reference": "2026/00131", "status": "in_progress", "status_label": "Mechanic on the way" });
        staff.call(Method::PATCH, &job, &update).await?;
        let more = json!({ "files": [announced(&photos[2])] });
        let more = self.call(Method::POST, &format!("{job}/files"), &more).await?;
        self.put(&more["uploads"][0], &photos[2]).await?;
        let word = json!({ "text": "It stands behind hall 4; this is the way in." });
        self.call(Method::POST, &format!("{job}/comments"), &word).await.map(drop)
    }

    async fn share(&self, title: &str, message: Option<&str>, to: &[&str], files: &[File]) -> Result<()> {
        let recipient = |to: &&str| if to.contains('@') { json!({ "email": to }) } else { json!({ "contact_id": to }) };
        let recipients: Vec<Value> = to.iter().map(recipient).collect();
        let (first, more) = files.split_at(files.len().min(AT_ONCE));
        let announced: Vec<Value> = first.iter().map(File::announced).collect();
        let body = json!({
            "title": title, "message": message, "recipients": recipients, "files": announced, "allow_upload": true,
        });
        let share = self.call(Method::POST, "/v1/shares", &body).await?;
        let id = share["id"].as_str().context("a share has an id")?;
        for (added, file) in share["files"].as_array().into_iter().flatten().zip(first) {
            self.upload(id, added, file).await?;
        }
        for file in more {
            let added = self.call(Method::POST, &format!("/v1/shares/{id}/files"), &file.announced()).await?;
            self.upload(id, &added, file).await?;
        }
        self.call(Method::POST, &format!("/v1/shares/{id}/send"), &json!({})).await.map(drop)
    }

    /// Puts a file's bytes where its announcement says, and says so.
    async fn upload(&self, share: &str, announced: &Value, file: &File) -> Result<()> {
        self.put(announced, file).await?;
        let complete = format!("/v1/shares/{share}/files/{}/complete", announced["id"].as_str().unwrap_or_default());
        self.call(Method::POST, &complete, &json!({})).await.map(drop)
    }

    async fn put(&self, announced: &Value, file: &File) -> Result<()> {
        let upload = &announced["upload"];
        let url = upload["url"].as_str().context("an upload has a URL")?;
        let mut put = self.http.put(url).body(file.bytes.to_vec());
        for (header, value) in upload["headers"].as_object().into_iter().flatten() {
            put = put.header(header, value.as_str().unwrap_or_default());
        }
        let status = put.send().await?.status();
        ensure!(status == StatusCode::OK, "{}: {status}", file.name);
        Ok(())
    }
}
