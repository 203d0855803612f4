//! Photos and other files: announced for a report that is to come or to a job that is there, downloaded, looked at.

use std::collections::BTreeSet;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    ActivityKind, AnnouncedName, Area, ContactId, FileId, FileName, FileState, Job, JobFile, JobId, MediaType, Quota,
    Right,
};
use gatehouse::files::{Download, IN_PARTS_FROM, by_name};
use gatehouse::http::{ApiRequest, ApiResponse, AwaitedFile, Effect, PreviewView, Problem, ThumbnailsWanted, json};
use gatehouse::store::{Hourly, Stored, Transaction};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_with::{NoneAsEmptyString, serde_as};

use crate::{Author, ReportProblem};

/// So many are announced at once.
pub(crate) const MOST_AT_ONCE: usize = 20;
/// More than this of one job are another job.
const MOST_OF_A_JOB: usize = 100;
/// A file of a job comes in one piece, in bytes.
const LARGEST: u64 = IN_PARTS_FROM - 1;

/// A file as it is announced.
#[serde_as]
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewJobFile {
    name: AnnouncedName,
    size: u64,
    #[serde_as(as = "NoneAsEmptyString")]
    #[schemars(with = "Option<String>")]
    #[serde(default)]
    content_type: Option<MediaType>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewJobFiles {
    files: Vec<NewJobFile>,
}

/// How to send what was announced.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Uploads {
    uploads: Vec<AwaitedFile>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "JobFileDownload")]
pub(crate) struct DownloadView {
    url: String,
    name: FileName,
    size: u64,
    expires_at: Timestamp,
}

impl ReportProblem {
    /// Files as they are awaited; `field` is where they stand in the body.
    pub(crate) fn announced(
        author: &Author,
        new: &[NewJobFile],
        field: &str,
        now: Timestamp,
    ) -> Result<Vec<JobFile>, Problem> {
        if new.len() > MOST_AT_ONCE {
            return Err(Problem::invalid_field(field, format!("must be at most {MOST_AT_ONCE} at once")));
        }
        let announced = |(n, file): (usize, &NewJobFile)| {
            if file.size > LARGEST {
                let why = format!("must be at most {LARGEST} bytes");
                return Err(Problem::invalid_field(format!("{field}[{n}].size"), why));
            }
            let content_type = file.content_type.clone().unwrap_or_else(|| by_name(&file.name.name));
            let company = author.contact.as_ref().map(|contact| contact.company_id);
            let file = JobFile::announced(&file.name, file.size, content_type, author.event_author.clone(), now);
            Ok(file.from_company(company))
        };
        new.iter().enumerate().map(announced).collect()
    }

    /// What a customer's files count; `field` is where they stand in the body.
    pub(crate) async fn quota(
        &self,
        author: &Author,
        files: &[JobFile],
        field: &'static str,
    ) -> Result<Option<Quota>, Problem> {
        let company = author.contact.as_ref().map(|contact| contact.company_id);
        let sizes = files.iter().map(|file| file.size);
        self.gate.quota(company, sizes, field, |n| format!("{field}[{n}].size")).await
    }

    /// How to send them; what has come already is not sent again.
    pub(crate) async fn uploads(&self, files: &[JobFile]) -> Result<Vec<AwaitedFile>, Problem> {
        let mut uploads = Vec::with_capacity(files.len());
        for file in files {
            let upload = match file.upload {
                FileState::Pending => Some(self.files.put(file).await?),
                FileState::Stored => None,
            };
            uploads.push(AwaitedFile { id: file.id, name: file.name.clone(), upload });
        }
        Ok(uploads)
    }

    /// The same, made anew for an answer that was stored without them.
    pub(crate) async fn uploads_anew(&self, stored: Vec<AwaitedFile>) -> Result<Vec<AwaitedFile>, Problem> {
        let there = self.gate.store.job_files(stored.iter().map(|file| file.id)).await?;
        let mut uploads = Vec::with_capacity(stored.len());
        for awaited in stored {
            match there.iter().find(|file| file.id == awaited.id) {
                Some(file) => uploads.extend(self.uploads(std::slice::from_ref(&file.record)).await?),
                None => uploads.push(awaited),
            }
        }
        Ok(uploads)
    }

    /// Photos that come before their report: it has a day to name them.
    pub(crate) async fn announce_photos(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let author = self.reporter(request).await?;
        let NewJobFiles { files } = request.json()?;
        let attempt = || async {
            let photos = Self::announced(&author, &files, "files", self.gate.now())?;
            let quota = self.quota(&author, &photos, "files").await?;
            let allowed = self.gate.one_more(Hourly::ReportsOf(&author.id.to_string())).await?;
            let transaction = photos.iter().fold(self.gate.store.transaction(), Transaction::create);
            let transaction = quota.iter().fold(transaction, Transaction::count_bytes);
            self.effect(transaction.counted(allowed), &photos).await
        };
        self.gate.idempotent_or(request, author.id, attempt, |stored| self.with_uploads(stored)).await
    }

