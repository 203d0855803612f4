//! Every error answer of the API, in one file (RFC 9457). What the log learns never reaches the caller.

use std::collections::BTreeSet;

use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::ApiResponse;
use crate::clock::Timestamp;
use crate::domain::{
    ActivationRefused, AlreadyDecided, Company, CompanyDomain, CompanyId, FieldRefused, HeldBack, InviteRefused,
    JobHidden, MergeRefused, NotOpen, OverQuota, SendRefused, TooLarge, WithdrawRefused,
};
use crate::store::{CommitError, StoreError};

/// Every problem that there is, by its status: what is not here cannot be answered (see [`Problem::new`]), and what no route
/// names is not here.
pub(super) const SLUGS: [(u16, &str); 45] = [
    (400, "invalid_body"),
    (400, "invalid_cursor"),
    (401, "sign_in_required"),
    (401, "wrong_credentials"),
    (403, "area_not_open"),
    (403, "forbidden"),
    (404, "link_unknown"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (409, "access_closed"),
    (409, "already_active"),
    (409, "already_mapped"),
    (409, "already_sent"),
    (409, "company_merged"),
    (409, "conflict"),
    (409, "domain_taken"),
    (409, "email_differs"),
    (409, "email_taken"),
    (409, "file_stored"),
    (409, "file_withheld"),
    (409, "in_progress"),
    (409, "last_admin"),
    (409, "no_preview"),
    (409, "not_scanned_yet"),
    (409, "quota_exceeded"),
    (409, "share_revoked"),
    (409, "upload_incomplete"),
    (409, "upload_refused"),
    (410, "link_expired"),
    (410, "link_replaced"),
    (410, "link_used"),
    (410, "link_withdrawn"),
    (410, "share_expired"),
    (413, "body_too_large"),
    (415, "unsupported_media_type"),
    (422, "contact_of_other_company"),
    (422, "email_missing"),
    (422, "file_too_large"),
    (422, "idempotency_key_reused"),
    (422, "invalid_fields"),
    (422, "password_too_weak"),
    (422, "plan_lacks_portal"),
    (429, "too_many_requests"),
    (500, "internal_error"),
    (503, "service_busy"),
];

/// One field of a request that is not as it should be.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// Its path: `email`, `files[2].size`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

/// An error answer.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// For the log alone.
    cause: Option<String>,
    stale: bool,
}

/// An error answer (RFC 9457); `type` is for programs, `detail` for people.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Document<'a> {
    #[serde(rename = "type")]
    #[schemars(extend("enum" = every_slug()))]
    slug: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

fn every_slug() -> BTreeSet<&'static str> {
    SLUGS.into_iter().map(|(_, slug)| slug).collect()
}

/// The schema of every error answer.
pub fn problem_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<Document<'_>>()
}

impl Problem {
    fn new(status: StatusCode, slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        debug_assert!(SLUGS.contains(&(status.as_u16(), slug)), "{slug} is not among the problems");
        let (errors, headers) = (Vec::new(), Vec::new());
        let detail = detail.into();
        Self(Box::new(Parts { status, slug, title, detail, errors, headers, cause: None, stale: false }))
    }

    fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.0.headers.extend(HeaderValue::from_str(value).map(|value| (name, value)));
        self
    }

    // The shape of a request.

    /// 400: the body is no JSON.
    #[must_use]
    pub fn invalid_body(why: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_body", "The body is not valid JSON", why)
    }

    /// 400: a cursor that this list did not give this caller.
    #[must_use]
    pub fn invalid_cursor() -> Self {
        let detail = "A cursor is the \"next\" of the same list with the same filters, for the same caller.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_cursor", "The cursor is not valid", detail)
    }

    /// 413.
    #[must_use]
    pub fn body_too_large(most: usize) -> Self {
        let detail = format!("A body may have at most {most} bytes. Files go to their upload URLs.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large", detail)
    }

    /// 415.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        let detail = "Send JSON, with Content-Type: application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body is not JSON", detail)
    }

    /// 405, with the methods that there are.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("This path takes {allow}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not allowed here", detail)
            .with_header(header::ALLOW, allow)
    }

    /// 422: fields that are not as they should be.
    #[must_use]
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|error| format!("{}: {}", error.field, error.problem)).collect::<Vec<_>>().join("; ");
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", "Some fields are not valid", detail);
        problem.0.errors = errors;
        problem
    }

    /// 422: one field that is not as it should be.
    #[must_use]
    pub fn invalid_field(field: impl Into<String>, problem: impl ToString) -> Self {
        Self::invalid_fields(vec![FieldError { field: field.into(), problem: problem.to_string() }])
    }

    /// 422: an idempotency key with another request than the first.
    #[must_use]
    pub fn idempotency_key_reused() -> Self {
        let detail = "This Idempotency-Key came with another request before. Use a new one for a new request.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The idempotency key was used", detail)
    }

    /// 422: an idempotency key where none is heard.
    #[must_use]
    pub fn idempotency_key_not_taken() -> Self {
        let why =
            "is not taken here, leave it out: it is for requests of somebody who is signed in, that create or send";
        Self::invalid_field("Idempotency-Key", why)
    }

    /// 409: a file that no browser shows, or that could run in one.
    #[must_use]
    pub fn no_preview() -> Self {
        let detail = "This file cannot be shown here. Download it to look at it.";
        Self::new(StatusCode::CONFLICT, "no_preview", "There is no preview", detail)
    }

    /// 409: the first request with an idempotency key has no answer yet.
    #[must_use]
    pub fn in_progress() -> Self {
        let detail = "The first request with this Idempotency-Key is still at work. Please send it again in a second.";
        Self::new(StatusCode::CONFLICT, "in_progress", "The request is in progress", detail)
            .with_header(header::RETRY_AFTER, "1")
    }

    // Who may what.

    /// 404, also for what the caller may not see.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", "There is nothing here that you may see.")
    }

    /// 401.
    #[must_use]
    pub fn sign_in_required() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "sign_in_required",
            "Please sign in",
            "You are not signed in, or no longer.",
        )
        .with_header(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// 401: the same for a wrong password, an unknown address and a closed account.
    #[must_use]
    pub fn wrong_credentials() -> Self {
        let detail = "The e-mail address and the password do not belong together.";
        Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "E-mail or password is wrong", detail)
    }

    /// 403.
    #[must_use]
    pub fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "You may not do this", detail)
    }

    /// 403: a contact without that area.
    #[must_use]
    pub fn area_not_open(area: &str) -> Self {
        let detail = format!("The area \"{area}\" is not open to you. Please ask the company that invited you.");
        Self::new(StatusCode::FORBIDDEN, "area_not_open", "This area is not open to you", detail)
    }

    /// 429, with the time to wait.
    #[must_use]
    pub fn too_many_requests(retry_at: Timestamp, now: Timestamp) -> Self {
        // Rounded up: whoever comes back then must not be too early.
        let seconds = ((retry_at.as_millisecond() - now.as_millisecond() + 999) / 1000).max(1);
        let detail = format!("Please try again in {seconds} seconds.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests", detail)
            .with_header(header::RETRY_AFTER, &seconds.to_string())
    }

    // People.

    /// 409.
    #[must_use]
    pub fn email_taken() -> Self {
        let detail = "An e-mail address belongs to one person: another contact or staff member has this one.";
        Self::new(StatusCode::CONFLICT, "email_taken", "The e-mail address is taken", detail)
    }

    /// 409: whose the domain is.
    #[must_use]
    pub fn domain_taken(domain: &CompanyDomain, owner: &Company) -> Self {
        let detail = format!("{domain} belongs to {} ({}).", owner.name, owner.id);
        Self::new(StatusCode::CONFLICT, "domain_taken", "The domain is another company's", detail)
    }

    /// 404: a link that was never sent, or so long ago that it is forgotten.
    #[must_use]
    pub fn link_unknown() -> Self {
        let detail = "This link is not known. Please open it from the mail once more, in full.";
        Self::new(StatusCode::NOT_FOUND, "link_unknown", "The link is not known", detail)
    }

    /// 422.
    #[must_use]
    pub fn password_too_weak(why: impl ToString) -> Self {
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "password_too_weak",
            "The password is too weak",
            format!("Please choose another password: {}.", why.to_string()),
        );
        problem.0.errors.push(FieldError { field: "password".to_owned(), problem: why.to_string() });
        problem
    }

    /// 409: who decided on a registration, and when.
    #[must_use]
    pub fn already_mapped(decided: &AlreadyDecided) -> Self {
        let detail = format!("{} has decided on this request at {}.", decided.by, decided.at);
        Self::new(StatusCode::CONFLICT, "already_mapped", "Somebody has decided already", detail)
    }

    /// 409: the contact has another address than the request.
    #[must_use]
    pub fn email_differs() -> Self {
        let detail = "The contact has another e-mail address than the request. Send replace_email: true to replace it.";
        Self::new(StatusCode::CONFLICT, "email_differs", "The e-mail addresses differ", detail)
    }

    /// 422.
    #[must_use]
    pub fn contact_of_other_company() -> Self {
        let detail = "That contact does not belong to that company.";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "contact_of_other_company",
            "The contact is another company's",
            detail,
        )
    }

    /// 409.
    #[must_use]
    pub fn last_admin() -> Self {
        let detail = "Somebody must be able to do everything. Make another person an admin first, and let it activate its account.";
        Self::new(StatusCode::CONFLICT, "last_admin", "This is the last admin", detail)
    }

    // Files.

    /// 409: bytes that did not come, or not all of them.
    #[must_use]
    pub fn upload_incomplete(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "upload_incomplete", "The upload is not complete", detail)
    }

    /// 409: other bytes than were announced.
    #[must_use]
    pub fn upload_refused(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "upload_refused", "The upload was refused", detail)
    }

    /// 410: there is a newer one.
    #[must_use]
    pub fn link_replaced() -> Self {
        let detail = "Please open the newest link that you were sent.";
        Self::new(StatusCode::GONE, "link_replaced", "A newer link was sent", detail)
    }

    /// 410.
    #[must_use]
    pub fn share_expired() -> Self {
        Self::new(
            StatusCode::GONE,
            "share_expired",
            "The share has expired",
            "Its sender set an end, and that has passed.",
        )
    }

    /// 410: a link whose own time is over.
    #[must_use]
    pub fn link_expired() -> Self {
        let detail = "Links work for a year. Please ask whoever sent it.";
        Self::new(StatusCode::GONE, "link_expired", "The link has expired", detail)
    }

    /// 410: a link whose share was taken back, or from whoever had it.
    #[must_use]
    pub fn link_withdrawn() -> Self {
        let detail = "What it led to is not shared with you any more. Please ask whoever sent it.";
        Self::new(StatusCode::GONE, "link_withdrawn", "The link was withdrawn", detail)
    }

    /// 409: a change of a share that was taken back.
    #[must_use]
    pub fn share_revoked() -> Self {
        let detail = "It was taken back from its recipients. Make a new share of it.";
        Self::new(StatusCode::CONFLICT, "share_revoked", "The share was revoked", detail)
    }

    /// 409: no more changes of this kind to a share that was sent.
    #[must_use]
    pub fn already_sent() -> Self {
        Self::new(StatusCode::CONFLICT, "already_sent", "The share was sent already", "A share is sent once.")
    }

    /// 409: a file that is there already.
    #[must_use]
    pub fn file_stored() -> Self {
        let detail =
            "Its bytes are there, and whoever has the share may have fetched them. The staff can leave it out.";
        Self::new(StatusCode::CONFLICT, "file_stored", "The file has been uploaded", detail)
    }

    /// 409: a company that is a part of another.
    #[must_use]
    pub fn company_merged(into: CompanyId) -> Self {
        let detail = format!("It was merged into {into}: its people and what was shared with them are there.");
        Self::new(StatusCode::CONFLICT, "company_merged", "The company was merged", detail)
    }

    /// 409: companies are being merged. Whoever asks again finds it done.
    #[must_use]
    pub fn merge_in_progress() -> Self {
        let detail = "Another company is becoming a part of it at this moment. Please try again in a few minutes.";
        Self::new(StatusCode::CONFLICT, "in_progress", "The company is being merged", detail)
            .with_header(header::RETRY_AFTER, "120")
    }

    // Faults.

    /// 500: something that should not happen. The cause goes to the log.
    #[must_use]
    pub fn internal(cause: impl ToString) -> Self {
        let detail = "Something went wrong on our side. Please try again; the request id helps us to find it.";
        let mut problem =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong", detail);
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// 503: too much at once for the table. The cause goes to the log.
    #[must_use]
    pub fn service_busy(cause: impl ToString) -> Self {
        let detail = "Too much is asked of us this moment. Please try again in a few seconds.";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "service_busy", "Please try again soon", detail);
        problem.0.cause = Some(cause.to_string());
        problem.with_header(header::RETRY_AFTER, "5")
    }

    /// Whether the request may simply be tried again from the start: see [`super::retry_on_conflict`].
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.stale
    }

    /// Whether this says that a link is not known: such answers are counted.
    pub fn is_link_unknown(&self) -> bool {
        self.0.slug == "link_unknown"
    }

    /// What is wrong with which field.
    #[must_use]
    pub fn into_errors(self) -> Vec<FieldError> {
        self.0.errors
    }

    /// For the log: the cause of a fault.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The slug.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.0.slug
    }

    /// As an answer.
    #[must_use]
    pub fn into_response(self, request_id: &str) -> ApiResponse {
        let Parts { status, slug, title, detail, errors, headers, .. } = *self.0;
        let document = Document { slug, title, status: status.as_u16(), detail: &detail, request_id, errors: &errors };
        let body = serde_json::to_string(&document).unwrap_or_default();
        let mut response = ApiResponse::new(Body::Text(body));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response.headers_mut().extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { .. } => Self::service_busy(error),
            error => Self::internal(error),
        }
    }
}

