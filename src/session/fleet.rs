//! Several conductors at work at once, each on a thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use super::Conductor;
use crate::config::Preset;

/// Conductors of the same pair and preset. An episode does not depend on which of them runs it.
pub struct Fleet {
    conductors: Vec<Conductor>,
}

impl Fleet {
    /// A fleet of at least one conductor.
    pub fn new(first: Conductor, others: Vec<Conductor>) -> Self {
        let conductors = std::iter::once(first).chain(others).collect();
        Self { conductors }
    }

    /// The conductor that is always there.
    pub fn first(&mut self) -> &mut Conductor {
        &mut self.conductors[0]
    }

    /// Changes how the next episodes are run; the models stay.
    pub fn set(&mut self, preset: &Preset) {
        for conductor in &mut self.conductors {
            conductor.preset_mut().clone_from(preset);
        }
    }

    /// Does `work` for each number below `n`, several at once, and hands each result to `done` on
    /// the caller's thread, in the order in which they come.
    ///
    /// # Errors
    /// The first error of `work` or `done`; what is under way is finished, and nothing more begun.
    pub fn each<T: Send, E: Send>(
        &mut self,
        n: usize,
        work: impl Fn(&mut Conductor, usize) -> Result<T, E> + Sync,
        mut done: impl FnMut(usize, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let next = AtomicUsize::new(0);
        let (sender, results) = channel();
        std::thread::scope(|scope| {
            for conductor in &mut self.conductors {
                let (next, work, sender) = (&next, &work, sender.clone());
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        // A caller that is gone has met an error.
                        if index >= n || sender.send((index, work(conductor, index))).is_err() {
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
