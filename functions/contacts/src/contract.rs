//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::Staff;
use gatehouse::http::{ContactView, ListView, Operation, PageQuery};

use crate::companies::{ChangeCompany, CompanyDetails, CompanyQuery, CompanyView, NewCompany};
use crate::contacts::{ChangeContact, NewContact};
use crate::merge::{MergeInto, Merging};
use crate::users::UserQuery;

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(Staff(Right::ManageCustomers), "POST /v1/companies", "createCompany", "Enters a company.")
            .takes::<NewCompany>()
            .answers::<CompanyView>(201)
            .refuses(&["domain_taken"]),
        Operation::new(
            Staff(Right::ReadCustomers),
            "GET /v1/companies",
            "listCompanies",
            "Lists companies, or those with words that begin so.",
        )
        .query::<CompanyQuery>()
        .query::<PageQuery>()
        .answers::<ListView<CompanyView>>(200),
        Operation::new(
            Staff(Right::ReadCustomers),
            "GET /v1/companies/{id}",
            "getCompany",
            "Shows a company, and those that may be the same.",
        )
        .answers::<CompanyDetails>(200),
        Operation::new(
            Staff(Right::ManageCustomers),
            "PATCH /v1/companies/{id}",
            "changeCompany",
            "Changes a company.",
        )
        .takes::<ChangeCompany>()
        .answers::<CompanyView>(200)
        .refuses(&["domain_taken", "company_merged"]),
        Operation::new(
            Staff(Right::ManageCustomers),
            "POST /v1/companies/{id}/merge",
            "mergeCompany",
            "Makes a company a part of another.",
        )
        .takes::<MergeInto>()
        .answers::<Merging>(202)
        .refuses(&["company_merged", "in_progress"]),
        Operation::new(
            Staff(Right::ManageCustomers),
            "POST /v1/companies/{id}/contacts",
            "createContact",
            "Enters a contact of a company, and invites it if asked to.",
        )
        .takes::<NewContact>()
        .answers::<ContactView>(201)
        .refuses(&[
            "already_active",
            "access_closed",
            "email_missing",
            "plan_lacks_portal",
            "email_taken",
            "company_merged",
            "too_many_requests",
        ]),
        Operation::new(
            Staff(Right::ReadCustomers),
            "GET /v1/companies/{id}/contacts",
            "listContacts",
            "Lists the contacts of a company.",
        )
        .query::<PageQuery>()
        .answers::<ListView<ContactView>>(200),
        Operation::new(
            Staff(Right::ReadCustomers),
            "GET /v1/users",
            "listUsers",
            "Lists every contact of every company, with its access.",
        )
        .query::<UserQuery>()
        .query::<PageQuery>()
        .answers::<ListView<ContactView>>(200),
        Operation::new(Staff(Right::ReadCustomers), "GET /v1/contacts/{id}", "getContact", "Shows a contact.")
            .answers::<ContactView>(200),
        Operation::new(Staff(Right::ManageCustomers), "PATCH /v1/contacts/{id}", "changeContact", "Changes a contact.")
            .takes::<ChangeContact>()
            .answers::<ContactView>(200)
            .refuses(&["email_taken"]),
    ]
}
