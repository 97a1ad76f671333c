//! Why: what the router saw before a step, and what came of it.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, lines};
use super::text::{duration, fit, transcribe, wrap};
use crate::config::Shadow;
use crate::episode::{Decider, Decision, Episode, Role, Writing, role_at};
use crate::routing::Contributions;
use crate::workbench::actions::Action;
use crate::workbench::message::Scroll;
use crate::workbench::state::State;

/// Features that say most in little room, in the order to show them; the others follow by name.
const FIRST: [&str; 8] = [
    "glimpse.min_logprob",
    "glimpse.first_entropy",
    "glimpse.max_entropy",
    "glimpse.first_margin",
    "trace.min_logprob",
    "glimpse.longest_number",
    "trace.large_share",
    "budget.left",
];

/// How far all reasons are scrolled.
#[derive(Default)]
pub(super) struct Reasons {
    /// The first line in view.
    top: usize,
    /// Of the last frame: lines in view, and all; none where there is nothing to scroll.
    shown: Option<(usize, usize)>,
    /// The step that they are of.
    step: Option<usize>,
}

impl Reasons {
    /// Scrolls, where there is something to scroll.
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
        ink: Ink<'_>,
    ) {
        let step = state.step_in_view();
        let mut title = vec![Span::raw("why")];
        if let Some(step) = step {
            title.push(Span::raw(format!(" step {}", step + 1)));
        }
        let inner = ink.pane("").inner(area);
        let width = usize::from(inner.width);
        let mut body = Vec::new();
        if let Some(step) = step {
            body = reasons(state, step, width, ink);
        }
        let room = usize::from(inner.height);
        let all = body.len();
        self.shown = (state.all_reasons && all > room && room > 0).then_some((room, all));
        if std::mem::replace(&mut self.step, step) != step || self.shown.is_none() {
            self.top = 0;
        }
        let key = |before: &str, action: Action| {
            let key = state.keys.first(action);
            key.map_or_else(String::new, |key| format!("{before} {key}"))
        };
        if self.shown.is_some() {
            self.top = self.top.min(all - room);
            let shown = format!(" {}-{}/{all}", self.top + 1, self.top + room);
            let shown = shown + &key("", Action::PageDown);
            title.push(Span::styled(shown, ink.theme.muted));
            body.drain(..self.top);
        } else if all > room && room > 0 {
            let hidden = all - room;
            let more = format!(" {} {hidden} more{}", ink.signs.dot, key(":", Action::Reasons));
            title.push(Span::styled(more, ink.theme.muted));
        } else if body.is_empty() {
            body.push(Line::styled("what the router saw", ink.theme.muted));
        }
        frame.render_widget(ink.pane(Line::from(title)), area);
        lines(frame.buffer_mut(), inner, body);
    }
}

