//! A runner on a thread of its own, with a channel each way.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::{
    Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, EventSink, ForkRequest, RoutingConfig,
    SessionError, SessionUpdate,
};
use crate::episode::{Episode, Event, Role, Token};
use crate::routing::{Opinion, RouterRegistry};
use crate::tasks::Question;

/// Updates that may wait for a slow screen. Events wait for room; tokens are dropped.
const BACKLOG: usize = 1024;

/// A running session.
pub struct SessionHandle {
    pub commands: Sender<Command>,
    pub updates: tokio::sync::mpsc::Receiver<SessionUpdate>,
    /// Ends when the session has.
    pub thread: JoinHandle<()>,
}

/// Starts a session whose routers come from `registry`: `load` makes the runner on the new thread, which takes as long as the models
/// take to load, and says what it does meanwhile.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn_session(
    load: impl FnOnce(&mut dyn FnMut(String)) -> Result<EpisodeRunner, SessionError> + Send + 'static,
    registry: RouterRegistry,
    mut sink: Box<dyn EventSink>,
) -> std::io::Result<SessionHandle> {
    let (commands, command_receiver) = channel();
    let (sender, updates) = tokio::sync::mpsc::channel(BACKLOG);
    let thread = std::thread::Builder::new().name("pointsman-session".into()).spawn(move || {
        let mut channel = SessionChannel {
            command_receiver,
            updates: sender,
            next_episode_command: None,
            routing_config: None,
            threshold: None,
            budget: None,
            episode_open: false,
            disconnected: false,
        };
        match load(&mut |what| channel.send(SessionUpdate::Loading(what))) {
            Ok(runner) => serve(runner, registry, sink.as_mut(), &mut channel),
            Err(error) => channel.send(SessionUpdate::SessionFailed(error.to_string())),
        }
    })?;
    Ok(SessionHandle { commands, updates, thread })
}

fn serve(
    mut runner: EpisodeRunner,
    mut registry: RouterRegistry,
    sink: &mut dyn EventSink,
    channel: &mut SessionChannel,
) {
    channel.send(SessionUpdate::Ready);
    while let Some(command) =
        channel.next_episode_command.take().or_else(|| channel.command_receiver.recv().ok())
    {
        match command {
            Command::Quit => return,
            Command::Ask { question, router, seed, paused } => {
                let name = router.unwrap_or_else(|| runner.preset().routing.router.clone());
                let wanted = runner.preset().routing.shadows.clone();
                let routers =
                    registry.router(&name).and_then(|r| Ok((r, registry.shadows(&wanted)?)));
                let result =
                    routers.map_err(SessionError::from).and_then(|(mut router, shadows)| {
                        let spec = EpisodeSpec {
                            paused,
                            shadows,
                            ..EpisodeSpec::new(&question, router.as_mut(), seed)
                        };
                        runner.run(spec, sink, channel)
                    });
                channel.report_result(result);
                // What a person set holds for the next question too, whatever became of this one.
                let preset = runner.preset_mut();
                let threshold = channel.threshold.filter(|_| preset.routing.exploration.is_none());
                preset.routing.threshold = threshold.unwrap_or(preset.routing.threshold);
            }
            Command::Fork(order) => {
                let ForkRequest { fork, router, registry: own, paused } = *order;
                let started = &fork.episode.started;
                let registry = own.as_ref().unwrap_or(&registry);
                let name = router.unwrap_or_else(|| started.preset.routing.router.clone());
                let wanted = started.preset.routing.shadows.clone();
                let routers =
                    registry.router(&name).and_then(|r| Ok((r, registry.shadows(&wanted)?)));
                let question = Question::of_started(started);
                let result =
                    routers.map_err(SessionError::from).and_then(|(mut router, shadows)| {
                        let spec = EpisodeSpec::fork(&question, router.as_mut(), fork);
                        runner.run(EpisodeSpec { paused, shadows, ..spec }, sink, channel)
                    });
                // A threshold that is moved in a fork is for the fork only.
                channel.report_result(result);
            }
            Command::Redo => channel.send(SessionUpdate::Refused(
                "no episode is running: fork the one that is over from the step to write anew"
                    .into(),
            )),
            Command::SetThreshold(t) if (0.0..=1.0).contains(&t) => {
                runner.preset_mut().routing.threshold = t;
            }
            Command::SetRouting(routing_config) => channel.routing_config = Some(routing_config),
            Command::SetBudget(limit) => runner.preset_mut().budget.limit = limit,
            _ => channel
                .send(SessionUpdate::Refused("no episode is running: ask a question first".into())),
        }
        if channel.disconnected {
            return;
        }
        channel.threshold = None;
        if let Some(limit) = channel.budget.take() {
            runner.preset_mut().budget.limit = limit;
        }
        if let Some(routing_config) = channel.routing_config.take() {
            *runner.preset_mut() = routing_config.preset;
            registry = routing_config.registry;
        }
    }
}

