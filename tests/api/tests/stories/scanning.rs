//! Where the deployment asks for scans, a file is handed out once one has said that it may be, and is withheld where it
//! found something: from everybody, by every way, and whoever it concerns is told.

use std::time::Duration;

use gatehouse_tests::pictures::photo;
use gatehouse_tests::{ADMIN, Customer, NOBODY, Portal, Reply, Who, text, token_in};
use reqwest::Method;
use serde_json::{Value, json};

use crate::areas;
use crate::files::s3;
use crate::granted::becomes;
use crate::problems::open;

/// In halves, so that no scanner takes this file for what it names.
const EICAR: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EI", "CAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
/// A ZIP that asks for a password.
const LOCKED: &[u8] = b"PK\x03\x04\x14\0\x01\0\x08\0 and so on";

fn eicar() -> Vec<u8> {
    EICAR.concat().into_bytes()
}

/// A portal whose deployment asks for scans, and its first admin.
async fn scanned_portal() -> (Portal, Who) {
    let portal = Portal::open_with(|env| env.scan_uploads = true).await;
    let admin = portal.admin().await;
    (portal, admin)
}

/// Puts a file into a share and says so; the file as the answer shows it.
async fn put(portal: &Portal, who: &Who, share: &str, name: &str, bytes: &[u8]) -> Value {
    let body = json!({ "name": name, "size": bytes.len() });
    let added = portal.post(&format!("/v1/shares/{share}/files"), who, body).await.expect(201);
    assert!(portal.upload(&added["upload"], bytes).await.is_success());
    portal.complete(who, share, &text(&added["id"])).await.expect(200)
}

/// A share that takes files from whoever has it, as soon as its own one may be had.
async fn open_share(portal: &Portal, admin: &Who, to: &Value) -> String {
    let share = portal.share_with(admin, "Offer", to).await;
    portal.patch(&format!("/v1/shares/{share}"), admin, json!({ "allow_upload": true })).await.expect(200);
    let shown = portal.get(&format!("/v1/shares/{share}"), admin).await.expect(200);
    scan_when(portal, admin, &share, &text(&shown["files"][0]["id"]), "clean").await;
    share
}

/// The file, once its scan has come so far.
async fn scan_when(portal: &Portal, who: &Who, share: &str, file: &str, scan: &str) -> Value {
    becomes(scan, async || self::file(portal, who, share, file).await["scan"] == scan).await;
    self::file(portal, who, share, file).await
}

async fn file(portal: &Portal, who: &Who, share: &str, file: &str) -> Value {
    let shown = portal.get(&format!("/v1/shares/{share}"), who).await.expect(200);
    shown["files"].as_array().unwrap().iter().find(|other| other["id"] == file).cloned().unwrap_or_default()
}

async fn ask(portal: &Portal, who: &Who, share: &str, file: &str, what: &str) -> Reply {
    portal.call(Method::POST, &format!("/v1/shares/{share}/files/{file}/{what}"), who, None).await
}

/// What a scan says of a file, as `EventBridge` brings it.
async fn verdict(portal: &Portal, key: &str, version: &str, result: &str) {
    let event = json!({ "detail": {
        "s3ObjectDetails": { "bucketName": "gatehouse-files", "objectKey": key, "eTag": "e", "versionId": version },
        "scanResultDetails": { "scanResultStatus": result, "threats": null },
    } });
    assert_eq!(portal.stack.invoke("record-scan", event).await.unwrap(), Value::Null);
}

/// The version of an object in the bucket.
async fn version(portal: &Portal, key: &str) -> String {
    let head = s3(portal).head_object().bucket("gatehouse-files").key(key).send().await.unwrap();
    head.version_id.unwrap()
}

