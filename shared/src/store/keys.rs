//! Every key of the table, and nothing else. `docs/data-model.md` says what is read by which.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::clock::{Timestamp, sortable};
use crate::domain::{
    ActorId, BundleTopic, CompanyDomain, CompanyId, ContactId, DigestSubject, Email, EventId, FileId, InboxOf, JobId,
    KeyId, MailId, PersonId, RecipientId, RecordKind, RecordLine, RecordList, RecordOrder, Reference, RegistrationId,
    ShareId, StaffId, TaskId, TokenHash, fold, partition,
};

/// The partition key's attribute.
pub const PK: &str = "pk";
/// The sort key's attribute.
pub const SK: &str = "sk";
/// The index of lists: companies, a company's contacts, all shares.
pub const LISTED: &str = "listed";
/// Its partition key.
pub const LISTED_PK: &str = "listed_pk";
/// Its sort key.
pub const LISTED_SK: &str = "listed_sk";
/// The index of an inbox by time.
pub const BY_TIME: &str = "by_time";
/// Its sort key.
pub const TIME_SK: &str = "time_sk";
/// The index of an inbox by title.
pub const BY_TITLE: &str = "by_title";
/// Its sort key.
pub const TITLE_SK: &str = "title_sk";
/// The index of an inbox by size.
pub const BY_SIZE: &str = "by_size";
/// Its sort key.
pub const SIZE_SK: &str = "size_sk";
/// The index of what nobody has opened yet, by time.
pub const BY_UNREAD: &str = "by_unread";
/// Its sort key, which only such rows have.
pub const UNREAD_SK: &str = "unread_sk";
/// When DynamoDB may delete an item, in seconds since 1970.
pub const TTL: &str = "ttl";
/// Until when nobody but its deliverer sends a mail, in milliseconds since 1970.
pub const CLAIMED_UNTIL: &str = "claimed_until";
/// The number of an item's version, for conditional writes.
pub const REV: &str = "rev";

/// The outbox, tasks and daily mails have several partitions, so that much at once does not meet one partition's limit.
pub const OUTBOX_SHARDS: u8 = 4;
/// What an outbox partition's key begins with: the stream's filter in template.yaml names it too.
pub const OUTBOX: &str = "OUTBOX#";

/// Where an item lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its partition.
    pub pk: String,
    /// Its place there.
    pub sk: String,
}

impl Key {
    fn new(pk: impl ToString, sk: impl ToString) -> Self {
        Self { pk: pk.to_string(), sk: sk.to_string() }
    }

    /// As the attributes of the table.
    #[must_use]
    pub fn attributes(self) -> std::collections::HashMap<String, AttributeValue> {
        [(PK.to_owned(), AttributeValue::S(self.pk)), (SK.to_owned(), AttributeValue::S(self.sk))].into()
    }
}

/// A company.
pub fn company(id: CompanyId) -> Key {
    Key::new(id, "COMPANY")
}

/// A contact.
pub fn contact(id: ContactId) -> Key {
    Key::new(id, CONTACT)
}

/// The sort key of contacts.
pub const CONTACT: &str = "CONTACT";

/// One of the staff.
pub fn staff(id: StaffId) -> Key {
    Key::new(id, "STAFF")
}

/// A person's password hash: in a partition of secrets, which two functions reach and no other.
pub fn password(id: PersonId) -> Key {
    Key::new(format_args!("SECRET#{id}"), "PASSWORD")
}

/// Who has an address: there is one such item for each, so an address belongs to one person.
pub fn email(email: &Email) -> Key {
    Key::new(format_args!("EMAIL#{email}"), "EMAIL")
}

/// What a token opens.
pub fn token(hash: &TokenHash) -> Key {
    Key::new(format_args!("TOKEN#{hash}"), "TOKEN")
}

/// A share.
pub fn share(id: ShareId) -> Key {
    Key::new(id, SHARE_AND_FILES)
}

