//! User management: every contact of every company in one list, with its access.

use std::collections::BTreeSet;

use gatehouse::domain::{CompanyId, Contact, ContactId, Query, Right};
use gatehouse::http::{ApiRequest, ApiResponse, ContactView, List, Problem, json};
use gatehouse::store::{PageRequest, Position, Searchable as _};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Contacts;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ContactAccess")]
#[serde(rename_all = "snake_case")]
enum AccessWord {
    None,
    Invited,
    Active,
    Closed,
}

impl AccessWord {
    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Closed => "closed",
        }
    }
}

/// A step is a page of people's words or a company, four calls at most.
const MOST_STEPS: usize = 100;

#[derive(Deserialize, schemars::JsonSchema)]
pub(crate) struct UserQuery {
    access: Option<AccessWord>,
    /// How words of the contact's name or address, or of its company, begin.
    #[serde(default)]
    q: String,
}

/// Where a search goes on: first through those who are found by their own words, then through the companies
/// that are found by theirs, one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Place {
    People { after: Option<Position> },
    Companies { after: Option<Position>, within: Option<(CompanyId, Position)> },
}

impl Contacts {
    pub(crate) async fn list_users(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ReadCustomers).await?;
        let (filter, page): (UserQuery, _) = request.list_query()?;
        let access = filter.access.map(AccessWord::word);
        let list = List::of(&[&"users", &staff.id, &access.unwrap_or_default(), &filter.q]);
        let Some(query) = Query::parse(&filter.q) else {
            let page = self.gate.page(&list, &page).await?;
            let users = self.gate.store.users(access, page).await?;
            return json(StatusCode::OK, &self.gate.list(&list, users, ContactView::from).await?);
        };
        let place = self.gate.after(&list, &page).await?.unwrap_or(Place::People { after: None });
        let (found, next) = self.search_users(&query, access, place, page.limit).await?;
        let items = found.into_iter().map(ContactView::from).collect();
        json(StatusCode::OK, &self.gate.listed(&list, items, next.as_ref()).await?)
    }

    /// Each step reads no more rows than the page still has room for, so that none is passed over. After so many steps
    /// the page is short, and says where to go on.
    async fn search_users(
        &self,
        query: &Query,
        access: Option<&str>,
        place: Place,
        limit: usize,
    ) -> Result<(Vec<Contact>, Option<Place>), Problem> {
        let mut found: Vec<Contact> = Vec::new();
        let mut next = Some(place);
        let wanted = |contact: &Contact| access.is_none_or(|access| contact.access.word() == access);
        let mut steps = 0;
        while let Some(place) = next.take() {
            let room = limit.saturating_sub(found.len());
            if room == 0 || steps == MOST_STEPS {
                return Ok((found, Some(place)));
            }
            steps += 1;
            next = match place {
                Place::People { after } => {
                    let (people, after) = self.people_by_words(query, PageRequest { limit: room, after }).await?;
                    found.extend(people.into_iter().filter(wanted));
                    let after = after.map(|after| Place::People { after: Some(after) });
                    Some(after.unwrap_or(Place::Companies { after: None, within: None }))
                }
                Place::Companies { after, within } => {
                    let (company, at, after) = match within {
                        Some((company, at)) => (Some(company), Some(at), after),
                        None => {
                            let page = self.find_companies(query, PageRequest { limit: 1, after }).await?;
                            (page.items.into_iter().next().map(|company| company.id), None, page.next)
                        }
                    };
                    let mut within = None;
                    if let Some(company) = company {
                        let page = PageRequest { limit: room, after: at };
                        let contacts = self.gate.store.contacts_of(company, page).await?;
                        // Those who were found by their own words have been shown.
                        found.extend(contacts.items.into_iter().filter(|c| wanted(c) && !query.matches(&c.words())));
                        within = contacts.next.map(|at| (company, at));
                    }
                    (within.is_some() || after.is_some()).then_some(Place::Companies { after, within })
                }
            };
        }
        Ok((found, None))
    }

    async fn people_by_words(
        &self,
        query: &Query,
        page: PageRequest,
    ) -> Result<(Vec<Contact>, Option<Position>), Problem> {
        let rows = self.gate.store.words::<Contact, ContactId>(query, page).await?;
        let ids: BTreeSet<ContactId> = rows.items.iter().map(|row| row.id).collect();
        let contacts = self.gate.store.contacts(ids).await?;
        let found = rows.items.iter().filter_map(|row| {
            let contact = contacts.iter().find(|contact| contact.id == row.id)?;
            query.found_by(&row.word, &contact.words()).then(|| contact.clone())
        });
        Ok((found.collect(), rows.next))
    }
}
