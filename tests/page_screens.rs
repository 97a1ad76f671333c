//! The pages and lists of the workbench, fed by hand: library, retraining, menus, typed lines.

#[macro_use]
mod bench;

use std::sync::Arc;

use bench::{Bench, finished};
use pointsman::config::Preset;
use pointsman::episode::{FinishReason, Parent, Verdict};
use pointsman::evaluation::{PersonScore, Side};
use pointsman::recording::Recorded;
use pointsman::routing::{Roster, load_policy};
use pointsman::session::{Command, Employment};
use pointsman::store::{Annotations, End, Entry, Summary};
use pointsman::workbench::{
    Beside, Chosen, Doing, Effect, Errand, Item, Lesson, Listed, Menu, Message, Newcomer, News,
    Notice, Page, Pick, Purpose, Reached, Sought, Stretch, update,
};
use ratatui::crossterm::event::{Event as Input, KeyCode};

fn summary(id: u64, verdict: Verdict, parent: Option<u64>) -> Summary {
    let bench = finished(verdict);
    let episode = &bench.state.run.as_ref().unwrap().episode;
    let mut summary = Summary::of(id, episode);
    summary.parent = parent.map(|episode| Parent { episode, step: 2 });
    if let End::Finished { reason, .. } = &mut summary.end {
        *reason = FinishReason::Answered;
    }
    summary
}

fn listed(id: u64, verdict: Verdict, parent: Option<u64>, depth: usize) -> Listed {
    let mut annotations = Annotations::default();
    annotations.starred = id == 12;
    if id == 12 {
        annotations.tags.insert("hard".parse().unwrap());
        annotations.note = "ask Ava".into();
    }
    let entry = Entry { summary: summary(id, verdict, parent), annotations };
    Listed { entry, depth, began: format!("11-25 07:{id}") }
}

fn found(bench: &mut Bench, rows: Vec<Listed>) {
    let ticket = bench.state.library.ticket;
    let found = Ok(Stretch { rows, unreadable: 1, next: None });
    update(&mut bench.state, Message::Found { ticket, anew: true, found });
}

/// The library with three episodes.
fn library() -> Bench {
    let mut bench = finished(Verdict::Correct);
    bench.press("o");
    let rows = vec![
        listed(14, Verdict::Wrong, Some(12), 0),
        listed(12, Verdict::Correct, None, 0),
        listed(11, Verdict::Undecided, None, 0),
    ];
    found(&mut bench, rows);
    bench
}

fn effects(bench: &mut Bench, code: KeyCode) -> Vec<Effect> {
    use ratatui::crossterm::event::{Event, KeyEvent, KeyModifiers};
    let key = KeyEvent::new(code, KeyModifiers::NONE);
    update(&mut bench.state, Message::Input(Event::Key(key)))
}

#[test]
fn a_list() {
    let mut bench = library();
    bench.press(" ");
    shots!("library", bench, (80, 24), (120, 40), (200, 50));
}

#[test]
fn a_family() {
    let mut bench = library();
    bench.press("f");
    let family = Sought::Family { of: 14, before: String::new() };
    assert_eq!(bench.state.library.sought, family);
    found(
        &mut bench,
        vec![listed(12, Verdict::Correct, None, 0), listed(14, Verdict::Wrong, Some(12), 1)],
    );
    shots!("family", bench, (80, 24));
}

#[test]
fn a_query_is_typed() {
    let mut bench = library();
    bench.press("/right cost<2G");
    shots!("query", bench, (80, 24), (120, 40));
    let effects = effects(&mut bench, KeyCode::Enter);
    let Effect::Do(Errand::Find { sought, after: None, .. }) = &effects[0] else { panic!() };
    assert_eq!(*sought, Sought::Query("right cost<2G".into()));
}

#[test]
fn an_older_answer_is_dropped_and_a_sort_keeps_the_words() {
    let mut bench = library();
    let old = bench.state.library.ticket;
    bench.press("/tag:x\nsss");
    assert_eq!(bench.state.library.sought, Sought::Query("tag:x sort:-steps".into()));
    let rows = bench.state.library.rows.len();
    let found = Err("too late".to_owned());
    update(&mut bench.state, Message::Found { ticket: old, anew: true, found });
    assert_eq!((bench.state.library.rows.len(), &bench.state.library.problem), (rows, &None));
    bench.press("sss");
    assert_eq!(bench.state.library.sought, Sought::Query("tag:x".into()), "the orders go round");
}

#[test]
fn keys_act_on_the_marked_ones() {
    let mut bench = library();
    bench.press("  ");
    let effects = effects(&mut bench, KeyCode::Char('D'));
    assert_eq!(effects, [Effect::Do(Errand::Bin(vec![12, 14]))]);
    assert!(bench.state.library.marked.is_empty());
}

