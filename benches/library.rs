//! How long it takes to open a large library, and to look for something in it.
//!
//!     cargo bench --bench library
//!
//! Real episodes of the tiny pair, 20 of them over and over, each with a number in its question.
//! Measured are: opening the store and reading the first page; filters that look at every summary;
//! a sorted page. The smaller library says how each of them grows. At the end stands what one run of
//! each took, and against the second that the design allows for opening.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use pointsman::config::{Folders, load_preset};
use pointsman::episode::{Event, EventKind};
use pointsman::library::{LocalCalendar, Query, query_page};
use pointsman::routing::RouterRegistry;
use pointsman::session::{EpisodeSpec, NullObserver, load_pair};
use pointsman::store::Store;
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};

const SIZES: [usize; 2] = [10_000, 100_000];
/// Episodes that go to disk together.
const BATCH: usize = 500;
/// What the design allows for opening the larger one.
const OPEN_LIMIT: Duration = Duration::from_secs(1);

/// Real episodes of the tiny pair, half of them written by each model.
fn real_episodes() -> Vec<Vec<Event>> {
    let folders = Folders::find().expect("a home folder");
    let preset = load_preset("tiny", &folders).expect("the embedded preset");
    let mut runner = load_pair(&preset, &folders.cache).expect("the tiny pair loads");
    let registry = RouterRegistry::new("tiny", None);
    let drawn = questions("arithmetic", Split::Develop, 11).expect("the task set");
    let run = |(i, question): (usize, Question)| {
        let name = ["always-small", "always-large"][i % 2];
        runner.preset_mut().routing.router = name.into();
        let mut router = registry.router(name).expect("a router");
        let mut events = Vec::new();
        let spec = EpisodeSpec::new(&question, router.as_mut(), i as u64);
        runner.run(spec, &mut events, &mut NullObserver).expect("an episode");
        events
    };
    drawn.take(20).enumerate().map(run).collect()
}

/// Puts `n` episodes into a new store.
fn fill(path: &Path, real: &[Vec<Event>], n: usize) {
    let store = Store::open(path).expect("a store");
    let numbered = |i: usize| {
        let mut events = real[i % real.len()].clone();
        if let EventKind::Started(started) = &mut events[0].kind {
            started.question = format!("{} ({i})", started.question);
        }
        events
    };
    for first in (0..n).step_by(BATCH) {
        let batch: Vec<_> = (first..n.min(first + BATCH)).map(numbered).collect();
        store.add_episodes(&batch).expect("room on the disk");
    }
}

fn run_query(store: &Store, line: &str, n: usize) -> usize {
    let query = Query::parse(line, &LocalCalendar::at(0)).expect("a query");
    page(store, &query, None, n, |_| true).expect("readable").entries.len()
}

/// The screenful that is there first.
fn open_first_page(path: &Path) -> Store {
    let store = Store::open(path).expect("the store");
    assert_eq!(run_query(&store, "", 50), 50);
    store
}

/// What is asked of a library that is open: a name, a query, a page's length, and the least that it finds.
const QUERIES: [(&str, &str, usize, usize); 4] = [
    ("filter by numbers, all", "steps>3 cost<5e8 -failed", usize::MAX, 1),
    ("filter by words, none", "\"no such words\"", usize::MAX, 0),
    ("find the oldest", "\"(0)\"", 50, 1),
    ("50 dearest", "sort:-cost", 50, 50),
];

fn library_benchmarks(criterion: &mut Criterion) {
    let real_episodes = real_episodes();
    let mut timings = Vec::new();
    for n in SIZES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("store");
        let start = Instant::now();
        fill(&path, &real, n);
        let bytes = std::fs::metadata(path.join("db")).map_or(0, |file| file.len());
        let filling = start.elapsed().as_secs_f64();
        println!("{n} episodes, {} MB, written in {filling:.1} s", bytes >> 20);

        let mut group = criterion.benchmark_group(format!("{n} episodes"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.bench_function("open, first page", |bencher| bencher.iter(|| open_first_page(&path)));
        let start = Instant::now();
        let store = open_first_page(&path);
        timings.push((n, "open, first page", start.elapsed()));
        for (name, line, page, least) in QUERIES {
            group.bench_function(name, |bencher| {
                bencher.iter(|| run_query(black_box(&store), black_box(line), page));
            });
            let start = Instant::now();
            assert!(run_query(&store, line, page) >= least, "{name}");
            timings.push((n, name, start.elapsed()));
        }
        group.finish();
    }
    for (n, name, took) in &timings {
        let ms = took.as_secs_f64() * 1e3;
        let share = took.as_secs_f64() / OPEN_LIMIT.as_secs_f64();
        println!("{n:>7} episodes: {name:<24} {ms:>8.1} ms  {share:.3} of the limit");
    }
}

criterion_group!(benches, library_benchmarks);
criterion_main!(benches);
