//! Library, training page, menus and input lines.

use std::sync::Arc;

use pointsman::config::Preset;
use pointsman::episode::{FinishReason, Parent, Verdict};
use pointsman::evaluation::{SideMeans, UserComparison};
use pointsman::recording::RecordedEpisode;
use pointsman::routing::{RouterRegistry, load_policy};
use pointsman::session::{Command, RoutingConfig};
use pointsman::store::{Annotations, EpisodeEnd, EpisodeEntry, EpisodeSummary};
use pointsman::training::{AccuracyEstimate, Candidate, CostComparison};
use pointsman::workbench::{
    Effect, EpisodePage, Job, LibraryQuery, ListedEpisode, LoadedRouting, Menu, MenuChoice,
    MenuItem, Message, Notice, PageId, ReadPurpose, TrainingAction, TrainingProgress,
    TrainingUpdate, update,
};
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};

use crate::harness::{Harness, finished};

fn summary(id: u64, verdict: Verdict, parent: Option<u64>) -> EpisodeSummary {
    let harness = finished(verdict);
    let episode = &harness.state.displayed.as_ref().unwrap().episode;
    let mut summary = EpisodeSummary::of(id, episode);
    summary.parent = parent.map(|episode| Parent { episode, step: 2 });
    if let EpisodeEnd::Finished { reason, .. } = &mut summary.end {
        *reason = FinishReason::Answered;
    }
    summary
}

fn listed(id: u64, verdict: Verdict, parent: Option<u64>, depth: usize) -> ListedEpisode {
    let mut annotations = Annotations::default();
    annotations.starred = id == 12;
    if id == 12 {
        annotations.tags.insert("hard".parse().unwrap());
        annotations.note = "ask Ava".into();
    }
    let entry = EpisodeEntry { summary: summary(id, verdict, parent), annotations };
    ListedEpisode { entry, depth, began: format!("11-25 07:{id}") }
}

/// The answer to the last request for a list.
fn list_arrives(harness: &mut Harness, rows: Vec<ListedEpisode>) {
    let request_id = harness.state.library.request_id;
    let page = Ok(EpisodePage { rows, unreadable: 1, next: None });
    update(&mut harness.state, Message::EpisodesListed { request_id, from_start: true, page });
}

/// The library with three episodes.
fn library() -> Harness {
    let mut harness = finished(Verdict::Correct);
    harness.press("o");
    let rows = vec![
        listed(14, Verdict::Wrong, Some(12), 0),
        listed(12, Verdict::Correct, None, 0),
        listed(11, Verdict::Undecided, None, 0),
    ];
    list_arrives(&mut harness, rows);
    harness
}

fn press(harness: &mut Harness, code: KeyCode) -> Vec<Effect> {
    let key = KeyEvent::new(code, KeyModifiers::NONE);
    update(&mut harness.state, Message::Input(Input::Key(key)))
}

#[test]
fn the_library_lists_episodes() {
    let mut harness = library();
    harness.press(" ");
    shots!("library", harness, (80, 24), (120, 40), (200, 50));
}

#[test]
fn the_forks_of_an_episode() {
    let mut harness = library();
    harness.press("f");
    let forks = LibraryQuery::Forks { of: 14, previous_query: String::new() };
    assert_eq!(harness.state.library.query, forks);
    list_arrives(
        &mut harness,
        vec![listed(12, Verdict::Correct, None, 0), listed(14, Verdict::Wrong, Some(12), 1)],
    );
    shots!("family", harness, (80, 24));
}

#[test]
fn a_query_is_typed_and_sent() {
    let mut harness = library();
    harness.press("/right cost<2G");
    shots!("query", harness, (80, 24), (120, 40));
    let effects = press(&mut harness, KeyCode::Enter);
    let Effect::RunJob(Job::ListEpisodes { query, after: None, .. }) = &effects[0] else {
        panic!()
    };
    assert_eq!(*query, LibraryQuery::Search("right cost<2G".into()));
}

