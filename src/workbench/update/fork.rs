//! The start of a fork.

use crate::session::{Command, Fork, ForkRequest};
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::state::State;

/// Forks the episode on the screen at `step`; `change` says what is different.
pub(super) fn send_fork(
    state: &mut State,
    step: usize,
    change: impl FnOnce(&mut ForkRequest),
) -> Vec<Effect> {
    let Some(displayed) = &state.displayed else { return Vec::new() };
    let fork = Fork::new(displayed.id, displayed.episode.clone(), step);
    let mut order = ForkRequest { fork, router: None, registry: None, paused: false };
    change(&mut order);
    state.starting = true;
    vec![Effect::SendCommand(Command::Fork(Box::new(order))), Effect::Scroll(Scroll::Follow)]
}
