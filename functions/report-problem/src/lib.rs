//! Problems that customers report, and what both sides put to jobs later: words and photos.
//!
//! A report is a job at once, with its history, its activity and its mails: all are written together or not at all. Its
//! photos go to the bucket by themselves; S3 tells `finish-upload` when they are there.

mod contract;
mod files;
mod report;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, ActorId, Addressee, Contact, EventAuthor, EventId, Job, JobId, Language, Mail,
    Message, OutboxMail, PersonId, Right,
};
use gatehouse::event::StartError;
use gatehouse::files::Files;
use gatehouse::http::{ApiRequest, ApiResponse, Effect, Function, Gate, Problem, json};
use gatehouse::store::{Hourly, Stored, Transaction};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

pub use contract::contract;

/// The function.
pub struct ReportProblem {
    gate: Gate,
    files: Files,
}

impl Function for ReportProblem {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env) })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/problems" => self.report(request).await,
            "POST /v1/problem-photos" => self.announce_photos(request).await,
            "POST /v1/jobs/{id}/files" => self.add_files(request).await,
            "POST /v1/jobs/{id}/comments" => self.comment(request).await,
            "POST /v1/jobs/{id}/files/{fid}/download" => self.download(request).await,
            "POST /v1/jobs/{id}/files/{fid}/preview" => self.preview(request).await,
            "POST /v1/jobs/{id}/thumbnails" => self.thumbnails(request).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    text: Message,
}

#[derive(Serialize, schemars::JsonSchema)]
struct CommentView {
    id: EventId,
    at: Timestamp,
    text: Message,
}

/// Who puts something to a job.
struct Author {
    id: ActorId,
    event_author: EventAuthor,
    actor: Actor,
    /// The customer's person, if it is none of the staff.
    contact: Option<Contact>,
}

impl Author {
    fn contact(contact: Contact) -> Self {
        let id = PersonId::from(contact.id).into();
        let actor = Actor::new(id, &contact.name);
        Self { id, event_author: EventAuthor::Contact { id: contact.id }, actor, contact: Some(contact) }
    }

    fn activity(&self, kind: ActivityKind, job: &Job, now: Timestamp) -> Activity {
        let activity = Activity::new(kind, self.actor.clone(), now).job(&job.line);
        self.contact.iter().fold(activity, |activity, contact| activity.contact(contact.id))
    }
}

impl ReportProblem {
    /// The job, and who calls, if that one sees it: a customer as its areas are now, the staff by their rights.
    async fn job_and_author(&self, request: &ApiRequest, right: Right) -> Result<(Stored<Job>, Author), Problem> {
        let store = &self.gate.store;
        let Some(customer) = self.gate.customer(request).await? else {
            let job = async { Ok::<_, Problem>(store.company_record::<Job>(request.id("id")?).await?) };
            let (staff, job) = self.gate.staff_and(request, right, job).await?;
            let event_author = EventAuthor::new(staff.id, &staff.name);
            let author = Author { id: staff.id, event_author, actor: staff.actor(), contact: None };
            return Ok((job.ok_or_else(Problem::not_found)?, author));
        };
        let id: Result<JobId, Problem> = request.id("id");
        let job = async {
            match &id {
                Ok(id) => store.company_record::<Job>(*id).await,
                Err(_) => Ok(None),
            }
        };
        let (contact, job) = try_join!(store.contact(customer.contact), job)?;
        let contact = customer.admit(contact)?.record;
        let job = job.ok_or_else(Problem::not_found)?;
        job.open_to(&contact)?;
        Ok((job, Author::contact(contact)))
    }

    /// The job as it is now: who may write on it was asked before.
    async fn job(&self, id: JobId) -> Result<Stored<Job>, Problem> {
        self.gate.store.company_record::<Job>(id).await?.ok_or_else(Problem::not_found)
    }

    async fn comment(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (job, author) = self.job_and_author(request, Right::ManageRecords).await?;
        let NewComment { text } = request.json()?;
        let id = job.line.id;
        let attempt = || self.commented(id, &author, &text);
        self.gate.idempotent(request, author.id, attempt).await
    }

    async fn commented(&self, id: JobId, author: &Author, text: &Message) -> Result<Effect<'_>, Problem> {
        let (job, now) = (self.job(id).await?, self.gate.now());
        let (changed, event) = job.commented(text.clone(), author.event_author.clone(), now);
        let transaction = self.gate.store.transaction().save_record(Some(&job), &changed).event(&event);
        let transaction = transaction.activity(&author.activity(ActivityKind::JobCommented, &job, now));
        let transaction = self.tell_the_other_side(transaction, &changed, author, text, now).await?;
        let comment = CommentView { id: event.id, at: now, text: text.clone() };
        Ok(Effect::new(transaction, json(StatusCode::CREATED, &comment)?))
    }

    async fn tell_the_other_side<'t>(
        &self,
        transaction: Transaction<'t>,
        job: &Job,
        author: &Author,
        text: &Message,
        now: Timestamp,
    ) -> Result<Transaction<'t>, Problem> {
        let Some(contact) = &author.contact else {
            if job.followers.is_empty() {
                return Ok(transaction);
            }
            let to = Addressee::Followers { followers_of: job.line.id };
            let news = job.told(false, Some(text.clone()));
            return Ok(transaction.mail(&OutboxMail::new(to, None, Language::default(), news, now)));
        };
        let allowed = self.gate.one_more(Hourly::CommentsOf(&contact.id.to_string())).await?;
        let company = self.gate.store.company(contact.company_id).await?.ok_or_else(Problem::not_found)?;
        let mail = Mail::JobCommented {
            job: job.line.id,
            title: job.line.title.clone(),
            from: contact.name.clone(),
            contact: contact.id,
            company: company.record.name,
            company_id: contact.company_id,
            message: Some(text.clone()),
        };
        let mail = OutboxMail::new(job.addressee(contact), None, Language::default(), mail, now);
        Ok(transaction.mail(&mail).counted(allowed))
    }
}