#[test]
fn a_late_list_is_ignored_and_sorting_keeps_the_query() {
    let mut harness = library();
    let old = harness.state.library.request_id;
    harness.press("/tag:x\nsss");
    assert_eq!(harness.state.library.query, LibraryQuery::Search("tag:x sort:-steps".into()));
    let rows = harness.state.library.rows.len();
    let late = Err("too late".to_owned());
    update(
        &mut harness.state,
        Message::EpisodesListed { request_id: old, from_start: true, page: late },
    );
    assert_eq!((harness.state.library.rows.len(), &harness.state.library.problem), (rows, &None));
    harness.press("sss");
    assert_eq!(
        harness.state.library.query,
        LibraryQuery::Search("tag:x".into()),
        "the last order is followed by the default"
    );
}

#[test]
fn keys_act_on_marked_episodes() {
    let mut harness = library();
    harness.press("  ");
    let effects = press(&mut harness, KeyCode::Char('D'));
    assert_eq!(effects, [Effect::RunJob(Job::MoveToTrash(vec![12, 14]))]);
    assert!(harness.state.library.marked.is_empty());
}

#[test]
fn a_new_list_clears_marks_and_forks_lead_back_to_it() {
    let mut harness = library();
    harness.press(" /Right\n");
    assert!(
        harness.state.library.marked.is_empty(),
        "an episode that is not listed is not deleted"
    );
    assert_eq!(harness.state.library.query, LibraryQuery::Search("Right".into()));
    list_arrives(&mut harness, vec![listed(12, Verdict::Correct, None, 0)]);
    harness.press("f");
    assert!(matches!(harness.state.library.query, LibraryQuery::Forks { of: 12, .. }));
    let effects = press(&mut harness, KeyCode::Backspace);
    let query = LibraryQuery::Search("Right".into());
    assert!(
        matches!(&effects[0], Effect::RunJob(Job::ListEpisodes { query: sent, .. }) if *sent == query)
    );
    harness.key(KeyCode::Backspace);
    assert_eq!(harness.state.page(), PageId::Live);
}

#[test]
fn a_refresh_keeps_the_selected_row() {
    let mut harness = library();
    let rows = |n: u64| (1..=n).rev().map(|id| listed(id, Verdict::Correct, None, 0)).collect();
    list_arrives(&mut harness, rows(250));
    harness.state.library.selected = 240;
    let effects = update(&mut harness.state, Message::ChangeSaved(Ok("episode 10 starred".into())));
    assert!(
        matches!(&effects[0], Effect::RunJob(Job::ListEpisodes { rows: 250, .. })),
        "{effects:?}"
    );
    list_arrives(&mut harness, rows(250));
    assert_eq!(harness.state.library.selected_row().unwrap().entry.summary.id, 10);
}

#[test]
fn typing_replaces_the_former_query() {
    let mut harness = library();
    harness.press("/wrong\n/Ava\n");
    assert_eq!(
        harness.state.library.query,
        LibraryQuery::Search("Ava".into()),
        "a capital letter replaces it, too"
    );
    harness.press("/");
    update(&mut harness.state, Message::Input(Input::Paste("boxes\n".into())));
    harness.press("\n");
    assert_eq!(harness.state.library.query, LibraryQuery::Search("boxes".into()));
}

#[test]
fn a_typed_question_is_asked_while_a_stored_episode_is_open() {
    let mut harness = finished(Verdict::Correct);
    let episode = harness.state.displayed.as_ref().unwrap().episode.as_ref().clone();
    let stored = RecordedEpisode { id: 3, line: 1, events: Vec::new(), json: Vec::new(), episode };
    update(&mut harness.state, Message::EpisodeRead(ReadPurpose::Open, Ok(Box::new(stored))));
    harness.press("iHow many is 1 + 1?");
    let effects = press(&mut harness, KeyCode::Enter);
    let Effect::SendCommand(Command::Ask { question, .. }) = &effects[0] else {
        panic!("{effects:?}")
    };
    assert_eq!(question.text, "How many is 1 + 1?");
}

#[test]
fn another_preset_drops_the_candidate_policy() {
    let mut harness = finished(Verdict::Correct);
    harness.state.training_page.candidate = Some(candidate());
    harness.state.training_page.passed = Some(true);
    let preset = Preset { name: "mine".into(), ..harness.state.preset().clone() };
    let routing = RoutingConfig { preset, registry: RouterRegistry::new("mine", None) };
    update(
        &mut harness.state,
        Message::PresetLoaded(Ok(Box::new(LoadedRouting { routing, scale: None }))),
    );
    assert_eq!(
        (&harness.state.training_page.candidate, harness.state.training_page.passed),
        (&None, None)
    );
    harness.press("T");
    assert!(harness.screen(120, 40).text().contains("policy promote tiny-0 --preset tiny"));
}

