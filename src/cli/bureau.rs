//! The workbench's errands: what it wants of the store, the policy and the task set.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::evaluation::WhatIf;
use crate::library::{Cursor, LocalTime, Query, family, page};
use crate::recording::{Recorded, write_json};
use crate::routing::{Policy, contributions};
use crate::session::now_ms;
use crate::store::{End, Entry, Store, StoreError};
use crate::tasks::Question;
use crate::training::{Dataset, logged};
use crate::workbench::{Change, Desk, Errand, Listed, Message, Outlook, PAGE, Sought, Stretch};

/// Questions, one after the other.
type Questions = Box<dyn Iterator<Item = Question> + Send>;

/// Does the errands of a workbench that has a store.
pub struct Bureau {
    store: Arc<Store>,
    /// The policy in force, where one routes.
    policy: Option<Arc<Policy>>,
    questions: Mutex<Questions>,
    /// The last request to look for episodes.
    ticket: AtomicU64,
}

impl Bureau {
    /// For that store, the policy that routes, where one does, and the questions to draw.
    pub fn new(store: Arc<Store>, policy: Option<Arc<Policy>>, questions: Questions) -> Self {
        Self { store, policy, questions: Mutex::new(questions), ticket: AtomicU64::new(0) }
    }

    fn find(&self, ticket: u64, sought: &Sought, after: Option<Cursor>) -> Result<Stretch, String> {
        self.ticket.fetch_max(ticket, Ordering::Relaxed);
        let is_wanted = || self.ticket.load(Ordering::Relaxed) == ticket;
        let query = match sought {
            Sought::Query(query) => query,
            Sought::Family(id) => {
                let rows = family(&self.store, *id).map_err(|e| e.to_string())?;
                let rows = rows.into_iter().map(|(entry, depth)| listed(entry, depth));
                return Ok(Stretch { rows: rows.collect(), ..Stretch::default() });
            }
        };
        let query = Query::parse(query, &LocalTime::at(now_ms())).map_err(|e| e.to_string())?;
        let found = page(&self.store, &query, after, PAGE, |_| is_wanted());
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
                let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(question) = questions.next() {
                    tell(Message::Drawn(question));
                }
            }
            Errand::Explain { boundary, features } => {
                let policy = self.policy.as_deref();
                if let Some(Ok(pushes)) = policy.map(|policy| contributions(policy, &features)) {
                    tell(Message::Explained(boundary, pushes));
                }
            }
            Errand::LookAhead => {
                let outlook = look_ahead(&self.store, self.policy.as_deref());
                tell(Message::Outlook(outlook.map(Arc::new)));
            }
            Errand::Find { ticket, sought, after } => {
                let found = self.find(ticket, &sought, after);
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
            Errand::Undo => tell(Message::Kept(self.undo())),
            Errand::Export { ids, path } => tell(Message::Kept(self.export(&ids, &path))),
        }
    }
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
        return Err("no recordings to estimate from, `pointsman collect` writes some".into());
    }
    let what_if = WhatIf::new(&logged);
    Ok(Outlook { what_if, unit: card.cost_unit, episodes: logged.len() })
}
