//! `pointsman episodes tag`, `note`, `star` and `unstar`.

use std::collections::BTreeSet;

use thiserror::Error;

use super::tell;
use crate::store::{Store, Tag, TagError};

/// Words after `episodes tag` that do not say what to do.
#[derive(Debug, Error)]
pub enum WordsError {
    #[error(
        "`{0}` is neither the number of an episode nor a tag with + or - before it: `pointsman episodes tag 3 +foo -bar`"
    )]
    Word(String),
    #[error("`{0}` comes too late: options stand before the numbers and tags")]
    Option(String),
    #[error("no episode is named: `pointsman episodes tag 3 +foo -bar`")]
    NoEpisode,
    #[error("no tag is given or taken away: `pointsman episodes tag 3 +foo -bar`")]
    NoTag,
    #[error(transparent)]
    Tag(#[from] TagError),
}

/// What the words after `episodes tag` ask for.
#[derive(Debug, Default)]
struct Change {
    ids: BTreeSet<u64>,
    given: BTreeSet<Tag>,
    taken: BTreeSet<Tag>,
}

impl Change {
    fn read(words: &[String]) -> Result<Self, WordsError> {
        let mut change = Self::default();
        for word in words {
            if word.starts_with("--") {
                // The command line takes whatever follows the first word for a tag.
                return Err(WordsError::Option(word.clone()));
            } else if let Some(tag) = word.strip_prefix('+') {
                change.given.insert(tag.parse()?);
            } else if let Some(tag) = word.strip_prefix('-') {
                change.taken.insert(tag.parse()?);
            } else {
                let id = word.parse().map_err(|_| WordsError::Word(word.clone()))?;
                change.ids.insert(id);
            }
        }
        if change.ids.is_empty() {
            return Err(WordsError::NoEpisode);
        }
        if change.given.is_empty() && change.taken.is_empty() {
            return Err(WordsError::NoTag);
        }
        Ok(change)
    }
}

pub fn tag(store: &Store, words: &[String], json: bool) -> anyhow::Result<()> {
    let Change { ids, given, taken } = Change::read(words)?;
    let ids: Vec<u64> = ids.into_iter().collect();
    store.annotate(&ids, |annotations| {
        annotations.tags.retain(|tag| !taken.contains(tag));
        annotations.tags.extend(given.iter().cloned());
    })?;
    tell(store, &ids, json)
}

pub fn note(store: &Store, id: u64, text: &str, json: bool) -> anyhow::Result<()> {
    store.annotate(&[id], |annotations| text.clone_into(&mut annotations.note))?;
    tell(store, &[id], json)
}

pub fn star(store: &Store, ids: &[u64], starred: bool, json: bool) -> anyhow::Result<()> {
    store.annotate(ids, |annotations| annotations.starred = starred)?;
    tell(store, ids, json)
}
