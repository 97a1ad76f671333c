//! The workbench's errands: what it wants of the store, the policy, the task set and the configuration.

mod menus;
mod training;

pub use menus::threshold_scale;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::task_args::TaskArgs;
use super::{memory, store_sink};
use crate::config::{Folders, Preset};
use crate::engine::gpu::Driver;
use crate::evaluation::{EstimateIndex, UserComparison, compare_with_user};
use crate::library::{LocalCalendar, PageCursor, Query, fork_tree, query_page};
use crate::recording::{RecordedEpisode, write_event_json};
use crate::routing::{Policy, RouterRegistry, contributions};
use crate::session::{self, RoutingConfig, load_pair, now_ms};
use crate::store::{EpisodeEntry, Store, StoreError};
use crate::tasks::Question;
use crate::training::fresh_episodes;
use crate::workbench::{
    AnnotationChange, EpisodePage, Job, JobExecutor, LibraryQuery, ListedEpisode, Message,
    SessionHandle, ThresholdEstimates, TrainingUpdate,
};

/// Episodes that a score looks at, the newest ones.
const MAX_SCORED_EPISODES: usize = 10_000;

/// Questions, one after the other.
type QuestionIter = Box<dyn Iterator<Item = Question> + Send>;

/// What a workbench asks.
pub struct QuestionSource {
    pub args: TaskArgs,
    /// Name of the task set.
    pub name: String,
    /// Its questions, in the order of the seed.
    pub questions: QuestionIter,
}

/// Does the errands of a workbench that has a store.
pub struct JobRunner {
    store: Arc<Store>,
    folders: Folders,
    seed: u64,
    active: Mutex<RoutingConfig>,
    task_args: TaskArgs,
    /// The task set's name.
    task_set: String,
    questions: Mutex<QuestionIter>,
    /// The session's thread.
    session_thread: Mutex<Option<JoinHandle<()>>>,
    /// What is learnt is to end.
    cancelled: AtomicBool,
    /// The last request to look for episodes.
    latest_search: AtomicU64,
}

impl JobRunner {
    /// For that store, who chooses at first, and what is asked.
    pub fn new(
        store: Arc<Store>,
        folders: Folders,
        seed: u64,
        routing: RoutingConfig,
        source: QuestionSource,
    ) -> Self {
        Self {
            store,
            folders,
            seed,
            active: Mutex::new(routing),
            task_args: source.args,
            task_set: source.name,
            questions: Mutex::new(source.questions),
            session_thread: Mutex::new(None),
            cancelled: AtomicBool::new(false),
            latest_search: AtomicU64::new(0),
        }
    }

