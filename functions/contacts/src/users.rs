//! User management: every contact of every company in one list, with its access.

use std::collections::BTreeSet;

use gatehouse::domain::{Company, CompanyId, Contact, ContactId, Query, Right};
use gatehouse::http::{ApiRequest, ApiResponse, ContactView, List, PageQuery, Problem, json};
use gatehouse::store::{PageRequest, Position, Searchable as _};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Contacts;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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

#[derive(Deserialize)]
struct UserQuery {
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
        let (filter, page): (UserQuery, PageQuery) = (request.query()?, request.query()?);
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

    /// Each step reads no more rows than the page still has room for, so that none is passed over.
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
        while let Some(place) = next.take() {
            let room = limit.saturating_sub(found.len());
            if room == 0 {
                return Ok((found, Some(place)));
            }
            next = match place {
                Place::People { after } => {
                    let (people, after) = self.people_by_words(query, PageRequest { limit: room, after }).await?;
                    found.extend(people.into_iter().filter(wanted));
                    let after = after.map(|after| Place::People { after: Some(after) });
                    Some(after.unwrap_or(Place::Companies { after: None, within: None }))
                }
                Place::Companies { after, within } => {
                    let Some((company, at, after)) = self.next_company(query, after, within).await? else { break };
                    let contacts = self.gate.store.contacts_of(company, PageRequest { limit: room, after: at }).await?;
                    // Those who were found by their own words have been shown.
                    found.extend(contacts.items.into_iter().filter(|c| wanted(c) && !query.matches(&c.words())));
                    match (contacts.next, after) {
                        (Some(at), after) => Some(Place::Companies { after, within: Some((company, at)) }),
                        (None, Some(after)) => Some(Place::Companies { after: Some(after), within: None }),
                        (None, None) => None,
                    }
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

    /// The company to go on with, where in it, and where the search for the one after it begins.
    async fn next_company(
        &self,
        query: &Query,
        mut after: Option<Position>,
        within: Option<(CompanyId, Position)>,
    ) -> Result<Option<(CompanyId, Option<Position>, Option<Position>)>, Problem> {
        if let Some((company, at)) = within {
            return Ok(Some((company, Some(at), after)));
        }
        loop {
            let page = self.find_companies(query, PageRequest { limit: 1, after: after.take() }).await?;
            match (page.items.into_iter().next(), page.next) {
                (Some(Company { id, .. }), next) => return Ok(Some((id, None, next))),
                (None, Some(next)) => after = Some(next),
                (None, None) => return Ok(None),
            }
        }
    }
}
