//! A mail's words: from the templates of its language and the facts of the mail to subject, text and HTML.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::domain::{DigestEntry, Mail, OutboxMail};
use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

use crate::addressing::Recipient;
use crate::operator::Operator;

/// Each language is one file; a new one is a new line here.
const LANGUAGES: [(&str, &str); 5] = [
    ("en", include_str!("../mails/en.toml")),
    ("de", include_str!("../mails/de.toml")),
    ("fr", include_str!("../mails/fr.toml")),
    ("nl", include_str!("../mails/nl.toml")),
    ("es", include_str!("../mails/es.toml")),
];
/// What people read whose language has no file.
const FALLBACK: &str = "en";

/// By what name the HTML finds the logo among the mail's attachments (RFC 2392).
pub(crate) const LOGO: &str = "logo";

/// A template is broken, or lacks a fact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderError {
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
    #[serde(flatten)]
    kinds: HashMap<String, Words>,
}

/// What stands below mails of any kind.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
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
pub(crate) struct MailTemplates {
    templates: Environment<'static>,
    tongues: HashMap<&'static str, Translation>,
}

/// A mail ready to be sent.
#[derive(Debug)]
pub(crate) struct RenderedMail {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// A line of a list, as it is shown.
#[derive(Serialize)]
struct Entry {
    title: String,
    from: String,
}

impl MailTemplates {
    pub(crate) fn new() -> Result<Self, RenderError> {
        let mut templates = Environment::new();
        // A fact that a template names and a mail lacks is a fault, not an empty place.
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_trim_blocks(true);
        templates.set_lstrip_blocks(true);
        templates.add_filter("time", time);
        templates.add_filter("bytes", bytes);
        templates.add_template("layout.html", include_str!("../mails/layout.html"))?;
        templates.add_template("layout.txt", include_str!("../mails/layout.txt"))?;
        let tongues = LANGUAGES.iter().map(|(language, file)| {
            Ok((*language, toml::from_str(file).map_err(|error| RenderError::File(language, error))?))
        });
        let tongues = tongues.collect::<Result<_, RenderError>>()?;
        Ok(Self { templates, tongues })
    }

