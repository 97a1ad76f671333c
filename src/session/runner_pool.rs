//! Several runners at once, each on a thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use super::EpisodeRunner;
use crate::config::Preset;

/// Runners of the same pair and preset. An episode does not depend on which of them runs it.
pub struct RunnerPool {
    runners: Vec<EpisodeRunner>,
}

impl RunnerPool {
    /// A pool of at least one runner.
    pub fn new(first: EpisodeRunner, others: Vec<EpisodeRunner>) -> Self {
        let runners = std::iter::once(first).chain(others).collect();
        Self { runners }
    }

    /// The first runner.
    pub fn first(&mut self) -> &mut EpisodeRunner {
        &mut self.runners[0]
    }

    /// Changes how the next episodes are run; the models stay.
    pub fn set_preset(&mut self, preset: &Preset) {
        for runner in &mut self.runners {
            runner.preset_mut().clone_from(preset);
        }
    }

    /// Does `work` for each index below `n`, several at once, and passes each result to `done` on the
    /// caller's thread, in the order of completion.
    ///
    /// # Errors
    /// The first error of `work` or `done`. Work in progress is then finished, and no more is begun.
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
                        // The receiver is dropped after the first error.
                        if index >= n || sender.send((index, work(runner, index))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (index, result) in results {
                // Returning an error drops the receiver, which stops the threads.
                done(index, result?)?;
            }
            Ok(())
        })
    }
}
