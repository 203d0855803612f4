//! What a scan for malware has said of a file's bytes, and whether they are handed out.

use serde::{Deserialize, Serialize};

use super::MediaType;
use crate::clock::{SignedDuration, Timestamp};

/// What a scan says of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was found: nobody gets them any more.
    Found,
    /// They could not be looked into: encrypted, too large, or the scan failed. They are handed out, and it is said.
    Unsupported,
}

/// Which version of an object in the bucket bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectVersion(pub String);

/// How far the scan of a file's bytes has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum FileScan {
    /// Nobody scans them: the deployment does not ask for it, or did not when they came.
    #[default]
    Unscanned,
    /// There is no verdict yet.
    Waiting {
        /// On which bytes; unknown where the bucket keeps no versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<ObjectVersion>,
        /// Since when.
        since: Timestamp,
    },
    /// There is one. It may be there before the file is taken.
    Done {
        /// On which bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<ObjectVersion>,
        /// Which.
        verdict: Verdict,
        /// Since when.
        at: Timestamp,
    },
}

/// Why bytes that are there are not handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeldBack {
    /// They are still being scanned.
    #[error("the file is still being scanned")]
    Waiting,
    /// The scan found something.
    #[error("the scan found something in the file")]
    Found,
}

/// What was found out about bytes that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What they are, where they show it.
    pub detected: Option<MediaType>,
    /// Whether the file's name says that they are something else.
    pub name_differs: bool,
    /// Which version of their object they are.
    pub version: Option<ObjectVersion>,
    /// Whether they are to be scanned before anybody gets them.
    pub scanned: bool,
}

impl FileScan {
    /// So long a verdict is awaited: it comes within minutes, or was lost.
    pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

    /// All words for it.
    pub const WORDS: [&str; 5] = ["unscanned", "waiting", "clean", "found", "unsupported"];

    /// The word for it in the API.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unscanned => "unscanned",
            Self::Waiting { .. } => "waiting",
            Self::Done { verdict: Verdict::Clean, .. } => "clean",
            Self::Done { verdict: Verdict::Found, .. } => "found",
            Self::Done { verdict: Verdict::Unsupported, .. } => "unsupported",
        }
    }

    /// Whether nobody scans it, which is not written down.
    #[must_use]
    pub fn is_unscanned(&self) -> bool {
        *self == Self::Unscanned
    }

    /// Since when a verdict is awaited, if one is.
    #[must_use]
    pub fn waits_since(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting { since, .. } => Some(*since),
            _ => None,
        }
    }

    /// When something was found, if it was.
    #[must_use]
    pub fn found_at(&self) -> Option<Timestamp> {
        match self {
            Self::Done { verdict: Verdict::Found, at, .. } => Some(*at),
            _ => None,
        }
    }

    /// The version of the object that it is about, where that is known.
    #[must_use]
    pub fn of(&self) -> Option<&ObjectVersion> {
        match self {
            Self::Unscanned => None,
            Self::Waiting { of, .. } | Self::Done { of, .. } => of.as_ref(),
        }
    }

    /// Whether its bytes are handed out.
    pub fn hand_out(&self) -> Result<(), HeldBack> {
        match self {
            Self::Waiting { .. } => Err(HeldBack::Waiting),
            Self::Done { verdict: Verdict::Found, .. } => Err(HeldBack::Found),
            Self::Unscanned | Self::Done { .. } => Ok(()),
        }
    }

    /// As it stands when bytes are taken: a verdict on these very bytes may have come before.
    #[must_use]
    pub fn taken(self, checked: &Checked, now: Timestamp) -> Self {
        match self {
            Self::Done { .. } if self.of() == checked.version.as_ref() => self,
            _ if checked.scanned => Self::Waiting { of: checked.version.clone(), since: now },
            _ => Self::Unscanned,
        }
    }

    /// With a verdict on the bytes that are there now; nothing, if that changes nothing. What was found stays found:
    /// who scans twice may have looked less closely the second time.
    #[must_use]
    pub fn with(&self, verdict: Verdict, of: Option<ObjectVersion>, now: Timestamp) -> Option<Self> {
        let stays = match self {
            Self::Done { of: before, verdict: was, .. } => {
                *before == of && (*was == verdict || *was == Verdict::Found || verdict == Verdict::Unsupported)
            }
            _ => false,
        };
        (!stays).then_some(Self::Done { of, verdict, at: now })
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Clean, Found, Unsupported};
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn version(name: &str) -> ObjectVersion {
        ObjectVersion(name.to_owned())
    }

    fn checked(name: &str, scanned: bool) -> Checked {
        Checked { detected: None, name_differs: false, version: Some(version(name)), scanned }
    }

    #[test]
    fn a_verdict_that_came_first_counts_for_its_own_bytes_alone() {
        let early = FileScan::default().with(Found, Some(version("a")), NOW).unwrap();
        assert_eq!(early.clone().taken(&checked("a", true), NOW), early);
        assert_eq!(early.clone().taken(&checked("b", true), NOW).word(), "waiting");
        assert_eq!(early.taken(&checked("b", false), NOW).word(), "unscanned");
    }

    #[test]
    fn what_was_found_stays_so_and_what_is_known_is_not_forgotten() {
        let after = |verdicts: &[Verdict]| {
            verdicts.iter().fold(FileScan::default().taken(&checked("a", true), NOW), |scan, verdict| {
                scan.with(*verdict, Some(version("a")), NOW).unwrap_or(scan)
            })
        };
        for (verdicts, word) in [
            (&[] as &[Verdict], "waiting"),
            (&[Clean], "clean"),
            (&[Unsupported], "unsupported"),
            (&[Clean, Found], "found"),
            (&[Found, Clean], "found"),
            (&[Found, Unsupported], "found"),
            (&[Clean, Unsupported], "clean"),
            (&[Unsupported, Clean], "clean"),
        ] {
            assert_eq!(after(verdicts).word(), word, "{verdicts:?}");
            assert!(FileScan::WORDS.contains(&word));
        }
        assert_eq!(after(&[Found]).hand_out(), Err(HeldBack::Found));
        assert_eq!(after(&[]).hand_out(), Err(HeldBack::Waiting));
        assert_eq!(after(&[Unsupported]).hand_out(), Ok(()));
    }
}
