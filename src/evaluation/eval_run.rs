//! Routers on the same questions and seeds, with several episodes at once.

use super::sweep::{run_at_threshold, sweep_thresholds};
use super::{Baselines, RouterRun};
use crate::engine::Flow;
use crate::routing::{RouterError, RouterRegistry, router_name};
use crate::session::{EpisodeRunner, RunnerPool, SessionError};
use crate::tasks::Question;

/// Questions on which routers are run, one router after the other. Question i has the seed `seed` + i.
pub struct EvalRun<'a> {
    /// Runs the episodes, under the preset of its runners.
    pub pool: &'a mut RunnerPool,
    /// Makes the routers.
    pub registry: &'a RouterRegistry,
    /// The questions.
    pub questions: &'a [Question],
    /// Seed of the first question.
    pub seed: u64,
}

impl EvalRun<'_> {
    /// Runs each model alone. `progress` is called after each question and may cancel the run.
    ///
    /// # Errors
    /// If an episode cannot be run, or `progress` cancels.
    pub fn run_baselines<P: Into<Flow>>(
        &mut self,
        progress: impl Fn() -> P,
    ) -> Result<(Baselines, [RouterRun; 2]), SessionError> {
        let small = self.run(router_name::ALWAYS_SMALL, false, &progress)?;
        let large = self.run(router_name::ALWAYS_LARGE, false, &progress)?;
        Ok((Baselines { small: small.outcomes(), large: large.outcomes() }, [small, large]))
    }

    /// Runs one router: at every threshold if `curve`, else only at the preset's. `progress` is called
    /// after each question and may cancel the run.
    ///
    /// # Errors
    /// If there is no such router, an episode cannot be run, or `progress` cancels.
    pub fn run<P: Into<Flow>>(
        &mut self,
        name: &str,
        curve: bool,
        progress: impl Fn() -> P,
    ) -> Result<RouterRun, SessionError> {
        let (questions, registry, seed) = (self.questions, self.registry, self.seed);
        let router = registry.router(name)?;
        if router.requirements().solution && questions.iter().any(|q| q.solution.is_none()) {
            return Err(RouterError::NeedsSolution(name.to_owned()).into());
        }
        let preset = self.pool.first().preset().clone();
        let threshold = preset.routing.threshold;
        let at_every_threshold = curve && router.pinned().is_none();
        let draft_length =
            preset.routing.draft_length.unwrap_or_else(|| router.requirements().draft_length);
        let mut results: Vec<Option<Result<_, _>>> = questions.iter().map(|_| None).collect();
        let work = |runner: &mut EpisodeRunner, i: usize| {
            let mut router = registry.router(name)?;
            let (question, seed) = (&questions[i], seed.wrapping_add(i as u64));
            let result = if at_every_threshold {
                sweep_thresholds(runner, router.as_mut(), question, seed, threshold).map(Ok)
            } else {
                run_at_threshold(runner, router.as_mut(), question, seed, threshold).map(Err)
            };
            result.map_err(|error| error.at(question))
        };
        let ended = self.pool.for_each_index(questions.len(), work, |i, result| {
            results[i] = Some(result);
            match progress().into() {
                Flow::Continue => Ok(()),
                Flow::Cancel => Err(SessionError::Cancelled),
            }
        });
        self.pool.set_preset(&preset);
        ended?;
        let mut run = RouterRun::new(name, draft_length, threshold);
        for (question, result) in questions.iter().zip(results.into_iter().flatten()) {
            match result {
                Ok(result) => run.add(question, result),
                Err((episode, seconds)) => run.add_fixed(question, episode, seconds),
            }
        }
        Ok(run)
    }
}