/// Nobody gets it: by no way, whoever asks.
async fn nobody_gets(portal: &Portal, people: &[&Who], link: &str, share: &str, file: &str, slug: &str) {
    for who in people {
        for what in ["download", "preview"] {
            ask(portal, who, share, file, what).await.expect_problem(409, slug);
        }
        for body in [json!({}), json!({ "files": [file] })] {
            let many = portal.post(&format!("/v1/shares/{share}/downloads"), who, body).await.expect(200);
            assert_eq!(many["held_back"], json!([file]), "{many:#}");
            let given = many["items"].as_array().unwrap().iter();
            assert!(!given.map(|item| &item["id"]).any(|id| *id == file), "{many:#}");
        }
        let body = json!({ "files": [file], "size": "small" });
        let pictures = portal.post(&format!("/v1/shares/{share}/thumbnails"), who, body).await.expect(200);
        assert_eq!(pictures["items"], json!([]));
        let body = json!({ "items": [{ "share_id": share, "file_id": file }], "size": "large" });
        assert_eq!(portal.post("/v1/thumbnails", who, body).await.expect(200)["items"], json!([]));
    }
    let body = json!({ "token": link, "file_id": file });
    for what in ["download", "preview"] {
        portal.post(&format!("/v1/links/{what}"), &NOBODY, body.clone()).await.expect_problem(409, slug);
    }
    let many = portal.post("/v1/links/downloads", &NOBODY, json!({ "token": link })).await.expect(200);
    assert_eq!(many["held_back"], json!([file]));
    let body = json!({ "token": link, "files": [file], "size": "small" });
    assert_eq!(portal.post("/v1/links/thumbnails", &NOBODY, body).await.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_handed_out_and_drawn_once_a_scan_has_found_nothing() {
    let (portal, admin) = scanned_portal().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let guest = "guest@terminal.example";
    let share = open_share(&portal, &admin, &json!([{ "contact_id": ann.id }, { "email": guest }])).await;
    let link = token_in(&text(&portal.mails_when(guest, 1).await[0]["text"]), "/open#");

    portal.pause_mail().await;
    let taken = put(&portal, &admin, &share, "hall.jpg", &photo(640, 480, 1)).await;
    let id = text(&taken["id"]);
    assert_eq!((&taken["state"], &taken["scan"]), (&json!("stored"), &json!("waiting")));
    assert_eq!((&taken["preview"], &taken["thumbnail"]), (&Value::Null, &Value::Null));
    let refused = ask(&portal, &ann.who, &share, &id, "download").await;
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    nobody_gets(&portal, &[&admin, &ann.who], &link, &share, &id, "not_scanned_yet").await;
    // The share is open meanwhile, by the link as well, and what is clean in it is to be had.
    let opened = portal.post("/v1/links/open", &NOBODY, json!({ "token": link })).await.expect(200);
    let scans: Vec<&Value> = opened["files"].as_array().unwrap().iter().map(|file| &file["scan"]).collect();
    assert_eq!(scans, ["clean", "waiting"]);
    ask(&portal, &ann.who, &share, &text(&opened["files"][0]["id"]), "download").await.expect(200);

    portal.stack.pause_mail(false);
    let clean = scan_when(&portal, &ann.who, &share, &id, "clean").await;
    assert_eq!(clean["preview"], "image");
    for what in ["download", "preview"] {
        ask(&portal, &ann.who, &share, &id, what).await.expect(200);
    }
    let body = json!({ "token": link, "file_id": id });
    portal.post("/v1/links/download", &NOBODY, body).await.expect(200);
    let many = portal.post(&format!("/v1/shares/{share}/downloads"), &ann.who, json!({})).await.expect(200);
    assert_eq!((many["items"].as_array().unwrap().len(), &many["held_back"]), (2, &json!([])));
    becomes("a picture", async || !file(&portal, &ann.who, &share, &id).await["thumbnail"].is_null()).await;
    // What stands for a share in a list is what its bytes are: a verdict writes no list anew.
    for who in [&ann.who, &admin] {
        let listed = portal.get("/v1/shares", who).await.expect(200);
        assert_eq!(listed["items"][0]["first_files"][0], json!({ "id": id, "preview": "image" }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_which_something_was_found_is_withheld_and_told_of_and_the_rest_of_its_share_is_not() {
    let (portal, admin) = scanned_portal().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = open_share(&portal, &admin, &json!([{ "contact_id": ann.id }])).await;
    portal.mails_when(&ann.email, 2).await;
    portal.patch("/v1/me", &ann.who, json!({ "language": "de" })).await.expect(200);
    let bad = text(&put(&portal, &ann.who, &share, "signed.pdf", &eicar()).await["id"]);
    let shown = scan_when(&portal, &ann.who, &share, &bad, "found").await;
    assert_eq!((&shown["preview"], &shown["state"]), (&Value::Null, &json!("stored")));
    for who in [&admin, &ann.who] {
        for what in ["download", "preview"] {
            ask(&portal, who, &share, &bad, what).await.expect_problem(409, "file_withheld");
        }
        let many = portal.post(&format!("/v1/shares/{share}/downloads"), who, json!({})).await.expect(200);
        assert_eq!((many["items"].as_array().unwrap().len(), &many["held_back"]), (1, &json!([bad])));
    }

    // Whoever sent it is told in its language; who looks after the share at once, whatever else has come from there.
    let own = portal.mails_when(&ann.email, 3).await[0].clone();
    for part in ["signed.pdf", "Offer", "zurückgehalten", &format!("/shares/{share}")] {
        assert!(format!("{own}").contains(part), "{part}: {own:#}");
    }
    becomes("the staff's mail", async || {
        let mails = portal.mails(ADMIN).await;
        let told = |mail: &Value| {
            let text = text(&mail["text"]);
            ["harmful", "signed.pdf", "Zoë Contact", &format!("/shares/{share}")].iter().all(|part| text.contains(part))
        };
        mails.iter().any(told)
    })
    .await;
    let told = portal.get("/v1/activity?kind=file_withheld", &admin).await.expect(200);
    let entry = &told["items"][0];
    assert_eq!(
        (&entry["share_id"], &entry["files"], &entry["contact_id"]),
        (&json!(share), &json!([bad]), &json!(ann.id))
    );

    // Of several of one moment, one mail tells whoever sent them.
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    portal.pass(Duration::from_mins(11)).await;
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    let before = portal.mails(&ann.email).await.len();
    for name in ["one.txt", "two.txt", "three.txt"] {
        let id = text(&put(&portal, &ann.who, &share, name, &eicar()).await["id"]);
        scan_when(&portal, &ann.who, &share, &id, "found").await;
    }
    portal.mails_when(&ann.email, before + 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(portal.mails(&ann.email).await.len(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_staff_send_is_withheld_as_well_and_its_recipients_get_the_rest() {
    let (portal, admin) = scanned_portal().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let sam = json!({ "name": "Sam", "email": "sam@northgate.example", "roles": ["member"] });
    portal.post("/v1/staff", &admin, sam).await.expect(201);
    let sam = portal.activate(&portal.activation_token("sam@northgate.example", 1).await).await;
    let bytes = eicar();
    let files: [(&str, &str, &[u8]); 2] =
        [("offer.txt", "text/plain", b"offer"), ("macro.doc", "application/msword", &bytes)];
    let (share, guest) = (portal.draft(&sam, "Offer", &[&ann.id], &files).await, "guest@terminal.example");
    let to = json!({ "email": guest });
    portal.post(&format!("/v1/shares/{share}/recipients"), &sam, to).await.expect(201);
    portal.call(Method::POST, &format!("/v1/shares/{share}/send"), &sam, None).await.expect(202);
    let shown = portal.get(&format!("/v1/shares/{share}"), &sam).await.expect(200);
    let of = |name: &str| {
        let files = shown["files"].as_array().unwrap();
        text(&files.iter().find(|file| file["name"] == name).unwrap()["id"])
    };
    let (good, bad) = (of("offer.txt"), of("macro.doc"));
    scan_when(&portal, &ann.who, &share, &good, "clean").await;
    scan_when(&portal, &ann.who, &share, &bad, "found").await;
    let link = token_in(&text(&portal.mails_when(guest, 1).await[0]["text"]), "/open#");
    nobody_gets(&portal, &[&admin, &sam, &ann.who], &link, &share, &bad, "file_withheld").await;
    ask(&portal, &ann.who, &share, &good, "download").await.expect(200);
    let own = portal.mails_when("sam@northgate.example", 2).await;
    assert!(text(&own[0]["text"]).contains("macro.doc"), "{own:#?}");
    // It is Sam's own share, so somebody else of the staff is told.
    becomes("the admin's mail", async || {
        portal.mails(ADMIN).await.iter().any(|mail| text(&mail["text"]).contains("macro.doc"))
    })
    .await;
    assert_eq!(portal.mails(&ann.email).await.len(), 2, "the invitation and the share");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_scanned_is_handed_out_and_said_not_to_be() {
    let (portal, admin) = scanned_portal().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = open_share(&portal, &admin, &json!([{ "contact_id": ann.id }])).await;
    let locked = text(&put(&portal, &ann.who, &share, "locked.zip", LOCKED).await["id"]);
    scan_when(&portal, &admin, &share, &locked, "unsupported").await;
    ask(&portal, &admin, &share, &locked, "download").await.expect(200);

    for result in ["FAILED", "ACCESS_DENIED", "SOMETHING_NEW"] {
        portal.pause_mail().await;
        let id = text(&put(&portal, &ann.who, &share, "plan.txt", b"plan").await["id"]);
        let key = format!("shares/{share}/{id}");
        verdict(&portal, &key, &version(&portal, &key).await, result).await;
        let shown = file(&portal, &admin, &share, &id).await;
        assert_eq!((&shown["scan"], &shown["preview"]), (&json!("unsupported"), &json!("text")), "{result}");
        ask(&portal, &admin, &share, &id, "preview").await.expect(200);
        // A scan that says more comes second.
        portal.stack.pause_mail(false);
        scan_when(&portal, &admin, &share, &id, "clean").await;
    }
    // A verdict that was lost, or that nobody gives any more, keeps nothing for ever.
    portal.pause_mail().await;
    let lost = text(&put(&portal, &ann.who, &share, "lost.txt", b"lost").await["id"]);
    let released = async || portal.stack.invoke("apply-retention", json!({})).await.unwrap()["scans"].clone();
    portal.pass(Duration::from_hours(23)).await;
    assert_eq!(released().await, 0);
    portal.pass(Duration::from_hours(2)).await;
    let admin = portal.sign_in(ADMIN).await;
    assert_eq!(file(&portal, &admin, &share, &lost).await["scan"], "waiting");
    assert_eq!((released().await, released().await), (json!(1), json!(0)));
    assert_eq!(file(&portal, &admin, &share, &lost).await["scan"], "unsupported");
    ask(&portal, &admin, &share, &lost, "download").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_counts_for_the_bytes_that_were_scanned_whenever_it_comes_and_however_often() {
    let (portal, admin) = scanned_portal().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = open_share(&portal, &admin, &json!([{ "contact_id": ann.id }])).await;
    let mails = portal.mails_when(&ann.email, 2).await.len();
    portal.pause_mail().await;
    let announce = async |bytes: &[u8]| {
        let body = json!({ "name": "early.txt", "size": bytes.len() });
        portal.post(&format!("/v1/shares/{share}/files"), &ann.who, body).await.expect(201)
    };

    // The scan is faster than the sender.
    for (result, scan) in [("NO_THREATS_FOUND", "clean"), ("THREATS_FOUND", "found")] {
        let added = announce(b"early").await;
        portal.upload(&added["upload"], b"early").await;
        let (id, key) = (text(&added["id"]), format!("shares/{share}/{}", text(&added["id"])));
        let version = version(&portal, &key).await;
        verdict(&portal, &key, "another-version", "THREATS_FOUND").await;
        for _ in 0..2 {
            verdict(&portal, &key, &version, result).await;
        }
        assert_eq!(file(&portal, &ann.who, &share, &id).await["state"], "pending");
        assert_eq!(portal.complete(&ann.who, &share, &id).await.expect(200)["scan"], scan);
        // It comes again, and of other bytes.
        verdict(&portal, &key, &version, result).await;
        verdict(&portal, &key, "another-version", "THREATS_FOUND").await;
        verdict(&portal, &key, "another-version", "NO_THREATS_FOUND").await;
        assert_eq!(file(&portal, &ann.who, &share, &id).await["scan"], scan);
    }
    portal.stack.pause_mail(false);
    portal.mails_when(&ann.email, mails + 1).await;
    let found = portal.get("/v1/activity?kind=file_withheld", &admin).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);

    // Bytes that were refused are none: what a scan said of them is not said of those that came after.
    portal.pause_mail().await;
    let announced = json!({ "name": "sum.txt", "size": 5, "sha256": "ab".repeat(32) });
    let added = portal.post(&format!("/v1/shares/{share}/files"), &ann.who, announced).await.expect(201);
    let (id, key) = (text(&added["id"]), format!("shares/{share}/{}", text(&added["id"])));
    verdict(&portal, &key, "gone", "THREATS_FOUND").await;
    assert_eq!(file(&portal, &ann.who, &share, &id).await["scan"], "unscanned");
    // Nor of a file that is gone, nor of what is none.
    for key in [key.replace(&id[4..], "00000000000000000000000000"), "thumbnails/x".to_owned()] {
        verdict(&portal, &key, "gone", "THREATS_FOUND").await;
    }
    let gone = format!("jobs/fil_{}", "0".repeat(26));
    verdict(&portal, &gone, "gone", "THREATS_FOUND").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_problems_are_scanned_like_all_else() {
    let (portal, admin) = scanned_portal().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    open(&portal, &admin, &ann.id, json!(["jobs", "assets", "report_problem"])).await;
    let asset = areas::put(&portal, &admin, &ann.company, "assets/R1", json!({ "name": "Reefer" })).await.expect(201);
    let mails = portal.mails(&ann.email).await.len();
    let photo = |name: &str, bytes: &[u8]| json!({ "name": name, "size": bytes.len() });
    let (good, bad) = (b"\xff\xd8\xff\xe0 a photo".as_slice(), eicar());
    // One photo before its report, in which something is found before anybody knows what it is about.
    let early = json!({ "files": [photo("early.jpg", &bad)] });
    let early = portal.post("/v1/problem-photos", &ann.who, early).await.expect(201);
    portal.upload(&early["uploads"][0]["upload"], &bad).await;
    let own = portal.mails_when(&ann.email, mails + 1).await;
    assert!(text(&own[0]["text"]).contains("early.jpg"), "{own:#?}");

    let body = json!({
        "asset_id": asset["id"], "title": "Door", "description": "It does not close.",
        "photo_ids": [early["uploads"][0]["id"]], "photos": [photo("good.jpg", good), photo("bad.jpg", &bad)],
    });
    let made = portal.post("/v1/problems", &ann.who, body).await.expect(201);
    let job = format!("/v1/jobs/{}", text(&made["job_id"]));
    portal.pause_mail().await;
    portal.upload(&made["uploads"][0]["upload"], good).await;
    let key = format!("jobs/{}", text(&made["uploads"][0]["id"]));
    let event = json!({ "detail": { "object": { "key": key } } });
    portal.stack.invoke("finish-upload", event).await.unwrap();
    let files = async || portal.get(&job, &ann.who).await.expect(200)["files"].clone();
    let download = |file: &Value| format!("{job}/files/{}/download", text(&file["id"]));
    let waiting = files().await[1].clone();
    assert_eq!((&waiting["name"], &waiting["scan"]), (&json!("good.jpg"), &json!("waiting")));
    for who in [&admin, &ann.who] {
        portal.call(Method::POST, &download(&waiting), who, None).await.expect_problem(409, "not_scanned_yet");
    }
    // Lost for a day, it waits no longer.
    portal.upload(&made["uploads"][1]["upload"], &bad).await;
    let event = json!({ "detail": { "object": { "key": format!("jobs/{}", text(&made["uploads"][1]["id"])) } } });
    portal.stack.invoke("finish-upload", event).await.unwrap();
    portal.pass(Duration::from_hours(25)).await;
    assert_eq!(portal.stack.invoke("apply-retention", json!({})).await.unwrap()["scans"], 2);
    let ann = Customer { who: portal.sign_in(&ann.email).await, ..ann };
    let files = async || portal.get(&job, &ann.who).await.expect(200)["files"].clone();
    assert_eq!((&files().await[1]["scan"], &files().await[2]["scan"]), (&json!("unsupported"), &json!("unsupported")));
    portal.call(Method::POST, &download(&waiting), &ann.who, None).await.expect(200);
    portal.stack.pause_mail(false);

    becomes("both verdicts", async || {
        let files = files().await;
        files[1]["scan"] == "clean" && files[2]["scan"] == "found"
    })
    .await;
    for file in [&files().await[0], &files().await[2]] {
        assert_eq!((&file["scan"], &file["preview"]), (&json!("found"), &Value::Null));
        portal.call(Method::POST, &download(file), &ann.who, None).await.expect_problem(409, "file_withheld");
        let preview = download(file).replace("/download", "/preview");
        portal.call(Method::POST, &preview, &ann.who, None).await.expect_problem(409, "file_withheld");
    }
    becomes("her mail", async || {
        portal.mails(&ann.email).await.iter().any(|mail| text(&mail["text"]).contains("bad.jpg"))
    })
    .await;
    let admin = portal.sign_in(ADMIN).await;
    let told = portal.get("/v1/activity?kind=file_withheld", &admin).await.expect(200);
    let told: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|entry| (&entry["files"], &entry["company_id"])).collect();
    let file = |file: &Value| json!([file["id"]]);
    let (late, early) = (file(&made["uploads"][1]), file(&early["uploads"][0]));
    assert_eq!(told, [(&late, &json!(ann.company)), (&early, &json!(ann.company))]);

    // Faster than S3's own word of it, on a job that is there.
    portal.pause_mail().await;
    let later = json!({ "files": [photo("later.jpg", &bad)] });
    let later = portal.post(&format!("{job}/files"), &admin, later).await.expect(201);
    portal.upload(&later["uploads"][0]["upload"], &bad).await;
    let key = format!("jobs/{}", text(&later["uploads"][0]["id"]));
    verdict(&portal, &key, &version(&portal, &key).await, "THREATS_FOUND").await;
    portal.stack.invoke("finish-upload", json!({ "detail": { "object": { "key": key } } })).await.unwrap();
    assert_eq!(files().await[3]["scan"], "found");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scans_a_file_is_handed_out_at_once_and_says_that_nobody_has_scanned_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let share = portal.share(&admin, "Offer", &[&ann.id]).await;
    portal.patch(&format!("/v1/shares/{share}"), &admin, json!({ "allow_upload": true })).await.expect(200);
    let taken = put(&portal, &ann.who, &share, "signed.txt", &eicar()).await;
    assert_eq!((&taken["scan"], &taken["name_differs"]), (&json!("unscanned"), &json!(false)));
    ask(&portal, &admin, &share, &text(&taken["id"]), "download").await.expect(200);
    let many = portal.post(&format!("/v1/shares/{share}/downloads"), &admin, json!({})).await.expect(200);
    assert_eq!(many["held_back"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_says_something_else_than_the_bytes_is_shown_and_refused_nowhere() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let draft = text(&portal.post("/v1/shares", &admin, json!({ "title": "Draft" })).await.expect(201)["id"]);
    let program = [b"MZ".as_slice(), &[0; 400]].concat();
    let differs = put(&portal, &admin, &draft, "invoice.pdf", &program).await;
    let id = text(&differs["id"]);
    assert_eq!((&differs["name_differs"], &differs["state"]), (&json!(true), &json!("stored")));
    assert_eq!(put(&portal, &admin, &draft, "plan.pdf", b"%PDF-1.7 and so on").await["name_differs"], false);
    // Under its own name there is nothing to warn of.
    for (name, differs) in [("setup.exe", false), ("photo.jpg", true)] {
        let renamed = portal.patch(&format!("/v1/shares/{draft}/files/{id}"), &admin, json!({ "name": name })).await;
        assert_eq!(renamed.expect(200)["name_differs"], differs, "{name}");
    }
    assert_eq!(file(&portal, &admin, &draft, &id).await["name_differs"], true);
    ask(&portal, &admin, &draft, &id, "download").await.expect(200);
}
