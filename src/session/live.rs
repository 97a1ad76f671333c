//! A conductor on a thread of its own, with a channel each way.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::{
    Audience, Command, Conductor, Employment, ForkOrder, Job, Journal, SessionError, Update,
};
use crate::episode::{Episode, Event, Role, Token};
use crate::routing::{Opinion, Roster};
use crate::tasks::Question;

/// Updates that may wait for a slow screen. Events wait for room; tokens are dropped.
const BACKLOG: usize = 1024;

/// A running session.
pub struct Live {
    pub commands: Sender<Command>,
    pub updates: tokio::sync::mpsc::Receiver<Update>,
    /// Ends when the session has.
    pub thread: JoinHandle<()>,
}

/// Starts a session whose routers come from `roster`: `load` makes the conductor on the new thread, which takes as long as the models
/// take to load, and says what it does meanwhile.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    load: impl FnOnce(&mut dyn FnMut(String)) -> Result<Conductor, SessionError> + Send + 'static,
    roster: Roster,
    mut journal: Box<dyn Journal>,
) -> std::io::Result<Live> {
    let (commands, orders) = channel();
    let (sender, updates) = tokio::sync::mpsc::channel(BACKLOG);
    let thread = std::thread::Builder::new().name("pointsman-session".into()).spawn(move || {
        let mut hall = Hall {
            orders,
            updates: sender,
            next: None,
            employment: None,
            threshold: None,
            budget: None,
            open: false,
            over: false,
        };
        match load(&mut |what| hall.tell(Update::Loading(what))) {
            Ok(conductor) => serve(conductor, roster, journal.as_mut(), &mut hall),
            Err(error) => hall.tell(Update::Failed(error.to_string())),
        }
    })?;
    Ok(Live { commands, updates, thread })
}

fn serve(mut conductor: Conductor, mut roster: Roster, journal: &mut dyn Journal, hall: &mut Hall) {
    hall.tell(Update::Ready);
    while let Some(command) = hall.next.take().or_else(|| hall.orders.recv().ok()) {
        match command {
            Command::Quit => return,
            Command::Ask { question, router, seed, paused } => {
                let name = router.unwrap_or_else(|| conductor.preset().routing.router.clone());
                let wanted = conductor.preset().routing.shadows.clone();
                let routers = roster.router(&name).and_then(|r| Ok((r, roster.shadows(&wanted)?)));
                let result =
                    routers.map_err(SessionError::from).and_then(|(mut router, shadows)| {
                        let job =
                            Job { paused, shadows, ..Job::new(&question, router.as_mut(), seed) };
                        conductor.run(job, journal, hall)
                    });
                hall.told(result);
                // What a person set holds for the next question too, whatever became of this one.
                let preset = conductor.preset_mut();
                let threshold = hall.threshold.filter(|_| preset.routing.exploration.is_none());
                preset.routing.threshold = threshold.unwrap_or(preset.routing.threshold);
            }
            Command::Fork(order) => {
                let ForkOrder { fork, router, roster: own, paused } = *order;
                let started = &fork.episode.started;
                let roster = own.as_ref().unwrap_or(&roster);
                let name = router.unwrap_or_else(|| started.preset.routing.router.clone());
                let wanted = started.preset.routing.shadows.clone();
                let routers = roster.router(&name).and_then(|r| Ok((r, roster.shadows(&wanted)?)));
                let question = Question::of(started);
                let result =
                    routers.map_err(SessionError::from).and_then(|(mut router, shadows)| {
                        let job = Job::fork(&question, router.as_mut(), fork);
                        conductor.run(Job { paused, shadows, ..job }, journal, hall)
                    });
                // A threshold that is moved in a fork is for the fork only.
                hall.told(result);
            }
            Command::Redo => hall.tell(Update::Refused(
                "no episode is running: fork the one that is over from the step to write anew"
                    .into(),
            )),
            Command::Threshold(t) if (0.0..=1.0).contains(&t) => {
                conductor.preset_mut().routing.threshold = t;
            }
            Command::Employ(employment) => hall.employment = Some(employment),
            Command::Budget(limit) => conductor.preset_mut().budget.limit = limit,
            _ => hall.tell(Update::Refused("no episode is running: ask a question first".into())),
        }
        if hall.over {
            return;
        }
        hall.threshold = None;
        if let Some(limit) = hall.budget.take() {
            conductor.preset_mut().budget.limit = limit;
        }
        if let Some(employment) = hall.employment.take() {
            *conductor.preset_mut() = employment.preset;
            roster = employment.roster;
        }
    }
}

/// The far end of the channels.
struct Hall {
    orders: Receiver<Command>,
    updates: tokio::sync::mpsc::Sender<Update>,
    /// The command that ended the episode and is still to be obeyed.
    next: Option<Command>,
    /// Who is to choose from the next question on.
    employment: Option<Box<Employment>>,
    /// The threshold and the budget that a person set in the episode.
    threshold: Option<f64>,
    budget: Option<Option<f64>>,
    /// An episode has begun and its last event has not come.
    open: bool,
    over: bool,
}

impl Hall {
    fn tell(&mut self, update: Update) {
        // A screen that is gone ends the session.
        if self.updates.blocking_send(update).is_err() {
            self.over = true;
        }
    }

    /// Tells of an episode that could not be run.
    fn told(&mut self, result: Result<Episode, SessionError>) {
        let open = std::mem::take(&mut self.open);
        if let Err(error) = result {
            let reason = error.to_string();
            self.tell(if open { Update::Broken(reason) } else { Update::Refused(reason) });
        }
    }

    fn heard(&mut self, command: Option<Command>) -> Option<Command> {
        match command {
            Some(Command::Threshold(to)) if (0.0..=1.0).contains(&to) => self.threshold = Some(to),
            Some(Command::Budget(limit)) => self.budget = Some(limit),
            _ => {}
        }
        match command {
            Some(command @ (Command::Ask { .. } | Command::Fork(_) | Command::Quit)) => {
                self.next = Some(command);
                Some(Command::Stop)
            }
            other => other,
        }
    }
}

/// Keeps what is for the next question only; gives the others.
fn for_now(later: &mut Option<Box<Employment>>, command: Command) -> Option<Command> {
    match command {
        Command::Employ(employment) => {
            *later = Some(employment);
            None
        }
        command => Some(command),
    }
}

impl Audience for Hall {
    fn poll(&mut self) -> Option<Command> {
        if self.next.is_some() || self.over {
            return None;
        }
        let Self { orders, employment, .. } = self;
        let command = orders.try_iter().find_map(|command| for_now(employment, command));
        self.heard(command)
    }

    fn wait(&mut self) -> Option<Command> {
        if self.over {
            return None;
        }
        let Self { orders, employment, .. } = self;
        let command = orders.iter().find_map(|command| for_now(employment, command));
        self.heard(command)
    }

    fn event(&mut self, id: u64, event: &Event) {
        self.open = !event.kind.is_last();
        self.tell(Update::Event { id, event: Box::new(event.clone()) });
    }

    fn token(&mut self, model: Role, token: &Token) {
        let _ = self.updates.try_send(Update::Token { model, token: token.clone() });
    }

    fn opinion(&mut self, step: usize, opinion: &Opinion) {
        self.tell(Update::Opinion { step, opinion: opinion.clone() });
    }

    fn refuse(&mut self, reason: &str) {
        self.tell(Update::Refused(reason.to_owned()));
    }

    fn remark(&mut self, text: &str) {
        self.tell(Update::Remark(text.to_owned()));
    }
}
