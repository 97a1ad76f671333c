//! Forks, comparisons, shadow routers, and the contributions of features to a decision.

use pointsman::episode::{Decider, EventKind, FinishReason, Parent, Role, Verdict};
use pointsman::routing::{Contribution, Contributions};
use pointsman::session::{Command, SessionUpdate};
use pointsman::workbench::{Effect, Job, Message, Notice, Overlay, update};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use crate::harness::{Harness, finished, question, rule};

#[test]
fn a_redone_step_leaves_the_trace() {
    let mut harness = Harness::started(None);
    harness.step(0.12, "Pens bought: 4 × 12 = 48");
    harness.step(0.12, "Pens in all: 37 + 48 = 75");
    let mut screen = harness.screen(100, 30);
    assert!(screen.text().contains("= 75"));
    // The new text arrives before the next frame.
    harness.step = 1;
    harness.event(EventKind::Redone { step: 1 });
    harness.decide(0.12, Role::Large, Decider::User);
    harness.write(Role::Large, "Pens in all: 37 + 48 = 85");
    screen.draw(&harness.state);
    let text = screen.text();
    assert!(text.contains("= 85") && !text.contains("L*┃ Pens in all: 37 + 48 = 75"), "{text}");
    harness.step = 1;
    harness.event(EventKind::Redone { step: 1 });
    screen.draw(&harness.state);
    assert!(!screen.text().contains("┃ Pens in all"), "{}", screen.text());
}

/// A finished fork of the finished episode, from its second step.
fn forked() -> Harness {
    let mut harness = finished(Verdict::Correct);
    harness.press("↑↑");
    assert_eq!(harness.state.step_in_view(), Some(1));
    harness.press("f");
    harness.press("l");
    let parent = Some(Parent { episode: 7, step: 1 });
    let EventKind::Started(mut started) = harness.first.clone() else { panic!("the first event") };
    started.parent = parent;
    harness.id = 8;
    harness.event(EventKind::Started(started));
    harness.step = 0;
    harness.decide(0.12, Role::Small, rule());
    harness.write(Role::Small, "Pens bought: 4 × 12 = 48");
    harness.decide(0.71, Role::Large, Decider::User);
    harness.write(Role::Large, "Pens in all: 37 + 48 = 95");
    harness.step(0.22, "Pens left after the gift: 95 - 18 = 77");
    harness.step(0.03, "Answer: 77");
    let (answer, verdict) = (Some("77".into()), Verdict::Wrong);
    harness.event(EventKind::Finished { answer, verdict, reason: FinishReason::Answered });
    harness
}

#[test]
fn a_fork_is_requested_and_compared() {
    let mut harness = finished(Verdict::Correct);
    harness.press("↑↑f");
    shots!("fork", harness, (80, 24));
    let key = KeyEvent::new(KeyCode::Char('t'), KeyModifiers::NONE);
    let effects = update(&mut harness.state, Message::Input(Input::Key(key)));
    let Some(Effect::SendCommand(Command::Fork(request))) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!((request.fork.parent, request.fork.step), (7, 1));
    assert_eq!((request.fork.model, request.fork.threshold), (None, Some(0.5)));

    let mut harness = forked();
    harness.press("c");
    shots!("compare", harness, (80, 24), (120, 40));
    harness.press("v");
    shots!("compare_differences", harness, (80, 24));
    harness.press("c");
    assert!(matches!(harness.state.overlay, Overlay::None));
}

#[test]
fn comparing_needs_another_episode_of_the_question() {
    let mut harness = finished(Verdict::Correct);
    harness.press("c");
    let Some(Notice::Hint(why)) = &harness.state.notice else { panic!() };
    assert_eq!(why, "there is no other episode of this question: press f to fork this one");
    // The same question again can be compared; another one cannot.
    let first = harness.first.clone();
    harness.id = 8;
    harness.event(first.clone());
    assert_eq!(harness.state.previous.as_ref().map(|other| other.0), Some(7));
    let EventKind::Started(mut started) = first else { panic!("the first event") };
    started.question = "Another?".into();
    harness.id = 9;
    harness.event(EventKind::Started(started));
    assert!(harness.state.previous.is_none());
}

#[test]
fn shadow_routers_and_the_cost_of_the_next_step_are_shown() {
    let mut harness = Harness::new(Some(question()));
    harness.session_update(SessionUpdate::Ready);
    let EventKind::Started(mut started) = Harness::started(None).first else { panic!() };
    started.preset.routing.shadows =
        ["entropy", "confidence@0.05"].map(|shadow| shadow.parse().unwrap()).into();
    harness.event(EventKind::Started(started));
    let p_large = [("entropy", 0.3), ("confidence", 0.12)];
    let p_large = p_large.map(|(name, p)| (name.to_owned(), p)).into();
    harness.event(EventKind::ShadowsEvaluated { step: 0, p_large });
    harness.step(0.12, "Pens bought: 4 × 12 = 48");
    harness.press("↑");
    shots!("shadows", harness, (100, 30));
}

#[test]
fn contributions_are_requested_once_and_shown_for_the_deciding_policy() {
    let mut harness = Harness::new(Some(question()));
    harness.session_update(SessionUpdate::Ready);
    let EventKind::Started(mut started) = Harness::started(None).first else { panic!() };
    started.preset.routing.router = "policy".into();
    harness.event(EventKind::Started(started));
    harness.step(0.12, "Pens bought: 4 × 12 = 48");
    let mut up = || {
        let key = KeyEvent::new(KeyCode::Up, KeyModifiers::NONE);
        update(&mut harness.state, Message::Input(Input::Key(key)))
    };
    let effects = up();
    let Some(Effect::RunJob(Job::Explain { boundary, features, .. })) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!((*boundary, features["draft.times"]), ((7, 0, 0), 1.0));
    assert_eq!(up(), [], "they are requested already");
    let part = |name: &str, contribution| Contribution { name: name.into(), contribution };
    let parts = vec![part("draft.times", -0.25), part("words.03", 0.04), part("words.07", 0.03)];
    let explained = |p_large| Contributions { base: 0.3, p_large, parts: parts.clone() };
    update(&mut harness.state, Message::Explained((7, 0, 0), explained(0.5)));
    assert!(harness.state.contributions().is_none(), "these belong to another policy");
    update(&mut harness.state, Message::Explained((7, 0, 0), explained(0.12)));
    let text = harness.screen(100, 30).text();
    assert!(text.contains("mean p 0.30, changed by"), "{text}");
    let row = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(row("draft.times").contains("1 -0.25") && row("words").contains("+0.07"), "{text}");
}
