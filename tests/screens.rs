//! Snapshots of the workbench at three sizes, from messages with fixed times.

#[macro_use]
mod harness;

use std::path::Path;

use pointsman::engine::gpu::GpuMemory;
use pointsman::episode::{Decider, EventKind, OverrideScope, Role, Verdict};
use pointsman::evaluation::writer_changes;
use pointsman::session::SessionUpdate;
use pointsman::theme::{Glyphs, theme_names};
use pointsman::workbench::{Effect, Job, Keymap, Message, Scroll, update};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use harness::*;

fn streaming() -> Harness {
    let mut harness = Harness::started(None);
    harness.step(0.12, "Pens bought: 4 × 12 = 48");
    harness.step(0.71, "Pens in all: 37 + 48 = 85");
    harness.draft(0.62, "Pens left after the gift: 85 - 8");
    harness.decide(0.62, Role::Large, rule());
    harness.discard_draft("Pens left after the gift: 85 - 8");
    for token in tokens("Pens left after the gift to her") {
        harness.session_update(SessionUpdate::Token { model: Role::Large, token });
    }
    harness
}

fn paused() -> Harness {
    let mut harness = Harness::started(Some(4.0e8));
    harness.step(0.12, "Pens bought: 4 × 12 = 48");
    harness.event(EventKind::OverrideSet { model: Role::Large, scope: OverrideScope::NextStep });
    harness.draft(0.34, "Pens in all: 37");
    harness.decide(0.34, Role::Large, Decider::User);
    harness.discard_draft("Pens in all: 37");
    harness.write(Role::Large, "Pens in all: 37 + 48 = 85");
    harness.event(EventKind::Paused);
    harness.draft(0.41, "Pens left: 85 - 18");
    harness.event(EventKind::OverrideSet { model: Role::Small, scope: OverrideScope::FromHereOn });
    harness.event(EventKind::ThresholdMoved { from: 0.5, to: 0.4 });
    harness
}

/// Longer than any screen: twenty steps, some of them of many lines.
fn long() -> Harness {
    let mut harness = Harness::started(None);
    for i in 0..20 {
        let text =
            format!("Line {i} of the reasoning, {}", "which goes on and on ".repeat(i % 4 * 3));
        harness.step(f64::from(u8::try_from(i * 37 % 100).unwrap()) / 100.0, text.trim());
    }
    harness
}

#[test]
fn loading() {
    shots!("loading", Harness::new(Some(question())), (80, 24));
}

#[test]
fn idle() {
    let mut harness = Harness::new(None);
    harness.session_update(SessionUpdate::Ready);
    shots!("idle", harness, (80, 24), (120, 40));
}

#[test]
fn mid_episode() {
    shots!("streaming", streaming(), (80, 24), (120, 40), (200, 50));
}

#[test]
fn with_reduced_motion_only_events_change_the_screen() {
    let mut harness = Harness::started(None);
    harness.state.reduced_motion = true;
    harness.step(0.12, "Pens bought: 4 × 12 = 48");
    harness.decide(0.71, Role::Large, rule());
    let before = harness.screen(80, 24).text();
    for token in tokens("Pens in all: 37") {
        harness.session_update(SessionUpdate::Token { model: Role::Large, token });
        update(&mut harness.state, Message::Clock(harness.now + 9_000));
    }
    assert_eq!(harness.state.time_to_next_change(), None);
    assert_eq!(harness.screen(80, 24).text(), before);
    harness.write(Role::Large, "Pens in all: 37 + 48 = 85");
    assert!(harness.screen(80, 24).text().contains("37 + 48 = 85"));
}

#[test]
fn a_gpus_memory_stands_in_the_status_line() {
    let mut harness = finished(Verdict::Correct);
    let before = harness.screen(200, 50).text();
    let memory = GpuMemory { used: 18_240_000_000, total: 85_520_000_000 };
    update(&mut harness.state, Message::Gpu(memory));
    let shown = harness.screen(200, 50).text();
    assert!(shown.contains("gpu 18.2 of 86 GB") && !before.contains("gpu"), "{shown}");
    assert_eq!(harness.state.time_to_next_change(), None);
}

