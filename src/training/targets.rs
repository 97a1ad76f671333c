//! The targets of a training round (by V-trace), and the loss of an optimizer step.

use std::ops::Range;

use candle_core::{D, Device, Tensor};
use candle_nn::{AdamW, Optimizer};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::Trajectory;
use super::settings::TrainingSettings;
use super::vtrace::v_trace;
use crate::routing::{FeatureSet, LAMBDA_LOG_STD, Network, standardized};

/// Rows per forward pass without gradients: more would not fit into the CPU's caches.
const INFERENCE_ROWS: usize = 8192;

/// All boundaries as the network reads them, trajectory by trajectory.
pub(super) struct BoundaryTable {
    pub(super) mean: Vec<f32>,
    pub(super) spread: Vec<f32>,
    width: usize,
    /// Standardized features, row-major, without the price.
    features: Vec<f32>,
    large: Vec<bool>,
    propensity: Vec<f64>,
    /// Shares of always-large's mean cost.
    cost: Vec<f64>,
    /// 1 if the trace had no step error, else 0.
    trace_correct: Vec<f64>,
    /// 1 if the draft is a step error, −1 if it is not, 0 if that is unknown.
    step_error: Vec<f32>,
    /// First row of each trajectory, and the number of rows.
    first_rows: Vec<usize>,
    correct: Vec<bool>,
}

impl BoundaryTable {
    pub(super) fn new(trajectories: &[Trajectory], set: &FeatureSet, cost_unit: f64) -> Self {
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
            // A constant feature carries no information; dividing by its deviation would fail.
            if deviation > 1e-6 { deviation as f32 } else { 1.0 }
        });
        let spread: Vec<f32> = spread.collect();
        let mean: Vec<f32> = mean.into_iter().map(|m| m as f32).collect();
        let rows = boundaries().flat_map(|b| {
            let values = b.features.iter().zip(&mean).zip(&spread);
            values.map(|((v, m), s)| standardized(*v, *m, *s)).collect::<Vec<_>>()
        });
        let features = rows.collect();
        let mut first_rows = vec![0];
        for trajectory in trajectories {
            first_rows.push(first_rows.last().copied().unwrap_or(0) + trajectory.boundaries.len());
        }
        Self {
            width,
            features,
            large: boundaries().map(|b| b.large).collect(),
            propensity: boundaries().map(|b| b.propensity).collect(),
            cost: boundaries().map(|b| b.cost / cost_unit).collect(),
            step_error: boundaries()
                .map(|b| b.step_error.map_or(0.0, |is| if is { 1.0 } else { -1.0 }))
                .collect(),
            trace_correct: boundaries().map(|b| f64::from(b.trace_correct)).collect(),
            first_rows,
            correct: trajectories.iter().map(|t| t.correct).collect(),
            mean,
            spread,
        }
    }

    fn len(&self) -> usize {
        self.large.len()
    }

    /// The rows of each trajectory.
    fn trajectories(&self) -> impl Iterator<Item = Range<usize>> {
        self.first_rows.windows(2).map(|ends| ends[0]..ends[1])
    }

    /// The features of these rows.
    fn features(&self, rows: &[usize]) -> candle_core::Result<Tensor> {
        let mut features = Vec::with_capacity(rows.len() * self.width);
        for &row in rows {
            features.extend_from_slice(&self.features[row * self.width..(row + 1) * self.width]);
        }
        Tensor::from_vec(features, (rows.len(), self.width), &Device::Cpu)
    }

    /// The rows for which it is known whether the draft is a step error.
    pub(super) fn labelled_rows(&self) -> Vec<usize> {
        (0..self.len()).filter(|row| self.step_error[*row] != 0.0).collect()
    }
}

/// A tensor with a number for each of `rows`.
fn column(rows: &[usize], of: impl Fn(usize) -> f32) -> candle_core::Result<Tensor> {
    Tensor::from_vec(rows.iter().map(|row| of(*row)).collect(), rows.len(), &Device::Cpu)
}

