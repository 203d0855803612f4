//! One file of a share: as it is announced, and as it is once its bytes are there.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hex::FromHex as _;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, NoneAsEmptyString, SerializeDisplay, serde_as};

use super::{
    ActorId, AnnouncedName, Checked, CompanyId, FileId, FileName, FileScan, Folder, MediaType, PersonName, PixelSize,
    ShareId, TextError,
};

/// What files are, for a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Pictures.
    Image,
    /// Films.
    Video,
    /// Sound.
    Audio,
    /// Texts, tables, slides, PDF.
    Document,
    /// Anything else.
    Other,
}

impl FileKind {
    /// By the media type.
    #[must_use]
    pub fn of(media_type: &MediaType) -> Self {
        let text = media_type.as_str();
        match text.split('/').next() {
            Some("image") => Self::Image,
            Some("video") => Self::Video,
            Some("audio") => Self::Audio,
            Some("text") => Self::Document,
            _ if ["pdf", "officedocument", "opendocument", "msword", "ms-excel", "ms-powerpoint", "rtf"]
                .iter()
                .any(|part| text.contains(part)) =>
            {
                Self::Document
            }
            _ => Self::Other,
        }
    }

    /// The word that rows with such files are found by; no text has such a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "=image=",
            Self::Video => "=video=",
            Self::Audio => "=audio=",
            Self::Document => "=document=",
            Self::Other => "=other=",
        }
    }
}

/// Whether a file's bytes are in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Announced; its bytes are awaited.
    Pending,
    /// Its bytes are in the bucket, with the size and checksum that were announced.
    Stored,
}

/// As what a browser shows a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    /// A picture.
    Image,
    /// Pages.
    Pdf,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// Plain text.
    Text,
}

/// How a file can be looked at without saving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// As what.
    pub kind: PreviewKind,
    /// The media type under which a browser shows it, and can run nothing.
    pub content_type: &'static str,
}

/// What browsers show, by what the bytes are; SVG, HTML and XML are not among them, for they can run.
const SHOWN: [(&str, PreviewKind, &str); 22] = [
    ("image/jpeg", PreviewKind::Image, "image/jpeg"),
    ("image/png", PreviewKind::Image, "image/png"),
    ("image/gif", PreviewKind::Image, "image/gif"),
    ("image/webp", PreviewKind::Image, "image/webp"),
    ("image/avif", PreviewKind::Image, "image/avif"),
    ("image/bmp", PreviewKind::Image, "image/bmp"),
    ("application/pdf", PreviewKind::Pdf, "application/pdf"),
    ("video/mp4", PreviewKind::Video, "video/mp4"),
    ("video/x-m4v", PreviewKind::Video, "video/mp4"),
    ("video/webm", PreviewKind::Video, "video/webm"),
    ("video/ogg", PreviewKind::Video, "video/ogg"),
    ("audio/mpeg", PreviewKind::Audio, "audio/mpeg"),
    ("audio/mp4", PreviewKind::Audio, "audio/mp4"),
    ("audio/m4a", PreviewKind::Audio, "audio/mp4"),
    ("audio/x-m4a", PreviewKind::Audio, "audio/mp4"),
    ("audio/aac", PreviewKind::Audio, "audio/aac"),
    ("audio/ogg", PreviewKind::Audio, "audio/ogg"),
    ("audio/opus", PreviewKind::Audio, "audio/ogg"),
    ("audio/wav", PreviewKind::Audio, "audio/wav"),
    ("audio/x-wav", PreviewKind::Audio, "audio/wav"),
    ("audio/x-flac", PreviewKind::Audio, "audio/flac"),
    ("text/plain", PreviewKind::Text, "text/plain; charset=utf-8"),
];

impl Preview {
    /// By what a file's bytes have shown it to be.
    #[must_use]
    pub fn of(detected: &MediaType) -> Option<Self> {
        let (_, kind, content_type) = SHOWN.into_iter().find(|(is, ..)| *is == detected.as_str())?;
        Some(Self { kind, content_type })
    }
}

/// The SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// In base64, as S3 writes it.
    #[must_use]
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

crate::schema::of_text!(
    Sha256,
    "The SHA-256 of a file's bytes: read in hexadecimal or in base64, written in hexadecimal.",
    { "pattern": "^([0-9A-Fa-f]{64}|[0-9A-Za-z+/]{43}=)$" }
);

impl FromStr for Sha256 {
    type Err = TextError;

