//! What the episode has cost, by model and purpose.
//!
//! ```text
//! ▇▇▇▇▇▇▇▇····  58 % of 2.10G        with a limit
//! ▇▇▇▇········  ≈ 38 % of L alone    without: of what the large model alone would cost
//!           small   large
//! kept         31      14            tokens of the steps
//! discarded     6       0            tokens of drafts that were not kept
//! prefilled    52      40            tokens read
//! cost      1.20M   33.0M            in the unit of the prices
//! next: S 120k · L 18.0M             estimated cost of the next step; at the end, the large model's share
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::render_context::{RenderContext, draw_lines};
use super::text::format_si;
use crate::config::WhenSpent;
use crate::episode::{Episode, Role, UsageTotals};
use crate::workbench::state::State;

/// Rows of the pane, borders included.
pub(super) const HEIGHT: u16 = 9;

pub(super) fn render(frame: &mut Frame<'_>, area: Rect, state: &State, ctx: RenderContext<'_>) {
    let block = ctx.pane("budget");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let Some(displayed) = &state.displayed else {
        let limit = state.preset_shown().budget.limit;
        let text =
            limit.map_or("no limit".to_owned(), |limit| format!("limit {}", format_si(limit)));
        return draw_lines(frame.buffer_mut(), inner, [Line::styled(text, ctx.theme.muted)]);
    };
    let episode = &displayed.episode;
    let width = usize::from(inner.width);
    let count = |label: &str, of: fn(&UsageTotals) -> usize| {
        let [small, large] = Role::BOTH.map(|role| of(&episode.ledger.totals[role]));
        row(label, &format_si(small as f64), &format_si(large as f64), width, ctx)
    };
    let cost = episode.ledger.cost();
    let [small, large] = Role::BOTH.map(|role| episode.ledger.cost_of(role));
    let next = episode.next_step_cost().filter(|_| !displayed.is_over());
    let spent = episode.budget.is_some_and(|limit| cost >= limit) && next.is_some();
    let shares = match next {
        Some(_) if spent => match episode.started.preset.budget.when_spent {
            WhenSpent::SmallOnly => "spent: small goes on".to_owned(),
            WhenSpent::Stop => "spent: the episode ends".to_owned(),
        },
        Some(next) => {
            let [small, large] = Role::BOTH.map(|role| format_si(next.cost[role]));
            format!("next: S {small} {} L {large}", ctx.symbols.dot)
        }
        None if cost > 0.0 => format!("large: {:.0} % of the cost", 100.0 * large / cost),
        None => "nothing spent yet".to_owned(),
    };
    let [before, after] = column_widths(width);
    let head = Line::from(vec![
        Span::raw(" ".repeat(width.saturating_sub(before + after))),
        Span::styled(format!("{:>before$}", "small"), ctx.theme.small),
        Span::styled(format!("{:>after$}", "large"), ctx.theme.large),
    ]);
    draw_lines(
        frame.buffer_mut(),
        inner,
        [
            gauge(episode, width, ctx),
            head,
            count("kept", |totals| totals.kept),
            count("discarded", |totals| totals.discarded),
            count("prefilled", |totals| totals.prefilled),
            row("cost", &format_si(small), &format_si(large), width, ctx),
            Line::styled(shares, ctx.theme.muted),
        ],
    );
}

/// Widths of the two columns of numbers.
fn column_widths(width: usize) -> [usize; 2] {
    let each = (width.saturating_sub(10) / 2).clamp(6, 10);
    [each, each]
}

fn row(
    label: &str,
    small: &str,
    large: &str,
    width: usize,
    ctx: RenderContext<'_>,
) -> Line<'static> {
    let [before, after] = column_widths(width);
    let room = width.saturating_sub(before + after);
    Line::from(vec![
        Span::styled(format!("{label:<room$}"), ctx.theme.muted),
        Span::raw(format!("{small:>before$}{large:>after$}")),
    ])
}

/// The cost against the limit, or without a limit against the cost of the large model alone.
fn gauge(episode: &Episode, width: usize, ctx: RenderContext<'_>) -> Line<'static> {
    let cost = episode.ledger.cost();
    let (share, label, style) = if let Some(limit) = episode.budget {
        let share = if limit > 0.0 { cost / limit } else { 1.0 };
        let style = if share < 1.0 { ctx.theme.good } else { ctx.theme.warning };
        (share, format!("{:.0} % of {}", 100.0 * share, format_si(limit)), style)
    } else {
        let whole = episode.all_large_cost();
        let share = if whole > 0.0 { cost / whole } else { 0.0 };
        let label = format!("{} {:.0} % of L alone", ctx.symbols.about, 100.0 * share);
        (share, label, ctx.theme.title)
    };
    let cells = width.saturating_sub(label.chars().count() + 1).max(4);
    let mut line = Line::from(ctx.gauge(cells, share, style).to_vec());
    line.push_span(Span::raw(format!(" {label}")));
    line
}
