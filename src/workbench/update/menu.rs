//! Lists to choose from, and what choosing does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::school::employ;
use super::{act, fork, hint, threshold};
use crate::workbench::actions::Action;
use crate::workbench::errand::Errand;
use crate::workbench::menu::{Item, List, Menu, Pick};
use crate::workbench::message::{Chosen, Effect};
use crate::workbench::offers::refusal;
use crate::workbench::outlook::Outlooks;
use crate::workbench::state::{Notice, Overlay, State};

/// Rows of a page.
const PAGE: isize = 10;

/// Opens the list of all actions of this mode.
pub(super) fn palette(state: &mut State) -> Vec<Effect> {
    let mode = state.mode();
    let item = |(row, keys): (&'static crate::workbench::Row, &[crate::workbench::Key])| {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let label = format!("{:<15} {}", row.name, row.help);
        Item { label, note: keys.join(" "), pick: Pick::Act(row.action) }
    };
    let valid = state.keys.rows().filter(|(row, _)| {
        row.place.is_in(mode)
            && row.action != Action::Palette
            && refusal(row.place, state).is_none()
    });
    let items = valid.map(item).collect();
    state.overlay = Overlay::Menu(Menu::new("all that can be done", items));
    Vec::new()
}

/// Asks for a list.
pub(super) fn ask(state: &mut State, list: List) -> Vec<Effect> {
    let ground = match list {
        List::Calibrations => match state.pair() {
            Some(pair) => Some(Box::new((state.preset.clone(), pair))),
            None => return hint(state, super::school::NO_PAIR),
        },
        _ => None,
    };
    state.overlay = Overlay::Menu(Menu::awaited());
    vec![Effect::Do(Errand::Choices(list, ground))]
}

/// A list has come.
pub(super) fn told(state: &mut State, menu: Result<Menu, String>) -> Vec<Effect> {
    // One that was left is not wanted any more.
    let Overlay::Menu(shown) = &mut state.overlay else { return Vec::new() };
    if !std::mem::take(&mut shown.waits) {
        return Vec::new();
    }
    match menu {
        Ok(menu) => {
            let typed = std::mem::take(&mut shown.typed);
            *shown = Menu { typed, ..menu };
        }
        Err(why) => {
            state.overlay = Overlay::None;
            state.notice = Some(Notice::Trouble(why));
        }
    }
    Vec::new()
}

/// A key while a list is open.
pub(super) fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Overlay::Menu(menu) = &mut state.overlay else { return Vec::new() };
    match event.code {
        KeyCode::Esc => state.overlay = Overlay::None,
        KeyCode::Up => menu.step(-1),
        KeyCode::Down => menu.step(1),
        KeyCode::PageUp => menu.step(-PAGE),
        KeyCode::PageDown => menu.step(PAGE),
        KeyCode::Backspace => {
            menu.typed.pop();
            menu.at = 0;
        }
        // As in a shell.
        KeyCode::Char('u') if event.modifiers.contains(KeyModifiers::CONTROL) => {
            menu.typed.clear();
            menu.at = 0;
        }
        KeyCode::Char(c) => {
            menu.typed.push(c);
            menu.at = 0;
        }
        KeyCode::Enter => {
            if menu.waits {
                return hint(state, "the list is on its way");
            }
            let Some(pick) = menu.here().cloned() else {
                return hint(state, "nothing is left to choose: delete a letter, or press Esc");
            };
            state.overlay = Overlay::None;
            return choose(state, pick);
        }
        _ => {}
    }
    Vec::new()
}

fn choose(state: &mut State, pick: Pick) -> Vec<Effect> {
    match pick {
        Pick::Act(action) => act(state, action),
        Pick::Theme(name) => vec![Effect::Do(Errand::Theme(name))],
        Pick::Preset(name) => vec![Effect::Do(Errand::Preset(name))],
        Pick::Threshold(to) => threshold::set(state, to),
        Pick::Policy { name, step } => vec![Effect::Do(Errand::Hire { name, step })],
    }
}

/// A preset was loaded, or the one in force stays.
pub(super) fn preset(state: &mut State, chosen: Result<Box<Chosen>, String>) -> Vec<Effect> {
    let Chosen { employment, scale } = match chosen {
        Ok(chosen) => *chosen,
        Err(why) => {
            state.notice = Some(Notice::Trouble(format!("{why}; the preset in force stays")));
            return Vec::new();
        }
    };
    let next = &employment.preset;
    let same = state.preset.small == next.small && state.preset.large == next.large;
    super::school::leave_newcomer(state);
    state.threshold = next.routing.threshold;
    state.asked_threshold = None;
    state.trained_scale = scale;
    state.outlook = Outlooks::Unasked;
    state.preset = next.clone();
    let name = &next.name;
    state.notice = Some(Notice::Hint(if same {
        format!("preset {name} holds from the next question on")
    } else {
        format!("preset {name}: its models are being loaded")
    }));
    if same {
        return employ(employment);
    }
    // Another pair has not been asked anything yet.
    state.question = None;
    state.live = None;
    vec![Effect::Restart(Box::new(employment))]
}

/// A policy to fork with has come.
pub(super) fn hired(
    state: &mut State,
    step: usize,
    roster: Result<crate::routing::Roster, String>,
) -> Vec<Effect> {
    match roster {
        Ok(roster) => fork::start(state, step, |order| {
            order.router = Some("policy".into());
            order.roster = Some(roster);
        }),
        Err(why) => {
            state.notice = Some(Notice::Trouble(why));
            Vec::new()
        }
    }
}
