//! One decision of the policy, and a retraining.
//!
//! A decision is measured without its draft: features and network, compared with one token of the small model. A
//! retraining uses 300 real episodes repeatedly, up to 1,000 and 10,000.

use std::hint::black_box;

use criterion::{Criterion, SamplingMode};
use pointsman::config::{DraftLength, Exploration, Folders, load_preset};
use pointsman::episode::Episode;
use pointsman::routing::{Draft, FeatureSet, RouterInput, RouterRegistry, features, load_policy};
use pointsman::session::{EpisodeRunner, EpisodeSpec, NullObserver, load_pair};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use pointsman::training::{Dataset, TrainingSettings, train};

fn runner() -> EpisodeRunner {
    let folders = Folders::find().expect("a home folder");
    let preset = load_preset("tiny", &folders).expect("the embedded preset");
    load_pair(&preset, &folders.cache).expect("the tiny pair loads")
}

/// Episodes with random decisions.
fn random_episodes(runner: &mut EpisodeRunner, n: usize) -> Vec<(Question, Episode)> {
    let routing = &mut runner.preset_mut().routing;
    routing.exploration = Some(Exploration { coin: 0.5, ..Exploration::default() });
    routing.draft_length = Some(DraftLength::Step);
    let registry = RouterRegistry::new("tiny", None);
    let drawn = questions("arithmetic", Split::Develop, 11).expect("the task set");
    let run = |(i, question): (usize, Question)| {
        let mut router = registry.router("random").expect("a router");
        let spec = EpisodeSpec::new(&question, router.as_mut(), i as u64);
        let episode = runner.run(spec, &mut NullObserver, &mut NullObserver).expect("an episode");
        (question, episode)
    };
    drawn.take(n).enumerate().map(run).collect()
}

pub(crate) fn choice(criterion: &mut Criterion) {
    let mut runner = runner();
    let policy = load_policy("builtin:tiny").expect("the embedded policy");
    let episodes = random_episodes(&mut runner, 20);
    let long = episodes.iter().max_by_key(|(_, e)| e.steps.len()).expect("twenty episodes");
    let (question, episode) = long;
    let last = &episode.steps[episode.steps.len() - 1].generation;
    let draft = Draft { text: &last.text, tokens: &last.tokens, complete: true };
    let boundary = RouterInput { episode, question, draft, scored_by_large: &[] };
    let seen = features(&boundary);

    let mut group = criterion.benchmark_group("policy/choice");
    group.bench_function("features and network", |bencher| {
        bencher.iter(|| policy.p_large(&features(black_box(&boundary))));
    });
    group.bench_function("features", |bencher| bencher.iter(|| features(black_box(&boundary))));
    group.bench_function("network", |bencher| bencher.iter(|| policy.p_large(black_box(&seen))));
    group.finish();
    let totals = episodes.iter().map(|(_, e)| e.ledger.totals.small);
    let (ms, tokens) =
        totals.fold((0.0, 0), |(ms, n), a| (ms + a.decode_ms, n + a.kept + a.discarded));
    println!("policy/choice/one token of the small model: {:.0} µs", ms * 1e3 / tokens as f64);
}

pub(crate) fn retraining(criterion: &mut Criterion) {
    let mut runner = runner();
    let pair = runner.pair();
    let set = FeatureSet::full(DraftLength::Step);
    let mut real = Dataset::default();
    for (_, episode) in random_episodes(&mut runner, 300) {
        real.add(&episode, &pair, &set);
    }
    let of = |n: usize| {
        let mut dataset = real.clone();
        dataset.trajectories = real.trajectories.iter().cycle().take(n).cloned().collect();
        dataset
    };
    let mut group = criterion.benchmark_group("policy/retraining");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for n in [1_000, 10_000] {
        let dataset = of(n);
        group.bench_function(format!("{n} episodes"), |bencher| {
            bencher.iter(|| train(&dataset, &set, &TrainingSettings::default(), |_| ()));
        });
    }
    group.finish();
}