fn reasons(state: &State, step: usize, width: usize, ink: Ink<'_>) -> Vec<Line<'static>> {
    let Some(run) = &state.run else {
        return Vec::new();
    };
    let episode = &run.episode;
    let written = episode.steps.get(step);
    let decision = written.map_or(episode.decision.as_ref(), |step| step.decision.as_ref());
    let drafts = written.map_or(&episode.discarded, |step| &step.discarded);
    let opinion = run.opinion.as_ref().filter(|(at, _)| *at == step).map(|(_, opinion)| opinion);
    let mut lines = Vec::new();
    let mut features = None;
    match (decision, opinion) {
        (Some(decision), _) => {
            lines.push(choice(decision, width, ink));
            lines.push(comparison(decision.p_large, decision.threshold, ink));
            lines.extend(shadows(episode, decision, width, ink));
            features = Some(&decision.features);
        }
        (None, Some(opinion)) => {
            lines.push(Line::styled("not decided yet", ink.theme.warning));
            lines.push(comparison(Some(opinion.p_large), episode.threshold, ink));
            features = Some(&opinion.features);
        }
        (None, None) => lines.push(Line::styled("not looked at yet", ink.theme.muted)),
    }
    lines.extend(drafts.iter().map(|draft| dropped(draft, width, ink)));
    match (features, state.pushes()) {
        (Some(features), Some(pushes)) => lines.extend(pushed(features, pushes, width, ink)),
        (Some(features), None) => lines.extend(listed(features, width, ink)),
        (None, _) => {}
    }
    if let Some(step) = written {
        lines.extend(facts(&step.writing, width, ink));
    }
    lines
}

fn choice(decision: &Decision, width: usize, ink: Ink<'_>) -> Line<'static> {
    let role = decision.choice;
    let by = match &decision.by {
        Decider::Policy(id) => format!("policy {id}"),
        Decider::Rule(name) => name.clone(),
        Decider::Person => "you".into(),
        Decider::Budget => "the spent budget".into(),
        Decider::Exploration => "a draw, to learn".into(),
    };
    let by = fit(&transcribe(&by, ink.glyphs), width.saturating_sub(9), ink.signs.more);
    let style = ink.decider(&decision.by).1;
    Line::from(vec![
        Span::styled(role.to_string(), ink.role(role)),
        Span::raw(" by "),
        Span::styled(by, style),
    ])
}

fn comparison(p_large: Option<f64>, threshold: f64, ink: Ink<'_>) -> Line<'static> {
    match p_large {
        Some(p) => {
            let sign = if p >= threshold { ink.signs.at_least } else { "<" };
            let role = if p >= threshold { Role::Large } else { Role::Small };
            Line::from(vec![
                Span::raw(format!("p {p:.2} {sign} t {threshold:.2}: ")),
                Span::styled(role.to_string(), ink.role(role)),
            ])
        }
        None => Line::styled("the router was not asked", ink.theme.muted),
    }
}

/// What routers that only look on would have chosen.
fn shadows(
    episode: &Episode,
    decision: &Decision,
    width: usize,
    ink: Ink<'_>,
) -> Vec<Line<'static>> {
    let all = episode.started.preset.routing.shadows.iter();
    let said = all.filter_map(|shadow| Some((shadow, *decision.shadows.get(&shadow.router)?)));
    let line = |(shadow, p): (&Shadow, f64)| {
        let would = role_at(p, shadow.threshold.unwrap_or(decision.threshold));
        let differs = if would == decision.choice { " " } else { ink.signs.differs };
        let end = format!(" {p:.2} {} ", ink.signs.to);
        let room = width.saturating_sub(end.chars().count() + 8);
        let name = fit(&transcribe(&shadow.to_string(), ink.glyphs), room, ink.signs.more);
        Line::from(vec![
            Span::styled(format!("{differs} "), ink.theme.warning),
            Span::styled(format!("{name:<room$}{end}"), ink.theme.muted),
            Span::styled(would.to_string(), ink.role(would)),
        ])
    };
    said.map(line).collect()
}

fn dropped(draft: &Writing, width: usize, ink: Ink<'_>) -> Line<'static> {
    let head = format!("{} {} ", ink.signs.dropped, draft.model.mark());
    let text = transcribe(draft.text.trim(), ink.glyphs).replace('\n', " ");
    Line::from(vec![
        Span::styled(head, ink.role(draft.model)),
        Span::styled(fit(&text, width.saturating_sub(4), ink.signs.more), ink.theme.discarded),
    ])
}

fn listed(
    features: &BTreeMap<String, f64>,
    width: usize,
    ink: Ink<'_>,
) -> impl Iterator<Item = Line<'static>> {
    let first = FIRST.into_iter().filter_map(|name| features.get_key_value(name));
    let rest = features.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
    first.chain(rest).map(move |(name, value)| {
        let value = number(*value);
        let room = width.saturating_sub(value.len() + 1);
        let mut name = transcribe(name, ink.glyphs);
        if name.len() > room {
            name = name.replacen("glimpse.", "g.", 1);
        }
        let name = fit(&name, room, ink.signs.more);
        Line::from(vec![Span::styled(format!("{name:<room$} "), ink.theme.muted), Span::raw(value)])
    })
}

/// The features by how far they pushed p(large) from its mean: value and push; rows of features as one.
fn pushed(
    features: &BTreeMap<String, f64>,
    pushes: &Contributions,
    width: usize,
    ink: Ink<'_>,
) -> Vec<Line<'static>> {
    let all = pushes.by_kind();
    let head = format!("from p {:.2}, pushed by", pushes.base);
    let head = Line::styled(fit(&head, width, ink.signs.more), ink.theme.muted);
    let rows = all.parts.into_iter().map(|part| {
        let value = features.get(&part.name).map_or(String::new(), |value| number(*value));
        let push = format!("{:+.2}", part.push);
        let room = width.saturating_sub(value.len() + push.len() + 2);
        let mut name = transcribe(&part.name, ink.glyphs);
        if name.len() > room {
            name = name.replacen("glimpse.", "g.", 1);
        }
        let name = fit(&name, room, ink.signs.more);
        let style = ink.role(if part.push > 0.0 { Role::Large } else { Role::Small });
        Line::from(vec![
            Span::styled(format!("{name:<room$} "), ink.theme.muted),
            Span::raw(format!("{value} ")),
            Span::styled(push, style),
        ])
    });
    std::iter::once(head).chain(rows).collect()
}

/// Whole numbers as they are, others with three decimals.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e6 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

fn facts(writing: &Writing, width: usize, ink: Ink<'_>) -> Vec<Line<'static>> {
    let usage = &writing.usage;
    let text = format!(
        "{} tokens in {}; prefilled {} in {}, reused {}",
        writing.tokens.len(),
        duration(usage.decode_ms),
        usage.prefilled,
        duration(usage.prefill_ms),
        usage.reused
    );
    let wrapped = wrap(&text, width, ink.glyphs).into_iter();
    wrapped.map(|line| Line::styled(line, ink.theme.muted)).collect()
}
