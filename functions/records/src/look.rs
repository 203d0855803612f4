//! Lists, and one by itself.

use futures_util::try_join;
use std::collections::BTreeSet;

use gatehouse::domain::{Area, Contact, ContactId, EventAuthor, Job, JobId, RecordLine, Right};
use gatehouse::http::{ApiRequest, ApiResponse, Customer, List, PageQuery, Problem, json, json_unless_known};
use gatehouse::store::{RecordPage, RecordPlace, RecordQuery, Stored};
use lambda_http::http::StatusCode;

use crate::query::ListQuery as _;
use crate::view::{JobWithHistory, Rows};
use crate::{Records, Shown};

/// A page of a list, as it is asked for.
struct AskedFor {
    list: List,
    query: RecordQuery,
    page: PageQuery,
    after: Option<RecordPlace>,
}

/// The contact behind the session, if one of these areas is open to it now.
fn open_to<T: Shown>(customer: Customer, contact: Option<Stored<Contact>>) -> Result<Contact, Problem> {
    let contact = customer.admit(contact)?.record;
    area_open::<T>(&contact).map(|()| contact)
}

pub(crate) fn area_open<T: Shown>(contact: &Contact) -> Result<(), Problem> {
    match T::AREAS {
        areas if areas.iter().any(|area| contact.areas.has(*area)) => Ok(()),
        [Area::Jobs, ..] => Err(Problem::area_not_open("jobs")),
        _ => Err(Problem::area_not_open("assets")),
    }
}

impl Records {
    pub(crate) async fn list<T: Shown>(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match self.gate.customer(request).await? {
            Some(customer) => self.list_of_customer::<T>(request, customer).await,
            None => self.list_of_staff::<T>(request).await,
        }
    }

    async fn list_of_customer<T: Shown>(
        &self,
        request: &ApiRequest,
        customer: Customer,
    ) -> Result<ApiResponse, Problem> {
        let (store, id, company) = (&self.gate.store, customer.contact, customer.company);
        let asked = async {
            let (asked, page): (T::Query, _) = request.list_query()?;
            if asked.company().is_some() {
                return Err(Problem::invalid_field("company_id", "is for the staff"));
            }
            self.asked::<T>(&asked, page, &id.to_string()).await
        };
        let AskedFor { list, query, page, after } = match asked.await {
            Ok(asked) => asked,
            // Who may not look learns nothing of what could be asked.
            Err(wrong) => {
                open_to::<T>(customer, store.contact(id).await?)?;
                return Err(wrong);
            }
        };
        let records = store.records(company, &query, page.limit, after.clone());
        let (contact, mut found) = try_join!(store.contact(id), records)?;
        let contact = open_to::<T>(customer, contact)?;
        if contact.company_id != company {
            // Its company was merged into another since it signed in.
            found = store.records(contact.company_id, &query, page.limit, after).await?;
        }
        self.show_list::<T>(request, &list, found).await
    }

    /// Of one company: whose list it is, the staff say.
    async fn list_of_staff<T: Shown>(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let found = async {
            let (asked, page): (T::Query, _) = request.list_query()?;
            let company = asked.company().ok_or_else(|| Problem::invalid_field("company_id", "is needed"))?;
            let caller = self.gate.caller_name(request).await?;
            let AskedFor { list, query, page, after } = self.asked::<T>(&asked, page, &caller).await?;
            let found = self.gate.store.records(company, &query, page.limit, after).await?;
            Ok::<_, Problem>((list, found))
        };
        let (_, (list, found)) = self.gate.staff_and(request, Right::ReadRecords, found).await?;
        self.show_list::<T>(request, &list, found).await
    }

    /// A cursor of one query is none of another.
    async fn asked<T: Shown>(&self, asked: &T::Query, page: PageQuery, caller: &str) -> Result<AskedFor, Problem> {
        let list = List::of(&[&T::Line::KIND, &caller, &format!("{asked:?}")]);
        let after = self.gate.after(&list, &page).await?;
        Ok(AskedFor { list, query: asked.query(), page, after })
    }

