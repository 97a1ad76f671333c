//! Snapshots of the workbench at three sizes, from messages with fixed times.

#[macro_use]
mod bench;

use std::path::Path;

use pointsman::engine::gpu::GpuMemory;
use pointsman::episode::{Decider, EventKind, OverrideScope, Role, Verdict};
use pointsman::evaluation::flips;
use pointsman::session::Update;
use pointsman::theme::{Glyphs, theme_names};
use pointsman::workbench::{Effect, Errand, Keymap, Message, Scroll, update};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use bench::*;

fn streaming() -> Bench {
    let mut bench = Bench::begun(None);
    bench.step(0.12, "Pens bought: 4 × 12 = 48");
    bench.step(0.71, "Pens in all: 37 + 48 = 85");
    bench.look(0.62, "Pens left after the gift: 85 - 8");
    bench.decide(0.62, Role::Large, rule());
    bench.drop_draft("Pens left after the gift: 85 - 8");
    for token in tokens("Pens left after the gift to her") {
        bench.tell(Update::Token { model: Role::Large, token });
    }
    bench
}

fn paused() -> Bench {
    let mut bench = Bench::begun(Some(4.0e8));
    bench.step(0.12, "Pens bought: 4 × 12 = 48");
    bench.event(EventKind::OverrideSet { model: Role::Large, scope: OverrideScope::NextStep });
    bench.look(0.34, "Pens in all: 37");
    bench.decide(0.34, Role::Large, Decider::Person);
    bench.drop_draft("Pens in all: 37");
    bench.write(Role::Large, "Pens in all: 37 + 48 = 85");
    bench.event(EventKind::Paused);
    bench.look(0.41, "Pens left: 85 - 18");
    bench.event(EventKind::OverrideSet { model: Role::Small, scope: OverrideScope::FromHereOn });
    bench.event(EventKind::ThresholdMoved { from: 0.5, to: 0.4 });
    bench
}

/// Longer than any screen: twenty steps, some of them of many lines.
fn long() -> Bench {
    let mut bench = Bench::begun(None);
    for i in 0..20 {
        let text =
            format!("Line {i} of the reasoning, {}", "which goes on and on ".repeat(i % 4 * 3));
        bench.step(f64::from(u8::try_from(i * 37 % 100).unwrap()) / 100.0, text.trim());
    }
    bench
}

#[test]
fn loading() {
    shots!("loading", Bench::new(Some(question())), (80, 24));
}

#[test]
fn idle() {
    let mut bench = Bench::new(None);
    bench.tell(Update::Ready);
    shots!("idle", bench, (80, 24), (120, 40));
}

#[test]
fn mid_episode() {
    shots!("streaming", streaming(), (80, 24), (120, 40), (200, 50));
}

#[test]
fn with_reduced_motion_only_events_change_the_screen() {
    let mut bench = Bench::begun(None);
    bench.state.reduced_motion = true;
    bench.step(0.12, "Pens bought: 4 × 12 = 48");
    bench.decide(0.71, Role::Large, rule());
    let before = bench.screen(80, 24).text();
    for token in tokens("Pens in all: 37") {
        bench.tell(Update::Token { model: Role::Large, token });
        update(&mut bench.state, Message::Clock(bench.now + 9_000));
    }
    assert_eq!(bench.state.changes_in(), None);
    assert_eq!(bench.screen(80, 24).text(), before);
    bench.write(Role::Large, "Pens in all: 37 + 48 = 85");
    assert!(bench.screen(80, 24).text().contains("37 + 48 = 85"));
}

#[test]
fn a_gpus_memory_stands_in_the_status_line() {
    let mut bench = finished(Verdict::Correct);
    let before = bench.screen(200, 50).text();
    let memory = GpuMemory { used: 18_240_000_000, total: 85_520_000_000 };
    update(&mut bench.state, Message::Gpu(memory));
    let shown = bench.screen(200, 50).text();
    assert!(shown.contains("gpu 18.2 of 86 GB") && !before.contains("gpu"), "{shown}");
    assert_eq!(bench.state.changes_in(), None);
}