#[test]
fn all_reasons_are_paged_through() {
    let mut harness = Harness::started(None);
    let many = (0..60).map(|i| (format!("feature.{i:02}"), f64::from(i))).collect();
    harness.event(EventKind::Decided {
        step: 0,
        features: many,
        p_large: Some(0.4),
        threshold: 0.5,
        propensity: Some(1.0),
        choice: Role::Small,
        by: rule(),
    });
    harness.write(Role::Small, "Pens bought: 4 × 12 = 48");
    (harness.state.why_expanded, harness.state.selected) = (true, Some(0));
    let mut screen = harness.screen(80, 24);
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
        screen.draw(&harness.state);
        all.extend(seen(&screen));
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 60, "{}", screen.text());
    for _ in 0..3 {
        screen.view.scroll(Scroll::PageUp);
        screen.draw(&harness.state);
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
    let harness = long();
    let mut screen = harness.screen(80, 24);
    insta::assert_snapshot!("long_80x24", screen.text());
    screen.view.scroll(Scroll::PageUp);
    screen.draw(&harness.state);
    insta::assert_snapshot!("long_page_up_80x24", screen.text());
    screen.view.scroll(Scroll::PageDown);
    screen.draw(&harness.state);
    assert_eq!(screen.text(), harness.screen(80, 24).text());
}

#[test]
fn selected_step_is_in_view_with_its_reasons() {
    let mut harness = long();
    harness.press("↑↑↑↑↑↑↑↑w");
    shots!("selected", harness, (80, 24), (200, 50));
}

#[test]
fn help() {
    let mut harness = streaming();
    harness.press("?");
    shots!("help", harness, (80, 24), (120, 40));
}

#[test]
fn editor() {
    let mut harness = finished(Verdict::Wrong);
    harness.press("i");
    update(
        &mut harness.state,
        Message::Input(Input::Paste("How many legs do\nthree cats have".into())),
    );
    harness.press("?");
    shots!("editor", harness, (80, 24));
}

#[test]
fn trouble_is_told() {
    let mut harness = streaming();
    harness.session_update(SessionUpdate::Refused(
        "the store takes no more events: the disk is full".into(),
    ));
    shots!("refused", harness, (80, 24));
    let mut harness = Harness::new(Some(question()));
    harness.session_update(SessionUpdate::SessionFailed(
        "model folder /models/qwen has no tokenizer.json: a model needs config.json, \
         tokenizer.json and safetensors"
            .into(),
    ));
    shots!("failed", harness, (80, 24));
}

#[test]
fn keys_do_nothing_unseen() {
    let mut harness = finished(Verdict::Correct);
    update(&mut harness.state, Message::Resized(79, 24));
    let mut press = |key: char| {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        update(&mut harness.state, Message::Input(Input::Key(key)))
    };
    assert_eq!(press('d'), []);
    assert_eq!(press('q'), [Effect::Quit]);
    update(&mut harness.state, Message::Resized(80, 24));
    let key = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::NONE);
    let drawn = update(&mut harness.state, Message::Input(Input::Key(key)));
    assert_eq!(drawn, [Effect::RunJob(Job::DrawQuestion)]);
}

#[test]
fn too_small() {
    shots!("too_small", streaming(), (60, 12), (79, 24));
}

#[test]
fn steps_that_another_threshold_would_flip_are_known() {
    let flips = |harness: &Harness, from, to| {
        let writer_changes =
            writer_changes(&harness.state.displayed.as_ref().unwrap().episode, from, to);
        flips.iter().map(|flip| (flip.step, flip.to)).collect::<Vec<_>>()
    };
    let harness = finished(Verdict::Correct);
    assert_eq!(flips(&harness, 0.5, 0.2), [(2, Role::Large)]);
    assert_eq!(flips(&harness, 0.2, 0.5), [(2, Role::Small)]);
    assert_eq!(flips(&harness, 0.5, 0.72), [(1, Role::Small)]);
    assert_eq!(flips(&harness, 0.5, 0.71), [], "large where p = t");
    assert_eq!(flips(&harness, 0.5, 0.0), [(0, Role::Large), (2, Role::Large), (3, Role::Large)]);
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
    let harness = paused();
    let text = harness.screen(80, 24).text();
    for name in theme_names(Path::new("/nowhere")) {
        let screen = harness.screen_with(&name, Glyphs::Unicode, 80, 24);
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
        let mut harness = Harness::started(Some(0.0));
        harness.step(0.5, "漢字\u{1b}[31m\t🚂 = 4");
        harness
    };
    for harness in [Harness::new(None), streaming(), paused(), long(), typing, helping, overspent] {
        for (width, height) in
            [(1, 1), (79, 23), (80, 24), (81, 25), (149, 31), (150, 24), (400, 9)]
        {
            let _ = harness.screen(width, height);
        }
    }
}

