//! Snapshots of the main page at several sizes, and what keys do there.

use std::fmt::Write as _;
use std::path::Path;

use pointsman::engine::gpu::GpuMemory;
use pointsman::episode::{Decider, EventKind, OverrideScope, Role, Verdict};
use pointsman::evaluation::writer_changes;
use pointsman::session::SessionUpdate;
use pointsman::theme::{Glyphs, theme_names};
use pointsman::workbench::{Effect, Job, Message, Scroll, update};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use crate::harness::{Harness, Screen, finished, question, rule, tokens};

pub(crate) fn streaming() -> Harness {
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

/// An episode longer than any screen: twenty steps, some with many lines.
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
fn while_the_models_load() {
    shots!("loading", Harness::new(Some(question())), (80, 24));
}

#[test]
fn before_the_first_question() {
    let mut harness = Harness::new(None);
    harness.session_update(SessionUpdate::Ready);
    shots!("idle", harness, (80, 24), (120, 40));
}

#[test]
fn while_a_step_is_written() {
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
fn the_status_line_has_the_gpu_memory() {
    let mut harness = finished(Verdict::Correct);
    let before = harness.screen(200, 50).text();
    let memory = GpuMemory { used: 18_240_000_000, total: 85_520_000_000 };
    update(&mut harness.state, Message::Gpu(memory));
    let shown = harness.screen(200, 50).text();
    assert!(shown.contains("gpu 18.2 of 86 GB") && !before.contains("gpu"), "{shown}");
    assert_eq!(harness.state.time_to_next_change(), None);
}

#[test]
fn all_features_can_be_paged_through() {
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
    assert_eq!(seen(&screen), first, "pages beyond the end are ignored");
}

#[test]
fn paused_with_an_override() {
    shots!("paused", paused(), (80, 24), (120, 40), (200, 50));
}

#[test]
fn a_finished_episode() {
    shots!("finished", finished(Verdict::Correct), (80, 24), (200, 50));
}

#[test]
fn a_long_trace_follows_its_end_and_scrolls() {
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
fn the_selected_step_is_in_view_with_its_features() {
    let mut harness = long();
    harness.press("↑↑↑↑↑↑↑↑w");
    shots!("selected", harness, (80, 24), (200, 50));
}

#[test]
fn help_over_a_running_episode() {
    let mut harness = streaming();
    harness.press("?");
    shots!("help", harness, (80, 24), (120, 40));
}

#[test]
fn the_question_editor() {
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
fn errors_are_shown() {
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
fn keys_are_ignored_while_the_terminal_is_too_small() {
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
fn a_terminal_that_is_too_small() {
    shots!("too_small", streaming(), (60, 12), (79, 24));
}

#[test]
fn writer_changes_of_another_threshold() {
    let changes = |harness: &Harness, from, to| {
        let episode = &harness.state.displayed.as_ref().unwrap().episode;
        let changes = writer_changes(episode, from, to);
        changes.iter().map(|change| (change.step, change.to)).collect::<Vec<_>>()
    };
    let harness = finished(Verdict::Correct);
    assert_eq!(changes(&harness, 0.5, 0.2), [(2, Role::Large)]);
    assert_eq!(changes(&harness, 0.2, 0.5), [(2, Role::Small)]);
    assert_eq!(changes(&harness, 0.5, 0.72), [(1, Role::Small)]);
    assert_eq!(changes(&harness, 0.5, 0.71), [], "large if p(large) equals the threshold");
    assert_eq!(changes(&harness, 0.5, 0.0), [(0, Role::Large), (2, Role::Large), (3, Role::Large)]);
    assert_eq!(
        changes(&paused(), 0.5, 0.0),
        [(0, Role::Large)],
        "the other step was chosen by the user"
    );
    assert_eq!(changes(&streaming(), 0.5, 0.65), [(2, Role::Small)], "the step in progress counts");
}

/// The styles of a screen: a letter for each cell, and a legend of the letters.
fn styles_of(screen: &Screen) -> String {
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
        writeln!(text, "{letter}: {fg} on {bg}, {modifier:?}").unwrap();
    }
    text
}

#[test]
fn themes_differ_only_in_style() {
    let harness = paused();
    let text = harness.screen(80, 24).text();
    for name in theme_names(Path::new("/nowhere")) {
        let screen = harness.screen_with(&name, Glyphs::Unicode, 80, 24);
        assert_eq!(screen.text(), text, "{name}");
        if ["colour-blind", "dusk"].contains(&name.as_str()) {
            insta::assert_snapshot!(
                format!("theme_{name}_80x24"),
                text.clone() + &styles_of(&screen)
            );
        }
    }
}

#[test]
fn ascii_in_the_theme_mono() {
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
    let states =
        vec![Harness::new(None), streaming(), paused(), long(), typing, helping, overspent];
    for harness in states {
        for (width, height) in
            [(1, 1), (79, 23), (80, 24), (81, 25), (149, 31), (150, 24), (400, 9)]
        {
            let _ = harness.screen(width, height);
        }
    }
}