/// Trains the error model for a few optimizer steps over `rows`, shuffled, which must have labels. Returns
/// the mean loss.
pub(super) fn train_error_model(
    network: &Network,
    table: &BoundaryTable,
    rows: &[usize],
    optimizer: &mut AdamW,
    settings: &TrainingSettings,
    rng: &mut ChaCha8Rng,
) -> candle_core::Result<f64> {
    let mut order = rows.to_vec();
    order.shuffle(rng);
    let batches = order.chunks(settings.error_batch);
    let steps = (settings.error_passes * batches.len()).div_ceil(settings.error_rounds());
    let steps = steps.min(settings.max_error_steps);
    let mut sum = 0.0;
    for rows in batches.cycle().take(steps) {
        let logit = network.predict_error_with_dropout(&table.features(rows)?, rng)?;
        let sign = column(rows, |row| table.step_error[row])?;
        let loss = log_sigmoid(&(logit * sign)?)?.mean(D::Minus1)?.neg()?;
        optimizer.backward_step(&loss)?;
        sum += f64::from(loss.to_scalar::<f32>()?);
    }
    Ok(sum / steps.max(1) as f64)
}

/// The error model's prediction at every boundary, as logits.
pub(super) fn predict_errors(
    network: &Network,
    table: &BoundaryTable,
) -> candle_core::Result<Vec<f32>> {
    let all: Vec<usize> = (0..table.len()).collect();
    let mut logits = Vec::with_capacity(all.len());
    for rows in all.chunks(INFERENCE_ROWS) {
        logits.extend(network.predict_error(&table.features(rows)?)?.to_vec1::<f32>()?);
    }
    Ok(logits)
}

/// The price of cost that a round draws for each trajectory, repeated for each of its boundaries.
pub(super) struct DrawnLambdas {
    /// The network's input: ln of the price, in standard deviations around ln λ.
    z: Vec<f32>,
    /// The price itself.
    lambda: Vec<f32>,
}

impl DrawnLambdas {
    /// Log-normal prices around `multiplier`, without the outer 2 % on each side.
    pub(super) fn new(table: &BoundaryTable, multiplier: f64, rng: &mut ChaCha8Rng) -> Self {
        let normal = Normal::standard();
        let (mut z, mut lambda) = (vec![0.0; table.len()], vec![0.0; table.len()]);
        for range in table.trajectories() {
            let drawn: f64 = normal.inverse_cdf(rng.random_range(0.02..0.98));
            z[range.clone()].fill(drawn as f32);
            lambda[range].fill((multiplier * (LAMBDA_LOG_STD * drawn).exp()) as f32);
        }
        Self { z, lambda }
    }
}

/// The targets of one round, one number per boundary.
pub(super) struct TrainingTargets<'a> {
    table: &'a BoundaryTable,
    error_logits: &'a [f32],
    lambdas: DrawnLambdas,
    /// The round's policy, as logits.
    logit: Vec<f32>,
    /// V-trace return of the accuracy after the choice that was made.
    accuracy: Vec<f32>,
    /// V-trace return of the cost after the choice that was made.
    cost: Vec<f32>,
}

