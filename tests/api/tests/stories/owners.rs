//! What a customer does reaches the one whose share it is, and never nobody.

use gatehouse::clock::Timestamp;
use gatehouse::domain::{Addressee, CompanyId, ContactId, Language, Mail, OutboxMail, ShareId, StaffId};
use gatehouse::store::Store;
use gatehouse_tests::{ADMIN, Portal, Who, text};
use reqwest::Method;
use serde_json::json;

/// A new member of the staff who has signed in once; its id.
async fn member(portal: &Portal, admin: &Who, email: &str, on_duty: bool) -> String {
    let body = json!({ "name": "Sam", "email": email, "roles": ["member"] });
    let id = text(&portal.post("/v1/staff", admin, body).await.expect(201)["id"]);
    portal.activate(&portal.activation_token(email, 1).await).await;
    let duty = json!({ "on_duty": on_duty });
    portal.call(Method::PUT, &format!("/v1/staff/{id}/duty"), admin, Some(duty)).await.expect(200);
    id
}

/// A file came back from another customer each time, in a share of that owner.
async fn file_returned(portal: &Portal, owner: Option<&str>) {
    let now = Timestamp::now();
    let mail = Mail::FilesReturned {
        share: ShareId::new(now),
        title: "Report".parse().unwrap(),
        from: "Ann".parse().unwrap(),
        contact: ContactId::new(now),
        company: "Harbour".parse().unwrap(),
        company_id: CompanyId::new(now),
        file: "a.pdf".parse().unwrap(),
    };
    let owner = owner.map(|id| id.parse::<StaffId>().unwrap());
    let mail = OutboxMail::new(Addressee::Owner { owner }, None, Language::default(), mail, now);
    Store::new(&portal.stack.env).transaction().mail(&mail).commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_told_or_those_on_duty_or_the_admins() {
    let portal = Portal::open().await;
    let admin = portal.admin().await;
    let addresses = ["off@northgate.example", "on@northgate.example", "too@northgate.example", ADMIN];
    let off = member(&portal, &admin, addresses[0], false).await;
    let on = member(&portal, &admin, addresses[1], true).await;
    let too = member(&portal, &admin, addresses[2], true).await;
    let told = async |counts: [usize; 4]| {
        for (address, count) in addresses.iter().zip(counts) {
            let mails = portal.mails_when(address, count).await;
            assert_eq!(mails.len(), count, "to {address}: {mails:#?}");
        }
    };
    told([1, 1, 1, 1]).await;

    file_returned(&portal, Some(&off)).await;
    told([2, 1, 1, 1]).await;
    assert!(text(&portal.mails(addresses[0]).await[0]["text"]).contains("/shares/shr_"));
    file_returned(&portal, None).await;
    told([2, 2, 2, 1]).await;
    portal.delete(&format!("/v1/staff/{off}"), &admin).await.expect(204);
    file_returned(&portal, Some(&off)).await;
    told([2, 3, 3, 1]).await;
    for id in [on, too] {
        let duty = json!({ "on_duty": false });
        portal.call(Method::PUT, &format!("/v1/staff/{id}/duty"), &admin, Some(duty)).await.expect(200);
    }
    file_returned(&portal, None).await;
    told([2, 3, 3, 2]).await;
}
