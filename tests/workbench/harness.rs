//! A workbench that gets its messages from the test, with fixed times.

use std::collections::BTreeMap;
use std::path::Path;

use pointsman::config::{Folders, Preset, load_preset};
use pointsman::episode::{
    Decider, Event, EventKind, FinishReason, Generation, ModelRecord, Origin, PerRole, Role,
    Started, StopReason, Token, Usage, Verdict,
};
use pointsman::routing::{Opinion, RouterRegistry};
use pointsman::session::{RoutingConfig, SessionUpdate};
use pointsman::tasks::Question;
use pointsman::theme::{Glyphs, Theme};
use pointsman::workbench::{InitialState, Keymap, LoadedRouting, Message, State, View, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

pub(crate) const QUESTION: &str = "Ava has 37 pens. She buys 4 boxes of 12 pens each and then gives 18 pens to \
                        her friends. How many pens does Ava have now?";
pub(crate) const BEGAN_MS: u64 = 1_800_000_000_000;

pub(crate) fn preset() -> Preset {
    let home = tempfile::tempdir().unwrap();
    let mut preset = load_preset("tiny", &Folders::below(home.path()).unwrap()).unwrap();
    // The router of the episodes on these screens.
    preset.routing.router = "confidence".into();
    preset
}

pub(crate) fn question() -> Question {
    Question {
        text: QUESTION.into(),
        origin: Some(Origin { task: "arithmetic".into(), seed: 0, index: 0 }),
        gold: Some("67".into()),
        solution: None,
    }
}

/// A workbench, and the episode that it shows.
pub(crate) struct Harness {
    pub(crate) state: State,
    pub(crate) now: u64,
    pub(crate) step: usize,
    /// Id of the episode.
    pub(crate) id: u64,
    /// Its first event.
    pub(crate) first: EventKind,
}

/// The preset with the routers that need no policy.
pub(crate) fn routing(preset: Preset) -> RoutingConfig {
    RoutingConfig { registry: RouterRegistry::new(&preset.name, None), preset }
}

impl Harness {
    pub(crate) fn new(first: Option<Question>) -> Self {
        Self::with_keys(first, Keymap::default())
    }

    pub(crate) fn with_keys(first: Option<Question>, keys: Keymap) -> Self {
        let initial = InitialState {
            routing: LoadedRouting { routing: routing(preset()), scale: None },
            first_question: first,
            seed: 0,
            store: "/home/ava/.local/share/pointsman/store".into(),
            keys,
        };
        let (now, step, id) = (BEGAN_MS, 0, 7);
        let mut harness =
            Self { state: State::new(initial), now, step, id, first: EventKind::Paused };
        harness.session_update(SessionUpdate::Loading("loading the models".into()));
        harness
    }

    pub(crate) fn session_update(&mut self, message: SessionUpdate) {
        update(&mut self.state, Message::Session(message));
    }

    pub(crate) fn event(&mut self, kind: EventKind) {
        self.now += 40;
        if matches!(kind, EventKind::Started(_)) {
            self.first = kind.clone();
        }
        let event = Box::new(Event::new(self.now, kind));
        self.session_update(SessionUpdate::Event { id: self.id, event });
    }

    pub(crate) fn press(&mut self, keys: &str) {
        for c in keys.chars() {
            let code = match c {
                '\n' => KeyCode::Enter,
                '↑' => KeyCode::Up,
                c => KeyCode::Char(c),
            };
            self.key(code);
        }
    }

    pub(crate) fn key(&mut self, code: KeyCode) {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        update(&mut self.state, Message::Input(Input::Key(key)));
    }

    pub(crate) fn started(budget: Option<f64>) -> Self {
        let mut harness = Self::new(Some(question()));
        harness.session_update(SessionUpdate::Ready);
        let mut preset = preset();
        preset.budget.limit = budget;
        let model = |name: &str, parameters| ModelRecord {
            name: name.into(),
            digest: "0".into(),
            parameters,
        };
        let models =
            PerRole { small: model("tiny-small", 200_000), large: model("tiny-large", 3_000_000) };
        harness.event(EventKind::Started(Box::new(Started {
            question: QUESTION.into(),
            origin: question().origin,
            gold: Some("67".into()),
            preset,
            models,
            prices: PerRole { small: 4e5.into(), large: 6e6.into() },
            seed: 0,
            collection: None,
            parent: None,
        })));
        harness
    }

    pub(crate) fn draft(&mut self, p_large: f64, text: &str) {
        for token in tokens(text) {
            self.session_update(SessionUpdate::Token { model: Role::Small, token });
        }
        let opinion = Opinion { p_large, features: features(p_large) };
        self.session_update(SessionUpdate::Opinion { step: self.step, opinion });
    }

    pub(crate) fn decide(&mut self, p_large: f64, choice: Role, by: Decider) {
        self.event(EventKind::Decided {
            step: self.step,
            features: features(p_large),
            p_large: Some(p_large),
            threshold: self.state.threshold_now(),
            propensity: Some(1.0),
            choice,
            by,
        });
    }

    pub(crate) fn discard_draft(&mut self, text: &str) {
        let generation = generation(Role::Small, text);
        self.event(EventKind::Discarded { step: self.step, generation });
    }

    pub(crate) fn write(&mut self, model: Role, text: &str) {
        self.event(EventKind::Written { step: self.step, generation: generation(model, text) });
        self.step += 1;
    }

    /// A whole step: draft, decision of the rule, text.
    pub(crate) fn step(&mut self, p_large: f64, text: &str) {
        self.draft(p_large, text);
        let large = p_large >= self.state.threshold_now();
        let model = if large { Role::Large } else { Role::Small };
        self.decide(p_large, model, rule());
        if large {
            self.discard_draft(text.split_at(text.len() / 2).0);
        }
        self.write(model, text);
    }

    pub(crate) fn screen(&self, width: u16, height: u16) -> Screen {
        self.screen_with("default", Glyphs::Unicode, width, height)
    }

    pub(crate) fn screen_with(
        &self,
        theme: &str,
        glyphs: Glyphs,
        width: u16,
        height: u16,
    ) -> Screen {
        let theme = Theme::load(theme, Path::new("/nowhere")).unwrap();
        let mut screen = Screen {
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
            view: View::new(theme, glyphs),
        };
        screen.draw(&self.state);
        screen
    }
}

pub(crate) struct Screen {
    pub(crate) terminal: Terminal<TestBackend>,
    pub(crate) view: View,
}

impl Screen {
    pub(crate) fn draw(&mut self, state: &State) {
        self.terminal.draw(|frame| self.view.render(frame, state)).unwrap();
    }

    pub(crate) fn text(&self) -> String {
        let shown = self.terminal.backend().to_string();
        let lines = shown.lines().map(|line| line.trim_matches('"').trim_end().to_owned() + "\n");
        lines.collect()
    }
}

pub(crate) fn rule() -> Decider {
    Decider::Rule("confidence".into())
}

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let words = text.split_inclusive(' ');
    words
        .map(|word| Token {
            id: 1,
            text: word.into(),
            logprob: -0.1,
            entropy: 0.2,
            top: 0.9,
            margin: 0.8,
            ms: 4.0,
        })
        .collect()
}

