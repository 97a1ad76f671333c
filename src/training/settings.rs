//! Hyperparameters of a training.

/// Hyperparameters of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSettings {
    /// Seed of initial weights and draws.
    pub seed: u64,
    /// Number of networks. They differ only in their initial weights and draws.
    pub ensemble_size: usize,
    /// Number of rounds. If step errors are known, the first quarter trains the error model, the rest the
    /// actor-critic.
    pub rounds: usize,
    /// Passes over the boundaries in a round.
    pub passes: usize,
    /// Maximum number of optimizer steps in a round. It bounds the time of a training on many episodes.
    pub max_steps: usize,
    /// Error model: passes over the labelled boundaries, over all its rounds.
    pub error_passes: usize,
    /// Error model: boundaries in an optimizer step.
    pub error_batch: usize,
    /// Error model: the highest learning rate.
    pub error_learning_rate: f64,
    /// Error model: maximum number of optimizer steps in a round.
    pub max_error_steps: usize,
    /// Boundaries in an optimizer step.
    pub batch: usize,
    /// Learning rate of `AdamW` at the beginning; it decays to a tenth.
    pub learning_rate: f64,
    /// Weight of the policy's entropy: the gain in reward that makes a choice e times as probable as the
    /// other one.
    pub entropy_weight: f64,
    /// Weight of the divergence (nats) from the round's policy, relative to the entropy: the trust region.
    pub divergence_weight: f64,
    /// λ of V-trace, in [0, 1] (see [`v_trace`](super::v_trace)).
    pub vtrace_lambda: f64,
    /// Weight decay of `AdamW`.
    pub weight_decay: f64,
    /// Mean cost to train for, as a share of always-large's. Without one, λ stays constant.
    pub target_cost: Option<f64>,
    /// λ at the beginning: the accuracy that always-large's mean cost is worth.
    pub multiplier: f64,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            ensemble_size: 2,
            rounds: 48,
            passes: 2,
            max_steps: 80,
            error_passes: 16,
            error_batch: 1024,
            error_learning_rate: 3e-3,
            max_error_steps: 400,
            batch: 2048,
            learning_rate: 2e-3,
            weight_decay: 0.5,
            entropy_weight: 0.03,
            divergence_weight: 0.3,
            vtrace_lambda: 0.3,
            target_cost: None,
            multiplier: 0.5,
        }
    }
}

impl TrainingSettings {
    /// Rounds of the error model: the first quarter.
    pub(super) fn error_rounds(&self) -> usize {
        (self.rounds / 4).max(1)
    }
}
