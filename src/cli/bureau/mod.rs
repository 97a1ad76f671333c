//! The workbench's errands: what it wants of the store, the policy, the task set and the configuration.

mod choices;
mod school;

pub use choices::scale;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::tasks::TaskArgs;
use super::{journal, memory};
use crate::config::{Folders, Preset};
use crate::engine::gpu::Driver;
use crate::evaluation::{PersonScore, WhatIf, person_score};
use crate::library::{Cursor, LocalTime, Query, family, page};
use crate::recording::{Recorded, write_json};
use crate::routing::{Policy, Roster, contributions};
use crate::session::{self, Employment, load_pair, now_ms};
use crate::store::{End, Entry, Store, StoreError};
use crate::tasks::Question;
use crate::training::{Dataset, logged};
use crate::workbench::{
    Change, Desk, Errand, Listed, Message, News, Outlook, Session, Sought, Stretch,
};

/// Episodes that a score looks at, the newest ones.
const SCORED: usize = 10_000;

/// Questions, one after the other.
type Questions = Box<dyn Iterator<Item = Question> + Send>;

/// What a workbench asks.
pub struct Asked {
    pub args: TaskArgs,
    /// Name of the task set.
    pub name: String,
    /// Its questions, in the order of the seed.
    pub drawn: Questions,
}

/// Does the errands of a workbench that has a store.
pub struct Bureau {
    store: Arc<Store>,
    folders: Folders,
    seed: u64,
    in_force: Mutex<Employment>,
    tasks: TaskArgs,
    /// The task set's name.
    task: String,
    questions: Mutex<Questions>,
    /// The session's thread.
    thread: Mutex<Option<JoinHandle<()>>>,
    /// What is learnt is to end.
    cancelled: AtomicBool,
    /// The last request to look for episodes.
    ticket: AtomicU64,
}

impl Bureau {
    /// For that store, who chooses at first, and what is asked.
    pub fn new(
        store: Arc<Store>,
        folders: Folders,
        seed: u64,
        employment: Employment,
        asked: Asked,
    ) -> Self {
        Self {
            store,
            folders,
            seed,
            in_force: Mutex::new(employment),
            tasks: asked.args,
            task: asked.name,
            questions: Mutex::new(asked.drawn),
            thread: Mutex::new(None),
            cancelled: AtomicBool::new(false),
            ticket: AtomicU64::new(0),
        }
    }

