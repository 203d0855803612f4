//! Where to fetch the small pictures of many files at once. What has none, or is not to be seen, is left out.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::clock::Timestamp;
use crate::domain::{FileId, PixelSize, ShareId, ThumbnailSize};
use crate::files::{BucketFile, DOWNLOAD_LIFETIME, Files, ObjectKey};

/// Of how many files of one share, or one job, somebody may ask for them at once.
const MOST_FILES: usize = 100;

/// Which pictures of one share, or one job, somebody asks for.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThumbnailsWanted {
    /// Of which files.
    pub files: Vec<FileId>,
    /// How large.
    pub size: ThumbnailSize,
}

/// One picture.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Thumbnail")]
struct ThumbnailView {
    /// Its share; a job's file has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    share_id: Option<ShareId>,
    id: FileId,
    url: String,
    #[serde(flatten)]
    size: PixelSize,
}

/// Many pictures.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ThumbnailList {
    items: Vec<ThumbnailView>,
    expires_at: Timestamp,
}

impl ThumbnailsWanted {
    /// The pictures of those of the files that somebody sees.
    pub async fn of<F: BucketFile>(&self, files: &Files, seen: &[F], now: Timestamp) -> Result<ThumbnailList, Problem> {
        let wanted = self.files()?;
        ThumbnailList::of(files, seen.iter().filter(|file| wanted.contains(&file.key().file())), self.size, now).await
    }

    /// Which files, each once.
    pub fn files(&self) -> Result<BTreeSet<FileId>, Problem> {
        at_most(MOST_FILES, "files", &self.files)?;
        Ok(self.files.iter().copied().collect())
    }
}

impl ThumbnailList {
    /// Of files that somebody sees.
    pub async fn of<'f, F: BucketFile + 'f>(
        files: &Files,
        seen: impl Iterator<Item = &'f F>,
        size: ThumbnailSize,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let drawn = seen.filter(|file| file.scan().hand_out().is_ok());
        let items = drawn.filter_map(|file| Some((file, file.picture()?))).map(async |(file, picture)| {
            let url = files.thumbnail(file, size).await?.url;
            let size = picture.scaled_to(size);
            let (share_id, id) = match file.key() {
                ObjectKey::Share(share, id) => (Some(share), id),
                ObjectKey::Job(id) => (None, id),
            };
            Ok::<_, Problem>(ThumbnailView { share_id, id, url, size })
        });
        Ok(Self { items: try_join_all(items).await?, expires_at: now + DOWNLOAD_LIFETIME })
    }
}

/// A list that a request may not make longer.
pub fn at_most<T>(most: usize, field: &str, list: &[T]) -> Result<(), Problem> {
    if list.len() > most { Err(Problem::invalid_field(field, format!("must be at most {most}"))) } else { Ok(()) }
}
