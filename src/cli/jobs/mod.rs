//! The jobs of the workbench: what it needs of the store, the policy, the task set and the
//! configuration.

mod episodes;
mod estimates;
mod menus;
mod training;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::task_args::TaskArgs;
use super::{memory, store_sink};
use crate::config::Folders;
use crate::engine::Flow;
use crate::engine::gpu::Driver;
use crate::routing::contributions;
use crate::session::{self, RoutingConfig, load_pair};
use crate::store::Store;
use crate::tasks::Question;
use crate::workbench::{Job, JobExecutor, Message, SessionHandle, TrainingUpdate};

pub(super) use menus::with_scale;

/// Questions in the order of the seed.
type QuestionIter = Box<dyn Iterator<Item = Question> + Send>;

/// Where the workbench's questions come from.
pub(super) struct QuestionSource {
    /// The task set's options.
    pub(super) args: TaskArgs,
    /// Name of the task set.
    pub(super) name: String,
    /// Its questions, in the order of the seed.
    pub(super) questions: QuestionIter,
}

/// Which trainings are cancelled. Their numbers increase and one runs at a time, so the highest cancelled
/// number is enough. A cancellation may arrive before its job has started, or after it has ended.
#[derive(Default)]
struct Cancellations {
    highest: AtomicU64,
}

impl Cancellations {
    fn cancel(&self, number: u64) {
        self.highest.fetch_max(number, Ordering::Relaxed);
    }

    fn flow(&self, number: u64) -> Flow {
        if number <= self.highest.load(Ordering::Relaxed) { Flow::Cancel } else { Flow::Continue }
    }
}

/// Runs the jobs of a workbench that has a store.
pub(super) struct JobRunner {
    store: Arc<Store>,
    folders: Folders,
    seed: u64,
    task_args: TaskArgs,
    /// Name of the task set.
    task_set: String,
    questions: Mutex<QuestionIter>,
    session_thread: Mutex<Option<JoinHandle<()>>>,
    cancellations: Cancellations,
    /// The last request to list episodes.
    latest_search: AtomicU64,
}

impl JobRunner {
    /// A runner for that store and those questions.
    pub(super) fn new(
        store: Arc<Store>,
        folders: Folders,
        seed: u64,
        source: QuestionSource,
    ) -> Self {
        Self {
            store,
            folders,
            seed,
            task_args: source.args,
            task_set: source.name,
            questions: Mutex::new(source.questions),
            session_thread: Mutex::new(None),
            cancellations: Cancellations::default(),
            latest_search: AtomicU64::new(0),
        }
    }

    /// Starts a session that loads the models of this preset once the previous session has ended.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn spawn_session(&self, routing: &RoutingConfig) -> io::Result<SessionHandle> {
        let RoutingConfig { preset, registry } = routing.clone();
        let cache = self.folders.cache.clone();
        let mut session_thread = lock_ignoring_poison(&self.session_thread);
        let previous = session_thread.take();
        let session = session::spawn_session(
            move |report| {
                if let Some(previous) = previous {
                    // If it panicked, its models are freed all the same.
                    let _ = previous.join();
                }
                report(memory::loading_message(&preset, &cache));
                Ok(load_pair(&preset, &cache)?)
            },
            registry,
            Box::new(store_sink::StoreSink(self.store.clone())),
        )?;
        *session_thread = Some(session.thread);
        Ok(SessionHandle { commands: session.commands, updates: session.updates })
    }

    /// The session's thread, to join.
    pub(super) fn take_session_thread(&self) -> Option<JoinHandle<()>> {
        lock_ignoring_poison(&self.session_thread).take()
    }

    fn draw_question(&self) -> Message {
        match lock_ignoring_poison(&self.questions).next() {
            Some(question) => Message::QuestionDrawn(question),
            None => Message::ChangeSaved(Err(format!(
                "all questions of {} have been drawn: restart with another --seed or --task",
                self.task_set
            ))),
        }
    }
}

