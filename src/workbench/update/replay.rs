//! A recording takes the place of the session.

use crate::workbench::keymap::Keymap;
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::replay::{Order, Replay};
use crate::workbench::state::{Beginning, Link, Notice, State};

/// The longest that may pass at once, milliseconds: a process that was stopped has not been played.
const MOST_MS: u64 = 2000;

impl State {
    /// The state in which `replay` is on the screen.
    pub fn replaying(replay: Replay, keys: Keymap) -> Self {
        let started = &replay.recorded().episode.started;
        let (preset, seed) = (started.preset.clone(), started.seed);
        let store = replay.source().to_owned();
        let mut state =
            Self::new(Beginning { preset, first: None, seed, store, keys, scale: None });
        state.link = Link::Absent;
        state.player = Some(Box::new(replay));
        show(&mut state);
        state
    }
}

/// Lets time pass up to `now_ms`, milliseconds since any fixed time.
pub(in crate::workbench) fn pass(state: &mut State, now_ms: u64) {
    let Some(replay) = &mut state.player else { return };
    if !replay.player.is_playing() {
        replay.clock_ms = None;
        return;
    }
    let passed = replay.clock_ms.map_or(0, |before| now_ms.saturating_sub(before));
    replay.clock_ms = Some(now_ms);
    replay.player.advance(passed.min(MOST_MS) as f64);
    show(state);
}

/// Does what a person asked for.
pub(in crate::workbench) fn obey(state: &mut State, order: Order) -> Vec<Effect> {
    let in_view = state.step_in_view();
    let Some(replay) = &mut state.player else { return Vec::new() };
    if let Err(why) = replay.obey(order, in_view) {
        state.notice = Some(Notice::Hint(why));
        return Vec::new();
    }
    if matches!(order, Order::Episode(_)) {
        state.run = None;
    }
    show(state);
    match order {
        Order::Toggle | Order::Faster | Order::Slower => Vec::new(),
        _ => {
            state.selected = None;
            vec![Effect::Scroll(Scroll::Follow)]
        }
    }
}

/// Brings what is on the screen to the player's position.
pub(super) fn show(state: &mut State) {
    let State { player: Some(replay), run, reduced_motion, .. } = state else { return };
    let brought = replay.bring(run, *reduced_motion);
    state.now_ms = replay.player.recorded_ms();
    if let Err(error) = brought {
        let id = replay.recorded().id;
        state.notice = Some(Notice::Trouble(format!("episode {id} cannot be shown: {error}")));
    }
}