/// A share and its files lie side by side: one query reads both, and none of the recipients.
pub const SHARE_AND_FILES: &str = "SHARE";

/// One file of a share.
pub fn file(share: ShareId, file: FileId) -> Key {
    Key::new(share, format_args!("SHARE#FILE#{file}"))
}

/// What a recipient's sort key begins with.
pub const RECIPIENTS: &str = "TO#";

/// One recipient of a share.
pub fn recipient(share: ShareId, recipient: &RecipientId) -> Key {
    Key::new(share, format_args!("{RECIPIENTS}{recipient}"))
}

/// What the partition of those who have seen a share begins with.
pub const SEEN: &str = "SEEN#";

/// What one person has seen of a share: a partition of its own, so that whoever may write it can write no share.
pub fn seen(share: ShareId, by: &RecipientId) -> Key {
    Key::new(format_args!("{SEEN}{share}"), by)
}

/// Who has seen a share.
pub fn seen_by(share: ShareId) -> String {
    format!("{SEEN}{share}")
}

/// What was shared with everyone at a company, for those who join later.
pub fn shared_with_company(company: CompanyId, share: ShareId) -> Key {
    Key::new(format_args!("SHARED#{company}"), share)
}

/// What was shared with an address, for the day when it has an account.
pub fn shared_with_address(email: &Email, share: ShareId) -> Key {
    Key::new(format_args!("SHARED#{email}"), share)
}

/// The words of a share.
pub fn share_words(share: ShareId) -> Key {
    Key::new(share, "WORDS")
}

/// The partition of an inbox.
pub fn inbox(of: InboxOf) -> String {
    of.partition()
}

/// What the partitions of contacts' own inboxes, or of companies', begin with.
pub fn inbox_begins(own: bool) -> &'static str {
    if own { "INBOX#con_" } else { "INBOX#com_" }
}

/// A share in an inbox: that it lies there is what lets its owner see the share.
pub fn inbox_row(of: InboxOf, share: ShareId) -> Key {
    Key::new(inbox(of), share)
}

/// A row's place by time; the id keeps rows of one instant apart.
pub fn by_time(at: Timestamp, share: ShareId) -> String {
    format!("{}#{share}", sortable(at))
}

/// A row's place by title.
pub fn by_title(title: &str, share: ShareId) -> String {
    format!("{}#{share}", place(&fold(title)))
}

/// As much of a text as sorts it: a sort key has 1,024 bytes at most.
pub(super) fn place(text: &str) -> &str {
    &text[..text.floor_char_boundary(900)]
}

/// A row's place by size.
pub fn by_size(bytes: u64, share: ShareId) -> String {
    format!("{bytes:020}#{share}")
}

/// A partition of the words that an inbox is searched by.
pub fn share_words_partition(of: InboxOf, part: &str) -> String {
    format!("WORDS#SHARES#{of}#{part}")
}

/// A word by which a share is found in an inbox: of one word, the newest comes first.
pub fn share_word(of: InboxOf, word: &str, at: Timestamp, share: ShareId) -> Key {
    let before_the_end = LAST_MS.saturating_sub(at.as_millisecond());
    Key::new(share_words_partition(of, partition(word)), format_args!("{word}#{before_the_end:015}#{share}"))
}

/// What such a key says: the word, when the share came, and which it is.
pub fn parse_share_word(sk: &str) -> Option<(&str, Timestamp, ShareId)> {
    let mut parts = sk.rsplitn(3, '#');
    let share = parts.next()?.parse().ok()?;
    let at = Timestamp::from_millisecond(LAST_MS.checked_sub(parts.next()?.parse().ok()?)?).ok()?;
    Some((parts.next()?, at, share))
}

/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// What a task partition's key begins with: the stream's filter in template.yaml names it too.
pub const TASK: &str = "TASK#";

/// One partition of tasks.
pub fn task_shard(shard: u8) -> String {
    format!("{TASK}{shard}")
}

