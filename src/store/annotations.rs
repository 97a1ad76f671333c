//! What the user says about an episode: tags, a star, a note; and the mark of the trash.
//!
//! None of it is an event: it is not part of how the episode went, and it can change at any time.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The user's annotations of an episode.
// Unknown fields are refused, because writing the annotations back would lose what a newer program stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Annotations {
    /// The tags, sorted.
    pub tags: BTreeSet<Tag>,
    /// Whether the episode has a star.
    pub starred: bool,
    /// The note; empty if there is none.
    pub note: String,
    /// Set by [`super::Store::move_to_trash`] only.
    #[serde(skip_serializing_if = "Option::is_none", alias = "binned")]
    pub(super) trashed: Option<TrashMark>,
}

impl Annotations {
    /// The deletion that moved the episode to the trash; `None` if it is not there.
    pub fn trashed(&self) -> Option<TrashMark> {
        self.trashed
    }
}

/// The mark of an episode that is in the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashMark {
    /// The deletion that moved it there. Deletions are counted from 1; one may move many episodes.
    pub deletion: u64,
    /// When: milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// A short lower-case word that groups episodes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Tag(String);

/// A text that cannot be a tag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` cannot be a tag: use one word of at most {max} letters, digits, `-`, `_` and `.`", max = Tag::MAX_CHARS)]
pub struct TagError(String);

impl Tag {
    /// Greatest number of characters of a tag.
    pub const MAX_CHARS: usize = 32;

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let word = text.to_lowercase();
        // A tag does not begin with `-` or `+`: on the command line these remove or add one.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_one_short_lower_case_word() {
        assert_eq!("Foo-1.b_c".parse::<Tag>().unwrap().as_str(), "foo-1.b_c");
        assert_eq!("Überlänge".parse::<Tag>().unwrap().as_str(), "überlänge");
        for wrong in ["", "two words", "-foo", "+foo", "a:b", "a\"", "a\n", &"x".repeat(33)] {
            let error = wrong.parse::<Tag>().unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains("one word"), "{error}");
        }
    }

    #[test]
    fn fields_of_a_newer_program_are_refused() {
        let newer = r#"{"tags":["a"],"starred":true,"note":"","colour":"red"}"#;
        assert!(serde_json::from_str::<Annotations>(newer).is_err());
        let sparse = serde_json::from_str::<Annotations>(r#"{"starred":true}"#).unwrap();
        assert!(sparse.starred && sparse.tags.is_empty() && sparse.trashed().is_none());
    }
    #[test]
    fn the_former_name_of_the_trash_mark_is_read() {
        let former =
            r#"{"tags":["a"],"starred":false,"note":"","binned":{"deletion":2,"at_ms":7}}"#;
        let annotations = serde_json::from_str::<Annotations>(former).unwrap();
        assert_eq!(annotations.trashed(), Some(TrashMark { deletion: 2, at_ms: 7 }));
        let written = serde_json::to_string(&annotations).unwrap();
        assert!(written.contains("\"trashed\""), "{written}");
    }
}