impl JobExecutor for JobRunner {
    fn run(&self, job: Job, send: &dyn Fn(Message)) {
        let answer = match job {
            Job::WatchGpu => return watch_gpu(send),
            Job::RunTraining { number, action, routing, pair, candidate } => {
                let candidate = candidate.as_deref();
                return self.run_training(number, action, &routing, &pair, candidate, send);
            }
            Job::CancelTraining(number) => {
                self.cancellations.cancel(number);
                return;
            }
            Job::DiscardCandidate(number) => match self.store.delete_policy(number) {
                Ok(()) => return,
                Err(error) => Message::Training(TrainingUpdate::Failed(error.to_string())),
            },
            Job::Explain { routing, boundary, features } => {
                let policy = menus::routing_policy(&routing);
                match policy.map(|policy| contributions(policy, &features)) {
                    Some(Ok(contributions)) => Message::Explained(boundary, contributions),
                    _ => return,
                }
            }
            Job::DrawQuestion => self.draw_question(),
            Job::EstimateThreshold(routing) => {
                let policy = menus::routing_policy(&routing);
                let estimates =
                    estimates::estimate_thresholds(&self.store, policy.map(Arc::as_ref));
                Message::ThresholdEstimates(estimates.map(Arc::new))
            }
            Job::ListEpisodes { request_id, query, after, rows } => Message::EpisodesListed {
                request_id,
                from_start: after.is_none(),
                page: self.list_episodes(request_id, &query, after, rows),
            },
            Job::ReadEpisode { id, purpose } => Message::EpisodeRead(
                purpose,
                self.load_episode(id).map_err(|error| error.to_string()),
            ),
            Job::Annotate { ids, change } => Message::ChangeSaved(
                self.annotate(&ids, &change).map_err(|error| error.to_string()),
            ),
            Job::MoveToTrash(ids) => Message::ChangeSaved(self.move_to_trash(&ids)),
            Job::UndoDelete => Message::ChangeSaved(self.undo_delete()),
            Job::Export { ids, path } => Message::ChangeSaved(self.export(&ids, &path)),
            Job::LoadMenu { kind, routing, pair } => {
                Message::MenuLoaded(self.menu(kind, &routing, pair.as_deref()))
            }
            Job::LoadTheme(name) => Message::ThemeLoaded(self.theme(&name)),
            Job::LoadPreset(name) => Message::PresetLoaded(self.load_preset_routing(&name)),
            Job::LoadPolicy { routing, name, step } => {
                Message::PolicyLoaded(step, self.registry_with_policy(&routing.preset, &name))
            }
            Job::Promote { routing, candidate } => {
                Message::Promoted(self.promote(&routing, &candidate))
            }
            Job::RollBack(routing) => Message::Promoted(self.roll_back(&routing)),
            Job::ScoreUser => Message::UserScored(self.user_score()),
        };
        send(answer);
    }

    fn start_session(&self, routing: &RoutingConfig) -> Result<SessionHandle, String> {
        self.spawn_session(routing)
            .map_err(|error| format!("cannot start the session's thread: {error}"))
    }
}

/// Locks, even if a thread panicked while it held the lock: each of these values is valid at any time.
fn lock_ignoring_poison<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often the GPU's memory is read.
const GPU_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The screen shows tenths of a gigabyte.
const GPU_SHOWN_BYTES: u64 = 100_000_000;

/// Reports the GPU's memory whenever the number on the screen changes.
fn watch_gpu(send: &dyn Fn(Message)) {
    let Ok(driver) = Driver::open() else { return };
    let mut last_shown = None;
    while let Some(memory) = driver.memory() {
        let shown = memory.used / GPU_SHOWN_BYTES;
        if last_shown.replace(shown) != Some(shown) {
            send(Message::Gpu(memory));
        }
        std::thread::sleep(GPU_POLL_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancellation_ends_its_own_training_only() {
        let cancellations = Cancellations::default();
        assert_eq!(cancellations.flow(1), Flow::Continue);
        cancellations.cancel(2);
        assert_eq!(cancellations.flow(2), Flow::Cancel, "also if it starts after the key press");
        assert_eq!(cancellations.flow(3), Flow::Continue, "the next one is not cancelled");
        cancellations.cancel(1);
        assert_eq!(cancellations.flow(2), Flow::Cancel, "a late cancellation revokes none");
    }
}
