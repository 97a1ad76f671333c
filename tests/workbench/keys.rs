//! What keys do in a live session, seen in state and effects.

use pointsman::episode::{EventKind, OverrideScope, Role, Verdict};
use pointsman::session::{Command, SessionUpdate};
use pointsman::workbench::{Effect, Job, Keymap, Message, Notice, Overlay, SessionStatus, update};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use crate::harness::{Harness, finished, question};
use crate::screens::streaming;

fn press(harness: &mut Harness, code: KeyCode) -> Vec<Effect> {
    let key = KeyEvent::new(code, KeyModifiers::NONE);
    update(&mut harness.state, Message::Input(Input::Key(key)))
}

fn sent(harness: &mut Harness, c: char) -> Vec<Command> {
    let effects = press(harness, KeyCode::Char(c)).into_iter();
    let sent = effects.filter_map(|effect| match effect {
        Effect::SendCommand(command) => Some(command),
        _ => None,
    });
    sent.collect()
}

fn hint(harness: &Harness) -> &str {
    match &harness.state.notice {
        Some(Notice::Hint(text)) => text,
        other => panic!("no hint but {other:?}"),
    }
}

#[test]
fn the_first_question_is_asked_when_the_models_are_ready() {
    let mut harness = Harness::new(Some(question()));
    assert!(sent(&mut harness, 'r').is_empty());
    assert_eq!(hint(&harness), "the models are still being loaded");
    let effects = update(&mut harness.state, Message::Session(SessionUpdate::Ready));
    let ask = Command::Ask { question: question(), router: None, seed: 0, paused: false };
    assert!(effects.contains(&Effect::SendCommand(ask)), "{effects:?}");
    assert!(sent(&mut harness, 'r').is_empty(), "it is not asked twice");
}

#[test]
fn an_override_is_set_and_cleared() {
    let mut harness = streaming();
    let (model, scope) = (Role::Large, OverrideScope::FromHereOn);
    assert_eq!(sent(&mut harness, 'L'), [Command::SetOverride { model, scope }]);
    assert!(sent(&mut harness, 'p').is_empty(), "the event has not arrived yet");
    harness.event(EventKind::OverrideSet { model, scope });
    assert_eq!(sent(&mut harness, 'p'), [Command::ClearOverride]);
    assert_eq!(sent(&mut harness, ' '), [Command::Pause]);
    harness.event(EventKind::Paused);
    assert_eq!(sent(&mut harness, ' '), [Command::Resume]);
    assert_eq!(sent(&mut harness, 'n'), [Command::Step]);
}

#[test]
fn pending_threshold_moves_add_up() {
    let mut harness = streaming();
    assert_eq!(sent(&mut harness, '+'), [Command::SetThreshold(0.55)]);
    assert_eq!(sent(&mut harness, '}'), [Command::SetThreshold(0.56)]);
    assert_eq!(harness.state.threshold_now(), 0.5, "the event has not arrived yet");
    harness.event(EventKind::ThresholdMoved { from: 0.5, to: 0.55 });
    assert_eq!(sent(&mut harness, '-'), [Command::SetThreshold(0.51)]);
    harness.event(EventKind::ThresholdMoved { from: 0.55, to: 0.56 });
    harness.event(EventKind::ThresholdMoved { from: 0.56, to: 0.51 });
    assert_eq!(
        (harness.state.threshold_now(), harness.state.active.pending_threshold()),
        (0.51, None)
    );
    for _ in 0..20 {
        sent(&mut harness, '-');
    }
    assert!(sent(&mut harness, '-').is_empty());
    assert_eq!(hint(&harness), "0.00 is the lowest threshold");
}

#[test]
fn a_moved_threshold_applies_to_the_next_episode() {
    let mut harness = finished(Verdict::Correct);
    assert_eq!(sent(&mut harness, '-'), [Command::SetThreshold(0.45)]);
    assert_eq!(harness.state.threshold_now(), 0.45);
    assert!(matches!(sent(&mut harness, 'r')[..], [Command::Ask { .. }]));
}

#[test]
fn a_failed_sink_ends_the_episode() {
    let mut harness = streaming();
    let failure = SessionUpdate::SinkFailed("no space left on device".into());
    update(&mut harness.state, Message::Session(failure));
    assert!(harness.state.open_episode().is_none());
    assert!(harness.screen(80, 24).text().contains("no space left"));
}

