//! Activity as a spreadsheet takes it: UTF-8 with a byte order mark and CRLF (RFC 4180), names beside ids, every row; in
//! parts, each as large as one response may be.

use std::collections::{BTreeMap, BTreeSet};

use csv::{QuoteStyle, Terminator, WriterBuilder};
use futures_util::try_join;
use gatehouse::domain::{Activity as Record, ActivityId, CompanyId, ContactId, FileId, Share, ShareId};
use gatehouse::http::{ApiRequest, ApiResponse, Operator, PartQuery, Problem, ResponseRoom};
use lambda_http::Body;
use lambda_http::http::{HeaderValue, header};

use crate::{Activity, Filter, View, list_of};

/// A part has so many rows at most: more would take longer than a caller waits.
const MOST_ROWS: usize = 5_000;
/// So many are read, and their names looked up, at a time.
const ROWS_AT_ONCE: usize = 500;
/// Names of files are looked up for so many files at a time.
const FILES_AT_ONCE: usize = 2_000;

const HEAD: [&str; 17] = [
    "at",
    "kind",
    "actor_id",
    "actor_name",
    "company_id",
    "company_name",
    "contact_id",
    "contact_name",
    "share_id",
    "share_title",
    "files",
    "file_names",
    "by_link",
    "same_person",
    "target_id",
    "changed",
    "count",
];

/// What things are called now. What is no more has no name.
#[derive(Default)]
struct Names {
    companies: BTreeMap<CompanyId, String>,
    contacts: BTreeMap<ContactId, String>,
    shares: BTreeMap<ShareId, String>,
    files: BTreeMap<FileId, String>,
}

impl Activity {
    /// One part of an export, and in its `Link` header where the next one is.
    pub(crate) async fn export(&self, request: &ApiRequest, staff: &Operator) -> Result<ApiResponse, Problem> {
        let (filter, part): (Filter, PartQuery) = request.list_query()?;
        let query = filter.query()?;
        let list = list_of(staff, &query);
        let mut after: Option<ActivityId> = self.gate.after_part(&list, &part).await?;
        let (mut text, mut room) = (line(HEAD.map(str::to_owned))?, ResponseRoom::default());
        text.insert(0, '\u{feff}');
        room.take(&text);
        let (mut names, mut rows) = (Names::default(), 0);
        let next = 'part: loop {
            if rows >= MOST_ROWS {
                break after;
            }
            let (records, next) = self.gate.store.activity(&query, after, ROWS_AT_ONCE, self.gate.now()).await?;
            rows += records.len();
            for records in batches(&records) {
                self.look_up(&mut names, records).await?;
                for record in records {
                    let line = line(names.row(View::from(record.clone()))?)?;
                    if !room.take(&line) {
                        break 'part after;
                    }
                    text.push_str(&line);
                    after = Some(record.id);
                }
            }
            match next {
                // A short page of rare rows ends the part, so that it is answered in time.
                Some(next) if records.len() < ROWS_AT_ONCE => break Some(next),
                Some(next) => after = Some(next),
                None => break None,
            }
        };
        let mut response = ApiResponse::new(Body::Text(text));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"activity.csv\""));
        if let Some(next) = next {
            let link = request.next_link(&self.gate.cursor(&list, &next).await?);
            headers.insert(header::LINK, HeaderValue::from_str(&link).map_err(Problem::internal)?);
        }
        Ok(response)
    }

    /// Learns the names that these records need and that are not known yet.
    async fn look_up(&self, names: &mut Names, records: &[Record]) -> Result<(), Problem> {
        let store = &self.gate.store;
        let companies: BTreeSet<CompanyId> = records.iter().filter_map(|record| record.company_id).collect();
        let contacts: BTreeSet<ContactId> = records.iter().filter_map(|record| record.contact_id).collect();
        let shares: BTreeSet<ShareId> = records.iter().filter_map(|record| record.share_id).collect();
        let files: BTreeSet<(ShareId, FileId)> = records
            .iter()
            .filter_map(|record| Some((record.share_id?, &record.files)))
            .flat_map(|(share, files)| files.iter().map(move |file| (share, *file)))
            .collect();
        let (companies, contacts, shares, files) = try_join!(
            store.companies_of(companies.into_iter().filter(|id| !names.companies.contains_key(id))),
            store.contacts(contacts.into_iter().filter(|id| !names.contacts.contains_key(id))),
            store.shares(shares.into_iter().filter(|id| !names.shares.contains_key(id))),
            store.files_of(files.into_iter().filter(|(_, id)| !names.files.contains_key(id))),
        )?;
        names.companies.extend(companies.into_iter().map(|company| (company.id, company.name.to_string())));
        names.contacts.extend(contacts.into_iter().map(|contact| (contact.id, contact.name.to_string())));
        // What a customer has not sent yet has no name here.
        let shares = shares.into_iter().filter(Share::is_known_to_staff);
        names.shares.extend(shares.map(|share| (share.id, share.title.to_string())));
        let files = files.into_iter().filter(|file| names.shares.contains_key(&file.share_id));
        names.files.extend(files.map(|file| (file.id, file.path())));
        Ok(())
    }
}

