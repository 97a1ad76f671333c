//! Screens of forks and comparisons, of shadows, and of reasons.

#[macro_use]
mod bench;

use pointsman::episode::{Decider, EventKind, FinishReason, Parent, Role, Verdict};
use pointsman::routing::{Contributions, Part};
use pointsman::session::{Command, Update};
use pointsman::workbench::{Effect, Errand, Message, Notice, Overlay, update};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use bench::*;

#[test]
fn a_step_that_is_taken_back_leaves_the_trace() {
    let mut bench = Bench::begun(None);
    bench.step(0.12, "Pens bought: 4 × 12 = 48");
    bench.step(0.12, "Pens in all: 37 + 48 = 75");
    let mut screen = bench.screen(100, 30);
    assert!(screen.text().contains("= 75"));
    // The new writing has come before the next frame.
    bench.step = 1;
    bench.event(EventKind::TakenBack { step: 1 });
    bench.decide(0.12, Role::Large, Decider::Person);
    bench.write(Role::Large, "Pens in all: 37 + 48 = 85");
    screen.draw(&bench.state);
    let text = screen.text();
    assert!(text.contains("= 85") && !text.contains("L*┃ Pens in all: 37 + 48 = 75"), "{text}");
    bench.step = 1;
    bench.event(EventKind::TakenBack { step: 1 });
    screen.draw(&bench.state);
    assert!(!screen.text().contains("┃ Pens in all"), "{}", screen.text());
}

/// A fork of the finished episode at its third step.
fn forked() -> Bench {
    let mut bench = finished(Verdict::Correct);
    bench.press("↑↑");
    assert_eq!(bench.state.step_in_view(), Some(1));
    bench.press("f");
    bench.press("l");
    let parent = Some(Parent { episode: 7, step: 1 });
    let EventKind::Started(mut started) = bench.first.clone() else { panic!("the first event") };
    started.parent = parent;
    bench.id = 8;
    bench.event(EventKind::Started(started));
    bench.step = 0;
    bench.decide(0.12, Role::Small, rule());
    bench.write(Role::Small, "Pens bought: 4 × 12 = 48");
    bench.decide(0.71, Role::Large, Decider::Person);
    bench.write(Role::Large, "Pens in all: 37 + 48 = 95");
    bench.step(0.22, "Pens left after the gift: 95 - 18 = 77");
    bench.step(0.03, "Answer: 77");
    let (answer, verdict) = (Some("77".into()), Verdict::Wrong);
    bench.event(EventKind::Finished { answer, verdict, reason: FinishReason::Answered });
    bench
}

#[test]
fn a_fork_is_asked_for_and_compared() {
    let mut bench = finished(Verdict::Correct);
    bench.press("↑↑f");
    shots!("fork", bench, (80, 24));
    let key = KeyEvent::new(KeyCode::Char('t'), KeyModifiers::NONE);
    let effects = update(&mut bench.state, Message::Input(Input::Key(key)));
    let Some(Effect::Send(Command::Fork(order))) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((order.fork.parent, order.fork.step), (7, 1));
    assert_eq!((order.fork.model, order.fork.threshold), (None, Some(0.5)));

    let mut bench = forked();
    bench.press("c");
    shots!("compare", bench, (80, 24), (120, 40));
    bench.press("v");
    shots!("compare_differences", bench, (80, 24));
    bench.press("c");
    assert!(matches!(bench.state.overlay, Overlay::None));
}

#[test]
fn there_must_be_another_episode_to_compare() {
    let mut bench = finished(Verdict::Correct);
    bench.press("c");
    let Some(Notice::Hint(why)) = &bench.state.notice else { panic!() };
    assert_eq!(why, "there is no other episode of this question: press f to fork this one");
    // The same question again is worth comparing, another one is not.
    let first = bench.first.clone();
    bench.id = 8;
    bench.event(first.clone());
    assert_eq!(bench.state.other.as_ref().map(|other| other.0), Some(7));
    let EventKind::Started(mut started) = first else { panic!("the first event") };
    started.question = "Another?".into();
    bench.id = 9;
    bench.event(EventKind::Started(started));
    assert!(bench.state.other.is_none());
}

#[test]
fn shadows_and_what_the_next_step_would_cost_are_shown() {
    let mut bench = Bench::new(Some(question()));
    bench.tell(Update::Ready);
    let EventKind::Started(mut started) = Bench::begun(None).first else { panic!() };
    started.preset.routing.shadows =
        ["entropy", "confidence@0.05"].map(|shadow| shadow.parse().unwrap()).into();
    bench.event(EventKind::Started(started));
    let opinions = [("entropy", 0.3), ("confidence", 0.12)];
    let opinions = opinions.map(|(name, p)| (name.to_owned(), p)).into();
    bench.event(EventKind::Shadowed { step: 0, opinions });
    bench.step(0.12, "Pens bought: 4 × 12 = 48");
    bench.press("↑");
    shots!("shadows", bench, (100, 30));
}

#[test]
fn reasons_are_asked_for_once_and_shown_where_they_are_the_deciders() {
    let mut bench = Bench::new(Some(question()));
    bench.tell(Update::Ready);
    let EventKind::Started(mut started) = Bench::begun(None).first else { panic!() };
    started.preset.routing.router = "policy".into();
    bench.event(EventKind::Started(started));
    bench.step(0.12, "Pens bought: 4 × 12 = 48");
    let mut up = || {
        let key = KeyEvent::new(KeyCode::Up, KeyModifiers::NONE);
        update(&mut bench.state, Message::Input(Input::Key(key)))
    };
    let effects = up();
    let Some(Effect::Do(Errand::Explain { boundary, features })) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!((*boundary, features["glimpse.times"]), ((7, 0, 0), 1.0));
    assert_eq!(up(), [], "they are on their way");
    let part = |name: &str, push| Part { name: name.into(), push };
    let parts = vec![part("glimpse.times", -0.25), part("story.03", 0.04), part("story.07", 0.03)];
    let told = |p_large| Contributions { base: 0.3, p_large, parts: parts.clone() };
    update(&mut bench.state, Message::Explained((7, 0, 0), told(0.5)));
    assert!(bench.state.pushes().is_none(), "another policy's");
    update(&mut bench.state, Message::Explained((7, 0, 0), told(0.12)));
    let text = bench.screen(100, 30).text();
    assert!(text.contains("from p 0.30, pushed by"), "{text}");
    let row = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(row("glimpse.times").contains("1 -0.25") && row("story").contains("+0.07"), "{text}");
}
