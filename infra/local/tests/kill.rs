//! `kill -9` at any moment: what was answered with success is there after a restart, and so is its mail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};

/// The program itself, as `cargo run` starts it.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gatehouse-local"))
            .args(["--port", "0", "--data-dir"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("Gatehouse is ready at ").map(str::to_owned));
        Self { child, url: ready.expect("it says where it is") }
    }

    /// SIGKILL: no goodbye.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn mails(http: &Client, url: &str, to: &str) -> Vec<Value> {
    let mails = http.get(format!("{url}/_local/mail.json")).query(&[("to", to)]).send().await.unwrap();
    mails.json().await.unwrap()
}

/// Mails arrive by themselves after a restart; a claim that died with its holder ends in 15 seconds.
async fn mail_arrives(http: &Client, url: &str, to: &str) -> usize {
    for _ in 0..1200 {
        let count = mails(http, url, to).await.len();
        if count > 0 {
            return count;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    0
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_answered_is_lost_and_every_invitation_is_mailed() {
    let (data, http) = (tempfile::tempdir().unwrap(), Client::new());
    let mut running = Running::start(data.path());
    mail_arrives(&http, &running.url, "admin@example.com").await;
    let mail = mails(&http, &running.url, "admin@example.com").await;
    let link = mail[0]["text"]
        .as_str()
        .unwrap()
        .split_whitespace()
        .find(|word| word.contains("/activate#"))
        .unwrap()
        .to_owned();
    let activation = json!({ "token": link.split_once('#').unwrap().1, "password": "correct horse battery staple" });
    let session = http.post(format!("{}/v1/activations", running.url)).json(&activation).send().await.unwrap();
    let admin = session.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    let company =
        http.post(format!("{}/v1/companies", running.url)).bearer_auth(&admin).json(&json!({ "name": "Harbour" }));
    let company = company.send().await.unwrap().json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();

    let mut answered: Vec<(String, Value)> = Vec::new();
    for (round, wait_ms) in [3, 25, 60, 120, 0].into_iter().enumerate() {
        // In the last round SES is out of order: what is answered then is mailed by the next process.
        let last = wait_ms == 0;
        let outage = http.put(format!("{}/_local/mail/outage", running.url)).json(&json!({ "on": last }));
        outage.send().await.unwrap();
        let contacts = format!("{}/v1/companies/{company}/contacts", running.url);
        let writers = (0..4).map(|writer| {
            let (http, contacts, admin) = (http.clone(), contacts.clone(), admin.clone());
            tokio::spawn(async move {
                let mut created = Vec::new();
                for n in 0..if last { 3 } else { 1000 } {
                    let email = format!("p{round}-{writer}-{n}@harbour.example");
                    let body = json!({ "name": "Ann", "email": email, "send_invite": true });
                    let request = http.post(&contacts).bearer_auth(&admin).json(&body);
                    let Ok(answer) = request.send().await else { break };
                    let status = answer.status();
                    let Ok(contact) = answer.json::<Value>().await else { break };
                    assert_eq!(status, 201, "{contact}");
                    created.push((email, contact));
                }
                created
            })
        });
        let writers: Vec<_> = writers.collect();
        if last {
            for writer in writers {
                answered.extend(writer.await.unwrap());
            }
            running.kill();
        } else {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            running.kill();
            for writer in writers {
                answered.extend(writer.await.unwrap());
            }
        }
        running = Running::start(data.path());
    }

    assert!(answered.len() >= 12, "only {} were answered", answered.len());
    for (email, contact) in &answered {
        let path = format!("{}/v1/contacts/{}", running.url, contact["id"].as_str().unwrap());
        let found: Value = http.get(path).bearer_auth(&admin).send().await.unwrap().json().await.unwrap();
        assert_eq!(&found, contact);
        assert_ne!(mail_arrives(&http, &running.url, email).await, 0, "{email} was never mailed");
    }
    running.kill();
}