    /// Starts a session that loads the models of the preset in force, once the one before has ended.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start_session(&self) -> io::Result<SessionHandle> {
        let RoutingConfig { preset, registry } = lock_ignoring_poison(&self.active).clone();
        let cache = self.folders.cache.clone();
        let mut session_thread = lock_ignoring_poison(&self.session_thread);
        let before = session_thread.take();
        let live = session::spawn_session(
            move |report| {
                if let Some(before) = before {
                    // It may have panicked; its models are gone all the same.
                    let _ = before.join();
                }
                report(memory::loading_message(&preset, &cache));
                Ok(load_pair(&preset, &cache)?)
            },
            registry,
            Box::new(store_sink::StoreSink(self.store.clone())),
        )?;
        *session_thread = Some(live.thread);
        Ok(SessionHandle { commands: live.commands, updates: live.updates })
    }

    /// The session's thread, to be waited for.
    pub fn take_session_thread(&self) -> Option<JoinHandle<()>> {
        lock_ignoring_poison(&self.session_thread).take()
    }

    fn preset(&self) -> Preset {
        lock_ignoring_poison(&self.active).preset.clone()
    }

    /// The policy that there is, whether it routes or another router does.
    fn available_policy(&self) -> Option<Arc<Policy>> {
        lock_ignoring_poison(&self.active).registry.policy().cloned()
    }

    /// The policy that routes, where one does.
    fn routing_policy(&self) -> Option<Arc<Policy>> {
        let RoutingConfig { preset, registry } = &*lock_ignoring_poison(&self.active);
        registry.policy().filter(|_| preset.routing.router == "policy").cloned()
    }

    fn set_routing(&self, preset: &Preset, registry: &RouterRegistry) {
        *lock_ignoring_poison(&self.active) =
            RoutingConfig { preset: preset.clone(), registry: registry.clone() };
    }

    fn user_score(&self) -> Result<UserComparison, String> {
        let store_error = |e: &dyn std::fmt::Display| format!("the store cannot be read: {e}");
        // Those of the questions in whose episodes the person chose.
        let entries: Vec<EpisodeEntry> =
            self.store.entries(None).take(MAX_SCORED_EPISODES).flatten().collect();
        let chosen: BTreeSet<&str> = entries
            .iter()
            .filter(|entry| entry.summary.user_steps > 0)
            .map(|entry| entry.summary.question.as_str())
            .collect();
        let of_them = entries.iter().filter(|e| chosen.contains(e.summary.question.as_str()));
        let episodes = of_them.map(|entry| self.store.episode(entry.summary.id));
        let episodes = episodes.collect::<Result<Vec<_>, _>>().map_err(|e| store_error(&e))?;
        Ok(compare_with_user(&episodes))
    }

    fn search(
        &self,
        request_id: u64,
        query: &LibraryQuery,
        after: Option<PageCursor>,
        rows: usize,
    ) -> Result<EpisodePage, String> {
        self.latest_search.fetch_max(request_id, Ordering::Relaxed);
        let is_wanted = || self.latest_search.load(Ordering::Relaxed) == request_id;
        let query = match query {
            LibraryQuery::Search(query) => query,
            LibraryQuery::Forks { of: id, .. } => {
                let rows = fork_tree(&self.store, *id).map_err(|e| e.to_string())?;
                let rows = rows.into_iter().map(|(entry, depth)| library_row(entry, depth));
                return Ok(EpisodePage { rows: rows.collect(), ..EpisodePage::default() });
            }
        };
        let query = Query::parse(query, &LocalCalendar::at(now_ms())).map_err(|e| e.to_string())?;
        let found = query_page(&self.store, &query, after, rows, |_| is_wanted());
        let found = found.map_err(|e| e.to_string())?;
        Ok(EpisodePage {
            rows: found.entries.into_iter().map(|entry| library_row(entry, 0)).collect(),
            unreadable: found.unreadable.len(),
            next: found.next,
        })
    }

    fn load_episode(&self, id: u64) -> Result<Box<RecordedEpisode>, StoreError> {
        let (events, episode) = (self.store.events(id)?, self.store.episode(id)?);
        Ok(Box::new(RecordedEpisode { id, line: 1, events, json: Vec::new(), episode }))
    }

    fn annotate(&self, ids: &[u64], change: &AnnotationChange) -> Result<String, StoreError> {
        self.store.annotate(ids, |annotations| match change {
            AnnotationChange::Starred(starred) => annotations.starred = *starred,
            AnnotationChange::Tag { tag, added: true } => {
                annotations.tags.insert(tag.clone());
            }
            AnnotationChange::Tag { tag, added: false } => {
                annotations.tags.remove(tag);
            }
            AnnotationChange::Note(note) => annotations.note.clone_from(note),
        })?;
        let episode_count = episode_count(ids);
        Ok(match change {
            AnnotationChange::Starred(true) => format!("{episode_count} starred"),
            AnnotationChange::Starred(false) => format!("{episode_count} without a star"),
            AnnotationChange::Tag { tag, added: true } => format!("{episode_count} tagged {tag}"),
            AnnotationChange::Tag { tag, added: false } => {
                format!("{episode_count} without the tag {tag}")
            }
            AnnotationChange::Note(_) => format!("note on {episode_count} kept"),
        })
    }

    fn undo(&self) -> Result<String, String> {
        match self.store.undo_last_deletion().map_err(|e| e.to_string())?.as_slice() {
            [] => Err("the trash is empty: there is no deletion to undo".into()),
            ids => Ok(format!("{} back from the trash", episode_count(ids))),
        }
    }

    fn export(&self, ids: &[u64], path: &Path) -> Result<String, String> {
        let store_error =
            |e: &dyn std::fmt::Display| format!("cannot write {}: {e}", path.display());
        // Nobody is asked whether a file may be written over.
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => store_error(&"it exists already, choose another name"),
            _ => store_error(&e),
        })?;
        let mut out = BufWriter::new(&file);
        for &id in ids {
            for json in self.store.events_json(id).map_err(|e| e.to_string())? {
                write_event_json(&mut out, id, &json).map_err(|e| store_error(&e))?;
            }
        }
        out.flush().and_then(|()| file.sync_all()).map_err(|e| store_error(&e))?;
        Ok(format!("{} written to {}", episode_count(ids), path.display()))
    }
}

