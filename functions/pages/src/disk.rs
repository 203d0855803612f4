//! The pages from `web/dist`, while somebody works on them: `npm run dev` writes them anew at each change. No release has this.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

use serde::Deserialize;

use crate::bundle::{Bundle, File};

/// Names the folder to take the pages from.
const VARIABLE: &str = "GATEHOUSE_PAGES";

static READ: Mutex<Option<&'static Bundle>> = Mutex::new(None);

#[derive(Deserialize)]
struct Listed {
    folder: String,
    files: Vec<ListedFile>,
}

#[derive(Deserialize)]
struct ListedFile {
    path: String,
    content_type: String,
    is_first: bool,
}

/// What lies on the disk now, if the variable is set. What was read before stays in memory, for it may be on its way.
pub(crate) fn bundle() -> Option<&'static Bundle> {
    let folder = std::env::var_os(VARIABLE)?;
    read(Path::new(&folder)).ok()
}

fn read(folder: &Path) -> io::Result<&'static Bundle> {
    let listed: Listed = serde_json::from_str(&fs::read_to_string(folder.join("bundle.json"))?)?;
    let mut last = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bundle) = last.filter(|bundle| bundle.folder == listed.folder) {
        return Ok(bundle);
    }
    let files = listed.files.into_iter().map(|ListedFile { path, content_type, is_first }| {
        let bytes = |end: &str| Ok::<&'static [u8], io::Error>(fs::read(folder.join(path.clone() + end))?.leak());
        let (plain, brotli, gzip) = (bytes("")?, bytes(".br")?, bytes(".gz")?);
        Ok(File { path: path.leak(), content_type: content_type.leak(), is_first, plain, brotli, gzip })
    });
    let files = files.collect::<io::Result<Vec<_>>>()?;
    let bundle = Box::leak(Box::new(Bundle { folder: listed.folder.leak(), files: files.leak() }));
    *last = Some(bundle);
    Ok(bundle)
}
