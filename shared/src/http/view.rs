//! What several functions show in the same way.

use cookie::{Cookie, SameSite};
use lambda_http::http::HeaderValue;
use serde::Serialize;

use super::call::{CookieName, DEVICE_COOKIE, SESSION_COOKIE};
use crate::clock::Timestamp;
use crate::domain::{
    Areas, CompanyId, Contact, ContactId, Email, FileId, FileName, FileScan, FileSeen, FileState, FilesSeen, Folder,
    InboxRow, KNOWN_FOR, Language, MediaType, Message, Notifications, PersonName, Phone, PixelSize, PreviewKind,
    Reference, Sha256, Share, ShareFile, ShareId, StaffId, ThumbnailSize, Title, Token,
};

/// A contact as the staff see it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Contact")]
pub struct ContactView {
    id: ContactId,
    company_id: CompanyId,
    name: PersonName,
    email: Option<Email>,
    phone: Option<Phone>,
    #[schemars(extend("enum" = crate::domain::Access::WORDS))]
    access: &'static str,
    areas: Areas,
    language: Language,
    notifications: Notifications,
    invited_at: Option<Timestamp>,
    activated_at: Option<Timestamp>,
    last_seen_at: Option<Timestamp>,
    mail_problem: Option<String>,
    owner_id: Option<StaffId>,
    self_registered: bool,
}

impl From<Contact> for ContactView {
    fn from(contact: Contact) -> Self {
        Self {
            access: contact.access.word(),
            activated_at: contact.access.account().map(|account| account.activated_at),
            id: contact.id,
            company_id: contact.company_id,
            name: contact.name,
            email: contact.email,
            phone: contact.phone,
            areas: contact.areas,
            language: contact.language,
            notifications: contact.notifications,
            invited_at: contact.invited_at,
            last_seen_at: contact.last_seen_at,
            mail_problem: contact.mail_problem,
            owner_id: contact.owner_id,
            self_registered: contact.self_registered,
        }
    }
}

/// A file of a share as everybody sees it who sees the share.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ShareFile")]
pub struct FileView {
    id: FileId,
    name: FileName,
    /// Whether it was given another name, which no file system would have taken.
    renamed: bool,
    folder: Folder,
    size: u64,
    content_type: MediaType,
    sha256: Option<Sha256>,
    version: u32,
    replaces: Option<FileId>,
    by: PersonName,
    added_at: Timestamp,
    state: FileState,
    /// What a scan has said of it; only what waits for one, or in which something was found, is not handed out.
    #[schemars(extend("enum" = FileScan::WORDS))]
    scan: &'static str,
    /// Whether its name's ending says another type than its bytes have shown.
    name_differs: bool,
    /// As what it can be looked at now, if it can.
    preview: Option<PreviewKind>,
    /// The size of its small thumbnail, once it has any.
    thumbnail: Option<PixelSize>,
    /// When whoever asks has last looked at it; for a customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    viewed_at: Option<Timestamp>,
    /// When whoever asks has last downloaded it; for a customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    downloaded_at: Option<Timestamp>,
}

impl FileView {
    /// With what its reader has seen of it.
    #[must_use]
    pub fn seen(self, files: &FilesSeen) -> Self {
        let FileSeen { viewed_at, downloaded_at } = files.of(self.id);
        Self { viewed_at, downloaded_at, ..self }
    }
}

impl From<ShareFile> for FileView {
    fn from(file: ShareFile) -> Self {
        let preview = file.preview().map(|preview| preview.kind);
        let ShareFile {
            id,
            name,
            renamed,
            folder,
            size,
            content_type,
            sha256,
            version,
            replaces,
            by,
            added_at,
            upload: state,
            name_differs,
            scan,
            picture,
            ..
        } = file;
        Self {
            id,
            name,
            renamed,
            folder,
            size,
            content_type,
            sha256,
            version,
            replaces,
            by,
            added_at,
            state,
            scan: scan.word(),
            name_differs,
            preview,
            thumbnail: picture
                .filter(|_| scan.hand_out().is_ok())
                .map(|picture| picture.scaled_to(ThumbnailSize::Small)),
            viewed_at: None,
            downloaded_at: None,
        }
    }
}

/// A share as everybody sees it who has it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Share")]
pub struct ShareView {
    id: ShareId,
    title: Title,
    reference: Option<Reference>,
    message: Option<Message>,
    from: PersonName,
    /// When it came.
    pub received_at: Timestamp,
    expires_at: Option<Timestamp>,
    file_count: u64,
    total_size: u64,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        Self {
            received_at: share.state.sent_at().unwrap_or(share.created_at),
            id: share.id,
            title: share.title,
            reference: share.reference,
            message: share.message,
            from: share.from,
            expires_at: share.expires_at,
            file_count: share.contents.file_count,
            total_size: share.contents.total_size,
        }
    }
}

impl From<InboxRow> for ShareView {
    fn from(row: InboxRow) -> Self {
        Self {
            received_at: row.received_at,
            id: row.share_id,
            title: row.title,
            reference: row.reference,
            message: row.message,
            from: row.from,
            expires_at: row.expires_at,
            file_count: row.file_count,
            total_size: row.total_size,
        }
    }
}

fn cookie(name: CookieName, value: &str, portal_url: &str) -> Cookie<'static> {
    let secure = is_secure(portal_url);
    let cookie = Cookie::build((name.of(secure), value.to_owned()));
    cookie.path("/").http_only(true).secure(secure).same_site(SameSite::Strict).build()
}

/// Whether the portal is reached over https, which decides the names of its cookies.
pub(super) fn is_secure(portal_url: &str) -> bool {
    portal_url.starts_with("https:")
}

/// `Set-Cookie` for a new session. It ends with the browser's, and on the server with its token.
#[must_use]
pub fn session_cookie(token: &str, portal_url: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&cookie(SESSION_COOKIE, token, portal_url).to_string()).ok()
}

/// `Set-Cookie` for the device by which its owner is known from now on: kept as long as it is known.
#[must_use]
pub fn device_cookie(device: &Token, portal_url: &str) -> Option<HeaderValue> {
    let mut cookie = cookie(DEVICE_COOKIE, &device.reveal(), portal_url);
    cookie.set_max_age(cookie::time::Duration::seconds(KNOWN_FOR.as_secs()));
    HeaderValue::from_str(&cookie.to_string()).ok()
}

/// `Set-Cookie` that takes the session out of the browser.
#[must_use]
pub fn signed_out_cookie(portal_url: &str) -> Option<HeaderValue> {
    let mut cookie = cookie(SESSION_COOKIE, "", portal_url);
    cookie.make_removal();
    HeaderValue::from_str(&cookie.to_string()).ok()
}