#[test]
fn all_reasons_are_paged_through() {
    let mut bench = Bench::begun(None);
    let many = (0..60).map(|i| (format!("feature.{i:02}"), f64::from(i))).collect();
    bench.event(EventKind::Decided {
        step: 0,
        features: many,
        p_large: Some(0.4),
        threshold: 0.5,
        propensity: Some(1.0),
        choice: Role::Small,
        by: rule(),
    });
    bench.write(Role::Small, "Pens bought: 4 × 12 = 48");
    (bench.state.all_reasons, bench.state.selected) = (true, Some(0));
    let mut screen = bench.screen(80, 24);
    let title = |screen: &Screen| screen.text().lines().next().unwrap_or_default().to_owned();
    let seen = |screen: &Screen| {
        let text = screen.text();
        (0..60).filter(|i| text.contains(&format!("feature.{i:02}"))).collect::<Vec<_>>()
    };
    let first = seen(&screen);
    assert!(title(&screen).contains("why step 1 1-20/"), "{}", title(&screen));
    let mut all = first.clone();
    for _ in 0..9 {
        screen.view.scroll(Scroll::PageDown);
        screen.draw(&bench.state);
        all.extend(seen(&screen));
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 60, "{}", screen.text());
    for _ in 0..3 {
        screen.view.scroll(Scroll::PageUp);
        screen.draw(&bench.state);
    }
    assert_eq!(seen(&screen), first, "pages past the end count for nothing");
}

#[test]
fn pause_and_override() {
    shots!("paused", paused(), (80, 24), (120, 40), (200, 50));
}

#[test]
fn end() {
    shots!("finished", finished(Verdict::Correct), (80, 24), (200, 50));
}

#[test]
fn long_trace_follows_its_end_and_scrolls() {
    let bench = long();
    let mut screen = bench.screen(80, 24);
    insta::assert_snapshot!("long_80x24", screen.text());
    screen.view.scroll(Scroll::PageUp);
    screen.draw(&bench.state);
    insta::assert_snapshot!("long_page_up_80x24", screen.text());
    screen.view.scroll(Scroll::PageDown);
    screen.draw(&bench.state);
    assert_eq!(screen.text(), bench.screen(80, 24).text());
}

#[test]
fn selected_step_is_in_view_with_its_reasons() {
    let mut bench = long();
    bench.press("↑↑↑↑↑↑↑↑w");
    shots!("selected", bench, (80, 24), (200, 50));
}

#[test]
fn help() {
    let mut bench = streaming();
    bench.press("?");
    shots!("help", bench, (80, 24), (120, 40));
}

#[test]
fn editor() {
    let mut bench = finished(Verdict::Wrong);
    bench.press("i");
    update(
        &mut bench.state,
        Message::Input(Input::Paste("How many legs do\nthree cats have".into())),
    );
    bench.press("?");
    shots!("editor", bench, (80, 24));
}

#[test]
fn trouble_is_told() {
    let mut bench = streaming();
    bench.tell(Update::Refused("the store takes no more events: the disk is full".into()));
    shots!("refused", bench, (80, 24));
    let mut bench = Bench::new(Some(question()));
    bench.tell(Update::Failed(
        "model folder /models/qwen has no tokenizer.json: a model needs config.json, \
         tokenizer.json and safetensors"
            .into(),
    ));
    shots!("failed", bench, (80, 24));
}

#[test]
fn keys_do_nothing_unseen() {
    let mut bench = finished(Verdict::Correct);
    update(&mut bench.state, Message::Resized(79, 24));
    let mut press = |key: char| {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        update(&mut bench.state, Message::Input(Input::Key(key)))
    };
    assert_eq!(press('d'), []);
    assert_eq!(press('q'), [Effect::Quit]);
    update(&mut bench.state, Message::Resized(80, 24));
    let key = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::NONE);
    let drawn = update(&mut bench.state, Message::Input(Input::Key(key)));
    assert_eq!(drawn, [Effect::Do(Errand::Draw)]);
}

