//! Looking at the portal as a contact sees it: staff name the contact in a header. Nothing can be changed so, nothing
//! counts as read or viewed by the contact, and the activity says who looked.

use super::call::ApiRequest;
use super::gate::{Customer, Gate};
use super::problem::Problem;
use crate::domain::{Activity, Contact, ContactId, Right};
use crate::store::Stored;

/// The header that names the contact.
pub(super) const VIEW_AS: &str = "gatehouse-view-as";

/// What a contact can be seen to see. Any other route refuses the header.
const SHOWN: [&str; 14] = [
    "GET /v1/assets",
    "GET /v1/assets/{id}",
    "GET /v1/jobs",
    "GET /v1/jobs/{id}",
    "GET /v1/me",
    "GET /v1/shares",
    "GET /v1/shares/{id}",
    "GET /v1/sites",
    "GET /v1/sites/{id}",
    "POST /v1/jobs/{id}/files/{fid}/preview",
    "POST /v1/jobs/{id}/thumbnails",
    "POST /v1/shares/{id}/files/{fid}/preview",
    "POST /v1/shares/{id}/thumbnails",
    "POST /v1/thumbnails",
];

/// Whether a route shows what a contact sees.
pub(super) fn shows_as_seen(route: &str) -> bool {
    SHOWN.contains(&route)
}

impl ApiRequest {
    /// As whom one of the staff wants to see this.
    fn view_as(&self) -> Result<Option<ContactId>, Problem> {
        let mut named = self.headers().get_all(VIEW_AS).iter();
        let Some(contact) = named.next() else { return Ok(None) };
        let contact = contact.to_str().ok().and_then(|contact| contact.parse().ok());
        let contact = contact.filter(|_| named.next().is_none());
        contact.map(Some).ok_or_else(|| Problem::invalid_field("Gatehouse-View-As", "must be the id of a contact"))
    }

    /// Refuses to do as somebody else what is more than to look.
    pub(super) fn refuse_view_as(&self) -> Result<(), Problem> {
        if self.headers().contains_key(VIEW_AS) && !shows_as_seen(self.route()) {
            return Err(Problem::forbidden(
                "Whoever views as a contact only looks: this is not shown, or it changes something.",
            ));
        }
        Ok(())
    }
}

impl Gate {
    /// The contact that one of the staff views as, if the request asks for that.
    pub async fn viewed_contact(&self, request: &ApiRequest) -> Result<Option<Stored<Contact>>, Problem> {
        let Some(id) = request.view_as()? else { return Ok(None) };
        let staff = self.staff_in_person(request, |staff| staff.may(Right::ReadShares)).await?;
        let contact = self.store.contact(id).await?.ok_or_else(Problem::not_found)?;
        self.store.note(&Activity::viewed_as(&staff, &contact, self.now())).await?;
        Ok(Some(contact))
    }

    /// The same, in place of a customer that is signed in.
    pub(super) async fn viewed_customer(&self, request: &ApiRequest) -> Result<Option<Customer>, Problem> {
        Ok(self.viewed_contact(request).await?.map(|contact| Customer::viewed(&contact)))
    }
}