    pub(crate) async fn add_files(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (job, author) = self.job_and_author(request, Right::ManageRecords).await?;
        if let Some(contact) = &author.contact
            && !contact.areas.has(Area::ReportProblem)
            && !contact.areas.has(Area::Upload)
        {
            return Err(Problem::area_not_open("upload"));
        }
        let NewJobFiles { files } = request.json()?;
        let id = job.line.id;
        let attempt = || self.files_added(id, &author, &files);
        self.gate.idempotent_or(request, author.id, attempt, |stored| self.with_uploads(stored)).await
    }

    async fn files_added(&self, id: JobId, author: &Author, new: &[NewJobFile]) -> Result<Effect<'_>, Problem> {
        let (job, now) = (self.job(id).await?, self.gate.now());
        let files = Self::announced(author, new, "files", now)?;
        if job.files.len() + files.len() > MOST_OF_A_JOB {
            return Err(Problem::invalid_field("files", format!("would be more than {MOST_OF_A_JOB} of this job")));
        }
        let files: Vec<JobFile> = files.into_iter().map(|file| file.added_to(id)).collect();
        let quota = self.quota(author, &files, "files").await?;
        let changed = job.with_files(files.iter().map(|file| file.id), &author.event_author);
        let transaction = self.gate.store.transaction().save(job.rev, &changed);
        let mut transaction = files.iter().fold(transaction, Transaction::create);
        transaction = quota.iter().fold(transaction, Transaction::count_bytes);
        if author.contact.is_some() {
            let allowed = self.gate.one_more(Hourly::CommentsOf(&author.id.to_string())).await?;
            transaction = transaction.counted(allowed);
        }
        self.effect(transaction, &files).await
    }

    async fn effect<'t>(&self, transaction: Transaction<'t>, files: &[JobFile]) -> Result<Effect<'t>, Problem> {
        let shown = Uploads { uploads: self.uploads(files).await? };
        let stored = Uploads { uploads: shown.uploads.iter().map(AwaitedFile::without_upload).collect() };
        Effect::new(transaction, json(StatusCode::CREATED, &shown)?).storing(&stored)
    }

    async fn with_uploads(&self, stored: ApiResponse) -> Result<ApiResponse, Problem> {
        let Uploads { uploads } = serde_json::from_slice(stored.body()).map_err(Problem::internal)?;
        json(stored.status(), &Uploads { uploads: self.uploads_anew(uploads).await? })
    }

    /// Photos that were announced before, and that nobody has reported anything with.
    pub(crate) async fn taken(
        &self,
        contact: ContactId,
        ids: &BTreeSet<FileId>,
    ) -> Result<Vec<Stored<JobFile>>, Problem> {
        let there = self.gate.store.job_files(ids.iter().copied()).await?;
        let all_wait = there.len() == ids.len() && there.iter().all(|file| file.waits_for(contact));
        if all_wait { Ok(there) } else { Err(Problem::not_found()) }
    }

    /// A file whose bytes are there, if the caller sees its job.
    async fn find(&self, request: &ApiRequest) -> Result<(Job, JobFile, Author), Problem> {
        let (job, author) = self.job_and_author(request, Right::ReadRecords).await?;
        let id: FileId = request.id("fid")?;
        let file = self.gate.store.job_file(id).await?.map(|file| file.record);
        let file = file.filter(|file| file.job_id == Some(job.line.id) && file.upload == FileState::Stored);
        Ok((job.record, file.ok_or_else(Problem::not_found)?, author))
    }

    pub(crate) async fn download(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (job, file, author) = self.find(request).await?;
        let Download { url, expires_at } = self.files.download(&file).await?;
        let activity = author.activity(ActivityKind::FilesDownloaded, &job, self.gate.now()).files([file.id]);
        self.gate.store.note(&activity).await?;
        json(StatusCode::OK, &DownloadView { url, name: file.name, size: file.size, expires_at })
    }

    /// Looking at a photo of a job is no more than reading the job.
    pub(crate) async fn preview(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (_, file, _) = self.find(request).await?;
        json(StatusCode::OK, &PreviewView::of(&self.files, &file, file.preview()).await?)
    }

    /// The small pictures of a job's photos.
    pub(crate) async fn thumbnails(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (job, _) = self.job_and_author(request, Right::ReadRecords).await?;
        let wanted: ThumbnailsWanted = request.json()?;
        let of_job = wanted.files()?.into_iter().filter(|file| job.files.contains(file));
        let files = self.gate.store.job_files(of_job).await?;
        let files: Vec<JobFile> = files.into_iter().map(|file| file.record).collect();
        json(StatusCode::OK, &wanted.of(&self.files, &files, self.gate.now()).await?)
    }

    /// A customer to whom reporting is open.
    pub(crate) async fn reporter(&self, request: &ApiRequest) -> Result<Author, Problem> {
        let customer = self.gate.customer(request).await?;
        let customer = customer.ok_or_else(|| Problem::forbidden("Problems are reported by customers."))?;
        let contact = self.gate.store.contact(customer.contact).await?;
        let contact = customer.admit(contact)?.record;
        if !contact.areas.has(Area::ReportProblem) {
            return Err(Problem::area_not_open("report_problem"));
        }
        Ok(Author::contact(contact))
    }
}
