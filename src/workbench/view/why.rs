//! Why: the features before a step, the decision, and what the step cost.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::render_context::{RenderContext, draw_lines};
use super::text::{format_duration, sanitize, truncate_to_width, wrap};
use crate::config::Shadow;
use crate::episode::{Decider, Decision, Episode, Generation, Role, apply_threshold};
use crate::routing::Contributions;
use crate::workbench::action::Action;
use crate::workbench::message::Scroll;
use crate::workbench::state::State;

/// The most telling features, in the order to show them; the others follow by name.
const PRIORITY_FEATURES: [&str; 8] = [
    "draft.min_logprob",
    "draft.first_entropy",
    "draft.max_entropy",
    "draft.first_margin",
    "trace.min_logprob",
    "draft.longest_number",
    "trace.large_share",
    "budget.left",
];

/// Columns below which names are shortened.
const NARROW: usize = 30;

/// How far the pane is scrolled.
#[derive(Default)]
pub(super) struct WhyPane {
    /// The first line in view.
    top: usize,
    /// Of the last frame: lines in view, and all; `None` if there is nothing to scroll.
    shown: Option<(usize, usize)>,
    /// The step that the lines are about.
    step: Option<usize>,
}

impl WhyPane {
    /// Scrolls; false if there is nothing to scroll.
    pub(super) fn scroll(&mut self, by: Scroll) -> bool {
        let Some((room, all)) = self.shown else { return false };
        let page = room.saturating_sub(1).max(1);
        self.top = match by {
            Scroll::PageUp => self.top.saturating_sub(page),
            // The last page is full.
            Scroll::PageDown => (self.top + page).min(all - room),
            Scroll::Follow => self.top,
        };
        true
    }

    pub(super) fn render(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        state: &State,
        ctx: RenderContext<'_>,
    ) {
        let step = state.step_in_view();
        let mut title = vec![Span::raw("why")];
        if let Some(step) = step {
            title.push(Span::raw(format!(" step {}", step + 1)));
        }
        let inner = ctx.pane("").inner(area);
        let width = usize::from(inner.width);
        let mut body = Vec::new();
        if let Some(step) = step {
            body = explanation_lines(state, step, width, ctx);
        }
        let room = usize::from(inner.height);
        let all = body.len();
        self.shown = (state.why_expanded && all > room && room > 0).then_some((room, all));
        if std::mem::replace(&mut self.step, step) != step || self.shown.is_none() {
            self.top = 0;
        }
        if self.shown.is_some() {
            self.top = self.top.min(all - room);
            let key = state.keys.primary_key(Action::PageDown);
            let key = key.map_or_else(String::new, |key| format!(" {key}"));
            let shown = format!(" {}-{}/{all}{key}", self.top + 1, self.top + room);
            title.push(Span::styled(shown, ctx.theme.muted));
            body.drain(..self.top);
        } else if all > room && room > 0 {
            let hidden = all - room;
            let key = state.keys.primary_key(Action::ToggleWhy);
            let key = key.map_or_else(String::new, |key| format!("{key}: "));
            let more = format!(" {} {key}{hidden} more", ctx.symbols.dot);
            title.push(Span::styled(more, ctx.theme.muted));
        } else if body.is_empty() {
            body.push(Line::styled("the features of a step", ctx.theme.muted));
        }
        frame.render_widget(ctx.pane(Line::from(title)), area);
        draw_lines(frame.buffer_mut(), inner, body);
    }
}

fn explanation_lines(
    state: &State,
    step: usize,
    width: usize,
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let Some(displayed) = &state.displayed else {
        return Vec::new();
    };
    let episode = &displayed.episode;
    let written = episode.steps.get(step);
    let decision = written.map_or(episode.decision.as_ref(), |step| step.decision.as_ref());
    let drafts = written.map_or(&episode.discarded, |step| &step.discarded);
    let opinion =
        displayed.opinion.as_ref().filter(|(at, _)| *at == step).map(|(_, opinion)| opinion);
    let mut lines = Vec::new();
    let mut features = None;
    match (decision, opinion) {
        (Some(decision), _) => {
            lines.push(decision_line(decision, width, ctx));
            lines.push(threshold_line(decision.p_large, decision.threshold, ctx));
            lines.extend(shadow_lines(episode, decision, width, ctx));
            features = Some(&decision.features);
        }
        (None, Some(opinion)) => {
            lines.push(Line::styled("not decided yet", ctx.theme.warning));
            lines.push(threshold_line(Some(opinion.p_large), episode.threshold, ctx));
            features = Some(&opinion.features);
        }
        (None, None) => {
            lines.push(Line::styled("the router has not been asked yet", ctx.theme.muted));
        }
    }
    lines.extend(drafts.iter().map(|draft| discarded_line(draft, width, ctx)));
    match (features, state.contributions()) {
        (Some(features), Some(contributions)) => {
            lines.extend(contribution_lines(features, contributions, width, ctx));
        }
        (Some(features), None) => lines.extend(feature_lines(features, width, ctx)),
        (None, _) => {}
    }
    if let Some(step) = written {
        lines.extend(usage_lines(&step.generation, width, ctx));
    }
    lines
}