#[test]
fn too_small() {
    shots!("too_small", streaming(), (60, 12), (79, 24));
}

#[test]
fn steps_that_another_threshold_would_flip_are_known() {
    let flips = |bench: &Bench, from, to| {
        let flips = flips(&bench.state.run.as_ref().unwrap().episode, from, to);
        flips.iter().map(|flip| (flip.step, flip.to)).collect::<Vec<_>>()
    };
    let bench = finished(Verdict::Correct);
    assert_eq!(flips(&bench, 0.5, 0.2), [(2, Role::Large)]);
    assert_eq!(flips(&bench, 0.2, 0.5), [(2, Role::Small)]);
    assert_eq!(flips(&bench, 0.5, 0.72), [(1, Role::Small)]);
    assert_eq!(flips(&bench, 0.5, 0.71), [], "large where p = t");
    assert_eq!(flips(&bench, 0.5, 0.0), [(0, Role::Large), (2, Role::Large), (3, Role::Large)]);
    assert_eq!(flips(&paused(), 0.5, 0.0), [(0, Role::Large)], "a person settled the other");
    assert_eq!(flips(&streaming(), 0.5, 0.65), [(2, Role::Small)], "it is being written");
}

/// The colours and modifiers of a screen: a letter a style, and what the letters stand for.
fn painted(screen: &Screen) -> String {
    let buffer = screen.terminal.backend().buffer();
    let mut styles = Vec::new();
    let mut text = String::new();
    for line in buffer.content().chunks(usize::from(buffer.area.width)) {
        for cell in line {
            let style = (cell.fg, cell.bg, cell.modifier);
            let known = styles.iter().position(|other| *other == style);
            let at = known.unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            text.push(char::from(b'a' + u8::try_from(at).unwrap()));
        }
        text.push('\n');
    }
    for (at, (fg, bg, modifier)) in styles.into_iter().enumerate() {
        let letter = char::from(b'a' + u8::try_from(at).unwrap());
        text.push_str(&format!("{letter}: {fg} on {bg}, {modifier:?}\n"));
    }
    text
}

#[test]
fn themes_differ_in_colour_alone() {
    let bench = paused();
    let text = bench.screen(80, 24).text();
    for name in theme_names(Path::new("/nowhere")) {
        let screen = bench.screen_with(&name, Glyphs::Unicode, 80, 24);
        assert_eq!(screen.text(), text, "{name}");
        if ["colour-blind", "dusk"].contains(&name.as_str()) {
            insta::assert_snapshot!(
                format!("theme_{name}_80x24"),
                text.clone() + &painted(&screen)
            );
        }
    }
}

#[test]
fn ascii_and_mono() {
    let screen = paused().screen_with("mono", Glyphs::Ascii, 80, 24);
    let text = screen.text();
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("ascii_80x24", text);
    for cell in screen.terminal.backend().buffer().content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
}

#[test]
fn every_size_and_state_can_be_drawn() {
    let mut typing = streaming();
    typing.press("i");
    let mut helping = paused();
    helping.press("?");
    let overspent = {
        let mut bench = Bench::begun(Some(0.0));
        bench.step(0.5, "漢字\u{1b}[31m\t🚂 = 4");
        bench
    };
    for bench in [Bench::new(None), streaming(), paused(), long(), typing, helping, overspent] {
        for (width, height) in
            [(1, 1), (79, 23), (80, 24), (81, 25), (149, 31), (150, 24), (400, 9)]
        {
            let _ = bench.screen(width, height);
        }
    }
}

mod keys {
    //! What keys do, without a screen.

    use pointsman::session::Command;
    use pointsman::workbench::{Effect, Errand, Link, Notice, Overlay};

    use super::*;

    fn press(bench: &mut Bench, code: KeyCode) -> Vec<Effect> {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        update(&mut bench.state, Message::Input(Input::Key(key)))
    }

    fn sent(bench: &mut Bench, c: char) -> Vec<Command> {
        let effects = press(bench, KeyCode::Char(c)).into_iter();
        let sent = effects.filter_map(|effect| match effect {
            Effect::Send(command) => Some(command),
            _ => None,
        });
        sent.collect()
    }

