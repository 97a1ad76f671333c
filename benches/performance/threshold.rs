//! Moving the threshold over 10,000 episodes, for which a key press has 16 ms.
//!
//! The episodes are random: four to eight steps, two episodes of each question, choices and propensities as
//! `pointsman collect` draws them.

use std::hint::black_box;

use criterion::Criterion;
use pointsman::config::Exploration;
use pointsman::episode::Role;
use pointsman::evaluation::{EstimateIndex, LoggedChoice, LoggedEpisode, OffPolicyLog};
use pointsman::routing::Explorer;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const EPISODES: u64 = 10_000;

fn logged_episodes() -> Vec<LoggedEpisode> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let episode = |i: u64| {
        let mut draws = Explorer::new(Exploration::default(), i);
        let mut large = 0;
        let boundaries = (0..random.random_range(4..=8)).map(|_| {
            let p_large = random.random::<f64>().powi(2);
            let drawn = draws.draw(p_large);
            large += u32::from(drawn.choice == Role::Large);
            LoggedChoice {
                p_large,
                large: drawn.choice == Role::Large,
                propensity: drawn.propensity,
            }
        });
        let boundaries: Vec<LoggedChoice> = boundaries.collect();
        let correct = random.random_bool(0.5 + 0.05 * f64::from(large));
        LoggedEpisode { question: i / 2, boundaries, correct, cost: 1e7 * f64::from(1 + large) }
    };
    (0..EPISODES).map(episode).collect()
}

pub(crate) fn benchmarks(criterion: &mut Criterion) {
    let logged = logged_episodes();
    let log = OffPolicyLog::new(&logged);
    let index = EstimateIndex::new(&logged);
    let mut group = criterion.benchmark_group("threshold/10,000 episodes");
    let thresholds = [0.03, 0.2, 0.55, 0.9];
    let mut turn = 0;
    let mut next = || {
        turn += 1;
        thresholds[turn % thresholds.len()]
    };
    group.bench_function("one estimate, plain", |bencher| {
        bencher.iter(|| log.estimate(black_box(next())));
    });
    group.bench_function("one estimate, indexed", |bencher| {
        bencher.iter(|| index.estimate(black_box(next())));
    });
    // Everything that the screen shows after a key press: the next threshold, its estimate and quantile, the steps
    // that change their writer, and the curve.
    group.bench_function("a key press with the curve, plain", |bencher| {
        bencher.iter(|| {
            let from = black_box(next());
            let to = index.scale.step_from(from, true);
            let curve = log.curve(index.scale.marks());
            (
                log.estimate(to),
                index.scale.quantile_of(to),
                index.scale.steps_changed(from, to),
                curve,
            )
        });
    });
    group.bench_function("a key press with the curve, indexed", |bencher| {
        bencher.iter(|| {
            let from = black_box(next());
            let to = index.scale.step_from(from, true);
            let curve = index.curve();
            (
                index.estimate(to),
                index.scale.quantile_of(to),
                index.scale.steps_changed(from, to),
                curve,
            )
        });
    });
    group.sample_size(20);
    group.bench_function("building the index", |bencher| {
        bencher.iter(|| EstimateIndex::new(black_box(&logged)));
    });
    group.finish();
}
