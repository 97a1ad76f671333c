//! `pointsman episodes show`.

use super::annotations::describe_annotations;
use crate::cli::output;
use crate::config::Price;
use crate::episode::{Decider, Episode, EpisodeStatus, Role, Step, UsageTotals};
use crate::library::LocalCalendar;
use crate::store::Annotations;

/// Prints an episode: its trace, who wrote each step and why, and its cost. `before_step` is called with the
/// index of each step before it is printed.
///
/// # Errors
/// If standard output cannot be written.
pub(in crate::cli) fn show(
    id: u64,
    episode: &Episode,
    annotations: &Annotations,
    mut before_step: impl FnMut(usize),
) -> std::io::Result<()> {
    let started = &episode.started;
    let preset = &started.preset;
    // The text of a recording is not trusted.
    let print_line = |text: &str| output::print_line(&output::strip_control_chars(text));
    print_line(&format!(
        "episode {id} · preset {} · router {} · threshold {} · seed {}",
        preset.name, preset.routing.router, preset.routing.threshold, started.seed
    ))?;
    if let Some(parent) = &started.parent {
        output::print_line(&format!(
            "forked from episode {} at step {}",
            parent.episode,
            parent.step + 1
        ))?;
    }
    let annotations_text = describe_annotations(annotations);
    if !annotations_text.is_empty() {
        output::print_line(&annotations_text)?;
    }
    if let Some(trashed) = annotations.trashed() {
        let since = LocalCalendar::format(trashed.at_ms);
        output::print_line(&format!(
            "in the trash since {since}: `pointsman episodes restore {id}` restores it"
        ))?;
    }
    for role in Role::BOTH {
        let model = &started.models[role];
        print_line(&format!(
            "{role:>5}: {} · {} · price {} · {}",
            model.name,
            parameters(model.parameters),
            price(started.prices[role]),
            model.digest
        ))?;
    }
    output::print_line(&format!("\n{}\n", output::strip_control_chars(&started.question)))?;
    for (index, step) in episode.steps.iter().enumerate() {
        before_step(index);
        print_line(&step_line(index, step))?;
    }
    output::print_line(&match &episode.status {
        EpisodeStatus::Running | EpisodeStatus::Paused => {
            "\nunfinished: the program ended before the episode".into()
        }
        EpisodeStatus::Finished { answer, verdict, reason } => {
            let (answer, gold) = (answer.as_deref(), started.gold.as_deref());
            format!("\n{}", output::describe_ending(answer, gold, *verdict, *reason))
        }
        EpisodeStatus::Failed(error) => format!("\nfailed: {}", output::strip_control_chars(error)),
    })?;
    for role in Role::BOTH {
        let UsageTotals { prefilled, reused, kept, discarded, .. } = episode.ledger.totals[role];
        output::print_line(&format!(
            "{role:>5}: {kept} tokens kept, {discarded} discarded, {prefilled} prefilled, \
             {reused} reused · cost {}",
            output::si(episode.ledger.cost_of(role))
        ))?;
    }
    Ok(())
}

fn step_line(index: usize, step: &Step) -> String {
    let text = step.generation.text.trim_end();
    let why = step.decision.as_ref().map_or(String::new(), |decision| {
        let p = decision.p_large.map_or("   –".into(), |p| format!("{p:.2}"));
        let by = match &decision.by {
            Decider::Policy(name) | Decider::Rule(name) => name,
            Decider::User => "you",
            Decider::Budget => "budget",
            Decider::Exploration => "exploration",
        };
        format!("p(large) {p}  {by}")
    });
    format!("{:>3} {}  {text:<44} {why}", index + 1, step.generation.model.letter())
}

fn parameters(n: u64) -> String {
    match n {
        0 => "unknown parameters".into(),
        n => format!("{} parameters", output::si(n as f64)),
    }
}

/// One price per token if all are the same, else each.
fn price(price: Price) -> String {
    let [read, cached, written] = [price.read, price.cached, price.written].map(output::si);
    if price == Price::from(price.written) {
        return format!("{written} per token");
    }
    format!("{read} per token read, {cached} cached, {written} written")
}