    fn hint(bench: &Bench) -> &str {
        match &bench.state.notice {
            Some(Notice::Hint(text)) => text,
            other => panic!("no hint but {other:?}"),
        }
    }

    #[test]
    fn the_first_question_is_asked_once_the_models_are_there() {
        let mut bench = Bench::new(Some(question()));
        assert!(sent(&mut bench, 'r').is_empty());
        assert_eq!(hint(&bench), "the models are still being loaded");
        let effects = update(&mut bench.state, Message::Session(Update::Ready));
        let ask = Command::Ask { question: question(), router: None, seed: 0, paused: false };
        assert!(effects.contains(&Effect::Send(ask)), "{effects:?}");
        assert!(sent(&mut bench, 'r').is_empty(), "it is not asked twice");
    }

    #[test]
    fn the_points_are_taken_and_given_back() {
        let mut bench = streaming();
        let (model, scope) = (Role::Large, OverrideScope::FromHereOn);
        assert_eq!(sent(&mut bench, 'L'), [Command::Override { model, scope }]);
        assert!(sent(&mut bench, 'p').is_empty(), "the event has not come yet");
        bench.event(EventKind::OverrideSet { model, scope });
        assert_eq!(sent(&mut bench, 'p'), [Command::ClearOverride]);
        assert_eq!(sent(&mut bench, ' '), [Command::Pause]);
        bench.event(EventKind::Paused);
        assert_eq!(sent(&mut bench, ' '), [Command::Resume]);
        assert_eq!(sent(&mut bench, 'n'), [Command::Step]);
    }

    #[test]
    fn the_threshold_moves_on_hundredths_and_counts_what_was_asked() {
        let mut bench = streaming();
        assert_eq!(sent(&mut bench, '+'), [Command::Threshold(0.55)]);
        assert_eq!(sent(&mut bench, '}'), [Command::Threshold(0.56)]);
        assert_eq!(bench.state.threshold_now(), 0.5, "the event has not come yet");
        bench.event(EventKind::ThresholdMoved { from: 0.5, to: 0.55 });
        assert_eq!(sent(&mut bench, '-'), [Command::Threshold(0.51)]);
        bench.event(EventKind::ThresholdMoved { from: 0.55, to: 0.56 });
        bench.event(EventKind::ThresholdMoved { from: 0.56, to: 0.51 });
        assert_eq!((bench.state.threshold_now(), bench.state.asked_threshold), (0.51, None));
        for _ in 0..20 {
            sent(&mut bench, '-');
        }
        assert!(sent(&mut bench, '-').is_empty());
        assert_eq!(hint(&bench), "0.00 is the lowest threshold");
    }

    #[test]
    fn a_moved_threshold_holds_for_the_next_episode() {
        let mut bench = finished(Verdict::Correct);
        assert_eq!(sent(&mut bench, '-'), [Command::Threshold(0.45)]);
        assert_eq!(bench.state.threshold_now(), 0.45);
        assert!(matches!(sent(&mut bench, 'r')[..], [Command::Ask { .. }]));
    }

    #[test]
    fn an_episode_whose_journal_is_full_is_over() {
        let mut bench = streaming();
        let news = Update::Broken("no space left on device".into());
        update(&mut bench.state, Message::Session(news));
        assert!(bench.state.open().is_none());
        assert!(bench.screen(80, 24).text().contains("no space left"));
    }

    #[test]
    fn a_typed_question_is_asked() {
        let mut bench = finished(Verdict::Correct);
        press(&mut bench, KeyCode::Char('i'));
        assert!(press(&mut bench, KeyCode::Enter).is_empty());
        assert_eq!(hint(&bench), "type a question first, or press Esc");
        bench.press("2 + q?");
        let effects = press(&mut bench, KeyCode::Enter);
        let asked = effects.iter().any(|effect| {
            matches!(effect, Effect::Send(Command::Ask { question, .. }) if question.text == "2 + q?")
        });
        assert!(asked, "{effects:?}");
        assert!(matches!(bench.state.overlay, Overlay::None));
    }