    /// Starts a session that loads the models of the preset in force, once the one before has ended.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(&self) -> io::Result<Session> {
        let Employment { preset, roster } = locked(&self.in_force).clone();
        let cache = self.folders.cache.clone();
        let mut thread = locked(&self.thread);
        let before = thread.take();
        let live = session::spawn(
            move |say| {
                if let Some(before) = before {
                    // It may have panicked; its models are gone all the same.
                    let _ = before.join();
                }
                say(memory::loading(&preset, &cache));
                Ok(load_pair(&preset, &cache)?)
            },
            roster,
            Box::new(journal::Kept(self.store.clone())),
        )?;
        *thread = Some(live.thread);
        Ok(Session { commands: live.commands, updates: live.updates })
    }

    /// The session's thread, to be waited for.
    pub fn take_thread(&self) -> Option<JoinHandle<()>> {
        locked(&self.thread).take()
    }

    fn preset(&self) -> Preset {
        locked(&self.in_force).preset.clone()
    }

    /// The policy that there is, whether it routes or another router does.
    fn policy_at_hand(&self) -> Option<Arc<Policy>> {
        locked(&self.in_force).roster.policy().cloned()
    }

    /// The policy that routes, where one does.
    fn policy(&self) -> Option<Arc<Policy>> {
        let Employment { preset, roster } = &*locked(&self.in_force);
        roster.policy().filter(|_| preset.routing.router == "policy").cloned()
    }

    fn employ(&self, preset: &Preset, roster: &Roster) {
        *locked(&self.in_force) = Employment { preset: preset.clone(), roster: roster.clone() };
    }

    fn score(&self) -> Result<PersonScore, String> {
        let failed = |e: &dyn std::fmt::Display| format!("the store cannot be read: {e}");
        // Those of the questions in whose episodes the person chose.
        let entries: Vec<Entry> = self.store.entries(None).take(SCORED).flatten().collect();
        let chosen: BTreeSet<&str> = entries
            .iter()
            .filter(|entry| entry.summary.person_steps > 0)
            .map(|entry| entry.summary.question.as_str())
            .collect();
        let of_them = entries.iter().filter(|e| chosen.contains(e.summary.question.as_str()));
        let episodes = of_them.map(|entry| self.store.episode(entry.summary.id));
        let episodes = episodes.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
        Ok(person_score(&episodes))
    }

    fn find(
        &self,
        ticket: u64,
        sought: &Sought,
        after: Option<Cursor>,
        rows: usize,
    ) -> Result<Stretch, String> {
        self.ticket.fetch_max(ticket, Ordering::Relaxed);
        let is_wanted = || self.ticket.load(Ordering::Relaxed) == ticket;
        let query = match sought {
            Sought::Query(query) => query,
            Sought::Family { of: id, .. } => {
                let rows = family(&self.store, *id).map_err(|e| e.to_string())?;
                let rows = rows.into_iter().map(|(entry, depth)| listed(entry, depth));
                return Ok(Stretch { rows: rows.collect(), ..Stretch::default() });
            }
        };
        let query = Query::parse(query, &LocalTime::at(now_ms())).map_err(|e| e.to_string())?;
        let found = page(&self.store, &query, after, rows, |_| is_wanted());
        let found = found.map_err(|e| e.to_string())?;
        Ok(Stretch {
            rows: found.entries.into_iter().map(|entry| listed(entry, 0)).collect(),
            unreadable: found.unreadable.len(),
            next: found.next,
        })
    }

    fn read(&self, id: u64) -> Result<Box<Recorded>, StoreError> {
        let (events, episode) = (self.store.events(id)?, self.store.episode(id)?);
        Ok(Box::new(Recorded { id, line: 1, events, json: Vec::new(), episode }))
    }

    fn annotate(&self, ids: &[u64], change: &Change) -> Result<String, StoreError> {
        self.store.annotate(ids, |annotations| match change {
            Change::Starred(starred) => annotations.starred = *starred,
            Change::Tag { tag, given: true } => {
                annotations.tags.insert(tag.clone());
            }
            Change::Tag { tag, given: false } => {
                annotations.tags.remove(tag);
            }
            Change::Note(note) => annotations.note.clone_from(note),
        })?;
        let many = many(ids);
        Ok(match change {
            Change::Starred(true) => format!("{many} starred"),
            Change::Starred(false) => format!("{many} without a star"),
            Change::Tag { tag, given: true } => format!("{many} tagged {tag}"),
            Change::Tag { tag, given: false } => format!("{many} without the tag {tag}"),
            Change::Note(_) => format!("note on {many} kept"),
        })
    }

    fn undo(&self) -> Result<String, String> {
        match self.store.undo().map_err(|e| e.to_string())?.as_slice() {
            [] => Err("the bin is empty: there is no deletion to undo".into()),
            ids => Ok(format!("{} back from the bin", many(ids))),
        }
    }

    fn export(&self, ids: &[u64], path: &Path) -> Result<String, String> {
        let failed = |e: &dyn std::fmt::Display| format!("cannot write {}: {e}", path.display());
        // Nobody is asked whether a file may be written over.
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => failed(&"it exists already, choose another name"),
            _ => failed(&e),
        })?;
        let mut out = BufWriter::new(&file);
        for &id in ids {
            for json in self.store.json(id).map_err(|e| e.to_string())? {
                write_json(&mut out, id, &json).map_err(|e| failed(&e))?;
            }
        }
        out.flush().and_then(|()| file.sync_all()).map_err(|e| failed(&e))?;
        Ok(format!("{} written to {}", many(ids), path.display()))
    }
}

