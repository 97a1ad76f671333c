//! Runs episodes: [`EpisodeRunner`] owns the two models, an [`EpisodeSpec`] says what to run.

use super::compat::available;
use super::running_episode::RunningEpisode;
use super::step_loop::{RunContext, StepLoop};
use super::{EpisodeObserver, EventSink, Fork, SessionError};
use crate::config::{Preset, Prices};
use crate::engine::chat::apply_template;
use crate::engine::{Engine, EngineError, TokenStats};
use crate::episode::{Episode, EventKind, ModelRecord, PerRole, Role, Started};
use crate::routing::{Explorer, PairFingerprint, Router, ShadowRouter, check_requirements};
use crate::tasks::Question;

/// One episode to run.
pub struct EpisodeSpec<'a> {
    /// The question.
    pub question: &'a Question,
    /// Chooses the writer of each step.
    pub router: &'a mut dyn Router,
    /// Seed of everything that the episode draws.
    pub seed: u64,
    /// Whether it starts in pause.
    pub paused: bool,
    /// The collection that it belongs to, if any.
    pub collection: Option<String>,
    /// Routers whose opinion is recorded but has no effect.
    pub shadows: Vec<ShadowRouter>,
    /// For a fork: where it leaves its parent.
    pub fork: Option<Fork>,
}

impl<'a> EpisodeSpec<'a> {
    /// An episode that starts at once, belongs to no collection and has no shadows.
    pub fn new(question: &'a Question, router: &'a mut dyn Router, seed: u64) -> Self {
        let (collection, shadows, fork) = (None, Vec::new(), None);
        Self { question, router, seed, paused: false, collection, shadows, fork }
    }

    /// A fork; `question` is that of the parent.
    pub fn fork(question: &'a Question, router: &'a mut dyn Router, fork: Fork) -> Self {
        let seed = fork.episode.started.seed;
        Self { fork: Some(fork), ..Self::new(question, router, seed) }
    }
}

/// Owns the two models and the preset, and runs one episode after the other on the calling thread.
///
/// ```no_run
/// use pointsman::config::{Folders, load_preset};
/// use pointsman::routing::RouterRegistry;
/// use pointsman::session::{EpisodeSpec, NullObserver, load_pair};
/// use pointsman::tasks::Question;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folders = Folders::find()?;
/// let preset = load_preset("tiny", &folders)?;
/// let mut runner = load_pair(&preset, &folders.cache)?;
/// let mut router = RouterRegistry::new("tiny", None).router("confidence")?;
/// let question = Question::from_user("Ava has 37 pens. She buys 4 boxes of 12 pens. How many now?");
/// // The sink keeps the events; the observer would see them, and could pause or override.
/// let mut events = Vec::new();
/// let spec = EpisodeSpec::new(&question, router.as_mut(), 0);
/// let episode = runner.run(spec, &mut events, &mut NullObserver)?;
/// println!("{}{} events, cost {}", episode.text(), events.len(), episode.ledger.cost());
/// # Ok(())
/// # }
/// ```
pub struct EpisodeRunner {
    engines: PerRole<Box<dyn Engine>>,
    preset: Preset,
    prices: Prices,
}

impl EpisodeRunner {
    /// A runner of two loaded models. A model without a price in the preset costs its floating-point
    /// operations: about 2 per parameter and token.
    #[must_use]
    pub fn new(engines: PerRole<Box<dyn Engine>>, preset: Preset) -> Self {
        let prices = PerRole::from_fn(|role| {
            let operations = 2.0 * engines[role].model().parameters as f64;
            preset.model(role).price().unwrap_or(operations.into())
        });
        Self { engines, preset, prices }
    }

    /// The current preset.
    #[must_use]
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// Changes how the next episodes are run; the models stay.
    pub fn preset_mut(&mut self) -> &mut Preset {
        &mut self.preset
    }

    /// The current preset with the prompts that the models' chat templates render.
    ///
    /// # Errors
    /// If the preset asks for a model's chat template, and it has none or its template fails.
    pub fn templated_preset(&self) -> Result<Preset, EngineError> {
        self.apply_templates(self.preset.clone())
    }

