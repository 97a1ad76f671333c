//! A whole frame.
//!
//! ```text
//! ┌──────────────────────────────┐
//! │ page, below an overlay       │
//! └──────────────────────────────┘
//!  status
//!  hints, or a notice
//! ```

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::episode::EpisodePanes;
use super::render_context::RenderContext;
use super::{compare, menu, overlay, status, user_score};
use crate::safe_text::{is_safe, safe_line};
use crate::theme::{Glyphs, Theme};
use crate::workbench::action::Action;
use crate::workbench::message::Scroll;
use crate::workbench::overlay::Overlay;
use crate::workbench::pages;
use crate::workbench::state::{MINIMUM_SIZE, SessionStatus, State};

/// Draws states.
pub struct View {
    theme: Theme,
    glyphs: Glyphs,
    panes: EpisodePanes,
}

impl View {
    /// A view that draws with `theme` and `glyphs`.
    pub fn new(theme: Theme, glyphs: Glyphs) -> Self {
        Self { theme, glyphs, panes: EpisodePanes::default() }
    }

    /// Scrolls the why pane if it is expanded and does not fit, else the trace. Pages are as large
    /// as in the last frame.
    pub fn scroll(&mut self, by: Scroll) {
        self.panes.scroll(by);
    }

    /// Draws with another theme from now on.
    pub fn set_theme(&mut self, theme: Theme) {
        self.theme = theme;
    }

    /// Draws a frame.
    pub fn render(&mut self, frame: &mut Frame<'_>, state: &State) {
        let ctx = RenderContext::new(&self.theme, self.glyphs);
        let area = frame.area();
        frame.buffer_mut().set_style(area, self.theme.text);
        if area.width < MINIMUM_SIZE.0 || area.height < MINIMUM_SIZE.1 {
            return too_small(frame, area, state);
        }
        let [body, status, foot] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)])
                .areas(area);
        let page = pages::current(state);
        page.render(frame, body, state, &mut self.panes, ctx);
        status::render(frame, status, page.status(state, ctx), state, ctx);
        status::render_footer(frame, foot, state, ctx);
        if let SessionStatus::Failed(reason) = &state.session_status {
            overlay::failure(frame, body, reason, &state.keys, ctx);
        }
        render_overlay(frame, body, state, ctx);
        make_cells_safe(frame.buffer_mut());
    }
}

/// Replaces what a terminal must not get, wherever on the screen it came from. Panes make their text safe before they
/// measure it; this holds for all of them.
fn make_cells_safe(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !is_safe(cell.symbol()) {
            let safe = safe_line(cell.symbol()).into_owned();
            cell.set_symbol(if safe.is_empty() { " " } else { &safe });
        }
    }
}

fn render_overlay(frame: &mut Frame<'_>, body: Rect, state: &State, ctx: RenderContext<'_>) {
    match &state.overlay {
        Overlay::None => {}
        Overlay::Help(top) => overlay::help(frame, body, *top, state, ctx),
        Overlay::Prompt(prompt) => overlay::prompt(frame, body, prompt, ctx),
        Overlay::Editor(area) => overlay::editor(frame, body, area, ctx),
        Overlay::Menu(menu) => menu::render(frame, body, menu, ctx),
        Overlay::Score(score) => user_score::render(frame, body, score.as_ref(), state, ctx),
        Overlay::Threshold(typed) => overlay::threshold(frame, body, typed, state, ctx),
        Overlay::Fork(step) => overlay::fork(frame, body, *step, state, ctx),
        Overlay::Compare(comparison) => {
            if let Some(displayed) = &state.displayed {
                compare::render(frame, body, comparison, displayed, ctx);
            }
        }
    }
}

fn too_small(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let (width, height) = MINIMUM_SIZE;
    let text = vec![
        Line::from(format!("The workbench needs {width}x{height},")),
        Line::from(format!("this terminal has {}x{}.", area.width, area.height)),
        Line::from(match state.keys.primary_key(Action::Quit) {
            Some(key) => format!("Enlarge it, or press {key} to quit."),
            None => "Enlarge it.".into(),
        }),
    ];
    let top = area.height.saturating_sub(text.len() as u16) / 2;
    let area = Rect { y: area.y + top, height: area.height - top, ..area };
    frame.render_widget(Paragraph::new(text).alignment(Alignment::Center), area);
}
