//! What lies over the page: dialogs, lists, lines to type.

use ratatui_textarea::{CursorMove, TextArea};

use super::compare::Comparison;
use super::menu::Menu;
use crate::evaluation::UserComparison;

/// What lies over the page.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// Nothing.
    None,
    /// The keys, scrolled by that many lines.
    Help(usize),
    /// A question is being typed.
    Editor(Box<TextArea<'static>>),
    /// A line is being typed.
    Prompt(Prompt),
    /// A list to choose from.
    Menu(Menu),
    /// How the user compares with the router; `None` while it is computed.
    Score(Option<UserComparison>),
    /// A threshold is being typed.
    Threshold(String),
    /// The choice of what a fork at that step, from 0, does differently.
    Fork(usize),
    /// The displayed episode beside another.
    Compare(Comparison),
}

/// A line that is being typed.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What the line is for.
    pub kind: PromptKind,
    /// The line.
    pub area: Box<TextArea<'static>>,
    /// The line still has the text that it was opened with.
    pub replace_on_type: bool,
}

/// What a typed line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptKind {
    /// A query of the library.
    Search,
    /// A tag to add to these episodes, or to remove from them.
    Tag(Vec<u64>),
    /// A note on this episode.
    Note(u64),
    /// The file to export these episodes to.
    Export(Vec<u64>),
    /// The budget of an episode.
    Budget,
}

impl Prompt {
    /// A line that has `text` at first.
    pub(super) fn new(kind: PromptKind, text: &str) -> Self {
        let mut area = TextArea::from([text]);
        area.move_cursor(CursorMove::End);
        Self { kind, area: Box::new(area), replace_on_type: true }
    }

    /// The first thing typed or pasted replaces the text that the line was opened with, unless that
    /// is a note.
    pub(super) fn clear_if_fresh(&mut self) {
        if std::mem::take(&mut self.replace_on_type) && !matches!(self.kind, PromptKind::Note(_)) {
            self.area.select_all();
            self.area.cut();
        }
    }
}