#[test]
fn no_question_is_asked_between_two_sessions() {
    let mut harness = finished(Verdict::Correct);
    let mut preset = Preset { name: "mine".into(), ..harness.state.preset().clone() };
    preset.large.source = "/models/other".into();
    let routing = RoutingConfig { preset, registry: RouterRegistry::new("mine", None) };
    let loaded = Message::PresetLoaded(Ok(Box::new(LoadedRouting { routing, scale: None })));
    let effects = update(&mut harness.state, loaded);
    assert!(matches!(&effects[..], [Effect::RestartSession(_)]), "{effects:?}");
    // The new session has not reported yet.
    assert_eq!(press(&mut harness, KeyCode::Char('d')), []);
    let hint = Notice::Hint("the models are still being loaded".into());
    assert_eq!(harness.state.notice, Some(hint));
}

#[test]
fn a_failed_change_keeps_the_list() {
    let mut harness = library();
    update(&mut harness.state, Message::ChangeSaved(Err("the disk is full".into())));
    assert_eq!(harness.state.notice, Some(Notice::Error("the disk is full".into())));
    assert_eq!((harness.state.page(), harness.state.library.rows.len()), (PageId::Library, 3));
}

#[test]
fn a_training_shows_its_progress() {
    let mut harness = finished(Verdict::Correct);
    harness.press("T");
    shots!("training_page", harness, (80, 24));
    let effects = press(&mut harness, KeyCode::Char('t'));
    assert!(matches!(
        &effects[0],
        Effect::RunJob(Job::RunTraining { number: 1, action: TrainingAction::Train, .. })
    ));
    let running = |done| TrainingProgress {
        action: TrainingAction::Train,
        done,
        total: 48,
        text: "236 episodes; loss 0.310".into(),
    };
    update(&mut harness.state, Message::Training(TrainingUpdate::Progress(running(24))));
    shots!("training", harness, (80, 24), (120, 40));
    // One job at a time.
    harness.press("e");
    assert!(
        matches!(&harness.state.notice, Some(Notice::Hint(text)) if text.contains("is running"))
    );
    let effects = press(&mut harness, KeyCode::Char('x'));
    assert_eq!(effects, [Effect::RunJob(Job::CancelTraining(1))]);
    update(&mut harness.state, Message::Training(TrainingUpdate::Failed("cancelled".into())));
    update(&mut harness.state, Message::Training(TrainingUpdate::Progress(running(25))));
    assert_eq!(harness.state.training_page.running, None, "a late update does not start it again");
    let effects = press(&mut harness, KeyCode::Char('e'));
    assert!(
        matches!(&effects[0], Effect::RunJob(Job::RunTraining { number: 2, .. })),
        "a late cancellation of the first job does not end the second: {effects:?}"
    );
}

/// A trained policy and its estimates.
fn candidate() -> Arc<Candidate> {
    let reached =
        |share| AccuracyEstimate { threshold: 0.5, share, accuracy: 0.63, ci: [0.5, 0.76] };
    let row = |share| CostComparison {
        share,
        candidate: Some(reached(share)),
        current: (share > 0.3).then(|| reached(share)),
    };
    Arc::new(Candidate {
        id: 1,
        policy: Arc::new(load_policy("builtin:tiny").unwrap()),
        current: Some("tiny-0".into()),
        evaluated: 61,
        rows: [0.2, 0.4, 0.6, 0.8, 1.0].map(row).into(),
    })
}

#[test]
fn the_result_of_a_training_fits() {
    let mut harness = finished(Verdict::Correct);
    harness.press("T");
    update(&mut harness.state, Message::Training(TrainingUpdate::CandidateTrained(candidate())));
    for text in ["500 episodes were collected", "100 fresh questions: APGR of tiny-1 0.703"] {
        update(&mut harness.state, Message::Training(TrainingUpdate::Finished(text.into())));
    }
    shots!("candidate", harness, (80, 24));
    assert!(harness.screen(80, 24).text().contains("100 %"));
}

