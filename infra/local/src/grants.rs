//! Which grants of template.yaml were of use, over all stories: each process of one run of cargo adds its own to a file,
//! and the last test of that run reads them all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use gatehouse_template::Grant;
use serde::{Deserialize, Serialize};

/// One line of a process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Line {
    /// Its program, and what that was asked to do: a test program may be asked for some tests only.
    Began(Vec<String>),
    /// A function needed this word of this statement.
    Used {
        /// The function.
        function: String,
        /// The statement.
        sid: String,
        /// `dynamodb:GetItem`, `Table.Arn`, `con_*`
        word: String,
    },
    /// A function asked for what nothing grants.
    Refused(String),
}

static WRITTEN: Mutex<(BTreeSet<Line>, Option<File>)> = Mutex::new((BTreeSet::new(), None));

/// Where the files are, and how the names of this run's begin: by the cargo that started this process. Nothing is written
/// where `GATEHOUSE_GRANTS` does not say where.
fn run() -> Option<(PathBuf, String)> {
    let folder = PathBuf::from(std::env::var_os("GATEHOUSE_GRANTS")?);
    let cargo = parent_id();
    // Process ids come again. The time of its start is the 20th field after the name, which is in parentheses (proc(5)).
    let stat = fs::read_to_string(format!("/proc/{cargo}/stat")).unwrap_or_default();
    let began = stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(19)).unwrap_or_default();
    Some((folder, format!("{cargo}-{began}-")))
}

pub(crate) fn used(function: &str, words: &[Grant]) {
    for Grant { sid, word } in words {
        write(Line::Used { function: function.to_owned(), sid: sid.clone(), word: word.clone() });
    }
}

pub(crate) fn refused(denial: &str) {
    write(Line::Refused(denial.to_owned()));
}

/// Each line once. What cannot be written is missing in the end, and the test says so.
fn write(line: Line) {
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    let (lines, file) = &mut *written;
    if !lines.insert(line.clone()) {
        return;
    }
    if file.is_none() {
        let Some(opened) = open() else { return };
        *file = Some(opened);
    }
    if let (Some(file), Ok(line)) = (file, serde_json::to_string(&line)) {
        drop(writeln!(file, "{line}"));
    }
}

fn open() -> Option<File> {
    let (folder, run) = run()?;
    fs::create_dir_all(&folder).ok()?;
    // Of the runs before, nobody asks any more.
    for old in fs::read_dir(&folder).ok()?.filter_map(Result::ok) {
        let is_old = old
            .metadata()
            .and_then(|file| file.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() > 86_400));
        if is_old {
            drop(fs::remove_file(old.path()));
        }
    }
    let mut file = File::create(folder.join(format!("{run}{}", std::process::id()))).ok()?;
    let began = serde_json::to_string(&Line::Began(std::env::args().collect())).ok()?;
    writeln!(file, "{began}").ok()?;
    Some(file)
}

/// What the processes of this run of cargo have written: a list for each, beginning with what the process was.
#[must_use]
pub fn of_this_run() -> Vec<Vec<Line>> {
    let Some((folder, run)) = run() else { return Vec::new() };
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let ours = files.filter(|file| file.file_name().to_string_lossy().starts_with(&run));
    let texts = ours.filter_map(|file| fs::read_to_string(file.path()).ok());
    texts.map(|text| text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()).collect()
}
