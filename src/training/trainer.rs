//! The actor-critic that trains a policy offline, from stored episodes.
//!
//! The reward of an episode is 1 if its answer is correct, minus λ times its cost (as a share of what the
//! large model alone spends). Beside the features, the network reads z: the logarithm of a price of cost, in
//! standard deviations around ln λ. Each round draws a new price for each trajectory, so that one network
//! learns the choice at every price. [`Policy::p_large`] averages its opinions over prices, and the
//! threshold on that mean selects a price. If a target cost is given, dual ascent moves λ until the policy
//! at its own price (z = 0) spends that much.
//!
//! If the task set can verify steps, the reward is shaped by a potential: 1 while the trace has no step
//! error that matters, 0 afterwards. The total reward of an episode stays the same, and so does the optimal
//! policy (Ng, Harada and Russell 1999), but a step error is penalized at its own step. In the first rounds,
//! one part of the network learns from the same labels to predict step errors of the draft; its prediction
//! is an input of the other part. The policy itself reads neither the verifier nor the gold answer.
//!
//! Each later round computes V-trace targets (Espeholt et al. 2018) with the current policy, then takes a few
//! optimizer steps. The critic learns the value of each of the two choices. The actor follows the difference
//! between them, regularized by its entropy and by its divergence from the round's policy (the trust
//! region).

use std::panic::resume_unwind;

use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use super::settings::TrainingSettings;
use super::targets::{
    BoundaryTable, DrawnLambdas, TrainingTargets, expected_outcome, predict_errors,
    train_error_model,
};
use super::{Dataset, PolicyLookupError, Trajectory};
use crate::engine::Flow;
use crate::routing::{
    FeatureSet, GaussianMixture, Network, POLICY_FORMAT, PairFingerprint, Policy, PolicyCard,
};
use crate::store::StoreError;

/// Progress of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingProgress {
    /// Number of rounds done.
    pub round: usize,
    /// Number of rounds in all.
    pub rounds: usize,
    /// Mean loss of the round's optimizer steps.
    pub loss: f64,
    /// Accuracy that the critic expects of the policy at its own price, in [0, 1].
    pub accuracy: f64,
    /// Cost that it expects, as a share of always-large's.
    pub cost: f64,
    /// λ.
    pub multiplier: f64,
}

