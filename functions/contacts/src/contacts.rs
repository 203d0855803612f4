//! Contacts.

use gatehouse::domain::{
    Activity, ActivityKind, AddressOf, Areas, CompanyId, Contact, Email, Language, PersonName, Phone, Right, StaffId,
};
use gatehouse::http::{ApiRequest, ApiResponse, ContactView, Effect, List, Operator, PageQuery, Problem, json};
use gatehouse::store::Transaction;
use lambda_http::http::StatusCode;
use serde::Deserialize;
use serde_with::rust::double_option;

use crate::Contacts;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContact {
    name: PersonName,
    email: Option<Email>,
    phone: Option<Phone>,
    #[serde(default)]
    areas: Areas,
    #[serde(default)]
    language: Language,
    #[serde(default)]
    send_invite: bool,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeContact {
    name: Option<PersonName>,
    /// `null` takes it away; nothing said leaves it. The same for the telephone number.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    email: Option<Option<Email>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    phone: Option<Option<Phone>>,
    areas: Option<Areas>,
    language: Option<Language>,
    /// Whether another address is the same person's, whose password then goes on.
    #[serde(default)]
    same_person: bool,
    /// Who of the staff looks after it; `null`: nobody in particular.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    owner_id: Option<Option<StaffId>>,
}

impl Contacts {
    /// Enters a contact and, where that was ticked, invites it: both, or neither.
    pub(crate) async fn create_contact(
        &self,
        staff: &Operator,
        company: CompanyId,
        new: &NewContact,
    ) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let company = store.company(company).await?.ok_or_else(Problem::not_found)?;
        if let Some(into) = company.merged_into {
            return Err(Problem::company_merged(into));
        }
        let contact = Contact {
            email: new.email.clone(),
            phone: new.phone.clone(),
            areas: new.areas.clone(),
            language: new.language.clone(),
            // Whoever enters a contact looks after it, until it is said otherwise.
            owner_id: staff.id.staff(),
            ..Contact::new(company.id, new.name.clone(), now)
        };
        let by = staff.actor();
        let about = |kind| Activity::new(kind, by.clone(), now).contact(contact.id).company(company.id);
        let mut transaction = store.transaction().activity(&about(ActivityKind::ContactCreated));
        if let Some(email) = &contact.email {
            transaction = transaction.claim_email(email, contact.id.into());
        }
        let contact = if new.send_invite {
            let invited_activity = about(ActivityKind::Invited);
            let invited = contact.invite(&company, staff.id.staff(), now)?;
            let allowed = self.gate.invitation_to(&invited.to).await?;
            let mail = invited.mail(&company, None, now);
            transaction = transaction.mail(&mail).counted(allowed).activity(&invited_activity);
            invited.contact
        } else {
            contact
        };
        transaction = transaction.create(&contact).words(contact.id, None, &contact).backfill(contact.id, now);
        Ok(Effect::new(transaction, json(StatusCode::CREATED, &ContactView::from(contact))?))
    }

    pub(crate) async fn list_contacts(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ReadCustomers).await?;
        let query: PageQuery = request.query()?;
        let id: CompanyId = request.id("id")?;
        self.gate.store.company(id).await?.ok_or_else(Problem::not_found)?;
        let list = List::of(&[&"contacts", &staff.id, &id]);
        let page = self.gate.page(&list, &query).await?;
        let contacts = self.gate.store.contacts_of(id, page).await?;
        json(StatusCode::OK, &self.gate.list(&list, contacts, ContactView::from).await?)
    }

    pub(crate) async fn show_contact(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let contact = async { Ok::<_, Problem>(self.gate.store.contact(request.id("id")?).await?) };
        let (_, contact) = self.gate.staff_and(request, Right::ReadCustomers, contact).await?;
        let contact = contact.ok_or_else(Problem::not_found)?;
        json(StatusCode::OK, &ContactView::from(contact.record))
    }

    pub(crate) async fn change_contact(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let stored = async { Ok::<_, Problem>(store.contact(request.id("id")?).await?) };
        let (staff, stored) = self.gate.staff_and(request, Right::ManageCustomers, stored).await?;
        let change: ChangeContact = request.json()?;
        let stored = stored.ok_or_else(Problem::not_found)?;
        let (rev, was) = (stored.rev, stored.record.clone());
        let mut contact = stored.record;
        if let Some(email) = &change.email {
            let of = if change.same_person { AddressOf::SamePerson } else { AddressOf::Anybody };
            let changed = contact.with_email(email.clone(), of);
            contact = changed.map_err(|refused| Problem::invalid_field("email", refused))?;
        }
        if let Some(Some(owner)) = change.owner_id
            && store.staff(owner).await?.is_none_or(|staff| staff.removed)
        {
            return Err(Problem::invalid_field("owner_id", "is not known"));
        }
        let contact = Contact {
            self_registered: contact.self_registered && change.name.is_none(),
            name: change.name.clone().unwrap_or(contact.name),
            phone: change.phone.clone().unwrap_or(contact.phone),
            areas: change.areas.clone().unwrap_or(contact.areas),
            language: change.language.clone().unwrap_or(contact.language),
            owner_id: change.owner_id.unwrap_or(contact.owner_id),
            ..contact
        };
        let by = staff.actor();
        let activity = Activity {
            same_person: change.same_person && contact.email != was.email,
            ..Activity::new(ActivityKind::ContactChanged, by, now).contact(contact.id).company(contact.company_id)
        };
        let mut transaction = store.transaction().save(rev, &contact).activity(&activity);
        transaction = transaction.words(contact.id, Some(&was), &contact);
        if contact.email != was.email {
            let id = contact.id.into();
            transaction = was.email.iter().fold(transaction, |transaction, old| transaction.release_email(old, id));
            transaction = contact.email.iter().fold(transaction, |transaction, new| transaction.claim_email(new, id));
            transaction = transaction.reconcile_inbox(contact.id, now);
            transaction = contact.address_mails(&was, now).iter().fold(transaction, Transaction::mail);
        }
        transaction.commit().await?;
        json(StatusCode::OK, &ContactView::from(contact))
    }
}
