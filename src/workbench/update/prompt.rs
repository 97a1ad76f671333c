//! Lines that are typed: a query, a tag, a note, a file, a budget.

use std::path::PathBuf;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::{CursorMove, TextArea};

use super::{hint, library};
use crate::library::number;
use crate::session::Command;
use crate::store::Tag;
use crate::workbench::errand::{Change, Errand};
use crate::workbench::message::Effect;
use crate::workbench::state::{Asked, Notice, Overlay, Prompt, State};

impl State {
    /// Lets a line be typed, which says `text` at first.
    pub(super) fn ask(&mut self, what: Asked, text: &str) -> Vec<Effect> {
        let mut area = TextArea::from([text]);
        area.move_cursor(CursorMove::End);
        self.overlay = Overlay::Prompt(Prompt { what, area: Box::new(area), fresh: true });
        Vec::new()
    }
}

impl Prompt {
    /// The first thing that is typed or pasted takes the place of what the line said, unless that is a note.
    pub(super) fn begin(&mut self) {
        if std::mem::take(&mut self.fresh) && !matches!(self.what, Asked::Note(_)) {
            self.area.select_all();
            self.area.cut();
        }
    }
}

/// A key while a line is typed.
pub(super) fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Overlay::Prompt(prompt) = &mut state.overlay else {
        return Vec::new();
    };
    let plain = event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if matches!(event.code, KeyCode::Char(_)) && plain {
        prompt.begin();
    }
    let Prompt { what, area, fresh } = prompt;
    *fresh = false;
    match event.code {
        KeyCode::Esc => state.overlay = Overlay::None,
        KeyCode::Enter => {
            let (what, text) = (what.clone(), area.lines().concat().trim().to_owned());
            state.overlay = Overlay::None;
            return typed(state, what, &text);
        }
        // As in a shell.
        KeyCode::Char('u') if event.modifiers.contains(KeyModifiers::CONTROL) => {
            area.delete_line_by_head();
        }
        _ => {
            area.input(event);
        }
    }
    Vec::new()
}

fn typed(state: &mut State, what: Asked, text: &str) -> Vec<Effect> {
    let errand = match what {
        Asked::Query => return library::look_for(state, text),
        Asked::Tag(_) | Asked::Export(_) if text.is_empty() => return Vec::new(),
        Asked::Tag(ids) => {
            let (text, given) = match text.strip_prefix('-') {
                Some(text) => (text, false),
                None => (text.strip_prefix('+').unwrap_or(text), true),
            };
            match text.parse::<Tag>() {
                Ok(tag) => Errand::Annotate { ids, change: Change::Tag { tag, given } },
                Err(error) => {
                    state.notice = Some(Notice::Trouble(error.to_string()));
                    return Vec::new();
                }
            }
        }
        Asked::Note(id) => {
            Errand::Annotate { ids: vec![id], change: Change::Note(text.to_owned()) }
        }
        Asked::Budget => return budget(state, text),
        Asked::Export(ids) => Errand::Export { ids, path: PathBuf::from(text) },
    };
    vec![Effect::Do(errand)]
}

/// Sets what an episode may cost, now and for the next ones.
fn budget(state: &mut State, text: &str) -> Vec<Effect> {
    let limit = match text {
        "" | "none" => None,
        text => match number(text).filter(|limit| *limit > 0.0) {
            Some(limit) => Some(limit),
            None => {
                state.ask(Asked::Budget, text);
                return hint(state, "a budget is a number such as 200M, or `none`");
            }
        },
    };
    state.preset.budget.limit = limit;
    vec![Effect::Send(Command::Budget(limit))]
}