#[test]
fn marks_go_with_the_list_and_a_family_leads_back_to_it() {
    let mut bench = library();
    bench.press(" /Right\n");
    assert!(bench.state.library.marked.is_empty(), "what is not listed is not deleted");
    assert_eq!(bench.state.library.sought, Sought::Query("Right".into()));
    found(&mut bench, vec![listed(12, Verdict::Correct, None, 0)]);
    bench.press("f");
    assert!(matches!(bench.state.library.sought, Sought::Family { of: 12, .. }));
    let effects = effects(&mut bench, KeyCode::Backspace);
    let query = Sought::Query("Right".into());
    assert!(matches!(&effects[0], Effect::Do(Errand::Find { sought, .. }) if *sought == query));
    bench.key(KeyCode::Backspace);
    assert_eq!(bench.state.page, Page::Panes);
}

#[test]
fn one_who_is_far_down_the_list_stays_there() {
    let mut bench = library();
    let rows = |n: u64| (1..=n).rev().map(|id| listed(id, Verdict::Correct, None, 0)).collect();
    found(&mut bench, rows(250));
    bench.state.library.at = 240;
    let effects = update(&mut bench.state, Message::Kept(Ok("episode 10 starred".into())));
    assert!(matches!(&effects[0], Effect::Do(Errand::Find { rows: 250, .. })), "{effects:?}");
    found(&mut bench, rows(250));
    assert_eq!(bench.state.library.here().unwrap().entry.summary.id, 10);
}

#[test]
fn what_is_typed_takes_the_place_of_what_was_there() {
    let mut bench = library();
    bench.press("/wrong\n/Ava\n");
    assert_eq!(bench.state.library.sought, Sought::Query("Ava".into()), "also a capital letter");
    bench.press("/");
    update(&mut bench.state, Message::Input(Input::Paste("boxes\n".into())));
    bench.press("\n");
    assert_eq!(bench.state.library.sought, Sought::Query("boxes".into()));
}

#[test]
fn a_typed_question_is_asked_whatever_is_on_the_screen() {
    let mut bench = finished(Verdict::Correct);
    let episode = bench.state.run.as_ref().unwrap().episode.clone();
    let stored = Recorded { id: 3, line: 1, events: Vec::new(), json: Vec::new(), episode };
    update(&mut bench.state, Message::Read(Purpose::Open, Ok(Box::new(stored))));
    bench.press("iHow many is 1 + 1?");
    let effects = effects(&mut bench, KeyCode::Enter);
    let Effect::Send(Command::Ask { question, .. }) = &effects[0] else { panic!("{effects:?}") };
    assert_eq!(question.text, "How many is 1 + 1?");
}

#[test]
fn another_preset_has_no_new_policy() {
    let mut bench = finished(Verdict::Correct);
    bench.state.school.newcomer = Some(newcomer());
    bench.state.school.won = Some(true);
    let preset = Preset { name: "mine".into(), ..bench.state.preset.clone() };
    let employment = Employment { preset, roster: Roster::new("mine", None) };
    update(&mut bench.state, Message::Preset(Ok(Box::new(Chosen { employment, scale: None }))));
    assert_eq!((&bench.state.school.newcomer, bench.state.school.won), (&None, None));
    bench.press("T");
    assert!(bench.screen(120, 40).text().contains("policy promote tiny-0 --preset tiny"));
}

#[test]
fn a_failure_is_told_and_the_list_stays() {
    let mut bench = library();
    update(&mut bench.state, Message::Kept(Err("the disk is full".into())));
    assert_eq!(bench.state.notice, Some(Notice::Trouble("the disk is full".into())));
    assert_eq!((bench.state.page, bench.state.library.rows.len()), (Page::Library, 3));
}

#[test]
fn retraining() {
    let mut bench = finished(Verdict::Correct);
    bench.press("T");
    shots!("school", bench, (80, 24));
    let effects = effects(&mut bench, KeyCode::Char('t'));
    assert!(matches!(&effects[0], Effect::Do(Errand::Learn { lesson: Lesson::Train, .. })));
    let doing =
        |done| Doing { what: Lesson::Train, done, of: 48, text: "236 episodes; loss 0.310".into() };
    update(&mut bench.state, Message::School(News::Progress(doing(24))));
    shots!("training", bench, (80, 24), (120, 40));
    // One thing at a time.
    bench.press("e");
    assert!(matches!(&bench.state.notice, Some(Notice::Hint(text)) if text.contains("under way")));
    bench.press("x");
    update(&mut bench.state, Message::School(News::Failed("cancelled".into())));
    update(&mut bench.state, Message::School(News::Progress(doing(25))));
    assert_eq!(bench.state.school.doing, None, "a late word does not begin it again");
}

/// A new policy, after a training.
fn newcomer() -> Arc<Newcomer> {
    let reached = |share| Reached { threshold: 0.5, share, accuracy: 0.63, ci: [0.5, 0.76] };
    let row = |share| Beside {
        share,
        newcomer: Some(reached(share)),
        champion: (share > 0.3).then(|| reached(share)),
    };
    Arc::new(Newcomer {
        number: 1,
        policy: Arc::new(load_policy("builtin:tiny").unwrap()),
        champion: Some("tiny-0".into()),
        judged: 61,
        rows: [0.2, 0.4, 0.6, 0.8, 1.0].map(row).into(),
    })
}