/// Work that goes on after its request.
pub fn task(id: TaskId) -> Key {
    let id = id.to_string();
    Key::new(task_shard(shard_of(&id)), id)
}

/// One partition of files whose thumbnails are to be made.
pub fn thumbnail_shard(shard: u8) -> String {
    format!("THUMBNAIL#{shard}")
}

/// A file whose thumbnails are to be made.
pub fn thumbnail_task(file: FileId) -> Key {
    let file = file.to_string();
    Key::new(thumbnail_shard(shard_of(&file)), file)
}

/// One partition of what waits for a daily mail.
pub fn digest_shard(shard: u8) -> String {
    format!("DIGEST#{shard}")
}

/// What waits for a contact's daily mail.
pub fn digest(contact: ContactId, about: DigestSubject) -> Key {
    let id = contact.to_string();
    Key::new(digest_shard(shard_of(&id)), format_args!("{id}#{about}"))
}

/// What a contact's daily mail has told already, before its lines.
pub fn told_digest(contact: ContactId) -> Key {
    let id = contact.to_string();
    Key::new(digest_shard(shard_of(&id)), id)
}

/// Ids end in random characters: the last one says which of a few partitions.
fn shard_of(id: &str) -> u8 {
    id.bytes().last().unwrap_or_default() % OUTBOX_SHARDS
}

/// Shares that end, by when: what retention looks at.
pub fn shares_by_end(at: Timestamp, id: ShareId) -> Key {
    Key::new(ENDING, format_args!("{}#{id}", sortable(at)))
}

/// The partition of shares that end.
pub const ENDING: &str = "ENDING";

/// Files whose bytes are awaited, by when they were announced.
pub fn awaited_files(at: Timestamp, id: FileId) -> Key {
    Key::new(AWAITED, format_args!("{}#{id}", sortable(at)))
}

/// The partition of files whose bytes are awaited.
pub const AWAITED: &str = "AWAITED";

/// One partition of the outbox.
pub fn outbox_shard(shard: u8) -> String {
    format!("{OUTBOX}{shard}")
}

/// A mail that waits to be sent. The shard follows from the id, whose last character is random.
pub fn outbox(id: MailId) -> Key {
    let id = id.to_string();
    Key::new(outbox_shard(shard_of(&id)), id)
}

/// The record of a month: a partition each, so that no single one takes all writes for ever.
pub fn activity(at: Timestamp, id: crate::domain::ActivityId) -> Key {
    Key::new(activity_of_month(&month(at)), id)
}

/// What every function needs to verify sessions and cursors.
pub fn keyring() -> Key {
    Key::new("KEYRING", "KEYRING")
}

/// What an admin has set.
pub fn settings() -> Key {
    Key::new("SETTINGS", "SETTINGS")
}

/// The operator's logo.
pub fn logo() -> Key {
    Key::new("SETTINGS", "LOGO")
}

/// An address that wants no notifications, by its hash.
pub fn quiet(hash: &str) -> Key {
    Key::new(format_args!("QUIET#{hash}"), "QUIET")
}

/// Who the first admin is.
pub fn first_admin() -> Key {
    Key::new("FIRST_ADMIN", "FIRST_ADMIN")
}

/// The first response to a request that carried an idempotency key.
pub fn stored_response(caller: ActorId, key: &str) -> Key {
    Key::new(format_args!("RESPONSE#{caller}"), key)
}

/// All companies, by name.
pub fn companies_by_name(folded_name: &str, id: CompanyId) -> Key {
    Key::new(COMPANIES, format_args!("{}#{id}", place(folded_name)))
}

/// The partition of all companies.
pub const COMPANIES: &str = "COMPANIES";

/// The contacts of a company, by name.
pub fn contacts_by_name(company: CompanyId, folded_name: &str, id: ContactId) -> Key {
    Key::new(contacts_of(company), format_args!("{}#{id}", place(folded_name)))
}

/// The partition of a company's contacts.
pub fn contacts_of(company: CompanyId) -> String {
    format!("CONTACTS#{company}")
}

