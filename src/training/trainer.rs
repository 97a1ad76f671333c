//! The actor-critic.
//!
//! The reward of an episode is 1 where its answer is right, less λ times its cost (as a share of
//! what the large model alone spends). The network reads z, the logarithm of a price of cost in
//! standard deviations around ln λ, beside the features: each trajectory is learnt from at a price drawn anew in each
//! round, so one network knows what to do at every price, and the threshold on the mean of its
//! opinions (see [`Policy::p_large`]) runs through the prices. Where a cost is asked for, λ rises
//! and falls by dual ascent until the policy at its own price (z = 0) spends that.
//!
//! Where the task set can verify steps, the reward is shaped by a potential: 1 while the trace is free
//! of slips that matter, 0 afterwards. What an episode earns in all is the same, so the best policy
//! is (Ng, Harada and Russell 1999), but a slip is felt at its own step. And a part of the network learns first, from
//! these labels alone, to foresee slips of the draft; what it foresees is an input of the part that weighs. Neither the
//! verifier nor the gold answer is seen by the policy.
//!
//! Each round after that computes V-trace targets with the policy as it is, then takes a few steps: the
//! critic learns what each of the two choices is worth, and the actor follows the critic's gap between them,
//! held back by its entropy and by its divergence from the round's policy, the trust region.

use std::panic::resume_unwind;

use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use super::settings::TrainingSettings;
use super::targets::{
    BoundaryTable, TrainingTargets, expected_outcome, predict_errors, train_error_model,
};
use super::{Dataset, Trajectory};
use crate::routing::{
    FeatureSet, GaussianMixture, Network, POLICY_FORMAT, PairFingerprint, Policy, PolicyCard,
};

/// How far the training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingProgress {
    /// Rounds done, of how many.
    pub round: usize,
    pub rounds: usize,
    /// Mean loss of the round's steps.
    pub loss: f64,
    /// What the critic expects of the policy at its own price: accuracy, and cost as a share of all-large's.
    pub accuracy: f64,
    pub cost: f64,
    /// λ.
    pub multiplier: f64,
}

/// Why nothing was learnt.
#[derive(Debug, Error)]
pub enum TrainError {
    #[error(
        "{0} episodes to learn from are too few, at least {MIN_EPISODES} are needed: `pointsman collect` writes more"
    )]
    TooFew(usize),
    #[error(
        "the choices of these episodes are all the same: collect with another threshold or with `--coin`"
    )]
    SameChoices,
    #[error("training failed: {0}")]
    Candle(#[from] candle_core::Error),
}

crate::exit::classify!(Failure: TrainError);

/// Fewer episodes than this say nothing.
const MIN_EPISODES: usize = 50;

/// Trains a policy; `progress` is told after each round, and stops the training by returning false.
///
/// The card's name, time and pair are the caller's to fill in.
///
/// # Errors
/// When there is too little to learn from, or candle fails.
pub fn train(
    dataset: &Dataset,
    set: &FeatureSet,
    settings: &TrainingSettings,
    mut progress: impl FnMut(TrainingProgress) -> bool,
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
        let (table, verified) = (&table, &labelled_rows[..]);
        let rounds = std::thread::scope(|scope| {
            let threads: Vec<_> = members
                .iter_mut()
                .map(|member| {
                    scope.spawn(move || member.round(table, verified, settings, multiplier, round))
                })
                .collect();
            let ends = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ends.collect::<candle_core::Result<Vec<RoundStats>>>()
        })?;
        let mean = |of: fn(&RoundStats) -> f64| {
            rounds.iter().map(of).sum::<f64>() / rounds.len().max(1) as f64
        };
        let (loss, accuracy, cost) = (mean(|r| r.loss), mean(|r| r.accuracy), mean(|r| r.cost));
        if let Some(target) = settings.target_cost {
            multiplier = (multiplier * (2.0 * (cost - target)).exp()).clamp(1e-2, 1e2);
        }
        let now = TrainingProgress {
            round: round + 1,
            rounds: settings.rounds,
            loss,
            accuracy,
            cost,
            multiplier,
        };
        if !progress(now) {
            break;
        }
    }
    let confidences: Vec<f64> =
        trajectories.iter().flat_map(|t| t.confidences.iter().copied()).collect();
    let card = PolicyCard {
        format: POLICY_FORMAT,
        name: String::new(),
        parents: dataset.parents.iter().cloned().collect(),
        created_ms: 0,
        seed: settings.seed,
        dataset_counts: dataset.dataset_counts,
        pair: PairFingerprint::default(),
        set_hash: set.hash(),
        set: set.clone(),
        mean: table.mean,
        spread: table.spread,
        target_cost: settings.target_cost,
        multiplier,
        cost_unit,
        quantiles: Vec::new(),
        mixture: GaussianMixture::fit(&confidences),
        calibrations: Vec::new(),
    };
    let networks = members.into_iter().map(|member| member.network).collect();
    let mut policy = Policy::new(card, networks);
    let rows: Vec<Vec<f32>> =
        trajectories.iter().flat_map(|t| t.boundaries.iter().map(|b| b.features.clone())).collect();
    policy.card.quantiles = score_quantiles(policy.p_large_batch(&rows)?);
    Ok(policy)
}

