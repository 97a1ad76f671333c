//! `pointsman episodes import`: copies the episodes of a recording into the store.

use std::collections::HashMap;
use std::path::Path;

use crate::cli::error::{CommandError, CommandResult};
use crate::cli::output;
use crate::episode::{Event, EventKind};
use crate::recording::{self, RecordedEpisode};
use crate::store::{EpisodeSummary, Store};

/// Imports all episodes of the recording `path`, or none if one of them is invalid. An episode whose first event
/// is already in the store is skipped.
///
/// # Errors
/// If the recording is invalid or the store cannot be written.
pub(super) fn run(path: &Path, store: &Store) -> CommandResult<()> {
    // The whole file is checked before anything is imported, so it is read twice.
    let is_regular =
        std::fs::metadata(path).map_or(true, |found| found.is_file() || found.is_dir());
    if !is_regular {
        return Err(CommandError::failure(format!(
            "{} is not a regular file, and an import reads it twice: save its contents to a file first",
            path.display()
        )));
    }
    for recorded in recording::open_recording(path)? {
        recorded?;
    }
    let mut stored = StoredEpisodes::of(store);
    // Numbers in the store, by numbers in the file.
    let mut numbers = HashMap::new();
    let (mut imported, mut skipped, mut missing_parents) = (Vec::new(), 0, 0);
    for recorded in recording::open_recording(path)?.with_json() {
        let mut recorded = recorded?;
        if let Some(duplicate) = stored.find_duplicate(store, &recorded)? {
            skipped += 1;
            numbers.insert(recorded.id, duplicate);
            continue;
        }
        missing_parents += usize::from(!relink_parent(&mut recorded, &numbers)?);
        let json = std::mem::take(&mut recorded.json);
        let id = store.import_json(json, recorded.episode.is_over())?;
        stored.add(&recorded, id)?;
        numbers.insert(recorded.id, id);
        imported.push(id);
    }
    output::print_line(&report(&imported, skipped, missing_parents))?;
    Ok(())
}

/// The result, in one sentence.
fn report(imported: &[u64], skipped: usize, missing_parents: usize) -> String {
    let imported = match imported {
        [] => "no episode was imported".to_owned(),
        [one] => format!("1 episode was imported, as number {one}"),
        [first, .., last] => {
            format!("{} episodes were imported, as {first} to {last}", imported.len())
        }
    };
    let skipped = match skipped {
        0 => String::new(),
        1 => "; 1 was already in the store and was skipped".to_owned(),
        n => format!("; {n} were already in the store and were skipped"),
    };
    let missing_parents = match missing_parents {
        0 => String::new(),
        1 => "; 1 is a fork whose parent is not in the store".to_owned(),
        n => format!("; {n} are forks whose parents are not in the store"),
    };
    format!("{imported}{skipped}{missing_parents}")
}

/// The stored episodes, by start time and question, which tell most of them apart without reading events.
#[derive(Default)]
struct StoredEpisodes(HashMap<(u64, String), Lookalikes>);

/// Episodes with the same start time and question.
#[derive(Default)]
struct Lookalikes {
    /// Those whose first event has not been read yet.
    unchecked: Vec<u64>,
    /// The others, by their first event.
    by_first_event: HashMap<String, u64>,
}

impl StoredEpisodes {
    fn of(store: &Store) -> Self {
        let mut stored = Self::default();
        // An unreadable episode cannot be compared.
        for EpisodeSummary { began_ms, question, id, .. } in store.summaries().flatten() {
            stored.0.entry((began_ms, question)).or_default().unchecked.push(id);
        }
        stored
    }

    fn lookalikes(&mut self, recorded: &RecordedEpisode) -> &mut Lookalikes {
        let episode = &recorded.episode;
        self.0.entry((episode.began_ms, episode.started.question.clone())).or_default()
    }

    /// The stored episode with the same first event.
    fn find_duplicate(
        &mut self,
        store: &Store,
        recorded: &RecordedEpisode,
    ) -> CommandResult<Option<u64>> {
        let lookalikes = self.lookalikes(recorded);
        for id in std::mem::take(&mut lookalikes.unchecked) {
            let first =
                store.events_json(id)?.first().map(|json| serde_json::from_str::<Event>(json));
            if let Some(Ok(first)) = first {
                lookalikes.by_first_event.insert(without_parent(&first)?, id);
            }
        }
        Ok(lookalikes.by_first_event.get(&without_parent(&recorded.events[0])?).copied())
    }

    /// Adds an episode that was just imported.
    fn add(&mut self, recorded: &RecordedEpisode, id: u64) -> serde_json::Result<()> {
        let first = without_parent(&recorded.events[0])?;
        self.lookalikes(recorded).by_first_event.insert(first, id);
        Ok(())
    }
}

/// A first event as JSON without its parent, whose number depends on the store.
fn without_parent(event: &Event) -> serde_json::Result<String> {
    let mut event = event.clone();
    if let EventKind::Started(started) = &mut event.kind {
        started.parent = None;
    }
    serde_json::to_string(&event)
}

/// Replaces the parent's number of a fork by its number in the store. If the parent is not in the store, removes
/// it and returns false.
fn relink_parent(
    recorded: &mut RecordedEpisode,
    numbers: &HashMap<u64, u64>,
) -> serde_json::Result<bool> {
    let (Some(event), Some(json)) = (recorded.events.first_mut(), recorded.json.first_mut()) else {
        return Ok(true);
    };
    let EventKind::Started(started) = &mut event.kind else { return Ok(true) };
    let Some(parent) = &mut started.parent else { return Ok(true) };
    let found = numbers.get(&parent.episode).copied();
    match found {
        Some(number) => parent.episode = number,
        None => started.parent = None,
    }
    *json = serde_json::to_string(event)?;
    Ok(found.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::Parent;

    #[test]
    fn a_fork_keeps_its_parent_under_the_new_number() {
        let fork = |episode| {
            let mut recorded =
                recording::find_recording("rescue", Path::new("/nowhere")).unwrap().remove(0);
            let EventKind::Started(started) = &mut recorded.events[0].kind else { panic!() };
            started.parent = Some(Parent { episode, step: 2 });
            recorded.json = vec![serde_json::to_string(&recorded.events[0]).unwrap()];
            recorded
        };
        let numbers = HashMap::from([(3, 41)]);
        let mut known = fork(3);
        assert!(relink_parent(&mut known, &numbers).unwrap());
        assert!(known.json[0].contains(r#""parent":{"episode":41,"step":2}"#), "{}", known.json[0]);
        let mut orphan = fork(4);
        assert!(!relink_parent(&mut orphan, &numbers).unwrap());
        assert!(!orphan.json[0].contains("parent"));
        assert_eq!(
            without_parent(&known.events[0]).unwrap(),
            without_parent(&orphan.events[0]).unwrap()
        );
    }

    #[test]
    fn the_report_counts() {
        assert_eq!(
            report(&[], 2, 0),
            "no episode was imported; 2 were already in the store and were skipped"
        );
        assert_eq!(report(&[4], 0, 0), "1 episode was imported, as number 4");
        let text = report(&[4, 5, 6], 1, 1);
        assert!(text.starts_with("3 episodes were imported, as 4 to 6; 1 was"), "{text}");
    }
}
