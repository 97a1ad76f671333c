//! The mistral.rs engine with the tiny pair: a stepwise run writes the same tokens as an uninterrupted one, and
//! reuses the KV cache.

use std::io::Write;
use std::sync::Arc;

use pointsman::engine::mistralrs::MistralEngine;
use pointsman::engine::{Engine, EngineOutput, EngineRequest, Flow, PartialStep, Segment};
use pointsman::episode::{Role, StopReason};
use pointsman::tasks::arithmetic::{OperationMix, Problem, ProblemGenerator, Split};

use crate::engine_requests::{foreign, ids, request};
use crate::own_process::{in_own_process, resident_mib};
use crate::tiny::{cache, preset};

const QUESTIONS: usize = 50;

fn cached(role: Role) -> MistralEngine {
    MistralEngine::load(preset().model(role), &cache()).expect("the tiny pair loads")
}

fn uncached(role: Role) -> MistralEngine {
    MistralEngine::load_uncached(preset().model(role), &cache()).expect("the tiny pair loads")
}

fn problems(seed: u64) -> impl Iterator<Item = Problem> {
    ProblemGenerator::new(OperationMix::full(), Split::Test, seed)
}

fn write(engine: &mut dyn Engine, request: &EngineRequest) -> EngineOutput {
    engine.generate(request, &mut |_| Flow::Continue).expect("the engine writes")
}

fn own(draft: &EngineOutput) -> Segment {
    Segment { text: draft.text.as_str().into(), own_ids: Some(Arc::from(ids(draft))) }
}

#[test]
fn a_stepwise_run_writes_the_same_tokens_as_an_uninterrupted_one() {
    for role in Role::BOTH {
        let (mut stepwise, mut whole) = (cached(role), uncached(role));
        let mut boundaries = 0;
        for problem in problems(1).take(QUESTIONS) {
            let prompt = foreign(&format!("{}\n", problem.question));
            // A delimiter that never comes: one run to the end of the text or the limit.
            let ideal = write(&mut whole, &request(vec![prompt.clone()], "\u{1}", 120));
            assert_eq!(ideal.usage.reused, 0, "the reference has no cache");

            let mut prefix = vec![prompt];
            let mut written = Vec::new();
            while written.len() < ideal.tokens.len() {
                let left = ideal.tokens.len() - written.len();
                let step = write(&mut stepwise, &request(prefix.clone(), "\n", left));
                if !written.is_empty() {
                    assert_eq!(step.usage.prefilled, 1, "at a boundary, its own last token alone");
                    boundaries += 1;
                }
                written.extend(ids(&step));
                prefix.push(own(&step));
            }
            assert_eq!(written, ids(&ideal), "{role}: {}", problem.question);
            stepwise.reset().expect("the engine restarts");
        }
        assert!(boundaries > QUESTIONS, "{boundaries} boundaries");
    }
}

#[test]
fn paged_attention_writes_the_same_tokens() {
    // Without a GPU mistral.rs has no pages, but the engine still holds a token back for them.
    let mut paged = preset().large;
    paged.paged_context = Some(4096);
    let mut paged = MistralEngine::load(&paged, &cache()).expect("the tiny pair loads");
    let mut plain = cached(Role::Large);
    let mut held_back = 0;
    for problem in problems(3).take(QUESTIONS) {
        let prompt = format!("{}\n", problem.question);
        held_back += usize::from(plain.tokenize(&prompt).expect("a text").len() % 32 == 1);
        let mut prefix = vec![foreign(&prompt)];
        for _ in 0..6 {
            let asked = request(prefix.clone(), "\n", 48);
            let (draft, other) = (write(&mut paged, &asked), write(&mut plain, &asked));
            assert_eq!(ids(&draft), ids(&other), "{}", problem.question);
            let counts = |draft: &EngineOutput| (draft.usage.prefilled, draft.usage.reused);
            let (prefilled, reused) = counts(&other);
            if (prefilled + reused) % 32 == 1 {
                // Without pages the request is a prefix of the cached text, so all of it is computed again.
                assert_eq!(
                    counts(&draft),
                    (prefilled + reused, 0),
                    "the token held back is counted"
                );
            } else {
                assert_eq!(counts(&draft), (prefilled, reused));
            }
            if draft.stop == StopReason::EndOfText {
                break;
            }
            prefix.push(own(&draft));
        }
        paged.reset().expect("the engine restarts");
        plain.reset().expect("the engine restarts");
    }
    assert!(held_back > 0, "no prompt had such a length");
}