#[test]
fn a_typed_question_is_asked() {
    let mut harness = finished(Verdict::Correct);
    press(&mut harness, KeyCode::Char('i'));
    assert!(press(&mut harness, KeyCode::Enter).is_empty());
    assert_eq!(hint(&harness), "type a question first, or press Esc");
    harness.press("2 + q?");
    let effects = press(&mut harness, KeyCode::Enter);
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::SendCommand(Command::Ask { question, .. }) if question.text == "2 + q?")
    });
    assert!(asked, "{effects:?}");
    assert!(matches!(harness.state.overlay, Overlay::None));
}

#[test]
fn a_key_without_effect_gives_a_hint() {
    let mut harness = Harness::new(None);
    harness.session_update(SessionUpdate::Ready);
    assert!(sent(&mut harness, 's').is_empty());
    assert!(hint(&harness).starts_with("no episode is running: press d"));
    press(&mut harness, KeyCode::Char('z'));
    assert_eq!(hint(&harness), "z does nothing here: press ? for the keys");
    press(&mut harness, KeyCode::Char('?'));
    assert_eq!(harness.state.notice, None);
    assert_eq!(
        press(&mut harness, KeyCode::Char('d')),
        [Effect::RunJob(Job::DrawQuestion)],
        "the key also closes the help"
    );
}

#[test]
fn the_users_keys_work_and_are_shown_everywhere() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("keys.toml");
    let text = "help = [\"F1\"]\nquit = [\"Ctrl-Q\"]\ndraw-question = [\"F5\", \"D\"]\ntoggle-why = [\"W\"]\n";
    std::fs::write(&file, text).unwrap();
    let mut harness = Harness::with_keys(None, Keymap::load(&file).unwrap());
    harness.session_update(SessionUpdate::Ready);
    let text = harness.screen(80, 24).text();
    assert!(text.contains("F5 draw a question") && text.contains("Ctrl-Q quit"), "{text}");
    assert!(text.contains("F1 keys"), "{text}");
    assert!(harness.screen(60, 12).text().contains("press Ctrl-Q to quit"));
    assert!(press(&mut harness, KeyCode::Char('d')).is_empty());
    assert_eq!(hint(&harness), "d does nothing here: press F1 for the keys");
    press(&mut harness, KeyCode::Char('s'));
    assert_eq!(hint(&harness), "no episode is running: press F5 to draw a question, i to type one");
    assert_eq!(press(&mut harness, KeyCode::F(5)), [Effect::RunJob(Job::DrawQuestion)]);
    press(&mut harness, KeyCode::F(1));
    let text = harness.screen(80, 24).text();
    assert!(text.contains("F5 D      draw a new question"), "{text}");
    let key = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::CONTROL);
    assert_eq!(update(&mut harness.state, Message::Input(Input::Key(key))), [Effect::Quit]);
    press(&mut harness, KeyCode::F(1));
    harness.session_update(SessionUpdate::SessionFailed("no models".into()));
    let text = harness.screen(80, 24).text();
    assert!(text.contains("terminal. Press Ctrl-Q"), "{text}");
}

#[test]
fn quit_and_suspend_work_everywhere() {
    let mut harness = finished(Verdict::Correct);
    press(&mut harness, KeyCode::Char('i'));
    let mut control = |c| {
        let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        update(&mut harness.state, Message::Input(Input::Key(key)))
    };
    assert_eq!(control('z'), [Effect::Suspend]);
    assert_eq!(control('c'), [Effect::Quit]);
}

#[test]
fn the_end_of_the_session_thread_is_noticed() {
    let mut harness = streaming();
    update(&mut harness.state, Message::SessionGone);
    assert!(matches!(harness.state.session_status, SessionStatus::Failed(_)));
    assert!(sent(&mut harness, 's').is_empty());
    assert_eq!(hint(&harness), "the session is over: press P to choose another preset, q to quit");
}

#[test]
fn an_event_replaces_the_text_in_flight() {
    let mut harness = streaming();
    let run = harness.state.displayed.as_ref().unwrap();
    let generation = run.in_flight.as_ref().unwrap();
    assert_eq!((generation.model, generation.tokens), (Role::Large, 7));
    assert_eq!(run.episode.discarded.len(), 1);
    harness.write(Role::Large, "Pens left: 85 - 18 = 67");
    let run = harness.state.displayed.as_ref().unwrap();
    assert_eq!((&run.in_flight, &run.opinion), (&None, &None));
    assert_eq!(run.user_decisions(), (0, 3));
}