/// A contact's place in the list of all users: by access, then by name.
pub fn users(access: &str, folded_name: &str, id: ContactId) -> Key {
    Key::new(USERS, format_args!("{access}#{}#{id}", place(folded_name)))
}

/// The index of all users, and its one partition.
pub const USERS_INDEX: &str = "users";
/// Its partition key's attribute.
pub const USERS_PK: &str = "users_pk";
/// Its sort key's attribute.
pub const USERS_SK: &str = "users_sk";
/// The partition of all users.
pub const USERS: &str = "USERS";

/// A partition of the words of names.
pub fn words(kind: &str, part: &str) -> String {
    format!("WORDS#{kind}#{part}")
}

/// The index of a company's people by id: a name may change while somebody goes through them, an id never does. It
/// holds keys alone, so that nothing but a change of company writes to it. Its sort key is the table's partition key.
pub const MEMBERS: &str = "members";
/// Its partition key's attribute.
pub const MEMBERS_PK: &str = "members_pk";

/// The partition of a company's people.
pub fn members_of(company: CompanyId) -> String {
    format!("MEMBERS#{company}")
}

/// Whether it is a word, and no other row by which a thing is found.
pub fn is_word(key: &Key) -> bool {
    key.pk.starts_with("WORDS#")
}

/// A word of a name, and whose it is.
pub fn word(kind: &str, word: &str, id: &str) -> Key {
    Key::new(words(kind, partition(word)), format_args!("{word}#{id}"))
}

/// The partition of a domain: the company that it belongs to, and the contacts with addresses there.
pub fn domain(domain: &str) -> String {
    format!("DOMAIN#{domain}")
}

/// Whose a domain is: there is one such item for each, so a domain belongs to one company.
pub fn domain_owner(domain: &CompanyDomain) -> Key {
    Key::new(self::domain(domain.as_str()), "COMPANY")
}

/// A contact with an address at a domain.
pub fn address_at_domain(domain: &str, contact: &str) -> Key {
    Key::new(self::domain(domain), contact)
}

/// A site, an asset or a job, and what its history's sort keys begin with.
pub fn record<L: RecordLine>(id: L::Id) -> Key {
    Key::new(id, RECORD)
}

/// The sort key of records.
pub const RECORD: &str = "RECORD";
/// What the sort keys of a job's history begin with.
pub const EVENTS: &str = "EVENT#";

/// Something that happened to a job.
pub fn job_event(job: JobId, event: EventId) -> Key {
    Key::new(job, format_args!("{EVENTS}{event}"))
}

/// A file of a job: a partition of its own, for it is there before its job is.
pub fn job_file(file: FileId) -> Key {
    Key::new(file, "JOBFILE")
}

/// Files that wait for the verdict of a scan, by since when.
pub fn waiting_for_scan(since: Timestamp, id: FileId) -> Key {
    Key::new(SCANNING, format_args!("{}#{id}", sortable(since)))
}

/// The partition of files that wait for a scan.
pub const SCANNING: &str = "SCANNING";

/// What a company's people have in the portal, in bytes.
pub fn usage(company: CompanyId) -> Key {
    Key::new(format_args!("USAGE#{company}"), "USAGE")
}

/// Files of jobs whose bytes or whose report are awaited, by when they were announced.
pub fn awaited_job_files(at: Timestamp, id: FileId) -> Key {
    Key::new(AWAITED_OF_JOBS, format_args!("{}#{id}", sortable(at)))
}

/// Their partition.
pub const AWAITED_OF_JOBS: &str = "AWAITED_OF_JOBS";

/// Which record of a company has a reference: there is one such item for each, so a reference is one record's.
pub fn reference(company: CompanyId, kind: RecordKind, reference: &Reference) -> Key {
    Key::new(references_of(company), format_args!("{kind}#{reference}"))
}

/// The partition of a company's references.
pub fn references_of(company: CompanyId) -> String {
    format!("REFERENCES#{company}")
}