impl<'a> TrainingTargets<'a> {
    pub(super) fn new(
        network: &Network,
        table: &'a BoundaryTable,
        error_logits: &'a [f32],
        lambdas: DrawnLambdas,
        vtrace_lambda: f64,
    ) -> candle_core::Result<Self> {
        let NetworkOutputs { logit, accuracy, cost } =
            NetworkOutputs::of(network, table, error_logits, |row| lambdas.z[row])?;
        let p: Vec<f64> =
            logit.iter().map(|logit| f64::from(log_probability(*logit, true)).exp()).collect();
        let ratio = |row: usize| {
            let chosen = if table.large[row] { p[row] } else { 1.0 - p[row] };
            chosen / table.propensity[row]
        };
        let ratios: Vec<f64> = (0..table.len()).map(ratio).collect();
        let value = |of: &[[f32; 2]], row: usize| {
            let [small, large] = of[row].map(f64::from);
            (1.0 - p[row]) * small + p[row] * large
        };
        let mut returns = [vec![0.0; table.len()], vec![0.0; table.len()]];
        for (range, correct) in table.trajectories().zip(&table.correct) {
            // Shaped reward: the change of the potential, which ends at 1 for a correct answer.
            let before = &table.trace_correct[range.clone()];
            let after = before.iter().skip(1).copied().chain([f64::from(u8::from(*correct))]);
            let gains: Vec<f64> = after.zip(before).map(|(after, before)| after - before).collect();
            let costs = &table.cost[range.clone()];
            for (of, (rewards, critic)) in
                [(&gains[..], &accuracy), (costs, &cost)].into_iter().enumerate()
            {
                let values: Vec<f64> = range.clone().map(|row| value(critic, row)).collect();
                let targets = v_trace(rewards, &values, &ratios[range.clone()], vtrace_lambda);
                for (t, row) in range.clone().enumerate() {
                    returns[of][row] = (targets.advantages[t] + values[t]) as f32;
                }
            }
        }
        let [accuracy, cost] = returns;
        Ok(Self { table, error_logits, lambdas, logit, accuracy, cost })
    }

    /// The optimizer steps of the round, over shuffled boundaries. Returns the mean loss.
    pub(super) fn optimize(
        &self,
        network: &Network,
        optimizer: &mut AdamW,
        settings: &TrainingSettings,
        rng: &mut ChaCha8Rng,
    ) -> candle_core::Result<f64> {
        let mut order: Vec<usize> = (0..self.table.len()).collect();
        order.shuffle(rng);
        let batches = order.chunks(settings.batch);
        let steps = (settings.passes * batches.len()).min(settings.max_steps);
        let mut sum = 0.0;
        for rows in batches.cycle().take(steps) {
            let loss = self.loss(network, rows, settings)?;
            optimizer.backward_step(&loss)?;
            sum += f64::from(loss.to_scalar::<f32>()?);
        }
        Ok(sum / steps.max(1) as f64)
    }

    /// The loss of one optimizer step: the critic's squared errors, minus the actor's objective, gain /
    /// weight + entropy − divergence.
    fn loss(
        &self,
        network: &Network,
        rows: &[usize],
        settings: &TrainingSettings,
    ) -> candle_core::Result<Tensor> {
        let column = |of: &dyn Fn(usize) -> f32| column(rows, of);
        let (error_logit, lambda_z) =
            (column(&|row| self.error_logits[row])?, column(&|row| self.lambdas.z[row])?);
        let heads =
            network.evaluate_choices(&self.table.features(rows)?, &error_logit, &lambda_z)?;
        let large = column(&|row| f32::from(u8::from(self.table.large[row])))?;
        let small = (1.0 - &large)?;
        let choice = |of: &Tensor, at: usize| of.narrow(1, at, 1)?.squeeze(1);
        let error = |of: &Tensor, returns: Tensor| {
            let taken = ((choice(of, 0)? * &small)? + (choice(of, 1)? * &large)?)?;
            (taken - returns)?.sqr()?.mean(D::Minus1)
        };
        let accuracy = error(&heads.accuracy, column(&|row| self.accuracy[row])?)?;
        let cost = error(&heads.cost, column(&|row| self.cost[row])?)?;

        // Advantage of the large model's step over the small one's, according to the critic.
        let advantage = |of: &Tensor| choice(of, 1)? - choice(of, 0)?;
        let lambda = column(&|row| self.lambdas.lambda[row])?;
        let gain = (advantage(&heads.accuracy)? - (advantage(&heads.cost)? * &lambda)?)?;
        // Divided by 1 + λ, so that high prices do not dominate.
        let gain = (gain / (lambda + 1.0)?)?.detach();
        let (log_p, log_q) = (log_sigmoid(&heads.logit)?, log_sigmoid(&heads.logit.neg()?)?);
        let (p, q) = (log_p.exp()?, log_q.exp()?);
        let entropy = ((&p * &log_p)? + (&q * &log_q)?)?.neg()?;
        let before = column(&|row| log_probability(self.logit[row], true))?;
        let before_off = column(&|row| log_probability(self.logit[row], false))?;
        let divergence = ((&p * (&log_p - before)?)? + (&q * (&log_q - before_off)?)?)?;
        let actor = (((&p * gain)? / settings.entropy_weight)? + entropy)?;
        let actor = (actor - (divergence * settings.divergence_weight)?)?;
        (accuracy + cost)? - actor.mean(D::Minus1)?
    }
}