impl From<FieldRefused> for Problem {
    fn from(refused: FieldRefused) -> Self {
        Self::invalid_field(refused.field, refused.problem)
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::EmailTaken => Self::email_taken(),
            CommitError::Store(error) => error.into(),
            CommitError::LockLost => Self::in_progress(),
            CommitError::OverQuota(refused) => refused.into(),
            CommitError::Conflict => {
                let detail = "Somebody else changed this at the same time. Please try again.";
                let mut problem = Self::new(StatusCode::CONFLICT, "conflict", "It changed at the same time", detail);
                problem.0.stale = true;
                problem
            }
        }
    }
}

impl From<InviteRefused> for Problem {
    fn from(refused: InviteRefused) -> Self {
        let conflict = |slug, title: &'static str| Self::new(StatusCode::CONFLICT, slug, title, sentence(refused));
        let lacking =
            |slug, title: &'static str| Self::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title, sentence(refused));
        match refused {
            InviteRefused::AlreadyActive => conflict("already_active", "The account is active"),
            InviteRefused::AccessClosed => conflict("access_closed", "Access is closed"),
            InviteRefused::EmailMissing => lacking("email_missing", "No e-mail address"),
            InviteRefused::PlanLacksPortal => lacking("plan_lacks_portal", "The plan lacks the portal"),
        }
    }
}

