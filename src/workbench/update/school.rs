//! Retraining and calibration.

use std::sync::Arc;

use super::hint;
use crate::routing::Pair;
use crate::session::{Command, Employment};
use crate::workbench::actions::Action;
use crate::workbench::errand::Errand;
use crate::workbench::message::{Chosen, Effect};
use crate::workbench::outlook::Outlooks;
use crate::workbench::school::{Doing, Lesson, News};
use crate::workbench::state::{Notice, Page, State};

/// The router that a policy is for.
const POLICY: &str = "policy";

/// Why nothing is known of the models.
pub(super) const NO_PAIR: &str = "ask a question first: an episode says which models these are";

impl State {
    /// The models of the session under the preset in force, as far as an episode tells.
    pub(super) fn pair(&self) -> Option<Pair> {
        let shown = self.run.iter().chain(&self.aside);
        let run = shown.into_iter().find(|run| Some(run.id) == self.live)?;
        let started = &run.episode.started;
        let models = crate::episode::PerRole::from_fn(|role| &started.models[role]);
        Some(Pair::of(&self.preset, started.prices, models))
    }
}

/// Whether the page took the action.
pub(super) fn on_action(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::AtSchool(lesson) => Some(obey(state, lesson)),
        Action::Quit => Some(super::library::back(state)),
        _ => None,
    }
}

fn obey(state: &mut State, lesson: Lesson) -> Vec<Effect> {
    let school = &mut state.school;
    match lesson {
        Lesson::Discard if school.doing.is_some() => vec![Effect::Do(Errand::Cancel)],
        Lesson::Discard => match school.newcomer.take() {
            Some(newcomer) => {
                school.told.push(format!("{} is discarded", newcomer.policy.card.name));
                vec![Effect::Do(Errand::Discard(newcomer.number))]
            }
            None => hint(state, "there is nothing to cancel or to discard"),
        },
        _ if school.doing.is_some() => {
            let ways = [(Action::AtSchool(Lesson::Discard), "to cancel it")];
            hint(state, format!("something is under way{}", state.keys.advice(&ways)))
        }
        Lesson::Promote => match school.newcomer.clone() {
            Some(_) if school.won != Some(true) && !std::mem::replace(&mut school.warned, true) => {
                let what = match school.won {
                    Some(_) => "it did not win its contest",
                    None => "it has not won a contest",
                };
                let ways = [
                    (Action::AtSchool(Lesson::Promote), "again to promote it anyway"),
                    (Action::AtSchool(Lesson::Contest), "for a contest"),
                ];
                hint(state, format!("{what}{}", state.keys.advice(&ways)))
            }
            Some(newcomer) => {
                let preset = state.preset.name.clone();
                vec![Effect::Do(Errand::Promote { preset, newcomer })]
            }
            None => no_newcomer(state),
        },
        Lesson::RollBack => vec![Effect::Do(Errand::RollBack(state.preset.name.clone()))],
        Lesson::Contest if school.newcomer.is_none() => no_newcomer(state),
        Lesson::Train | Lesson::Collect | Lesson::Calibrate | Lesson::Contest => {
            let Some(pair) = state.pair() else { return hint(state, NO_PAIR) };
            let text = "beginning".to_owned();
            state.school.doing = Some(Doing { what: lesson, done: 0, of: 0, text });
            let (preset, pair) = (Box::new(state.preset.clone()), Box::new(pair));
            let newcomer = state.school.newcomer.clone();
            vec![Effect::Do(Errand::Learn { lesson, preset, pair, newcomer })]
        }
    }
}

fn no_newcomer(state: &mut State) -> Vec<Effect> {
    let ways = state.keys.advice(&[(Action::AtSchool(Lesson::Train), "to train one")]);
    hint(state, format!("there is no new policy yet{ways}"))
}

/// News of what is under way.
pub(super) fn told(state: &mut State, news: News) -> Vec<Effect> {
    let school = &mut state.school;
    let (text, bad) = match news {
        News::Progress(doing) => {
            // What was cancelled may still have something to say.
            if school.doing.is_some() {
                school.doing = Some(doing);
            }
            return Vec::new();
        }
        News::Trained(newcomer) => {
            let card = &newcomer.policy.card;
            let text = format!("{} was trained from {} episodes", card.name, card.intake.used);
            (school.won, school.warned) = (None, false);
            school.newcomer = Some(Arc::clone(&newcomer));
            (text, false)
        }
        News::Over(text) => {
            // It may have written episodes that say something of thresholds.
            state.outlook = Outlooks::Unasked;
            (text, false)
        }
        News::Contest(text, won) => {
            school.won = Some(won);
            (text, false)
        }
        News::Failed(why) => (why, true),
    };
    let school = &mut state.school;
    school.doing = None;
    school.told.push(text.clone());
    if state.page != Page::School || bad {
        state.notice = Some(if bad { Notice::Trouble(text) } else { Notice::Hint(text) });
    }
    Vec::new()
}

/// Another preset comes: the new policy was trained for the one before, and stays in the store.
pub(super) fn leave_newcomer(state: &mut State) {
    (state.school.won, state.school.warned) = (None, false);
    if let Some(newcomer) = state.school.newcomer.take() {
        let (policy, preset) = (&newcomer.policy.card.name, &state.preset.name);
        state.school.told.push(format!(
            "{policy} was trained for the preset {preset}: `pointsman policy promote {policy} --preset {preset}` holds the contest"
        ));
    }
}

/// A new policy is in force, or not.
pub(super) fn promoted(state: &mut State, outcome: Result<Box<Chosen>, String>) -> Vec<Effect> {
    let Chosen { employment: Employment { preset, roster }, scale } = match outcome {
        Ok(promoted) => *promoted,
        Err(why) => {
            state.notice = Some(Notice::Trouble(why));
            return Vec::new();
        }
    };
    let name = roster.policy().map_or("no policy", |policy| &policy.card.name);
    // Where the one before came back, a new one still waits.
    state.school.newcomer.take_if(|newcomer| newcomer.policy.card.name == *name);
    // The preset's own router may be another one: then it is that again at the next start.
    let own = &state.preset.routing.router;
    let once = match (roster.policy(), own.as_str()) {
        (Some(_), own) if own != POLICY => {
            format!("; set router = \"policy\" in the preset, which has {own}, to begin with it")
        }
        _ => String::new(),
    };
    let text = format!("{name} is in force from the next question on{once}");
    state.school.told.push(text.clone());
    state.notice = Some(Notice::Hint(text));
    state.outlook = Outlooks::Unasked;
    state.trained_scale = scale;
    state.preset.routing.router = preset.routing.router;
    state.preset.routing.threshold = state.threshold;
    employ(Employment { preset: state.preset.clone(), roster })
}

/// Has these routers choose from the next question on.
pub(super) fn employ(employment: Employment) -> Vec<Effect> {
    vec![Effect::Send(Command::Employ(Box::new(employment)))]
}
