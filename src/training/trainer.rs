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

use candle_core::{D, Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};
use thiserror::Error;

use super::vtrace::v_trace;
use super::{Dataset, Trajectory};
use crate::episode::PerRole;
use crate::routing::{Card, FeatureSet, Mixture, Network, PRICE_SPREAD, Policy, standardized};

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
        format: 1,
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
            sum += weight * trajectory.cost;
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

/// All boundaries as the network sees them, one trajectory after the other.
struct Table {
    mean: Vec<f32>,
    spread: Vec<f32>,
    width: usize,
    /// Standardized features, row after row, without the price.
    features: Vec<f32>,
    large: Vec<bool>,
    propensity: Vec<f64>,
    /// In shares of all-large's.
    cost: Vec<f64>,
    /// Whether the trace was free of slips, 1 or 0.
    on_track: Vec<f64>,
    /// 1 for a draft that is a slip, −1 for one that is none, 0 where that is not known.
    slip: Vec<f32>,
    /// Where each trajectory begins; one more for the end.
    starts: Vec<usize>,
    correct: Vec<bool>,
}

impl Table {
    fn new(trajectories: &[Trajectory], set: &FeatureSet, unit: f64) -> Self {
        let width = set.features.len();
        let boundaries = || trajectories.iter().flat_map(|t| &t.boundaries);
        let n = boundaries().count().max(1) as f64;
        let mut mean = vec![0.0_f64; width];
        let mut square = vec![0.0_f64; width];
        for boundary in boundaries() {
            for (i, value) in boundary.features.iter().map(|v| f64::from(*v)).enumerate() {
                mean[i] += value / n;
                square[i] += value * value / n;
            }
        }
        let spread = mean.iter().zip(&square).map(|(m, s)| {
            let deviation = (s - m * m).max(0.0).sqrt();
            // A feature that is always the same says nothing.
            if deviation > 1e-6 { deviation as f32 } else { 1.0 }
        });
        let spread: Vec<f32> = spread.collect();
        let mean: Vec<f32> = mean.into_iter().map(|m| m as f32).collect();
        let rows = boundaries().flat_map(|b| {
            let values = b.features.iter().zip(&mean).zip(&spread);
            values.map(|((v, m), s)| standardized(*v, *m, *s)).collect::<Vec<_>>()
        });
        let features = rows.collect();
        let mut starts = vec![0];
        for trajectory in trajectories {
            starts.push(starts.last().copied().unwrap_or(0) + trajectory.boundaries.len());
        }
        Self {
            width,
            features,
            large: boundaries().map(|b| b.large).collect(),
            propensity: boundaries().map(|b| b.propensity).collect(),
            cost: boundaries().map(|b| b.cost / unit).collect(),
            slip: boundaries()
                .map(|b| b.slip.map_or(0.0, |is| if is { 1.0 } else { -1.0 }))
                .collect(),
            on_track: boundaries().map(|b| f64::from(b.on_track)).collect(),
            starts,
            correct: trajectories.iter().map(|t| t.correct).collect(),
            mean,
            spread,
        }
    }

    fn len(&self) -> usize {
        self.large.len()
    }

    /// The rows with a price each.
    fn inputs(&self, rows: &[usize], price: impl Fn(usize) -> f32) -> candle_core::Result<Tensor> {
        let mut inputs = Vec::with_capacity(rows.len() * (self.width + 1));
        for &row in rows {
            inputs.extend_from_slice(&self.features[row * self.width..(row + 1) * self.width]);
            inputs.push(price(row));
        }
        Tensor::from_vec(inputs, (rows.len(), self.width + 1), &Device::Cpu)
    }
}

/// What one round teaches, a number a boundary.
struct Lessons<'a> {
    table: &'a Table,
    /// z, the price that the boundary's trajectory was given, and its λ.
    price: Vec<f32>,
    lambda: Vec<f32>,
    /// The round's policy.
    logit: Vec<f32>,
    /// What the choice that was made turned out to be worth.
    accuracy: Vec<f32>,
    cost: Vec<f32>,
}