impl From<ActivationRefused> for Problem {
    fn from(refused: ActivationRefused) -> Self {
        let gone = |slug, title: &'static str, detail: &str| Self::new(StatusCode::GONE, slug, title, detail);
        match refused {
            ActivationRefused::Expired => {
                gone("link_expired", "The link has expired", "Ask for a new one: it is mailed to the same address.")
            }
            ActivationRefused::Used => {
                gone("link_used", "The link has been used", "The account exists: please sign in.")
            }
            ActivationRefused::Replaced => Self::link_replaced(),
            ActivationRefused::Withdrawn => {
                gone("link_withdrawn", "The invitation was withdrawn", "Please ask the company that invited you.")
            }
        }
    }
}

impl From<SendRefused> for Problem {
    fn from(refused: SendRefused) -> Self {
        match refused {
            SendRefused::UploadIncomplete { .. } => Self::upload_incomplete(sentence(refused)),
            SendRefused::NoFiles => Self::invalid_field("files", sentence(refused)),
            SendRefused::NoRecipients => Self::invalid_field("recipients", sentence(refused)),
            SendRefused::AlreadySent => Self::already_sent(),
            SendRefused::Revoked => Self::share_revoked(),
            SendRefused::Expired => Self::share_expired(),
        }
    }
}

impl From<MergeRefused> for Problem {
    fn from(refused: MergeRefused) -> Self {
        match refused {
            MergeRefused::Itself | MergeRefused::IntoMerged(_) | MergeRefused::TooManyDomains => {
                Self::invalid_field("into", refused)
            }
            MergeRefused::Merged(into) => Self::company_merged(into),
            MergeRefused::InProgress => Self::merge_in_progress(),
        }
    }
}

