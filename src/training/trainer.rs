//! The actor-critic.
//!
//! The reward of an episode is 1 where its answer is right, less λ times its cost (as a share of
//! what the large model alone spends). The network reads z, the logarithm of a price of cost in
//! standard deviations around ln λ, beside the features: each trajectory is learnt from at a price drawn anew in each
//! round, so one network knows what to do at every price, and the threshold on the mean of its
//! opinions (see [`Policy::p_large`]) runs through the prices. Where a cost is asked for, λ rises
//! and falls by dual ascent until the policy at its own price (z = 0) spends that.
//!
//! Each round computes V-trace targets with the policy as it is, then takes a few steps on the
//! clipped surrogate of PPO (Schulman et al. 2017, arXiv 1707.06347), the trust region.

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
    /// Rounds of targets and steps.
    pub rounds: usize,
    /// Passes over the boundaries in a round.
    pub passes: usize,
    /// Boundaries in a step of the optimizer.
    pub batch: usize,
    /// Step width of Adam at the beginning; it falls to a tenth.
    pub learning_rate: f64,
    /// Weight of the policy's entropy (nats).
    pub entropy: f64,
    /// The ratio to the round's policy is clipped at 1 ± this.
    pub clip: f64,
    /// Cost share to train for; λ stays where it is without one.
    pub target_cost: Option<f64>,
    /// λ at the beginning: accuracy that 1 of all-large's mean cost is worth.
    pub multiplier: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            rounds: 40,
            passes: 2,
            batch: 2048,
            learning_rate: 3e-3,
            entropy: 0.003,
            clip: 0.2,
            target_cost: None,
            multiplier: 0.7,
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
    let network = Network::new(set.features.len() + 1, settings.seed)?;
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed ^ 0xAC70);
    let how = ParamsAdamW { lr: settings.learning_rate, weight_decay: 1e-3, ..Default::default() };
    let mut optimizer = AdamW::new(network.vars(), how)?;
    let mut multiplier = settings.multiplier;
    for round in 0..settings.rounds {
        let done = round as f64 / settings.rounds as f64;
        optimizer.set_learning_rate(settings.learning_rate * 0.1_f64.powf(done));
        let lessons = Lessons::new(&network, &table, multiplier, &mut rng)?;
        let mut loss = 0.0;
        for _ in 0..settings.passes {
            loss = lessons.pass(&network, &mut optimizer, settings, &mut rng)?;
        }
        let (accuracy, cost) = expected(&network, &table)?;
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
    let mut policy = Policy::new(card, network);
    let rows: Vec<Vec<f32>> =
        trajectories.iter().flat_map(|t| t.boundaries.iter().map(|b| b.features.clone())).collect();
    policy.card.quantiles = quantiles(policy.p_large_of(&rows)?);
    Ok(policy)
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
    /// z, the price that the boundary's trajectory was given.
    price: Vec<f32>,
    /// Logarithm of the probability of the choice under the round's policy.
    logprob: Vec<f32>,
    /// Advantage of the choice, weighted by min(1, π/μ), in units of its spread.
    advantage: Vec<f32>,
    accuracy: Vec<f32>,
    cost: Vec<f32>,
}

