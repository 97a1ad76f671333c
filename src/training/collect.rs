//! Collections: episodes to learn from, written into a store.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::config::{DraftLength, Exploration, InvalidPreset, Preset};
use crate::engine::Flow;
use crate::episode::{Episode, Event, EventKind};
use crate::routing::{Policy, RouterRegistry, router_name};
use crate::session::{
    EpisodeRunner, EpisodeSpec, EventSink, NullObserver, RunnerPool, SessionError,
};
use crate::store::{EpisodeEnd, Store, StoreError};
use crate::tasks::Question;

/// Probability of a coin toss at a boundary while a policy collects episodes for training.
pub const COIN: f64 = 0.2;
/// The same before there is a policy. Random thresholds alone would determine every further choice once
/// the score of a step is known.
const COIN_WITHOUT_POLICY: f64 = 0.5;

/// What to collect.
#[derive(Clone, Copy)]
pub struct CollectionRequest<'a> {
    /// The preset of the episodes.
    pub preset: &'a Preset,
    /// The policy, if there is one.
    pub policy: Option<&'a Policy>,
    /// Probability of a coin toss instead of the router's choice, at each boundary.
    pub coin: f64,
    /// Names the questions; it becomes a part of the collection's name.
    pub questions: &'a str,
    /// Question i has the seed `seed` + i.
    pub seed: u64,
}

/// A collection. The same plan on the same store resumes where it stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionPlan {
    /// Identifies the collection: episodes that carry this name count as done.
    name: String,
    /// The preset, with the exploration that draws the choices.
    preset: Preset,
    /// Question i has the seed `seed` + i.
    seed: u64,
}

/// Why a collection cannot be planned.
#[derive(Debug, Error)]
pub enum CollectError {
    /// The coin's probability is invalid.
    #[error(transparent)]
    Preset(#[from] InvalidPreset),
    /// The policy's weights cannot be read.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

crate::exit::classify!(Failure: CollectError);

impl CollectionPlan {
    /// A collection in which the preset's router chooses, under one random threshold per episode, and at
    /// each boundary a coin toss with the requested probability. If the router is `policy`, the request must
    /// have its policy; thresholds are then drawn from the quantiles of its scores.
    ///
    /// # Errors
    /// If the coin's probability is invalid, or the policy's weights cannot be read.
    pub fn new(request: CollectionRequest<'_>) -> Result<Self, CollectError> {
        let CollectionRequest { preset, policy, coin, questions, seed } = request;
        let mut exploring = preset.clone();
        let routing = &mut exploring.routing;
        let policy = policy.filter(|_| routing.router == router_name::POLICY);
        let quantiles = match policy {
            Some(policy) => policy.card.quantiles.clone(),
            None => Exploration::default().quantiles,
        };
        routing.exploration = Some(Exploration { quantiles, coin });
        if policy.is_none() {
            // Policies with a draft of any length can learn from a whole step.
            routing.draft_length.get_or_insert(DraftLength::Step);
        }
        let router = match policy {
            // The digest, not the name: retraining on the same episodes gives the same policy a new name.
            Some(policy) => format!("policy {}", policy.digest()?),
            None => routing.router.clone(),
        };
        let draft = routing.draft_length.map_or_else(String::new, |n| format!(" draft {n}"));
        let name = format!("{} {router} {questions}{draft} coin {coin}", preset.name);
        exploring.validate()?;
        Ok(Self { name, preset: exploring, seed })
    }

    /// The preset of the episodes, with the exploration that draws the choices.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// A collection for training: the policy chooses, apart from the coin tosses. Without a policy, choices
    /// are random.
    ///
    /// # Errors
    /// As [`CollectionPlan::new`].
    pub fn for_training(request: CollectionRequest<'_>) -> Result<Self, CollectError> {
        let mut preset = request.preset.clone();
        let (router, coin) = match request.policy {
            Some(_) => (router_name::POLICY, request.coin),
            None => (router_name::RANDOM, COIN_WITHOUT_POLICY),
        };
        router.clone_into(&mut preset.routing.router);
        Self::new(CollectionRequest { preset: &preset, coin, ..request })
    }
}

/// Outcome of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionResult {
    /// Number of episodes that the store already had.
    pub already_stored: usize,
    /// Number of new episodes.
    pub written: usize,
    /// Questions that do not fit into a model's context, with a sentence each. They have no episode.
    pub skipped: Vec<String>,
}

/// Runs the questions of which the store has no finished episode of this plan, under the plan's preset, and
/// stores the episodes. Afterwards the pool has its own preset again.
///
/// `progress` is called with the number of questions done: once at the beginning, and after each question,
/// with its episode unless it was skipped. It may cancel the collection; episodes that are running then are
/// finished and stored.
///
/// # Errors
/// If an episode cannot be run or stored, or `progress` cancels.
pub fn collect<P: Into<Flow>>(
    pool: &mut RunnerPool,
    registry: &RouterRegistry,
    store: &Store,
    plan: &CollectionPlan,
    questions: &[Question],
    progress: impl Fn(usize, Option<&Episode>) -> P,
) -> Result<CollectionResult, SessionError> {
    let own_preset = pool.first().preset().clone();
    pool.set_preset(&plan.preset);
    let collected = collect_missing(pool, registry, store, plan, questions, progress);
    pool.set_preset(&own_preset);
    collected
}

fn collect_missing<P: Into<Flow>>(
    pool: &mut RunnerPool,
    registry: &RouterRegistry,
    store: &Store,
    plan: &CollectionPlan,
    questions: &[Question],
    progress: impl Fn(usize, Option<&Episode>) -> P,
) -> Result<CollectionResult, SessionError> {
    let done = finished_questions(store, &plan.name)?;
    let question_key =
        |q: &Question| q.origin.as_ref().map(|origin| (origin.index, q.text.clone()));
    let missing: Vec<(usize, &Question)> = questions
        .iter()
        .enumerate()
        .filter(|(_, q)| question_key(q).is_none_or(|key| !done.contains(&key)))
        .collect();
    let already_stored = questions.len() - missing.len();
    progress(already_stored, None);
    let work = |runner: &mut EpisodeRunner, at: usize| {
        let (i, question) = missing[at];
        let mut router = registry.router(&plan.preset.routing.router)?;
        let spec = EpisodeSpec {
            collection: Some(plan.name.clone()),
            ..EpisodeSpec::new(question, router.as_mut(), plan.seed.wrapping_add(i as u64))
        };
        let mut buffer = EpisodeBuffer { store, id: 0, events: Vec::new() };
        let result = runner.run(spec, &mut buffer, &mut NullObserver);
        match result.map_err(|error| error.at(question)) {
            // It would fail every time, so it neither ends the collection nor leaves an episode.
            Err(error) if error.is_prompt_too_long() => Ok(Err(error.to_string())),
            Err(error) => buffer.flush().map_err(SessionError::Sink).and(Err(error)),
            Ok(episode) => Ok(Ok(episode)),
        }
    };
    let mut collected = CollectionResult { already_stored, written: 0, skipped: Vec::new() };
    pool.for_each_index(missing.len(), work, |_, result| {
        let episode = result.map_err(|sentence| collected.skipped.push(sentence)).ok();
        collected.written += usize::from(episode.is_some());
        let done = already_stored + collected.written + collected.skipped.len();
        match progress(done, episode.as_ref()).into() {
            Flow::Continue => Ok(()),
            Flow::Cancel => Err(SessionError::Cancelled),
        }
    })?;
    Ok(collected)
}

/// Index and text of the questions with a finished episode of the collection. The text counts too: another
/// file of the same name may have another question at that index.
fn finished_questions(
    store: &Store,
    collection: &str,
) -> Result<BTreeSet<(usize, String)>, SessionError> {
    // The name of the same collection in older stores, where a draft was called a glimpse.
    let older_name = collection.replace(" draft ", " glimpse ");
    let mut done = BTreeSet::new();
    for summary in store.summaries() {
        let summary = summary.map_err(|e: StoreError| SessionError::Sink(e.to_string()))?;
        let is_ours =
            summary.collection.as_ref().is_some_and(|c| c == collection || *c == older_name);
        if is_ours && matches!(summary.end, EpisodeEnd::Finished { .. }) {
            done.extend(summary.index.map(|index| (index, summary.question)));
        }
    }
    Ok(done)
}

/// Buffers an episode's events, and stores them together at its end. The events of a failed episode are
/// stored only by [`flush`](Self::flush).
struct EpisodeBuffer<'a> {
    store: &'a Store,
    id: u64,
    events: Vec<Event>,
}

