//! How the person does against the router, and where shadows disagree.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::ink::{Ink, lines};
use super::overlay::open;
use super::text::{si, wrap};
use crate::episode::{agreements, disagreements};
use crate::evaluation::PersonScore;
use crate::workbench::state::State;

/// Disagreements that are listed, at most.
const LISTED: usize = 8;

pub(super) fn render(
    frame: &mut Frame<'_>,
    body: Rect,
    score: Option<&PersonScore>,
    state: &State,
    ink: Ink<'_>,
) {
    let width = (body.width - 6).min(84);
    let room = usize::from(width) - 4;
    let mut shown: Vec<Line<'_>> = Vec::new();
    let mut say =
        |text: &str| shown.extend(wrap(text, room, ink.glyphs).into_iter().map(Line::from));
    match score {
        None => say("counting"),
        Some(score) => {
            for line in person(score) {
                say(&line);
            }
        }
    }
    shown.push(Line::default());
    shown.extend(
        shadows(state)
            .iter()
            .flat_map(|text| wrap(text, room, ink.glyphs))
            .map(|line| Line::styled(line, ink.theme.muted)),
    );
    let height = (shown.len() as u16 + 2).min(body.height);
    let inner = open(frame, body, (width, height), "you against the router: any key closes", ink);
    lines(frame.buffer_mut(), inner, shown);
}

/// A number of something.
fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn person(score: &PersonScore) -> Vec<String> {
    if score.decisions == 0 {
        return vec![
            "You have not chosen in any stored episode yet: s and l take the next step, S and L all from here on.".into(),
        ];
    }
    let mut told = vec![match score.agreement() {
        Some(share) => format!(
            "You chose {}; of {} at which the router had an opinion, you agreed at {:.0} %.",
            count(score.decisions, "step"),
            score.advised,
            100.0 * share
        ),
        None => {
            format!(
                "You chose {}; the router had no opinion at any.",
                count(score.decisions, "step")
            )
        }
    }];
    told.push(if score.questions == 0 {
        "No question has both an episode in which you chose and one that the router alone decided: ask it again, or fork, to compare.".into()
    } else {
        let side = |side: crate::evaluation::Side| {
            format!("{:.0} % right at a mean cost of {}", 100.0 * side.accuracy, si(side.cost))
        };
        format!(
            "On {} with graded episodes of both: you {}; the router {}.",
            count(score.questions, "question"),
            side(score.person),
            side(score.router)
        )
    });
    told
}

/// What the shadows of the episode on the screen would have done.
fn shadows(state: &State) -> Vec<String> {
    let Some(run) = &state.run else { return Vec::new() };
    let agreed = agreements([&run.episode]);
    if agreed.is_empty() {
        return vec![
            "No router looks on: `--shadow entropy,gmm@0.3` or `shadows` in the preset has some say what they would have done.".into(),
        ];
    }
    let mut told = vec!["Routers that looked on in this episode:".to_owned()];
    told.extend(agreed.iter().map(|(router, agreement)| {
        format!("{router}: the same at {} of {} steps", agreement.agreed, agreement.of)
    }));
    let apart = disagreements(&run.episode);
    told.extend(apart.iter().take(LISTED).map(|one| {
        format!(
            "step {}: {} wanted {} (p {:.2}, t {:.2}), it was {}",
            one.step + 1,
            one.router,
            one.would,
            one.p,
            one.t,
            one.did
        )
    }));
    if apart.len() > LISTED {
        told.push(format!("and {} more", apart.len() - LISTED));
    }
    told
}
