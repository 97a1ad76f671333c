//! Moving and typing the threshold, and the estimates shown with it.

use std::path::Path;
use std::sync::Arc;

use pointsman::config::{Folders, load_preset};
use pointsman::evaluation::{EstimateIndex, LoggedChoice, LoggedEpisode, QuantileScale};
use pointsman::session::{Command, SessionUpdate};
use pointsman::theme::{Glyphs, Theme};
use pointsman::workbench::{
    Effect, InitialState, Job, Keymap, LoadedRouting, Message, Notice, Overlay, State,
    ThresholdEstimates, View, update,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use crate::harness::routing;

fn workbench_state(scale: Option<QuantileScale>) -> State {
    let home = tempfile::tempdir().unwrap();
    let preset = load_preset("tiny", &Folders::below(home.path()).unwrap()).unwrap();
    let keys = Keymap::default();
    let store = "/store".into();
    let routing = LoadedRouting { routing: routing(preset), scale };
    let mut state =
        State::new(InitialState { routing, first_question: None, seed: 0, store, keys });
    update(&mut state, Message::Session(SessionUpdate::Ready));
    state
}

fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '←' => KeyCode::Backspace,
            c => KeyCode::Char(c),
        };
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        effects.extend(update(state, Message::Input(Input::Key(key))));
    }
    effects
}

fn hint(state: &State) -> &str {
    match &state.notice {
        Some(Notice::Hint(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// Estimates from 400 episodes of one step. Large writes half of them and is always right, at a cost of 10; small is
/// right if p(large) is below 0.3, at a cost of 1.
fn estimates() -> Arc<ThresholdEstimates> {
    let logged: Vec<LoggedEpisode> = (0..400_u32)
        .map(|i| {
            let p_large = f64::from(i / 2 % 100) / 100.0 * 0.6;
            let large = i % 2 == 0;
            LoggedEpisode {
                question: i.into(),
                boundaries: vec![LoggedChoice { p_large, large, propensity: 0.5 }],
                correct: large || p_large < 0.3,
                cost: if large { 10.0 } else { 1.0 },
            }
        })
        .collect();
    Arc::new(ThresholdEstimates {
        index: EstimateIndex::new(&logged),
        unit: 10.0,
        episodes: logged.len(),
    })
}

#[test]
fn without_a_scale_the_threshold_moves_by_hundredths() {
    let mut state = workbench_state(None);
    let effects = press(&mut state, "+");
    assert!(
        matches!(effects[0], Effect::SendCommand(Command::SetThreshold(t)) if t == 0.55),
        "{effects:?}"
    );
    assert!(
        matches!(effects[1], Effect::RunJob(Job::EstimateThreshold(_))),
        "estimates are requested once"
    );
    assert_eq!(hint(&state), "t 0.55; reading the recordings");
    assert_eq!(press(&mut state, "{").len(), 1);
    assert_eq!(state.active.threshold(), 0.54);
    press(&mut state, "t2\n");
    assert!(hint(&state).contains("a number from 0 to 1"));
}

#[test]
fn on_a_scale_a_key_moves_a_share_of_the_steps() {
    // Four fifths of all scores lie within a thousandth.
    let scores =
        (0..1000).map(|i| if i < 800 { 0.5 + f64::from(i) * 1e-6 } else { f64::from(i) / 1e3 });
    let mut state = workbench_state(Some(QuantileScale::new(scores)));
    let percentile = |state: &State| state.percentile(state.active.threshold()).unwrap();
    let before = percentile(&state);
    press(&mut state, "+");
    assert!((percentile(&state) - before - 5.0).abs() < 1.01, "{} {}", before, percentile(&state));
    press(&mut state, "{");
    assert!((percentile(&state) - before - 4.0).abs() < 1.01);
    press(&mut state, "t90%\n");
    assert!(
        (percentile(&state) - 90.0).abs() < 0.2 && (state.active.threshold() - 0.9).abs() < 0.01
    );
    for _ in 0..30 {
        press(&mut state, "+");
    }
    assert_eq!(state.active.threshold(), 1.0);
    assert_eq!(hint(&state), "1.00 is the highest threshold");
}

#[test]
fn estimates_follow_the_threshold() {
    let mut state = workbench_state(None);
    press(&mut state, "-");
    update(&mut state, Message::ThresholdEstimates(Ok(estimates())));
    let first = hint(&state).to_owned();
    assert!(first.starts_with("t 0.45 (small writes 76 % of the steps): 74 % ("), "{first}");
    assert!(
        first.contains(") correct at 32 % (") && first.contains("from 200 episodes"),
        "{first}"
    );
    let effects = press(&mut state, "-");
    assert_eq!(effects.len(), 1, "estimates are not requested again");
    assert_eq!(state.percentile(state.active.threshold()), Some(71.0));
    assert_ne!(hint(&state), first);
    // While it is typed, and once it is set.
    press(&mut state, "t0.25");
    assert!(matches!(&state.overlay, Overlay::Threshold(typed) if typed == "0.25"));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let theme = Theme::load("default", Path::new("/nowhere")).unwrap();
    let mut view = View::new(theme, Glyphs::Unicode);
    terminal.draw(|frame| view.render(frame, &state)).unwrap();
    insta::assert_snapshot!("threshold_80x24", terminal.backend());
    press(&mut state, "←\n");
    assert_eq!(state.active.threshold(), 0.2);
    assert!(hint(&state).contains("100 % ("), "{}", hint(&state));
}

#[test]
fn the_reason_for_missing_estimates_is_shown() {
    let mut state = workbench_state(None);
    press(&mut state, "+");
    let why = "no recordings to estimate from, `pointsman collect` writes some";
    update(&mut state, Message::ThresholdEstimates(Err(why.into())));
    assert_eq!(hint(&state), format!("t 0.55; {why}"));
}
