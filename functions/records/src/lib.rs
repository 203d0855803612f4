//! Sites, assets and jobs: pushed in by the operator's own system, looked at by its customers.
//!
//! A customer sees its company's, in the areas that are open to it by then: who that is and what it asks for are read side
//! by side.

mod batch;
mod contract;
mod look;
mod push;
mod query;
mod update;
mod view;

use std::fmt::Debug;
use std::future::ready;

use gatehouse::aws::Env;
use gatehouse::domain::{Area, Asset, CompanyRecord, Contact, Job, JobId, RecordLine, Site};
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, retry_on_conflict};
use gatehouse::store::{Record, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use query::{AssetQuery, JobQuery, ListQuery, SiteQuery};
use view::{AssetView, JobDetails, JobView, SiteView};

pub use contract::contract;

/// The function.
pub struct Records {
    gate: Gate,
}

/// A kind of record, as the API has it.
trait Shown: CompanyRecord + Record {
    /// Where a customer sees it: one of these areas is enough.
    const AREAS: &'static [Area];
    /// What its list can be asked for.
    type Query: ListQuery + DeserializeOwned + Debug + Send + Sync;
    /// How it is shown in a list.
    type Row: From<Self::Line> + Serialize + Send;
    /// How it is shown by itself.
    type View: From<Self> + Serialize + Send;

    /// Whether a customer's person sees it: it is its company's, and in an area that is open.
    fn open_to(&self, contact: &Contact) -> Result<(), Problem> {
        look::area_open::<Self>(contact)?;
        if self.line().company() == contact.company_id { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// Forgets what happened to it.
    fn forget_history(
        _store: &Store,
        _id: <Self::Line as RecordLine>::Id,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(Ok(()))
    }
}

/// Jobs are at sites, too: whoever sees the one sees where it is.
impl Shown for Site {
    const AREAS: &'static [Area] = &[Area::Assets, Area::Jobs];
    type Query = SiteQuery;
    type Row = SiteView;
    type View = SiteView;
}

impl Shown for Asset {
    const AREAS: &'static [Area] = &[Area::Assets];
    type Query = AssetQuery;
    type Row = AssetView;
    type View = AssetView;
}

impl Shown for Job {
    const AREAS: &'static [Area] = &[Area::Jobs];
    type Query = JobQuery;
    type Row = JobView;
    type View = JobDetails;

    fn open_to(&self, contact: &Contact) -> Result<(), Problem> {
        Ok(Self::open_to(self, contact)?)
    }

    async fn forget_history(store: &Store, id: JobId) -> Result<(), StoreError> {
        store.forget_events(id).await
    }
}

impl Function for Records {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "GET /v1/sites" => self.list::<Site>(request).await,
            "GET /v1/assets" => self.list::<Asset>(request).await,
            "GET /v1/jobs" => self.list::<Job>(request).await,
            "GET /v1/sites/{id}" => self.one::<Site>(request).await,
            "GET /v1/assets/{id}" => self.one::<Asset>(request).await,
            "GET /v1/jobs/{id}" => self.job(request).await,
            "PATCH /v1/jobs/{id}" => self.update(request).await,
            "PUT /v1/companies/{id}/sites/{reference+}" => self.put::<Site>(request).await,
            "PUT /v1/companies/{id}/assets/{reference+}" => self.put::<Asset>(request).await,
            "PUT /v1/companies/{id}/jobs/{reference+}" => self.put::<Job>(request).await,
            "POST /v1/companies/{id}/sites" => self.push_many::<Site>(request).await,
            "POST /v1/companies/{id}/assets" => self.push_many::<Asset>(request).await,
            "POST /v1/companies/{id}/jobs" => self.push_many::<Job>(request).await,
            "DELETE /v1/companies/{id}/sites/{reference+}" => retry_on_conflict(|| self.delete::<Site>(request)).await,
            "DELETE /v1/companies/{id}/assets/{reference+}" => {
                retry_on_conflict(|| self.delete::<Asset>(request)).await
            }
            "DELETE /v1/companies/{id}/jobs/{reference+}" => retry_on_conflict(|| self.delete::<Job>(request)).await,
            _ => Err(Problem::not_found()),
        }
    }
}