/// Why no policy was trained.
#[derive(Debug, Error)]
pub enum TrainError {
    /// There are fewer than 50 episodes to learn from.
    #[error(
        "{0} episodes are too few to learn from, at least {MIN_EPISODES} are needed: `pointsman collect` writes more"
    )]
    TooFew(usize),
    /// All choices are of the same model, so there is nothing to compare.
    #[error(
        "all choices in these episodes are the same: collect with another threshold or with `--coin`"
    )]
    SameChoices,
    /// Progress cancelled the training.
    #[error("the training was cancelled; nothing was kept")]
    Cancelled,
    /// The loss is not a finite number.
    #[error(
        "training failed in round {0}, because its loss is not a finite number: the episodes hold extreme costs or features; nothing was kept"
    )]
    NotFinite(usize),
    /// A computation failed.
    #[error("training failed: {0}")]
    Candle(#[from] candle_core::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy cannot be stored.
    #[error(transparent)]
    Policy(#[from] PolicyLookupError),
}

crate::exit::classify!(Failure: TrainError);

/// Minimum number of episodes to train a policy.
const MIN_EPISODES: usize = 50;

/// Trains a policy. `progress` is called after each round, and may cancel the training.
///
/// Name, time and pair on the policy's card are left empty.
///
/// ```
/// use pointsman::config::DraftLength;
/// use pointsman::routing::FeatureSet;
/// use pointsman::training::{BoundarySample, Dataset, Trajectory, TrainingSettings, train};
///
/// // One boundary each. The small model is wrong if the first feature is 1; choices were fair coins.
/// let set = FeatureSet::full(DraftLength::Step);
/// let trajectory = |i: usize| {
///     let (hard, large) = (i % 2 == 1, i % 4 < 2);
///     let mut features = vec![0.0; set.features.len()];
///     features[0] = f32::from(u8::from(hard));
///     let cost = if large { 10.0 } else { 1.0 };
///     let boundary = BoundarySample {
///         features,
///         large,
///         propensity: 0.5,
///         trace_correct: 0.0,
///         step_error: None,
///         cost,
///     };
///     Trajectory {
///         question: i.to_string(),
///         boundaries: vec![boundary],
///         correct: large || !hard,
///         explored: true,
///         cost,
///         large_cost: cost,
///         began_ms: 0,
///         confidences: Vec::new(),
///     }
/// };
/// let mut dataset = Dataset::default();
/// dataset.trajectories = (0..100).map(trajectory).collect();
/// let settings = TrainingSettings { rounds: 2, ..TrainingSettings::default() };
/// let policy = train(&dataset, &set, &settings, |now| assert!(now.loss.is_finite()))?;
/// assert_eq!(policy.card.cost_unit, 10.0);
/// # Ok::<(), pointsman::training::TrainError>(())
/// ```
///
/// # Errors
/// If there are too few episodes, all choices are the same, candle fails, or `progress` cancels.
pub fn train<P: Into<Flow>>(
    dataset: &Dataset,
    set: &FeatureSet,
    settings: &TrainingSettings,
    mut progress: impl FnMut(TrainingProgress) -> P,
) -> Result<Policy, TrainError> {
    let trajectories = &dataset.trajectories;
    if trajectories.len() < MIN_EPISODES {
        return Err(TrainError::TooFew(trajectories.len()));
    }
    let mut choices = trajectories.iter().flat_map(|t| &t.boundaries).map(|b| b.large);
    let first = choices.next();
    if choices.all(|large| Some(large) == first) {
        return Err(TrainError::SameChoices);
    }
    let cost_unit = cost_of_large(trajectories);
    let table = BoundaryTable::new(trajectories, set, cost_unit);
    let labelled_rows = table.labelled_rows();
    let mut members = (0..settings.ensemble_size)
        .map(|i| EnsembleMember::new(set.features.len(), settings, i))
        .collect::<candle_core::Result<Vec<_>>>()?;
    let mut multiplier = settings.multiplier;
    for round in 0..settings.rounds {
        let RoundStats { loss, accuracy, cost } =
            run_round(&mut members, &table, &labelled_rows, settings, multiplier, round)?;
        if ![loss, accuracy, cost].into_iter().all(f64::is_finite) {
            return Err(TrainError::NotFinite(round + 1));
        }
        if let Some(target) = settings.target_cost {
            multiplier = (multiplier * (2.0 * (cost - target)).exp()).clamp(1e-2, 1e2);
        }
        let (round, rounds) = (round + 1, settings.rounds);
        let now = TrainingProgress { round, rounds, loss, accuracy, cost, multiplier };
        if progress(now).into() == Flow::Cancel {
            return Err(TrainError::Cancelled);
        }
    }
    let card = policy_card(dataset, set, settings, &table, multiplier, cost_unit);
    let networks = members.into_iter().map(|member| member.network).collect();
    let mut policy = Policy::new(card, networks);
    let rows: Vec<Vec<f32>> =
        trajectories.iter().flat_map(|t| t.boundaries.iter().map(|b| b.features.clone())).collect();
    policy.card.quantiles = score_quantiles(policy.p_large_batch(&rows)?);
    Ok(policy)
}

/// One round of all members, each on its own thread. Returns the means of their statistics.
fn run_round(
    members: &mut [EnsembleMember],
    table: &BoundaryTable,
    labelled_rows: &[usize],
    settings: &TrainingSettings,
    multiplier: f64,
    round: usize,
) -> candle_core::Result<RoundStats> {
    let stats = std::thread::scope(|scope| {
        let threads: Vec<_> = members
            .iter_mut()
            .map(|member| {
                scope.spawn(move || member.round(table, labelled_rows, settings, multiplier, round))
            })
            .collect();
        let results =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|p| resume_unwind(p)));
        results.collect::<candle_core::Result<Vec<RoundStats>>>()
    })?;
    let mean =
        |of: fn(&RoundStats) -> f64| stats.iter().map(of).sum::<f64>() / stats.len().max(1) as f64;
    Ok(RoundStats {
        loss: mean(|r| r.loss),
        accuracy: mean(|r| r.accuracy),
        cost: mean(|r| r.cost),
    })
}

