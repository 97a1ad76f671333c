//! A session: a runner on a thread of its own, with a channel each way.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::{
    Command, EpisodeObserver, EpisodeRunner, EpisodeSpec, EventSink, Fork, ForkRequest,
    RoutingConfig, SessionError, SessionUpdate,
};
use crate::episode::{Episode, Event, Role, Token};
use crate::routing::{Opinion, RouterRegistry};
use crate::tasks::Question;

/// Updates that may wait for a slow screen. When the channel is full, events wait and tokens are
/// dropped.
const BACKLOG: usize = 1024;

/// A running session.
pub struct SessionHandle {
    /// Takes the user's commands.
    pub commands: Sender<Command>,
    /// Yields the session's updates.
    pub updates: tokio::sync::mpsc::Receiver<SessionUpdate>,
    /// The session's thread; it ends with the session.
    pub thread: JoinHandle<()>,
}

/// Starts a session whose routers come from `registry`. `load` makes the runner on the new thread, and
/// reports each stage of loading to its argument.
///
/// # Errors
/// If the system cannot start a thread.
pub fn spawn_session(
    load: impl FnOnce(&mut dyn FnMut(String)) -> Result<EpisodeRunner, SessionError> + Send + 'static,
    registry: RouterRegistry,
    sink: Box<dyn EventSink>,
) -> std::io::Result<SessionHandle> {
    let (commands, command_receiver) = channel();
    let (sender, updates) = tokio::sync::mpsc::channel(BACKLOG);
    let thread = std::thread::Builder::new().name("pointsman-session".into()).spawn(move || {
        let mut channel = SessionChannel::new(command_receiver, sender);
        match load(&mut |stage| channel.send(SessionUpdate::Loading(stage))) {
            Ok(runner) => Session { runner, registry, sink, channel }.serve(),
            Err(error) => channel.send(SessionUpdate::SessionFailed(error.to_string())),
        }
    })?;
    Ok(SessionHandle { commands, updates, thread })
}

/// A session on its thread.
struct Session {
    runner: EpisodeRunner,
    registry: RouterRegistry,
    sink: Box<dyn EventSink>,
    channel: SessionChannel,
}

/// An episode that the user asks for.
struct EpisodeRequest {
    question: Question,
    /// Ignored for a fork, which has its parent's.
    seed: u64,
    router: Option<String>,
    registry: Option<RouterRegistry>,
    paused: bool,
    fork: Option<Fork>,
}

impl Session {
    /// Executes commands until the user quits or the screen is gone.
    fn serve(mut self) {
        self.channel.send(SessionUpdate::Ready);
        while let Some(command) = self.channel.next_command() {
            if command == Command::Quit {
                return;
            }
            self.handle(command);
            if self.channel.disconnected {
                return;
            }
            self.apply_settings();
        }
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Ask { question, router, seed, paused } => {
                let (registry, fork) = (None, None);
                self.run(EpisodeRequest { question, seed, router, registry, paused, fork });
                // The threshold that the user set applies to the next question too, whether or not
                // this episode succeeded.
                let routing = &mut self.runner.preset_mut().routing;
                let threshold = self.channel.threshold.filter(|_| routing.exploration.is_none());
                routing.threshold = threshold.unwrap_or(routing.threshold);
            }
            Command::Fork(request) => {
                let ForkRequest { fork, router, registry, paused } = *request;
                let question = Question::of_started(&fork.episode.started);
                let fork = Some(fork);
                // A threshold that is moved in a fork applies to the fork only.
                self.run(EpisodeRequest { question, seed: 0, router, registry, paused, fork });
            }
            Command::Redo => self.channel.refuse(
                "no episode is running: to redo a step of an episode that is over, fork it there",
            ),
            Command::SetThreshold(t) if (0.0..=1.0).contains(&t) => {
                self.runner.preset_mut().routing.threshold = t;
            }
            Command::SetRouting(config) => self.channel.routing_config = Some(config),
            Command::SetBudget(limit) => self.runner.preset_mut().budget.limit = limit,
            _ => self.channel.refuse("no episode is running: ask a question first"),
        }
    }

    /// Runs an episode, with the router and the shadows of the request, else of its preset.
    fn run(&mut self, request: EpisodeRequest) {
        let EpisodeRequest { question, seed, router, registry, paused, fork } = request;
        let routing = match &fork {
            Some(fork) => &fork.episode.started.preset.routing,
            None => &self.runner.preset().routing,
        };
        let registry = registry.as_ref().unwrap_or(&self.registry);
        let router = registry.router(router.as_ref().unwrap_or(&routing.router));
        let routers = router.and_then(|router| Ok((router, registry.shadows(&routing.shadows)?)));
        let result = routers.map_err(SessionError::from).and_then(|(mut router, shadows)| {
            let spec = match fork {
                Some(fork) => EpisodeSpec::fork(&question, router.as_mut(), fork),
                None => EpisodeSpec::new(&question, router.as_mut(), seed),
            };
            let spec = EpisodeSpec { paused, shadows, ..spec };
            self.runner.run(spec, self.sink.as_mut(), &mut self.channel)
        });
        self.channel.report_result(result);
    }

    /// Applies what the user changed during an episode for the next one.
    fn apply_settings(&mut self) {
        self.channel.threshold = None;
        if let Some(limit) = self.channel.budget.take() {
            self.runner.preset_mut().budget.limit = limit;
        }
        if let Some(config) = self.channel.routing_config.take() {
            *self.runner.preset_mut() = config.preset;
            self.registry = config.registry;
        }
    }
}

