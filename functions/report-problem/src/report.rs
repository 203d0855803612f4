//! A problem on an asset or a site: a job at once.

use std::collections::BTreeSet;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    ActivityKind, Asset, AssetId, AssetLink, CompanyRecord as _, Contact, FileId, Job, JobFile, JobId, Language, Mail,
    Message, OutboxMail, ProblemReport, Site, SiteId, SiteLink, Title, Urgency,
};
use gatehouse::http::{ApiRequest, ApiResponse, AwaitedFile, Effect, Problem, json};
use gatehouse::store::{Hourly, Transaction};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::files::{MOST_AT_ONCE, NewJobFile};
use crate::{Author, ReportProblem};

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReport {
    asset_id: Option<AssetId>,
    site_id: Option<SiteId>,
    title: Title,
    description: Message,
    #[serde(default)]
    urgency: Urgency,
    #[serde(default)]
    photos: Vec<NewJobFile>,
    /// Photos that were announced before.
    #[serde(default)]
    photo_ids: BTreeSet<FileId>,
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Reported {
    job_id: JobId,
    uploads: Vec<AwaitedFile>,
}

/// What something is wrong with.
struct Subject {
    name: Title,
    site: Option<SiteLink>,
    asset: Option<AssetLink>,
}

impl ReportProblem {
    pub(crate) async fn report(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let author = self.reporter(request).await?;
        let contact = author.contact.as_ref().ok_or_else(Problem::not_found)?;
        let report: NewReport = request.json()?;
        let attempt = || self.reported(&author, contact, &report);
        let replay = async |stored: ApiResponse| {
            let Reported { job_id, uploads } = serde_json::from_slice(stored.body()).map_err(Problem::internal)?;
            json(stored.status(), &Reported { job_id, uploads: self.uploads_anew(uploads).await? })
        };
        self.gate.idempotent_or(request, author.id, attempt, replay).await
    }

    async fn reported(&self, author: &Author, contact: &Contact, new: &NewReport) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let subject = self.subject(contact, new).await?;
        if new.photos.len() + new.photo_ids.len() > MOST_AT_ONCE {
            return Err(Problem::invalid_field("photos", format!("must be at most {MOST_AT_ONCE} of one report")));
        }
        let announced = Self::announced(author, &new.photos, "photos", now)?;
        let quota = self.quota(author, &announced, "photos").await?;
        let taken = self.taken(contact.id, &new.photo_ids).await?;
        let report = ProblemReport {
            title: new.title.clone(),
            description: new.description.clone(),
            urgency: new.urgency,
            site: subject.site,
            asset: subject.asset,
            photos: taken.iter().map(|file| file.id).chain(announced.iter().map(|file| file.id)).collect(),
        };
        let job = Job::reported(contact.company_id, contact.id, report, now).map_err(Problem::internal)?;
        let id = job.line.id;
        let files: Vec<JobFile> = announced.into_iter().map(|file| file.of(id)).collect();

        let allowed = self.gate.one_more(Hourly::ReportsOf(&author.id.to_string())).await?;
        let mut transaction = store.transaction().save_record(None, &job).counted(allowed);
        if let Some(event) = Job::event(None, &job, author.event_author.clone(), now) {
            transaction = transaction.event(&event);
        }
        transaction = files.iter().fold(transaction, Transaction::create);
        transaction = quota.iter().fold(transaction, Transaction::count_bytes);
        transaction =
            taken.iter().fold(transaction, |transaction, file| transaction.save(file.rev, &file.record.clone().of(id)));
        let photos = job.files.iter().copied();
        let activity = author.activity(ActivityKind::ProblemReported, &job, now).files(photos);
        transaction = transaction.activity(&activity);
        for mail in self.mails(&job, contact, subject.name, now).await? {
            transaction = transaction.mail(&mail);
        }

        let answer = Reported { job_id: id, uploads: self.uploads(&files).await? };
        let uploads = answer.uploads.iter().map(AwaitedFile::without_upload).collect();
        Effect::new(transaction, json(StatusCode::CREATED, &answer)?).storing(&Reported { job_id: id, uploads })
    }

    /// What the report names: one thing of the reporter's own company.
    async fn subject(&self, contact: &Contact, new: &NewReport) -> Result<Subject, Problem> {
        let store = &self.gate.store;
        match (new.asset_id, new.site_id) {
            (Some(id), None) => {
                let asset = store.company_record::<Asset>(id).await?.map(|asset| asset.record);
                let asset = asset.filter(|asset| asset.company_id == contact.company_id);
                let Asset { id, reference, name, site, .. } = asset.ok_or_else(Problem::not_found)?;
                Ok(Subject { name, site, asset: Some(AssetLink { id, reference }) })
            }
            (None, Some(id)) => {
                let site = store.company_record::<Site>(id).await?.map(|site| site.record);
                let site = site.filter(|site| site.company_id == contact.company_id);
                let Site { id, reference, name, .. } = site.ok_or_else(Problem::not_found)?;
                Ok(Subject { name, site: Some(SiteLink { id, reference }), asset: None })
            }
            _ => Err(Problem::invalid_field("asset_id", "or site_id is needed, and not both")),
        }
    }

    /// To whoever of the staff looks after the customer, and to who reports it.
    async fn mails(
        &self,
        job: &Job,
        contact: &Contact,
        about: Title,
        now: Timestamp,
    ) -> Result<Vec<OutboxMail>, Problem> {
        let company = self.gate.store.company(contact.company_id).await?.ok_or_else(Problem::not_found)?;
        let reported = Mail::ProblemReported {
            job: job.line.id,
            title: job.line.title.clone(),
            from: contact.name.clone(),
            contact: contact.id,
            company: company.record.name,
            company_id: contact.company_id,
            about,
            urgency: job.line.urgency.unwrap_or_default(),
            message: job.description.clone(),
        };
        let received = Mail::ProblemReceived { job: job.line.id, title: job.line.title.clone() };
        let to_staff = OutboxMail::new(job.addressee(contact), None, Language::default(), reported, now);
        let to_reporter = contact
            .email
            .clone()
            .map(|to| OutboxMail::new(to, Some(contact.id.into()), contact.language.clone(), received, now));
        Ok([Some(to_staff), to_reporter].into_iter().flatten().collect())
    }
}