/// The card of the trained policy, without name, time, pair and quantiles.
fn policy_card(
    dataset: &Dataset,
    set: &FeatureSet,
    settings: &TrainingSettings,
    table: &BoundaryTable,
    multiplier: f64,
    cost_unit: f64,
) -> PolicyCard {
    let confidences: Vec<f64> =
        dataset.trajectories.iter().flat_map(|t| t.confidences.iter().copied()).collect();
    PolicyCard {
        format: POLICY_FORMAT,
        name: String::new(),
        parents: dataset.parents.iter().cloned().collect(),
        created_ms: 0,
        seed: settings.seed,
        dataset_counts: dataset.dataset_counts,
        pair: PairFingerprint::default(),
        set_hash: set.hash(),
        set: set.clone(),
        mean: table.mean.clone(),
        spread: table.spread.clone(),
        target_cost: settings.target_cost,
        multiplier,
        cost_unit,
        quantiles: Vec::new(),
        mixture: GaussianMixture::fit(&confidences),
        calibrations: Vec::new(),
    }
}

/// One network of the ensemble, with its optimizers.
struct EnsembleMember {
    network: Network,
    error_optimizer: AdamW,
    actor_critic_optimizer: AdamW,
    /// Its prediction of a step error at each boundary, as logits.
    error_logits: Vec<f32>,
    rng: ChaCha8Rng,
}

/// Statistics of a round.
struct RoundStats {
    loss: f64,
    accuracy: f64,
    cost: f64,
}

impl EnsembleMember {
    fn new(
        features: usize,
        settings: &TrainingSettings,
        index: usize,
    ) -> candle_core::Result<Self> {
        let seed = settings.seed.wrapping_mul(1000).wrapping_add(index as u64);
        let network = Network::new(features, seed)?;
        let how = ParamsAdamW {
            lr: settings.learning_rate,
            weight_decay: settings.weight_decay,
            ..ParamsAdamW::default()
        };
        let error_optimizer = AdamW::new(network.error_vars(), how.clone())?;
        let actor_critic_optimizer = AdamW::new(network.actor_critic_vars(), how)?;
        let rng = ChaCha8Rng::seed_from_u64(seed ^ 0xAC70);
        Ok(Self { network, error_optimizer, actor_critic_optimizer, error_logits: Vec::new(), rng })
    }

    /// Round `round` of `settings.rounds`: one of the error model if it is among the first and there are
    /// labels, else one of the actor-critic.
    fn round(
        &mut self,
        table: &BoundaryTable,
        labelled_rows: &[usize],
        settings: &TrainingSettings,
        multiplier: f64,
        round: usize,
    ) -> candle_core::Result<RoundStats> {
        let first = if labelled_rows.is_empty() { 0 } else { settings.error_rounds() };
        if self.error_logits.is_empty() {
            self.error_logits = predict_errors(&self.network, table)?;
        }
        let loss = if round < first {
            // Warm-up, then cosine decay to 0.
            let done = (round as f64 + 0.5) / first as f64;
            let cosine = f64::midpoint(1.0, (std::f64::consts::PI * done).cos());
            let warmup = if round == 0 && first > 1 { 0.3 } else { 1.0 };
            self.error_optimizer.set_learning_rate(settings.error_learning_rate * cosine * warmup);
            let (optimizer, rng) = (&mut self.error_optimizer, &mut self.rng);
            let loss =
                train_error_model(&self.network, table, labelled_rows, optimizer, settings, rng)?;
            if round + 1 == first {
                self.error_logits = predict_errors(&self.network, table)?;
            }
            loss
        } else {
            let done = (round - first) as f64 / (settings.rounds - first).max(1) as f64;
            self.actor_critic_optimizer
                .set_learning_rate(settings.learning_rate * 0.1_f64.powf(done));
            let (network, errors, rng) = (&self.network, &self.error_logits, &mut self.rng);
            let lambdas = DrawnLambdas::new(table, multiplier, rng);
            let targets =
                TrainingTargets::new(network, table, errors, lambdas, settings.vtrace_lambda)?;
            targets.optimize(network, &mut self.actor_critic_optimizer, settings, rng)?
        };
        let (accuracy, cost) = expected_outcome(&self.network, table, &self.error_logits)?;
        Ok(RoundStats { loss, accuracy, cost })
    }
}

/// Mean cost of an episode of the large model alone, estimated from the episodes in which it made every
/// step, weighted by their inverse propensity. If there is none, the highest cost of an episode.
fn cost_of_large(trajectories: &[Trajectory]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for trajectory in trajectories {
        if trajectory.boundaries.iter().all(|b| b.large) {
            let weight = 1.0 / trajectory.boundaries.iter().map(|b| b.propensity).product::<f64>();
            sum += weight * trajectory.large_cost;
            weights += weight;
        }
    }
    let is_usable = |cost: &f64| cost.is_finite() && *cost > 0.0;
    let highest = || trajectories.iter().map(|t| t.cost).fold(0.0, f64::max);
    // Without such an episode this is 0/0; with one of vanishing propensity, a weight may be infinite.
    let mean = Some(sum / weights).filter(is_usable);
    mean.unwrap_or_else(|| Some(highest()).filter(is_usable).unwrap_or(1.0))
}

