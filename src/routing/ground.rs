//! What figures of a policy hold for.

use serde::{Deserialize, Serialize};

use super::policy::short_hash;
use crate::config::{Preset, Prices};
use crate::episode::{Episode, ModelRecord, PerRole, Role};

/// Two models, and how they are made to write: episodes of the same pair can be learnt from together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Digests of the two models.
    pub models: PerRole<String>,
    /// Fingerprint of prompts, steps, sampling, switching and prices; empty where it is not known, which
    /// fits any.
    #[serde(default)]
    pub setting: String,
}

impl Pair {
    /// These models under this preset.
    pub fn of(preset: &Preset, prices: Prices, models: PerRole<&ModelRecord>) -> Self {
        let settings = serde_json::json!([
            preset.steps,
            preset.sampling,
            preset.routing.switching,
            [prices.small, prices.large]
        ]);
        // A chat template is a part of its model, and what it made of the prompt is not yet known everywhere.
        let prompts = Role::BOTH.map(|role| match preset.is_framed(role) {
            true => serde_json::json!(preset.prompt).to_string(),
            false => preset.prompt_for(role, "{question}"),
        });
        Self {
            models: PerRole::from_fn(|role| models[role].digest.clone()),
            setting: short_hash(&[&prompts[0], &prompts[1], &settings.to_string()]),
        }
    }

    /// Whether an episode is by this pair.
    pub fn wrote(&self, episode: &Episode) -> bool {
        let started = &episode.started;
        let models = PerRole::from_fn(|role| &started.models[role]);
        let own = Self::of(&started.preset, started.prices, models);
        own.models == self.models && (self.setting.is_empty() || own.setting == self.setting)
    }
}

/// What an accuracy or a cost was judged on; a calibrated threshold holds for this and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Fingerprint of the policy's weights, or the name of another router.
    pub router: String,
    #[serde(flatten)]
    pub pair: Pair,
    /// Fingerprint of the budget; empty where it is not known, which is stale.
    #[serde(default)]
    pub budget: String,
    /// The task set.
    pub tasks: String,
}

impl Ground {
    /// The ground that `router` stands on with this pair in this preset.
    pub fn of(router: String, preset: &Preset, pair: Pair, tasks: &str) -> Self {
        let budget = short_hash(&[&serde_json::json!(preset.budget).to_string()]);
        Self { router, pair, budget, tasks: tasks.to_owned() }
    }

    /// What has changed from this ground to `now`; nothing where it still holds.
    pub fn changed(&self, now: &Self) -> Vec<&'static str> {
        let (then, pair) = (&self.pair, &now.pair);
        let parts = [
            (self.router != now.router, "the policy"),
            (then.models.small != pair.models.small, "the small model"),
            (then.models.large != pair.models.large, "the large model"),
            (then.setting != pair.setting, "the prompts, the prices or the settings of steps"),
            (self.budget != now.budget, "the budget"),
            (self.tasks != now.tasks, "the task set"),
        ];
        parts.into_iter().filter_map(|(is, what)| is.then_some(what)).collect()
    }
}

/// A threshold that was calibrated, and what it was calibrated for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub threshold: f64,
    pub target: Target,
    /// Questions that it was calibrated on.
    pub n: usize,
    /// Seed that they were drawn with.
    pub seed: u64,
    /// Mean accuracy and cost, as a share of always-large's, over those questions.
    pub accuracy: f64,
    pub cost_share: f64,
    /// When: milliseconds since the Unix epoch.
    pub at_ms: u64,
    pub ground: Ground,
}

/// What a threshold is calibrated for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Target {
    /// With probability `confidence`, at most 1 − `accuracy` of all questions are answered wrong
    /// that the large model alone answers right.
    Accuracy { accuracy: f64, confidence: f64 },
    /// The mean cost is at most this share of always-large's.
    Cost { share: f64 },
}
