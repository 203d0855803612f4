//! A mail's words: from the templates of its language and the facts of the mail to subject, text and HTML.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::domain::{Mail, OutboxMail, Token};
use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Deserialize;

use crate::Recipient;

/// Each language is one file; a new one is a new line here.
const LANGUAGES: [(&str, &str); 1] = [("en", include_str!("../mails/en.toml"))];
/// What people read whose language has no file.
const FALLBACK: &str = "en";

/// A template is broken, or lacks a fact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LetterError {
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
pub(crate) struct Letters {
    templates: Environment<'static>,
    words: HashMap<&'static str, HashMap<String, Words>>,
    operator: String,
    portal_url: String,
}

/// A mail ready to be sent.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Letters {
    pub(crate) fn new(operator: &str, portal_url: &str) -> Result<Self, LetterError> {
        let mut templates = Environment::new();
        // A fact that a template names and a mail lacks is a fault, not an empty place.
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_trim_blocks(true);
        templates.set_lstrip_blocks(true);
        templates.add_filter("time", time);
        templates.add_filter("bytes", bytes);
        templates.add_template("layout.html", include_str!("../mails/layout.html"))?;
        templates.add_template("layout.txt", include_str!("../mails/layout.txt"))?;
        let words = LANGUAGES.iter().map(|(language, file)| {
            Ok((*language, toml::from_str(file).map_err(|error| LetterError::File(language, error))?))
        });
        let words = words.collect::<Result<_, LetterError>>()?;
        Ok(Self { templates, words, operator: operator.to_owned(), portal_url: portal_url.to_owned() })
    }

    pub(crate) fn write(
        &self,
        mail: &OutboxMail,
        recipient: &Recipient,
        token: Option<&Token>,
    ) -> Result<Letter, LetterError> {
        let (language, words) = self.words(&mail.mail, recipient)?;
        let link = self.link(&mail.mail, token);
        let facts = context! { operator => self.operator, portal_url => self.portal_url, to => recipient.to, name => recipient.name, mail => mail.mail };
        let fill = |template: &String| self.templates.render_str(template, &facts);
        let fill_all = |templates: &[String]| templates.iter().map(fill).collect::<Result<Vec<_>, _>>();

        // A subject is one line, whatever a title or a name holds.
        let subject = fill(&words.subject)?.split_whitespace().collect::<Vec<_>>().join(" ");
        let (heading, button) = (fill(&words.heading)?, fill(&words.button)?);
        let (before, after) = (fill_all(&words.before)?, fill_all(&words.after)?);
        let message = message(&mail.mail);
        let page =
            context! { language, subject, heading, before, message, button, link, after, operator => self.operator };
        Ok(Letter {
            text: self.templates.get_template("layout.txt")?.render(&page)?,
            html: self.templates.get_template("layout.html")?.render(&page)?,
            subject,
        })
    }

    /// The words in the person's language; `pt-BR` is content with `pt`, and everybody with the fallback.
    fn words(&self, mail: &Mail, recipient: &Recipient) -> Result<(&str, &Words), LetterError> {
        let kind = mail.kind();
        let tag = recipient.language.as_str();
        let primary = tag.split('-').next().unwrap_or(tag);
        let words = [tag, primary, FALLBACK].into_iter().find_map(|tag| {
            let (language, words) = self.words.get_key_value(tag)?;
            Some((*language, words.get(kind)?))
        });
        words.ok_or(LetterError::Kind(kind))
    }

    /// Where the button leads. A token stands in the fragment, which a browser sends to no server.
    fn link(&self, mail: &Mail, token: Option<&Token>) -> String {
        let portal = &self.portal_url;
        match (mail, token) {
            (Mail::ShareSent { share, .. }, _) => format!("{portal}/shares/{share}"),
            (Mail::RegistrationReceived { registration, .. }, _) => format!("{portal}/registrations/{registration}"),
            (Mail::PasswordReset, Some(token)) => format!("{portal}/reset#{}", token.reveal()),
            (_, Some(token)) => format!("{portal}/activate#{}", token.reveal()),
            (_, None) => portal.clone(),
        }
    }
}