#[test]
fn a_training_that_ends_in_the_background_gives_a_notice() {
    let mut harness = finished(Verdict::Correct);
    harness.press("Tt");
    harness.key(KeyCode::Backspace);
    assert_eq!(harness.state.page(), PageId::Live);
    update(
        &mut harness.state,
        Message::Training(TrainingUpdate::Finished("500 episodes were collected".into())),
    );
    assert_eq!(harness.state.notice, Some(Notice::Hint("500 episodes were collected".into())));
}

#[test]
fn the_palette_finds_available_actions() {
    let mut harness = finished(Verdict::Correct);
    harness.press(":");
    shots!("palette", harness, (80, 24), (120, 40));
    harness.press("help");
    shots!("palette_nothing", harness, (80, 24));
    for _ in 0..4 {
        harness.key(KeyCode::Backspace);
    }
    harness.press("stored epi\n");
    assert_eq!(harness.state.page(), PageId::Library);
    // Actions on an episode are not offered in the library.
    harness.key(KeyCode::Backspace);
    harness.press(":next step small");
    assert!(harness.screen(80, 24).text().contains("no item matches"));
}

#[test]
fn keys_before_a_menu_arrives_are_kept() {
    let mut harness = finished(Verdict::Correct);
    harness.press("Cli\n");
    assert!(
        matches!(&harness.state.notice, Some(Notice::Hint(text)) if text.contains("is loading"))
    );
    let item = |name: &str| MenuItem {
        label: name.into(),
        note: String::new(),
        choice: MenuChoice::Theme(name.into()),
    };
    let menu = Menu::new("themes", vec![item("dusk"), item("light")]);
    let effects = update(&mut harness.state, Message::MenuLoaded(Ok(menu)));
    assert_eq!(effects, [Effect::RunJob(Job::LoadTheme("light".into()))]);
}

#[test]
fn a_budget_is_typed_and_sent() {
    let mut harness = finished(Verdict::Correct);
    harness.press("b");
    shots!("budget", harness, (80, 24));
    for _ in 0..4 {
        harness.key(KeyCode::Backspace);
    }
    harness.press("much\n");
    assert!(matches!(&harness.state.notice, Some(Notice::Hint(text)) if text.contains("200M")));
    harness.press("b");
    for _ in 0..4 {
        harness.key(KeyCode::Backspace);
    }
    harness.press("200M");
    let effects = press(&mut harness, KeyCode::Enter);
    let send = Command::SetBudget(Some(2e8));
    assert_eq!(effects, [Effect::SendCommand(send)]);
    assert_eq!(harness.state.preset().budget.limit, Some(2e8));
}

#[test]
fn the_user_is_compared_with_the_router() {
    let mut harness = finished(Verdict::Correct);
    let effects = press(&mut harness, KeyCode::Char('a'));
    assert_eq!(effects, [Effect::RunJob(Job::ScoreUser)]);
    let side = |accuracy, cost| SideMeans { episodes: 3, accuracy, cost };
    let score = UserComparison {
        decisions: 9,
        with_opinion: 8,
        agreed: 6,
        questions: 3,
        user: side(1.0, 2e8),
        router: side(2.0 / 3.0, 1.5e8),
    };
    update(&mut harness.state, Message::UserScored(Ok(score)));
    shots!("score", harness, (80, 24));
}

#[test]
fn a_long_notice_is_wrapped() {
    let mut harness = finished(Verdict::Correct);
    let why = "/home/ava/.config/pointsman/presets/mine.toml, line 32, column 1: unknown field \
               `treshold`, expected one of `router`, `policy`, `threshold`";
    update(&mut harness.state, Message::PresetLoaded(Err(why.into())));
    let screen = harness.screen(80, 24).text();
    // Its lines may break anywhere.
    let words: Vec<&str> = screen.split_whitespace().collect();
    let text = words.join(" ");
    assert!(text.contains("line 32") && text.contains("the current preset stays"), "{screen}");
}

#[test]
fn a_trace_is_copied() {
    let mut harness = finished(Verdict::Correct);
    let effects = press(&mut harness, KeyCode::Char('y'));
    let [Effect::Copy(text)] = &effects[..] else { panic!("{effects:?}") };
    insta::assert_snapshot!("copied", text);
    update(&mut harness.state, Message::Copied(Ok(())));
    assert!(harness.screen(80, 24).text().contains("sent to the terminal"));
    update(&mut harness.state, Message::Copied(Err("nothing is copied".into())));
    assert!(harness.screen(80, 24).text().contains("nothing is copied"));
}
