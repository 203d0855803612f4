//! A file of a job: a photo of what is wrong, or of what was done about it.

use serde::{Deserialize, Serialize};

use super::EventAuthor;
use crate::clock::{SignedDuration, Timestamp};
use crate::domain::{
    AnnouncedName, Checked, CompanyId, ContactId, FileId, FileName, FileScan, FileState, JobId, MediaType, PixelSize,
    Preview,
};

/// A file of a job, or one that waits for the report that takes it. What may be done with it follows from its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFile {
    /// Its id.
    pub id: FileId,
    /// Its job; none before the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// Whether it was added to a job that was there already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub later: bool,
    /// Its own name.
    pub name: FileName,
    /// Whether it was given another name, which no file system would have taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type as announced, or by its name.
    pub content_type: MediaType,
    /// What its bytes are, where they show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<MediaType>,
    /// Whether its name says another type than its bytes have shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub name_differs: bool,
    /// Its size as a picture, if there are thumbnails of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PixelSize>,
    /// What a scan has said of its bytes.
    #[serde(default, skip_serializing_if = "FileScan::is_unscanned")]
    pub scan: FileScan,
    /// The company of the contact who added it, whose bytes it counts to; nobody's, if the staff did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CompanyId>,
    /// Who added it.
    pub by: EventAuthor,
    /// When.
    pub added_at: Timestamp,
    /// Whether its bytes are in the bucket.
    pub upload: FileState,
}

impl JobFile {
    /// So long one is kept whose bytes, or whose report, do not come.
    pub const KEPT: SignedDuration = SignedDuration::from_hours(24);

    /// One that is announced.
    #[must_use]
    pub fn announced(
        name: &AnnouncedName,
        size: u64,
        content_type: MediaType,
        by: EventAuthor,
        now: Timestamp,
    ) -> Self {
        Self {
            id: FileId::new(now),
            job_id: None,
            later: false,
            name: name.name.clone(),
            renamed: name.is_mended(),
            size,
            content_type,
            detected: None,
            name_differs: false,
            picture: None,
            scan: FileScan::default(),
            of: None,
            by,
            added_at: now,
            upload: FileState::Pending,
        }
    }

    /// Whether it waits for its bytes or for its report.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.upload == FileState::Pending || self.job_id.is_none()
    }

    /// Whether that contact may report something with it: it is its own, and no other report has it.
    #[must_use]
    pub fn waits_for(&self, contact: ContactId) -> bool {
        self.job_id.is_none() && self.by == EventAuthor::Contact { id: contact }
    }

    /// Put there by somebody of that company.
    #[must_use]
    pub fn from_company(self, company: Option<CompanyId>) -> Self {
        Self { of: company, ..self }
    }

    /// Of a job.
    #[must_use]
    pub fn of(self, job: JobId) -> Self {
        Self { job_id: Some(job), ..self }
    }

    /// Added to a job that was there already.
    #[must_use]
    pub fn added_to(self, job: JobId) -> Self {
        Self { later: true, ..self.of(job) }
    }

    /// With its bytes in the bucket, which were checked.
    #[must_use]
    pub fn stored(self, checked: Checked, now: Timestamp) -> Self {
        let scan = self.scan.clone().taken(&checked, now);
        let Checked { detected, name_differs, .. } = checked;
        Self { upload: FileState::Stored, detected, name_differs, scan, ..self }
    }

    /// How it can be looked at now.
    #[must_use]
    pub fn preview(&self) -> Option<Preview> {
        let there = self.upload == FileState::Stored && self.scan.hand_out().is_ok();
        Preview::of(self.detected.as_ref().filter(|_| there)?)
    }
}
