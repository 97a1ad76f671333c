//! Recordings for tests: a real episode, and variations of it.

use super::{RecordedEpisode, find_recording, write_event};
use crate::episode::{Decider, Event, EventKind, OverrideScope, Role};

/// The recording inside the binary in which the large model rescues a step.
pub(super) fn rescue() -> RecordedEpisode {
    let mut all = find_recording("rescue", std::path::Path::new("/nowhere")).unwrap();
    all.remove(0)
}

/// A step that a person marked.
pub(super) fn bookmarked(step: usize) -> Event {
    let at_ms = rescue().episode.last_ms + 5000;
    Event::new(at_ms, EventKind::Bookmarked { step, note: String::new() })
}

/// How long a person thought in [`eventful`], milliseconds.
pub(super) const PAUSE_MS: u64 = 3_600_000;

/// The rescue, had a person paused it for an hour before the second step, taken the points for that
/// step, and marked the third after the end.
pub(super) fn rescue_with_user_actions() -> Vec<Event> {
    let mut events = rescue().events;
    let paused_at = events[2].at_ms + 1;
    for event in &mut events[3..] {
        event.at_ms += PAUSE_MS;
    }
    let EventKind::Decided { by, .. } = &mut events[3].kind else { panic!("the second choice") };
    *by = Decider::User;
    let over = events.last().unwrap().at_ms + 5000;
    let scope = OverrideScope::NextStep;
    let thought = [
        Event::new(paused_at, EventKind::Paused),
        Event::new(paused_at + 9, EventKind::OverrideSet { model: Role::Small, scope }),
        Event::new(paused_at + PAUSE_MS, EventKind::Resumed),
    ];
    events.splice(3..3, thought);
    events.push(Event { at_ms: over, ..bookmarked(2) });
    events
}

/// Lines of these events, each list with the number of its episode.
pub(super) fn lines(episodes: &[(u64, &[Event])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, events) in episodes {
        for event in *events {
            write_event(&mut out, *id, event).unwrap();
        }
    }
    out
}
