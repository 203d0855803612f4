//! Companies.

use std::collections::BTreeSet;

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Company, CompanyDomain, CompanyId, CompanyName, Query, Reference, Right,
};
use gatehouse::http::{ApiRequest, ApiResponse, Effect, List, Operator, Problem, json};
use gatehouse::store::{CommitError, ContactCounts, Page, PageRequest, Searchable as _};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;

use crate::Contacts;

/// So many companies of a name are looked at.
const MOST_SUGGESTED: usize = 10;
/// More people than this are not counted.
const MOST_COUNTED: usize = 1_000;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCompany {
    name: CompanyName,
    #[serde(default)]
    domains: Vec<CompanyDomain>,
    #[serde(default = "yes")]
    portal_plan: bool,
    reference: Option<Reference>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeCompany {
    name: Option<CompanyName>,
    domains: Option<Vec<CompanyDomain>>,
    portal_plan: Option<bool>,
    /// `null` takes it away; nothing said leaves it.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    reference: Option<Option<Reference>>,
}

#[derive(Deserialize, schemars::JsonSchema)]
pub(crate) struct CompanyQuery {
    /// How words of the name, the reference or a domain begin.
    #[serde(default)]
    q: String,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Company")]
pub(crate) struct CompanyView {
    id: CompanyId,
    name: CompanyName,
    domains: Vec<CompanyDomain>,
    portal_plan: bool,
    reference: Option<Reference>,
    self_registered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<CompanyId>,
    created_at: Timestamp,
}

/// A company by itself, how many people it has, and those that may be the same.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct CompanyDetails {
    #[serde(flatten)]
    company: CompanyView,
    /// How many contacts it has, counted up to 1,000.
    contact_count: u64,
    /// How many of those were invited and have no account yet.
    pending_count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    merge_suggestions: Vec<MergeSuggestion>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct MergeSuggestion {
    id: CompanyId,
    name: CompanyName,
    self_registered: bool,
}

impl From<Company> for CompanyView {
    fn from(company: Company) -> Self {
        let Company { id, name, domains, portal_plan, reference, self_registered, merged_into, created_at, .. } =
            company;
        Self { id, name, domains, portal_plan, reference, self_registered, merged_into, created_at }
    }
}

impl Contacts {
    pub(crate) async fn create_company(&self, staff: &Operator, new: &NewCompany) -> Result<Effect<'_>, Problem> {
        let now = self.gate.now();
        let company = Company {
            id: CompanyId::new(now),
            name: new.name.clone(),
            domains: new.domains.clone(),
            portal_plan: new.portal_plan,
            reference: new.reference.clone(),
            self_registered: false,
            merged_into: None,
            merging: BTreeSet::new(),
            created_at: now,
        };
        self.free_domains(&company).await?;
        let by = staff.actor();
        let activity = Activity::new(ActivityKind::CompanyCreated, by, now).company(company.id);
        let transaction = self.gate.store.transaction().create(&company).activity(&activity);
        let transaction = transaction.words(company.id, None, &company).domains(company.id, &[], &company.domains);
        Ok(Effect::new(transaction, json(StatusCode::CREATED, &CompanyView::from(company))?))
    }

    pub(crate) async fn list_companies(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ReadCustomers).await?;
        let (query, page): (CompanyQuery, _) = request.list_query()?;
        let list = List::of(&[&"companies", &staff.id, &query.q]);
        let page = self.gate.page(&list, &page).await?;
        let companies = match Query::parse(&query.q) {
            None => self.gate.store.companies(page).await?,
            Some(words) => self.find_companies(&words, page).await?,
        };
        json(StatusCode::OK, &self.gate.list(&list, companies, CompanyView::from).await?)
    }

    /// Companies whose words the query's terms begin, in the order of those words.
    pub(crate) async fn find_companies(&self, query: &Query, page: PageRequest) -> Result<Page<Company>, Problem> {
        let store = &self.gate.store;
        let rows = store.words::<Company, CompanyId>(query, page).await?;
        let ids: BTreeSet<CompanyId> = rows.items.iter().map(|row| row.id).collect();
        let companies = store.companies_of(ids).await?;
        let found = rows.items.iter().filter_map(|row| {
            let company = companies.iter().find(|company| company.id == row.id)?;
            query.found_by(&row.word, &company.words()).then(|| company.clone())
        });
        Ok(Page { items: found.collect(), next: rows.next })
    }

    pub(crate) async fn show_company(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let store = &self.gate.store;
        let found = async {
            let id = request.id("id")?;
            Ok::<_, Problem>(try_join!(store.company(id), store.count_contacts(id, MOST_COUNTED))?)
        };
        let (_, (company, counted)) = self.gate.staff_and(request, Right::ReadCustomers, found).await?;
        let company = company.ok_or_else(Problem::not_found)?.record;
        let merge_suggestions = self.merge_suggestions(&company).await?;
        let ContactCounts { all: contact_count, invited: pending_count } = counted;
        let company = company.into();
        json(StatusCode::OK, &CompanyDetails { company, contact_count, pending_count, merge_suggestions })
    }

    /// Companies of the same name, where one of the two was made by somebody who held a link.
    async fn merge_suggestions(&self, company: &Company) -> Result<Vec<MergeSuggestion>, Problem> {
        let name = Query::parse(company.name.as_str()).filter(|_| company.merged_into.is_none());
        let Some(name) = name else { return Ok(Vec::new()) };
        let found = self.find_companies(&name, PageRequest { limit: MOST_SUGGESTED, after: None }).await?.items;
        let may_be_the_same =
            |other: &Company| other.id != company.id && (company.self_registered || other.self_registered);
        let found = found.into_iter().filter(may_be_the_same);
        Ok(found
            .map(|Company { id, name, self_registered, .. }| MergeSuggestion { id, name, self_registered })
            .collect())
    }

    pub(crate) async fn change_company(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let now = self.gate.now();
        let stored = async { Ok::<_, Problem>(self.gate.store.company(request.id("id")?).await?) };
        let (staff, stored) = self.gate.staff_and(request, Right::ManageCustomers, stored).await?;
        let change: ChangeCompany = request.json()?;
        let stored = stored.ok_or_else(Problem::not_found)?;
        if let Some(into) = stored.merged_into {
            return Err(Problem::company_merged(into));
        }
        let was = stored.record;
        let before = was.clone();
        let company = Company {
            self_registered: was.self_registered && change.name.is_none(),
            name: change.name.clone().unwrap_or(was.name),
            domains: change.domains.clone().unwrap_or(was.domains),
            portal_plan: change.portal_plan.unwrap_or(was.portal_plan),
            reference: change.reference.clone().unwrap_or(was.reference),
            ..was
        };
        self.free_domains(&company).await?;
        let by = staff.actor();
        let activity = Activity::new(ActivityKind::CompanyChanged, by, now).company(company.id);
        let transaction = self.gate.store.transaction().save(stored.rev, &company).activity(&activity);
        let transaction = transaction.words(company.id, Some(&before), &company);
        transaction.domains(company.id, &before.domains, &company.domains).commit().await?;
        json(StatusCode::OK, &CompanyView::from(company))
    }

    /// A domain belongs to one company: whoever names another's is told whose it is.
    async fn free_domains(&self, company: &Company) -> Result<(), Problem> {
        if company.domains.len() > Company::MOST_DOMAINS {
            let most = format!("must be at most {}", Company::MOST_DOMAINS);
            return Err(Problem::invalid_field("domains", most));
        }
        let store = &self.gate.store;
        let taken = store.domains_of_others(&company.domains, company.id).await?;
        let Some((domain, owner)) = taken.into_iter().next() else { return Ok(()) };
        let owner = store.company(owner).await?.ok_or(CommitError::Conflict)?.record;
        Err(Problem::domain_taken(&domain, &owner))
    }
}
