//! A file as it is announced: what cannot be taken is refused before any byte is sent.

use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::clock::Timestamp;
use crate::domain::{
    ActorId, CompanyId, FileId, FileName, FileScan, FileState, NewFile, PersonName, ShareFile, ShareId,
};
use crate::files::{Files, IN_PARTS_FROM, LARGEST_FILE, LARGEST_HASHED, Upload, by_name};

/// A file whose bytes are awaited, and how to send them.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AwaitedFile {
    /// Which.
    pub id: FileId,
    /// As it is kept.
    pub name: FileName,
    /// Nothing, where its bytes are there, or where this is stored: an upload's URL ends before an idempotency key does.
    #[serde(skip_deserializing)]
    pub upload: Option<Upload>,
}

impl AwaitedFile {
    /// As it is stored.
    #[must_use]
    pub fn without_upload(&self) -> Self {
        Self { id: self.id, name: self.name.clone(), upload: None }
    }
}

/// Who announces files of a share.
#[derive(Debug)]
pub struct UploadRequest<'a> {
    /// Of which share.
    pub share: ShareId,
    /// Who.
    pub by: ActorId,
    /// By which name.
    pub name: &'a PersonName,
    /// A customer's company.
    pub of: Option<CompanyId>,
    /// When.
    pub now: Timestamp,
}

impl UploadRequest<'_> {
    /// The file, awaited. `earlier` are those that it may be a new version of; `field` is where it stands in the body.
    pub async fn file(
        &self,
        files: &Files,
        new: &NewFile,
        earlier: &[ShareFile],
        field: &str,
    ) -> Result<ShareFile, Problem> {
        let wrong = |name: &str, why: String| Problem::invalid_field(format!("{field}{name}"), why);
        if new.size > LARGEST_FILE {
            return Err(wrong("size", format!("must be at most {LARGEST_FILE} bytes")));
        }
        if new.sha256.is_some() && new.size >= IN_PARTS_FROM && new.size > LARGEST_HASHED {
            return Err(wrong("sha256", format!("is checked up to {LARGEST_HASHED} bytes; leave it out")));
        }
        let id = FileId::new(self.now);
        let replaced = match new.replaces {
            None => None,
            Some(id) => {
                let is = earlier.iter().find(|file| file.id == id);
                Some(is.ok_or_else(|| wrong("replaces", "is not a file of this share".to_owned()))?)
            }
        };
        let folder = new.folder.clone().or_else(|| Some(replaced?.folder.clone())).unwrap_or_default();
        let series = replaced.map_or(id, |file| file.series);
        let latest = earlier.iter().filter(|file| file.series == series).map(|file| file.version).max();
        let mut file = ShareFile {
            id,
            share_id: self.share,
            name: new.name.name.clone(),
            renamed: new.name.is_mended(),
            folder,
            size: new.size,
            content_type: new.content_type.clone().unwrap_or_else(|| by_name(&new.name.name)),
            detected: None,
            sha256: new.sha256,
            version: latest.unwrap_or(0) + 1,
            replaces: new.replaces,
            series,
            by: self.name.clone(),
            by_id: self.by,
            of: self.of,
            added_at: self.now,
            upload: FileState::Pending,
            parts: None,
            refused: None,
            name_differs: false,
            scan: FileScan::default(),
            picture: None,
        };
        fits_beside(&file, earlier, &format!("{field}folder"))?;
        file.parts = files.begin(&file).await?;
        Ok(file)
    }
}

/// Whether a file can be unzipped beside the others.
pub fn fits_beside(file: &ShareFile, others: &[ShareFile], field: &str) -> Result<(), Problem> {
    let Some(other) = others.iter().find(|other| file.is_in_the_way_of(other)) else { return Ok(()) };
    let why = format!(
        "cannot be unzipped beside \"{}\": one is a file, and the other has a folder of that name",
        other.path()
    );
    Err(Problem::invalid_field(field, why))
}
