//! Training from a store: reads its episodes, trains a policy, and stores it.

use super::policies::save_new_policy;
use super::trainer::train;
use super::{Dataset, TrainError, TrainingProgress, TrainingSettings, Trajectory};
use crate::engine::Flow;
use crate::routing::{DatasetCounts, FeatureSet, PairFingerprint, Policy};
use crate::store::Store;

/// What to train, and from which episodes.
#[derive(Clone, Copy)]
pub struct TrainingJob<'a> {
    /// Provides the episodes, and receives the policy.
    pub store: &'a Store,
    /// Name of the preset that the policy is for.
    pub preset: &'a str,
    /// The models and settings of the episodes to learn from.
    pub pair: &'a PairFingerprint,
    /// The features that the policy reads.
    pub set: &'a FeatureSet,
    /// Hyperparameters.
    pub settings: &'a TrainingSettings,
    /// Hold out the episodes of one question in this many, to evaluate the policy on. `None` trains on all
    /// episodes.
    pub holdout_every: Option<u64>,
}

/// Progress of a training job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainingStage {
    /// Another episode of the store was looked at.
    Reading,
    /// All episodes were read.
    Read(DatasetCounts),
    /// A round of training is done.
    Round(TrainingProgress),
}

/// A policy that was trained and stored. This does not make it the current policy.
pub struct TrainedPolicy {
    /// Its number in the store.
    pub id: u64,
    /// The policy.
    pub policy: Policy,
    /// The trajectories that it was not trained on.
    pub held_out: Vec<Trajectory>,
}

impl TrainingJob<'_> {
    /// Trains a policy and stores it. `progress` may cancel, and then nothing is stored.
    ///
    /// # Errors
    /// If there are too few episodes to learn from, the store cannot be read or written, candle fails, or
    /// `progress` cancels.
    pub fn run<P: Into<Flow>>(
        &self,
        mut progress: impl FnMut(TrainingStage) -> P,
    ) -> Result<TrainedPolicy, TrainError> {
        let mut cancelled = false;
        let mut report = |stage| {
            let flow = progress(stage).into();
            cancelled |= flow == Flow::Cancel;
            flow
        };
        let mut dataset = Dataset::read(self.store, self.pair, self.set, || {
            report(TrainingStage::Reading);
        })?;
        let held_out = self.holdout_every.map_or_else(Vec::new, |every| dataset.hold_out(every));
        report(TrainingStage::Read(dataset.dataset_counts));
        let mut policy =
            train(&dataset, self.set, self.settings, |now| report(TrainingStage::Round(now)))?;
        if cancelled {
            return Err(TrainError::Cancelled);
        }
        let id = save_new_policy(self.store, self.preset, self.pair, &mut policy)?;
        Ok(TrainedPolicy { id, policy, held_out })
    }
}
