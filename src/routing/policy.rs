//! The trained policy: networks, and a card that says what they need and what they were trained on.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::network::{Network, TENSORS};
use super::policy_checks::{check_card, check_weights};
use super::{Calibration, FEATURES, GaussianMixture, PairFingerprint, feature_spec};
use crate::config::DraftLength;
use crate::engine::TokenStats;
use crate::episode::feature_names;

/// Version of the policy file. Older files are read, newer ones refused.
pub const POLICY_FORMAT: u32 = 1;
/// Key of the card in a file's metadata.
const CARD_KEY: &str = "pointsman";

/// Number of boundaries per batch; each takes one row of inputs for every λ of the grid.
const BATCH_ROWS: usize = 8192;

/// The features that a policy reads, and the length of the draft they are read from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureSet {
    /// Its name, for the user.
    pub name: String,
    /// Length of the draft.
    #[serde(alias = "glimpse")]
    pub draft_length: DraftLength,
    /// Names of [`FEATURES`], in the order of the network's inputs.
    #[serde(deserialize_with = "feature_names::deserialize_names")]
    pub features: Vec<String>,
}

impl FeatureSet {
    /// All features.
    pub fn full(draft_length: DraftLength) -> Self {
        Self::of("full", draft_length, FEATURES.iter().map(String::as_str))
    }

    /// All features but those whose name starts with `prefix`.
    pub fn without(prefix: &str, draft_length: DraftLength) -> Self {
        let rest = FEATURES.iter().map(String::as_str).filter(|name| !name.starts_with(prefix));
        Self::of(&format!("without {prefix}"), draft_length, rest)
    }

    /// Without the features that need more than `token_stats` from the small model.
    #[must_use]
    pub fn restricted_to(mut self, token_stats: TokenStats) -> Self {
        let all = self.features.len();
        self.features.retain(|name| required_token_stats(name) <= token_stats);
        if self.features.len() < all {
            self.name = format!("{}, from {token_stats}", self.name);
        }
        self
    }

    /// The token statistics that the small model must report.
    pub fn needs_token_stats(&self) -> TokenStats {
        self.features
            .iter()
            .map(|name| required_token_stats(name))
            .max()
            .unwrap_or(TokenStats::None)
    }

    fn of<'a>(
        name: &str,
        draft_length: DraftLength,
        features: impl Iterator<Item = &'a str>,
    ) -> Self {
        let name = format!("{name}, draft {draft_length}");
        Self { name, draft_length, features: features.map(str::to_owned).collect() }
    }

    /// Fingerprint of the features and the draft's length; the name does not count. It is computed
    /// over the features' first published names, so that a rename does not change it.
    #[must_use]
    pub fn hash(&self) -> String {
        let names: Vec<String> =
            self.features.iter().map(|name| feature_names::first_published_name(name)).collect();
        short_hash(&[&names.join(" "), &self.draft_length.to_string()])
    }

    /// The values in the order of the set; 0 for a feature that the boundary lacks.
    pub fn row(&self, features: &BTreeMap<String, f64>) -> Vec<f32> {
        self.features.iter().map(|name| features.get(name).map_or(0.0, |v| *v as f32)).collect()
    }
}

/// The token statistics that a feature needs; an unknown feature needs none.
fn required_token_stats(feature: &str) -> TokenStats {
    feature_spec(feature).map_or(TokenStats::None, |spec| spec.needs)
}

/// How many episodes a policy was trained on, and how many were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetCounts {
    /// Episodes that it was trained on.
    pub used: usize,
    /// Left out because the user chose in them, which has no propensity.
    #[serde(alias = "person")]
    pub user: usize,
    /// Left out because they are forks.
    #[serde(default)]
    pub forks: usize,
    /// Left out because another pair of models wrote them, or under other prompts, steps or prices.
    pub other_models: usize,
    /// Left out because they did not end in an answer that could be graded.
    pub ungraded: usize,
    /// Left out because no router was asked in them, they lack a feature, or their router saw more than a
    /// policy does (oracle, judge).
    #[serde(alias = "unweighed")]
    pub unusable: usize,
    /// Left out because a number is outside its range, as in a recording that was changed by hand, or because they
    /// cannot be read.
    #[serde(default)]
    pub invalid: usize,
}

