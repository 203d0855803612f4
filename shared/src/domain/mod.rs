//! The rules of the portal, free of HTTP and of AWS: what a thing is, what may become of it, and why not.

mod access;
mod activity;
mod api_key;
mod company;
mod contact;
mod credential;
mod email;
mod file_name;
mod id;
mod mail;
mod registration;
mod rights;
mod share;
mod staff;
mod team;
mod text;
mod token;

pub use access::{Access, Account, ActivationRefused, Area, Areas, INVITATION_LIFETIME, Invitation, InviteRefused};
pub use activity::{Activity, ActivityKind, Actor};
pub use api_key::{ApiKey, KEY_PREFIX};
pub use company::{Company, CompanyDomain};
pub use contact::{Contact, EmailNeeded, Hourly, Invited, MailWish, Notifications, Opened};
pub use credential::{CredentialState, SessionEnd};
pub use email::{Email, EmailError};
pub use file_name::FileName;
pub use id::{
    ActivityId, ActorId, CompanyId, ContactId, FileId, IdError, InvitationId, KeyId, MailId, PersonId, RegistrationId,
    SessionId, ShareId, StaffId,
};
pub use mail::{Addressee, Mail, OutboxMail};
pub use registration::{AlreadyDecided, Decision, Registration};
pub use rights::{Right, Role, Scope};
pub use share::{FileState, InboxRow, NewFile, Recipient, SendRefused, Sha256, Share, ShareFile, ShareState};
pub use staff::Staff;
pub use team::Team;
pub use text::{CompanyName, Language, MediaType, Message, PersonName, Phone, Reference, TextError, Title};
pub use token::{Link, Token, TokenError, TokenHash, TokenPurpose};