impl Desk for Bureau {
    fn run(&self, errand: Errand, tell: &dyn Fn(Message)) {
        match errand {
            Errand::Draw => {
                let question = locked(&self.questions).next();
                tell(question.map_or_else(
                    || Message::Kept(Err(format!("all questions of {} were drawn", self.task))),
                    Message::Drawn,
                ));
            }
            Errand::WatchGpu => watch_gpu(tell),
            Errand::Explain { boundary, features } => {
                let policy = self.policy();
                if let Some(Ok(pushes)) = policy.map(|policy| contributions(&policy, &features)) {
                    tell(Message::Explained(boundary, pushes));
                }
            }
            Errand::LookAhead => {
                let outlook = look_ahead(&self.store, self.policy().as_deref());
                tell(Message::Outlook(outlook.map(Arc::new)));
            }
            Errand::Find { ticket, sought, after, rows } => {
                let found = self.find(ticket, &sought, after, rows);
                tell(Message::Found { ticket, anew: after.is_none(), found });
            }
            Errand::Read { id, purpose } => {
                tell(Message::Read(purpose, self.read(id).map_err(|e| e.to_string())));
            }
            Errand::Annotate { ids, change } => {
                tell(Message::Kept(self.annotate(&ids, &change).map_err(|e| e.to_string())));
            }
            Errand::Bin(ids) => {
                let kept = self.store.bin(&ids, now_ms());
                let told = kept.map(|()| format!("{} in the bin, undo brings back", many(&ids)));
                tell(Message::Kept(told.map_err(|e| e.to_string())));
            }
            Errand::Choices(list, ground) => {
                tell(Message::Menu(self.choices(list, ground.as_deref())));
            }
            Errand::Theme(name) => tell(Message::Theme(self.theme(&name))),
            Errand::Preset(name) => tell(Message::Preset(self.load(&name))),
            Errand::Hire { name, step } => tell(Message::Hired(step, self.hire(&name))),
            Errand::Learn { lesson, preset, pair, newcomer } => {
                self.learn(lesson, &preset, &pair, newcomer.as_deref(), tell);
            }
            Errand::Cancel => self.cancelled.store(true, Ordering::Relaxed),
            Errand::Promote { preset, newcomer } => {
                tell(Message::Promoted(self.promote(&preset, &newcomer)));
            }
            Errand::RollBack(preset) => tell(Message::Promoted(self.roll_back(&preset))),
            Errand::Discard(number) => {
                if let Err(error) = self.store.drop_policy(number) {
                    tell(Message::School(News::Failed(error.to_string())));
                }
            }
            Errand::Score => tell(Message::Scored(self.score())),
            Errand::Undo => tell(Message::Kept(self.undo())),
            Errand::Export { ids, path } => tell(Message::Kept(self.export(&ids, &path))),
        }
    }

    fn session(&self, employment: Employment) -> Result<Session, String> {
        self.employ(&employment.preset, &employment.roster);
        self.start().map_err(|e| format!("cannot start the session's thread: {e}"))
    }
}

/// What is behind a lock; one that a panic left locked holds nothing half done.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listed(entry: Entry, depth: usize) -> Listed {
    let (date, hour, minute) = LocalTime::moment(entry.summary.began_ms);
    let began = format!("{:02}-{:02} {hour:02}:{minute:02}", date.month, date.day);
    Listed { entry, depth, began }
}

fn many(ids: &[u64]) -> String {
    match ids {
        [one] => format!("episode {one}"),
        _ => format!("{} episodes", ids.len()),
    }
}

/// How often a GPU is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Tells of the GPU's memory when what the screen shows of it, a tenth of a gigabyte, has changed.
fn watch_gpu(tell: &dyn Fn(Message)) {
    let Ok(driver) = Driver::open() else { return };
    let mut told = None;
    while let Some(memory) = driver.memory() {
        let shown = memory.used / 100_000_000;
        if told.replace(shown) != Some(shown) {
            tell(Message::Gpu(memory));
        }
        std::thread::sleep(LOOK);
    }
}

/// Recorded episodes that are looked at, the newest ones.
const RECORDED: usize = 10_000;

/// What the episodes that were collected since the policy was trained say of thresholds.
fn look_ahead(store: &Store, policy: Option<&Policy>) -> Result<Outlook, String> {
    let policy = policy.ok_or("estimates are made for the router `policy` only")?;
    let card = &policy.card;
    let failed = |e: &dyn std::fmt::Display| format!("the recordings cannot be read: {e}");
    let mut dataset = Dataset::default();
    let fresh = |began_ms: u64| began_ms > card.created_ms;
    for entry in store.entries(None).take(RECORDED) {
        let summary = entry.map_err(|e| failed(&e))?.summary;
        if fresh(summary.began_ms) && matches!(summary.end, End::Finished { .. }) {
            let episode = store.episode(summary.id).map_err(|e| failed(&e))?;
            dataset.add(&episode, &card.pair, &card.set);
        }
    }
    let logged = logged(&dataset.trajectories, policy).map_err(|e| failed(&e))?;
    if logged.is_empty() {
        return Err(
            "no episodes were collected since the policy was trained: the page for retraining does"
                .into(),
        );
    }
    let what_if = WhatIf::new(&logged);
    Ok(Outlook { what_if, unit: card.cost_unit, episodes: logged.len() })
}
