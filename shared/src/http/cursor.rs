//! Cursors: where a list goes on, sealed so that only the list that gave one takes it back.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::gate::Gate;
use super::problem::Problem;
use crate::session::seal::SealKeys;
use crate::store::{Page, PageRequest, Position};

/// One list, for one caller, with its filters: a cursor of another is refused.
#[derive(Debug)]
pub struct List(String);

impl List {
    /// Names the list by all that makes it what it is.
    #[must_use]
    pub fn of(parts: &[&dyn std::fmt::Display]) -> Self {
        // A separator that no part can hold keeps ("ab", "c") and ("a", "bc") apart.
        Self(parts.iter().map(|part| part.to_string().replace('\0', "")).collect::<Vec<_>>().join("\0"))
    }
}

/// The parameters that every list takes.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct PageQuery {
    /// How many items at most.
    #[serde(default = "PageQuery::usual", deserialize_with = "PageQuery::limit")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: usize,
    cursor: Option<String>,
}

impl PageQuery {
    fn usual() -> usize {
        25
    }

    fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
        let text = String::deserialize(deserializer)?;
        let limit = text.parse().ok().filter(|limit| (1..=100).contains(limit));
        limit.ok_or_else(|| serde::de::Error::custom("must be a number from 1 to 100"))
    }
}

/// The parameter of a list that comes in parts as large as they may be.
#[derive(Debug, Deserialize)]
pub struct PartQuery {
    cursor: Option<String>,
}

/// A page as the API shows it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct ListView<T> {
    items: Vec<T>,
    next: Option<String>,
}

fn encode<T: Serialize>(keys: &SealKeys, list: &List, position: &T) -> String {
    let position = serde_json::to_vec(position).unwrap_or_default();
    keys.seal(&list.0, &position)
}

fn decode<T: DeserializeOwned>(keys: &SealKeys, list: &List, cursor: &str) -> Option<T> {
    serde_json::from_slice(&keys.open(&list.0, cursor)?).ok()
}

impl Gate {
    /// The page that is asked for.
    pub async fn page(&self, list: &List, query: &PageQuery) -> Result<PageRequest, Problem> {
        Ok(PageRequest { limit: query.limit, after: self.after::<Position>(list, query).await? })
    }

    /// Where a list goes on that is not one partition of the table.
    pub async fn after<T: DeserializeOwned>(&self, list: &List, query: &PageQuery) -> Result<Option<T>, Problem> {
        self.position(list, query.cursor.as_deref()).await
    }

    /// [`Self::after`] for a list in parts.
    pub async fn after_part<T: DeserializeOwned>(&self, list: &List, query: &PartQuery) -> Result<Option<T>, Problem> {
        self.position(list, query.cursor.as_deref()).await
    }

    async fn position<T: DeserializeOwned>(&self, list: &List, cursor: Option<&str>) -> Result<Option<T>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let keys = self.keyring.seal_keys_for(cursor).await?;
        decode(&keys, list, cursor).map(Some).ok_or_else(Problem::invalid_cursor)
    }

    /// The cursor of a place in a list.
    pub async fn cursor<T: Serialize>(&self, list: &List, position: &T) -> Result<String, Problem> {
        let keys = self.keyring.seal_keys().await?;
        Ok(encode(&keys, list, position))
    }

    /// A page of such a list as an answer shows it.
    pub async fn listed<V, T: Serialize>(
        &self,
        list: &List,
        items: Vec<V>,
        next: Option<&T>,
    ) -> Result<ListView<V>, Problem> {
        let next = match next {
            None => None,
            Some(next) => Some(self.cursor(list, next).await?),
        };
        Ok(ListView { items, next })
    }

    /// A page as an answer shows it.
    pub async fn list<T, V>(
        &self,
        list: &List,
        page: Page<T>,
        view: impl FnMut(T) -> V,
    ) -> Result<ListView<V>, Problem> {
        let items = page.items.into_iter().map(view).collect();
        self.listed(list, items, page.next.as_ref()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    fn keys(secret: &[u8]) -> SealKeys {
        [secret.to_vec()].into_iter().collect()
    }

    fn key() -> SealKeys {
        keys(b"a key of this deployment")
    }

    proptest! {
        #[test]
        fn a_cursor_opens_for_its_own_list_only(position in "\\PC{0,60}", list in "\\PC{0,20}", other in "\\PC{0,20}") {
            prop_assume!(list != other);
            let (list, other) = (List::of(&[&"shares", &list]), List::of(&[&"shares", &other]));
            let cursor = encode(&key(), &list, &position);
            let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let readable = bytes.windows(position.len().max(6)).any(|part| part == position.as_bytes());
            prop_assert!(!readable, "nobody else reads it");
            prop_assert_eq!(decode::<String>(&key(), &list, &cursor), Some(position));
            prop_assert_eq!(decode::<String>(&key(), &other, &cursor), None);
            let elsewhere = keys(b"another deployment's key");
            prop_assert_eq!(decode::<String>(&elsewhere, &list, &cursor), None);
        }

        #[test]
        fn no_changed_cursor_opens(position in "[a-z]{1,30}", at in 0_usize..1000, with in "[A-Za-z0-9_-]") {
            let list = List::of(&[&"shares"]);
            let cursor = encode(&key(), &list, &position);
            let at = at % cursor.len();
            let changed = format!("{}{with}{}", &cursor[..at], &cursor[at + 1..]);
            prop_assume!(changed != cursor);
            prop_assert_eq!(decode::<String>(&key(), &list, &changed), None);
        }

        #[test]
        fn nonsense_is_no_cursor(text in "\\PC{0,80}") {
            prop_assert_eq!(decode::<String>(&key(), &List::of(&[&"shares"]), &text), None);
        }
    }
}
