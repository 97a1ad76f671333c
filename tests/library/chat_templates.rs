//! Chat templates, thinking before the answer, and repetition loops, with the tiny pair.

use std::fs;
use std::path::Path;

use pointsman::config::Preset;
use pointsman::episode::{Episode, EpisodeStatus, Event, FinishReason, PerRole, Role, Token};
use pointsman::routing::PairFingerprint;
use pointsman::session::{EpisodeRunner, EpisodeSpec, Fork, NullObserver, load_pair};
use pointsman::tasks::Question;

use crate::copy_folder::copy_folder;
use crate::tiny::{self, cache};

/// The usual prompt of the tiny pair as a chat template, which ignores the system message.
const PLAIN: &str = "{{ messages[-1].content + '\\n' }}";

/// The preset `tiny` with copies of its models in `home` that have this chat template.
fn chat_preset(home: &Path, template: &str) -> Preset {
    let mut preset = tiny::preset();
    for role in Role::BOTH {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("presets/tiny/{role}"));
        let folder = home.join(role.to_string());
        copy_folder(&from, &folder);
        fs::write(folder.join("chat_template.jinja"), template).unwrap();
        preset.model_mut(role).source = folder.display().to_string();
    }
    preset.prompt = toml::from_str("chat = true").unwrap();
    preset.validate().unwrap();
    preset
}

fn run(runner: &mut EpisodeRunner, question: &Question, router: &str) -> (Episode, Vec<Event>) {
    let mut router = tiny::registry().router(router).unwrap();
    let mut events = Vec::new();
    let spec = EpisodeSpec::new(question, router.as_mut(), 1);
    let episode = runner.run(spec, &mut events, &mut NullObserver).unwrap();
    (episode, events)
}

fn ids(episode: &Episode) -> Vec<u32> {
    let tokens = episode.steps.iter().flat_map(|step| &step.generation.tokens);
    tokens.map(|token: &Token| token.id).collect()
}

#[test]
fn a_chat_template_wraps_the_question() {
    let home = tempfile::tempdir().unwrap();
    let mut with_template = load_pair(&chat_preset(home.path(), PLAIN), &cache()).unwrap();
    for question in tiny::long_questions(3) {
        let (plain, _) = run(&mut tiny::pair(), &question, "confidence");
        let (chat, events) = run(&mut with_template, &question, "confidence");
        assert_eq!(ids(&chat), ids(&plain), "{}", question.text);
        assert_eq!(tiny::writers(&chat), tiny::writers(&plain));

        // The episode records the rendered prompt, which a fork uses.
        let started = &chat.started;
        assert_eq!(started.preset.small.rendered_prompt.as_deref(), Some("{question}\n"));
        assert_eq!(Episode::fold(&events).unwrap().unwrap().started, *started);
        let models = PerRole { small: &started.models.small, large: &started.models.large };
        assert!(with_template.pair().matches(&chat));
        assert_eq!(
            PairFingerprint::of(&started.preset, started.prices, models),
            with_template.pair()
        );
        let mut router = tiny::registry().router("confidence").unwrap();
        let fork = Fork::new(1, chat.clone(), 1);
        let spec = EpisodeSpec::fork(&question, router.as_mut(), fork);
        let child = with_template.run(spec, &mut NullObserver, &mut NullObserver).unwrap();
        assert_eq!(ids(&child), ids(&chat), "with nothing changed");
    }
}

#[test]
fn prompt_settings_of_the_preset_reach_the_template() {
    let home = tempfile::tempdir().unwrap();
    let template = "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}\
        {% if add_generation_prompt %}[assistant]{{ enable_thinking }}{% endif %}";
    let mut preset = chat_preset(home.path(), template);
    preset.prompt.system = Some("Be brief.".into());
    preset.prompt.thinking = Some(false);
    preset.prompt.answer_prefix = " Well, ".into();
    let runner = load_pair(&preset, &cache()).unwrap();
    let templated_preset = runner.templated_preset().unwrap();
    assert_eq!(
        templated_preset.prompt_for(Role::Large, "1 + 1?"),
        "[system] Be brief.\n[user] 1 + 1?\n[assistant]False Well, "
    );
    let settings = runner.pair();
    preset.prompt.system = Some("Be long.".into());
    let other = load_pair(&preset, &cache()).unwrap().pair();
    assert_ne!(settings, other, "another system message makes another pair");
    fs::write(home.path().join("small/chat_template.jinja"), format!("{template} ")).unwrap();
    let changed = load_pair(&preset, &cache()).unwrap().pair();
    assert_ne!(other.models.small, changed.models.small, "so does another template");
    assert_eq!(other.models.large, changed.models.large);
}

#[test]
fn loading_fails_without_a_usable_chat_template() {
    let home = tempfile::tempdir().unwrap();
    let preset = chat_preset(home.path(), "{{ raise_exception('no system message, please') }}");
    let why = load_pair(&preset, &cache()).map(drop).unwrap_err().to_string();
    assert!(why.contains("no system message, please") && why.contains("tiny-small"), "{why}");
    fs::remove_file(home.path().join("small/chat_template.jinja")).unwrap();
    let why = load_pair(&preset, &cache()).map(drop).unwrap_err().to_string();
    assert!(why.contains("tiny-small has no chat template"), "{why}");
    let leaves_out = chat_preset(home.path(), "Hello.");
    let why = load_pair(&leaves_out, &cache()).map(drop).unwrap_err().to_string();
    assert!(why.contains("drops the question"), "{why}");
}

#[test]
fn an_answer_before_the_end_of_thinking_does_not_end_the_episode() {
    let mut runner = tiny::pair();
    let question = tiny::long_questions(1).remove(0);
    let (whole, _) = run(&mut runner, &question, "always-large");
    runner.preset_mut().steps.answer_marker = ":".into();
    let (cut, _) = run(&mut runner, &question, "always-large");
    assert_eq!(cut.steps.len(), 1, "the first line has a colon");
    runner.preset_mut().steps.thinking_end = Some("Answer".into());
    let (thinking, _) = run(&mut runner, &question, "always-large");
    assert_eq!(ids(&thinking), ids(&whole), "an answer counts after the end of thinking only");
    assert_eq!(reason(&thinking), FinishReason::Answered);
}

#[test]
fn repetition_loops_end_the_episode() {
    let mut runner = tiny::pair();
    let steps = &mut runner.preset_mut().steps;
    // Without a real question the small model repeats its answer.
    (steps.answer_marker, steps.max_steps) = ("never".into(), 60);
    let question = Question::from_user("x");
    let (endless, _) = run(&mut runner, &question, "always-small");
    runner.preset_mut().steps.max_repeats = Some(3);
    let (guarded, _) = run(&mut runner, &question, "always-small");
    assert_eq!(reason(&guarded), FinishReason::RepetitionLoop);
    let n = guarded.steps.len();
    assert!(n < endless.steps.len());
    assert_eq!(ids(&guarded)[..], ids(&endless)[..ids(&guarded).len()]);
    let text = |step: usize| guarded.steps[step].generation.text.trim();
    assert!(text(n - 3) == text(n - 2) && text(n - 2) == text(n - 1), "{:?}", text(n - 1));
}

fn reason(episode: &Episode) -> FinishReason {
    match &episode.status {
        EpisodeStatus::Finished { reason, .. } => *reason,
        other => panic!("{other:?}"),
    }
}
