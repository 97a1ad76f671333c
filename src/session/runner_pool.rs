//! Several runners at work at once, each on a thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use super::EpisodeRunner;
use crate::config::Preset;

/// Conductors of the same pair and preset. An episode does not depend on which of them runs it.
pub struct RunnerPool {
    runners: Vec<EpisodeRunner>,
}

impl RunnerPool {
    /// A pool of at least one runner.
    pub fn new(first: EpisodeRunner, others: Vec<EpisodeRunner>) -> Self {
        let runners = std::iter::once(first).chain(others).collect();
        Self { runners }
    }

    /// The runner that is always there.
    pub fn first(&mut self) -> &mut EpisodeRunner {
        &mut self.runners[0]
    }

    /// Changes how the next episodes are run; the models stay.
    pub fn set_preset(&mut self, preset: &Preset) {
        for runner in &mut self.runners {
            runner.preset_mut().clone_from(preset);
        }
    }

    /// Does `work` for each number below `n`, several at once, and hands each result to `done` on
    /// the caller's thread, in the order in which they come.
    ///
    /// # Errors
    /// The first error of `work` or `done`; what is under way is finished, and nothing more begun.
    pub fn for_each_index<T: Send, E: Send>(
        &mut self,
        n: usize,
        work: impl Fn(&mut EpisodeRunner, usize) -> Result<T, E> + Sync,
        mut done: impl FnMut(usize, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let next = AtomicUsize::new(0);
        let (sender, results) = channel();
        std::thread::scope(|scope| {
            for runner in &mut self.runners {
                let (next, work, sender) = (&next, &work, sender.clone());
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        // A caller that is gone has met an error.
                        if index >= n || sender.send((index, work(runner, index))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (index, result) in results {
                // Returning drops the channel's end, which stops the others.
                done(index, result?)?;
            }
            Ok(())
        })
    }
}