/// A list of a company's records.
pub fn records(company: CompanyId, kind: RecordKind, list: &RecordList) -> String {
    format!("RECORDS#{company}#{kind}{list}")
}

/// A record's place in an order; the id keeps those of one place apart. What has no time is behind all that have one.
pub fn record_place<L: RecordLine>(line: &L, order: RecordOrder) -> String {
    match order {
        RecordOrder::Updated => format!("{}#{}", sortable(line.updated_at()), line.id()),
        RecordOrder::Title => format!("{}#{}", place(&fold(line.title())), line.id()),
        RecordOrder::Scheduled => {
            let at = line.scheduled_at().map_or_else(|| UNSCHEDULED.to_owned(), sortable);
            format!("{at}#{}", line.id())
        }
    }
}

/// What the place of a job begins with that has no time: after every digit.
pub const UNSCHEDULED: &str = "~";

/// A partition of the words that a company's records are searched by.
pub fn record_words(company: CompanyId, kind: RecordKind, part: &str) -> String {
    format!("WORDS#RECORDS#{company}#{kind}#{part}")
}

/// A word of a record.
pub fn record_word<L: RecordLine>(line: &L, word: &str) -> Key {
    let pk = record_words(line.company(), L::KIND, partition(word));
    Key::new(pk, format_args!("{word}#{}", line.id()))
}

/// Who decides, and who is an admin.
pub fn team() -> Key {
    Key::new("TEAM", "TEAM")
}

/// The staff by name.
pub fn staff_by_name(folded_name: &str, id: StaffId) -> Key {
    Key::new(STAFF, format_args!("{}#{id}", place(folded_name)))
}

/// The partition of all staff.
pub const STAFF: &str = "STAFF";

/// A key of an integration.
pub fn api_key(hash: &TokenHash) -> Key {
    Key::new(format_args!("KEY#{hash}"), "KEY")
}

/// Keys by id.
pub fn api_keys_by_id(id: KeyId) -> Key {
    Key::new(API_KEYS, id)
}

/// The partition of all keys.
pub const API_KEYS: &str = "API_KEYS";

/// A request for access.
pub fn registration(id: RegistrationId) -> Key {
    Key::new(id, "REGISTRATION")
}

/// Who was mailed about a request for access.
pub fn registration_told(id: RegistrationId) -> Key {
    Key::new(id, "TOLD")
}

/// Requests with a status, by time.
pub fn registrations_by_time(status: &str, at: Timestamp, id: RegistrationId) -> Key {
    Key::new(registrations(status), format_args!("{}#{id}", sortable(at)))
}

/// The partition of requests with a status.
pub fn registrations(status: &str) -> String {
    format!("REGISTRATIONS#{status}")
}

/// What one of the staff was told about a topic lately, and what waits to be told.
pub fn bundle(staff: StaffId, topic: BundleTopic) -> Key {
    Key::new(format_args!("BUNDLE#{staff}"), topic)
}

/// The request that an address has pending.
pub fn pending_of(email: &Email) -> Key {
    Key::new(format_args!("PENDING#{email}"), "PENDING")
}

/// A count against guessing or flooding.
pub fn throttle(subject: &str) -> Key {
    Key::new(format_args!("THROTTLE#{subject}"), "THROTTLE")
}

/// The index of activity about a contact, and its partition key's attribute.
pub const ACTIVITY_OF_CONTACT: &str = "activity_of_contact";
/// See [`ACTIVITY_OF_CONTACT`].
pub const ABOUT_CONTACT: &str = "about_contact";
/// The index of activity about a share, and its partition key's attribute.
pub const ACTIVITY_OF_SHARE: &str = "activity_of_share";
/// See [`ACTIVITY_OF_SHARE`].
pub const ABOUT_SHARE: &str = "about_share";

/// The partition of a month's activity.
pub fn activity_of_month(month: &str) -> String {
    format!("ACTIVITY#{month}")
}

/// The month of a time, in UTC.
pub fn month(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
}
