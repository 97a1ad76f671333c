//! Messages to changes of the state and effects. Pure: no I/O, no clock.

use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::action::{Action, ActionScope};
use super::actions::run_action;
use super::handlers::notices::{error, hint};
use super::handlers::{
    compare, episode, explanation, library, menu, navigation, prompt, replay, session, threshold,
    training_page,
};
use super::key::Key;
use super::menu::MenuChoice;
use super::message::{Effect, Message};
use super::overlay::Overlay;
use super::pages;
use super::state::State;

/// Changes the state by a message; returns what is to be done.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = handle(state, message);
    effects.extend(explanation::request(state));
    effects
}

fn handle(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Input(Input::Key(key)) if key.kind != KeyEventKind::Release => {
            return on_key(state, key);
        }
        Message::Input(Input::Paste(text)) => return on_paste(state, &text),
        Message::Input(_) => {}
        Message::Session(update) => return session::on_update(state, update),
        Message::SessionGone => session::on_gone(state),
        Message::Clock(now_ms) if state.replay.is_some() => replay::advance_clock(state, now_ms),
        Message::Clock(_) if state.reduced_motion => {}
        Message::Clock(now_ms) => state.now_ms = now_ms,
        Message::Resized(width, height) => state.size = Some((width, height)),
        Message::Gpu(memory) => state.gpu = Some(memory),
        Message::QuestionDrawn(question) => return episode::ask_new_question(state, question),
        Message::Explained(boundary, contributions) => {
            explanation::on_explained(state, boundary, contributions);
        }
        Message::ThresholdEstimates(estimates) => threshold::on_estimates(state, estimates),
        Message::EpisodesListed { request_id, from_start, page } => {
            library::on_episodes_listed(state, request_id, from_start, page);
        }
        Message::EpisodeRead(purpose, result) => {
            return library::on_episode_read(state, purpose, result);
        }
        Message::ChangeSaved(result) => return library::on_change_saved(state, result),
        Message::MenuLoaded(loaded) => {
            let keys = menu::on_menu_loaded(state, loaded);
            return keys.into_iter().flat_map(|key| on_key(state, key)).collect();
        }
        Message::ThemeLoaded(Ok(theme)) => return vec![Effect::SetTheme(theme)],
        Message::ThemeLoaded(Err(why)) => return error(state, format!("{why}; the theme stays")),
        Message::PresetLoaded(loaded) => return menu::on_preset_loaded(state, loaded),
        Message::PolicyLoaded(step, registry) => {
            return menu::on_policy_loaded(state, step, registry);
        }
        Message::Training(update) => training_page::on_update(state, update),
        Message::Promoted(result) => return training_page::on_promoted(state, result),
        Message::UserScored(Ok(score)) => {
            if let Overlay::Score(shown) = &mut state.overlay {
                *shown = Some(score);
            }
        }
        Message::UserScored(Err(why)) => {
            state.overlay = Overlay::None;
            return error(state, why);
        }
        // The terminal does not answer.
        Message::Copied(Ok(())) => {
            return hint(state, "the trace was sent to the terminal's clipboard");
        }
        Message::Copied(Err(why)) => return error(state, why),
    }
    Vec::new()
}

fn on_paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.notice = None;
    let line = text.replace(['\r', '\n'], " ");
    match &mut state.overlay {
        Overlay::Prompt(prompt) => {
            prompt.clear_if_fresh();
            prompt.area.insert_str(line);
            return Vec::new();
        }
        Overlay::Menu(menu) => {
            menu.edit_filter(|filter| filter.push_str(line.trim()));
            return Vec::new();
        }
        Overlay::Threshold(typed) => {
            line.trim().chars().for_each(|c| threshold::push_char(typed, c));
            return Vec::new();
        }
        _ if state.open_page.is_some() => {
            return hint(state, "there is no line open to paste into");
        }
        _ => {}
    }
    if !matches!(state.overlay, Overlay::Editor(_)) {
        let page = pages::current(state);
        if let Some(reason) = page.unavailable_reason(ActionScope::SessionReady, state) {
            return hint(state, reason);
        }
        episode::type_question(state);
    }
    if let Overlay::Editor(area) = &mut state.overlay {
        area.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
    }
    Vec::new()
}

fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    state.notice = None;
    let key = Key::from_event(&event);
    let page = pages::current(state);
    let spec = state.keys.action_for_key(key, page.id());
    let action = spec.map(|spec| spec.action);
    // These two must always work.
    match action.filter(|_| key.1.contains(KeyModifiers::CONTROL)) {
        Some(Action::Quit) => return vec![Effect::Quit],
        Some(Action::Suspend) => return vec![Effect::Suspend],
        _ => {}
    }
    if state.is_too_small() {
        // The user does not see what another key does.
        let quits = action == Some(Action::Quit);
        return if quits { vec![Effect::Quit] } else { Vec::new() };
    }
    if let Some(effects) = on_overlay_key(state, event, action) {
        return effects;
    }
    let Some(spec) = spec else {
        let keys = state.keys.key_hints(&[(Action::Help, "for the keys")]);
        return hint(state, format!("{key} does nothing here{keys}"));
    };
    match page.unavailable_reason(spec.scope, state) {
        Some(reason) => hint(state, reason),
        None => perform(state, spec.action),
    }
}

