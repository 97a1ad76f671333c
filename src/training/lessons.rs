//! What a round of training teaches: targets by V-trace, and the loss of a step.

use candle_core::{D, Device, Tensor};
use candle_nn::{AdamW, Optimizer};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::Trajectory;
use super::settings::Settings;
use super::vtrace::v_trace;
use crate::routing::{FeatureSet, Network, PRICE_SPREAD, standardized};

/// Rows at once where nothing is learnt: more would not fit the caches.
const ROWS: usize = 8192;

/// All boundaries as the network sees them, one trajectory after the other.
pub(super) struct Table {
    pub(super) mean: Vec<f32>,
    pub(super) spread: Vec<f32>,
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
    pub(super) fn new(trajectories: &[Trajectory], set: &FeatureSet, unit: f64) -> Self {
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

    /// The features of these rows.
    fn features(&self, rows: &[usize]) -> candle_core::Result<Tensor> {
        let mut features = Vec::with_capacity(rows.len() * self.width);
        for &row in rows {
            features.extend_from_slice(&self.features[row * self.width..(row + 1) * self.width]);
        }
        Tensor::from_vec(features, (rows.len(), self.width), &Device::Cpu)
    }

    /// The rows of which it is known whether the draft is a slip.
    pub(super) fn verified(&self) -> Vec<usize> {
        (0..self.len()).filter(|row| self.slip[*row] != 0.0).collect()
    }
}

/// A number for each of `rows`.
fn column(rows: &[usize], of: impl Fn(usize) -> f32) -> candle_core::Result<Tensor> {
    Tensor::from_vec(rows.iter().map(|row| of(*row)).collect(), rows.len(), &Device::Cpu)
}

/// Some steps of the part that foresees slips, over shuffled `rows` that are verified; the mean loss.
pub(super) fn foresee(
    network: &Network,
    table: &Table,
    rows: &[usize],
    optimizer: &mut AdamW,
    settings: &Settings,
    rng: &mut ChaCha8Rng,
) -> candle_core::Result<f64> {
    let mut order = rows.to_vec();
    order.shuffle(rng);
    let batches = order.chunks(settings.slip_batch);
    let steps = (settings.slip_passes * batches.len()).div_ceil(settings.slip_rounds());
    let steps = steps.min(settings.most_slip_steps);
    let mut sum = 0.0;
    for rows in batches.cycle().take(steps) {
        let logit = network.slip_learning(&table.features(rows)?, rng)?;
        let sign = column(rows, |row| table.slip[row])?;
        let loss = log_sigmoid(&(logit * sign)?)?.mean(D::Minus1)?.neg()?;
        optimizer.backward_step(&loss)?;
        sum += f64::from(loss.to_scalar::<f32>()?);
    }
    Ok(sum / steps.max(1) as f64)
}

/// What the network foresees at every boundary: logits.
pub(super) fn foreseen(network: &Network, table: &Table) -> candle_core::Result<Vec<f32>> {
    let all: Vec<usize> = (0..table.len()).collect();
    let mut logits = Vec::with_capacity(all.len());
    for rows in all.chunks(ROWS) {
        logits.extend(network.slip(&table.features(rows)?)?.to_vec1::<f32>()?);
    }
    Ok(logits)
}

/// What one round teaches, a number a boundary.
pub(super) struct Lessons<'a> {
    table: &'a Table,
    foreseen: &'a [f32],
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
    pub(super) fn new(
        network: &Network,
        table: &'a Table,
        foreseen: &'a [f32],
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
        let Outputs { logit, accuracy, cost } =
            Outputs::of(network, table, foreseen, |row| price[row])?;
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
        Ok(Self { table, foreseen, price, lambda, logit, accuracy, cost })
    }

    /// The steps of the round, over shuffled boundaries; the mean loss.
    pub(super) fn steps(
        &self,
        network: &Network,
        optimizer: &mut AdamW,
        settings: &Settings,
        rng: &mut ChaCha8Rng,
    ) -> candle_core::Result<f64> {
        let mut order: Vec<usize> = (0..self.table.len()).collect();
        order.shuffle(rng);
        let batches = order.chunks(settings.batch);
        let steps = (settings.passes * batches.len()).min(settings.most_steps);
        let mut sum = 0.0;
        for rows in batches.cycle().take(steps) {
            let loss = self.loss(network, rows, settings)?;
            optimizer.backward_step(&loss)?;
            sum += f64::from(loss.to_scalar::<f32>()?);
        }
        Ok(sum / steps.max(1) as f64)
    }

    fn loss(
        &self,
        network: &Network,
        rows: &[usize],
        settings: &Settings,
    ) -> candle_core::Result<Tensor> {
        let column = |of: &dyn Fn(usize) -> f32| column(rows, of);
        let (slip, price) = (column(&|row| self.foreseen[row])?, column(&|row| self.price[row])?);
        let heads = network.weigh(&self.table.features(rows)?, &slip, &price)?;
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
        (accuracy + cost)? - actor.mean(D::Minus1)?
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
        foreseen: &[f32],
        price: impl Fn(usize) -> f32,
    ) -> candle_core::Result<Self> {
        let all: Vec<usize> = (0..table.len()).collect();
        let mut outputs = Self { logit: Vec::new(), accuracy: Vec::new(), cost: Vec::new() };
        let pairs = |t: &Tensor| -> candle_core::Result<Vec<[f32; 2]>> {
            Ok(t.to_vec2::<f32>()?.into_iter().map(|row| [row[0], row[1]]).collect())
        };
        for rows in all.chunks(ROWS) {
            let (slip, price) = (column(rows, |row| foreseen[row])?, column(rows, &price)?);
            let heads = network.weigh(&table.features(rows)?, &slip, &price)?;
            outputs.logit.extend(heads.logit.to_vec1::<f32>()?);
            outputs.accuracy.extend(pairs(&heads.accuracy)?);
            outputs.cost.extend(pairs(&heads.cost)?);
        }
        Ok(outputs)
    }
}

/// What the critic expects at the first boundaries, at the policy's own price.
pub(super) fn expected(
    network: &Network,
    table: &Table,
    foreseen: &[f32],
) -> candle_core::Result<(f64, f64)> {
    let firsts = &table.starts[..table.starts.len() - 1];
    let (slip, price) = (column(firsts, |row| foreseen[row])?, column(firsts, |_| 0.0)?);
    let heads = network.weigh(&table.features(firsts)?, &slip, &price)?;
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