fn decision_line(decision: &Decision, width: usize, ctx: RenderContext<'_>) -> Line<'static> {
    let role = decision.choice;
    let by = match &decision.by {
        Decider::Policy(id) => format!("policy {id}"),
        Decider::Rule(name) => name.clone(),
        Decider::User => "you".into(),
        Decider::Budget => "the budget, which is spent".into(),
        Decider::Exploration => "a random draw, to explore".into(),
    };
    let by =
        truncate_to_width(&sanitize(&by, ctx.glyphs), width.saturating_sub(9), ctx.symbols.more);
    let style = ctx.decider(&decision.by).1;
    Line::from(vec![
        Span::styled(role.to_string(), ctx.role(role)),
        Span::raw(" by "),
        Span::styled(by, style),
    ])
}

fn threshold_line(p_large: Option<f64>, threshold: f64, ctx: RenderContext<'_>) -> Line<'static> {
    match p_large {
        Some(p) => {
            let sign = if p >= threshold { ctx.symbols.at_least } else { "<" };
            let role = if p >= threshold { Role::Large } else { Role::Small };
            Line::from(vec![
                Span::raw(format!("p {p:.2} {sign} t {threshold:.2}: ")),
                Span::styled(role.to_string(), ctx.role(role)),
            ])
        }
        None => Line::styled("the router was not asked", ctx.theme.muted),
    }
}

/// What the shadow routers would have chosen.
fn shadow_lines(
    episode: &Episode,
    decision: &Decision,
    width: usize,
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let all = episode.started.preset.routing.shadows.iter();
    let said = all.filter_map(|shadow| Some((shadow, *decision.shadows.get(&shadow.router)?)));
    let line = |(shadow, p): (&Shadow, f64)| {
        let would = apply_threshold(p, shadow.threshold.unwrap_or(decision.threshold));
        let differs = if would == decision.choice { " " } else { ctx.symbols.differs };
        let end = format!(" {p:.2} {} ", ctx.symbols.to);
        let room = width.saturating_sub(end.chars().count() + 8);
        let name =
            truncate_to_width(&sanitize(&shadow.to_string(), ctx.glyphs), room, ctx.symbols.more);
        Line::from(vec![
            Span::styled(format!("{differs} "), ctx.theme.warning),
            Span::styled(format!("{name:<room$}{end}"), ctx.theme.muted),
            Span::styled(would.to_string(), ctx.role(would)),
        ])
    };
    said.map(line).collect()
}

fn discarded_line(draft: &Generation, width: usize, ctx: RenderContext<'_>) -> Line<'static> {
    let head = format!("{} {} ", ctx.symbols.discarded, draft.model.letter());
    let text = sanitize(draft.text.trim(), ctx.glyphs).replace('\n', " ");
    Line::from(vec![
        Span::styled(head, ctx.role(draft.model)),
        Span::styled(
            truncate_to_width(&text, width.saturating_sub(4), ctx.symbols.more),
            ctx.theme.discarded,
        ),
    ])
}

fn feature_lines(
    features: &BTreeMap<String, f64>,
    width: usize,
    ctx: RenderContext<'_>,
) -> impl Iterator<Item = Line<'static>> {
    let first = PRIORITY_FEATURES.into_iter().filter_map(|name| features.get_key_value(name));
    let rest = features.iter().filter(|(name, _)| !PRIORITY_FEATURES.contains(&name.as_str()));
    first.chain(rest).map(move |(name, value)| {
        let value = format_value(*value);
        let room = width.saturating_sub(value.len() + 1);
        let name = fit_name(name, room, width, ctx);
        Line::from(vec![Span::styled(format!("{name:<room$} "), ctx.theme.muted), Span::raw(value)])
    })
}

/// The features by their contribution to p(large), the largest first: value and contribution; a
/// family of features is one row.
fn contribution_lines(
    features: &BTreeMap<String, f64>,
    contributions: &Contributions,
    width: usize,
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let all = contributions.by_family();
    let head = format!("mean p {:.2}, changed by", contributions.base);
    let head = Line::styled(truncate_to_width(&head, width, ctx.symbols.more), ctx.theme.muted);
    let rows = all.parts.into_iter().map(|part| {
        let value = features.get(&part.name).map_or(String::new(), |value| format_value(*value));
        let contribution = format!("{:+.2}", part.contribution);
        let room = width.saturating_sub(value.len() + contribution.len() + 2);
        let name = fit_name(&part.name, room, width, ctx);
        let style = ctx.role(if part.contribution > 0.0 { Role::Large } else { Role::Small });
        Line::from(vec![
            Span::styled(format!("{name:<room$} "), ctx.theme.muted),
            Span::raw(format!("{value} ")),
            Span::styled(contribution, style),
        ])
    });
    std::iter::once(head).chain(rows).collect()
}

/// A feature's name in `room` columns. A pane of less than [`NARROW`] columns leaves out the family
/// of the draft's features, which are the most.
fn fit_name(name: &str, room: usize, width: usize, ctx: RenderContext<'_>) -> String {
    let short = name.strip_prefix("draft.").filter(|_| width < NARROW);
    truncate_to_width(&sanitize(short.unwrap_or(name), ctx.glyphs), room, ctx.symbols.more)
}

/// Whole numbers without decimals, others with three.
fn format_value(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e6 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

fn usage_lines(
    generation: &Generation,
    width: usize,
    ctx: RenderContext<'_>,
) -> Vec<Line<'static>> {
    let usage = &generation.usage;
    let text = format!(
        "{} tokens in {}; prefilled {} in {}, reused {}",
        generation.tokens.len(),
        format_duration(usage.decode_ms),
        usage.prefilled,
        format_duration(usage.prefill_ms),
        usage.reused
    );
    let wrapped = wrap(&text, width, ctx.glyphs).into_iter();
    wrapped.map(|line| Line::styled(line, ctx.theme.muted)).collect()
}
