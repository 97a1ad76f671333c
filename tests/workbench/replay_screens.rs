//! The screens and keys of a replay, under a clock that the test sets.

use std::path::Path;

use pointsman::episode::{Decider, Episode, Event, EventKind, OverrideScope, Role};
use pointsman::recording::{
    RecordedEpisode, RecordingReader, ReplaySpeed, find_recording, write_event,
};
use pointsman::theme::{Glyphs, Theme};
use pointsman::workbench::{
    Action, ActionScope, ActionSpec, Effect, Keymap, Message, Notice, Overlay, PageId, Replay,
    State, View, update, write_asciicast,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

const ON_REPLAY: ActionScope = ActionScope::On(PageId::Replay);

/// All actions.
fn actions() -> Vec<&'static ActionSpec> {
    Keymap::default().rows().map(|(spec, _)| spec).collect()
}

const ONCE: ReplaySpeed = ReplaySpeed::Times(1.0);

fn rescue() -> RecordedEpisode {
    find_recording("rescue", Path::new("/nowhere")).unwrap().remove(0)
}

/// The recording `rescue`, changed: the user paused it for a minute before the second step, overrode that step,
/// and bookmarked the third after the end.
fn eventful() -> RecordedEpisode {
    let mut events = rescue().events;
    let paused_at = events[2].at_ms + 1;
    for event in &mut events[3..] {
        event.at_ms += 60_000;
    }
    let EventKind::Decided { by, .. } = &mut events[3].kind else { panic!("the second choice") };
    *by = Decider::User;
    let after_end = events.last().unwrap().at_ms + 5000;
    let scope = OverrideScope::NextStep;
    let pause = [
        Event::new(paused_at, EventKind::Paused),
        Event::new(paused_at + 9, EventKind::OverrideSet { model: Role::Small, scope }),
        Event::new(paused_at + 60_000, EventKind::Resumed),
    ];
    events.splice(3..3, pause);
    events.push(Event::new(after_end, EventKind::Bookmarked { step: 2, note: String::new() }));
    let mut lines = Vec::new();
    for event in &events {
        write_event(&mut lines, 8, event).unwrap();
    }
    RecordingReader::new("eventful.jsonl", &lines[..]).into_vec().unwrap().remove(0)
}

/// A replay and its clock.
struct ReplayHarness {
    state: State,
    now_ms: u64,
}

impl ReplayHarness {
    fn new(episodes: Vec<RecordedEpisode>) -> Self {
        let replay = Replay::new("rescue", episodes, ONCE).unwrap();
        let mut harness =
            Self { state: State::replaying(replay, Keymap::default()), now_ms: 1_900_000_000_000 };
        harness.advance_clock(0);
        harness
    }

    /// A paused replay.
    fn paused() -> Self {
        let mut harness = Self::new(vec![rescue()]);
        harness.press(" ");
        harness
    }

    fn advance_clock(&mut self, ms: u64) {
        self.now_ms += ms;
        update(&mut self.state, Message::Clock(self.now_ms));
    }

    fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        let effects = update(&mut self.state, Message::Input(Input::Key(key)));
        self.advance_clock(0);
        effects
    }

    fn press(&mut self, keys: &str) {
        for c in keys.chars() {
            match c {
                '→' => self.key(KeyCode::Right),
                '←' => self.key(KeyCode::Left),
                '↑' => self.key(KeyCode::Up),
                '\n' => self.key(KeyCode::Enter),
                '\t' => self.key(KeyCode::Tab),
                c => self.key(KeyCode::Char(c)),
            };
        }
    }

    fn hint(&self) -> &str {
        match &self.state.notice {
            Some(Notice::Hint(text)) => text,
            other => panic!("no hint but {other:?}"),
        }
    }

    fn episode(&self) -> &Episode {
        &self.state.displayed.as_ref().unwrap().episode
    }

    fn replay(&self) -> &Replay {
        self.state.replay().unwrap()
    }

    fn screen(&self, width: u16, height: u16) -> String {
        self.screen_with(Glyphs::Unicode, width, height)
    }

    fn screen_with(&self, glyphs: Glyphs, width: u16, height: u16) -> String {
        draw(&mut view(glyphs), &self.state, width, height)
    }

    /// Asserts that the displayed episode is the fold of the past events.
    fn assert_folds(&self) {
        let past = self.replay().player().past_events();
        assert_eq!(Some(self.episode()), Episode::fold(past).unwrap().as_ref());
    }
}

fn view(glyphs: Glyphs) -> View {
    View::new(Theme::load("default", Path::new("/nowhere")).unwrap(), glyphs)
}

fn draw(view: &mut View, state: &State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view.render(frame, state)).unwrap();
    let shown = terminal.backend().to_string();
    shown.lines().map(|line| line.trim_matches('"').trim_end().to_owned() + "\n").collect()
}

#[test]
fn at_a_boundary() {
    let mut harness = ReplayHarness::paused();
    harness.press("→→→");
    insta::assert_snapshot!("boundary_80x24", harness.screen(80, 24));
}

