//! What a person says of an episode: tags, a star, a note.
//!
//! None of it is an event: it says nothing of how the episode went, and changes when nothing happens
//! to it. The tree `annotations` holds it as JSON by the episode's id; where there is nothing to say,
//! it holds nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sled::IVec;
use sled::transaction::{ConflictableTransactionError, TransactionError};
use thiserror::Error;

use super::{Store, StoreError, TrashMark};

/// What a person says of an episode.
// Refuses fields that it does not know: writing it back would lose what a newer program kept there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Annotations {
    pub tags: BTreeSet<Tag>,
    pub starred: bool,
    /// Free text; empty where there is none.
    pub note: String,
    /// Set by [`Store::move_to_trash`] alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(alias = "binned")]
    pub(super) trashed: Option<TrashMark>,
}

impl Annotations {
    /// When the episode was moved to the bin; nothing where it is not there.
    pub fn trashed(&self) -> Option<TrashMark> {
        self.trashed
    }
}

/// A short word that groups episodes; in small letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Tag(String);

/// A text that cannot be a tag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no tag: take one word of at most {max} letters, digits, `-`, `_` and `.`", max = Tag::MAX_CHARS)]
pub struct TagError(String);

impl Tag {
    /// Characters that a tag may have.
    pub const MAX_CHARS: usize = 32;

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let word = text.to_lowercase();
        // Not `-` or `+` at the beginning: those take a tag away or give it.
        let fits = word.chars().count() <= Self::MAX_CHARS
            && word.starts_with(char::is_alphanumeric)
            && word.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
        if fits { Ok(Self(word)) } else { Err(TagError(text.to_owned())) }
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        text.parse()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Store {
    /// What a person said of episode `id`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn annotations(&self, id: u64) -> Result<Annotations, StoreError> {
        let json = self.annotations.get(id.to_be_bytes()).map_err(|e| self.read_error(&e))?;
        self.parse_annotations(id, json.as_ref())
    }

    /// Changes what is said of the episodes `ids`, of all or of none; `change` may be called more
    /// than once for each. Once this has returned, the change survives a crash.
    ///
    /// # Errors
    /// When one of them is missing or in the bin, or the disk refuses.
    pub fn annotate(
        &self,
        ids: &[u64],
        change: impl Fn(&mut Annotations),
    ) -> Result<(), StoreError> {
        self.update_annotations(ids, |id, annotations| {
            if annotations.trashed.is_some() {
                return Err(StoreError::InTrash(id));
            }
            change(annotations);
            Ok(())
        })
    }

    /// Changes the annotations of `ids` in one transaction and flushes them.
    pub(super) fn update_annotations(
        &self,
        ids: &[u64],
        change: impl Fn(u64, &mut Annotations) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<u64> = ids.iter().copied().collect();
        for &id in &ids {
            let there = self.episodes.contains_key(id.to_be_bytes());
            if !there.map_err(|e| self.read_error(&e))? {
                return Err(self.missing_error(id));
            }
        }
        let outcome = self.annotations.transaction(|tree| {
            for &id in &ids {
                let key = id.to_be_bytes();
                let old = tree.get(key)?;
                let new = self.parse_annotations(id, old.as_ref()).and_then(|mut annotations| {
                    change(id, &mut annotations)?;
                    let nothing = annotations == Annotations::default();
                    if nothing { Ok(None) } else { self.to_json(&annotations).map(Some) }
                });
                match new.map_err(ConflictableTransactionError::Abort)? {
                    Some(json) => tree.insert(&key, json)?,
                    None => tree.remove(&key)?,
                };
            }
            Ok(())
        });
        outcome.map_err(|e| self.transaction_error(e))?;
        self.flush()
    }

    pub(super) fn transaction_error(&self, error: TransactionError<StoreError>) -> StoreError {
        match error {
            TransactionError::Abort(error) => error,
            TransactionError::Storage(error) => self.write_error(&error),
        }
    }

    pub(super) fn parse_annotations(
        &self,
        id: u64,
        json: Option<&IVec>,
    ) -> Result<Annotations, StoreError> {
        let Some(json) = json else {
            return Ok(Annotations::default());
        };
        let annotations = serde_json::from_slice(json);
        annotations.map_err(|e| self.damaged_error(id, &format!("tags and note: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_one_short_word_in_small_letters() {
        assert_eq!("Foo-1.b_c".parse::<Tag>().unwrap().as_str(), "foo-1.b_c");
        assert_eq!("Überlänge".parse::<Tag>().unwrap().as_str(), "überlänge");
        for wrong in ["", "two words", "-foo", "+foo", "a:b", "a\"", "a\n", &"x".repeat(33)] {
            let error = wrong.parse::<Tag>().unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains("one word"), "{error}");
        }
    }

    #[test]
    fn what_a_newer_program_says_is_not_lost() {
        let newer = r#"{"tags":["a"],"starred":true,"note":"","colour":"red"}"#;
        assert!(serde_json::from_str::<Annotations>(newer).is_err());
        let sparse = serde_json::from_str::<Annotations>(r#"{"starred":true}"#).unwrap();
        assert!(sparse.starred && sparse.tags.is_empty() && sparse.trashed().is_none());
    }
}