/// Records in runs whose files are not too many to be looked up together.
fn batches(records: &[Record]) -> impl Iterator<Item = &[Record]> {
    let mut files = 0;
    records.chunk_by(move |_, next| {
        files += next.files.len();
        let together = files <= FILES_AT_ONCE;
        if !together {
            files = next.files.len();
        }
        together
    })
}

impl Names {
    fn row(&self, view: View) -> Result<[String; 17], Problem> {
        fn id(id: Option<impl ToString>) -> String {
            id.map(|id| id.to_string()).unwrap_or_default()
        }
        fn name<I: Ord>(names: &BTreeMap<I, String>, id: Option<I>) -> String {
            id.and_then(|id| names.get(&id)).cloned().unwrap_or_default()
        }
        let kind = serde_json::to_value(view.kind).map_err(Problem::internal)?;
        let ids: Vec<String> = view.files.iter().map(ToString::to_string).collect();
        let files: Vec<&str> = view.files.iter().filter_map(|id| self.files.get(id)).map(String::as_str).collect();
        Ok([
            view.at.to_string(),
            kind.as_str().unwrap_or_default().to_owned(),
            id(view.actor_id),
            id(view.actor_name),
            id(view.company_id),
            name(&self.companies, view.company_id),
            id(view.contact_id),
            name(&self.contacts, view.contact_id),
            id(view.share_id),
            name(&self.shares, view.share_id),
            ids.join(" "),
            files.join("\n"),
            view.by_link.to_string(),
            view.same_person.to_string(),
            id(view.target_id),
            view.changed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            id(view.count),
        ])
    }
}

/// One line: every cell is quoted, and none is a formula.
fn line(cells: [String; 17]) -> Result<String, Problem> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::with_capacity(512));
    writer.write_record(cells.iter().map(|cell| defused(cell))).map_err(Problem::internal)?;
    let bytes = writer.into_inner().map_err(Problem::internal)?;
    String::from_utf8(bytes).map_err(Problem::internal)
}

/// A cell without formulas (OWASP, "CSV Injection"): what a spreadsheet would take for one gets an apostrophe, at the
/// beginning of the cell and wherever another program may see one begin, which separates cells by something else.
fn defused(cell: &str) -> String {
    let (mut defused, mut begins) = (String::with_capacity(cell.len()), true);
    for c in cell.chars() {
        let starts_formula =
            matches!(c, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}' | '\u{2212}');
        if begins && starts_formula || defused.is_empty() && matches!(c, '\t' | '\r') {
            defused.push('\'');
        }
        defused.push(c);
        begins = matches!(c, ';' | ',' | '|' | '\t' | '\r' | '\n') || begins && (c.is_whitespace() || c == '"');
    }
    defused
}

#[cfg(test)]
mod tests {
    use super::defused;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(defused("=HYPERLINK(\"http://evil.example\")"), "'=HYPERLINK(\"http://evil.example\")");
        assert_eq!(defused("@SUM(1)"), "'@SUM(1)");
        assert_eq!(defused("Ann;=1+1"), "Ann;'=1+1");
        assert_eq!(defused("Ann\t=1+1,-2|+3"), "Ann\t'=1+1,'-2|'+3");
        assert_eq!(defused("Ann; \"=1+1"), "Ann; \"'=1+1");
        assert_eq!(defused("a.txt\n=b.txt"), "a.txt\n'=b.txt");
        assert_eq!(defused(" =1"), " '=1");
        for plain in ["Ann-Marie", "1+1=2", "a@b.example", "Ann (x) = y", ""] {
            assert_eq!(defused(plain), plain);
        }
    }
}
