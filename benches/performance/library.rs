//! Opening a large library and searching it.
//!
//! The library repeats 20 real episodes, with a number in each question. Measured are opening the store with its
//! first page, filters that read every summary, and a sorted page; the smaller library shows how each of them grows.
//! The table at the end has single runs, also as a share of the second that opening may take.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use pointsman::config::{Folders, load_preset};
use pointsman::episode::{Event, EventKind};
use pointsman::library::{LocalCalendar, Query, query_page};
use pointsman::routing::RouterRegistry;
use pointsman::session::{EpisodeSpec, NullObserver, load_pair};
use pointsman::store::Store;
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};

const SIZES: [usize; 2] = [10_000, 100_000];
/// Episodes that are stored together.
const BATCH: usize = 500;
/// The time that opening the larger library may take.
const OPEN_LIMIT: Duration = Duration::from_secs(1);

/// Episodes of the tiny pair, half of them written by each model.
pub(crate) fn run_episodes() -> Vec<Vec<Event>> {
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

/// Creates a store of `n` episodes.
fn fill(path: &Path, episodes: &[Vec<Event>], n: usize) {
    let store = Store::open(path).expect("a store");
    let numbered = |i: usize| {
        let mut events = episodes[i % episodes.len()].clone();
        if let EventKind::Started(started) = &mut events[0].kind {
            started.question = format!("{} ({i})", started.question);
        }
        events
    };
    for first in (0..n).step_by(BATCH) {
        let batch: Vec<_> = (first..n.min(first + BATCH)).map(numbered).collect();
        store.add_episodes(&batch).expect("stored episodes");
    }
}

fn run_query(store: &Store, line: &str, n: usize) -> usize {
    let query = Query::parse(line, &LocalCalendar::at(0)).expect("a query");
    query_page(store, &query, None, n, |_| true).expect("readable").entries.len()
}

/// Opens the store for writing and reads the first page.
fn open_first_page(path: &Path) -> Store {
    let store = Store::open(path).expect("the store");
    assert_eq!(run_query(&store, "", 50), 50);
    store
}

/// Opens the store for reading and reads the first page.
fn read_first_page(path: &Path) -> Store {
    let store = Store::open_read_only(path).expect("the store");
    assert_eq!(run_query(&store, "", 50), 50);
    store
}

/// A way to open a store.
type Opening = fn(&Path) -> Store;

const OPENINGS: [(&str, Opening); 2] =
    [("open, first page", open_first_page), ("read only, first page", read_first_page)];

fn folder_bytes(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// Name, query, length of the page, and the least number of episodes it must find.
const QUERIES: [(&str, &str, usize, usize); 4] = [
    ("filter by numbers, all", "steps>3 cost<5e8 -failed", usize::MAX, 1),
    ("filter by words, none", "\"no such words\"", usize::MAX, 0),
    ("the oldest episode", "\"(0)\"", 50, 1),
    ("the 50 most expensive", "sort:-cost", 50, 50),
];

pub(crate) fn benchmarks(criterion: &mut Criterion) {
    let episodes = run_episodes();
    let mut timings = Vec::new();
    for n in SIZES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("store");
        let start = Instant::now();
        fill(&path, &episodes, n);
        let bytes = folder_bytes(&path);
        let filling = start.elapsed().as_secs_f64();
        println!("{n} episodes, {} MB, written in {filling:.1} s", bytes >> 20);

        let mut group = criterion.benchmark_group(format!("library/{n} episodes"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        for (name, open) in OPENINGS {
            group.bench_function(name, |bencher| bencher.iter(|| open(&path)));
            let start = Instant::now();
            drop(open(&path));
            timings.push((n, name, start.elapsed()));
        }
        let store = open_first_page(&path);
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
