//! How long a choice of the policy takes, and a retraining.
//!
//!     cargo bench --bench policy
//!
//! Both on real episodes of the tiny pair. A choice is measured without the glimpse, which the
//! small model writes: features and network, against one token of the small model. A retraining from
//! 10,000 episodes (300 real ones, over and over) against one from 1,000.

use std::hint::black_box;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use pointsman::config::{Exploration, Folders, Glimpse, load_preset};
use pointsman::episode::Episode;
use pointsman::routing::{Boundary, FeatureSet, Glance, Roster, features, load_policy};
use pointsman::session::{Conductor, Job, Nobody, load_pair};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};
use pointsman::training::{Dataset, Settings, train};

fn conductor() -> Conductor {
    let folders = Folders::find().expect("a home folder");
    let preset = load_preset("tiny", &folders).expect("the embedded preset");
    load_pair(&preset, &folders.cache).expect("the tiny pair loads")
}

/// Episodes that drew their choices at random.
fn explored(conductor: &mut Conductor, n: usize) -> Vec<(Question, Episode)> {
    let routing = &mut conductor.preset_mut().routing;
    routing.exploration = Some(Exploration { coin: 0.5, ..Exploration::default() });
    routing.glimpse = Some(Glimpse::Step);
    let roster = Roster::new("tiny", None);
    let drawn = questions("arithmetic", Split::Develop, 11).expect("the task set");
    let run = |(i, question): (usize, Question)| {
        let mut router = roster.router("random").expect("a router");
        let job = Job::new(&question, router.as_mut(), i as u64);
        let episode = conductor.run(job, &mut Nobody, &mut Nobody).expect("an episode");
        (question, episode)
    };
    drawn.take(n).enumerate().map(run).collect()
}

fn a_choice(criterion: &mut Criterion) {
    let mut conductor = conductor();
    let policy = load_policy("builtin:tiny").expect("the embedded policy");
    let episodes = explored(&mut conductor, 20);
    let long = episodes.iter().max_by_key(|(_, e)| e.steps.len()).expect("twenty episodes");
    let (question, episode) = long;
    let last = &episode.steps[episode.steps.len() - 1].writing;
    let glimpse = Glance { text: last.text.clone(), tokens: last.tokens.clone(), whole: true };
    let boundary = Boundary { episode, question, glimpse: &glimpse, judged: &[] };
    let seen = features(&boundary);

    let mut group = criterion.benchmark_group("choice");
    group.bench_function("features and network", |bencher| {
        bencher.iter(|| policy.p_large(&features(black_box(&boundary))));
    });
    group.bench_function("features", |bencher| bencher.iter(|| features(black_box(&boundary))));
    group.bench_function("network", |bencher| bencher.iter(|| policy.p_large(black_box(&seen))));
    group.finish();
    let accounts = episodes.iter().map(|(_, e)| e.ledger.accounts.small);
    let (ms, tokens) =
        accounts.fold((0.0, 0), |(ms, n), a| (ms + a.decode_ms, n + a.kept + a.discarded));
    println!("choice/one token of the small model: {:.0} µs", ms * 1e3 / tokens as f64);
}

fn a_retraining(criterion: &mut Criterion) {
    let mut conductor = conductor();
    let pair = conductor.pair();
    let set = FeatureSet::full(Glimpse::Step);
    let mut real = Dataset::default();
    for (_, episode) in explored(&mut conductor, 300) {
        real.add(&episode, &pair, &set);
    }
    let of = |n: usize| {
        let mut dataset = real.clone();
        dataset.trajectories = real.trajectories.iter().cycle().take(n).cloned().collect();
        dataset
    };
    let mut group = criterion.benchmark_group("retraining");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for n in [1_000, 10_000] {
        let dataset = of(n);
        group.bench_function(format!("{n} episodes"), |bencher| {
            bencher.iter(|| train(&dataset, &set, &Settings::default(), |_| true));
        });
    }
    group.finish();
}

criterion_group!(benches, a_choice, a_retraining);
criterion_main!(benches);
