//! Lines that are typed: a query, a tag, a note, a file, a budget.

use std::path::PathBuf;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::{CursorMove, TextArea};

use super::{hint, library};
use crate::library::parse_number;
use crate::session::Command;
use crate::store::Tag;
use crate::workbench::job::{AnnotationChange, Job};
use crate::workbench::message::Effect;
use crate::workbench::state::{Notice, Overlay, Prompt, PromptKind, State};

impl State {
    /// Lets a line be typed, which says `text` at first.
    pub(super) fn open_prompt(&mut self, kind: PromptKind, text: &str) -> Vec<Effect> {
        let mut area = TextArea::from([text]);
        area.move_cursor(CursorMove::End);
        self.overlay =
            Overlay::Prompt(Prompt { kind, area: Box::new(area), replace_on_type: true });
        Vec::new()
    }
}

impl Prompt {
    /// The first thing that is typed or pasted takes the place of what the line said, unless that is a note.
    pub(super) fn clear_if_fresh(&mut self) {
        if std::mem::take(&mut self.replace_on_type) && !matches!(self.kind, PromptKind::Note(_)) {
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
        prompt.clear_if_fresh();
    }
    let Prompt { kind, area, replace_on_type } = prompt;
    *replace_on_type = false;
    match event.code {
        KeyCode::Esc => state.overlay = Overlay::None,
        KeyCode::Enter => {
            let (kind, text) = (kind.clone(), area.lines().concat().trim().to_owned());
            state.overlay = Overlay::None;
            return submit(state, kind, &text);
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

fn submit(state: &mut State, kind: PromptKind, text: &str) -> Vec<Effect> {
    let job = match kind {
        PromptKind::Search => return library::search(state, text),
        PromptKind::Tag(_) | PromptKind::Export(_) if text.is_empty() => return Vec::new(),
        PromptKind::Tag(ids) => {
            let (text, added) = match text.strip_prefix('-') {
                Some(text) => (text, false),
                None => (text.strip_prefix('+').unwrap_or(text), true),
            };
            match text.parse::<Tag>() {
                Ok(tag) => Job::Annotate { ids, change: AnnotationChange::Tag { tag, added } },
                Err(error) => {
                    state.notice = Some(Notice::Error(error.to_string()));
                    return Vec::new();
                }
            }
        }
        PromptKind::Note(id) => {
            Job::Annotate { ids: vec![id], change: AnnotationChange::Note(text.to_owned()) }
        }
        PromptKind::Budget => return budget(state, text),
        PromptKind::Export(ids) => Job::Export { ids, path: PathBuf::from(text) },
    };
    vec![Effect::RunJob(job)]
}

/// Sets what an episode may cost, now and for the next ones.
fn budget(state: &mut State, text: &str) -> Vec<Effect> {
    let limit = match text {
        "" | "none" => None,
        text => match parse_number(text).filter(|limit| *limit > 0.0) {
            Some(limit) => Some(limit),
            None => {
                state.open_prompt(PromptKind::Budget, text);
                return hint(state, "a budget is a number such as 200M, or `none`");
            }
        },
    };
    state.preset.budget.limit = limit;
    vec![Effect::SendCommand(Command::SetBudget(limit))]
}
