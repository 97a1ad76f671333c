//! What a router is: the trait, what it sees, what it answers and what it needs.

use std::collections::BTreeMap;

use super::RouterError;
use crate::config::DraftLength;
use crate::engine::TokenStats;
use crate::episode::{Decider, Episode, Role, Token};
use crate::tasks::Question;

/// What a router sees at a boundary.
#[derive(Clone, Copy)]
pub struct RouterInput<'a> {
    /// The episode so far; the router decides about its next step.
    pub episode: &'a Episode,
    /// The question, with its gold solution if the task set has one.
    pub question: &'a Question,
    /// The draft; empty if the router asked for none.
    pub draft: Draft<'a>,
    /// The draft's text in the large model's tokens, with their log-probabilities. Empty unless
    /// [`Requirements::scored_draft`] is set.
    pub scored_by_large: &'a [Token],
}

/// The beginning of the next step as the small model would write it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Draft<'a> {
    /// The text of `tokens`.
    pub text: &'a str,
    /// The tokens with their statistics.
    pub tokens: &'a [Token],
    /// Whether it is the whole step.
    pub complete: bool,
}

/// A router's opinion at a boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Probability that the large model should write the next step, in [0, 1].
    pub p_large: f64,
    /// The features at the boundary, by name.
    pub features: BTreeMap<String, f64>,
}

/// Chooses the writer of the next step: the large model if p(large) is at least the threshold.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use pointsman::routing::{Opinion, Router, RouterError, RouterInput};
///
/// /// The two models by turns, at a threshold of 1/2.
/// struct Alternate;
///
/// impl Router for Alternate {
///     fn name(&self) -> &str {
///         "alternate"
///     }
///
///     fn opinion(&mut self, input: &RouterInput<'_>) -> Result<Opinion, RouterError> {
///         let p_large = if input.episode.steps.len() % 2 == 0 { 0.0 } else { 1.0 };
///         Ok(Opinion { p_large, features: BTreeMap::new() })
///     }
/// }
/// ```
pub trait Router: Send {
    /// Its name on the command line and in presets.
    fn name(&self) -> &str;

    /// What it needs in order to decide; nothing by default.
    fn requirements(&self) -> Requirements {
        Requirements::default()
    }

    /// How an episode records who made its choices; the router's name by default.
    fn decider(&self) -> Decider {
        Decider::Rule(self.name().to_owned())
    }

    /// The model that it always chooses, at any threshold; `None` if it depends on the boundary.
    fn pinned(&self) -> Option<Role> {
        None
    }

    /// Its opinion at a boundary.
    ///
    /// # Errors
    /// If the input lacks something that it needs, or its policy's network fails.
    fn opinion(&mut self, input: &RouterInput<'_>) -> Result<Opinion, RouterError>;
}

/// A router's opinion at a boundary, checked: everything after it compares p(large) with thresholds.
///
/// # Errors
/// As [`Router::opinion`], and [`RouterError::NotAProbability`] or [`RouterError::InfiniteFeature`] if a number of the
/// opinion cannot be right.
pub fn checked_opinion(
    router: &mut dyn Router,
    input: &RouterInput<'_>,
) -> Result<Opinion, RouterError> {
    let opinion = router.opinion(input)?;
    let router = router.name();
    if !(0.0..=1.0).contains(&opinion.p_large) {
        let p_large = opinion.p_large;
        return Err(RouterError::NotAProbability { router: router.to_owned(), p_large });
    }
    if let Some((feature, _)) = opinion.features.iter().find(|(_, value)| !value.is_finite()) {
        let (router, feature) = (router.to_owned(), feature.clone());
        return Err(RouterError::InfiniteFeature { router, feature });
    }
    Ok(opinion)
}

/// What a router needs in order to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// The length of draft that it asks for unless the preset sets another.
    pub draft_length: DraftLength,
    /// The other lengths that it can decide on.
    pub accepted_drafts: AcceptedDrafts,
    /// The token statistics that the small model must report.
    pub token_stats: TokenStats,
    /// Whether the large model must score the draft first.
    pub scored_draft: bool,
    /// Whether it needs the question's gold solution.
    pub solution: bool,
}

impl Requirements {
    /// No draft and nothing else.
    pub const NOTHING: Self = Self {
        draft_length: DraftLength::Tokens(0),
        accepted_drafts: AcceptedDrafts::Any,
        token_stats: TokenStats::None,
        scored_draft: false,
        solution: false,
    };

    /// A draft, by default of this length.
    #[must_use]
    pub const fn draft(draft_length: DraftLength) -> Self {
        Self { draft_length, accepted_drafts: AcceptedDrafts::NotEmpty, ..Self::NOTHING }
    }

    /// Whether it sees more than a trained policy does, so that episodes under its choices cannot
    /// teach one: what it chose says more of the draft than the features do.
    #[must_use]
    pub const fn is_privileged(&self) -> bool {
        self.scored_draft || self.solution
    }
}

impl Default for Requirements {
    fn default() -> Self {
        Self::NOTHING
    }
}

/// The lengths of draft that a router can decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedDrafts {
    /// Every length, 0 included.
    Any,
    /// Every length above 0.
    NotEmpty,
    /// Only the router's own length.
    OwnLength,
}

/// What a pair of models, a preset and a question offer a router.
#[derive(Debug, Clone, Copy)]
pub struct Available<'a> {
    /// The length of draft that the router gets.
    pub draft_length: DraftLength,
    /// Whether the question's gold solution is known.
    pub solution: bool,
    /// Name of the large model.
    pub large_model: &'a str,
    /// Whether the large model can score a draft; a remote model cannot.
    pub can_score_draft: bool,
    /// Name of the small model.
    pub small_model: &'a str,
    /// The token statistics that the small model reports.
    pub token_stats: TokenStats,
}

/// Checks that a router gets what it needs.
///
/// # Errors
/// If it lacks something; the message names it.
pub fn check_requirements(
    router: &dyn Router,
    available: &Available<'_>,
) -> Result<(), RouterError> {
    let name = || router.name().to_owned();
    let needed = router.requirements();
    if needed.solution && !available.solution {
        return Err(RouterError::NeedsSolution(name()));
    }
    match needed.accepted_drafts {
        AcceptedDrafts::NotEmpty if available.draft_length == DraftLength::Tokens(0) => {
            return Err(RouterError::NeedsDraft(name()));
        }
        AcceptedDrafts::OwnLength if available.draft_length != needed.draft_length => {
            let policy = match router.decider() {
                Decider::Policy(policy) => policy,
                _ => name(),
            };
            let (needed, given) = (needed.draft_length, available.draft_length);
            return Err(RouterError::OtherDraftLength { policy, needed, given });
        }
        _ => {}
    }
    if needed.scored_draft && !available.can_score_draft {
        let model = available.large_model.to_owned();
        return Err(RouterError::NeedsTextScoring { router: name(), model });
    }
    if needed.token_stats > available.token_stats {
        return Err(RouterError::NeedsTokenStats {
            router: name(),
            needed: needed.token_stats,
            model: available.small_model.to_owned(),
            given: available.token_stats,
        });
    }
    Ok(())
}
