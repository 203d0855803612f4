//! The words by which a share is found: kept once, beside it, and written into each inbox that it lies in.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::json::JsonString;
use serde_with::serde_as;

use super::{SenderId, Share, ShareFile, ShareId, ShareState, Words};

/// More words than this of one share are not looked for: a row each, in every inbox.
const MOST_WORDS: usize = 8_000;
/// Nor more bytes of words: they are one item, which may have 400 KB.
const MOST_BYTES: usize = 120_000;

/// The words of a share, and since when: an inbox that has those of one version needs only what has changed since.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareWords {
    /// Whose words.
    pub share_id: ShareId,
    /// Grows with each change.
    pub version: u32,
    /// Each word, and the version that brought it.
    #[serde_as(as = "JsonString")]
    words: BTreeMap<String, u32>,
    /// Words that it had, and the version that took them away.
    #[serde_as(as = "JsonString")]
    retired: BTreeMap<String, u32>,
    /// Whether there are more than are looked for.
    pub left_out: bool,
    /// Until when they are kept, once their share is gone: a task that comes late takes them out of an inbox by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept_until: Option<Timestamp>,
}

impl ShareWords {
    /// The same for as long as tasks may be late: the share is gone.
    #[must_use]
    pub fn kept_until(self, end: Timestamp) -> Self {
        Self { kept_until: Some(end), ..self }
    }

    /// When they are needed no more, once the share is gone.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.kept_until
    }

    /// The words of a share that is made now.
    #[must_use]
    pub fn new(share: &Share, files: &[ShareFile]) -> Self {
        let (words, retired) = Default::default();
        Self { share_id: share.id, version: 0, words, retired, left_out: false, kept_until: None }.changed(share, files)
    }

    /// The same after a change of the share or its files; of a draft its files are not words yet.
    #[must_use]
    pub fn changed(&self, share: &Share, files: &[ShareFile]) -> Self {
        let (now, left_out) = words_of(share, files);
        if now.len() == self.words.len() && left_out == self.left_out && now.iter().all(|word| self.has(word)) {
            return self.clone();
        }
        let version = self.version + 1;
        let mut retired = self.retired.clone();
        retired.extend(self.words.keys().filter(|word| !now.has(word)).map(|word| (word.clone(), version)));
        retired.retain(|word, _| !now.has(word));
        let since = |word: &str| self.words.get(word).copied().unwrap_or(version);
        let words = now.iter().map(|word| (word.to_owned(), since(word))).collect();
        Self { share_id: self.share_id, version, words, retired, left_out, kept_until: None }
    }

    /// Of a share that was just read and changed, with the words that it had.
    #[must_use]
    pub fn after(was: Option<&Self>, share: &Share, files: &[ShareFile]) -> Self {
        was.map_or_else(|| Self::new(share, files), |was| was.changed(share, files))
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> Words {
        self.words.keys().cloned().collect()
    }

    /// The keys to add to an inbox that has those of a version, and those to take away.
    #[must_use]
    pub fn keys_since(&self, version: u32) -> (Vec<String>, Vec<String>) {
        let since = |words: &BTreeMap<String, u32>| {
            let since = words.iter().filter(|(_, since)| **since > version);
            since.map(|(word, _)| word.clone()).collect::<Words>().keys()
        };
        let (added, mut gone) = (since(&self.words), since(&self.retired));
        if !gone.is_empty() {
            // Several words may have a key in common.
            let kept = self.words().keys();
            gone.retain(|key| !kept.contains(key));
        }
        (added.into_iter().collect(), gone.into_iter().collect())
    }

    /// All keys that any inbox may ever have had.
    #[must_use]
    pub fn all_keys(&self) -> Vec<String> {
        let all: Words = self.words.keys().chain(self.retired.keys()).cloned().collect();
        all.keys().into_iter().collect()
    }
}

impl Share {
    /// The share as it is found by these words.
    #[must_use]
    pub fn with_words(mut self, words: &ShareWords) -> Self {
        (self.words_version, self.words_left_out) = (words.version, words.left_out);
        self
    }
}

/// Of its title, reference, sender and files, and marks for who has sent it and what they are; whether some had to be left out.
fn words_of(share: &Share, files: &[ShareFile]) -> (Words, bool) {
    let own = [share.title.as_str(), share.from.as_str(), share.reference.as_ref().map_or("", |text| text.as_str())];
    let mut words = Words::of(own);
    words.extend(share.contents.kinds.iter().map(|kind| kind.word().to_owned()));
    let company = share.from_company.map(SenderId::Company);
    words.extend([SenderId::Actor(share.by)].into_iter().chain(company).map(SenderId::word));
    let mut bytes: usize = words.iter().map(str::len).sum();
    let sent = !matches!(share.state, ShareState::Draft);
    for file in files.iter().filter(|file| sent && share.shows(file)) {
        for word in Words::of([file.name.as_str(), file.folder.as_str()]).iter().filter(|word| !word.is_empty()) {
            if words.has(word) {
                continue;
            }
            bytes += word.len();
            if words.len() >= MOST_WORDS || bytes > MOST_BYTES {
                return (words, true);
            }
            words.extend([word.to_owned()]);
        }
    }
    (words, false)
}
