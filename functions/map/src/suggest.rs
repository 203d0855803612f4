//! Which company and which contact a request may belong to: by the address's domain, by words of the names.

use std::collections::BTreeMap;
use std::str::FromStr;

use gatehouse::domain::{Company, CompanyId, CompanyName, Contact, ContactId, Query, Registration};
use gatehouse::http::{ContactView, Problem};
use gatehouse::store::{DomainOwner, PageRequest, Person, Searchable};
use serde::Serialize;

use crate::Map;

/// How many of each are shown.
const MOST: usize = 5;
/// Shorter words begin too many others.
const SHORTEST_BEGINNING: usize = 3;
/// So many words of a name are looked up.
const MOST_WORDS: usize = 8;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Suggestions {
    companies: Vec<CompanySuggestion>,
    contacts: Vec<ContactSuggestion>,
}

/// Whoever may not read customers learns which it is, and not who.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
enum ContactSuggestion {
    Whole(Box<ContactView>),
    Id {
        id: ContactId,
        company_id: CompanyId,
        #[schemars(extend("enum" = gatehouse::domain::Access::WORDS))]
        access: &'static str,
    },
}

#[derive(Serialize, schemars::JsonSchema)]
struct CompanySuggestion {
    id: CompanyId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<CompanyName>,
    portal_plan: bool,
    /// Made by somebody who held a link: it may be one that is known, under another id.
    self_registered: bool,
}

impl Map {
    pub(crate) async fn suggest(&self, registration: &Registration, reads: bool) -> Result<Suggestions, Problem> {
        let store = &self.gate.store;
        let mut companies: BTreeMap<CompanyId, usize> = BTreeMap::new();
        // The domain of the address weighs more than any word of a name.
        let owner = store.owner_of_domain(registration.email.domain()).await?;
        if let Some(DomainOwner::Company(company)) = owner {
            companies.insert(company, 10);
        }
        self.weigh::<Company, _>(&mut companies, registration.company.as_str()).await?;
        let mut contacts: BTreeMap<ContactId, usize> = BTreeMap::new();
        self.weigh::<Contact, _>(&mut contacts, registration.name.as_str()).await?;
        if let Some(Person::Contact(contact)) = self.owner(registration).await? {
            *contacts.entry(contact.id).or_default() += 10;
            *companies.entry(contact.company_id).or_default() += 20;
        }
        let found = store.contacts(best(&contacts, 4 * MOST)).await?;
        let likely = |contact: &Contact| {
            let same_company = usize::from(companies.contains_key(&contact.company_id));
            contacts.get(&contact.id).copied().unwrap_or_default() + 2 * same_company
        };
        let mut found: Vec<Contact> = found.into_iter().filter(|contact| likely(contact) > 1).collect();
        found.sort_by_key(|contact| std::cmp::Reverse(likely(contact)));
        found.truncate(MOST);

        let contact = |contact: Contact| {
            if reads {
                return ContactSuggestion::Whole(Box::new(contact.into()));
            }
            let access = contact.access.word();
            ContactSuggestion::Id { id: contact.id, company_id: contact.company_id, access }
        };
        let best = best(&companies, MOST);
        let known = store.companies_of(best.iter().copied()).await?;
        let companies = best.iter().filter_map(|id| known.iter().find(|company| company.id == *id)).map(|company| {
            CompanySuggestion {
                id: company.id,
                name: reads.then(|| company.name.clone()),
                portal_plan: company.portal_plan,
                self_registered: company.self_registered,
            }
        });
        Ok(Suggestions { companies: companies.collect(), contacts: found.into_iter().map(contact).collect() })
    }

    async fn owner(&self, registration: &Registration) -> Result<Option<Person>, Problem> {
        let store = &self.gate.store;
        Ok(match store.owner_of(&registration.email).await? {
            Some(owner) => store.person(owner).await?,
            None => None,
        })
    }

    /// Each word of a name weighs the same, however short: many names are.
    async fn weigh<T, I>(&self, weights: &mut BTreeMap<I, usize>, name: &str) -> Result<(), Problem>
    where
        T: Searchable,
        I: Ord + FromStr,
    {
        let lookups = Query::parse(name).map(|query| query.lookups()).unwrap_or_default();
        for lookup in lookups.into_iter().take(MOST_WORDS) {
            let lookup = if lookup.beginning.chars().count() < SHORTEST_BEGINNING { lookup.whole() } else { lookup };
            let page = PageRequest { limit: 20, after: None };
            let rows = self.gate.store.words_found::<T, I>(&lookup, page).await?;
            for row in rows.items {
                *weights.entry(row.id).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// Those that weigh most.
fn best<I: Copy + Ord>(weights: &BTreeMap<I, usize>, most: usize) -> Vec<I> {
    let mut ids: Vec<(&I, &usize)> = weights.iter().collect();
    ids.sort_by_key(|(_, weight)| std::cmp::Reverse(**weight));
    ids.into_iter().take(most).map(|(id, _)| *id).collect()
}
