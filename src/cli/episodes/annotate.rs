//! `pointsman episodes tag`, `note`, `star` and `unstar`.

use std::collections::BTreeSet;

use thiserror::Error;

use super::annotations::print_annotations;
use crate::cli::error::CommandResult;
use crate::store::{Store, Tag, TagError};

/// Invalid arguments of `episodes tag`.
#[derive(Debug, Error)]
pub(super) enum TagArgsError {
    #[error(
        "`{0}` is neither the number of an episode nor a tag after + or -: write, for example, `pointsman episodes tag 3 +foo -bar`"
    )]
    BadWord(String),
    #[error("put the option `{0}` before the numbers and tags")]
    Option(String),
    #[error(
        "the number of an episode is missing: write, for example, `pointsman episodes tag 3 +foo -bar`"
    )]
    NoEpisode,
    #[error(
        "a tag to add or remove is missing: write, for example, `pointsman episodes tag 3 +foo -bar`"
    )]
    NoTag,
    #[error(transparent)]
    Tag(#[from] TagError),
}

crate::exit::classify!(Usage: TagArgsError);

/// The parsed arguments of `episodes tag`.
#[derive(Debug, Default)]
struct TagChange {
    ids: BTreeSet<u64>,
    added: BTreeSet<Tag>,
    removed: BTreeSet<Tag>,
}

impl TagChange {
    fn parse(words: &[String]) -> Result<Self, TagArgsError> {
        let mut change = Self::default();
        for word in words {
            if word.starts_with("--") {
                // clap passes everything after the first word on.
                return Err(TagArgsError::Option(word.clone()));
            } else if let Some(tag) = word.strip_prefix('+') {
                change.added.insert(tag.parse()?);
            } else if let Some(tag) = word.strip_prefix('-') {
                change.removed.insert(tag.parse()?);
            } else {
                let id = word.parse().map_err(|_| TagArgsError::BadWord(word.clone()))?;
                change.ids.insert(id);
            }
        }
        if change.ids.is_empty() {
            return Err(TagArgsError::NoEpisode);
        }
        if change.added.is_empty() && change.removed.is_empty() {
            return Err(TagArgsError::NoTag);
        }
        Ok(change)
    }
}

pub(super) fn tag(store: &Store, words: &[String], json: bool) -> CommandResult<()> {
    let TagChange { ids, added, removed } = TagChange::parse(words)?;
    let ids: Vec<u64> = ids.into_iter().collect();
    store.annotate(&ids, |annotations| {
        annotations.tags.retain(|tag| !removed.contains(tag));
        annotations.tags.extend(added.iter().cloned());
    })?;
    print_annotations(store, &ids, json)
}

pub(super) fn note(store: &Store, id: u64, text: &str, json: bool) -> CommandResult<()> {
    store.annotate(&[id], |annotations| text.clone_into(&mut annotations.note))?;
    print_annotations(store, &[id], json)
}

pub(super) fn star(store: &Store, ids: &[u64], starred: bool, json: bool) -> CommandResult<()> {
    store.annotate(ids, |annotations| annotations.starred = starred)?;
    print_annotations(store, ids, json)
}
