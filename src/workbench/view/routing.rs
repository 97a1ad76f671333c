//! The router's opinions: a row for each step, p(large) as a bar against the threshold.
//! The title has the threshold, and the share of recorded steps that the small model writes at it.
//!
//! ```text
//!  1 S ▇▇··│····  0.21 rule
//!  2 L ▇▇▇▇│▇▇··  0.78 rule
//!  3 S ▇▇▇▇│▇···  0.66 you
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::render_context::{RenderContext, draw_lines};
use crate::episode::{Decider, Decision, Role};
use crate::workbench::displayed_episode::DisplayedEpisode;
use crate::workbench::state::State;

/// Columns besides bar and decider: number, mark, value, and the gaps between.
const FIXED: usize = 11;

pub(super) fn render(frame: &mut Frame<'_>, area: Rect, state: &State, ctx: RenderContext<'_>) {
    let threshold = match state.active.pending_threshold() {
        Some(to) => format!("{:.2}{}{to:.2}", state.threshold_now(), ctx.symbols.to),
        None => format!("{:.2}", state.threshold_shown()),
    };
    // The scale is that of the active router.
    let same_router = state.preset_shown().routing.router == state.preset().routing.router;
    let share = state.percentile(state.threshold_shown()).filter(|_| same_router);
    let share = share.map_or(String::new(), |share| format!(", {share:.0} % S"));
    let title = Line::from(vec![
        Span::raw("routing"),
        Span::styled(format!(" {} t {threshold}{share}", ctx.symbols.dot), ctx.theme.muted),
    ]);
    let block = ctx.pane(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let Some(displayed) = &state.displayed else {
        let text = Line::styled("p(large) of each step", ctx.theme.muted);
        return draw_lines(frame.buffer_mut(), inner, [text]);
    };
    let rows = rows(displayed);
    let height = usize::from(inner.height);
    // The selected row stays in view, or the last.
    let last = rows.len().saturating_sub(height);
    let first = state.selected.map_or(last, |step| step.saturating_sub(height / 2).min(last));
    let shown = rows.iter().skip(first).take(height);
    let width = usize::from(inner.width);
    draw_lines(frame.buffer_mut(), inner, shown.map(|row| row.line(width, state.selected, ctx)));
}

/// A row of the pane.
struct StepRow<'a> {
    step: usize,
    p_large: Option<f64>,
    threshold: f64,
    /// The choice and who made it, once it has been made.
    choice: Option<(Role, Option<&'a Decider>)>,
}

fn rows(displayed: &DisplayedEpisode) -> Vec<StepRow<'_>> {
    let episode = &displayed.episode;
    let written = episode.steps.iter().enumerate().map(|(index, step)| {
        step.decision.as_ref().map_or(
            // Older recordings may lack decisions.
            StepRow {
                step: index,
                p_large: None,
                threshold: episode.threshold,
                choice: Some((step.generation.model, None)),
            },
            |decision| StepRow::decided(index, decision),
        )
    });
    let mut rows: Vec<StepRow<'_>> = written.collect();
    if displayed.is_over() {
        return rows;
    }
    let step = episode.steps.len();
    let opinion = displayed.opinion.as_ref().filter(|(before, _)| *before == step);
    rows.push(episode.decision.as_ref().map_or(
        StepRow {
            step,
            p_large: opinion.map(|(_, opinion)| opinion.p_large),
            threshold: episode.threshold,
            choice: None,
        },
        |decision| StepRow::decided(step, decision),
    ));
    rows
}

impl<'a> StepRow<'a> {
    fn decided(step: usize, decision: &'a Decision) -> Self {
        Self {
            step,
            p_large: decision.p_large,
            threshold: decision.threshold,
            choice: Some((decision.choice, Some(&decision.by))),
        }
    }
}

impl StepRow<'_> {
    fn line(&self, width: usize, selected: Option<usize>, ctx: RenderContext<'_>) -> Line<'static> {
        let label = if width >= 36 { 10 } else { 6 };
        let bar = width.saturating_sub(FIXED + label).max(3);
        let (mark, mark_style) = match self.choice {
            Some((role, _)) => (role.letter(), ctx.role(role)),
            None => ('?', ctx.theme.muted),
        };
        let number_style =
            if selected == Some(self.step) { ctx.theme.selected } else { ctx.theme.muted };
        let mut spans = vec![
            Span::styled(format!("{:>2}", self.step + 1), number_style),
            Span::raw(" "),
            Span::styled(mark.to_string(), mark_style),
            Span::raw(" "),
        ];
        spans.extend(self.bar(bar, ctx));
        let value = match self.p_large {
            Some(p) => format!(" {p:>4.2} "),
            None => format!(" {:>4} ", ctx.symbols.dash),
        };
        spans.push(Span::raw(value));
        spans.push(match self.choice {
            None if self.p_large.is_none() => Span::raw(""),
            None => Span::styled("next", ctx.theme.warning),
            Some((_, by)) => {
                let (word, style) = by.map_or(("", Style::new()), |by| ctx.decider(by));
                match by {
                    Some(Decider::Rule(name) | Decider::Policy(name)) if label > 6 => {
                        let name = super::text::sanitize(name, ctx.glyphs);
                        Span::styled(
                            super::text::truncate_to_width(&name, label, ctx.symbols.more),
                            style,
                        )
                    }
                    _ => Span::styled(word, style),
                }
            }
        });
        Line::from(spans)
    }

    /// Cells of the bar, with the threshold's mark. The mark's cell belongs to neither side, so that
    /// a bar crosses it only if p(large) ≥ t.
    fn bar(&self, width: usize, ctx: RenderContext<'_>) -> Vec<Span<'static>> {
        let cells = width - 1;
        let below = (self.threshold.clamp(0.0, 1.0) * cells as f64).round() as usize;
        let above = cells - below;
        let mark = Span::styled(ctx.symbols.threshold, ctx.theme.threshold);
        let empty = |n: usize| Span::styled(ctx.symbols.empty.repeat(n), ctx.theme.muted);
        let Some(p) = self.p_large else {
            return vec![empty(below), mark, empty(above)];
        };
        let large = p >= self.threshold;
        let style = ctx.role(if large { Role::Large } else { Role::Small });
        let filled = (p.clamp(0.0, 1.0) * cells as f64).round() as usize;
        let fill = |n: usize| Span::styled(ctx.symbols.fill.repeat(n), style);
        if large {
            // At least one cell beyond the mark, if there is one.
            let beyond = filled.saturating_sub(below).max(1).min(above);
            vec![fill(below), mark, fill(beyond), empty(above - beyond)]
        } else {
            let filled = filled.min(below);
            vec![fill(filled), empty(below - filled), mark, empty(above)]
        }
    }
}