#[test]
fn alternating_models_write_the_same_tokens_as_fresh_ones() {
    let mut engines = [cached(Role::Small), cached(Role::Large)];
    let mut afresh = [uncached(Role::Small), uncached(Role::Large)];
    for (n, problem) in problems(2).take(QUESTIONS).enumerate() {
        let prompt = format!("{}\n", problem.question);
        // Tokens that each model has computed, and the text as segments for each model.
        let mut seen = [0, 0];
        let mut prefixes = [vec![foreign(&prompt)], vec![foreign(&prompt)]];
        for step in 0..5 {
            // The models take turns to start; the second one writes two steps in a row.
            let i = [0, 1, 1, 0, 1][step] ^ (n % 2);
            let asked = request(prefixes[i].clone(), "\n", 48);
            let draft = write(&mut engines[i], &asked);
            let fresh = write(&mut afresh[i], &asked);
            assert_eq!(ids(&draft), ids(&fresh), "step {step} of: {}", problem.question);
            let length = draft.usage.prefilled + draft.usage.reused;
            assert_eq!(length, fresh.usage.prefilled);
            if seen[i] > 0 {
                // Everything computed is reused; a model never computes its own last token.
                assert_eq!(draft.usage.reused, seen[i], "step {step} of: {}", problem.question);
            }
            seen[i] = length + draft.tokens.len() - 1;
            if draft.stop != StopReason::Delimiter {
                break;
            }
            prefixes[i].push(own(&draft));
            prefixes[1 - i].push(foreign(&draft.text));
        }
        for engine in &mut engines {
            engine.reset().expect("the engine restarts");
        }
    }
}

#[test]
fn a_kept_draft_is_continued() {
    let mut engine = cached(Role::Small);
    let mut whole = uncached(Role::Small);
    for problem in problems(3).take(20) {
        let prefix = vec![foreign(&format!("{}\n", problem.question))];
        let ideal = write(&mut whole, &request(prefix.clone(), "\n", 48));
        for length in [1, 4] {
            let mut asked = request(prefix.clone(), "\n", length);
            asked.is_draft = true;
            let draft = write(&mut engine, &asked);
            assert_eq!(ids(&draft), ids(&ideal)[..length]);
            assert_eq!(draft.stop, StopReason::DraftLimit);
            let mut rest = request(prefix.clone(), "\n", 48 - length);
            rest.partial = Some(PartialStep { text: draft.text.clone(), ids: ids(&draft) });
            let rest = write(&mut engine, &rest);
            assert_eq!(rest.usage.prefilled, 1);
            assert_eq!([ids(&draft), ids(&rest)].concat(), ids(&ideal));
            assert_eq!(draft.text + &rest.text, ideal.text);
            engine.reset().expect("the engine restarts");
        }
    }
}

#[test]
fn a_repeated_request_reports_its_prefix_as_computed() {
    let mut engine = cached(Role::Large);
    for problem in problems(6).take(10) {
        let asked = request(vec![foreign(&format!("{}\n", problem.question))], "\n", 48);
        let (first, again) = (write(&mut engine, &asked), write(&mut engine, &asked));
        assert_eq!(ids(&first), ids(&again));
        // mistral.rs finds no prefix that ends inside a cached sequence.
        assert_eq!((again.usage.prefilled, again.usage.reused), (first.usage.prefilled, 0));
        engine.reset().expect("the engine restarts");
    }
}

#[test]
fn sampled_tokens_do_not_depend_on_the_step_boundaries() {
    let (mut engine, mut whole) = (cached(Role::Large), uncached(Role::Large));
    let sampled = |prefix: Vec<Segment>, delimiter: &str, limit| EngineRequest {
        temperature: 1.2,
        top_p: 0.9,
        seed: 99,
        ..request(prefix, delimiter, limit)
    };
    let mut differ = 0;
    for problem in problems(4).take(10) {
        let mut prefix = vec![foreign(&format!("{}\n", problem.question))];
        let ideal = write(&mut whole, &sampled(prefix.clone(), "\u{1}", 60));
        let greedy = write(&mut whole, &request(prefix.clone(), "\u{1}", 60));
        differ += usize::from(ids(&greedy) != ids(&ideal));
        let mut written = Vec::new();
        while written.len() < ideal.tokens.len() {
            let left = ideal.tokens.len() - written.len();
            let step = write(&mut engine, &sampled(prefix.clone(), "\n", left));
            written.extend(ids(&step));
            prefix.push(own(&step));
        }
        assert_eq!(written, ids(&ideal));
        engine.reset().expect("the engine restarts");
    }
    assert!(differ > 0, "the temperature makes no difference");
}

