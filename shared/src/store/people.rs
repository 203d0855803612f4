//! Companies, contacts, staff: how they are found.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::page::{Listing, SortKeyRange};
use super::{Page, PageRequest, Store, StoreError, Stored, keys};
use crate::clock::Timestamp;
use crate::domain::{
    Access, Company, CompanyId, Contact, ContactId, CredentialState, Email, Language, PersonId, PersonName, Staff,
    StaffId, Token, TokenPurpose,
};

/// Whoever can sign in.
#[derive(Debug, Clone)]
pub enum Person {
    /// A contact.
    Contact(Box<Stored<Contact>>),
    /// One of the staff.
    Staff(Box<Stored<Staff>>),
}

impl Person {
    /// The person's id.
    #[must_use]
    pub fn id(&self) -> PersonId {
        match self {
            Self::Contact(contact) => contact.id.into(),
            Self::Staff(staff) => staff.id.into(),
        }
    }

    /// A contact's company.
    #[must_use]
    pub fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Contact(contact) => Some(contact.company_id),
            Self::Staff(_) => None,
        }
    }

    /// The person's name.
    #[must_use]
    pub fn name(&self) -> &PersonName {
        match self {
            Self::Contact(contact) => &contact.name,
            Self::Staff(staff) => &staff.name,
        }
    }

    /// The name to greet it by in a mail, unless that is what a stranger typed.
    #[must_use]
    pub fn greeting(&self) -> Option<&PersonName> {
        match self {
            Self::Contact(contact) => contact.greeting(),
            Self::Staff(staff) => Some(&staff.name),
        }
    }

    /// The language of the person's mails and pages.
    pub fn language(&self) -> &Language {
        match self {
            Self::Contact(contact) => &contact.language,
            Self::Staff(staff) => &staff.language,
        }
    }

    /// The person's username.
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        match self {
            Self::Contact(contact) => contact.email.as_ref(),
            Self::Staff(staff) => Some(&staff.email),
        }
    }

    /// Whether the person may come in.
    #[must_use]
    pub fn access(&self) -> &Access {
        match self {
            Self::Contact(contact) => &contact.access,
            Self::Staff(staff) => &staff.access,
        }
    }

    /// Which of the person's sessions count.
    #[must_use]
    pub fn sessions(&self) -> &CredentialState {
        match self {
            Self::Contact(contact) => &contact.sessions,
            Self::Staff(staff) => &staff.sessions,
        }
    }

    /// Changes what contacts and staff have in common, for [`super::Transaction::save_person`].
    pub fn change(&mut self, change: impl FnOnce(Common<'_>)) {
        match self {
            Self::Contact(stored) => {
                let Contact { name, access, language, sessions, .. } = &mut stored.record;
                change(Common { name, access, language, sessions });
            }
            Self::Staff(stored) => {
                let Staff { name, access, language, sessions, .. } = &mut stored.record;
                change(Common { name, access, language, sessions });
            }
        }
    }

    /// Signs the person in.
    pub fn seen(&mut self, now: Timestamp) {
        match self {
            Self::Contact(stored) => stored.record.seen(now),
            Self::Staff(stored) => stored.record.last_seen_at = Some(now),
        }
    }
}

/// How many contacts a company has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContactCounts {
    /// All of them.
    pub all: u64,
    /// Those that were invited and have no account yet.
    pub invited: u64,
}

/// What contacts and staff have in common.
pub struct Common<'a> {
    /// The name.
    pub name: &'a mut PersonName,
    /// Whether the person may come in.
    pub access: &'a mut Access,
    /// The language of mails and pages.
    pub language: &'a mut Language,
    /// Which sessions count.
    pub sessions: &'a mut CredentialState,
}

impl super::Transaction<'_> {
    /// A person that was read and changed.
    pub fn save_person(self, person: &Person) -> Self {
        match person {
            Person::Contact(contact) => self.save(contact.rev, &contact.record),
            Person::Staff(staff) => self.save(staff.rev, &staff.record),
        }
    }

    /// The words by which a contact is found, after a change that may have touched its name.
    pub fn words_of_person(self, was: &Person, now: &Person) -> Self {
        match (was, now) {
            (Person::Contact(was), Person::Contact(now)) => self.words(now.id, Some(&was.record), &now.record),
            _ => self,
        }
    }
}

impl Store {
    /// A company.
    pub async fn company(&self, id: CompanyId) -> Result<Option<Stored<Company>>, StoreError> {
        self.read(keys::company(id)).await
    }

    /// A person's company; the operator's own people have none here.
    pub async fn company_of(&self, person: &Person) -> Result<Option<Company>, StoreError> {
        let Person::Contact(contact) = person else { return Ok(None) };
        Ok(self.company(contact.company_id).await?.map(|company| company.record))
    }

    /// A contact.
    pub async fn contact(&self, id: ContactId) -> Result<Option<Stored<Contact>>, StoreError> {
        self.read(keys::contact(id)).await
    }

