//! `pointsman episodes import`: episodes of a recording into the store.

use std::collections::HashMap;
use std::path::Path;

use super::style;
use crate::episode::{Event, EventKind};
use crate::recording::{self, Recorded};
use crate::store::{Store, StoreError};

/// Takes the episodes of the recording `path` in, all of them or, where one cannot be used, none.
/// An episode whose first event is in the store already is skipped.
///
/// # Errors
/// When the recording cannot be used, or the store refuses.
pub fn run(path: &Path, store: &Store) -> anyhow::Result<()> {
    // The whole file is looked at before any of it is taken in.
    for recorded in recording::open(path)? {
        recorded?;
    }
    let mut known = Known::of(store);
    // Numbers in the file and in the store.
    let mut numbers = HashMap::new();
    let (mut taken, mut skipped, mut orphans) = (Vec::new(), 0, 0);
    for recorded in recording::open(path)?.with_json() {
        let mut recorded = recorded?;
        if let Some(twin) = known.twin(store, &recorded)? {
            skipped += 1;
            numbers.insert(recorded.id, twin);
            continue;
        }
        orphans += usize::from(!adopt(&mut recorded, &numbers)?);
        let id = store.keep_json(recorded.json, recorded.episode.is_over())?;
        known.add(recorded.episode.began_ms, &recorded.episode.started.question, id);
        numbers.insert(recorded.id, id);
        taken.push(id);
    }
    style::line(&report(&taken, skipped, orphans))?;
    Ok(())
}

/// What came in, in a sentence.
fn report(taken: &[u64], skipped: usize, orphans: usize) -> String {
    let mut text = match taken {
        [] => "no episode came in".to_owned(),
        [one] => format!("1 episode came in, as number {one}"),
        [first, .., last] => format!("{} episodes came in, as {first} to {last}", taken.len()),
    };
    match skipped {
        0 => {}
        1 => text.push_str("; 1 was in the store already and was skipped"),
        n => text.push_str(&format!("; {n} were in the store already and were skipped")),
    }
    if orphans > 0 {
        text.push_str(&format!("; {orphans} left a parent that is not in the store"));
    }
    text
}

/// What is in the store, by what tells episodes apart fast: when they began, and the question.
struct Known(HashMap<(u64, String), Vec<u64>>);

impl Known {
    fn of(store: &Store) -> Self {
        let mut known = Self(HashMap::new());
        // What cannot be read is no twin of anything.
        for summary in store.list().flatten() {
            known.add(summary.began_ms, &summary.question, summary.id);
        }
        known
    }

    fn add(&mut self, began_ms: u64, question: &str, id: u64) {
        self.0.entry((began_ms, question.to_owned())).or_default().push(id);
    }

    /// The stored episode with the same first event.
    fn twin(&self, store: &Store, recorded: &Recorded) -> Result<Option<u64>, StoreError> {
        let key = (recorded.episode.began_ms, recorded.episode.started.question.clone());
        let first = rootless(&recorded.events[0]);
        for &id in self.0.get(&key).into_iter().flatten() {
            if store.events(id)?.first().map(rootless) == Some(first.clone()) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// A first event without the parent, whose number differs from store to store.
fn rootless(event: &Event) -> Event {
    let mut event = event.clone();
    if let EventKind::Started(started) = &mut event.kind {
        started.parent = None;
    }
    event
}

/// Gives a fork the number that its parent has in the store; where the parent is not there, none.
/// False in that case.
fn adopt(recorded: &mut Recorded, numbers: &HashMap<u64, u64>) -> serde_json::Result<bool> {
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
            let mut recorded = recording::find("rescue", Path::new("/nowhere")).unwrap().remove(0);
            let EventKind::Started(started) = &mut recorded.events[0].kind else { panic!() };
            started.parent = Some(Parent { episode, step: 2 });
            recorded.json = vec![serde_json::to_string(&recorded.events[0]).unwrap()];
            recorded
        };
        let numbers = HashMap::from([(3, 41)]);
        let mut known = fork(3);
        assert!(adopt(&mut known, &numbers).unwrap());
        assert!(known.json[0].contains(r#""parent":{"episode":41,"step":2}"#), "{}", known.json[0]);
        let mut stray = fork(4);
        assert!(!adopt(&mut stray, &numbers).unwrap());
        assert!(!stray.json[0].contains("parent"));
        assert_eq!(rootless(&known.events[0]), rootless(&stray.events[0]));
    }

    #[test]
    fn the_report_counts() {
        assert_eq!(
            report(&[], 2, 0),
            "no episode came in; 2 were in the store already and were skipped"
        );
        assert_eq!(report(&[4], 0, 0), "1 episode came in, as number 4");
        let text = report(&[4, 5, 6], 1, 1);
        assert!(text.starts_with("3 episodes came in, as 4 to 6; 1 was"), "{text}");
    }
}
