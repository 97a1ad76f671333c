//! Routers on the same questions and seeds, with many episodes at once.

use super::{Ends, Run, at, sweep};
use crate::engine::Flow;
use crate::routing::{Roster, RouterError};
use crate::session::{Fleet, SessionError};
use crate::tasks::Question;

/// Questions, asked of one router after the other. Question i has the seed `seed` + i.
pub struct Trial<'a> {
    pub fleet: &'a mut Fleet,
    pub roster: &'a Roster,
    pub questions: &'a [Question],
    pub seed: u64,
}

impl Trial<'_> {
    /// Both models alone.
    ///
    /// # Errors
    /// When an episode cannot be run, or `progress` cancels.
    pub fn ends<P: Into<Flow>>(
        &mut self,
        progress: impl Fn() -> P,
    ) -> Result<(Ends, [Run; 2]), SessionError> {
        let small = self.run("always-small", false, &progress)?;
        let large = self.run("always-large", false, &progress)?;
        Ok((Ends { small: small.outcomes(), large: large.outcomes() }, [small, large]))
    }

    /// One router: at every threshold where `curve` is wanted, else at the preset's.
    /// `progress` is told after each question, and may end it.
    ///
    /// # Errors
    /// When there is no such router, an episode cannot be run, or `progress` cancels.
    pub fn run<P: Into<Flow>>(
        &mut self,
        name: &str,
        curve: bool,
        progress: impl Fn() -> P,
    ) -> Result<Run, SessionError> {
        let (questions, roster, seed) = (self.questions, self.roster, self.seed);
        let router = roster.router(name)?;
        if router.needs_solution() && questions.iter().any(|q| q.solution.is_none()) {
            return Err(RouterError::NeedsSolution(name.to_owned()).into());
        }
        let preset = self.fleet.first().preset().clone();
        let threshold = preset.routing.threshold;
        let whole = curve && router.pinned().is_none();
        let glimpse = preset.routing.glimpse.unwrap_or_else(|| router.glimpse());
        let mut results: Vec<Option<Result<_, _>>> = questions.iter().map(|_| None).collect();
        let work = |conductor: &mut crate::session::Conductor, i: usize| {
            let mut router = roster.router(name)?;
            let (question, seed) = (&questions[i], seed.wrapping_add(i as u64));
            let result = if whole {
                sweep(conductor, router.as_mut(), question, seed, threshold).map(Ok)
            } else {
                at(conductor, router.as_mut(), question, seed, threshold).map(Err)
            };
            result.map_err(|error| error.at(question))
        };
        let ended = self.fleet.each(questions.len(), work, |i, result| {
            results[i] = Some(result);
            match progress().into() {
                Flow::Continue => Ok(()),
                Flow::Cancel => Err(SessionError::Cancelled),
            }
        });
        self.fleet.set(&preset);
        ended?;
        let mut run = Run::new(name, glimpse, threshold);
        for (question, result) in questions.iter().zip(results.into_iter().flatten()) {
            match result {
                Ok(swept) => run.add(question, swept),
                Err((episode, seconds)) => run.add_one(question, episode, seconds),
            }
        }
        Ok(run)
    }
}
