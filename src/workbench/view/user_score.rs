//! The user against the router, and where the shadow routers disagree.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::overlay::open_dialog;
use super::render_context::{RenderContext, draw_lines};
use super::text::{format_si, wrap};
use crate::episode::{agreements, disagreements};
use crate::evaluation::UserComparison;
use crate::workbench::state::State;

/// Number of disagreements that are listed, at most.
const MAX_DISAGREEMENTS: usize = 8;

pub(super) fn render(
    frame: &mut Frame<'_>,
    body: Rect,
    score: Option<&UserComparison>,
    state: &State,
    ctx: RenderContext<'_>,
) {
    let width = (body.width - 6).min(84);
    let room = usize::from(width) - 4;
    let mut shown: Vec<Line<'_>> = Vec::new();
    let mut say =
        |text: &str| shown.extend(wrap(text, room, ctx.glyphs).into_iter().map(Line::from));
    match score {
        None => say("reading the store"),
        Some(score) => {
            for line in user_lines(score) {
                say(&line);
            }
        }
    }
    shown.push(Line::default());
    shown.extend(
        shadow_lines(state)
            .iter()
            .flat_map(|text| wrap(text, room, ctx.glyphs))
            .map(|line| Line::styled(line, ctx.theme.muted)),
    );
    let height = (shown.len() as u16 + 2).min(body.height);
    let inner =
        open_dialog(frame, body, (width, height), "you against the router: any key closes", ctx);
    draw_lines(frame.buffer_mut(), inner, shown);
}

/// A number with its noun.
fn count_of(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn user_lines(score: &UserComparison) -> Vec<String> {
    if score.decisions == 0 {
        return vec![
            "You have not chosen a writer in any stored episode yet: s and l choose for the next step, S and L for all from here on.".into(),
        ];
    }
    let mut lines = vec![match score.agreement() {
        Some(share) => format!(
            "You chose {}; of the {} with an opinion of the router, you agreed at {:.0} %.",
            count_of(score.decisions, "step"),
            score.with_opinion,
            100.0 * share
        ),
        None => {
            format!(
                "You chose {}; the router had no opinion about them.",
                count_of(score.decisions, "step")
            )
        }
    }];
    lines.push(if score.questions == 0 {
        "No question has both an episode in which you chose and one that the router decided alone: ask a question again, or fork, to compare.".into()
    } else {
        let side = |side: crate::evaluation::SideMeans| {
            format!("{:.0} % correct at a mean cost of {}", 100.0 * side.accuracy, format_si(side.cost))
        };
        format!(
            "On {} with graded episodes of both: you {}; the router {}.",
            count_of(score.questions, "question"),
            side(score.user),
            side(score.router)
        )
    });
    lines
}

/// What the shadow routers of the displayed episode would have chosen.
fn shadow_lines(state: &State) -> Vec<String> {
    let Some(displayed) = &state.displayed else { return Vec::new() };
    let agreed = agreements([displayed.episode.as_ref()]);
    if agreed.is_empty() {
        return vec![
            "No shadow routers: with `--shadow entropy,gmm@0.3`, or `shadows` in the preset, other routers say what they would have chosen.".into(),
        ];
    }
    let mut lines = vec!["Shadow routers of this episode:".to_owned()];
    lines.extend(agreed.iter().map(|(router, agreement)| {
        format!("{router}: the same choice at {} of {} steps", agreement.agreed, agreement.compared)
    }));
    let apart = disagreements(&displayed.episode);
    lines.extend(apart.iter().take(MAX_DISAGREEMENTS).map(|one| {
        format!(
            "step {}: {} would choose {} (p {:.2}, t {:.2}), not {}",
            one.step + 1,
            one.router,
            one.shadow_choice,
            one.p,
            one.t,
            one.actual_choice
        )
    }));
    if apart.len() > MAX_DISAGREEMENTS {
        lines.push(format!("and {} more", apart.len() - MAX_DISAGREEMENTS));
    }
    lines
}
