//! Recordings for tests: a real episode, and variations of it.

use super::{RecordedEpisode, find_recording, write_event};
use crate::episode::{Decider, Event, EventKind, OverrideScope, Role};

/// The embedded recording in which the large model rescues a step.
pub(super) fn rescue() -> RecordedEpisode {
    let mut all = find_recording("rescue", std::path::Path::new("/nowhere")).unwrap();
    all.remove(0)
}

/// A bookmark of a step.
pub(super) fn bookmarked(step: usize) -> Event {
    let at_ms = rescue().episode.last_ms + 5000;
    Event::new(at_ms, EventKind::Bookmarked { step, note: String::new() })
}

/// Length of the pause in [`rescue_with_user_actions`], milliseconds.
pub(super) const PAUSE_MS: u64 = 3_600_000;

/// The rescue, in which the user pauses for an hour before the second step, overrides the router for that step, and
/// bookmarks the third step after the end.
pub(super) fn rescue_with_user_actions() -> Vec<Event> {
    let mut events = rescue().events;
    let paused_at = events[2].at_ms + 1;
    for event in &mut events[3..] {
        event.at_ms += PAUSE_MS;
    }
    let EventKind::Decided { by, .. } = &mut events[3].kind else { panic!("the second choice") };
    *by = Decider::User;
    let after_end = events.last().unwrap().at_ms + 5000;
    let scope = OverrideScope::NextStep;
    let actions = [
        Event::new(paused_at, EventKind::Paused),
        Event::new(paused_at + 9, EventKind::OverrideSet { model: Role::Small, scope }),
        Event::new(paused_at + PAUSE_MS, EventKind::Resumed),
    ];
    events.splice(3..3, actions);
    events.push(Event { at_ms: after_end, ..bookmarked(2) });
    events
}

/// The lines of these events, each list with the number of its episode.
pub(super) fn lines(episodes: &[(u64, &[Event])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, events) in episodes {
        for event in *events {
            write_event(&mut out, *id, event).unwrap();
        }
    }
    out
}
