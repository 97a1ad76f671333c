//! The active preset, with its threshold, budget and routers: what the next question is asked
//! with. The workbench keeps them here only; jobs get a shared copy.

use std::sync::Arc;

use crate::config::Preset;
use crate::evaluation::QuantileScale;
use crate::session::RoutingConfig;

/// A preset with its routers, as a job has loaded it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedRouting {
    /// The preset and the routers.
    pub routing: RoutingConfig,
    /// The scores p(large) of the policy's training, if a policy routes.
    pub scale: Option<QuantileScale>,
}

/// The active preset and its routers.
#[derive(Debug, Clone)]
pub struct ActiveRouting {
    config: Arc<RoutingConfig>,
    scale: Option<QuantileScale>,
    /// A threshold that the running episode was asked to use and has not confirmed yet.
    pending_threshold: Option<f64>,
}

impl ActiveRouting {
    /// Activates `loaded`.
    pub(super) fn new(loaded: LoadedRouting) -> Self {
        let LoadedRouting { routing, scale } = loaded;
        Self { config: Arc::new(routing), scale, pending_threshold: None }
    }

    /// Activates other routing for the same models; the running episode goes on.
    pub(super) fn replace(&mut self, loaded: LoadedRouting) {
        let pending_threshold = self.pending_threshold;
        *self = Self { pending_threshold, ..Self::new(loaded) };
    }

    /// Preset and routers, to share with a job.
    pub(super) fn config(&self) -> &Arc<RoutingConfig> {
        &self.config
    }

    /// The preset, with the active threshold and budget.
    pub fn preset(&self) -> &Preset {
        &self.config.preset
    }

    /// The threshold of the next episode, in [0, 1].
    pub fn threshold(&self) -> f64 {
        self.config.preset.routing.threshold
    }

    /// A threshold that the running episode was asked to use and has not confirmed yet.
    pub fn pending_threshold(&self) -> Option<f64> {
        self.pending_threshold
    }

    /// The scores of the policy's training, if a policy routes.
    pub(super) fn scale(&self) -> Option<&QuantileScale> {
        self.scale.as_ref()
    }

    /// Sets the threshold of the next episode.
    pub(super) fn set_threshold(&mut self, threshold: f64) {
        // Asked first: a change of a shared preset copies it.
        if self.threshold() != threshold {
            Arc::make_mut(&mut self.config).preset.routing.threshold = threshold;
        }
    }

    /// Notes which threshold the running episode was asked to use.
    pub(super) fn set_pending_threshold(&mut self, threshold: Option<f64>) {
        self.pending_threshold = threshold;
    }

    /// Sets the budget of the next episode.
    pub(super) fn set_budget(&mut self, limit: Option<f64>) {
        Arc::make_mut(&mut self.config).preset.budget.limit = limit;
    }
}
