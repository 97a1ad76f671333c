//! The annotations of episodes in words.

use serde::Serialize;

use crate::cli::error::CommandResult;
use crate::cli::output;
use crate::store::{Annotations, Store};

/// Prints the annotations of episodes after a change.
pub(super) fn print_annotations(store: &Store, ids: &[u64], json: bool) -> CommandResult<()> {
    #[derive(Serialize)]
    struct AnnotatedEpisode {
        id: u64,
        #[serde(flatten)]
        annotations: Annotations,
    }
    for &id in ids {
        let annotations = store.annotations(id)?;
        if json {
            output::print_json(&AnnotatedEpisode { id, annotations })?;
            continue;
        }
        output::print_line(&match describe_annotations(&annotations).as_str() {
            "" => format!("episode {id}: no star, tag or note"),
            said => format!("episode {id}: {said}"),
        })?;
    }
    Ok(())
}

/// Star, tags and note in one line; empty without any.
pub(super) fn describe_annotations(annotations: &Annotations) -> String {
    let star = annotations.starred.then(|| "*".to_owned());
    let tags = annotations.tags.iter().map(ToString::to_string);
    let note = (!annotations.note.is_empty()).then(|| format!("“{}”", annotations.note));
    let all: Vec<String> = star.into_iter().chain(tags).chain(note).collect();
    output::strip_control_chars(&all.join(" "))
}
