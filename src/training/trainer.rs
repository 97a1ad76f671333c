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
//! is (Ng, Harada and Russell 1999), but a slip is felt at its own step. Neither the verifier nor the gold
//! answer is seen by the policy.
//!
//! Each round computes V-trace targets with the policy as it is, then takes a few steps: the
//! critic learns what each of the two choices is worth, and the actor follows the critic's gap between them,
//! held back by its entropy and by its divergence from the round's policy, the trust region.

use std::panic::resume_unwind;

use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use super::lessons::{Lessons, Table, expected};
use super::{Dataset, Trajectory};
use crate::episode::PerRole;
use crate::routing::{Card, FORMAT, FeatureSet, Mixture, Network, Policy};

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub seed: u64,
    /// Networks to train, alike but for their first weights and draws.
    pub members: usize,
    /// Rounds of targets and steps.
    pub rounds: usize,
    /// Passes over the boundaries in a round.
    pub passes: usize,
    /// Boundaries in a step of the optimizer.
    pub batch: usize,
    /// Step width of Adam at the beginning; it falls to a tenth.
    pub learning_rate: f64,
    /// Gain in reward that makes a choice e times as probable as the other: the weight of the
    /// policy's entropy.
    pub temperature: f64,
    /// Weight of the divergence (nats) from the round's policy, the trust region, against that of the gain.
    pub trust: f64,
    /// λ of V-trace, in [0, 1]: how far a trajectory is believed beyond its next value.
    pub trace: f64,
    /// Decay of the weights, per unit of the step width.
    pub weight_decay: f64,
    /// Weight of the auxiliary task: to foresee slips of the draft.
    pub auxiliary: f64,
    /// Cost share to train for; λ stays where it is without one.
    pub target_cost: Option<f64>,
    /// λ at the beginning: accuracy that 1 of all-large's mean cost is worth.
    pub multiplier: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            members: 2,
            rounds: 40,
            passes: 2,
            batch: 2048,
            learning_rate: 2e-3,
            weight_decay: 0.5,
            temperature: 0.03,
            trust: 0.3,
            trace: 0.3,
            auxiliary: 0.5,
            target_cost: None,
            multiplier: 0.5,
        }
    }
}

/// How far the training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Rounds done, of how many.
    pub round: usize,
    pub rounds: usize,
    /// Mean loss of the round's last pass.
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
        "{0} episodes to learn from are too few, at least {MINIMUM} are needed: `pointsman collect` writes more"
    )]
    TooFew(usize),
    #[error(
        "the choices of these episodes are all the same: collect with another threshold or with `--coin`"
    )]
    NoChoice,
    #[error("training failed: {0}")]
    Candle(#[from] candle_core::Error),
}

/// Fewer episodes than this say nothing.
const MINIMUM: usize = 50;