#[test]
fn mid_step() {
    let mut harness = ReplayHarness::new(vec![rescue(), rescue()]);
    harness.press("t");
    harness.advance_clock(8);
    insta::assert_snapshot!("mid_step_80x24", harness.screen(80, 24));
    insta::assert_snapshot!("mid_step_200x50", harness.screen(200, 50));
}

#[test]
fn with_reduced_motion_steps_appear_whole() {
    let mut harness = ReplayHarness::new(vec![rescue()]);
    harness.state.reduced_motion = true;
    let mut shown: Vec<(usize, String)> = Vec::new();
    while !harness.replay().player().is_over() {
        harness.advance_clock(1);
        let past = harness.replay().player().past_events().len();
        let screen = harness.screen(80, 24);
        let run = harness.state.displayed.as_ref().unwrap();
        assert_eq!(run.in_flight, None);
        // Only the router's opinion is shown before its event.
        if run.opinion.is_none() {
            match shown.last() {
                Some((before, last)) if *before == past => assert_eq!(*last, screen),
                _ => shown.push((past, screen)),
            }
        }
    }
    harness.assert_folds();
    assert!(shown.len() > 4, "{shown:?}");
}

#[test]
fn an_override_of_the_user() {
    let mut harness = ReplayHarness::new(vec![eventful()]);
    harness.press(" o");
    insta::assert_snapshot!("override_120x40", harness.screen(120, 40));
    let text = harness.screen_with(Glyphs::Ascii, 80, 24);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("override_ascii_80x24", text);
}

#[test]
fn the_end_of_a_replay() {
    let mut harness = ReplayHarness::new(vec![rescue()]);
    harness.advance_clock(1000);
    insta::assert_snapshot!("end_80x24", harness.screen(80, 24));
}

#[test]
fn help_lists_the_actions_of_a_replay() {
    let mut harness = ReplayHarness::paused();
    harness.press("?");
    let text = harness.screen(80, 24);
    insta::assert_snapshot!("help_80x24", text);
    for row in actions() {
        let valid = row.scope.exists_on(PageId::Replay);
        if row.scope == ON_REPLAY {
            assert!(valid && text.contains(row.help), "{}", row.help);
        }
        if matches!(row.scope, ActionScope::SessionReady | ActionScope::OpenEpisode) {
            assert!(!valid && !text.contains(row.help), "{}", row.help);
        }
    }
}

#[test]
fn every_position_shows_the_fold_of_its_past_events() {
    for recorded in [rescue(), eventful()] {
        let mut harness = ReplayHarness::new(vec![recorded.clone()]);
        let mut view = view(Glyphs::Unicode);
        let mut frames = 0;
        while harness.replay().player().is_playing() {
            harness.assert_folds();
            harness.advance_clock(1);
            draw(&mut view, &harness.state, 80, 24);
            frames += 1;
        }
        assert!(frames > 20, "{frames}");
        assert_eq!(*harness.episode(), recorded.episode);
        assert_eq!(harness.state.displayed.as_ref().unwrap().in_flight, None);
        // Random moves with every key, drawn by one view that sees them all.
        let keys = ["→", "←", "t", "T", "o", "O", "b", "B", "g", "G", "↑\n", ">", "<", " ", "w"];
        let mut dice = 7_usize;
        for _ in 0..600 {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            harness.press(keys[(dice >> 33) % keys.len()]);
            harness.advance_clock((dice >> 20) as u64 % 4);
            harness.assert_folds();
            let drawn = draw(&mut view, &harness.state, 80, 24);
            if harness.state.selected.is_none() {
                assert_eq!(
                    drawn,
                    harness.screen(80, 24),
                    "the view keeps nothing of a later position"
                );
            }
        }
    }
}

#[test]
fn text_in_flight_grows_token_by_token() {
    let mut harness = ReplayHarness::new(vec![rescue()]);
    harness.press("t");
    let mut seen = Vec::new();
    while harness.episode().steps.len() < 3 {
        harness.advance_clock(1);
        if let Some(generation) = &harness.state.displayed.as_ref().unwrap().in_flight {
            assert_eq!(
                generation.model,
                Role::Large,
                "the discarded draft is not shown as its beginning"
            );
            seen.push(generation.text.clone());
        }
    }
    assert!(seen.windows(2).all(|w| w[1].starts_with(&w[0])), "{seen:?}");
    assert!(
        seen.len() >= 3 && "In all: 28 + 38 = 66\n".starts_with(seen.last().unwrap()),
        "{seen:?}"
    );
}

