//! The one HTML document: what it loads, and what it has in it so that nothing more need be asked.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::bundle::{File, bundle};
use crate::face::Face;

/// What the pages begin with, for `web/src/boot.ts`.
#[derive(Serialize)]
struct Boot<'a> {
    portal: &'a Face,
    language: &'a str,
    /// Where the files of the pages are.
    folder: &'a str,
    /// The texts of the language.
    messages: &'a RawValue,
}

/// What a page will ask the API for at once: the browser does while it still reads the scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preload {
    Nothing,
    Me,
    /// Whoever begins at the list of shares.
    Inbox,
}

/// The document. None, if the pages do not speak the language.
pub(crate) fn html(face: &Face, language: &str, preload: Preload) -> serde_json::Result<Option<String>> {
    let Some(messages) = bundle().file(&format!("messages/{language}.json")) else { return Ok(None) };
    let boot =
        Boot { portal: face, language, folder: bundle().folder, messages: serde_json::from_slice(messages.plain)? };
    // In a script element nothing ends the text but its end tag.
    let boot = serde_json::to_string(&boot)?.replace('<', "\\u003c");
    let (folder, operator) = (bundle().folder, escaped(&face.operator));
    let mut head = format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">\
         <title>{operator}</title><link rel=\"icon\" href=\"{ICON}\">\
         <link rel=\"stylesheet\" href=\"/a/{folder}/app.css\">"
    );
    for File { path, .. } in bundle().files.iter().filter(|file| file.is_first) {
        let _ = write!(head, "<link rel=\"modulepreload\" href=\"/a/{folder}/{path}\">");
    }
    let asked: &[&str] = match preload {
        Preload::Nothing => &[],
        Preload::Me => &["/v1/me"],
        Preload::Inbox => &["/v1/me", "/v1/shares?limit=25"],
    };
    for address in asked {
        let _ = write!(head, "<link rel=\"preload\" as=\"fetch\" crossorigin href=\"{address}\">");
    }
    Ok(Some(format!(
        "{head}<script type=\"module\" src=\"/a/{folder}/main.js\"></script></head><body><div id=\"app\"></div>\
         <noscript>{operator}: JavaScript</noscript>\
         <script type=\"application/json\" id=\"boot\">{boot}</script></body></html>"
    )))
}

/// A dot in the accent, as long as nobody has anything unread; the browser draws none otherwise, and asks for one.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' \
                    height='16' rx='4' fill='%232c5dbd'/%3E%3Cpath d='M4 5h8v6H4z' fill='%23fff'/%3E%3C/svg%3E";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(operator: &str) -> Face {
        Face { operator: operator.to_owned(), logo: None, languages: Vec::new(), support_email: None, picture: None }
    }

    #[test]
    fn a_name_that_looks_like_markup_is_text() {
        let page = html(&face("</script><b>\"&"), "en", Preload::Inbox).unwrap().unwrap();
        assert!(page.contains("<title>&lt;/script&gt;&lt;b&gt;&quot;&amp;</title>"));
        assert!(page.contains(r#""operator":"\u003c/script>\u003cb>\"&""#));
        assert_eq!(page.matches("</script>").count(), 2);
    }

    #[test]
    fn a_language_that_nobody_has_written_is_none() {
        assert!(html(&face("Northgate"), "pt", Preload::Nothing).unwrap().is_none());
    }
}
