//! Fresh episodes at every threshold there is.
//!
//! An episode is what every threshold above its highest score written small, up to its lowest score
//! written large, gives: the same seed and choices give the same text. So a question needs one
//! episode for each different outcome, some five or six, and its curve is exact.

use std::time::Instant;

use super::{Sweep, SweepSegment};
use crate::episode::{Decider, Episode, Role, Verdict};
use crate::routing::Router;
use crate::session::{EpisodeRunner, EpisodeSpec, NullObserver, SessionError};
use crate::tasks::Question;

/// One question's episodes and what is known of each.
#[derive(Debug)]
pub struct QuestionResult {
    pub sweep: Sweep,
    /// The episode that the operating threshold gives.
    pub operating: Episode,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Runs `question` at every threshold at which something changes, from 1 down to 0, and keeps the
/// episode of the threshold `operating`.
///
/// # Errors
/// When an episode cannot be run.
pub fn sweep_thresholds(
    runner: &mut EpisodeRunner,
    router: &mut dyn Router,
    question: &Question,
    seed: u64,
    operating: f64,
) -> Result<QuestionResult, SessionError> {
    let mut segments = Vec::new();
    let mut operating_episode = None;
    let mut high = 1.0;
    loop {
        let (episode, seconds) = run_at_threshold(runner, router, question, seed, high)?;
        // No threshold that is still to be tried is above this one, whatever an engine that does not repeat itself says.
        let low = highest_small(&episode).map_or(0.0, |p| p.min(f64::next_down(high))).max(0.0);
        let correct = episode.verdict() == Some(Verdict::Correct);
        segments.push(SweepSegment { low, high, correct, cost: episode.ledger.cost() });
        if operating > low || low <= 0.0 {
            operating_episode.get_or_insert((episode, seconds));
        }
        if low <= 0.0 {
            break;
        }
        high = low;
    }
    let (operating, seconds) = match operating_episode {
        Some(operating_episode) => operating_episode,
        None => run_at_threshold(runner, router, question, seed, operating)?,
    };
    Ok(QuestionResult { sweep: Sweep(segments), operating, seconds })
}

/// One episode at `threshold`, and the seconds that it took.
///
/// # Errors
/// When it cannot be run.
pub fn run_at_threshold(
    runner: &mut EpisodeRunner,
    router: &mut dyn Router,
    question: &Question,
    seed: u64,
    threshold: f64,
) -> Result<(Episode, f64), SessionError> {
    let routing = &mut runner.preset_mut().routing;
    routing.threshold = threshold;
    routing.exploration = None;
    let began = Instant::now();
    let episode = runner.run(
        EpisodeSpec::new(question, router, seed),
        &mut NullObserver,
        &mut NullObserver,
    )?;
    Ok((episode, began.elapsed().as_secs_f64()))
}

/// The highest p(large) at which the threshold gave a step to the small model.
fn highest_small(episode: &Episode) -> Option<f64> {
    let decisions = episode.steps.iter().filter_map(|s| s.decision.as_ref());
    let weighed = decisions.filter(|d| {
        d.choice == Role::Small && matches!(d.by, Decider::Policy(_) | Decider::Rule(_))
    });
    weighed.filter_map(|d| d.p_large).reduce(f64::max)
}
