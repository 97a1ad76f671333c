//! The start of a fork.

use std::sync::Arc;

use crate::session::{Command, Fork, ForkRequest};
use crate::workbench::message::{Effect, Scroll};
use crate::workbench::state::State;

/// Forks the displayed episode at `step`; `change` sets what is different.
pub(super) fn send_fork(
    state: &mut State,
    step: usize,
    change: impl FnOnce(&mut ForkRequest),
) -> Vec<Effect> {
    let Some(displayed) = &state.displayed else { return Vec::new() };
    let fork = Fork::new(displayed.id, Arc::clone(&displayed.episode), step);
    let mut request = ForkRequest { fork, router: None, registry: None, paused: false };
    change(&mut request);
    state.starting = true;
    vec![Effect::SendCommand(Command::Fork(Box::new(request))), Effect::Scroll(Scroll::Follow)]
}
