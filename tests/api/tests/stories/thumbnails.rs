//! Looking at many: small pictures of pictures and of first pages, upright, in their colours, telling nothing of where
//! they were taken; and files that have none, whatever they say that they are.

use std::time::Duration;

use gatehouse_tests::pictures::{
    PLACE, deep_png, in_adobe_rgb, in_cmyk, locked_pdf, moving_gif, pdf, photo, png_that_claims, quarters,
    transparent_webp, written,
};
use gatehouse_tests::{ADMIN, Customer, NOBODY, Portal, Who, text, token_in};
use image::{ImageFormat, Rgb, RgbImage};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::delivering::{crash, items};
use crate::files::s3;
use crate::granted::becomes;
use crate::recipients::colleague;

/// Name, type, bytes.
type File<'a> = (&'a str, &'a str, Vec<u8>);

/// A share with those files, once all that can be drawn is drawn; its id, and its files in that order.
async fn shared(portal: &Portal, by: &Who, to: &[&str], files: &[File<'_>]) -> (String, Vec<Value>) {
    let files: Vec<(&str, &str, &[u8])> = files.iter().map(|(name, kind, bytes)| (*name, *kind, &**bytes)).collect();
    let id = portal.draft(by, "Visit", to, &files).await;
    portal.call(Method::POST, &format!("/v1/shares/{id}/send"), by, None).await.expect(202);
    all_is_drawn(portal).await;
    let shown = portal.get(&format!("/v1/shares/{id}"), by).await.expect(200);
    let of = |name: &str| {
        let files = shown["files"].as_array().unwrap();
        files.iter().find(|file| file["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    (id, files.iter().map(|(name, ..)| of(name)).collect())
}

async fn all_is_drawn(portal: &Portal) {
    for _ in 0..1_200 {
        if items(portal, "THUMBNAIL#").await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:#?}", items(portal, "THUMBNAIL#").await);
}

fn ids(files: &[Value]) -> Vec<&Value> {
    files.iter().map(|file| &file["id"]).collect()
}

async fn thumbnails(portal: &Portal, who: &Who, share: &str, files: &[&Value], size: &str) -> Vec<Value> {
    let path = format!("/v1/shares/{share}/thumbnails");
    let found = portal.post(&path, who, json!({ "files": files, "size": size })).await.expect(200);
    found["items"].as_array().unwrap().clone()
}

/// A picture by its URL.
async fn picture(portal: &Portal, url: &Value) -> RgbImage {
    let (status, headers, bytes) = portal.fetch(&text(url)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&headers["content-type"], &headers["content-disposition"]),
        (&"image/jpeg".parse().unwrap(), &"inline".parse().unwrap())
    );
    let holds = |what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
    assert!(!holds(PLACE.as_bytes()) && !holds(b"Exif") && !holds(b"ICC_PROFILE"), "it tells more than it shows");
    image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap().into_rgb8()
}

/// Whether a pixel has that colour, as far as JPEG keeps it.
#[track_caller]
fn is(picture: &RgbImage, (x, y): (f64, f64), colour: [u8; 3]) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a picture")]
    let at = |side: u32, part: f64| (f64::from(side - 1) * part).round() as u32;
    let Rgb(has) = *picture.get_pixel(at(picture.width(), x), at(picture.height(), y));
    let near = has.iter().zip(colour).all(|(has, wanted)| has.abs_diff(wanted) < 12);
    assert!(near, "at {x} of the width and {y} of the height: {has:?}, not {colour:?}");
}

#[track_caller]
fn is_upright(picture: &RgbImage) {
    is(picture, (0.2, 0.2), [230, 20, 20]);
    is(picture, (0.8, 0.2), [20, 200, 20]);
    is(picture, (0.2, 0.8), [20, 20, 230]);
    is(picture, (0.8, 0.8), [255, 255, 255]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_upright_however_the_camera_was_held_and_tells_nothing_of_where_that_was() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let names: Vec<String> = (1..=8).map(|n| format!("{n}.jpg")).collect();
    let held = (1..=8).zip(&names);
    let files: Vec<File> = held.map(|(n, name)| (&**name, "image/jpeg", photo(1_600, 1_000, n))).collect();
    let (share, files) = shared(&portal, &admin, &[&ann.id], &files).await;
    for file in &files {
        assert_eq!(file["thumbnail"], json!({ "width": 320, "height": 200 }), "{file:#}");
    }
    for (size, [width, height]) in [("small", [320, 200]), ("large", [1_280, 800])] {
        let found = thumbnails(&portal, &ann.who, &share, &ids(&files), size).await;
        assert_eq!(found.len(), 8);
        for one in found {
            assert_eq!((&one["width"], &one["height"]), (&json!(width), &json!(height)));
            let picture = picture(&portal, &one["url"]).await;
            assert_eq!(picture.dimensions(), (width, height));
            is_upright(&picture);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_every_kind_and_first_pages_are_drawn_in_their_colours() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let quarters = quarters(900, 600);
    let files: [File; 11] = [
        ("a.png", "image/png", written(quarters.clone(), ImageFormat::Png)),
        ("a.webp", "image/webp", written(quarters.clone(), ImageFormat::WebP)),
        ("a.bmp", "image/bmp", written(quarters.clone(), ImageFormat::Bmp)),
        ("a.tiff", "image/tiff", written(quarters, ImageFormat::Tiff)),
        ("moving.gif", "image/gif", moving_gif()),
        ("deep.png", "image/png", deep_png()),
        ("print.jpg", "image/jpeg", in_cmyk([0, 255, 255, 0])),
        ("wide.jpg", "image/jpeg", in_adobe_rgb([200, 120, 60])),
        ("clear.webp", "image/webp", transparent_webp()),
        ("plan.pdf", "application/pdf", pdf(&[[0.9, 0.1, 0.1], [0.1, 0.1, 0.9]], 200.0, 100.0)),
        ("dot.gif", "image/gif", written(RgbImage::from_pixel(1, 1, Rgb([20, 200, 20])), ImageFormat::Gif)),
    ];
    let (share, stored) = shared(&portal, &admin, &[&ann.id], &files).await;
    let found = thumbnails(&portal, &admin, &share, &ids(&stored), "large").await;
    assert_eq!(found.len(), files.len());
    for (file, (name, ..)) in stored.iter().zip(&files) {
        let one = found.iter().find(|one| one["id"] == file["id"]).unwrap();
        let picture = picture(&portal, &one["url"]).await;
        let middle = |colour| is(&picture, (0.5, 0.5), colour);
        match *name {
            "moving.gif" => middle([230, 20, 20]),
            "deep.png" => middle([255, 0, 0]),
            "print.jpg" => is_red(&picture),
            // As a screen of sRGB shows what the wider one means.
            "wide.jpg" => middle([223, 120, 52]),
            "clear.webp" => {
                middle([0, 0, 0]);
                is(&picture, (0.02, 0.02), [255, 255, 255]);
            }
            "plan.pdf" => {
                assert_eq!(picture.dimensions(), (1_280, 640));
                middle([230, 26, 26]);
            }
            "dot.gif" => {
                assert_eq!(picture.dimensions(), (1, 1));
                middle([20, 200, 20]);
            }
            _ => {
                assert_eq!(picture.dimensions(), (900, 600), "{name} is not made larger than it is");
                is_upright(&picture);
            }
        }
    }
}

fn is_red(picture: &RgbImage) {
    let Rgb([red, green, blue]) = *picture.get_pixel(picture.width() / 2, picture.height() / 2);
    assert!(red > 180 && green < 80 && blue < 80, "{red} {green} {blue}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_drawn_has_no_picture_and_holds_up_nothing() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let whole = photo(1_600, 1_000, 1);
    let png = written(quarters(300, 200), ImageFormat::Png);
    let page = pdf(&[[0.9, 0.1, 0.1]], 200.0, 100.0);
    let gif = |width: u16| [b"GIF89a".as_slice(), &width.to_le_bytes(), &width.to_le_bytes(), &[0, 0, 0]].concat();
    let files: [File; 16] = [
        ("claims.png", "image/png", png_that_claims(60_000, 60_000)),
        ("strip.png", "image/png", png_that_claims(u32::MAX >> 1, 1)),
        ("nothing.png", "image/png", png_that_claims(0, 0)),
        ("claims.gif", "image/gif", gif(65_535)),
        ("head.jpg", "image/jpeg", whole[..300].to_vec()),
        ("half.png", "image/png", png[..png.len() / 2].to_vec()),
        ("zip.jpg", "image/jpeg", b"PK\x03\x04\x14\0\0\0\x08\0zipped as it is".to_vec()),
        ("locked.pdf", "application/pdf", locked_pdf()),
        ("half.pdf", "application/pdf", page[..page.len() / 3].to_vec()),
        ("none.pdf", "application/pdf", pdf(&[], 200.0, 100.0)),
        ("flat.pdf", "application/pdf", pdf(&[[0.9, 0.1, 0.1]], 0.0, 100.0)),
        ("far.pdf", "application/pdf", pdf(&[[0.9, 0.1, 0.1]], f32::MAX, f32::MAX)),
        ("a.svg", "image/svg+xml", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec()),
        ("noise.jpg", "image/jpeg", [&whole[..700], &[0xff; 5_000]].concat()),
        ("noise.tiff", "image/tiff", [b"II*\0\x08\0\0\0".as_slice(), &[0xff; 500]].concat()),
        ("photo.jpg", "image/jpeg", whole.clone()),
    ];
    let (share, stored) = shared(&portal, &admin, &[&ann.id], &files).await;
    let found = thumbnails(&portal, &ann.who, &share, &ids(&stored), "small").await;
    for (file, (name, ..)) in stored.iter().zip(&files) {
        let drawn = found.iter().any(|one| one["id"] == file["id"]);
        assert_eq!(drawn, !file["thumbnail"].is_null(), "{name}");
        match *name {
            "photo.jpg" => assert!(drawn),
            // As far as it goes, or not at all.
            "half.png" | "noise.jpg" | "far.pdf" | "flat.pdf" => {}
            _ => assert!(!drawn, "{name}"),
        }
    }
    for one in &found {
        picture(&portal, &one["url"]).await;
    }
    // They are files as others are.
    let path = format!("/v1/shares/{share}/downloads");
    let downloads = portal.post(&path, &ann.who, json!({})).await.expect(200);
    assert_eq!(downloads["items"].as_array().unwrap().len(), files.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_panorama_is_drawn() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let (share, files) =
        shared(&portal, &admin, &[&ann.id], &[("wide.jpg", "image/jpeg", photo(12_000, 9_000, 6))]).await;
    let found = thumbnails(&portal, &ann.who, &share, &ids(&files), "large").await;
    is_upright(&picture(&portal, &found[0]["url"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_share_with_sixty_photos_needs_two_requests() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let names: Vec<String> = (0..60).map(|n| format!("{n:02}.jpg")).collect();
    let small = photo(64, 48, 1);
    let files: Vec<File> = names.iter().map(|name| (&**name, "image/jpeg", small.clone())).collect();
    let (share, _) = shared(&portal, &admin, &[&ann.id], &files[..50]).await;
    for (name, ..) in &files[50..] {
        let body = json!({ "name": name, "size": small.len(), "content_type": "image/jpeg" });
        let added = portal.post(&format!("/v1/shares/{share}/files"), &admin, body).await.expect(201);
        portal.upload(&added["upload"], &small).await;
        portal.complete(&admin, &share, &text(&added["id"])).await.expect(200);
    }
    all_is_drawn(&portal).await;

    let shown = portal.get(&format!("/v1/shares/{share}"), &ann.who).await.expect(200);
    let all = shown["files"].as_array().unwrap();
    assert!(all.iter().all(|file| file["thumbnail"] == json!({ "width": 64, "height": 48 })));
    let found = thumbnails(&portal, &ann.who, &share, &ids(all), "small").await;
    assert_eq!(found.len(), 60);
    assert!(found.iter().all(|one| text(&one["url"]).contains("/thumbnails/")));
    // Nothing of it was recorded, and nothing of it is a file.
    assert_eq!(shown["file_count"], 60);
    let path = format!("/v1/activity?share_id={share}&kind=file_viewed");
    assert_eq!(portal.get(&path, &admin).await.expect(200)["items"], json!([]));

    let path = format!("/v1/shares/{share}/thumbnails");
    let many: Vec<&Value> = std::iter::repeat_n(&all[0]["id"], 101).collect();
    let refused = portal.post(&path, &ann.who, json!({ "files": many, "size": "small" })).await;
    assert_eq!(refused.expect_problem(422, "invalid_fields")["errors"][0]["field"], "files");
    let refused = portal.post(&path, &ann.who, json!({ "files": [], "size": "huge" })).await;
    assert_eq!(refused.expect_problem(422, "invalid_fields")["errors"][0]["field"], "size");
}

/// Two shares of two customers, each with a picture and a text; and one that both have.
struct Gallery {
    portal: Portal,
    admin: Who,
    ann: Customer,
    bob: Customer,
    anns: (String, Vec<Value>),
    bobs: (String, Vec<Value>),
}

async fn gallery() -> Gallery {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bob = portal.customer(&admin, "bob@elsewhere.example").await;
    let files = || [("note.txt", "text/plain", b"note".to_vec()), ("a.jpg", "image/jpeg", photo(640, 400, 1))];
    let anns = shared(&portal, &admin, &[&ann.id], &files()).await;
    let bobs = shared(&portal, &admin, &[&bob.id], &files()).await;
    Gallery { portal, admin, ann, bob, anns, bobs }
}

impl Gallery {
    /// Everything there is, asked for at once.
    async fn across(&self, who: &Who) -> Vec<Value> {
        let item = |share: &str, file: &Value| json!({ "share_id": share, "file_id": file["id"] });
        let of = |(share, files): &(String, Vec<Value>)| files.iter().map(|file| item(share, file)).collect::<Vec<_>>();
        // A file of one share under the name of the other, and one that is nobody's.
        let mut items = [of(&self.anns), of(&self.bobs), of(&(self.anns.0.clone(), self.bobs.1.clone()))].concat();
        items.push(json!({ "share_id": self.anns.0, "file_id": "fil_01K9ZZZZZZZZZZZZZZZZZZZZZZ" }));
        items.push(items[1].clone());
        let body = json!({ "items": items, "size": "small" });
        let found = self.portal.post("/v1/thumbnails", who, body).await.expect(200);
        found["items"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_shares_shows_pictures_with_one_request() {
    let all = gallery().await;
    let Gallery { portal, admin, ann, bob, anns, .. } = &all;
    let listed = portal.get("/v1/shares", &ann.who).await.expect(200);
    let picture = json!({ "id": anns.1[1]["id"], "preview": "image" });
    let note = json!({ "id": anns.1[0]["id"], "preview": "text" });
    assert_eq!(listed["items"][0]["first_files"], json!([picture, note]), "pictures first");
    let found = all.across(&ann.who).await;
    assert_eq!((found.len(), &found[0]["share_id"], &found[0]["id"]), (1, &json!(anns.0), &picture["id"]));
    assert_eq!(all.across(&bob.who).await[0]["id"], all.bobs.1[1]["id"]);
    assert_eq!(all.across(admin).await.len(), 2);
    let many: Vec<Value> = (0..151).map(|_| json!({ "share_id": anns.0, "file_id": picture["id"] })).collect();
    let refused = portal.post("/v1/thumbnails", &ann.who, json!({ "items": many, "size": "small" })).await;
    refused.expect_problem(422, "invalid_fields");

    // A colleague sees it where the portal says so, and no sooner.
    let cat = colleague(portal, admin, &ann.company, "cat@harbour.example").await;
    assert_eq!(all.across(&cat.who).await.len(), 0);
    let company = json!({ "share_visibility": "company" });
    portal.call(Method::PUT, "/v1/settings", admin, Some(company)).await.expect(200);
    assert_eq!(all.across(&cat.who).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_end_with_what_they_show() {
    let all = gallery().await;
    let Gallery { portal, admin, ann, bob, anns, .. } = &all;
    let (share, files) = anns;
    let path = format!("/v1/shares/{share}");
    let thumbnails_path = format!("{path}/thumbnails");
    let wanted = json!({ "files": ids(files), "size": "small" });
    let ask = async |who: &Who| portal.post(&thumbnails_path, who, wanted.clone()).await;
    let found = ask(&ann.who).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "of a text there is none");
    let url = found["items"][0]["url"].clone();

    ask(&bob.who).await.expect_problem(404, "not_found");
    ask(&NOBODY).await.expect_problem(401, "sign_in_required");
    let mail = &portal.mails_when(&ann.email, 2).await[0];
    let link = token_in(&text(&mail["text"]), "/open#");
    let by_link = async |size: &str| {
        let body = json!({ "token": link, "files": ids(files), "size": size });
        portal.post("/v1/links/thumbnails", &NOBODY, body).await
    };
    let shown = by_link("large").await.expect(200);
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
    is_upright(&picture(portal, &shown["items"][0]["url"]).await);

    // Left out of the share, it is left out of what is asked for; and back again.
    let exclude = async |ids: Value| portal.patch(&path, admin, json!({ "excluded_files": ids })).await.expect(200);
    exclude(json!([files[1]["id"]])).await;
    for found in [ask(&ann.who).await, by_link("small").await] {
        assert_eq!(found.expect(200)["items"], json!([]));
    }
    assert_eq!(all.across(&ann.who).await.len(), 0);
    exclude(json!([])).await;
    assert_eq!(all.across(&ann.who).await.len(), 1);

    // Without the area, without a look.
    let areas = async |areas: Value| {
        let path = format!("/v1/contacts/{}", ann.id);
        portal.patch(&path, admin, json!({ "areas": areas })).await.expect(200);
    };
    areas(json!(["jobs"])).await;
    ask(&ann.who).await.expect_problem(403, "area_not_open");
    by_link("small").await.expect_problem(403, "area_not_open");
    let body = json!({ "items": [], "size": "small" });
    portal.post("/v1/thumbnails", &ann.who, body).await.expect_problem(403, "area_not_open");
    areas(json!(["files"])).await;

    // What was fetched before ends within five minutes; what is taken away, at once.
    assert_eq!(portal.fetch(&text(&url)).await.0, StatusCode::OK);
    portal.delete(&format!("{path}/recipients/{}", ann.id), admin).await.expect(204);
    ask(&ann.who).await.expect_problem(404, "not_found");
    by_link("small").await.expect_problem(410, "link_withdrawn");
    assert_eq!(all.across(&ann.who).await.len(), 0);
    portal.pass(Duration::from_secs(301)).await;
    assert_eq!(portal.fetch(&text(&url)).await.0, StatusCode::FORBIDDEN);
}

/// What the bucket holds of pictures.
async fn drawn(portal: &Portal) -> usize {
    let listed =
        s3(portal).list_objects_v2().bucket(&portal.stack.env.bucket).prefix("thumbnails/").send().await.unwrap();
    listed.contents().len()
}

/// What Lambda hands over of the one file that waits, once it is taken.
async fn taken(portal: &Portal) -> Value {
    let waits = &items(portal, "THUMBNAIL#").await[0];
    let key = format!("shares/{}/{}", text(&waits["share_id"]["S"]), text(&waits["file_id"]["S"]));
    json!({ "requestPayload": { "detail": { "object": { "key": key } } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_go_with_their_file() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let files: [(&str, &str, &[u8]); 1] = [("a.jpg", "image/jpeg", &photo(640, 400, 1))];
    let draft = portal.draft(&admin, "Thrown away", &[&ann.id], &files).await;
    all_is_drawn(&portal).await;
    assert_eq!(drawn(&portal).await, 2);
    portal.delete(&format!("/v1/shares/{draft}"), &admin).await.expect(204);
    portal.tasks_are_done().await;
    assert_eq!(drawn(&portal).await, 0);

    // While it is being drawn, its share is thrown away.
    portal.pause_mail().await;
    let draft = portal.draft(&admin, "Thrown away", &[&ann.id], &files).await;
    let event = taken(&portal).await;
    // Claimed, read, fetched, put twice: its file does not know of it yet.
    portal.stack.meter.stop_after(5);
    assert!(crash(&portal, "make-thumbnails", event).await);
    portal.pass(Duration::from_secs(71)).await;
    assert!(drawn(&portal).await > 0);
    portal.delete(&format!("/v1/shares/{draft}"), &portal.sign_in(ADMIN).await).await.expect(204);
    portal.stack.pause_mail(false);
    portal.tasks_are_done().await;
    portal.stack.invoke("make-thumbnails", json!({ "sweep": true })).await.unwrap();
    all_is_drawn(&portal).await;
    assert_eq!(drawn(&portal).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_behind_is_drawn_by_the_schedule_and_what_ends_the_function_is_given_up() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    portal.pause_mail().await;
    let files: [(&str, &str, &[u8]); 1] = [("a.jpg", "image/jpeg", &photo(640, 400, 1))];
    let share = portal.draft(&admin, "Later", &[&ann.id], &files).await;
    let thumbnail = async || {
        let admin = portal.sign_in(ADMIN).await;
        portal.get(&format!("/v1/shares/{share}"), &admin).await.expect(200)["files"][0]["thumbnail"].clone()
    };
    // The function ends in the middle three times: after that it no longer tries.
    for _ in 0..3 {
        portal.stack.meter.stop_after(3);
        assert!(crash(&portal, "make-thumbnails", taken(&portal).await).await);
        // Nobody else begins as long as it may be at work.
        portal.stack.invoke("make-thumbnails", json!({ "sweep": true })).await.unwrap();
        assert_eq!(items(&portal, "THUMBNAIL#").await.len(), 1);
        portal.pass(Duration::from_secs(71)).await;
    }
    portal.stack.invoke("make-thumbnails", json!({ "sweep": true })).await.unwrap();
    assert_eq!((items(&portal, "THUMBNAIL#").await.len(), thumbnail().await), (0, Value::Null));
    assert_eq!(drawn(&portal).await, 0);

    let draft = portal.draft(&portal.sign_in(ADMIN).await, "Swept", &[&ann.id], &files).await;
    portal.stack.invoke("make-thumbnails", json!({ "sweep": true })).await.unwrap();
    assert_eq!(drawn(&portal).await, 2);
    let path = format!("/v1/shares/{draft}");
    let shown = portal.get(&path, &portal.sign_in(ADMIN).await).await.expect(200);
    assert_eq!(shown["files"][0]["thumbnail"], json!({ "width": 320, "height": 200 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_whose_sender_never_said_that_it_is_there_is_drawn_too() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let jpeg = photo(640, 400, 1);
    let announced = json!({ "name": "a.jpg", "size": jpeg.len(), "content_type": "image/jpeg" });
    let announce = async |title: &str| {
        let body = json!({ "title": title, "files": [announced] });
        portal.post("/v1/shares", &portal.sign_in(ADMIN).await, body).await.expect(201)
    };
    let created = announce("Vanished").await;
    assert_eq!(portal.upload(&created["files"][0]["upload"], &jpeg).await, StatusCode::OK);
    let thumbnail = async |share: &Value, who: &Who| {
        let shown = portal.get(&format!("/v1/shares/{}", text(&share["id"])), who).await.expect(200);
        shown["files"][0]["thumbnail"].clone()
    };
    for n in 0.. {
        if !thumbnail(&created, &admin).await.is_null() {
            break;
        }
        assert!(n < 200, "it is never drawn");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    // Where whoever is told by the bucket has failed, retention finds it after a week.
    portal.pause_mail().await;
    let created = announce("Vanished unheard").await;
    assert_eq!(portal.upload(&created["files"][0]["upload"], &jpeg).await, StatusCode::OK);
    portal.pass(Duration::from_hours(8 * 24)).await;
    portal.stack.invoke("apply-retention", json!({})).await.unwrap();
    portal.stack.invoke("make-thumbnails", json!({ "sweep": true })).await.unwrap();
    let admin = portal.sign_in(ADMIN).await;
    assert_eq!(thumbnail(&created, &admin).await, json!({ "width": 320, "height": 200 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_photos_of_a_job_have_pictures_for_whoever_sees_it_and_go_with_it() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let ann = portal.customer(&admin, "ann@harbour.example").await;
    let bo = portal.customer(&admin, "bo@quay.example").await;
    let areas = json!(["jobs", "assets", "report_problem"]);
    for contact in [&ann.id, &bo.id] {
        crate::problems::open(&portal, &admin, contact, areas.clone()).await;
    }
    let reefer = json!({ "name": "Reefer" });
    let asset = crate::areas::put(&portal, &admin, &ann.company, "assets/REEFER", reefer).await.expect(201);
    let jpeg = photo(640, 400, 6);
    let photos = json!([
        { "name": "door.jpg", "size": jpeg.len(), "content_type": "image/jpeg" },
        { "name": "notes.txt", "size": 5, "content_type": "text/plain" },
    ]);
    let report = json!({ "asset_id": asset["id"], "title": "Door", "description": "Loose", "photos": photos });
    let made = portal.post("/v1/problems", &ann.who, report).await.expect(201);
    portal.upload(&made["uploads"][0]["upload"], &jpeg).await;
    portal.upload(&made["uploads"][1]["upload"], b"hello").await;
    let (id, door, notes) = (text(&made["job_id"]), &made["uploads"][0]["id"], &made["uploads"][1]["id"]);
    let path = format!("/v1/jobs/{id}");
    let job = async |who: &Who| portal.get(&path, who).await.expect(200);
    becomes("both files", async || job(&ann.who).await["files"].as_array().unwrap().len() == 2).await;
    all_is_drawn(&portal).await;

    let shown = job(&ann.who).await;
    let file = |id: &Value| shown["files"].as_array().unwrap().iter().find(|file| file["id"] == *id).unwrap().clone();
    assert_eq!(file(door)["thumbnail"], json!({ "width": 320, "height": 200 }));
    assert_eq!(file(notes)["thumbnail"], Value::Null);
    let wanted = json!({ "files": [door, notes, "fil_01K9ZZZZZZZZZZZZZZZZZZZZZZ"], "size": "small" });
    let thumbnails = format!("{path}/thumbnails");
    for who in [&ann.who, &admin] {
        let found = portal.post(&thumbnails, who, wanted.clone()).await.expect(200);
        let found = found["items"].as_array().unwrap();
        assert_eq!((found.len(), &found[0]["id"], found[0].get("share_id")), (1, door, None));
        is_upright(&picture(&portal, &found[0]["url"]).await);
    }
    // Another's job is not found, and its photos are not another job's.
    portal.post(&thumbnails, &bo.who, wanted.clone()).await.expect_problem(404, "not_found");
    let crane = json!({ "name": "Crane" });
    let crane = crate::areas::put(&portal, &admin, &bo.company, "assets/CRANE", crane).await.expect(201);
    let own = json!({ "asset_id": crane["id"], "title": "Rope", "description": "Worn" });
    let own = portal.post("/v1/problems", &bo.who, own).await.expect(201);
    let of_own = format!("/v1/jobs/{}/thumbnails", text(&own["job_id"]));
    let found = portal.post(&of_own, &bo.who, wanted.clone()).await.expect(200);
    assert_eq!(found["items"], json!([]));
    let too_many = json!({ "files": vec![door; 101], "size": "small" });
    portal.post(&thumbnails, &ann.who, too_many).await.expect_invalid("files");

    // With the job its pictures go, from the bucket, too.
    let url = portal.post(&thumbnails, &ann.who, wanted).await.expect(200)["items"][0]["url"].clone();
    portal.delete(&format!("/v1/companies/{}/jobs/{id}", ann.company), &admin).await.expect(204);
    becomes("the picture to go", async || portal.fetch(&text(&url)).await.0 == StatusCode::NOT_FOUND).await;
}