impl EpisodeBuffer<'_> {
    fn flush(&self) -> Result<(), String> {
        if self.events.is_empty() {
            return Ok(());
        }
        self.store.append_all(self.id, &self.events).map_err(|e| e.to_string())
    }
}

impl EventSink for EpisodeBuffer<'_> {
    fn begin_episode(&mut self) -> Result<u64, String> {
        self.id = self.store.next_episode_id().map_err(|e| e.to_string())?;
        Ok(self.id)
    }

    fn append(&mut self, _: u64, event: &Event) -> Result<(), String> {
        self.events.push(event.clone());
        if event.kind.ends_episode() && !matches!(event.kind, EventKind::Failed { .. }) {
            self.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::fixtures::started;
    use crate::routing::load_policy;

    #[test]
    fn a_plan_names_what_its_episodes_depend_on() {
        let mut preset = started().preset;
        preset.name = "tiny".into();
        preset.routing.router = "random".into();
        preset.routing.draft_length = None;
        let questions = "arithmetic develop seed 5";
        let request =
            CollectionRequest { preset: &preset, policy: None, coin: 0.5, questions, seed: 5 };
        let plan = CollectionPlan::new(request).unwrap();
        assert_eq!(plan.name, "tiny random arithmetic develop seed 5 draft step coin 0.5");
        assert_eq!(plan.preset().routing.draft_length, Some(DraftLength::Step));
        assert!(CollectionPlan::new(CollectionRequest { coin: 1.5, ..request }).is_err());

        let policy = load_policy("builtin:tiny").unwrap();
        let request = CollectionRequest { coin: 0.2, questions: "q", ..request };
        let with_policy = CollectionRequest { policy: Some(&policy), ..request };
        let plan = CollectionPlan::for_training(with_policy).unwrap();
        assert_eq!(plan.name, format!("tiny policy {} q coin 0.2", policy.digest().unwrap()));
        let routing = &plan.preset().routing;
        assert_eq!((routing.router.as_str(), routing.draft_length), ("policy", None));
        let quantiles = &routing.exploration.as_ref().unwrap().quantiles;
        assert_eq!(*quantiles, policy.card.quantiles);
        let plan = CollectionPlan::for_training(request).unwrap();
        assert_eq!(plan.name, "tiny random q draft step coin 0.5");
    }
}
