//! The way from a link to an account: whose domain nobody knows gets one at once, whose company is a customer asks its
//! mappers, who has one signs in.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Access, AccessRequest, Activity, ActivityKind, Company, CompanyId, CompanyName, Contact, Email, Link, PersonId,
    PersonName, domain_for_people,
};
use gatehouse::http::{ApiRequest, ApiResponse, Customer, Problem, json, retry_on_conflict};
use gatehouse::store::{AccessRequested, Allowed, Asked, CommitError, Hourly, Person, Throttle};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{OpenLink, ResolvedLink};

/// Domains where anybody gets an address: none of them is a company's. From free-email-domains 1.12.6 (MIT,
/// <https://github.com/Kikobeats/free-email-domains>).
static CONSUMER_DOMAINS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("../consumer-domains.txt").lines().collect());

/// What whoever opened a link is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Offer {
    /// An account at once: nobody here knows the address's domain.
    GetAccess,
    /// A request to the mappers: the domain belongs to a customer.
    RequestAccess,
    /// It has an account.
    SignIn,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GetAccess {
    token: Link,
    name: PersonName,
    company: Option<CompanyName>,
}

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct AccessAsked {
    #[schemars(extend("enum" = ["activation_mailed", "requested"]))]
    status: &'static str,
}

fn is_consumers(email: &Email) -> bool {
    CONSUMER_DOMAINS.contains(email.domain())
}

impl OpenLink {
    /// The offer, with the company that the person would come to, if that is known.
    pub(crate) async fn offer(&self, opened: &ResolvedLink) -> Result<Option<(Offer, Option<Company>)>, Problem> {
        if let Some(owner) = &opened.owner {
            if owner.access().is_active() {
                return Ok(Some((Offer::SignIn, None)));
            }
            if matches!(owner, Person::Staff(_)) {
                return Ok(None);
            }
        }
        // Who was invited is sent its link once more; whose invitation was taken back asks those who did that.
        let invited = opened.contact().is_some_and(|contact| matches!(contact.access, Access::Invited { .. }));
        let withdrawn = opened.contact().is_some_and(Contact::was_withdrawn);
        let store = &self.gate.store;
        let of_domain =
            if is_consumers(&opened.email) { None } else { store.company_of_domain(opened.email.domain()).await? };
        let company = match (&opened.company, of_domain) {
            (Some(company), _) => Some(company.clone()),
            (None, Some(company)) => store.company(company).await?.map(|company| company.record),
            (None, None) => None,
        };
        let known = of_domain.is_some() && !invited || withdrawn;
        let offer = if known { Offer::RequestAccess } else { Offer::GetAccess };
        // Where the plan has no portal, nobody can be let in.
        let possible = company.as_ref().is_none_or(|company| company.portal_plan);
        Ok(possible.then_some((offer, company)))
    }

    /// Access is for the address that the link was sent to, and the answer comes there.
    pub(crate) async fn get_access(&self, request: &ApiRequest, body: &GetAccess) -> Result<ApiResponse, Problem> {
        let (throttle, now) = (self.gate.throttle(request).await?, self.gate.now());
        let opened = self.gate.resolve_link(request, self.find(&body.token)).await?;
        let heard = throttle.request_from(request.network(), now).await?;
        heard.map_err(|until| Problem::too_many_requests(until, now))?;
        let status = retry_on_conflict(|| async {
            // Counted by itself: whoever has the link has the mailbox, and strangers cannot use this up.
            let allowed = throttle.hourly(Hourly::AccessFor(opened.email.as_str()), now).await?;
            let allowed = allowed.map_err(|until| Problem::too_many_requests(until, now))?;
            self.let_in(&throttle, &body.token, body, allowed, now).await
        });
        json(StatusCode::ACCEPTED, &AccessAsked { status: status.await? })
    }

