//! The panes. They read the state and the theme, and keep nothing but what is costly to make anew.
//!
//! ```text
//! below 150 columns                   from 150 columns
//! ┌ question ─────────┬ routing ┐     ┌ question ─────────┬ routing ┬ why ──┐
//! ├ trace ────────────┤         │     ├ trace ────────────┤         │       │
//! │                   ├ budget ─┤     │                   │         │       │
//! │                   ├ why ────┤     │                   ├ budget ─┤       │
//! └───────────────────┴─────────┘     └───────────────────┴─────────┴───────┘
//!  status                              status
//!  hints, or a notice                  hints, or a notice
//! ```

mod budget;
mod compare;
mod curve;
mod library;
mod menu;
mod overlay;
mod question;
mod render_context;
mod replay_status;
mod routing;
mod status;
mod text;
mod trace;
mod training_page;
mod user_score;
mod why;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect, Spacing};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::actions::Action;
use super::message::Scroll;
use super::state::{MINIMUM_SIZE, Overlay, Page, SessionStatus, State};
use crate::theme::{Glyphs, Theme};
use render_context::RenderContext;
use trace::TracePane;
use why::WhyPane;

/// Columns from which the reasons have a column of their own.
const WIDE: u16 = 150;

/// Draws states.
pub struct View {
    theme: Theme,
    glyphs: Glyphs,
    trace: TracePane,
    why: WhyPane,
}

impl View {
    /// A view that draws with `theme` and `glyphs`.
    pub fn new(theme: Theme, glyphs: Glyphs) -> Self {
        Self { theme, glyphs, trace: TracePane::default(), why: WhyPane::default() }
    }

    /// Scrolls all reasons where they are shown and do not fit, else the trace; the pages are those of the last
    /// frame.
    pub fn scroll(&mut self, by: Scroll) {
        if by == Scroll::Follow || !self.why.scroll(by) {
            self.trace.scroll(by);
        }
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
        match state.page {
            Page::Episode => {
                render_episode(frame, body, state, (&mut self.trace, &mut self.why), ctx)
            }
            Page::Library => library::render(frame, body, state, ctx),
            Page::Training => training_page::render(frame, body, state, ctx),
        }
        status::render(frame, status, state, ctx);
        status::render_footer(frame, foot, state, ctx);
        if let SessionStatus::Failed(reason) = &state.session_status {
            overlay::failure(frame, body, reason, &state.keys, ctx);
        }
        match &state.overlay {
            Overlay::None => {}
            Overlay::Help(top) => overlay::help(frame, body, *top, state, ctx),
            Overlay::Prompt(prompt) => overlay::prompt(frame, body, prompt, ctx),
            Overlay::Editor(area) => overlay::editor(frame, body, area, ctx),
            Overlay::Menu(menu) => menu::render(frame, body, menu, ctx),
            Overlay::Score(score) => user_score::render(frame, body, score.as_ref(), state, ctx),
            Overlay::Threshold(typed) => overlay::threshold(frame, body, typed, state, ctx),
            Overlay::Fork(step) => overlay::fork(frame, body, *step, state, ctx),
            Overlay::Compare(beside) => {
                if let Some(displayed) = &state.displayed {
                    compare::render(frame, body, beside, (displayed.id, &displayed.episode), ctx);
                }
            }
        }
    }
}

/// Draws an episode.
fn render_episode(
    frame: &mut Frame<'_>,
    body: Rect,
    state: &State,
    (trace, why): (&mut TracePane, &mut WhyPane),
    ctx: RenderContext<'_>,
) {
    let panes = PaneLayout::new(body, state, ctx);
    question::render(frame, panes.question, state, ctx);
    trace.render(frame, panes.trace, state, ctx);
    if let Some(area) = panes.routing {
        routing::render(frame, area, state, ctx);
    }
    if let Some(area) = panes.budget {
        budget::render(frame, area, state, ctx);
    }
    why.render(frame, panes.why, state, ctx);
}

/// Where the panes are. Neighbours share a border.
struct PaneLayout {
    question: Rect,
    trace: Rect,
    routing: Option<Rect>,
    budget: Option<Rect>,
    why: Rect,
}

impl PaneLayout {
    fn new(body: Rect, state: &State, ctx: RenderContext<'_>) -> Self {
        let wide = body.width >= WIDE;
        let side = if wide { 46 } else { (body.width * 36 / 100).clamp(28, 46) };
        let columns = |constraints: &[Constraint]| {
            Layout::horizontal(constraints).spacing(Spacing::Overlap(1)).split(body)
        };
        let rows = |area: Rect, constraints: &[Constraint]| {
            Layout::vertical(constraints).spacing(Spacing::Overlap(1)).split(area)
        };
        let (left, middle, right) = if wide {
            let parts =
                columns(&[Constraint::Fill(1), Constraint::Length(side), Constraint::Length(side)]);
            (parts[0], Some(parts[1]), parts[2])
        } else {
            let parts = columns(&[Constraint::Fill(1), Constraint::Length(side)]);
            (parts[0], None, parts[1])
        };
        let most = if body.height < 30 { 3 } else { 8 };
        let lines = question::height(state, left.width.saturating_sub(4), ctx).clamp(1, most);
        let parts = rows(left, &[Constraint::Length(lines + 2), Constraint::Fill(1)]);
        let (question, trace) = (parts[0], parts[1]);
        let (routing, budget, why) = match middle {
            Some(middle) => {
                let parts =
                    rows(middle, &[Constraint::Fill(1), Constraint::Length(budget::HEIGHT)]);
                (Some(parts[0]), Some(parts[1]), right)
            }
            None if state.why_expanded => (None, None, right),
            None => {
                let rest = right.height.saturating_sub(budget::HEIGHT) + 2;
                let parts = rows(
                    right,
                    &[
                        Constraint::Length((rest / 2 + 1).min(18)),
                        Constraint::Length(budget::HEIGHT),
                        Constraint::Fill(1),
                    ],
                );
                (Some(parts[0]), Some(parts[1]), parts[2])
            }
        };
        Self { question, trace, routing, budget, why }
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