impl<'a> Lessons<'a> {
    fn new(
        network: &Network,
        table: &'a Table,
        multiplier: f64,
        rng: &mut ChaCha8Rng,
    ) -> candle_core::Result<Self> {
        let n = table.len();
        let trajectories = table.correct.len();
        let normal = Normal::standard();
        let drawn: Vec<f64> =
            (0..trajectories).map(|_| normal.inverse_cdf(rng.random_range(0.02..0.98))).collect();
        let mut price = vec![0.0; n];
        for (i, z) in drawn.iter().enumerate() {
            price[table.starts[i]..table.starts[i + 1]].fill(*z as f32);
        }
        let (logit, accuracy, cost) = outputs(network, table, |row| price[row])?;
        let mut lessons = Self {
            table,
            price,
            logprob: Vec::with_capacity(n),
            advantage: vec![0.0; n],
            accuracy: vec![0.0; n],
            cost: vec![0.0; n],
        };
        let mut ratios = Vec::with_capacity(n);
        for (row, logit) in logit.iter().enumerate() {
            let logprob = log_probability(*logit, table.large[row]);
            lessons.logprob.push(logprob);
            ratios.push(f64::from(logprob).exp() / table.propensity[row]);
        }
        for (i, z) in drawn.iter().enumerate() {
            let range = table.starts[i]..table.starts[i + 1];
            let mut rewards = vec![0.0; range.len()];
            if let Some(last) = rewards.last_mut() {
                *last = f64::from(u8::from(table.correct[i]));
            }
            let values =
                |of: &[f32]| of[range.clone()].iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            let right = v_trace(&rewards, &values(&accuracy), &ratios[range.clone()]);
            let spent = v_trace(&table.cost[range.clone()], &values(&cost), &ratios[range.clone()]);
            let lambda = multiplier * (PRICE_SPREAD * z).exp();
            for (t, row) in range.enumerate() {
                let weight = ratios[row].min(1.0);
                // Divided by 1 + λ, so that dear prices do not drown the others.
                let gain = (right.advantages[t] - lambda * spent.advantages[t]) / (1.0 + lambda);
                lessons.advantage[row] = (weight * gain) as f32;
                lessons.accuracy[row] = right.values[t] as f32;
                lessons.cost[row] = spent.values[t] as f32;
            }
        }
        let square = lessons.advantage.iter().map(|a| f64::from(*a).powi(2)).sum::<f64>();
        let spread = (square / n.max(1) as f64).sqrt().max(1e-6) as f32;
        lessons.advantage.iter_mut().for_each(|a| *a /= spread);
        Ok(lessons)
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
        let sign = column(&|row| if self.table.large[row] { 1.0 } else { -1.0 })?;
        let logprob = log_sigmoid(&(&heads.logit * &sign)?)?;
        let ratio = (&logprob - column(&|row| self.logprob[row])?)?.exp()?;
        let advantage = column(&|row| self.advantage[row])?;
        let clipped = ratio.clamp(1.0 - settings.clip, 1.0 + settings.clip)?;
        let surrogate =
            (&ratio * &advantage)?.minimum(&(clipped * &advantage)?)?.mean(D::Minus1)?;
        let other = log_sigmoid(&(&heads.logit * &sign)?.neg()?)?;
        let entropy = ((logprob.exp()? * &logprob)? + (other.exp()? * &other)?)?.neg()?;
        let entropy = entropy.mean(D::Minus1)?;
        let accuracy =
            (heads.accuracy - column(&|row| self.accuracy[row])?)?.sqr()?.mean(D::Minus1)?;
        let cost = (heads.cost - column(&|row| self.cost[row])?)?.sqr()?.mean(D::Minus1)?;
        (accuracy + cost)? - (surrogate + (entropy * settings.entropy)?)?
    }
}

/// Logit, expected accuracy and cost at every boundary.
fn outputs(
    network: &Network,
    table: &Table,
    price: impl Fn(usize) -> f32,
) -> candle_core::Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
    /// Rows at once: more would not fit the caches.
    const ROWS: usize = 8192;
    let all: Vec<usize> = (0..table.len()).collect();
    let (mut logit, mut accuracy, mut cost) = (Vec::new(), Vec::new(), Vec::new());
    for rows in all.chunks(ROWS) {
        let heads = network.forward(&table.inputs(rows, &price)?)?;
        logit.extend(heads.logit.to_vec1::<f32>()?);
        accuracy.extend(heads.accuracy.to_vec1::<f32>()?);
        cost.extend(heads.cost.to_vec1::<f32>()?);
    }
    Ok((logit, accuracy, cost))
}

/// What the critic expects at the first boundaries, at the policy's own price.
fn expected(network: &Network, table: &Table) -> candle_core::Result<(f64, f64)> {
    let firsts = &table.starts[..table.starts.len() - 1];
    let heads = network.forward(&table.inputs(firsts, |_| 0.0)?)?;
    let mean = |t: Tensor| t.mean(D::Minus1)?.to_scalar::<f32>().map(f64::from);
    Ok((mean(heads.accuracy)?, mean(heads.cost)?))
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