impl JobExecutor for JobRunner {
    fn run(&self, job: Job, send: &dyn Fn(Message)) {
        match job {
            Job::DrawQuestion => {
                let question = lock_ignoring_poison(&self.questions).next();
                send(question.map_or_else(
                    || {
                        Message::ChangeSaved(Err(format!(
                            "all questions of {} were drawn",
                            self.task_set
                        )))
                    },
                    Message::QuestionDrawn,
                ));
            }
            Job::WatchGpu => watch_gpu(send),
            Job::Explain { boundary, features } => {
                let routing_policy = self.routing_policy();
                if let Some(Ok(pushes)) =
                    routing_policy.map(|policy| contributions(&policy, &features))
                {
                    send(Message::Explained(boundary, pushes));
                }
            }
            Job::EstimateThreshold => {
                let outlook = threshold_estimate(&self.store, self.routing_policy().as_deref());
                send(Message::ThresholdEstimates(outlook.map(Arc::new)));
            }
            Job::ListEpisodes { request_id, query, after, rows } => {
                let found = self.search(request_id, &query, after, rows);
                send(Message::EpisodesListed {
                    request_id,
                    from_start: after.is_none(),
                    page: found,
                });
            }
            Job::ReadEpisode { id, purpose } => {
                send(Message::EpisodeRead(
                    purpose,
                    self.load_episode(id).map_err(|e| e.to_string()),
                ));
            }
            Job::Annotate { ids, change } => {
                send(Message::ChangeSaved(self.annotate(&ids, &change).map_err(|e| e.to_string())));
            }
            Job::MoveToTrash(ids) => {
                let moved = self.store.move_to_trash(&ids, now_ms());
                let result = moved
                    .map(|()| format!("{} in the trash, undo brings back", episode_count(&ids)));
                send(Message::ChangeSaved(result.map_err(|e| e.to_string())));
            }
            Job::LoadMenu(list, basis) => {
                send(Message::MenuLoaded(self.menu(list, basis.as_deref())));
            }
            Job::LoadTheme(name) => send(Message::ThemeLoaded(self.theme(&name))),
            Job::LoadPreset(name) => send(Message::PresetLoaded(self.load_preset_routing(&name))),
            Job::LoadPolicy { name, step } => {
                send(Message::PolicyLoaded(step, self.registry_with_policy(&name)))
            }
            Job::RunTraining { action, preset, pair, candidate } => {
                self.run_training(action, &preset, &pair, candidate.as_deref(), send);
            }
            Job::CancelTraining => self.cancelled.store(true, Ordering::Relaxed),
            Job::Promote { preset, candidate } => {
                send(Message::Promoted(self.promote(&preset, &candidate)));
            }
            Job::RollBack(preset) => send(Message::Promoted(self.roll_back(&preset))),
            Job::DiscardCandidate(number) => {
                if let Err(error) = self.store.delete_policy(number) {
                    send(Message::Training(TrainingUpdate::Failed(error.to_string())));
                }
            }
            Job::ScoreUser => send(Message::UserScored(self.user_score())),
            Job::UndoDelete => send(Message::ChangeSaved(self.undo())),
            Job::Export { ids, path } => send(Message::ChangeSaved(self.export(&ids, &path))),
        }
    }

    fn start_session(&self, routing: RoutingConfig) -> Result<SessionHandle, String> {
        self.set_routing(&routing.preset, &routing.registry);
        self.start_session().map_err(|e| format!("cannot start_session the session's thread: {e}"))
    }
}

/// What is behind a lock; one that a panic left locked holds nothing half done.
fn lock_ignoring_poison<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn library_row(entry: EpisodeEntry, depth: usize) -> ListedEpisode {
    let (date, hour, minute) = LocalCalendar::date_time(entry.summary.began_ms);
    let began = format!("{:02}-{:02} {hour:02}:{minute:02}", date.month, date.day);
    ListedEpisode { entry, depth, began }
}

fn episode_count(ids: &[u64]) -> String {
    match ids {
        [one] => format!("episode {one}"),
        _ => format!("{} episodes", ids.len()),
    }
}

/// How often a GPU is looked at.
const GPU_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Tells of the GPU's memory when what the screen shows of it, a tenth of a gigabyte, has changed.
fn watch_gpu(send: &dyn Fn(Message)) {
    let Ok(driver) = Driver::open() else { return };
    let mut last_shown = None;
    while let Some(memory) = driver.memory() {
        let shown = memory.used / 100_000_000;
        if last_shown.replace(shown) != Some(shown) {
            send(Message::Gpu(memory));
        }
        std::thread::sleep(GPU_POLL_INTERVAL);
    }
}

/// Stored episodes that estimates are made from, at most; the newest ones.
const MAX_ESTIMATE_EPISODES: usize = 10_000;

/// Estimates for every threshold, from the episodes that were collected since the policy was trained.
fn threshold_estimate(
    store: &Store,
    policy: Option<&Policy>,
) -> Result<ThresholdEstimates, String> {
    let policy = policy.ok_or("estimates are made for the router `policy` only")?;
    let fresh = fresh_episodes(store, policy, MAX_ESTIMATE_EPISODES, || ())
        .map_err(|e| format!("the stored episodes cannot be read: {e}"))?;
    if fresh.logged.is_empty() {
        return Err(
            "no episodes were collected since the policy was trained: the training page collects some"
                .into(),
        );
    }
    let index = EstimateIndex::new(&fresh.logged);
    Ok(ThresholdEstimates { index, unit: policy.card.cost_unit, episodes: fresh.logged.len() })
}
