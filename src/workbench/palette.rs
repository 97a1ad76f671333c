//! The palette: a list of all actions that are available.

use super::action::{Action, ActionSpec};
use super::key::Key;
use super::menu::{Menu, MenuChoice, MenuItem};
use super::message::Effect;
use super::overlay::Overlay;
use super::pages;
use super::state::State;

/// Opens the list of the available actions.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let page = pages::current(state);
    let available = state.keys.rows().filter(|(spec, _)| {
        spec.scope.exists_on(page.id())
            && spec.action != Action::Palette
            && page.unavailable_reason(spec.scope, state).is_none()
    });
    let items = available.map(item).collect();
    state.overlay = Overlay::Menu(Menu::new("actions", items));
    Vec::new()
}

fn item((spec, keys): (&'static ActionSpec, &[Key])) -> MenuItem {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let label = format!("{:<15} {}", spec.label, spec.help);
    MenuItem { label, note: keys.join(" "), choice: MenuChoice::Action(spec.action) }
}