impl From<WithdrawRefused> for Problem {
    fn from(refused: WithdrawRefused) -> Self {
        match refused {
            WithdrawRefused::NotYours => Self::forbidden("Whoever has put a file into a share takes it out."),
            WithdrawRefused::Stored => Self::file_stored(),
            WithdrawRefused::Revoked => Self::share_revoked(),
        }
    }
}

impl From<JobHidden> for Problem {
    fn from(hidden: JobHidden) -> Self {
        match hidden {
            JobHidden::Unknown => Self::not_found(),
            JobHidden::AreaNotOpen => Self::area_not_open("jobs"),
        }
    }
}

impl From<HeldBack> for Problem {
    fn from(held_back: HeldBack) -> Self {
        match held_back {
            HeldBack::Waiting => {
                let detail = "It is looked through for malware first. Please try again in a minute.";
                Self::new(StatusCode::CONFLICT, "not_scanned_yet", "The file is still being scanned", detail)
                    .with_header(header::RETRY_AFTER, "10")
            }
            HeldBack::Found => {
                let detail = "A scan found something harmful in it, so nobody gets it. Whoever put it there was told.";
                Self::new(StatusCode::CONFLICT, "file_withheld", "The file is withheld", detail)
            }
        }
    }
}

impl From<TooLarge> for Problem {
    fn from(refused: TooLarge) -> Self {
        let (status, title) = (StatusCode::UNPROCESSABLE_ENTITY, "The file is too large");
        let mut problem = Self::new(status, "file_too_large", title, sentence(&refused));
        problem.0.errors.push(FieldError { field: refused.field.clone(), problem: refused.to_string() });
        problem
    }
}

impl From<OverQuota> for Problem {
    fn from(refused: OverQuota) -> Self {
        let (status, title) = (StatusCode::CONFLICT, "Your company's room for files is used up");
        let mut problem = Self::new(status, "quota_exceeded", title, sentence(refused));
        problem.0.errors.push(FieldError { field: refused.field.to_owned(), problem: refused.to_string() });
        problem
    }
}

impl From<NotOpen> for Problem {
    fn from(not_open: NotOpen) -> Self {
        match not_open {
            NotOpen::Unseen => Self::not_found(),
            NotOpen::Expired => Self::share_expired(),
        }
    }
}

#[cfg(feature = "files")]
impl From<crate::files::UploadError> for Problem {
    fn from(error: crate::files::UploadError) -> Self {
        use crate::files::UploadError;
        use crate::store::UploadNotAccepted;
        match error {
            UploadError::Missing(_) => Self::upload_incomplete(sentence(error)),
            UploadError::Refused(_) => Self::upload_refused(sentence(error)),
            UploadError::NotAccepted(UploadNotAccepted::Gone) => Self::not_found(),
            UploadError::NotAccepted(UploadNotAccepted::Revoked) => Self::share_revoked(),
            UploadError::NotAccepted(UploadNotAccepted::Commit(error)) => error.into(),
            UploadError::Files(error) => error.into(),
        }
    }
}

#[cfg(feature = "files")]
impl From<crate::files::NotHandedOut> for Problem {
    fn from(refused: crate::files::NotHandedOut) -> Self {
        match refused {
            crate::files::NotHandedOut::HeldBack(held_back) => held_back.into(),
            crate::files::NotHandedOut::Files(error) => error.into(),
        }
    }
}

#[cfg(feature = "files")]
impl From<crate::files::FilesError> for Problem {
    fn from(error: crate::files::FilesError) -> Self {
        Self::internal(error)
    }
}

/// A domain error's text as a sentence for people.
fn sentence(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).chain(['.']).collect()).unwrap_or_default()
}
