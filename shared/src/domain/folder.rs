//! The folder of a file within its share: a path that Windows, macOS and Linux alike make when it is unzipped.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::display::{breaks_line, has_visible, is_no_text, turns_text, without_invisible};
use super::file_name::is_device;
use super::{FileName, ShareFile};

/// A folder: `""` is the share's own, else up to 8 parts of 1 to 100 characters with `/` between them. It is kept as it
/// was given, or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct Folder(String);

/// Why a text is no folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// Too deep.
    #[error("must have at most {} parts", Folder::MOST_PARTS)]
    Depth,
    /// Nothing before, after or between slashes.
    #[error("must have no empty part, and no slash at either end")]
    EmptyPart,
    /// A part is too long: in characters, or in the bytes that Linux counts.
    #[error("has a part of more than 100 characters or 255 bytes: \"{0}\"")]
    Length(String),
    /// `.` and `..` are no names.
    #[error("must not have \".\" or \"..\" as a part")]
    Dots,
    /// Windows takes none of these within a name.
    #[error("must not have the character {0:?}: Windows takes it in no name")]
    Character(char),
    /// Controls, line breaks, what turns text, what shows nothing.
    #[error("must not have control characters, line breaks or anything invisible")]
    Unseen,
    /// Windows drops these without a word.
    #[error("has a part that ends in a dot or a space: \"{0}\"")]
    End(String),
    /// A device of Windows.
    #[error("has a part that Windows keeps for a device: \"{0}\"")]
    Device(String),
}

crate::schema::of_text!(
    Folder,
    "A folder of a share: \"\" is the share's own, else up to 8 parts of 1 to 100 characters with / between them.",
    { "maxLength": (Folder::MOST_CHARS + 1) * Folder::MOST_PARTS - 1 }
);

impl Folder {
    const MOST_PARTS: usize = 8;
    const MOST_CHARS: usize = 100;

    /// Whether it is the share's own.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the other one is this one, or lies in it, however deep.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        let rest = other.0.strip_prefix(&self.0);
        self.is_root() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path of a file in it.
    #[must_use]
    pub fn path(&self, name: &FileName) -> String {
        if self.is_root() { name.to_string() } else { format!("{self}/{name}") }
    }
}

impl ShareFile {
    /// Whether one of two files would have to be a folder for the other: file systems have one or the other by a name,
    /// and most do not tell capitals apart.
    #[must_use]
    pub fn is_in_the_way_of(&self, other: &Self) -> bool {
        let is_folder_of = |file: &Self, other: &Self| {
            let (path, folder) = (file.folder.path(&file.name).to_lowercase(), other.folder.0.to_lowercase());
            Folder(path).holds(&Folder(folder))
        };
        is_folder_of(self, other) || is_folder_of(other, self)
    }
}

fn part(part: &str) -> Result<(), FolderError> {
    if part.is_empty() {
        return Err(FolderError::EmptyPart);
    }
    if part == "." || part == ".." {
        return Err(FolderError::Dots);
    }
    if let Some(c) = part.chars().find(|c| matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\\')) {
        return Err(FolderError::Character(c));
    }
    let unseen = |c: char| turns_text(c) || breaks_line(c) || is_no_text(c);
    if part.contains(unseen) || !has_visible(part) || without_invisible(part) != part {
        return Err(FolderError::Unseen);
    }
    if part.chars().count() > Folder::MOST_CHARS || part.len() > 255 {
        return Err(FolderError::Length(part.to_owned()));
    }
    if part.ends_with(|c: char| c == '.' || c.is_whitespace()) {
        return Err(FolderError::End(part.to_owned()));
    }
    if is_device(part) { Err(FolderError::Device(part.to_owned())) } else { Ok(()) }
}

impl FromStr for Folder {
    type Err = FolderError;

    fn from_str(text: &str) -> Result<Self, FolderError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.split('/').try_for_each(part)?;
        if text.split('/').count() > Self::MOST_PARTS { Err(FolderError::Depth) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_folder_is_kept_as_it_was_given_in_any_script() {
        let long = "x".repeat(100);
        let deep = [long.as_str(); 8].join("/");
        for text in ["", "Photos", "Photos/Front", "写真/前", "a b/ c", "Été (2026)/№ 5", ".git", "console", &deep]
        {
            assert_eq!(text.parse::<Folder>().map(|folder| folder.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_path_somewhere_says_why() {
        use FolderError::{Character, Depth, Device, Dots, EmptyPart, End, Length, Unseen};
        let own = |text: &str| text.to_owned();
        for (text, why) in [
            ("/", EmptyPart),
            ("/a", EmptyPart),
            ("a/", EmptyPart),
            ("a//b", EmptyPart),
            ("..", Dots),
            ("a/../b", Dots),
            ("./a", Dots),
            ("a\\b", Character('\\')),
            ("C:", Character(':')),
            ("a?", Character('?')),
            ("a\tb", Unseen),
            ("a\nb", Unseen),
            ("a\0", Unseen),
            ("gpj\u{202e}x", Unseen),
            ("a\u{200b}b", Unseen),
            ("\u{3164}", Unseen),
            (" ", Unseen),
            ("a.", End(own("a."))),
            ("a /b", End(own("a "))),
            ("a/nul", Device(own("nul"))),
            ("COM1.d", Device(own("COM1.d"))),
            ("1/2/3/4/5/6/7/8/9", Depth),
            (&"x".repeat(101), Length("x".repeat(101))),
            (&"漢".repeat(90), Length("漢".repeat(90))),
        ] {
            assert_eq!(text.parse::<Folder>(), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_folder_holds_what_lies_in_it_and_no_namesake() {
        let folder = |text: &str| text.parse::<Folder>().unwrap();
        for (holds, held, does) in [
            ("Photos", "Photos", true),
            ("Photos", "Photos/Front", true),
            ("Photos/Front", "Photos", false),
            ("Photos", "Photos 2", false),
            ("", "Photos", true),
        ] {
            assert_eq!(folder(holds).holds(&folder(held)), does, "{holds} {held}");
        }
    }

    proptest! {
        #[test]
        fn any_folder_is_a_relative_path_that_stays_in_its_place(
            text in "([a-zA-Z. /\\\\:漢é\u{0}-\u{1f}\u{200b}\u{202e}]|CON|nul|\\.\\.){0,40}",
        ) {
            if let Ok(folder) = text.parse::<Folder>() {
                prop_assert_eq!(folder.as_str(), &text);
                let path = std::path::Path::new(folder.as_str());
                prop_assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))));
                prop_assert!(!text.contains(['\\', ':', '\0', '\n']));
                prop_assert!(text.split('/').all(|part| folder.is_root() || !part.ends_with(['.', ' ']) && part.len() <= 255));
            }
        }
    }
}
