//! Where to fetch the small pictures of many files at once. What has none, or is not to be seen, is left out.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::clock::Timestamp;
use crate::domain::{FileId, FileState, PixelSize, ShareFile, ShareId, ThumbnailSize};
use crate::files::{DOWNLOAD_LIFETIME, Files};

/// Of how many files of one share somebody may ask for them at once.
const MOST_FILES: usize = 100;

/// Which pictures of one share somebody asks for.
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
    share_id: ShareId,
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
    /// The pictures of those of a share's files that somebody sees.
    pub async fn of(&self, files: &Files, seen: &[ShareFile], now: Timestamp) -> Result<ThumbnailList, Problem> {
        at_most(MOST_FILES, "files", &self.files)?;
        let wanted: BTreeSet<FileId> = self.files.iter().copied().collect();
        ThumbnailList::of(files, seen.iter().filter(|file| wanted.contains(&file.id)), self.size, now).await
    }
}

impl ThumbnailList {
    /// Of files that somebody sees.
    pub async fn of(
        files: &Files,
        seen: impl Iterator<Item = &ShareFile>,
        size: ThumbnailSize,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let drawn = seen.filter(|file| file.upload == FileState::Stored && file.scan.hand_out().is_ok());
        let items = drawn.filter_map(|file| Some((file, file.picture?))).map(async |(file, picture)| {
            let url = files.thumbnail(file, size).await?.url;
            let size = picture.scaled_to(size);
            Ok::<_, Problem>(ThumbnailView { share_id: file.share_id, id: file.id, url, size })
        });
        Ok(Self { items: try_join_all(items).await?, expires_at: now + DOWNLOAD_LIFETIME })
    }
}

/// A list that a request may not make longer.
pub fn at_most<T>(most: usize, field: &str, list: &[T]) -> Result<(), Problem> {
    if list.len() > most { Err(Problem::invalid_field(field, format!("must be at most {most}"))) } else { Ok(()) }
}
