//! `pointsman episodes show`.

use super::{said, style};
use crate::config::Price;
use crate::episode::{Account, Decider, Episode, Role, Status, Step};
use crate::library::LocalTime;
use crate::store::Annotations;

/// Prints an episode: its trace, who wrote each step and why, what it cost. `before` is called before
/// each step.
///
/// # Errors
/// When it cannot be written.
pub fn show(
    id: u64,
    episode: &Episode,
    annotations: &Annotations,
    mut before: impl FnMut(usize),
) -> std::io::Result<()> {
    let started = &episode.started;
    let preset = &started.preset;
    // What a recording names is somebody else's text.
    let line = |text: &str| style::line(&style::plain(text));
    line(&format!(
        "episode {id} · preset {} · router {} · threshold {} · seed {}",
        preset.name, preset.routing.router, preset.routing.threshold, started.seed
    ))?;
    if let Some(parent) = &started.parent {
        style::line(&format!(
            "forked from episode {} at step {}",
            parent.episode,
            parent.step + 1
        ))?;
    }
    let said = said(annotations);
    if !said.is_empty() {
        style::line(&said)?;
    }
    if let Some(binned) = annotations.binned() {
        let since = LocalTime::text(binned.at_ms);
        style::line(&format!(
            "in the bin since {since}: `pointsman episodes restore {id}` brings it back"
        ))?;
    }
    for role in Role::BOTH {
        let model = &started.models[role];
        line(&format!(
            "{role:>5}: {} · {} · price {} · {}",
            model.name,
            parameters(model.parameters),
            price(started.prices[role]),
            model.digest
        ))?;
    }
    style::line(&format!("\n{}\n", style::plain(&started.question)))?;
    for (index, step) in episode.steps.iter().enumerate() {
        before(index);
        line(&step_line(index, step))?;
    }
    style::line(&match &episode.status {
        Status::Running | Status::Paused => {
            "\nunfinished: it was running when the program ended".into()
        }
        Status::Finished { answer, verdict, reason } => {
            let (answer, gold) = (answer.as_deref(), started.gold.as_deref());
            format!("\n{}", style::ending(answer, gold, *verdict, *reason))
        }
        Status::Failed(error) => format!("\nfailed: {}", style::plain(error)),
    })?;
    for role in Role::BOTH {
        let Account { prefilled, reused, kept, discarded, .. } = episode.ledger.accounts[role];
        style::line(&format!(
            "{role:>5}: {kept} tokens kept, {discarded} discarded, {prefilled} prefilled, \
             {reused} reused · cost {}",
            style::si(episode.ledger.cost_of(role))
        ))?;
    }
    Ok(())
}

fn step_line(index: usize, step: &Step) -> String {
    let text = step.writing.text.trim_end();
    let why = step.decision.as_ref().map_or(String::new(), |decision| {
        let p = decision.p_large.map_or("   –".into(), |p| format!("{p:.2}"));
        let by = match &decision.by {
            Decider::Policy(name) | Decider::Rule(name) => name,
            Decider::Person => "person",
            Decider::Budget => "budget",
            Decider::Exploration => "exploration",
        };
        format!("p(large) {p}  {by}")
    });
    format!("{:>3} {}  {text:<44} {why}", index + 1, step.writing.model.mark())
}

fn parameters(n: u64) -> String {
    match n {
        0 => "parameters not known".into(),
        n => format!("{} parameters", style::si(n as f64)),
    }
}

/// Prices that differ, one after the other.
fn price(price: Price) -> String {
    let [read, cached, written] = [price.read, price.cached, price.written].map(style::si);
    if price == Price::from(price.written) {
        return format!("{written} a token");
    }
    format!("{read} a token read, {cached} cached, {written} written")
}