/// A key while an overlay is open; `None` if the key is for the page.
fn on_overlay_key(
    state: &mut State,
    event: KeyEvent,
    action: Option<Action>,
) -> Option<Vec<Effect>> {
    match state.overlay {
        Overlay::None => None,
        Overlay::Editor(_) => Some(episode::on_editor_key(state, event)),
        Overlay::Prompt(_) => Some(prompt::on_key(state, event)),
        Overlay::Threshold(_) => Some(threshold::on_key(state, event.code)),
        Overlay::Fork(step) => Some(compare::on_fork_key(state, step, event.code)),
        Overlay::Menu(_) => Some(match menu::on_key(state, event) {
            Some(MenuChoice::Action(action)) => perform(state, action),
            Some(choice) => menu::choose(state, choice),
            None => Vec::new(),
        }),
        Overlay::Score(_) => {
            state.overlay = Overlay::None;
            Some(Vec::new())
        }
        Overlay::Compare(_) => compare::on_action(state, action).then(Vec::new),
        Overlay::Help(top) => {
            if navigation::scroll_help(state, top, action) {
                return Some(Vec::new());
            }
            state.overlay = Overlay::None;
            // Other keys close the help and do what they do.
            let closes = matches!(action, Some(Action::Help | Action::Quit | Action::Back));
            (closes || event.code == KeyCode::Esc).then(Vec::new)
        }
    }
}

/// Carries out an available action: in the page's own way, or by its handler.
fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    let page = pages::current(state);
    page.handle(state, action).unwrap_or_else(|| run_action(state, action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Folders, load_preset};
    use crate::routing::RouterRegistry;
    use crate::session::RoutingConfig;
    use crate::workbench::active_routing::LoadedRouting;
    use crate::workbench::job::Job;
    use crate::workbench::keymap::Keymap;
    use crate::workbench::menu::{Menu, MenuItem};
    use crate::workbench::state::{InitialState, Notice};

    fn state() -> State {
        let home = tempfile::tempdir().unwrap();
        let preset = load_preset("tiny", &Folders::below(home.path()).unwrap()).unwrap();
        let registry = RouterRegistry::new(&preset.name, None);
        let routing = LoadedRouting { routing: RoutingConfig { preset, registry }, scale: None };
        let (store, keys) = ("/store".into(), Keymap::default());
        State::new(InitialState { routing, first_question: None, seed: 0, store, keys })
    }

    fn press(state: &mut State, codes: &[KeyCode]) -> Vec<Effect> {
        let keys = codes.iter().map(|code| KeyEvent::new(*code, KeyModifiers::NONE));
        keys.flat_map(|key| update(state, Message::Input(Input::Key(key)))).collect()
    }

    fn themes() -> Menu {
        let item = |name: &str| MenuItem {
            label: name.into(),
            note: String::new(),
            choice: MenuChoice::Theme(name.into()),
        };
        Menu::new("themes", vec![item("dusk"), item("light"), item("lilac")])
    }

    #[test]
    fn keys_typed_while_a_list_loads_are_applied_when_it_arrives() {
        use KeyCode::{Char, Down, Enter};
        let mut state = state();
        // The letter after Enter is for the page again: it opens the help.
        press(&mut state, &[Char('C'), Char('l'), Char('i'), Down, Enter, Char('?')]);
        assert!(matches!(&state.overlay, Overlay::Menu(menu) if menu.filter == "li"));
        let effects = update(&mut state, Message::MenuLoaded(Ok(themes())));
        assert_eq!(effects, [Effect::RunJob(Job::LoadTheme("lilac".into()))]);
        assert!(matches!(state.overlay, Overlay::Help(0)));
    }

    #[test]
    fn esc_closes_a_list_that_loads_and_forgets_its_keys() {
        use KeyCode::{Char, Enter, Esc};
        let mut state = state();
        press(&mut state, &[Char('C'), Char('l'), Enter, Esc]);
        assert!(matches!(state.overlay, Overlay::None));
        assert_eq!(update(&mut state, Message::MenuLoaded(Ok(themes()))), []);
        assert!(matches!(state.overlay, Overlay::None));
        press(&mut state, &[Char('C'), Enter]);
        assert_eq!(update(&mut state, Message::MenuLoaded(Err("none".into()))), []);
        assert_eq!(state.notice, Some(Notice::Error("none".into())));
        assert!(matches!(state.overlay, Overlay::None));
    }
}
