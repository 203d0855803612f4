//! A mail's words: from the templates of its language and the facts of the mail to subject, text and HTML.

use std::collections::HashMap;

use crate::domain::{DigestEntry, DigestSubject, Email, Label, Mail, OutboxMail, StaffNews, lines, one_line};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::ValueKind;
use minijinja::{Environment, Output, State, UndefinedBehavior, Value, context, escape_formatter};
use serde::{Deserialize, Serialize};

use super::Recipient;
use super::language::Format;
use super::operator::Operator;

/// Each language is one file; a new one is a new line here.
const LANGUAGES: [(&str, &str); 5] = [
    ("en", include_str!("en.toml")),
    ("de", include_str!("de.toml")),
    ("fr", include_str!("fr.toml")),
    ("nl", include_str!("nl.toml")),
    ("es", include_str!("es.toml")),
];
/// What people read whose language has no file.
const FALLBACK: &str = "en";

/// By what name the HTML finds the logo among the mail's attachments (RFC 2392).
pub const LOGO: &str = "logo";

/// Where the HTML finds the logo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logo {
    /// Among the attachments, as [`LOGO`].
    Attached,
    /// In itself: what is only looked at has no attachments.
    Inline,
}

impl Logo {
    fn source(self, png: &[u8]) -> String {
        match self {
            Self::Attached => format!("cid:{LOGO}"),
            Self::Inline => format!("data:image/png;base64,{}", STANDARD.encode(png)),
        }
    }
}

/// A template is broken, or lacks a fact.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A language's file cannot be read.
    #[error("mails/{0}.toml: {1}")]
    File(&'static str, toml::de::Error),
    /// A kind of mail has no words in the fallback language.
    #[error("mails/{FALLBACK}.toml has no [{0}]")]
    Kind(&'static str),
    /// A template cannot be filled in.
    #[error("a mail's template: {0}")]
    Template(#[from] minijinja::Error),
}

/// One language's file.
#[derive(Debug, Deserialize)]
struct Translation {
    common: Common,
    format: Format,
    #[serde(flatten)]
    kinds: HashMap<String, Words>,
}

/// What stands above and below mails of any kind.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    /// With the reader's name, if it is known.
    greeting: String,
    /// Before the address to ask.
    help: String,
    /// The link that turns notifications off.
    turn_off: String,
}

/// The words of one kind of mail in one language, as its file has them. Each is a template.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    subject: String,
    heading: String,
    /// Before the button.
    before: Vec<String>,
    button: String,
    /// After the button, in small print.
    after: Vec<String>,
}

/// All words, and the two layouts that they are put into.
#[derive(Debug)]
pub struct MailTemplates {
    templates: Environment<'static>,
    tongues: HashMap<&'static str, Translation>,
}

/// A mail ready to be sent.
#[derive(Debug)]
pub struct RenderedMail {
    /// Its subject, on one line.
    pub subject: String,
    /// Its text, for programs that show no HTML.
    pub text: String,
    /// Its HTML.
    pub html: String,
    /// What mail programs read.
    pub headers: Vec<(&'static str, String)>,
}

/// The one place where something comes into a mail: whatever a person typed, it stays on its line and hides nothing.
fn put(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if value.kind() == ValueKind::String => escape_formatter(out, state, &one_line(text).into()),
        _ => escape_formatter(out, state, value),
    }
}

impl MailTemplates {
    /// All of them, read.
    pub fn new() -> Result<Self, RenderError> {
        let mut templates = Environment::new();
        // A fact that a template names and a mail lacks is a fault, not an empty place.
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_trim_blocks(true);
        templates.set_lstrip_blocks(true);
        templates.set_formatter(put);
        templates.add_template("layout.html", include_str!("layout.html"))?;
        templates.add_template("layout.txt", include_str!("layout.txt"))?;
        let tongues = LANGUAGES.iter().map(|(language, file)| {
            Ok((*language, toml::from_str(file).map_err(|error| RenderError::File(language, error))?))
        });
        let tongues = tongues.collect::<Result<_, RenderError>>()?;
        Ok(Self { templates, tongues })
    }

