//! The trained policy as a router.

use std::sync::Arc;

use super::router_name;
use crate::episode::Decider;
use crate::routing::{
    AcceptedDrafts, Opinion, Policy, Requirements, Router, RouterError, RouterInput, features,
};

pub(in crate::routing) struct PolicyRouter(pub(in crate::routing) Arc<Policy>);

impl Router for PolicyRouter {
    fn name(&self) -> &str {
        router_name::POLICY
    }

    fn decider(&self) -> Decider {
        Decider::Policy(self.0.card.name.clone())
    }

    fn requirements(&self) -> Requirements {
        let set = &self.0.card.set;
        Requirements {
            accepted_drafts: AcceptedDrafts::OwnLength,
            token_stats: set.needs_token_stats(),
            ..Requirements::draft(set.draft_length)
        }
    }

    fn opinion(&mut self, input: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let features = features(input);
        let p_large = self.0.p_large(&features).map_err(|e| RouterError::Policy {
            name: self.0.card.name.clone(),
            reason: e.to_string(),
        })?;
        Ok(Opinion { p_large, features })
    }
}