    fn apply_templates(&self, mut preset: Preset) -> Result<Preset, EngineError> {
        for role in Role::BOTH {
            apply_template(&mut preset, role, self.engines[role].as_ref())?;
        }
        Ok(preset)
    }

    /// A model as it was loaded.
    #[must_use]
    pub fn model(&self, role: Role) -> &ModelRecord {
        self.engines[role].model()
    }

    /// The token statistics that a model reports.
    #[must_use]
    pub fn token_stats(&self, role: Role) -> TokenStats {
        self.engines[role].token_stats()
    }

    /// Fingerprint of the two models under the current preset.
    #[must_use]
    pub fn pair(&self) -> PairFingerprint {
        let models = PerRole::from_fn(|role| self.model(role));
        PairFingerprint::of(&self.preset, self.prices, models)
    }

    /// Prices per token.
    #[must_use]
    pub fn prices(&self) -> Prices {
        self.prices
    }

    /// Runs one episode to its end. A fork runs with the preset and the prices of its parent.
    ///
    /// # Errors
    /// If an engine, the router or the sink fails; the episode then ends with [`EventKind::Failed`],
    /// unless the sink failed. Before the first event: if the router lacks something that it needs, the
    /// parent cannot be forked there, or a chat template fails.
    pub fn run(
        &mut self,
        spec: EpisodeSpec<'_>,
        sink: &mut dyn EventSink,
        observer: &mut dyn EpisodeObserver,
    ) -> Result<Episode, SessionError> {
        let EpisodeSpec { question, router, seed, paused, collection, shadows, fork } = spec;
        let (preset, prices) = self.settings(fork.as_ref(), router)?;
        let own_length = router.requirements().draft_length;
        let draft_length = preset.routing.draft_length.unwrap_or(own_length);
        check_requirements(router, &available(&self.engines, question, draft_length))?;
        let mut preset = self.apply_templates(preset)?;
        let explorer = explorer(&mut preset, seed, fork.as_ref());
        let question_line = question_line(question, &preset.steps.delimiter);
        let prompts = PerRole::from_fn(|role| preset.prompt_for(role, &question_line));
        let pending_prefill =
            PerRole::from_fn(|role| fork.as_ref()?.prefilled_before(role, &prompts[role]));
        let started = Started {
            question: question.text.clone(),
            origin: question.origin.clone(),
            gold: question.gold.clone(),
            preset,
            models: PerRole::from_fn(|role| self.model(role).clone()),
            prices,
            seed,
            collection,
            parent: fork.as_ref().map(Fork::parent),
        };
        let started = EventKind::Started(Box::new(started));
        let running = RunningEpisode::start(started, sink, observer, pending_prefill)?;
        let context = RunContext { question, router, shadows, prompts, explorer };
        StepLoop { engines: &mut self.engines, running, context }.run(fork.as_ref(), paused)
    }

    /// The preset and the prices of an episode.
    fn settings(
        &self,
        fork: Option<&Fork>,
        router: &dyn Router,
    ) -> Result<(Preset, Prices), SessionError> {
        let Some(fork) = fork else { return Ok((self.preset.clone(), self.prices)) };
        fork.check(PerRole { small: self.model(Role::Small), large: self.model(Role::Large) })?;
        Ok((fork.preset(router)?, fork.episode.started.prices))
    }
}

/// The explorer that the preset asks for; its threshold becomes the preset's.
fn explorer(preset: &mut Preset, seed: u64, fork: Option<&Fork>) -> Option<Explorer> {
    // Other draws than those of the tokens.
    let seed = seed.wrapping_add(0x005E_ED0F_D4A5);
    let mut explorer = Explorer::new(preset.routing.exploration.clone()?, seed);
    preset.routing.threshold = explorer.threshold();
    if let Some(fork) = fork {
        fork.replay_draws(&mut explorer);
    }
    Some(explorer)
}

/// A question as it goes into a prompt: on one line if a line is a step, else as it is.
fn question_line(question: &Question, delimiter: &str) -> String {
    match delimiter {
        "\n" => question.text.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => question.text.trim().to_owned(),
    }
}
