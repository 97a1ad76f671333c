//! The panes of an episode.
//!
//! ```text
//! below 150 columns                   from 150 columns
//! ┌ question ─────────┬ routing ┐     ┌ question ─────────┬ routing ┬ why ──┐
//! ├ trace ────────────┤         │     ├ trace ────────────┤         │       │
//! │                   ├ budget ─┤     │                   │         │       │
//! │                   ├ why ────┤     │                   ├ budget ─┤       │
//! └───────────────────┴─────────┘     └───────────────────┴─────────┴───────┘
//! ```

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Spacing};

use super::render_context::RenderContext;
use super::trace::TracePane;
use super::why::WhyPane;
use super::{budget, question, routing};
use crate::workbench::message::Scroll;
use crate::workbench::state::State;

/// Columns from which the why pane has a column of its own.
const WIDE: u16 = 150;

/// The panes that remember something between frames.
#[derive(Default)]
pub(in crate::workbench) struct EpisodePanes {
    trace: TracePane,
    why: WhyPane,
}

impl EpisodePanes {
    /// Scrolls the why pane if it is expanded and does not fit, else the trace. Pages are as large
    /// as in the last frame.
    pub(super) fn scroll(&mut self, by: Scroll) {
        if by == Scroll::Follow || !self.why.scroll(by) {
            self.trace.scroll(by);
        }
    }

    /// Draws the panes.
    pub(in crate::workbench) fn render(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        state: &State,
        ctx: RenderContext<'_>,
    ) {
        let panes = PaneLayout::new(area, state, ctx);
        question::render(frame, panes.question, state, ctx);
        self.trace.render(frame, panes.trace, state, ctx);
        if let Some(area) = panes.routing {
            routing::render(frame, area, state, ctx);
        }
        if let Some(area) = panes.budget {
            budget::render(frame, area, state, ctx);
        }
        self.why.render(frame, panes.why, state, ctx);
    }
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
