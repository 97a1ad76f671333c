//! Fresh episodes at every threshold.
//!
//! The same seed and choices give the same text. So all thresholds above the highest score of a step
//! written by the small model, up to the lowest score of one written by the large model, give the same
//! episode. A question needs one episode for each distinct outcome, about five or six, and its curve is
//! exact.

use std::time::Instant;

use super::{Sweep, SweepSegment};
use crate::episode::{Decider, Episode, Role, Verdict};
use crate::routing::Router;
use crate::session::{EpisodeRunner, EpisodeSpec, NullObserver, SessionError};
use crate::tasks::Question;

/// Most episodes of one question. Scores that the engine reproduces need five or six, one for each distinct outcome.
const MAX_EPISODES: usize = 4096;

/// The outcome of one question at every threshold.
#[derive(Debug)]
pub(super) struct QuestionResult {
    /// The outcome at every threshold.
    pub(super) sweep: Sweep,
    /// The episode at the operating threshold.
    pub(super) operating: Episode,
    /// Run time of that episode, in seconds.
    pub(super) seconds: f64,
}

/// Runs `question` at every threshold at which the outcome may change, from 1 down to 0, and keeps the
/// episode at the threshold `operating`.
///
/// # Errors
/// If an episode cannot be run, or [`SessionError::EndlessSweep`] if the outcome changes at thousands of thresholds.
pub(super) fn sweep_thresholds(
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
        // A step of the small model has a lower score than the threshold, so every round lowers it.
        let low = highest_small(&episode).unwrap_or(0.0);
        if segments.len() == MAX_EPISODES || low >= high {
            return Err(SessionError::EndlessSweep(router.name().to_owned()));
        }
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

/// Runs one episode at `threshold`, and returns it with its run time in seconds.
///
/// # Errors
/// If the episode cannot be run.
pub(super) fn run_at_threshold(
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

/// The highest p(large) of a step that the threshold gave to the small model.
fn highest_small(episode: &Episode) -> Option<f64> {
    let decisions = episode.steps.iter().filter_map(|s| s.decision.as_ref());
    let small = decisions.filter(|d| {
        d.choice == Role::Small && matches!(d.by, Decider::Policy(_) | Decider::Rule(_))
    });
    small.filter_map(|d| d.p_large).reduce(f64::max)
}