    /// A mail as that person reads it.
    pub fn write(
        &self,
        operator: &Operator,
        mail: &OutboxMail,
        recipient: &Recipient,
        logo: Logo,
    ) -> Result<RenderedMail, RenderError> {
        let (language, translation, words) = self.words(&mail.mail, recipient)?;
        let (portal, format) = (&operator.portal_url, &translation.format);
        let name = recipient.name.as_ref();
        let greeting = self.templates.render_str(&translation.common.greeting, context! { name })?;
        let facts = context! {
            greeting,
            operator => operator.name,
            to => recipient.to.for_people(),
            mail => mail.mail,
            ..counted(&mail.mail, operator, format)
        };
        let fill = |template: &String| self.templates.render_str(template, &facts);
        let fill_all = |templates: &[String]| templates.iter().map(fill).collect::<Result<Vec<_>, _>>();

        let subject = fill(&words.subject)?;
        let (heading, button) = (fill(&words.heading)?, fill(&words.button)?);
        let (before, after) = (fill_all(&words.before)?, fill_all(&words.after)?);
        let page = context! {
            language, subject, heading, before, button, after,
            common => translation.common,
            list => list(&mail.mail, format),
            message => message(&mail.mail),
            link => link(portal, &mail.mail, recipient),
            operator => operator.name,
            support_email => operator.support_email,
            support => operator.support_email.as_ref().map(Email::for_people),
            logo => operator.logo.as_ref().map(|png| logo.source(png)),
            turn_off => recipient.turn_off.as_ref().map(|token| format!("{portal}/unsubscribe#{token}")),
        };
        Ok(RenderedMail {
            text: self.templates.get_template("layout.txt")?.render(&page)?,
            html: self.templates.get_template("layout.html")?.render(&page)?,
            subject,
            headers: headers(portal, recipient),
        })
    }

    /// The words in the person's language; `pt-BR` is content with `pt`, and everybody with the fallback.
    fn words(&self, mail: &Mail, recipient: &Recipient) -> Result<(&str, &Translation, &Words), RenderError> {
        let kind = mail.kind();
        let tag = recipient.language.as_str().to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or(&tag);
        let words = [tag.as_str(), primary, FALLBACK].into_iter().find_map(|tag| {
            let (language, tongue) = self.tongues.get_key_value(tag)?;
            Some((*language, tongue, tongue.kinds.get(kind)?))
        });
        words.ok_or(RenderError::Kind(kind))
    }
}

/// Where the button leads. A token stands in the fragment, which a browser sends to no server.
fn link(portal: &str, mail: &Mail, recipient: &Recipient) -> String {
    match (mail, recipient.token.as_ref()) {
        (Mail::ShareSent { .. } | Mail::FilesAdded { .. }, Some(token)) => format!("{portal}/open#{}", token.reveal()),
        (Mail::FilesReturned { share, .. } | Mail::ShareReceived { share, .. }, _) => {
            format!("{portal}/shares/{share}")
        }
        (
            Mail::ProblemReported { job, .. }
            | Mail::ProblemReceived { job, .. }
            | Mail::JobNews { job, .. }
            | Mail::JobCommented { job, .. }
            | Mail::JobFileAdded { job, .. },
            _,
        ) => format!("{portal}/jobs/{job}"),
        (Mail::FileWithheld { about: Some(about), .. } | Mail::OwnFileWithheld { about: Some(about), .. }, _) => {
            match about {
                DigestSubject::Share(share) => format!("{portal}/shares/{share}"),
                DigestSubject::Job(job) => format!("{portal}/jobs/{job}"),
            }
        }
        (Mail::RegistrationsWaiting { .. }, _) => format!("{portal}/registrations"),
        (Mail::RegistrationReceived { registration, .. }, _) => format!("{portal}/registrations/{registration}"),
        (Mail::PasswordReset | Mail::AddressAwaitsPassword { .. }, Some(token)) => {
            format!("{portal}/reset#{}", token.reveal())
        }
        (_, Some(token)) => format!("{portal}/activate#{}", token.reveal()),
        (_, None) => portal.to_owned(),
    }
}

