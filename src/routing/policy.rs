//! The trained router: a network, and the card that says what it is made of.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::network::{Network, TENSORS};
use super::{Calibration, FEATURES, GaussianMixture, PairFingerprint, feature_spec};
use crate::config::DraftLength;
use crate::engine::TokenStats;
use crate::episode::feature_names;

/// Version of the policy file. Older ones are read; newer ones are refused.
pub const POLICY_FORMAT: u32 = 1;
/// The key of the card among a file's metadata.
const CARD_KEY: &str = "pointsman";

/// Boundaries that are weighed at once: each takes a row of features for every price.
const BATCH_ROWS: usize = 8192;

/// Which features a policy reads, after a glimpse of which length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureSet {
    pub name: String,
    #[serde(alias = "glimpse")]
    pub draft_length: DraftLength,
    /// Names of [`FEATURES`], in the order of the network's inputs.
    #[serde(deserialize_with = "feature_names::deserialize_names")]
    pub features: Vec<String>,
}

impl FeatureSet {
    /// All features, after a glimpse of length `glimpse`.
    pub fn full(draft_length: DraftLength) -> Self {
        Self::of("full", draft_length, FEATURES.iter().map(String::as_str))
    }

    /// All but those that begin with `prefix`.
    pub fn without(prefix: &str, draft_length: DraftLength) -> Self {
        let rest = FEATURES.iter().map(String::as_str).filter(|name| !name.starts_with(prefix));
        Self::of(&format!("without {prefix}"), draft_length, rest)
    }

    /// Without the features that a small model which tells only `token_stats` of its tokens cannot give.
    #[must_use]
    pub fn restricted_to(mut self, token_stats: TokenStats) -> Self {
        let all = self.features.len();
        self.features.retain(|name| required_token_stats(name) <= token_stats);
        if self.features.len() < all {
            self.name = format!("{}, from {token_stats}", self.name);
        }
        self
    }

    /// What the small model must tell of its tokens.
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

    /// The features in their order; 0 for one that is not there.
    pub fn row(&self, features: &BTreeMap<String, f64>) -> Vec<f32> {
        self.features.iter().map(|name| features.get(name).map_or(0.0, |v| *v as f32)).collect()
    }
}

/// The token statistics that a feature needs; an unknown feature needs none.
fn required_token_stats(feature: &str) -> TokenStats {
    feature_spec(feature).map_or(TokenStats::None, |spec| spec.needs)
}

/// What episodes a policy was trained on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetCounts {
    /// Episodes that it learnt from.
    pub used: usize,
    /// Left out since a person chose in them, which has no propensity.
    #[serde(alias = "person")]
    pub user: usize,
    /// Left out since they are forks.
    #[serde(default)]
    pub forks: usize,
    /// Left out since another pair of models wrote them, or under other prompts, steps or prices.
    pub other_models: usize,
    /// Left out since they did not end in an answer that could be graded.
    pub ungraded: usize,
    /// Left out since nothing was weighed in them (one model throughout), they lack a feature, or
    /// what decided in them saw more than a policy does (an oracle, a judge).
    #[serde(alias = "unweighed")]
    pub unusable: usize,
}

/// What a policy is made of, and what it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyCard {
    pub format: u32,
    /// Its id: the preset's name and a number.
    pub name: String,
    /// The policies that wrote the episodes it learnt from.
    pub parents: Vec<String>,
    /// When it was made: milliseconds since the Unix epoch.
    pub created_ms: u64,
    pub seed: u64,
    #[serde(alias = "intake")]
    pub dataset_counts: DatasetCounts,
    /// Who wrote the episodes that it learnt from.
    #[serde(flatten)]
    pub pair: PairFingerprint,
    pub set: FeatureSet,
    /// Fingerprint of `set`.
    pub set_hash: String,
    /// Mean and spread of each feature, in the order of the set.
    pub mean: Vec<f32>,
    pub spread: Vec<f32>,
    /// Cost share that it was trained for, where one was asked for, and the multiplier λ that came
    /// of it: what 1 of all-large's mean cost was worth in accuracy.
    pub target_cost: Option<f64>,
    pub multiplier: f64,
    /// Mean cost of an episode of the large model alone, in the unit of the prices.
    pub cost_unit: f64,
    /// Quantiles of p(large) at 0, 1/n, … 1 over the boundaries that it learnt from, from 0 to 1.
    pub quantiles: Vec<f64>,
    /// Fitted on the same episodes, for the router gmm.
    pub mixture: Option<GaussianMixture>,
    pub calibrations: Vec<Calibration>,
}