    async fn let_in(
        &self,
        throttle: &Throttle<'_>,
        link: &Link,
        body: &GetAccess,
        allowed: Allowed,
        now: Timestamp,
    ) -> Result<&'static str, Problem> {
        let opened = self.find(link).await?;
        // An invitation of this very moment is the one that was asked for, by a second click.
        if opened.contact().is_some_and(|contact| contact.invited_just_now(now)) {
            return Ok("activation_mailed");
        }
        let offered = self.offer(&opened).await?;
        let (offer, company) = offered.ok_or_else(|| Problem::forbidden("The portal is not open to your company."))?;
        let invited = opened.contact().is_some_and(|contact| matches!(contact.access, Access::Invited { .. }));
        if offer == Offer::GetAccess && !invited {
            self.invite(&opened, company, body, allowed, now).await?;
            return Ok("activation_mailed");
        }
        let named = body.company.clone().or_else(|| company.map(|company| company.name));
        let request = AccessRequest {
            name: body.name.clone(),
            email: opened.email.clone(),
            company: named.map_or_else(|| name_of(&opened.email, &body.name), Ok)?,
            phone: None,
            message: None,
            language: opened.share.language.clone().unwrap_or_default(),
        };
        Ok(match self.gate.store.request_access(throttle, &request, Asked::ByLink, allowed, now).await? {
            AccessRequested::Invited => "activation_mailed",
            AccessRequested::Waits => "requested",
        })
    }

    /// A contact that is known already is invited; anybody else becomes one, at a company of its own.
    async fn invite(
        &self,
        opened: &ResolvedLink,
        company: Option<Company>,
        body: &GetAccess,
        allowed: Allowed,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let store = &self.gate.store;
        let mut transaction = store.transaction();
        let (stored, contact, company) = match (&opened.owner, company) {
            (Some(Person::Contact(stored)), Some(company)) => (Some(stored), stored.record.clone(), company),
            _ => {
                let domain = opened.email.domain().parse().ok().filter(|_| !is_consumers(&opened.email));
                let company = Company {
                    id: CompanyId::new(now),
                    name: body.company.clone().map_or_else(|| name_of(&opened.email, &body.name), Ok)?,
                    domains: domain.into_iter().collect(),
                    portal_plan: true,
                    reference: None,
                    self_registered: true,
                    merged_into: None,
                    merging: BTreeSet::new(),
                    created_at: now,
                };
                let contact = Contact {
                    email: Some(opened.email.clone()),
                    language: opened.share.language.clone().unwrap_or_default(),
                    self_registered: true,
                    ..Contact::new(company.id, body.name.clone(), now)
                };
                transaction = transaction.create(&company).words(company.id, None, &company);
                transaction = transaction.domains(company.id, &[], &company.domains);
                transaction = transaction.words(contact.id, None, &contact).backfill(contact.id, now);
                transaction = transaction.claim_email(&opened.email, PersonId::from(contact.id));
                (None, contact, company)
            }
        };
        let about = |kind| Activity::new(kind, Customer::actor(&contact), now).contact(contact.id).company(company.id);
        let (entered, activity) = (about(ActivityKind::ContactCreated), about(ActivityKind::Invited));
        let invited = contact.invite(&company, None, now)?;
        let mailed = self.gate.invitation_to(&invited.to).await?;
        transaction = match stored {
            Some(stored) => transaction.save(stored.rev, &invited.contact),
            None => transaction.create(&invited.contact).activity(&entered),
        };
        let mail = invited.mail(&company, None, now);
        match transaction.activity(&activity).mail(&mail).counted(mailed).counted(allowed).commit().await {
            // Asked twice at once: the other one has entered the contact.
            Err(CommitError::EmailTaken) => Err(CommitError::Conflict.into()),
            done => Ok(done?),
        }
    }
}

/// A company that nobody has named is called by its domain, or by the person where the domain is nobody's.
fn name_of(email: &Email, person: &PersonName) -> Result<CompanyName, Problem> {
    let name = if is_consumers(email) { person.to_string() } else { domain_for_people(email.domain()) };
    name.parse().map_err(|wrong| Problem::invalid_field("company", wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_domains_are_no_companys() {
        let consumers = |address: &str| is_consumers(&address.parse().unwrap());
        for address in ["a@gmail.com", "a@GMX.de", "a@web.de", "a@laposte.net", "a@ziggo.nl", "a@yahoo.es"] {
            assert!(consumers(address), "{address}");
        }
        assert!(!consumers("a@harbour-sons.example") && !consumers("a@example.com"));
    }
}