pub(crate) fn generation(model: Role, text: &str) -> Generation {
    let usage = Usage { prefilled: 12, reused: 40, prefill_ms: 8.0, decode_ms: 76.0 };
    Generation {
        model,
        text: format!("{text}\n"),
        tokens: tokens(text),
        usage,
        stop: StopReason::Delimiter,
    }
}

pub(crate) fn features(p_large: f64) -> BTreeMap<String, f64> {
    let values = [
        ("draft.min_logprob", -4.0 * p_large),
        ("draft.first_entropy", 1.5 * p_large),
        ("draft.first_margin", 1.0 - p_large),
        ("draft.mean_entropy", 0.8 * p_large),
        ("draft.max_entropy", 2.0 * p_large),
        ("draft.longest_number", 3.0),
        ("draft.times", 1.0),
        ("last.mean_logprob", -0.11),
        ("trace.min_logprob", -1.37),
        ("trace.large_share", 0.25),
        ("budget.left", 1.0),
        ("question.length", 1.24),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn finished(verdict: Verdict) -> Harness {
    let mut harness = Harness::started(None);
    harness.step(0.12, "Pens bought: 4 × 12 = 48");
    harness.step(0.71, "Pens in all: 37 + 48 = 85");
    harness.step(0.22, "Pens left after the gift: 85 - 18 = 67");
    harness.step(0.03, "Answer: 67");
    let reason = FinishReason::Answered;
    harness.event(EventKind::Finished { answer: Some("67".into()), verdict, reason });
    harness
}

macro_rules! shots {
    ($name:literal, $harness:expr, $($size:expr),+) => {
        $({
            let (width, height) = $size;
            insta::assert_snapshot!(format!("{}_{width}x{height}", $name), $harness.screen(width, height).text());
        })+
    };
}