/// What a policy was trained on, and what it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyCard {
    /// Version of the file, [`POLICY_FORMAT`].
    pub format: u32,
    /// Its name: the preset's name and a number.
    pub name: String,
    /// The policies that chose in the episodes it was trained on.
    pub parents: Vec<String>,
    /// Time of its training: milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Seed of its training.
    pub seed: u64,
    /// The episodes that it was trained on.
    #[serde(alias = "intake")]
    pub dataset_counts: DatasetCounts,
    /// The pair that wrote these episodes.
    #[serde(flatten)]
    pub pair: PairFingerprint,
    /// The features that it reads.
    pub set: FeatureSet,
    /// Fingerprint of `set`.
    pub set_hash: String,
    /// Mean of each feature, in the order of the set.
    pub mean: Vec<f32>,
    /// Standard deviation of each feature, in the order of the set.
    pub spread: Vec<f32>,
    /// The cost share that it was trained for, if one was set.
    pub target_cost: Option<f64>,
    /// The multiplier λ: the accuracy that always-large's mean cost is worth.
    pub multiplier: f64,
    /// Mean cost of an episode by always-large, in the unit of the prices.
    pub cost_unit: f64,
    /// Quantiles of p(large) at 0, 1/n, … 1 over the boundaries of its training, each in [0, 1].
    pub quantiles: Vec<f64>,
    /// The mixture of the router gmm, fitted on the same episodes.
    pub mixture: Option<GaussianMixture>,
    /// Calibrated thresholds.
    pub calibrations: Vec<Calibration>,
}

/// Why a policy file cannot be used. Each message is the rest of a sentence that starts with its name.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// It is not a policy file, or a damaged one.
    #[error("it is not a policy file: {0}")]
    Broken(String),
    /// Its format is newer than [`POLICY_FORMAT`].
    #[error("it was written by a newer pointsman: update pointsman")]
    NewerFormat,
    /// It needs a feature that this version does not compute.
    #[error(
        "it needs the feature `{0}`, which this pointsman does not know: update pointsman, or train anew"
    )]
    UnknownFeature(String),
    /// Its features do not match their fingerprint.
    #[error(
        "its list of features does not match its fingerprint: the file was changed by hand, train anew"
    )]
    FeatureSetMismatch,
}

crate::exit::classify!(Failure: PolicyError);

/// A policy: a card, and an ensemble of networks, trained alike from different initial weights, whose
/// p(large) is averaged.
pub struct Policy {
    /// What it was trained on, and what it needs.
    pub card: PolicyCard,
    networks: Vec<Network>,
}