    pub(crate) fn write(
        &self,
        operator: &Operator,
        mail: &OutboxMail,
        recipient: &Recipient,
    ) -> Result<RenderedMail, RenderError> {
        let (language, common, words) = self.words(&mail.mail, recipient)?;
        let portal = &operator.portal_url;
        let facts = context! { operator => operator.name, portal_url => portal, to => recipient.to, name => recipient.name, mail => mail.mail };
        let fill = |template: &String| self.templates.render_str(template, &facts);
        let fill_all = |templates: &[String]| templates.iter().map(fill).collect::<Result<Vec<_>, _>>();

        let subject = one_line(&fill(&words.subject)?);
        let (heading, button) = (fill(&words.heading)?, fill(&words.button)?);
        let (before, after) = (fill_all(&words.before)?, fill_all(&words.after)?);
        let page = context! {
            language, common, subject, heading, before, button, after,
            list => list(&mail.mail),
            message => message(&mail.mail),
            link => link(portal, &mail.mail, recipient),
            operator => operator.name,
            support => operator.support_email,
            logo => operator.logo.is_some().then_some(LOGO),
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
    fn words(&self, mail: &Mail, recipient: &Recipient) -> Result<(&str, &Common, &Words), RenderError> {
        let kind = mail.kind();
        let tag = recipient.language.as_str().to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or(&tag);
        let words = [tag.as_str(), primary, FALLBACK].into_iter().find_map(|tag| {
            let (language, tongue) = self.tongues.get_key_value(tag)?;
            Some((*language, &tongue.common, tongue.kinds.get(kind)?))
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
        (Mail::RegistrationReceived { registration, .. }, _) => format!("{portal}/registrations/{registration}"),
        (Mail::PasswordReset, Some(token)) => format!("{portal}/reset#{}", token.reveal()),
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

/// One line, whatever a title or a name holds.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a daily mail tells of.
fn list(mail: &Mail) -> Vec<Entry> {
    let Mail::Digest { shares, .. } = mail else { return Vec::new() };
    let entry =
        |entry: &DigestEntry| Entry { title: one_line(entry.title.as_str()), from: one_line(entry.from.as_str()) };
    shares.iter().map(entry).collect()
}

/// What a person wrote to go with the mail, by paragraphs.
fn message(mail: &Mail) -> Vec<String> {
    let message = match mail {
        Mail::ContactInvitation { message, .. }
        | Mail::ShareSent { message, .. }
        | Mail::ShareReceived { message, .. }
        | Mail::RegistrationReceived { message, .. }
        | Mail::RegistrationDeclined { message, .. } => message.as_ref(),
        _ => None,
    };
    let text = message.map(gatehouse::domain::Message::as_str).unwrap_or_default();
    text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// A time in a form that every language reads: `2026-01-31 09:30 UTC`.
fn time(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(|_| at.to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// A size for people: `4.2 MB`.
fn bytes(size: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut size = size as f64;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if size < 1000.0 {
            return if unit == "bytes" { format!("{size} {unit}") } else { format!("{size:.1} {unit}") };
        }
        size /= 1000.0;
    }
    format!("{size:.1} TB")
}

/// A name and an address as a header has them (RFC 5322 §3.4, RFC 2047 where the name is not ASCII).
pub(crate) fn mailbox(name: &str, address: &str) -> String {
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
    use gatehouse::domain::{
        ContactId, Email, InvitationId, PersonId, PersonName, RecipientId, RegistrationId, ShareId, StaffId, Token,
    };
    use std::collections::BTreeSet;

    fn every_kind() -> Vec<Mail> {
        let now = Timestamp::UNIX_EPOCH;
        let contact = ContactId::new(now);
        let person: PersonId = contact.into();
        let (share, recipient) = (ShareId::new(now), RecipientId::Contact(contact));
        let (invitation, expires_at) = (InvitationId::new(now), now);
        let name = || "Zoë <b>Bold</b>".parse::<PersonName>().unwrap();
        let title = || "Report\u{2028}of <b>May</b>".parse::<gatehouse::domain::Title>().unwrap();
        let company = || "Ship & Co".parse::<gatehouse::domain::CompanyName>().unwrap();
        let message = Some("First line\n\n<script>alert(1)</script>".parse().unwrap());
        let file = || "<b>a</b>.pdf".parse::<gatehouse::domain::FileName>().unwrap();
        let sent = |name, expires_at| Mail::ShareSent {
            share,
            recipient: recipient.clone(),
            title: title(),
            name,
            from: "Sam".parse().unwrap(),
            message: message.clone(),
            file_count: 3,
            total_size: 4_200_000,
            expires_at,
        };
        let added = |name, expires_at| Mail::FilesAdded {
            share,
            recipient: recipient.clone(),
            title: title(),
            name,
            from: "Sam".parse().unwrap(),
            file: file(),
            expires_at,
        };
        vec![
            Mail::ContactInvitation {
                person,
                invitation,
                expires_at,
                name: name(),
                company: company(),
                message: message.clone(),
            },
            Mail::StaffInvitation {
                person: StaffId::new(now).into(),
                invitation,
                expires_at,
                name: "Sam".parse().unwrap(),
            },
            sent(Some(name()), Some(now)),
            sent(None, None),
            added(Some(name()), None),
            added(None, Some(now)),
            Mail::FilesReturned { share, title: title(), from: name(), company: company(), file: file() },
            Mail::ShareReceived {
                share,
                title: title(),
                from: name(),
                company: company(),
                message: message.clone(),
                file_count: 1,
                total_size: 12,
            },
            Mail::Digest { name: name(), shares: vec![DigestEntry { share, title: title(), from: name() }] },
            Mail::AlreadyRegistered { name: name() },
            Mail::RegistrationReceived {
                registration: RegistrationId::new(now),
                name: name(),
                company: company(),
                message: message.clone(),
            },
            Mail::RegistrationAccepted { person, invitation, expires_at, name: name(), company: company() },
            Mail::RegistrationDeclined { name: name(), message },
            Mail::RegistrationDeclined { name: name(), message: None },
            Mail::AccessOpened { name: name() },
            Mail::AccessClosed { name: name() },
            Mail::PasswordReset,
            Mail::PasswordChanged { name: name() },
            Mail::SignInsFailed,
        ]
    }

    fn operator() -> Operator {
        Operator {
            name: "Müller & Söhne".to_owned(),
            portal_url: "https://portal.example".to_owned(),
            support_email: None,
            logo: None,
        }
    }

    /// Where the button of a kind leads, up to an id or a token.
    fn opens(kind: &str) -> &'static str {
        match kind {
            "contact_invitation" | "staff_invitation" | "registration_accepted" => "/activate#",
            "password_reset" => "/reset#",
            "share_sent" | "files_added" => "/open#",
            "files_returned" | "share_received" => "/shares/shr_",
            "registration_received" => "/registrations/reg_",
            _ => "\n",
        }
    }

    fn write(operator: &Operator, mail: Mail, language: &str) -> RenderedMail {
        let (to, language): (Email, gatehouse::domain::Language) =
            ("zoe@example.com".parse().unwrap(), language.parse().unwrap());
        let recipient = Recipient {
            to: to.clone(),
            language: language.clone(),
            name: Some("Zoë".parse().unwrap()),
            token: opens(mail.kind()).contains('#').then(Token::random),
            turn_off: mail.can_be_turned_off().then(|| "sealed".to_owned()),
        };
        let mail = OutboxMail::new(to, None, language, mail, Timestamp::UNIX_EPOCH);
        MailTemplates::new().unwrap().write(operator, &mail, &recipient).unwrap()
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
            let nameless = every_kind().into_iter().filter(|mail| {
                matches!(mail, Mail::ShareSent { name: None, .. } | Mail::FilesAdded { name: None, .. })
            });
            for mail in nameless {
                let letter = write(&operator(), mail, language);
                assert!(letter.text.lines().any(|line| line == greeting), "{}", letter.text);
            }
        }
    }

    #[test]
    fn a_daily_mail_lists_what_is_new_a_line_each() {
        let digest = every_kind().into_iter().find(|mail| matches!(mail, Mail::Digest { .. })).unwrap();
        let letter = write(&operator(), digest, "en");
        assert!(
            letter.text.contains("\n* Report of <b>May</b> – Zoë <b>Bold</b>\n\nTo the portal:\n"),
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