mod keys {
    //! What keys do, without a screen.

    use pointsman::session::Command;
    use pointsman::workbench::{Effect, Job, Notice, Overlay, SessionStatus};

    use super::*;

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
    fn the_first_question_is_asked_once_the_models_are_there() {
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
        assert!(sent(&mut harness, 'p').is_empty(), "the event has not come yet");
        harness.event(EventKind::OverrideSet { model, scope });
        assert_eq!(sent(&mut harness, 'p'), [Command::ClearOverride]);
        assert_eq!(sent(&mut harness, ' '), [Command::Pause]);
        harness.event(EventKind::Paused);
        assert_eq!(sent(&mut harness, ' '), [Command::Resume]);
        assert_eq!(sent(&mut harness, 'n'), [Command::Step]);
    }

    #[test]
    fn the_threshold_moves_on_hundredths_and_counts_what_was_asked() {
        let mut harness = streaming();
        assert_eq!(sent(&mut harness, '+'), [Command::SetThreshold(0.55)]);
        assert_eq!(sent(&mut harness, '}'), [Command::SetThreshold(0.56)]);
        assert_eq!(harness.state.threshold_now(), 0.5, "the event has not come yet");
        harness.event(EventKind::ThresholdMoved { from: 0.5, to: 0.55 });
        assert_eq!(sent(&mut harness, '-'), [Command::SetThreshold(0.51)]);
        harness.event(EventKind::ThresholdMoved { from: 0.55, to: 0.56 });
        harness.event(EventKind::ThresholdMoved { from: 0.56, to: 0.51 });
        assert_eq!((harness.state.threshold_now(), harness.state.pending_threshold), (0.51, None));
        for _ in 0..20 {
            sent(&mut harness, '-');
        }
        assert!(sent(&mut harness, '-').is_empty());
        assert_eq!(hint(&harness), "0.00 is the lowest threshold");
    }

    #[test]
    fn a_moved_threshold_holds_for_the_next_episode() {
        let mut harness = finished(Verdict::Correct);
        assert_eq!(sent(&mut harness, '-'), [Command::SetThreshold(0.45)]);
        assert_eq!(harness.state.threshold_now(), 0.45);
        assert!(matches!(sent(&mut harness, 'r')[..], [Command::Ask { .. }]));
    }

    #[test]
    fn an_episode_whose_sink_is_full_is_over() {
        let mut harness = streaming();
        let news = SessionUpdate::SinkFailed("no space left on device".into());
        update(&mut harness.state, Message::Session(news));
        assert!(harness.state.open().is_none());
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
    fn a_key_that_fits_nowhere_says_so() {
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
        let mut harness = Harness::with_keys(None, Keymap::load(&file).unwrap());
        harness.session_update(SessionUpdate::Ready);
        let text = harness.screen(80, 24).text();
        assert!(text.contains("F5 draw a question") && text.contains("Ctrl-Q quit"), "{text}");
        assert!(text.contains("F1 keys"), "{text}");
        assert!(harness.screen(60, 12).text().contains("press Ctrl-Q to quit"));
        assert!(press(&mut harness, KeyCode::Char('d')).is_empty());
        assert_eq!(hint(&harness), "d does nothing here: press F1 for the keys");
        press(&mut harness, KeyCode::Char('s'));
        assert_eq!(
            hint(&harness),
            "no episode is running: press F5 to draw a question, i to type one"
        );
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
    fn a_session_that_ends_without_a_word_is_noticed() {
        let mut harness = streaming();
        update(&mut harness.state, Message::SessionGone);
        assert!(matches!(harness.state.session_status, SessionStatus::Failed(_)));
        assert!(sent(&mut harness, 's').is_empty());
        assert_eq!(
            hint(&harness),
            "the session is over: press P to choose another preset, q to quit"
        );
    }

    #[test]
    fn text_in_flight_gives_way_to_events() {
        let mut harness = streaming();
        let run = harness.state.displayed.as_ref().unwrap();
        let generation = run.in_flight.as_ref().unwrap();
        assert_eq!((generation.model, generation.tokens), (Role::Large, 7));
        assert_eq!(run.episode.discarded.len(), 1);
        harness.write(Role::Large, "Pens left: 85 - 18 = 67");
        let run = harness.state.displayed.as_ref().unwrap();
        assert_eq!((&run.in_flight, &run.opinion), (&None, &None));
        assert_eq!(run.score(), (0, 3));
    }
}