/// The far end of the channels.
struct SessionChannel {
    command_receiver: Receiver<Command>,
    updates: tokio::sync::mpsc::Sender<SessionUpdate>,
    /// The command that ended the episode and is still to be obeyed.
    next_episode_command: Option<Command>,
    /// Who is to choose from the next question on.
    routing_config: Option<Box<RoutingConfig>>,
    /// The threshold and the budget that a person set in the episode.
    threshold: Option<f64>,
    budget: Option<Option<f64>>,
    /// An episode has begun and its last event has not come.
    episode_open: bool,
    disconnected: bool,
}

impl SessionChannel {
    fn send(&mut self, update: SessionUpdate) {
        // A screen that is gone ends the session.
        if self.updates.blocking_send(update).is_err() {
            self.disconnected = true;
        }
    }

    /// Tells of an episode that could not be run.
    fn report_result(&mut self, result: Result<Episode, SessionError>) {
        let open = std::mem::take(&mut self.episode_open);
        if let Err(error) = result {
            let reason = error.to_string();
            self.send(if open {
                SessionUpdate::SinkFailed(reason)
            } else {
                SessionUpdate::Refused(reason)
            });
        }
    }

    fn note_command(&mut self, command: Option<Command>) -> Option<Command> {
        match command {
            Some(Command::SetThreshold(to)) if (0.0..=1.0).contains(&to) => {
                self.threshold = Some(to)
            }
            Some(Command::SetBudget(limit)) => self.budget = Some(limit),
            _ => {}
        }
        match command {
            Some(command @ (Command::Ask { .. } | Command::Fork(_) | Command::Quit)) => {
                self.next_episode_command = Some(command);
                Some(Command::Stop)
            }
            other => other,
        }
    }
}

/// Keeps what is for the next question only; gives the others.
fn defer_routing(later: &mut Option<Box<RoutingConfig>>, command: Command) -> Option<Command> {
    match command {
        Command::SetRouting(routing_config) => {
            *later = Some(routing_config);
            None
        }
        command => Some(command),
    }
}

impl EpisodeObserver for SessionChannel {
    fn poll(&mut self) -> Option<Command> {
        if self.next_episode_command.is_some() || self.disconnected {
            return None;
        }
        let Self { command_receiver, routing_config, .. } = self;
        let command =
            command_receiver.try_iter().find_map(|command| defer_routing(routing_config, command));
        self.note_command(command)
    }

    fn wait(&mut self) -> Option<Command> {
        if self.disconnected {
            return None;
        }
        let Self { command_receiver, routing_config, .. } = self;
        let command =
            command_receiver.iter().find_map(|command| defer_routing(routing_config, command));
        self.note_command(command)
    }

    fn on_event(&mut self, id: u64, event: &Event) {
        self.episode_open = !event.kind.ends_episode();
        self.send(SessionUpdate::Event { id, event: Box::new(event.clone()) });
    }

    fn on_token(&mut self, model: Role, token: &Token) {
        let _ = self.updates.try_send(SessionUpdate::Token { model, token: token.clone() });
    }

    fn on_opinion(&mut self, step: usize, opinion: &Opinion) {
        self.send(SessionUpdate::Opinion { step, opinion: opinion.clone() });
    }

    fn on_refused(&mut self, reason: &str) {
        self.send(SessionUpdate::Refused(reason.to_owned()));
    }

    fn on_notice(&mut self, text: &str) {
        self.send(SessionUpdate::Notice(text.to_owned()));
    }
}
