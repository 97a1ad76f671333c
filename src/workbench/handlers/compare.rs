//! Forks, and the comparison of two episodes.

use ratatui::crossterm::event::KeyCode;

use super::notices::hint;
use super::{fork, menu};
use crate::episode::Role;
use crate::workbench::action::Action;
use crate::workbench::compare::Comparison;
use crate::workbench::menu::MenuKind;
use crate::workbench::message::Effect;
use crate::workbench::overlay::Overlay;
use crate::workbench::state::State;

/// Lines of a page.
const PAGE_ROWS: isize = 10;

/// Asks what the fork at the step in view does differently.
pub(in crate::workbench) fn open_fork_dialog(state: &mut State) -> Vec<Effect> {
    let steps = state.displayed.as_ref().map_or(0, |displayed| displayed.episode.steps.len());
    match state.step_in_view().filter(|_| steps > 0) {
        Some(step) => {
            state.overlay = Overlay::Fork(step.min(steps));
            Vec::new()
        }
        None => hint(state, "there are no steps to fork from yet"),
    }
}

/// A key while the fork dialog is open.
pub(in crate::workbench) fn on_fork_key(
    state: &mut State,
    step: usize,
    key: KeyCode,
) -> Vec<Effect> {
    let threshold = Some(state.active.threshold());
    let (model, threshold) = match key {
        KeyCode::Char('s') => (Some(Role::Small), None),
        KeyCode::Char('l') => (Some(Role::Large), None),
        KeyCode::Char('n') => (None, None),
        KeyCode::Char('t') => (None, threshold),
        KeyCode::Char('p') => {
            state.overlay = Overlay::None;
            return menu::load(state, MenuKind::Policies { step });
        }
        KeyCode::Esc | KeyCode::Char('q') => {
            state.overlay = Overlay::None;
            return Vec::new();
        }
        _ => return hint(state, "press s, l, t, p or n, or Esc to cancel"),
    };
    state.overlay = Overlay::None;
    fork::send_fork(state, step, |request| {
        request.fork.model = model;
        request.fork.threshold = threshold;
    })
}

/// Compares the displayed episode with the previous one.
pub(in crate::workbench) fn open(state: &mut State) -> Vec<Effect> {
    compare_with_previous(state, false)
}

/// The same, without the steps that do not differ.
pub(in crate::workbench) fn open_differences(state: &mut State) -> Vec<Effect> {
    compare_with_previous(state, true)
}

fn compare_with_previous(state: &mut State, only_differences: bool) -> Vec<Effect> {
    let Some((id, episode)) = state.previous.clone() else {
        let keys = state.keys.key_hints(&[(Action::Fork, "to fork this one")]);
        return hint(state, format!("there is no other episode of this question{keys}"));
    };
    state.overlay =
        Overlay::Compare(Comparison { only_differences, ..Comparison::new(id, episode) });
    Vec::new()
}

/// An action while a comparison is open: true if the comparison used it. Every other action closes
/// the comparison.
pub(in crate::workbench) fn on_action(state: &mut State, action: Option<Action>) -> bool {
    let Overlay::Compare(compare) = &mut state.overlay else { return false };
    match action {
        Some(Action::Differences) => {
            compare.only_differences = !compare.only_differences;
            compare.top = 0;
        }
        Some(Action::Previous) => compare.scroll(-1),
        Some(Action::Next) => compare.scroll(1),
        Some(Action::PageUp) => compare.scroll(-PAGE_ROWS),
        Some(Action::PageDown) => compare.scroll(PAGE_ROWS),
        Some(Action::Compare | Action::Follow | Action::Back | Action::Quit) => {
            state.overlay = Overlay::None;
        }
        Some(Action::Help) => state.overlay = Overlay::Help(0),
        Some(_) => {
            state.overlay = Overlay::None;
            return false;
        }
        None => return false,
    }
    true
}