impl<'a> Lessons<'a> {
    fn new(
        network: &Network,
        table: &'a Table,
        multiplier: f64,
        trace: f64,
        rng: &mut ChaCha8Rng,
    ) -> candle_core::Result<Self> {
        let n = table.len();
        let normal = Normal::standard();
        let drawn: Vec<f64> = table
            .correct
            .iter()
            .map(|_| normal.inverse_cdf(rng.random_range(0.02..0.98)))
            .collect();
        let mut price = vec![0.0; n];
        let mut lambda = vec![0.0; n];
        for (i, z) in drawn.iter().enumerate() {
            let range = table.starts[i]..table.starts[i + 1];
            price[range.clone()].fill(*z as f32);
            lambda[range].fill((multiplier * (PRICE_SPREAD * z).exp()) as f32);
        }
        let Outputs { logit, accuracy, cost } = Outputs::of(network, table, |row| price[row])?;
        let p: Vec<f64> =
            logit.iter().map(|logit| f64::from(log_probability(*logit, true)).exp()).collect();
        let ratio = |row: usize| {
            let chosen = if table.large[row] { p[row] } else { 1.0 - p[row] };
            chosen / table.propensity[row]
        };
        let ratios: Vec<f64> = (0..n).map(ratio).collect();
        let value = |of: &[[f32; 2]], row: usize| {
            let [small, large] = of[row].map(f64::from);
            (1.0 - p[row]) * small + p[row] * large
        };
        let mut worth = [vec![0.0; n], vec![0.0; n]];
        for i in 0..drawn.len() {
            let range = table.starts[i]..table.starts[i + 1];
            let track = &table.on_track[range.clone()];
            let end = f64::from(u8::from(table.correct[i]));
            let after = track.iter().skip(1).copied().chain([end]);
            let right: Vec<f64> = after.zip(track).map(|(after, before)| after - before).collect();
            let spent = &table.cost[range.clone()];
            for (of, (rewards, critic)) in
                [(&right[..], &accuracy), (spent, &cost)].into_iter().enumerate()
            {
                let values: Vec<f64> = range.clone().map(|row| value(critic, row)).collect();
                let targets = v_trace(rewards, &values, &ratios[range.clone()], trace);
                for (t, row) in range.clone().enumerate() {
                    worth[of][row] = (targets.advantages[t] + values[t]) as f32;
                }
            }
        }
        let [accuracy, cost] = worth;
        Ok(Self { table, price, lambda, logit, accuracy, cost })
    }

    /// One pass over all boundaries; the mean loss.
    fn pass(
        &self,
        network: &Network,
        optimizer: &mut AdamW,
        settings: &Settings,
        rng: &mut ChaCha8Rng,
    ) -> candle_core::Result<f64> {
        let mut order: Vec<usize> = (0..self.table.len()).collect();
        order.shuffle(rng);
        let (mut sum, mut steps) = (0.0, 0);
        for rows in order.chunks(settings.batch) {
            let loss = self.loss(network, rows, settings)?;
            optimizer.backward_step(&loss)?;
            sum += f64::from(loss.to_scalar::<f32>()?);
            steps += 1;
        }
        Ok(sum / f64::from(steps.max(1)))
    }

