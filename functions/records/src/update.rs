//! What the operator says of a job that it knows by its id: its number, how far it has come, a note.

use gatehouse::domain::{CompanyRecord as _, EventAuthor, Job, JobId, JobUpdate, RecordKind, Right};
use gatehouse::http::{ApiRequest, ApiResponse, Problem, json, retry_on_conflict};
use gatehouse::store::Transaction;
use lambda_http::http::StatusCode;

use crate::Records;
use crate::push::tell_followers;
use crate::view::JobDetails;

impl Records {
    pub(crate) async fn update(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        retry_on_conflict(|| self.updated(request)).await
    }

    async fn updated(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let job = async {
            let id: JobId = request.id("id")?;
            Ok::<_, Problem>(store.company_record::<Job>(id).await?)
        };
        let (staff, was) = self.gate.staff_and(request, Right::ManageRecords, job).await?;
        let was = was.ok_or_else(Problem::not_found)?;
        let update: JobUpdate = request.json()?;
        if let Some(reference) = update.reference().filter(|reference| **reference != was.line.reference)
            && store.has_reference(was.line.company_id, RecordKind::Jobs, reference).await?
        {
            return Err(Problem::invalid_field("reference", "is another job's of this company"));
        }
        let new = was.updated(update, now)?;
        if new != was.record {
            let event = Job::event(Some(&was), &new, EventAuthor::new(staff.id, &staff.name), now);
            let transaction = store.transaction().save_record(Some(&was), &new);
            let transaction = event.iter().fold(transaction, Transaction::event);
            tell_followers(transaction, Some(&was.record), &new, now).commit().await?;
        }
        json(StatusCode::OK, &JobDetails::from(new))
    }
}