/// 33 quantiles, the first and last of which are set to 0 and 1.
fn score_quantiles(mut p: Vec<f64>) -> Vec<f64> {
    const STEPS: usize = 32;
    p.sort_by(f64::total_cmp);
    let at = |i: usize| match i {
        0 => 0.0,
        STEPS => 1.0,
        _ => p[(p.len() - 1) * i / STEPS].clamp(0.0, 1.0),
    };
    (0..=STEPS).map(at).collect()
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::config::DraftLength;
    use crate::training::BoundarySample;

    /// Episodes of two boundaries. If the first feature is 1, the small model makes a step error nine
    /// times in ten, else once in fifty. The large model costs ten times as much as the small one. Choices
    /// are fair coins.
    fn toy(verified: bool) -> Dataset {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let width = set().features.len();
        let trajectories = (0..1500).map(|i| {
            let mut trace_correct = true;
            let mut cost = 0.0;
            let boundaries = (0..2).map(|_| {
                let hard = rng.random_bool(0.4);
                let large = rng.random_bool(0.5);
                let step_error = rng.random_bool(if hard { 0.9 } else { 0.02 });
                let mut features = vec![0.0; width];
                features[0] = f32::from(u8::from(hard));
                let before = trace_correct;
                trace_correct &= large || !step_error;
                let spent = if large { 10.0 } else { 1.0 };
                cost += spent;
                BoundarySample {
                    features,
                    large,
                    propensity: 0.5,
                    trace_correct: f32::from(u8::from(verified && before)),
                    step_error: verified.then_some(step_error),
                    cost: spent,
                }
            });
            let boundaries = boundaries.collect();
            Trajectory {
                question: i.to_string(),
                boundaries,
                correct: trace_correct,
                explored: true,
                cost,
                large_cost: cost,
                began_ms: 0,
                confidences: Vec::new(),
            }
        });
        let mut dataset = Dataset::default();
        dataset.trajectories = trajectories.collect();
        dataset
    }

    fn set() -> FeatureSet {
        FeatureSet::full(DraftLength::Step)
    }

    fn p_large_at(policy: &Policy, hard: f32) -> f64 {
        let mut row = vec![0.0; policy.card.set.features.len()];
        row[0] = hard;
        policy.p_large_batch(&[row]).unwrap()[0]
    }

    #[test]
    fn the_large_model_gets_the_hard_steps() {
        for verified in [false, true] {
            let settings =
                TrainingSettings { rounds: 25, batch: 256, ..TrainingSettings::default() };
            let policy = train(&toy(verified), &set(), &settings, |_| ()).unwrap();
            let (easy, hard) = (p_large_at(&policy, 0.0), p_large_at(&policy, 1.0));
            assert!(easy < 0.25 && hard > 0.75, "verified {verified}: {easy} and {hard}");
            // The large model alone spends two steps of 10.
            assert!((policy.card.cost_unit - 20.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_target_cost_moves_the_multiplier() {
        let multiplier = |target: f64| {
            let settings = TrainingSettings {
                rounds: 25,
                batch: 256,
                target_cost: Some(target),
                ..TrainingSettings::default()
            };
            let mut expected = 0.0;
            let policy = train(&toy(true), &set(), &settings, |now| expected = now.cost);
            (policy.unwrap().card.multiplier, expected)
        };
        let ((high, low_cost), (low, high_cost)) = (multiplier(0.15), multiplier(0.9));
        assert!(high > low, "a small target raises λ: {high} and {low}");
        assert!(low_cost < high_cost, "and lowers the cost: {low_cost} and {high_cost}");
    }

    #[test]
    fn too_few_episodes_and_identical_choices_are_refused() {
        let mut few = toy(false);
        few.trajectories.truncate(20);
        let settings = TrainingSettings::default();
        assert!(matches!(train(&few, &set(), &settings, |_| ()), Err(TrainError::TooFew(20))));
        let mut same = toy(false);
        for boundary in same.trajectories.iter_mut().flat_map(|t| &mut t.boundaries) {
            boundary.large = true;
        }
        assert!(matches!(train(&same, &set(), &settings, |_| ()), Err(TrainError::SameChoices)));
    }
}
