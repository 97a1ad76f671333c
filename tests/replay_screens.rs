//! The screens of a replay, from a recording and a clock that is told; what its keys do.

use std::path::Path;

use pointsman::episode::{Decider, Episode, Event, EventKind, OverrideScope, Role};
use pointsman::recording::{Episodes, Recorded, Speed, find, write_event};
use pointsman::theme::{Glyphs, Theme};
use pointsman::workbench::{
    ACTIONS, Action, Effect, Keymap, Message, Mode, Notice, Overlay, Place, Replay, State, View,
    film, update,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

const ONCE: Speed = Speed::Times(1.0);

fn rescue() -> Recorded {
    find("rescue", Path::new("/nowhere")).unwrap().remove(0)
}

/// The rescue, had a person paused it for a minute before the second step, taken the points for that
/// step, and marked the third after the end.
fn eventful() -> Recorded {
    let mut events = rescue().events;
    let paused_at = events[2].at_ms + 1;
    for event in &mut events[3..] {
        event.at_ms += 60_000;
    }
    let EventKind::Decided { by, .. } = &mut events[3].kind else { panic!("the second choice") };
    *by = Decider::Person;
    let over = events.last().unwrap().at_ms + 5000;
    let scope = OverrideScope::NextStep;
    let thought = [
        Event::new(paused_at, EventKind::Paused),
        Event::new(paused_at + 9, EventKind::OverrideSet { model: Role::Small, scope }),
        Event::new(paused_at + 60_000, EventKind::Resumed),
    ];
    events.splice(3..3, thought);
    events.push(Event::new(over, EventKind::Bookmarked { step: 2, note: String::new() }));
    let mut lines = Vec::new();
    for event in &events {
        write_event(&mut lines, 8, event).unwrap();
    }
    Episodes::new("eventful.jsonl", &lines[..]).into_vec().unwrap().remove(0)
}

/// A replay that is fed by hand.
struct Bench {
    state: State,
    now_ms: u64,
}

impl Bench {
    fn of(episodes: Vec<Recorded>) -> Self {
        let replay = Replay::new("rescue", episodes, ONCE).unwrap();
        let mut bench =
            Self { state: State::replaying(replay, Keymap::default()), now_ms: 1_900_000_000_000 };
        bench.pass(0);
        bench
    }

    /// One that does not play.
    fn at_the_start() -> Self {
        let mut bench = Self::of(vec![rescue()]);
        bench.press(" ");
        bench
    }

    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        update(&mut self.state, Message::Clock(self.now_ms));
    }

    fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        let effects = update(&mut self.state, Message::Input(Input::Key(key)));
        self.pass(0);
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
        &self.state.run.as_ref().unwrap().episode
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

    /// What is on the screen is the fold of what has happened.
    fn assert_folds(&self) {
        let happened = self.replay().player().happened();
        assert_eq!(Some(self.episode()), Episode::fold(happened).unwrap().as_ref());
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
    let mut bench = Bench::at_the_start();
    bench.press("→→→");
    insta::assert_snapshot!("boundary_80x24", bench.screen(80, 24));
}

#[test]
fn mid_step() {
    let mut bench = Bench::of(vec![rescue(), rescue()]);
    bench.press("t");
    bench.pass(8);
    insta::assert_snapshot!("mid_step_80x24", bench.screen(80, 24));
    insta::assert_snapshot!("mid_step_200x50", bench.screen(200, 50));
}

#[test]
fn with_reduced_motion_steps_appear_whole() {
    let mut bench = Bench::of(vec![rescue()]);
    bench.state.reduced_motion = true;
    let mut shown: Vec<(usize, String)> = Vec::new();
    while !bench.replay().player().is_over() {
        bench.pass(1);
        let happened = bench.replay().player().happened().len();
        let screen = bench.screen(80, 24);
        let run = bench.state.run.as_ref().unwrap();
        assert_eq!(run.in_flight, None);
        // The router's opinion comes ahead of its event; nothing else does.
        if run.opinion.is_none() {
            match shown.last() {
                Some((before, last)) if *before == happened => assert_eq!(*last, screen),
                _ => shown.push((happened, screen)),
            }
        }
    }
    bench.assert_folds();
    assert!(shown.len() > 4, "{shown:?}");
}

#[test]
fn a_persons_doing() {
    let mut bench = Bench::of(vec![eventful()]);
    bench.press(" o");
    insta::assert_snapshot!("override_120x40", bench.screen(120, 40));
    let text = bench.screen_with(Glyphs::Ascii, 80, 24);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("override_ascii_80x24", text);
}

#[test]
fn the_end_looks_as_it_did_live() {
    let mut bench = Bench::of(vec![rescue()]);
    bench.pass(1000);
    insta::assert_snapshot!("end_80x24", bench.screen(80, 24));
}

#[test]
fn help_shows_what_is_valid_here_and_fits() {
    let mut bench = Bench::at_the_start();
    bench.press("?");
    let text = bench.screen(80, 24);
    insta::assert_snapshot!("help_80x24", text);
    for row in ACTIONS {
        let valid = row.place.is_in(Mode::Replay);
        if row.place == Place::Replay {
            assert!(valid && text.contains(row.help), "{}", row.help);
        }
        if matches!(row.place, Place::Session | Place::Episode) {
            assert!(!valid && !text.contains(row.help), "{}", row.help);
        }
    }
}

#[test]
fn every_place_is_the_fold_of_a_prefix_and_the_end_of_all() {
    for recorded in [rescue(), eventful()] {
        let mut bench = Bench::of(vec![recorded.clone()]);
        let mut view = view(Glyphs::Unicode);
        let mut frames = 0;
        while bench.replay().player().is_playing() {
            bench.assert_folds();
            bench.pass(1);
            draw(&mut view, &bench.state, 80, 24);
            frames += 1;
        }
        assert!(frames > 20, "{frames}");
        assert_eq!(*bench.episode(), recorded.episode);
        assert_eq!(bench.state.run.as_ref().unwrap().in_flight, None);
        // Up and down at random, by every key, each time drawn by the view that saw it before.
        let keys = ["→", "←", "t", "T", "o", "O", "b", "B", "g", "G", "↑\n", ">", "<", " ", "w"];
        let mut dice = 7_usize;
        for _ in 0..600 {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            bench.press(keys[(dice >> 33) % keys.len()]);
            bench.pass((dice >> 20) as u64 % 4);
            bench.assert_folds();
            let drawn = draw(&mut view, &bench.state, 80, 24);
            if bench.state.selected.is_none() {
                assert_eq!(drawn, bench.screen(80, 24), "the view forgets what was wound back");
            }
        }
    }
}

#[test]
fn text_in_flight_is_what_live_tokens_would_have_shown() {
    let mut bench = Bench::of(vec![rescue()]);
    bench.press("t");
    let mut seen = Vec::new();
    while bench.episode().steps.len() < 3 {
        bench.pass(1);
        if let Some(writing) = &bench.state.run.as_ref().unwrap().in_flight {
            assert_eq!(
                writing.model,
                Role::Large,
                "the dropped draft is not taken for its beginning"
            );
            seen.push(writing.text.clone());
        }
    }
    assert!(seen.windows(2).all(|w| w[1].starts_with(&w[0])), "{seen:?}");
    assert!(
        seen.len() >= 3 && "In all: 28 + 38 = 66\n".starts_with(seen.last().unwrap()),
        "{seen:?}"
    );
}

#[test]
fn keys_of_a_live_session_do_nothing_but_say_so() {
    let mut bench = Bench::at_the_start();
    bench.press("→→");
    let replay_keys: Vec<_> = ACTIONS
        .iter()
        .filter(|row| row.place == Place::Replay)
        .flat_map(|row| row.keys)
        .map(|key| key.0)
        .collect();
    let mut tried = 0;
    for row in ACTIONS.iter().filter(|row| matches!(row.place, Place::Session | Place::Episode)) {
        for key in row.keys.iter().filter(|key| !replay_keys.contains(&key.0)) {
            let before = bench.state.run.clone();
            assert!(bench.key(key.0).is_empty(), "{key}");
            assert!(bench.hint().starts_with("this is a replay, nothing in it can be changed"));
            assert_eq!((&bench.state.run, bench.state.asked_threshold), (&before, None), "{key}");
            tried += 1;
        }
    }
    assert!(tried >= 12, "{tried}");
    update(&mut bench.state, Message::Input(Input::Paste("How many?".into())));
    assert!(bench.hint().starts_with("this is a replay"));
    assert!(matches!(bench.state.overlay, Overlay::None));
    assert_eq!(bench.key(KeyCode::Char('q')), [Effect::Quit]);
}

#[test]
fn the_keys_of_a_replay_have_none_in_a_live_one() {
    let only = ACTIONS.iter().filter(|row| matches!(row.action, Action::Replay(_)));
    assert!(only.clone().count() >= 14);
    assert!(only.clone().all(|row| row.place == Place::Replay && !row.place.is_in(Mode::Live)));
}

#[test]
fn what_cannot_be_done_is_told() {
    let mut bench = Bench::at_the_start();
    bench.press("←");
    assert_eq!(bench.hint(), "this is the start");
    bench.press("O");
    assert_eq!(bench.hint(), "there is no earlier override by a person");
    bench.press("\t");
    assert_eq!(bench.hint(), "this recording has one episode only");
    bench.press("G→");
    assert_eq!(bench.hint(), "this is the end");
    bench.press("t");
    assert_eq!(bench.hint(), "there is no later switch of the writer");
    bench.press(">>>>>>");
    assert_eq!(bench.hint(), "nothing is faster than instant");
    bench.press("<<<<<<<<<<<<<<");
    assert_eq!(bench.hint(), "1/64x is the slowest");
}

#[test]
fn speed_pause_and_the_selected_step() {
    let mut bench = Bench::of(vec![rescue()]);
    bench.press("<<");
    bench.pass(8);
    assert_eq!(bench.replay().player().position_ms(), 2.0);
    bench.press(" ");
    bench.pass(500);
    assert_eq!(bench.replay().player().position_ms(), 2.0);
    assert_eq!(bench.state.changes_in(), None, "nothing to wait for, nothing to write");
    bench.press(" ");
    assert!(bench.state.changes_in().is_some());
    bench.pass(4);
    assert_eq!(bench.replay().player().position_ms(), 3.0, "the pause is not made up for");
    bench.press("G");
    assert_eq!(bench.state.changes_in(), None);
    bench.press("↑↑\n");
    assert_eq!((bench.episode().steps.len(), bench.state.selected), (1, None));
    bench.press("g>>>>>>>");
    bench.press(" ");
    bench.pass(0);
    assert!(bench.replay().player().is_over(), "instant");
    assert_eq!(*bench.episode(), rescue().episode);
}

#[test]
fn several_episodes_are_gone_through() {
    let mut bench = Bench::of(vec![rescue(), eventful(), rescue()]);
    bench.pass(1000);
    assert!(bench.screen(120, 40).contains("episode 1 of 3"));
    bench.press("\t");
    assert_eq!((bench.replay().place(), bench.replay().player().is_playing()), ((1, 3), true));
    assert_eq!(bench.episode().steps.len(), 0);
    bench.press(" \t");
    assert!(!bench.replay().player().is_playing(), "a pause holds for the next one");
    bench.press("\t");
    assert_eq!(bench.hint(), "this is the last episode of the recording");
    bench.press("G");
    let mut view = view(Glyphs::Unicode);
    draw(&mut view, &bench.state, 80, 24);
    bench.key(KeyCode::BackTab);
    bench.press("o");
    assert_eq!(bench.episode().steps.len(), 1);
    let text = draw(&mut view, &bench.state, 80, 24);
    assert!(text.contains("Apples so far") && !text.contains("In all"), "{text}");
    bench.key(KeyCode::BackTab);
    bench.key(KeyCode::BackTab);
    assert_eq!(bench.hint(), "this is the first episode of the recording");
}

#[test]
fn a_film_ends_as_the_screen_does() {
    let shoot = || {
        let replay = Replay::new("rescue", vec![rescue(), eventful()], ONCE).unwrap();
        let mut out = Vec::new();
        film(replay, view(Glyphs::Unicode), (80, 24), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let cast = shoot();
    assert_eq!(cast, shoot());
    let mut parser = vt100::Parser::new(24, 80, 0);
    for line in cast.lines().skip(1) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        parser.process(event[2].as_str().unwrap().as_bytes());
    }
    let mut bench = Bench::of(vec![rescue(), eventful()]);
    bench.press("\tG");
    let shown: String =
        parser.screen().contents().lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    assert_eq!(shown, bench.screen(80, 24));
}