    #[test]
    fn a_key_that_fits_nowhere_says_so() {
        let mut bench = Bench::new(None);
        bench.tell(Update::Ready);
        assert!(sent(&mut bench, 's').is_empty());
        assert!(hint(&bench).starts_with("no episode is running: press d"));
        press(&mut bench, KeyCode::Char('z'));
        assert_eq!(hint(&bench), "z does nothing here: press ? for the keys");
        press(&mut bench, KeyCode::Char('?'));
        assert_eq!(bench.state.notice, None);
        assert_eq!(
            press(&mut bench, KeyCode::Char('d')),
            [Effect::Do(Errand::Draw)],
            "it closes the help too"
        );
    }

    #[test]
    fn the_users_keys_are_in_force_and_named_everywhere() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("keys.toml");
        let text =
            "help = [\"F1\"]\nquit = [\"Ctrl-Q\"]\ndraw = [\"F5\", \"D\"]\nreasons = [\"W\"]\n";
        std::fs::write(&file, text).unwrap();
        let mut bench = Bench::with_keys(None, Keymap::load(&file).unwrap());
        bench.tell(Update::Ready);
        let text = bench.screen(80, 24).text();
        assert!(text.contains("F5 draw a question") && text.contains("Ctrl-Q quit"), "{text}");
        assert!(text.contains("F1 keys"), "{text}");
        assert!(bench.screen(60, 12).text().contains("press Ctrl-Q to quit"));
        assert!(press(&mut bench, KeyCode::Char('d')).is_empty());
        assert_eq!(hint(&bench), "d does nothing here: press F1 for the keys");
        press(&mut bench, KeyCode::Char('s'));
        assert_eq!(
            hint(&bench),
            "no episode is running: press F5 to draw a question, i to type one"
        );
        assert_eq!(press(&mut bench, KeyCode::F(5)), [Effect::Do(Errand::Draw)]);
        press(&mut bench, KeyCode::F(1));
        let text = bench.screen(80, 24).text();
        assert!(text.contains("F5 D      draw a new question"), "{text}");
        let key = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::CONTROL);
        assert_eq!(update(&mut bench.state, Message::Input(Input::Key(key))), [Effect::Quit]);
        press(&mut bench, KeyCode::F(1));
        bench.tell(Update::Failed("no models".into()));
        let text = bench.screen(80, 24).text();
        assert!(text.contains("terminal. Press Ctrl-Q"), "{text}");
    }

    #[test]
    fn quit_and_suspend_work_everywhere() {
        let mut bench = finished(Verdict::Correct);
        press(&mut bench, KeyCode::Char('i'));
        let mut control = |c| {
            let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
            update(&mut bench.state, Message::Input(Input::Key(key)))
        };
        assert_eq!(control('z'), [Effect::Suspend]);
        assert_eq!(control('c'), [Effect::Quit]);
    }

    #[test]
    fn a_session_that_ends_without_a_word_is_noticed() {
        let mut bench = streaming();
        update(&mut bench.state, Message::SessionGone);
        assert!(matches!(bench.state.link, Link::Failed(_)));
        assert!(sent(&mut bench, 's').is_empty());
        assert_eq!(
            hint(&bench),
            "the session is over: press P to choose another preset, q to quit"
        );
    }

    #[test]
    fn text_in_flight_gives_way_to_events() {
        let mut bench = streaming();
        let run = bench.state.run.as_ref().unwrap();
        let writing = run.in_flight.as_ref().unwrap();
        assert_eq!((writing.model, writing.tokens), (Role::Large, 7));
        assert_eq!(run.episode.discarded.len(), 1);
        bench.write(Role::Large, "Pens left: 85 - 18 = 67");
        let run = bench.state.run.as_ref().unwrap();
        assert_eq!((&run.in_flight, &run.opinion), (&None, &None));
        assert_eq!(run.score(), (0, 3));
    }
}