    fn loss(
        &self,
        network: &Network,
        rows: &[usize],
        settings: &Settings,
    ) -> candle_core::Result<Tensor> {
        let column = |of: &dyn Fn(usize) -> f32| {
            let values: Vec<f32> = rows.iter().map(|row| of(*row)).collect();
            Tensor::from_vec(values, rows.len(), &Device::Cpu)
        };
        let heads = network.forward(&self.table.inputs(rows, |row| self.price[row])?)?;
        let large = column(&|row| f32::from(u8::from(self.table.large[row])))?;
        let small = (1.0 - &large)?;
        let choice = |of: &Tensor, at: usize| of.narrow(1, at, 1)?.squeeze(1);
        let error = |of: &Tensor, worth: Tensor| {
            let taken = ((choice(of, 0)? * &small)? + (choice(of, 1)? * &large)?)?;
            (taken - worth)?.sqr()?.mean(D::Minus1)
        };
        let accuracy = error(&heads.accuracy, column(&|row| self.accuracy[row])?)?;
        let cost = error(&heads.cost, column(&|row| self.cost[row])?)?;

        // What the large model's step is worth more than the small one's, as the critic has it.
        let gap = |of: &Tensor| choice(of, 1)? - choice(of, 0)?;
        let lambda = column(&|row| self.lambda[row])?;
        let gain = (gap(&heads.accuracy)? - (gap(&heads.cost)? * &lambda)?)?;
        // Divided by 1 + λ, so that dear prices do not drown the others.
        let gain = (gain / (lambda + 1.0)?)?.detach();
        let (on, off) = (log_sigmoid(&heads.logit)?, log_sigmoid(&heads.logit.neg()?)?);
        let (p, q) = (on.exp()?, off.exp()?);
        let entropy = ((&p * &on)? + (&q * &off)?)?.neg()?;
        let before = column(&|row| log_probability(self.logit[row], true))?;
        let before_off = column(&|row| log_probability(self.logit[row], false))?;
        let divergence = ((&p * (&on - before)?)? + (&q * (&off - before_off)?)?)?;
        let actor = (((&p * gain)? / settings.temperature)? + entropy)?;
        let actor = (actor - (divergence * settings.trust)?)?;
        // Cross-entropy over the drafts of which it is known.
        let sign = column(&|row| self.table.slip[row])?;
        let slip = (log_sigmoid(&(&heads.slip * &sign)?)? * sign.abs()?)?.mean(D::Minus1)?.neg()?;
        ((accuracy + cost)? + (slip * settings.auxiliary)?)? - actor.mean(D::Minus1)?
    }
}

/// What the network says at every boundary.
struct Outputs {
    logit: Vec<f32>,
    accuracy: Vec<[f32; 2]>,
    cost: Vec<[f32; 2]>,
}

impl Outputs {
    fn of(
        network: &Network,
        table: &Table,
        price: impl Fn(usize) -> f32,
    ) -> candle_core::Result<Self> {
        /// Rows at once: more would not fit the caches.
        const ROWS: usize = 8192;
        let all: Vec<usize> = (0..table.len()).collect();
        let mut outputs = Self { logit: Vec::new(), accuracy: Vec::new(), cost: Vec::new() };
        let pairs = |t: &Tensor| -> candle_core::Result<Vec<[f32; 2]>> {
            Ok(t.to_vec2::<f32>()?.into_iter().map(|row| [row[0], row[1]]).collect())
        };
        for rows in all.chunks(ROWS) {
            let heads = network.forward(&table.inputs(rows, &price)?)?;
            outputs.logit.extend(heads.logit.to_vec1::<f32>()?);
            outputs.accuracy.extend(pairs(&heads.accuracy)?);
            outputs.cost.extend(pairs(&heads.cost)?);
        }
        Ok(outputs)
    }
}

/// What the critic expects at the first boundaries, at the policy's own price.
fn expected(network: &Network, table: &Table) -> candle_core::Result<(f64, f64)> {
    let firsts = &table.starts[..table.starts.len() - 1];
    let heads = network.forward(&table.inputs(firsts, |_| 0.0)?)?;
    let p = candle_nn::ops::sigmoid(&heads.logit)?.unsqueeze(1)?;
    let weights = Tensor::cat(&[(1.0 - &p)?, p], 1)?;
    let mean =
        |t: Tensor| (t * &weights)?.sum(1)?.mean(D::Minus1)?.to_scalar::<f32>().map(f64::from);
    let on_track: f64 = firsts.iter().map(|row| table.on_track[*row]).sum();
    Ok((mean(heads.accuracy)? + on_track / firsts.len().max(1) as f64, mean(heads.cost)?))
}

fn log_probability(logit: f32, large: bool) -> f32 {
    let x = if large { logit } else { -logit };
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// min(x, 0) − ln(1 + exp(−|x|)).
fn log_sigmoid(x: &Tensor) -> candle_core::Result<Tensor> {
    let low = (x.relu()? - x)?.neg()?;
    low - (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}
