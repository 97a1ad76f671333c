//! A recording.

use super::unavailable_on_episode;
use crate::recording::{Direction, JumpTarget};
use crate::workbench::action::{Action, ActionScope, PageId};
use crate::workbench::page::{Hints, Page};
use crate::workbench::replay::{Replay, ReplayAction};
use crate::workbench::state::{SessionStatus, State};
use crate::workbench::view;
use crate::workbench::view::render_context::RenderContext;
use crate::workbench::view::text::StatusPart;

const TOGGLE: Action = Action::Replay(ReplayAction::TogglePlay);
const FORWARD: Action = Action::Replay(ReplayAction::Forward);
const BACK: Action = Action::Replay(ReplayAction::Back);
const SLOWER: Action = Action::Replay(ReplayAction::Slower);
const NEXT_SWITCH: Action =
    Action::Replay(ReplayAction::Jump(JumpTarget::Switch, Direction::Forward));
const NEXT_EPISODE: Action = Action::Replay(ReplayAction::Episode(Direction::Forward));

const PLAYING: Hints = &[
    (TOGGLE, "pause"),
    (FORWARD, "step on"),
    (BACK, "back"),
    (NEXT_SWITCH, "next switch"),
    (SLOWER, "slower"),
    (Action::Quit, "quit"),
];

const PAUSED: Hints = &[
    (TOGGLE, "play"),
    (FORWARD, "step on"),
    (BACK, "back"),
    (NEXT_SWITCH, "next switch"),
    (SLOWER, "slower"),
    (Action::Quit, "quit"),
];

const PAUSED_BEFORE_ANOTHER: Hints = &[
    (TOGGLE, "play"),
    (FORWARD, "step on"),
    (BACK, "back"),
    (NEXT_SWITCH, "next switch"),
    (NEXT_EPISODE, "next episode"),
    (Action::Quit, "quit"),
];

/// A recording.
pub(super) struct ReplayPage;

impl Page for ReplayPage {
    fn id(&self) -> PageId {
        PageId::Replay
    }

    fn name(&self) -> &'static str {
        "replay"
    }

    fn status(&self, state: &State, ctx: RenderContext<'_>) -> Vec<StatusPart> {
        state
            .replay()
            .map_or_else(Vec::new, |replay| view::replay_status::status_parts(replay, state, ctx))
    }

    fn hints(&self, state: &State) -> Hints {
        let is_playing = state.replay().is_some_and(|replay| replay.player().is_playing());
        let (index, episodes) = state.replay().map_or((0, 0), Replay::position);
        match (is_playing, index + 1 < episodes) {
            (true, _) => PLAYING,
            (false, true) => PAUSED_BEFORE_ANOTHER,
            (false, false) => PAUSED,
        }
    }

    fn unavailable_reason(&self, scope: ActionScope, state: &State) -> Option<String> {
        unavailable_on_episode(scope, state, || {
            let leave = match state.session_status {
                SessionStatus::None => (Action::Quit, "to end it"),
                _ => (Action::Back, "to leave it"),
            };
            let keys = state.keys.key_hints(&[(Action::Help, "for its keys"), leave]);
            Some(format!("nothing in a replay can be changed{keys}"))
        })
    }
}