/// Trains a policy; `progress` is told after each round, and stops the training by returning false.
///
/// The card's name, time and models are the caller's to fill in.
///
/// # Errors
/// When there is too little to learn from, or candle fails.
pub fn train(
    dataset: &Dataset,
    set: &FeatureSet,
    settings: &Settings,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<Policy, TrainError> {
    let trajectories = &dataset.trajectories;
    if trajectories.len() < MINIMUM {
        return Err(TrainError::TooFew(trajectories.len()));
    }
    let mut choices = trajectories.iter().flat_map(|t| &t.boundaries).map(|b| b.large);
    let first = choices.next();
    if choices.all(|large| Some(large) == first) {
        return Err(TrainError::NoChoice);
    }
    let unit = cost_of_large(trajectories);
    let table = Table::new(trajectories, set, unit);
    let mut members = (0..settings.members)
        .map(|i| Member::new(set.features.len() + 1, settings, i))
        .collect::<candle_core::Result<Vec<_>>>()?;
    let mut multiplier = settings.multiplier;
    for round in 0..settings.rounds {
        let (table, done) = (&table, round as f64 / settings.rounds as f64);
        let rounds = std::thread::scope(|scope| {
            let threads: Vec<_> = members
                .iter_mut()
                .map(|member| scope.spawn(move || member.round(table, settings, multiplier, done)))
                .collect();
            let ends = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ends.collect::<candle_core::Result<Vec<Round>>>()
        })?;
        let mean =
            |of: fn(&Round) -> f64| rounds.iter().map(of).sum::<f64>() / rounds.len().max(1) as f64;
        let (loss, accuracy, cost) = (mean(|r| r.loss), mean(|r| r.accuracy), mean(|r| r.cost));
        if let Some(target) = settings.target_cost {
            multiplier = (multiplier * (2.0 * (cost - target)).exp()).clamp(1e-2, 1e2);
        }
        let now = Progress {
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
    let card = Card {
        format: FORMAT,
        name: String::new(),
        parents: dataset.parents.iter().cloned().collect(),
        created_ms: 0,
        seed: settings.seed,
        intake: dataset.intake,
        models: PerRole::default(),
        set_hash: set.hash(),
        set: set.clone(),
        mean: table.mean,
        spread: table.spread,
        target_cost: settings.target_cost,
        multiplier,
        cost_unit: unit,
        quantiles: Vec::new(),
        mixture: Mixture::fit(&confidences),
        calibrations: Vec::new(),
    };
    let networks = members.into_iter().map(|member| member.network).collect();
    let mut policy = Policy::new(card, networks);
    let rows: Vec<Vec<f32>> =
        trajectories.iter().flat_map(|t| t.boundaries.iter().map(|b| b.features.clone())).collect();
    policy.card.quantiles = quantiles(policy.p_large_of(&rows)?);
    Ok(policy)
}

/// One of the networks, and what trains it.
struct Member {
    network: Network,
    optimizer: AdamW,
    rng: ChaCha8Rng,
}

/// What a round came to.
struct Round {
    loss: f64,
    accuracy: f64,
    cost: f64,
}

impl Member {
    fn new(inputs: usize, settings: &Settings, index: usize) -> candle_core::Result<Self> {
        let seed = settings.seed.wrapping_mul(1000).wrapping_add(index as u64);
        let network = Network::new(inputs, seed)?;
        let how = ParamsAdamW {
            lr: settings.learning_rate,
            weight_decay: settings.weight_decay,
            ..ParamsAdamW::default()
        };
        let optimizer = AdamW::new(network.vars(), how)?;
        Ok(Self { network, optimizer, rng: ChaCha8Rng::seed_from_u64(seed ^ 0xAC70) })
    }

    /// One round, `done` of all rounds in [0, 1) being over.
    fn round(
        &mut self,
        table: &Table,
        settings: &Settings,
        multiplier: f64,
        done: f64,
    ) -> candle_core::Result<Round> {
        self.optimizer.set_learning_rate(settings.learning_rate * 0.1_f64.powf(done));
        let lessons =
            Lessons::new(&self.network, table, multiplier, settings.trace, &mut self.rng)?;
        let mut loss = 0.0;
        for _ in 0..settings.passes {
            loss = lessons.pass(&self.network, &mut self.optimizer, settings, &mut self.rng)?;
        }
        let (accuracy, cost) = expected(&self.network, table)?;
        Ok(Round { loss, accuracy, cost })
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
    let unit = if weights > 0.0 {
        sum / weights
    } else {
        trajectories.iter().map(|t| t.cost).fold(0.0, f64::max)
    };
    if unit > 0.0 { unit } else { 1.0 }
}

/// Thirty-three quantiles, the ends moved out to 0 and 1.
fn quantiles(mut p: Vec<f64>) -> Vec<f64> {
    const STEPS: usize = 32;
    p.sort_by(f64::total_cmp);
    let at = |i: usize| match i {
        0 => 0.0,
        STEPS => 1.0,
        _ => p[(p.len() - 1) * i / STEPS].clamp(0.0, 1.0),
    };
    (0..=STEPS).map(at).collect()
}
