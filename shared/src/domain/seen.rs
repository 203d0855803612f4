//! What one person has seen of a share: when it was opened, and which files were looked at and downloaded, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{FileId, RecipientId, ShareId};
use crate::clock::{SignedDuration, Timestamp};

/// The same person looking at the same file within this time is looking once.
const ONE_LOOK: SignedDuration = SignedDuration::from_hours(1);
/// An id, and two times in seconds.
const PACKED: usize = 16 + 4 + 4;

/// When a person has last looked at a file, and when it was downloaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileSeen {
    /// Looked at.
    pub viewed_at: Option<Timestamp>,
    /// Downloaded.
    pub downloaded_at: Option<Timestamp>,
}

/// Of which files. Packed, 32 bytes a file: a share may have a thousand, and each look is a write.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct FilesSeen(BTreeMap<FileId, FileSeen>);

/// What one person has seen of a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareSeen {
    /// Of which share.
    pub share_id: ShareId,
    /// A contact; or the address that has the link, if nobody here has that address.
    pub by: RecipientId,
    /// When it was first opened, in the portal or by the link.
    pub opened_at: Timestamp,
    /// Of which files.
    pub files: FilesSeen,
}

impl ShareSeen {
    /// Of a share that is opened now.
    #[must_use]
    pub fn opened(share_id: ShareId, by: RecipientId, now: Timestamp) -> Self {
        Self { share_id, by, opened_at: now, files: FilesSeen::default() }
    }

    /// With a look at a file; nothing, if that is the same look as the last one.
    #[must_use]
    pub fn view(mut self, file: FileId, now: Timestamp) -> Option<Self> {
        let seen = self.files.0.entry(file).or_default();
        if seen.viewed_at.is_some_and(|at| now < at + ONE_LOOK) {
            return None;
        }
        seen.viewed_at = Some(now);
        Some(self)
    }

    /// With the download of files.
    #[must_use]
    pub fn download(mut self, files: &[FileId], now: Timestamp) -> Self {
        for file in files {
            self.files.0.entry(*file).or_default().downloaded_at = Some(now);
        }
        self
    }

    /// Whether all these files were downloaded within the last hour: by a link, that is the same download.
    #[must_use]
    pub fn lately_downloaded(&self, files: &[FileId], now: Timestamp) -> bool {
        files.iter().all(|file| self.files.of(*file).downloaded_at.is_some_and(|at| now < at + ONE_LOOK))
    }
}

impl FilesSeen {
    /// When any of them was last looked at.
    #[must_use]
    pub fn last_viewed_at(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|seen| seen.viewed_at).max()
    }

    /// When any of them was last downloaded.
    #[must_use]
    pub fn last_downloaded_at(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|seen| seen.downloaded_at).max()
    }

    /// How many files were downloaded, of all that one person has seen in one way or another.
    pub fn downloaded_of<'a>(all: impl Iterator<Item = &'a Self>) -> usize {
        let downloaded = all.flat_map(|files| &files.0).filter(|(_, seen)| seen.downloaded_at.is_some());
        downloaded.map(|(file, _)| file).collect::<BTreeSet<_>>().len()
    }

    /// What is known of a file.
    #[must_use]
    pub fn of(&self, file: FileId) -> FileSeen {
        self.0.get(&file).copied().unwrap_or_default()
    }
}

fn seconds(at: Option<Timestamp>) -> [u8; 4] {
    at.and_then(|at| u32::try_from(at.as_second()).ok()).unwrap_or_default().to_be_bytes()
}

fn time(bytes: [u8; 4]) -> Option<Timestamp> {
    let seconds = u32::from_be_bytes(bytes);
    if seconds == 0 { None } else { Timestamp::from_second(seconds.into()).ok() }
}

impl fmt::Display for FilesSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut packed = Vec::with_capacity(self.0.len() * PACKED);
        for (file, seen) in &self.0 {
            packed.extend_from_slice(&file.to_bytes());
            packed.extend_from_slice(&seconds(seen.viewed_at));
            packed.extend_from_slice(&seconds(seen.downloaded_at));
        }
        f.write_str(&STANDARD_NO_PAD.encode(packed))
    }
}

/// What is no list of files that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no packed list of files")]
pub struct PackedError;

impl FromStr for FilesSeen {
    type Err = PackedError;

    fn from_str(text: &str) -> Result<Self, PackedError> {
        let packed = STANDARD_NO_PAD.decode(text).map_err(|_| PackedError)?;
        let (entries, rest) = packed.as_chunks::<PACKED>();
        if !rest.is_empty() {
            return Err(PackedError);
        }
        let entry = |entry: &[u8; PACKED]| {
            let (id, times) = entry.split_first_chunk::<16>()?;
            let (viewed, downloaded) = times.split_first_chunk::<4>()?;
            let downloaded_at = time(downloaded.try_into().ok()?);
            Some((FileId::from_bytes(*id), FileSeen { viewed_at: time(*viewed), downloaded_at }))
        };
        entries.iter().map(entry).collect::<Option<_>>().map(Self).ok_or(PackedError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_second_look_within_the_hour_is_the_same_look() {
        let (share, file) = (ShareId::new(at(1)), FileId::new(at(1)));
        let seen = ShareSeen::opened(share, RecipientId::Contact(super::super::ContactId::new(at(1))), at(1));
        let seen = seen.view(file, at(1_000)).unwrap();
        assert_eq!(seen.clone().view(file, at(4_599)), None);
        let seen = seen.view(file, at(4_600)).unwrap();
        assert!(!seen.lately_downloaded(&[file], at(4_600)));
        let seen = seen.download(&[file], at(5_000));
        assert_eq!(seen.files.of(file), FileSeen { viewed_at: Some(at(4_600)), downloaded_at: Some(at(5_000)) });
        assert!(seen.lately_downloaded(&[file], at(5_001)) && !seen.lately_downloaded(&[file], at(9_000)));
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(times in prop::collection::vec((prop::option::of(1_i64..4_000_000_000), prop::option::of(1_i64..4_000_000_000)), 0..40)) {
            let seen = |(viewed, downloaded): (Option<i64>, Option<i64>)| {
                (FileId::new(at(1)), FileSeen { viewed_at: viewed.map(at), downloaded_at: downloaded.map(at) })
            };
            let files = FilesSeen(times.into_iter().map(seen).collect());
            prop_assert_eq!(files.to_string().parse(), Ok(files));
        }

        #[test]
        fn no_text_is_too_strange(text: String) {
            let _ = text.parse::<FilesSeen>();
        }
    }
}