    /// In hexadecimal, as `sha256sum` prints it, or in base64, as S3 does.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let hex = <[u8; 32]>::from_hex(text).ok();
        hex.or_else(|| STANDARD.decode(text).ok()?.try_into().ok())
            .map(Self)
            .ok_or(TextError::Form("must be a SHA-256 in 64 hexadecimal digits or in base64"))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// Why bytes that came were not kept: nothing else about them is a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum UploadRefusal {
    /// There were more or fewer.
    #[error("it was announced with {announced} bytes, but {arrived} arrived; they were deleted")]
    Size {
        /// As announced.
        announced: u64,
        /// As they were.
        arrived: u64,
    },
    /// They were other bytes.
    #[error("the bytes have another SHA-256 than was announced; they were deleted")]
    Checksum,
}

/// A file as it is announced, before its bytes come.
#[serde_as]
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFile {
    /// Its own name.
    pub name: AnnouncedName,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, if its sender knows one: browsers send an empty text where they do not.
    #[serde_as(as = "NoneAsEmptyString")]
    #[schemars(with = "Option<String>")]
    #[serde(default)]
    pub content_type: Option<MediaType>,
    /// Its checksum, which its bytes are held to.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// The file that it is a new version of.
    #[serde(default)]
    pub replaces: Option<FileId>,
    /// Its folder; that of the file that it replaces, or the share's own, where none is named.
    #[serde(default)]
    pub folder: Option<Folder>,
}

/// An upload in parts, as S3 knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// S3's id of the upload.
    pub upload_id: String,
    /// The size of each part but the last, in bytes.
    pub part_size: u64,
}

/// One file of a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareFile {
    /// Its id.
    pub id: FileId,
    /// The share that it belongs to.
    pub share_id: ShareId,
    /// Its own name.
    pub name: FileName,
    /// Whether it was given another name, which no file system would have taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
    /// Its folder in the share.
    #[serde(default, skip_serializing_if = "Folder::is_root")]
    pub folder: Folder,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type as announced. Where that says nothing, by its name or its bytes.
    pub content_type: MediaType,
    /// What its bytes are, where they show it: decides how it may be shown, and never whether it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<MediaType>,
    /// Its checksum.
    pub sha256: Option<Sha256>,
    /// 1 for the first, one more for each that replaces it.
    pub version: u32,
    /// The file that it is a new version of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<FileId>,
    /// The first version of it.
    pub series: FileId,
    /// Who added it.
    pub by: PersonName,
    /// The same, by id.
    pub by_id: ActorId,
    /// The company of the contact who added it; nobody's, if the staff did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CompanyId>,
    /// When.
    pub added_at: Timestamp,
    /// Whether its bytes are in the bucket.
    pub upload: FileState,
    /// How its bytes come, if in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// Why the bytes that came last were not kept, until others come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<UploadRefusal>,
    /// Whether its name says another type than its bytes have shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub name_differs: bool,
    /// What a scan has said of its bytes.
    #[serde(default, skip_serializing_if = "FileScan::is_unscanned")]
    pub scan: FileScan,
    /// The size of its picture, or of its first page, once there are thumbnails of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PixelSize>,
}

impl ShareFile {
    /// With its bytes in the bucket, which were checked.
    #[must_use]
    pub fn stored(mut self, checked: Checked, now: Timestamp) -> Self {
        let scan = self.scan.clone().taken(&checked, now);
        let Checked { detected, name_differs, .. } = checked;
        // Text says of itself only that it is text.
        let tells = detected.as_ref().is_some_and(|detected| detected.as_str() != "text/plain");
        if tells && self.content_type == MediaType::default() {
            self.content_type = detected.clone().unwrap_or_default();
        }
        Self { upload: FileState::Stored, detected, name_differs, scan, refused: None, ..self }
    }

    /// How it can be looked at now, by what its bytes have shown it to be, and by nothing that was said of it.
    #[must_use]
    pub fn preview(&self) -> Option<Preview> {
        self.preview_by_bytes().filter(|_| self.scan.hand_out().is_ok())
    }

    /// The same, whatever a scan says: for lists, which a verdict does not write anew.
    pub(super) fn preview_by_bytes(&self) -> Option<Preview> {
        Preview::of(self.detected.as_ref().filter(|_| self.upload == FileState::Stored)?)
    }

    /// Its path in the share.
    #[must_use]
    pub fn path(&self) -> String {
        self.folder.path(&self.name)
    }

    /// What it is for a filter. A picture under another name is a picture; a recorder's container holds sound or film
    /// alike, so there the announcement tells.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        use FileKind::{Audio, Other, Video};
        let announced = FileKind::of(&self.content_type);
        // Every drawing is a text as well.
        let detected = self.detected.as_ref().filter(|detected| !detected.as_str().starts_with("text/"));
        match (announced, detected.map_or(Other, FileKind::of)) {
            (Audio | Video, Audio | Video) | (_, Other) => announced,
            (_, detected) => detected,
        }
    }
}
