//! Which statistics of its tokens an engine reports.

use std::fmt;

/// The statistics of its tokens that an engine reports, from least to most. A router or a feature names the least
/// that it needs, so `needed <= given` decides whether it can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenStats {
    /// None.
    None,
    /// Log-probabilities of the sampled token and of the most probable ones.
    Logprobs,
    /// Log-probabilities, and the entropy of the distribution over the whole vocabulary.
    Distribution,
}

impl fmt::Display for TokenStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Logprobs => "the log-probabilities",
            Self::Distribution => "the whole distributions",
        })
    }
}
