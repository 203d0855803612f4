//! The rules of the portal, free of HTTP and of AWS: what a thing is, what may become of it, and why not.

mod access;
mod activity;
mod company;
mod contact;
mod credential;
mod email;
mod file_name;
mod id;
mod mail;
mod rights;
mod share;
mod staff;
mod text;
mod token;

pub use access::{Access, Account, ActivationRefused, Area, Areas, INVITATION_LIFETIME, Invitation, InviteRefused};
pub use activity::{Activity, ActivityKind, Actor};
pub use company::{Company, CompanyDomain};
pub use contact::{Contact, EmailNeeded, Hourly, Invited, MailWish, Notifications};
pub use credential::{CredentialState, SessionEnd};
pub use email::{Email, EmailError};
pub use file_name::FileName;
pub use id::{
    ActivityId, CompanyId, ContactId, FileId, IdError, InvitationId, MailId, PersonId, SessionId, ShareId, StaffId,
};
pub use mail::{Mail, OutboxMail};
pub use rights::{Right, Role};
pub use share::{FileState, InboxRow, NewFile, Recipient, SendRefused, Sha256, Share, ShareFile, ShareState};
pub use staff::Staff;
pub use text::{CompanyName, Language, MediaType, Message, PersonName, Phone, Reference, TextError, Title};
pub use token::{Token, TokenError, TokenHash, TokenPurpose};
