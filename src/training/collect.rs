//! Episodes to learn from.

use std::collections::BTreeSet;

use crate::config::{Exploration, Preset};
use crate::engine::Flow;
use crate::episode::{Episode, Event};
use crate::routing::{Policy, Roster};
use crate::session::{Conductor, Fleet, Job, Journal, Nobody, SessionError};
use crate::store::{End, Store, StoreError};
use crate::tasks::Question;

/// A collection: the same plan on the same store goes on where it was left.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its name; episodes that carry it count as done.
    pub name: String,
    /// The router that is asked at each boundary.
    pub router: String,
    /// Question i has the seed `seed` + i.
    pub seed: u64,
}

/// `preset` as a collection runs it: `router` chooses, with a coin of that probability, under one random threshold an
/// episode. Where a policy routes, thresholds lie where its scores do.
pub fn exploring(preset: &Preset, router: &str, policy: Option<&Policy>, coin: f64) -> Preset {
    let policy = policy.filter(|_| router == "policy");
    let quantiles = policy
        .map_or_else(|| Exploration::default().quantiles, |policy| policy.card.quantiles.clone());
    let mut exploring = preset.clone();
    exploring.routing.router = router.to_owned();
    exploring.routing.exploration = Some(Exploration { quantiles, coin });
    exploring
}

/// What was missing of a collection, and was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// Episodes that the store had already.
    pub there: usize,
    pub written: usize,
}

/// Runs the questions of which the store has no finished episode of this plan. The fleet's preset
/// says how choices are drawn. `progress` is told at the beginning how many are there, and after each
/// episode, and may end it then: what is under way is kept as well.
///
/// # Errors
/// When an episode cannot be run or stored, or `progress` cancels.
pub fn collect<P: Into<Flow>>(
    fleet: &mut Fleet,
    roster: &Roster,
    store: &Store,
    plan: &Plan,
    questions: &[Question],
    progress: impl Fn(usize, Option<&Episode>) -> P,
) -> Result<Collected, SessionError> {
    let journal = |e: StoreError| SessionError::Journal(e.to_string());
    let mut done = BTreeSet::new();
    for summary in store.list() {
        let summary = summary.map_err(journal)?;
        let of_it = summary.collection.as_deref() == Some(&plan.name);
        if of_it && matches!(summary.end, End::Finished { .. }) {
            // By its text too: another file of the same name has another question there.
            done.extend(summary.index.map(|index| (index, summary.question)));
        }
    }
    let place = |q: &Question| q.origin.as_ref().map(|origin| (origin.index, q.text.clone()));
    let missing: Vec<(usize, &Question)> = questions
        .iter()
        .enumerate()
        .filter(|(_, q)| place(q).is_none_or(|place| !done.contains(&place)))
        .collect();
    let there = questions.len() - missing.len();
    progress(there, None);
    let work = |conductor: &mut Conductor, at: usize| {
        let (i, question) = missing[at];
        let mut router = roster.router(&plan.router)?;
        let job = Job {
            collection: Some(plan.name.clone()),
            ..Job::new(question, router.as_mut(), plan.seed.wrapping_add(i as u64))
        };
        conductor.run(job, &mut Batch { store, events: Vec::new() }, &mut Nobody)
    };
    let mut written = 0;
    fleet.each(missing.len(), work, |_, episode| {
        written += 1;
        match progress(there + written, Some(&episode)).into() {
            Flow::Continue => Ok(()),
            Flow::Cancel => Err(SessionError::Cancelled),
        }
    })?;
    Ok(Collected { there, written })
}

/// Keeps an episode's events together: nobody is told of one before all are in the store.
struct Batch<'a> {
    store: &'a Store,
    events: Vec<Event>,
}

impl Journal for Batch<'_> {
    fn begin(&mut self) -> Result<u64, String> {
        self.store.create().map_err(|e| e.to_string())
    }

    fn append(&mut self, id: u64, event: &Event) -> Result<(), String> {
        self.events.push(event.clone());
        if event.kind.is_last() {
            self.store.append_all(id, &self.events).map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}