/// What a person wrote to go with the mail, by paragraphs.
fn message(mail: &Mail) -> Vec<String> {
    let message = match mail {
        Mail::ContactInvitation { message, .. }
        | Mail::ShareSent { message, .. }
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
    use gatehouse::domain::{ContactId, Email, InvitationId, PersonId, RegistrationId, ShareId, StaffId};

    fn every_kind() -> Vec<Mail> {
        let now = Timestamp::UNIX_EPOCH;
        let person: PersonId = ContactId::new(now).into();
        let (invitation, expires_at) = (InvitationId::new(now), now);
        let name = || "Zoë <b>Bold</b>".parse::<gatehouse::domain::PersonName>().unwrap();
        let message = Some("First line\n\n<script>alert(1)</script>".parse().unwrap());
        vec![
            Mail::ContactInvitation {
                person,
                invitation,
                expires_at,
                name: name(),
                company: "Ship & Co".parse().unwrap(),
                message: message.clone(),
            },
            Mail::StaffInvitation {
                person: StaffId::new(now).into(),
                invitation,
                expires_at,
                name: "Sam".parse().unwrap(),
            },
            Mail::ShareSent {
                share: ShareId::new(now),
                title: "Report\u{2028}of May".parse().unwrap(),
                name: "Zoë".parse().unwrap(),
                from: "Sam".parse().unwrap(),
                message: message.clone(),
                file_count: 3,
                total_size: 4_200_000,
                expires_at: Some(now),
            },
            Mail::AlreadyRegistered { name: name() },
            Mail::RegistrationReceived {
                registration: RegistrationId::new(now),
                name: name(),
                company: "Ship & Co".parse().unwrap(),
                message: message.clone(),
            },
            Mail::RegistrationAccepted {
                person,
                invitation,
                expires_at,
                name: name(),
                company: "Ship & Co".parse().unwrap(),
            },
            Mail::RegistrationDeclined { name: name(), message },
            Mail::AccessOpened { name: name() },
            Mail::AccessClosed { name: name() },
            Mail::PasswordReset,
            Mail::PasswordChanged { name: name() },
            Mail::SignInsFailed,
        ]
    }

    #[test]
    fn every_kind_has_words_in_every_language_and_is_safe_html() {
        let letters = Letters::new("Müller & Söhne", "https://portal.example").unwrap();
        let token = Token::random();
        for (language, _) in LANGUAGES {
            for mail in every_kind() {
                let kind = mail.kind();
                let to = "zoe@example.com".parse().unwrap();
                let to: Email = to;
                let recipient = Recipient {
                    to: to.clone(),
                    language: language.parse().unwrap(),
                    name: Some("Zoë".parse().unwrap()),
                };
                let mail = OutboxMail::new(to, None, language.parse().unwrap(), mail, Timestamp::UNIX_EPOCH);
                let letter = letters.write(&mail, &recipient, Some(&token)).unwrap();
                assert!(letter.html.contains(&format!("lang=\"{language}\"")), "{kind} is not in {language}");
                assert!(!letter.html.contains("<script>") && !letter.html.contains("<b>"), "{}", letter.html);
                assert!(!letter.subject.is_empty() && !letter.subject.contains(['\n', '\u{2028}']));
                assert!(letter.text.contains("https://portal.example"), "{}", letter.text);
                assert!(!letter.text.contains("&amp;"), "{}", letter.text);
            }
        }
    }

    #[test]
    fn a_sender_is_one_header_line_in_ascii() {
        assert_eq!(mailbox("Harbour \"North\"", "p@example.com"), "\"Harbour \\\"North\\\"\" <p@example.com>");
        let long = mailbox(&"Müller und Söhne ".repeat(6), "p@example.com");
        assert!(long.is_ascii() && long.split(' ').all(|word| word.len() <= 75), "{long}");
    }
}
