//! Retraining and calibration.

use std::sync::Arc;

use super::hint;
use crate::routing::PairFingerprint;
use crate::session::{Command, RoutingConfig};
use crate::workbench::actions::Action;
use crate::workbench::job::Job;
use crate::workbench::message::{Effect, LoadedRouting};
use crate::workbench::state::{Notice, Page, State};
use crate::workbench::threshold_estimates::ThresholdEstimatesState;
use crate::workbench::training_page::{TrainingAction, TrainingProgress, TrainingUpdate};

/// The router that a policy is for.
const POLICY_ROUTER: &str = "policy";

/// Why nothing is known of the models.
pub(super) const NO_PAIR: &str = "ask a question first: an episode says which models these are";

impl State {
    /// The models of the session under the preset in force, as far as an episode tells.
    pub(super) fn pair(&self) -> Option<PairFingerprint> {
        let shown = self.displayed.iter().chain(&self.background);
        let displayed = shown.into_iter().find(|displayed| Some(displayed.id) == self.live_id)?;
        let started = &displayed.episode.started;
        let models = crate::episode::PerRole::from_fn(|role| &started.models[role]);
        Some(PairFingerprint::of(&self.preset, started.prices, models))
    }
}

/// Whether the page took the action.
pub(super) fn on_action(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Training(action) => Some(run_action(state, action)),
        Action::Quit => Some(super::library::back(state)),
        _ => None,
    }
}

fn run_action(state: &mut State, action: TrainingAction) -> Vec<Effect> {
    let training_page = &mut state.training_page;
    match action {
        TrainingAction::Discard if training_page.running.is_some() => {
            vec![Effect::RunJob(Job::CancelTraining)]
        }
        TrainingAction::Discard => match training_page.candidate.take() {
            Some(candidate) => {
                training_page.log.push(format!("{} is discarded", candidate.policy.card.name));
                vec![Effect::RunJob(Job::DiscardCandidate(candidate.id))]
            }
            None => hint(state, "there is nothing to cancel or to discard"),
        },
        _ if training_page.running.is_some() => {
            let ways = [(Action::Training(TrainingAction::Discard), "to cancel it")];
            hint(state, format!("something is under way{}", state.keys.key_hints(&ways)))
        }
        TrainingAction::Promote => match training_page.candidate.clone() {
            Some(_)
                if training_page.passed != Some(true)
                    && !std::mem::replace(&mut training_page.promotion_warned, true) =>
            {
                let what = match training_page.passed {
                    Some(_) => "it did not win its contest",
                    None => "it has not won a contest",
                };
                let ways = [
                    (Action::Training(TrainingAction::Promote), "again to promote it anyway"),
                    (Action::Training(TrainingAction::PromotionTest), "for a contest"),
                ];
                hint(state, format!("{what}{}", state.keys.key_hints(&ways)))
            }
            Some(candidate) => {
                let preset = state.preset.name.clone();
                vec![Effect::RunJob(Job::Promote { preset, candidate })]
            }
            None => no_candidate_hint(state),
        },
        TrainingAction::RollBack => vec![Effect::RunJob(Job::RollBack(state.preset.name.clone()))],
        TrainingAction::PromotionTest if training_page.candidate.is_none() => {
            no_candidate_hint(state)
        }
        TrainingAction::Train
        | TrainingAction::Collect
        | TrainingAction::Calibrate
        | TrainingAction::PromotionTest => {
            let Some(pair) = state.pair() else { return hint(state, NO_PAIR) };
            let text = "beginning".to_owned();
            state.training_page.running =
                Some(TrainingProgress { action, done: 0, total: 0, text });
            let (preset, pair) = (Box::new(state.preset.clone()), Box::new(pair));
            let candidate = state.training_page.candidate.clone();
            vec![Effect::RunJob(Job::RunTraining { action, preset, pair, candidate })]
        }
    }
}

fn no_candidate_hint(state: &mut State) -> Vec<Effect> {
    let ways = state.keys.key_hints(&[(Action::Training(TrainingAction::Train), "to train one")]);
    hint(state, format!("there is no new policy yet{ways}"))
}

/// TrainingUpdate of what is under way.
pub(super) fn on_update(state: &mut State, update: TrainingUpdate) -> Vec<Effect> {
    let training_page = &mut state.training_page;
    let (text, bad) = match update {
        TrainingUpdate::Progress(running) => {
            // What was cancelled may still have something to say.
            if training_page.running.is_some() {
                training_page.running = Some(running);
            }
            return Vec::new();
        }
        TrainingUpdate::CandidateTrained(candidate) => {
            let card = &candidate.policy.card;
            let text =
                format!("{} was trained from {} episodes", card.name, card.dataset_counts.used);
            (training_page.passed, training_page.promotion_warned) = (None, false);
            training_page.candidate = Some(Arc::clone(&candidate));
            (text, false)
        }
        TrainingUpdate::Finished(text) => {
            // It may have written episodes that say something of thresholds.
            state.threshold_estimates = ThresholdEstimatesState::NotRequested;
            (text, false)
        }
        TrainingUpdate::PromotionTested(text, passed) => {
            training_page.passed = Some(passed);
            (text, false)
        }
        TrainingUpdate::Failed(why) => (why, true),
    };
    let training_page = &mut state.training_page;
    training_page.running = None;
    training_page.log.push(text.clone());
    if state.page != Page::Training || bad {
        state.notice = Some(if bad { Notice::Error(text) } else { Notice::Hint(text) });
    }
    Vec::new()
}

/// Another preset comes: the new policy was trained for the one before, and stays in the store.
pub(super) fn drop_candidate(state: &mut State) {
    (state.training_page.passed, state.training_page.promotion_warned) = (None, false);
    if let Some(candidate) = state.training_page.candidate.take() {
        let (policy, preset) = (&candidate.policy.card.name, &state.preset.name);
        state.training_page.log.push(format!(
            "{policy} was trained for the preset {preset}: `pointsman policy promote {policy} --preset {preset}` holds the contest"
        ));
    }
}

/// A new policy is in force, or not.
pub(super) fn on_promoted(
    state: &mut State,
    outcome: Result<Box<LoadedRouting>, String>,
) -> Vec<Effect> {
    let LoadedRouting { routing: RoutingConfig { preset, registry }, scale } = match outcome {
        Ok(promoted) => *promoted,
        Err(why) => {
            state.notice = Some(Notice::Error(why));
            return Vec::new();
        }
    };
    let name = registry.policy().map_or("no policy", |policy| &policy.card.name);
    // Where the one before came back, a new one still waits.
    state.training_page.candidate.take_if(|candidate| candidate.policy.card.name == *name);
    // The preset's own router may be another one: then it is that again at the next start.
    let own = &state.preset.routing.router;
    let once = match (registry.policy(), own.as_str()) {
        (Some(_), own) if own != POLICY_ROUTER => {
            format!("; set router = \"policy\" in the preset, which has {own}, to begin with it")
        }
        _ => String::new(),
    };
    let text = format!("{name} is in force from the next question on{once}");
    state.training_page.log.push(text.clone());
    state.notice = Some(Notice::Hint(text));
    state.threshold_estimates = ThresholdEstimatesState::NotRequested;
    state.training_scale = scale;
    state.preset.routing.router = preset.routing.router;
    state.preset.routing.threshold = state.threshold;
    set_routing(RoutingConfig { preset: state.preset.clone(), registry })
}

/// Has these routers choose from the next question on.
pub(super) fn set_routing(routing: RoutingConfig) -> Vec<Effect> {
    vec![Effect::SendCommand(Command::SetRouting(Box::new(routing)))]
}
