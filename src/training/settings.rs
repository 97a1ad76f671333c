//! How a policy is trained: the numbers that are not learnt.

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingSettings {
    pub seed: u64,
    /// Networks to train, alike but for their first weights and draws.
    pub ensemble_size: usize,
    /// Rounds: in the first quarter it learns to foresee slips, where they are known; the others are of targets and steps.
    pub rounds: usize,
    /// Passes over the boundaries in a round, and the most steps of the optimizer in one: many episodes need no
    /// more of them.
    pub passes: usize,
    pub max_steps: usize,
    /// For the rounds in which it learns to foresee slips: passes over all of them, boundaries in a
    /// step, the highest step width, and the most steps in a round.
    pub error_passes: usize,
    pub error_batch: usize,
    pub error_learning_rate: f64,
    pub max_error_steps: usize,
    /// Boundaries in a step of the optimizer.
    pub batch: usize,
    /// Step width of Adam at the beginning; it falls to a tenth.
    pub learning_rate: f64,
    /// Gain in reward that makes a choice e times as probable as the other: the weight of the
    /// policy's entropy.
    pub entropy_weight: f64,
    /// Weight of the divergence (nats) from the round's policy, the trust region, against that of the gain.
    pub divergence_weight: f64,
    /// λ of V-trace, in [0, 1]: how far a trajectory is believed beyond its next value.
    pub vtrace_lambda: f64,
    /// Decay of the weights, per unit of the step width.
    pub weight_decay: f64,
    /// Cost share to train for; λ stays where it is without one.
    pub target_cost: Option<f64>,
    /// λ at the beginning: accuracy that 1 of all-large's mean cost is worth.
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
    /// Rounds in which slips are learnt: the first quarter.
    pub(super) fn error_rounds(&self) -> usize {
        (self.rounds / 4).max(1)
    }
}
