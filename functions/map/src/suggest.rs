//! Which company and which contact a request may belong to: by the address's domain, by words of the names.

use std::collections::BTreeMap;

use gatehouse::domain::{Company, CompanyId, CompanyName, Contact, ContactId, Query, Registration, split};
use gatehouse::http::{ContactView, Problem};
use gatehouse::store::{PageRequest, Person, Searchable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Map, RegistrationView};

/// How many of each are shown.
const MOST: usize = 5;
/// Words that many companies have say nothing about one.
const SHORTEST_WORD: usize = 3;

#[derive(Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    pub(crate) registration: RegistrationView,
    pub(crate) suggestions: Suggestions,
}

#[derive(Serialize)]
pub(crate) struct Suggestions {
    companies: Vec<CompanySuggestion>,
    contacts: Vec<ContactView>,
}

#[derive(Serialize)]
struct CompanySuggestion {
    id: CompanyId,
    name: CompanyName,
    portal_plan: bool,
}

impl Map {
    pub(crate) async fn suggest(&self, registration: &Registration) -> Result<Suggestions, Problem> {
        let store = &self.gate.store;
        let mut companies: BTreeMap<CompanyId, usize> = BTreeMap::new();
        // The domain of the address weighs more than any word of a name.
        self.weigh::<Company, _>(&mut companies, registration.email.domain(), 10).await?;
        for word in split(registration.company.as_str()).filter(|word| word.len() >= SHORTEST_WORD) {
            self.weigh::<Company, _>(&mut companies, &word, 1).await?;
        }
        let mut contacts: BTreeMap<ContactId, usize> = BTreeMap::new();
        for word in split(registration.name.as_str()).filter(|word| word.len() >= SHORTEST_WORD) {
            self.weigh::<Contact, _>(&mut contacts, &word, 1).await?;
        }
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

        let best = best(&companies, MOST);
        let known = store.companies_of(best.iter().copied()).await?;
        let companies = best.iter().filter_map(|id| known.iter().find(|company| company.id == *id)).map(|company| {
            CompanySuggestion { id: company.id, name: company.name.clone(), portal_plan: company.portal_plan }
        });
        Ok(Suggestions { companies: companies.collect(), contacts: found.into_iter().map(ContactView::from).collect() })
    }

    async fn owner(&self, registration: &Registration) -> Result<Option<Person>, Problem> {
        let store = &self.gate.store;
        Ok(match store.owner_of(&registration.email).await? {
            Some(owner) => store.person(owner).await?,
            None => None,
        })
    }

    async fn weigh<T, I>(&self, weights: &mut BTreeMap<I, usize>, word: &str, weight: usize) -> Result<(), Problem>
    where
        T: Searchable,
        I: Ord + DeserializeOwned,
    {
        let Some(query) = Query::parse(word) else { return Ok(()) };
        let rows = self.gate.store.words::<T, I>(&query, PageRequest { limit: 20, after: None }).await?;
        for row in rows.items {
            *weights.entry(row.id).or_default() += weight;
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
