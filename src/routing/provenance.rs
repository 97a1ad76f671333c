//! What the measurements of a policy, such as calibrated thresholds, are valid for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::policy::short_hash;
use crate::config::{Preset, Prices};
use crate::episode::{Episode, ModelRecord, PerRole, Role};

/// A pair of models and how they are run. A policy can learn from all episodes of the same pair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairFingerprint {
    /// Digests of the two models.
    pub models: PerRole<String>,
    /// Fingerprint of prompts, steps, sampling, switching and prices; empty if unknown, which matches
    /// any.
    #[serde(default)]
    #[serde(alias = "setting")]
    pub settings_hash: String,
}

impl PairFingerprint {
    /// The fingerprint of these models under this preset.
    pub fn of(preset: &Preset, prices: Prices, models: PerRole<&ModelRecord>) -> Self {
        let settings = serde_json::json!([
            with_first_keys(serde_json::json!(preset.steps)),
            preset.sampling,
            preset.routing.switching,
            [prices.small, prices.large]
        ]);
        // A chat template is a part of its model, and not every caller has rendered the prompt.
        let prompts = Role::BOTH.map(|role| {
            if preset.uses_chat_template(role) {
                with_first_keys(serde_json::json!(preset.prompt)).to_string()
            } else {
                preset.prompt_for(role, "{question}")
            }
        });
        Self {
            models: PerRole::from_fn(|role| models[role].digest.clone()),
            settings_hash: short_hash(&[&prompts[0], &prompts[1], &settings.to_string()]),
        }
    }

    /// Whether this pair wrote an episode.
    pub fn matches(&self, episode: &Episode) -> bool {
        let started = &episode.started;
        let models = PerRole::from_fn(|role| &started.models[role]);
        let own = Self::of(&started.preset, started.prices, models);
        own.models == self.models
            && (self.settings_hash.is_empty() || own.settings_hash == self.settings_hash)
    }
}

/// A table of a preset under its first published keys. Fingerprints are computed over these, so that a
/// renamed key does not make stored policies and calibrations stale.
fn with_first_keys(table: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(table) = table else { return table };
    let first = |key: String| match key.as_str() {
        "answer_marker" => "answer".to_owned(),
        "thinking_end" => "thoughts_end".to_owned(),
        "answer_prefix" => "opening".to_owned(),
        _ => key,
    };
    table.into_iter().map(|(key, value)| (first(key), value)).collect()
}

/// What a measurement is valid for: a calibrated threshold holds for this and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Digest of the policy, or the name of another router.
    pub router: String,
    /// The pair of models.
    #[serde(flatten)]
    pub pair: PairFingerprint,
    /// Fingerprint of the budget; empty if unknown, which counts as stale.
    #[serde(default)]
    pub budget: String,
    /// Name of the task set.
    pub tasks: String,
}

impl Provenance {
    /// The provenance of measurements of `router` with this pair under this preset.
    pub fn of(router: String, preset: &Preset, pair: PairFingerprint, tasks: &str) -> Self {
        let budget = short_hash(&[&serde_json::json!(preset.budget).to_string()]);
        Self { router, pair, budget, tasks: tasks.to_owned() }
    }

    /// What differs in `now`, in words; empty if the measurement is still valid.
    pub fn changes_to(&self, now: &Self) -> Vec<&'static str> {
        let (before, pair) = (&self.pair, &now.pair);
        let parts = [
            (self.router != now.router, "the policy"),
            (before.models.small != pair.models.small, "the small model"),
            (before.models.large != pair.models.large, "the large model"),
            (
                before.settings_hash != pair.settings_hash,
                "the prompts, the prices or the settings of steps",
            ),
            (self.budget != now.budget, "the budget"),
            (self.tasks != now.tasks, "the task set"),
        ];
        parts.into_iter().filter_map(|(is, what)| is.then_some(what)).collect()
    }
}

/// A calibrated threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The threshold, in [0, 1].
    pub threshold: f64,
    /// What it was calibrated for.
    pub target: CalibrationTarget,
    /// Number of questions that it was calibrated on.
    pub n: usize,
    /// Seed of these questions.
    pub seed: u64,
    /// Mean accuracy on these questions.
    pub accuracy: f64,
    /// Mean cost on these questions, as a share of always-large's.
    pub cost_share: f64,
    /// Time of the calibration: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What it is valid for.
    #[serde(alias = "ground")]
    pub provenance: Provenance,
}

/// What a threshold is calibrated for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum CalibrationTarget {
    /// With probability `confidence`, at most 1 − `accuracy` of all questions are answered wrong that
    /// the large model alone answers right.
    Accuracy {
        /// The least accuracy, relative to always-large.
        accuracy: f64,
        /// The confidence level.
        confidence: f64,
    },
    /// The mean cost is at most this share of always-large's.
    Cost {
        /// The share.
        share: f64,
    },
}

impl fmt::Display for CalibrationTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accuracy { accuracy, confidence } => write!(
                f,
                "at most {:.1} % of questions lost to always-large, with confidence {:.0} %",
                (1.0 - accuracy) * 100.0,
                confidence * 100.0
            ),
            Self::Cost { share } => {
                write!(f, "at most {:.0} % of always-large's cost", share * 100.0)
            }
        }
    }
}

impl Calibration {
    /// Whether the calibration still holds, in words: `holds`, or `STALE` with what has changed.
    pub fn state(&self, now: &Provenance) -> String {
        let changed = self.provenance.changes_to(now);
        if changed.is_empty() {
            "holds".to_owned()
        } else {
            format!("STALE: {} changed", changed.join(", "))
        }
    }
}
