//! The training page: training, calibration, promotion.

use std::sync::Arc;

use super::notices::{error, hint};
use crate::routing::router_name;
use crate::session::{Command, RoutingConfig};
use crate::workbench::action::{Action, PageId};
use crate::workbench::active_routing::LoadedRouting;
use crate::workbench::job::Job;
use crate::workbench::message::Effect;
use crate::workbench::state::State;
use crate::workbench::threshold_estimates::ThresholdEstimatesState;
use crate::workbench::training_page::{TrainingAction, TrainingProgress, TrainingUpdate};

/// The models are unknown before the first episode.
pub(super) const NO_PAIR: &str = "ask a question first: only an episode names the models exactly";

/// Opens the training page.
pub(in crate::workbench) fn open(state: &mut State) -> Vec<Effect> {
    state.open_page = Some(PageId::Training);
    Vec::new()
}

/// Says what is running, if something is.
fn busy(state: &mut State) -> Option<Vec<Effect>> {
    state.training_page.running.as_ref()?;
    let actions = [(Action::Training(TrainingAction::Discard), "to cancel it")];
    let keys = state.keys.key_hints(&actions);
    Some(hint(state, format!("another job is running{keys}")))
}

fn no_candidate(state: &mut State) -> Vec<Effect> {
    let actions = [(Action::Training(TrainingAction::Train), "to train one")];
    let keys = state.keys.key_hints(&actions);
    hint(state, format!("there is no new policy yet{keys}"))
}

/// Starts a training, a collection, a calibration or a promotion test.
pub(in crate::workbench) fn start(state: &mut State, action: TrainingAction) -> Vec<Effect> {
    if let Some(effects) = busy(state) {
        return effects;
    }
    let Some(pair) = state.pair().map(Box::new) else { return hint(state, NO_PAIR) };
    state.training_page.started += 1;
    let number = state.training_page.started;
    let text = "starting".to_owned();
    state.training_page.running = Some(TrainingProgress { action, done: 0, total: 0, text });
    let routing = Arc::clone(state.active.config());
    let candidate = state.training_page.candidate.clone();
    vec![Effect::RunJob(Job::RunTraining { number, action, routing, pair, candidate })]
}

/// Starts the promotion test of the candidate.
pub(in crate::workbench) fn test_candidate(state: &mut State) -> Vec<Effect> {
    if state.training_page.running.is_none() && state.training_page.candidate.is_none() {
        return no_candidate(state);
    }
    start(state, TrainingAction::PromotionTest)
}

/// Cancels what is running, or deletes the candidate.
pub(in crate::workbench) fn discard(state: &mut State) -> Vec<Effect> {
    let page = &mut state.training_page;
    if page.running.is_some() {
        return vec![Effect::RunJob(Job::CancelTraining(page.started))];
    }
    match page.candidate.take() {
        Some(candidate) => {
            page.log.push(format!("{} was discarded", candidate.policy.card.name));
            vec![Effect::RunJob(Job::DiscardCandidate(candidate.id))]
        }
        None => hint(state, "there is nothing to cancel or to discard"),
    }
}

/// Routes with the candidate; one that has not passed the promotion test needs a second key press.
pub(in crate::workbench) fn promote(state: &mut State) -> Vec<Effect> {
    if let Some(effects) = busy(state) {
        return effects;
    }
    let page = &mut state.training_page;
    let Some(candidate) = page.candidate.clone() else { return no_candidate(state) };
    if page.passed != Some(true) && !std::mem::replace(&mut page.promotion_warned, true) {
        let what = match page.passed {
            Some(_) => "it did not pass the promotion test",
            None => "it has not passed a promotion test",
        };
        let actions = [
            (Action::Training(TrainingAction::Promote), "again to promote it anyway"),
            (Action::Training(TrainingAction::PromotionTest), "to test it"),
        ];
        let keys = state.keys.key_hints(&actions);
        return hint(state, format!("{what}{keys}"));
    }
    let routing = Arc::clone(state.active.config());
    vec![Effect::RunJob(Job::Promote { routing, candidate })]
}