/// Why a policy's file cannot be used. Each is the rest of a sentence that begins with its name.
#[derive(Debug, Error)]
pub enum PolicyError {
    #[error("it is no policy file: {0}")]
    Broken(String),
    #[error("it was written by a newer pointsman: update pointsman")]
    NewerFormat,
    #[error(
        "it needs the feature `{0}`, which this pointsman does not know: update pointsman, or train anew"
    )]
    UnknownFeature(String),
    #[error(
        "its list of features does not fit its fingerprint: the file was changed by hand, train anew"
    )]
    FeatureSetMismatch,
}

crate::exit::classify!(Failure: PolicyError);

/// A policy: a card, and networks that were trained alike from other first weights, whose opinions
/// are averaged.
pub struct Policy {
    pub card: PolicyCard,
    networks: Vec<Network>,
}

impl Policy {
    /// A policy of these networks.
    pub fn new(card: PolicyCard, networks: Vec<Network>) -> Self {
        Self { card, networks }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// When it is broken, newer, or needs what this program cannot give.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        // candle puts a backtrace behind its sentence.
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
        let scaled = card.spread.iter().all(|s| s.is_finite() && *s > 0.0)
            && card.mean.iter().all(|m| m.is_finite());
        let quantiles = &card.quantiles;
        let ascending = quantiles.is_sorted() && quantiles.iter().all(|q| (0.0..=1.0).contains(q));
        if !scaled || !ascending || quantiles.len() < 2 {
            return Err(broken(&"its card has impossible numbers"));
        }
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
            networks.push(Network::from_tensors(tensors, n).map_err(|e| broken(&e))?);
        }
        if networks.is_empty() {
            return Err(broken(&"it has no network"));
        }
        Ok(Self { card, networks })
    }

    /// The same as a file: safetensors, with the card in the metadata.
    ///
    /// # Errors
    /// When candle or serde fail.
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

    /// Fingerprint of the weights and of everything that p(large) depends on.
    ///
    /// # Errors
    /// When candle fails.
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

    /// p(large) at a boundary: the mean of what the networks say for [`LAMBDA_GRID`] of cost, from cheap to dear.
    /// The threshold on it so means a price: where t = 1/2, about the one that it was trained for.
    ///
    /// # Errors
    /// When candle fails.
    pub fn p_large(&self, features: &BTreeMap<String, f64>) -> candle_core::Result<f64> {
        Ok(self.p_large_batch(&[self.card.set.row(features)])?[0])
    }

    /// The same for many boundaries, whose features are given in the order of the set.
    ///
    /// # Errors
    /// When candle fails.
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
        // Each row once for every price.
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
        Ok(p)
    }

    /// A boundary as the networks see it: its standardized features, in the order of the set.
    pub(super) fn standardize(&self, features: &BTreeMap<String, f64>) -> Vec<f32> {
        let scales = self.card.mean.iter().zip(&self.card.spread);
        let row = self.card.set.row(features).into_iter().zip(scales);
        row.map(|(value, (mean, spread))| standardized(value, *mean, *spread)).collect()
    }

    /// How p(large) changes with each standardized feature, at each of `points`: the mean over the
    /// networks and [`LAMBDA_GRID`], added up over the points.
    ///
    /// # Errors
    /// When candle fails.
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

/// A tensor's name in the file.
fn tensor_name(network: usize, name: &str) -> String {
    format!("{network}.{name}")
}

#[derive(Deserialize)]
struct FormatProbe {
    format: u32,
}

/// The prices of cost that p(large) is averaged over, in standard deviations of the logarithm of the multiplier: the
/// quantiles of the normal distribution at 1/16, 3/16, … 15/16.
pub const LAMBDA_GRID: [f32; 8] =
    [-1.534_12, -0.887_147, -0.488_776, -0.157_311, 0.157_311, 0.488_776, 0.887_147, 1.534_12];

/// Standard deviation of the logarithm of the prices that a policy is trained at.
pub const LAMBDA_LOG_STD: f64 = 1.0;

/// A feature as the network sees it; far outliers are drawn in.
pub fn standardized(value: f32, mean: f32, spread: f32) -> f32 {
    ((value - mean) / spread).clamp(-5.0, 5.0)
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
