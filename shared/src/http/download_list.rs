//! Where to fetch many files at once, as far as one response carries it.

use serde::Serialize;

use super::ResponseRoom;
use super::problem::Problem;
use crate::clock::Timestamp;
use crate::domain::{FileId, FileName, FileState, Folder, Preview, ShareFile};
use crate::files::{BucketFile, Download, Files};

/// Where to fetch a file.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Download")]
pub struct DownloadView {
    /// Which.
    pub id: FileId,
    url: String,
    name: FileName,
    folder: Folder,
    size: u64,
    expires_at: Timestamp,
}

/// Where a browser finds a file to show it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Preview")]
pub struct PreviewView {
    url: String,
    /// As what it is shown.
    content_type: &'static str,
    expires_at: Timestamp,
}

impl PreviewView {
    /// Of a file whose bytes are there, if a browser shows it and can run nothing in it.
    pub async fn of(files: &Files, file: &impl BucketFile, preview: Option<Preview>) -> Result<Self, Problem> {
        file.scan().hand_out()?;
        let preview = preview.ok_or_else(Problem::no_preview)?;
        let Download { url, expires_at } = files.preview(file, &preview).await?;
        Ok(Self { url, content_type: preview.content_type, expires_at })
    }
}

/// Where to fetch many.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct DownloadList {
    /// Those that this response has room for.
    pub items: Vec<DownloadView>,
    /// The others: they are to be asked for.
    pub remaining: Vec<FileId>,
    /// Those that are not handed out: they wait for their scan, or that found something. Asking again at once is of no use.
    pub held_back: Vec<FileId>,
}

impl DownloadView {
    /// Of a file whose bytes are there.
    pub async fn of(files: &Files, file: &ShareFile) -> Result<Self, Problem> {
        let Download { url, expires_at } = files.download(file).await?;
        let (name, folder) = (file.name.clone(), file.folder.clone());
        Ok(Self { id: file.id, url, name, folder, size: file.size, expires_at })
    }
}

impl DownloadList {
    /// Of all that somebody sees, or of those that are named, each of which must be there.
    pub async fn of(files: &Files, seen: Vec<ShareFile>, wanted: Option<&[FileId]>) -> Result<Self, Problem> {
        let there = |id: &FileId| seen.iter().find(|file| file.id == *id && file.upload == FileState::Stored);
        let wanted: Vec<&ShareFile> = match wanted {
            None => seen.iter().filter(|file| file.upload == FileState::Stored).collect(),
            Some(ids) => ids.iter().map(there).collect::<Option<_>>().ok_or_else(Problem::not_found)?,
        };
        let (wanted, held_back): (Vec<&ShareFile>, Vec<&ShareFile>) =
            wanted.into_iter().partition(|file| file.scan.hand_out().is_ok());
        let held_back = held_back.into_iter().map(|file| file.id).collect();
        let (mut items, mut room) = (Vec::with_capacity(wanted.len()), ResponseRoom::default());
        for file in &wanted {
            let item = DownloadView::of(files, file).await?;
            if !room.take(&serde_json::to_string(&item).map_err(Problem::internal)?) {
                break;
            }
            items.push(item);
        }
        let remaining = wanted.iter().skip(items.len()).map(|file| file.id).collect();
        Ok(Self { items, remaining, held_back })
    }

    /// Those that it says where to fetch.
    pub fn given(&self) -> impl Iterator<Item = FileId> {
        self.items.iter().map(|item| item.id)
    }
}
