//! How a language writes numbers, sizes, times and plurals: the part of CLDR that mails need, in each language's file.

use crate::clock::{TimeZone, Timestamp, Zoned};
use crate::domain::JobStatus;
use serde::Deserialize;

/// One language's ways. `{n}`, `{day}` and the like in its texts stand for what is put there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Format {
    /// Between ones and tenths.
    decimal: char,
    /// Between thousands.
    group: char,
    /// From how many digits on thousands are set apart.
    grouped_from: usize,
    /// Up to which number something is one: French counts none like one.
    one_from: u64,
    /// `{day}`, `{month}`, `{year}`, `{time}` and `{zone}`.
    time: String,
    /// The first of a month, where that is not its number.
    first: Option<String>,
    months: [String; 12],
    /// What its readers call a time zone that others call otherwise.
    #[serde(default)]
    zones: std::collections::HashMap<String, String>,
    bytes: Plural,
    /// Thousands of bytes, and so on.
    units: [String; 4],
    files: Plural,
    /// `{files}` stands for how many files.
    in_folders: Plural,
    requests: Plural,
    /// What is not listed any more.
    more: Plural,
    statuses: Statuses,
    /// Of a file: a scan has found something in it.
    withheld: String,
}

/// How far a job has come.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statuses {
    open: String,
    scheduled: String,
    in_progress: String,
    done: String,
    cancelled: String,
}

/// A counted thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plural {
    one: String,
    other: String,
}

impl Format {
    fn plural(&self, plural: &Plural, n: u64) -> String {
        let is_one = (self.one_from..=1).contains(&n);
        let text = if is_one { &plural.one } else { &plural.other };
        text.replace("{n}", &self.number(n))
    }

    /// A whole number.
    pub(super) fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        if digits.len() < self.grouped_from {
            return digits;
        }
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(self.group);
            }
            text.push(digit);
        }
        text
    }

    /// How far a job has come.
    pub(super) fn status(&self, status: JobStatus) -> &str {
        match status {
            JobStatus::Open => &self.statuses.open,
            JobStatus::Scheduled => &self.statuses.scheduled,
            JobStatus::InProgress => &self.statuses.in_progress,
            JobStatus::Done => &self.statuses.done,
            JobStatus::Cancelled => &self.statuses.cancelled,
        }
    }

    /// Of a file: a scan has found something in it.
    pub(crate) fn withheld(&self) -> &str {
        &self.withheld
    }

    /// How many files.
    pub(super) fn files(&self, n: u64) -> String {
        self.plural(&self.files, n)
    }

    /// How many files, and in how many folders they lie, if in any.
    pub(super) fn files_in_folders(&self, files: u64, folders: u64) -> String {
        let files = self.files(files);
        if folders == 0 { files } else { self.plural(&self.in_folders, folders).replace("{files}", &files) }
    }

    /// How many requests for access.
    pub(super) fn requests(&self, n: u64) -> String {
        self.plural(&self.requests, n)
    }

    /// How many more than are listed.
    pub(super) fn more(&self, n: u64) -> String {
        self.plural(&self.more, n)
    }

    /// A size in bytes: `4.2 MB`. Tenths are shown where they are not nought.
    pub(super) fn size(&self, bytes: u64) -> String {
        let (mut unit, mut tenths) = (None, u128::from(bytes) * 10);
        for name in &self.units {
            if tenths < 10_000 {
                break;
            }
            // Rounded from the bytes themselves, so that 999 950 are a megabyte and not a thousand kilobytes.
            (unit, tenths) = (Some(name), (tenths + 500) / 1000);
        }
        let Some(unit) = unit else { return self.plural(&self.bytes, bytes) };
        let whole = self.number(u64::try_from(tenths / 10).unwrap_or(u64::MAX));
        match tenths % 10 {
            0 => format!("{whole} {unit}"),
            tenth => format!("{whole}{}{tenth} {unit}", self.decimal),
        }
    }

    /// A moment where the operator is: `2 December 2026 at 23:26 CET`.
    pub(super) fn time(&self, at: Timestamp, zone: &TimeZone) -> String {
        let at: Zoned = at.to_zoned(zone.clone());
        let month = usize::try_from(at.month() - 1).ok().and_then(|month| self.months.get(month));
        let day = match &self.first {
            Some(first) if at.day() == 1 => first.clone(),
            _ => at.day().to_string(),
        };
        let short = at.strftime("%Z").to_string();
        self.time
            .replace("{day}", &day)
            .replace("{month}", month.map_or("", String::as_str))
            .replace("{year}", &at.year().to_string())
            .replace("{time}", &at.strftime("%H:%M").to_string())
            .replace("{zone}", self.zones.get(&short).unwrap_or(&short))
    }
}