impl Policy {
    /// A policy of this card and these networks.
    pub fn new(card: PolicyCard, networks: Vec<Network>) -> Self {
        Self { card, networks }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// If it is damaged, newer, needs an unknown feature, or has a number that cannot be right.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        // candle appends a backtrace to its message.
        let broken = |e: &dyn std::fmt::Display| {
            PolicyError::Broken(e.to_string().lines().next().unwrap_or_default().to_owned())
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e))?;
        let json = metadata.metadata().as_ref().and_then(|m| m.get(CARD_KEY));
        let json = json.ok_or_else(|| broken(&"it has no card"))?;
        let format: FormatProbe = serde_json::from_str(json).map_err(|e| broken(&e))?;
        if format.format > POLICY_FORMAT {
            return Err(PolicyError::NewerFormat);
        }
        let card: PolicyCard = serde_json::from_str(json).map_err(|e| broken(&e))?;
        if let Some(name) = card.set.features.iter().find(|n| !FEATURES.contains(n)) {
            return Err(PolicyError::UnknownFeature(name.clone()));
        }
        let n = card.set.features.len();
        if card.set.hash() != card.set_hash || card.mean.len() != n || card.spread.len() != n {
            return Err(PolicyError::FeatureSetMismatch);
        }
        if n == 0 {
            return Err(broken(&"it reads no features"));
        }
        check_card(&card).map_err(PolicyError::Broken)?;
        let mut all =
            candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(|e| broken(&e))?;
        let mut networks = Vec::new();
        while all.contains_key(&tensor_name(networks.len(), TENSORS[0])) {
            let mut tensors = Vec::with_capacity(TENSORS.len());
            for name in TENSORS {
                let name = tensor_name(networks.len(), name);
                let tensor = all.remove(&name);
                tensors.push(tensor.ok_or_else(|| broken(&format!("it has no {name}")))?);
            }
            let tensors = tensors.try_into().map_err(|_| broken(&"it lacks tensors"))?;
            let network = Network::from_tensors(tensors, n).map_err(|e| broken(&e))?;
            check_weights(&network).map_err(PolicyError::Broken)?;
            networks.push(network);
        }
        if networks.is_empty() {
            return Err(broken(&"it has no network"));
        }
        Ok(Self { card, networks })
    }

    /// The policy file: safetensors, with the card in the metadata.
    ///
    /// # Errors
    /// If it cannot be serialized.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PolicyError> {
        let broken = |e: &dyn std::fmt::Display| PolicyError::Broken(e.to_string());
        let json = serde_json::to_string(&self.card).map_err(|e| broken(&e))?;
        let metadata = HashMap::from([(CARD_KEY.to_owned(), json)]);
        let networks = self.networks.iter().enumerate();
        let tensors = networks.flat_map(|(i, network)| {
            network.tensors().map(move |(name, tensor)| (tensor_name(i, name), tensor))
        });
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| broken(&e))
    }

    /// Fingerprint of everything that p(large) depends on: features, scales and weights.
    ///
    /// # Errors
    /// If candle fails.
    pub fn digest(&self) -> candle_core::Result<String> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.card.set_hash.as_bytes());
        let mut floats = |values: &[f32]| {
            for value in values {
                hasher.update(&value.to_le_bytes());
            }
        };
        floats(&self.card.mean);
        floats(&self.card.spread);
        for (_, tensor) in self.networks.iter().flat_map(Network::tensors) {
            floats(&tensor.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(hasher.finalize().to_hex()[..16].to_owned())
    }

    /// p(large) at a boundary: the mean over the networks and [`LAMBDA_GRID`], from cheap to expensive. So a
    /// threshold stands for a price of cost; 1/2 is about the λ that the policy was trained for.
    ///
    /// # Errors
    /// If candle fails.
    pub fn p_large(&self, features: &BTreeMap<String, f64>) -> candle_core::Result<f64> {
        Ok(self.p_large_batch(&[self.card.set.row(features)])?[0])
    }

    /// The same for many boundaries, with their features in the order of the set.
    ///
    /// # Errors
    /// If candle fails.
    pub fn p_large_batch(&self, rows: &[Vec<f32>]) -> candle_core::Result<Vec<f64>> {
        let parts = rows.chunks(BATCH_ROWS).map(|part| self.p_large_chunk(part));
        Ok(parts.collect::<candle_core::Result<Vec<_>>>()?.concat())
    }

    fn p_large_chunk(&self, rows: &[Vec<f32>]) -> candle_core::Result<Vec<f64>> {
        let n = rows.len();
        let mut values = Vec::with_capacity(n * self.card.set.features.len());
        for row in rows {
            let row = row.iter().zip(&self.card.mean).zip(&self.card.spread);
            values.extend(row.map(|((v, mean), spread)| standardized(*v, *mean, *spread)));
        }
        let features = Tensor::from_vec(values, (n, self.card.set.features.len()), &Device::Cpu)?;
        // Each row once for every λ.
        let each: Vec<u32> = (0..n as u32).flat_map(|row| [row; LAMBDA_GRID.len()]).collect();
        let each = Tensor::from_vec(each, n * LAMBDA_GRID.len(), &Device::Cpu)?;
        let repeated = features.index_select(&each, 0)?;
        let lambdas = Tensor::from_vec(LAMBDA_GRID.repeat(n), n * LAMBDA_GRID.len(), &Device::Cpu)?;
        let mut p = vec![0.0; n];
        for network in &self.networks {
            let error_logit = network.predict_error(&features)?.index_select(&each, 0)?;
            let own = network.evaluate_choices(&repeated, &error_logit, &lambdas)?.logit;
            let own = candle_nn::ops::sigmoid(&own)?.reshape((n, LAMBDA_GRID.len()))?.mean(1)?;
            for (sum, own) in p.iter_mut().zip(own.to_vec1::<f32>()?) {
                *sum += f64::from(own) / self.networks.len() as f64;
            }
        }
        if let Some(wrong) = p.iter().find(|p| !p.is_finite()) {
            candle_core::bail!("its network gives p(large) {wrong}");
        }
        Ok(p)
    }

    /// The standardized features of a boundary, in the order of the set: what the networks read.
    pub(super) fn standardize(&self, features: &BTreeMap<String, f64>) -> Vec<f32> {
        let scales = self.card.mean.iter().zip(&self.card.spread);
        let row = self.card.set.row(features).into_iter().zip(scales);
        row.map(|(value, (mean, spread))| standardized(value, *mean, *spread)).collect()
    }

    /// Gradient of p(large) with respect to each standardized feature, summed over `points`.
    ///
    /// # Errors
    /// If candle fails.
    pub(super) fn gradients(&self, points: &[Vec<f32>]) -> candle_core::Result<Vec<f64>> {
        let width = self.card.set.features.len();
        let rows = points.len() * LAMBDA_GRID.len();
        let repeated: Vec<f32> =
            points.iter().flat_map(|point| point.repeat(LAMBDA_GRID.len())).collect();
        let features = Tensor::from_vec(repeated, (rows, width), &Device::Cpu)?;
        let lambdas = Tensor::from_vec(LAMBDA_GRID.repeat(points.len()), rows, &Device::Cpu)?;
        let mut gradients = vec![0.0; width];
        let share = (LAMBDA_GRID.len() * self.networks.len()) as f64;
        for network in &self.networks {
            for row in network.gradients(&features, &lambdas)?.to_vec2::<f32>()? {
                for (sum, slope) in gradients.iter_mut().zip(row) {
                    *sum += f64::from(slope) / share;
                }
            }
        }
        Ok(gradients)
    }
}