    async fn show_list<T: Shown>(
        &self,
        request: &ApiRequest,
        list: &List,
        found: RecordPage<T::Line>,
    ) -> Result<ApiResponse, Problem> {
        let rows = found.lines.into_iter().map(T::Row::from).collect();
        let list = self.gate.listed(list, rows, found.next.as_ref()).await?;
        json_unless_known(request, &Rows { list, sorted: found.sorted })
    }

    pub(crate) async fn one<T: Shown>(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let record = async {
            let id: <T::Line as RecordLine>::Id = request.id("id")?;
            Ok::<_, Problem>(self.gate.store.company_record::<T>(id).await?)
        };
        let (_, record) = self.of_caller(request, record).await?;
        json(StatusCode::OK, &T::View::from(record))
    }

    /// A job with its history.
    pub(crate) async fn job(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let job = async {
            let id: JobId = request.id("id")?;
            let (job, events) = try_join!(self.gate.store.company_record::<Job>(id), self.gate.store.job_events(id))?;
            Ok::<_, Problem>(job.map(|job| (job, events)))
        };
        let (for_staff, (job, events)) = self.of_caller(request, job).await?;
        let of_contacts = events.items.iter().filter_map(|event| match event.by {
            EventAuthor::Contact { id } => Some(id),
            _ => None,
        });
        let people: BTreeSet<ContactId> = of_contacts.chain(job.reported_by).collect();
        // A second round trip, where there is anything to be read in it.
        let (contacts, files) = try_join!(
            async { if people.is_empty() { Ok(Vec::new()) } else { self.gate.store.contacts(people).await } },
            async {
                let ids = job.files.clone();
                if ids.is_empty() { Ok(Vec::new()) } else { self.gate.store.job_files(ids).await }
            },
        )?;
        let people = contacts.into_iter().map(|contact| (contact.id, contact.name)).collect();
        let files = files.into_iter().map(|file| file.record).collect();
        json(StatusCode::OK, &JobWithHistory::new(job, events, files, &people, for_staff))
    }

    /// What is read, if whoever calls may see it; and whether that is the staff.
    async fn of_caller<R: OfCompany>(
        &self,
        request: &ApiRequest,
        read: impl Future<Output = Result<Option<R>, Problem>>,
    ) -> Result<(bool, R::Record), Problem> {
        let Some(customer) = self.gate.customer(request).await? else {
            let (_, read) = self.gate.staff_and(request, Right::ReadRecords, read).await?;
            return Ok((true, read.ok_or_else(Problem::not_found)?.record()));
        };
        let contact = async { Ok::<_, Problem>(self.gate.store.contact(customer.contact).await?) };
        let (contact, read) = futures_util::join!(contact, read);
        let contact = customer.admit(contact?)?.record;
        match read {
            Ok(Some(read)) => {
                read.kind().open_to(&contact)?;
                Ok((false, read.record()))
            }
            // Who may not look learns nothing of what there is.
            Ok(None) => area_open::<R::Kind>(&contact).and(Err(Problem::not_found())),
            Err(wrong) => area_open::<R::Kind>(&contact).and(Err(wrong)),
        }
    }
}

/// What was read of a record, with more or less beside it.
trait OfCompany {
    /// What kind of record it is.
    type Kind: Shown;
    /// What is left of it once it may be seen.
    type Record;

    fn kind(&self) -> &Self::Kind;
    fn record(self) -> Self::Record;
}

impl<T: Shown> OfCompany for Stored<T> {
    type Kind = T;
    type Record = T;

    fn kind(&self) -> &T {
        &self.record
    }

    fn record(self) -> T {
        self.record
    }
}

impl<T: Shown, More> OfCompany for (Stored<T>, More) {
    type Kind = T;
    type Record = (T, More);

    fn kind(&self) -> &T {
        &self.0.record
    }

    fn record(self) -> (T, More) {
        (self.0.record, self.1)
    }
}