#[test]
fn keys_of_a_live_session_give_a_hint_only() {
    let mut harness = ReplayHarness::paused();
    harness.press("→→");
    let replay_keys: Vec<_> = actions()
        .into_iter()
        .filter(|row| row.scope == ON_REPLAY)
        .flat_map(|row| row.keys)
        .map(|key| key.0)
        .collect();
    let mut tried = 0;
    for row in actions()
        .into_iter()
        .filter(|row| matches!(row.scope, ActionScope::SessionReady | ActionScope::OpenEpisode))
    {
        for key in row.keys.iter().filter(|key| !replay_keys.contains(&key.0)) {
            let before = harness.state.displayed.clone();
            assert!(harness.key(key.0).is_empty(), "{key}");
            assert!(harness.hint().starts_with("nothing in a replay can be changed"));
            assert_eq!(
                (&harness.state.displayed, harness.state.active.pending_threshold()),
                (&before, None),
                "{key}"
            );
            tried += 1;
        }
    }
    assert!(tried >= 12, "{tried}");
    update(&mut harness.state, Message::Input(Input::Paste("How many?".into())));
    assert!(harness.hint().starts_with("nothing in a replay"));
    assert!(matches!(harness.state.overlay, Overlay::None));
    assert_eq!(harness.key(KeyCode::Char('q')), [Effect::Quit]);
}

#[test]
fn replay_actions_do_not_exist_in_a_live_session() {
    let replay_actions = actions();
    let replay_actions =
        replay_actions.iter().filter(|row| matches!(row.action, Action::Replay(_)));
    assert!(replay_actions.clone().count() >= 14);
    assert!(
        replay_actions
            .clone()
            .all(|row| row.scope == ON_REPLAY && !row.scope.exists_on(PageId::Live))
    );
}

#[test]
fn moves_beyond_the_recording_give_a_hint() {
    let mut harness = ReplayHarness::paused();
    harness.press("←");
    assert_eq!(harness.hint(), "this is the start");
    harness.press("O");
    assert_eq!(harness.hint(), "there is no earlier override by the user");
    harness.press("\t");
    assert_eq!(harness.hint(), "this recording has one episode only");
    harness.press("G→");
    assert_eq!(harness.hint(), "this is the end");
    harness.press("t");
    assert_eq!(harness.hint(), "there is no later switch of the writer");
    harness.press(">>>>>>");
    assert_eq!(harness.hint(), "this is the highest speed");
    harness.press("<<<<<<<<<<<<<<");
    assert_eq!(harness.hint(), "1/64x is the slowest");
}

#[test]
fn speed_pause_and_the_selected_step() {
    let mut harness = ReplayHarness::new(vec![rescue()]);
    harness.press("<<");
    harness.advance_clock(8);
    assert_eq!(harness.replay().player().position_ms(), 2.0);
    harness.press(" ");
    harness.advance_clock(500);
    assert_eq!(harness.replay().player().position_ms(), 2.0);
    assert_eq!(harness.state.time_to_next_change(), None, "a paused replay has no next frame");
    harness.press(" ");
    assert!(harness.state.time_to_next_change().is_some());
    harness.advance_clock(4);
    assert_eq!(
        harness.replay().player().position_ms(),
        3.0,
        "the clock does not run during a pause"
    );
    harness.press("G");
    assert_eq!(harness.state.time_to_next_change(), None);
    harness.press("↑↑\n");
    assert_eq!((harness.episode().steps.len(), harness.state.selected), (1, None));
    harness.press("g>>>>>>>");
    harness.press(" ");
    harness.advance_clock(0);
    assert!(harness.replay().player().is_over(), "instant");
    assert_eq!(*harness.episode(), rescue().episode);
}

#[test]
fn a_recording_of_several_episodes() {
    let mut harness = ReplayHarness::new(vec![rescue(), eventful(), rescue()]);
    harness.advance_clock(1000);
    assert!(harness.screen(120, 40).contains("episode 1 of 3"));
    harness.press("\t");
    assert_eq!(
        (harness.replay().position(), harness.replay().player().is_playing()),
        ((1, 3), true)
    );
    assert_eq!(harness.episode().steps.len(), 0);
    harness.press(" \t");
    assert!(!harness.replay().player().is_playing(), "a pause lasts through the next episode");
    harness.press("\t");
    assert_eq!(harness.hint(), "this is the last episode of the recording");
    harness.press("G");
    let mut view = view(Glyphs::Unicode);
    draw(&mut view, &harness.state, 80, 24);
    harness.key(KeyCode::BackTab);
    harness.press("o");
    assert_eq!(harness.episode().steps.len(), 1);
    let text = draw(&mut view, &harness.state, 80, 24);
    assert!(text.contains("Apples so far") && !text.contains("In all"), "{text}");
    harness.key(KeyCode::BackTab);
    harness.key(KeyCode::BackTab);
    assert_eq!(harness.hint(), "this is the first episode of the recording");
}

#[test]
fn a_cast_ends_with_the_last_screen() {
    let export = || {
        let replay = Replay::new("rescue", vec![rescue(), eventful()], ONCE).unwrap();
        let mut out = Vec::new();
        write_asciicast(replay, view(Glyphs::Unicode), (80, 24), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let cast = export();
    assert_eq!(cast, export());
    let mut parser = vt100::Parser::new(24, 80, 0);
    for line in cast.lines().skip(1) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        parser.process(event[2].as_str().unwrap().as_bytes());
    }
    let mut harness = ReplayHarness::new(vec![rescue(), eventful()]);
    harness.press("\tG");
    let shown: String =
        parser.screen().contents().lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    assert_eq!(shown, harness.screen(80, 24));
}
