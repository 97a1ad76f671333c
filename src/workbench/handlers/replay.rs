//! A recording in place of a session.

use super::notices::{error, hint};
use crate::recording::{Direction, JumpTarget};
use crate::routing::RouterRegistry;
use crate::session::RoutingConfig;
use crate::workbench::active_routing::LoadedRouting;
use crate::workbench::keymap::Keymap;
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::replay::{Replay, ReplayAction};
use crate::workbench::state::{InitialState, SessionStatus, State};

/// The longest time that may pass at once, milliseconds: a stopped process has not played.
const MAX_ELAPSED_MS: u64 = 2000;

impl State {
    /// The state in which `replay` is on the screen.
    pub fn replaying(replay: Replay, keys: Keymap) -> Self {
        let started = &replay.recorded().episode.started;
        let (preset, seed) = (started.preset.clone(), started.seed);
        let store = replay.source().to_owned();
        let registry = RouterRegistry::new(&preset.name, None);
        let routing = LoadedRouting { routing: RoutingConfig { preset, registry }, scale: None };
        let mut state =
            Self::new(InitialState { routing, first_question: None, seed, store, keys });
        state.session_status = SessionStatus::None;
        state.replay = Some(Box::new(replay));
        sync_display(&mut state);
        state
    }
}

/// Lets time pass up to `now_ms`, milliseconds since any fixed time.
pub(in crate::workbench) fn advance_clock(state: &mut State, now_ms: u64) {
    let Some(replay) = &mut state.replay else { return };
    if !replay.player.is_playing() {
        replay.clock_ms = None;
        return;
    }
    let passed = replay.clock_ms.map_or(0, |before| now_ms.saturating_sub(before));
    replay.clock_ms = Some(now_ms);
    replay.player.advance(passed.min(MAX_ELAPSED_MS) as f64);
    sync_display(state);
}

/// Jumps to the next or previous event of that kind.
pub(in crate::workbench) fn jump(
    state: &mut State,
    target: JumpTarget,
    direction: Direction,
) -> Vec<Effect> {
    run_action(state, ReplayAction::Jump(target, direction))
}

/// Carries out an action of the replay page.
pub(in crate::workbench) fn run_action(state: &mut State, action: ReplayAction) -> Vec<Effect> {
    let in_view = state.step_in_view();
    let Some(replay) = &mut state.replay else { return Vec::new() };
    if let Err(why) = replay.run_action(action, in_view) {
        return hint(state, why);
    }
    if matches!(action, ReplayAction::Episode(_)) {
        state.displayed = None;
    }
    sync_display(state);
    match action {
        ReplayAction::TogglePlay | ReplayAction::Faster | ReplayAction::Slower => Vec::new(),
        _ => {
            state.selected = None;
            vec![Effect::Scroll(Scroll::Follow)]
        }
    }
}

/// Brings the display to the player's position.
pub(super) fn sync_display(state: &mut State) {
    let State { replay: Some(replay), displayed, reduced_motion, .. } = state else { return };
    let synced = replay.sync(displayed, *reduced_motion);
    state.now_ms = replay.player.recorded_ms();
    let id = replay.recorded().id;
    if let Err(why) = synced {
        error(state, format!("episode {id} cannot be shown: {why}"));
    }
}