#[test]
fn what_a_training_came_to_has_room() {
    let mut bench = finished(Verdict::Correct);
    bench.press("T");
    update(&mut bench.state, Message::School(News::Trained(newcomer())));
    for text in ["500 episodes were collected", "100 fresh questions: APGR of tiny-1 0.703"] {
        update(&mut bench.state, Message::School(News::Over(text.into())));
    }
    shots!("newcomer", bench, (80, 24));
    assert!(bench.screen(80, 24).text().contains("100 %"));
}

#[test]
fn what_happens_meanwhile_is_told_where_one_is() {
    let mut bench = finished(Verdict::Correct);
    bench.press("Tt");
    bench.key(KeyCode::Backspace);
    assert_eq!(bench.state.page, Page::Panes);
    update(&mut bench.state, Message::School(News::Over("500 episodes were collected".into())));
    assert_eq!(bench.state.notice, Some(Notice::Hint("500 episodes were collected".into())));
}

#[test]
fn the_palette_finds_what_can_be_done_here() {
    let mut bench = finished(Verdict::Correct);
    bench.press(":");
    shots!("palette", bench, (80, 24), (120, 40));
    bench.press("help");
    shots!("palette_nothing", bench, (80, 24));
    for _ in 0..4 {
        bench.key(KeyCode::Backspace);
    }
    bench.press("stored epi\n");
    assert_eq!(bench.state.page, Page::Library);
    // What is only of use in an episode is not offered without one.
    bench.key(KeyCode::Backspace);
    bench.press(":next step small");
    assert!(bench.screen(80, 24).text().contains("nothing has all of this in it"));
}

#[test]
fn what_is_typed_before_a_list_has_come_counts() {
    let mut bench = finished(Verdict::Correct);
    bench.press("Cli\n");
    assert!(matches!(&bench.state.notice, Some(Notice::Hint(text)) if text.contains("on its way")));
    let item = |name: &str| Item {
        label: name.into(),
        note: String::new(),
        pick: Pick::Theme(name.into()),
    };
    let menu = Menu::new("themes", vec![item("dusk"), item("light")]);
    update(&mut bench.state, Message::Menu(Ok(menu)));
    let effects = effects(&mut bench, KeyCode::Enter);
    assert_eq!(effects, [Effect::Do(Errand::Theme("light".into()))]);
}

#[test]
fn a_budget_is_typed() {
    let mut bench = finished(Verdict::Correct);
    bench.press("b");
    shots!("budget", bench, (80, 24));
    for _ in 0..4 {
        bench.key(KeyCode::Backspace);
    }
    bench.press("much\n");
    assert!(matches!(&bench.state.notice, Some(Notice::Hint(text)) if text.contains("200M")));
    bench.press("b");
    for _ in 0..4 {
        bench.key(KeyCode::Backspace);
    }
    bench.press("200M");
    let effects = effects(&mut bench, KeyCode::Enter);
    let send = pointsman::session::Command::Budget(Some(2e8));
    assert_eq!(effects, [Effect::Send(send)]);
    assert_eq!(bench.state.preset.budget.limit, Some(2e8));
}

#[test]
fn a_score() {
    let mut bench = finished(Verdict::Correct);
    let effects = effects(&mut bench, KeyCode::Char('a'));
    assert_eq!(effects, [Effect::Do(Errand::Score)]);
    let side = |accuracy, cost| Side { episodes: 3, accuracy, cost };
    let score = PersonScore {
        decisions: 9,
        advised: 8,
        agreed: 6,
        questions: 3,
        person: side(1.0, 2e8),
        router: side(2.0 / 3.0, 1.5e8),
    };
    update(&mut bench.state, Message::Scored(Ok(score)));
    shots!("score", bench, (80, 24));
}

#[test]
fn a_long_notice_is_shown_whole() {
    let mut bench = finished(Verdict::Correct);
    let why = "/home/ava/.config/pointsman/presets/mine.toml, line 32, column 1: unknown field \
               `treshold`, expected one of `router`, `policy`, `threshold`";
    update(&mut bench.state, Message::Preset(Err(why.into())));
    let screen = bench.screen(80, 24).text();
    // Wherever its lines break.
    let words: Vec<&str> = screen.split_whitespace().collect();
    let text = words.join(" ");
    assert!(text.contains("line 32") && text.contains("the preset in force stays"), "{screen}");
}

#[test]
fn a_trace_is_copied() {
    let mut bench = finished(Verdict::Correct);
    let effects = effects(&mut bench, KeyCode::Char('y'));
    let [Effect::Copy(text)] = &effects[..] else { panic!("{effects:?}") };
    insta::assert_snapshot!("copied", text);
    update(&mut bench.state, Message::Copied(Ok(())));
    assert!(bench.screen(80, 24).text().contains("sent to the terminal"));
    update(&mut bench.state, Message::Copied(Err("nothing is copied".into())));
    assert!(bench.screen(80, 24).text().contains("nothing is copied"));
}