/// The session's ends of the channels. As an episode's observer it keeps what is for the next one.
struct SessionChannel {
    command_receiver: Receiver<Command>,
    updates: tokio::sync::mpsc::Sender<SessionUpdate>,
    /// The command that ended the episode and has not been executed yet.
    next_episode_command: Option<Command>,
    /// The routing from the next question on.
    routing_config: Option<Box<RoutingConfig>>,
    /// The threshold that the user set during the episode.
    threshold: Option<f64>,
    /// The budget that the user set during the episode.
    budget: Option<Option<f64>>,
    /// An episode has started, and its last event has not come.
    episode_open: bool,
    /// The screen is gone, which ends the session.
    disconnected: bool,
}

impl SessionChannel {
    fn new(
        command_receiver: Receiver<Command>,
        updates: tokio::sync::mpsc::Sender<SessionUpdate>,
    ) -> Self {
        Self {
            command_receiver,
            updates,
            next_episode_command: None,
            routing_config: None,
            threshold: None,
            budget: None,
            episode_open: false,
            disconnected: false,
        }
    }

    /// The next command between episodes; `None` if the user's end is gone.
    fn next_command(&mut self) -> Option<Command> {
        self.next_episode_command.take().or_else(|| self.command_receiver.recv().ok())
    }

    fn send(&mut self, update: SessionUpdate) {
        if self.updates.blocking_send(update).is_err() {
            self.disconnected = true;
        }
    }

    fn refuse(&mut self, reason: &str) {
        self.send(SessionUpdate::Refused(reason.to_owned()));
    }

    /// Reports an episode that could not be run.
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

    /// Notes what a command means for the next episode; returns what it means for this one.
    fn note_command(&mut self, command: Command) -> Command {
        match command {
            Command::SetThreshold(to) if (0.0..=1.0).contains(&to) => self.threshold = Some(to),
            Command::SetBudget(limit) => self.budget = Some(limit),
            Command::Ask { .. } | Command::Fork(_) | Command::Quit => {
                self.next_episode_command = Some(command);
                return Command::Stop;
            }
            _ => {}
        }
        command
    }
}

/// Keeps a change of routing for later; returns all other commands.
fn defer_routing(later: &mut Option<Box<RoutingConfig>>, command: Command) -> Option<Command> {
    match command {
        Command::SetRouting(config) => {
            *later = Some(config);
            None
        }
        command => Some(command),
    }
}

impl EpisodeObserver for SessionChannel {
    fn poll(&mut self) -> Option<Command> {
        if self.disconnected {
            return Some(Command::Stop);
        }
        if self.next_episode_command.is_some() {
            return None;
        }
        let Self { command_receiver, routing_config, .. } = self;
        let command =
            command_receiver.try_iter().find_map(|command| defer_routing(routing_config, command));
        command.map(|command| self.note_command(command))
    }

    fn wait(&mut self) -> Option<Command> {
        if self.disconnected {
            return None;
        }
        let Self { command_receiver, routing_config, .. } = self;
        let command =
            command_receiver.iter().find_map(|command| defer_routing(routing_config, command));
        command.map(|command| self.note_command(command))
    }

    fn on_event(&mut self, id: u64, event: Event) {
        self.episode_open = !event.kind.ends_episode();
        self.send(SessionUpdate::Event { id, event: Box::new(event) });
    }

    fn on_token(&mut self, model: Role, token: &Token) {
        let _ = self.updates.try_send(SessionUpdate::Token { model, token: token.clone() });
    }

    fn on_opinion(&mut self, step: usize, opinion: &Opinion) {
        self.send(SessionUpdate::Opinion { step, opinion: opinion.clone() });
    }

    fn on_refused(&mut self, reason: &str) {
        self.refuse(reason);
    }

    fn on_notice(&mut self, text: &str) {
        self.send(SessionUpdate::Notice(text.to_owned()));
    }
}
