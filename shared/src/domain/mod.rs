//! The rules of the portal, free of HTTP and of AWS: what a thing is, what may become of it, and why not.

mod access;
mod activity;
mod api_key;
mod bundle;
mod company;
mod contact;
mod credential;
mod display;
mod email;
mod file;
mod file_name;
mod folder;
mod id;
mod inbox;
mod mail;
mod recipient;
mod records;
mod registration;
mod rights;
mod scan;
mod search;
mod seen;
mod settings;
mod share;
mod share_words;
mod staff;
mod task;
mod team;
mod text;
mod throttle;
mod thumbnail;
mod token;
mod unsubscribe;
mod usage;

pub use access::{Access, Account, ActivationRefused, Area, Areas, INVITATION_LIFETIME, Invitation, InviteRefused};
pub use activity::{Activity, ActivityKind, Actor, FieldChange};
pub use api_key::{ApiKey, KEY_PREFIX};
pub use bundle::{Bundle, BundleTopic, Telling};
pub use company::{Company, CompanyDomain, MergeRefused};
pub use contact::{AddressOf, Contact, EmailNeeded, Invited, MailWish, Notifications, Opened};
pub use credential::{CredentialState, SessionEnd};
pub use display::{lines, one_line};
pub use email::{Email, EmailError, domain_for_people};
pub use file::{FileKind, FileState, NewFile, Parts, Preview, PreviewKind, Sha256, ShareFile, UploadRefusal};
pub use file_name::{AnnouncedName, FileName};
pub use folder::{Folder, FolderError};
pub use id::{
    ActivityId, ActorId, AssetId, CompanyId, ContactId, EventId, FileId, IdError, InvitationId, JobId, KeyId, MailId,
    PersonId, RegistrationId, SessionId, ShareId, SiteId, StaffId, TaskId,
};
pub use inbox::{Direction, InboxOf, InboxRow, SenderId, state_word};
pub use mail::{Addressee, DigestEntry, DigestSubject, Mail, OutboxMail, StaffNews};
pub use recipient::{AddressId, Recipient, RecipientId, Target};
pub use records::{
    Asset, AssetChange, AssetLink, CompanyRecord, EventAuthor, FieldRefused, Job, JobChange, JobEvent, JobEventKind,
    JobFile, JobHidden, JobLine, JobSource, JobStatus, JobUpdate, KnownReferences, NewRecord, ProblemReport,
    RecordChange, RecordKind, RecordLine, RecordLink, RecordList, RecordOrder, Site, SiteChange, SiteLink, Urgency,
};
pub use registration::{AccessRequest, AlreadyDecided, Decision, Registration};
pub use rights::{Right, Role, Scope};
pub use scan::{Checked, FileScan, HeldBack, ObjectVersion, Verdict};
pub use search::{Lookup, NumberKeys, Query, Words, fold, partition};
pub use seen::{FileSeen, FilesSeen, PackedError, ShareSeen};
pub(crate) use settings::is_loopback;
pub use settings::{ActivityMonths, Logo, LogoType, PortalUrl, PortalUrlError, SettingRefused, Settings, TimeZoneName};
pub use share::{
    Contents, FirstFile, NOTIFICATION_INTERVAL, NotOpen, SendRefused, Share, ShareState, Visibility, WithdrawRefused,
};
pub use share_words::ShareWords;
pub use staff::Staff;
pub use task::{
    EraseStep, IndexedRow, MergeStep, ReconcileStep, SECOND_RUN_AFTER, ShareEvent, Task, TaskKind, TaskPosition,
};
pub use team::Team;
pub use text::{
    Address, CompanyName, Label, Language, MediaType, Message, PersonName, Phone, Reference, TextError, Title,
};
pub use throttle::{Attempts, Bucket, BucketOf, HourlyLimit, KNOWN_FOR, KnownBy, SignInCounts};
pub use thumbnail::{LARGEST_DRAWN, PixelSize, ThumbnailSize, ThumbnailTask};
pub use token::{Link, LinkBody, SHARE_LINK_LIFETIME, Token, TokenError, TokenHash, TokenPurpose};
pub use unsubscribe::Unsubscribe;
pub use usage::{CompanyBytes, CustomerFileBytes, OverQuota, Quota, TooLarge, Usage};
