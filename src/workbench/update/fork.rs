//! The start of a fork.

use crate::session::{Command, Fork, ForkOrder};
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::state::State;

/// Forks the episode on the screen at `step`; `change` says what is different.
pub(super) fn start(
    state: &mut State,
    step: usize,
    change: impl FnOnce(&mut ForkOrder),
) -> Vec<Effect> {
    let Some(run) = &state.run else { return Vec::new() };
    let fork = Fork::new(run.id, run.episode.clone(), step);
    let mut order = ForkOrder { fork, router: None, roster: None, paused: false };
    change(&mut order);
    state.starting = true;
    vec![Effect::Send(Command::Fork(Box::new(order))), Effect::Scroll(Scroll::Follow)]
}