/// Name of a tensor in the file.
fn tensor_name(network: usize, name: &str) -> String {
    format!("{network}.{name}")
}

#[derive(Deserialize)]
struct FormatProbe {
    format: u32,
}

/// The values of ln λ that p(large) is averaged over, in standard deviations around the policy's own
/// multiplier: the quantiles of the normal distribution at 1/16, 3/16, … 15/16.
pub const LAMBDA_GRID: [f32; 8] =
    [-1.534_12, -0.887_147, -0.488_776, -0.157_311, 0.157_311, 0.488_776, 0.887_147, 1.534_12];

/// Standard deviation of ln λ in training.
pub const LAMBDA_LOG_STD: f64 = 1.0;

/// A standardized feature, clamped to 5 standard deviations; the mean, 0, for a value that is not a number.
pub fn standardized(value: f32, mean: f32, spread: f32) -> f32 {
    let scaled = ((value - mean) / spread).clamp(-5.0, 5.0);
    if scaled.is_nan() { 0.0 } else { scaled }
}

pub(super) fn short_hash(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::load_policy;

    #[test]
    fn a_policy_with_former_feature_names_keeps_its_fingerprints() {
        let policy = load_policy("builtin:tiny").unwrap();
        let set = &policy.card.set;
        assert!(set.features.iter().all(|name| FEATURES.contains(name)), "{:?}", set.features);
        assert!(!policy.card.calibrations.is_empty());
        let digest = policy.digest().unwrap();
        for calibration in &policy.card.calibrations {
            assert_eq!(calibration.provenance.router, digest, "calibrated for this very policy");
        }
        let exported = Policy::from_bytes(&policy.to_bytes().unwrap()).unwrap();
        assert_eq!(exported.card, policy.card);
        assert_eq!(exported.digest().unwrap(), digest);
    }

    #[test]
    fn a_set_names_the_statistics_that_its_features_need() {
        let full = FeatureSet::full(DraftLength::Step);
        assert_eq!(full.needs_token_stats(), TokenStats::Distribution);
        for given in [TokenStats::Logprobs, TokenStats::None] {
            let restricted = full.clone().restricted_to(given);
            assert_eq!(restricted.needs_token_stats(), given);
            assert!(restricted.features.contains(&"draft.complete".to_owned()));
            assert_ne!(restricted.hash(), full.hash());
        }
        let logprobs = full.restricted_to(TokenStats::Logprobs);
        assert!(logprobs.features.contains(&"draft.first_margin".to_owned()));
        assert!(!logprobs.features.contains(&"trace.worst_step".to_owned()));
    }
}