/// What mail programs read. The one click (RFC 8058) goes to the API, the link in the footer to a page that asks.
fn headers(portal: &str, recipient: &Recipient) -> Vec<(&'static str, String)> {
    // RFC 3834: an answering machine need not answer this.
    let mut headers = vec![("Auto-Submitted", "auto-generated".to_owned())];
    // A header is one line of ASCII (RFC 5322 §2.2); a portal whose address is not is left out.
    let fits = portal.len() < 500 && portal.bytes().all(|b| b.is_ascii_graphic() && !b"<>,".contains(&b));
    if let (Some(token), true) = (&recipient.turn_off, fits) {
        headers.push(("List-Unsubscribe", format!("<{portal}/v1/unsubscribe/{token}>")));
        headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    headers
}

/// Numbers, sizes and times of a mail, as its reader's language writes them.
fn counted(mail: &Mail, operator: &Operator, format: &Format) -> Value {
    let (files, size) = match mail {
        Mail::ShareSent { file_count, total_size, folder_count, .. }
        | Mail::ShareReceived { file_count, total_size, folder_count, .. } => {
            (Some(format.files_in_folders(*file_count, *folder_count)), Some(format.size(*total_size)))
        }
        _ => (None, None),
    };
    let requests = match mail {
        Mail::RegistrationReceived { waiting, .. } | Mail::RegistrationsWaiting { waiting, .. } => {
            Some(format.requests((*waiting).max(1)))
        }
        _ => None,
    };
    let expires_at = match mail {
        Mail::ContactInvitation { expires_at, .. }
        | Mail::StaffInvitation { expires_at, .. }
        | Mail::RegistrationAccepted { expires_at, .. }
        | Mail::AddressAwaitsPassword { expires_at, .. } => Some(*expires_at),
        Mail::ShareSent { expires_at, .. } | Mail::FilesAdded { expires_at, .. } => *expires_at,
        _ => None,
    };
    let expires_at = expires_at.map(|at| format.time(at, &operator.time_zone));
    let status = match mail {
        Mail::JobNews { status: Some(status), status_label, .. } => {
            Some(status_label.as_ref().map_or_else(|| format.status(*status).to_owned(), Label::to_string))
        }
        _ => None,
    };
    context! { files, size, requests, expires_at, status }
}

/// What a mail tells of, if that is several things: a line each.
fn list(mail: &Mail, format: &Format) -> Vec<String> {
    let (news, more) = match mail {
        Mail::Digest { news } => {
            let line = |entry: &DigestEntry| match &entry.from {
                Some(from) => format!("{} – {from}", entry.title),
                None => entry.title.to_string(),
            };
            return news.iter().map(line).collect();
        }
        Mail::CustomerNews { news, more, .. } | Mail::RegistrationsWaiting { news, more, .. } => (news, *more),
        _ => return Vec::new(),
    };
    let line = |news: &StaffNews| match news {
        StaffNews::FileReturned { title, from, file, .. } | StaffNews::JobFileAdded { title, from, file, .. } => {
            format!("{title}: {file} – {from}")
        }
        StaffNews::FileWithheld { title, from, file } => {
            let title = title.as_ref().map(|title| format!("{title}: ")).unwrap_or_default();
            format!("{title}{file} – {from}: {}", format.withheld())
        }
        StaffNews::ShareReceived { title, from, file_count, .. } => {
            format!("{title} ({}) – {from}", format.files(*file_count))
        }
        StaffNews::AccessRequested { name, company, .. } => format!("{name} – {company}"),
        StaffNews::ProblemReported { title, from, .. } | StaffNews::JobCommented { title, from, .. } => {
            format!("{title} – {from}")
        }
    };
    let further = (more > 0).then(|| format.more(more));
    news.iter().map(line).chain(further).collect()
}

/// What a person wrote to go with the mail, line by line.
fn message(mail: &Mail) -> Vec<String> {
    let message = match mail {
        Mail::ContactInvitation { message, .. }
        | Mail::ShareSent { message, .. }
        | Mail::ShareReceived { message, .. }
        | Mail::RegistrationReceived { message, .. }
        | Mail::RegistrationDeclined { message, .. }
        | Mail::ProblemReported { message, .. }
        | Mail::JobNews { message, .. }
        | Mail::JobCommented { message, .. } => message.as_ref(),
        _ => None,
    };
    message.map(|message| lines(message.as_str())).unwrap_or_default()
}

/// A name and an address as a header has them (RFC 5322 §3.4, RFC 2047 where the name is not ASCII).
#[must_use]
pub fn mailbox(name: &str, address: &str) -> String {
    if name.chars().all(|c| c.is_ascii() && !c.is_ascii_control()) {
        format!("\"{}\" <{address}>", name.replace('\\', r"\\").replace('"', "\\\""))
    } else {
        // An encoded word holds 75 characters at most, and no character may be cut in two.
        let mut words = vec![String::new()];
        for c in name.chars() {
            match words.last_mut() {
                Some(word) if word.len() + c.len_utf8() <= 42 => word.push(c),
                _ => words.push(c.to_string()),
            }
        }
        let words = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        format!("{} <{address}>", words.collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TimeZone;
    use crate::clock::Timestamp;
    use crate::domain::{
        CompanyId, ContactId, InvitationId, JobId, JobStatus, PersonId, PersonName, RecipientId, RegistrationId,
        ShareId, StaffId, Token, Urgency,
    };
    use std::collections::BTreeSet;

    const MARKUP: &str = "Zoë <b>Bold</b>";

    fn every_kind() -> Vec<Mail> {
        let now = Timestamp::UNIX_EPOCH;
        let (contact, company_id) = (ContactId::new(now), CompanyId::new(now));
        let person: PersonId = contact.into();
        let (share, recipient) = (ShareId::new(now), RecipientId::Contact(contact));
        let (invitation, expires_at, registration) = (InvitationId::new(now), now, RegistrationId::new(now));
        let name = || MARKUP.parse::<PersonName>().unwrap();
        let title = || "Report of <b>May</b>".parse::<crate::domain::Title>().unwrap();
        let company = || "Ship & Co".parse::<crate::domain::CompanyName>().unwrap();
        let message = Some("First line\n\n<script>alert(1)</script>".parse().unwrap());
        let job = JobId::new(now);
        let file = || "<b>a</b>.pdf".parse::<crate::domain::FileName>().unwrap();
        let sent = |expires_at| Mail::ShareSent {
            share,
            recipient: recipient.clone(),
            title: title(),
            from: name(),
            message: message.clone(),
            file_count: 3,
            total_size: 4_200_000,
            folder_count: 0,
            expires_at,
        };
        let added = |expires_at| Mail::FilesAdded {
            share,
            recipient: recipient.clone(),
            title: title(),
            from: name(),
            file: file(),
            expires_at,
        };
        vec![
            Mail::ContactInvitation {
                person,
                invitation,
                expires_at,
                company: Some(company()),
                message: message.clone(),
            },
            Mail::ContactInvitation { person, invitation, expires_at, company: None, message: None },
            Mail::StaffInvitation { person: StaffId::new(now).into(), invitation, expires_at },
            sent(Some(now)),
            sent(None),
            added(None),
            added(Some(now)),
            Mail::FilesReturned {
                share,
                title: title(),
                from: name(),
                contact,
                company: company(),
                company_id,
                file: file(),
            },
            Mail::ShareReceived {
                share,
                title: title(),
                from: name(),
                contact,
                company: company(),
                company_id,
                message: message.clone(),
                file_count: 1,
                total_size: 12,
                folder_count: 2,
            },
            Mail::Digest {
                news: vec![
                    DigestEntry { about: DigestSubject::Share(share), title: title(), from: Some(name()) },
                    DigestEntry { about: DigestSubject::Job(job), title: title(), from: None },
                ],
            },
            Mail::AlreadyRegistered,
            Mail::RegistrationReceived {
                registration,
                name: name(),
                company: company(),
                message: message.clone(),
                waiting: 2,
            },
            Mail::CustomerNews { company: company(), news: staff_news(), more: 0 },
            Mail::RegistrationsWaiting { news: staff_news(), more: 7, waiting: 10 },
            Mail::RegistrationAccepted { person, invitation, expires_at, company: company() },
            Mail::RegistrationDeclined { message },
            Mail::RegistrationDeclined { message: None },
            Mail::AccessOpened,
            Mail::AccessClosed,
            Mail::PasswordReset,
            Mail::PasswordChanged,
            Mail::AddressRemoved,
            Mail::AddressAdded,
            Mail::AddressAwaitsPassword { person, epoch: 1, expires_at },
            Mail::SignInsFailed,
        ]
        .into_iter()
        .chain(about_jobs())
        .chain(about_finds())
        .collect()
    }

    fn staff_news() -> Vec<StaffNews> {
        let now = Timestamp::UNIX_EPOCH;
        let (share, job, registration) = (ShareId::new(now), JobId::new(now), RegistrationId::new(now));
        let from = || MARKUP.parse::<PersonName>().unwrap();
        let title = || "Report of <b>May</b>".parse::<crate::domain::Title>().unwrap();
        let file = || "<b>a</b>.pdf".parse::<crate::domain::FileName>().unwrap();
        vec![
            StaffNews::FileReturned { share, title: title(), from: from(), file: file() },
            StaffNews::ShareReceived { share, title: title(), from: from(), file_count: 1 },
            StaffNews::FileWithheld { title: Some(title()), from: from(), file: file() },
            StaffNews::AccessRequested { registration, name: from(), company: "Ship & Co".parse().unwrap() },
            StaffNews::ProblemReported { job, title: title(), from: from() },
            StaffNews::JobCommented { job, title: title(), from: from() },
            StaffNews::JobFileAdded { job, title: title(), from: from(), file: file() },
        ]
    }

    /// What scans have found.
    fn about_finds() -> Vec<Mail> {
        let now = Timestamp::UNIX_EPOCH;
        let title: crate::domain::Title = "Report of <b>May</b>".parse().unwrap();
        let file: crate::domain::FileName = "<b>a</b>.pdf".parse().unwrap();
        let (company, company_id) = ("Ship & Co".parse().unwrap(), CompanyId::new(now));
        let about = Some(DigestSubject::Share(ShareId::new(now)));
        let told = |company, company_id| Mail::FileWithheld {
            about,
            title: Some(title.clone()),
            file: file.clone(),
            from: MARKUP.parse().unwrap(),
            company,
            company_id,
        };
        let own = Mail::OwnFileWithheld { about, title: Some(title.clone()), file: file.clone() };
        vec![told(Some(company), Some(company_id)), told(None, None), own]
    }

    #[test]
    fn a_find_in_a_photo_without_a_report_is_told_without_one() {
        for (language, _) in LANGUAGES {
            let file: crate::domain::FileName = "door.jpg".parse().unwrap();
            let letter = write(&operator(), Mail::OwnFileWithheld { about: None, title: None, file }, language);
            assert!(
                letter.text.contains("door.jpg") && letter.text.contains("\nhttps://portal.example\n"),
                "{}",
                letter.text
            );
        }
        let job = JobId::new(Timestamp::UNIX_EPOCH);
        let (about, file) = (Some(DigestSubject::Job(job)), "door.jpg".parse().unwrap());
        let letter =
            write(&operator(), Mail::OwnFileWithheld { about, title: Some("Door".parse().unwrap()), file }, "en");
        assert!(letter.text.contains(&format!("https://portal.example/jobs/{job}\n")), "{}", letter.text);
    }

    fn about_jobs() -> Vec<Mail> {
        let now = Timestamp::UNIX_EPOCH;
        let (job, contact, company_id) = (JobId::new(now), ContactId::new(now), CompanyId::new(now));
        let name = || MARKUP.parse::<PersonName>().unwrap();
        let title = || "Door <b>open</b>".parse::<crate::domain::Title>().unwrap();
        let company = || "Ship & Co".parse::<crate::domain::CompanyName>().unwrap();
        let file = || "<b>a</b>.pdf".parse::<crate::domain::FileName>().unwrap();
        let told: Option<crate::domain::Message> = Some("First line\n\n<script>alert(1)</script>".parse().unwrap());
        vec![
            Mail::ProblemReported {
                job,
                title: title(),
                from: name(),
                contact,
                company: company(),
                company_id,
                about: title(),
                urgency: Urgency::Urgent,
                message: told.clone(),
            },
            Mail::ProblemReceived { job, title: title() },
            Mail::JobNews {
                job,
                title: title(),
                status: Some(JobStatus::Done),
                status_label: None,
                message: told.clone(),
            },
            Mail::JobNews { job, title: title(), status: None, status_label: None, message: told.clone() },
            Mail::JobCommented {
                job,
                title: title(),
                from: name(),
                contact,
                company: company(),
                company_id,
                message: told,
            },
            Mail::JobFileAdded {
                job,
                title: title(),
                from: name(),
                contact,
                company: company(),
                company_id,
                file: file(),
            },
        ]
    }

    fn operator() -> Operator {
        Operator {
            name: "Müller & Söhne".to_owned(),
            portal_url: "https://portal.example".to_owned(),
            support_email: None,
            time_zone: TimeZone::UTC,
            logo: None,
        }
    }

    /// Whether it tells the staff of what came after another mail.
    fn is_sequel(mail: &Mail) -> bool {
        matches!(mail, Mail::CustomerNews { .. } | Mail::RegistrationsWaiting { .. })
    }

    /// Where the button of a kind leads, up to an id or a token.
    fn opens(kind: &str) -> &'static str {
        match kind {
            "contact_invitation" | "staff_invitation" | "registration_accepted" => "/activate#",
            "password_reset" => "/reset#",
            "share_sent" | "files_added" => "/open#",
            "files_returned" | "share_received" | "file_withheld" | "own_file_withheld" => "/shares/shr_",
            "problem_reported" | "problem_received" | "job_news" | "job_commented" | "job_file_added" => "/jobs/job_",
            "registration_received" => "/registrations/reg_",
            "registrations_waiting" => "/registrations\n",
            _ => "\n",
        }
    }

    fn recipient(to: &str, name: Option<&str>, language: &str) -> Recipient {
        Recipient {
            to: to.parse().unwrap(),
            language: language.parse().unwrap(),
            name: name.map(|name| name.parse().unwrap()),
            is_customer: true,
            reply_to: None,
            token: None,
            turn_off: None,
        }
    }

    fn write(operator: &Operator, mail: Mail, language: &str) -> RenderedMail {
        write_to(Some("Zoë"), operator, mail, language)
    }

    fn write_to(name: Option<&str>, operator: &Operator, mail: Mail, language: &str) -> RenderedMail {
        let recipient = Recipient {
            token: opens(mail.kind()).contains('#').then(Token::random),
            turn_off: mail.can_be_turned_off().then(|| "sealed".to_owned()),
            ..recipient("zoe@example.com", name, language)
        };
        let (to, language) = (recipient.to.clone(), recipient.language.clone());
        let mail = OutboxMail::new(to, None, language, mail, Timestamp::UNIX_EPOCH);
        MailTemplates::new().unwrap().write(operator, &mail, &recipient, Logo::Attached).unwrap()
    }

    #[test]
    fn every_kind_has_words_in_every_language_and_is_safe_html() {
        for (language, _) in LANGUAGES {
            for mail in every_kind() {
                let (kind, turns_off) = (mail.kind(), mail.can_be_turned_off());
                let letter = write(&operator(), mail, language);
                let link = format!(":\nhttps://portal.example{}", opens(kind));
                assert!(letter.text.contains(&link), "{kind} leads elsewhere: {}", letter.text);
                assert!(letter.html.contains(&format!("lang=\"{language}\"")), "{kind} is not in {language}");
                assert!(!letter.html.contains("<script>") && !letter.html.contains("<b>"), "{}", letter.html);
                assert!(!letter.subject.is_empty() && !letter.subject.contains(['\n', '\u{2028}']));
                assert!(!letter.text.contains("&amp;"), "{}", letter.text);
                assert!(letter.headers.iter().all(|(name, value)| name.is_ascii() && value.is_ascii()));
                assert_eq!(letter.headers.iter().any(|(name, _)| *name == "List-Unsubscribe"), turns_off, "{kind}");
                for part in [&letter.text, &letter.html] {
                    assert_eq!(part.contains("unsubscribe#sealed"), turns_off, "{kind} in {language}: {part}");
                }
            }
        }
    }

    #[test]
    fn every_language_has_the_same_kinds_and_no_others() {
        let kinds: BTreeSet<&str> = every_kind().iter().map(Mail::kind).collect();
        for (language, tongue) in MailTemplates::new().unwrap().tongues {
            let words: BTreeSet<&str> = tongue.kinds.keys().map(String::as_str).collect();
            assert_eq!(words, kinds, "mails/{language}.toml");
        }
    }

    #[test]
    fn a_person_reads_its_own_language_or_the_nearest_there_is() {
        for (wanted, read) in [("de-AT", "de"), ("NL", "nl"), ("pt-BR", "en")] {
            let letter = write(&operator(), Mail::SignInsFailed, wanted);
            assert!(letter.html.contains(&format!("lang=\"{read}\"")), "{wanted}");
        }
    }

    #[test]
    fn a_greeting_without_a_name_has_no_gap() {
        for (language, greeting) in
            [("en", "Hello,"), ("de", "Guten Tag,"), ("fr", "Bonjour,"), ("nl", "Goedendag,"), ("es", "Hola:")]
        {
            let to_staff = |mail: &Mail| {
                let alone = matches!(mail, Mail::ProblemReported { .. } | Mail::FileWithheld { .. });
                mail.bundled().is_some() || is_sequel(mail) || alone
            };
            for mail in every_kind().into_iter().filter(|mail| !to_staff(mail)) {
                let letter = write_to(None, &operator(), mail, language);
                assert!(letter.text.lines().any(|line| line == greeting), "{}", letter.text);
            }
        }
    }

    /// A line that nobody but the portal writes.
    const FORGED: &str = "Forged: pay here";

    /// What people type to leave their place; `~` stands for the forged line.
    const HOSTILE: [&str; 8] =
        ["a\r~", "a\n~", "a\u{2028}~", "a\u{2029}~", "a\u{85}~", "a\u{b}~", "a\u{c}~", "a\u{202e}\u{2066}\u{200b}~"];

    #[test]
    fn no_text_of_a_stranger_leaves_its_line_or_its_quote() {
        for hostile in HOSTILE.map(|text| text.replace('~', FORGED)) {
            // As a row of before these rules could still have it.
            let typed = |mail: Mail| {
                let mail = serde_json::to_string(&mail).unwrap();
                let hostile = serde_json::to_string(&hostile).unwrap();
                serde_json::from_str::<Mail>(&mail.replace("<b>a</b>.pdf", hostile.trim_matches('"'))).unwrap()
            };
            let message: Option<crate::domain::Message> = hostile.parse().ok();
            for (language, _) in LANGUAGES {
                for mut mail in every_kind().into_iter().map(typed) {
                    if let (
                        Mail::ShareReceived { message: place, .. } | Mail::RegistrationReceived { message: place, .. },
                        Some(message),
                    ) = (&mut mail, &message)
                    {
                        *place = Some(message.clone());
                    }
                    let letter = write(&operator(), mail, language);
                    let ends =
                        |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
                    for part in [&letter.text, &letter.subject, &letter.html] {
                        assert!(!part.split(ends).any(|line| line.trim_start().starts_with(FORGED)), "{part}");
                        assert!(!part.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\r']), "{part}");
                    }
                }
            }
        }
    }

    #[test]
    fn whatever_comes_into_a_template_stays_on_its_line() {
        let templates = MailTemplates::new().unwrap().templates;
        for hostile in HOSTILE.map(|text| text.replace('~', FORGED)) {
            let line = templates.render_str("{{ a }}|{{ b }}", context! { a => hostile, b => [&hostile] }).unwrap();
            assert!(
                !line
                    .contains(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}', '\u{202e}', '\u{200b}']),
                "{line:?}"
            );
        }
    }

    #[test]
    fn subject_and_heading_to_the_staff_begin_with_the_portals_own_words() {
        for mail in every_kind().into_iter().filter(|mail| mail.bundled().is_some() || is_sequel(mail)) {
            for (language, _) in LANGUAGES {
                let letter = write(&operator(), mail.clone(), language);
                for line in [letter.subject.as_str(), letter.text.lines().next().unwrap_or_default()] {
                    assert!(!["Zoë", "Ship", "Report", "<b>"].iter().any(|typed| line.starts_with(typed)), "{line}");
                }
            }
        }
    }

    #[test]
    fn empty_lines_of_a_message_stay_and_stay_quoted() {
        let sent = every_kind().into_iter().find(|mail| matches!(mail, Mail::ShareSent { .. })).unwrap();
        let letter = write(&operator(), sent, "en");
        assert!(
            letter.text.contains("\n> First line\n>\n> <script>alert(1)</script>\n\nOpen report:\n"),
            "{}",
            letter.text
        );
        assert!(letter.html.contains(">First line</p>") && letter.html.contains(">&nbsp;</p>"), "{}", letter.html);
    }

    #[test]
    fn numbers_sizes_and_times_are_written_as_the_language_writes_them() {
        let tongues = MailTemplates::new().unwrap().tongues;
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at: Timestamp = "2026-12-01T22:26:00Z".parse().unwrap();
        for (language, time, size, file, none, many, bytes) in [
            ("en", "1 December 2026 at 23:26 CET", "4.2 MB", "1 file", "0 files", "1,000 files", "12 bytes"),
            ("de", "1. Dezember 2026, 23:26 Uhr (MEZ)", "4,2 MB", "1 Datei", "0 Dateien", "1.000 Dateien", "12 Bytes"),
            (
                "fr",
                "1er décembre 2026 à 23:26 (CET)",
                "4,2 Mo",
                "1 fichier",
                "0 fichier",
                "1\u{202f}000 fichiers",
                "12 octets",
            ),
            (
                "nl",
                "1 december 2026 om 23:26 (CET)",
                "4,2 MB",
                "1 bestand",
                "0 bestanden",
                "1.000 bestanden",
                "12 bytes",
            ),
            (
                "es",
                "1 de diciembre de 2026 a las 23:26 (CET)",
                "4,2 MB",
                "1 archivo",
                "0 archivos",
                "1000 archivos",
                "12 bytes",
            ),
        ] {
            let format = &tongues[language].format;
            let written = [
                format.time(at, &berlin),
                format.size(4_200_000),
                format.files(1),
                format.files(0),
                format.files(1000),
                format.size(12),
            ];
            assert_eq!(written, [time, size, file, none, many, bytes]);
        }
        let sizes = [999, 1000, 999_949, 999_950, 1_000_000_000, 1_234_567_890_000_000];
        let written = sizes.map(|size| tongues["en"].format.size(size));
        assert_eq!(written, ["999 bytes", "1 kB", "999.9 kB", "1 MB", "1 GB", "1,234.6 TB"]);
    }

    #[test]
    fn an_address_is_shown_as_its_owner_writes_it() {
        for (address, shown) in
            [("ann@münchen.example", "ann@münchen.example"), ("ann@xn--pple-43d.com", "ann@xn--pple-43d.com")]
        {
            let recipient = recipient(address, None, "en");
            let mail = OutboxMail::new(
                recipient.to.clone(),
                None,
                recipient.language.clone(),
                Mail::PasswordChanged,
                Timestamp::UNIX_EPOCH,
            );
            let letter = MailTemplates::new().unwrap().write(&operator(), &mail, &recipient, Logo::Attached).unwrap();
            assert!(letter.text.contains(&format!("The password of {shown} was")), "{}", letter.text);
        }
    }

    #[test]
    fn a_daily_mail_lists_what_is_new_a_line_each() {
        let digest = every_kind().into_iter().find(|mail| matches!(mail, Mail::Digest { .. })).unwrap();
        let letter = write(&operator(), digest, "en");
        assert!(
            letter
                .text
                .contains("\n* Report of <b>May</b> – Zoë <b>Bold</b>\n* Report of <b>May</b>\n\nTo the portal:\n"),
            "{}",
            letter.text
        );
        assert!(letter.html.contains("Report of &lt;b&gt;May&lt;&#x2f;b&gt; – Zoë"), "{}", letter.html);
    }

    #[test]
    fn the_operator_shows_its_logo_and_whom_to_ask() {
        let plain = write(&operator(), Mail::SignInsFailed, "en");
        assert!(!plain.html.contains("<img") && !plain.html.contains("mailto:") && !plain.text.contains("Questions?"));
        let support_email = Some("help@example.com".parse().unwrap());
        let operator = Operator { support_email, logo: Some([0].into()), ..operator() };
        let letter = write(&operator, Mail::SignInsFailed, "en");
        assert!(letter.html.contains("src=\"cid:logo\" alt=\"Müller &amp; Söhne\""), "{}", letter.html);
        assert!(letter.html.contains("mailto:help@example.com"), "{}", letter.html);
        assert!(
            letter.text.ends_with("-- \nMüller & Söhne\nQuestions? Write to help@example.com\n"),
            "{}",
            letter.text
        );
    }

    #[test]
    fn a_portal_that_is_not_ascii_comes_into_no_header() {
        let sent = every_kind().into_iter().find(Mail::can_be_turned_off).unwrap();
        let operator = Operator { portal_url: "https://münchen.example".to_owned(), ..operator() };
        let letter = write(&operator, sent, "de");
        assert!(letter.headers.iter().all(|(_, value)| value.is_ascii()));
        assert!(letter.text.contains("https://münchen.example/unsubscribe#sealed"));
    }

    #[test]
    fn a_sender_is_one_header_line_in_ascii() {
        assert_eq!(mailbox("Harbour \"North\"", "p@example.com"), "\"Harbour \\\"North\\\"\" <p@example.com>");
        let long = mailbox(&"Müller und Söhne ".repeat(6), "p@example.com");
        assert!(long.is_ascii() && long.split(' ').all(|word| word.len() <= 75), "{long}");
    }
}