/// The network's outputs at every boundary.
struct NetworkOutputs {
    logit: Vec<f32>,
    accuracy: Vec<[f32; 2]>,
    cost: Vec<[f32; 2]>,
}

impl NetworkOutputs {
    fn of(
        network: &Network,
        table: &BoundaryTable,
        error_logits: &[f32],
        lambda_z: impl Fn(usize) -> f32,
    ) -> candle_core::Result<Self> {
        let all: Vec<usize> = (0..table.len()).collect();
        let mut outputs = Self { logit: Vec::new(), accuracy: Vec::new(), cost: Vec::new() };
        let pairs = |t: &Tensor| -> candle_core::Result<Vec<[f32; 2]>> {
            Ok(t.to_vec2::<f32>()?.into_iter().map(|row| [row[0], row[1]]).collect())
        };
        for rows in all.chunks(INFERENCE_ROWS) {
            let (error_logit, lambda_z) =
                (column(rows, |row| error_logits[row])?, column(rows, &lambda_z)?);
            let heads =
                network.evaluate_choices(&table.features(rows)?, &error_logit, &lambda_z)?;
            outputs.logit.extend(heads.logit.to_vec1::<f32>()?);
            outputs.accuracy.extend(pairs(&heads.accuracy)?);
            outputs.cost.extend(pairs(&heads.cost)?);
        }
        Ok(outputs)
    }
}

/// Mean accuracy and cost share that the critic expects at the first boundaries, at the policy's own price.
pub(super) fn expected_outcome(
    network: &Network,
    table: &BoundaryTable,
    error_logits: &[f32],
) -> candle_core::Result<(f64, f64)> {
    let firsts = &table.first_rows[..table.first_rows.len() - 1];
    let (error_logit, lambda_z) =
        (column(firsts, |row| error_logits[row])?, column(firsts, |_| 0.0)?);
    let heads = network.evaluate_choices(&table.features(firsts)?, &error_logit, &lambda_z)?;
    let p = candle_nn::ops::sigmoid(&heads.logit)?.unsqueeze(1)?;
    let weights = Tensor::cat(&[(1.0 - &p)?, p], 1)?;
    let mean =
        |t: Tensor| (t * &weights)?.sum(1)?.mean(D::Minus1)?.to_scalar::<f32>().map(f64::from);
    let trace_correct: f64 = firsts.iter().map(|row| table.trace_correct[*row]).sum();
    Ok((mean(heads.accuracy)? + trace_correct / firsts.len().max(1) as f64, mean(heads.cost)?))
}

/// ln of the probability of a choice, from the logit of p(large).
fn log_probability(logit: f32, large: bool) -> f32 {
    let x = if large { logit } else { -logit };
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// ln σ(x) = min(x, 0) − ln(1 + exp(−|x|)), which does not overflow.
fn log_sigmoid(x: &Tensor) -> candle_core::Result<Tensor> {
    let low = (x.relu()? - x)?.neg()?;
    low - (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}
