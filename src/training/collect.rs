//! Episodes to learn from.

use std::collections::BTreeSet;

use crate::config::{Exploration, Preset};
use crate::engine::Flow;
use crate::episode::{Episode, Event, EventKind};
use crate::routing::{Policy, RouterRegistry};
use crate::session::{
    EpisodeRunner, EpisodeSpec, EventSink, NullObserver, RunnerPool, SessionError,
};
use crate::store::{EpisodeEnd, Store, StoreError};
use crate::tasks::Question;

/// A collection: the same plan on the same store goes on where it was left.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionPlan {
    /// Its name; episodes that carry it count as done.
    pub name: String,
    /// The router that is asked at each boundary.
    pub router: String,
    /// Question i has the seed `seed` + i.
    pub seed: u64,
}

/// `preset` as a collection runs it: `router` chooses, with a coin of that probability, under one random threshold an
/// episode. Where a policy routes, thresholds lie where its scores do.
pub fn exploration_preset(
    preset: &Preset,
    router: &str,
    policy: Option<&Policy>,
    coin: f64,
) -> Preset {
    let policy = policy.filter(|_| router == "policy");
    let quantiles = policy
        .map_or_else(|| Exploration::default().quantiles, |policy| policy.card.quantiles.clone());
    let mut exploring = preset.clone();
    exploring.routing.router = router.to_owned();
    exploring.routing.exploration = Some(Exploration { quantiles, coin });
    exploring
}

/// What was missing of a collection, and was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionResult {
    /// Episodes that the store had already.
    pub already_stored: usize,
    pub written: usize,
    /// Questions that do not fit into a model's context, with a sentence each. Nothing is kept of them.
    pub skipped: Vec<String>,
}

/// Runs the questions of which the store has no finished episode of this plan. The pool's preset
/// says how choices are drawn. `progress` is told at the beginning how many are there, and how many are done after
/// each episode, and may end it then: what is under way is kept as well. A question that is too long is done, too,
/// without an episode.
///
/// # Errors
/// When an episode cannot be run or stored, or `progress` cancels.
pub fn collect<P: Into<Flow>>(
    pool: &mut RunnerPool,
    registry: &RouterRegistry,
    store: &Store,
    plan: &CollectionPlan,
    questions: &[Question],
    progress: impl Fn(usize, Option<&Episode>) -> P,
) -> Result<CollectionResult, SessionError> {
    let store_error = |e: StoreError| SessionError::Sink(e.to_string());
    let mut done = BTreeSet::new();
    for summary in store.summaries() {
        let summary = summary.map_err(store_error)?;
        let is_ours = summary.collection.as_deref() == Some(&plan.name);
        if is_ours && matches!(summary.end, EpisodeEnd::Finished { .. }) {
            // By its text too: another file of the same name has another question there.
            done.extend(summary.index.map(|index| (index, summary.question)));
        }
    }
    let question_key =
        |q: &Question| q.origin.as_ref().map(|origin| (origin.index, q.text.clone()));
    let missing: Vec<(usize, &Question)> = questions
        .iter()
        .enumerate()
        .filter(|(_, q)| question_key(q).is_none_or(|question_key| !done.contains(&question_key)))
        .collect();
    let already_stored = questions.len() - missing.len();
    progress(already_stored, None);
    let work = |runner: &mut EpisodeRunner, at: usize| {
        let (i, question) = missing[at];
        let mut router = registry.router(&plan.router)?;
        let spec = EpisodeSpec {
            collection: Some(plan.name.clone()),
            ..EpisodeSpec::new(question, router.as_mut(), plan.seed.wrapping_add(i as u64))
        };
        let mut buffer = EpisodeBuffer { store, id: 0, events: Vec::new() };
        let result = runner.run(spec, &mut buffer, &mut NullObserver);
        match result.map_err(|error| error.at(question)) {
            // It would fail each time: neither is the collection to end there, nor the store to fill with it.
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

/// Keeps an episode's events together: nobody is told of one before all are in the store. One that failed is kept
/// where that is asked for.
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