/// Undoes the last promotion.
pub(in crate::workbench) fn roll_back(state: &mut State) -> Vec<Effect> {
    busy(state)
        .unwrap_or_else(|| vec![Effect::RunJob(Job::RollBack(Arc::clone(state.active.config())))])
}

/// A report of what is running.
pub(in crate::workbench) fn on_update(state: &mut State, update: TrainingUpdate) {
    let page = &mut state.training_page;
    let result = match update {
        TrainingUpdate::Progress(progress) => {
            // Progress may still come from a job that was cancelled.
            if page.running.is_some() {
                page.running = Some(progress);
            }
            return;
        }
        TrainingUpdate::CandidateTrained(candidate) => {
            let card = &candidate.policy.card;
            let text =
                format!("{} was trained from {} episodes", card.name, card.dataset_counts.used);
            (page.passed, page.promotion_warned) = (None, false);
            page.candidate = Some(candidate);
            Ok(text)
        }
        TrainingUpdate::Finished(text) => {
            // The new episodes may improve the estimates.
            state.threshold_estimates = ThresholdEstimatesState::NotRequested;
            Ok(text)
        }
        TrainingUpdate::PromotionTested(text, passed) => {
            page.passed = Some(passed);
            Ok(text)
        }
        TrainingUpdate::Failed(why) => Err(why),
    };
    let page = &mut state.training_page;
    page.running = None;
    match result {
        Ok(text) => {
            page.log.push(text.clone());
            if state.page() != PageId::Training {
                hint(state, text);
            }
        }
        Err(why) => {
            page.log.push(why.clone());
            error(state, why);
        }
    }
}

/// Drops the candidate before another preset is activated: it was trained for this one, and
/// stays in the store.
pub(super) fn drop_candidate(state: &mut State) {
    let page = &mut state.training_page;
    (page.passed, page.promotion_warned) = (None, false);
    if let Some(candidate) = page.candidate.take() {
        let (policy, preset) = (&candidate.policy.card.name, &state.active.preset().name);
        page.log.push(format!(
            "{policy} was trained for the preset {preset}: `pointsman policy promote {policy} --preset {preset}` runs its promotion test"
        ));
    }
}

/// A promotion or a rollback has changed the routing, or has failed.
pub(in crate::workbench) fn on_promoted(
    state: &mut State,
    result: Result<Box<LoadedRouting>, String>,
) -> Vec<Effect> {
    let LoadedRouting { routing: RoutingConfig { preset, registry }, scale } = match result {
        Ok(promoted) => *promoted,
        Err(why) => return error(state, why),
    };
    let policy = registry.policy().map(|policy| policy.card.name.clone());
    // After a rollback the candidate, if there is one, can still be promoted.
    state
        .training_page
        .candidate
        .take_if(|candidate| Some(&candidate.policy.card.name) == policy.as_ref());
    // A preset with another router starts with that router the next time.
    let own = &state.preset().routing.router;
    let text = match policy {
        Some(name) if own == router_name::POLICY => {
            format!("{name} is the current policy from the next question on")
        }
        Some(name) => format!(
            "{name} is the current policy from the next question on; set router = \"policy\" in the preset, which has {own}, to start with it"
        ),
        None => format!("router {} chooses from the next question on", preset.routing.router),
    };
    let mut active = state.preset().clone();
    active.routing.router = preset.routing.router;
    let routing = RoutingConfig { preset: active, registry };
    state.active.replace(LoadedRouting { routing, scale });
    state.threshold_estimates = ThresholdEstimatesState::NotRequested;
    state.training_page.log.push(text.clone());
    hint(state, text);
    set_routing(state)
}

/// Tells the session to use the active routing from the next question on.
pub(super) fn set_routing(state: &State) -> Vec<Effect> {
    let routing = RoutingConfig::clone(state.active.config());
    vec![Effect::SendCommand(Command::SetRouting(Box::new(routing)))]
}
