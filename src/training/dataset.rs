//! Episodes of a store as a data set.

use std::collections::BTreeSet;

use thiserror::Error;

use super::trajectory::{Trajectory, trajectory};
use crate::episode::{Decider, Decision, Episode, Verdict};
use crate::evaluation::{LoggedChoice, LoggedEpisode};
use crate::routing::{DatasetCounts, FeatureSet, PairFingerprint, Policy, router_spec};
use crate::store::{EpisodeEnd, EpisodeEntry, EpisodeSummary, Store, StoreError};
use crate::tasks::Solutions;

/// Trajectories to learn from, and counts of the episodes that were left out.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// One per episode that is used.
    pub trajectories: Vec<Trajectory>,
    /// How many episodes are used, and how many are left out for which reason.
    pub dataset_counts: DatasetCounts,
    /// Names of the policies that made decisions in these episodes.
    pub parents: BTreeSet<String>,
    solutions: Solutions,
}

impl Dataset {
    /// Reads all episodes of a store that `pair` wrote. `progress` is called once per episode.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn read(
        store: &Store,
        pair: &PairFingerprint,
        set: &FeatureSet,
        mut progress: impl FnMut(),
    ) -> Result<Self, StoreError> {
        let mut dataset = Self::default();
        for summary in store.summaries() {
            progress();
            if let Some(summary) = dataset.unless_damaged(summary)? {
                dataset.add_stored(store, &summary, pair, set)?;
            }
        }
        Ok(dataset)
    }

    /// Adds an episode of the store, or counts why it is left out.
    fn add_stored(
        &mut self,
        store: &Store,
        summary: &EpisodeSummary,
        pair: &PairFingerprint,
        set: &FeatureSet,
    ) -> Result<(), StoreError> {
        if !matches!(summary.end, EpisodeEnd::Finished { .. }) {
            self.dataset_counts.ungraded += 1;
        } else if let Some(episode) = self.unless_damaged(store.episode(summary.id))? {
            self.add(&episode, pair, set);
        }
        Ok(())
    }

    /// What was read; `None` for an episode that cannot be read, which is counted: one of them must not prevent all
    /// training.
    fn unless_damaged<T>(&mut self, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Err(error @ StoreError::Damaged { .. }) => {
                tracing::warn!(%error, "an episode is left out");
                self.dataset_counts.invalid += 1;
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Adds an episode, or counts why it is left out.
    pub fn add(&mut self, episode: &Episode, pair: &PairFingerprint, set: &FeatureSet) {
        if !pair.matches(episode) {
            self.dataset_counts.other_models += 1;
            return;
        }
        // A fork shares its first choices with its parent, and was made because of their outcome.
        if episode.started.parent.is_some() {
            self.dataset_counts.forks += 1;
            return;
        }
        // One impossible number would spoil the means that the features and costs are scaled by.
        if let Err(error) = episode.check_ranges() {
            tracing::warn!(began_ms = episode.began_ms, %error, "an episode is left out");
            self.dataset_counts.invalid += 1;
            return;
        }
        let decisions = || episode.decisions().map(|(_, decision)| decision);
        // A choice of the user has no propensity. Nor has one after the user moved the threshold, which
        // may depend on the trace.
        if episode.has_user_choice() || decisions().any(|d| d.propensity.is_none()) {
            self.dataset_counts.user += 1;
            return;
        }
        // These routers know more than the features say. A policy would credit the features for it.
        let privileged = |d: &Decision| match &d.by {
            Decider::Rule(name) => {
                router_spec(name).is_some_and(|spec| spec.requirements.is_privileged())
            }
            _ => false,
        };
        if decisions().any(privileged) {
            self.dataset_counts.unusable += 1;
            return;
        }
        let correct = match episode.verdict() {
            Some(Verdict::Correct) => true,
            Some(Verdict::Wrong) => false,
            Some(Verdict::Undecided) | None => {
                self.dataset_counts.ungraded += 1;
                return;
            }
        };
        let started = &episode.started;
        let origin = started.origin.as_ref();
        let solution = origin.and_then(|o| self.solutions.find(o, &started.question));
        let Some(trajectory) = trajectory(episode, correct, set, solution) else {
            self.dataset_counts.unusable += 1;
            return;
        };
        self.dataset_counts.used += 1;
        for decision in decisions() {
            if let Decider::Policy(name) = &decision.by {
                self.parents.insert(name.clone());
            }
        }
        self.trajectories.push(trajectory);
    }

    /// Splits off the trajectories of one question in `every`, and returns them.
    pub(super) fn hold_out(&mut self, every: u64) -> Vec<Trajectory> {
        let is_held_out =
            |t: &Trajectory| LoggedEpisode::question_hash(&t.question).is_multiple_of(every);
        let (held_out, kept) =
            std::mem::take(&mut self.trajectories).into_iter().partition(is_held_out);
        self.trajectories = kept;
        self.dataset_counts.used = self.trajectories.len();
        held_out
    }
}

/// The trajectories whose choices were drawn at random, as a log for off-policy estimates of `policy`,
/// which must have the feature set of the trajectories.
///
/// # Errors
/// If the network fails.
pub fn logged_episodes(
    trajectories: &[Trajectory],
    policy: &Policy,
) -> candle_core::Result<Vec<LoggedEpisode>> {
    let drawn: Vec<&Trajectory> = trajectories.iter().filter(|t| t.explored).collect();
    let rows: Vec<Vec<f32>> =
        drawn.iter().flat_map(|t| t.boundaries.iter().map(|b| b.features.clone())).collect();
    let mut scores = policy.p_large_batch(&rows)?.into_iter();
    let logged = |t: &&Trajectory| {
        let choices = t.boundaries.iter().zip(scores.by_ref());
        let boundaries = choices
            .map(|(b, p_large)| LoggedChoice { p_large, large: b.large, propensity: b.propensity })
            .collect();
        let question = LoggedEpisode::question_hash(&t.question);
        LoggedEpisode { question, boundaries, correct: t.correct, cost: t.cost }
    };
    Ok(drawn.iter().map(logged).collect())
}

/// Episodes for off-policy estimates of a policy: those with drawn choices that were collected after it was
/// trained. Earlier ones it may have been trained on, which would bias the estimates in its favour.
#[derive(Debug, Clone)]
pub struct FreshEpisodes {
    /// Episodes with drawn choices, scored by the policy.
    pub logged: Vec<LoggedEpisode>,
    /// Number of episodes that are older than the policy.
    pub older: usize,
    /// How many of the other episodes are used, and how many were left out for which reason.
    pub counts: DatasetCounts,
}

/// Reads the fresh episodes of `policy` among the newest `limit` episodes of a store. `progress` is called
/// once per episode.
///
/// # Errors
/// If the store cannot be read, or the network fails.
pub fn fresh_episodes(
    store: &Store,
    policy: &Policy,
    limit: usize,
    mut progress: impl FnMut(),
) -> Result<FreshEpisodes, FreshEpisodesError> {
    let card = &policy.card;
    let mut dataset = Dataset::default();
    let mut older = 0;
    for entry in store.entries(None).take(limit) {
        progress();
        let Some(EpisodeEntry { summary, .. }) = dataset.unless_damaged(entry)? else { continue };
        if summary.began_ms <= card.created_ms {
            older += 1;
        } else {
            dataset.add_stored(store, &summary, &card.pair, &card.set)?;
        }
    }
    let logged = logged_episodes(&dataset.trajectories, policy)?;
    Ok(FreshEpisodes { logged, older, counts: dataset.dataset_counts })
}

/// Why fresh episodes cannot be read.
#[derive(Debug, Error)]
pub enum FreshEpisodesError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy's network fails.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

crate::exit::classify!(Failure: FreshEpisodesError);