/// One of the networks, and what trains it.
struct EnsembleMember {
    network: Network,
    error_optimizer: AdamW,
    actor_critic_optimizer: AdamW,
    /// What it foresees at each boundary, once it has learnt that.
    error_logits: Vec<f32>,
    rng: ChaCha8Rng,
}

/// What a round came to.
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

    /// Round `round` of `settings.rounds`.
    fn round(
        &mut self,
        table: &BoundaryTable,
        verified: &[usize],
        settings: &TrainingSettings,
        multiplier: f64,
        round: usize,
    ) -> candle_core::Result<RoundStats> {
        let first = if verified.is_empty() { 0 } else { settings.error_rounds() };
        if self.error_logits.is_empty() {
            self.error_logits = predict_errors(&self.network, table)?;
        }
        let loss = if round < first {
            // A quick rise, then half a cosine down to nothing.
            let done = (round as f64 + 0.5) / first as f64;
            let cosine = (1.0 + (std::f64::consts::PI * done).cos()) / 2.0;
            let warmup = if round == 0 && first > 1 { 0.3 } else { 1.0 };
            self.error_optimizer.set_learning_rate(settings.error_learning_rate * cosine * warmup);
            let (optimizer, rng) = (&mut self.error_optimizer, &mut self.rng);
            let loss = train_error_model(&self.network, table, verified, optimizer, settings, rng)?;
            if round + 1 == first {
                self.error_logits = predict_errors(&self.network, table)?;
            }
            loss
        } else {
            let done = (round - first) as f64 / (settings.rounds - first).max(1) as f64;
            self.actor_critic_optimizer
                .set_learning_rate(settings.learning_rate * 0.1_f64.powf(done));
            let (vtrace_lambda, rng) = (settings.vtrace_lambda, &mut self.rng);
            let targets = TrainingTargets::new(
                &self.network,
                table,
                &self.error_logits,
                multiplier,
                vtrace_lambda,
                rng,
            )?;
            targets.optimize(&self.network, &mut self.actor_critic_optimizer, settings, rng)?
        };
        let (accuracy, cost) = expected_outcome(&self.network, table, &self.error_logits)?;
        Ok(RoundStats { loss, accuracy, cost })
    }
}

/// Mean cost of an episode of the large model alone: that of the episodes in which it was chosen throughout,
/// weighted by how seldom that happens; the dearest episode's where there is none.
fn cost_of_large(trajectories: &[Trajectory]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for trajectory in trajectories {
        if trajectory.boundaries.iter().all(|b| b.large) {
            let weight = 1.0 / trajectory.boundaries.iter().map(|b| b.propensity).product::<f64>();
            sum += weight * trajectory.large_cost;
            weights += weight;
        }
    }
    let cost_unit = if weights > 0.0 {
        sum / weights
    } else {
        trajectories.iter().map(|t| t.cost).fold(0.0, f64::max)
    };
    if cost_unit > 0.0 { cost_unit } else { 1.0 }
}

/// Thirty-three quantiles, the ends moved out to 0 and 1.
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

    /// Episodes of two boundaries. Where the first feature is 1, the small model slips nine times of
    /// ten, else once in fifty; large costs ten times what small does. Choices are fair coins.
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
    fn the_large_model_is_for_what_the_small_one_cannot() {
        for verified in [false, true] {
            let settings =
                TrainingSettings { rounds: 25, batch: 256, ..TrainingSettings::default() };
            let policy = train(&toy(verified), &set(), &settings, |_| true).unwrap();
            let (easy, hard) = (p_large_at(&policy, 0.0), p_large_at(&policy, 1.0));
            assert!(easy < 0.25 && hard > 0.75, "verified {verified}: {easy} and {hard}");
            // In units of what the large model alone spends, two steps of 10.
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
            let policy = train(&toy(true), &set(), &settings, |now| {
                expected = now.cost;
                true
            });
            (policy.unwrap().card.multiplier, expected)
        };
        let ((dear, little), (cheap, much)) = (multiplier(0.15), multiplier(0.9));
        assert!(dear > cheap, "a small budget makes cost dear: {dear} and {cheap}");
        assert!(little < much, "and less is spent: {little} and {much}");
    }

    #[test]
    fn nothing_is_learnt_from_too_little() {
        let mut few = toy(false);
        few.trajectories.truncate(20);
        let settings = TrainingSettings::default();
        assert!(matches!(train(&few, &set(), &settings, |_| true), Err(TrainError::TooFew(20))));
        let mut same = toy(false);
        for boundary in same.trajectories.iter_mut().flat_map(|t| &mut t.boundaries) {
            boundary.large = true;
        }
        assert!(matches!(train(&same, &set(), &settings, |_| true), Err(TrainError::SameChoices)));
    }
}