    /// Several contacts in one round trip; those that do not exist are missing in the answer.
    pub async fn contacts(&self, ids: impl IntoIterator<Item = ContactId>) -> Result<Vec<Contact>, StoreError> {
        let items = self.items(ids.into_iter().map(keys::contact)).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// One of the staff.
    pub async fn staff(&self, id: StaffId) -> Result<Option<Stored<Staff>>, StoreError> {
        self.read(keys::staff(id)).await
    }

    /// A contact or one of the staff.
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        Ok(match id {
            PersonId::Contact(id) => self.contact(id).await?.map(|contact| Person::Contact(Box::new(contact))),
            PersonId::Staff(id) => self.staff(id).await?.map(|staff| Person::Staff(Box::new(staff))),
        })
    }

    /// Whose address this is.
    pub async fn owner_of(&self, email: &Email) -> Result<Option<PersonId>, StoreError> {
        #[derive(Deserialize)]
        struct Claim {
            owner: PersonId,
        }
        Ok(self.read_plain::<Claim>(keys::email(email)).await?.map(|claim| claim.owner))
    }

    /// Which of these addresses belong to contacts, and to whom.
    pub async fn owners_of(&self, emails: Vec<Email>) -> Result<BTreeMap<Email, ContactId>, StoreError> {
        #[derive(Deserialize)]
        struct Claim {
            pk: String,
            owner: PersonId,
        }
        let wanted: BTreeSet<Email> = emails.into_iter().collect();
        let items = self.items(wanted.iter().map(keys::email)).await?;
        let claims = items.into_iter().map(serde_dynamo::from_item).collect::<Result<Vec<Claim>, _>>()?;
        let by_key: BTreeMap<String, Email> = wanted.into_iter().map(|email| (keys::email(&email).pk, email)).collect();
        let of_contact = |claim: Claim| match claim.owner {
            PersonId::Contact(contact) => by_key.get(&claim.pk).map(|email| (email.clone(), contact)),
            PersonId::Staff(_) => None,
        };
        Ok(claims.into_iter().filter_map(of_contact).collect())
    }

    /// A person's password, as its Argon2 hash.
    pub async fn password(&self, person: PersonId) -> Result<Option<String>, StoreError> {
        #[derive(Deserialize)]
        struct Password {
            hash: String,
        }
        Ok(self.read_plain::<Password>(keys::password(person)).await?.map(|password| password.hash))
    }

    /// What a token opens; nothing, if there is no such token.
    pub async fn token(&self, token: &Token) -> Result<Option<TokenPurpose>, StoreError> {
        self.read_plain(keys::token(&token.hash())).await
    }

    /// All companies by name.
    pub async fn companies(&self, page: PageRequest) -> Result<Page<Company>, StoreError> {
        self.listed(keys::COMPANIES, None, false, page).await
    }

    /// Several companies in one round trip; those that do not exist are missing in the answer.
    pub async fn companies_of(&self, ids: impl IntoIterator<Item = CompanyId>) -> Result<Vec<Company>, StoreError> {
        let items = self.items(ids.into_iter().map(keys::company)).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// All contacts of all companies: by access, then by name.
    pub async fn users(&self, access: Option<&str>, page: PageRequest) -> Result<Page<Contact>, StoreError> {
        let begins = access.map(|access| SortKeyRange::Beginning(format!("{access}#")));
        let listing = Listing {
            index: Some(keys::USERS_INDEX),
            pk_name: keys::USERS_PK,
            pk: keys::USERS,
            sk: begins.map(|begins| (keys::USERS_SK, begins)),
            newest_first: false,
            consistent: false,
        };
        self.page(listing, page).await
    }

    /// The contacts of a company by name: for people who look at them.
    pub async fn contacts_of(&self, company: CompanyId, page: PageRequest) -> Result<Page<Contact>, StoreError> {
        self.listed(&keys::contacts_of(company), None, false, page).await
    }

    /// How many contacts a company has, and how many of them are invited: up to so many, which are read for that.
    pub async fn count_contacts(&self, company: CompanyId, most: usize) -> Result<ContactCounts, StoreError> {
        #[derive(Deserialize)]
        struct Row {
            #[serde(flatten)]
            access: Access,
        }
        let (pk, page) = (keys::contacts_of(company), PageRequest { limit: most, after: None });
        let rows = self.listed::<Row>(&pk, None, false, page).await?.items;
        let invited = rows.iter().filter(|row| matches!(row.access, Access::Invited { .. })).count();
        Ok(ContactCounts { all: rows.len() as u64, invited: invited as u64 })
    }

    /// The contacts of a company, as they are now, in an order that none of them changes: for whoever must not miss
    /// one. Who came or went within the last second or so may be missing, or still be there: the index is a little
    /// behind.
    pub async fn members(&self, company: CompanyId, page: PageRequest) -> Result<Page<Contact>, StoreError> {
        #[derive(Deserialize)]
        struct Member {
            pk: ContactId,
        }
        let pk = &keys::members_of(company);
        let index = Some(keys::MEMBERS);
        let listing =
            Listing { index, pk_name: keys::MEMBERS_PK, pk, sk: None, newest_first: false, consistent: false };
        let Page { items, next } = self.page::<Member>(listing, page).await?;
        let items = self.contacts(items.into_iter().map(|member| member.pk)).await?;
        Ok(Page { items: items.into_iter().filter(|contact| contact.company_id == company).collect(), next })
    }
}
