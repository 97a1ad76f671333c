//! Why a router cannot be made or cannot decide.

use thiserror::Error;

use super::router_names;
use crate::config::DraftLength;
use crate::engine::TokenStats;

/// Why a router cannot be made or cannot decide.
#[derive(Debug, Error)]
pub enum RouterError {
    /// No router has this name.
    #[error(
        "there is no router `{0}`: use one of {list}",
        list = router_names().collect::<Vec<_>>().join(", ")
    )]
    Unknown(String),
    /// The router needs the gold solution of a question that has none.
    #[error(
        "router {0} needs the gold solution of the question: use --tasks arithmetic or another router"
    )]
    NeedsSolution(String),
    /// The router needs a draft, and the preset asks for none.
    #[error("router {0} needs a draft of at least 1 token: set --draft 1 or more")]
    NeedsDraft(String),
    /// The router needs the large model's score of the draft, and that model cannot score text.
    #[error(
        "router {router} needs the large model to score drafts, but {model} is a remote model, which cannot: use another router or model"
    )]
    NeedsTextScoring {
        /// Name of the router.
        router: String,
        /// Name of the large model.
        model: String,
    },
    /// The policy was trained for another length of draft.
    #[error(
        "policy {policy} was trained for a draft of {needed}, not of {given}: set --draft {needed}, or train another policy"
    )]
    OtherDraftLength {
        /// Name of the policy.
        policy: String,
        /// The length that it was trained for.
        needed: DraftLength,
        /// The length that the preset sets.
        given: DraftLength,
    },
    /// The small model reports too little about its tokens.
    #[error(
        "router {router} needs {needed} of the small model's tokens, but model {model} reports {given}: use another router or model"
    )]
    NeedsTokenStats {
        /// Name of the router.
        router: String,
        /// The statistics that it needs.
        needed: TokenStats,
        /// Name of the small model.
        model: String,
        /// The statistics that the model reports.
        given: TokenStats,
    },
    /// The preset has no policy, and the router needs one.
    #[error(
        "there is no policy for preset {0}: train one with `pointsman train`, name one with --policy, or use another router"
    )]
    NoPolicy(String),
    /// The policy has no fitted mixture, and the router needs one.
    #[error(
        "router gmm needs a mixture fitted on episodes, and {0} has none: `pointsman train` fits one"
    )]
    NoMixture(String),
    /// A shadow needs the draft's score, which the active router does not request.
    #[error(
        "router {0} needs the large model to score the draft, which the active router does not request"
    )]
    NeedsDraftScored(String),
    /// A shadow that always chooses the same model.
    #[error("router {0} always chooses the same model, so it cannot be a shadow: use another one")]
    PinnedShadow(String),
    /// The router's p(large) is NaN or outside [0, 1].
    #[error(
        "router {router} gives p(large) {p_large}, which is not a probability: use another router or policy"
    )]
    NotAProbability {
        /// Name of the router.
        router: String,
        /// What it gave.
        p_large: f64,
    },
    /// A feature at the boundary is not a finite number.
    #[error(
        "router {router} reads the feature {feature}, which is not a finite number here: `pointsman models check` checks the models' statistics"
    )]
    InfiniteFeature {
        /// Name of the router.
        router: String,
        /// Name of the feature.
        feature: String,
    },
    /// A policy could not be loaded, or its network failed.
    #[error("policy {name}: {reason}")]
    Policy {
        /// Name of the policy, or its file.
        name: String,
        /// The rest of the sentence.
        reason: String,
    },
}
