//! What `build.rs` has made of `web/`.

use crate::encoding::Encoding;

/// The files that the pages load, in one folder whose name is another when any of them is.
pub(crate) struct Bundle {
    pub(crate) folder: &'static str,
    pub(crate) files: &'static [File],
}

/// A file, and the same compressed.
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    /// Whether every page needs it: the browser begins with it at once.
    pub(crate) is_first: bool,
    pub(crate) plain: &'static [u8],
    pub(crate) brotli: &'static [u8],
    pub(crate) gzip: &'static [u8],
}

static BUILT_IN: Bundle = include!(concat!(env!("OUT_DIR"), "/web/dist/bundle.rs"));

/// The pages: those that were built in.
pub(crate) fn bundle() -> &'static Bundle {
    #[cfg(debug_assertions)]
    if let Some(bundle) = crate::disk::bundle() {
        return bundle;
    }
    &BUILT_IN
}

impl Bundle {
    /// The file of that name.
    pub(crate) fn file(&self, path: &str) -> Option<&'static File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    pub(crate) fn encoded(&self, encoding: Encoding) -> &'static [u8] {
        match encoding {
            Encoding::Brotli => self.brotli,
            Encoding::Gzip => self.gzip,
            Encoding::Plain => self.plain,
        }
    }
}