#[test]
fn a_cancelled_engine_stops_within_a_few_tokens() {
    let mut engine = cached(Role::Large);
    let prefix = vec![foreign("Ava has 37 pens. She buys 4 boxes of 12 pens. How many pens?\n")];
    let draft = engine
        .generate(&request(prefix, "\u{1}", 200), &mut |_| Flow::Cancel)
        .expect("a cancelled engine still answers");
    assert_eq!(draft.stop, StopReason::Cancelled);
    // The engine may draw a few more before it sees the cancellation.
    assert!(draft.tokens.len() < 100, "{}", draft.tokens.len());
}

#[test]
fn any_prompt_gets_an_answer_or_an_error() {
    let mut engines = [cached(Role::Small), cached(Role::Large)];
    let odd = ["", "\0\u{7}\u{1b}[2J", "Ваня 🐈‍⬛ \u{202e}abc", "１２３ + ４", "\u{FFFD}\n\n\n", "x"];
    let long = "ten pens and ".repeat(100);
    for text in odd.into_iter().chain([long.as_str()]) {
        for engine in &mut engines {
            let draft = write(engine, &request(vec![foreign(text)], "\n", 40));
            assert!(!draft.tokens.is_empty());
            engine.reset().expect("the engine restarts");
        }
    }
    let endless = foreign(&"pens ".repeat(3000));
    let error = engines[0].generate(&request(vec![endless], "\n", 4), &mut |_| Flow::Continue);
    let sentence = error.expect_err("it does not fit").to_string();
    assert!(sentence.contains("context"), "{sentence}");
}

#[test]
fn memory_does_not_grow_from_episode_to_episode() {
    in_own_process(
        "engine::memory_does_not_grow_from_episode_to_episode",
        measure_memory_over_episodes,
    );
}

fn measure_memory_over_episodes() {
    const WARM_UP: usize = 100;
    const MEASURED: usize = 300;
    let mut engine = cached(Role::Large);
    let mut episode = |problem: &Problem| {
        let mut prefix = vec![foreign(&format!("{}\n", problem.question))];
        for _ in 0..3 {
            let step = write(&mut engine, &request(prefix.clone(), "\n", 24));
            prefix.push(own(&step));
        }
        engine.reset().expect("the engine restarts");
    };
    let all: Vec<Problem> = problems(5).take(WARM_UP + MEASURED).collect();
    all[..WARM_UP].iter().for_each(&mut episode);
    let Some(before) = resident_mib() else {
        let _ = writeln!(std::io::stderr(), "skipped: this system reports no memory of a process");
        return;
    };
    all[WARM_UP..].iter().for_each(&mut episode);
    let after = resident_mib().expect("reported before");
    // Without the reset it grows by 3 MiB an episode.
    let limit = 0.5 * MEASURED as f64;
    assert!(after - before < limit, "{before:.0} MiB before, {after:.0} MiB after");
}

#[test]
fn scoring_a_text_gives_the_statistics_of_writing_it() {
    let (mut reader, mut writer) = (cached(Role::Large), uncached(Role::Large));
    for problem in problems(5).take(8) {
        let prompt = foreign(&format!("{}\n", problem.question));
        let written = write(&mut writer, &request(vec![prompt.clone()], "\n", 48));
        let mut read = request(vec![prompt.clone()], "\n", 48);
        read.score_text = Some(written.text.as_str().into());
        let read = write(&mut reader, &read);
        assert_eq!((ids(&read), &read.text), (ids(&written), &written.text));
        for (ours, theirs) in read.tokens.iter().zip(&written.tokens) {
            assert!((ours.logprob - theirs.logprob).abs() < 1e-3, "{ours:?} {theirs:?}");
            assert!((ours.entropy - theirs.entropy).abs() < 1e-3, "{ours:?} {theirs:?}");
        }
        assert_eq!(read.stop, StopReason::DraftLimit);

        // The scored text is kept: only its last token must be computed for the next step.
        let kept = foreign(&read.text);
        let next = write(&mut reader, &request(vec![prompt, kept], "\n", 48));
        assert_eq!(next.usage.prefilled, 1, "the last token of the scored text");
        reader.reset().expect("the engine restarts");
    }
}
